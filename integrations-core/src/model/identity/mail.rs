//! Is it the same mail, in two mailboxes?

use std::borrow::Cow;

use crate::model::{Message, MessageKind};

/// The `Message-ID` of a mail in the form that is equal in every mailbox: without spaces and angle brackets.
/// `None` for a mail without one, and for messages of chats.
///
/// The sender's program chooses it. What has the same one is the same mail only as far as its sender tells
/// the truth: show two copies as one, and let none take the place of another.
pub fn message_id(message: &Message) -> Option<Cow<'_, str>> {
    if message.kind != MessageKind::Mail {
        return None;
    }
    // Some programs fold the header within the id.
    let id = message.internet_message_id.as_deref()?;
    let id = if id.contains(char::is_whitespace) {
        Cow::Owned(id.split_whitespace().collect())
    } else {
        Cow::Borrowed(id)
    };
    let bare = |id: &str| {
        let id = id.strip_prefix('<').unwrap_or(id);
        id.strip_suffix('>').unwrap_or(id).to_owned()
    };
    let id = if id.starts_with('<') || id.ends_with('>') { Cow::Owned(bare(&id)) } else { id };
    Some(id).filter(|id| !id.is_empty())
}

/// Whether two messages are one mail in two mailboxes, or twice in one; see [`message_id`].
pub fn same_mail(one: &Message, other: &Message) -> bool {
    message_id(one).is_some_and(|id| Some(id) == message_id(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_are_the_same_by_their_message_id() {
        let mail = |id: Option<&str>, kind| {
            let mut mail = Message::new("m", kind);
            mail.internet_message_id = id.map(str::to_owned);
            mail
        };
        let one = mail(Some("a.B@example.com"), MessageKind::Mail);
        for (id, same) in [
            (Some("a.B@example.com"), true),
            (Some("<a.B@example.com>"), true),
            (Some(" <a.B@\r\n example.com> "), true),
            // The part before the @ may mean its case.
            (Some("a.b@example.com"), false),
            (Some("<>"), false),
            (Some(""), false),
            (None, false),
        ] {
            let other = mail(id, MessageKind::Mail);
            assert_eq!(same_mail(&one, &other), same, "{id:?}");
            assert_eq!(same_mail(&other, &one), same, "{id:?}");
        }
        for empty in [None, Some(""), Some("<>"), Some(" ")] {
            let mail = mail(empty, MessageKind::Mail);
            assert!(!same_mail(&mail, &mail), "{empty:?}");
        }
        let chat = mail(Some("a.B@example.com"), MessageKind::Chat);
        assert!(!same_mail(&one, &chat) && !same_mail(&chat, &chat));
    }
}

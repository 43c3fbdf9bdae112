//! What do the headers of a mail say?

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use super::address::people;
use crate::model::{Header, Message};

/// Where a header goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    From,
    To,
    Cc,
    Bcc,
    ReplyTo,
    Subject,
    MessageId,
    InReplyTo,
    References,
    /// It tells how the root of the MIME tree is made, or of the mail's way.
    Nowhere,
}

/// The headers that do not stand among [`Message::headers`], by their names in lower case.
#[rustfmt::skip]
const PLACES: &[(&str, Place)] = &[
    ("from",                      Place::From),
    ("to",                        Place::To),
    ("cc",                        Place::Cc),
    ("bcc",                       Place::Bcc),
    ("reply-to",                  Place::ReplyTo),
    ("subject",                   Place::Subject),
    ("message-id",                Place::MessageId),
    ("in-reply-to",               Place::InReplyTo),
    ("references",                Place::References),
    // RFC 2045.
    ("mime-version",              Place::Nowhere),
    ("content-type",              Place::Nowhere),
    ("content-transfer-encoding", Place::Nowhere),
    ("content-disposition",       Place::Nowhere),
    // RFC 5321, 5322, 7208, 8601.
    ("received",                  Place::Nowhere),
    ("return-path",               Place::Nowhere),
    ("delivered-to",              Place::Nowhere),
    ("received-spf",              Place::Nowhere),
    ("authentication-results",    Place::Nowhere),
    ("domainkey-signature",       Place::Nowhere),
    // What Google and Microsoft leave on the way.
    ("x-received",                Place::Nowhere),
    ("x-google-dkim-signature",   Place::Nowhere),
    ("x-google-smtp-source",      Place::Nowhere),
    ("x-forefront-antispam-report", Place::Nowhere),
];

/// How the names of further headers of the way begin, in lower case.
const WAY: &[&str] = &["arc-", "dkim-", "x-gm-", "x-ms-exchange-", "x-microsoft-antispam"];

/// Puts each header, by its name and its value, where it belongs. One that says nothing that its field could hold stays a header, and so
/// does a second one where the field holds one.
pub fn put<'h>(headers: impl IntoIterator<Item = (&'h str, &'h str)>, message: &mut Message) {
    for (name, value) in headers {
        if !put_one(place(name), value, message) && !value.trim().is_empty() {
            message.headers.push(Header { name: name.to_owned(), value: decode(value) });
        }
    }
}

fn place(name: &str) -> Option<Place> {
    if let Some((_, place)) = PLACES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) {
        return Some(*place);
    }
    WAY.iter().any(|start| strip_prefix(name, start).is_some()).then_some(Place::Nowhere)
}

/// Whether all that the header says is in its field now.
fn put_one(place: Option<Place>, value: &str, message: &mut Message) -> bool {
    let list = match place {
        None => return false,
        Some(Place::Nowhere) => return true,
        Some(Place::Subject) => {
            let first = message.subject.is_none() && !value.trim().is_empty();
            if first {
                message.subject = Some(decode(value));
            }
            return first;
        }
        Some(Place::MessageId) => {
            let mut ids = ids(value).into_iter();
            let first = message.internet_message_id.is_none();
            if first {
                message.internet_message_id = ids.next();
            }
            return first && message.internet_message_id.is_some() && ids.next().is_none();
        }
        Some(Place::InReplyTo) => return extend(&mut message.in_reply_to, ids(value)),
        Some(Place::References) => return extend(&mut message.references, ids(value)),
        Some(Place::From) => {
            let mut authors = people(value).into_iter();
            let first = message.from.is_none();
            if first {
                message.from = authors.next();
            }
            // Several may have written a mail; one is its `from`.
            return first && message.from.is_some() && authors.next().is_none();
        }
        Some(Place::To) => &mut message.to,
        Some(Place::Cc) => &mut message.cc,
        Some(Place::Bcc) => &mut message.bcc,
        Some(Place::ReplyTo) => &mut message.reply_to,
    };
    extend(list, people(value))
}

fn extend<T>(list: &mut Vec<T>, found: Vec<T>) -> bool {
    let any = !found.is_empty();
    list.extend(found);
    any
}

/// The ids in a header such as `References`, without angle brackets. Those that have none stand apart by
/// spaces.
pub fn ids(value: &str) -> Vec<String> {
    if !value.contains('<') {
        return value.split_whitespace().map(str::to_owned).collect();
    }
    match MessageStream::new(line(value).as_bytes()).parse_id() {
        HeaderValue::Text(id) => vec![id.into_owned()],
        HeaderValue::TextList(ids) => ids.into_iter().map(Into::into).collect(),
        _ => Vec::new(),
    }
}

/// A header's text, with what is left of encoded words (RFC 2047) decoded, on one line.
pub fn decode(value: &str) -> String {
    if !value.contains("=?") && !value.contains(['\r', '\n']) {
        return value.to_owned();
    }
    match MessageStream::new(line(value).as_bytes()).parse_unstructured() {
        HeaderValue::Text(text) => text.into_owned(),
        _ => value.to_owned(),
    }
}

/// What stands behind a beginning, which is compared without case.
pub fn strip_prefix<'t>(text: &'t str, beginning: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(beginning.len())?;
    start.eq_ignore_ascii_case(beginning).then_some(rest)
}

/// A header's value as `mail-parser` takes it, which reads up to the end of a line.
pub fn line(value: &str) -> String {
    let mut line = String::with_capacity(value.len() + 1);
    line.push_str(value);
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MessageKind;

    fn message(headers: &[(&'static str, &'static str)]) -> Message {
        let mut message = Message::new("1", MessageKind::Mail);
        put(headers.iter().copied(), &mut message);
        message
    }

    fn left(message: &Message) -> Vec<&str> {
        message.headers.iter().map(|header| header.name.as_str()).collect()
    }

    #[test]
    fn the_way_of_a_mail_and_its_form_are_left_out() {
        let names = [
            "RECEIVED",
            "X-Received",
            "DKIM-Signature",
            "ARC-Seal",
            "Mime-Version",
            "Content-type",
            "X-Gm-Message-State",
            "X-MS-Exchange-CrossTenant-Id",
            "Date",
            "List-Id",
            "X-Mailer",
            "AR",
            "",
        ];
        let message = message(&names.map(|name| (name, "x")));
        assert_eq!(left(&message), ["Date", "List-Id", "X-Mailer", "AR", ""]);
    }

    #[test]
    fn what_a_field_cannot_hold_stays_a_header() {
        let both = message(&[
            ("From", "a@x.example, b@x.example"),
            ("Subject", "one"),
            ("subject", "two"),
            ("To", "a@x.example"),
            ("to", "b@x.example"),
            ("Cc", "<>"),
            ("Bcc", " "),
            ("Message-Id", "<1@x>"),
            ("Message-ID", "<2@x>"),
            ("In-Reply-To", "<unclosed"),
        ]);
        assert_eq!(left(&both), ["From", "subject", "Cc", "Message-ID", "In-Reply-To"]);
        assert_eq!(both.from.unwrap().email.unwrap(), "a@x.example");
        assert_eq!((both.subject.as_deref(), both.to.len()), (Some("one"), 2));
        assert_eq!(both.internet_message_id.as_deref(), Some("1@x"));
    }

    #[test]
    fn ids_lose_their_brackets_and_words_their_code() {
        for (value, expected) in [
            ("<a@x>", &["a@x"][..]),
            ("<a@x>\r\n\t<b@x><c@x>", &["a@x", "b@x", "c@x"]),
            ("Your mail of Monday <a@x>", &["a@x"]),
            ("a@x b@x", &["a@x", "b@x"]),
            ("", &[]),
        ] {
            assert_eq!(ids(value), expected, "{value}");
        }
        for (value, expected) in [
            ("plain  text", "plain  text"),
            ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?b?IPCfjok=?=", "Grüße 🎉"),
            ("=?utf-8?q?unclosed", "=?utf-8?q?unclosed"),
            ("one\r\n two", "one two"),
        ] {
            assert_eq!(decode(value), expected, "{value}");
        }
    }
}

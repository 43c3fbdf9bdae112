//! May the caller do this?

use super::calendar::EventField;
use super::errors::Refusal;
use super::fields::Select;
use super::mail::MessageField;

const PREFIX: &str = "https://graph.microsoft.com/";

/// Scopes that read calendars and events.
pub(super) const CALENDAR: &[&str] =
    &["Calendars.Read", "Calendars.ReadWrite", "Calendars.Read.Shared", "Calendars.ReadWrite.Shared"];
/// What reads them without bodies.
pub(super) const CALENDAR_BASIC: &str = "Calendars.ReadBasic";
/// Scopes that read mail.
pub(super) const MAIL: &[&str] =
    &["Mail.Read", "Mail.ReadWrite", "Mail.Read.Shared", "Mail.ReadWrite.Shared"];
/// What reads it without bodies and attachments.
pub(super) const MAIL_BASIC: &str = "Mail.ReadBasic";
/// Scopes that read the settings of the mailbox.
pub(super) const SETTINGS: &[&str] = &["MailboxSettings.Read", "MailboxSettings.ReadWrite"];
/// All that an open token may do.
pub(super) const OPEN_SCOPES: &[&str] = &[
    "openid",
    "profile",
    "email",
    "offline_access",
    "User.Read",
    "Calendars.ReadWrite",
    "Mail.ReadWrite",
    "Mail.Send",
    "MailboxSettings.Read",
];

/// How much of an item the caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Full,
    /// No bodies.
    Basic,
}

impl Access {
    /// What the granted scopes let a caller see that needs one of these.
    pub(super) fn of(granted: &[String], any_of: &[&str], basic: Option<&str>) -> Option<Self> {
        // Scopes may be given in full or short, and in any case.
        let has = |wanted: &str| {
            let short = |granted: &str| {
                let start = granted.get(..PREFIX.len()).filter(|start| start.eq_ignore_ascii_case(PREFIX));
                granted[start.map_or(0, str::len)..].eq_ignore_ascii_case(wanted)
            };
            granted.iter().any(|granted| short(granted))
        };
        if any_of.iter().any(|scope| has(scope)) {
            return Some(Self::Full);
        }
        basic.filter(|basic| has(basic)).map(|_| Self::Basic)
    }

    /// What is shown of events.
    pub(super) fn events(self) -> Select<EventField> {
        self.restrict_events(Select::usual())
    }

    pub(super) fn select_events(self, select: Option<&str>) -> Result<Select<EventField>, Refusal> {
        Ok(self.restrict_events(Select::parse(select)?))
    }

    fn restrict_events(self, select: Select<EventField>) -> Select<EventField> {
        match self {
            Self::Full => select,
            Self::Basic => select.without(&[EventField::Body, EventField::BodyPreview]),
        }
    }

    pub(super) fn restrict_messages(self, select: Select<MessageField>) -> Select<MessageField> {
        use MessageField as F;
        match self {
            Self::Full => select,
            Self::Basic => select.without(&[F::Body, F::BodyPreview, F::UniqueBody]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_counts_in_full_or_short_and_in_any_case() {
        let access = |granted: &str| Access::of(&[granted.to_owned()], CALENDAR, Some(CALENDAR_BASIC));
        for full in ["Calendars.Read", "https://graph.microsoft.com/Calendars.ReadWrite", "calendars.read"] {
            assert_eq!(access(full), Some(Access::Full), "{full}");
        }
        assert_eq!(access("Calendars.ReadBasic"), Some(Access::Basic));
        for none in ["Calendars.Reader", "Mail.Read", "https://graph.example.com/Calendars.Read", "ä"] {
            assert_eq!(access(none), None, "{none}");
        }
    }
}

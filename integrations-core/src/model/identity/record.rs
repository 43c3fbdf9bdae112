//! How is one record named among all of a host?

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::connection::{AccountId, ConnectionId, ServiceId, StreamId};
use crate::error::{Error, ErrorKind};

/// What a part of a printed id shows as it is; `/` and `:` stand between parts, and `%` for the others.
const HIDDEN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// The mark of an account, which a connection's id cannot have.
const ACCOUNT: &str = "account:";

/// The name of a record among all records of a host: stable over versions, printable, and read from what it
/// prints.
///
/// ```
/// use integrations_core::model::identity::RecordId;
///
/// let (service, connection) = ("google_calendar".into(), "cn_12ab".into());
/// let id = RecordId::new(&service, &connection, &"ada@example.com".into(), "a/b");
/// assert_eq!(id.to_string(), "google_calendar/cn_12ab/ada@example.com/a%2Fb");
/// assert_eq!(id.to_string().parse::<RecordId>()?, id);
/// # Ok::<_, integrations_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// The service.
    pub service: ServiceId,
    /// Whose record it is.
    pub holder: Holder,
    /// The stream.
    pub stream: StreamId,
    /// The provider's id of the item, unique within its stream.
    pub id: Box<str>,
}

/// Whose records are told apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Holder {
    /// Those of a connection: two users of the host who connect one account have two records.
    Connection(ConnectionId),
    /// Those of an account at the provider: they have one.
    Account(AccountId),
}

impl RecordId {
    /// The name of a connection's record.
    pub fn new(service: &ServiceId, connection: &ConnectionId, stream: &StreamId, id: &str) -> Self {
        let holder = Holder::Connection(connection.clone());
        Self { service: service.clone(), holder, stream: stream.clone(), id: id.into() }
    }

    /// The name of an account's record, whoever has connected it.
    pub fn of_account(service: &ServiceId, account: &AccountId, stream: &StreamId, id: &str) -> Self {
        let holder = Holder::Account(account.clone());
        Self { service: service.clone(), holder, stream: stream.clone(), id: id.into() }
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |text| utf8_percent_encode(text, HIDDEN);
        write!(f, "{}/", part(self.service.as_str()))?;
        match &self.holder {
            Holder::Connection(id) => write!(f, "{}", part(id.as_str()))?,
            Holder::Account(id) => write!(f, "{ACCOUNT}{}", part(id.as_str()))?,
        }
        write!(f, "/{}/{}", part(self.stream.as_str()), part(&self.id))
    }
}

impl FromStr for RecordId {
    type Err = Error;

    /// Reads what [`Display`](fmt::Display) has written.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] with code `record_id`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let read = || {
            let mut parts = text.split('/');
            let mut part = || parts.next();
            let (service, holder, stream, id) = (part()?, part()?, part()?, part()?);
            let decoded = |part| percent_decode_str(part).decode_utf8().ok();
            let holder = match holder.strip_prefix(ACCOUNT) {
                Some(account) => Holder::Account(AccountId::new(&*decoded(account)?)),
                None => Holder::Connection(ConnectionId::new(&*decoded(holder)?)),
            };
            let id = Self {
                service: ServiceId::new(&*decoded(service)?),
                holder,
                stream: StreamId::new(&*decoded(stream)?),
                id: decoded(id)?.into(),
            };
            // One record has one name: no other spelling of it is taken, and nothing behind it.
            (id.to_string() == text).then_some(id)
        };
        read().ok_or_else(|| {
            Error::new(ErrorKind::InvalidRequest, "this is not the id of a record").with_code("record_id")
        })
    }
}

impl Serialize for RecordId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::json::try_text(deserializer, "the id of a record", |text| text.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_has_one_name() {
        let account = RecordId::of_account(&"gmail".into(), &"1:2".into(), &"me".into(), "18c%");
        assert_eq!(account.to_string(), "gmail/account:1%3A2/me/18c%25");
        let connection = RecordId::new(&"gmail".into(), &"account:1".into(), &"me".into(), "x");
        assert_eq!(connection.to_string(), "gmail/account%3A1/me/x");
        for id in [&account, &connection] {
            assert_eq!(id.to_string().parse::<RecordId>().unwrap(), *id);
            let json = serde_json::to_string(id).unwrap();
            assert_eq!(serde_json::from_str::<RecordId>(&json).unwrap(), *id);
        }
    }

    #[test]
    fn another_spelling_is_refused() {
        for text in [
            "",
            "gmail",
            "gmail/c/s",
            "gmail/c/s/i/j",
            "gmail/c/s/%41",
            "gmail/c/s/a%2fb",
            "gmail/c/s/%ff",
            "gmail/c/s/%",
        ] {
            let error = text.parse::<RecordId>().unwrap_err();
            assert_eq!(error.provider_code(), Some("record_id"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_id_is_read_from_what_it_prints(parts in any::<[String; 4]>(), account in any::<bool>()) {
            let [service, holder, stream, id] = parts;
            let (service, stream) = (service.as_str().into(), stream.as_str().into());
            let name = if account {
                RecordId::of_account(&service, &holder.into(), &stream, &id)
            } else {
                RecordId::new(&service, &holder.into(), &stream, &id)
            };
            let text = name.to_string();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert_eq!(text.parse::<RecordId>().unwrap(), name);
        }
    }
}

//! What does a client prefer?
//!
//! `Prefer` (RFC 7240) may stand several times and hold several preferences each. One that the fake does not
//! know is refused, although a server may ignore it: no test is to rely on it.

use chrono_tz::Tz;
use http::HeaderName;

use super::errors::Refusal;
use super::ids::IdType;
use super::zones;
use crate::server::{Call, Reply};

const PREFER: HeaderName = HeaderName::from_static("prefer");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// In which form bodies are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyType {
    /// As they were written.
    Stored,
    Text,
    Html,
}

/// The preferences of a request.
#[derive(Debug)]
pub(super) struct Preferences {
    pub(super) zone: Tz,
    /// As it is asked for, which is how it is answered.
    pub(super) zone_name: String,
    pub(super) body: BodyType,
    pub(super) page_size: Option<usize>,
    pub(super) id_type: IdType,
    applied: Vec<String>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            zone: Tz::UTC,
            zone_name: "UTC".to_owned(),
            body: BodyType::Stored,
            page_size: None,
            id_type: IdType::Usual,
            applied: Vec::new(),
        }
    }
}

impl Preferences {
    /// Those with which the fake shows something to a test: immutable ids, UTC, bodies as written.
    pub(super) fn own() -> Self {
        Self { id_type: IdType::Immutable, ..Self::default() }
    }

    pub(super) fn read(call: &Call) -> Result<Self, Refusal> {
        let mut read = Self::default();
        for value in call.headers.get_all(PREFER) {
            let value = value.to_str().map_err(|_| malformed())?;
            for preference in split(value) {
                read.take(preference)?;
            }
        }
        Ok(read)
    }

    fn take(&mut self, preference: &str) -> Result<(), Refusal> {
        let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"'));
        match name.as_str() {
            "outlook.timezone" => {
                self.zone = zones::asked(value)?;
                value.clone_into(&mut self.zone_name);
            }
            "outlook.body-content-type" => {
                self.body = match value.to_ascii_lowercase().as_str() {
                    "text" => BodyType::Text,
                    "html" => BodyType::Html,
                    _ => return Err(malformed()),
                }
            }
            "odata.maxpagesize" => {
                let size = value.parse().ok().filter(|&size: &usize| size > 0);
                self.page_size = Some(size.ok_or_else(malformed)?);
            }
            "idtype" => match value.to_ascii_lowercase().as_str() {
                "immutableid" => self.id_type = IdType::Immutable,
                "entryid" => self.id_type = IdType::Usual,
                _ => return Err(malformed()),
            },
            _ => return Err(Refusal::unsupported(&format!("the preference {name:?}"))),
        }
        self.applied.push(preference.trim().to_owned());
        Ok(())
    }

    /// Says in an answer which preferences it follows.
    pub(super) fn applied(&self, reply: Reply, tracking: bool) -> Reply {
        let tracked = tracking.then_some("odata.track-changes");
        let all: Vec<&str> = tracked.into_iter().chain(self.applied.iter().map(String::as_str)).collect();
        if all.is_empty() { reply } else { reply.header(APPLIED, &all.join(", ")) }
    }
}

fn malformed() -> Refusal {
    Refusal::new(400, "BadRequest", "The value of the header 'Prefer' is not valid.")
}

/// The preferences of one header, at the commas that stand outside of quotes.
fn split(value: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    value
        .split(move |letter| {
            quoted ^= letter == '"';
            letter == ',' && !quoted
        })
        .map(str::trim)
        .filter(|preference| !preference.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_inside_quotes_does_not_split() {
        let header = r#"outlook.timezone="A, B" , IdType="ImmutableId",odata.maxpagesize=5"#;
        let all: Vec<_> = split(header).collect();
        assert_eq!(all, [r#"outlook.timezone="A, B""#, r#"IdType="ImmutableId""#, "odata.maxpagesize=5"]);
    }
}

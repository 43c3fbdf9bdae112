//! What does GitHub send?
//!
//! The fields of issues, pull requests, comments, reviews and notifications that the family reads. GitHub's kinds
//! name what they share alike, so one shape reads them all in one go; [`kind`](super::kind) tells which one it
//! was. Anything may be missing or null. What GraphQL sends is in [`graphql`](super::graphql).

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use chrono::{DateTime, Utc};
use integrations_core::json;
use integrations_core::model::Reaction;
use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::graphql::{GraphReview, PullDetails};

/// An item of any kind.
#[derive(Deserialize)]
pub(super) struct WireItem<'a> {
    pub id: Option<WireId>,
    #[serde(borrow)]
    pub url: Option<Word<'a>>,
    pub html_url: Option<String>,
    pub user: Option<WireUser<'a>>,
    pub body: Option<String>,
    pub state: Option<Word<'a>>,
    pub created_at: Option<Time>,
    pub updated_at: Option<Stamp>,
    #[serde(default)]
    pub reactions: Reactions,
    #[serde(borrow)]
    pub repository: Option<WireRepository<'a>>,

    // Of issues and pull requests.
    pub number: Option<u64>,
    pub title: Option<String>,
    pub repository_url: Option<Word<'a>>,
    pub state_reason: Option<String>,
    #[serde(rename = "type")]
    pub issue_type: Option<WireNamed>,
    #[serde(default, deserialize_with = "list")]
    pub labels: Vec<WireNamed>,
    pub assignee: Option<WireUser<'a>>,
    #[serde(default, deserialize_with = "list")]
    pub assignees: Vec<WireUser<'a>>,
    pub milestone: Option<WireMilestone<'a>>,
    pub locked: Option<bool>,
    pub active_lock_reason: Option<String>,
    pub comments: Option<u64>,
    pub closed_at: Option<Time>,
    pub closed_by: Option<WireUser<'a>>,

    // Of pull requests, as an issue and as itself.
    pub pull_request: Option<WirePullLinks>,
    pub draft: Option<bool>,
    pub merged: Option<bool>,
    pub merged_at: Option<Time>,
    pub merged_by: Option<WireUser<'a>>,
    pub mergeable: Option<bool>,
    pub head: Option<WireBranch<'a>>,
    pub base: Option<WireBranch<'a>>,
    #[serde(default, deserialize_with = "list")]
    pub requested_reviewers: Vec<WireUser<'a>>,
    #[serde(default, deserialize_with = "list")]
    pub requested_teams: Vec<WireTeam>,
    pub additions: Option<u64>,
    pub deletions: Option<u64>,
    pub changed_files: Option<u64>,

    // Of comments and reviews.
    pub issue_url: Option<Word<'a>>,
    pub pull_request_url: Option<Word<'a>>,
    pub pull_request_review_id: Option<u64>,
    pub in_reply_to_id: Option<u64>,
    pub path: Option<String>,
    pub line: Option<u64>,
    pub original_line: Option<u64>,
    pub submitted_at: Option<Time>,

    // Of what the family puts together out of answers.
    #[serde(borrow)]
    pub rest: Option<Box<WireItem<'a>>>,
    #[serde(borrow)]
    pub graphql: Option<Box<PullDetails<'a>>>,
    #[serde(borrow)]
    pub review: Option<Box<GraphReview<'a>>>,

    // Of notifications.
    pub subject: Option<WireSubject>,
    pub reason: Option<String>,
    pub unread: Option<bool>,
    pub last_read_at: Option<Time>,
}

impl WireItem<'_> {
    /// Whether a field that tells the kind is there.
    pub(super) fn has(&self, field: &'static str) -> bool {
        match field {
            "issue_url" => self.issue_url.is_some(),
            "number" => self.number.is_some(),
            "path" => self.path.is_some(),
            "pull_request_review_id" => self.pull_request_review_id.is_some(),
            "pull_request_url" => self.pull_request_url.is_some(),
            "reason" => self.reason.is_some(),
            "review" => self.review.is_some(),
            "state" => self.state.is_some(),
            "subject" => self.subject.is_some(),
            "submitted_at" => self.submitted_at.is_some(),
            "title" => self.title.is_some(),
            _ => false,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct WireUser<'a> {
    pub id: Option<WireId>,
    pub login: Option<String>,
    #[serde(rename = "type", borrow)]
    pub kind: Option<Word<'a>>,
    pub email: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WireTeam {
    pub id: Option<WireId>,
    pub name: Option<String>,
    pub slug: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct WireRepository<'a> {
    pub full_name: Option<String>,
    #[serde(borrow)]
    pub html_url: Option<Word<'a>>,
}

#[derive(Deserialize)]
pub(super) struct WireMilestone<'a> {
    pub number: Option<u64>,
    pub title: Option<String>,
    pub due_on: Option<Time>,
    #[serde(borrow)]
    pub state: Option<Word<'a>>,
}

/// What makes an issue a pull request.
#[derive(Deserialize)]
pub(super) struct WirePullLinks {
    pub merged_at: Option<Time>,
}

/// Where a change comes from, or goes to. The repository is gone when a fork was deleted.
#[derive(Deserialize)]
pub(super) struct WireBranch<'a> {
    pub label: Option<String>,
    #[serde(rename = "ref")]
    pub name: Option<String>,
    pub sha: Option<String>,
    #[serde(borrow)]
    pub repo: Option<WireRepository<'a>>,
}

/// What a notification is about.
#[derive(Deserialize)]
pub(super) struct WireSubject {
    pub title: Option<String>,
    pub url: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// A label, or the type of an issue: an object, or in some answers the plain word.
pub(super) struct WireNamed {
    pub id: Option<WireId>,
    pub name: Option<String>,
    pub color: Option<String>,
}

impl<'de> Deserialize<'de> for WireNamed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Object {
            id: Option<WireId>,
            name: Option<String>,
            color: Option<String>,
        }

        struct Named;

        impl<'de> Visitor<'de> for Named {
            type Value = WireNamed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or its name")
            }

            fn visit_str<E>(self, name: &str) -> Result<WireNamed, E> {
                Ok(WireNamed { id: None, name: Some(name.to_owned()), color: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WireNamed, A::Error> {
                let Object { id, name, color } = Object::deserialize(MapAccessDeserializer::new(map))?;
                Ok(WireNamed { id, name, color })
            }
        }

        deserializer.deserialize_any(Named)
    }
}

/// GitHub's words for reactions.
const REACTIONS: &[&str] = &["+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"];

/// How people reacted. GitHub writes an object of counts, with a sum and an address among them.
#[derive(Default)]
pub(super) struct Reactions(pub Vec<Reaction>);

impl<'de> Deserialize<'de> for Reactions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        enum Key {
            Known(&'static str),
            /// The sum, or the address.
            Sum,
            /// Another reaction, or something else.
            Other(String),
        }

        impl<'de> Deserialize<'de> for Key {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                json::text(deserializer, |name| match name {
                    "total_count" | "url" => Self::Sum,
                    name => match REACTIONS.iter().find(|known| **known == name) {
                        Some(known) => Self::Known(known),
                        None => Self::Other(name.to_owned()),
                    },
                })
            }
        }

        struct Counts;

        impl<'de> Visitor<'de> for Counts {
            type Value = Reactions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("counts of reactions")
            }

            fn visit_unit<E>(self) -> Result<Reactions, E> {
                Ok(Reactions::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reactions, A::Error> {
                let mut reactions = Vec::new();
                while let Some(key) = map.next_key()? {
                    let (name, count) = match key {
                        Key::Known(name) => {
                            let count: Option<u64> = map.next_value()?;
                            (Cow::Borrowed(name), count.unwrap_or_default())
                        }
                        Key::Other(name) => {
                            let other = map.next_value::<Value>()?;
                            (Cow::Owned(name), other.as_u64().unwrap_or_default())
                        }
                        Key::Sum => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    if count > 0 {
                        reactions.push(Reaction { name: name.into_owned(), count, people: Vec::new() });
                    }
                }
                Ok(Reactions(reactions))
            }
        }

        deserializer.deserialize_any(Counts)
    }
}

/// A number that is an id, as text; notifications have theirs as text.
pub(super) struct WireId(pub String);

impl<'de> Deserialize<'de> for WireId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Id;

        impl Visitor<'_> for Id {
            type Value = WireId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a text that is not empty")
            }

            fn visit_u64<E>(self, id: u64) -> Result<WireId, E> {
                Ok(WireId(id.to_string()))
            }

            fn visit_str<E: serde::de::Error>(self, id: &str) -> Result<WireId, E> {
                if id.is_empty() {
                    return Err(E::custom("invalid value, expected a number, or a text that is not empty"));
                }
                Ok(WireId(id.to_owned()))
            }
        }

        deserializer.deserialize_any(Id)
    }
}

/// A text that is looked at and not kept.
#[derive(Deserialize)]
pub(super) struct Word<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl Deref for Word<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// An RFC 3339 time.
#[derive(Clone, Copy)]
pub(super) struct Time(pub DateTime<Utc>);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::try_text(deserializer, "an RFC 3339 time", |text| Some(Self(instant(text)?)))
    }
}

/// An RFC 3339 time, with the text that it was.
pub(super) struct Stamp {
    pub text: String,
    pub at: DateTime<Utc>,
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::try_text(deserializer, "an RFC 3339 time", |text| {
            Some(Self { text: text.to_owned(), at: instant(text)? })
        })
    }
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

/// A text that is not empty.
pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// A list, without what is null in it; `null` is an empty one.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let list: Option<Vec<Option<T>>> = Option::deserialize(deserializer)?;
    Ok(list.unwrap_or_default().into_iter().flatten().collect())
}

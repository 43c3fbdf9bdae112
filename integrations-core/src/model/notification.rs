//! What does a service tell the user to look at?

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A note of a service to its user: there is something to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Notification {
    /// The provider's id, unique within its stream.
    pub id: String,
    /// The provider's word for why the user is told, e.g. `mention` or `review_requested`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The title of what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The provider's word for what it is about, e.g. `Issue` or `PullRequest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_kind: Option<String>,
    /// The address of what it is about, at the provider's API; as the provider sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_url: Option<String>,
    /// The project that it belongs to, by the name that people know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Whether the user has not looked yet.
    #[serde(default)]
    pub unread: bool,
    /// When the user last looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<DateTime<Utc>>,
    /// When there was last something new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
}

impl Notification {
    /// An unread notification with nothing but an id.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            reason: None,
            title: None,
            subject_kind: None,
            subject_url: None,
            project: None,
            unread: true,
            read_at: None,
            updated_at: None,
        }
    }
}

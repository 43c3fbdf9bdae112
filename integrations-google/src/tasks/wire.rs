//! What does Google Tasks send?
//!
//! The shapes of `tasklists.list` and `tasks.list`, with what the family reads of them.

use chrono::{DateTime, NaiveDate, Utc};
use integrations_core::model::TaskStatus;
use integrations_core::{Error, json, words};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskLists {
    #[serde(default)]
    pub items: Vec<TaskList>,
    pub next_page_token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct TaskList {
    pub id: String,
    pub title: Option<String>,
}

/// A page of tasks; the items are cut out of it before, and read one by one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tasks {
    #[serde(default, rename = "items")]
    _items: [IgnoredAny; 0],
    pub next_page_token: Option<String>,
}

impl Tasks {
    /// Why a body is no page of tasks.
    pub(super) fn unreadable(body: &[u8], operation: &'static str) -> Error {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[allow(dead_code, reason = "the shape is what matters")]
        struct Shape {
            #[serde(default)]
            items: Vec<IgnoredAny>,
            next_page_token: Option<String>,
        }
        json::unreadable::<Shape>(body, operation)
    }
}

/// What tells whether a task was read before.
#[derive(Deserialize)]
pub(super) struct Version {
    pub id: String,
    pub etag: Option<String>,
    #[serde(default, deserialize_with = "json::rfc3339")]
    pub updated: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireTask {
    pub id: String,
    pub etag: Option<String>,
    pub title: Option<String>,
    pub notes: Option<String>,
    #[serde(default, deserialize_with = "status")]
    pub status: TaskStatus,
    #[serde(default, deserialize_with = "day")]
    pub due: Option<NaiveDate>,
    #[serde(default, deserialize_with = "json::rfc3339")]
    pub completed: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "json::rfc3339")]
    pub updated: Option<DateTime<Utc>>,
    pub parent: Option<String>,
    pub position: Option<String>,
    #[serde(default)]
    pub deleted: bool,
    #[serde(default)]
    pub hidden: bool,
    #[serde(default)]
    pub links: Vec<WireLink>,
    pub assignment_info: Option<WireAssignment>,
    pub web_view_link: Option<String>,
}

/// Just the id, for a task that cannot be read as a whole.
#[derive(Deserialize)]
pub(super) struct WireId {
    pub id: String,
}

#[derive(Deserialize)]
pub(super) struct WireLink {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub description: Option<String>,
    pub link: Option<String>,
}

/// Where a task was given to the user.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireAssignment {
    pub link_to_task: Option<String>,
    pub surface_type: Option<String>,
}

words!(status -> TaskStatus {
    "needsAction" => Open,
    "completed" => Completed,
});

/// The day of a time whose other part says nothing: Google keeps the day alone.
fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    json::try_text(deserializer, "an RFC 3339 time, or a date", |text| {
        let day = text.split_once(['T', 't']).map_or(text, |(day, _)| day);
        day.parse().ok().map(Some)
    })
}

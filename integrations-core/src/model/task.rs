//! What is a task?

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::open_enum::open_enum;
use super::person::PersonRef;
use super::time::EventTime;
use crate::connection::StreamId;

/// Something to do, from a list of tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Task {
    /// The provider's id, unique within its list.
    pub id: String,
    /// The provider's id of the list.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub list_id: StreamId,
    /// The title; `None` for one without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What else there is to say, plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Whether it is done.
    #[serde(default)]
    pub status: TaskStatus,
    /// When it is due: a day, or an instant where the provider keeps one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<EventTime>,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<DateTime<Utc>>,
    /// The provider's id of the task that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// Its place among the tasks with the same parent: sorts as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// Whether the provider's own programs do not show it any more, e.g. since it was done.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// How urgent it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Who is to do it; empty where the list's owner is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assignees: Vec<PersonRef>,
    /// What it goes back to, e.g. a mail or a document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// When it was entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
}

impl Task {
    /// An open task with nothing but its id and its list.
    pub fn new(id: impl Into<String>, list_id: impl Into<StreamId>) -> Self {
        Self {
            id: id.into(),
            list_id: list_id.into(),
            title: None,
            notes: None,
            status: TaskStatus::default(),
            due: None,
            completed_at: None,
            parent_id: None,
            position: None,
            hidden: false,
            priority: None,
            assignees: Vec::new(),
            links: Vec::new(),
            created_at: None,
            updated_at: None,
        }
    }
}

open_enum! {
    /// Whether a task is done.
    #[derive(Default)]
    TaskStatus {
        /// Not yet.
        #[default]
        Open = "open",
        /// Somebody is at it.
        InProgress = "in_progress",
        /// It is done.
        Completed = "completed",
        /// It will not be done.
        Cancelled = "cancelled",
    }
}

open_enum! {
    /// How urgent something is.
    Priority {
        /// Less than usual.
        Low = "low",
        /// As usual.
        Normal = "normal",
        /// More than usual.
        High = "high",
    }
}

/// An address that an item goes back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Link {
    /// The address, as the provider sent it.
    pub url: String,
    /// What stands behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The provider's word for the kind of link, e.g. `email`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

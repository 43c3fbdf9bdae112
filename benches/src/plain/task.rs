//! A task of Google's with the fields that our normaliser reads.

use chrono::{DateTime, Utc};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    pub id: String,
    pub etag: Option<String>,
    pub title: Option<String>,
    pub notes: Option<String>,
    pub status: Option<Status>,
    pub due: Option<DateTime<Utc>>,
    pub completed: Option<DateTime<Utc>>,
    pub updated: Option<DateTime<Utc>>,
    pub parent: Option<String>,
    pub position: Option<String>,
    #[serde(default)]
    pub deleted: bool,
    #[serde(default)]
    pub hidden: bool,
    #[serde(default)]
    pub links: Vec<Link>,
    pub web_view_link: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    NeedsAction,
    Completed,
}

#[derive(Debug, Deserialize)]
pub struct Link {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub description: Option<String>,
    pub link: Option<String>,
}

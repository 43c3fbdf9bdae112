//! What does the mailbox say of itself?

use serde_json::json;

use super::Graph;
use super::errors::Refusal;
use super::query::Query;
use crate::server::{Call, Reply};

/// Answers `/me/mailboxSettings` and `/me/mailboxSettings/timeZone`.
pub(super) fn get(graph: &Graph, call: &Call, zone_only: bool) -> Result<Reply, Refusal> {
    Query::of(call).only(&[])?;
    let zone = &graph.mailbox_zone;
    let context = |what: &str| format!("https://graph.microsoft.com/v1.0/$metadata#me/mailboxSettings{what}");
    let body = if zone_only {
        json!({"@odata.context": context("/timeZone"), "value": zone})
    } else {
        json!({
            "@odata.context": context(""),
            "timeZone": zone,
            "dateFormat": "yyyy-MM-dd",
            "timeFormat": "HH:mm",
            "language": {"locale": "en-US", "displayName": "English (United States)"},
            "workingHours": {
                "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
                "startTime": "08:00:00.0000000",
                "endTime": "17:00:00.0000000",
                "timeZone": {"name": zone},
            },
        })
    };
    Ok(Reply::json(200, body.to_string()))
}

//! What does Google fill in, keep and drop in a task, and what of it do filters look at?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::google::event::{instant, text};
use crate::random::hash_text;

/// How far tasks lie apart that stand one behind the other.
pub(super) const GAP: u64 = 1 << 20;

/// A task, as JSON.
pub(super) type Task = Map<String, Value>;

/// What filters look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    /// Times are milliseconds of the epoch.
    pub(super) updated: i64,
    pub(super) due: Option<i64>,
    pub(super) completed: Option<i64>,
    /// Whether it is one of each of [`KINDS`].
    pub(super) kinds: [bool; 4],
}

/// The kinds of tasks that a listing may leave out: the parameter, and whether they are shown without it.
pub(super) const KINDS: [(&str, bool); 4] =
    [("showCompleted", true), ("showDeleted", false), ("showHidden", false), ("showAssigned", false)];

impl Facts {
    pub(super) fn of(task: &Task) -> Self {
        let flag = |field| task.get(field).and_then(Value::as_bool).unwrap_or(false);
        let time =
            |field| DateTime::parse_from_rfc3339(text(task, field)).ok().map(|time| time.timestamp_millis());
        Self {
            updated: time("updated").unwrap_or(0),
            due: time("due"),
            completed: time("completed"),
            kinds: [
                text(task, "status") == "completed",
                flag("deleted"),
                flag("hidden"),
                task.contains_key("assignmentInfo"),
            ],
        }
    }

    pub(super) const fn deleted(&self) -> bool {
        self.kinds[1]
    }
}

/// A place among siblings, as text that sorts like the number.
pub(super) fn position(place: u64) -> Value {
    json!(format!("{place:020}"))
}

/// The place that a position means.
pub(super) fn place(task: &Task) -> u64 {
    text(task, "position").parse().unwrap_or(0)
}

/// Adds what the server assigns, where it is missing.
pub(super) fn fill(mut task: Task, id: &str, list: &str, place: u64, now: DateTime<Utc>) -> Task {
    let defaults = json!({
        "kind": "tasks#task",
        "id": id,
        "title": "",
        "updated": instant(now),
        "position": position(place),
        "status": "needsAction",
        "links": [],
    });
    if let Value::Object(defaults) = defaults {
        for (field, value) in defaults {
            task.entry(field).or_insert(value);
        }
    }
    let id = text(&task, "id").to_owned();
    let own = [
        ("selfLink", format!("https://www.googleapis.com/tasks/v1/lists/{list}/tasks/{id}")),
        ("webViewLink", format!("https://tasks.google.com/task/{id}?sa=6")),
    ];
    for (field, value) in own {
        task.entry(field).or_insert(json!(value));
    }
    task
}

/// Brings a task into the form in which Google keeps it.
pub(super) fn settle(task: &mut Task, now: DateTime<Utc>) {
    // Only the day is kept, whatever the time and the offset.
    if let Some(day) = text(task, "due").get(..10).map(str::to_owned) {
        task.insert("due".to_owned(), json!(format!("{day}T00:00:00.000Z")));
    }
    if text(task, "status") == "completed" {
        task.entry("completed").or_insert_with(|| json!(instant(now)));
    } else {
        task.remove("completed");
        task.remove("hidden");
    }
    for flag in ["hidden", "deleted"] {
        if task.get(flag) == Some(&json!(false)) {
            task.remove(flag);
        }
    }
    task.remove("etag");
    let etag = etag(hash_text(&Value::Object(task.clone()).to_string()));
    task.insert("etag".to_owned(), json!(etag));
}

/// An etag as Tasks writes them: a number as text, in base64 and in quotes.
pub(super) fn etag(number: u64) -> String {
    let short = i32::from_be_bytes(number.to_be_bytes()[..4].try_into().unwrap_or_default());
    format!("\"{}\"", STANDARD_NO_PAD.encode(short.to_string()))
}

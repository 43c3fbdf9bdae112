//! What happened to the mailbox since when, and what does `history.list` answer?
//!
//! Every change of the mailbox has a version, counted from 1; clients see it as a history id, which
//! grows with gaps. The generated messages have come with the first versions.

use serde_json::{Map, Value, json};

use super::labels::Labels;
use super::mailbox::Mailbox;
use crate::google::Google;
use crate::google::errors;
use crate::google::listing::SCAN_LIMIT;
use crate::google::paging::Paging;
use crate::google::query::Query;
use crate::google::tokens::{Cursor, Kind as TokenKind};
use crate::random::mix;
use crate::server::Reply;

/// Beyond 2^53: a client that takes history ids for floating-point numbers finds out here.
const FIRST_ID: u64 = 9_100_000_000_000_000;
const GAP: u64 = 23;

/// One step of the history, which may touch several messages.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) changes: Vec<Change>,
}

impl Record {
    pub(super) fn of(change: Change) -> Self {
        Self { changes: vec![change] }
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) position: u64,
    /// The labels of the message after the change.
    pub(super) labels: Labels,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Added,
    Deleted,
    Labels { added: Labels, removed: Labels },
}

/// The history id of a version.
pub(super) fn id(version: u64) -> u64 {
    FIRST_ID + version * GAP + mix(version) % (GAP - 1)
}

/// The first version behind a history id.
fn behind(id_given: u64) -> u64 {
    let near = id_given.saturating_sub(FIRST_ID) / GAP;
    near + u64::from(id(near) <= id_given)
}

/// The kinds of changes, as they are asked for and as they are listed.
const TYPES: [(&str, &str); 4] = [
    ("messageAdded", "messagesAdded"),
    ("messageDeleted", "messagesDeleted"),
    ("labelAdded", "labelsAdded"),
    ("labelRemoved", "labelsRemoved"),
];

/// Which changes a listing shows.
struct Filter {
    /// In the order of [`TYPES`].
    types: [bool; 4],
    label: Labels,
}

impl Filter {
    fn of(mailbox: &Mailbox, query: &Query) -> Result<Self, Reply> {
        let asked: Vec<&str> = query.all("historyTypes").collect();
        if let Some(unknown) = asked.iter().find(|name| TYPES.iter().all(|known| known.0 != **name)) {
            return Err(errors::argument(&format!("Invalid value at 'history_types', \"{unknown}\"")));
        }
        let label = match query.get("labelId") {
            None => Labels::NONE,
            Some(id) => {
                mailbox.labels.find(id).ok_or_else(|| errors::argument(&format!("Invalid label: {id}")))?
            }
        };
        Ok(Self { types: TYPES.map(|known| asked.is_empty() || asked.contains(&known.0)), label })
    }

    /// The record as it is listed; `None` when nothing of it is wanted.
    fn shown(&self, mailbox: &Mailbox, version: u64, changes: &[Change]) -> Option<Value> {
        let mut messages = Vec::new();
        let mut groups: [Vec<Value>; 4] = Default::default();
        for change in changes {
            // The groups it stands in, with the labels that are told there.
            let (entries, lost) = match change.kind {
                Kind::Added => (vec![(0, None)], Labels::NONE),
                Kind::Deleted => (vec![(1, None)], Labels::NONE),
                Kind::Labels { added, removed } => (vec![(2, Some(added)), (3, Some(removed))], removed),
            };
            // A message that has just lost the label still counts as one that has it.
            if !change.labels.with(lost).contains(self.label) {
                continue;
            }
            let short = json!({
                "id": mailbox.id(change.position),
                "threadId": mailbox.id(mailbox.thread(change.position)),
            });
            let mut message = short.clone();
            if !change.labels.is_empty() {
                message["labelIds"] = json!(mailbox.labels.names(change.labels));
            }
            let mut shown = false;
            for (group, labels) in entries {
                if !self.types[group] || labels.is_some_and(Labels::is_empty) {
                    continue;
                }
                let mut entry = json!({ "message": message });
                if let Some(labels) = labels {
                    entry["labelIds"] = json!(mailbox.labels.names(labels));
                }
                groups[group].push(entry);
                shown = true;
            }
            messages.extend(shown.then_some(short));
        }
        if messages.is_empty() {
            return None;
        }
        let mut record = Map::new();
        record.insert("id".to_owned(), json!(id(version).to_string()));
        record.insert("messages".to_owned(), json!(messages));
        for ((_, name), group) in TYPES.iter().zip(groups).filter(|(_, group)| !group.is_empty()) {
            record.insert((*name).to_owned(), json!(group));
        }
        Some(Value::Object(record))
    }
}

impl Mailbox {
    /// Reads the changes of a version.
    fn record<T>(&self, version: u64, read: impl FnOnce(&[Change]) -> T) -> T {
        if let Some(index) = version.checked_sub(self.generator.count() + 1) {
            let record = usize::try_from(index).ok().and_then(|index| self.records.get(index));
            return read(record.map_or(&[], |record| &record.changes));
        }
        let position = version - 1;
        read(&[Change { position, labels: self.generator.labels(position), kind: Kind::Added }])
    }
}

/// Answers `history.list`. What happens while the pages are read is on the pages that follow.
pub(super) fn list(google: &Google, query: &Query) -> Result<Reply, Reply> {
    let mailbox = google.gmail.mailbox();
    let limit = query.max_results(100, 500, google.page_cap)?;
    let start = query
        .get("startHistoryId")
        .ok_or_else(|| errors::argument("Missing required parameter: startHistoryId"))?;
    let start: u64 =
        start.parse().map_err(|_| errors::argument("Invalid value at 'start_history_id' (TYPE_UINT64)"))?;
    let filter = Filter::of(&mailbox, query)?;
    if !(id(mailbox.oldest)..=id(mailbox.version())).contains(&start) {
        return Err(errors::newer(404, None, None));
    }
    let paging = Paging::begin(
        google,
        query,
        TokenKind::ChangesPage,
        "users/me/history",
        mailbox.page_epoch,
        behind(start),
    )?;
    let mut records = Vec::new();
    let current = mailbox.version();
    let next = paging.serve(Cursor { next: current + 1, ..paging.cursor }, |cursor| {
        for version in cursor.next..=current {
            if version - cursor.next >= SCAN_LIMIT as u64 {
                return Some(Cursor { next: version, ..*cursor });
            }
            if let Some(record) = mailbox.record(version, |changes| filter.shown(&mailbox, version, changes))
            {
                if records.len() == limit {
                    return Some(Cursor { next: version, ..*cursor });
                }
                records.push(record);
            }
        }
        None
    });
    let items = records.len() as u64;
    let mut body = json!({});
    if !records.is_empty() {
        body["history"] = json!(records);
    }
    if let Some(next) = next {
        body["nextPageToken"] = json!(google.codec.encode(&next));
    }
    body["historyId"] = json!(id(current).to_string());
    Ok(Reply { items, ..Reply::json(200, body.to_string()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_ids_grow_with_gaps_and_lead_back_to_their_version() {
        for version in 0..2_000 {
            assert!(id(version) < id(version + 1), "{version}");
            assert_eq!(behind(id(version)), version + 1);
            assert_eq!(behind(id(version + 1) - 1), version + 1);
        }
        assert!((0..100).any(|version| id(version + 1) - id(version) != GAP));
    }
}

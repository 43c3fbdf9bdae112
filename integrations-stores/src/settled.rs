//! Which change of an id is the last one in a commit?

use std::collections::{HashMap, HashSet};

use integrations_core::model::{Change, Entity, Record};

/// What a commit does to the records of its stream: the deletions first, then the upserts.
pub(crate) struct Settled {
    /// The ids that are gone, with the records whose parent they are; some may come back in `upserts`.
    pub(crate) deleted: Vec<String>,
    /// The ids that are gone alone: with their parent, which this commit has deleted.
    pub(crate) orphaned: Vec<String>,
    /// Each of another id.
    pub(crate) upserts: Vec<Record>,
}

/// Settles which change of an id is the last one.
///
/// In order, a deletion undoes the upserts before it, those of its children among them. So it is the
/// same to do all deletions first, and then those upserts that no later change has undone.
pub(crate) fn settle(changes: Vec<Change>) -> Settled {
    let mut upserts: Vec<Option<Record>> = Vec::with_capacity(changes.len());
    let mut places: HashMap<String, usize> = HashMap::with_capacity(changes.len());
    let mut children: HashMap<String, Vec<usize>> = HashMap::new();
    let mut seen = HashSet::new();
    let (mut deleted, mut orphaned) = (Vec::new(), Vec::new());
    for change in changes {
        match change {
            Change::Upsert(record) => {
                let place = upserts.len();
                if let Some(parent) = record.entity.parent_id() {
                    children.entry(parent.to_owned()).or_default().push(place);
                }
                if let Some(before) = places.insert(record.id().to_owned(), place) {
                    upserts[before] = None;
                }
                upserts.push(Some(record));
            }
            Change::Delete { id } => {
                if let Some(place) = places.remove(&id) {
                    upserts[place] = None;
                }
                for place in children.remove(&id).unwrap_or_default() {
                    if let Some(child) = upserts[place].take() {
                        places.remove(child.id());
                        // It may be stored already, as the child of another parent.
                        orphaned.push(child.source.id);
                    }
                }
                if seen.insert(id.clone()) {
                    deleted.push(id);
                }
            }
        }
    }
    Settled { deleted, orphaned, upserts: upserts.into_iter().flatten().collect() }
}

/// Start and end in microseconds; the start twice where there is no end.
pub(crate) fn times(entity: &Entity) -> (Option<i64>, Option<i64>) {
    let starts_at = entity.starts_at().map(|time| time.timestamp_micros());
    let ends_at = entity.ends_at().map(|time| time.timestamp_micros());
    (starts_at, ends_at.or(starts_at).filter(|_| starts_at.is_some()))
}

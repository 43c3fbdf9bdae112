//! What has been read already?
//!
//! GitHub says when an item changed to the second, so a time and an id do not tell two changes in one second
//! apart: what is remembered is the item's text, by a fingerprint.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use integrations_core::model::Raw;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How many items are remembered at the most; what is not remembered comes again. More than two pages.
const REMEMBERED: usize = 220;

/// Items by their number: when they changed, in seconds since 1970, and a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Seen(BTreeMap<u64, (i64, u64)>);

impl Seen {
    /// Remembers an item; whether it comes for the first time as it is.
    pub(super) fn take(&mut self, id: u64, changed: DateTime<Utc>, item: &Raw) -> bool {
        let now = (changed.timestamp(), print(item));
        let before = self.0.insert(id, now);
        if self.0.len() > REMEMBERED {
            let oldest = self.0.iter().min_by_key(|(_, (changed, _))| *changed).map(|(id, _)| *id);
            oldest.map(|id| self.0.remove(&id));
        }
        before.is_none_or(|before| before.1 != now.1)
    }

    /// Forgets an item.
    pub(super) fn forget(&mut self, id: u64) {
        self.0.remove(&id);
    }

    /// Forgets what changed before.
    pub(super) fn forget_before(&mut self, time: i64) {
        self.0.retain(|_, (changed, _)| *changed >= time);
    }

    /// Forgets all others.
    pub(super) fn keep(&mut self, ids: &HashSet<u64>) {
        self.0.retain(|id, _| ids.contains(id));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// 48 bits of a hash: a number that JSON holds everywhere.
fn print(item: &Raw) -> u64 {
    let digest = Sha256::digest(item.as_bytes());
    digest.iter().take(6).fold(0, |print, byte| print << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_355_600 + second, 0).unwrap()
    }

    #[test]
    fn what_is_the_same_is_known_and_what_is_another_is_not() {
        let mut seen = Seen::default();
        let item = |text: &'static str| Raw::new(text);
        assert!(seen.take(1, at(0), &item("a")));
        assert!(!seen.take(1, at(0), &item("a")));
        assert!(seen.take(1, at(0), &item("b")), "it changed again within the second");
        assert!(seen.take(2, at(0), &item("b")));
        seen.forget_before(at(1).timestamp());
        assert!(seen.take(1, at(0), &item("b")));
    }

    #[test]
    fn the_oldest_is_forgotten_first_and_a_mark_stays_small() {
        let mut seen = Seen::default();
        for id in 0..10_000 {
            seen.take(1_000_000_000 + id, at(i64::try_from(id).unwrap()), &Raw::new("x"));
        }
        assert_eq!(seen.len(), REMEMBERED);
        assert!(!seen.take(1_000_009_999, at(9_999), &Raw::new("x")));
        let text = serde_json::to_string(&seen).unwrap();
        assert!(text.len() < 10 << 10, "{}", text.len());
        assert_eq!(serde_json::from_str::<Seen>(&text).unwrap(), seen);
    }
}

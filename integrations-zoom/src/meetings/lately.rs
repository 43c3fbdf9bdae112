//! What is remembered of the meetings that were held of late?
//!
//! A fingerprint of each session, and of each row that led to one: so that a run which reads the last days again
//! sees what is new. It is bounded, whatever there is.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use integrations_core::model::Fingerprint;
use serde::{Deserialize, Serialize};

/// How many sessions and rows are remembered.
const REMEMBERED: usize = 500;

/// What is remembered from run to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// When the run began.
    pub(super) read_at: DateTime<Utc>,
    /// The sessions of the last days, by their ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) sessions: BTreeMap<String, Seen>,
    /// The rows of the last days, and the meetings that they are of.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) rows: BTreeMap<Fingerprint, String>,
}

/// How a session was when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    #[serde(rename = "m", default, skip_serializing_if = "String::is_empty")]
    pub(super) meeting: String,
    #[serde(rename = "s", with = "chrono::serde::ts_seconds")]
    pub(super) start: DateTime<Utc>,
    #[serde(rename = "p")]
    pub(super) print: Fingerprint,
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub(super) recordings: Option<Fingerprint>,
    /// Whether it was read so long after its end that it does not change any more.
    #[serde(rename = "f", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) settled: bool,
}

impl Mark {
    /// A mark that knows the sessions of the one before, if there is one; its rows are those of this run.
    pub(super) fn going_on_from(before: Option<&Self>, now: DateTime<Utc>) -> Self {
        let sessions = before.map(|before| before.sessions.clone()).unwrap_or_default();
        Self { read_at: now, sessions, rows: BTreeMap::new() }
    }

    pub(super) fn remember_row(&mut self, print: Fingerprint, meeting: &str) {
        if self.rows.len() < REMEMBERED {
            self.rows.insert(print, meeting.to_owned());
        }
    }

    /// Remembers a session, and forgets the oldest where there are too many.
    pub(super) fn remember(&mut self, uuid: String, seen: Seen) {
        self.sessions.insert(uuid, seen);
        if self.sessions.len() > REMEMBERED {
            let oldest = self.sessions.iter().min_by_key(|(_, seen)| seen.start);
            let oldest = oldest.map(|(uuid, _)| uuid.clone());
            oldest.map(|uuid| self.sessions.remove(&uuid));
        }
    }

    /// The same without sessions that began before.
    pub(super) fn since(mut self, lately: DateTime<Utc>) -> Self {
        self.sessions.retain(|_, seen| seen.start >= lately);
        self
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use integrations_core::model::Raw;

    use super::*;
    use crate::meetings::mark;

    #[test]
    fn a_mark_is_bounded_and_comes_back_as_it_went() {
        let now = DateTime::from_timestamp(1_772_440_000, 0).unwrap();
        let mut mark = Mark::going_on_from(None, now);
        for number in 0..1_000 {
            let print = Fingerprint::of(&Raw::new(number.to_string()));
            let start = now - TimeDelta::minutes(number);
            let meeting = "98765432101".to_owned();
            let seen = Seen { meeting, start, print, recordings: Some(print), settled: true };
            mark.remember(format!("aDYlohsHRtCd4ii1u{number:05}=="), seen);
            mark.remember_row(print, "98765432101");
        }
        assert_eq!((mark.sessions.len(), mark.rows.len()), (REMEMBERED, REMEMBERED));
        assert!(
            mark.sessions.values().all(|seen| seen.start > now - TimeDelta::minutes(500)),
            "the oldest went"
        );
        let cursor = mark::write(&mark).unwrap();
        assert!(cursor.as_str().len() < 80 << 10, "{}", cursor.as_str().len());
        assert_eq!(mark::read::<Mark>(&cursor).unwrap(), mark);
        let lately = mark.since(now - TimeDelta::minutes(9));
        assert_eq!(lately.sessions.len(), 10);
    }
}

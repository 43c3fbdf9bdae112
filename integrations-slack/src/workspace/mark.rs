//! What is remembered of a channel from one run to the next?
//!
//! Slack does not say what has changed since a mark. So the family's own mark holds what is needed to see it
//! when the newest messages are read again: a fingerprint of each, and the threads of late with a fingerprint
//! of each of their last replies. It is bounded, whatever the channel is: see [`Reach`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use integrations_core::model::Fingerprint;
use integrations_core::sync::Cursor;
use integrations_core::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ts::Ts;
use crate::config::{History, LookBack};
use crate::limits::{MESSAGES_PER_PAGE, RESTRICTED_MESSAGES_PER_PAGE};

/// How many messages without a readable `ts` are remembered.
const MOST_ODD: usize = 20;
/// However many a host wants.
const MOST_THREADS: usize = 100;

/// How far a run reaches, and how much is remembered: of 500 messages and of 25 replies in each of 20 threads,
/// a mark takes less than 40 KiB.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// Messages per page.
    pub(super) page: u32,
    /// How many calls may be made before what they brought is committed.
    pub(super) calls: usize,
    pub(super) look_back: Duration,
    pub(super) thread_look_back: Duration,
    /// How many messages are remembered.
    pub(super) messages: usize,
    /// How many threads are.
    pub(super) threads: usize,
    /// And how many replies of each.
    pub(super) replies: usize,
}

impl Reach {
    pub(super) fn of(history: History, back: LookBack) -> Self {
        // Where a minute gives one page, what is remembered fits into it, beside the message that a thread
        // begins with.
        let (page, calls, messages, replies, threads) = match history {
            History::Marketplace => (MESSAGES_PER_PAGE, 10, 500, 25, 20),
            History::Restricted => (RESTRICTED_MESSAGES_PER_PAGE, 1, 15, 14, 2),
        };
        let threads = back.most_threads.unwrap_or(threads).min(MOST_THREADS);
        Self {
            page,
            calls,
            look_back: back.messages,
            thread_look_back: back.threads,
            messages,
            threads,
            replies,
        }
    }
}

/// What has been read of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The newest message that was ever read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) newest: Option<Ts>,
    /// From where on messages are remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<Ts>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) seen: BTreeMap<Ts, Fingerprint>,
    /// Items from there on that have no readable `ts`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) odd: BTreeSet<Fingerprint>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) threads: Vec<Thread>,
}

/// A thread with replies of late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Thread {
    /// The message that it begins with.
    pub(super) ts: Ts,
    pub(super) latest: Ts,
    pub(super) count: u64,
    /// The message that it begins with, as it stands beside its replies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<Fingerprint>,
    /// The last replies.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) replies: BTreeMap<Ts, Fingerprint>,
}

impl Mark {
    pub(super) fn thread(&self, ts: Ts) -> Option<&Thread> {
        self.threads.iter().find(|thread| thread.ts == ts)
    }

    pub(super) fn thread_mut(&mut self, ts: Ts) -> Option<&mut Thread> {
        self.threads.iter_mut().find(|thread| thread.ts == ts)
    }

    /// A message was met: moves on with it, and tells whether it is one to remember.
    pub(super) fn meet(&mut self, ts: Ts, reach: &Reach) -> bool {
        if self.newest.is_none_or(|newest| newest < ts) {
            self.newest = Some(ts);
            self.from = self.from.max(Some(ts.less(reach.look_back)));
            self.forget();
        }
        self.from.is_none_or(|from| from <= ts)
    }

    /// Remembers a message, and forgets the oldest where there are too many.
    pub(super) fn remember(&mut self, ts: Ts, print: Fingerprint, reach: &Reach) {
        self.seen.insert(ts, print);
        if self.seen.len() > reach.messages {
            self.seen.pop_first();
            self.from = self.seen.first_key_value().map(|(ts, _)| *ts);
        }
    }

    pub(super) fn remember_odd(&mut self, print: Fingerprint) {
        if self.odd.len() < MOST_ODD {
            self.odd.insert(print);
        }
    }

    /// Forgets what lies before the time that is remembered.
    fn forget(&mut self) {
        if let Some(from) = self.from {
            self.seen = self.seen.split_off(&from);
        }
    }

    /// Takes a thread along, in place of the one that has been quiet for longest where there are too many.
    pub(super) fn track(&mut self, ts: Ts, latest: Ts, count: u64, reach: &Reach) {
        match self.thread_mut(ts) {
            Some(thread) => (thread.latest, thread.count) = (latest, count),
            None => self.threads.push(Thread { ts, latest, count, parent: None, replies: BTreeMap::new() }),
        }
        while self.threads.len() > reach.threads {
            let quietest = (0..self.threads.len()).min_by_key(|index| self.threads[*index].latest);
            quietest.map(|index| self.threads.swap_remove(index));
        }
    }
}

impl Thread {
    /// Remembers a reply, and forgets the first where there are too many.
    pub(super) fn remember(&mut self, ts: Ts, print: Fingerprint, reach: &Reach) {
        self.replies.insert(ts, print);
        if self.replies.len() > reach.replies {
            self.replies.pop_first();
        }
    }
}

/// Writes a mark, or a place on the way.
pub(super) fn write(what: &impl Serialize) -> Result<Cursor> {
    let text = serde_json::to_string(what);
    text.map(Cursor::new).map_err(|_| Error::new(ErrorKind::DataFormat, "the position cannot be written"))
}

/// Reads what was written. What another version wrote, and this one cannot read, is a position that is lost.
pub(super) fn read<T: DeserializeOwned>(cursor: &Cursor) -> Result<T> {
    serde_json::from_str(cursor.as_str()).map_err(|_| {
        Error::new(ErrorKind::CursorExpired, "the position is none that this version has written")
    })
}

#[cfg(test)]
pub(super) mod tests {
    use integrations_core::model::Raw;

    use super::*;
    use crate::config::SlackConfig;

    fn reach(history: History) -> Reach {
        Reach::of(history, SlackConfig::builder().client("id", "secret").build().unwrap().look_back)
    }

    fn ts(seconds: u64) -> Ts {
        Ts::parse(&format!("{:010}.123456", 1_772_440_000 + seconds)).unwrap()
    }

    fn print(number: u64) -> Fingerprint {
        Fingerprint::of(&Raw::new(number.to_string()))
    }

    /// A mark that holds as much as it can.
    pub(in crate::workspace) fn full(reach: &Reach) -> Mark {
        let mut mark = Mark::default();
        for number in 0..1_000 {
            assert!(mark.meet(ts(number), reach));
            mark.remember(ts(number), print(number), reach);
            mark.remember_odd(print(number));
            mark.track(ts(number), ts(2 * number), number, reach);
        }
        for thread in &mut mark.threads {
            thread.parent = Some(print(1));
            thread.replies = (0..reach.replies as u64).map(|number| (ts(number), print(number))).collect();
        }
        mark
    }

    #[test]
    fn a_mark_is_bounded_and_comes_back_as_it_went() {
        for (history, messages, most) in
            [(History::Marketplace, 500, 40 << 10), (History::Restricted, 15, 2 << 10)]
        {
            let mark = full(&reach(history));
            assert_eq!(
                (mark.seen.len(), mark.newest, mark.from),
                (messages, Some(ts(999)), Some(ts(1_000 - messages as u64)))
            );
            let cursor = write(&mark).unwrap();
            assert!(cursor.as_str().len() < most, "{history:?}: {}", cursor.as_str().len());
            assert_eq!(read::<Mark>(&cursor).unwrap(), mark);
        }
        assert_eq!(read::<Mark>(&Cursor::new("{}")).unwrap(), Mark::default());
        for odd in ["", "next", r#"{"seen":{"1":"AAAAAAAA"}}"#, r#"{"seen":{"1772440000.123456":"AAA"}}"#] {
            assert_eq!(
                read::<Mark>(&Cursor::new(odd)).unwrap_err().kind(),
                ErrorKind::CursorExpired,
                "{odd}"
            );
        }
    }

    #[test]
    fn what_lies_before_the_look_back_is_not_remembered() {
        let reach = Reach { look_back: Duration::from_secs(10), ..reach(History::Marketplace) };
        let mut mark = Mark::default();
        // The newest first, as a history comes.
        for (second, lasting) in [(100, true), (95, true), (90, true), (89, false)] {
            assert_eq!(mark.meet(ts(second), &reach), lasting, "{second}");
            if lasting {
                mark.remember(ts(second), print(second), &reach);
            }
        }
        assert_eq!(mark.from, Some(ts(90)));
        // A newer one moves it on.
        assert!(mark.meet(ts(102), &reach));
        assert_eq!((mark.from, mark.seen.len()), (Some(ts(92)), 2));
    }

    #[test]
    fn of_too_many_threads_the_quietest_is_left() {
        let reach = Reach { threads: 2, ..reach(History::Marketplace) };
        let mut mark = Mark::default();
        for (thread, latest) in [(1, 50), (2, 40), (3, 60), (2, 70), (4, 55), (5, 1)] {
            mark.track(ts(thread), ts(latest), 1, &reach);
        }
        let mut left: Vec<_> = mark.threads.iter().map(|thread| thread.ts).collect();
        left.sort();
        assert_eq!(left, [ts(2), ts(3)]);
    }
}

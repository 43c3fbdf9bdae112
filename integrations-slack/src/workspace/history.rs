//! How are a conversation's messages read?
//!
//! `conversations.history` gives them page by page, the newest first and without the replies of threads, which
//! are read thread by thread after each page (`threads.rs`). A page of the engine's is one piece of this work;
//! where it stands is carried on by the cursor, so that nothing is kept here and a run that dies is taken up.
//!
//! There are no changes to ask for. A run reads again what lies within the look-back of the newest message, and
//! gives what is new or does not look as it did; what it does not meet is gone, once it has met all the others.

use std::collections::{BTreeSet, VecDeque};

use integrations_core::adapter::{Next, Page, Pull, PullFrom};
use integrations_core::model::{Fingerprint, Raw};
use integrations_core::{ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::api::{Api, Listing, Method, unreadable};
use super::mark::{self, Mark, Reach};
use super::threads::Due;
use super::ts::Ts;
use super::wire::{WireGlance, WireTs};

/// So many that were not met are believed to be gone, as long as anything was met.
const BELIEVABLE: usize = 10;

/// Where the reading of a conversation stands.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Where the history goes on; `None` once it has been read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<Place>,
    /// The threads that are still to be read, the first of them perhaps in part.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub(super) due: VecDeque<Due>,
    /// Messages that were remembered and have not been met yet.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    unmet: BTreeSet<Ts>,
    /// Whether a message was met of which it is not known which it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    odd: bool,
    /// What will be remembered.
    pub(super) mark: Mark,
}

/// What is listed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    /// The messages, the newest first.
    History,
    /// A message and its replies from one of them on, the oldest first.
    Thread { ts: Ts, from: Option<Ts> },
}

/// How far a listing has come.
#[derive(Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Place {
    /// Slack's cursor of the next page. It lives for a short while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// Where the listing begins that the cursor belongs to, if it was begun anew on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begins: Option<Ts>,
    /// The last message that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Ts>,
}

/// What a piece of work has brought.
#[derive(Debug, Default)]
pub(super) struct Haul {
    pub(super) items: Vec<Raw>,
    pub(super) deleted: Vec<Ts>,
}

/// What a sync has to know of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glance {
    pub(super) ts: Ts,
    thread: Option<Ts>,
    /// When the last reply was written, and how many there are.
    pub(super) replies: Option<(Ts, u64)>,
}

/// Reads one conversation.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    api: Api<'a>,
    channel: &'a str,
    limit: &'a str,
    pub(super) reach: &'a Reach,
    /// What was remembered; `None` in a listing, which gives everything.
    pub(super) since: Option<&'a Mark>,
    /// A thread that has a reply since then is one of late.
    pub(super) of_late: Ts,
    oldest: Option<Ts>,
    latest: Option<Ts>,
}

/// One page of a conversation.
pub(super) async fn read(api: Api<'_>, pull: Pull<'_>) -> Result<Page> {
    let (since, page) = match pull.from {
        PullFrom::Listing { page } => (None, page),
        PullFrom::Changes { since, page } => (Some(mark::read::<Mark>(since)?), page),
    };
    let reach = Reach::of(api.config.history, api.config.look_back);
    let limit = pull.page_size.clamp(1, reach.page).to_string();
    let reader = Reader {
        api,
        channel: pull.stream.as_str(),
        limit: &limit,
        reach: &reach,
        since: since.as_ref(),
        of_late: Ts::at(api.session.now()).less(reach.thread_look_back),
        oldest: pull.window.since.map(Ts::at).max(since.as_ref().and_then(|since| since.from)),
        latest: pull.window.until.map(Ts::at),
    };
    let mut progress = match page {
        Some(page) => mark::read(page)?,
        None => reader.begin(),
    };
    let haul = if progress.due.is_empty() {
        reader.history(&mut progress).await?
    } else {
        reader.threads(&mut progress).await?
    };
    let next = if progress.history.is_none() && progress.due.is_empty() {
        Next::Done(mark::write(&progress.mark)?)
    } else {
        Next::Page(mark::write(&progress)?)
    };
    Ok(Page::new(haul.items, next).with_deleted(haul.deleted.iter().map(Ts::to_string).collect()))
}

impl Reader<'_> {
    /// Before anything is read.
    fn begin(&self) -> Progress {
        let mut mark = Mark { from: self.oldest, ..Mark::default() };
        let mut unmet = BTreeSet::new();
        if let Some(since) = self.since {
            mark.newest = since.newest;
            mark.threads =
                since.threads.iter().filter(|thread| thread.latest >= self.of_late).cloned().collect();
            unmet = since.seen.keys().copied().filter(|ts| Some(*ts) >= self.oldest).collect();
        }
        Progress { history: Some(Place::default()), due: VecDeque::new(), unmet, odd: false, mark }
    }

    /// A page of the history.
    async fn history(&self, progress: &mut Progress) -> Result<Haul> {
        let mut haul = Haul::default();
        let Some(mut place) = progress.history.take() else { return Ok(haul) };
        let page = self.list(Of::History, &mut place).await?;
        for item in page.items {
            let Some(glance) = Glance::of(&item) else {
                progress.odd = true;
                self.give_once(&mut progress.mark, item, &mut haul);
                continue;
            };
            place.pass(Of::History, glance.ts);
            if self.meet(progress, &item, glance) {
                haul.items.push(item);
            }
        }
        if place.turn(Of::History, page.next, page.more)? {
            progress.history = Some(place);
        } else {
            self.conclude(progress, &mut haul);
        }
        Ok(haul)
    }

    /// A message of the history. Returns whether it is new, or does not look as it did.
    fn meet(&self, progress: &mut Progress, item: &Raw, glance: Glance) -> bool {
        progress.unmet.remove(&glance.ts);
        let remembered = self.since.and_then(|since| since.seen.get(&glance.ts)).copied();
        let lasting = progress.mark.meet(glance.ts, self.reach);
        // A listing passes by most messages without a look at their text.
        let print = (lasting || remembered.is_some()).then(|| Fingerprint::of(item));
        if let Some(print) = print.filter(|_| lasting) {
            progress.mark.remember(glance.ts, print, self.reach);
        }
        let changed = remembered.is_none() || remembered != print;
        if changed && !glance.is_reply() {
            self.look_at_thread(progress, glance);
        }
        changed
    }

    /// A message of which it cannot be told which it is, is given once: it goes to the quarantine.
    pub(super) fn give_once(&self, mark: &mut Mark, item: Raw, haul: &mut Haul) {
        let print = Fingerprint::of(&item);
        mark.remember_odd(print);
        if !self.since.is_some_and(|since| since.odd.contains(&print)) {
            haul.items.push(item);
        }
    }

    /// The end of the history: what was not met is gone, and the threads are due that begin before it.
    fn conclude(&self, progress: &mut Progress, haul: &mut Haul) {
        let Some(since) = self.since else { return };
        let mark = &mut progress.mark;
        let unmet = std::mem::take(&mut progress.unmet);
        if !progress.odd && is_believable(unmet.len(), since.seen.len(), !mark.seen.is_empty()) {
            for ts in unmet {
                haul.deleted.push(ts);
                // Slack leaves something in the place of a message that has replies, so there are none.
                if let Some(index) = mark.threads.iter().position(|thread| thread.ts == ts) {
                    let replies = mark.threads.swap_remove(index).replies.into_keys();
                    haul.deleted.extend(replies.filter(|reply| !mark.seen.contains_key(reply)));
                }
            }
        } else {
            // The next run may know more.
            for ts in unmet {
                if let Some(print) = since.seen.get(&ts).filter(|_| Some(ts) >= mark.from) {
                    mark.remember(ts, *print, self.reach);
                }
            }
        }
        let before = mark.threads.iter().filter(|thread| Some(thread.ts) < self.oldest);
        progress.due.extend(before.map(|thread| Due::again(thread, true)));
    }

    /// A page of a listing. What Slack has forgotten the cursor of goes on from the last message that was read.
    pub(super) async fn list(&self, of: Of, place: &mut Place) -> Result<Listing> {
        match self.ask(of, place).await {
            Err(error) if error.kind() == ErrorKind::CursorExpired && place.cursor.is_some() => {
                place.begin_anew(of);
                self.ask(of, place).await
            }
            outcome => outcome,
        }
    }

    async fn ask(&self, of: Of, place: &Place) -> Result<Listing> {
        let (method, ts, oldest, latest) = match of {
            Of::History => (Method::HISTORY, None, self.oldest, place.begins.or(self.latest)),
            Of::Thread { ts, from } => (Method::REPLIES, Some(ts), place.begins.or(from), None),
        };
        let [ts, oldest, latest] = [ts, oldest, latest].map(|ts| ts.map(|ts| ts.to_string()));
        let parameters = [
            ("channel", Some(self.channel)),
            ("ts", ts.as_deref()),
            ("limit", Some(self.limit)),
            ("inclusive", Some("true")),
            ("oldest", oldest.as_deref()),
            ("latest", latest.as_deref()),
            ("cursor", place.cursor.as_deref()),
        ];
        self.api.list(method, &parameters).await
    }
}

impl Place {
    /// Whether nothing of the listing has been read.
    pub(super) fn is_new(&self) -> bool {
        *self == Self::default()
    }

    /// A message was read.
    pub(super) fn pass(&mut self, of: Of, ts: Ts) {
        let last = self.last.unwrap_or(ts);
        self.last = Some(match of {
            Of::History => last.min(ts),
            Of::Thread { .. } => last.max(ts),
        });
    }

    /// Goes on to the next page; returns whether there is one.
    pub(super) fn turn(&mut self, of: Of, next: Option<String>, more: bool) -> Result<bool> {
        self.cursor = next;
        if more && self.cursor.is_none() {
            let before = self.begins;
            self.begin_anew(of);
            if self.begins == before {
                return Err(unreadable("there is more, and Slack does not say where", of.method()));
            }
        }
        Ok(more)
    }

    /// Begins a listing of what is left.
    fn begin_anew(&mut self, of: Of) {
        self.cursor = None;
        let next = self.last.map(|last| match of {
            Of::History => last.before(),
            Of::Thread { .. } => last.after(),
        });
        self.begins = next.or(self.begins);
    }
}

impl Of {
    const fn method(self) -> Method {
        match self {
            Self::History => Method::HISTORY,
            Self::Thread { .. } => Method::REPLIES,
        }
    }
}

impl Glance {
    /// `None` where the message has no `ts` that can be read.
    pub(super) fn of(item: &Raw) -> Option<Self> {
        let text = item.as_bytes();
        // One that cannot be read as a whole is still known by its `ts`.
        let Ok(wire) = serde_json::from_slice::<WireGlance>(text) else {
            let WireTs { ts } = serde_json::from_slice(text).ok()?;
            return Some(Self { ts, thread: None, replies: None });
        };
        let count = wire.reply_count.filter(|count| *count > 0);
        let replies = count.map(|count| (wire.latest_reply.unwrap_or(wire.ts), count));
        Some(Self { ts: wire.ts, thread: wire.thread_ts, replies })
    }

    fn is_reply(self) -> bool {
        self.thread.is_some_and(|parent| parent != self.ts)
    }
}

/// Whether so many are gone of those that were remembered: a re-read that has met nothing at all, or hardly
/// any, may have been wrong.
pub(super) fn is_believable(unmet: usize, remembered: usize, met_any: bool) -> bool {
    unmet == 0 || (met_any && (unmet <= BELIEVABLE || unmet * 2 <= remembered))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{History, SlackConfig};
    use serde_json::json;

    fn glance(value: &serde_json::Value) -> Option<Glance> {
        Glance::of(&Raw::new(value.to_string()))
    }

    #[test]
    fn a_glance_tells_what_a_sync_has_to_know() {
        let ts = |text| Ts::parse(text).unwrap();
        let (first, second) = ("1772440000.000001", "1772440000.000002");
        let alone = glance(&json!({"ts": first, "text": "x"})).unwrap();
        assert_eq!((alone.ts, alone.replies, alone.is_reply()), (ts(first), None, false));
        let parent = json!({"ts": first, "thread_ts": first, "reply_count": 2, "latest_reply": second});
        let parent = glance(&parent).unwrap();
        assert_eq!((parent.replies, parent.is_reply()), (Some((ts(second), 2)), false));
        assert!(glance(&json!({"ts": second, "thread_ts": first})).unwrap().is_reply());
        // A thread without replies is none, and what is odd about a message does not hide which it is.
        assert_eq!(
            glance(&json!({"ts": first, "reply_count": 0, "latest_reply": ""})).unwrap().replies,
            None
        );
        assert_eq!(glance(&json!({"ts": first, "reply_count": []})).unwrap().ts, ts(first));
        for odd in [json!({}), json!(null), json!({"ts": 1.5}), json!({"ts": "now"})] {
            assert!(glance(&odd).is_none(), "{odd}");
        }
    }

    #[test]
    fn few_are_always_believed_and_many_if_as_many_are_left() {
        for (unmet, remembered, met_any, believed) in [
            (0, 0, false, true),
            (0, 10, true, true),
            (1, 1, false, false),
            (1, 1, true, true),
            (10, 10, true, true),
            (10, 10, false, false),
            (11, 21, true, false),
            (11, 22, true, true),
            (250, 500, true, true),
            (251, 500, true, false),
        ] {
            assert_eq!(
                is_believable(unmet, remembered, met_any),
                believed,
                "{unmet} of {remembered}, {met_any}"
            );
        }
    }

    /// The most that can be carried on: a page whose messages all have replies, and every thread to be looked at.
    #[test]
    fn a_place_on_the_way_is_bounded_and_comes_back_as_it_went() {
        let config = SlackConfig::builder().client("id", "secret").build().unwrap();
        let reach = Reach::of(History::Marketplace, config.look_back);
        let ts = |number: u64| {
            Ts::parse("1772440000.000000").unwrap().less(std::time::Duration::from_secs(number))
        };
        let mark = mark::tests::full(&reach);
        let again = mark.threads.iter().map(|thread| Due::again(thread, true));
        let mut due: VecDeque<_> = (0..u64::from(reach.page)).map(|number| Due::whole(ts(number))).collect();
        due.extend(again);
        let place = Place { cursor: Some("c".repeat(100)), begins: Some(ts(1)), last: Some(ts(2)) };
        let unmet = mark.seen.keys().copied().collect();
        let progress = Progress { history: Some(place), due, unmet, odd: true, mark };
        let cursor = mark::write(&progress).unwrap();
        assert!(cursor.as_str().len() < 80 << 10, "{}", cursor.as_str().len());
        assert_eq!(mark::read::<Progress>(&cursor).unwrap(), progress);
    }
}

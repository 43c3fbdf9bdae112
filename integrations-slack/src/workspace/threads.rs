//! Which threads are read, and how?
//!
//! The replies of a thread are read by themselves, with a call of `conversations.replies` at the least. In a
//! listing those of every thread are; afterwards those of a thread whose counters have changed, and of each
//! thread of late whose first message lies before what is read again: nothing else would show its changes.

use std::collections::BTreeSet;

use integrations_core::model::{Fingerprint, Raw};
use integrations_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::history::{Glance, Haul, Of, Place, Progress, Reader, is_believable};
use super::mark::{Mark, Thread};
use super::ts::Ts;

/// A thread that is still to be read.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Due {
    /// The message that it begins with.
    ts: Ts,
    /// The first reply to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Ts>,
    /// Whether the first message is not met in the history, so that its own changes are seen here alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    apart: bool,
    /// Whether a page of it has been read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    begun: bool,
    /// Whether a reply was met of which it is not known which it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    odd: bool,
    /// Replies that were remembered and have not been met yet.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    unmet: BTreeSet<Ts>,
    #[serde(default, skip_serializing_if = "Place::is_new")]
    place: Place,
}

impl Due {
    /// A thread of which nothing is remembered.
    pub(super) fn whole(ts: Ts) -> Self {
        let (apart, begun, odd) = (false, false, false);
        Self { ts, from: None, apart, begun, odd, unmet: BTreeSet::new(), place: Place::default() }
    }

    /// A thread whose last replies are remembered; it is read from the first of these on.
    pub(super) fn again(thread: &Thread, apart: bool) -> Self {
        let from = thread.replies.first_key_value().map(|(ts, _)| *ts);
        Self { from, apart, unmet: thread.replies.keys().copied().collect(), ..Self::whole(thread.ts) }
    }

    fn of(&self) -> Of {
        Of::Thread { ts: self.ts, from: self.from }
    }
}

impl Reader<'_> {
    /// A message of the history that is new or has changed: are its replies to be read?
    pub(super) fn look_at_thread(&self, progress: &mut Progress, glance: Glance) {
        let Progress { due, mark, .. } = progress;
        match (mark.thread(glance.ts), glance.replies) {
            (None, None) => {}
            (None, Some((latest, count))) => {
                due.push_back(Due::whole(glance.ts));
                if latest >= self.of_late {
                    mark.track(glance.ts, latest, count, self.reach);
                }
            }
            (Some(thread), replies) => {
                let (latest, count) = replies.unwrap_or((thread.latest, 0));
                if (latest, count) != (thread.latest, thread.count) {
                    due.push_back(Due::again(thread, false));
                    mark.track(glance.ts, latest, count, self.reach);
                }
            }
        }
    }

    /// About a page of replies, in as many calls as may be made in one go.
    pub(super) async fn threads(&self, progress: &mut Progress) -> Result<Haul> {
        let mut haul = Haul::default();
        for _ in 0..self.reach.calls {
            let Some(mut due) = progress.due.pop_front() else { break };
            if self.thread(&mut due, &mut progress.mark, &mut haul).await? {
                progress.due.push_front(due);
            }
            if haul.items.len() >= self.reach.page as usize {
                break;
            }
        }
        Ok(haul)
    }

    /// A page of a thread; returns whether there is another one.
    async fn thread(&self, due: &mut Due, mark: &mut Mark, haul: &mut Haul) -> Result<bool> {
        let of = due.of();
        let page = match self.list(of, &mut due.place).await {
            // It went while it was waited for. What that means for the replies is not said.
            Err(error) if is_no_thread(&error) => return Ok(false),
            outcome => outcome?,
        };
        if !due.begun {
            due.begun = true;
            if let Some(thread) = mark.thread_mut(due.ts) {
                thread.replies.clear();
            }
        }
        for item in page.items {
            match Glance::of(&item) {
                None => {
                    due.odd = true;
                    self.give_once(mark, item, haul);
                }
                // The message that the thread begins with stands before the replies, perhaps on each page.
                Some(glance) if glance.ts == due.ts => {
                    if due.apart && first_has_changed(mark, &item, glance) {
                        haul.items.push(item);
                    }
                }
                Some(Glance { ts, .. }) => {
                    due.place.pass(of, ts);
                    due.unmet.remove(&ts);
                    if self.reply(due.ts, mark, &item, ts) {
                        haul.items.push(item);
                    }
                }
            }
        }
        let more = due.place.turn(of, page.next, page.more)?;
        if !more {
            self.conclude_thread(due, mark, haul);
        }
        Ok(more)
    }

    /// A reply. Returns whether it is new, or does not look as it did.
    fn reply(&self, thread: Ts, mark: &mut Mark, item: &Raw, ts: Ts) -> bool {
        let remembered = self.remembered(thread).and_then(|thread| thread.replies.get(&ts)).copied();
        let thread = mark.thread_mut(thread);
        let print = (thread.is_some() || remembered.is_some()).then(|| Fingerprint::of(item));
        if let (Some(thread), Some(print)) = (thread, print) {
            thread.remember(ts, print, self.reach);
        }
        remembered.is_none() || remembered != print
    }

    /// The end of a thread: what was not met is gone.
    fn conclude_thread(&self, due: &mut Due, mark: &mut Mark, haul: &mut Haul) {
        let unmet = std::mem::take(&mut due.unmet);
        let Some(remembered) = self.remembered(due.ts) else { return };
        // The thread's beginning comes with every page: something was met.
        if !due.odd && is_believable(unmet.len(), remembered.replies.len(), true) {
            haul.deleted.extend(unmet);
        } else if let Some(thread) = mark.thread_mut(due.ts) {
            for ts in unmet {
                if let Some(print) = remembered.replies.get(&ts) {
                    thread.remember(ts, *print, self.reach);
                }
            }
        }
    }

    fn remembered(&self, thread: Ts) -> Option<&Thread> {
        self.since?.thread(thread)
    }
}

/// Whether the first message of a thread does not look as it did. As long as only its counters are remembered,
/// these say.
fn first_has_changed(mark: &mut Mark, item: &Raw, glance: Glance) -> bool {
    let Some(thread) = mark.thread_mut(glance.ts) else { return false };
    let print = Fingerprint::of(item);
    let (latest, count) = glance.replies.unwrap_or((thread.latest, 0));
    let same = match thread.parent {
        Some(parent) => parent == print,
        None => (thread.latest, thread.count) == (latest, count),
    };
    (thread.parent, thread.latest, thread.count) = (Some(print), latest, count);
    !same
}

fn is_no_thread(error: &Error) -> bool {
    matches!(error.provider_code(), Some("thread_not_found" | "message_not_found"))
}

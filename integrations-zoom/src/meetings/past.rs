//! Which meetings were held?
//!
//! Zoom tells it in two ways, each for a stretch of days: the list of meetings whose time is past, whose sessions
//! are then asked for, and the list of recordings, which also has those that nobody had planned. Each session is
//! read by itself (`session.rs`). A listing goes back from today, four weeks at once.
//!
//! There are no changes to ask for. A run reads the last days again, and looks at sessions that are new, that
//! ended of late, or of which something else was recorded: files appear late. One that is not met any more is gone
//! when Zoom says so of it. What lies further back is never taken for gone: Zoom forgets it, and the host does not.

use std::collections::{BTreeSet, VecDeque};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use integrations_core::adapter::{Next, Page, Pull, PullFrom};
use integrations_core::model::{Fingerprint, Raw};
use integrations_core::sync::Window;
use integrations_core::{ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::api::{Api, Listed, MEETINGS, RECORDINGS, is_gone, is_refused};
use super::lately::{Mark, Seen};
use super::mark;
use super::session::{self, Session};
use super::wire::{Number, WireRecorded, WireRow};
use crate::limits::{ITEMS_PER_PAGE, ROWS_PER_PAGE};

/// Zoom takes a month at most; the shortest has 28 days.
const STRETCH: Days = Days::new(27);
/// How far back a listing goes by itself: as far as Zoom lists meetings that are over.
const HISTORY: TimeDelta = TimeDelta::days(183);
/// How far back it goes when the host wants more: Zoom tells the sessions of a meeting for 15 months.
const MOST_HISTORY: TimeDelta = TimeDelta::days(457);
/// No meeting lasts longer.
const LONGEST: TimeDelta = TimeDelta::hours(30);
/// How long after its end a session may still change, e.g. the list of who was there.
const SETTLES: TimeDelta = TimeDelta::hours(1);
/// How long a meeting whose time is past may still turn out to have been held.
const PERHAPS: TimeDelta = TimeDelta::days(1);
/// How many meetings and sessions a listing knows it has read; beyond, one may be read twice.
const DONE: usize = 4_000;
/// A type of meetings that are held once; the others are asked for their sessions by every run.
const ONCE: i64 = 2;
/// A type of meetings that repeat without a time.
const NO_FIXED_TIME: i64 = 3;

/// A session that is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Due {
    #[serde(rename = "u")]
    uuid: String,
    #[serde(rename = "m", default, skip_serializing_if = "String::is_empty")]
    meeting: String,
    /// What the list of recordings has of it.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    recordings: Option<Fingerprint>,
    /// Whether it may be known to Zoom a little later.
    #[serde(rename = "l", default, skip_serializing_if = "std::ops::Not::not")]
    late: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum List {
    /// Meetings whose time is past.
    Past,
    Recordings,
    /// Meetings that repeat without a time: these are never past.
    Standing,
}

/// Where the reading stands.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    /// The last day of the stretch that is being read.
    until: NaiveDate,
    /// The first day of all.
    from: NaiveDate,
    /// Whether a later stretch has been read already.
    further: bool,
    /// Whether the lists were begun anew on the way.
    again: bool,
    /// The list of the stretch and its next page; `None` once all has been listed.
    list: Option<(List, Option<String>)>,
    due: VecDeque<Due>,
    /// Meetings whose sessions were asked for, and sessions that were read.
    done: BTreeSet<Fingerprint>,
    /// Remembered sessions that were met.
    met: BTreeSet<String>,
    /// Of which there are recordings; `None` where recordings are not to be had.
    recorded: Option<BTreeSet<String>>,
    mark: Mark,
}

#[derive(Default)]
struct Haul {
    items: Vec<Raw>,
    deleted: Vec<String>,
}

struct Reader<'a> {
    api: Api<'a>,
    user: &'a str,
    now: DateTime<Utc>,
    /// What was remembered; `None` in a listing, which gives everything.
    since: Option<Mark>,
    window: Window,
    /// How many sessions a page has at most.
    most: usize,
    /// How many rows of a list are asked for.
    rows: String,
}

/// One page of what was held.
pub(super) async fn read(api: Api<'_>, user: &str, pull: Pull<'_>) -> Result<Page> {
    let (since, page) = match pull.from {
        PullFrom::Listing { page } => (None, page),
        PullFrom::Changes { since, page } => (Some(mark::read::<Mark>(since)?), page),
    };
    let most = usize::try_from(pull.page_size).unwrap_or(usize::MAX).clamp(1, ITEMS_PER_PAGE);
    let rows = pull.page_size.clamp(ROWS_PER_PAGE.0, ROWS_PER_PAGE.1).to_string();
    let reader = Reader { api, user, now: api.session.now(), since, window: pull.window, most, rows };
    let mut progress = match page {
        Some(page) => mark::read(page)?,
        None => reader.begin(),
    };
    let mut haul = Haul::default();
    if progress.due.is_empty() {
        reader.list(&mut progress, &mut haul).await?;
    }
    reader.read(&mut progress, &mut haul).await?;
    let next = if progress.list.is_some() || !progress.due.is_empty() {
        Next::Page(mark::write(&progress)?)
    } else {
        Next::Done(mark::write(&progress.mark.since(reader.lately()))?)
    };
    // Zoom forgets what lies further back, and the host does not.
    Ok(Page::new(haul.items, next).with_deleted(haul.deleted).partial())
}

impl Reader<'_> {
    fn begin(&self) -> Progress {
        let mark = Mark::going_on_from(self.since.as_ref(), self.now);
        // The day after this one has begun somewhere.
        let tomorrow = self.now + TimeDelta::days(1);
        let until = self.window.until.map_or(tomorrow, |until| until.min(tomorrow)).date_naive();
        let from = self.from();
        let list = (from <= until).then_some((List::Past, None));
        let recorded = Some(BTreeSet::new());
        let (due, done, met) = (VecDeque::new(), BTreeSet::new(), BTreeSet::new());
        Progress { until, from, further: false, again: false, list, due, done, met, recorded, mark }
    }

    /// The first day of all that is read.
    fn from(&self) -> NaiveDate {
        let wanted = self.window.since.map(|since| since - LONGEST);
        let from = match &self.since {
            // A clock that was ahead must not hide what happened since.
            Some(since) => Some(since.read_at.min(self.now) - self.api.config.look_back).max(wanted),
            None => wanted,
        };
        from.unwrap_or(self.now - HISTORY).max(self.now - MOST_HISTORY).date_naive()
    }

    /// From when on sessions are remembered.
    fn lately(&self) -> DateTime<Utc> {
        self.now - self.api.config.look_back - TimeDelta::days(2)
    }

    /// A page of a list.
    async fn list(&self, progress: &mut Progress, haul: &mut Haul) -> Result<()> {
        let Some((list, token)) = progress.list.take() else { return Ok(()) };
        let first = progress.until.checked_sub_days(STRETCH).unwrap_or(progress.from).max(progress.from);
        let page = match self.ask(list, first, progress.until, token.as_deref()).await {
            Err(error) if error.kind() == ErrorKind::CursorExpired && !progress.again => {
                // What was read is remembered.
                *progress = Progress { mark: progress.mark.clone(), again: true, ..self.begin() };
                return Ok(());
            }
            Err(error) if list == List::Recordings && session::is_not_to_be_had(&error) => {
                progress.recorded = None;
                Listed { items: Vec::new(), next: None }
            }
            // That is further back than Zoom goes.
            Err(error) if progress.further && list == List::Past && is_refused(&error) => {
                progress.from = first;
                Listed { items: Vec::new(), next: None }
            }
            outcome => outcome?,
        };
        match list {
            List::Past | List::Standing => self.meetings(progress, list, page.items, haul).await?,
            List::Recordings => self.recordings(progress, page.items, haul),
        }
        progress.list = match (list, page.next, progress.recorded.is_some()) {
            (list, Some(next), _) => Some((list, Some(next))),
            (List::Past, None, true) => Some((List::Recordings, None)),
            (List::Past | List::Recordings, None, _) if first > progress.from => {
                progress.until = first.pred_opt().unwrap_or(first);
                progress.further = true;
                Some((List::Past, None))
            }
            (List::Past | List::Recordings, None, _) => Some((List::Standing, None)),
            (List::Standing, None, _) => None,
        };
        if progress.list.is_none() {
            self.conclude(progress);
        }
        Ok(())
    }

    async fn ask(&self, list: List, from: NaiveDate, to: NaiveDate, token: Option<&str>) -> Result<Listed> {
        let (from, to) = (from.to_string(), to.to_string());
        let days = [Some(&*from), Some(&*to)];
        let (listing, of_user, kind, [from, to]) = match list {
            List::Past => (MEETINGS, "meetings", Some("previous_meetings"), days),
            List::Recordings => (RECORDINGS, "recordings", None, days),
            List::Standing => (MEETINGS, "meetings", Some("scheduled"), [None; 2]),
        };
        let parameters = [("type", kind), ("from", from), ("to", to), ("page_size", Some(&*self.rows))];
        self.api.list(listing, &["users", self.user, of_user], &parameters, token).await
    }

    /// Rows of meetings whose time is past: asks for their sessions, as far as these are not known.
    async fn meetings(
        &self,
        progress: &mut Progress,
        list: List,
        items: Vec<Raw>,
        haul: &mut Haul,
    ) -> Result<()> {
        let mut asked = Vec::new();
        for item in items {
            let print = Fingerprint::of(&item);
            let known = self.knew(print);
            let Ok(row) = serde_json::from_slice::<WireRow>(item.as_bytes()) else {
                self.odd(progress, item, haul);
                continue;
            };
            let is_standing = row.kind == Some(Number(NO_FIXED_TIME));
            if (list == List::Standing && !is_standing) || is_elsewhere(&row, progress) {
                continue;
            }
            if row.start_time.is_none_or(|start| start >= self.lately()) {
                progress.mark.remember_row(print, &row.id);
            }
            if known {
                let sessions = progress.mark.sessions.iter().filter(|(_, seen)| seen.meeting == row.id);
                progress.met.extend(sessions.map(|(uuid, _)| uuid.clone()));
            }
            let settled = known && row.kind == Some(Number(ONCE));
            if !settled && is_new(&mut progress.done, &row.id) {
                asked.push((row, known));
            }
        }
        for (row, known) in asked {
            let answer = self.api.instances(&row.id).await;
            let sessions = match answer {
                Err(error) if is_gone(&error) || is_refused(&error) => Vec::new(),
                outcome => outcome?,
            };
            let late = row.start_time.is_none_or(|start| start + PERHAPS > self.now);
            let due = |uuid| Due { uuid, meeting: row.id.clone(), recordings: None, late };
            // Without any that it names, the row's own may be one.
            let own = row.uuid.clone().filter(|_| sessions.is_empty() && !known);
            let named = sessions.into_iter().filter(|one| self.is_within(progress, one.start_time));
            for uuid in named.map(|one| one.uuid).chain(own).collect::<Vec<_>>() {
                let remembered = progress.mark.sessions.contains_key(&uuid);
                if remembered {
                    progress.met.insert(uuid.clone());
                }
                if !(remembered && known) && is_new(&mut progress.done, &uuid) {
                    progress.due.push_back(due(uuid));
                }
            }
        }
        Ok(())
    }

    /// What was recorded.
    fn recordings(&self, progress: &mut Progress, items: Vec<Raw>, haul: &mut Haul) {
        for item in items {
            let Ok(WireRecorded { uuid, id, start_time }) = serde_json::from_slice(item.as_bytes()) else {
                self.odd(progress, item, haul);
                continue;
            };
            let recordings = session::files(&item);
            progress.recorded.get_or_insert_default().insert(uuid.clone());
            let is_other = match progress.mark.sessions.get(&uuid) {
                Some(seen) => seen.recordings != recordings,
                None => self.is_within(progress, start_time) && is_new(&mut progress.done, &uuid),
            };
            progress.met.insert(uuid.clone());
            if is_other {
                is_new(&mut progress.done, &uuid);
                progress.due.push_back(Due {
                    uuid,
                    meeting: id.unwrap_or_default(),
                    recordings,
                    late: false,
                });
            }
        }
    }

    /// A row of which it cannot be told what it is of, is given once: it goes to the quarantine.
    fn odd(&self, progress: &mut Progress, item: Raw, haul: &mut Haul) {
        let print = Fingerprint::of(&item);
        let known = self.knew(print) || progress.mark.rows.contains_key(&print);
        progress.mark.remember_row(print, "");
        if !known {
            haul.items.push(item);
        }
    }

    /// Whether the run before has met a row as it is.
    fn knew(&self, row: Fingerprint) -> bool {
        self.since.as_ref().is_some_and(|since| since.rows.contains_key(&row))
    }

    fn is_within(&self, progress: &Progress, start: Option<DateTime<Utc>>) -> bool {
        start.is_none_or(|start| {
            start.date_naive() >= progress.from && self.window.until.is_none_or(|until| start < until)
        })
    }

    /// All has been listed: sessions are due that are not listed any more, that may still change, and whose
    /// recordings are gone. At the edge of the days that were listed, nothing is sure.
    fn conclude(&self, progress: &mut Progress) {
        if self.since.is_none() && !progress.again {
            return;
        }
        let Progress { mark, met, done, recorded, .. } = &*progress;
        let sure = progress.from.succ_opt().unwrap_or(progress.from);
        let due: Vec<_> = mark
            .sessions
            .iter()
            .filter(|(uuid, _)| !done.contains(&Fingerprint::of_bytes(uuid.as_bytes())))
            .filter(|(uuid, seen)| {
                let listed = seen.start.date_naive() >= sure;
                let lost = recorded.as_ref().is_some_and(|recorded| !recorded.contains(*uuid));
                let unmet = !met.contains(*uuid);
                (listed && (unmet || (lost && seen.recordings.is_some()))) || !seen.settled
            })
            .map(|(uuid, seen)| Due {
                uuid: uuid.clone(),
                meeting: seen.meeting.clone(),
                recordings: None,
                late: false,
            })
            .collect();
        progress.due.extend(due);
    }

    /// Reads sessions that are due, as many as a page may have.
    async fn read(&self, progress: &mut Progress, haul: &mut Haul) -> Result<()> {
        for _ in 0..self.most {
            let Some(due) = progress.due.front().cloned() else { break };
            match session::read(self.api, &due.uuid).await? {
                Some(session) => self.take(&mut progress.mark, due, session, haul),
                None if progress.mark.sessions.remove(&due.uuid).is_some() => haul.deleted.push(due.uuid),
                None if due.late => progress.mark.rows.retain(|_, meeting| *meeting != due.meeting),
                None => {}
            }
            progress.due.pop_front();
        }
        Ok(())
    }

    fn take(&self, mark: &mut Mark, due: Due, session: Session, haul: &mut Haul) {
        let print = Fingerprint::of(&session.item);
        if mark.sessions.get(&due.uuid).is_none_or(|before| before.print != print) {
            haul.items.push(session.item);
        }
        let start = session.start.unwrap_or(self.now);
        if start < self.lately() {
            mark.sessions.remove(&due.uuid);
            return;
        }
        let settled = !session.refused && session.end.is_none_or(|end| end + SETTLES <= self.now);
        let recordings = due.recordings.or(session.recordings);
        let seen = Seen { meeting: due.meeting, start, print, recordings, settled };
        mark.remember(due.uuid, seen);
    }
}

/// Whether a meeting that is held once was not asked for, by the days that are read.
fn is_elsewhere(row: &WireRow, progress: &Progress) -> bool {
    let once = row.kind == Some(Number(ONCE));
    // Where these days begin and end depends on the zone.
    let day = Days::new(1);
    let first = progress.until.checked_sub_days(STRETCH).max(Some(progress.from));
    let (first, last) =
        (first.and_then(|first| first.checked_sub_days(day)), progress.until.checked_add_days(day));
    once && row
        .start_time
        .map(|start| start.date_naive())
        .is_some_and(|start| Some(start) < first || Some(start) > last)
}

/// Whether something was not done yet in this run; it is now.
fn is_new(done: &mut BTreeSet<Fingerprint>, what: &str) -> bool {
    let print = Fingerprint::of_bytes(what.as_bytes());
    if done.len() < DONE { done.insert(print) } else { !done.contains(&print) }
}

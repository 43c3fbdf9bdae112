//! How are the meetings read that are planned, or held now?
//!
//! Zoom lists them with little more than their time and title; each is completed by a call of its own, which has
//! its recurrence, its occurrences, its passcode, and whether it is held now. A page of the engine's is one page
//! of a list, or some of these calls; where it stands is carried on by the cursor.
//!
//! There are no changes to ask for. A run lists all of them again, which is one call for up to 300, and looks at
//! those that are new, are listed otherwise, have begun or ended, or are not listed any more; and in turn at some
//! of the others, for what a list does not show. One that is not listed any more is gone when Zoom says so of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;

use integrations_core::adapter::{Next, Page, Pull, PullFrom};
use integrations_core::model::{Fingerprint, Raw};
use integrations_core::sync::Window;
use integrations_core::{ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::api::{Api, Listed, MEETING, MEETINGS, is_gone, is_refused};
use super::mark;
use super::normalize::minutes;
use super::wire::{Number, WireGlance, WireRow};
use crate::limits::{ITEMS_PER_PAGE, ROWS_PER_PAGE};

/// How many meetings are remembered; who has more has them listed anew by each run.
const REMEMBERED: usize = 2_000;
/// How many rows without a readable id are.
const MOST_ODD: usize = 20;
/// Types of meetings that repeat, which are in every window.
const REPEATING: [i64; 2] = [3, 8];

/// What is remembered from run to run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Mark {
    seen: BTreeMap<String, Seen>,
    /// The last meeting that was looked at in turn.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    turn: String,
    /// Rows of which it is not known which meeting they are.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    odd: BTreeSet<Fingerprint>,
}

/// How a meeting was: in the list, by itself, and whether it was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Seen(Fingerprint, Fingerprint, bool);

/// Which list is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum List {
    /// Meetings that are planned, held, or over and not yet forgotten.
    #[serde(rename = "scheduled")]
    Scheduled,
    /// Those that are held now.
    #[serde(rename = "live")]
    Live,
}

/// Where the reading stands.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    /// The list and its next page; `None` once both have been read.
    list: Option<(List, Option<String>)>,
    /// What was listed. A series may have a row for each of its times.
    rows: BTreeMap<String, Fingerprint>,
    /// Remembered meetings that were listed at a time outside of the window.
    outside: BTreeSet<String>,
    live: BTreeSet<String>,
    /// Meetings that are still to be looked at.
    due: VecDeque<String>,
    /// Whether there are more than can be remembered.
    many: bool,
    /// Whether the lists were begun anew on the way.
    again: bool,
    /// What will be remembered.
    mark: Mark,
}

/// What a piece of work has brought.
#[derive(Default)]
struct Haul {
    items: Vec<Raw>,
    deleted: Vec<String>,
}

/// What a look at a meeting has shown.
enum Look {
    There { item: Raw, live: bool },
    Gone,
}

struct Reader<'a> {
    api: Api<'a>,
    user: &'a str,
    /// What was remembered; `None` in a listing, which gives everything.
    since: Option<Mark>,
    window: Window,
    /// How many meetings a page has at most.
    most: usize,
    /// How many rows of a list are asked for.
    rows: String,
}

/// One page of what is planned.
pub(super) async fn read(api: Api<'_>, user: &str, pull: Pull<'_>) -> Result<Page> {
    let (since, page) = match pull.from {
        PullFrom::Listing { page } => (None, page),
        PullFrom::Changes { since, page } => (Some(mark::read::<Mark>(since)?), page),
    };
    let mut progress = match page {
        Some(page) => mark::read(page)?,
        None => Progress::begin(since.clone().unwrap_or_default()),
    };
    let most = usize::try_from(pull.page_size).unwrap_or(usize::MAX).clamp(1, ITEMS_PER_PAGE);
    let rows = pull.page_size.clamp(ROWS_PER_PAGE.0, ROWS_PER_PAGE.1).to_string();
    let reader = Reader { api, user, since, window: pull.window, most, rows };
    let mut haul = Haul::default();
    if progress.due.is_empty() {
        reader.list(&mut progress, &mut haul).await?;
    }
    reader.look(&mut progress, &mut haul).await?;
    let next = match (progress.list.is_some() || !progress.due.is_empty(), progress.many) {
        (true, _) => Next::Page(mark::write(&progress)?),
        (false, true) => Next::Listed,
        (false, false) => Next::Done(mark::write(&progress.mark)?),
    };
    Ok(Page::new(haul.items, next).with_deleted(haul.deleted))
}

impl Progress {
    fn begin(mark: Mark) -> Self {
        Self {
            list: Some((List::Scheduled, None)),
            rows: BTreeMap::new(),
            outside: BTreeSet::new(),
            live: BTreeSet::new(),
            due: VecDeque::new(),
            many: false,
            again: false,
            mark: Mark { odd: BTreeSet::new(), ..mark },
        }
    }
}

impl Reader<'_> {
    /// A page of a list.
    async fn list(&self, progress: &mut Progress, haul: &mut Haul) -> Result<()> {
        let Some((list, token)) = progress.list.take() else { return Ok(()) };
        let (list, page) = match self.ask(list, token.as_deref()).await {
            // Nothing was given on the strength of it yet.
            Err(error)
                if error.kind() == ErrorKind::CursorExpired && self.since.is_some() && !progress.again =>
            {
                *progress = Progress { again: true, ..Progress::begin(std::mem::take(&mut progress.mark)) };
                (List::Scheduled, self.ask(List::Scheduled, None).await?)
            }
            outcome => (list, outcome?),
        };
        for item in page.items {
            match serde_json::from_slice::<WireRow>(item.as_bytes()) {
                Ok(row) => self.row(progress, list, row, Fingerprint::of(&item)),
                Err(_) => self.odd(progress, item, haul),
            }
        }
        if progress.rows.len() > REMEMBERED {
            if self.since.is_some() {
                return Err(mark::lost("there are more meetings than can be remembered; listing them again"));
            }
            progress.many = true;
            progress.rows.clear();
        }
        progress.list = match (list, page.next) {
            (list, Some(next)) => Some((list, Some(next))),
            (List::Scheduled, None) => Some((List::Live, None)),
            (List::Live, None) => None,
        };
        if progress.list.is_none() {
            for (id, seen) in &mut progress.mark.seen {
                // A series may have rows on later pages than the one on which it was met.
                if let (None, Some(row)) = (&self.since, progress.rows.get(id)) {
                    seen.0 = *row;
                }
            }
            self.decide(progress);
        }
        Ok(())
    }

    async fn ask(&self, list: List, token: Option<&str>) -> Result<Listed> {
        let kind = match list {
            List::Scheduled => "scheduled",
            List::Live => "live",
        };
        let parameters = [("type", Some(kind)), ("page_size", Some(&*self.rows))];
        self.api.list(MEETINGS, &["users", self.user, "meetings"], &parameters, token).await
    }

    fn row(&self, progress: &mut Progress, list: List, row: WireRow, print: Fingerprint) {
        if !self.is_within(&row) {
            if self.since.is_some() && progress.mark.seen.contains_key(&row.id) {
                progress.outside.insert(row.id);
            }
            return;
        }
        if list == List::Live {
            progress.live.insert(row.id);
            return;
        }
        let known = progress.rows.get(&row.id).copied();
        // In a listing each is looked at where it is first met.
        if self.since.is_none() && known.is_none() && !progress.mark.seen.contains_key(&row.id) {
            progress.due.push_back(row.id.clone());
        }
        progress.rows.insert(row.id, known.map_or(print, |known| known.and(print)));
    }

    /// Whether a row may lie in the window. Those that repeat, or have no time, do.
    fn is_within(&self, row: &WireRow) -> bool {
        let repeats = row.kind.is_some_and(|Number(kind)| REPEATING.contains(&kind));
        let Some(start) = row.start_time.filter(|_| !repeats) else { return true };
        let end = minutes(row.duration).map_or(start, |length| start + length);
        self.window.until.is_none_or(|until| start < until)
            && self.window.since.is_none_or(|since| end >= since)
    }

    /// A row of which it cannot be told which meeting it is, is given once: it goes to the quarantine.
    fn odd(&self, progress: &mut Progress, item: Raw, haul: &mut Haul) {
        let print = Fingerprint::of(&item);
        if progress.mark.odd.len() < MOST_ODD {
            progress.mark.odd.insert(print);
        }
        if !self.since.as_ref().is_some_and(|since| since.odd.contains(&print)) {
            haul.items.push(item);
        }
    }

    /// Everything was listed: which meetings have to be looked at?
    fn decide(&self, progress: &mut Progress) {
        let Progress { rows, live, mark, many, outside, .. } = &*progress;
        let has_begun_or_ended =
            |id: &String| mark.seen.get(id).map(|seen| seen.2) != Some(live.contains(id));
        let mut due: BTreeSet<String> = live.iter().filter(|id| has_begun_or_ended(id)).cloned().collect();
        let mut turn = None;
        if let Some(since) = &self.since {
            let is_other = |(id, print): &(&String, &Fingerprint)| {
                since.seen.get(*id).map(|seen| seen.0) != Some(**print)
            };
            due.extend(rows.iter().filter(is_other).map(|(id, _)| id.clone()));
            due.extend(
                since.seen.keys().filter(|id| !rows.contains_key(*id) || has_begun_or_ended(id)).cloned(),
            );
            due.extend(outside.iter().cloned());
            let after = (Bound::Excluded(&*since.turn), Bound::Unbounded);
            let before = (Bound::Unbounded, Bound::Included(&*since.turn));
            let others = since.seen.range::<str, _>(after).chain(since.seen.range::<str, _>(before));
            for (id, _) in others.take(self.api.config.rechecks) {
                due.insert(id.clone());
                turn = Some(id.clone());
            }
        } else if !many {
            due.extend(mark.seen.iter().filter(|(id, _)| has_begun_or_ended(id)).map(|(id, _)| id.clone()));
        }
        progress.due.extend(due);
        if let Some(turn) = turn {
            progress.mark.turn = turn;
        }
    }

    /// Looks at meetings that are due, as many as a page may have.
    async fn look(&self, progress: &mut Progress, haul: &mut Haul) -> Result<()> {
        for _ in 0..self.most {
            let Some(id) = progress.due.front().cloned() else { break };
            match self.look_at(&id).await? {
                Look::There { item, live } => self.take(progress, id, item, live, haul),
                Look::Gone => {
                    progress.rows.remove(&id);
                    if progress.mark.seen.remove(&id).is_some() {
                        haul.deleted.push(id);
                    }
                }
            }
            progress.due.pop_front();
        }
        Ok(())
    }

    fn take(&self, progress: &mut Progress, id: String, item: Raw, live: bool, haul: &mut Haul) {
        let print = Fingerprint::of(&item);
        let before = progress.mark.seen.get(&id).copied();
        if before.is_none_or(|before| before.1 != print) {
            haul.items.push(item);
        }
        if progress.outside.contains(&id) {
            // It is given once more, to be left out.
            progress.mark.seen.remove(&id);
            return;
        }
        // One that is not listed, and there all the same, is looked at by every run.
        let row = progress.rows.get(&id).copied().or(before.map(|before| before.0));
        if progress.many || (progress.mark.seen.len() >= REMEMBERED && before.is_none()) {
            progress.many |= self.since.is_none();
            return;
        }
        progress.mark.seen.insert(id, Seen(row.unwrap_or(print), print, live));
    }

    /// `show_previous_occurrences` has the first of a series, from which its rule counts.
    async fn look_at(&self, id: &str) -> Result<Look> {
        let parameters = [("show_previous_occurrences", Some("true"))];
        match self.api.get(MEETING, &["meetings", id], &parameters).await {
            Ok(item) => {
                let glance = serde_json::from_slice::<WireGlance>(item.as_bytes());
                let live = glance.is_ok_and(|glance| glance.status.as_deref() == Some("started"));
                Ok(Look::There { item, live })
            }
            Err(error) if is_gone(&error) => Ok(Look::Gone),
            Err(error) if is_refused(&error) => {
                let item = json!({"id": id, "refused": "by Zoom"}).to_string();
                Ok(Look::There { item: Raw::new(item), live: false })
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As much as can be carried on: all rows listed, all meetings due.
    #[test]
    fn a_place_on_the_way_is_bounded_and_comes_back_as_it_went() {
        let print = |number: usize| Fingerprint::of(&Raw::new(number.to_string()));
        let ids = || (0..REMEMBERED).map(|number| format!("9{number:010}"));
        let mut progress = Progress::begin(Mark::default());
        progress.list = Some((List::Live, Some("t".repeat(100))));
        progress.rows = ids().enumerate().map(|(number, id)| (id, print(number))).collect();
        progress.due = ids().collect();
        progress.live = ids().take(50).collect();
        progress.mark.seen =
            ids().enumerate().map(|(number, id)| (id, Seen(print(number), print(number), true))).collect();
        progress.mark.turn = "90000000007".into();
        let cursor = mark::write(&progress).unwrap();
        assert!(cursor.as_str().len() < 200 << 10, "{}", cursor.as_str().len());
        assert_eq!(mark::read::<Progress>(&cursor).unwrap(), progress);
        let mark = mark::write(&progress.mark).unwrap();
        assert!(mark.as_str().len() < 100 << 10, "{}", mark.as_str().len());
        for odd in ["", "next", r#"{"seen":{"1":["AAA","AAAAAAAA",true]}}"#, r#"{"rows":{}}"#] {
            assert_eq!(
                mark::read::<Mark>(&integrations_core::sync::Cursor::new(odd)).unwrap_err().kind(),
                ErrorKind::CursorExpired,
                "{odd}"
            );
        }
    }
}

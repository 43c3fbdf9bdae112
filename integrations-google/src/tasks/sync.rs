//! Which lists are there, and how is a page of tasks read?
//!
//! Google Tasks has no sync token. Changes are asked for by the time of their making (`updatedMin`), from some
//! minutes before the latest one that was read: a change may become visible a little after its time. What
//! comes a second time, with the same ETag, is left out again.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use integrations_core::adapter::{Next, Page, Pull, PullFrom, Stream};
use integrations_core::http::{Request, Session, join};
use integrations_core::model::Raw;
use integrations_core::sync::Cursor;
use integrations_core::{Error, ErrorKind, Result, json};
use serde::{Deserialize, Serialize};
use url::Url;

use super::wire::{TaskLists, Tasks, Version};
use crate::config::GoogleConfig;
use crate::limits::{LISTS_PER_PAGE, TASKS_PER_PAGE};

const LIST_LISTS: &str = "tasklists.list";
const LIST_TASKS: &str = "tasks.list";

/// How long a change may take to become visible.
const OVERLAP: TimeDelta = TimeDelta::minutes(5);
/// How long Google is trusted to show that a task was deleted; it does not say how long it does.
const TOMBSTONES: TimeDelta = TimeDelta::days(14);
/// How many tasks a mark remembers at the most; what it does not remember comes again.
const REMEMBERED: usize = 200;

/// Up to where a list was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    /// The latest change that was read.
    latest: DateTime<Utc>,
    /// When the run began.
    read_at: DateTime<Utc>,
    /// The tasks that changed so shortly before the latest that they come again, by id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    seen: BTreeMap<String, Seen>,
}

/// How a task was when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    etag: String,
    updated: DateTime<Utc>,
}

/// Where a run stands between two pages.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    token: String,
    /// What the run has read so far.
    mark: Mark,
}

impl Mark {
    fn starting(now: DateTime<Utc>) -> Self {
        Self { latest: DateTime::UNIX_EPOCH, read_at: now, seen: BTreeMap::new() }
    }

    /// Takes a task in; says whether it is another than the mark before remembers.
    fn take(&mut self, version: Version, before: Option<&Self>) -> bool {
        let Version { id, etag: Some(etag), updated: Some(updated) } = version else { return true };
        // A time ahead of now is somebody's mistake, and would hide what changes until then.
        self.latest = self.latest.max(updated.min(self.read_at));
        let known = before.and_then(|mark| mark.seen.get(&id)).is_some_and(|seen| seen.etag == etag);
        if self.seen.len() >= REMEMBERED {
            self.forget_old();
        }
        if self.seen.len() < REMEMBERED && updated >= self.latest - OVERLAP {
            self.seen.insert(id, Seen { etag, updated });
        }
        !known
    }

    fn forget_old(&mut self) {
        let from = self.latest - OVERLAP;
        self.seen.retain(|_, seen| seen.updated >= from);
    }

    /// The mark at the end of a run that went on from another, if from any.
    fn done(mut self, before: Option<&Self>) -> Self {
        self.latest = match before {
            Some(before) => self.latest.max(before.latest),
            None if self.latest == DateTime::UNIX_EPOCH => self.read_at,
            None => self.latest,
        };
        self.forget_old();
        self
    }
}

/// The user's lists of tasks; the first one is their own.
pub(super) async fn list_lists(config: &GoogleConfig, session: &Session) -> Result<Vec<Stream>> {
    let mut streams: Vec<Stream> = Vec::new();
    let mut seen = HashSet::new();
    let mut page: Option<String> = None;
    loop {
        let mut url = lists_url(config, LISTS_PER_PAGE)?;
        if let Some(page) = &page {
            url.query_pairs_mut().append_pair("pageToken", page);
        }
        let answer = session.send(Request::get(LIST_LISTS, url)).await?;
        let lists: TaskLists = json::decode(&answer.body, LIST_LISTS)?;
        streams.extend(lists.items.into_iter().map(|list| {
            let title = list.title.unwrap_or_else(|| list.id.clone());
            Stream::new(list.id, title)
        }));
        match lists.next_page_token {
            Some(next) if seen.insert(next.clone()) => page = Some(next),
            Some(_) => {
                return Err(Error::new(ErrorKind::DataFormat, "the list of task lists has no end")
                    .with_operation(LIST_LISTS));
            }
            None => break,
        }
    }
    if let Some(first) = streams.first_mut() {
        first.primary = true;
    }
    Ok(streams)
}

fn lists_url(config: &GoogleConfig, page_size: u32) -> Result<Url> {
    let mut url = join(&config.tasks_url, &["users", "@me", "lists"])?;
    url.query_pairs_mut()
        .append_pair("maxResults", &page_size.to_string())
        .append_pair("prettyPrint", "false");
    Ok(url)
}

/// One page of a list's tasks.
pub(super) async fn list_tasks(config: &GoogleConfig, session: &Session, pull: Pull<'_>) -> Result<Page> {
    let now = session.now();
    let (since, page) = match pull.from {
        PullFrom::Listing { page } => (None, page),
        PullFrom::Changes { since, page } => (Some(read_cursor::<Mark>(since)?), page),
    };
    if since.as_ref().is_some_and(|mark| page.is_none() && now - mark.read_at > TOMBSTONES) {
        return Err(lost("the list was not read for so long that deletions may not show any more"));
    }
    let place: Option<Place> = page.map(read_cursor).transpose()?;
    let mut url = join(&config.tasks_url, &["lists", pull.stream.as_str(), "tasks"])?;
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("maxResults", &pull.page_size.clamp(1, TASKS_PER_PAGE).to_string());
        for name in ["showCompleted", "showHidden", "showAssigned"] {
            query.append_pair(name, "true");
        }
        query.append_pair("prettyPrint", "false");
        if let Some(mark) = &since {
            let from = (mark.latest - OVERLAP).to_rfc3339_opts(SecondsFormat::Millis, true);
            query.append_pair("showDeleted", "true").append_pair("updatedMin", &from);
        }
        if let Some(place) = &place {
            query.append_pair("pageToken", &place.token);
        }
    }
    let answer = session.send(Request::get(LIST_TASKS, url)).await.map_err(|error| {
        // A page token that Google does not take any more is answered with 400.
        let refused = error.status() == Some(400) && error.kind() == ErrorKind::InvalidRequest;
        if refused && place.is_some() { lost("Google does not take the page token any more") } else { error }
    })?;
    let Some((page, mut items)) = json::cut_items::<Tasks>(&answer.body, "items") else {
        return Err(Tasks::unreadable(&answer.body, LIST_TASKS));
    };
    let mut mark = place.map_or_else(|| Mark::starting(now), |place| place.mark);
    let before = since.as_ref();
    items.retain(|item| is_new(item, &mut mark, before));
    let next = match page.next_page_token {
        Some(token) => Next::Page(cursor(&Place { token, mark })?),
        None => Next::Done(cursor(&mark.done(before))?),
    };
    Ok(Page::new(items, next))
}

/// Whether a task comes for the first time. One that cannot be read is for the normaliser to refuse.
fn is_new(item: &Raw, mark: &mut Mark, before: Option<&Mark>) -> bool {
    serde_json::from_slice(item.as_bytes()).map_or(true, |version| mark.take(version, before))
}

/// One cheap call.
pub(super) async fn check(config: &GoogleConfig, session: &Session) -> Result<()> {
    let answer = session.send(Request::get(LIST_LISTS, lists_url(config, 1)?)).await?;
    json::decode::<TaskLists>(&answer.body, LIST_LISTS).map(drop)
}

fn cursor<T: Serialize>(place: &T) -> Result<Cursor> {
    serde_json::to_string(place).map(Cursor::new).map_err(|error| {
        Error::new(ErrorKind::DataFormat, "the mark of a list cannot be written").with_source(error)
    })
}

/// A mark that another version wrote is as good as lost.
fn read_cursor<T: serde::de::DeserializeOwned>(cursor: &Cursor) -> Result<T> {
    serde_json::from_str(cursor.as_str()).map_err(|_| lost("the mark of the list cannot be read"))
}

fn lost(message: &'static str) -> Error {
    Error::new(ErrorKind::CursorExpired, message).with_operation(LIST_TASKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_355_600, 0).unwrap() + TimeDelta::minutes(minute)
    }

    fn task(id: &str, etag: &str, minute: i64) -> Version {
        Version { id: id.into(), etag: Some(etag.into()), updated: Some(at(minute)) }
    }

    #[test]
    fn what_comes_again_unchanged_is_left_out_and_what_changed_is_not() {
        let mut first = Mark::starting(at(60));
        assert!(first.take(task("old", "1", 0), None) && first.take(task("new", "1", 50), None));
        let first = first.done(None);
        assert_eq!((first.latest, first.seen.len()), (at(50), 1));
        let mut second = Mark::starting(at(70));
        assert!(!second.take(task("new", "1", 50), Some(&first)));
        assert!(second.take(task("late", "1", 49), Some(&first)), "it became visible late");
        assert!(second.take(task("new", "2", 51), Some(&first)));
        let second = second.done(Some(&first));
        assert_eq!((second.latest, second.seen.len()), (at(51), 2));
        let third = Mark::starting(at(80)).done(Some(&second));
        assert_eq!((third.latest, third.read_at), (at(51), at(80)), "a quiet list keeps its mark");
    }

    #[test]
    fn a_time_ahead_hides_nothing_and_an_empty_list_has_a_mark() {
        let mut mark = Mark::starting(at(60));
        mark.take(task("x", "1", 1_000_000), None);
        assert_eq!(mark.done(None).latest, at(60));
        assert_eq!(Mark::starting(at(60)).done(None).latest, at(60));
    }

    #[test]
    fn a_mark_does_not_grow_without_end_and_keeps_the_latest() {
        let mut mark = Mark::starting(at(1_000_000));
        for number in 0..10_000 {
            mark.take(task(&number.to_string(), "1", number / 10), None);
        }
        let mark = mark.done(None);
        assert!(mark.seen.len() <= REMEMBERED && mark.seen.contains_key("9999"), "{}", mark.seen.len());
    }
}

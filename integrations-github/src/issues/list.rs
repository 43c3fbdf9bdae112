//! How is a list read that is ordered by the time of change?
//!
//! Issues, comments and comments on lines can be listed by it, from the top or, from a time on, from the bottom.
//!
//! What changed last is looked at first. Whatever changes comes to the top, so while that page's entity tag is the
//! same, nothing has happened; GitHub answers 304 then, which it does not count. Mostly the page reaches down to
//! what is known, and that is all.
//!
//! Where it does not, the list is walked upwards from what is known, or from its bottom. While one reads, items
//! change, which moves them to the top: pages that are counted from the bottom shift then, and an item slips
//! through between two of them. So pages are not counted. The next page is
//!
//! * the one behind a certain item, where GitHub's link names such a page (`after`); or
//! * what changed from the page's last time on; or
//! * where a whole page changed in one second, the page behind it, and then it is asked whether that page is
//!   still the same: if it is not, the second is read again.

use chrono::{DateTime, SecondsFormat, Utc};
use integrations_core::Result;
use integrations_core::model::Raw;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use url::Url;

use super::api::{Api, etag, is_unchanged, items, next_page};
use super::seen::Seen;

/// How long a change may take to become visible, in seconds.
pub(super) const OVERLAP: i64 = 60;
/// A pull request that changed so few seconds ago may change again with the same time, and a review or a commit
/// does not show in what a list says of it.
const SETTLES: i64 = 10;

/// A list of a repository's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source {
    /// GitHub's name of the operation.
    pub(super) operation: &'static str,
    path: &'static [&'static str],
    query: &'static [(&'static str, &'static str)],
}

#[rustfmt::skip]
impl Source {
    pub(super) const ISSUES: Self = Self {
        operation: "issues.list-for-repo",
        path: &["issues"],
        query: &[("state", "all")],
    };
    pub(super) const COMMENTS: Self = Self {
        operation: "issues.list-comments-for-repo",
        path: &["issues", "comments"],
        query: &[],
    };
    pub(super) const REVIEW_COMMENTS: Self = Self {
        operation: "pulls.list-review-comments-for-repo",
        path: &["pulls", "comments"],
        query: &[],
    };
}

/// How far a list has been read. Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct List {
    /// What changed before is of no interest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<i64>,
    /// The tag of what changed last, as it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    /// How many items a page is asked to have.
    #[serde(default)]
    size: u32,
    /// The latest change that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latest: Option<i64>,
    /// Up to here everything is known that will ever be visible; `None` where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    known: Option<i64>,
    /// Set while the list is walked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    walk: Option<Walk>,
    #[serde(default)]
    seen: Seen,
}

/// Where the next page of a walk begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Walk {
    /// From when on; `None` for the bottom.
    since: Option<i64>,
    /// The page's address, where GitHub has named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// How many pages that all changed in that one second lie before it.
    #[serde(default, skip_serializing_if = "is_zero")]
    before: u32,
    /// The tag of the last of those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    /// The first page that ended so late that more of its time may become visible since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recent: Option<i64>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What is known of an item before it is normalised.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    pub(super) id: u64,
    #[serde(default)]
    number: u64,
    pub(super) updated_at: DateTime<Utc>,
    /// Of an issue; a list of pull requests does not say.
    comments: Option<u64>,
    pull_request: Option<IgnoredAny>,
    repository_url: Option<String>,
    /// Of a pull request as a list of these has it.
    base: Option<Base>,
}

#[derive(Debug, Deserialize)]
struct Base {
    repo: Option<Repo>,
}

#[derive(Debug, Deserialize)]
struct Repo {
    url: Option<String>,
}

impl Head {
    /// Whether it has comments, as far as it says.
    pub(super) fn has_comments(&self) -> bool {
        self.comments != Some(0)
    }

    pub(super) const fn is_pull(&self) -> bool {
        self.pull_request.is_some() || self.base.is_some()
    }

    /// Whether it may change without being another in a list.
    pub(super) fn is_unsettled(&self, now: i64) -> bool {
        self.is_pull() && self.updated_at.timestamp() + SETTLES > now
    }

    /// The number of a pull request, and its repository's address in the API.
    pub(super) fn pull(&self) -> Option<(u64, &str)> {
        let of_base = || self.base.as_ref()?.repo.as_ref()?.url.as_deref();
        let address = self.repository_url.as_deref().or_else(of_base)?;
        (self.is_pull() && self.number > 0).then_some((self.number, address))
    }
}

/// What is new on a page.
pub(super) struct Fresh {
    /// An item without a readable head is for the normaliser to refuse.
    pub(super) items: Vec<(Option<Head>, Raw)>,
    /// Whether there is another page.
    pub(super) more: bool,
}

impl List {
    /// A list from a time on.
    pub(super) fn since(since: Option<DateTime<Utc>>) -> Self {
        Self { from: since.map(|since| since.timestamp()), ..Self::default() }
    }

    /// Whether the latest change is so young that something of its time may not be visible yet.
    pub(super) fn is_recent(&self, now: DateTime<Utc>) -> bool {
        self.latest.is_some_and(|latest| latest + OVERLAP > now.timestamp())
    }

    /// Reads a page.
    pub(super) async fn read(&mut self, api: Api<'_>, what: Source, of: &str, size: u32) -> Result<Fresh> {
        let now = api.session.now().timestamp();
        let Some(mut walk) = self.walk.take() else { return self.read_top(api, what, of, size, now).await };
        if self.size != size {
            // Pages of another size are counted otherwise.
            (self.size, self.etag) = (size, None);
            walk = Walk { link: None, before: 0, etag: None, ..walk };
        }
        let since = walk.since.or(self.from);
        let address = |page| address(api, what, of, (size, UPWARDS), since, page);
        let link = walk.link.as_deref().and_then(|link| Url::parse(link).ok());
        let answer = match link.filter(|link| api.is_ours(link)) {
            None => api.get(what.operation, address(walk.before + 1)?, None).await?,
            Some(link) => match api.get(what.operation, link, None).await {
                // GitHub does not take its own link any more; where the page began is known.
                Err(error) if matches!(error.status(), Some(400 | 404 | 422)) => {
                    api.get(what.operation, address(1)?, None).await?
                }
                answer => answer?,
            },
        };
        let taken = self.take(items(&answer, what.operation)?, now);
        let is_where_it_was = match &walk.etag {
            Some(etag) => is_unchanged(&api.get(what.operation, address(walk.before)?, Some(etag)).await?),
            None => true,
        };
        self.walk = if is_where_it_was {
            let named = |next: &Url| api.is_ours(next) && is_by_item(next);
            let next = next_page(&answer.headers);
            next.map(|next| walk.on(named(&next).then_some(&next), &taken, now, etag(&answer)))
        } else {
            Some(Walk { before: 0, etag: None, ..walk.clone() })
        };
        match self.walk.as_ref() {
            Some(on) => self.seen.forget_before(on.since.unwrap_or(i64::MIN)),
            None => self.settle(walk.recent),
        }
        Ok(Fresh { items: taken.items, more: self.walk.is_some() })
    }

    async fn read_top(&mut self, api: Api<'_>, what: Source, of: &str, size: u32, now: i64) -> Result<Fresh> {
        let known = self.etag.take().filter(|_| self.size == size);
        let top = address(api, what, of, (size, DOWNWARDS), self.from, 1)?;
        let answer = api.get(what.operation, top, known.as_deref()).await?;
        if is_unchanged(&answer) {
            self.etag = known;
            return Ok(Fresh { items: Vec::new(), more: false });
        }
        let taken = self.take(items(&answer, what.operation)?, now);
        // What is not settled is looked at again.
        (self.etag, self.size) = (etag(&answer).filter(|_| !taken.unsettled), size);
        self.reach(taken.first, next_page(&answer.headers).is_some());
        Ok(Fresh { items: taken.items, more: self.walk.is_some() })
    }

    /// Whether what changed last reaches down to what is known; else the list is walked.
    fn reach(&mut self, oldest: Option<i64>, more: bool) {
        if more && (self.known.is_none() || oldest > self.known) {
            self.walk = Some(Walk { since: self.known, link: None, before: 0, etag: None, recent: None });
        } else {
            self.settle(None);
        }
    }

    /// Everything was read.
    fn settle(&mut self, recent: Option<i64>) {
        let known = self.latest.map(|latest| latest - OVERLAP);
        self.known = recent.map_or(known, |recent| known.map(|known| known.min(recent)));
    }

    fn take(&mut self, items: Vec<Raw>, now: i64) -> Taken {
        let mut taken =
            Taken { items: Vec::with_capacity(items.len()), first: None, last: None, unsettled: false };
        for item in items {
            let head: Option<Head> = serde_json::from_slice(item.as_bytes()).ok();
            let is_new = head.as_ref().is_none_or(|head| {
                // A time ahead of now is somebody's mistake, and would hide what changes until then.
                let changed = head.updated_at.timestamp().min(now);
                taken.first = Some(taken.first.map_or(changed, |first| changed.min(first)));
                taken.last = taken.last.max(Some(changed));
                if head.is_unsettled(now) {
                    taken.unsettled = true;
                    self.seen.forget(head.id);
                    return true;
                }
                self.seen.take(head.id, head.updated_at, &item)
            });
            if is_new {
                taken.items.push((head, item));
            }
        }
        self.latest = self.latest.max(taken.last);
        taken
    }
}

const UPWARDS: &str = "asc";
const DOWNWARDS: &str = "desc";

fn address(
    api: Api<'_>,
    what: Source,
    of: &str,
    (size, direction): (u32, &str),
    since: Option<i64>,
    page: u32,
) -> Result<Url> {
    let mut url = api.of_repository(of, what.path)?;
    {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(what.query).append_pair("sort", "updated").append_pair("direction", direction);
        query.append_pair("per_page", &size.to_string());
        if let Some(since) = since.and_then(|since| DateTime::from_timestamp(since, 0)) {
            query.append_pair("since", &since.to_rfc3339_opts(SecondsFormat::Secs, true));
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
    }
    Ok(url)
}

/// Whether a link leads to what stands behind a certain item, and not to so many pages from the beginning.
fn is_by_item(link: &Url) -> bool {
    link.query_pairs().any(|(name, _)| name == "after")
}

impl Walk {
    /// The page behind one that was read; `next` is its address where that names an item to begin behind.
    fn on(&self, next: Option<&Url>, taken: &Taken, now: i64, etag: Option<String>) -> Self {
        let last = taken.last;
        let recent = self.recent.or_else(|| last.filter(|last| last + OVERLAP > now));
        if next.is_some() || last > self.since {
            let link = next.map(Url::to_string);
            return Self { since: self.since.max(last), link, before: 0, etag: None, recent };
        }
        Self { since: self.since, link: None, before: self.before + 1, etag, recent }
    }
}

/// What a page had.
struct Taken {
    /// What is new of it.
    items: Vec<(Option<Head>, Raw)>,
    /// The earliest and the latest change.
    first: Option<i64>,
    last: Option<i64>,
    unsettled: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_772_355_600;

    fn issue(id: u64, changed: i64) -> Raw {
        let changed = DateTime::from_timestamp(changed, 0).unwrap().to_rfc3339();
        Raw::new(format!(r#"{{"id":{id},"updated_at":"{changed}"}}"#))
    }

    fn take(list: &mut List, items: &[(u64, i64)]) -> Taken {
        list.take(items.iter().map(|&(id, changed)| issue(id, changed)).collect(), NOW)
    }

    /// What changed last is looked at; how many were new, and whether that is all.
    fn top(list: &mut List, items: &[(u64, i64)], more: bool) -> (usize, bool) {
        let taken = take(list, items);
        list.reach(taken.first, more);
        (taken.items.len(), list.walk.is_none())
    }

    #[test]
    fn the_top_is_enough_while_it_reaches_down_to_what_is_known() {
        let mut list = List::default();
        assert_eq!(top(&mut list, &[(3, 300), (2, 200)], true), (2, false), "nothing is known");
        list.walk = None;
        list.settle(None);
        assert_eq!(list.known, Some(240));
        assert_eq!(top(&mut list, &[(4, 400), (3, 300)], true), (1, false), "something may lie between");
        assert_eq!(list.walk.as_ref().unwrap().since, Some(240));
        list.walk = None;
        assert_eq!(top(&mut list, &[(5, 500), (2, 200)], true), (1, true));
        assert_eq!(top(&mut list, &[(5, 500)], false), (0, true), "there is no more");
        assert_eq!(top(&mut List::default(), &[], false), (0, true));
    }

    #[test]
    fn a_time_ahead_hides_nothing() {
        let mut list = List::default();
        top(&mut list, &[(1, NOW + 500), (2, 200)], false);
        assert_eq!((list.latest, list.known), (Some(NOW), Some(NOW - 60)));
        let at = |second| DateTime::from_timestamp(NOW + second, 0).unwrap();
        assert!(list.is_recent(at(59)) && !list.is_recent(at(60)));
    }

    #[test]
    fn a_pull_request_that_changed_just_now_is_read_again() {
        let pull = |second: i64| {
            let changed = DateTime::from_timestamp(NOW - second, 0).unwrap().to_rfc3339();
            Raw::new(format!(r#"{{"id":1,"updated_at":"{changed}","pull_request":{{}}}}"#))
        };
        let mut list = List::default();
        let mut take = |second, now| {
            let taken = list.take(vec![pull(second)], now);
            (taken.items.len(), taken.unsettled)
        };
        assert_eq!(take(9, NOW), (1, true));
        assert_eq!(take(9, NOW), (1, true));
        assert_eq!(take(9, NOW + 1), (1, false), "once more, for good");
        assert_eq!(take(9, NOW + 1), (0, false));
    }

    const BY_NUMBER: &str = "https://api.github.com/repositories/1/issues?page=2";
    const BY_ITEM: &str = "https://api.github.com/repositories/1/issues?after=x&page=2";

    fn start() -> Walk {
        Walk { since: None, link: None, before: 0, etag: None, recent: None }
    }

    /// Walks over a page.
    fn on(walk: &Walk, items: &[(u64, i64)], next: &str) -> Walk {
        let taken = take(&mut List::default(), items);
        let next = Url::parse(next).unwrap();
        walk.on(is_by_item(&next).then_some(&next), &taken, NOW, Some("tag".into()))
    }

    #[test]
    fn pages_that_are_counted_are_asked_for_by_time() {
        let walk = on(&start(), &[(1, 10), (2, 20)], BY_NUMBER);
        assert_eq!(walk, Walk { since: Some(20), ..start() });
        assert_eq!(on(&walk, &[(2, 20), (3, 30)], BY_NUMBER), Walk { since: Some(30), ..start() });
    }

    #[test]
    fn a_page_behind_an_item_is_followed() {
        let walk = on(&start(), &[(1, 10), (2, 20)], BY_ITEM);
        assert_eq!(walk, Walk { since: Some(20), link: Some(BY_ITEM.into()), ..start() });
    }

    #[test]
    fn many_changes_of_one_second_are_counted_off() {
        let walk = on(&start(), &[(1, 10), (2, 10)], BY_NUMBER);
        assert_eq!((walk.since, walk.before), (Some(10), 0), "some of the second may stand before");
        let walk = on(&walk, &[(1, 10), (2, 10)], BY_NUMBER);
        assert_eq!((walk.since, walk.before, walk.etag.as_deref()), (Some(10), 1, Some("tag")));
        let walk = on(&walk, &[(3, 10), (4, 10)], BY_NUMBER);
        assert_eq!((walk.since, walk.before), (Some(10), 2));
        let walk = on(&walk, &[(5, 10), (6, 99)], BY_NUMBER);
        assert_eq!(walk, Walk { since: Some(99), ..start() });
    }

    #[test]
    fn a_page_that_ended_just_now_is_looked_at_again() {
        let walk = on(&start(), &[(1, 10), (2, NOW - 30)], BY_ITEM);
        let walk = on(&walk, &[(3, NOW - 20)], BY_ITEM);
        let mut list = List { latest: Some(NOW + 1_000), ..List::default() };
        list.settle(walk.recent);
        assert_eq!(list.known, Some(NOW - 30));
    }

    #[test]
    fn an_empty_page_with_a_next_page_is_no_end() {
        assert_eq!(on(&start(), &[], BY_NUMBER).before, 1);
        assert_eq!(on(&start(), &[], BY_ITEM).link.as_deref(), Some(BY_ITEM));
    }

    #[test]
    fn a_list_comes_back_as_it_was_written() {
        let mut list = List::since(DateTime::from_timestamp(7, 0));
        top(&mut list, &[(1, 10), (2, NOW)], true);
        let text = serde_json::to_string(&list).unwrap();
        assert_eq!(serde_json::from_str::<List>(&text).unwrap(), list);
    }
}

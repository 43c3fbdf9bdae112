//! How is a list read that is ordered by the time of change?
//!
//! Issues, comments and comments on lines can be listed from a time on, what changed first at the top. While one
//! reads, items change, which moves them to the end: pages that are counted from the beginning shift then, and
//! an item slips through between two of them. So pages are not counted. The next page is
//!
//! * the one behind a certain item, where GitHub's link names such a page (`after`); or
//! * what changed from the page's last time on; or
//! * where a whole page changed in one second, the page behind it, and then it is asked whether that page is
//!   still the same: if it is not, the second is read again.
//!
//! The last page stays remembered with its entity tag. The next run asks for the same page again: if nothing has
//! happened, GitHub answers 304, which it does not count.

use chrono::{DateTime, SecondsFormat, Utc};
use integrations_core::http::Response;
use integrations_core::model::Raw;
use integrations_core::{ErrorKind, Result};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use url::Url;

use super::api::{Api, etag, is_unchanged, items, next_page};
use super::seen::Seen;

/// How long a change may take to become visible, in seconds.
pub(super) const OVERLAP: i64 = 60;

/// A list of a repository's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source {
    /// GitHub's name of the operation.
    pub(super) operation: &'static str,
    path: &'static [&'static str],
    query: &'static [(&'static str, &'static str)],
}

const BY_CHANGE: [(&str, &str); 2] = [("sort", "updated"), ("direction", "asc")];

#[rustfmt::skip]
impl Source {
    pub(super) const ISSUES: Self = Self {
        operation: "issues.list-for-repo",
        path: &["issues"],
        query: &[("state", "all"), BY_CHANGE[0], BY_CHANGE[1]],
    };
    pub(super) const COMMENTS: Self = Self {
        operation: "issues.list-comments-for-repo",
        path: &["issues", "comments"],
        query: &BY_CHANGE,
    };
    pub(super) const REVIEW_COMMENTS: Self = Self {
        operation: "pulls.list-review-comments-for-repo",
        path: &["pulls", "comments"],
        query: &BY_CHANGE,
    };
}

/// How far a list has been read. Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct List {
    /// From when on the next page begins; `None` for the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<i64>,
    /// The next page's address, where GitHub has named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// How many pages that all changed in that one second lie before the next one.
    #[serde(default, skip_serializing_if = "is_zero")]
    before: u32,
    /// The tag of the last page, which is the next one too; or of the page before, of the same second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    /// How many items that page was asked to have.
    #[serde(default)]
    size: u32,
    /// The latest change that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latest: Option<i64>,
    /// The first page that ended so late that more of its time may have become visible since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recent: Option<i64>,
    #[serde(default)]
    seen: Seen,
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
        Self { since: since.map(|since| since.timestamp()), ..Self::default() }
    }

    /// Whether the latest change is so young that something of its time may not be visible yet.
    pub(super) fn is_recent(&self, now: DateTime<Utc>) -> bool {
        self.latest.is_some_and(|latest| latest + OVERLAP > now.timestamp())
    }

    /// Reads a page.
    pub(super) async fn read(&mut self, api: Api<'_>, what: Source, of: &str, size: u32) -> Result<Fresh> {
        if self.size != size {
            (self.size, self.link) = (size, None);
            // A tag is that of a page of another size.
            (self.before, self.etag) = (0, None);
        }
        let answer = self.ask(api, what, of).await?;
        if is_unchanged(&answer) {
            return Ok(Fresh { items: Vec::new(), more: false });
        }
        let now = api.session.now().timestamp();
        let read = self.take(items(&answer, what.operation)?, now);
        let next = next_page(&answer.headers);
        if self.before > 0 && !self.is_where_it_was(api, what, of).await? {
            (self.before, self.etag) = (0, None);
            return Ok(Fresh { items: read.items, more: true });
        }
        let more = next.is_some();
        match next {
            Some(next) => self.move_on(&next, read.last, now, etag(&answer)),
            None => self.end(etag(&answer)),
        }
        Ok(Fresh { items: read.items, more })
    }

    async fn ask(&mut self, api: Api<'_>, what: Source, of: &str) -> Result<Response> {
        let known = if self.before == 0 { self.etag.take() } else { None };
        if let Some(link) = self.link.as_deref().and_then(|link| Url::parse(link).ok()) {
            match api.get(what.operation, link, known.as_deref()).await {
                // GitHub does not take its own link any more; where the page began is known.
                Err(error) if matches!(error.kind(), ErrorKind::InvalidRequest | ErrorKind::NotFound) => {
                    self.link = None;
                }
                Ok(answer) if is_unchanged(&answer) => {
                    self.etag = known;
                    return Ok(answer);
                }
                outcome => return outcome,
            }
            return api.get(what.operation, self.address(api, what, of, 1)?, None).await;
        }
        let address = self.address(api, what, of, self.before + 1)?;
        let answer = api.get(what.operation, address, known.as_deref()).await?;
        if is_unchanged(&answer) {
            self.etag = known;
        }
        Ok(answer)
    }

    fn address(&self, api: Api<'_>, what: Source, of: &str, page: u32) -> Result<Url> {
        let mut url = api.of_repository(of, what.path)?;
        {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(what.query).append_pair("per_page", &self.size.to_string());
            if let Some(since) = self.since.and_then(|since| DateTime::from_timestamp(since, 0)) {
                query.append_pair("since", &since.to_rfc3339_opts(SecondsFormat::Secs, true));
            }
            if page > 1 {
                query.append_pair("page", &page.to_string());
            }
        }
        Ok(url)
    }

    /// Whether the page before has not changed while the one behind it was read.
    async fn is_where_it_was(&self, api: Api<'_>, what: Source, of: &str) -> Result<bool> {
        let Some(etag) = &self.etag else { return Ok(true) };
        let before = self.address(api, what, of, self.before)?;
        Ok(is_unchanged(&api.get(what.operation, before, Some(etag)).await?))
    }

    fn take(&mut self, items: Vec<Raw>, now: i64) -> Taken {
        let mut taken = Taken { items: Vec::with_capacity(items.len()), last: None };
        for item in items {
            let head: Option<Head> = serde_json::from_slice(item.as_bytes()).ok();
            let is_new = head.as_ref().is_none_or(|head| {
                // A time ahead of now is somebody's mistake, and would hide what changes until then.
                let changed = head.updated_at.timestamp().min(now);
                taken.last = taken.last.max(Some(changed));
                self.seen.take(head.id, head.updated_at, &item)
            });
            if is_new {
                taken.items.push((head, item));
            }
        }
        self.latest = self.latest.max(taken.last);
        taken
    }

    /// Goes on to the next page.
    fn move_on(&mut self, next: &Url, last: Option<i64>, now: i64, etag: Option<String>) {
        let by_item = next.query_pairs().any(|(name, _)| name == "after");
        let later = last > self.since;
        if last.is_some_and(|last| last + OVERLAP > now) {
            self.recent = self.recent.or(last);
        }
        if by_item || later {
            self.link = by_item.then(|| next.to_string());
            self.since = self.since.max(last);
            (self.before, self.etag) = (0, None);
        } else {
            (self.link, self.before, self.etag) = (None, self.before + 1, etag);
        }
        self.seen.forget_before(self.floor().unwrap_or(i64::MIN));
    }

    /// From when on items may come again.
    fn floor(&self) -> Option<i64> {
        let since = self.since?;
        Some(
            since.min(self.latest.map_or(since, |latest| latest - OVERLAP)).min(self.recent.unwrap_or(since)),
        )
    }

    /// The last page was read: what is asked for next is that page again, or a little more.
    fn end(&mut self, etag: Option<String>) {
        let floor = self.floor();
        if floor < self.since {
            (self.since, self.link, self.etag) = (floor, None, None);
        } else {
            // The tag of the last of several pages says nothing of the first.
            self.etag = if self.before == 0 { etag } else { None };
        }
        (self.before, self.recent) = (0, None);
        self.seen.forget_before(floor.unwrap_or(i64::MIN));
    }
}

/// What a page had.
struct Taken {
    items: Vec<(Option<Head>, Raw)>,
    /// The latest change.
    last: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_772_355_600;

    fn issue(id: u64, changed: i64) -> Raw {
        let changed = DateTime::from_timestamp(changed, 0).unwrap().to_rfc3339();
        Raw::new(format!(r#"{{"id":{id},"updated_at":"{changed}"}}"#))
    }

    /// Takes a page in, and goes on or ends; how many were new.
    fn page(list: &mut List, items: &[(u64, i64)], next: Option<&str>) -> usize {
        let taken = list.take(items.iter().map(|&(id, changed)| issue(id, changed)).collect(), NOW);
        match next {
            Some(next) => list.move_on(&Url::parse(next).unwrap(), taken.last, NOW, Some("tag".into())),
            None => list.end(Some("tag".into())),
        }
        taken.items.len()
    }

    const BY_NUMBER: Option<&str> = Some("https://api.github.com/repositories/1/issues?page=2");
    const BY_ITEM: Option<&str> = Some("https://api.github.com/repositories/1/issues?after=x&page=2");

    #[test]
    fn pages_that_are_counted_are_asked_for_by_time() {
        let mut list = List::default();
        assert_eq!(page(&mut list, &[(1, 10), (2, 20)], BY_NUMBER), 2);
        assert_eq!((list.since, &list.link, list.before), (Some(20), &None, 0));
        assert_eq!(page(&mut list, &[(2, 20), (3, 30)], BY_NUMBER), 1, "the last comes again");
        assert_eq!(page(&mut list, &[(3, 30)], None), 0);
        assert_eq!((list.since, list.etag.as_deref()), (Some(-30), None), "a minute before the latest");
        assert_eq!(page(&mut list, &[(1, 10), (2, 20), (3, 30)], None), 0, "a minute is remembered");
        assert_eq!(
            (list.since, list.etag.as_deref()),
            (Some(-30), Some("tag")),
            "the same page, the same tag"
        );
        assert_eq!(page(&mut list, &[(1, 10), (2, 20), (3, 30)], None), 0);
    }

    #[test]
    fn a_page_behind_an_item_is_followed() {
        let mut list = List::default();
        page(&mut list, &[(1, 10), (2, 20)], BY_ITEM);
        assert_eq!((list.since, list.link.as_deref(), list.before), (Some(20), BY_ITEM, 0));
        page(&mut list, &[(3, 200)], None);
        assert_eq!(
            (list.since, list.link.as_deref(), list.etag.as_deref()),
            (Some(20), BY_ITEM, Some("tag"))
        );
    }

    #[test]
    fn many_changes_of_one_second_are_counted_off() {
        let mut list = List::default();
        page(&mut list, &[(1, 10), (2, 10)], BY_NUMBER);
        assert_eq!((list.since, list.before), (Some(10), 0), "some of the second may stand before");
        page(&mut list, &[(1, 10), (2, 10)], BY_NUMBER);
        assert_eq!((list.since, list.before, list.etag.as_deref()), (Some(10), 1, Some("tag")));
        assert_eq!(page(&mut list, &[(3, 10), (4, 10)], BY_NUMBER), 2);
        assert_eq!((list.since, list.before), (Some(10), 2));
        assert_eq!(page(&mut list, &[(5, 10), (6, 99)], BY_NUMBER), 2);
        assert_eq!((list.since, list.before, list.etag.as_deref()), (Some(99), 0, None));
    }

    #[test]
    fn a_page_that_ended_just_now_is_looked_at_again() {
        let mut list = List::default();
        page(&mut list, &[(1, 10), (2, NOW - 30)], BY_ITEM);
        page(&mut list, &[(3, NOW + 500)], None);
        assert_eq!((list.since, list.link.as_deref()), (Some(NOW - 60), None));
        assert_eq!(list.latest, Some(NOW), "a time ahead hides nothing");
        assert!(list.is_recent(DateTime::from_timestamp(NOW + 59, 0).unwrap()));
        assert!(!list.is_recent(DateTime::from_timestamp(NOW + 60, 0).unwrap()));
    }

    #[test]
    fn an_empty_page_with_a_next_page_is_no_end() {
        let mut list = List::default();
        page(&mut list, &[], BY_NUMBER);
        assert_eq!((list.since, list.before), (None, 1));
        page(&mut list, &[], BY_ITEM);
        assert_eq!((list.since, list.link.as_deref()), (None, BY_ITEM));
    }

    #[test]
    fn a_list_of_one_page_keeps_its_tag() {
        let mut list = List::default();
        page(&mut list, &[(1, 10), (2, NOW)], None);
        assert_eq!((list.since, list.etag.as_deref()), (None, Some("tag")));
        assert_eq!(page(&mut list, &[(1, 10), (2, NOW)], None), 0);
        let text = serde_json::to_string(&list).unwrap();
        assert_eq!(serde_json::from_str::<List>(&text).unwrap(), list);
    }
}

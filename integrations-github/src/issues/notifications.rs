//! How are the user's notifications read?
//!
//! The latest come first, and what is new comes to the top: the first page tells whether anything has happened, and
//! one reads down to what is known. Pages are not counted, for they shift: the next one is what changed before
//! the page's oldest. GitHub says how long to wait until the next look; nobody looks earlier.
//!
//! What changes while one reads goes to the top, and is not met further down. A listing must meet everything that
//! is there, or that would be taken for gone: what has changed since it began is read once more, and so on, until
//! that is a single page.

use std::collections::HashSet;

use chrono::{DateTime, SecondsFormat, Utc};
use http::header::{HeaderName, HeaderValue, IF_MODIFIED_SINCE, LAST_MODIFIED};
use integrations_core::Result;
use integrations_core::adapter::{Next, Page, Pull, PullFrom};
use integrations_core::http::Response;
use integrations_core::model::Raw;
use serde::{Deserialize, Serialize};

use super::api::{Api, etag, header, is_unchanged, items, next_page};
use super::list::OVERLAP;
use super::seen::Seen;
use super::sync::{parse, write};
use crate::limits::NOTIFICATIONS_PER_PAGE;

const LIST: &str = "activity.list-notifications-for-authenticated-user";
const POLL_INTERVAL: HeaderName = HeaderName::from_static("x-poll-interval");

/// In seconds: no clock is so wrong that what GitHub knows lies behind it.
const DAY: i64 = 86_400;

/// Up to where notifications were read. Times are in seconds since 1970.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Mark {
    /// What the first page was tagged with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
    size: u32,
    /// When the first page was looked at, and for how long it is not to be looked at again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    polled: Option<(i64, i64)>,
    /// The latest change that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latest: Option<i64>,
    seen: Seen,
}

/// Where a run stands between two pages.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    mark: Mark,
    /// What is read next changed before this.
    before: i64,
    /// How many pages that end in the same second lie before the next one.
    pages: u32,
    /// Down to where the run reads; `None` to the end.
    down_to: Option<i64>,
    listing: bool,
    /// What changed before is of no interest to the present pass of a listing.
    since: Option<i64>,
    /// The latest change that the pass has met, and whether it has more than a page.
    top: Option<i64>,
    paged: bool,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    updated_at: DateTime<Utc>,
}

impl Head {
    /// Ids are numbers, as text.
    fn number(&self) -> Option<u64> {
        self.id.parse().ok()
    }
}

/// One page.
pub(super) async fn read(api: Api<'_>, pull: Pull<'_>) -> Result<Page> {
    let size = pull.page_size.clamp(1, NOTIFICATIONS_PER_PAGE);
    let since = pull.window.since;
    match pull.from {
        PullFrom::Listing { page: None } => read_first(api, None, size, since).await,
        PullFrom::Changes { since: mark, page: None } => {
            read_first(api, Some(parse(mark)?), size, since).await
        }
        PullFrom::Listing { page: Some(page) } | PullFrom::Changes { page: Some(page), .. } => {
            read_next(api, parse(page)?, size, since).await
        }
    }
}

/// Reads the latest; without a mark, to list all.
async fn read_first(
    api: Api<'_>,
    mark: Option<Mark>,
    size: u32,
    since: Option<DateTime<Utc>>,
) -> Result<Page> {
    let now = api.session.now().timestamp();
    let listing = mark.is_none();
    let mut mark = mark.unwrap_or_default();
    // A clock that was set back says nothing.
    if mark.polled.is_some_and(|(at, wait)| at <= now && now < at + wait) {
        return Ok(Page::new(Vec::new(), Next::Done(write(&mark)?)));
    }
    let known = if mark.size == size { (mark.etag.take(), mark.modified.take()) } else { (None, None) };
    let answer = ask(api, size, since, None, &known).await?;
    let wait = header(&answer.headers, &POLL_INTERVAL).and_then(|wait| wait.parse().ok());
    mark.polled = wait.map(|wait: u32| (now, i64::from(wait)));
    if is_unchanged(&answer) {
        (mark.etag, mark.modified) = known;
        return Ok(Page::new(Vec::new(), Next::Done(write(&mark)?)));
    }
    (mark.etag, mark.modified) = (etag(&answer), header(&answer.headers, &LAST_MODIFIED));
    mark.size = size;
    let down_to = mark.latest.map(|latest| latest - OVERLAP);
    let mut oldest = None;
    let mut here = HashSet::new();
    let fresh: Vec<Raw> = items(&answer, LIST)?
        .into_iter()
        .filter(|item| {
            let head: Option<Head> = serde_json::from_slice(item.as_bytes()).ok();
            let Some((number, head)) = head.and_then(|head| Some((head.number()?, head))) else {
                return true;
            };
            let changed = head.updated_at.timestamp().min(now);
            (oldest, mark.latest) = (Some(changed), mark.latest.max(Some(changed)));
            here.insert(number);
            mark.seen.take(number, head.updated_at, item)
        })
        .collect();
    mark.seen.keep(&here);
    let reaches = |down_to: i64| oldest.is_some_and(|oldest| oldest < down_to);
    let more = next_page(&answer.headers).is_some() && !down_to.is_some_and(reaches);
    let next = match (more, oldest) {
        (false, _) => Next::Done(write(&mark)?),
        (true, oldest) => {
            let (before, pages) = oldest.map_or((now + 1, 1), |oldest| (oldest + 1, 0));
            let top = mark.latest;
            let place = Place { mark, before, pages, down_to, listing, since: None, top, paged: true };
            Next::Page(write(&place)?)
        }
    };
    Ok(Page::new(fresh, next))
}

async fn read_next(api: Api<'_>, mut place: Place, size: u32, since: Option<DateTime<Utc>>) -> Result<Page> {
    let now = api.session.now().timestamp();
    let since = since.max(place.since.and_then(|since| DateTime::from_timestamp(since, 0)));
    let answer = ask(api, size, since, Some((place.before, place.pages + 1)), &(None, None)).await?;
    let items = items(&answer, LIST)?;
    let heads = items.iter().filter_map(|item| serde_json::from_slice::<Head>(item.as_bytes()).ok());
    let times: Vec<i64> = heads.map(|head| head.updated_at.timestamp()).collect();
    let oldest = times.iter().min().copied();
    place.top = place.top.max(times.iter().max().copied());
    let reaches = |down_to: i64| oldest.is_some_and(|oldest| oldest < down_to);
    let more = next_page(&answer.headers).is_some() && !place.down_to.is_some_and(reaches);
    match (more, oldest) {
        (true, Some(oldest)) if oldest + 1 < place.before => {
            (place.before, place.pages, place.paged) = (oldest + 1, 0, true);
        }
        (true, _) => (place.pages, place.paged) = (place.pages + 1, true),
        // Where nothing later was met than by the pass before, nothing has changed.
        (false, _) if place.listing && place.paged && place.top > place.since => {
            (place.since, place.top) = (place.top, None);
            (place.before, place.pages, place.paged) = (now + DAY, 0, false);
        }
        (false, _) => return Ok(Page::new(items, Next::Done(write(&place.mark)?))),
    }
    Ok(Page::new(items, Next::Page(write(&place)?)))
}

async fn ask(
    api: Api<'_>,
    size: u32,
    since: Option<DateTime<Utc>>,
    before: Option<(i64, u32)>,
    (etag, modified): &(Option<String>, Option<String>),
) -> Result<Response> {
    let mut url = api.url(&["notifications"])?;
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("all", "true").append_pair("per_page", &size.to_string());
        let text = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        if let Some(since) = since {
            query.append_pair("since", &text(since));
        }
        if let Some((before, page)) = before {
            if let Some(before) = DateTime::from_timestamp(before, 0) {
                query.append_pair("before", &text(before));
            }
            if page > 1 {
                query.append_pair("page", &page.to_string());
            }
        }
    }
    let modified = modified.as_deref().and_then(|modified| HeaderValue::from_str(modified).ok());
    let headers = modified.map(|modified| (IF_MODIFIED_SINCE, modified));
    api.get_with(LIST, url, etag.as_deref(), headers).await
}

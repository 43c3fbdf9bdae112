//! How are pull requests read where issues are switched off?
//!
//! Their own list knows no `since`. The latest are asked for first: what changes comes to the top, so the tag of
//! that page tells whether anything has happened at all, and one reads down to what is known. A listing then goes
//! through all of them in the order in which they were opened, which nothing moves.
//!
//! Whether issues have been switched on again is said by the repository itself.

use chrono::{DateTime, Utc};
use integrations_core::{Result, json};
use serde::{Deserialize, Serialize};
use url::Url;

use super::api::{Api, etag, is_unchanged, items, next_page};
use super::list::{Fresh, Head, OVERLAP};
use super::seen::Seen;
use super::sync::lost;

const LIST: &str = "pulls.list";
const REPOSITORY: &str = "repos.get";

/// How far a repository's pull requests have been read. Times are in seconds since 1970.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Pulls {
    /// The tag of the repository itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    /// The tag of the latest, and how many those are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default)]
    size: u32,
    /// The latest change that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latest: Option<i64>,
    #[serde(default)]
    seen: Seen,
    /// The next page of a run, and down to where it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<NextPage>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct NextPage {
    link: String,
    /// `None` to the end.
    down_to: Option<i64>,
}

impl Pulls {
    /// Whether the latest change is so young that something of its time may not be visible yet.
    pub(super) fn is_recent(&self, now: DateTime<Utc>) -> bool {
        self.latest.is_some_and(|latest| latest + OVERLAP > now.timestamp())
    }

    /// Reads a page.
    pub(super) async fn read(&mut self, api: Api<'_>, id: &str, size: u32, listing: bool) -> Result<Fresh> {
        let Some(NextPage { link, down_to }) = self.next.take() else {
            return self.read_latest(api, id, size, listing).await;
        };
        let link = Url::parse(&link).ok().filter(|link| api.is_ours(link));
        let link = link.ok_or_else(|| lost("the next page's address is none of the API's"))?;
        let answer = api.get(LIST, link, None).await?;
        let mut oldest = None;
        let items: Vec<_> = items(&answer, LIST)?
            .into_iter()
            .map(|item| {
                let head: Option<Head> = serde_json::from_slice(item.as_bytes()).ok();
                oldest = head.as_ref().map(|head| head.updated_at.timestamp()).or(oldest);
                (head, item)
            })
            .collect();
        let next = next_page(&answer.headers).filter(|_| down_to.is_none() || oldest >= down_to);
        self.next = next.map(|next| NextPage { link: next.into(), down_to });
        Ok(Fresh { items, more: self.next.is_some() })
    }

    async fn read_latest(&mut self, api: Api<'_>, id: &str, size: u32, listing: bool) -> Result<Fresh> {
        self.look_at_repository(api, id, listing).await?;
        let known = self.etag.take().filter(|_| self.size == size);
        let latest_first = [("sort", "updated"), ("direction", "desc")];
        let answer = api.get(LIST, address(api, id, size, latest_first)?, known.as_deref()).await?;
        if is_unchanged(&answer) {
            self.etag = known;
            return Ok(Fresh { items: Vec::new(), more: false });
        }
        (self.etag, self.size) = (etag(&answer), size);
        let mut unsettled = false;
        let down_to = self.latest.map(|latest| latest - OVERLAP);
        let mut fresh = Vec::new();
        let mut oldest = None;
        let now = api.session.now().timestamp();
        for item in items(&answer, LIST)? {
            let head: Option<Head> = serde_json::from_slice(item.as_bytes()).ok();
            let is_new = head.as_ref().is_none_or(|head| {
                let changed = head.updated_at.timestamp().min(now);
                (oldest, self.latest) = (Some(changed), self.latest.max(Some(changed)));
                if head.is_unsettled(now) {
                    unsettled = true;
                    self.seen.forget(head.id);
                    return true;
                }
                self.seen.take(head.id, head.updated_at, &item)
            });
            if is_new {
                fresh.push((head, item));
            }
        }
        self.seen.forget_before(oldest.unwrap_or(i64::MIN));
        // What is not settled is looked at again.
        self.etag = self.etag.take().filter(|_| !unsettled);
        let next = next_page(&answer.headers);
        self.next = match next {
            Some(_) if listing => {
                let in_order = address(api, id, size, [("sort", "created"), ("direction", "asc")])?;
                Some(NextPage { link: in_order.into(), down_to: None })
            }
            Some(next) if down_to.is_none() || oldest >= down_to => {
                Some(NextPage { link: next.into(), down_to })
            }
            _ => None,
        };
        Ok(Fresh { items: fresh, more: self.next.is_some() })
    }

    /// Issues that were switched on again are listed.
    async fn look_at_repository(&mut self, api: Api<'_>, id: &str, listing: bool) -> Result<()> {
        #[derive(Deserialize)]
        struct Repository {
            #[serde(default)]
            has_issues: bool,
        }
        let answer = api.get(REPOSITORY, api.of_repository(id, &[])?, self.repository.as_deref()).await?;
        if is_unchanged(&answer) {
            return Ok(());
        }
        let repository: Repository = json::decode(&answer.body, REPOSITORY)?;
        if repository.has_issues && !listing {
            return Err(lost("the repository has issues again"));
        }
        self.repository = etag(&answer);
        Ok(())
    }
}

fn address(api: Api<'_>, id: &str, size: u32, order: [(&str, &str); 2]) -> Result<Url> {
    let mut url = api.of_repository(id, &["pulls"])?;
    let size = size.to_string();
    url.query_pairs_mut().append_pair("state", "all").extend_pairs(order).append_pair("per_page", &size);
    Ok(url)
}

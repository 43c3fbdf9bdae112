//! What a service has to say to be synced. The tracker numbers its changes; issues come in the order of their
//! last change, so that a listing and the changes after it are one walk: the cursor is how far it has come.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::StatusCode;
use integrations_core::adapter::{
    Capabilities, Deletions, Increments, Next, Page, Pull, PullFrom, ServiceInfo, Stream,
};
use integrations_core::http::{Failure, Origins, Request, Session, Words, join};
use integrations_core::model::{Change, Issue, IssueKind, IssueState, Raw, Record, RecordKind, Source};
use integrations_core::normalize::{ItemContext, ItemError, Normalizer};
use integrations_core::{Error, ErrorKind, Result, ServiceAdapter, json, words};
use integrations_core::{auth::Authenticator, connection::Account, sync::Cursor};
use serde::Deserialize;
use url::Url;

#[derive(Debug)]
pub(crate) struct Tracker {
    info: ServiceInfo,
    base: Url,
    origins: Origins,
}

impl Tracker {
    pub(crate) fn at(base: Url) -> Arc<dyn ServiceAdapter> {
        let reading = Capabilities::reading([RecordKind::Issue]);
        let capabilities = reading.with_increments(Increments::Exact, Deletions::Named);
        let info = ServiceInfo::new("tracker", "Tracker", "1.0").with_capabilities(capabilities);
        Arc::new(Self { info, origins: Origins::of([&base]), base })
    }
}

#[async_trait]
impl ServiceAdapter for Tracker {
    fn info(&self) -> &ServiceInfo {
        &self.info
    }

    fn normalizer(&self) -> Arc<dyn Normalizer> {
        Arc::new(Mapping)
    }

    fn allowed_origins(&self) -> &Origins {
        &self.origins
    }

    fn authenticator(&self) -> &dyn Authenticator {
        self
    }

    /// Most statuses mean the same everywhere; here, 410 says that the place in the walk is too old.
    fn classify(&self, failure: &Failure<'_>) -> Error {
        match failure.status {
            StatusCode::GONE => Error::new(ErrorKind::CursorExpired, "the tracker has forgotten the place"),
            _ => failure.by(&[], &Words::default()),
        }
    }

    async fn list_streams(&self, session: &Session) -> Result<Vec<Stream>> {
        let answer = session.send(Request::get("projects.list", join(&self.base, &["projects"])?)).await?;
        let Projects { projects } = json::decode(&answer.body, "projects.list")?;
        Ok(projects.iter().map(|project| Stream::new(project.as_str(), project)).collect())
    }

    async fn sync_data(&self, session: &Session, pull: Pull<'_>) -> Result<Page> {
        let after = match pull.from {
            PullFrom::Listing { page } => page,
            PullFrom::Changes { since, page } => page.or(Some(since)),
        };
        let mut url = join(&self.base, &["projects", pull.stream.as_str(), "issues"])?;
        url.query_pairs_mut()
            .append_pair("limit", &pull.page_size.to_string())
            .append_pair("after", after.map_or("0", Cursor::as_str));
        let answer = session.send(Request::get("issues.list", url)).await?;
        let (walk, issues) = json::page::<Walk>(&answer.body, "issues", "issues.list")?;
        let place = Cursor::new(walk.last);
        Ok(Page::new(issues, if walk.more { Next::Page(place) } else { Next::Done(place) }))
    }

    async fn check_health(&self, session: &Session) -> Result<()> {
        self.identify(session).await.map(drop)
    }
}

/// Accounts are connected by a key, so there is nothing to say but whose it is.
#[async_trait]
impl Authenticator for Tracker {
    async fn identify(&self, session: &Session) -> Result<Account> {
        let answer = session.send(Request::get("me", join(&self.base, &["me"])?)).await?;
        let Id { id } = json::decode(&answer.body, "me")?;
        Ok(Account { id: id.into(), email: None, name: None })
    }
}

#[derive(Debug)]
struct Mapping;

impl Normalizer for Mapping {
    fn normalize(&self, item: &Raw, context: &ItemContext<'_>) -> Result<Change, ItemError> {
        let wire: WireIssue = json::decode_item(item.as_bytes()).map_err(|error| {
            error.with_id(serde_json::from_slice(item.as_bytes()).ok().map(|Id { id }| id))
        })?;
        if wire.deleted {
            return Ok(Change::Delete { id: wire.id });
        }
        let mut issue = Issue::new(&wire.id, IssueKind::Issue);
        (issue.title, issue.state, issue.updated_at) = (wire.title, wire.state, wire.changed);
        let (service, version) = (context.stream.service.clone(), Some(wire.revision.to_string()));
        let source = Source { service, id: wire.id, version, link: None, modified_at: wire.changed };
        Ok(Change::Upsert(Record { entity: issue.into(), source, raw: item.clone() }))
    }
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Projects {
    projects: Vec<String>,
}

#[derive(Deserialize)]
struct Walk {
    last: String,
    more: bool,
}

#[derive(Deserialize)]
struct WireIssue {
    id: String,
    revision: u64,
    #[serde(default)]
    deleted: bool,
    title: Option<String>,
    #[serde(default, deserialize_with = "state")]
    state: IssueState,
    #[serde(default, deserialize_with = "json::rfc3339")]
    changed: Option<DateTime<Utc>>,
}

words!(state -> IssueState {
    "todo" => Open,
    "done" => Closed,
});

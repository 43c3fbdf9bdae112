//! What does a service have to offer to be synced?
//!
//! A provider crate implements [`ServiceAdapter`] once per service. Adapters are stateless: what they
//! need for a call comes with the call, and what they read goes back to the engine.

mod account;
mod attachments;
mod capabilities;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono_tz::Tz;
use http::StatusCode;
use serde::Serialize;

pub use self::account::AccountAdapter;
pub use self::attachments::{AttachmentReader, AttachmentRef, Download};
pub use self::capabilities::{Capabilities, Deletions, Increments, capability_table};
use crate::auth::{Authenticator, Feature, Level};
use crate::connection::{ServiceId, StreamId};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Failure, Origins, Response, Session};
use crate::model::Raw;
use crate::normalize::{Normalizer, PageContext};
use crate::resilience::Limits;
use crate::sync::{Cursor, Window};

/// What a service is and can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ServiceInfo {
    /// The id, e.g. `google_calendar`.
    pub id: ServiceId,
    /// The name that people know it by.
    pub name: &'static str,
    /// The version of the adapter.
    pub version: &'static str,
    /// What the adapter can do.
    pub capabilities: Capabilities,
    /// The scopes that every connection needs, e.g. to tell whose account it is.
    pub scopes: Vec<String>,
    /// What the service offers, and the scopes that each part needs.
    pub features: Vec<Feature>,
}

impl ServiceInfo {
    /// Describes a service.
    pub fn new(id: impl Into<ServiceId>, name: &'static str, version: &'static str) -> Self {
        Self {
            id: id.into(),
            name,
            version,
            capabilities: Capabilities::default(),
            scopes: Vec::new(),
            features: Vec::new(),
        }
    }

    /// Says what the adapter can do.
    pub fn with_capabilities(mut self, capabilities: Capabilities) -> Self {
        self.capabilities = capabilities;
        self
    }

    /// Says which scopes every connection needs.
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Says what the service offers, and which scopes each part needs.
    pub fn with_features(mut self, features: &[Feature]) -> Self {
        self.features = features.to_vec();
        self
    }

    /// The scopes to ask for: those of every connection, and those of the features up to a level. With
    /// names, those of the named features alone.
    pub fn scopes_for(&self, level: Level, names: Option<&[String]>) -> Vec<String> {
        let wanted = |feature: &&Feature| {
            feature.level <= level && names.is_none_or(|names| names.iter().any(|name| name == feature.name))
        };
        let mut scopes = self.scopes.clone();
        for scope in self.features.iter().filter(wanted).flat_map(|feature| feature.scopes) {
            if !scopes.iter().any(|asked| asked == scope) {
                scopes.push((*scope).to_owned());
            }
        }
        scopes
    }

    /// The features that these scopes are not enough for. The others work without them.
    pub fn disabled<'a>(&'a self, granted: &'a [String]) -> impl Iterator<Item = &'a Feature> {
        self.features.iter().filter(|feature| !feature.is_granted(granted))
    }
}

/// A partition of a connection's data that is synced on its own, e.g. one calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stream {
    /// The id, stable for as long as the partition exists.
    pub id: StreamId,
    /// The name that the user gave it.
    pub title: String,
    /// The zone it is kept in.
    pub time_zone: Option<Tz>,
    /// Whether it is the user's main one.
    pub primary: bool,
    /// The provider's word for what the user may do with it, e.g. `owner` or `reader`.
    pub access: Option<String>,
    /// Its colour, as `#rrggbb`.
    pub color: Option<String>,
    /// Whether nothing changes in it any more, e.g. in an archived channel: once it has been read to its end
    /// as such, only a full sync reads it again. When it is taken up again, it is listed anew.
    pub frozen: bool,
}

impl Stream {
    /// A stream with just an id and a title.
    pub fn new(id: impl Into<StreamId>, title: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            time_zone: None,
            primary: false,
            access: None,
            color: None,
            frozen: false,
        }
    }
}

/// What to read next of a stream.
#[derive(Debug, Clone, Copy)]
pub struct Pull<'a> {
    /// The stream.
    pub stream: &'a StreamId,
    /// Everything, or what has changed.
    pub from: PullFrom<'a>,
    /// How many items a page should have at most. The provider's own limit wins.
    pub page_size: u32,
    /// What the host wants of the stream: the same for a listing and for the changes that follow it. An
    /// adapter that can ask for less asks for less; what it reads beyond is left out by the engine.
    pub window: Window,
}

/// Where to read from.
#[derive(Debug, Clone, Copy)]
pub enum PullFrom<'a> {
    /// Everything that is there.
    Listing {
        /// The page to read; `None` for the first.
        page: Option<&'a Cursor>,
    },
    /// What has changed.
    Changes {
        /// Since this mark.
        since: &'a Cursor,
        /// The page to read; `None` for the first.
        page: Option<&'a Cursor>,
    },
}

/// One page of a stream.
#[derive(Debug)]
#[non_exhaustive]
pub struct Page {
    /// The items, as the provider sent them.
    pub items: Vec<Raw>,
    /// The ids of items that are known to be gone without an item that says so. None of [`items`](Self::items)
    /// is among them.
    pub deleted: Vec<String>,
    /// What the page says about all of its items.
    pub context: PageContext,
    /// How to go on.
    pub next: Next,
    /// Whether the listing that ends with this page may not have met all that exists, because the provider shows
    /// what was of late alone, e.g. meetings that were held. Then nothing goes that is not named as deleted.
    pub partial: bool,
}

impl Page {
    /// A page of items.
    pub fn new(items: Vec<Raw>, next: Next) -> Self {
        Self { items, deleted: Vec::new(), context: PageContext::default(), next, partial: false }
    }

    /// Says what counts for all of its items.
    pub fn with_context(mut self, context: PageContext) -> Self {
        self.context = context;
        self
    }

    /// Says that what the listing has not met is kept.
    pub fn partial(mut self) -> Self {
        self.partial = true;
        self
    }

    /// Says which items are gone.
    pub fn with_deleted(mut self, ids: Vec<String>) -> Self {
        self.deleted = ids;
        self
    }
}

/// How to go on after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// There is another page. This one may have been empty.
    Page(Cursor),
    /// That was the last page: changes from here on are read since this mark.
    Done(Cursor),
    /// That was the last page, and there are no changes to follow: the next run lists everything again.
    Listed,
}

/// One service of a provider: how to connect, what there is to read, and how to read it.
///
/// # Cancel safety
/// Every future may be dropped at any await: an adapter keeps no state.
#[async_trait]
pub trait ServiceAdapter: fmt::Debug + Send + Sync + 'static {
    /// What the service is and can do.
    fn info(&self) -> &ServiceInfo;

    /// The mapping from the provider's items to the model.
    fn normalizer(&self) -> Arc<dyn Normalizer>;

    /// The origins (scheme, host, port) that may see this service's tokens. Whatever link, redirect or
    /// upload address a provider names, credentials go nowhere else.
    fn allowed_origins(&self) -> &Origins;

    /// How much may be asked of the provider, in its own units. Nothing is known by default: then what its
    /// answers say is followed.
    fn limits(&self) -> Limits {
        Limits::UNKNOWN
    }

    /// Tells from an answer that is no success what went wrong.
    fn classify(&self, failure: &Failure<'_>) -> Error;

    /// Tells whether an answer is a success. By default, what is 2xx or `304` is; providers that fail with
    /// status 200 look into the body.
    ///
    /// # Errors
    /// What went wrong, by [`classify`](Self::classify).
    fn judge(&self, operation: &'static str, answer: &Response) -> Result<()> {
        judge_by_status(self, operation, answer)
    }

    /// How accounts are connected.
    fn authenticator(&self) -> &dyn Authenticator;

    /// The partitions that the connection may read.
    async fn list_streams(&self, session: &Session) -> Result<Vec<Stream>>;

    /// Reads one page of a stream.
    ///
    /// # Errors
    /// [`ErrorKind::CursorExpired`] when the provider does not know the cursor any more: the engine
    /// lists again from the start.
    async fn sync_data(&self, session: &Session, pull: Pull<'_>) -> Result<Page>;

    /// What reads the content of attachments, for services that have any.
    fn attachments(&self) -> Option<&dyn AttachmentReader> {
        None
    }

    /// Makes one cheap call that needs the grant.
    async fn check_health(&self, session: &Session) -> Result<()>;
}

fn judge_by_status(
    adapter: &(impl ServiceAdapter + ?Sized),
    operation: &'static str,
    answer: &Response,
) -> Result<()> {
    if answer.status.is_success() || answer.status == StatusCode::NOT_MODIFIED {
        return Ok(());
    }
    Err(adapter.classify(&Failure::of(operation, answer)))
}

/// The adapters that a host has put together, by service.
#[derive(Debug, Clone, Default)]
pub struct AdapterRegistry {
    adapters: BTreeMap<String, Arc<dyn ServiceAdapter>>,
}

impl AdapterRegistry {
    /// Adds an adapter.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when there is one for the service already.
    pub fn register(&mut self, adapter: Arc<dyn ServiceAdapter>) -> Result<()> {
        let id = adapter.info().id.clone();
        if self.adapters.insert(id.to_string(), adapter).is_some() {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!("two adapters are registered for {id}; register one"),
            ));
        }
        Ok(())
    }

    /// The adapter of a service.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedOperation`] when there is none; the message lists those that are there.
    pub fn get(&self, service: &ServiceId) -> Result<&Arc<dyn ServiceAdapter>> {
        self.adapters.get(service.as_str()).ok_or_else(|| {
            let known = self.adapters.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            Error::new(
                ErrorKind::UnsupportedOperation,
                format!("no adapter is registered for {service}; registered: {known}"),
            )
        })
    }

    /// All adapters, by their service's id.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn ServiceAdapter>> {
        self.adapters.values()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.adapters.is_empty()
    }
}

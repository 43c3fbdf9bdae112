//! What must a fake be able to do, so that the scenarios can be played on it?

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integrations_core::clock::ManualClock;
use integrations_core::connection::{Connection, ServiceId, StreamId};
use integrations_core::model::Record;
use integrations_core::{Error, ErrorKind, Gateway, Result};

use crate::fault::Fault;

/// The user of the host.
const USER: &str = "ada";
/// Where the user comes back to.
const REDIRECT: &str = "https://app.example/callback";
/// The word that [`Fake::odd_word`] puts into an item: no version of any provider's API knows it.
pub const ODD_WORD: &str = "nobody-knows-this-word";

/// What a fake answers where its service may not have such a thing.
pub type Answer<T = ()> = Result<T, NotHere>;

/// The service has no such thing, and why: a scenario that needs it does not apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotHere(pub &'static str);

impl fmt::Display for NotHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not here: {}", self.0)
    }
}

impl std::error::Error for NotHere {}

/// How a scenario wants its fake.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SetUp {
    /// The clock of host and fake.
    pub clock: ManualClock,
    /// The most items that any page holds, whatever is asked for.
    pub page_cap: usize,
    /// Whether every listing has an empty page with a next page in its middle.
    pub empty_pages: bool,
}

impl SetUp {
    pub(super) const fn new(clock: ManualClock, page_cap: usize) -> Self {
        Self { clock, page_cap, empty_pages: false }
    }
}

/// The server behind a fake: how users come in, and how its answers go wrong.
///
/// Those of this crate are ready: [`FakeGitHub`](crate::github::FakeGitHub),
/// [`FakeGoogle`](crate::google::FakeGoogle), [`FakeGraph`](crate::msgraph::FakeGraph),
/// [`FakeSlack`](crate::slack::FakeSlack), [`FakeZoom`](crate::zoom::FakeZoom), and [`FakeApi`](crate::FakeApi)
/// for a fake of a test's own.
#[async_trait]
pub trait FakeServer: fmt::Debug + Send + Sync {
    /// Opens an authorization URL as the user who agrees; returns where the browser is sent.
    ///
    /// # Errors
    /// What the page says when the request is not in order.
    async fn consent(&self, authorization_url: &str) -> Result<String, String>;

    /// Orders a fault.
    fn fault(&self, fault: Fault);

    /// How many requests of an operation have arrived. `token.refresh` and `revoke` are those of every
    /// provider.
    fn calls(&self, operation: &str) -> u64;

    /// Ends the life of every access token that was handed out; they can be refreshed.
    ///
    /// # Errors
    /// [`NotHere`] where tokens do not expire.
    fn expire_tokens(&self) -> Answer {
        Err(NotHere("the service's tokens do not expire"))
    }
}

/// A provider with one account that keeps state, seen from the provider's side.
///
/// The account has one *main* stream, empty at first; scenarios watch what becomes of its items. An item has
/// the provider's id, and a *mark* that is another one after every change. What a service cannot do, it
/// answers with [`NotHere`]; do so rather than pretend.
#[async_trait]
pub trait Fake: fmt::Debug + Send + Sync + 'static {
    /// The server.
    fn server(&self) -> &dyn FakeServer;

    /// Connects the account. By default the user is sent to the provider,
    /// [agrees](FakeServer::consent), and comes back; a service whose accounts are connected by a key does it
    /// in its own way.
    ///
    /// # Errors
    /// Those of the gateway.
    async fn connect(&self, gateway: &Gateway, service: &ServiceId) -> Result<Connection> {
        let begun = gateway.connect(USER, service).redirect_uri(REDIRECT).begin().await?;
        let callback = self.server().consent(begun.url.as_str()).await.map_err(|page| {
            Error::new(ErrorKind::InvalidRequest, format!("the fake's consent page says: {page}"))
        })?;
        gateway.complete(USER, &callback).await
    }

    /// The main stream.
    fn stream(&self) -> StreamId;

    /// The operations that reading one page of a listing of the main stream takes, in their order, as
    /// [`Fault::on`] names them. The first is the one that names the next page, once a page.
    fn listing(&self) -> &'static [&'static str];

    /// The same of reading what has changed; by default those of a listing.
    fn changes(&self) -> &'static [&'static str] {
        self.listing()
    }

    /// Adds an item to a stream, as of now; returns its id.
    fn add(&self, stream: &StreamId) -> String;

    /// Changes an item of the main stream.
    fn change(&self, id: &str);

    /// Deletes an item of the main stream.
    fn delete(&self, id: &str);

    /// What is in a stream: the ids of the items that can be read, and their marks.
    fn there(&self, stream: &StreamId) -> BTreeMap<String, String>;

    /// The mark as a record shows it; by default the record's [version](integrations_core::model::Source).
    fn mark(&self, record: &Record) -> String {
        record.source.version.clone().unwrap_or_default()
    }

    /// Adds an item to the main stream that takes place, or was written, at a time; returns its id.
    ///
    /// # Errors
    /// [`NotHere`] where items have no time that a [`Window`](integrations_core::sync::Window) asks for.
    fn add_at(&self, _at: DateTime<Utc>) -> Answer<String> {
        Err(NotHere("the service's items are in every window"))
    }

    /// Whether what a listing of the main stream does not meet goes.
    ///
    /// # Errors
    /// [`NotHere`] where it is kept, since the provider shows what was of late alone.
    fn sweeps(&self) -> Answer {
        Ok(())
    }

    /// Makes an item of the main stream unreadable, but for its id. It is not [there](Self::there) until it
    /// is [mended](Self::mend).
    ///
    /// # Errors
    /// [`NotHere`].
    fn malform(&self, _id: &str) -> Answer {
        Err(NotHere("the fake serves no malformed items"))
    }

    /// Makes an item readable again; it has changed.
    fn mend(&self, _id: &str) {}

    /// Puts the [`ODD_WORD`] into an item of the main stream, where the provider chooses from a list of words
    /// that may grow. It has changed.
    ///
    /// # Errors
    /// [`NotHere`].
    fn odd_word(&self, _id: &str) -> Answer {
        Err(NotHere("the service's items have no word from a list that may grow"))
    }

    /// Lets an item of the main stream come once more, on a later page of each listing.
    ///
    /// # Errors
    /// [`NotHere`].
    fn repeat(&self, _id: &str) -> Answer {
        Err(NotHere("the fake repeats no item"))
    }

    /// Adds an empty stream; returns its id.
    ///
    /// # Errors
    /// [`NotHere`] where every account has the same streams.
    fn add_stream(&self) -> Answer<StreamId> {
        Err(NotHere("every account has the same streams"))
    }

    /// Takes a stream away that was added.
    fn remove_stream(&self, _stream: &StreamId) {}

    /// Forgets every position that was handed out for reading changes.
    ///
    /// # Errors
    /// [`NotHere`] where positions cannot be forgotten, e.g. since they are times.
    fn forget_positions(&self) -> Answer {
        Err(NotHere("the service's positions cannot be forgotten"))
    }

    /// Forgets every next page that was named.
    ///
    /// # Errors
    /// [`NotHere`] where next pages cannot be forgotten, e.g. since they are numbers.
    fn forget_pages(&self) -> Answer {
        Err(NotHere("the service's pages cannot be forgotten"))
    }
}

//! How is a fake Microsoft Graph set up?

use std::fmt;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use integrations_core::clock::{Clock, SystemClock};

use super::access::OPEN_SCOPES;
use super::calendar::{CalendarSpec, Calendars, Wording};
use super::ids::Ids;
use super::mail::{FolderSpec, Mail};
use super::throttle::{Meter, Throttling};
use super::tokens::TokenCodec;
use super::{FakeGraph, Graph, State, SyncLoss, zones};
use crate::fault::Faults;
use crate::oauth::{AccountSpec, Dialect, FakeOAuth, FakeOAuthBuilder};
use crate::server::{Front, Server};
use crate::traffic::Traffic;

/// Sets up a [`FakeGraph`].
#[must_use]
pub struct FakeGraphBuilder {
    clock: Arc<dyn Clock>,
    seed: u64,
    port: u16,
    oauth: FakeOAuthBuilder,
    prefixes: (Option<String>, Option<String>),
    user: User,
    calendars: Vec<CalendarSpec>,
    folders: Vec<FolderSpec>,
    mailbox_zone: String,
    page_cap: usize,
    empty_pages: bool,
    repeated_items: bool,
    partial_read_marks: bool,
    wording: Wording,
    throttling: Option<Throttling>,
}

/// The account.
struct User {
    email: String,
    name: String,
    id: String,
    tenant: String,
    hides_email: bool,
}

impl fmt::Debug for FakeGraphBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, port, calendars, folders, .. } = self;
        f.debug_struct("FakeGraphBuilder")
            .field("seed", seed)
            .field("port", port)
            .field("calendars", calendars)
            .field("folders", folders)
            .finish_non_exhaustive()
    }
}

impl Default for FakeGraphBuilder {
    fn default() -> Self {
        Self {
            clock: SystemClock::shared(),
            seed: 1,
            port: 0,
            oauth: FakeOAuth::builder(Dialect::Microsoft)
                .client("11112222-bbbb-3333-cccc-4444dddd5555", "fake-client-secret")
                .open_scopes(OPEN_SCOPES),
            prefixes: (None, None),
            user: User {
                email: "ada@example.com".to_owned(),
                name: "Ada Lovelace".to_owned(),
                id: "48d31887-5fad-4d73-a9f5-3c356e68a038".to_owned(),
                tenant: "aaaabbbb-0000-cccc-1111-dddd2222eeee".to_owned(),
                hides_email: false,
            },
            calendars: Vec::new(),
            folders: Vec::new(),
            mailbox_zone: "UTC".to_owned(),
            page_cap: usize::MAX,
            empty_pages: false,
            repeated_items: false,
            partial_read_marks: false,
            wording: Wording::default(),
            throttling: None,
        }
    }
}

/// The server, the client and the account.
impl FakeGraphBuilder {
    /// Where the time comes from. Default: the machine's clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What everything made up depends on, ids among it. Default 1.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The port to listen on; 0 means any that is free. Default 0.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The client that may ask for consent.
    pub fn client(mut self, id: &str, secret: &str) -> Self {
        self.oauth = self.oauth.client(id, secret);
        self
    }

    /// A client without a secret; one that sends a secret is refused.
    pub fn public_client(mut self, id: &str) -> Self {
        self.oauth = self.oauth.public_client(id);
        self
    }

    /// Registers a redirect address: from then on an address has to be a registered one.
    pub fn redirect_uri(mut self, uri: &str) -> Self {
        self.oauth = self.oauth.redirect_uri(uri);
        self
    }

    /// The address of the account that consents. Default `ada@example.com`.
    pub fn user(mut self, email: &str) -> Self {
        email.clone_into(&mut self.user.email);
        self
    }

    /// The person's name. Default `Ada Lovelace`.
    pub fn user_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.user.name);
        self
    }

    /// The account's `oid`, which is also its id at `/me`.
    pub fn user_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.user.id);
        self
    }

    /// The account's tenant.
    pub fn tenant(mut self, tenant: &str) -> Self {
        tenant.clone_into(&mut self.user.tenant);
        self
    }

    /// The address is not told: `mail` at `/me` is null.
    pub fn hides_email(mut self) -> Self {
        self.user.hides_email = true;
        self
    }

    /// How long access tokens live. Default 4322 s.
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.oauth = self.oauth.access_token_lifetime(lifetime);
        self
    }

    /// How long refresh tokens live, counted from when they came. Default 90 days.
    pub fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.oauth = self.oauth.refresh_token_lifetime(lifetime);
        self
    }

    /// What every minted access token begins with, so that a leak can be searched for.
    pub fn token_prefix(mut self, prefix: &str) -> Self {
        self.prefixes.0 = Some(prefix.to_owned());
        self
    }

    /// What every minted refresh token begins with.
    pub fn refresh_token_prefix(mut self, prefix: &str) -> Self {
        self.prefixes.1 = Some(prefix.to_owned());
        self
    }

    /// Whether a page asks a person for consent instead of agreeing at once. Default false.
    pub fn interactive(mut self, interactive: bool) -> Self {
        self.oauth = self.oauth.consent_page(interactive);
        self
    }

    /// Makes an access token valid from the start, with every scope the fake knows and no expiry.
    pub fn open_token(mut self, token: &str) -> Self {
        self.oauth = self.oauth.open_token(token);
        self
    }

    /// Makes a refresh token valid from the start, with every scope the fake knows.
    pub fn open_refresh_token(mut self, token: &str) -> Self {
        self.oauth = self.oauth.open_refresh_token(token);
        self
    }

    /// The scopes of the open tokens, if not every one that the fake knows.
    pub fn open_scopes(mut self, scopes: &[&str]) -> Self {
        self.oauth = self.oauth.open_scopes(scopes);
        self
    }
}

/// The mailbox.
impl FakeGraphBuilder {
    /// Adds a calendar. Without any the account has an empty one, `Calendar`.
    pub fn calendar(mut self, calendar: CalendarSpec) -> Self {
        self.calendars.push(calendar);
        self
    }

    /// Adds a mail folder, or fills one of those that every mailbox has.
    pub fn folder(mut self, folder: FolderSpec) -> Self {
        self.folders.push(folder);
        self
    }

    /// The zone of the mailbox, by Windows' name or IANA's. Default `UTC`.
    pub fn mailbox_time_zone(mut self, zone: &str) -> Self {
        zone.clone_into(&mut self.mailbox_zone);
        self
    }

    /// The most items that any page holds, whatever is asked for.
    pub fn page_cap(mut self, cap: usize) -> Self {
        self.page_cap = cap;
        self
    }

    /// Whether every delta round has an empty page with a successor in its middle. Default false.
    pub fn empty_pages(mut self, empty_pages: bool) -> Self {
        self.empty_pages = empty_pages;
        self
    }

    /// Whether every page of a delta round says its first item once more at its end. Default false.
    pub fn repeated_items(mut self, repeated_items: bool) -> Self {
        self.repeated_items = repeated_items;
        self
    }

    /// Whether a round of changes tells of a message that was read or unread, and did not change otherwise, just
    /// `id`, `isRead` and `parentFolderId`, whatever was selected. Exchange has been seen to do so
    /// (microsoft-graph-docs, issue 7776). Default false.
    pub fn partial_read_marks(mut self, partial_read_marks: bool) -> Self {
        self.partial_read_marks = partial_read_marks;
        self
    }

    /// Whether a round of changes tells of the occurrences that were cancelled (`deleted`) or that moved out
    /// of the window (`changed`), and of those of a series that was deleted. Default false: they are absent
    /// from their series.
    pub fn announce_removed_occurrences(mut self, announce: bool) -> Self {
        self.wording.announced = announce;
        self
    }

    /// Whether a calendar's round gives the reason `deleted` for whatever is `@removed`, also for what has only left
    /// the window or never was in it. Graph has been seen to do so (microsoft-graph-docs, issues 6599 and 10687).
    /// Default false.
    pub fn one_reason_for_removed(mut self, one: bool) -> Self {
        self.wording.one_reason = one;
        self
    }

    /// Whether rounds leave series out, so that a client has to fetch them. Default false.
    pub fn without_masters(mut self, without: bool) -> Self {
        self.wording.masterless = without;
        self
    }

    /// Whether a page of a round goes on to the end of a series, whatever its size. Default false.
    pub fn whole_series(mut self, whole: bool) -> Self {
        self.wording.whole_series = whole;
        self
    }

    /// Holds the application to limits, such as [`Throttling::OUTLOOK`]. Default: none.
    pub fn throttling(mut self, throttling: Throttling) -> Self {
        self.throttling = Some(throttling);
        self
    }

    /// Starts the fake on the loopback interface, on the caller's runtime.
    ///
    /// # Panics
    /// When the port is taken, a time zone is none, or a folder lies in one that there is not.
    pub async fn start(mut self) -> FakeGraph {
        if self.calendars.is_empty() {
            self.calendars.push(CalendarSpec::new("Calendar").default_calendar());
        }
        let zone = &self.mailbox_zone;
        assert!(zones::zone(zone).is_some(), "the mailbox: {zone:?} is no time zone");
        let (user, now) = (self.user, self.clock.now().timestamp_millis());
        let account = AccountSpec::new(&user.email).id(&user.id).name(&user.name).organization(&user.tenant);
        let account = if user.hides_email { account.hides_email() } else { account };
        let authority = self
            .oauth
            .clock(Arc::clone(&self.clock))
            .seed(self.seed)
            .account(account)
            .prefixes(self.prefixes.0, self.prefixes.1)
            .authority();
        let ids = Ids::new(self.seed ^ crate::random::hash_text(&user.email));
        let mut calendars = Calendars::new(self.seed, &user.name, &user.email, self.wording);
        for calendar in self.calendars {
            calendars.add(calendar, &ids, now);
        }
        let mail = Mail::new(self.seed, &user.name, &user.email, &self.folders, &ids, now);
        let (faults, traffic) = (Arc::new(Faults::default()), Arc::new(Traffic::default()));
        let graph = Arc::new(Graph {
            clock: Arc::clone(&self.clock),
            seed: self.seed,
            user: user.email,
            mailbox_zone: self.mailbox_zone,
            page_cap: self.page_cap,
            empty_pages: self.empty_pages,
            repeated_items: self.repeated_items,
            partial_read_marks: self.partial_read_marks,
            ids,
            codec: TokenCodec::new(self.seed),
            authority,
            meter: Meter::new(self.throttling),
            faults: Arc::clone(&faults),
            traffic: Arc::clone(&traffic),
            state: RwLock::new(State {
                calendars,
                mail,
                delta_epoch: 0,
                skip_epoch: 0,
                loss: SyncLoss::default(),
            }),
        });
        let front = Front { service: Arc::clone(&graph), clock: self.clock, faults, traffic };
        let server = match Server::start(self.port, front).await {
            Ok(server) => server,
            Err(error) => panic!("the fake Graph cannot listen on port {}: {error}", self.port),
        };
        FakeGraph {
            url: format!("http://{}", server.address()),
            user_id: user.id,
            tenant: user.tenant,
            graph,
            server,
        }
    }
}

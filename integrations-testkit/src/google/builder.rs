//! How is a fake Google set up?

use std::fmt;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use integrations_core::clock::{Clock, SystemClock};

use super::calendar_list::Account;
use super::generate::Almanac;
use super::gmail::{Gmail, Setup};
use super::routes::OPEN_SCOPES;
use super::spec::CalendarSpec;
use super::tasks::{TaskListSpec, Tasks};
use super::tokens::TokenCodec;
use super::{FakeGoogle, Google};
use crate::fault::Faults;
use crate::oauth::{AccountSpec, Dialect, FakeOAuth, FakeOAuthBuilder, Rotation};
use crate::server::{Front, Server};
use crate::traffic::Traffic;

/// Sets up a [`FakeGoogle`].
#[must_use]
pub struct FakeGoogleBuilder {
    clock: Arc<dyn Clock>,
    seed: u64,
    port: u16,
    oauth: FakeOAuthBuilder,
    prefixes: (Option<String>, Option<String>),
    user: (String, String),
    calendars: Vec<CalendarSpec>,
    mail: Setup,
    task_lists: Vec<TaskListSpec>,
    page_cap: usize,
    empty_pages: bool,
}

impl fmt::Debug for FakeGoogleBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, port, calendars, .. } = self;
        f.debug_struct("FakeGoogleBuilder")
            .field("seed", seed)
            .field("port", port)
            .field("calendars", calendars)
            .finish_non_exhaustive()
    }
}

impl Default for FakeGoogleBuilder {
    fn default() -> Self {
        Self {
            clock: SystemClock::shared(),
            seed: 1,
            port: 0,
            oauth: FakeOAuth::builder(Dialect::Google)
                .client("fake-client.apps.googleusercontent.com", "fake-client-secret")
                .open_scopes(OPEN_SCOPES),
            prefixes: (None, None),
            user: ("ada@example.com".to_owned(), "1000000000001".to_owned()),
            calendars: Vec::new(),
            mail: Setup::default(),
            task_lists: Vec::new(),
            page_cap: usize::MAX,
            empty_pages: false,
        }
    }
}

impl FakeGoogleBuilder {
    /// Where the time comes from. Default: the machine's clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// What everything made up depends on. Default 1.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The port to listen on; 0 means any that is free. Default 0.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// How long access tokens live. Default 3599 s.
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.oauth = self.oauth.access_token_lifetime(lifetime);
        self
    }

    /// Whether every refresh returns a new refresh token and ends the old one. Google does not; other
    /// providers do. Default false.
    pub fn rotate_refresh_tokens(mut self, rotate: bool) -> Self {
        self.oauth = self.oauth.rotation(if rotate { Rotation::SingleUse } else { Rotation::None });
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

    /// The address of the account that consents. Default `ada@example.com`.
    pub fn user(mut self, email: &str) -> Self {
        email.clone_into(&mut self.user.0);
        self
    }

    /// The account's stable identifier. Default `1000000000001`.
    pub fn user_id(mut self, sub: &str) -> Self {
        sub.clone_into(&mut self.user.1);
        self
    }

    /// The client that may ask for consent.
    pub fn client(mut self, id: &str, secret: &str) -> Self {
        self.oauth = self.oauth.client(id, secret);
        self
    }

    /// Adds a calendar. Without any the account has an empty primary one, named like the account.
    pub fn calendar(mut self, calendar: CalendarSpec) -> Self {
        self.calendars.push(calendar);
        self
    }

    /// Fills the mailbox with so many made-up messages of the thousand days before the fake starts.
    /// Default 0.
    pub fn messages(mut self, messages: u64) -> Self {
        self.mail.generated = messages;
        self
    }

    /// How many quota units Gmail grants the account in any minute of the fake's clock; what goes beyond
    /// is answered 429. Default: as many as are asked for.
    pub fn gmail_quota(mut self, units_per_user_per_minute: u64) -> Self {
        self.mail.quota = Some(units_per_user_per_minute);
        self
    }

    /// Adds a task list; the first one is `@default`. Without any the account has an empty one, called
    /// `My Tasks`.
    pub fn task_list(mut self, list: TaskListSpec) -> Self {
        self.task_lists.push(list);
        self
    }

    /// The most items that any page holds, whatever is asked for.
    pub fn page_cap(mut self, cap: usize) -> Self {
        self.page_cap = cap;
        self
    }

    /// Whether every listing of events, messages, history, tasks and task lists has an empty page with a
    /// successor in its middle. Default false.
    pub fn empty_pages(mut self, empty_pages: bool) -> Self {
        self.empty_pages = empty_pages;
        self
    }

    /// Whether the redirect after consent carries `iss` (RFC 9207). Default false.
    pub fn issuer_in_callback(mut self, issuer: bool) -> Self {
        self.oauth = self.oauth.issuer_in_callback(issuer);
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

    /// Starts the fake on the loopback interface, on the caller's runtime.
    ///
    /// # Panics
    /// When the port is taken, or a calendar's time zone is not an IANA name.
    pub async fn start(mut self) -> FakeGoogle {
        if self.calendars.is_empty() {
            self.calendars.push(CalendarSpec::new(&self.user.0).primary());
        }
        if self.task_lists.is_empty() {
            self.task_lists.push(TaskListSpec::new("MDQ0NDQ3MTExMTM1").title("My Tasks"));
        }
        let (email, sub) = self.user;
        let authority = self
            .oauth
            .clock(Arc::clone(&self.clock))
            .seed(self.seed)
            .account(AccountSpec::new(&email).id(&sub).name("Ada Lovelace"))
            .prefixes(self.prefixes.0, self.prefixes.1)
            .authority();
        let (faults, traffic) = (Arc::new(Faults::default()), Arc::new(Traffic::default()));
        let google = Arc::new(Google {
            gmail: Gmail::new(&self.mail, self.seed, &email, self.clock.now()),
            tasks: Tasks::default(),
            faults: Arc::clone(&faults),
            traffic: Arc::clone(&traffic),
            almanac: Arc::new(Almanac::around(self.clock.now().date_naive())),
            clock: Arc::clone(&self.clock),
            seed: self.seed,
            user: email,
            page_cap: self.page_cap,
            empty_pages: self.empty_pages,
            codec: TokenCodec::new(self.seed),
            authority,
            account: RwLock::new(Account::default()),
        });
        for calendar in self.calendars {
            google.add_calendar(calendar);
        }
        for list in self.task_lists {
            google.tasks.add(list, self.seed, self.clock.now());
        }
        let front = Front {
            service: Arc::clone(&google),
            clock: self.clock,
            faults: Arc::clone(&faults),
            traffic: Arc::clone(&traffic),
        };
        let server = match Server::start(self.port, front).await {
            Ok(server) => server,
            Err(error) => panic!("the fake Google cannot listen on port {}: {error}", self.port),
        };
        FakeGoogle { url: format!("http://{}", server.address()), google, faults, traffic, server }
    }
}

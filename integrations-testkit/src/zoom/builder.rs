//! How is a fake Zoom set up?

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use chrono::TimeDelta;
use chrono_tz::Tz;
use integrations_core::clock::{Clock, SystemClock};
use serde_json::Value;

use super::choices::{ExpiredPages, LongWindow, PageTokens, SeriesRows};
use super::cursor::CursorCodec;
use super::limits::{Meter, Plan};
use super::routes::SCOPES;
use super::state::State;
use super::user::User;
use super::{FakeZoom, Settings, Zoom, acts, generate};
use crate::fault::Faults;
use crate::oauth::{AccountSpec, Authority, Dialect, FakeOAuth, FakeOAuthBuilder, Pkce, Rotation};
use crate::server::{Front, Server};
use crate::traffic::Traffic;

/// Sets up a [`FakeZoom`].
#[must_use]
pub struct FakeZoomBuilder {
    clock: Arc<dyn Clock>,
    seed: u64,
    port: u16,
    oauth: FakeOAuthBuilder,
    app_scopes: Option<Vec<String>>,
    open_scopes: Option<Vec<String>>,
    prefixes: (Option<String>, Option<String>),
    user: (String, Option<String>),
    accounts: Vec<AccountSpec>,
    account_id: String,
    zone: Tz,
    meetings: Vec<Value>,
    generated: u64,
    pub(super) awkward: bool,
    plan: Option<Plan>,
    pub(super) settings: Settings,
}

impl fmt::Debug for FakeZoomBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, port, meetings, .. } = self;
        f.debug_struct("FakeZoomBuilder")
            .field("seed", seed)
            .field("port", port)
            .field("meetings", meetings)
            .finish_non_exhaustive()
    }
}

impl Default for FakeZoomBuilder {
    fn default() -> Self {
        Self {
            clock: SystemClock::shared(),
            seed: 1,
            port: 0,
            oauth: FakeOAuth::builder(Dialect::Zoom),
            app_scopes: None,
            open_scopes: None,
            prefixes: (None, None),
            user: ("ada@example.com".to_owned(), None),
            accounts: Vec::new(),
            account_id: "FakeAccountOfZoom".to_owned(),
            zone: Tz::Europe__Berlin,
            meetings: Vec::new(),
            generated: 0,
            awkward: false,
            plan: None,
            settings: Settings {
                page_cap: usize::MAX,
                empty_pages: false,
                series_rows: SeriesRows::Occurrences,
                series_start: true,
                deleted_occurrences: true,
                long_window: LongWindow::Refused,
                page_tokens: PageTokens::Place,
                expired_pages: ExpiredPages::Refused,
                instances: None,
                lone_participants: false,
                paid: true,
                lives: (TimeDelta::days(30), TimeDelta::days(365)),
                limit_headers: true,
                canary: String::new(),
            },
        }
    }
}

/// The server.
impl FakeZoomBuilder {
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

    /// The most items that any page holds, whatever is asked for.
    pub fn page_cap(mut self, cap: usize) -> Self {
        self.settings.page_cap = cap.max(1);
        self
    }

    /// Whether every listing that goes by token has an empty page with a successor in its middle. Default
    /// false.
    pub fn empty_pages(mut self, empty_pages: bool) -> Self {
        self.settings.empty_pages = empty_pages;
        self
    }

    /// Enforces the limits of a plan, on the fake's clock. Default: none.
    pub fn enforce_limits(mut self, plan: Plan) -> Self {
        self.plan = Some(plan);
        self
    }

    /// Enforced limits are not told in headers, as it also happens at Zoom.
    pub fn without_limit_headers(mut self) -> Self {
        self.settings.limit_headers = false;
        self
    }
}

/// The app and its tokens.
impl FakeZoomBuilder {
    /// The client that may ask for consent. Default `fake-client`, `fake-client-secret`.
    pub fn client(mut self, id: &str, secret: &str) -> Self {
        self.oauth = self.oauth.client(id, secret);
        self
    }

    /// Registers a redirect address, as [`FakeOAuthBuilder::redirect_uri`] does.
    pub fn redirect_uri(mut self, uri: &str) -> Self {
        self.oauth = self.oauth.redirect_uri(uri);
        self
    }

    /// What becomes of a PKCE challenge. Default: [`Pkce::Required`], which is stricter than Zoom is with an
    /// app that has a secret.
    pub fn pkce(mut self, pkce: Pkce) -> Self {
        self.oauth = self.oauth.pkce(pkce);
        self
    }

    /// Whether a page asks a person for consent instead of agreeing at once. Default false.
    pub fn interactive(mut self, interactive: bool) -> Self {
        self.oauth = self.oauth.consent_page(interactive);
        self
    }

    /// The scopes that the app is set up for: what a client gets that asks for none, what one on its own
    /// account gets, and the limit of what may be asked for. Default: every granular scope of a user that
    /// this fake's operations need, and those for writing.
    pub fn app_scopes(mut self, scopes: &[&str]) -> Self {
        self.app_scopes = Some(scopes.iter().map(|&scope| scope.to_owned()).collect());
        self
    }

    /// How long access tokens live. Default 3,599 s.
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.oauth = self.oauth.access_token_lifetime(lifetime);
        self
    }

    /// How long refresh tokens live. Default 90 days.
    pub fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.oauth = self.oauth.refresh_token_lifetime(lifetime);
        self
    }

    /// What a refresh does to the refresh token. Default [`Rotation::SingleUse`], as at Zoom.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.oauth = self.oauth.rotation(rotation);
        self
    }

    /// A spent refresh token that comes again ends its whole family.
    pub fn with_family_revocation(mut self) -> Self {
        self.oauth = self.oauth.with_family_revocation();
        self
    }

    /// The `api_url` of the token endpoint's answers. Default: the fake's own address.
    pub fn api_url(mut self, url: &str) -> Self {
        self.oauth = self.oauth.api_url(url);
        self
    }

    /// What every minted access token begins with. Default: what Zoom's begin with.
    pub fn token_prefix(mut self, prefix: &str) -> Self {
        self.prefixes.0 = Some(prefix.to_owned());
        self
    }

    /// What every minted refresh token begins with.
    pub fn refresh_token_prefix(mut self, prefix: &str) -> Self {
        self.prefixes.1 = Some(prefix.to_owned());
        self
    }

    /// A text that stands in every code and token, in every `start_url`, and in every address of a recording,
    /// so that a leak can be searched for.
    pub fn canary(mut self, canary: &str) -> Self {
        self.oauth = self.oauth.canary(canary);
        canary.clone_into(&mut self.settings.canary);
        self
    }

    /// Makes an access token of the first account's valid from the start, with the scopes of the app and no
    /// expiry.
    pub fn open_token(mut self, token: &str) -> Self {
        self.oauth = self.oauth.open_token(token);
        self
    }

    /// Makes a refresh token valid from the start, with the scopes of the app.
    pub fn open_refresh_token(mut self, token: &str) -> Self {
        self.oauth = self.oauth.open_refresh_token(token);
        self
    }

    /// The scopes of the open tokens, instead of those of the app.
    pub fn open_scopes(mut self, scopes: &[&str]) -> Self {
        self.open_scopes = Some(scopes.iter().map(|&scope| scope.to_owned()).collect());
        self
    }
}

/// The account.
impl FakeZoomBuilder {
    /// The address of the first user, who consents. Default `ada@example.com`.
    pub fn user(mut self, email: &str) -> Self {
        email.clone_into(&mut self.user.0);
        self
    }

    /// The first user's id. Default: made up.
    pub fn user_id(mut self, id: &str) -> Self {
        self.user.1 = Some(id.to_owned());
        self
    }

    /// Adds a user of the same account, who can sign in too.
    pub fn account(mut self, account: impl Into<AccountSpec>) -> Self {
        self.accounts.push(account.into());
        self
    }

    /// The id of the account that all users are of. Default `FakeAccountOfZoom`.
    pub fn account_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.account_id);
        self
    }

    /// The time zone of the users, an IANA name. Default `Europe/Berlin`.
    ///
    /// # Panics
    /// When there is no such zone.
    pub fn time_zone(mut self, name: &str) -> Self {
        self.zone = name.parse().unwrap_or_else(|_| panic!("{name:?} is no IANA name of a time zone"));
        self
    }

    /// Adds a meeting, as [`FakeZoom::create_meeting`] does.
    pub fn meeting(mut self, meeting: Value) -> Self {
        self.meetings.push(meeting);
        self
    }

    /// Adds so many made-up meetings of the first user: single ones and series, from 25 days before the fake
    /// started to half a year after it. Those of the past have sessions, with participants, and every third
    /// of them a recording. Each takes memory. Default 0.
    pub fn generated_meetings(mut self, meetings: u64) -> Self {
        self.generated = meetings;
        self
    }
}

impl FakeZoomBuilder {
    fn fill(&mut self, authority: &Authority) -> State {
        let now = self.clock.now();
        let mut state = State::new(self.seed, &self.account_id, self.awkward);
        for account in authority.accounts() {
            state.add_user(User::new(self.seed, &account.id, &account.email, &account.name, self.zone, now));
        }
        generate::fill(&mut state, self.generated, now);
        for meeting in self.meetings.drain(..) {
            acts::create(&mut state, meeting, now);
        }
        state
    }

    /// Starts the fake on the loopback interface, on the caller's runtime.
    ///
    /// # Panics
    /// When the port is taken, a meeting is not one that Zoom has, or two users have one address.
    pub async fn start(mut self) -> FakeZoom {
        let mut first = AccountSpec::new(&self.user.0).name("Ada Lovelace").organization(&self.account_id);
        if let Some(id) = &self.user.1 {
            first = first.id(id);
        }
        let usual = || SCOPES.iter().map(|&scope| scope.to_owned()).collect();
        let app = self.app_scopes.take().unwrap_or_else(usual);
        let open = self.open_scopes.take().unwrap_or_else(|| app.clone());
        let (app, open): (Vec<&str>, Vec<&str>) =
            (app.iter().map(String::as_str).collect(), open.iter().map(String::as_str).collect());
        let oauth = std::mem::replace(&mut self.oauth, FakeOAuth::builder(Dialect::Zoom));
        let mut oauth = oauth
            .clock(Arc::clone(&self.clock))
            .seed(self.seed)
            .app_scopes(&app)
            .open_scopes(&open)
            .account(first)
            .prefixes(self.prefixes.0.take(), self.prefixes.1.take());
        for account in self.accounts.drain(..) {
            oauth = oauth.account(account.organization(&self.account_id));
        }
        let authority = oauth.authority();
        let state = self.fill(&authority);
        let zoom = Arc::new(Zoom {
            clock: Arc::clone(&self.clock),
            settings: self.settings,
            codec: CursorCodec::new(self.seed),
            epoch: AtomicU64::new(0),
            answers: AtomicU64::new(0),
            meter: Meter::new(self.plan),
            authority,
            state: RwLock::new(state),
        });
        let (faults, traffic) = (Arc::new(Faults::default()), Arc::new(Traffic::default()));
        let front = Front {
            service: Arc::clone(&zoom),
            clock: self.clock,
            faults: Arc::clone(&faults),
            traffic: Arc::clone(&traffic),
        };
        let server = match Server::start(self.port, front).await {
            Ok(server) => server,
            Err(error) => panic!("the fake Zoom cannot listen on port {}: {error}", self.port),
        };
        FakeZoom { url: format!("http://{}", server.address()), zoom, faults, traffic, server }
    }
}

//! How is a fake Slack set up?

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use integrations_core::clock::{Clock, SystemClock};

use super::cursor::CursorCodec;
use super::limits::{Meter, Tiers};
use super::roster::Roster;
use super::routes::OPEN_SCOPES;
use super::spec::{ChannelSpec, UserSpec};
use super::workspace::{Ground, Workspace};
use super::{FakeSlack, Slack};
use crate::fault::Faults;
use crate::oauth::{AccountSpec, Authority, Dialect, FakeOAuth, FakeOAuthBuilder, Pkce, Rotation};
use crate::server::{Front, Server};
use crate::traffic::Traffic;

/// Sets up a [`FakeSlack`].
#[must_use]
pub struct FakeSlackBuilder {
    clock: Arc<dyn Clock>,
    seed: u64,
    port: u16,
    oauth: FakeOAuthBuilder,
    open_scopes: Option<Vec<String>>,
    prefixes: (Option<String>, Option<String>),
    user: (String, Option<String>),
    accounts: Vec<AccountSpec>,
    team: String,
    users: Vec<UserSpec>,
    channels: Vec<ChannelSpec>,
    generated_users: usize,
    generated_channels: Vec<(u64, u64)>,
    page_cap: usize,
    empty_pages: bool,
    parent_on_every_page: bool,
    tiers: Option<Tiers>,
}

impl fmt::Debug for FakeSlackBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, port, users, channels, .. } = self;
        f.debug_struct("FakeSlackBuilder")
            .field("seed", seed)
            .field("port", port)
            .field("users", users)
            .field("channels", channels)
            .finish_non_exhaustive()
    }
}

impl Default for FakeSlackBuilder {
    fn default() -> Self {
        Self {
            clock: SystemClock::shared(),
            seed: 1,
            port: 0,
            oauth: FakeOAuth::builder(Dialect::Slack),
            open_scopes: None,
            prefixes: (None, None),
            user: ("ada@example.com".to_owned(), None),
            accounts: Vec::new(),
            team: "T0FAKETEAM1".to_owned(),
            users: Vec::new(),
            channels: Vec::new(),
            generated_users: 0,
            generated_channels: Vec::new(),
            page_cap: usize::MAX,
            empty_pages: false,
            parent_on_every_page: true,
            tiers: None,
        }
    }
}

/// The server.
impl FakeSlackBuilder {
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

    /// The most items that any page holds, whatever is asked for; a further page of a thread has its parent
    /// and one reply at least.
    pub fn page_cap(mut self, cap: usize) -> Self {
        self.page_cap = cap.max(1);
        self
    }

    /// Whether every listing has an empty page with a successor in its middle; one of a thread has its
    /// parent only. Default false.
    pub fn empty_pages(mut self, empty_pages: bool) -> Self {
        self.empty_pages = empty_pages;
        self
    }

    /// Whether every page of `conversations.replies` begins with the parent, or just the first one. It is
    /// not known what Slack does; a client should bear both. Default true.
    pub fn parent_on_every_page(mut self, parent: bool) -> Self {
        self.parent_on_every_page = parent;
        self
    }

    /// Enforces Slack's limits, on the fake's clock. Default: none.
    pub fn enforce_tiers(mut self, tiers: Tiers) -> Self {
        self.tiers = Some(tiers);
        self
    }
}

/// The app and its tokens.
impl FakeSlackBuilder {
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

    /// What becomes of a PKCE challenge. Default: [`Pkce::Refused`], as by an app that has not opted in.
    pub fn pkce(mut self, pkce: Pkce) -> Self {
        self.oauth = self.oauth.pkce(pkce);
        self
    }

    /// Whether a page asks a person for consent instead of agreeing at once. Default false.
    pub fn interactive(mut self, interactive: bool) -> Self {
        self.oauth = self.oauth.consent_page(interactive);
        self
    }

    /// How long access tokens live. Default 12 h.
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.oauth = self.oauth.access_token_lifetime(lifetime);
        self
    }

    /// How long refresh tokens live. Default: for ever, or 30 days with [`Pkce::Required`].
    pub fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.oauth = self.oauth.refresh_token_lifetime(lifetime);
        self
    }

    /// What a refresh does to the refresh token. Default [`Rotation::SingleUse`], as at Slack.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.oauth = self.oauth.rotation(rotation);
        self
    }

    /// Token rotation is off: tokens never expire, and there are no refresh tokens.
    pub fn with_lasting_tokens(mut self) -> Self {
        self.oauth = self.oauth.with_lasting_tokens();
        self
    }

    /// A spent refresh token that comes again ends its whole family.
    pub fn with_family_revocation(mut self) -> Self {
        self.oauth = self.oauth.with_family_revocation();
        self
    }

    /// What every minted access token begins with, a user's and a bot's. Default: what Slack's begin with.
    pub fn token_prefix(mut self, prefix: &str) -> Self {
        self.prefixes.0 = Some(prefix.to_owned());
        self
    }

    /// What every minted refresh token begins with.
    pub fn refresh_token_prefix(mut self, prefix: &str) -> Self {
        self.prefixes.1 = Some(prefix.to_owned());
        self
    }

    /// A text that stands in every code and token, so that a leak can be searched for.
    pub fn canary(mut self, canary: &str) -> Self {
        self.oauth = self.oauth.canary(canary);
        self
    }

    /// Makes an access token valid from the start, with every scope the fake knows and no expiry: one of the
    /// user's.
    pub fn open_token(mut self, token: &str) -> Self {
        self.oauth = self.oauth.open_token(token);
        self
    }

    /// Makes a refresh token valid from the start, with every scope the fake knows.
    pub fn open_refresh_token(mut self, token: &str) -> Self {
        self.oauth = self.oauth.open_refresh_token(token);
        self
    }

    /// The scopes of the open tokens, instead of all that the fake knows.
    pub fn open_scopes(mut self, scopes: &[&str]) -> Self {
        self.open_scopes = Some(scopes.iter().map(|&scope| scope.to_owned()).collect());
        self
    }

    /// The open tokens are the bot's, not the user's.
    pub fn open_as_bot(mut self) -> Self {
        self.oauth = self.oauth.open_as_bot();
        self
    }
}

/// The workspace.
impl FakeSlackBuilder {
    /// The address of the first account, which consents. Default `ada@example.com`. What follows the `@`
    /// also names the workspace.
    pub fn user(mut self, email: &str) -> Self {
        email.clone_into(&mut self.user.0);
        self
    }

    /// The first account's user. Default: made up.
    pub fn user_id(mut self, id: &str) -> Self {
        self.user.1 = Some(id.to_owned());
        self
    }

    /// Adds an account of the same workspace, which can sign in too.
    pub fn account(mut self, account: impl Into<AccountSpec>) -> Self {
        self.accounts.push(account.into());
        self
    }

    /// The workspace's id. Default `T0FAKETEAM1`.
    pub fn team(mut self, id: &str) -> Self {
        id.clone_into(&mut self.team);
        self
    }

    /// Adds a user. Slackbot, the accounts and the app's bot are there without being added.
    pub fn add_user(mut self, user: UserSpec) -> Self {
        self.users.push(user);
        self
    }

    /// Adds a channel.
    pub fn channel(mut self, channel: ChannelSpec) -> Self {
        self.channels.push(channel);
        self
    }

    /// Adds so many made-up users, some of them guests or deactivated. The first 12 are those who write in
    /// generated channels.
    pub fn generated_users(mut self, users: usize) -> Self {
        self.generated_users = users;
        self
    }

    /// Adds so many made-up channels with so many made-up messages each, not counting the replies in their
    /// threads. Those who use the app are in all of them. Of every 25 about three are private, one is a
    /// conversation of several and one of two, and one of the public ones is archived.
    pub fn generated_channels(mut self, channels: u64, messages_each: u64) -> Self {
        self.generated_channels.push((channels, messages_each));
        self
    }

    fn fill(&mut self, authority: &Authority) -> Workspace {
        let now = self.clock.now();
        let accounts = authority.accounts();
        let (bot_user, bot) = accounts[0].bot();
        let mut app: Vec<_> = accounts.iter().map(|account| account.id.clone()).collect();
        app.push(bot_user.clone());
        let domain = domain(&self.user.0);
        let host = format!("{}.slack.com", domain.split('.').next().unwrap_or_default());
        let ground = Ground { seed: self.seed, start: now, team: self.team.clone(), host, app };
        let mut workspace = Workspace::new(ground, Roster::default());
        // Slackbot is no bot, says Slack.
        workspace.add_user(UserSpec::new("slackbot").id("USLACKBOT").real_name("Slackbot").no_email(), now);
        for (index, account) in accounts.iter().enumerate() {
            let local = account.email.split('@').next().unwrap_or_default();
            let user = UserSpec::new(local).id(&account.id).real_name(&account.name).email(&account.email);
            workspace.add_user(if index == 0 { user.admin() } else { user }, now);
        }
        workspace.add_user(UserSpec::new("fake_app").id(&bot_user).bot_with_id(&bot), now);
        for user in self.users.drain(..) {
            workspace.add_user(user, now);
        }
        if self.generated_users > 0 {
            let cast = workspace.cast(now).len();
            for number in cast..self.generated_users {
                workspace.add_person(number, now);
            }
        }
        for channel in self.channels.drain(..) {
            workspace.add_channel(channel, now);
        }
        for &(channels, messages) in &self.generated_channels {
            workspace.add_generated(channels, messages, now);
        }
        workspace
    }

    /// Starts the fake on the loopback interface, on the caller's runtime.
    ///
    /// # Panics
    /// When the port is taken, a user's time zone is not an IANA name, a channel names a user who is not
    /// there, or two channels have one id.
    pub async fn start(mut self) -> FakeSlack {
        let email = self.user.0.clone();
        let mut first = AccountSpec::new(&email).name("Ada Lovelace").organization(&self.team);
        if let Some(id) = &self.user.1 {
            first = first.id(id);
        }
        let scopes = self.open_scopes.take();
        let scopes: Vec<&str> = match &scopes {
            Some(scopes) => scopes.iter().map(String::as_str).collect(),
            None => OPEN_SCOPES.to_vec(),
        };
        let oauth = std::mem::replace(&mut self.oauth, FakeOAuth::builder(Dialect::Slack));
        let mut oauth = oauth
            .clock(Arc::clone(&self.clock))
            .seed(self.seed)
            .open_scopes(&scopes)
            .account(first)
            .prefixes(self.prefixes.0.take(), self.prefixes.1.take());
        for account in self.accounts.drain(..) {
            oauth = oauth.account(account.organization(&self.team));
        }
        let authority = oauth.authority();
        let workspace = self.fill(&authority);
        let slack = Arc::new(Slack {
            clock: Arc::clone(&self.clock),
            team_name: domain(&email).to_owned(),
            page_cap: self.page_cap,
            empty_pages: self.empty_pages,
            parent_on_every_page: self.parent_on_every_page,
            codec: CursorCodec::new(self.seed),
            epoch: AtomicU64::new(0),
            answers: AtomicU64::new(0),
            meter: Meter::new(self.tiers),
            authority,
            workspace: RwLock::new(workspace),
        });
        let (faults, traffic) = (Arc::new(Faults::default()), Arc::new(Traffic::default()));
        let front = Front {
            service: Arc::clone(&slack),
            clock: self.clock,
            faults: Arc::clone(&faults),
            traffic: Arc::clone(&traffic),
        };
        let server = match Server::start(self.port, front).await {
            Ok(server) => server,
            Err(error) => panic!("the fake Slack cannot listen on port {}: {error}", self.port),
        };
        FakeSlack { url: format!("http://{}", server.address()), slack, faults, traffic, server }
    }
}

fn domain(email: &str) -> &str {
    email.split_once('@').map_or("", |(_, domain)| domain)
}

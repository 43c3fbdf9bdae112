//! How is a fake GitHub set up?

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use integrations_core::clock::{Clock, SystemClock};

use super::generate::PROJECTS;
use super::hub::Hub;
use super::limits::{Meter, Primary, SecondaryLimits};
use super::routes::OPEN_SCOPES;
use super::spec::RepoSpec;
use super::user::UserSpec;
use super::{FakeGitHub, GitHub, Settings};
use crate::fault::Faults;
use crate::oauth::{
    AccountSpec, Authority, Dialect, FakeOAuth, FakeOAuthBuilder, InstallationSpec, Pkce, Rotation,
};
use crate::random::{Draw, mix};
use crate::server::{Front, Server};
use crate::traffic::Traffic;

/// Sets up a [`FakeGitHub`].
#[must_use]
pub struct FakeGitHubBuilder {
    clock: Arc<dyn Clock>,
    seed: u64,
    port: u16,
    oauth: FakeOAuthBuilder,
    open_scopes: Option<Vec<String>>,
    prefixes: (Option<String>, Option<String>),
    user: (String, Option<u64>),
    accounts: Vec<AccountSpec>,
    users: Vec<UserSpec>,
    repositories: Vec<RepoSpec>,
    generated: Vec<(u64, u64)>,
    settings: Settings,
    primary: Primary,
    secondary: Option<SecondaryLimits>,
}

impl fmt::Debug for FakeGitHubBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, port, users, repositories, settings, .. } = self;
        f.debug_struct("FakeGitHubBuilder")
            .field("seed", seed)
            .field("port", port)
            .field("users", users)
            .field("repositories", repositories)
            .field("settings", settings)
            .finish_non_exhaustive()
    }
}

impl Default for FakeGitHubBuilder {
    fn default() -> Self {
        Self {
            clock: SystemClock::shared(),
            seed: 1,
            port: 0,
            oauth: FakeOAuth::builder(Dialect::GitHub),
            open_scopes: None,
            prefixes: (None, None),
            user: ("ada@example.com".to_owned(), None),
            accounts: Vec::new(),
            users: Vec::new(),
            repositories: Vec::new(),
            generated: Vec::new(),
            settings: Settings {
                page_cap: usize::MAX,
                empty_pages: false,
                numbered_links: false,
                poll_interval: Duration::from_secs(60),
                limit_status: 403,
            },
            primary: Primary { user: 5_000, installation: 5_000, graphql: 5_000 },
            secondary: None,
        }
    }
}

/// The server.
impl FakeGitHubBuilder {
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

    /// The most items that any page of REST holds, whatever is asked for.
    pub fn page_cap(mut self, cap: usize) -> Self {
        self.settings.page_cap = cap.max(1);
        self
    }

    /// Whether between any two pages of a repository's issues that are linked by cursor there is one without any.
    /// Default false.
    pub fn empty_pages(mut self, empty_pages: bool) -> Self {
        self.settings.empty_pages = empty_pages;
        self
    }

    /// Whether the links between pages of a repository's issues have numbers, as at older GitHub Enterprise
    /// servers, and not cursors (`after`, `before`) as at github.com. Then pages of issues shift, and no page
    /// is too far. Default false.
    pub fn numbered_links(mut self, numbered: bool) -> Self {
        self.settings.numbered_links = numbered;
        self
    }

    /// What `X-Poll-Interval` asks of those who look for notifications. Default 60 s.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.settings.poll_interval = interval;
        self
    }

    /// How many calls a user has in an hour. Default 5,000.
    pub fn rate_limit(mut self, calls: u64) -> Self {
        self.primary.user = calls;
        self
    }

    /// How many calls an installation has in an hour. Default 5,000; larger ones have up to 12,500.
    pub fn installation_rate_limit(mut self, calls: u64) -> Self {
        self.primary.installation = calls;
        self
    }

    /// How many points GraphQL grants in an hour. Default 5,000.
    pub fn graphql_rate_limit(mut self, points: u64) -> Self {
        self.primary.graphql = points;
        self
    }

    /// Whether exceeding a limit answers 429 instead of 403; GitHub has both. Default false.
    pub fn limits_answer_429(mut self, too_many: bool) -> Self {
        self.settings.limit_status = if too_many { 429 } else { 403 };
        self
    }

    /// Enforces secondary limits, on the fake's clock. Default: none.
    pub fn secondary_limits(mut self, limits: SecondaryLimits) -> Self {
        self.secondary = Some(limits);
        self
    }
}

/// The app and its tokens.
impl FakeGitHubBuilder {
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

    /// What becomes of a PKCE challenge. Default: [`Pkce::Required`], which is stricter than GitHub.
    pub fn pkce(mut self, pkce: Pkce) -> Self {
        self.oauth = self.oauth.pkce(pkce);
        self
    }

    /// Whether a page asks a person for consent instead of agreeing at once. Default false.
    pub fn interactive(mut self, interactive: bool) -> Self {
        self.oauth = self.oauth.consent_page(interactive);
        self
    }

    /// How long a user's access tokens live. Default 8 h.
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.oauth = self.oauth.access_token_lifetime(lifetime);
        self
    }

    /// How long refresh tokens live. Default: six months.
    pub fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.oauth = self.oauth.refresh_token_lifetime(lifetime);
        self
    }

    /// What a refresh does to the refresh token. Default [`Rotation::SingleUse`], as at GitHub.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.oauth = self.oauth.rotation(rotation);
        self
    }

    /// The app is an OAuth app, whose tokens (`gho_`) have scopes and never expire. Default: a GitHub App,
    /// whose tokens (`ghu_`) have none, expire, and open what its installations cover.
    pub fn with_lasting_tokens(mut self) -> Self {
        self.oauth = self.oauth.with_lasting_tokens();
        self
    }

    /// A spent refresh token that comes again ends its whole family.
    pub fn with_family_revocation(mut self) -> Self {
        self.oauth = self.oauth.with_family_revocation();
        self
    }

    /// What every minted access token of a user begins with. Default: what GitHub's begin with.
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

    /// Makes an access token of the first account's valid from the start, as a personal one is: it has scopes,
    /// every one that the fake knows, and no expiry.
    pub fn open_token(mut self, token: &str) -> Self {
        self.oauth = self.oauth.open_token(token);
        self
    }

    /// Makes a refresh token of the first account's valid from the start.
    pub fn open_refresh_token(mut self, token: &str) -> Self {
        self.oauth = self.oauth.open_refresh_token(token);
        self
    }

    /// The scopes of the open tokens, instead of all that the fake knows.
    pub fn open_scopes(mut self, scopes: &[&str]) -> Self {
        self.open_scopes = Some(scopes.iter().map(|&scope| scope.to_owned()).collect());
        self
    }

    /// The GitHub App: its number, and its public key in PEM, with which its own tokens are checked.
    ///
    /// # Panics
    /// When the text holds no public key.
    pub fn github_app(mut self, id: &str, public_key_pem: &str) -> Self {
        self.oauth = self.oauth.github_app(id, public_key_pem);
        self
    }

    /// Adds an installation of the GitHub App.
    pub fn installation(mut self, installation: InstallationSpec) -> Self {
        self.oauth = self.oauth.installation(installation);
        self
    }
}

/// What is there.
impl FakeGitHubBuilder {
    /// The address of the first account, which consents. Default `ada@example.com`. What is before the `@` is
    /// the login.
    pub fn user(mut self, email: &str) -> Self {
        email.clone_into(&mut self.user.0);
        self
    }

    /// The number of the first account. Default: made up.
    pub fn user_id(mut self, id: u64) -> Self {
        self.user.1 = Some(id);
        self
    }

    /// Adds an account, which can sign in too.
    pub fn account(mut self, account: impl Into<AccountSpec>) -> Self {
        self.accounts.push(account.into());
        self
    }

    /// Adds a user. The accounts are there without being added, and so are the people of generated
    /// repositories.
    pub fn add_user(mut self, user: UserSpec) -> Self {
        self.users.push(user);
        self
    }

    /// Adds a repository.
    pub fn repository(mut self, repository: RepoSpec) -> Self {
        self.repositories.push(repository);
        self
    }

    /// Adds so many made-up repositories of an organization `octo-org` and of the first account, with so many
    /// made-up issues each. Of ten, three are private, one is archived, and one is the account's own.
    pub fn generated_repositories(mut self, repositories: u64, issues_each: u64) -> Self {
        self.generated.push((repositories, issues_each));
        self
    }

    fn fill(&mut self, authority: &Authority) -> Hub {
        let (now, start) = (self.clock.now().timestamp(), self.clock.now());
        let mut hub = Hub::new(self.seed, start);
        for account in authority.accounts() {
            let spec = UserSpec::new(account.login()).name(&account.name);
            let spec = spec.id(account.id.parse().unwrap_or_default());
            let user = hub.add_user(spec, account.shown_email());
            hub.accounts.push(user);
        }
        for user in self.users.drain(..) {
            hub.add_user(user, None);
        }
        for repository in self.repositories.drain(..) {
            hub.add_repository(repository, now);
        }
        let login = authority.accounts()[0].login().to_owned();
        for &(repositories, issues) in &self.generated {
            for number in 0..repositories {
                let mut draw = Draw::new(mix(self.seed ^ number));
                let owner = if number % 10 == 9 { &login } else { "octo-org" };
                let mut spec = RepoSpec::new(&format!("{owner}/{}-{number}", draw.pick::<&str>(PROJECTS)));
                if matches!(number % 10, 2 | 5 | 7) {
                    spec = spec.private();
                }
                if number % 10 == 8 {
                    spec = spec.archived();
                }
                hub.add_repository(spec.generated(issues), now);
            }
        }
        hub
    }

    /// Starts the fake on the loopback interface, on the caller's runtime.
    ///
    /// # Panics
    /// When the port is taken, two users have one login, two repositories one name or id, or a repository
    /// names a member who is not there.
    pub async fn start(mut self) -> FakeGitHub {
        let mut first = AccountSpec::new(&self.user.0).name("Ada Lovelace");
        if let Some(id) = self.user.1 {
            first = first.id(&id.to_string());
        }
        let scopes = self.open_scopes.take();
        let scopes: Vec<&str> = match &scopes {
            Some(scopes) => scopes.iter().map(String::as_str).collect(),
            None => OPEN_SCOPES.to_vec(),
        };
        let oauth = std::mem::replace(&mut self.oauth, FakeOAuth::builder(Dialect::GitHub));
        let mut oauth = oauth
            .clock(Arc::clone(&self.clock))
            .seed(self.seed)
            .open_scopes(&scopes)
            .account(first)
            .prefixes(self.prefixes.0.take(), self.prefixes.1.take());
        for account in self.accounts.drain(..) {
            oauth = oauth.account(account);
        }
        let authority = oauth.authority();
        let hub = self.fill(&authority);
        let github = Arc::new(GitHub {
            start: self.clock.now().timestamp(),
            clock: Arc::clone(&self.clock),
            settings: self.settings,
            answers: AtomicU64::new(0),
            expiries: AtomicU64::new(0),
            meter: Meter::new(self.primary, self.secondary),
            authority,
            hub: RwLock::new(hub),
        });
        let (faults, traffic) = (Arc::new(Faults::default()), Arc::new(Traffic::default()));
        let front = Front {
            service: Arc::clone(&github),
            clock: self.clock,
            faults: Arc::clone(&faults),
            traffic: Arc::clone(&traffic),
        };
        let server = match Server::start(self.port, front).await {
            Ok(server) => server,
            Err(error) => panic!("the fake GitHub cannot listen on port {}: {error}", self.port),
        };
        FakeGitHub { url: format!("http://{}", server.address()), github, faults, traffic, server }
    }
}

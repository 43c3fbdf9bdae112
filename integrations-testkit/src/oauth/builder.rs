//! How is a fake OAuth server set up?

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use integrations_core::clock::{Clock, SystemClock};

use super::FakeOAuth;
use super::account::AccountSpec;
use super::authority::{Authority, Settings, Stage};
use super::dialect::{Dialect, Pkce, RefreshLife, Rotation};
use super::grant::{Kind, Policy};
use super::installation::{App, InstallationSpec};
use super::ledger::Ledger;
use crate::fault::Faults;
use crate::server::{Front, Server};
use crate::traffic::Traffic;

/// Sets up a [`FakeOAuth`].
#[must_use]
pub struct FakeOAuthBuilder {
    dialect: Dialect,
    clock: Arc<dyn Clock>,
    seed: u64,
    port: u16,
    client: (String, Option<String>),
    accounts: Vec<AccountSpec>,
    redirect_uris: Vec<String>,
    app_scopes: Vec<String>,
    pkce: Option<Pkce>,
    issuer: Option<String>,
    consent_page: bool,
    family_revocation: bool,
    rotation: Option<Rotation>,
    lasting: bool,
    lives: (Option<Duration>, Option<Duration>, Option<Duration>),
    prefixes: (Option<String>, Option<String>),
    canary: String,
    open: (Vec<String>, Vec<String>, Vec<String>),
    open_kind: Kind,
    api_url: Option<String>,
    app: Option<App>,
    installations: Vec<InstallationSpec>,
}

impl fmt::Debug for FakeOAuthBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dialect, seed, port, .. } = self;
        f.debug_struct("FakeOAuthBuilder")
            .field("dialect", dialect)
            .field("seed", seed)
            .field("port", port)
            .finish_non_exhaustive()
    }
}

impl FakeOAuthBuilder {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            clock: SystemClock::shared(),
            seed: 1,
            port: 0,
            client: ("fake-client".to_owned(), Some("fake-client-secret".to_owned())),
            accounts: Vec::new(),
            redirect_uris: Vec::new(),
            app_scopes: Vec::new(),
            pkce: None,
            issuer: None,
            consent_page: false,
            family_revocation: false,
            rotation: None,
            lasting: false,
            lives: (None, None, None),
            prefixes: (None, None),
            canary: String::new(),
            open: (Vec::new(), Vec::new(), Vec::new()),
            open_kind: Kind::User,
            api_url: None,
            app: None,
            installations: Vec::new(),
        }
    }

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

    /// The client that may ask for consent. Default `fake-client`, `fake-client-secret`.
    pub fn client(mut self, id: &str, secret: &str) -> Self {
        self.client = (id.to_owned(), Some(secret.to_owned()));
        self
    }

    /// A client without a secret; one that sends a secret is refused.
    pub fn public_client(mut self, id: &str) -> Self {
        self.client = (id.to_owned(), None);
        self
    }

    /// Adds an account. The first one is signed in at the start. Default: `ada@example.com`, Ada Lovelace.
    pub fn account(mut self, account: impl Into<AccountSpec>) -> Self {
        self.accounts.push(account.into());
        self
    }

    /// Registers a redirect address: from then on an address has to be a registered one, word for word,
    /// but for the port of a loopback address. Default: any that is https or on the loopback interface
    /// (Slack takes the loopback interface with [`Pkce::Required`] only).
    pub fn redirect_uri(mut self, uri: &str) -> Self {
        self.redirect_uris.push(uri.to_owned());
        self
    }

    /// The scopes that the app is set up for: what a client gets that asks for none, and the limit of
    /// what it may ask for. Default: none; at Zoom the user's own profile and meetings.
    pub fn app_scopes(mut self, scopes: &[&str]) -> Self {
        self.app_scopes = owned(scopes);
        self
    }

    /// What becomes of a PKCE challenge. Default: required, which is stricter than most providers; at
    /// Slack refused, because an app there has to opt in. Slack with [`Pkce::Required`] has an app that
    /// did: it needs no secret, and its refresh tokens live 30 days.
    pub fn pkce(mut self, pkce: Pkce) -> Self {
        self.pkce = Some(pkce);
        self
    }

    /// Whether the redirect after consent carries `iss` (RFC 9207). Default false. Slack and Zoom have no
    /// issuer: name one with [`issuer`](Self::issuer).
    pub fn issuer_in_callback(mut self, issuer: bool) -> Self {
        let known = self.dialect.rules().issuer;
        self.issuer = Some(known.to_owned()).filter(|known| issuer && !known.is_empty());
        self
    }

    /// Sends this in `iss`, for instance another server's: a mix-up attack.
    pub fn issuer(mut self, issuer: &str) -> Self {
        self.issuer = Some(issuer.to_owned());
        self
    }

    /// Asks a person on a page, with buttons `Allow` and `Deny`, instead of agreeing at once.
    pub fn with_consent_page(self) -> Self {
        self.consent_page(true)
    }

    pub(crate) fn consent_page(mut self, asked: bool) -> Self {
        self.consent_page = asked;
        self
    }

    /// A spent refresh token that comes again ends its whole family (RFC 9700, 4.14.2). It has no effect
    /// where refresh tokens are not spent. Default: the request is refused, and nothing else.
    pub fn with_family_revocation(mut self) -> Self {
        self.family_revocation = true;
        self
    }

    /// What a refresh does to the refresh token, if not what the provider does.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = Some(rotation);
        self
    }

    /// Tokens that never expire and no refresh tokens: Slack without token rotation, a GitHub OAuth app.
    ///
    /// # Panics
    /// When the provider has no such apps.
    pub fn with_lasting_tokens(mut self) -> Self {
        let name = self.dialect.name();
        assert!(self.dialect.rules().may_last, "{name} has no tokens that never expire");
        self.lasting = true;
        self
    }

    /// How long codes live. Default: 5 min at Zoom, 10 min elsewhere.
    pub fn code_lifetime(mut self, lifetime: Duration) -> Self {
        self.lives.0 = Some(lifetime);
        self
    }

    /// How long access tokens live. Default: what the provider documents.
    pub fn access_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.lives.1 = Some(lifetime);
        self
    }

    /// How long refresh tokens live, counted from when they came. Default: what the provider documents.
    pub fn refresh_token_lifetime(mut self, lifetime: Duration) -> Self {
        self.lives.2 = Some(lifetime);
        self
    }

    /// A text that stands in every code, token and signature, so that a leak can be searched for.
    pub fn canary(mut self, canary: &str) -> Self {
        canary.clone_into(&mut self.canary);
        self
    }

    /// What access tokens that come of a consent and refresh tokens begin with.
    pub(crate) fn prefixes(mut self, access: Option<String>, refresh: Option<String>) -> Self {
        self.prefixes = (access, refresh);
        self
    }

    /// Makes an access token of the first account's valid from the start; it never expires.
    pub fn open_token(mut self, token: &str) -> Self {
        self.open.0.push(token.to_owned());
        self
    }

    /// Makes a refresh token of the first account's valid from the start; it never expires.
    pub fn open_refresh_token(mut self, token: &str) -> Self {
        self.open.1.push(token.to_owned());
        self
    }

    /// The scopes of the open tokens. Default: none.
    pub fn open_scopes(mut self, scopes: &[&str]) -> Self {
        self.open.2 = owned(scopes);
        self
    }

    /// The open tokens are those of Slack's bot, not the user's.
    pub(crate) fn open_as_bot(mut self) -> Self {
        self.open_kind = Kind::Bot;
        self
    }

    /// The `api_url` of Zoom's answers. Default: the fake's own address.
    pub fn api_url(mut self, url: &str) -> Self {
        self.api_url = Some(url.to_owned());
        self
    }

    /// The GitHub App: its numeric id, and its public key in PEM, with which its own tokens are checked.
    ///
    /// # Panics
    /// When the text holds no public key.
    pub fn github_app(mut self, id: &str, public_key_pem: &str) -> Self {
        self.app = Some(App::new(id, public_key_pem));
        self
    }

    /// Adds an installation of the GitHub App.
    pub fn installation(mut self, installation: InstallationSpec) -> Self {
        self.installations.push(installation);
        self
    }

    /// The server's state, without a server.
    pub(crate) fn authority(mut self) -> Authority {
        let rules = self.dialect.rules();
        if self.accounts.is_empty() {
            self.accounts.push(AccountSpec::new("ada@example.com").name("Ada Lovelace"));
        }
        if self.app_scopes.is_empty() {
            self.app_scopes = owned(rules.app_scopes);
        }
        let pkce = self.pkce.unwrap_or(rules.pkce);
        let prefixes = &rules.prefixes;
        let (user, bot) = if self.lasting { prefixes.lasting } else { (prefixes.user, prefixes.bot) };
        let access_life = (!self.lasting).then(|| self.lives.1.unwrap_or(rules.access_life));
        let refresh_life = match self.lives.2 {
            Some(life) => RefreshLife::Fixed(life),
            None if self.dialect == Dialect::Slack && pkce == Pkce::Required => {
                RefreshLife::Fixed(Duration::from_secs(30 * 24 * 3_600))
            }
            None => rules.refresh_life,
        };
        // The limit of GitHub's is one of OAuth apps, whose tokens last.
        let unlimited = self.dialect == Dialect::GitHub && !self.lasting;
        let policy = Policy {
            code_life: self.lives.0.unwrap_or(rules.code_life),
            access_life,
            refresh_life,
            rotation: self.rotation.unwrap_or(rules.rotation),
            family_revocation: self.family_revocation,
            authorizations: if unlimited { usize::MAX } else { rules.authorizations },
            access_tokens: rules.access_tokens,
            code_prefix: prefixes.code.to_owned(),
            user_prefix: self.prefixes.0.clone().unwrap_or_else(|| user.to_owned()),
            bot_prefix: self.prefixes.0.unwrap_or_else(|| bot.to_owned()),
            app_prefix: prefixes.app.to_owned(),
            refresh_prefix: self.prefixes.1.unwrap_or_else(|| prefixes.refresh.to_owned()),
            canary: self.canary,
        };
        let mut ledger = Ledger::new(policy, self.seed);
        ledger.open(self.open_kind, &self.open.0, &self.open.1, &self.open.2);
        let (dialect, seed) = (self.dialect, self.seed);
        Authority {
            rules,
            settings: Settings {
                client_id: self.client.0,
                client_secret: self.client.1,
                accounts: self.accounts.into_iter().map(|account| account.build(dialect, seed)).collect(),
                redirect_uris: self.redirect_uris,
                app_scopes: self.app_scopes,
                pkce,
                issuer: self.issuer,
                consent_page: self.consent_page,
                access_life,
                api_url: self.api_url,
                app: self.app,
            },
            clock: self.clock,
            stage: Mutex::new(Stage {
                ledger,
                seated: 0,
                refuse_next: None,
                only: None,
                claims: None,
                installations: self.installations,
                authorizations: Vec::new(),
            }),
        }
    }

    /// Starts the fake on the loopback interface, on the caller's runtime.
    ///
    /// # Panics
    /// When the port is taken.
    pub async fn start(self) -> FakeOAuth {
        let (dialect, port) = (self.dialect, self.port);
        let authority = Arc::new(self.authority());
        let (faults, traffic) = (Arc::new(Faults::default()), Arc::new(Traffic::default()));
        let front = Front {
            service: Arc::clone(&authority),
            clock: Arc::clone(&authority.clock),
            faults: Arc::clone(&faults),
            traffic: Arc::clone(&traffic),
        };
        let server = match Server::start(port, front).await {
            Ok(server) => server,
            Err(error) => panic!("the fake of {} cannot listen on port {port}: {error}", dialect.name()),
        };
        FakeOAuth { url: format!("http://{}", server.address()), authority, faults, traffic, server }
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

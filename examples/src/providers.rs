//! At whom do the examples connect accounts: at the providers, or at fakes of them?

use std::io::{self, IsTerminal};
use std::sync::Arc;

use clap::Parser;
use integrations_core::clock::{Clock, SystemClock};
use integrations_core::resilience::Limits;
use integrations_core::{Error, Gateway, GatewayBuilder, Result, ServiceAdapter};
use integrations_github::{GitHub, GitHubConfig};
use integrations_google::{Gmail, GoogleCalendar, GoogleConfig, GoogleTasks, calendar, gmail, tasks};
use integrations_msgraph::{GraphConfig, OutlookCalendar, OutlookMail};
use integrations_slack::{Slack, SlackConfig};
use integrations_testkit::oauth::{AccountSpec, Dialect, FakeOAuth, FakeOAuthBuilder};
use integrations_zoom::{Zoom, ZoomConfig};
use tokio::io::{AsyncBufReadExt, BufReader};
use url::Url;

use crate::loopback::{self, Loopback};
use crate::story::{self, Ports, Story};

pub use crate::story::Consent;

/// The five providers, or [a story](crate::story) about fakes of them.
#[derive(Debug)]
pub enum Providers {
    /// The providers.
    Real,
    /// The fakes.
    Fake(Box<Story>),
}

/// What a program of one service takes.
#[derive(Parser)]
struct Options {
    /// Use the provider itself, with the credentials that stand in the environment, instead of a fake.
    #[arg(long)]
    real: bool,
}

impl Providers {
    /// Fakes, unless the program was called with `--real`.
    pub async fn from_arguments() -> Self {
        if Options::parse().real { Self::Real } else { Self::fake().await }
    }

    /// Fakes that agree for their user.
    pub async fn fake() -> Self {
        Self::fake_at(Ports::default()).await
    }

    /// The same, on these ports.
    pub async fn fake_at(ports: Ports) -> Self {
        Self::Fake(Box::new(Story::begin_at(Consent::AtOnce, ports).await))
    }

    /// The story, if it is one.
    pub fn story(&self) -> Option<&Story> {
        match self {
            Self::Real => None,
            Self::Fake(story) => Some(story),
        }
    }

    /// The time that the providers live in.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.story().map_or_else(SystemClock::shared, Story::clock)
    }

    /// A gateway for them: at the providers a plain one, with the fakes one that lives in their time.
    pub fn gateway(&self) -> GatewayBuilder {
        let builder = Gateway::builder().clock(self.clock());
        if self.story().is_some() { without_quotas(builder) } else { builder }
    }

    /// The application at Google; the real one's credentials stand in `GOOGLE_CLIENT_ID` and
    /// `GOOGLE_CLIENT_SECRET`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration) when one of them is missing.
    pub fn google(&self) -> Result<GoogleConfig> {
        self.story().map_or_else(GoogleConfig::from_env, Story::google_config)
    }

    /// The app at Slack; the real one's credentials stand in `SLACK_CLIENT_ID` and `SLACK_CLIENT_SECRET`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration) when one of them is missing.
    pub fn slack(&self) -> Result<SlackConfig> {
        self.story().map_or_else(|| slack_from_env(Way::Program), Story::slack_config)
    }

    /// The application at Microsoft; the real one's credentials stand in `MICROSOFT_CLIENT_ID` and
    /// `MICROSOFT_CLIENT_SECRET`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration) when the former is missing.
    pub fn microsoft(&self) -> Result<GraphConfig> {
        self.story().map_or_else(GraphConfig::from_env, Story::graph_config)
    }

    /// The app at GitHub; the real one's credentials stand in `GITHUB_CLIENT_ID` and `GITHUB_CLIENT_SECRET`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration) when one of them is missing.
    pub fn github(&self) -> Result<GitHubConfig> {
        self.story().map_or_else(GitHubConfig::from_env, Story::github_config)
    }

    /// The app at Zoom; the real one's credentials stand in `ZOOM_CLIENT_ID` and `ZOOM_CLIENT_SECRET`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration) when one of them is missing.
    pub fn zoom(&self) -> Result<ZoomConfig> {
        self.story().map_or_else(ZoomConfig::from_env, Story::zoom_config)
    }

    /// The adapters of all that can be used, and what is missing for the others.
    pub fn adapters(&self) -> (Vec<Arc<dyn ServiceAdapter>>, Vec<Error>) {
        all(self.google(), self.slack(), self.microsoft(), self.github(), self.zoom())
    }

    /// Sends the user to the provider with their browser, and returns the address that they come back to.
    ///
    /// # Errors
    /// When nobody comes back.
    pub async fn send_user(&self, url: &Url, loopback: Loopback) -> io::Result<String> {
        let clock = self.clock();
        let came_back = loopback.came_back(url, &*clock);
        if self.story().is_some() {
            return Ok(tokio::try_join!(came_back, loopback::browse(url.as_str()))?.0);
        }
        eprintln!("Allow access in the browser, here:\n\n  {url}\n");
        if io::stderr().is_terminal() {
            loopback::open_browser(url.as_str());
        }
        came_back.await
    }

    /// Lets something happen: the next chapter of the story, or what the user does meanwhile.
    ///
    /// # Errors
    /// When the user cannot be asked.
    pub async fn let_something_happen(&self) -> io::Result<()> {
        if let Some(story) = self.story() {
            story.go_on();
            return Ok(());
        }
        eprint!("\nChange something there, then press Enter. ");
        BufReader::new(tokio::io::stdin()).lines().next_line().await.map(drop)
    }
}

/// The services.
const SERVICES: [&str; 8] = [
    calendar::SERVICE,
    gmail::SERVICE,
    tasks::SERVICE,
    integrations_slack::SERVICE,
    integrations_msgraph::calendar::SERVICE,
    integrations_msgraph::mail::SERVICE,
    integrations_github::SERVICE,
    integrations_zoom::SERVICE,
];

/// The fakes have no quota, and nobody wants to wait for what the providers' own would hold back.
pub fn without_quotas(builder: GatewayBuilder) -> GatewayBuilder {
    SERVICES.into_iter().fold(builder, |builder, service| builder.limits(service, Limits::UNKNOWN))
}

/// How users come back from Slack: to a page of the web, or to a program or a page on this machine. The latter
/// is for apps with PKCE alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To an address of this machine.
    Program,
    /// To an address with `https`.
    Web,
}

fn slack_from_env(way: Way) -> Result<SlackConfig> {
    let config = SlackConfig::from_env()?;
    if way == Way::Web {
        return Ok(config);
    }
    let read = |name| std::env::var(name).unwrap_or_default();
    SlackConfig::builder().client(read("SLACK_CLIENT_ID"), read("SLACK_CLIENT_SECRET")).pkce().build()
}

type Adapters = Vec<Arc<dyn ServiceAdapter>>;

/// One client for three services.
fn all_of_google(config: GoogleConfig) -> Adapters {
    vec![GoogleCalendar::new(config.clone()), Gmail::new(config.clone()), GoogleTasks::new(config)]
}

/// Eight services of five providers, as far as each can be used; and what is missing for the others.
fn all(
    google: Result<GoogleConfig>,
    slack: Result<SlackConfig>,
    microsoft: Result<GraphConfig>,
    github: Result<GitHubConfig>,
    zoom: Result<ZoomConfig>,
) -> (Adapters, Vec<Error>) {
    let parts: [Result<Adapters>; 5] = [
        google.map(all_of_google),
        microsoft
            .and_then(|config| Ok(vec![OutlookCalendar::new(config.clone())?, OutlookMail::new(config)?])),
        slack.and_then(Slack::new).map(|slack| vec![slack]),
        github.map(|config| vec![GitHub::new(config)]),
        zoom.and_then(Zoom::new).map(|zoom| vec![zoom]),
    ];
    let (mut adapters, mut missing) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Ok(mut part) => adapters.append(&mut part),
            Err(error) => missing.push(error),
        }
    }
    (adapters, missing)
}

/// The adapters of all providers whose credentials stand in the environment, and what is missing for the
/// others: `GOOGLE_`, `SLACK_`, `MICROSOFT_`, `GITHUB_`, `ZOOM_`, each with `CLIENT_ID` and `CLIENT_SECRET`.
pub fn real(way: Way) -> (Vec<Arc<dyn ServiceAdapter>>, Vec<Error>) {
    all(
        GoogleConfig::from_env(),
        slack_from_env(way),
        GraphConfig::from_env(),
        GitHubConfig::from_env(),
        ZoomConfig::from_env(),
    )
}

/// A fake of each provider. Ada and Grace have accounts at all of them; at Google, Ada alone.
#[derive(Debug)]
pub struct Fakes {
    /// Google and Slack.
    pub story: Story,
    /// The Microsoft identity platform.
    pub microsoft: FakeOAuth,
    /// GitHub, with an OAuth app: its tokens do not expire.
    pub github: FakeOAuth,
    /// Zoom.
    pub zoom: FakeOAuth,
}

impl Fakes {
    /// Starts them on free ports of this machine.
    pub async fn start(consent: Consent) -> Self {
        Self::start_with(consent, "Ada Lovelace").await
    }

    /// As [`start`](Self::start), with another name for Ada at those that have nothing but accounts.
    pub async fn start_with(consent: Consent, name: &str) -> Self {
        let oauth = |dialect| {
            let builder = FakeOAuth::builder(dialect)
                .account(AccountSpec::new(story::ADA).name(name))
                .account(AccountSpec::new("grace@example.com").name("Grace Hopper"));
            if consent == Consent::Page { builder.with_consent_page() } else { builder }
        };
        let start = FakeOAuthBuilder::start;
        Self {
            story: Story::begin(consent).await,
            microsoft: start(oauth(Dialect::Microsoft)).await,
            github: start(oauth(Dialect::GitHub).with_lasting_tokens()).await,
            zoom: start(oauth(Dialect::Zoom).app_scopes(&zoom_scopes())).await,
        }
    }

    /// The adapters for them.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration), if the family is wrong.
    pub fn adapters(&self) -> Result<Vec<Arc<dyn ServiceAdapter>>> {
        let Self { story, microsoft, github, zoom } = self;
        let secret = |fake: &FakeOAuth| fake.client_secret().unwrap_or_default().to_owned();
        let microsoft = GraphConfig::builder()
            .client(microsoft.client_id(), secret(microsoft))
            .base_url(microsoft.url())
            .build()?;
        let github = GitHubConfig::builder()
            .client(github.client_id(), secret(github))
            .base_url(github.url())
            .build()?;
        let zoom =
            ZoomConfig::builder().client(zoom.client_id(), secret(zoom)).base_url(zoom.url()).build()?;
        let mut adapters = all_of_google(story.google_config()?);
        adapters.extend([
            Slack::new(story.slack_config()?)?,
            integrations_msgraph::account(&microsoft)?,
            integrations_github::account(&github),
            integrations_zoom::account(&zoom)?,
        ]);
        Ok(adapters)
    }
}

/// Zoom's users grant what the app is set up for: this one reads, and writes nothing.
fn zoom_scopes() -> Vec<&'static str> {
    use integrations_zoom::scope;
    [scope::FOR_CONNECTING, scope::FOR_MEETINGS, scope::FOR_PAST_MEETINGS, scope::FOR_RECORDINGS].concat()
}

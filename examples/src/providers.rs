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
use integrations_zoom::{Zoom, ZoomConfig};
use tokio::io::{AsyncBufReadExt, BufReader};
use url::Url;

use crate::loopback::{self, Loopback};
use crate::story::{Ports, Story};

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

    /// Fakes that ask their user on a page.
    pub async fn asking() -> Self {
        Self::Fake(Box::new(Story::begin(Consent::Page).await))
    }

    /// Fakes that agree, on these ports.
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

    /// The app at Slack, for a program; the real one's credentials stand in `SLACK_CLIENT_ID` and
    /// `SLACK_CLIENT_SECRET`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration) when one of them is missing.
    pub fn slack(&self) -> Result<SlackConfig> {
        self.slack_for(Way::Program)
    }

    fn slack_for(&self, way: Way) -> Result<SlackConfig> {
        self.story().map_or_else(|| slack_from_env(way), Story::slack_config)
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

    /// The adapters of all that can be used by a program, and what is missing for the others.
    pub fn adapters(&self) -> (Vec<Arc<dyn ServiceAdapter>>, Vec<Error>) {
        self.adapters_for(Way::Program)
    }

    /// The adapters of all services whose credentials stand in the environment, or of the fakes; and what is
    /// missing for the others.
    pub fn adapters_for(&self, way: Way) -> (Vec<Arc<dyn ServiceAdapter>>, Vec<Error>) {
        let (mut adapters, mut missing) = (Vec::new(), Vec::new());
        for part in self.parts(way) {
            match part {
                Ok(mut part) => adapters.append(&mut part),
                Err(error) => missing.push(error),
            }
        }
        (adapters, missing)
    }

    /// One client for each provider, whatever the number of its services.
    fn parts(&self, way: Way) -> [Result<Vec<Arc<dyn ServiceAdapter>>>; 5] {
        let google = |config: GoogleConfig| {
            vec![GoogleCalendar::new(config.clone()), Gmail::new(config.clone()), GoogleTasks::new(config)]
        };
        let microsoft =
            |config: GraphConfig| Ok(vec![OutlookCalendar::new(config.clone())?, OutlookMail::new(config)?]);
        [
            self.google().map(google),
            self.microsoft().and_then(microsoft),
            self.slack_for(way).and_then(Slack::new).map(|slack| vec![slack]),
            self.github().map(|config| vec![GitHub::new(config)]),
            self.zoom().and_then(Zoom::new).map(|zoom| vec![zoom]),
        ]
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

//! At whom do the examples connect accounts: at the providers, or at fakes of them?

use std::sync::Arc;

use integrations_core::{Error, Result, ServiceAdapter};
use integrations_github::GitHubConfig;
use integrations_google::{GoogleCalendar, GoogleConfig};
use integrations_msgraph::GraphConfig;
use integrations_slack::{Slack, SlackConfig};
use integrations_testkit::google::{CalendarSpec, FakeGoogle};
use integrations_testkit::oauth::{AccountSpec, Dialect, FakeOAuth, FakeOAuthBuilder, Pkce};
use integrations_zoom::ZoomConfig;

/// The adapters of all providers whose credentials stand in the environment, and what is missing for the
/// others.
pub fn real() -> (Vec<Arc<dyn ServiceAdapter>>, Vec<Error>) {
    let all = [
        GoogleConfig::from_env().map(GoogleCalendar::new),
        SlackConfig::from_env().and_then(Slack::new),
        GraphConfig::from_env().and_then(|config| integrations_msgraph::account(&config)),
        GitHubConfig::from_env().map(|config| integrations_github::account(&config)),
        ZoomConfig::from_env().and_then(|config| integrations_zoom::account(&config)),
    ];
    let (mut adapters, mut missing) = (Vec::new(), Vec::new());
    for adapter in all {
        match adapter {
            Ok(adapter) => adapters.push(adapter),
            Err(error) => missing.push(error),
        }
    }
    (adapters, missing)
}

/// How a fake answers a user who is sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// It agrees for them.
    AtOnce,
    /// It asks on a page.
    Page,
}

/// A fake of each provider. Ada and Grace have accounts at all of them; at Google, Ada alone.
#[derive(Debug)]
pub struct Fakes {
    /// Google, with three calendars.
    pub google: FakeGoogle,
    /// Slack, with an app that uses PKCE: others may not send users back to this machine.
    pub slack: FakeOAuth,
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

    /// As [`start`](Self::start), with another name for Ada.
    pub async fn start_with(consent: Consent, name: &str) -> Self {
        let oauth = |dialect| {
            let builder = FakeOAuth::builder(dialect)
                .account(AccountSpec::new("ada@example.com").name(name))
                .account(AccountSpec::new("grace@example.com").name("Grace Hopper"));
            if consent == Consent::Page { builder.with_consent_page() } else { builder }
        };
        let slack = oauth(Dialect::Slack).pkce(Pkce::Required);
        let github = oauth(Dialect::GitHub).with_lasting_tokens();
        let zoom = oauth(Dialect::Zoom).app_scopes(&zoom_scopes());
        let start = FakeOAuthBuilder::start;
        Self {
            google: google(consent).await,
            slack: start(slack).await,
            microsoft: start(oauth(Dialect::Microsoft)).await,
            github: start(github).await,
            zoom: start(zoom).await,
        }
    }

    /// The adapters for them.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](integrations_core::ErrorKind::Configuration), if the family is wrong.
    pub fn adapters(&self) -> Result<Vec<Arc<dyn ServiceAdapter>>> {
        let Self { google, slack, microsoft, github, zoom } = self;
        let secret = |fake: &FakeOAuth| fake.client_secret().unwrap_or_default().to_owned();
        let google = GoogleConfig::builder()
            .client(google.client_id(), google.client_secret())
            .base_url(google.url())
            .build()?;
        let slack = SlackConfig::builder()
            .client(slack.client_id(), secret(slack))
            .base_url(slack.url())
            .pkce()
            .build()?;
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
        Ok(vec![
            GoogleCalendar::new(google),
            Slack::new(slack)?,
            integrations_msgraph::account(&microsoft)?,
            integrations_github::account(&github),
            integrations_zoom::account(&zoom)?,
        ])
    }
}

async fn google(consent: Consent) -> FakeGoogle {
    let calendar = |id: &str, name: &str, zone: &str| CalendarSpec::new(id).summary(name).time_zone(zone);
    FakeGoogle::builder()
        .user("ada@example.com")
        .calendar(calendar("ada@example.com", "Ada", "Europe/Berlin").primary().generated(40))
        .calendar(calendar("team@group.calendar.google.com", "Team", "America/New_York").generated(25))
        .calendar(calendar("tokyo@group.calendar.google.com", "Tokyo", "Asia/Tokyo").generated(10))
        .interactive(consent == Consent::Page)
        .start()
        .await
}

/// Zoom's users grant what the app is set up for: this one reads, and writes nothing.
fn zoom_scopes() -> Vec<&'static str> {
    use integrations_zoom::scope;
    [scope::FOR_CONNECTING, scope::FOR_MEETINGS, scope::FOR_PAST_MEETINGS, scope::FOR_RECORDINGS].concat()
}

//! What does the host have to say to use Slack?

use integrations_core::auth::Secret;
use integrations_core::http::Origins;
use integrations_core::{Error, ErrorKind, Result};
use url::Url;

/// The scopes that the family asks for, of a bot or of a user alike.
pub mod scope {
    /// What stands before a scope that is asked of the user for themselves, and not for the app's bot:
    /// `user:channels:history`.
    pub const USER: &str = "user:";
    /// The list of public channels.
    pub const CHANNELS_READ: &str = "channels:read";
    /// The list of private channels.
    pub const GROUPS_READ: &str = "groups:read";
    /// The list of direct messages.
    pub const IM_READ: &str = "im:read";
    /// The list of group messages.
    pub const MPIM_READ: &str = "mpim:read";
    /// The messages of public channels.
    pub const CHANNELS_HISTORY: &str = "channels:history";
    /// The messages of private channels.
    pub const GROUPS_HISTORY: &str = "groups:history";
    /// Direct messages.
    pub const IM_HISTORY: &str = "im:history";
    /// Group messages.
    pub const MPIM_HISTORY: &str = "mpim:history";
    /// Who people are.
    pub const USERS_READ: &str = "users:read";
    /// People's e-mail addresses, beside `users:read`.
    pub const USERS_READ_EMAIL: &str = "users:read.email";
    /// Sending, changing and deleting messages.
    pub const CHAT_WRITE: &str = "chat:write";
    /// Sending to public channels that the app is no member of.
    pub const CHAT_WRITE_PUBLIC: &str = "chat:write.public";
    /// Reading reactions.
    pub const REACTIONS_READ: &str = "reactions:read";
    /// Reacting.
    pub const REACTIONS_WRITE: &str = "reactions:write";

    /// What the list of channels needs.
    pub const FOR_CHANNELS: &[&str] = &[CHANNELS_READ, GROUPS_READ, IM_READ, MPIM_READ];
    /// What reading messages needs, beside [`FOR_CHANNELS`].
    pub const FOR_MESSAGES: &[&str] = &[CHANNELS_HISTORY, GROUPS_HISTORY, IM_HISTORY, MPIM_HISTORY];
    /// What reading people needs.
    pub const FOR_USERS: &[&str] = &[USERS_READ, USERS_READ_EMAIL];
    /// What writing needs.
    pub const FOR_WRITING: &[&str] = &[CHAT_WRITE, REACTIONS_WRITE];
}

/// An app at Slack, and where Slack is.
#[derive(Debug, Clone)]
pub struct SlackConfig {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) authorize_url: Url,
    pub(crate) token_url: Url,
    pub(crate) api_url: Url,
    pub(crate) pkce: bool,
}

impl SlackConfig {
    /// Describes an app.
    pub fn builder() -> SlackConfigBuilder {
        SlackConfigBuilder::default()
    }

    /// Reads `SLACK_CLIENT_ID` and `SLACK_CLIENT_SECRET` from the environment.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when one of them is missing.
    pub fn from_env() -> Result<Self> {
        let read = |name: &'static str| {
            std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
                Error::new(
                    ErrorKind::Configuration,
                    format!("{name} is not set; take it from the app's page at api.slack.com and set it"),
                )
            })
        };
        Self::builder().client(read("SLACK_CLIENT_ID")?, read("SLACK_CLIENT_SECRET")?).build()
    }

    /// Where tokens may go.
    pub fn origins(&self) -> Origins {
        Origins::of([&self.api_url])
    }
}

/// Builds a [`SlackConfig`].
#[derive(Debug, Default)]
pub struct SlackConfigBuilder {
    client: Option<(String, Secret)>,
    base_url: Option<String>,
    pkce: bool,
}

impl SlackConfigBuilder {
    /// The app's client id and secret, from its page at `api.slack.com`.
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        self.client = Some((id.into(), secret.into()));
        self
    }

    /// Uses PKCE. Only for an app that is set up for it, which cannot be undone: all its refresh tokens then
    /// expire after 30 days.
    pub fn pkce(mut self) -> Self {
        self.pkce = true;
        self
    }

    /// Takes one server for all of Slack's, e.g. a fake or a recording proxy. The paths stay Slack's.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The configuration.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the client is missing or the base address is none.
    pub fn build(self) -> Result<SlackConfig> {
        let (client_id, client_secret) = self.client.filter(|(id, _)| !id.is_empty()).ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                "the Slack client id is missing: call `client` on the builder",
            )
        })?;
        let base = self.base_url.as_deref().unwrap_or("https://slack.com").trim_end_matches('/');
        let url = |path: &str| {
            Url::parse(&format!("{base}{path}")).map_err(|_| {
                Error::new(ErrorKind::Configuration, "the base address for Slack is not an address")
            })
        };
        Ok(SlackConfig {
            client_id,
            client_secret,
            authorize_url: url("/oauth/v2/authorize")?,
            token_url: url("/api/oauth.v2.access")?,
            api_url: url("/api/")?,
            pkce: self.pkce,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_can_stand_for_all_and_no_secret_shows() {
        let builder = SlackConfig::builder().client("id", "CANARY-secret").base_url("http://127.0.0.1:9/");
        assert!(!format!("{builder:?}").contains("CANARY"));
        let config = builder.build().unwrap();
        assert!(!format!("{config:?}").contains("CANARY"));
        for url in [&config.authorize_url, &config.token_url, &config.api_url] {
            assert!(url.as_str().starts_with("http://127.0.0.1:9/"), "{url}");
        }
        assert!(config.origins().allow(&config.api_url));
    }

    #[test]
    fn what_is_missing_is_said() {
        let kind = |builder: SlackConfigBuilder| builder.build().unwrap_err().kind();
        assert_eq!(kind(SlackConfig::builder()), ErrorKind::Configuration);
        assert_eq!(kind(SlackConfig::builder().client("", "secret")), ErrorKind::Configuration);
        assert_eq!(kind(SlackConfig::builder().client("id", "x").base_url("none")), ErrorKind::Configuration);
    }
}

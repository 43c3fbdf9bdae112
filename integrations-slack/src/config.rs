//! What does the host have to say to use Slack?

use std::time::Duration;

use integrations_core::auth::Secret;
use integrations_core::http::Origins;
use integrations_core::resilience::Limits;
use integrations_core::{Error, ErrorKind, Result};
use url::Url;

use crate::limits;

const DAY: Duration = Duration::from_secs(86_400);

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

/// How messages may be read, which depends on how the app came to its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum History {
    /// The app is in Slack's Marketplace, or a customer's own: 50 calls a minute, 200 messages a call.
    #[default]
    Marketplace,
    /// The app is sold outside the Marketplace, and was made or installed after 29 May 2025: one call a minute
    /// of `conversations.history` and one of `conversations.replies`, with 15 messages each.
    Restricted,
}

impl History {
    /// How much may be asked at once.
    pub(crate) const fn limits(self) -> Limits {
        match self {
            Self::Marketplace => limits::LIMITS,
            Self::Restricted => limits::RESTRICTED,
        }
    }
}

/// How far back a run looks for what has changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LookBack {
    pub(crate) messages: Duration,
    pub(crate) threads: Duration,
    /// How many threads of a channel are looked at; by default what [`History`] can bear.
    pub(crate) most_threads: Option<usize>,
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
    pub(crate) history: History,
    pub(crate) look_back: LookBack,
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

    /// The same for an app whose messages may be read in this way.
    pub fn with_history(mut self, history: History) -> Self {
        self.history = history;
        self
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
    history: History,
    look_back: Option<Duration>,
    thread_look_back: Option<Duration>,
    most_threads: Option<usize>,
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

    /// Says how messages may be read; [`History::Marketplace`] by default.
    pub fn history(mut self, history: History) -> Self {
        self.history = history;
        self
    }

    /// How far before a channel's newest message each run reads again, to see what was edited, deleted or
    /// reacted to; a day by default. Of a busy channel less is read: no more than 500 messages, 15 where
    /// reading is [restricted](History::Restricted).
    pub fn look_back(mut self, time: Duration) -> Self {
        self.look_back = Some(time);
        self
    }

    /// For how long after its last reply a thread is looked at again, when its first message is older than what
    /// is [read again](Self::look_back); 7 days by default.
    pub fn thread_look_back(mut self, time: Duration) -> Self {
        self.thread_look_back = Some(time);
        self
    }

    /// How many such threads of a channel are looked at, those with the latest replies first: 20 by default, 2
    /// where reading is [restricted](History::Restricted), 100 at the most. Each costs a call in each run.
    pub fn threads(mut self, most: usize) -> Self {
        self.most_threads = Some(most);
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
            history: self.history,
            look_back: LookBack {
                messages: self.look_back.unwrap_or(DAY),
                threads: self.thread_look_back.unwrap_or(7 * DAY),
                most_threads: self.most_threads,
            },
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

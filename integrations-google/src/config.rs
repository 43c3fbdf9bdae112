//! What does the host have to say to use Google?

use integrations_core::auth::Secret;
use integrations_core::http::Origins;
use integrations_core::{Error, ErrorKind, Result};
use url::Url;

/// The scopes of Google's APIs that the family asks for.
pub mod scope {
    /// OpenID Connect: whose account it is.
    pub const OPENID: &str = "openid";
    /// The account's e-mail address, as it is asked for.
    pub const EMAIL: &str = "email";
    /// The account's e-mail address, as Google names it in its answer.
    pub const USERINFO_EMAIL: &str = "https://www.googleapis.com/auth/userinfo.email";
    /// The list of the user's calendars.
    pub const CALENDAR_LIST_READONLY: &str = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";
    /// The events of the user's calendars.
    pub const CALENDAR_EVENTS_READONLY: &str = "https://www.googleapis.com/auth/calendar.events.readonly";
    /// Reading and writing events.
    pub const CALENDAR_EVENTS: &str = "https://www.googleapis.com/auth/calendar.events";
    /// Reading everything of the calendars.
    pub const CALENDAR_READONLY: &str = "https://www.googleapis.com/auth/calendar.readonly";
    /// Reading and writing everything of the calendars.
    pub const CALENDAR: &str = "https://www.googleapis.com/auth/calendar";
    /// Reading mail.
    pub const GMAIL_READONLY: &str = "https://www.googleapis.com/auth/gmail.readonly";
    /// Reading mail, and changing labels.
    pub const GMAIL_MODIFY: &str = "https://www.googleapis.com/auth/gmail.modify";
    /// Sending mail.
    pub const GMAIL_SEND: &str = "https://www.googleapis.com/auth/gmail.send";
    /// Everything of a mailbox, deleting for ever among it.
    pub const GMAIL_ALL: &str = "https://mail.google.com/";
    /// Reading tasks.
    pub const TASKS_READONLY: &str = "https://www.googleapis.com/auth/tasks.readonly";
    /// Reading and writing tasks.
    pub const TASKS: &str = "https://www.googleapis.com/auth/tasks";
}

/// An application's client at Google, and where Google is.
#[derive(Debug, Clone)]
pub struct GoogleConfig {
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) authorize_url: Url,
    pub(crate) token_url: Url,
    pub(crate) revoke_url: Url,
    pub(crate) userinfo_url: Url,
    pub(crate) calendar_url: Url,
    pub(crate) gmail_url: Url,
    pub(crate) gmail_batch_url: Url,
    pub(crate) tasks_url: Url,
}

impl GoogleConfig {
    /// Describes a client.
    pub fn builder() -> GoogleConfigBuilder {
        GoogleConfigBuilder::default()
    }

    /// Reads `GOOGLE_CLIENT_ID` and `GOOGLE_CLIENT_SECRET` from the environment.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when one of them is missing.
    pub fn from_env() -> Result<Self> {
        let read = |name: &'static str| {
            std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
                Error::new(
                    ErrorKind::Configuration,
                    format!("{name} is not set; make an OAuth client in the Google Cloud console and set it"),
                )
            })
        };
        Self::builder().client(read("GOOGLE_CLIENT_ID")?, read("GOOGLE_CLIENT_SECRET")?).build()
    }

    /// Where a service's tokens may go: to the service, and to where Google says whose they are.
    pub(crate) fn origins(&self, service: &Url) -> Origins {
        Origins::of([&self.userinfo_url, service])
    }
}

/// Builds a [`GoogleConfig`].
#[derive(Debug, Default)]
pub struct GoogleConfigBuilder {
    client_id: Option<String>,
    client_secret: Option<Secret>,
    base_url: Option<String>,
}

impl GoogleConfigBuilder {
    /// The client's id and secret, from the Google Cloud console. Google wants the secret of web and
    /// desktop clients alike, beside PKCE.
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        self.client_id = Some(id.into());
        self.client_secret = Some(secret.into());
        self
    }

    /// Takes one server for all of Google's, e.g. a fake or a recording proxy. The paths stay Google's.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The configuration.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the client is missing or the base address is none.
    pub fn build(self) -> Result<GoogleConfig> {
        let client_id = self.client_id.filter(|id| !id.is_empty()).ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                "the Google client id is missing: call `client` on the builder",
            )
        })?;
        let base = self.base_url.as_deref().map(|base| base.trim_end_matches('/'));
        let url = |host: &str, path: &str| {
            let text = format!("{}{path}", base.unwrap_or(host));
            Url::parse(&text).map_err(|_| {
                Error::new(ErrorKind::Configuration, "the base address for Google is not an address")
            })
        };
        Ok(GoogleConfig {
            client_id,
            client_secret: self.client_secret,
            authorize_url: url("https://accounts.google.com", "/o/oauth2/v2/auth")?,
            token_url: url("https://oauth2.googleapis.com", "/token")?,
            revoke_url: url("https://oauth2.googleapis.com", "/revoke")?,
            userinfo_url: url("https://openidconnect.googleapis.com", "/v1/userinfo")?,
            calendar_url: url("https://www.googleapis.com", "/calendar/v3/")?,
            gmail_url: url("https://gmail.googleapis.com", "/gmail/v1/")?,
            gmail_batch_url: url("https://gmail.googleapis.com", "/batch")?,
            tasks_url: url("https://tasks.googleapis.com", "/tasks/v1/")?,
        })
    }
}

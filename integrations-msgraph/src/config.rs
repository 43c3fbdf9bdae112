//! What does the host have to say to use Microsoft Graph?

use chrono::TimeDelta;
use integrations_core::auth::Secret;
use integrations_core::http::Origins;
use integrations_core::{Error, ErrorKind, Result};
use url::Url;

/// The scopes of Microsoft's that the family asks for. Graph's may be given short, as here.
pub mod scope {
    /// OpenID Connect: whose account it is.
    pub const OPENID: &str = "openid";
    /// The account's name.
    pub const PROFILE: &str = "profile";
    /// The account's e-mail address.
    pub const EMAIL: &str = "email";
    /// A refresh token. Without it there is none.
    pub const OFFLINE_ACCESS: &str = "offline_access";
    /// The user's own profile.
    pub const USER_READ: &str = "User.Read";
    /// Reading calendars.
    pub const CALENDARS_READ: &str = "Calendars.Read";
    /// Reading and writing calendars.
    pub const CALENDARS_READ_WRITE: &str = "Calendars.ReadWrite";
    /// Reading calendars that others share.
    pub const CALENDARS_READ_SHARED: &str = "Calendars.Read.Shared";
    /// Reading mail.
    pub const MAIL_READ: &str = "Mail.Read";
    /// Reading and changing mail.
    pub const MAIL_READ_WRITE: &str = "Mail.ReadWrite";
    /// Sending mail.
    pub const MAIL_SEND: &str = "Mail.Send";
    /// The user's time zone and working hours.
    pub const MAILBOX_SETTINGS_READ: &str = "MailboxSettings.Read";

    /// What every connection needs.
    pub const FOR_CONNECTING: &[&str] = &[OPENID, PROFILE, EMAIL, OFFLINE_ACCESS, USER_READ];
    /// What reading calendars needs.
    pub const FOR_CALENDAR: &[&str] = &[CALENDARS_READ, MAILBOX_SETTINGS_READ];
    /// What writing to calendars needs.
    pub const FOR_CALENDAR_WRITING: &[&str] = &[CALENDARS_READ_WRITE, MAILBOX_SETTINGS_READ];
    /// What reading mail needs.
    pub const FOR_MAIL: &[&str] = &[MAIL_READ];
    /// What changing and sending mail needs.
    pub const FOR_MAIL_WRITING: &[&str] = &[MAIL_READ_WRITE, MAIL_SEND];
}

/// An application at the Microsoft identity platform, and where Microsoft is.
#[derive(Debug, Clone)]
pub struct GraphConfig {
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) authorize_url: Url,
    pub(crate) token_url: Url,
    pub(crate) api_url: Url,
    pub(crate) calendar: Horizon,
    pub(crate) hidden_folders: bool,
}

/// How far a calendar is read where the host's window has no beginning, or no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Horizon {
    pub(crate) back: TimeDelta,
    pub(crate) ahead: TimeDelta,
}

impl Default for Horizon {
    fn default() -> Self {
        Self { back: TimeDelta::days(180), ahead: TimeDelta::days(365) }
    }
}

impl GraphConfig {
    /// Describes an application.
    pub fn builder() -> GraphConfigBuilder {
        GraphConfigBuilder::default()
    }

    /// Reads `MICROSOFT_CLIENT_ID`, `MICROSOFT_CLIENT_SECRET` and `MICROSOFT_TENANT` from the environment.
    /// Without a secret it is a public client, and without a tenant it is open to all accounts.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the client id is missing or the tenant is none.
    pub fn from_env() -> Result<Self> {
        let read = |name: &'static str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let client_id = read("MICROSOFT_CLIENT_ID").ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                "MICROSOFT_CLIENT_ID is not set; register an application in the Entra admin center and set it",
            )
        })?;
        let mut builder = match read("MICROSOFT_CLIENT_SECRET") {
            Some(secret) => Self::builder().client(client_id, secret),
            None => Self::builder().public_client(client_id),
        };
        if let Some(tenant) = read("MICROSOFT_TENANT") {
            builder = builder.tenant(tenant);
        }
        builder.build()
    }

    /// Where tokens may go.
    pub fn origins(&self) -> Origins {
        Origins::of([&self.api_url])
    }
}

/// Builds a [`GraphConfig`].
#[derive(Debug, Default)]
pub struct GraphConfigBuilder {
    client_id: Option<String>,
    client_secret: Option<Secret>,
    tenant: Option<String>,
    base_url: Option<String>,
    calendar: Horizon,
    hidden_folders: bool,
}

impl GraphConfigBuilder {
    /// The application's id and secret, from the Entra admin center.
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        self.client_id = Some(id.into());
        self.client_secret = Some(secret.into());
        self
    }

    /// The application's id alone: Microsoft takes no secret from a public client, e.g. on a desktop.
    pub fn public_client(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self.client_secret = None;
        self
    }

    /// Whose accounts: `common` (the default, all), `organizations`, `consumers`, or a tenant's id or domain.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Takes one server for all of Microsoft's, e.g. a fake or a recording proxy. The paths stay
    /// Microsoft's.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// How far back a calendar is read where the [`Window`](integrations_core::sync::Window) of a sync has no
    /// beginning. Default 180 days.
    pub fn calendar_back(mut self, days: u32) -> Self {
        self.calendar.back = TimeDelta::days(days.into());
        self
    }

    /// How far ahead a calendar is read where the [`Window`](integrations_core::sync::Window) of a sync has no
    /// end; at least a day. Default 365 days. When less than half of it is left, the stretch of time moves on by
    /// itself.
    ///
    /// Graph may refuse a stretch that is too long; it is said to take five years.
    pub fn calendar_ahead(mut self, days: u32) -> Self {
        self.calendar.ahead = TimeDelta::days(days.max(1).into());
        self
    }

    /// Reads the folders of a mailbox, too, that Outlook does not show, and what is in them. By default they are
    /// left out: they are where Exchange and other programs keep things of their own.
    pub fn hidden_folders(mut self) -> Self {
        self.hidden_folders = true;
        self
    }

    /// The configuration.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the client is missing, or the tenant or the base address is none.
    pub fn build(self) -> Result<GraphConfig> {
        let wrong = |message: &'static str| Error::new(ErrorKind::Configuration, message);
        let client_id = self.client_id.filter(|id| !id.is_empty()).ok_or_else(|| {
            wrong("the Microsoft client id is missing: call `client` or `public_client` on the builder")
        })?;
        let tenant = self.tenant.as_deref().unwrap_or("common");
        // It stands in a path: nothing in it may lead to another.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if !tenant.bytes().all(plain) || tenant.starts_with('.') || tenant.is_empty() {
            return Err(wrong("the tenant is neither a name, nor an id, nor a domain"));
        }
        let base = self.base_url.as_deref().map(|base| base.trim_end_matches('/'));
        let url = |host: &str, path: &str| {
            Url::parse(&format!("{}{path}", base.unwrap_or(host)))
                .map_err(|_| wrong("the base address for Microsoft is not an address"))
        };
        let login = "https://login.microsoftonline.com";
        Ok(GraphConfig {
            client_id,
            client_secret: self.client_secret,
            authorize_url: url(login, &format!("/{tenant}/oauth2/v2.0/authorize"))?,
            token_url: url(login, &format!("/{tenant}/oauth2/v2.0/token"))?,
            api_url: url("https://graph.microsoft.com", "/v1.0/")?,
            calendar: self.calendar,
            hidden_folders: self.hidden_folders,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_can_stand_for_all_and_no_secret_shows() {
        let builder = GraphConfig::builder().client("id", "CANARY-secret").base_url("http://127.0.0.1:9/");
        assert!(!format!("{builder:?}").contains("CANARY"));
        let config = builder.build().unwrap();
        assert!(!format!("{config:?}").contains("CANARY"));
        for url in [&config.authorize_url, &config.token_url, &config.api_url] {
            assert!(url.as_str().starts_with("http://127.0.0.1:9/"), "{url}");
        }
        assert!(config.origins().allow(&config.api_url));
    }

    #[test]
    fn a_tenant_stands_in_the_path_and_leads_nowhere_else() {
        let build = |tenant: &str| GraphConfig::builder().public_client("id").tenant(tenant).build();
        let config = build("contoso.onmicrosoft.com").unwrap();
        assert_eq!(config.token_url.path(), "/contoso.onmicrosoft.com/oauth2/v2.0/token");
        for tenant in ["", "..", "a/b", "a?b", "a#b", "%2e%2e"] {
            assert_eq!(build(tenant).unwrap_err().kind(), ErrorKind::Configuration, "{tenant}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let kind = |builder: GraphConfigBuilder| builder.build().unwrap_err().kind();
        assert_eq!(kind(GraphConfig::builder()), ErrorKind::Configuration);
        assert_eq!(kind(GraphConfig::builder().client("", "secret")), ErrorKind::Configuration);
        assert_eq!(kind(GraphConfig::builder().client("id", "x").base_url("none")), ErrorKind::Configuration);
    }
}

//! What does the host have to say to use Zoom?

use std::time::Duration;

use chrono::TimeDelta;
use integrations_core::auth::Secret;
use integrations_core::http::Origins;
use integrations_core::{Error, ErrorKind, Result};
use url::Url;

const DAY: Duration = Duration::from_secs(86_400);

/// The scopes that the family asks for, in the names of the newer apps (granular scopes). They are chosen in the app's
/// settings; a user grants all of them or none.
pub mod scope {
    /// Whose account it is.
    pub const USER_READ: &str = "user:read:user";
    /// The list of meetings.
    pub const MEETINGS_LIST: &str = "meeting:read:list_meetings";
    /// One meeting.
    pub const MEETING_READ: &str = "meeting:read:meeting";
    /// One meeting that is over.
    pub const PAST_MEETING_READ: &str = "meeting:read:past_meeting";
    /// The sessions of a meeting that are over.
    pub const PAST_INSTANCES_LIST: &str = "meeting:read:list_past_instances";
    /// Who took part.
    pub const PAST_PARTICIPANTS_LIST: &str = "meeting:read:list_past_participants";
    /// Making a meeting.
    pub const MEETING_WRITE: &str = "meeting:write:meeting";
    /// Changing a meeting.
    pub const MEETING_UPDATE: &str = "meeting:update:meeting";
    /// Deleting a meeting.
    pub const MEETING_DELETE: &str = "meeting:delete:meeting";
    /// The list of recordings.
    pub const RECORDINGS_LIST: &str = "cloud_recording:read:list_user_recordings";
    /// The files of a recording.
    pub const RECORDING_FILES_LIST: &str = "cloud_recording:read:list_recording_files";
    /// The users of the account.
    pub const USERS_LIST: &str = "user:read:list_users:admin";

    /// What every connection needs.
    pub const FOR_CONNECTING: &[&str] = &[USER_READ];
    /// What reading meetings needs.
    pub const FOR_MEETINGS: &[&str] = &[MEETINGS_LIST, MEETING_READ];
    /// What reading meetings that are over needs.
    pub const FOR_PAST_MEETINGS: &[&str] =
        &[MEETINGS_LIST, PAST_MEETING_READ, PAST_INSTANCES_LIST, PAST_PARTICIPANTS_LIST];
    /// What reading recordings needs.
    pub const FOR_RECORDINGS: &[&str] = &[RECORDINGS_LIST, RECORDING_FILES_LIST];
    /// What will do as well for [`FOR_MEETINGS`]: for the whole account, and in the names of the older apps.
    pub const INSTEAD_FOR_MEETINGS: &[&[&str]] = &[
        &["meeting:read:list_meetings:admin", "meeting:read:meeting:admin"],
        &["meeting:read"],
        &["meeting:read:admin"],
    ];
    /// What will do as well for [`FOR_PAST_MEETINGS`].
    pub const INSTEAD_FOR_PAST_MEETINGS: &[&[&str]] = &[
        &[
            "meeting:read:list_meetings:admin",
            "meeting:read:past_meeting:admin",
            "meeting:read:list_past_instances:admin",
            "meeting:read:list_past_participants:admin",
        ],
        &["meeting:read"],
        &["meeting:read:admin"],
    ];
    /// What will do as well for [`FOR_RECORDINGS`].
    pub const INSTEAD_FOR_RECORDINGS: &[&[&str]] = &[
        &[
            "cloud_recording:read:list_user_recordings:admin",
            "cloud_recording:read:list_recording_files:admin",
        ],
        &["recording:read"],
        &["recording:read:admin"],
    ];
    /// What writing meetings needs.
    pub const FOR_WRITING: &[&str] = &[MEETING_WRITE, MEETING_UPDATE, MEETING_DELETE];
}

/// An app at Zoom, and where Zoom is.
#[derive(Debug, Clone)]
pub struct ZoomConfig {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) authorize_url: Url,
    pub(crate) token_url: Url,
    pub(crate) revoke_url: Url,
    pub(crate) api_url: Url,
    pub(crate) whole_account: bool,
    pub(crate) look_back: TimeDelta,
    pub(crate) rechecks: usize,
}

impl ZoomConfig {
    /// Describes an app.
    pub fn builder() -> ZoomConfigBuilder {
        ZoomConfigBuilder::default()
    }

    /// Reads `ZOOM_CLIENT_ID` and `ZOOM_CLIENT_SECRET` from the environment.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when one of them is missing.
    pub fn from_env() -> Result<Self> {
        let read = |name: &'static str| {
            std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or_else(|| {
                Error::new(
                    ErrorKind::Configuration,
                    format!("{name} is not set; take it from the app's page in the Zoom App Marketplace and set it"),
                )
            })
        };
        Self::builder().client(read("ZOOM_CLIENT_ID")?, read("ZOOM_CLIENT_SECRET")?).build()
    }

    /// Where tokens may go.
    pub fn origins(&self) -> Origins {
        Origins::of([&self.api_url])
    }
}

/// Builds a [`ZoomConfig`].
#[derive(Debug)]
pub struct ZoomConfigBuilder {
    client: Option<(String, Secret)>,
    base_url: Option<String>,
    whole_account: bool,
    look_back: Duration,
    rechecks: usize,
}

impl Default for ZoomConfigBuilder {
    fn default() -> Self {
        Self { client: None, base_url: None, whole_account: false, look_back: 3 * DAY, rechecks: 20 }
    }
}

impl ZoomConfigBuilder {
    /// The app's client id and secret, from its page in the Zoom App Marketplace.
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        self.client = Some((id.into(), secret.into()));
        self
    }

    /// Takes one server for all of Zoom's, e.g. a fake or a recording proxy. The paths stay Zoom's.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Reads the meetings of every active user of the account, and not those of `me`. A Server-to-Server app has
    /// to: it has no `me`. An app that an administrator installs for the account may. Needs the scopes that end
    /// in `:admin`, and [`USERS_LIST`](scope::USERS_LIST).
    pub fn whole_account(mut self) -> Self {
        self.whole_account = true;
        self
    }

    /// How far back a run looks again at meetings that were held, for those that Zoom tells of late, and their
    /// recordings. 3 days by default, 28 at the most.
    pub fn look_back(mut self, look_back: Duration) -> Self {
        self.look_back = look_back.min(28 * DAY);
        self
    }

    /// How many planned meetings a run looks at in turn, for changes that Zoom's list does not show. 20 by
    /// default, at a call each; a user who has no more planned has every change seen by the next run.
    pub fn rechecks(mut self, meetings: usize) -> Self {
        self.rechecks = meetings;
        self
    }

    /// The configuration.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the client is missing or the base address is none.
    pub fn build(self) -> Result<ZoomConfig> {
        let (client_id, client_secret) = self.client.filter(|(id, _)| !id.is_empty()).ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                "the Zoom client id is missing: call `client` on the builder",
            )
        })?;
        let base = self.base_url.as_deref().map(|base| base.trim_end_matches('/'));
        let url = |host: &str, path: &str| {
            Url::parse(&format!("{}{path}", base.unwrap_or(host))).map_err(|_| {
                Error::new(ErrorKind::Configuration, "the base address for Zoom is not an address")
            })
        };
        Ok(ZoomConfig {
            client_id,
            client_secret,
            authorize_url: url("https://zoom.us", "/oauth/authorize")?,
            token_url: url("https://zoom.us", "/oauth/token")?,
            revoke_url: url("https://zoom.us", "/oauth/revoke")?,
            api_url: url("https://api.zoom.us", "/v2/")?,
            whole_account: self.whole_account,
            look_back: TimeDelta::from_std(self.look_back).unwrap_or(TimeDelta::days(28)),
            rechecks: self.rechecks,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_can_stand_for_all_and_no_secret_shows() {
        let builder = ZoomConfig::builder().client("id", "CANARY-secret").base_url("http://127.0.0.1:9/");
        assert!(!format!("{builder:?}").contains("CANARY"));
        let config = builder.build().unwrap();
        assert!(!format!("{config:?}").contains("CANARY"));
        for url in [&config.authorize_url, &config.token_url, &config.revoke_url, &config.api_url] {
            assert!(url.as_str().starts_with("http://127.0.0.1:9/"), "{url}");
        }
        assert!(config.origins().allow(&config.api_url));
    }

    #[test]
    fn what_is_missing_is_said() {
        let kind = |builder: ZoomConfigBuilder| builder.build().unwrap_err().kind();
        assert_eq!(kind(ZoomConfig::builder()), ErrorKind::Configuration);
        assert_eq!(kind(ZoomConfig::builder().client("", "secret")), ErrorKind::Configuration);
        assert_eq!(kind(ZoomConfig::builder().client("id", "x").base_url("none")), ErrorKind::Configuration);
    }
}

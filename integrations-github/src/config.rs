//! What does the host have to say to use GitHub?

use std::fmt;

use integrations_core::auth::Secret;
use integrations_core::http::Origins;
use integrations_core::{Error, ErrorKind, Result};
use jsonwebtoken::EncodingKey;
use url::Url;

/// The scopes that the family asks for. They are for OAuth apps: a GitHub App has permissions instead,
/// which are set in its settings.
pub mod scope {
    /// Issues, pull requests and comments of all repositories, to read and to write: there is no scope
    /// that reads alone.
    pub const REPO: &str = "repo";
    /// The same of public repositories alone.
    pub const PUBLIC_REPO: &str = "public_repo";
    /// The user's notifications.
    pub const NOTIFICATIONS: &str = "notifications";
    /// The user's e-mail addresses.
    pub const USER_EMAIL: &str = "user:email";
    /// The organisations that the user is a member of.
    pub const READ_ORG: &str = "read:org";
    /// Webhooks of repositories.
    pub const WRITE_REPO_HOOK: &str = "write:repo_hook";

    /// What issues, pull requests and comments need.
    pub const FOR_ISSUES: &[&str] = &[REPO, READ_ORG];
    /// What notifications need.
    pub const FOR_NOTIFICATIONS: &[&str] = &[NOTIFICATIONS];
    /// What push needs, beside [`FOR_ISSUES`].
    pub const FOR_PUSH: &[&str] = &[WRITE_REPO_HOOK];
}

/// An application at GitHub, and where GitHub is.
#[derive(Debug, Clone)]
pub struct GitHubConfig {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) authorize_url: Url,
    pub(crate) token_url: Url,
    pub(crate) api_url: Url,
    pub(crate) graphql_url: Url,
    pub(crate) private_key: Option<AppKey>,
}

/// The key by which a GitHub App shows that it is itself.
#[derive(Clone)]
pub(crate) struct AppKey(pub(crate) EncodingKey);

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppKey(…)")
    }
}

impl GitHubConfig {
    /// Describes an application.
    pub fn builder() -> GitHubConfigBuilder {
        GitHubConfigBuilder::default()
    }

    /// Reads `GITHUB_CLIENT_ID`, `GITHUB_CLIENT_SECRET`, `GITHUB_PRIVATE_KEY` and `GITHUB_ENTERPRISE_URL`
    /// from the environment. The key is for Apps with installations; without the last it is `github.com`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the id or the secret is missing, or the address is none.
    pub fn from_env() -> Result<Self> {
        let find = |name: &'static str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let read = |name: &'static str| {
            find(name).ok_or_else(|| {
                Error::new(
                    ErrorKind::Configuration,
                    format!(
                        "{name} is not set; take it from the application's settings at GitHub and set it"
                    ),
                )
            })
        };
        let mut builder = Self::builder().client(read("GITHUB_CLIENT_ID")?, read("GITHUB_CLIENT_SECRET")?);
        if let Some(pem) = find("GITHUB_PRIVATE_KEY") {
            builder = builder.private_key(pem);
        }
        match find("GITHUB_ENTERPRISE_URL") {
            Some(url) => builder.enterprise_url(url).build(),
            None => builder.build(),
        }
    }

    /// Where tokens may go.
    pub fn origins(&self) -> Origins {
        Origins::of([&self.api_url, &self.graphql_url])
    }
}

/// Builds a [`GitHubConfig`].
#[derive(Debug, Default)]
pub struct GitHubConfigBuilder {
    client: Option<(String, Secret)>,
    enterprise_url: Option<String>,
    base_url: Option<String>,
    private_key: Option<Secret>,
}

impl GitHubConfigBuilder {
    /// The application's client id and secret, from its settings at GitHub.
    pub fn client(mut self, id: impl Into<String>, secret: impl Into<Secret>) -> Self {
        self.client = Some((id.into(), secret.into()));
        self
    }

    /// The GitHub App's private key, as the PEM file from its settings. Installations need it: the App then
    /// acts without a user.
    pub fn private_key(mut self, pem: impl Into<Secret>) -> Self {
        self.private_key = Some(pem.into());
        self
    }

    /// A GitHub Enterprise Server, e.g. `https://github.example.com`, whose API has paths of its own.
    pub fn enterprise_url(mut self, url: impl Into<String>) -> Self {
        self.enterprise_url = Some(url.into());
        self
    }

    /// Takes one server for all of GitHub's, e.g. a fake or a recording proxy. The paths stay those of
    /// `github.com`, or of the Enterprise Server where one is named.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The configuration.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the client is missing or an address is none.
    pub fn build(self) -> Result<GitHubConfig> {
        let (client_id, client_secret) = self.client.filter(|(id, _)| !id.is_empty()).ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                "the GitHub client id is missing: call `client` on the builder",
            )
        })?;
        let private_key = self.private_key.as_ref().map(|pem| {
            EncodingKey::from_rsa_pem(pem.expose().as_bytes()).map(AppKey).map_err(|_| {
                Error::new(
                    ErrorKind::Configuration,
                    "the GitHub App's private key is no RSA key in PEM; take the file from the App's settings",
                )
            })
        });
        let private_key = private_key.transpose()?;
        let url = |host: &str, path: &str| {
            let host = self.base_url.as_deref().unwrap_or(host).trim_end_matches('/');
            Url::parse(&format!("{host}{path}")).map_err(|_| {
                Error::new(ErrorKind::Configuration, "the base address for GitHub is not an address")
            })
        };
        let (web, api, rest, graphql) = match &self.enterprise_url {
            Some(host) => (host.as_str(), host.as_str(), "/api/v3/", "/api/graphql"),
            None => ("https://github.com", "https://api.github.com", "/", "/graphql"),
        };
        Ok(GitHubConfig {
            client_id,
            client_secret,
            authorize_url: url(web, "/login/oauth/authorize")?,
            token_url: url(web, "/login/oauth/access_token")?,
            api_url: url(api, rest)?,
            graphql_url: url(api, graphql)?,
            private_key,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_can_stand_for_all_and_no_secret_shows() {
        let builder = GitHubConfig::builder().client("id", "CANARY-secret").base_url("http://127.0.0.1:9/");
        assert!(!format!("{builder:?}").contains("CANARY"));
        let config = builder.build().unwrap();
        assert!(!format!("{config:?}").contains("CANARY"));
        for url in [&config.authorize_url, &config.token_url, &config.api_url, &config.graphql_url] {
            assert!(url.as_str().starts_with("http://127.0.0.1:9/"), "{url}");
        }
        assert!(config.origins().allow(&config.api_url));
    }

    #[test]
    fn an_enterprise_server_has_paths_of_its_own() {
        let builder = GitHubConfig::builder().client("id", "secret");
        let config = builder.enterprise_url("https://github.example.com/").build().unwrap();
        assert_eq!(config.api_url.as_str(), "https://github.example.com/api/v3/");
        assert_eq!(config.graphql_url.as_str(), "https://github.example.com/api/graphql");
        assert_eq!(config.token_url.as_str(), "https://github.example.com/login/oauth/access_token");
    }

    #[test]
    fn what_is_missing_is_said() {
        let kind = |builder: GitHubConfigBuilder| builder.build().unwrap_err().kind();
        assert_eq!(kind(GitHubConfig::builder()), ErrorKind::Configuration);
        assert_eq!(kind(GitHubConfig::builder().client("", "secret")), ErrorKind::Configuration);
        assert_eq!(
            kind(GitHubConfig::builder().client("id", "x").base_url("none")),
            ErrorKind::Configuration
        );
    }
}

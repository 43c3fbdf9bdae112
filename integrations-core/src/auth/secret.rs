//! How is a secret held in memory?

use std::fmt;
use std::time::Duration;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, ErrorKind, Result};

/// A secret text: no readable `Debug`, not serialisable, overwritten when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes in a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(SecretString::from(secret.into()))
    }

    /// The secret itself. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self::new(secret)
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self::new(secret)
    }
}

/// A token that opens the provider's API for a while.
#[derive(Debug, Clone)]
pub struct AccessToken {
    secret: Secret,
    bearer: HeaderValue,
}

impl AccessToken {
    /// Takes in a token.
    ///
    /// # Errors
    /// [`ErrorKind::DataFormat`] when the text cannot stand in a header (RFC 6750, 2.1).
    pub fn new(token: impl Into<String>) -> Result<Self> {
        let secret = Secret::new(token);
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", secret.expose())).map_err(|_| {
            Error::new(ErrorKind::DataFormat, "the access token holds characters that no header may hold")
        })?;
        // HTTP clients neither log nor index a sensitive value.
        bearer.set_sensitive(true);
        Ok(Self { secret, bearer })
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        self.secret.expose()
    }

    /// The `Authorization` header (RFC 6750), marked as sensitive.
    pub fn bearer(&self) -> HeaderValue {
        self.bearer.clone()
    }
}

/// A token that is exchanged for fresh access tokens.
#[derive(Debug, Clone)]
pub struct RefreshToken(Secret);

impl RefreshToken {
    /// Takes in a token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(Secret::new(token))
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// What a provider's token endpoint answers.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TokenSet {
    /// The access token.
    pub access: AccessToken,
    /// The refresh token; `None` means that the one before stays valid.
    pub refresh: Option<RefreshToken>,
    /// How long the access token lives; `None` for one that does not expire.
    pub expires_in: Option<Duration>,
    /// The scopes that were granted; `None` means those that were asked for (RFC 6749, 5.1).
    pub scopes: Option<Vec<String>>,
}

impl TokenSet {
    /// An answer with an access token alone.
    pub fn new(access: AccessToken) -> Self {
        Self { access, refresh: None, expires_in: None, scopes: None }
    }

    /// Adds the refresh token.
    pub fn with_refresh(mut self, refresh: Option<RefreshToken>) -> Self {
        self.refresh = refresh;
        self
    }

    /// Says how long the access token lives.
    pub fn with_expires_in(mut self, expires_in: Option<Duration>) -> Self {
        self.expires_in = expires_in;
        self
    }

    /// Says what was granted.
    pub fn with_scopes(mut self, scopes: Option<Vec<String>>) -> Self {
        self.scopes = scopes;
        self
    }
}

/// The tokens of a connection, opened.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// The access token.
    pub access: AccessToken,
    /// The refresh token, if the provider gave one.
    pub refresh: Option<RefreshToken>,
}

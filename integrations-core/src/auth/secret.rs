//! How is a secret held in memory?

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::connection::Account;
use crate::error::{Error, ErrorKind, Result};

/// A secret text: no readable `Debug`, not serialisable, overwritten when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes in a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        let secret = secret.into();
        if secret.capacity() == secret.len() {
            return Self(SecretString::from(secret));
        }
        // Fitting a text into less memory may move it and leave the old bytes behind.
        Self(SecretString::from(Zeroizing::new(secret).as_str()))
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

/// A token that opens the provider's API for a while, and the header that carries it.
#[derive(Debug, Clone)]
pub struct AccessToken {
    secret: Secret,
    name: HeaderName,
    value: HeaderValue,
}

impl AccessToken {
    /// Takes in a bearer token (RFC 6750): `Authorization: Bearer …`.
    ///
    /// # Errors
    /// [`ErrorKind::DataFormat`] when the text cannot stand in a header.
    pub fn new(token: impl Into<String>) -> Result<Self> {
        Self::in_header(AUTHORIZATION, "Bearer", token)
    }

    /// Takes in a token that goes in another header, or under another scheme: `X-Api-Key: …` with an empty
    /// scheme, `Authorization: token …`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn in_header(name: HeaderName, scheme: &str, token: impl Into<String>) -> Result<Self> {
        let secret = Secret::new(token);
        let separator = if scheme.is_empty() { "" } else { " " };
        let text = [scheme, separator, secret.expose()];
        // Large enough from the start: a buffer that grows leaves its old bytes behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.iter().map(|part| part.len()).sum()));
        for part in text {
            bytes.extend_from_slice(part.as_bytes());
        }
        let refused =
            || Error::new(ErrorKind::DataFormat, "the access token holds characters that no header may hold");
        if !bytes.is_ascii() {
            return Err(refused());
        }
        // The header is overwritten with its last clone, as the secret is.
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(bytes)).map_err(|_| refused())?;
        // HTTP clients neither log nor index a sensitive value.
        value.set_sensitive(true);
        Ok(Self { secret, name, value })
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        self.secret.expose()
    }

    /// The header that carries it; the value is marked as sensitive.
    pub fn header(&self) -> (HeaderName, HeaderValue) {
        (self.name.clone(), self.value.clone())
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
    /// Whose tokens they are, where the answer says so already.
    pub account: Option<Account>,
    /// Further tokens of the same answer that live lives of their own, e.g. the user's beside the bot's.
    /// Each becomes a connection.
    pub others: Vec<TokenSet>,
}

impl TokenSet {
    /// An answer with an access token alone.
    pub fn new(access: AccessToken) -> Self {
        Self { access, refresh: None, expires_in: None, scopes: None, account: None, others: Vec::new() }
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

    /// Says whose tokens they are.
    pub fn with_account(mut self, account: Option<Account>) -> Self {
        self.account = account;
        self
    }

    /// Adds tokens of the same answer that live a life of their own.
    pub fn with_other(mut self, other: TokenSet) -> Self {
        self.others.push(other);
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

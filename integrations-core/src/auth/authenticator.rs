//! How does a provider connect an account, keep it connected and let it go?
//!
//! [`Authenticator`] is a provider's dialect of OAuth, one for all its services. It is stateless; every
//! call goes through the [`Session`] that it is given, and with it through the pipeline.

use std::fmt;

use async_trait::async_trait;
use url::Url;

use super::flow::{AuthorizationRequest, CodeGrant};
use super::secret::{RefreshToken, TokenSet, Tokens};
use crate::connection::Account;
use crate::error::{Error, ErrorKind, Result};
use crate::http::Session;

/// A provider's way to grants. Only [`identify`](Self::identify) is needed; what a provider does not
/// offer is refused with [`ErrorKind::UnsupportedOperation`].
///
/// # Cancel safety
/// Every future may be dropped at any await, as far as this trait is concerned: it keeps no state. Whether
/// an exchange that was dropped took place is the provider's secret, so the family never drops one.
#[async_trait]
pub trait Authenticator: fmt::Debug + Send + Sync + 'static {
    /// Who the provider says it is in a callback's `iss` (RFC 9207); `None` when it does not say.
    fn issuer(&self) -> Option<Issuer<'_>> {
        None
    }

    /// Where to send the user, to be asked for the grant.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] or [`ErrorKind::InvalidRequest`].
    fn authorization_url(&self, _request: &AuthorizationRequest) -> Result<Url> {
        Err(not_offered("users cannot be sent to this provider; connect with a key or as an application"))
    }

    /// Exchanges the code that the user came back with. Never repeated: the code may be burned. The session
    /// has no token.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidCredentials`] for the application's own credentials, and
    /// [`ErrorKind::ReauthorizationRequired`] when the code is not valid (any more).
    async fn authenticate(&self, _session: &Session, _grant: &CodeGrant) -> Result<TokenSet> {
        Err(not_offered("the provider has no codes to exchange"))
    }

    /// Exchanges a refresh token for fresh tokens. The session has no token.
    ///
    /// # Errors
    /// [`ErrorKind::ReauthorizationRequired`] when the grant is gone.
    async fn refresh_token(&self, _session: &Session, _refresh: &RefreshToken) -> Result<TokenSet> {
        Err(not_offered("the provider has no refresh tokens"))
    }

    /// Makes a token for the application itself, without a user: `subject` says where it acts, e.g. a
    /// GitHub App's installation or a Zoom account. The session has no token.
    ///
    /// # Errors
    /// [`ErrorKind::ReauthorizationRequired`] when the application may not act there (any more).
    async fn mint_token(&self, _session: &Session, _subject: &str) -> Result<TokenSet> {
        Err(not_offered("the application cannot act at this provider without a user"))
    }

    /// Takes the grant back at the provider. A grant that is gone already is no error. The session has no
    /// token.
    ///
    /// # Errors
    /// What kept the provider from taking it back. By default there is nothing to call, and that is no
    /// error.
    async fn revoke_access(&self, _session: &Session, _tokens: &Tokens) -> Result<()> {
        Ok(())
    }

    /// Whose account it is.
    ///
    /// # Errors
    /// Those of the call.
    async fn identify(&self, session: &Session) -> Result<Account>;
}

/// What a provider says of itself in a callback (RFC 9207).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issuer<'a> {
    /// Its `iss`.
    pub name: &'a str,
    /// Whether it always says so: then a callback without `iss` comes from somebody else.
    pub always: bool,
}

fn not_offered(message: &'static str) -> Error {
    Error::new(ErrorKind::UnsupportedOperation, message)
}

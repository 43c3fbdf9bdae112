//! How is an account connected, and how does it stay connected?
//!
//! * [`OAuthManager`] sends the user to the provider and takes them back: PKCE S256, and a state that
//!   is bound to the user, lives 600 s and is used once.
//! * [`Vault`] seals the tokens with AES-256-GCM before anything stores them.
//! * [`TokenManager`] hands out fresh tokens and exchanges each refresh token at most once.
//! * [`TokenStore`] is the host's storage of connections.

mod authenticator;
#[cfg(feature = "oauth")]
mod client;
mod flow;
mod scopes;
mod secret;
mod store;
mod tokens;
mod vault;

pub use self::authenticator::{Authenticator, Issuer};
#[cfg(feature = "oauth")]
pub use self::client::{
    ClientAuthentication, OAUTH_RULES, OAuthClient, OAuthEndpoints, ReadTokens, oauth_error, oauth_judge,
    standard_tokens, tokens_with_scopes,
};
pub(crate) use self::flow::connecting;
pub use self::flow::{
    Authorization, AuthorizationRequest, Begin, Callback, CodeGrant, Grant, OAuthManager, STATE_TTL,
};
pub use self::scopes::{Feature, Level};
pub use self::secret::{AccessToken, RefreshToken, Secret, TokenSet, Tokens};
pub use self::store::{ConnectionFilter, RefreshGuard, TokenStore};
pub use self::tokens::{LiveToken, TokenManager, TokenParts, TokenSettings};
pub use self::vault::{Binding, KEY_VARIABLE, Sealed, SealedTokens, Vault};

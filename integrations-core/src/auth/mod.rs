//! How is an account connected, and how does it stay connected?
//!
//! * [`OAuthManager`] sends the user to the provider and takes them back: PKCE S256, and a state that
//!   is bound to the user, lives 600 s and is used once.
//! * [`Vault`] seals the tokens with AES-256-GCM before anything stores them.
//! * [`TokenManager`] hands out fresh tokens and exchanges each refresh token at most once.
//! * [`TokenStore`] is the host's storage of connections.

#[cfg(feature = "oauth")]
mod client;
mod flow;
mod secret;
mod store;
mod tokens;
mod vault;

#[cfg(feature = "oauth")]
pub use self::client::{Classify, OAUTH_RULES, OAuthClient, OAuthEndpoints, oauth_error};
pub use self::flow::{
    Authorization, AuthorizationRequest, Callback, CodeGrant, Grant, OAuthManager, STATE_TTL,
};
pub use self::secret::{AccessToken, RefreshToken, Secret, TokenSet, Tokens};
pub use self::store::{ConnectionFilter, RefreshGuard, TokenStore};
pub use self::tokens::{LiveToken, TokenManager, TokenParts};
pub use self::vault::{Binding, KEY_VARIABLE, Sealed, SealedTokens, Vault};

//! How is an account connected, and how does it stay connected?
//!
//! * [`OAuthManager`] sends the user to the provider and takes them back: PKCE S256, and a state that
//!   is bound to the user, lives 600 s and is used once.
//! * [`Vault`] seals the tokens with AES-256-GCM before anything stores them.
//! * [`TokenManager`] hands out fresh tokens and exchanges each refresh token at most once.
//! * [`TokenStore`] is the host's storage of connections.
//!
//! # Changing the key
//!
//! A new key takes over while everything runs, in this order. A step is done when *every* process that
//! shares the storage has taken it; a process takes over a ring by [`Vault::reload`] or a restart.
//!
//! 1. **Add** the new key to the ring, not as the primary one. Now everybody can read what anybody seals.
//! 2. **Make it primary.** Now nobody seals with the old key any more.
//! 3. **Rotate**: [`Gateway::rotate_keys`](crate::Gateway::rotate_keys) in one process seals all stored
//!    tokens anew. It may be stopped and run again at any time. Run it until a report
//!    [is complete](RotationReport::is_complete).
//! 4. **Drop** the old key from the ring, [`STATE_TTL`] (10 minutes) after step 2 at the earliest: users
//!    who are at a provider's page come back to a verifier that it has sealed, and would have to begin
//!    again.
//!
//! If a process seals with the old key after all, e.g. one that was started with an old configuration
//! behind step 3, it is the next rotation that finds it: keep the old key until one has run behind the
//! last such process. A process without the new key answers [`Configuration`](crate::ErrorKind::Configuration)
//! with code `unknown_key`, leaves the connection as it is, and goes on once its ring has the key.
//!
//! A key should be changed before it has sealed 2³² values (NIST SP 800-38D, 8.3), and at once when it
//! may have been seen. Then remember what still holds values under it: backups, and what a database has not
//! yet overwritten (for SQLite, `SqliteStore::compact` of `integrations-stores` does). The tokens in them are
//! ended at the provider by disconnecting and connecting again.

mod authenticator;
#[cfg(feature = "oauth")]
mod client;
mod flow;
mod keys;
mod rotation;
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
pub use self::keys::{EncryptionKey, KEY_VARIABLE, KeyProvider, KeyRing};
pub use self::rotation::{RotationReport, RotationSettings, rotate_keys};
pub use self::scopes::{Feature, Level};
pub use self::secret::{AccessToken, RefreshToken, Secret, TokenSet, Tokens};
pub use self::store::{ConnectionFilter, RefreshGuard, TokenStore};
pub use self::tokens::{LiveToken, TokenManager, TokenParts, TokenSettings};
pub use self::vault::{Binding, Sealed, SealedTokens, Vault};

//! Whose account is connected to which service?

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use http::HeaderName;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::auth::{AccessToken, SealedTokens};
use crate::error::{Error, ErrorKind, Result};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text of an id.
            pub fn new(id: impl Into<Arc<str>>) -> Self {
                Self(id.into())
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), &self.0)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.into())
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id.into())
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }
    };
}
pub(crate) use id;

id!(
    /// A tenant of the host application. Hosts with a single tenant never name it.
    TenantId
);
id!(
    /// A user of the host application, as the host names them.
    UserId
);
id!(
    /// A service of a provider, e.g. `google_calendar`.
    ServiceId
);
id!(
    /// A connection: one account of one user at one service.
    ConnectionId
);
id!(
    /// An account as the provider names it, e.g. the `sub` of OpenID Connect. Never an e-mail address.
    AccountId
);
id!(
    /// A partition of a service's data that has a position of its own, e.g. one calendar.
    StreamId
);

impl TenantId {
    /// The tenant of hosts that have just one: `default`.
    pub fn single() -> Self {
        Self::new("default")
    }
}

/// A user of the host within a tenant.
///
/// A plain user id stands for that user of the [single](TenantId::single) tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Owner {
    /// The tenant that the user belongs to.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
}

impl Owner {
    /// A user of a tenant.
    pub fn new(tenant: impl Into<TenantId>, user: impl Into<UserId>) -> Self {
        Self { tenant: tenant.into(), user: user.into() }
    }
}

impl<T: Into<UserId>> From<T> for Owner {
    fn from(user: T) -> Self {
        Self { tenant: TenantId::single(), user: user.into() }
    }
}

/// The account at the provider that a connection is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The provider's stable id of the account.
    pub id: AccountId,
    /// The account's e-mail address, for people to read. It may change; never use it as a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The account's display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Where a connection stands in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConnectionStatus {
    /// Ready for use.
    Active,
    /// The grant does not work any more; the user has to connect again. Data and positions are kept.
    ReauthorizationRequired {
        /// Why, for people to read.
        reason: String,
        /// What the provider wants to see at the next authorisation: Microsoft's `claims`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        challenge: Option<String>,
    },
    /// The grant was taken back, at the provider or by an administrator there. Data and positions are kept;
    /// the user may connect again.
    Revoked {
        /// Why, for people to read.
        reason: String,
    },
    /// The host has stopped its use for a while.
    Paused,
}

impl ConnectionStatus {
    /// The stable name, in snake case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::ReauthorizationRequired { .. } => "reauthorization_required",
            Self::Revoked { .. } => "revoked",
            Self::Paused => "paused",
        }
    }

    /// Whether only the user can bring it back to life, by connecting again.
    pub fn needs_user(&self) -> bool {
        matches!(self, Self::ReauthorizationRequired { .. } | Self::Revoked { .. })
    }

    /// Why it cannot be used.
    ///
    /// # Errors
    /// [`ErrorKind::ReauthorizationRequired`] where the user has to connect again, and
    /// [`ErrorKind::InvalidRequest`] with code `paused`.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Active => Ok(()),
            Self::ReauthorizationRequired { reason, .. } | Self::Revoked { reason } => Err(Error::new(
                ErrorKind::ReauthorizationRequired,
                format!("the user has to connect the account again: {reason}"),
            )),
            Self::Paused => {
                Err(Error::new(ErrorKind::InvalidRequest, "the connection is paused; resume it to use it")
                    .with_code("paused"))
            }
        }
    }
}

/// What a connection's token stands for, and how the next one is had.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "grant", rename_all = "snake_case")]
#[non_exhaustive]
pub enum GrantType {
    /// A user's grant: tokens are exchanged for fresh ones.
    #[default]
    User,
    /// The application's own: tokens are made at any time, by what the application knows.
    Application {
        /// Where it acts, e.g. a GitHub App's installation.
        subject: String,
    },
    /// A token or key that somebody has typed in; a new one comes from there, too.
    Key {
        /// The header that carries it, in lower case.
        header: String,
        /// What stands before it there; empty for the key alone.
        scheme: String,
    },
}

impl GrantType {
    fn is_user(&self) -> bool {
        matches!(self, Self::User)
    }

    /// The token in the header that it goes in.
    pub(crate) fn access_token(&self, token: &str) -> Result<AccessToken> {
        match self {
            Self::User | Self::Application { .. } => AccessToken::new(token),
            Self::Key { header, scheme } => {
                let name = HeaderName::try_from(header.as_str()).map_err(|_| {
                    Error::new(ErrorKind::InvalidRequest, "the key's header has no name that HTTP knows")
                        .with_code("key_header")
                })?;
                AccessToken::in_header(name, scheme, token)
            }
        }
    }
}

/// One account of one user at one service, with its sealed tokens.
///
/// What a [`TokenStore`](crate::auth::TokenStore) keeps. It may be stored and shown as it is: the
/// tokens in it are sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// The id, the same for every connect of the same account by the same user.
    pub id: ConnectionId,
    /// The user of the host who connected the account.
    pub owner: Owner,
    /// The service.
    pub service: ServiceId,
    /// The account at the provider.
    pub account: Account,
    /// Where it stands in its life.
    pub status: ConnectionStatus,
    /// The scopes that the user has granted.
    pub scopes: Vec<String>,
    /// The sealed tokens.
    pub tokens: SealedTokens,
    /// What the tokens stand for.
    #[serde(default, skip_serializing_if = "GrantType::is_user")]
    pub grant: GrantType,
    /// Since when an exchange of the refresh token is under way: written before it, cleared with the new
    /// tokens. One that is minutes old belongs to a process that ended in the middle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refreshing_since: Option<DateTime<Utc>>,
    /// Counts the writes; given by the store, 0 before the first.
    pub version: u64,
    /// When the account was first connected.
    pub created_at: DateTime<Utc>,
    /// When the connection was last written. Sealing its tokens under another key does not count.
    pub updated_at: DateTime<Utc>,
}

impl Connection {
    /// The id of the connection of an account by a user: always the same, so that connecting again
    /// keeps the connection and its streams, whichever process does it.
    pub fn derive_id(owner: &Owner, service: &ServiceId, account: &AccountId) -> ConnectionId {
        let mut hash = Sha256::new();
        for part in [owner.tenant.as_str(), owner.user.as_str(), service.as_str(), account.as_str()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let mut id = String::from("cn_");
        for byte in &digest[..16] {
            use fmt::Write;
            let _ = write!(id, "{byte:02x}");
        }
        ConnectionId::new(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_derived_id_tells_owners_services_and_accounts_apart() {
        let id = |tenant: &str, user: &str, service: &str, account: &str| {
            Connection::derive_id(&Owner::new(tenant, user), &service.into(), &account.into())
        };
        let base = id("t", "ada", "google_calendar", "1");
        assert_eq!(base, id("t", "ada", "google_calendar", "1"));
        for other in [
            id("u", "ada", "google_calendar", "1"),
            id("t", "bob", "google_calendar", "1"),
            id("t", "ada", "gmail", "1"),
            id("t", "ada", "google_calendar", "2"),
            id("ta", "da", "google_calendar", "1"),
        ] {
            assert_ne!(base, other);
        }
    }
}

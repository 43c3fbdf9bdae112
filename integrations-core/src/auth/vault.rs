//! How do tokens rest?
//!
//! A sealed value is the text `v1.<key id>.<base64url of nonce, ciphertext and tag>`: AES-256-GCM with
//! a random nonce of 96 bits (NIST SP 800-38D) and, as additional data, everything that the value is
//! bound to. A value that is moved to another user, connection or field does not open.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInOut, Nonce, Tag};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::keys::{EncryptionKey, KeyProvider, KeyRing};
use super::secret::{RefreshToken, Secret, Tokens};
use crate::connection::{Connection, ConnectionId, Owner, ServiceId};
use crate::error::{Error, ErrorKind, Result};

const VERSION: &str = "v1";
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// Seals and opens tokens with a ring of keys.
///
/// New values are sealed with the primary key. Older keys stay in the ring for as long as values that
/// they have sealed are to be opened; see [`auth`](crate::auth#changing-the-key) for how a key is changed
/// while everything runs.
///
/// Cheap to clone; clones share one ring.
///
/// ```
/// use integrations_core::auth::{Binding, Vault};
/// # fn main() -> integrations_core::Result<()> {
/// let vault = Vault::new("2026-03", [7; 32])?.with_key("2025-03", [3; 32])?;
/// let (owner, service, connection) = ("ada".into(), "google_calendar".into(), "cn_1".into());
/// let binding = Binding::new(&owner, &service, &connection, "access_token");
/// let sealed = vault.seal(&binding, "ya29.secret")?;
/// assert_eq!(vault.open(&binding, &sealed)?.expose(), "ya29.secret");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Vault {
    shared: Arc<Shared>,
}

struct Shared {
    ring: RwLock<Arc<KeyRing>>,
    /// Held while a provider is asked, so that no older answer takes the place of a newer one.
    reloading: tokio::sync::Mutex<()>,
}

impl From<KeyRing> for Vault {
    fn from(ring: KeyRing) -> Self {
        let reloading = tokio::sync::Mutex::default();
        Self { shared: Arc::new(Shared { ring: RwLock::new(Arc::new(ring)), reloading }) }
    }
}

impl Vault {
    /// A vault with one key, which seals and opens. The id is stored with each sealed value.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the id is not made of 1 to 64 of `[A-Za-z0-9_-]`.
    pub fn new(key_id: &str, key: impl Into<EncryptionKey>) -> Result<Self> {
        KeyRing::new(key_id, key).map(Self::from)
    }

    /// Adds an older key, which only opens. The vault that comes back has a ring of its own: clones made
    /// before do not see the key.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a bad id, or one that is in the ring already.
    pub fn with_key(self, key_id: &str, key: impl Into<EncryptionKey>) -> Result<Self> {
        KeyRing::clone(&self.ring()).with_key(key_id, key).map(Self::from)
    }

    /// A vault with a random key that nothing outlives. For tests and trials: what it seals is lost
    /// with it.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the system has no randomness.
    pub fn ephemeral() -> Result<Self> {
        Self::new("ephemeral", EncryptionKey::generate()?)
    }

    /// Reads the keys from the environment variable `TOKEN_ENCRYPTION_KEY`; see [`from_text`](Self::from_text).
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the variable is missing or cannot be read.
    pub fn from_env() -> Result<Self> {
        KeyRing::from_env().map(Self::from)
    }

    /// Reads keys of 32 bytes in base64: `KEY`, or `ID:KEY,ID:KEY,…` with the primary first. A key
    /// without an id has the id `default`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for text of any other form. The message does not show it.
    pub fn from_text(text: &str) -> Result<Self> {
        KeyRing::from_text(text).map(Self::from)
    }

    /// A vault with the keys that a provider gives.
    ///
    /// # Errors
    /// Those of the provider.
    pub async fn from_provider(provider: &dyn KeyProvider) -> Result<Self> {
        provider.key_ring().await.map(Self::from)
    }

    /// Asks a provider again, and takes over its ring; see [`replace_ring`](Self::replace_ring).
    ///
    /// # Errors
    /// Those of the provider and of [`replace_ring`](Self::replace_ring). The ring is as it was then.
    ///
    /// # Cancel safety
    /// When the future is dropped, the ring is as it was.
    pub async fn reload(&self, provider: &dyn KeyProvider) -> Result<()> {
        let _turn = self.shared.reloading.lock().await;
        self.replace_ring(provider.key_ring().await?)
    }

    /// Replaces the ring of this vault and of all its clones, while they are in use. What is being sealed
    /// or opened at the moment ends with the ring that it began with.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`], and the ring is as it was: with code `key_changed` when another key
    /// has the id of one that is in the ring, or `primary_key_dropped` when the key that seals until now
    /// is missing from the new ring. Either way, values would no longer open.
    pub fn replace_ring(&self, ring: KeyRing) -> Result<()> {
        let mut current = self.shared.ring.write().unwrap_or_else(PoisonError::into_inner);
        ring.check_successor_of(&current)?;
        if current.primary_id() != ring.primary_id() {
            tracing::info!(primary = ring.primary_id(), "another key seals from now on");
        }
        *current = Arc::new(ring);
        Ok(())
    }

    /// The id of the key that seals now.
    pub fn primary_key_id(&self) -> Arc<str> {
        Arc::clone(self.ring().shared_primary_id())
    }

    fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.shared.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Seals a secret, bound to where it belongs.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the system has no randomness.
    pub fn seal(&self, binding: &Binding<'_>, secret: &str) -> Result<Sealed> {
        seal(&self.ring(), binding, secret)
    }

    /// Opens a sealed value in the place that it is bound to.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] with code `unknown_key` when the key is not in the ring, or
    /// `unsealing_failed` when the key is another one of the same id, or the value was changed or moved
    /// here from another place; [`ErrorKind::DataFormat`] with code `not_sealed` when it is no sealed value.
    pub fn open(&self, binding: &Binding<'_>, sealed: &Sealed) -> Result<Secret> {
        open(&self.ring(), binding, sealed)
    }

    /// Seals a connection's tokens.
    ///
    /// # Errors
    /// As [`seal`](Self::seal).
    pub fn seal_tokens(
        &self,
        owner: &Owner,
        service: &ServiceId,
        connection: &ConnectionId,
        tokens: &Tokens,
    ) -> Result<(Sealed, Option<Sealed>)> {
        let ring = self.ring();
        let binding = |field| Binding::new(owner, service, connection, field);
        let access = seal(&ring, &binding(ACCESS), tokens.access.expose())?;
        let refresh = tokens
            .refresh
            .as_ref()
            .map(|token| seal(&ring, &binding(REFRESH), token.expose()))
            .transpose()?;
        Ok((access, refresh))
    }

    /// Opens a connection's tokens.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_tokens(&self, connection: &Connection) -> Result<Tokens> {
        let ring = self.ring();
        let binding = |field| Binding::new(&connection.owner, &connection.service, &connection.id, field);
        let access = open(&ring, &binding(ACCESS), &connection.tokens.access)?;
        let access = connection.grant.access_token(access.expose())?;
        let refresh = match &connection.tokens.refresh {
            Some(sealed) => Some(RefreshToken::new(open(&ring, &binding(REFRESH), sealed)?.expose())),
            None => None,
        };
        Ok(Tokens { access, refresh })
    }

    /// Seals anew with the primary key what is sealed with another one; `None` when nothing is.
    ///
    /// The secrets and the places that they are bound to stay the same.
    ///
    /// # Errors
    /// As [`open`](Self::open), for values that are not sealed with the primary key.
    pub fn reseal(&self, connection: &Connection) -> Result<Option<SealedTokens>> {
        let ring = self.ring();
        let mut tokens = connection.tokens.clone();
        let mut changed = false;
        for (field, sealed) in tokens.fields_mut() {
            if sealed.key_id() != Some(ring.primary_id()) {
                let binding = Binding::new(&connection.owner, &connection.service, &connection.id, field);
                *sealed = seal(&ring, &binding, open(&ring, &binding, sealed)?.expose())?;
                changed = true;
            }
        }
        Ok(changed.then_some(tokens))
    }
}

fn seal(ring: &KeyRing, binding: &Binding<'_>, secret: &str) -> Result<Sealed> {
    let mut nonce = Nonce::<Aes256Gcm>::default();
    random(&mut nonce)?;
    // Large enough from the start: the secret is not copied before it is sealed where it stands.
    let mut bytes = Vec::with_capacity(NONCE_BYTES + secret.len() + TAG_BYTES);
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(secret.as_bytes());
    let tag = ring
        .primary()
        .encrypt_inout_detached(&nonce, &binding.additional_data(), (&mut bytes[NONCE_BYTES..]).into())
        .map_err(|_| {
            bytes.zeroize();
            Error::new(ErrorKind::InvalidRequest, "the secret is too large to be sealed")
        })?;
    bytes.extend_from_slice(&tag);
    let id = ring.primary_id();
    let mut text = String::with_capacity(VERSION.len() + id.len() + 2 + (bytes.len() * 4).div_ceil(3));
    text.extend([VERSION, ".", id, "."]);
    URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
    Ok(Sealed(text.into()))
}

fn open(ring: &KeyRing, binding: &Binding<'_>, sealed: &Sealed) -> Result<Secret> {
    let malformed = || {
        Error::new(ErrorKind::DataFormat, "the stored value is not a sealed token").with_code("not_sealed")
    };
    let (key_id, text) = sealed.parts().ok_or_else(malformed)?;
    let cipher = ring.get(key_id).ok_or_else(|| {
        let known = ring.known_ids();
        Error::new(
            ErrorKind::Configuration,
            format!(
                "a token is sealed with the key {key_id:.64}, which is not in the ring ({known}); add it"
            ),
        )
        .with_code("unknown_key")
    })?;
    let mut bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())?);
    let (nonce, rest) = bytes.split_first_chunk_mut::<NONCE_BYTES>().ok_or_else(malformed)?;
    let (secret, tag) = rest.split_last_chunk_mut::<TAG_BYTES>().ok_or_else(malformed)?;
    let (nonce, tag) = (<&Nonce<Aes256Gcm>>::from(&*nonce), <&Tag<Aes256Gcm>>::from(&*tag));
    cipher.decrypt_inout_detached(nonce, &binding.additional_data(), (&mut *secret).into(), tag).map_err(
        |_| {
            Error::new(
                ErrorKind::Configuration,
                format!(
                    "a sealed token does not open with the key {key_id}: the key is not the one that sealed \
                     it, or the value was changed or belongs to another connection"
                ),
            )
            .with_code("unsealing_failed")
        },
    )?;
    std::str::from_utf8(secret).map(Secret::from).map_err(|_| malformed())
}

const ACCESS: &str = "access_token";
const REFRESH: &str = "refresh_token";

/// Shows the ids of the keys alone.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = self.ring();
        f.debug_struct("Vault")
            .field("primary", &ring.primary_id())
            .field("keys", &ring.ids().collect::<Vec<_>>())
            .finish()
    }
}

/// The place that a sealed value is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    parts: [&'a str; 5],
}

impl<'a> Binding<'a> {
    /// A field of a connection of a user at a service.
    pub fn new(
        owner: &'a Owner,
        service: &'a ServiceId,
        connection: &'a ConnectionId,
        field: &'a str,
    ) -> Self {
        Self {
            parts: [owner.tenant.as_str(), owner.user.as_str(), service.as_str(), connection.as_str(), field],
        }
    }

    /// Each part with its length before it, so that no two places give the same bytes.
    fn additional_data(&self) -> Vec<u8> {
        let mut data = Vec::with_capacity(128);
        for part in [VERSION].iter().chain(&self.parts) {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part.as_bytes());
        }
        data
    }
}

/// A sealed secret: safe to store, to log and to show.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(Box<str>);

impl Sealed {
    /// Takes in stored text; whether it is a sealed value shows when it is opened.
    pub fn from_stored(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the key that sealed it.
    pub fn key_id(&self) -> Option<&str> {
        self.parts().map(|(key_id, _)| key_id)
    }

    fn parts(&self) -> Option<(&str, &str)> {
        self.0.strip_prefix(VERSION)?.strip_prefix('.')?.split_once('.')
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed(key {})", self.key_id().unwrap_or("?"))
    }
}

/// A connection's tokens, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedTokens {
    /// The access token.
    pub access: Sealed,
    /// The refresh token, if the provider gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<Sealed>,
    /// When the tokens were received.
    pub issued_at: DateTime<Utc>,
    /// When the access token expires; `None` for one that does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

impl SealedTokens {
    /// Every sealed value, with the field that it is bound to. A new one is added here, or it stays behind
    /// when the key is changed.
    fn fields_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Sealed)> {
        let Self { access, refresh, issued_at: _, expires_at: _ } = self;
        [Some((ACCESS, access)), refresh.as_mut().map(|refresh| (REFRESH, refresh))].into_iter().flatten()
    }
}

/// Fills with randomness of the operating system.
pub(crate) fn random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| {
        Error::new(ErrorKind::Configuration, "the operating system gives no randomness")
            .with_source(error.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place<'a>(owner: &'a Owner, ids: &'a (ServiceId, ConnectionId), field: &'a str) -> Binding<'a> {
        Binding::new(owner, &ids.0, &ids.1, field)
    }

    fn ids(connection: &str) -> (ServiceId, ConnectionId) {
        ("google_calendar".into(), connection.into())
    }

    #[test]
    fn a_value_opens_in_its_own_place_alone() {
        let vault = Vault::new("a", [1; 32]).unwrap();
        let (ada, bob, tenant) = (Owner::from("ada"), Owner::from("bob"), Owner::new("t", "ada"));
        let (here, there) = (ids("cn_1"), ids("cn_2"));
        let sealed = vault.seal(&place(&ada, &here, "access_token"), "secret").unwrap();
        assert_eq!(vault.open(&place(&ada, &here, "access_token"), &sealed).unwrap().expose(), "secret");
        for elsewhere in [
            place(&bob, &here, "access_token"),
            place(&tenant, &here, "access_token"),
            place(&ada, &there, "access_token"),
            place(&ada, &here, "refresh_token"),
        ] {
            let error = vault.open(&elsewhere, &sealed).unwrap_err();
            assert_eq!(error.provider_code(), Some("unsealing_failed"));
        }
    }

    #[test]
    fn wrong_keys_changed_values_and_other_text_are_told_apart() {
        let vault = Vault::new("a", [1; 32]).unwrap();
        let owner = Owner::from("ada");
        let here = ids("cn_1");
        let binding = place(&owner, &here, "access_token");
        let sealed = vault.seal(&binding, "secret").unwrap();
        let code = |vault: &Vault, sealed: &Sealed| {
            vault.open(&binding, sealed).unwrap_err().provider_code().map(str::to_owned)
        };
        assert_eq!(code(&Vault::new("b", [1; 32]).unwrap(), &sealed).as_deref(), Some("unknown_key"));
        assert_eq!(code(&Vault::new("a", [2; 32]).unwrap(), &sealed).as_deref(), Some("unsealing_failed"));
        for index in sealed.as_str().len() - 40..sealed.as_str().len() {
            let mut text = sealed.as_str().to_owned().into_bytes();
            text[index] = if text[index] == b'A' { b'B' } else { b'A' };
            let changed = Sealed::from_stored(String::from_utf8(text).unwrap());
            // The last character of base64 may carry bits that decode to nothing: then it is refused as
            // not canonical.
            assert!(vault.open(&binding, &changed).is_err(), "{index}");
        }
        assert_eq!(code(&vault, &Sealed::from_stored("ya29.plain")).as_deref(), Some("not_sealed"));
    }

    #[test]
    fn an_old_key_still_opens_what_it_has_sealed() {
        let old = Vault::new("2025", [1; 32]).unwrap();
        let new = Vault::new("2026", [2; 32]).unwrap().with_key("2025", [1; 32]).unwrap();
        let owner = Owner::from("ada");
        let here = ids("cn_1");
        let binding = place(&owner, &here, "access_token");
        let sealed = old.seal(&binding, "secret").unwrap();
        assert_eq!(new.open(&binding, &sealed).unwrap().expose(), "secret");
        assert_eq!(new.seal(&binding, "secret").unwrap().key_id(), Some("2026"));
    }

    #[test]
    fn sealing_twice_gives_two_values() {
        let vault = Vault::ephemeral().unwrap();
        let owner = Owner::from("ada");
        let here = ids("cn_1");
        let binding = place(&owner, &here, "access_token");
        assert_ne!(vault.seal(&binding, "secret").unwrap(), vault.seal(&binding, "secret").unwrap());
    }

    fn ring(primary: &str) -> KeyRing {
        KeyRing::new("old", [1; 32]).unwrap().with_key("new", [2; 32]).unwrap().with_primary(primary).unwrap()
    }

    #[test]
    fn clones_share_a_ring_and_a_copy_with_another_key_does_not() {
        let vault = Vault::new("old", [1; 32]).unwrap();
        let (clone, copy) = (vault.clone(), vault.clone().with_key("other", [3; 32]).unwrap());
        vault.replace_ring(ring("new")).unwrap();
        assert_eq!(format!("{clone:?}"), r#"Vault { primary: "new", keys: ["new", "old"] }"#);
        assert_eq!(format!("{copy:?}"), r#"Vault { primary: "old", keys: ["old", "other"] }"#);
    }

    #[test]
    fn a_ring_that_would_make_values_unreadable_is_refused_and_the_ring_stays() {
        let vault = Vault::from(ring("new"));
        let another = KeyRing::new("new", [2; 32]).unwrap().with_key("old", [9; 32]).unwrap();
        let without = KeyRing::new("old", [1; 32]).unwrap();
        for (ring, code) in [(another, "key_changed"), (without, "primary_key_dropped")] {
            assert_eq!(vault.replace_ring(ring).unwrap_err().provider_code(), Some(code));
            assert_eq!(format!("{vault:?}"), r#"Vault { primary: "new", keys: ["new", "old"] }"#);
        }
        vault.replace_ring(KeyRing::new("new", [2; 32]).unwrap()).unwrap();
        assert_eq!(format!("{vault:?}"), r#"Vault { primary: "new", keys: ["new"] }"#);
    }

    fn connection(vault: &Vault) -> Connection {
        let (owner, (service, id)) = (Owner::new("t", "ada"), ids("cn_1"));
        let tokens = Tokens {
            access: crate::auth::AccessToken::new("access").unwrap(),
            refresh: Some(RefreshToken::new("refresh")),
        };
        let (access, refresh) = vault.seal_tokens(&owner, &service, &id, &tokens).unwrap();
        let now = DateTime::UNIX_EPOCH;
        Connection {
            id,
            owner,
            service,
            account: crate::connection::Account { id: "1".into(), email: None, name: None },
            status: crate::connection::ConnectionStatus::Active,
            scopes: Vec::new(),
            tokens: SealedTokens { access, refresh, issued_at: now, expires_at: None },
            grant: crate::connection::GrantType::User,
            refreshing_since: None,
            version: 0,
            created_at: now,
            updated_at: now,
        }
    }

    #[test]
    fn what_is_under_another_key_is_sealed_anew_and_the_rest_is_left() {
        let vault = Vault::from(ring("old"));
        let mut connection = connection(&vault);
        assert_eq!(vault.reseal(&connection).unwrap(), None);
        vault.replace_ring(ring("new")).unwrap();
        let anew = vault.reseal(&connection).unwrap().unwrap();
        assert_eq!((anew.issued_at, anew.expires_at), (DateTime::UNIX_EPOCH, None));
        // The access token is done already; only the other one changes.
        connection.tokens.access = anew.access;
        let again = vault.reseal(&connection).unwrap().unwrap();
        assert_eq!(again.access, connection.tokens.access);
        assert_eq!(again.refresh.as_ref().and_then(Sealed::key_id), Some("new"));
        connection.tokens = again;
        assert_eq!(vault.reseal(&connection).unwrap(), None);
        let tokens = Vault::new("new", [2; 32]).unwrap().open_tokens(&connection).unwrap();
        assert_eq!(tokens.access.expose(), "access");
        assert_eq!(tokens.refresh.unwrap().expose(), "refresh");
    }

    #[test]
    fn every_sealed_value_of_a_connection_is_found() {
        let mut connection = connection(&Vault::from(ring("old")));
        let stored = serde_json::to_string(&connection).unwrap();
        let found = connection.tokens.fields_mut().count();
        assert_eq!(found, stored.matches("\"v1.old.").count(), "{stored}");
    }

    #[test]
    fn short_and_shortened_values_are_refused() {
        let vault = Vault::from(ring("old"));
        let connection = connection(&vault);
        let binding = Binding::new(&connection.owner, &connection.service, &connection.id, ACCESS);
        let text = connection.tokens.access.as_str();
        for end in 0..text.len() {
            assert!(vault.open(&binding, &Sealed::from_stored(&text[..end])).is_err(), "{end}");
        }
        assert!(vault.open(&binding, &connection.tokens.access).is_ok());
        let empty = vault.seal(&binding, "").unwrap();
        assert_eq!(vault.open(&binding, &empty).unwrap().expose(), "");
    }
}

//! How do tokens rest?
//!
//! A sealed value is the text `v1.<key id>.<base64url of nonce, ciphertext and tag>`: AES-256-GCM with
//! a random nonce of 96 bits (NIST SP 800-38D) and, as additional data, everything that the value is
//! bound to. A value that is moved to another user, connection or field does not open.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::{Aead, KeyInit, Nonce, Payload};
use aes_gcm::{Aes256Gcm, Key};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::secret::{RefreshToken, Secret, Tokens};
use crate::connection::{Connection, ConnectionId, Owner, ServiceId};
use crate::error::{Error, ErrorKind, Result};

const VERSION: &str = "v1";
const NONCE_BYTES: usize = 12;
const KEY_BYTES: usize = 32;

/// The environment variable that [`Vault::from_env`] reads.
pub const KEY_VARIABLE: &str = "TOKEN_ENCRYPTION_KEY";

/// Seals and opens tokens with a ring of keys.
///
/// New values are sealed with the primary key. Older keys stay in the ring for as long as values that
/// they have sealed are to be opened.
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
    primary: Arc<str>,
    keys: Arc<BTreeMap<Arc<str>, Aes256Gcm>>,
}

impl Vault {
    /// A vault with one key, which seals and opens. The id is stored with each sealed value.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the id is not made of 1 to 64 of `[A-Za-z0-9_-]`.
    pub fn new(key_id: &str, key: [u8; KEY_BYTES]) -> Result<Self> {
        let key = Zeroizing::new(key);
        let mut keys = BTreeMap::new();
        let primary = check_key_id(key_id)?;
        keys.insert(Arc::clone(&primary), cipher(&key));
        Ok(Self { primary, keys: Arc::new(keys) })
    }

    /// Adds an older key, which only opens.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a bad id, or one that is in the ring already.
    pub fn with_key(mut self, key_id: &str, key: [u8; KEY_BYTES]) -> Result<Self> {
        let key = Zeroizing::new(key);
        let id = check_key_id(key_id)?;
        let keys = Arc::make_mut(&mut self.keys);
        if keys.insert(id, cipher(&key)).is_some() {
            return Err(configuration(format!("the encryption key id {key_id} is given twice")));
        }
        Ok(self)
    }

    /// A vault with a random key that nothing outlives. For tests and trials: what it seals is lost
    /// with it.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the system has no randomness.
    pub fn ephemeral() -> Result<Self> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        random(&mut *key)?;
        Self::new("ephemeral", *key)
    }

    /// Reads the keys from the environment variable `TOKEN_ENCRYPTION_KEY`; see [`from_text`](Self::from_text).
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the variable is missing or cannot be read.
    pub fn from_env() -> Result<Self> {
        match std::env::var(KEY_VARIABLE) {
            Ok(text) => Self::from_text(&Zeroizing::new(text)),
            Err(_) => Err(configuration(format!(
                "{KEY_VARIABLE} is not set; give it a key of 32 random bytes in base64, \
                 e.g. from `openssl rand -base64 32`"
            ))),
        }
    }

    /// Reads keys of 32 bytes in base64: `KEY`, or `ID:KEY,ID:KEY,…` with the primary first. A key
    /// without an id has the id `default`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for text of any other form. The message does not show it.
    pub fn from_text(text: &str) -> Result<Self> {
        let mut vault: Option<Self> = None;
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (id, key) = part.split_once(':').unwrap_or(("default", part));
            let key = decode_key(id, key)?;
            vault = Some(match vault {
                None => Self::new(id, *key)?,
                Some(vault) => vault.with_key(id, *key)?,
            });
        }
        vault.ok_or_else(|| configuration("no encryption key is given"))
    }

    /// The id of the key that seals.
    pub fn primary_key_id(&self) -> &str {
        &self.primary
    }

    /// Seals a secret, bound to where it belongs.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the system has no randomness.
    pub fn seal(&self, binding: &Binding<'_>, secret: &str) -> Result<Sealed> {
        let mut nonce = [0; NONCE_BYTES];
        random(&mut nonce)?;
        let cipher =
            self.keys.get(&self.primary).ok_or_else(|| configuration("the primary key is missing"))?;
        let payload = Payload { msg: secret.as_bytes(), aad: &binding.additional_data() };
        let sealed = cipher
            .encrypt(&Nonce::<Aes256Gcm>::from(nonce), payload)
            .map_err(|_| Error::new(ErrorKind::InvalidRequest, "the secret is too large to be sealed"))?;
        let mut bytes = Vec::with_capacity(NONCE_BYTES + sealed.len());
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Ok(Sealed(format!("{VERSION}.{}.{}", self.primary, URL_SAFE_NO_PAD.encode(bytes)).into()))
    }

    /// Opens a sealed value in the place that it is bound to.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] with code `unknown_key` when the key is not in the ring, or
    /// `unsealing_failed` when the key is another one of the same id, or the value was changed or moved
    /// here from another place; [`ErrorKind::DataFormat`] when it is no sealed value.
    pub fn open(&self, binding: &Binding<'_>, sealed: &Sealed) -> Result<Secret> {
        let malformed = || {
            Error::new(ErrorKind::DataFormat, "the stored value is not a sealed token")
                .with_code("not_sealed")
        };
        let (key_id, bytes) = sealed.parts().ok_or_else(malformed)?;
        let cipher = self.keys.get(key_id).ok_or_else(|| {
            let known = self.keys.keys().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
            Error::new(
                ErrorKind::Configuration,
                format!(
                    "a token is sealed with the key {key_id}, which is not in the ring ({known}); add it"
                ),
            )
            .with_code("unknown_key")
        })?;
        let bytes = URL_SAFE_NO_PAD.decode(bytes).map_err(|_| malformed())?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES).ok_or_else(malformed)?;
        let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).map_err(|_| malformed())?;
        let payload = Payload { msg: sealed, aad: &binding.additional_data() };
        let opened = cipher.decrypt(&Nonce::<Aes256Gcm>::from(nonce), payload).map_err(|_| {
            Error::new(
                ErrorKind::Configuration,
                format!(
                    "a sealed token does not open with the key {key_id}: the key is not the one that sealed \
                     it, or the value was changed or belongs to another connection"
                ),
            )
            .with_code("unsealing_failed")
        })?;
        String::from_utf8(opened).map(Secret::new).map_err(|_| malformed())
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
        let binding = |field| Binding::new(owner, service, connection, field);
        let access = self.seal(&binding(ACCESS), tokens.access.expose())?;
        let refresh =
            tokens.refresh.as_ref().map(|token| self.seal(&binding(REFRESH), token.expose())).transpose()?;
        Ok((access, refresh))
    }

    /// Opens a connection's tokens.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_tokens(&self, connection: &Connection) -> Result<Tokens> {
        let binding = |field| Binding::new(&connection.owner, &connection.service, &connection.id, field);
        let access = self.open(&binding(ACCESS), &connection.tokens.access)?;
        let access = connection.grant.access_token(access.expose())?;
        let refresh = match &connection.tokens.refresh {
            Some(sealed) => Some(RefreshToken::new(self.open(&binding(REFRESH), sealed)?.expose())),
            None => None,
        };
        Ok(Tokens { access, refresh })
    }
}

const ACCESS: &str = "access_token";
const REFRESH: &str = "refresh_token";

/// Shows the ids of the keys alone.
impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("primary", &self.primary)
            .field("keys", &self.keys.keys().collect::<Vec<_>>())
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

fn cipher(key: &[u8; KEY_BYTES]) -> Aes256Gcm {
    Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key))
}

fn check_key_id(id: &str) -> Result<Arc<str>> {
    let fits = (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if fits {
        Ok(id.into())
    } else {
        Err(configuration("an encryption key's id must be made of 1 to 64 letters, digits, `_` and `-`"))
    }
}

fn decode_key(id: &str, text: &str) -> Result<Zeroizing<[u8; KEY_BYTES]>> {
    let bytes = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode(text).ok())
        .map(Zeroizing::new)
        .ok_or_else(|| configuration(format!("the encryption key {id:.64} is not base64")))?;
    let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).map_err(|_| {
        configuration(format!(
            "the encryption key {id:.64} has {} bytes; it must have {KEY_BYTES}",
            bytes.len()
        ))
    })?;
    Ok(Zeroizing::new(key))
}

fn configuration(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

/// Fills with randomness of the operating system.
pub(crate) fn random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| {
        configuration("the operating system gives no randomness").with_source(error.to_string())
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
    fn keys_are_read_from_text() {
        let key = STANDARD.encode([9; 32]);
        assert_eq!(Vault::from_text(&key).unwrap().primary_key_id(), "default");
        let ring = Vault::from_text(&format!("new:{key}, old:{key}")).unwrap();
        assert_eq!(format!("{ring:?}"), r#"Vault { primary: "new", keys: ["new", "old"] }"#);
        for bad in ["", "short", "a:AAAA", "a b:AAAA", &format!("x:{key},x:{key}")] {
            let error = Vault::from_text(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(bad.is_empty() || !error.to_string().contains("AAAA"), "{error}");
        }
    }

    #[test]
    fn sealing_twice_gives_two_values() {
        let vault = Vault::ephemeral().unwrap();
        let owner = Owner::from("ada");
        let here = ids("cn_1");
        let binding = place(&owner, &here, "access_token");
        assert_ne!(vault.seal(&binding, "secret").unwrap(), vault.seal(&binding, "secret").unwrap());
    }
}

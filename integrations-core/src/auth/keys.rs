//! Which keys seal and open tokens, and where do they come from?

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::{AeadInOut, KeyInit, Nonce};
use aes_gcm::{Aes256Gcm, Key};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::vault::random;
use crate::error::{Error, ErrorKind, Result};

/// The environment variable that [`KeyRing::from_env`] reads.
pub const KEY_VARIABLE: &str = "TOKEN_ENCRYPTION_KEY";

/// Where a host's encryption keys come from: a key management service that unwraps them, a vault, a file.
///
/// ```
/// use async_trait::async_trait;
/// use integrations_core::Result;
/// use integrations_core::auth::{EncryptionKey, KeyProvider, KeyRing, Vault};
///
/// /// Keys that rest wrapped; the key that unwraps them never leaves the service.
/// #[derive(Debug)]
/// struct Kms {
///     primary: (String, Vec<u8>),
///     older: Vec<(String, Vec<u8>)>,
/// }
///
/// # impl Kms { async fn unwrap(&self, wrapped: &[u8]) -> Result<EncryptionKey> { EncryptionKey::from_bytes(wrapped) } }
/// #[async_trait]
/// impl KeyProvider for Kms {
///     async fn key_ring(&self) -> Result<KeyRing> {
///         let (id, wrapped) = &self.primary;
///         let mut ring = KeyRing::new(id, self.unwrap(wrapped).await?)?;
///         for (id, wrapped) in &self.older {
///             ring = ring.with_key(id, self.unwrap(wrapped).await?)?;
///         }
///         Ok(ring)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// # let kms = Kms { primary: ("2026".into(), vec![1; 32]), older: vec![("2025".into(), vec![2; 32])] };
/// let vault = Vault::from_provider(&kms).await?;
/// assert_eq!(&*vault.primary_key_id(), "2026");
/// // Later, when the service has another key:
/// vault.reload(&kms).await?;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait KeyProvider: fmt::Debug + Send + Sync + 'static {
    /// The keys as they are now, with the one that is primary.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when there is something to mend, or the kind of what has failed, e.g.
    /// [`ErrorKind::Network`]. No key may stand in the message.
    ///
    /// # Cancel safety
    /// The future may be dropped at any await.
    async fn key_ring(&self) -> Result<KeyRing>;
}

/// A ring that does not change is a provider, too.
#[async_trait]
impl KeyProvider for KeyRing {
    async fn key_ring(&self) -> Result<KeyRing> {
        Ok(self.clone())
    }
}

/// 32 bytes of key material for AES-256: no readable `Debug`, not serialisable, overwritten when dropped.
///
/// The bytes stay where they are when the key is moved, so no copy of them is left behind.
pub struct EncryptionKey(Box<Zeroizing<[u8; Self::BYTES]>>);

impl EncryptionKey {
    /// How many bytes a key has.
    pub const BYTES: usize = 32;

    /// A key from the operating system's randomness.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the system has none.
    pub fn generate() -> Result<Self> {
        let mut key = Self::zeroes();
        random(&mut **key.0)?;
        Ok(key)
    }

    /// Takes in key material; wiping `bytes` is left to the caller.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] unless there are exactly 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.len() != Self::BYTES {
            let (given, needed) = (bytes.len(), Self::BYTES);
            return Err(configuration(format!("the key has {given} bytes; it must have {needed}")));
        }
        let mut key = Self::zeroes();
        key.0.copy_from_slice(bytes);
        Ok(key)
    }

    /// Reads 32 bytes in base64: of the standard or the URL-safe alphabet, with or without padding.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for text of any other form. The message does not show it.
    pub fn from_base64(text: &str) -> Result<Self> {
        // Large enough from the start: a buffer that grows leaves its old bytes behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            bytes.clear();
            if engine.decode_vec(text, &mut bytes).is_ok() {
                return Self::from_bytes(&bytes);
            }
        }
        Err(configuration("the key is not base64"))
    }

    fn zeroes() -> Self {
        Self(Box::new(Zeroizing::new([0; Self::BYTES])))
    }
}

impl From<[u8; Self::BYTES]> for EncryptionKey {
    fn from(bytes: [u8; Self::BYTES]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let mut key = Self::zeroes();
        key.0.copy_from_slice(&*bytes);
        key
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionKey(…)")
    }
}

/// Keys with their ids: the primary one seals, and all of them open.
///
/// An id is stored with each value that its key has sealed, and stands for that key for good. The keys
/// are overwritten when the last clone of the ring is dropped.
///
/// ```
/// use integrations_core::auth::{EncryptionKey, KeyRing};
/// # fn main() -> integrations_core::Result<()> {
/// let ring = KeyRing::new("2026", EncryptionKey::generate()?)?.with_key("2025", [3; 32])?;
/// assert_eq!(format!("{ring:?}"), r#"KeyRing { primary: "2026", keys: ["2025", "2026"] }"#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct KeyRing {
    primary: (Arc<str>, Arc<Aes256Gcm>),
    /// The primary key among them.
    keys: BTreeMap<Arc<str>, Arc<Aes256Gcm>>,
}

impl KeyRing {
    /// A ring of one key, the primary one.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] when the id is not made of 1 to 64 of `[A-Za-z0-9_-]`.
    pub fn new(id: &str, key: impl Into<EncryptionKey>) -> Result<Self> {
        let primary = (check_id(id)?, cipher(&key.into()));
        let keys = BTreeMap::from([primary.clone()]);
        Ok(Self { primary, keys })
    }

    /// Adds a key that only opens.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a bad id, or one that is in the ring already.
    pub fn with_key(mut self, id: &str, key: impl Into<EncryptionKey>) -> Result<Self> {
        let key = key.into();
        if self.keys.insert(check_id(id)?, cipher(&key)).is_some() {
            return Err(configuration(format!("the encryption key id {id} is given twice")));
        }
        Ok(self)
    }

    /// Makes another key of the ring the primary one.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] with code `unknown_key` when the ring has no key of this id.
    pub fn with_primary(mut self, id: &str) -> Result<Self> {
        let (id, key) = self.keys.get_key_value(id).ok_or_else(|| {
            let known = self.known_ids();
            configuration(format!("the key {id:.64} is not in the ring ({known}); add it first"))
                .with_code("unknown_key")
        })?;
        self.primary = (Arc::clone(id), Arc::clone(key));
        Ok(self)
    }

    /// Reads the keys from the environment variable `TOKEN_ENCRYPTION_KEY`; see
    /// [`from_text`](Self::from_text).
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
        let mut ring: Option<Self> = None;
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (id, key) = part.split_once(':').unwrap_or(("default", part));
            // Both before a message shows the id: somebody may have written a key in its place.
            check_id(id)?;
            if EncryptionKey::from_base64(id).is_ok() {
                return Err(configuration("a key stands where its id should be; write `ID:KEY`"));
            }
            let key = EncryptionKey::from_base64(key)
                .map_err(|error| configuration(format!("the encryption key {id}: {}", error.message())))?;
            ring = Some(match ring {
                None => Self::new(id, key)?,
                Some(ring) => ring.with_key(id, key)?,
            });
        }
        ring.ok_or_else(|| configuration("no encryption key is given"))
    }

    /// The id of the key that seals.
    pub fn primary_id(&self) -> &str {
        &self.primary.0
    }

    /// The ids of all keys, in the order of the alphabet.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(AsRef::as_ref)
    }

    pub(super) fn shared_primary_id(&self) -> &Arc<str> {
        &self.primary.0
    }

    pub(super) fn primary(&self) -> &Aes256Gcm {
        &self.primary.1
    }

    pub(super) fn get(&self, id: &str) -> Option<&Aes256Gcm> {
        self.keys.get(id).map(AsRef::as_ref)
    }

    /// The ids, for a message.
    pub(super) fn known_ids(&self) -> String {
        self.ids().collect::<Vec<_>>().join(", ")
    }

    /// Whether this ring may stand in for another while values sealed with that one are about.
    ///
    /// # Errors
    /// As [`Vault::replace_ring`](super::Vault::replace_ring).
    pub(super) fn check_successor_of(&self, current: &Self) -> Result<()> {
        let id = current.primary_id();
        if self.get(id).is_none() {
            return Err(configuration(format!(
                "the key {id} seals until now and is missing from the new ring ({}): what it has sealed \
                 would not open; make another key primary first, rotate, and then drop it",
                self.known_ids()
            ))
            .with_code("primary_key_dropped"));
        }
        for (id, key) in &self.keys {
            if let Some(known) = current.get(id)
                && !same_key(key, known)?
            {
                return Err(configuration(format!(
                    "the new ring has another key of the id {id}: what the old one has sealed would not \
                     open; give the new key an id of its own"
                ))
                .with_code("key_changed"));
            }
        }
        Ok(())
    }
}

/// Shows the ids of the keys alone.
impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("primary", &self.primary_id())
            .field("keys", &self.ids().collect::<Vec<_>>())
            .finish()
    }
}

/// The cipher overwrites its key when it is dropped: the feature `zeroize` of aes-gcm, without which
/// this does not compile.
fn cipher(key: &EncryptionKey) -> Arc<Aes256Gcm> {
    fn wiped<T: zeroize::ZeroizeOnDrop>(cipher: T) -> T {
        cipher
    }
    Arc::new(wiped(Aes256Gcm::new(<&Key<Aes256Gcm>>::from(&**key.0))))
}

/// Whether what one key seals opens with the other. Nothing of a key has to be kept for this.
fn same_key(one: &Aes256Gcm, other: &Aes256Gcm) -> Result<bool> {
    let mut nonce = Nonce::<Aes256Gcm>::default();
    random(&mut nonce)?;
    let seal = one.encrypt_inout_detached(&nonce, &[], (&mut [][..]).into());
    Ok(seal.is_ok_and(|seal| other.decrypt_inout_detached(&nonce, &[], (&mut [][..]).into(), &seal).is_ok()))
}

fn check_id(id: &str) -> Result<Arc<str>> {
    let fits = (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if fits {
        Ok(id.into())
    } else {
        Err(configuration("an encryption key's id must be made of 1 to 64 letters, digits, `_` and `-`"))
    }
}

fn configuration(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Configuration, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_from_text() {
        let key = STANDARD.encode([9; 32]);
        assert_eq!(KeyRing::from_text(&key).unwrap().primary_id(), "default");
        let ring = KeyRing::from_text(&format!("new:{key}, old:{key}")).unwrap();
        assert_eq!(format!("{ring:?}"), r#"KeyRing { primary: "new", keys: ["new", "old"] }"#);
        let long = "A".repeat(70);
        for bad in [
            "",
            "short",
            "a:AAAA",
            "a b:AAAA",
            "AAAA:",
            &format!("{long}:{key}"),
            &format!("x:{key},x:{key}"),
        ] {
            let error = KeyRing::from_text(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(!error.to_string().contains(&key[..8]), "{error}");
        }
        let swapped = format!("{}:2026", URL_SAFE_NO_PAD.encode([9; 32]));
        let error = KeyRing::from_text(&swapped).unwrap_err();
        assert_eq!(error.message(), "a key stands where its id should be; write `ID:KEY`");
        let error = KeyRing::from_text("x:AAAA").unwrap_err();
        assert_eq!(error.message(), "the encryption key x: the key has 3 bytes; it must have 32");
    }

    #[test]
    fn a_key_is_read_from_any_base64_and_shows_nothing() {
        // Bytes whose text differs between the alphabets.
        let bytes = [0xFB; 32];
        let same = |key: &EncryptionKey| assert_eq!(**key.0, bytes);
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            same(&EncryptionKey::from_base64(&engine.encode(bytes)).unwrap());
        }
        same(&bytes.into());
        same(&EncryptionKey::from_bytes(&bytes).unwrap());
        assert_eq!(format!("{:?}", EncryptionKey::from(bytes)), "EncryptionKey(…)");
        for bytes in [31, 33, 0] {
            assert!(EncryptionKey::from_bytes(&vec![1; bytes]).is_err());
        }
        assert!(EncryptionKey::from_base64("no base64!").is_err());
        assert_ne!(**EncryptionKey::generate().unwrap().0, **EncryptionKey::generate().unwrap().0);
    }

    #[test]
    fn the_primary_is_one_of_the_ring() {
        let ring = KeyRing::new("a", [1; 32]).unwrap().with_key("b", [2; 32]).unwrap();
        assert_eq!(ring.primary_id(), "a");
        let ring = ring.with_primary("b").unwrap();
        assert_eq!((ring.primary_id(), ring.ids().collect::<Vec<_>>()), ("b", vec!["a", "b"]));
        assert_eq!(ring.with_primary("c").unwrap_err().provider_code(), Some("unknown_key"));
    }

    #[test]
    fn a_ring_gives_way_to_one_that_opens_what_it_has_sealed() {
        let ring = |primary: &str, keys: &[(&str, u8)]| {
            let (first, rest) = keys.split_first().unwrap();
            let ring = KeyRing::new(first.0, [first.1; 32]).unwrap();
            let ring = rest.iter().fold(ring, |ring, (id, byte)| ring.with_key(id, [*byte; 32]).unwrap());
            ring.with_primary(primary).unwrap()
        };
        let current = ring("b", &[("a", 1), ("b", 2)]);
        for (successor, code) in [
            (ring("b", &[("a", 1), ("b", 2)]), None),
            (ring("a", &[("a", 1), ("b", 2)]), None),
            (ring("b", &[("a", 1), ("b", 2), ("c", 3)]), None),
            (ring("c", &[("b", 2), ("c", 3)]), None),
            (ring("b", &[("b", 2)]), None),
            (ring("a", &[("a", 1)]), Some("primary_key_dropped")),
            (ring("c", &[("c", 2)]), Some("primary_key_dropped")),
            (ring("b", &[("a", 1), ("b", 3)]), Some("key_changed")),
            (ring("b", &[("a", 2), ("b", 2)]), Some("key_changed")),
        ] {
            let outcome = successor.check_successor_of(&current);
            let code_now = outcome.as_ref().err().and_then(|error| error.provider_code().map(str::to_owned));
            assert_eq!(code_now.as_deref(), code, "{successor:?}");
        }
    }
}

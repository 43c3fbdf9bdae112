//! Is an item the same as when it was read before?

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::json;

/// How many bytes are enough to tell an item from its next state.
const BYTES: usize = 6;

/// A fingerprint of an item's text, for the marks of providers that do not tell what has changed: 6 bytes of its
/// SHA-256, written as 8 characters of Base64.
///
/// ```
/// use integrations_core::model::{Fingerprint, Raw};
///
/// let before = Fingerprint::of(&Raw::new("{\"title\":\"Call Ada\"}"));
/// let after = Fingerprint::of(&Raw::new("{\"title\":\"Call Grace\"}"));
/// assert_ne!(before, after);
/// assert_eq!(before.and(after), after.and(before));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; BYTES]);

impl Fingerprint {
    /// That of an item.
    pub fn of(item: &super::Raw) -> Self {
        Self::of_bytes(item.as_bytes())
    }

    /// That of any bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        let mut print = [0; BYTES];
        print.copy_from_slice(&digest[..BYTES]);
        Self(print)
    }

    /// The fingerprint of both, in whatever order they come.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let mut carry = 0;
        let mut sum = [0; BYTES];
        for (index, byte) in sum.iter_mut().enumerate() {
            let whole = u16::from(self.0[index]) + u16::from(other.0[index]) + carry;
            carry = whole >> 8;
            *byte = whole.to_le_bytes()[0];
        }
        Self(sum)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::try_text(deserializer, "a fingerprint", |text| {
            let mut print = [0; BYTES];
            (URL_SAFE_NO_PAD.decode_slice(text, &mut print) == Ok(BYTES)).then_some(Self(print))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Raw;

    fn print(number: u64) -> Fingerprint {
        Fingerprint::of(&Raw::new(number.to_string()))
    }

    #[test]
    fn a_fingerprint_is_that_of_the_text_and_comes_back_as_it_went() {
        assert_eq!(print(7), print(7));
        assert_ne!(print(7), print(8));
        let text = serde_json::to_string(&print(7)).unwrap();
        assert_eq!((text.len(), serde_json::from_str::<Fingerprint>(&text).unwrap()), (10, print(7)));
        for odd in ["\"AAA\"", "\"AAAAAAAAAAAA\"", "7"] {
            assert!(serde_json::from_str::<Fingerprint>(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn that_of_several_is_the_same_in_any_order_and_counts_each() {
        let (one, two, three) = (print(1), print(2), print(3));
        assert_eq!(one.and(two).and(three), three.and(one).and(two));
        assert_ne!(one.and(two), one.and(two).and(two));
        assert_eq!(Fingerprint([0xff; BYTES]).and(Fingerprint([1, 0, 0, 0, 0, 0])), Fingerprint([0; BYTES]));
    }
}

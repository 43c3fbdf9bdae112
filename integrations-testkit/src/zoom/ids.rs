//! In which form are Zoom's ids?

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::random::{Draw, mix};

/// The number of a meeting: eleven digits, more than 32 bits hold.
pub(super) const fn meeting(key: u64) -> u64 {
    80_000_000_000 + mix(key) % 19_999_999_999
}

/// The number of a personal room: ten digits.
pub(super) const fn personal(key: u64) -> u64 {
    2_000_000_000 + mix(key) % 7_999_999_999
}

/// The uuid of a session: 16 bytes as base64, in the alphabet with `+` and `/`. An awkward one begins with a
/// slash and has two in a row.
pub(super) fn uuid(key: u64, awkward: bool) -> String {
    let mut draw = Draw::new(key);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&draw.next().to_be_bytes());
    bytes[8..].copy_from_slice(&draw.next().to_be_bytes());
    let text = STANDARD.encode(bytes);
    if awkward { format!("/{}//{}", &text[1..8], &text[10..]) } else { text }
}

/// An opaque text of 22 characters, as users, participants and files have.
pub(super) fn opaque(key: u64) -> String {
    let mut draw = Draw::new(key);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&draw.next().to_be_bytes());
    bytes[8..].copy_from_slice(&draw.next().to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_zooms_form() {
        for key in 0..2_000 {
            assert_eq!(meeting(key).to_string().len(), 11);
            assert_eq!(personal(key).to_string().len(), 10);
            let (plain, awkward) = (uuid(key, false), uuid(key, true));
            assert_eq!((plain.len(), awkward.len()), (24, 24));
            assert!(awkward.starts_with('/') && awkward.contains("//"), "{awkward}");
            assert!(STANDARD.decode(&awkward).is_ok(), "{awkward}");
            assert_eq!(opaque(key).len(), 22);
        }
    }
}

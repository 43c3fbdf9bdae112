//! What does a `next_cursor` carry?
//!
//! Everything: a listing keeps no state on the server. A checksum keyed with the seed refuses cursors that
//! this fake did not make.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::random::hash_text;

const CURSOR_LEN: usize = 33;
const CHECK_LEN: usize = 10;

/// A place in a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The method, and who calls it.
    pub(super) listing: u64,
    /// Which generation of cursors; expiring cursors starts the next one.
    pub(super) epoch: u64,
    /// The parameters that must not change on the way.
    pub(super) shape: u64,
    /// The place of the next item: a position, or a `ts`.
    pub(super) next: u64,
    /// Whether the empty page in the middle has been served.
    pub(super) paused: bool,
}

/// Encodes and checks cursors.
#[derive(Debug)]
pub(super) struct CursorCodec {
    key: [u8; 8],
}

impl CursorCodec {
    pub(super) const fn new(seed: u64) -> Self {
        Self { key: seed.to_be_bytes() }
    }

    fn checksum(&self, cursor: &[u8]) -> [u8; CHECK_LEN] {
        let mut hash = Sha256::new();
        hash.update(b"next_cursor");
        hash.update(self.key);
        hash.update(cursor);
        let mut check = [0; CHECK_LEN];
        check.copy_from_slice(&hash.finalize()[..CHECK_LEN]);
        check
    }

    /// In the alphabet with `+` and `/`, and with `=` at the end, as Slack's: a client that does not
    /// percent-encode it finds out here.
    pub(super) fn encode(&self, cursor: &Cursor) -> String {
        let mut bytes = Vec::with_capacity(CURSOR_LEN + CHECK_LEN);
        for number in [cursor.listing, cursor.epoch, cursor.shape, cursor.next] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.push(u8::from(cursor.paused));
        let check = self.checksum(&bytes);
        bytes.extend_from_slice(&check);
        STANDARD.encode(bytes)
    }

    pub(super) fn decode(&self, text: &str) -> Option<Cursor> {
        let bytes = STANDARD.decode(text).ok().filter(|bytes| bytes.len() == CURSOR_LEN + CHECK_LEN)?;
        let (cursor, check) = bytes.split_at(CURSOR_LEN);
        if self.checksum(cursor) != check {
            return None;
        }
        let number = |index: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&cursor[index * 8..index * 8 + 8]);
            u64::from_be_bytes(number)
        };
        Some(Cursor {
            listing: number(0),
            epoch: number(1),
            shape: number(2),
            next: number(3),
            paused: cursor[32] == 1,
        })
    }
}

/// The fingerprint of the parameters that must stay equal; their order does not matter.
pub(super) fn shape<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> u64 {
    let mut parameters: Vec<_> = parameters.filter(|(name, _)| !["cursor", "token"].contains(name)).collect();
    parameters.sort_unstable();
    let text: String = parameters.iter().flat_map(|(name, value)| [*name, "=", *value, "\n"]).collect();
    hash_text(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went_and_an_altered_one_does_not() {
        let codec = CursorCodec::new(7);
        let cursor = Cursor { listing: 1, epoch: 2, shape: 3, next: u64::MAX, paused: true };
        let text = codec.encode(&cursor);
        assert!(text.ends_with('='), "{text}");
        assert_eq!(codec.decode(&text), Some(cursor));
        let altered = text.replacen('A', "B", 1);
        assert_ne!(altered, text);
        for refused in
            [altered.as_str(), "", "dGVhbTpDMDYxRkE1UEI=", &text[1..], &CursorCodec::new(8).encode(&cursor)]
        {
            assert_eq!(codec.decode(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_shape_is_one_of_the_parameters_without_their_order_the_cursor_and_the_token() {
        let of = |pairs: &[(&'static str, &'static str)]| shape(pairs.iter().copied());
        assert_eq!(
            of(&[("a", "1"), ("b", "2")]),
            of(&[("b", "2"), ("cursor", "x"), ("a", "1"), ("token", "y")])
        );
        assert_ne!(of(&[("a", "1"), ("b", "2")]), of(&[("a", "1"), ("b", "3")]));
    }
}

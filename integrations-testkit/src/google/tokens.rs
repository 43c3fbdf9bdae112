//! What do page tokens and sync tokens carry?
//!
//! Everything: a listing keeps no state on the server, so a million events and a thousand listings
//! cost no memory. A checksum keyed with the seed refuses tokens that this fake did not make.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use sha2::{Digest as _, Sha256};

use super::listing::Window;
use crate::random::hash_text;

const CURSOR_LEN: usize = 58;
const CHECK_LEN: usize = 10;

/// What a listing goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `next` is the position of the next item.
    Page,
    /// Events in the order of `updated`: `next` is a version, the untouched ones are behind.
    UpdatedPage,
    /// `next` is the lowest version not served yet.
    ChangesPage,
    /// A sync token; `upto` is the version from which changes are wanted.
    Sync,
}

/// A place in a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) kind: Kind,
    /// Which collection the token belongs to.
    pub(super) collection: u64,
    /// Which generation of tokens; expiring tokens starts the next one.
    pub(super) epoch: u64,
    /// The parameters that must not change on the way.
    pub(super) shape: u64,
    pub(super) next: u64,
    /// The version the listing started at: what changed later belongs to the next sync.
    pub(super) upto: u64,
    pub(super) window: Window,
    /// Whether the empty page in the middle has been served.
    pub(super) paused: bool,
}

/// Encodes and checks tokens.
#[derive(Debug)]
pub(super) struct TokenCodec {
    key: [u8; 8],
}

impl TokenCodec {
    pub(super) const fn new(seed: u64) -> Self {
        Self { key: seed.to_be_bytes() }
    }

    fn checksum(&self, cursor: &[u8]) -> [u8; CHECK_LEN] {
        let mut hash = Sha256::new();
        hash.update(b"cursor");
        hash.update(self.key);
        hash.update(cursor);
        let mut check = [0; CHECK_LEN];
        check.copy_from_slice(&hash.finalize()[..CHECK_LEN]);
        check
    }

    /// Ends in `=`, as Google's do: a client that does not percent-encode it finds out here.
    pub(super) fn encode(&self, cursor: &Cursor) -> String {
        let mut bytes = Vec::with_capacity(CURSOR_LEN + CHECK_LEN);
        bytes.push(match cursor.kind {
            Kind::Page => 0,
            Kind::UpdatedPage => 1,
            Kind::ChangesPage => 2,
            Kind::Sync => 3,
        });
        bytes.push(u8::from(cursor.paused));
        for number in [cursor.collection, cursor.epoch, cursor.shape, cursor.next, cursor.upto] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        for limit in [cursor.window.min, cursor.window.max] {
            bytes.extend_from_slice(&limit.to_be_bytes());
        }
        let check = self.checksum(&bytes);
        bytes.extend_from_slice(&check);
        URL_SAFE.encode(bytes)
    }

    pub(super) fn decode(&self, token: &str) -> Option<Cursor> {
        let bytes = URL_SAFE.decode(token).ok().filter(|bytes| bytes.len() == CURSOR_LEN + CHECK_LEN)?;
        let (cursor, check) = bytes.split_at(CURSOR_LEN);
        if self.checksum(cursor) != check {
            return None;
        }
        let kind = match cursor[0] {
            0 => Kind::Page,
            1 => Kind::UpdatedPage,
            2 => Kind::ChangesPage,
            _ => Kind::Sync,
        };
        let field = |index: usize| {
            let start = 2 + index * 8;
            let mut number = [0; 8];
            number.copy_from_slice(&cursor[start..start + 8]);
            number
        };
        Some(Cursor {
            kind,
            paused: cursor[1] == 1,
            collection: u64::from_be_bytes(field(0)),
            epoch: u64::from_be_bytes(field(1)),
            shape: u64::from_be_bytes(field(2)),
            next: u64::from_be_bytes(field(3)),
            upto: u64::from_be_bytes(field(4)),
            window: Window { min: i64::from_be_bytes(field(5)), max: i64::from_be_bytes(field(6)) },
        })
    }
}

/// The fingerprint of the parameters that must stay equal; their order does not matter.
pub(super) fn shape<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> u64 {
    let mut parameters: Vec<_> = parameters.collect();
    parameters.sort_unstable();
    let text: String = parameters.iter().flat_map(|(name, value)| [*name, "=", *value, "\n"]).collect();
    hash_text(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> Cursor {
        Cursor {
            kind: Kind::ChangesPage,
            collection: 1,
            epoch: 2,
            shape: 3,
            next: 4,
            upto: 5,
            window: Window { min: i64::MIN, max: 6 },
            paused: true,
        }
    }

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let codec = TokenCodec::new(7);
        let token = codec.encode(&cursor());
        assert!(token.ends_with('='), "{token}");
        assert_eq!(codec.decode(&token), Some(cursor()));
    }

    #[test]
    fn a_token_that_was_altered_or_made_elsewhere_is_refused() {
        let codec = TokenCodec::new(7);
        let token = codec.encode(&cursor());
        let altered = token.replacen('A', "B", 1);
        assert_ne!(altered, token);
        for refused in [altered.as_str(), "", "garbage", &token[1..], &TokenCodec::new(8).encode(&cursor())] {
            assert_eq!(codec.decode(refused), None, "{refused}");
        }
    }
}

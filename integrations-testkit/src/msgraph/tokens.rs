//! What do `$skiptoken` and `$deltatoken` carry?
//!
//! Everything: a round keeps no state on the server. A checksum keyed with the seed refuses tokens that this
//! fake did not make.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

const CURSOR_LEN: usize = 2 + 3 * 4 + 6 * 8;
const CHECK_LEN: usize = 10;

/// What a round goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Everything there is: `next` is the place of the next item.
    Everything = 0,
    /// What changed: `next` is the lowest version not served yet.
    Changes = 1,
    /// The end of a round; `upto` is the version from which changes are wanted.
    End = 2,
}

/// A place in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) kind: Kind,
    /// Whether the empty page in the middle has been served.
    pub(super) paused: bool,
    /// Which collection the token belongs to.
    pub(super) collection: u64,
    /// Which generation of tokens.
    pub(super) epoch: u32,
    /// The page size that the first request asked for; 0 means none.
    pub(super) top: u32,
    /// The version the round started at: what changed later belongs to the next one.
    pub(super) upto: u64,
    pub(super) next: u64,
    /// Of a series that a page ended in, the day before which everything is served; 0 means none.
    pub(super) day: u32,
    /// What was selected.
    pub(super) select: u64,
    /// A window in milliseconds.
    pub(super) window: (i64, i64),
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
        hash.update(b"state");
        hash.update(self.key);
        hash.update(cursor);
        let mut check = [0; CHECK_LEN];
        check.copy_from_slice(&hash.finalize()[..CHECK_LEN]);
        check
    }

    pub(super) fn encode(&self, cursor: &Cursor) -> String {
        let mut bytes = Vec::with_capacity(CURSOR_LEN + CHECK_LEN);
        bytes.extend([cursor.kind as u8, u8::from(cursor.paused)]);
        for number in [cursor.epoch, cursor.top, cursor.day] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        for number in [cursor.collection, cursor.upto, cursor.next, cursor.select] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        for limit in [cursor.window.0, cursor.window.1] {
            bytes.extend_from_slice(&limit.to_be_bytes());
        }
        let check = self.checksum(&bytes);
        bytes.extend_from_slice(&check);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    pub(super) fn decode(&self, token: &str) -> Option<Cursor> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (cursor, check) = bytes.split_at_checked(CURSOR_LEN)?;
        if self.checksum(cursor) != check {
            return None;
        }
        let kind = match cursor[0] {
            0 => Kind::Everything,
            1 => Kind::Changes,
            _ => Kind::End,
        };
        let short = |index: usize| {
            let mut number = [0; 4];
            number.copy_from_slice(&cursor[2 + index * 4..][..4]);
            u32::from_be_bytes(number)
        };
        let long = |index: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&cursor[14 + index * 8..][..8]);
            number
        };
        let [collection, upto, next, select] = [0, 1, 2, 3].map(|index| u64::from_be_bytes(long(index)));
        Some(Cursor {
            kind,
            paused: cursor[1] == 1,
            collection,
            epoch: short(0),
            top: short(1),
            upto,
            next,
            day: short(2),
            select,
            window: (i64::from_be_bytes(long(4)), i64::from_be_bytes(long(5))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> Cursor {
        Cursor {
            kind: Kind::Changes,
            paused: true,
            collection: 1,
            epoch: 2,
            top: 3,
            upto: 4,
            next: 5,
            day: 6,
            select: 7,
            window: (i64::MIN, 8),
        }
    }

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let codec = TokenCodec::new(7);
        assert_eq!(codec.decode(&codec.encode(&cursor())), Some(cursor()));
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

//! What does a `next_page_token` carry?
//!
//! Everything: a listing keeps no state on the server. A checksum keyed with the seed refuses tokens that this
//! fake did not make.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use crate::random::hash_text;

/// Zoom documents that a token expires after 15 minutes.
const LIFE: TimeDelta = TimeDelta::minutes(15);
const NUMBERS: usize = 7;
const CURSOR_LEN: usize = NUMBERS * 8 + 1;
const CHECK_LEN: usize = 10;

/// Where an item stands in a listing. It is the same as long as the item's time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// In seconds; what has no time comes first.
    pub(super) at: i64,
    pub(super) id: u64,
    /// Which of several of the same.
    pub(super) number: i64,
}

/// A place in a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The operation, what it is about, and who calls it.
    pub(super) listing: u64,
    /// Which generation of tokens; expiring tokens starts the next one.
    pub(super) epoch: u64,
    /// The parameters that must not change on the way.
    pub(super) shape: u64,
    /// The place of the next item.
    pub(super) next: Place,
    /// Whether the empty page in the middle has been served.
    pub(super) paused: bool,
    /// In seconds of the epoch.
    pub(super) issued: i64,
}

impl Cursor {
    pub(super) fn has_expired(&self, now: DateTime<Utc>) -> bool {
        now.timestamp() >= self.issued.saturating_add(LIFE.num_seconds())
    }
}

/// Encodes and checks tokens.
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
        hash.update(b"next_page_token");
        hash.update(self.key);
        hash.update(cursor);
        let mut check = [0; CHECK_LEN];
        check.copy_from_slice(&hash.finalize()[..CHECK_LEN]);
        check
    }

    /// In the alphabet with `+` and `/`: a client that does not percent-encode it finds out here.
    pub(super) fn encode(&self, cursor: &Cursor) -> String {
        let mut bytes = Vec::with_capacity(CURSOR_LEN + CHECK_LEN);
        let Place { at, id, number } = cursor.next;
        for number in [cursor.listing, cursor.epoch, cursor.shape, id] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        for number in [at, number, cursor.issued] {
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
        let eight = |index: usize| {
            let mut number = [0; 8];
            number.copy_from_slice(&cursor[index * 8..index * 8 + 8]);
            number
        };
        Some(Cursor {
            listing: u64::from_be_bytes(eight(0)),
            epoch: u64::from_be_bytes(eight(1)),
            shape: u64::from_be_bytes(eight(2)),
            next: Place {
                id: u64::from_be_bytes(eight(3)),
                at: i64::from_be_bytes(eight(4)),
                number: i64::from_be_bytes(eight(5)),
            },
            issued: i64::from_be_bytes(eight(6)),
            paused: cursor[NUMBERS * 8] == 1,
        })
    }
}

/// The fingerprint of the parameters that must stay equal; their order does not matter.
pub(super) fn shape<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> u64 {
    let mut parameters: Vec<_> = parameters.filter(|(name, _)| *name != "next_page_token").collect();
    parameters.sort_unstable();
    let text: String = parameters.iter().flat_map(|(name, value)| [*name, "=", *value, "\n"]).collect();
    hash_text(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_as_it_went_and_an_altered_one_does_not() {
        let codec = CursorCodec::new(7);
        let next = Place { at: -1, id: u64::MAX, number: i64::MIN };
        let cursor = Cursor { listing: 1, epoch: 2, shape: 3, next, paused: true, issued: 1_772_355_600 };
        let text = codec.encode(&cursor);
        assert_eq!(codec.decode(&text), Some(cursor));
        let altered = text.replacen('A', "B", 1);
        assert_ne!(altered, text);
        let other = CursorCodec::new(8).encode(&cursor);
        for refused in [altered.as_str(), "", "IAfJX3jsOLW7w3dokmFl84zOa0MAVGyMEB2", &text[1..], &other] {
            assert_eq!(codec.decode(refused), None, "{refused}");
        }
        let at = |seconds: i64| DateTime::from_timestamp(1_772_355_600 + seconds, 0).unwrap();
        assert!(!cursor.has_expired(at(899)) && cursor.has_expired(at(900)));
    }
}

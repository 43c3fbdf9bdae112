//! How is an item named?
//!
//! An item has two ids. The usual one (`AAMk...`) changes whenever the item moves; the immutable one
//! (`AAkA...`), for which a client asks with `Prefer: IdType="ImmutableId"`, stays. Calendars and folders have
//! a single one. An id carries everything that the fake needs to find the item, and a checksum, so that an id
//! of another mailbox is malformed here, as it is at Exchange.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

use super::errors::Refusal;
use super::store::Key;
use crate::random::{mix, unmix};

/// What usual ids begin with.
const USUAL: [u8; 4] = [0x00, 0x03, 0x24, 0x00];
/// What immutable ids begin with.
#[rustfmt::skip]
const IMMUTABLE: [u8; 27] = [
    0x00, 0x09, 0x00, 0x2e, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1d, 0x84, 0x03, 0x11, 0xaa,
    0x66, 0x11, 0xcd, 0x9b, 0xc8, 0x00, 0xaa, 0x00, 0x2f, 0x84, 0x5a, 0x0d, 0x00,
];

/// The mailbox, as Exchange's ids name it, and what the item is.
const PREFIX_LEN: usize = 4 + 36 + 7;
const CORE_LEN: usize = 1 + 8 + 4 + 4;
const CHECK_LEN: usize = 7;
const ID_LEN: usize = PREFIX_LEN + CORE_LEN + CHECK_LEN;

/// Which of its ids an item is called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdType {
    Usual,
    Immutable,
}

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Calendar = 1,
    Folder = 2,
    Event = 3,
    Message = 4,
    Attachment = 5,
    Conversation = 6,
}

/// An id, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) kind: Kind,
    /// Of the item, the calendar or the folder.
    pub(super) key: Key,
    /// How often the item had moved when it had this id; `None`: the id does not depend on it.
    pub(super) moves: Option<u32>,
    /// Of an event, the day of the occurrence; of an attachment, its number; 0 means none.
    pub(super) part: u32,
}

/// Makes and reads the ids of one mailbox.
#[derive(Debug)]
pub(super) struct Ids {
    seed: u64,
    mailbox: [u8; 36],
}

impl Ids {
    pub(super) fn new(seed: u64) -> Self {
        let mut mailbox = [b'-'; 36];
        mailbox.copy_from_slice(&guid(mix(seed ^ 0x6d61_696c)).as_bytes()[..36]);
        Self { seed: mix(seed), mailbox }
    }

    /// The id of a calendar or folder, which never changes.
    pub(super) fn container(&self, kind: Kind, number: usize) -> String {
        self.text(IdType::Usual, &Name { kind, key: Key::of(number as u64), moves: None, part: 0 })
    }

    pub(super) fn text(&self, id_type: IdType, name: &Name) -> String {
        let mut out = Vec::with_capacity(ID_LEN * 4 / 3 + 4);
        self.put(&mut out, id_type, name);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Appends an id.
    pub(super) fn put(&self, out: &mut Vec<u8>, id_type: IdType, name: &Name) {
        let moves = name.moves.filter(|_| id_type == IdType::Usual);
        let mut bytes = [0; ID_LEN];
        bytes[4..40].copy_from_slice(&self.mailbox);
        match id_type {
            IdType::Usual => bytes[..USUAL.len()].copy_from_slice(&USUAL),
            IdType::Immutable => bytes[..IMMUTABLE.len()].copy_from_slice(&IMMUTABLE),
        }
        bytes[41] = 0x46;
        let core = &mut bytes[PREFIX_LEN..PREFIX_LEN + CORE_LEN];
        core[0] = name.kind as u8;
        core[1..9].copy_from_slice(&mix(name.key.number() ^ self.seed).to_be_bytes());
        core[9..13].copy_from_slice(&moves.map_or(0, |moves| moves + 1).to_be_bytes());
        core[13..].copy_from_slice(&name.part.to_be_bytes());
        let check = self.check(&bytes[..PREFIX_LEN + CORE_LEN]);
        bytes[PREFIX_LEN + CORE_LEN..].copy_from_slice(&check);
        let start = out.len();
        out.resize(start + ID_LEN.div_ceil(3) * 4, b'=');
        // The room is exactly what so many bytes need.
        let _ = URL_SAFE.encode_slice(bytes, &mut out[start..]);
    }

    fn check(&self, bytes: &[u8]) -> [u8; CHECK_LEN] {
        let mut hash = self.seed;
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            hash = mix(hash ^ u64::from_be_bytes(word)).wrapping_add(self.seed);
        }
        let mut check = [0; CHECK_LEN];
        check.copy_from_slice(&hash.to_be_bytes()[..CHECK_LEN]);
        check
    }

    /// Takes an id apart; what is none of this mailbox's is malformed.
    pub(super) fn read(&self, text: &str) -> Result<Name, Refusal> {
        self.decode(text).ok_or_else(|| Refusal::of(400, "ErrorInvalidIdMalformed"))
    }

    fn decode(&self, text: &str) -> Option<Name> {
        let bytes: [u8; ID_LEN] = URL_SAFE.decode(text).ok()?.try_into().ok()?;
        let (signed, check) = bytes.split_at(PREFIX_LEN + CORE_LEN);
        if self.check(signed) != check {
            return None;
        }
        let core = &signed[PREFIX_LEN..];
        let kind = match core[0] {
            1 => Kind::Calendar,
            2 => Kind::Folder,
            3 => Kind::Event,
            4 => Kind::Message,
            5 => Kind::Attachment,
            _ => Kind::Conversation,
        };
        let scattered = u64::from_be_bytes(core[1..9].try_into().ok()?);
        let moves = u32::from_be_bytes(core[9..13].try_into().ok()?);
        let part = u32::from_be_bytes(core[13..].try_into().ok()?);
        Some(Name { kind, key: Key::of(unmix(scattered) ^ self.seed), moves: moves.checked_sub(1), part })
    }
}

/// A version 4 UUID.
pub(super) fn guid(key: u64) -> String {
    let (high, low) = (mix(key), mix(key ^ 0x6772_6170));
    format!(
        "{:08x}-{:04x}-4{:03x}-b{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_as_it_went_and_only_the_usual_one_knows_of_moves() {
        let ids = Ids::new(1);
        let name = Name { kind: Kind::Event, key: Key::of(7), moves: Some(2), part: 739_000 };
        let usual = ids.text(IdType::Usual, &name);
        let immutable = ids.text(IdType::Immutable, &name);
        assert!(usual.starts_with("AAMkA") && usual.ends_with('='), "{usual}");
        assert!(immutable.starts_with("AAkALg") && immutable.ends_with('='), "{immutable}");
        assert_eq!(ids.read(&usual).unwrap(), name);
        assert_eq!(ids.read(&immutable).unwrap(), Name { moves: None, ..name });
        let moved = Name { moves: Some(3), ..name };
        assert_ne!(ids.text(IdType::Usual, &moved), usual);
        assert_eq!(ids.text(IdType::Immutable, &moved), immutable);
    }

    #[test]
    fn an_id_that_was_altered_or_made_elsewhere_is_malformed() {
        let ids = Ids::new(1);
        let id = ids.container(Kind::Folder, 3);
        let lower = id.to_lowercase();
        for refused in ["", "inbox", &id[1..], lower.as_str(), &Ids::new(2).container(Kind::Folder, 3)] {
            assert_eq!(ids.read(refused).unwrap_err().code, "ErrorInvalidIdMalformed", "{refused}");
        }
    }
}

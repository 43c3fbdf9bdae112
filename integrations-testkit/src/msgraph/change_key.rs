//! What does an etag say?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::text::put;

/// What the change keys of one mailbox have in common.
const MAILBOX: [u8; 14] =
    [0xef, 0x7a, 0x75, 0xcf, 0x54, 0xfd, 0xc5, 0x42, 0x9c, 0xf0, 0x75, 0x4d, 0xc0, 0x0c];

/// Of an item that was changed in this version; the numbers of untouched items are lower.
pub(super) const fn of_version(version: u64) -> u64 {
    (1 << 48) | version
}

/// Appends the change key with this number, in which an etag differs from the next.
pub(super) fn put_change_key(out: &mut Vec<u8>, number: u64) {
    let mut bytes = [0; 22];
    bytes[..14].copy_from_slice(&MAILBOX);
    bytes[14..].copy_from_slice(&number.to_be_bytes());
    let mut text = [0; 32];
    // The buffer has exactly the size that 22 bytes need.
    let _ = STANDARD.encode_slice(bytes, &mut text);
    put!(out, text);
}

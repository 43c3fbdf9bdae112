//! In which form are Slack's ids?

use crate::random::Draw;

const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// Letters and digits after the first letter.
const LENGTH: usize = 10;

/// An id such as `C0F4KE5LACK`, made from a key.
pub(super) fn made_up(letter: u8, key: u64) -> [u8; LENGTH + 1] {
    let mut draw = Draw::new(key);
    let mut id = [letter; LENGTH + 1];
    id[1] = b'0';
    for place in &mut id[2..] {
        *place = *draw.pick(ALPHABET);
    }
    id
}

/// The same as text.
pub(super) fn made_up_text(letter: u8, key: u64) -> String {
    made_up(letter, key).iter().map(|&byte| char::from(byte)).collect()
}

/// A `client_msg_id`: a version 4 UUID.
pub(super) fn uuid(key: u64) -> [u8; 36] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut draw = Draw::new(key);
    let mut bits = [draw.next(), draw.next()];
    let mut uuid = *b"xxxxxxxx-xxxx-4xxx-axxx-xxxxxxxxxxxx";
    for (index, place) in uuid.iter_mut().filter(|place| **place == b'x').enumerate() {
        let half = &mut bits[index / 15];
        *place = HEX[(*half & 15) as usize];
        *half >>= 4;
    }
    uuid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_their_key_alone() {
        let id = made_up_text(b'C', 7);
        assert_eq!((id.len(), id.starts_with("C0"), &id), (11, true, &made_up_text(b'C', 7)));
        assert_ne!(id, made_up_text(b'C', 8));
        let text = String::from_utf8(uuid(7).to_vec()).unwrap();
        let parts: Vec<usize> = text.split('-').map(str::len).collect();
        assert_eq!((parts, text.contains('x')), (vec![8, 4, 4, 4, 12], false));
    }
}

//! In which form are GitHub's ids?

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::random::Draw;

/// A `node_id` of the new form, such as `I_kwDOHrjtpM5OBUhj`: behind the type a list of numbers
/// (MessagePack), for what is in a repository the repository's id and its own.
pub(super) fn node(kind: &str, numbers: &[u64]) -> String {
    let mut bytes = vec![0x91 + u8::try_from(numbers.len()).unwrap_or(0), 0];
    for &number in numbers {
        pack(&mut bytes, number);
    }
    format!("{kind}_{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// A number as MessagePack has it, in four bytes or eight.
pub(super) fn pack(bytes: &mut Vec<u8>, number: u64) {
    if let Ok(small) = u32::try_from(number) {
        bytes.push(0xce);
        bytes.extend_from_slice(&small.to_be_bytes());
    } else {
        bytes.push(0xcf);
        bytes.extend_from_slice(&number.to_be_bytes());
    }
}

/// The name of a commit.
pub(super) fn sha(key: u64) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut draw = Draw::new(key);
    (0..40).map(|_| char::from(*draw.pick(HEX))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_that_github_made_of_the_same_numbers() {
        assert_eq!(node("R", &[515_435_940]), "R_kgDOHrjtpA");
        assert_eq!(node("I", &[515_435_940, 1_308_969_059]), "I_kwDOHrjtpM5OBUhj");
        assert_eq!(node("IC", &[537_482_687, 1_633_968_123]), "IC_kwDOIAlVv85hZF_7");
        assert_eq!(node("CR", &[558_639_039, 16_354_767_716]), "CR_kwDOIUwnv88AAAADztHzZA");
    }

    #[test]
    fn a_commits_name_depends_on_its_key_alone() {
        assert_eq!((sha(7).len(), sha(7)), (40, sha(7)));
        assert_ne!(sha(7), sha(8));
    }
}

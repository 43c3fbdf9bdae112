//! Where do reproducible values come from?
//!
//! Everything a fake makes up is a function of its seed, so a failing run can be run again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The SplitMix64 finaliser: a bijection that scatters neighbouring values.
pub(crate) const fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The inverse of [`mix`].
pub(crate) const fn unmix(mut value: u64) -> u64 {
    value = (value ^ (value >> 31) ^ (value >> 62)).wrapping_mul(0x3196_42b2_d24d_8ec3);
    value = (value ^ (value >> 27) ^ (value >> 54)).wrapping_mul(0x96de_1b17_3f11_9089);
    value ^ (value >> 30) ^ (value >> 60)
}

/// FNV-1a, for names that become keys of a generator.
pub(crate) fn hash_text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// A stream of draws that depends on its key alone.
#[derive(Debug, Clone)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) const fn new(key: u64) -> Self {
        Self(key)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A draw in `0..bound`.
    pub(crate) const fn below(&mut self, bound: u32) -> u32 {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "the product of two 32-bit numbers, shifted by 32"
        )]
        let drawn = (((self.next() >> 32) * bound as u64) >> 32) as u32;
        drawn
    }

    pub(crate) const fn percent(&mut self, chance: u32) -> bool {
        self.below(100) < chance
    }

    pub(crate) const fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        #[allow(clippy::cast_possible_truncation, reason = "the lists drawn from are short")]
        let index = self.below(from.len() as u32) as usize;
        &from[index]
    }
}

/// Mints opaque strings that do not repeat within one fake.
#[derive(Debug)]
pub(crate) struct Mint {
    seed: u64,
    minted: u64,
}

impl Mint {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, minted: 0 }
    }

    /// 43 characters of base64url.
    pub(crate) fn token(&mut self) -> String {
        self.minted += 1;
        let mut hash = Sha256::new();
        hash.update(b"mint");
        hash.update(self.seed.to_be_bytes());
        hash.update(self.minted.to_be_bytes());
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unmix_undoes_mix() {
        for value in (0..2_000).chain([u64::MAX, u64::MAX / 3, GOLDEN]) {
            assert_eq!(unmix(mix(value)), value);
        }
    }

    #[test]
    fn draws_stay_below_their_bound_and_reach_it() {
        let mut draw = Draw::new(7);
        let drawn: Vec<u32> = (0..1_000).map(|_| draw.below(10)).collect();
        assert!((0..10).all(|wanted| drawn.contains(&wanted)));
        assert!(drawn.iter().all(|&value| value < 10));
    }
}

//! SipHash-2-4 (Aumasson and Bernstein, 2012), 64 and 128 bits.

/// A hash that never changes: its value may leave the process. Not keyed by a secret.
///
/// SipHash-2-4 with the key (`seed`, 0). `O(len)`, no allocation.
#[must_use]
pub fn hash64(seed: u64, bytes: &[u8]) -> u64 {
    let mut s = State::new(seed, 0, 0);
    s.absorb(bytes);
    s.v2 ^= 0xff;
    s.rounds::<4>();
    s.v0 ^ s.v1 ^ s.v2 ^ s.v3
}

/// A tag that nobody without the key can make: cookie tokens, keys of secret values.
///
/// SipHash-2-4-128; the key is sixteen secret random bytes. `O(len)`, no allocation.
#[must_use]
pub fn tag128(key: &[u8; 16], bytes: &[u8]) -> [u8; 16] {
    let key = u128::from_le_bytes(*key);
    let mut s = State::new(key as u64, (key >> 64) as u64, 0xee);
    s.absorb(bytes);
    s.v2 ^= 0xee;
    s.rounds::<4>();
    let low = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    s.v1 ^= 0xdd;
    s.rounds::<4>();
    let high = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    (u128::from(low) | (u128::from(high) << 64)).to_le_bytes()
}

struct State {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
}

impl State {
    const fn new(k0: u64, k1: u64, tweak: u64) -> Self {
        Self {
            v0: k0 ^ 0x736f_6d65_7073_6575,
            v1: k1 ^ 0x646f_7261_6e64_6f6d ^ tweak,
            v2: k0 ^ 0x6c79_6765_6e65_7261,
            v3: k1 ^ 0x7465_6462_7974_6573,
        }
    }

    fn absorb(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        let mut last = (bytes.len() as u64) << 56;
        for (i, byte) in rest.iter().enumerate() {
            last |= u64::from(*byte) << (8_usize.wrapping_mul(i));
        }
        self.word(last);
    }

    fn word(&mut self, m: u64) {
        self.v3 ^= m;
        self.rounds::<2>();
        self.v0 ^= m;
    }

    fn rounds<const N: usize>(&mut self) {
        for _ in 0..N {
            self.v0 = self.v0.wrapping_add(self.v1);
            self.v1 = self.v1.rotate_left(13) ^ self.v0;
            self.v0 = self.v0.rotate_left(32);
            self.v2 = self.v2.wrapping_add(self.v3);
            self.v3 = self.v3.rotate_left(16) ^ self.v2;
            self.v0 = self.v0.wrapping_add(self.v3);
            self.v3 = self.v3.rotate_left(21) ^ self.v0;
            self.v2 = self.v2.wrapping_add(self.v1);
            self.v1 = self.v1.rotate_left(17) ^ self.v2;
            self.v2 = self.v2.rotate_left(32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    #[test]
    fn tag128_gives_the_reference_vector() {
        // vectors_sip128[0] of the authors' reference code: key 00..0f, empty input
        let key: [u8; 16] = core::array::from_fn(|i| i as u8);
        let want = [
            0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93,
        ];
        assert_eq!(tag128(&key, b""), want);
    }

    proptest! {
        #[test]
        fn both_hashes_agree_with_another_implementation(
            seed: u64, key: [u8; 16], bytes in proptest::collection::vec(any::<u8>(), 0..70),
        ) {
            use siphasher::sip128::Hasher128;
            use std::hash::Hasher;
            let mut h = siphasher::sip::SipHasher24::new_with_keys(seed, 0);
            h.write(&bytes);
            prop_assert_eq!(hash64(seed, &bytes), h.finish());
            let mut h = siphasher::sip128::SipHasher24::new_with_key(&key);
            h.write(&bytes);
            prop_assert_eq!(tag128(&key, &bytes).to_vec(), Vec::from(h.finish128().as_bytes()));
        }
    }
}

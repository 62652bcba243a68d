/// A small seeded generator for jitter and for choosing among backends. Not for secrets.
///
/// SplitMix64 (Steele, Lea and Flood, 2014): every seed is good, the period is 2^64.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A generator whose numbers follow from `seed` alone.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, without noticeable bias for small bounds; 0 when the bound is 0.
    #[allow(clippy::arithmetic_side_effects)] // a product of two 64-bit numbers fits 128 bits
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        // First outputs of SplitMix64 for seed 1234567, as published with Rosetta Code's task.
        let mut rng = Rng::new(1_234_567);
        for want in [
            6_457_827_717_110_365_317_u64,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ] {
            assert_eq!(rng.next_u64(), want);
        }
    }

    #[test]
    fn below_stays_below() {
        let mut rng = Rng::new(7);
        assert_eq!(rng.below(0), 0);
        let mut seen = [false; 3];
        for _ in 0..100 {
            seen[rng.below(3) as usize] = true;
        }
        assert_eq!(seen, [true; 3]);
    }
}

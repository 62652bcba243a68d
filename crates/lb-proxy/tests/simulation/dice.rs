//! Chance from a seed, and the bytes of bodies from a key.

use lb_types::Rng;

/// A generator whose numbers follow from its seed.
#[derive(Debug, Clone)]
pub(crate) struct Dice(Rng);

impl Dice {
    /// A generator of its own for one part of a run, so that a change of one part moves no other.
    pub(crate) fn of(seed: u64, part: u64) -> Self {
        Self(Rng::new(mix(seed) ^ mix(part)))
    }

    /// From `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.0.below(high - low + 1)
    }

    /// As often as that in a hundred.
    pub(crate) fn percent(&mut self, often: u64) -> bool {
        self.0.below(100) < often
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.between(0, of.len() as u64 - 1) as usize]
    }

    /// One of them, by weight.
    pub(crate) fn weighted<T: Copy>(&mut self, of: &[(u64, T)]) -> T {
        let mut left = self.0.below(of.iter().map(|(weight, _)| weight).sum());
        for (weight, value) in of {
            if left < *weight {
                return *value;
            }
            left -= weight;
        }
        unreachable!("the weights add up")
    }

    /// A length up to `most`: mostly short, sometimes larger than a buffer, and rarely than the largest.
    pub(crate) fn length(&mut self, most: u64) -> u64 {
        let (low, high) = self.weighted(&[(1, (0, 0)), (6, (1, 300)), (3, (301, 9_000)), (2, (9_001, 150_000))]);
        self.between(low, high).min(most)
    }
}

const fn mix(number: u64) -> u64 {
    Rng::new(number).next_u64()
}

/// The bytes of one body: each follows from the key and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes(u64);

impl Bytes {
    /// What the client sends of this request or tunnel.
    pub(crate) const fn up(id: u32) -> Self {
        Self(mix(id as u64 * 2 + 1))
    }

    /// What the backend sends.
    pub(crate) const fn down(id: u32) -> Self {
        Self(mix(id as u64 * 2 + 2))
    }

    fn at(self, place: u64) -> u8 {
        (mix(self.0 ^ (place / 8)) >> (place % 8 * 8)) as u8
    }

    pub(crate) fn fill(self, from: u64, into: &mut [u8]) {
        for (byte, place) in into.iter_mut().zip(from..) {
            *byte = self.at(place);
        }
    }

    /// No byte is lost, doubled or exchanged: the first that is not what was sent at this place.
    pub(crate) fn check(self, from: u64, bytes: &[u8]) -> Result<(), String> {
        match bytes.iter().zip(from..).find(|(byte, place)| **byte != self.at(*place)) {
            None => Ok(()),
            Some((_, place)) => Err(format!("byte {place} of the body is not the one that was sent")),
        }
    }
}

#[test]
fn a_lost_a_doubled_and_a_foreign_byte_are_seen() {
    let mut sent = [0; 100];
    Bytes::down(7).fill(0, &mut sent);
    assert_eq!(Bytes::down(7).check(0, &sent), Ok(()));
    assert_eq!(Bytes::down(7).check(40, &sent[40..]), Ok(()));
    let lost = [&sent[..50], &sent[51..]].concat();
    assert!(Bytes::down(7).check(0, &lost).is_err());
    let doubled = [&sent[..50], &sent[49..]].concat();
    assert!(Bytes::down(7).check(0, &doubled).is_err());
    assert!(Bytes::down(8).check(0, &sent).is_err() && Bytes::up(7).check(0, &sent).is_err());
}

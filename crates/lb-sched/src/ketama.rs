use crate::{Member, Ring, Seat};
use alloc::format;
use alloc::vec::Vec;
use md5::{Digest, Md5};

impl Ring {
    /// A ring with the points of libketama, byte for byte, for members with the names it knows them by
    /// (`10.0.1.1:11211`). Caches that were filled through other ketama clients are found again.
    ///
    /// Of all names, the share of a member's weight in 40 points times the number of members, rounded
    /// down, gives its groups of four points; so a member's points depend on the others' weights, and
    /// one of less than a fortieth of the mean has none: it is picked only when nobody else is accepted. Members
    /// of weight 0 are left out. The hash of an ask must be a [`ketama_hash`].
    #[must_use]
    pub fn ketama(members: &[(Member, &str)]) -> Self {
        let taking = || members.iter().filter(|(m, _)| m.weight.get() > 0);
        let total: u64 = taking().map(|(m, _)| u64::from(m.weight.get())).sum();
        // in the order of the names: of two equal points the first name has it
        let mut taking: Vec<&(Member, &str)> = taking().collect();
        taking.sort_by_key(|(_, name)| *name);
        let count = taking.len();
        let mut points = Vec::new();
        for ((member, name), seat) in taking.iter().zip(0_u32..) {
            for group in 0..groups(member.weight.get(), total, count) {
                let digest = md5(format!("{name}-{group}").as_bytes());
                let (words, _) = digest.as_chunks::<4>();
                points.extend(words.iter().map(|w| (u64::from(u32::from_le_bytes(*w)) << 32, seat)));
            }
        }
        Self::of(taking.iter().map(|(m, _)| Seat::of(m)).collect(), points, true)
    }
}

/// Where libketama looks for a key: the hash for asks to [`Ring::ketama`], below 2^32.
#[must_use]
pub fn ketama_hash(key: &[u8]) -> u64 {
    let [a, b, c, d, ..] = md5(key);
    u32::from_le_bytes([a, b, c, d]).into()
}

/// libketama's `floorf(pct * 40.0 * (float)numservers)` with its `float pct`.
fn groups(weight: u16, total: u64, count: usize) -> u32 {
    let share = f32::from(weight) / total as f32;
    (f64::from(share) * 40.0 * f64::from(count as f32)) as f32 as u32
}

fn md5(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_md5() {
        // RFC 1321, appendix A.5
        let want = [
            0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04, 0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e,
        ];
        assert_eq!(md5(b""), want);
        assert_eq!(ketama_hash(b""), 0xd98c_1dd4);
    }

    #[test]
    fn groups_are_those_of_the_c_code() {
        // by a C program of that one line; seven are 39 when all is computed in doubles
        for (weight, total, count, want) in [
            (2, 12, 8, 53),
            (1, 12, 8, 26),
            (1, 7, 7, 40),
            (1, 61, 61, 39),
            (1, 257, 2, 0),
        ] {
            assert_eq!(
                groups(weight, total, count),
                want,
                "{weight} of {total}, {count} members"
            );
        }
    }
}

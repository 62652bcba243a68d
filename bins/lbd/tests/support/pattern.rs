//! A long stream of bytes in which every position can be checked.

/// Byte `n` of the stream is known for every `n`, and a lost, doubled or moved piece shows.
#[derive(Debug)]
pub(crate) struct Pattern {
    noise: Vec<u8>,
}

const BLOCK: usize = 64 * 1024;

impl Pattern {
    pub(crate) fn new() -> Self {
        // A linear congruential generator (constants of Knuth's MMIX); any noise without a short period does.
        let mut state = 1_u64;
        let byte = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()[0]
        };
        Self {
            noise: std::iter::repeat_with(byte).take(2 * BLOCK).collect(),
        }
    }

    /// The bytes from `position`, at most to the end of their block.
    pub(crate) fn at(&self, position: u64) -> &[u8] {
        let block = usize::try_from(position / BLOCK as u64).unwrap();
        let inside = usize::try_from(position % BLOCK as u64).unwrap();
        // Each block begins elsewhere in the noise, so blocks differ from their neighbours.
        let start = block.wrapping_mul(257) % BLOCK;
        &self.noise[start + inside..start + BLOCK]
    }

    /// Are these the bytes from `position`?
    pub(crate) fn matches(&self, mut position: u64, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let expected = self.at(position);
            let length = expected.len().min(bytes.len());
            if bytes[..length] != expected[..length] {
                return false;
            }
            position += length as u64;
            bytes = &bytes[length..];
        }
        true
    }
}

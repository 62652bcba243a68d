//! CRC32c, by which a header of version 2 can say whether it arrived whole. RFC 4960, appendix B. No cryptography.

/// Continues a sum over more bytes; begin with [`BEGIN`], end with [`end`].
pub(super) fn update(sum: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(sum, |sum, byte| {
        let at = (sum ^ u32::from(*byte)) & 0xff;
        (sum >> 8) ^ TABLE.get(at as usize).copied().unwrap_or_default()
    })
}

pub(super) const fn end(sum: u32) -> u32 {
    !sum
}

pub(super) const BEGIN: u32 = u32::MAX;

/// One step of eight bits for each byte.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // computed by the compiler, below 256
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut value = at as u32;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                (value >> 1) ^ POLYNOMIAL
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[at] = value;
        at += 1;
    }
    table
};

/// Castagnoli's, its bits in the order of the wire.
const POLYNOMIAL: u32 = 0x82f6_3b78;

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 3720, appendix B.4, and the check value of the catalogues for "123456789".
    #[test]
    fn the_published_sums_come_out() {
        let sum = |bytes: &[u8]| end(update(BEGIN, bytes));
        assert_eq!(sum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(sum(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(sum(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
        assert_eq!(sum(b"123456789"), 0xe306_9283);
        assert_eq!(end(update(update(BEGIN, b"1234"), b"56789")), 0xe306_9283);
    }
}

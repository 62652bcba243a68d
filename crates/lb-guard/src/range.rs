//! From first and last address to prefixes.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use lb_types::Cidr;

/// The fewest prefixes that hold the addresses from one to another, in order: at most 62 (IPv4) or 254 (IPv6).
#[derive(Debug)]
pub(crate) struct Range {
    left: Option<(u128, u128)>,
    bits: u32,
}

#[derive(Debug)]
pub(crate) enum RangeError {
    Backward { first: IpAddr, last: IpAddr },
    Families,
}

impl Range {
    /// Both addresses belong to it. Mapped addresses count as IPv4.
    pub(crate) fn new(first: IpAddr, last: IpAddr) -> Result<Self, RangeError> {
        let (low, high, bits) = match (first.to_canonical(), last.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits().into(), b.to_bits().into(), u32::BITS),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), u128::BITS),
            _ => return Err(RangeError::Families),
        };
        if high < low {
            return Err(RangeError::Backward {
                first: last,
                last: first,
            });
        }
        Ok(Self {
            left: Some((low, high)),
            bits,
        })
    }
}

impl Iterator for Range {
    type Item = Cidr;

    fn next(&mut self) -> Option<Cidr> {
        let (low, high) = self.left?;
        // The widest prefix that begins at `low` and ends by `high`.
        let aligned = low.trailing_zeros().min(self.bits);
        let fits = (high - low).checked_add(1).map_or(u128::BITS, u128::ilog2);
        let free = aligned.min(fits);
        self.left = 1_u128
            .checked_shl(free)
            .and_then(|size| low.checked_add(size))
            .filter(|next| *next <= high)
            .map(|next| (next, high));
        let address = if self.bits == u32::BITS {
            Ipv4Addr::from_bits(low as u32).into()
        } else {
            Ipv6Addr::from_bits(low).into()
        };
        Cidr::new(address, (self.bits - free) as u8).ok()
    }
}

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

/// A range of addresses: netmasks, trusted proxies, access lists.
///
/// An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) counts as the IPv4 address it carries, so a
/// dual-stack listener and an IPv4 rule agree. RFC 4632 (IPv4), RFC 4291 section 2.3 (IPv6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// The range of all addresses that share the first `prefix` bits with `address`. The other
    /// bits of `address` are cleared.
    ///
    /// # Errors
    /// [`CidrError::Prefix`] when the prefix is longer than the address (32 or 128 bits).
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, CidrError> {
        let longest = bits(address);
        if prefix > longest {
            return Err(CidrError::Prefix { prefix, longest });
        }
        Ok(Self {
            address: mask(address, prefix),
            prefix,
        })
    }

    /// The range that holds one address.
    #[must_use]
    pub fn host(address: IpAddr) -> Self {
        Self {
            address,
            prefix: bits(address),
        }
    }

    /// The first address of the range.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// The number of fixed bits.
    #[must_use]
    pub const fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Does the range hold `address`? `O(1)`.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match (self.address, address) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => {
                mask(address, self.prefix) == self.address
            }
            _ => false,
        }
    }

    /// `address` with everything but its first bits cleared: `v4` bits of an IPv4 (or mapped)
    /// address, `v6` bits of an IPv6 address. Longer prefixes than the address are the address.
    #[must_use]
    pub fn network_of(address: IpAddr, v4: u8, v6: u8) -> IpAddr {
        let address = address.to_canonical();
        match address {
            IpAddr::V4(_) => mask(address, v4),
            IpAddr::V6(_) => mask(address, v6),
        }
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    /// `10.0.0.0/8`, `2001:db8::/32`, or an address alone.
    ///
    /// # Errors
    /// [`CidrError`]; host bits after the prefix (`10.1.0.0/8`) are an error too, because one of
    /// the two numbers is then a mistake.
    fn from_str(text: &str) -> Result<Self, CidrError> {
        let (address, prefix) = match text.split_once('/') {
            Some((a, p)) => (a, Some(p)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| CidrError::Address)?;
        let Some(prefix) = prefix else {
            return Ok(Self::host(address));
        };
        if prefix.is_empty() || prefix.len() > 3 || !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return Err(CidrError::PrefixText);
        }
        let prefix: u8 = prefix.parse().map_err(|_| CidrError::PrefixText)?;
        let range = Self::new(address, prefix)?;
        if range.address != address {
            return Err(CidrError::HostBits {
                network: range.address,
                prefix,
            });
        }
        Ok(range)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Why a text or pair is no address range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CidrError {
    /// The part before the slash is no IPv4 or IPv6 address.
    #[error("not an IPv4 or IPv6 address")]
    Address,
    /// The part after the slash is no number.
    #[error("the prefix length after the slash is not a number")]
    PrefixText,
    /// More bits than the address has.
    #[error("prefix length {prefix} is longer than the address ({longest} bits)")]
    Prefix {
        /// What was asked for.
        prefix: u8,
        /// 32 or 128.
        longest: u8,
    },
    /// The address has bits after the prefix.
    #[error("the address has bits beyond its prefix; the network is {network}/{prefix}")]
    HostBits {
        /// The address with those bits cleared.
        network: IpAddr,
        /// The prefix length.
        prefix: u8,
    },
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn mask(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(a) => {
            let keep = u32::MAX
                .checked_shl(32_u32.saturating_sub(u32::from(prefix)))
                .unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(a.to_bits() & keep))
        }
        IpAddr::V6(a) => {
            let keep = u128::MAX
                .checked_shl(128_u32.saturating_sub(u32::from(prefix)))
                .unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() & keep))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn ip(s: &str) -> IpAddr {
        s.parse().unwrap()
    }

    #[test]
    fn v_10_masks_and_membership() {
        assert_eq!(Cidr::network_of(ip("192.168.1.1"), 24, 64), ip("192.168.1.0"));
        assert!("100.64.0.0/10".parse::<Cidr>().unwrap().contains(ip("100.97.136.231")));
    }

    #[test]
    fn prefixes_of_zero_and_of_the_whole_address_work() {
        let all: Cidr = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains(ip("255.1.2.3")));
        assert!(!all.contains(ip("::1")));
        let one: Cidr = "::1".parse().unwrap();
        assert_eq!(one.prefix(), 128);
        assert!(one.contains(ip("::1")));
        assert!(!one.contains(ip("::2")));
        assert!("::/0".parse::<Cidr>().unwrap().contains(ip("2001:db8::7")));
    }

    #[test]
    fn a_mapped_address_counts_as_ipv4() {
        let range: Cidr = "192.0.2.0/24".parse().unwrap();
        assert!(range.contains(ip("::ffff:192.0.2.9")));
        assert_eq!(Cidr::network_of(ip("::ffff:192.0.2.9"), 24, 64), ip("192.0.2.0"));
    }

    #[test]
    fn broken_texts_say_what_is_wrong() {
        let error = |s: &str| s.parse::<Cidr>().unwrap_err();
        assert_eq!(error("10.0.0/8"), CidrError::Address);
        assert_eq!(error("10.0.0.0/+8"), CidrError::PrefixText);
        assert_eq!(error("10.0.0.0/"), CidrError::PrefixText);
        assert_eq!(error("10.0.0.0/999"), CidrError::PrefixText);
        assert_eq!(
            error("10.0.0.0/33"),
            CidrError::Prefix {
                prefix: 33,
                longest: 32
            }
        );
        assert_eq!(
            error("10.1.0.0/8").to_string(),
            "the address has bits beyond its prefix; the network is 10.0.0.0/8"
        );
    }

    #[test]
    fn display_reads_back() {
        for text in ["10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0", "127.0.0.1/32"] {
            assert_eq!(text.parse::<Cidr>().unwrap().to_string(), text);
        }
    }
}

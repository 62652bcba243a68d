use core::net::IpAddr;

use lb_types::{Cidr, Now};

use super::{Facts, Recall, Strategy};
use crate::{Key, KeyShape};

/// Clients are recognised by their address, or by the network it lies in.
///
/// Needs nothing but the address, so it works for any protocol. Two known failures: clients
/// behind one proxy or NAT all go to one backend; few clients with many connections do not
/// spread. Whoever can use a cookie should.
///
/// An IPv4-mapped IPv6 address counts as the IPv4 address in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClientIp {
    options: ClientIpOptions,
}

/// Which bits of the address make one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientIpOptions {
    /// IPv4 bits that count, 0 to 32. Default 32: each address is a client.
    pub prefix_v4: u8,
    /// IPv6 bits that count, 0 to 128. Default 128. 64 is wise where clients change their
    /// address within their network (privacy addresses, RFC 8981).
    pub prefix_v6: u8,
}

impl Default for ClientIpOptions {
    fn default() -> Self {
        Self {
            prefix_v4: 32,
            prefix_v6: 128,
        }
    }
}

impl ClientIpOptions {
    /// Sets the prefix of the mask's family from a mask such as `255.255.255.0`.
    ///
    /// # Errors
    /// [`NetmaskError::Gap`] when the one bits do not all come first.
    pub fn netmask(mut self, mask: IpAddr) -> Result<Self, NetmaskError> {
        let (ones, rest) = match mask {
            IpAddr::V4(mask) => (mask.to_bits().leading_ones(), mask.to_bits().count_ones()),
            IpAddr::V6(mask) => (mask.to_bits().leading_ones(), mask.to_bits().count_ones()),
        };
        if ones != rest {
            return Err(NetmaskError::Gap { mask });
        }
        match mask {
            IpAddr::V4(_) => self.prefix_v4 = ones as u8, // at most 32
            IpAddr::V6(_) => self.prefix_v6 = ones as u8, // at most 128
        }
        Ok(self)
    }
}

/// Why a netmask or prefix cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetmaskError {
    /// A one bit after a zero bit.
    #[error("netmask {mask} has a one bit after a zero bit")]
    Gap {
        /// The mask.
        mask: IpAddr,
    },
    /// More bits than the address has.
    #[error("prefix length {prefix} is longer than the address ({longest} bits)")]
    Prefix {
        /// What was asked for.
        prefix: u8,
        /// 32 or 128.
        longest: u8,
    },
}

impl ClientIp {
    /// The strategy.
    ///
    /// # Errors
    /// [`NetmaskError::Prefix`] when a prefix is longer than its address.
    pub const fn new(options: ClientIpOptions) -> Result<Self, NetmaskError> {
        if options.prefix_v4 > 32 {
            return Err(NetmaskError::Prefix {
                prefix: options.prefix_v4,
                longest: 32,
            });
        }
        if options.prefix_v6 > 128 {
            return Err(NetmaskError::Prefix {
                prefix: options.prefix_v6,
                longest: 128,
            });
        }
        Ok(Self { options })
    }

    /// The options in force.
    #[must_use]
    pub const fn options(&self) -> &ClientIpOptions {
        &self.options
    }

    /// The key of a client. `O(1)`.
    #[must_use]
    pub fn key(&self, client: IpAddr) -> Key {
        Key::Client(self.network(client))
    }

    /// The client's address without the bits that do not count. `O(1)`.
    #[must_use]
    pub fn network(&self, client: IpAddr) -> IpAddr {
        Cidr::network_of(client, self.options.prefix_v4, self.options.prefix_v6)
    }
}

impl Strategy for ClientIp {
    /// Always [`Recall::Lookup`]. The claim before connecting stores the entry, so there is
    /// nothing to learn from the reply.
    fn recall(&self, facts: &Facts<'_>, _now: Now) -> Recall {
        Recall::Lookup(self.key(facts.client))
    }

    /// The bits that count: with others, the same address is another client.
    fn key_shape(&self) -> Option<KeyShape> {
        let ClientIpOptions { prefix_v4, prefix_v6 } = self.options;
        Some(KeyShape::new("client_ip", format!("{prefix_v4} {prefix_v6}")))
    }
}

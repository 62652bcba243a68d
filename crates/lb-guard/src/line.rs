//! One line of a list.

use crate::range::{Range, RangeError};
use alloc::string::{String, ToString};
use core::net::{IpAddr, Ipv4Addr};
use lb_types::{Cidr, CidrError};

/// What is wrong with a line, and what to write instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// No address.
    #[error("not an IPv4 or IPv6 address; names are not looked up here")]
    Address,
    /// What follows the slash is no number.
    #[error("the prefix length after the slash is not a number")]
    PrefixText,
    /// A prefix that its address does not have.
    #[error("prefix length {prefix} is longer than the address ({longest} bits)")]
    Prefix {
        /// What was written.
        prefix: u8,
        /// 32 or 128.
        longest: u8,
    },
    /// `10.1.0.0/8`: one of the two numbers is a mistake.
    #[error("the address has bits beyond its prefix; use {network}")]
    HostBits {
        /// The range that this prefix gives.
        network: Cidr,
    },
    /// `10.0.0.0/255.0.0.0`.
    #[error("a netmask; use {network}")]
    Netmask {
        /// The same as a prefix.
        network: Cidr,
    },
    /// `192.0.2.9-192.0.2.1`.
    #[error("the range ends before it begins; use {first}-{last}")]
    Backward {
        /// The lower address.
        first: IpAddr,
        /// The higher.
        last: IpAddr,
    },
    /// From an IPv4 to an IPv6 address.
    #[error("the range begins and ends in different address families")]
    Families,
    /// `all`, `any`, `*`.
    #[error("use 0.0.0.0/0 and ::/0 for all addresses")]
    All,
    /// `allow 10.0.0.0/8;` of nginx.
    #[error("write the address alone; which list it is in is said where the file is named")]
    Directive,
    /// Two words.
    #[error("more than one entry; write one a line, and a remark after #")]
    Several,
    /// Longer than a line may be.
    #[error("the line has more than {limit} bytes")]
    Long {
        /// The most.
        limit: usize,
    },
}

/// Gives the ranges of one line to `take`, until it takes no more: `Ok(false)`.
pub(crate) fn read(bytes: &[u8], mut take: impl FnMut(Cidr) -> bool) -> Result<bool, Reason> {
    let entry = bytes
        .split(|byte| matches!(byte, b'#' | b';'))
        .next()
        .unwrap_or_default();
    let entry = entry.trim_ascii();
    if entry.is_empty() {
        return Ok(true);
    }
    let entry = str::from_utf8(entry).map_err(|_| Reason::Address)?;
    if let Some((first, last)) = entry.split_once('-') {
        let range = Range::new(address(first)?, address(last)?)?;
        for part in range {
            if !take(part) {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    match entry.parse() {
        Ok(range) => Ok(take(range)),
        Err(error) => Err(reason(entry, error)),
    }
}

/// The beginning of a line as it may stand in a message.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let bytes = bytes.trim_ascii();
    let begin = bytes.get(..SHOWN_BYTES).unwrap_or(bytes);
    let mut text = begin.escape_ascii().to_string();
    if bytes.len() > SHOWN_BYTES {
        text.push_str("..");
    }
    text
}

fn address(text: &str) -> Result<IpAddr, Reason> {
    text.trim_ascii().parse().map_err(|_| reason(text, CidrError::Address))
}

/// The reason of lb-types, or what somebody may have meant.
fn reason(entry: &str, error: CidrError) -> Reason {
    match error {
        CidrError::HostBits { network, prefix } => match Cidr::new(network, prefix) {
            Ok(network) => Reason::HostBits { network },
            Err(_) => Reason::Address,
        },
        CidrError::Prefix { prefix, longest } => Reason::Prefix { prefix, longest },
        CidrError::PrefixText => netmask(entry).map_or(Reason::PrefixText, |network| Reason::Netmask { network }),
        _ => {
            let mut words = entry.split_ascii_whitespace();
            match words.next() {
                Some("allow" | "deny") => Reason::Directive,
                Some("all" | "any" | "*") => Reason::All,
                _ if words.next().is_some() => Reason::Several,
                _ => Reason::Address,
            }
        }
    }
}

/// `10.0.0.0/255.0.0.0`
fn netmask(entry: &str) -> Option<Cidr> {
    let (address, mask) = entry.split_once('/')?;
    let address: Ipv4Addr = address.parse().ok()?;
    let mask = mask.parse::<Ipv4Addr>().ok()?.to_bits();
    let prefix = mask.leading_ones();
    (mask.checked_shl(prefix).unwrap_or(0) == 0)
        .then(|| Cidr::new(address.into(), prefix as u8).ok())
        .flatten()
}

impl From<RangeError> for Reason {
    fn from(error: RangeError) -> Self {
        match error {
            RangeError::Backward { first, last } => Self::Backward { first, last },
            RangeError::Families => Self::Families,
        }
    }
}

/// Room for any range of addresses, and a bit of what follows.
const SHOWN_BYTES: usize = 60;

use core::fmt;
use core::net::{IpAddr, Ipv6Addr};

/// What a hello says of the server that is wanted. RFC 6066, section 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerName<'a> {
    /// Nothing.
    Absent,
    /// A host name: labels of letters, digits, hyphens and underscores, at most 253 bytes, no dot at its end.
    Host(&'a str),
    /// An IP address, which RFC 6066 forbids: take it for none.
    Address(IpAddr),
    /// Bytes that are no host name: take it for none, and log why.
    Unusable {
        /// What was sent.
        name: &'a [u8],
        /// Why it is no name.
        fault: NameFault,
    },
}

/// Why bytes are no host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NameFault {
    /// No bytes.
    Empty,
    /// A zero byte, at which other programs would take it to end.
    Zero,
    /// A dot at its end, which RFC 6066 excludes. Without it, it may be a name.
    TrailingDot,
    /// More than 253 bytes, or a label of more than 63.
    TooLong,
    /// A label of no bytes.
    EmptyLabel,
    /// A byte that host names do not have; names in other scripts are sent as `xn--`.
    Character(u8),
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty server name",
            Self::Zero => "zero byte in the server name",
            Self::TrailingDot => "dot at the end of the server name",
            Self::TooLong => "server name above 253 bytes, or a label above 63",
            Self::EmptyLabel => "empty label in the server name",
            Self::Character(byte) => return write!(f, "byte 0x{byte:02x} in the server name"),
        })
    }
}

impl<'a> ServerName<'a> {
    /// The host name; `None` where there is none that can be used.
    #[must_use]
    pub const fn host(&self) -> Option<&'a str> {
        match self {
            Self::Host(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn of(name: &'a [u8]) -> Self {
        match check(name) {
            // Only ASCII passes.
            Ok(()) => match core::str::from_utf8(name) {
                Ok(text) => text.parse().map_or(Self::Host(text), Self::Address),
                Err(_) => Self::Absent,
            },
            Err(fault) => v6(name).map_or(Self::Unusable { name, fault }, Self::Address),
        }
    }
}

fn check(name: &[u8]) -> Result<(), NameFault> {
    if name.is_empty() {
        return Err(NameFault::Empty);
    }
    if name.contains(&0) {
        return Err(NameFault::Zero);
    }
    if let Some(byte) = name
        .iter()
        .find(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_' | b'.'))
    {
        return Err(NameFault::Character(*byte));
    }
    if name.ends_with(b".") {
        return Err(NameFault::TrailingDot);
    }
    if name.len() > 253 {
        return Err(NameFault::TooLong);
    }
    for label in name.split(|byte| *byte == b'.') {
        match label.len() {
            0 => return Err(NameFault::EmptyLabel),
            1..=63 => {}
            _ => return Err(NameFault::TooLong),
        }
    }
    Ok(())
}

/// With or without the brackets of a URL. Its colons are no part of a host name.
fn v6(name: &[u8]) -> Option<IpAddr> {
    let inner = name.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    let text = core::str::from_utf8(inner.unwrap_or(name)).ok()?;
    text.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

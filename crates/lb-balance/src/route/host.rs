use std::cmp::Ordering;
use std::fmt;
use std::hint::cold_path;
use std::net::{IpAddr, Ipv6Addr};
use std::str::{self, FromStr};

/// Which hosts a route is for. Host names are compared without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Host {
    /// `*`: every host, and requests without one.
    Any,
    /// `www.example.com`: this name or address.
    Exact(HostName),
    /// `*.example.com`: every name that ends so, with one or more labels before; not
    /// `example.com` itself.
    Under(HostName),
}

/// A host name in small letters, without port and trailing dot, or an address. An IPv6 address stands in brackets in its
/// shortest form (RFC 5952), one that is mapped from IPv4 as that.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostName(Box<str>);

impl HostName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Host {
    type Err = HostError;

    /// `*`, a name, `*.` and a name, an IPv4 address, or an IPv6 address in brackets.
    ///
    /// # Errors
    /// [`HostError`] says what is wrong. Ports, paths and letters beyond ASCII are wrong:
    /// international names are written as they travel (`xn--..`).
    fn from_str(text: &str) -> Result<Self, HostError> {
        if text == "*" {
            return Ok(Self::Any);
        }
        match text.strip_prefix("*.") {
            Some(name) => HostName::parse(name, 2).map(Self::Under),
            None => HostName::parse(text, 0).map(Self::Exact),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Exact(name) => f.write_str(&name.0),
            Self::Under(name) => write!(f, "*.{}", name.0),
        }
    }
}

impl HostName {
    fn parse(text: &str, offset: usize) -> Result<Self, HostError> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if name.len() > MAX_LEN {
            return Err(HostError::TooLong { len: name.len() });
        }
        if let Some(inner) = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')) {
            let mut room = Room::default();
            return match inner.parse() {
                Ok(address) => Ok(Self(str::from_utf8(room.put(address)).unwrap_or(&name).into())),
                Err(_) => Err(HostError::Address),
            };
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if let Some((at, character)) = name.char_indices().find(|(_, c)| !allowed(*c)) {
            return Err(HostError::Character {
                character,
                offset: offset.saturating_add(at),
            });
        }
        if name.split('.').any(str::is_empty) {
            return Err(HostError::EmptyLabel);
        }
        Ok(Self(name.into()))
    }
}

/// Why a text is no host pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// Longer than a name in the DNS can be.
    #[error("the host name has {len} bytes, a name in the DNS has at most 253")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A character that no host name has.
    #[error("{character:?} at {offset} must not stand in a host name")]
    Character {
        /// Which one.
        character: char,
        /// Where it stands, in bytes.
        offset: usize,
    },
    /// Nothing between two dots, or nothing at all.
    #[error("the host name has an empty label")]
    EmptyLabel,
    /// Brackets with something else inside than an IPv6 address.
    #[error("not an IPv6 address in brackets")]
    Address,
}

/// The part of a `Host` field (RFC 9110, section 7.2) that is compared: without port and trailing dot, an IPv6 address in
/// the form of [`HostName`], for which `room` is there.
pub(super) fn name_of<'a>(host: &'a [u8], room: &'a mut Room) -> &'a [u8] {
    if host.first() == Some(&b'[') {
        cold_path();
        return address_of(host, room);
    }
    let end = host.iter().position(|b| *b == b':').unwrap_or(host.len());
    let name = host.get(..end).unwrap_or(host);
    name.strip_suffix(b".").unwrap_or(name)
}

#[inline(never)]
fn address_of<'a>(host: &'a [u8], room: &'a mut Room) -> &'a [u8] {
    let end = host.iter().position(|b| *b == b']').unwrap_or(host.len());
    let inside = host.get(1..end).and_then(|inside| str::from_utf8(inside).ok());
    match inside.and_then(|inside| inside.parse().ok()) {
        Some(address) => room.put(address),
        None => host,
    }
}

/// Room for an IPv6 address in brackets.
pub(super) struct Room {
    bytes: [u8; 41],
    len: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { bytes: [0; 41], len: 0 }
    }
}

impl Room {
    fn put(&mut self, address: Ipv6Addr) -> &[u8] {
        self.len = 0;
        // The longest address has 39 characters.
        let _ = match address.to_canonical() {
            IpAddr::V4(address) => fmt::write(self, format_args!("{address}")),
            IpAddr::V6(address) => fmt::write(self, format_args!("[{address}]")),
        };
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Write for Room {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len.saturating_add(text.len());
        let place = self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

/// Compares a name of the table (small letters) with one from a request.
pub(super) fn compare(known: &HostName, asked: &[u8]) -> Ordering {
    known.0.bytes().cmp(asked.iter().map(u8::to_ascii_lowercase))
}

/// What follows each dot, from the longest to the shortest: the names that `asked` is under.
pub(super) fn parents(asked: &[u8]) -> impl Iterator<Item = &[u8]> {
    let dots = asked.iter().enumerate().filter(|(at, byte)| **byte == b'.' && *at > 0);
    dots.filter_map(|(at, _)| asked.get(at.saturating_add(1)..))
}

/// RFC 1035, section 2.3.4, as text.
const MAX_LEN: usize = 253;

use core::fmt;
use core::net::{IpAddr, SocketAddr};
use lb_types::{Address, UnixPath};

/// Between whom a connection runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Addresses<'a> {
    /// Not said.
    Unknown,
    /// Between two addresses of IP.
    Ip {
        /// The client.
        source: SocketAddr,
        /// Where the client connected to.
        destination: SocketAddr,
    },
    /// Between two Unix domain sockets.
    Unix {
        /// The client; mostly without a name.
        source: UnixName<'a>,
        /// Where the client connected to.
        destination: UnixName<'a>,
    },
}

/// The name of a Unix domain socket: a path, a name of Linux's abstract namespace, or none (`unix(7)`).
///
/// Displayed as lbd's configuration writes it, escaped: `/run/app.sock`, `@name`, and `unnamed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnixName<'a> {
    name: &'a [u8],
    is_abstract: bool,
}

/// What cannot be the name of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnixNameError {
    /// More than a PROXY header has room for.
    #[error("the name of the socket has {len} bytes, and a PROXY header has room for {most}")]
    TooLong {
        /// Its length.
        len: usize,
        /// The most.
        most: usize,
    },
    /// A zero byte in a path, at which every other program would take it to end.
    #[error("the path of the socket has a zero byte at {offset}")]
    Zero {
        /// Where.
        offset: usize,
    },
}

impl<'a> Addresses<'a> {
    /// Between two addresses as lbd has them; [`Addresses::Unknown`] if one is of IP and the other is not.
    #[must_use]
    pub fn between(source: &'a Address, destination: &'a Address) -> Self {
        match (source, destination) {
            (Address::Ip(source), Address::Ip(destination)) => Self::Ip {
                source: *source,
                destination: *destination,
            },
            (Address::Unix(source), Address::Unix(destination)) => Self::Unix {
                source: source.into(),
                destination: destination.into(),
            },
            _ => Self::Unknown,
        }
    }

    /// The client's address and port; `None` if it is not of IP.
    #[must_use]
    pub const fn source(&self) -> Option<SocketAddr> {
        match self {
            Self::Ip { source, .. } => Some(*source),
            _ => None,
        }
    }

    /// Where the client connected to; `None` if it is not of IP.
    #[must_use]
    pub const fn destination(&self) -> Option<SocketAddr> {
        match self {
            Self::Ip { destination, .. } => Some(*destination),
            _ => None,
        }
    }

    /// Both in one family: if only one is IPv4, it becomes the IPv6 address that stands for it (RFC 4291, section
    /// 2.5.5.2).
    pub(super) fn one_family(source: SocketAddr, destination: SocketAddr) -> Family {
        match (source.ip(), destination.ip()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => Family::V4(a.octets(), b.octets()),
            (a, b) => Family::V6(six(a), six(b)),
        }
    }
}

/// Two addresses of one family.
pub(super) enum Family {
    V4([u8; 4], [u8; 4]),
    V6([u8; 16], [u8; 16]),
}

fn six(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

impl<'a> UnixName<'a> {
    /// A socket without a name.
    pub const UNNAMED: Self = Self {
        name: b"",
        is_abstract: false,
    };

    /// A path; no bytes are a socket without a name.
    ///
    /// # Errors
    /// [`UnixNameError`] for more than 108 bytes and for a zero byte.
    pub fn path(path: &'a [u8]) -> Result<Self, UnixNameError> {
        check_len(path.len(), BLOCK)?;
        match path.iter().position(|byte| *byte == 0) {
            Some(offset) => Err(UnixNameError::Zero { offset }),
            None => Ok(Self {
                name: path,
                is_abstract: false,
            }),
        }
    }

    /// A name of the abstract namespace, without the `@` or zero byte before it. Zero bytes at its end are lost on
    /// the wire.
    ///
    /// # Errors
    /// [`UnixNameError`] for more than 107 bytes.
    pub fn of_abstract(name: &'a [u8]) -> Result<Self, UnixNameError> {
        check_len(name.len(), BLOCK.saturating_sub(1))?;
        Ok(Self {
            name,
            is_abstract: true,
        })
    }

    /// The path, or the name without what stands before it; empty without a name.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.name
    }

    /// Whether it is of the abstract namespace.
    #[must_use]
    pub const fn is_abstract(&self) -> bool {
        self.is_abstract
    }

    /// From the 108 bytes of a header.
    pub(super) fn read(block: &'a [u8]) -> Self {
        let Some((0, rest)) = block.split_first() else {
            let len = block.iter().position(|byte| *byte == 0).unwrap_or(block.len());
            return Self {
                name: block.get(..len).unwrap_or_default(),
                is_abstract: false,
            };
        };
        let len = rest
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |at| at.saturating_add(1));
        Self {
            name: rest.get(..len).unwrap_or_default(),
            is_abstract: len > 0,
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let end = out.len().saturating_add(BLOCK);
        if self.is_abstract {
            out.push(0);
        }
        out.extend_from_slice(self.name);
        out.resize(end, 0);
    }
}

impl<'a> From<&'a UnixPath> for UnixName<'a> {
    fn from(path: &'a UnixPath) -> Self {
        // at most 107 bytes, and none of them zero
        match path.abstract_name() {
            Some(name) => Self {
                name: name.as_bytes(),
                is_abstract: true,
            },
            None => Self {
                name: path.as_str().as_bytes(),
                is_abstract: false,
            },
        }
    }
}

impl fmt::Display for UnixName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = match (self.is_abstract, self.name.is_empty()) {
            (true, _) => "@",
            (false, true) => "unnamed",
            (false, false) => "",
        };
        write!(f, "{before}{}", self.name.escape_ascii())
    }
}

fn check_len(len: usize, most: usize) -> Result<(), UnixNameError> {
    if len > most {
        return Err(UnixNameError::TooLong { len, most });
    }
    Ok(())
}

/// The room for one name. Section 2.2.
pub(super) const BLOCK: usize = 108;

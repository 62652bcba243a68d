use core::fmt;
use core::net::{AddrParseError, IpAddr, SocketAddr};
use core::str::FromStr;

/// Where a stream socket is: of a network, or of this machine alone.
///
/// [Displayed](fmt::Display) as it is written in a configuration: `10.0.0.1:80`, `[2001:db8::1]:80`,
/// `unix:/run/app.sock`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// An IP address and a port.
    Ip(SocketAddr),
    /// A Unix domain socket.
    Unix(UnixPath),
}

/// The path of a Unix domain socket, or behind `@` its name in Linux's abstract namespace (`unix(7)`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnixPath {
    /// What follows `len` is zero, so that equal paths are equal here.
    bytes: [u8; UnixPath::LONGEST],
    len: u8,
}

/// What is no [`Address`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Neither an IP address with a port nor `unix:` and a path.
    #[error("{0}: not an IP address with a port, nor `unix:` with a path")]
    Socket(#[from] AddrParseError),
    /// What stands behind `unix:`.
    #[error(transparent)]
    Unix(#[from] UnixPathError),
}

/// What cannot be the path of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnixPathError {
    /// No path, or `@` alone.
    #[error("the path of the socket is missing")]
    Empty,
    /// The kernel's structure for it holds no more.
    #[error("the path has {0} bytes, and the path of a socket has at most {longest}", longest = UnixPath::LONGEST)]
    TooLong(usize),
    /// A zero byte, at which every other program would take it to end.
    #[error("a path has no zero byte")]
    Zero,
}

impl Address {
    /// The IP address and port; `None` of a Unix domain socket.
    #[must_use]
    pub const fn socket(self) -> Option<SocketAddr> {
        match self {
            Self::Ip(address) => Some(address),
            Self::Unix(_) => None,
        }
    }

    /// The IP address; `None` of a Unix domain socket.
    #[must_use]
    pub const fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(address.ip()),
            Self::Unix(_) => None,
        }
    }

    /// The port; `None` of a Unix domain socket.
    #[must_use]
    pub const fn port(self) -> Option<u16> {
        match self {
            Self::Ip(address) => Some(address.port()),
            Self::Unix(_) => None,
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Ip(address)
    }
}

impl From<UnixPath> for Address {
    fn from(path: UnixPath) -> Self {
        Self::Unix(path)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Reads what [`Display`](fmt::Display) writes. Looks nothing up.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.strip_prefix("unix:") {
            Some(path) => Ok(UnixPath::new(path)?.into()),
            None => Ok(text.parse::<SocketAddr>()?.into()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix(path) => {
                f.write_str("unix:")?;
                f.write_str(path.as_str())
            }
        }
    }
}

impl UnixPath {
    /// The most bytes: `sun_path` of Linux without its final zero.
    pub const LONGEST: usize = 107;

    /// Takes a path, or `@` and a name.
    ///
    /// # Errors
    /// [`UnixPathError`] for what no socket can have.
    pub fn new(path: &str) -> Result<Self, UnixPathError> {
        if path.is_empty() || path == "@" {
            return Err(UnixPathError::Empty);
        }
        if path.contains('\0') {
            return Err(UnixPathError::Zero);
        }
        let too_long = UnixPathError::TooLong(path.len());
        let mut bytes = [0; Self::LONGEST];
        bytes
            .get_mut(..path.len())
            .ok_or(too_long)?
            .copy_from_slice(path.as_bytes());
        Ok(Self {
            bytes,
            len: u8::try_from(path.len()).map_err(|_| too_long)?,
        })
    }

    /// As it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        core::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The name without its `@`, of a socket in the abstract namespace.
    #[must_use]
    pub fn abstract_name(&self) -> Option<&str> {
        self.as_str().strip_prefix('@')
    }
}

impl fmt::Debug for UnixPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString as _;

    #[test]
    fn an_address_is_shown_as_it_is_written() {
        for text in ["10.0.0.1:80", "[2001:db8::1]:80", "unix:/run/app.sock"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        let unix = Address::from(UnixPath::new("/run/app.sock").unwrap());
        assert_eq!((unix.ip(), unix.port(), unix.socket()), (None, None, None));
        assert_eq!(UnixPath::new("@app").unwrap().abstract_name(), Some("app"));
    }

    #[test]
    fn what_no_socket_can_have_is_refused() {
        assert_eq!("unix:".parse::<Address>(), Err(UnixPathError::Empty.into()));
        let error = "10.0.0.1".parse::<Address>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid socket address syntax: not an IP address with a port, nor `unix:` with a path"
        );
        assert_eq!(UnixPath::new(""), Err(UnixPathError::Empty));
        assert_eq!(UnixPath::new("@"), Err(UnixPathError::Empty));
        assert_eq!(UnixPath::new("/run/a\0b"), Err(UnixPathError::Zero));
        let long = "/a".repeat(54);
        assert_eq!(UnixPath::new(&long), Err(UnixPathError::TooLong(108)));
        assert_eq!(UnixPath::new(&long[1..]).unwrap().as_str(), &long[1..]);
    }
}

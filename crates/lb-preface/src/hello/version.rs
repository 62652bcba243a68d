use core::fmt;

/// A version of TLS, or its predecessor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// SSL 3.0 (RFC 6101).
    Ssl30,
    /// TLS 1.0 (RFC 2246).
    Tls10,
    /// TLS 1.1 (RFC 4346).
    Tls11,
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// The versions that a client offers.
///
/// Displayed as a log wants it: `TLS 1.2, TLS 1.3`, or `TLS 1.1 or older`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offered {
    /// One bit for each, the oldest lowest.
    bits: u8,
    /// From `legacy_version`: the client names its newest, not its oldest.
    or_older: bool,
}

impl Version {
    /// All, the oldest first.
    pub const ALL: [Self; 5] = [Self::Ssl30, Self::Tls10, Self::Tls11, Self::Tls12, Self::Tls13];

    /// From the number on the wire; `None` for drafts, GREASE and what is to come.
    #[must_use]
    pub const fn from_number(number: u16) -> Option<Self> {
        Some(match number {
            0x0300 => Self::Ssl30,
            0x0301 => Self::Tls10,
            0x0302 => Self::Tls11,
            0x0303 => Self::Tls12,
            0x0304 => Self::Tls13,
            _ => return None,
        })
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ssl30 => "SSL 3.0",
            Self::Tls10 => "TLS 1.0",
            Self::Tls11 => "TLS 1.1",
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
    }
}

impl Offered {
    /// Those named in `supported_versions`. RFC 8446, section 4.2.1.
    pub(crate) fn named(numbers: impl Iterator<Item = u16>) -> Self {
        Self {
            bits: numbers
                .filter_map(Version::from_number)
                .fold(0, |bits, version| bits | version.bit()),
            or_older: false,
        }
    }

    /// Up to `legacy_version`, in which TLS 1.3 is never offered. RFC 8446, section 4.1.2.
    pub(crate) fn up_to(number: u16) -> Self {
        let newest = match number {
            0x0304.. => Some(Version::Tls12),
            number => Version::from_number(number),
        };
        let bits = Version::ALL
            .into_iter()
            .filter(|version| Some(*version) <= newest)
            .fold(0, |bits, version| bits | version.bit());
        Self { bits, or_older: true }
    }

    /// Whether the client offers this one. A client that names only its newest may offer any older one.
    #[must_use]
    pub const fn contains(self, version: Version) -> bool {
        self.bits & version.bit() != 0
    }

    /// The newest; `None` if the client offers none that is known here.
    #[must_use]
    pub fn newest(self) -> Option<Version> {
        Version::ALL.into_iter().rev().find(|version| self.contains(*version))
    }
}

impl fmt::Display for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(newest) = self.newest() else {
            return f.write_str("no known version");
        };
        if self.or_older {
            return write!(f, "{newest}{}", if newest > Version::Ssl30 { " or older" } else { "" });
        }
        let mut between = "";
        for version in Version::ALL.into_iter().filter(|version| self.contains(*version)) {
            write!(f, "{between}{version}")?;
            between = ", ";
        }
        Ok(())
    }
}

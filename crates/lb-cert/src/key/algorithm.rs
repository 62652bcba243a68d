//! The kinds of keys.

use std::fmt;

/// What kind of key it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// RSA, with the number of bits of its modulus.
    Rsa {
        /// Bits of the modulus.
        bits: u32,
    },
    /// RSA that may only sign with PSS (`id-RSASSA-PSS`, RFC 4055).
    RsaPss {
        /// Bits of the modulus.
        bits: u32,
    },
    /// ECDSA on P-256 (secp256r1, prime256v1).
    EcP256,
    /// ECDSA on P-384 (secp384r1).
    EcP384,
    /// ECDSA on P-521 (secp521r1).
    EcP521,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// A key that was recognised but with which no TLS server of ours signs: its name or object identifier.
    Other(Box<str>),
}

impl KeyAlgorithm {
    /// Whether a TLS server can sign with it.
    pub fn is_usable(&self) -> bool {
        !matches!(self, Self::Other(_))
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::RsaPss { bits } => write!(f, "RSA-PSS {bits}"),
            Self::EcP256 => f.write_str("ECDSA P-256"),
            Self::EcP384 => f.write_str("ECDSA P-384"),
            Self::EcP521 => f.write_str("ECDSA P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

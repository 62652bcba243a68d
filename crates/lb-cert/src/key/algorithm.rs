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
    /// ECDSA on another curve that has a name: `secp256k1`, `brainpoolP256r1`, `P-224`.
    OtherCurve(&'static str),
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// Ed448 (RFC 8410).
    Ed448,
    /// DSA, with the number of bits of its prime; 0 when the key does not hold it.
    Dsa {
        /// Bits of the prime.
        bits: u32,
    },
    /// Another algorithm that is known by its name: `ML-DSA-65`, `SLH-DSA-SHA2-128s`, `X25519`.
    Other(&'static str),
    /// None that is known here, so that nobody can tell whether such a key is whole: its object identifier in words.
    Unknown(Box<str>),
}

impl KeyAlgorithm {
    /// Whether a TLS server can sign with it.
    ///
    /// A server by rustls, as those of this project: RSA, P-256, P-384, P-521 and Ed25519. See
    /// [`is_served_elsewhere`](Self::is_served_elsewhere) for the others.
    pub fn is_usable(&self) -> bool {
        matches!(
            self,
            Self::Rsa { .. } | Self::EcP256 | Self::EcP384 | Self::EcP521 | Self::Ed25519
        )
    }

    /// Whether other TLS servers sign with it although rustls does not: those by OpenSSL, with RSA-PSS, Ed448, other
    /// curves and DSA (which TLS 1.3 does not know), and from 3.5 with ML-DSA.
    pub fn is_served_elsewhere(&self) -> bool {
        match self {
            Self::RsaPss { .. } | Self::OtherCurve(_) | Self::Ed448 | Self::Dsa { .. } => true,
            Self::Other(name) => name.starts_with("ML-DSA"),
            _ => false,
        }
    }

    /// Whether it is a key of an elliptic curve, which SEC1 can hold.
    pub(crate) fn is_ec(&self) -> bool {
        matches!(self, Self::EcP256 | Self::EcP384 | Self::EcP521 | Self::OtherCurve(_))
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
            Self::OtherCurve(name) => write!(f, "ECDSA {name}"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Ed448 => f.write_str("Ed448"),
            Self::Dsa { bits: 0 } => f.write_str("DSA"),
            Self::Dsa { bits } => write!(f, "DSA {bits}"),
            Self::Other(name) => f.write_str(name),
            Self::Unknown(words) => f.write_str(words),
        }
    }
}

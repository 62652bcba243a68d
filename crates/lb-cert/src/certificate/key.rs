//! Which kind of public key it is, and how long.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::curve::{Curve, Parameters};
use crate::kind;
use crate::tlv::{self, Reader, SEQUENCE};
use std::fmt;

/// A public key's kind and length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// The kind.
    pub kind: KeyKind,
    /// The length in bits: of the modulus, of the curve's field; 0 if unknown.
    pub bits: u32,
    /// Whether a curve is given by its numbers instead of its name, which RFC 5480 forbids.
    pub is_explicit: bool,
}

/// A kind of public key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// RSA, `rsaEncryption`.
    Rsa,
    /// RSA that may only be used with PSS.
    RsaPss,
    /// secp256r1
    P256,
    /// secp384r1
    P384,
    /// secp521r1
    P521,
    /// Another curve that has a name: `secp256k1`, `brainpoolP256r1`.
    OtherCurve(&'static str),
    /// A curve that is not known here, dotted.
    UnknownCurve(Box<str>),
    /// A curve given by its numbers, which equals no named one.
    ExplicitCurve,
    /// Ed25519
    Ed25519,
    /// Ed448
    Ed448,
    /// DSA
    Dsa,
    /// Another that is known by its name: `ML-DSA-65`, `SLH-DSA-SHA2-128s`, `X25519`.
    Named(&'static str),
    /// Something that is not known here, dotted.
    Other(Box<str>),
    /// Not readable.
    Malformed,
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            KeyKind::Rsa => write!(f, "RSA {}", self.bits),
            KeyKind::RsaPss => write!(f, "RSA-PSS {}", self.bits),
            KeyKind::P256 => f.write_str("ECDSA P-256"),
            KeyKind::P384 => f.write_str("ECDSA P-384"),
            KeyKind::P521 => f.write_str("ECDSA P-521"),
            KeyKind::OtherCurve(name) => write!(f, "ECDSA {name}"),
            KeyKind::UnknownCurve(oid) => write!(f, "ECDSA on the unknown curve {oid}"),
            KeyKind::ExplicitCurve => f.write_str("ECDSA with explicit curve"),
            KeyKind::Ed25519 => f.write_str("Ed25519"),
            KeyKind::Ed448 => f.write_str("Ed448"),
            KeyKind::Dsa => write!(f, "DSA {}", self.bits),
            KeyKind::Named(name) => f.write_str(name),
            KeyKind::Other(oid) => write!(f, "unknown kind {oid}"),
            KeyKind::Malformed => f.write_str("unreadable key"),
        }?;
        let equals_a_named_one = self.is_explicit && self.kind != KeyKind::ExplicitCurve;
        f.write_str(if equals_a_named_one {
            " (given by its numbers)"
        } else {
            ""
        })
    }
}

/// Reads the content of a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7; RFC 8017, 5480, 8410).
pub(crate) fn read(spki: &[u8]) -> PublicKey {
    try_read(spki).unwrap_or(PublicKey {
        kind: KeyKind::Malformed,
        bits: 0,
        is_explicit: false,
    })
}

fn try_read(spki: &[u8]) -> Result<PublicKey, tlv::Wrong> {
    let mut fields = Reader::new(spki);
    let mut algorithm = Reader::new(fields.expect(SEQUENCE)?.value);
    let key = tlv::whole_bits(fields.expect(tlv::BIT_STRING)?.value)?;
    fields.end()?;
    let oid = algorithm.expect(tlv::OID)?.value;
    let (kind, bits) = match oid {
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01] => (KeyKind::Rsa, modulus_bits(key)?),
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a] => (KeyKind::RsaPss, modulus_bits(key)?),
        [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01] => return Ok(curve(&Parameters::read(algorithm.any()?.whole))),
        [0x2b, 0x65, 0x70] => (KeyKind::Ed25519, 256),
        [0x2b, 0x65, 0x71] => (KeyKind::Ed448, 456),
        [0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01] => {
            let prime = match algorithm.optional(SEQUENCE)? {
                Some(parameters) => bits_of(Reader::new(parameters.value).expect(tlv::INTEGER)?.value),
                None => 0,
            };
            (KeyKind::Dsa, prime)
        }
        other => match kind::name_of(other) {
            Some(name) => (KeyKind::Named(name), 0),
            None => (KeyKind::Other(tlv::dotted(other).into()), 0),
        },
    };
    Ok(PublicKey {
        kind,
        bits,
        is_explicit: false,
    })
}

fn modulus_bits(key: &[u8]) -> Result<u32, tlv::Wrong> {
    let mut numbers = Reader::new(tlv::only(key, SEQUENCE)?);
    let modulus = numbers.expect(tlv::INTEGER)?.value;
    let exponent = numbers.expect(tlv::INTEGER)?.value;
    numbers.end()?;
    match (modulus, exponent) {
        ([first, ..], [e, ..]) if first & 0x80 == 0 && e & 0x80 == 0 => Ok(bits_of(modulus)),
        _ => Err("a negative RSA number"),
    }
}

fn bits_of(number: &[u8]) -> u32 {
    let significant = number.iter().skip_while(|byte| **byte == 0);
    let bytes = u32::try_from(significant.clone().count()).unwrap_or(0);
    let unused = significant.clone().next().map_or(0, |byte| byte.leading_zeros());
    bytes.saturating_mul(8).saturating_sub(unused)
}

fn curve(parameters: &Parameters<'_>) -> PublicKey {
    let named = |curve: &Curve| match curve.name {
        "P-256" => KeyKind::P256,
        "P-384" => KeyKind::P384,
        "P-521" => KeyKind::P521,
        name => KeyKind::OtherCurve(name),
    };
    PublicKey {
        kind: match parameters {
            Parameters::Named(curve) | Parameters::Numbers(curve) => named(curve),
            Parameters::Unknown(oid) => KeyKind::UnknownCurve(tlv::dotted(oid).into()),
            Parameters::OtherNumbers => KeyKind::ExplicitCurve,
            Parameters::Inherited | Parameters::Malformed => KeyKind::Malformed,
        },
        bits: parameters.curve().map_or(0, |curve| curve.bits),
        is_explicit: matches!(parameters, Parameters::Numbers(_) | Parameters::OtherNumbers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_first_that_is_set() {
        assert_eq!(bits_of(&[0, 0x80, 0]), 16);
        assert_eq!(bits_of(&[0x08, 0]), 12);
        assert_eq!(bits_of(&[0]), 0);
        assert_eq!(bits_of(&[]), 0);
    }

    #[test]
    fn nonsense_is_a_malformed_key() {
        assert_eq!(read(&[]).kind, KeyKind::Malformed);
        assert_eq!(read(&[0x30, 0, 0x03, 1, 0]).kind, KeyKind::Malformed);
        assert_eq!(read(&[]).to_string(), "unreadable key");
    }
}

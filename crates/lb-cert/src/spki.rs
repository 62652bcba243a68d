//! Whether two public keys are the same, however they are written.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::curve::{Curve, Parameters, Point};
use crate::tlv::{self, Reader, SEQUENCE};
use std::borrow::Cow;

/// A SubjectPublicKeyInfo in its parts (RFC 5280, section 4.1.2.7).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spki<'a> {
    /// The content of the AlgorithmIdentifier.
    algorithm: &'a [u8],
    oid: &'a [u8],
    /// Tag and length included; empty if there are none.
    parameters: &'a [u8],
    key: &'a [u8],
}

impl<'a> Spki<'a> {
    /// Reads it, header included.
    pub(crate) fn read(der: &'a [u8]) -> Option<Self> {
        let mut fields = Reader::new(tlv::only(der, SEQUENCE).ok()?);
        let algorithm = fields.expect(SEQUENCE).ok()?.value;
        let key = tlv::whole_bits(fields.expect(tlv::BIT_STRING).ok()?.value).ok()?;
        Some(Self {
            key,
            ..Self::of_algorithm(algorithm)?
        })
    }

    /// Only what an AlgorithmIdentifier (its content) says.
    pub(crate) fn of_algorithm(algorithm: &'a [u8]) -> Option<Self> {
        let mut inner = Reader::new(algorithm);
        let oid = inner.expect(tlv::OID).ok()?;
        Some(Self {
            algorithm,
            oid: oid.value,
            parameters: algorithm.get(oid.whole.len()..).unwrap_or_default(),
            key: &[],
        })
    }

    /// Whether both hold the same key. `None` when the spellings cannot be compared.
    pub(crate) fn is_same(&self, other: &Self) -> Option<bool> {
        if self.is_of_another_kind(other) {
            return Some(false);
        }
        let curves = (self.oid == EC)
            .then(|| self.curve().or_else(|| other.curve()))
            .flatten();
        if self.oid != EC {
            return Some(self.key == other.key);
        }
        let read = |key| match curves {
            Some(curve) => Point::read(key, curve),
            None => Point::of_unknown_curve(key),
        };
        let answer = match (read(self.key), read(other.key)) {
            _ if self.key == other.key => Some(true),
            (Some(one), Some(another)) => one.is_same(&another),
            _ => Some(false),
        };
        // The same numbers on two curves are two points.
        answer.filter(|is_same| !(*is_same && self.may_be_on_another_curve(other)))
    }

    /// Whether no key can belong to both: another algorithm, curve or group.
    pub(crate) fn is_of_another_kind(&self, other: &Self) -> bool {
        if self.oid != other.oid {
            // The same numbers in two envelopes.
            return !(RSA.contains(&self.oid) && RSA.contains(&other.oid));
        }
        match self.oid {
            EC => self.is_on_another_curve(other),
            DSA => {
                let are_there = !self.parameters.is_empty() && !other.parameters.is_empty();
                are_there && self.parameters != other.parameters
            }
            _ => false,
        }
    }

    /// The content of the AlgorithmIdentifier, with the name of the curve in place of its numbers.
    pub(crate) fn named_algorithm(&self) -> Cow<'a, [u8]> {
        match (self.oid == EC).then(|| Parameters::read(self.parameters)) {
            Some(Parameters::Numbers(curve)) => {
                let end = self.algorithm.len().saturating_sub(self.parameters.len());
                let oid = self.algorithm.get(..end).unwrap_or_default();
                Cow::Owned([oid, &curve.oid_der()].concat())
            }
            _ => Cow::Borrowed(self.algorithm),
        }
    }

    /// The bits of the key.
    pub(crate) const fn key(&self) -> &'a [u8] {
        self.key
    }

    fn is_on_another_curve(&self, other: &Self) -> bool {
        match (Parameters::read(self.parameters), Parameters::read(other.parameters)) {
            (Parameters::Inherited | Parameters::Malformed, _) | (_, Parameters::Inherited | Parameters::Malformed) => {
                false
            }
            // A curve may have several names (that of WTLS 12 is P-224), so an unknown one excludes nothing.
            (Parameters::Unknown(_), _) | (_, Parameters::Unknown(_)) => false,
            (one, other) => match (one.curve(), other.curve()) {
                (Some(one), Some(other)) => one.oid != other.oid,
                // What equals no curve that is known is none of them.
                (Some(_), None) | (None, Some(_)) => true,
                (None, None) => false,
            },
        }
    }

    /// Whether one names a curve that nobody here knows, and the other does not name the same one. Those of WAP are other
    /// names of curves that are known, and their numbers tell.
    fn may_be_on_another_curve(&self, other: &Self) -> bool {
        match (Parameters::read(self.parameters), Parameters::read(other.parameters)) {
            (Parameters::Unknown(one), Parameters::Unknown(other)) => one != other,
            (Parameters::Unknown(oid), _) | (_, Parameters::Unknown(oid)) => !oid.starts_with(WAP),
            _ => false,
        }
    }

    fn curve(&self) -> Option<&'static Curve> {
        Parameters::read(self.parameters).curve()
    }
}

/// 2.23.43.1.4, the content: the curves of WTLS.
const WAP: &[u8] = &[0x67, 0x2b, 0x01, 0x04];
/// 1.2.840.10045.2.1, the content.
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10040.4.1, the content.
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];
/// rsaEncryption and id-RSASSA-PSS, the contents.
const RSA: [&[u8]; 2] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a],
];

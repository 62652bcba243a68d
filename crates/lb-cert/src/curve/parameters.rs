//! Which curve the parameters of an elliptic curve key mean (RFC 3279, section 2.3.5; RFC 5480, section 2.1.1).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{Curve, Equation, Point, significant, table};
use crate::certificate::tlv::{self, Reader, SEQUENCE};

/// What `ECParameters` say.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parameters<'a> {
    /// A curve that we know, by its object identifier.
    Named(&'static Curve),
    /// An object identifier that we do not know (its content).
    Unknown(&'a [u8]),
    /// The numbers of a curve that we know.
    Numbers(&'static Curve),
    /// The numbers of a curve that has no name here.
    OtherNumbers,
    /// NULL: the curve is known from elsewhere.
    Inherited,
    /// None of these.
    Malformed,
}

impl<'a> Parameters<'a> {
    /// Reads the parameters, tag and length included. Linear.
    pub(crate) fn read(der: &'a [u8]) -> Self {
        let mut reader = Reader::new(der);
        let (Ok(found), true) = (reader.any(), reader.is_empty()) else {
            return Self::Malformed;
        };
        match found.id {
            tlv::OID => Curve::by_oid(found.value).map_or(Self::Unknown(found.value), Self::Named),
            SEQUENCE => match Numbers::read(found.value) {
                Ok(Some(numbers)) => table::CURVES
                    .iter()
                    .find(|curve| numbers.are_of(curve))
                    .map_or(Self::OtherNumbers, Self::Numbers),
                Ok(None) => Self::OtherNumbers,
                Err(_) => Self::Malformed,
            },
            NULL => Self::Inherited,
            _ => Self::Malformed,
        }
    }

    /// The curve, if it is one that we know.
    pub(crate) fn curve(&self) -> Option<&'static Curve> {
        match self {
            Self::Named(curve) | Self::Numbers(curve) => Some(curve),
            _ => None,
        }
    }
}

/// `SpecifiedECDomain` over a prime field.
struct Numbers<'a> {
    p: &'a [u8],
    a: &'a [u8],
    b: &'a [u8],
    generator: &'a [u8],
    order: &'a [u8],
    cofactor: Option<&'a [u8]>,
}

impl<'a> Numbers<'a> {
    /// `None` for curves over other fields.
    fn read(content: &'a [u8]) -> Result<Option<Self>, tlv::Wrong> {
        let mut fields = Reader::new(content);
        fields.expect(tlv::INTEGER)?; // 1 to 3: with or without a seed or a hash, which change nothing
        let mut field = Reader::new(fields.expect(SEQUENCE)?.value);
        let is_prime = field.expect(tlv::OID)?.value == PRIME_FIELD;
        let modulus = field.any()?;
        let mut curve = Reader::new(fields.expect(SEQUENCE)?.value);
        let a = curve.expect(tlv::OCTET_STRING)?.value;
        let b = curve.expect(tlv::OCTET_STRING)?.value;
        let generator = fields.expect(tlv::OCTET_STRING)?.value;
        let order = positive(fields.expect(tlv::INTEGER)?.value)?;
        let cofactor = fields.optional(tlv::INTEGER)?;
        if !is_prime {
            return Ok(None);
        }
        let p = match modulus.id {
            tlv::INTEGER => positive(modulus.value)?,
            _ => return Err("a prime field without its prime"),
        };
        Ok(Some(Self {
            p,
            a: significant(a),
            b: significant(b),
            generator,
            order,
            cofactor: cofactor.map(|found| positive(found.value)).transpose()?,
        }))
    }

    /// All numbers are compared, the generator too: a curve with another one is another curve, on which everybody can
    /// make a private key for a given public one.
    fn are_of(&self, curve: &Curve) -> bool {
        let Some(Equation {
            p,
            a,
            b,
            x,
            y,
            cofactor,
        }) = &curve.equation
        else {
            return false;
        };
        let is_generator =
            Point::read(self.generator, curve.field_octets(), true).is_some_and(|point| point.is_at(x, y));
        (self.p, self.a, self.b, self.order) == (*p, *a, *b, curve.order)
            && is_generator
            && self.cofactor.is_none_or(|found| found == [*cofactor])
    }
}

/// A positive INTEGER without leading zeros.
fn positive(value: &[u8]) -> Result<&[u8], tlv::Wrong> {
    match value {
        [first, ..] if first & 0x80 == 0 => Ok(significant(value)),
        _ => Err("a negative number"),
    }
}

const NULL: u8 = 0x05;
/// 1.2.840.10045.1.1, the content.
const PRIME_FIELD: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x01];

#[cfg(test)]
mod tests;

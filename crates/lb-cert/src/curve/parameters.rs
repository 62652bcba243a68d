//! Which curve the parameters of an elliptic curve key mean (RFC 3279, section 2.3.5; RFC 5480, section 2.1.1).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{Curve, Equation, Point, significant, table};
use crate::tlv::{self, Reader, SEQUENCE};
use std::borrow::Cow;

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

/// `SpecifiedECDomain` over a prime field, or over a binary one with a polynomial basis.
struct Numbers<'a> {
    is_prime: bool,
    /// As [`Equation::p`].
    p: Cow<'a, [u8]>,
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
        let kind = field.expect(tlv::OID)?.value;
        let modulus = field.any()?;
        let mut curve = Reader::new(fields.expect(SEQUENCE)?.value);
        let a = curve.expect(tlv::OCTET_STRING)?.value;
        let b = curve.expect(tlv::OCTET_STRING)?.value;
        let generator = fields.expect(tlv::OCTET_STRING)?.value;
        let order = positive(fields.expect(tlv::INTEGER)?.value)?;
        let cofactor = fields.optional(tlv::INTEGER)?;
        let p = match (kind, modulus.id) {
            (PRIME_FIELD, tlv::INTEGER) => Cow::Borrowed(positive(modulus.value)?),
            (PRIME_FIELD, _) => return Err("a prime field without its prime"),
            (BINARY_FIELD, SEQUENCE) => match polynomial(modulus.value)? {
                Some(bits) => Cow::Owned(bits),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(Self {
            is_prime: kind == PRIME_FIELD,
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
        let Equation { p, a, b, cofactor, .. } = &curve.equation;
        let cofactor = cofactor.to_be_bytes();
        self.is_prime == curve.is_over_a_prime_field()
            && (&*self.p, self.a, self.b, self.order) == (*p, *a, *b, curve.order)
            && Point::read(self.generator, curve).is_some_and(|point| curve.is_generator(&point))
            && self.cofactor.is_none_or(|found| found == significant(&cofactor))
    }
}

/// The polynomial that reduces a binary field (X9.62, `Characteristic-two`): its coefficients as bits. `None` for a normal
/// basis, and for a field larger than that of any curve here.
fn polynomial(content: &[u8]) -> Result<Option<Vec<u8>>, tlv::Wrong> {
    let mut fields = Reader::new(content);
    let degree = exponent(fields.expect(tlv::INTEGER)?.value)?;
    let basis = fields.expect(tlv::OID)?.value;
    let mut exponents = vec![degree, Some(0)];
    match basis {
        TRINOMIAL => exponents.push(exponent(fields.expect(tlv::INTEGER)?.value)?),
        PENTANOMIAL => {
            let mut inner = Reader::new(fields.expect(SEQUENCE)?.value);
            for _ in 0..3 {
                exponents.push(exponent(inner.expect(tlv::INTEGER)?.value)?);
            }
        }
        _ => return Ok(None),
    }
    let Some(exponents) = exponents.into_iter().collect::<Option<Vec<usize>>>() else {
        return Ok(None);
    };
    // X9.62 has them in their order; one that stands twice would be another polynomial's spelling.
    let ordered = exponents.iter().skip(1).chain(exponents.first());
    if !ordered.is_sorted_by(|low, high| low < high) {
        return Ok(None);
    }
    let mut bits = [0_u8; LARGEST / 8 + 1];
    for exponent in exponents {
        // From the end: the last octet holds the exponents 0 to 7.
        let Some(octet) = bits.iter_mut().rev().nth(exponent / 8) else {
            return Ok(None);
        };
        *octet |= 1 << (exponent % 8);
    }
    Ok(Some(significant(&bits).to_vec()))
}

/// An exponent; `None` when no field here is so large.
fn exponent(value: &[u8]) -> Result<Option<usize>, tlv::Wrong> {
    Ok(match positive(value)? {
        [low] => Some(usize::from(*low)),
        [high, low] => Some(usize::from(u16::from_be_bytes([*high, *low]))).filter(|exponent| *exponent <= LARGEST),
        _ => None,
    })
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
/// 1.2.840.10045.1.2 (characteristic-two-field), the content.
const BINARY_FIELD: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x02];
/// 1.2.840.10045.1.2.3.2 (tpBasis), the content.
const TRINOMIAL: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x02, 0x03, 0x02];
/// 1.2.840.10045.1.2.3.3 (ppBasis), the content.
const PENTANOMIAL: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x02, 0x03, 0x03];
/// The largest degree: sect571k1 and sect571r1.
const LARGEST: usize = 571;

#[cfg(test)]
mod tests;

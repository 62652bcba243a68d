//! Elliptic curves by name and by their numbers: which curve a key means, how long its numbers are. Nothing is computed
//! on them.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod parameters;
mod point;
mod table;

pub(crate) use parameters::Parameters;
pub(crate) use point::Point;

/// A curve that has a name.
#[derive(Debug)]
pub(crate) struct Curve {
    /// As people call it: `P-256`, `secp256k1`, `brainpoolP256r1`.
    pub(crate) name: &'static str,
    /// The content of its object identifier.
    pub(crate) oid: &'static [u8],
    /// Bits of the field.
    pub(crate) bits: u32,
    /// The order of the generator, without leading zeros.
    order: &'static [u8],
    equation: Equation,
}

/// y² = x³ + ax + b over a prime field, y² + xy = x³ + ax² + b over a binary one, and the generator; each without leading
/// zeros.
#[derive(Debug)]
struct Equation {
    field: Field,
    /// The prime, or the polynomial that reduces: its coefficients as bits.
    p: &'static [u8],
    a: &'static [u8],
    b: &'static [u8],
    x: &'static [u8],
    y: &'static [u8],
    cofactor: u16,
}

/// The kinds of fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Prime,
    Binary {
        /// The bit that stands for y in the short form of the generator: the last one of y divided by x (SEC 1, section
        /// 2.3.3), for which one has to compute.
        is_short_odd: bool,
    },
}

/// Why a number is no private key on a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WrongScalar {
    /// It is zero.
    Zero,
    /// It is not below the order of the curve.
    TooLarge,
}

impl Curve {
    /// The curve with this object identifier (its content).
    pub(crate) fn by_oid(oid: &[u8]) -> Option<&'static Self> {
        table::CURVES.iter().find(|curve| curve.oid == oid)
    }

    /// The object identifier in DER.
    pub(crate) fn oid_der(&self) -> Vec<u8> {
        let length = u8::try_from(self.oid.len()).unwrap_or(0);
        [&[0x06, length], self.oid].concat()
    }

    /// Whether the field is that of a prime, so that a point is given by x and the last bit of y.
    pub(crate) const fn is_over_a_prime_field(&self) -> bool {
        matches!(self.equation.field, Field::Prime)
    }

    /// Whether this is the point that the curve's private numbers multiply.
    fn is_generator(&self, point: &Point<'_>) -> bool {
        let Equation { x, y, field, .. } = &self.equation;
        let is_odd = match field {
            Field::Prime => y.last().is_some_and(|last| last & 1 == 1),
            Field::Binary { is_short_odd } => *is_short_odd,
        };
        point.is_at(x, y, is_odd)
    }

    /// Octets of a coordinate.
    pub(crate) fn field_octets(&self) -> usize {
        usize::try_from(self.bits.div_ceil(8)).unwrap_or(usize::MAX)
    }

    /// Octets of a private number (RFC 5915, section 3): those of the order.
    pub(crate) fn scalar_octets(&self) -> usize {
        self.order.len()
    }

    /// The octets of a private number without leading zeros. Programs write it as a signed number (an octet more), or
    /// leave zeros out.
    ///
    /// # Errors
    ///
    /// It is no private number on this curve.
    pub(crate) fn private<'a>(&self, octets: &'a [u8]) -> Result<&'a [u8], WrongScalar> {
        let number = significant(octets);
        if number.is_empty() {
            return Err(WrongScalar::Zero);
        }
        let is_below = (number.len(), number) < (self.order.len(), self.order);
        is_below.then_some(number).ok_or(WrongScalar::TooLarge)
    }
}

/// A number without its leading zeros.
fn significant(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn curve(name: &str) -> &'static Curve {
        table::CURVES
            .iter()
            .find(|curve| curve.name == name)
            .unwrap_or_else(|| panic!("no curve {name}"))
    }

    #[test]
    fn the_table_holds_together() {
        for (index, curve) in table::CURVES.iter().enumerate() {
            assert!(
                table::CURVES
                    .iter()
                    .skip(index + 1)
                    .all(|other| other.oid != curve.oid && other.name != curve.name)
            );
            assert_ne!(curve.order.first(), Some(&0), "{}", curve.name);
            let equation = &curve.equation;
            let bits = equation.p.len() * 8 - equation.p[0].leading_zeros() as usize;
            // A polynomial has one more coefficient than its degree.
            let more = usize::from(!curve.is_over_a_prime_field());
            assert_eq!(bits, curve.bits as usize + more, "{}", curve.name);
            for number in [equation.p, equation.a, equation.b, equation.x, equation.y] {
                assert_ne!(number.first(), Some(&0), "{}", curve.name);
                assert!(number.len() <= equation.p.len(), "{}", curve.name);
            }
        }
        // SEC 2, sections 2.4.2 and 2.6.1; RFC 5639, section 3.4
        assert_eq!(
            (curve("P-256").scalar_octets(), curve("P-256").field_octets()),
            (32, 32)
        );
        assert_eq!(
            (curve("P-521").scalar_octets(), curve("P-521").field_octets()),
            (66, 66)
        );
        // SEC 2 version 1, section 2.4.2: the order has a bit more than the field
        assert_eq!(
            (curve("secp160r1").scalar_octets(), curve("secp160r1").field_octets()),
            (21, 20)
        );
    }

    #[test]
    fn a_private_number_lies_between_zero_and_the_order() {
        let p256 = curve("P-256");
        let order = p256.order;
        let mut last = order.to_vec();
        *last.last_mut().expect("not empty") -= 1;
        assert_eq!(p256.private(&[0; 33]), Err(WrongScalar::Zero));
        assert_eq!(p256.private(&[]), Err(WrongScalar::Zero));
        assert_eq!(p256.private(&[0, 0, 7]), Ok(&[7][..]));
        assert_eq!(p256.private(&last), Ok(&last[..]));
        assert_eq!(p256.private(&[&[0], &last[..]].concat()), Ok(&last[..]));
        assert_eq!(p256.private(order), Err(WrongScalar::TooLarge));
        assert_eq!(p256.private(&[1; 33]), Err(WrongScalar::TooLarge));
    }
}

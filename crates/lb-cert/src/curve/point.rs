//! A point on a curve in its spellings (SEC 1, section 2.3.3).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{Curve, significant};

/// A point as it is written: both coordinates, or one and the last bit of the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point<'a> {
    x: &'a [u8],
    y: Option<&'a [u8]>,
    /// What tells y from the other root (SEC 1, section 2.3.3): over a prime field the last bit of y, over a binary one
    /// that of y/x, which the long form does not say.
    bit: Option<bool>,
}

impl<'a> Point<'a> {
    /// Reads a point on a curve: uncompressed (04), compressed (02, 03) or hybrid (06, 07).
    pub(crate) fn read(octets: &'a [u8], curve: &Curve) -> Option<Self> {
        Self::read_with(octets, curve.field_octets(), curve.is_over_a_prime_field())
    }

    fn read_with(octets: &'a [u8], field_octets: usize, is_prime: bool) -> Option<Self> {
        let (form, coordinates) = octets.split_first()?;
        let (x, y) = coordinates.split_at_checked(field_octets)?;
        let (y, bit) = match form {
            2 | 3 if y.is_empty() => (None, Some(*form == 3)),
            4 if y.len() == field_octets => (Some(y), is_prime.then(|| is_odd(y))),
            6 | 7 if y.len() == field_octets => (Some(y), Some(*form == 7)),
            _ => return None,
        };
        // Over a prime field a hybrid says the last bit twice.
        let is_one = !is_prime || y.is_none_or(|y| bit == Some(is_odd(y)));
        is_one.then_some(Self { x, y, bit })
    }

    /// A point on a curve that nobody here knows: the octets of a coordinate follow from its own length.
    pub(crate) fn of_unknown_curve(octets: &'a [u8]) -> Option<Self> {
        let coordinates = octets.len().checked_sub(1)?;
        let field_octets = match octets.first()? {
            2 | 3 => coordinates,
            _ => coordinates / 2,
        };
        Self::read_with(octets, field_octets, false)
    }

    /// Whether both are the same point; `None` where one spelling does not say what the other does.
    pub(crate) fn is_same(&self, other: &Self) -> Option<bool> {
        match (self.y, other.y) {
            _ if self.x != other.x => Some(false),
            (Some(y), Some(other)) => Some(y == other),
            _ => Some(self.bit? == other.bit?),
        }
    }

    /// Whether it is the point with these coordinates, which have no leading zeros, and with this bit for y in its short
    /// form.
    pub(super) fn is_at(&self, x: &[u8], y: &[u8], is_short_odd: bool) -> bool {
        significant(self.x) == x
            && match self.y {
                Some(own) => significant(own) == y,
                None => self.bit == Some(is_short_odd),
            }
    }

    /// The long form (04), which every program reads; `None` when only one coordinate is known.
    pub(crate) fn uncompressed(&self) -> Option<Vec<u8>> {
        self.y.map(|y| [&[4], self.x, y].concat())
    }
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &[u8], other: &[u8]) -> Option<bool> {
        Point::read_with(one, 2, true)?.is_same(&Point::read_with(other, 2, true)?)
    }

    #[test]
    fn spellings_of_a_point_are_that_point() {
        let long = [4, 1, 2, 3, 5];
        assert_eq!(same(&long, &[3, 1, 2]), Some(true));
        assert_eq!(same(&[7, 1, 2, 3, 5], &long), Some(true));
        assert_eq!(same(&[2, 1, 2], &long), Some(false), "the other root");
        assert_eq!(same(&[2, 1, 3], &[2, 1, 2]), Some(false));
        assert_eq!(same(&long, &[4, 1, 2, 3, 7]), Some(false));
        assert_eq!(
            Point::read_with(&[7, 1, 2, 3, 5], 2, true).and_then(|point| point.uncompressed()),
            Some(long.to_vec())
        );
    }

    #[test]
    fn what_is_no_point_is_none() {
        for wrong in [
            &[][..],
            &[0],
            &[4],
            &[4, 1, 2, 3],
            &[4, 1, 2, 3, 5, 6],
            &[2, 1],
            &[2, 1, 2, 3],
            &[5, 1, 2, 3, 5],
            &[6, 1, 2, 3, 5],
        ] {
            assert!(Point::read_with(wrong, 2, true).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn over_a_binary_field_the_bit_is_not_that_of_y() {
        let read = |octets: &'static [u8]| Point::read_with(octets, 2, false).expect("a point");
        let (long, short) = (read(&[4, 1, 2, 3, 5]), read(&[3, 1, 2]));
        assert_eq!(long.is_same(&short), None);
        assert_eq!(long.is_same(&long), Some(true));
        // y ends with a one, and y/x with a zero.
        let hybrid = read(&[6, 1, 2, 3, 5]);
        assert_eq!(hybrid.is_same(&long), Some(true));
        assert_eq!(hybrid.is_same(&short), Some(false), "the other root");
        assert_eq!(hybrid.is_same(&read(&[2, 1, 2])), Some(true));
    }

    #[test]
    fn a_point_tells_its_size_where_the_curve_is_unknown() {
        let read = |octets: &'static [u8]| Point::of_unknown_curve(octets);
        let (long, short) = (
            read(&[4, 1, 2, 3, 5]).expect("a point"),
            read(&[3, 1, 2]).expect("a point"),
        );
        assert_eq!(long.is_same(&short), None);
        assert_eq!(long.is_same(&read(&[3, 1, 9]).expect("a point")), Some(false));
        assert_eq!(long.is_same(&read(&[7, 1, 2, 3, 5]).expect("a point")), Some(true));
        assert!(read(&[4, 1, 2, 3]).is_none() && read(&[]).is_none() && read(&[9, 1, 2]).is_none());
    }
}

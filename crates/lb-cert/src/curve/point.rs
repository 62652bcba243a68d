//! A point on a curve in its spellings (SEC 1, section 2.3.3).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{Curve, significant};

/// A point as it is written: both coordinates, or one and the last bit of the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point<'a> {
    x: &'a [u8],
    y: Option<&'a [u8]>,
    /// The last bit of y.
    is_odd: bool,
}

impl<'a> Point<'a> {
    /// Reads a point on a curve: uncompressed (04), compressed (02, 03) or hybrid (06, 07).
    pub(crate) fn read(octets: &'a [u8], curve: &Curve) -> Option<Self> {
        Self::read_with(octets, curve.field_octets(), curve.is_over_a_prime_field())
    }

    fn read_with(octets: &'a [u8], field_octets: usize, is_prime: bool) -> Option<Self> {
        let (form, coordinates) = octets.split_first()?;
        let (x, y) = coordinates.split_at_checked(field_octets)?;
        let point = match form {
            2 | 3 if y.is_empty() => Self {
                x,
                y: None,
                is_odd: *form == 3,
            },
            4 | 6 | 7 if y.len() == field_octets => Self {
                x,
                y: Some(y),
                is_odd: is_odd(y),
            },
            _ => return None,
        };
        // A hybrid says the last bit twice; over a binary field it is not y's.
        (*form < 6 || !is_prime || point.is_odd == (*form == 7)).then_some(point)
    }

    /// Whether both are the same point. On a curve over a binary field the short form says something else of y, so
    /// only equal forms can be compared: `None`.
    pub(crate) fn is_same(&self, other: &Self, is_prime: bool) -> Option<bool> {
        match (self.y, other.y) {
            _ if self.x != other.x => Some(false),
            (Some(y), Some(other)) => Some(y == other),
            (None, None) => Some(self.is_odd == other.is_odd),
            _ if is_prime => Some(self.is_odd == other.is_odd),
            _ => None,
        }
    }

    /// Whether it is the point with these coordinates, which have no leading zeros, and with this bit for y in its short
    /// form.
    pub(super) fn is_at(&self, x: &[u8], y: &[u8], is_short_odd: bool) -> bool {
        significant(self.x) == x
            && match self.y {
                Some(own) => significant(own) == y,
                None => self.is_odd == is_short_odd,
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
        Point::read_with(one, 2, true)?.is_same(&Point::read_with(other, 2, true)?, true)
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
    fn over_a_binary_field_only_equal_forms_are_compared() {
        let (long, short) = (
            Point::read_with(&[4, 1, 2, 3, 5], 2, false),
            Point::read_with(&[3, 1, 2], 2, false),
        );
        let (long, short) = (long.expect("a point"), short.expect("a point"));
        assert_eq!(long.is_same(&short, false), None);
        assert_eq!(long.is_same(&long, false), Some(true));
    }
}

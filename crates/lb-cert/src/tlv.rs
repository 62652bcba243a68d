//! One value after the other out of DER, by asn1-rs.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use asn1_rs::{Any, Class, FromDer};

/// One DER value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tlv<'a> {
    /// The identifier octet: class, constructed bit, tag number below 31.
    pub(crate) id: u8,
    pub(crate) value: &'a [u8],
    /// Identifier and length included.
    pub(crate) whole: &'a [u8],
}

/// Why a value is not what it should be.
pub(crate) type Wrong = &'static str;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// `[n]`, primitive.
pub(crate) const fn context(n: u8) -> u8 {
    0x80 | n
}

/// `[n]`, constructed.
pub(crate) const fn constructed(n: u8) -> u8 {
    0xa0 | n
}

/// Reads values until nothing is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next value, whatever it is.
    pub(crate) fn any(&mut self) -> Result<Tlv<'a>, Wrong> {
        let (rest, any) = Any::from_der(self.0).map_err(|_| "not DER")?;
        let class = match any.header.class() {
            Class::Universal => 0,
            Class::Application => 0x40,
            Class::ContextSpecific => 0x80,
            Class::Private => 0xc0,
        };
        let number = u8::try_from(any.header.tag().0).unwrap_or(0xff);
        if number > 30 {
            return Err("a tag number above 30");
        }
        let used = self.0.len().saturating_sub(rest.len());
        let (whole, _) = self.0.split_at_checked(used).ok_or("not DER")?;
        let shape = if any.header.is_constructed() { 0x20 } else { 0 };
        self.0 = rest;
        Ok(Tlv {
            id: class | shape | number,
            value: any.data,
            whole,
        })
    }

    /// The next value, which has to be an `id`.
    pub(crate) fn expect(&mut self, id: u8) -> Result<Tlv<'a>, Wrong> {
        let found = self.any()?;
        if found.id == id {
            Ok(found)
        } else {
            Err("a value of another type")
        }
    }

    /// The next value if it is an `id`; else nothing is read.
    pub(crate) fn optional(&mut self, id: u8) -> Result<Option<Tlv<'a>>, Wrong> {
        if self.is_empty() {
            return Ok(None);
        }
        let mut ahead = *self;
        let found = ahead.any()?;
        if found.id != id {
            return Ok(None);
        }
        *self = ahead;
        Ok(Some(found))
    }

    /// Nothing may follow.
    pub(crate) fn end(self) -> Result<(), Wrong> {
        if self.is_empty() {
            Ok(())
        } else {
            Err("bytes after the end")
        }
    }
}

/// The content of `bytes`, which are exactly one `id`.
pub(crate) fn only(bytes: &[u8], id: u8) -> Result<&[u8], Wrong> {
    let mut reader = Reader::new(bytes);
    let found = reader.expect(id)?;
    reader.end()?;
    Ok(found.value)
}

/// A DER BOOLEAN's value.
pub(crate) fn boolean(value: &[u8]) -> Result<bool, Wrong> {
    match value {
        [0x00] => Ok(false),
        [0xff] => Ok(true),
        _ => Err("a BOOLEAN that is neither 00 nor FF"),
    }
}

/// A small INTEGER that is not negative.
pub(crate) fn small(value: &[u8]) -> Result<u32, Wrong> {
    match value {
        [] => return Err("an empty INTEGER"),
        [first, ..] if first & 0x80 != 0 => return Err("a negative INTEGER"),
        [0, second, ..] if second & 0x80 == 0 => return Err("an INTEGER with a needless zero"),
        _ => {}
    }
    // Larger than any count that matters: means no limit.
    Ok(value
        .iter()
        .try_fold(0_u32, |sum, byte| sum.checked_mul(256)?.checked_add(u32::from(*byte)))
        .unwrap_or(u32::MAX))
}

/// The bytes of a BIT STRING without unused bits.
pub(crate) fn whole_bits(value: &[u8]) -> Result<&[u8], Wrong> {
    match value {
        [0, bits @ ..] => Ok(bits),
        _ => Err("a BIT STRING with unused bits"),
    }
}

/// The first sixteen bits of a named bit list, first bit lowest.
pub(crate) fn named_bits(value: &[u8]) -> Result<u16, Wrong> {
    let (unused, bits) = value.split_first().ok_or("an empty BIT STRING")?;
    if *unused > 7 || (bits.is_empty() && *unused != 0) {
        return Err("a BIT STRING with a wrong count of unused bits");
    }
    let Some(last) = bits.last() else { return Ok(0) };
    if last.trailing_zeros() < u32::from(*unused) {
        return Err("a BIT STRING whose unused bits are set");
    }
    let mut found = 0_u16;
    for (index, byte) in bits.iter().take(2).enumerate() {
        let turned = u16::from(byte.reverse_bits());
        found |= if index == 0 { turned } else { turned << 8 };
    }
    Ok(found)
}

/// Dotted form of an OBJECT IDENTIFIER's content.
pub(crate) fn dotted(content: &[u8]) -> String {
    if content.is_empty() {
        return String::from("(empty)");
    }
    asn1_rs::Oid::new(content.into()).to_id_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_bits_are_counted_from_the_first() {
        // digitalSignature and keyCertSign: bits 0 and 5, two unused
        assert_eq!(named_bits(&[2, 0b1000_0100]), Ok(0b10_0001));
        // decipherOnly is bit 8
        assert_eq!(named_bits(&[7, 0, 0x80]), Ok(0x100));
        assert_eq!(named_bits(&[0]), Ok(0));
        assert!(named_bits(&[]).is_err());
        assert!(named_bits(&[8, 0]).is_err());
        assert!(named_bits(&[3, 0b0000_0100]).is_err(), "an unused bit is set");
    }

    #[test]
    fn integers_are_small_or_mean_no_limit() {
        assert_eq!(small(&[0]), Ok(0));
        assert_eq!(small(&[0, 0x80]), Ok(128));
        assert_eq!(small(&[1, 0, 0, 0, 0]), Ok(u32::MAX));
        assert!(small(&[0xff]).is_err());
        assert!(small(&[0, 1]).is_err());
        assert!(small(&[]).is_err());
    }

    #[test]
    fn a_reader_stops_at_the_end_and_at_wrong_types() {
        let mut reader = Reader::new(&[0x02, 0x01, 0x05, 0x01, 0x01, 0xff]);
        assert_eq!(reader.expect(INTEGER).expect("an INTEGER").value, [5]);
        assert_eq!(reader.optional(INTEGER), Ok(None));
        assert_eq!(reader.optional(BOOLEAN).expect("read").expect("there").value, [0xff]);
        assert!(reader.is_empty());
        assert!(reader.any().is_err());
        assert!(only(&[0x30, 0x00, 0x00], SEQUENCE).is_err(), "a byte after the end");
        assert!(only(&[0x30, 0x80, 0x00, 0x00], SEQUENCE).is_err(), "indefinite length");
    }
}

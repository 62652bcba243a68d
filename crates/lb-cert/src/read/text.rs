//! From the bytes of a text file to plain bytes: byte order marks and UTF-16.

use std::borrow::Cow;

use super::{Note, NoteKind, Problem, ReadError};
use crate::Place;

/// A text file without byte order mark, in UTF-8 or an 8-bit superset of ASCII.
pub(super) struct Text<'a> {
    /// The characters.
    pub(super) bytes: Cow<'a, [u8]>,
    /// How many bytes of the source stand before them.
    pub(super) base: usize,
}

pub(super) fn plain<'a>(bytes: &'a [u8], whole: &Place, notes: &mut Vec<Note>) -> Result<Text<'a>, ReadError> {
    let mut note = |kind| {
        notes.push(Note {
            place: whole.clone(),
            kind,
        })
    };
    if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        note(NoteKind::ByteOrderMark);
        return Ok(Text {
            bytes: rest.into(),
            base: 3,
        });
    }
    let (wide, unit): (&[u8], Unit) = match bytes {
        [0xFF, 0xFE, rest @ ..] => (rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => (rest, u16::from_be_bytes),
        [first, 0, second, 0, ..] if first.is_ascii_graphic() && second.is_ascii() => (bytes, u16::from_le_bytes),
        [0, first, 0, second, ..] if first.is_ascii_graphic() && second.is_ascii() => (bytes, u16::from_be_bytes),
        _ => {
            return Ok(Text {
                bytes: bytes.into(),
                base: 0,
            });
        }
    };
    note(NoteKind::Utf16);
    let units = wide.as_chunks::<2>();
    let odd = !units.1.is_empty();
    let decoded: Result<String, _> = char::decode_utf16(units.0.iter().map(|pair| unit(*pair))).collect();
    match decoded {
        Ok(text) if !odd => Ok(Text {
            bytes: text.into_bytes().into(),
            base: 0,
        }),
        _ => Err(ReadError {
            place: whole.clone(),
            problem: Problem::Unrecognised {
                found: "UTF-16 text with a broken character",
            },
        }),
    }
}

/// One UTF-16 unit out of two bytes.
type Unit = fn([u8; 2]) -> u16;

//! A block of PEM between its BEGIN and END lines: what its lines look like.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::line::{Line, Lines};
use super::{Contents, NoteKind};
use crate::Place;

/// A block whose END line was not met yet.
pub(super) struct Open {
    pub(super) label: String,
    pub(super) place: Place,
    /// Offsets in the text: of the BEGIN line and of the line behind it.
    pub(super) begin: usize,
    pub(super) body: usize,
    pub(super) first_line: u32,
    /// Characters of base64 so far, blanks at line ends left out.
    pub(super) characters: usize,
    /// Everything is as rustls-pki-types reads it.
    pub(super) plain: bool,
    pub(super) header: Header,
    /// The value of `DEK-Info`, empty without that line, when the header says that the block is encrypted.
    pub(super) encrypted: Option<String>,
    pub(super) last_columns: Option<(u32, usize)>,
    pub(super) uneven: Option<(u32, usize)>,
    pub(super) uneven_lines: u32,
    pub(super) trailing: u32,
    pub(super) leading: u32,
    pub(super) blank: bool,
}

/// Where an open block stands in its RFC 1421 header (`Proc-Type: 4,ENCRYPTED`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    Possible,
    Within,
    Over,
}

impl Open {
    /// Takes a line that is no armour.
    pub(super) fn line(&mut self, line: &Line<'_>, trimmed: &[u8]) {
        if self.header != Header::Over && self.header_line(line, trimmed) {
            self.plain = false;
            return;
        }
        if trimmed.is_empty() {
            self.blank = true;
            return;
        }
        if trimmed.len() != line.raw.len() {
            if line.raw.first() != trimmed.first() {
                self.leading = self.leading.saturating_add(1);
                self.plain = false;
            } else {
                self.trailing = self.trailing.saturating_add(1);
            }
        }
        if let Some((number, columns)) = self.last_columns
            && columns != 64
        {
            self.count_uneven(number, columns);
        }
        self.characters = self.characters.saturating_add(trimmed.len());
        self.last_columns = Some((line.number, trimmed.len()));
    }

    /// Whether the line belongs to an RFC 1421 header.
    fn header_line(&mut self, line: &Line<'_>, trimmed: &[u8]) -> bool {
        if trimmed.is_empty() {
            let was_within = self.header == Header::Within;
            if was_within {
                self.header = Header::Over;
            }
            return was_within;
        }
        let continues = self.header == Header::Within && line.raw.first().is_some_and(u8::is_ascii_whitespace);
        if !names_a_field(trimmed) && !continues {
            self.header = Header::Over;
            return false;
        }
        self.header = Header::Within;
        if let Some(value) = trimmed.strip_prefix(b"DEK-Info:") {
            self.encrypted = Some(String::from_utf8_lossy(value.trim_ascii()).into_owned());
        } else if trimmed.starts_with(b"Proc-Type:") && trimmed.ends_with(b"ENCRYPTED") && self.encrypted.is_none() {
            self.encrypted = Some(String::new());
        }
        true
    }

    /// How many lines of the body are its header.
    pub(super) fn header_lines(&self, body: &[u8]) -> usize {
        let mut header = Header::Possible;
        Lines::new(body)
            .take_while(|line| {
                let trimmed = line.raw.trim_ascii();
                let continues = header == Header::Within
                    && (trimmed.is_empty() || line.raw.first().is_some_and(u8::is_ascii_whitespace));
                let belongs = header != Header::Over && (names_a_field(trimmed) || continues);
                header = if belongs && !trimmed.is_empty() {
                    Header::Within
                } else {
                    Header::Over
                };
                belongs
            })
            .count()
    }

    fn count_uneven(&mut self, number: u32, columns: usize) {
        self.uneven_lines = self.uneven_lines.saturating_add(1);
        if self.uneven.is_none() {
            self.uneven = Some((number, columns));
        }
    }

    pub(super) fn notes(&self, contents: &mut Contents) {
        let mut uneven = self.uneven.map(|first| (first, self.uneven_lines));
        if let Some((number, columns)) = self.last_columns
            && columns > 64
        {
            let (first, lines) = uneven.unwrap_or(((number, columns), 0));
            uneven = Some((first, lines.saturating_add(1)));
        }
        if let Some(((line, columns), lines)) = uneven {
            contents.note(&self.place, NoteKind::Columns { line, columns, lines });
        }
        if self.trailing > 0 {
            contents.note(&self.place, NoteKind::TrailingBlanks { lines: self.trailing });
        }
        if self.leading > 0 {
            contents.note(&self.place, NoteKind::LeadingBlanks { lines: self.leading });
        }
        if self.blank {
            contents.note(&self.place, NoteKind::BlankInside);
        }
    }
}

/// `Proc-Type: 4,ENCRYPTED`: a letter, then letters, digits and hyphens up to a colon. `12: MIIB` is no field.
fn names_a_field(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    name.len() < line.len()
        && name.first().is_some_and(u8::is_ascii_alphabetic)
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b' '))
}

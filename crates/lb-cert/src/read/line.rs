//! Lines, whatever ends them.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

/// One line of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: u32,
    /// Where it begins in the text.
    pub(super) offset: usize,
    /// Where the next one begins.
    pub(super) next: usize,
    /// Without its end.
    pub(super) raw: &'a [u8],
    pub(super) ending: Ending,
}

/// What ended a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Lf,
    CrLf,
    Cr,
    /// The text ended.
    None,
}

/// All lines of a text; no line follows a final line end.
#[derive(Clone, Debug)]
pub(super) struct Lines<'a> {
    text: &'a [u8],
    offset: usize,
    number: u32,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            offset: 0,
            number: 0,
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = self.text.get(self.offset..).filter(|rest| !rest.is_empty())?;
        let length = rest
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'))
            .unwrap_or(rest.len());
        let (raw, tail) = rest.split_at_checked(length)?;
        let (ending, end) = match tail {
            [b'\r', b'\n', ..] => (Ending::CrLf, 2),
            [b'\r', ..] => (Ending::Cr, 1),
            [_, ..] => (Ending::Lf, 1),
            [] => (Ending::None, 0),
        };
        self.number = self.number.saturating_add(1);
        let offset = self.offset;
        self.offset = offset.saturating_add(length).saturating_add(end);
        Some(Line {
            number: self.number,
            offset,
            next: self.offset,
            raw,
            ending,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_end_is_one() {
        let lines: Vec<_> = Lines::new(b"a\nb\r\n\rc")
            .map(|line| (line.number, line.offset, line.raw, line.ending))
            .collect();
        assert_eq!(
            lines,
            [
                (1, 0, &b"a"[..], Ending::Lf),
                (2, 2, b"b", Ending::CrLf),
                (3, 5, b"", Ending::Cr),
                (4, 6, b"c", Ending::None)
            ]
        );
    }
}

//! PEM that lost its lines on the way (in JSON, YAML, an environment variable, a word processor): put back into lines
//! where it is certain what was meant, and read again. Only what the strict reader refuses comes here.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod clean;
mod line;
mod margin;
mod token;

use std::sync::Arc;

use super::line::Lines;
use super::text::Text;
use super::{Contents, NoteKind, Problem, ReadError, ReadOptions, pem};
use crate::Place;

/// What was mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mend {
    Escapes,
    Percent,
    References,
    Invisible,
    Glued,
    OneLine,
    Surroundings,
    Dashes,
    Spelling,
    Margin,
}

impl Mend {
    fn words(self) -> &'static str {
        match self {
            Self::Escapes => r"line ends or signs written as \n, \/ or \u",
            Self::Percent => "percent-encoded",
            Self::References => "character references of HTML or XML",
            Self::Invisible => "invisible characters, or blanks that are not the common one",
            Self::Glued => "an END and a BEGIN line in one line",
            Self::OneLine => "base64 in the line of BEGIN or END",
            Self::Surroundings => "quotes or other signs around the lines",
            Self::Dashes => "dashes that are not the minus sign",
            Self::Margin => "numbers or names before each line",
            Self::Spelling => "a BEGIN or END line in small letters, or without its one blank",
        }
    }
}

/// [`pem::read`], and a second time with the text put into lines when that refused it for its form.
///
/// Linear: each of the three passes looks at a byte a bounded number of times.
pub(super) fn read(
    contents: &mut Contents,
    text: &Text<'_>,
    source: &Arc<str>,
    options: &ReadOptions<'_>,
) -> Result<(), ReadError> {
    let mut again = Contents::new(contents.format);
    again.notes.clone_from(&contents.notes);
    let first = pem::read(contents, text, source, options);
    let is_suspect = match &first {
        Ok(()) => token::hides(&text.bytes),
        Err(error) => is_of_form(&error.problem),
    };
    let Some(mended) = is_suspect.then(|| mend(&text.bytes)).flatten() else {
        return first;
    };
    let plain = Text {
        bytes: mended.text.as_slice().into(),
        base: 0,
    };
    match pem::read(&mut again, &plain, source, options) {
        Ok(()) => {
            mended.restore(&mut again, text.base);
            for (mend, line) in &mended.mends {
                let place = Place {
                    line: Some(*line),
                    ..Place::whole(source)
                };
                again.note(&place, NoteKind::Mended { what: mend.words() });
            }
            *contents = again;
            Ok(())
        }
        // What stands in a text beside whole blocks need not be meant.
        Err(_) if first.is_ok() => first,
        Err(mut error) => {
            mended.restore_place(&mut error.place, text.base);
            Err(error)
        }
    }
}

/// Whether lines, armour or single characters are the matter, which other lines may mend.
fn is_of_form(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::Unrecognised { .. }
            | Problem::NothingOfUse { .. }
            | Problem::Armour { .. }
            | Problem::NoEnd { .. }
            | Problem::BeginInside { .. }
            | Problem::NoBegin { .. }
            | Problem::LabelMismatch { .. }
            | Problem::StrayBase64 { .. }
            | Problem::Character { .. }
            | Problem::PaddingInside { .. }
            | Problem::Length { .. }
            | Problem::Base64 { .. }
            | Problem::UnknownLabel { .. }
    )
}

/// A text in lines, and where they stood.
struct Mended {
    text: Vec<u8>,
    /// For each line its number and offset before.
    origins: Vec<(u32, usize)>,
    /// What was mended, with the first line of each.
    mends: Vec<(Mend, u32)>,
}

/// `None` when there was nothing to mend.
fn mend(text: &[u8]) -> Option<Mended> {
    let has = |word: &[u8]| memchr::memmem::find(text, word).is_some();
    if !(has(b"BEGIN") || has(b"begin") || has(b"Begin")) {
        return None;
    }
    let mut writer = line::Writer::new(clean::Encoding::of(text));
    for line in Lines::new(text) {
        writer.line(&line);
    }
    let mended = writer.end();
    (!mended.mends.is_empty()).then_some(mended)
}

impl Mended {
    fn push(&mut self, line: &str, origin: (u32, usize)) {
        self.text.extend_from_slice(line.as_bytes());
        self.text.push(b'\n');
        self.origins.push(origin);
    }

    fn note(&mut self, mend: Mend, line: u32) {
        if !self.mends.iter().any(|(known, _)| *known == mend) {
            self.mends.push((mend, line));
        }
    }

    /// Places as they were in the source. What the new lines look like is nobody's matter.
    fn restore(&self, contents: &mut Contents, base: usize) {
        contents.notes.retain(|note| !is_of_lines(&note.kind));
        let places = (contents.certificates.iter_mut().map(|found| &mut found.place))
            .chain(contents.keys.iter_mut().map(|found| &mut found.place))
            .chain(contents.crls.iter_mut().map(|found| &mut found.place))
            .chain(contents.notes.iter_mut().map(|note| &mut note.place));
        places.for_each(|place| self.restore_place(place, base));
    }

    fn restore_place(&self, place: &mut Place, base: usize) {
        let index = place.line.and_then(|line| usize::try_from(line).ok()?.checked_sub(1));
        if let Some((line, offset)) = index.and_then(|index| self.origins.get(index)) {
            place.line = Some(*line);
            place.offset = offset.saturating_add(base);
        }
    }
}

fn is_of_lines(kind: &NoteKind) -> bool {
    matches!(
        kind,
        NoteKind::Columns { .. }
            | NoteKind::TrailingBlanks { .. }
            | NoteKind::LeadingBlanks { .. }
            | NoteKind::BlankInside
            | NoteKind::BlankBetween
            | NoteKind::NoFinalNewline
            | NoteKind::Text { .. }
    )
}

#[cfg(test)]
mod tests;

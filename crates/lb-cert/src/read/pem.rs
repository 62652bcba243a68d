//! PEM (RFC 7468), read line by line: leniently where the meaning is plain, strictly where something is lost.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::sync::Arc;

use super::armour::{self, Armour};
use super::line::{Ending, Line, Lines};
use super::open::{Header, Open};
use super::text::Text;
use super::{Contents, Format, NoteKind, Problem, ReadError, ReadOptions, base64, block};
use crate::Place;

/// Reads all blocks of `text` into `contents`; base64 without armour when there is no block.
pub(super) fn read(
    contents: &mut Contents,
    text: &Text<'_>,
    source: &Arc<str>,
    options: &ReadOptions<'_>,
) -> Result<(), ReadError> {
    let mut scan = Scan {
        contents,
        text,
        source,
        options,
        open: None,
        outside: Outside::default(),
        blocks: 0,
        skipped: Vec::new(),
    };
    let (mut ending, mut lone_cr, mut crlf) = (Ending::Lf, false, false);
    for line in Lines::new(&text.bytes) {
        ending = line.ending;
        lone_cr |= ending == Ending::Cr;
        crlf |= ending == Ending::CrLf;
        match scan.open {
            Some(_) => scan.inside(&line)?,
            None => scan.outside(&line)?,
        }
    }
    if let Some(open) = scan.open.take() {
        return Err(scan.refuse(open.place, Problem::NoEnd { label: open.label }));
    }
    let blocks = scan.blocks;
    let skipped = std::mem::take(&mut scan.skipped);
    let whole = Place::whole(source);
    if blocks == 0 {
        return bare(contents, text, &whole, options);
    }
    scan.end_of_text();
    contents.format = Format::Pem;
    for (is, kind) in [
        (crlf, NoteKind::CrLf),
        (lone_cr, NoteKind::LoneCr),
        (ending == Ending::None, NoteKind::NoFinalNewline),
    ] {
        if is {
            contents.note(&whole, kind);
        }
    }
    if contents.is_empty() {
        return Err(ReadError {
            place: whole,
            problem: Problem::NothingOfUse {
                found: skipped.join(", "),
            },
        });
    }
    Ok(())
}

/// Base64 without armour: the whole text must be that.
fn bare(contents: &mut Contents, text: &Text<'_>, whole: &Place, options: &ReadOptions<'_>) -> Result<(), ReadError> {
    let lines = Lines::new(&text.bytes).map(|line| (line.number, line.raw));
    let refuse = |found| {
        Err(ReadError {
            place: whole.clone(),
            problem: Problem::Unrecognised { found },
        })
    };
    if text.bytes.iter().all(u8::is_ascii_whitespace) {
        return refuse("nothing but blanks");
    }
    match base64::careful(lines, true) {
        Ok(der) if super::shape::begins_as_der(&der) => {
            contents.format = Format::Base64;
            contents.note(whole, NoteKind::NoArmour);
            let place = Place {
                block: 1,
                line: Some(1),
                offset: text.base,
                ..whole.clone()
            };
            block::read_structure(contents, &der, &place, options).map_err(|error| ReadError {
                place: Place {
                    block: 0,
                    ..error.place
                },
                problem: error.problem.without_armour(),
            })
        }
        Ok(decoded) => match super::foreign::inside_base64(&decoded) {
            Some(format) => Err(ReadError {
                place: whole.clone(),
                problem: Problem::Foreign { format },
            }),
            None => refuse(armour::looks_like(&text.bytes)),
        },
        Err(_) => refuse(armour::looks_like(&text.bytes)),
    }
}

/// The state of one pass over the lines.
struct Scan<'a> {
    contents: &'a mut Contents,
    text: &'a Text<'a>,
    source: &'a Arc<str>,
    options: &'a ReadOptions<'a>,
    open: Option<Open>,
    outside: Outside,
    blocks: u32,
    skipped: Vec<&'static str>,
}

/// What stood outside blocks since the last block.
#[derive(Default)]
struct Outside {
    /// First line of text and how many there are.
    text: Option<(u32, usize)>,
    text_lines: u32,
    blank: bool,
    /// A run of lines that look like base64: first line, its offset, number of lines.
    run: Option<(u32, usize, u32)>,
}

impl Scan<'_> {
    fn outside(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        let trimmed = line.raw.trim_ascii();
        if trimmed.is_empty() {
            self.outside.blank = true;
            return Ok(());
        }
        match armour::parse(trimmed, false) {
            Some(Ok(Armour::Begin(label))) => {
                let label = String::from_utf8_lossy(label).into_owned();
                self.begin(line, label)
            }
            Some(Ok(Armour::End(label))) => {
                let label = String::from_utf8_lossy(label).into_owned();
                let place = self.place(line, self.blocks.saturating_add(1));
                Err(self.refuse(place, Problem::NoBegin { label }))
            }
            Some(Err(what)) => Err(self.bad_armour(line, what, self.blocks.saturating_add(1))),
            None if line.ending == Ending::None && armour::is_cut(line.raw) => {
                let what = ("the end of the file inside a BEGIN line", line.raw.len());
                Err(self.bad_armour(line, what, self.blocks.saturating_add(1)))
            }
            None => {
                self.text_outside(line, trimmed);
                match self.outside.run {
                    Some((number, offset, lines)) if lines >= STRAY_LINES => {
                        let place = Place {
                            block: 0,
                            line: Some(number),
                            offset,
                            source: Arc::clone(self.source),
                        };
                        // The whole run, for the message.
                        let lines = Lines::new(
                            self.text
                                .bytes
                                .get(offset.saturating_sub(self.text.base)..)
                                .unwrap_or(&[]),
                        )
                        .take_while(|line| armour::is_base64(line.raw.trim_ascii()))
                        .count();
                        let lines = u32::try_from(lines).unwrap_or(u32::MAX);
                        if self.blocks == 0 && !self.mentions_armour() {
                            return Ok(()); // perhaps all of it is base64: judged at the end
                        }
                        Err(self.refuse(place, Problem::StrayBase64 { lines }))
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    fn text_outside(&mut self, line: &Line<'_>, trimmed: &[u8]) {
        let outside = &mut self.outside;
        let offset = line.offset.saturating_add(self.text.base);
        if outside.text.is_none() {
            outside.text = Some((line.number, offset));
        }
        outside.text_lines = outside.text_lines.saturating_add(1);
        outside.run = match outside.run {
            Some((number, offset, lines)) if armour::is_base64(trimmed) => {
                Some((number, offset, lines.saturating_add(1)))
            }
            None if trimmed.starts_with(b"MI") && trimmed.len() >= 40 && armour::is_base64(trimmed) => {
                Some((line.number, offset, 1))
            }
            _ => None,
        };
    }

    /// Whether there is a BEGIN line anywhere, so that the text is no bare base64.
    fn mentions_armour(&self) -> bool {
        Lines::new(&self.text.bytes).any(|line| armour::parse(line.raw.trim_ascii(), false).is_some())
    }

    fn begin(&mut self, line: &Line<'_>, label: String) -> Result<(), ReadError> {
        let limit = self.options.limits.blocks;
        if self.blocks as usize >= limit {
            let place = self.place(line, self.blocks);
            return Err(self.refuse(
                place,
                Problem::Limit {
                    what: "blocks",
                    limit: limit as u64,
                },
            ));
        }
        self.blocks = self.blocks.saturating_add(1);
        let place = self.place(line, self.blocks);
        self.note_outside(&place);
        self.open = Some(Open {
            label,
            place,
            begin: line.offset,
            body: line.next,
            first_line: line.number.saturating_add(1),
            characters: 0,
            plain: line.raw.first() == Some(&b'-'),
            header: Header::Possible,
            encrypted: None,
            last_columns: None,
            uneven: None,
            uneven_lines: 0,
            trailing: 0,
            leading: u32::from(line.raw.first() != Some(&b'-')),
            blank: false,
        });
        Ok(())
    }

    fn inside(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        let Some(open) = self.open.as_mut() else { return Ok(()) };
        let trimmed = line.raw.trim_ascii();
        if trimmed.first() != Some(&b'-') {
            open.line(line, trimmed);
            return Ok(());
        }
        match armour::parse(trimmed, true) {
            Some(Ok(Armour::End(label))) => match self.open.take() {
                Some(open) if open.label.as_bytes() == label => self.close(open, line),
                Some(open) => {
                    let place = Place {
                        line: Some(line.number),
                        offset: self.offset(line),
                        ..open.place
                    };
                    let end = String::from_utf8_lossy(label).into_owned();
                    Err(self.refuse(place, Problem::LabelMismatch { begin: open.label, end }))
                }
                None => Ok(()),
            },
            Some(Ok(Armour::Begin(_))) => {
                let (label, begun) = (open.label.clone(), open.place.line.unwrap_or(0));
                let place = Place {
                    line: Some(line.number),
                    offset: line.offset.saturating_add(self.text.base),
                    ..open.place.clone()
                };
                Err(self.refuse(place, Problem::BeginInside { label, begun }))
            }
            Some(Err(what)) => {
                let block = open.place.block;
                Err(self.bad_armour(line, what, block))
            }
            None => {
                // Base64 has no minus sign: the careful decoder says where.
                open.line(line, trimmed);
                Ok(())
            }
        }
    }

    fn close(&mut self, open: Open, line: &Line<'_>) -> Result<(), ReadError> {
        let body = self.text.bytes.get(open.body..line.offset).unwrap_or(&[]);
        if block::is_foreign(&open.label) {
            self.skip(&open, "a block of another format (PGP, SSH)");
            return Ok(());
        }
        if open.characters == 0 {
            return Err(self.refuse(open.place, Problem::EmptyBlock { label: open.label }));
        }
        let decoded = if open.plain && open.characters.is_multiple_of(4) && block::is_plain_label(&open.label) {
            self.text.bytes.get(open.begin..line.next).and_then(base64::fast)
        } else {
            None
        };
        let der = match decoded {
            Some(der) => der,
            None => {
                let lines = Lines::new(body)
                    .map(|line| (open.first_line.saturating_add(line.number).saturating_sub(1), line.raw))
                    .skip(open.header_lines(body))
                    .filter(|(_, raw)| !raw.trim_ascii().is_empty());
                base64::careful(lines, block::is_secret(&open.label)).map_err(|(number, problem)| {
                    let place = Place {
                        line: Some(number),
                        ..open.place.clone()
                    };
                    ReadError { place, problem }
                })?
            }
        };
        open.notes(self.contents);
        let der = match &open.encrypted {
            Some(encryption) => {
                let opened = block::decrypt(&open.label, encryption, &der, &open.place, self.options)?;
                self.contents.is_unlocked = true;
                opened
            }
            None => der,
        };
        if let Some(what) = block::read_labelled(self.contents, &open.label, der, &open.place, self.options)? {
            self.skip(&open, what);
        }
        Ok(())
    }

    fn skip(&mut self, open: &Open, what: &'static str) {
        self.contents.note(&open.place, NoteKind::Skipped { what });
        if !self.skipped.contains(&what) {
            self.skipped.push(what);
        }
    }

    fn note_outside(&mut self, place: &Place) {
        let outside = std::mem::take(&mut self.outside);
        if let Some((line, offset)) = outside.text {
            let place = Place {
                block: 0,
                line: Some(line),
                offset,
                source: Arc::clone(self.source),
            };
            self.contents.note(
                &place,
                NoteKind::Text {
                    lines: outside.text_lines,
                },
            );
        } else if outside.blank && place.block > 1 {
            self.contents.note(place, NoteKind::BlankBetween);
        }
    }

    fn end_of_text(&mut self) {
        if let Some((line, offset)) = self.outside.text {
            let place = Place {
                block: 0,
                line: Some(line),
                offset,
                source: Arc::clone(self.source),
            };
            self.contents.note(
                &place,
                NoteKind::Text {
                    lines: self.outside.text_lines,
                },
            );
        }
    }

    fn bad_armour(&self, line: &Line<'_>, (what, column): (&'static str, usize), block: u32) -> ReadError {
        let found: String = String::from_utf8_lossy(line.raw.trim_ascii())
            .chars()
            .take(80)
            .collect();
        self.refuse(self.place(line, block), Problem::Armour { what, column, found })
    }

    fn place(&self, line: &Line<'_>, block: u32) -> Place {
        Place {
            source: Arc::clone(self.source),
            block,
            line: Some(line.number),
            offset: self.offset(line),
        }
    }

    fn offset(&self, line: &Line<'_>) -> usize {
        line.offset.saturating_add(self.text.base)
    }

    fn refuse(&self, place: Place, problem: Problem) -> ReadError {
        ReadError { place, problem }
    }
}

/// So many lines of base64 in a row that begin like DER are no text.
const STRAY_LINES: u32 = 3;

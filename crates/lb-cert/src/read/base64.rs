//! The base64 of one block: decoded by rustls-pki-types; here only the place of damage is found.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use rustls_pki_types::pem::{PemObject, SectionKind};

use super::{BlockReport, Problem};

/// Decodes a whole block, armour included, as it stands in the file.
///
/// `None` when the decoder refuses it; [`careful`] then says why.
pub(super) fn fast(block: &[u8]) -> Option<Vec<u8>> {
    <(SectionKind, Vec<u8>)>::from_pem_slice(block).ok().map(|(_, der)| der)
}

/// Decodes the lines of a block, blanks left out; says where the damage is. `first` is the number of the first line.
///
/// # Errors
///
/// The problem and its line.
pub(super) fn careful<'a>(
    lines: impl Iterator<Item = (u32, &'a [u8])> + Clone,
    secret: bool,
) -> Result<Vec<u8>, (u32, Problem)> {
    let (report, characters, first) = survey(lines.clone());
    if let Some((line, column, found)) = first {
        return Err((line, Problem::Character { found, column, report }));
    }
    let last = lines.clone().last().map_or(0, |(line, _)| line);
    let (label, mut pem) = (if secret { "PRIVATE KEY" } else { "CERTIFICATE" }, Vec::new());
    pem.extend_from_slice(format!("-----BEGIN {label}-----\n").as_bytes());
    let mut padded = false;
    for (number, line) in lines.clone() {
        for (index, byte) in line.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_whitespace()) {
            if padded && *byte != b'=' {
                return Err((number, Problem::PaddingInside { column: index, report }));
            }
            padded = *byte == b'=';
            pem.push(*byte);
        }
    }
    if !characters.is_multiple_of(4) {
        return Err((last, Problem::Length { characters, report }));
    }
    pem.extend_from_slice(format!("\n-----END {label}-----\n").as_bytes());
    match <(SectionKind, Vec<u8>)>::from_pem_slice(&pem) {
        Ok((_, der)) => Ok(der),
        Err(error) => Err((
            last,
            Problem::Base64 {
                what: error.to_string(),
                report,
            },
        )),
    }
}

/// The first illegal character: line, column, description.
type Illegal = (u32, usize, String);

fn survey<'a>(lines: impl Iterator<Item = (u32, &'a [u8])>) -> (BlockReport, usize, Option<Illegal>) {
    let mut report = BlockReport {
        shortest: usize::MAX,
        ..BlockReport::default()
    };
    let (mut characters, mut first, mut last): (usize, Option<Illegal>, Option<usize>) = (0, None, None);
    let count_uneven = |report: &mut BlockReport, columns: usize| {
        report.shortest = report.shortest.min(columns);
        report.uneven = report.uneven.saturating_add(u32::from(columns != 64));
    };
    for (number, line) in lines {
        if let Some(columns) = last.take() {
            count_uneven(&mut report, columns);
        }
        report.lines = report.lines.saturating_add(1);
        let text = String::from_utf8_lossy(line);
        let columns = text.trim_end().chars().count();
        report.longest = report.longest.max(columns);
        last = Some(columns);
        for (index, found) in text.chars().enumerate() {
            if found.is_ascii_alphanumeric() || matches!(found, '+' | '/' | '=') {
                characters = characters.saturating_add(1);
            } else if !found.is_ascii_whitespace() {
                report.illegal = report.illegal.saturating_add(1);
                if first.is_none() {
                    first = Some((number, index.saturating_add(1), format!("{found:?}")));
                }
            }
        }
    }
    if let Some(columns) = last {
        // The last line may be shorter, so it says something only when it is the only one or too long.
        if report.lines == 1 || columns > 64 {
            count_uneven(&mut report, columns);
        }
    }
    report.shortest = report.shortest.min(report.longest);
    (report, characters, first)
}

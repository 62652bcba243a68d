//! From the characters of a line to those that were meant.

use super::Mend;
use memchr::memmem;

/// How a whole text is encoded beyond its characters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Encoding {
    /// `%0A` is a line end, as in header fields of proxies.
    percent: bool,
    /// And `+` a blank, as in forms.
    plus: bool,
}

impl Encoding {
    pub(super) fn of(text: &[u8]) -> Self {
        let has = |word: &[u8]| memmem::find(text, word).is_some();
        let plus = has(b"-----BEGIN+");
        Self {
            percent: plus || has(b"-----BEGIN%20"),
            plus,
        }
    }
}

/// The line with line ends in it where they were written out; what was changed is pushed to `mends`.
pub(super) fn clean(raw: &[u8], encoding: Encoding, mends: &mut Vec<Mend>) -> String {
    let mut text = characters(raw, mends);
    if encoding.percent && text.contains(['%', '+']) {
        text = decoded(&text, encoding, mends);
    }
    if text.contains('\\') {
        text = unescaped(&text, mends);
    }
    if text.contains("&#") || text.contains("<br") {
        text = dereferenced(&text, mends);
    }
    text
}

/// UTF-8, or what Windows writes instead.
fn characters(raw: &[u8], mends: &mut Vec<Mend>) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut put = |letter: char| match letter {
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            mends.push(Mend::Invisible);
            text.push(' ');
        }
        '\u{85}' | '\u{2028}' | '\u{2029}' => {
            mends.push(Mend::Invisible);
            text.push('\n');
        }
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => {
            mends.push(Mend::Invisible);
        }
        letter => text.push(letter),
    };
    for chunk in raw.utf8_chunks() {
        chunk.valid().chars().for_each(&mut put);
        for byte in chunk.invalid() {
            put(match byte {
                0xa0 => '\u{a0}',
                0x91 | 0x92 => '\'',
                0x93 | 0x94 => '"',
                0x96 | 0x97 => '\u{2013}',
                _ => char::REPLACEMENT_CHARACTER,
            });
        }
    }
    mends.dedup();
    text
}

fn decoded(text: &str, encoding: Encoding, mends: &mut Vec<Mend>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['%', '+']) {
        let (before, sign) = rest.split_at_checked(at).unwrap_or((rest, ""));
        result.push_str(before);
        let digits = sign.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match digits.filter(|byte| sign.starts_with('%') && byte.is_ascii()) {
            Some(byte) => {
                mends.push(Mend::Percent);
                result.push(char::from(byte));
                rest = sign.get(3..).unwrap_or_default();
            }
            None => {
                let is_blank = encoding.plus && sign.starts_with('+');
                result.push_str(if is_blank {
                    " "
                } else {
                    sign.get(..1).unwrap_or_default()
                });
                rest = sign.get(1..).unwrap_or_default();
            }
        }
    }
    result.push_str(rest);
    mends.dedup();
    result
}

/// As JSON, C and shells write; a run of backslashes counts as one, for what was escaped twice.
fn unescaped(text: &str, mends: &mut Vec<Mend>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, run) = rest.split_at_checked(at).unwrap_or((rest, ""));
        result.push_str(before);
        let after = run.trim_start_matches('\\');
        let letter = after.chars().next();
        let unicode = after.strip_prefix(['u', 'U']).and_then(|digits| {
            let found = u32::from_str_radix(digits.get(..4)?, 16).ok()?;
            char::from_u32(found).filter(char::is_ascii)
        });
        let (meant, used) = match (letter, unicode) {
            // One line end, not two.
            (Some('r'), _) if after.get(1..).is_some_and(begins_with_line_feed) => ("", 1),
            (Some('n' | 'r'), _) => ("\n", 1),
            (Some('t'), _) => (" ", 1),
            (Some('/'), _) => ("/", 1),
            (Some('"'), _) => ("\"", 1),
            (_, Some(_)) => ("", 5),
            // At the end of a line it continues it.
            (None, _) => ("", 0),
            _ => ("\\", 0),
        };
        if used > 0 {
            mends.push(Mend::Escapes);
        } else if letter.is_none() {
            mends.push(Mend::Surroundings);
        }
        result.push_str(meant);
        result.extend(unicode.filter(|_| used == 5));
        rest = after.get(used..).unwrap_or_default();
    }
    result.push_str(rest);
    mends.dedup();
    result
}

fn begins_with_line_feed(text: &str) -> bool {
    let rest = text.trim_start_matches('\\');
    rest.len() < text.len() && rest.starts_with('n')
}

/// `&#10;`, `&#x2B;` and `<br>`.
fn dereferenced(text: &str, mends: &mut Vec<Mend>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<']) {
        let (before, sign) = rest.split_at_checked(at).unwrap_or((rest, ""));
        result.push_str(before);
        // No reference of use is longer than `&#x000A;`.
        let end = sign
            .char_indices()
            .take(12)
            .find(|(_, letter)| matches!(letter, ';' | '>'));
        let inside = end.and_then(|(end, _)| Some((sign.get(1..end)?, sign.get(end..)?.get(1..)?)));
        let meant = inside.and_then(|(inside, after)| Some((referenced(inside)?, after)));
        match meant {
            Some((letter, after)) => {
                mends.push(Mend::References);
                result.push(letter);
                rest = after;
            }
            None => {
                result.push_str(sign.get(..1).unwrap_or_default());
                rest = sign.get(1..).unwrap_or_default();
            }
        }
    }
    result.push_str(rest);
    mends.dedup();
    result
}

fn referenced(inside: &str) -> Option<char> {
    if inside.trim_end_matches(['/', ' ']) == "br" {
        return Some('\n');
    }
    let digits = inside.strip_prefix('#')?;
    let number = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    match number {
        10 | 13 => Some('\n'),
        34 | 39 | 43 | 45 | 47 | 61 => char::from_u32(number),
        _ => None,
    }
}

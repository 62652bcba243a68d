//! Characters that no TOML has outside of texts and comments, and that look as if it had: typographic quotation marks,
//! no-break spaces, control characters, what cannot be seen.

use crate::grammar::odd::{is_odd, meant};

/// `text` with what such characters are meant to be, every byte in its place, so that the rest can be judged; and the
/// first of them in each line, with its place.
pub(super) fn mend(text: &str) -> (String, Vec<(usize, char)>) {
    let mut pass = Pass {
        text,
        out: text.to_owned().into_bytes(),
        found: Vec::new(),
    };
    if text.chars().any(is_out_of_place) {
        pass.run();
    }
    // Only ASCII was put in place of whole characters.
    let out = String::from_utf8(pass.out).unwrap_or_else(|_| text.to_owned());
    (out, pass.found)
}

struct Pass<'a> {
    text: &'a str,
    out: Vec<u8>,
    found: Vec<(usize, char)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    Comment,
    /// Within one line, between these.
    Line(u8),
    /// Over several lines, between three of these.
    Lines(u8),
    /// Begun by a typographic mark that means this one.
    Odd(u8),
}

impl Pass<'_> {
    fn run(&mut self) {
        let mut within = Within::Nothing;
        let mut escaped = false;
        // Of the text that is open: the last mark in it that may have been meant to close it.
        let mut candidate: Option<(usize, char)> = None;
        let mut skip = 0_usize;
        for (at, c) in self.text.char_indices() {
            if at < skip {
                continue;
            }
            let rest = self.text.get(at..).unwrap_or_default();
            match within {
                Within::Nothing if c == '#' => within = Within::Comment,
                Within::Nothing if matches!(c, '"' | '\'') => {
                    let quote = if c == '"' { b'"' } else { b'\'' };
                    if rest.starts_with("\"\"\"") || rest.starts_with("'''") {
                        within = Within::Lines(quote);
                        skip = at.saturating_add(3);
                    } else {
                        within = Within::Line(quote);
                        candidate = None;
                    }
                    escaped = false;
                }
                // the mark that editors put before a text
                Within::Nothing if is_out_of_place(c) && (at > 0 || c != '\u{feff}') => {
                    self.record(at, c);
                    let ascii = meant(c).unwrap_or_default();
                    match ascii.as_bytes() {
                        [quote @ (b'"' | b'\'')] => {
                            self.put(at, c, *quote, true);
                            within = Within::Odd(*quote);
                        }
                        [byte] => self.put(at, c, *byte, false),
                        _ => self.put(at, c, b' ', false),
                    }
                }
                Within::Nothing => {}
                Within::Comment if c == '\n' => within = Within::Nothing,
                Within::Comment => {}
                Within::Odd(_) if c == '\n' || (c == '"' || c == '\'') => within = Within::Nothing,
                Within::Odd(quote) if closes(c, quote) => {
                    self.put(at, c, quote, false);
                    within = Within::Nothing;
                }
                Within::Odd(_) => {}
                Within::Line(quote) => match c {
                    '\n' => {
                        if let Some((at, c)) = candidate.take() {
                            self.record(at, c);
                            self.put(at, c, quote, false);
                        }
                        within = Within::Nothing;
                    }
                    _ if escaped => escaped = false,
                    '\\' => escaped = quote == b'"',
                    _ if u32::from(c) == u32::from(quote) => within = Within::Nothing,
                    _ if closes(c, quote) => candidate = Some((at, c)),
                    _ => {}
                },
                Within::Lines(quote) => match c {
                    _ if escaped => escaped = false,
                    '\\' => escaped = quote == b'"',
                    _ if rest.bytes().take(3).eq([quote; 3]) => {
                        within = Within::Nothing;
                        skip = at.saturating_add(3);
                    }
                    _ => {}
                },
            }
        }
        self.found.sort_unstable();
    }

    /// One for each line is enough to know.
    fn record(&mut self, at: usize, c: char) {
        let since = self.found.last().map_or(0, |(last, _)| *last);
        let is_same_line = !self.found.is_empty() && !self.text.get(since..at).unwrap_or_default().contains('\n');
        if !is_same_line {
            self.found.push((at, c));
        }
    }

    /// Writes one byte in place of a character, blanks before or behind it.
    fn put(&mut self, at: usize, c: char, byte: u8, blanks_first: bool) {
        let end = at.saturating_add(c.len_utf8());
        let Some(place) = self.out.get_mut(at..end) else { return };
        place.fill(b' ');
        let slot = if blanks_first {
            place.last_mut()
        } else {
            place.first_mut()
        };
        if let Some(slot) = slot {
            *slot = byte;
        }
    }
}

/// Has TOML no such character outside of texts and comments, whatever stands around it?
fn is_out_of_place(c: char) -> bool {
    is_odd(c) || (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// Is it a mark that may stand for the closing one?
fn closes(c: char, quote: u8) -> bool {
    meant(c).is_some_and(|ascii| ascii.as_bytes() == [quote])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_quotation_marks_in_their_place_and_texts_stay_as_they_are() {
        for (text, out, found) in [
            ("a = “b”\n", "a =   \"b\"  \n", 1),
            ("a = ‘b’ # “c”\n", "a =   'b'   # “c”\n", 1),
            ("a = \"b”\nc = 1\n", "a = \"b\"  \nc = 1\n", 1),
            ("a\u{a0}= 1\u{200b}\n", "a  = 1   \n", 1),
            ("a\u{a0}= 1\nb\u{a0}= 1\n", "a  = 1\nb  = 1\n", 2),
            ("a = \"“b” \u{a0}\"\n", "a = \"“b” \u{a0}\"\n", 0),
            ("a = '''\n“b”\n'''\n“", "a = '''\n“b”\n'''\n  \"", 1),
            ("# “a”\n", "# “a”\n", 0),
            ("\0a = 1\x1b\n", " a = 1 \n", 1),
            ("\u{feff}a = 1\n", "\u{feff}a = 1\n", 0),
            ("a = 1\n\u{feff}b = 2\n", "a = 1\n   b = 2\n", 1),
            ("a ＝ １\n", "a =   1  \n", 1),
            ("a = \"\\\"“\"\n", "a = \"\\\"“\"\n", 0),
            ("a = [“b”, “c”]\n", "a = [  \"b\"  ,   \"c\"  ]\n", 1),
        ] {
            let (mended, odd) = mend(text);
            assert_eq!(mended, out, "{text:?}");
            assert_eq!(mended.len(), text.len());
            assert_eq!(odd.len(), found, "{text:?}");
            for (at, c) in odd {
                assert!(text[at..].starts_with(c));
            }
        }
    }
}

//! BEGIN and END wherever they stand in a line.

use super::super::armour;
use super::Mend;
use memchr::memmem;

/// BEGIN or END with its label, and where it stands in a line, minus signs included.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) is_begin: bool,
    /// As it must be written.
    pub(super) label: String,
    pub(super) mends: Vec<Mend>,
}

impl Token {
    pub(super) fn armour(&self) -> String {
        let word = if self.is_begin { "BEGIN" } else { "END" };
        format!("-----{word} {}-----", self.label)
    }
}

/// All tokens of a line. Missing and surplus minus signs are not guessed: such a line is left to the strict reader.
pub(super) fn tokens(line: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut shared = 0; // where the signs behind the last label begin, which the next token may share
    let mut is_behind_dash = false;
    for (at, letter) in line.char_indices() {
        let may_begin = is_behind_dash && matches!(letter, 'B' | 'b' | 'E' | 'e');
        is_behind_dash = armour::is_dash(letter);
        if may_begin && let Some((token, signs)) = token(line, at, shared) {
            if let Some(last) = tokens.last_mut().filter(|last| last.end > token.start) {
                last.end = token.start;
                last.mends.push(Mend::Glued);
            }
            shared = signs;
            tokens.push(token);
            if tokens.len() == MOST_TOKENS {
                break;
            }
        }
    }
    tokens
}

/// The token whose word begins at `at`, and where the signs behind its label begin.
fn token(line: &str, at: usize, shared: usize) -> Option<(Token, usize)> {
    let (before, rest) = line.split_at_checked(at)?;
    let mut mends = Vec::new();
    let signs = Signs::of(before.chars().rev());
    let start = at.checked_sub(signs.bytes)?;
    let is_shared = shared > 0 && start == shared;
    let word = ["BEGIN", "END"].into_iter().find(|word| {
        rest.get(..word.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(word))
    })?;
    let named = rest.get(word.len()..)?;
    let end = named
        .char_indices()
        .take(LONGEST)
        .find(|(_, letter)| armour::is_dash(*letter));
    let raw = named.get(..end?.0)?;
    let behind = named.get(raw.len()..)?;
    let after = Signs::of(behind.chars());
    let follows = behind.get(after.bytes..)?;
    let is_followed = ["BEGIN", "END"].into_iter().any(|word| {
        follows
            .get(..word.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(word))
    });
    if !signs.fit(is_shared) || !after.fit(is_followed) {
        return None;
    }
    let label = raw
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_ascii_uppercase();
    let is_exact = rest.starts_with(word) && raw.strip_prefix(' ') == Some(label.as_str());
    let is_plain = !signs.are_other && !after.are_other;
    let is_label = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '.' | '#');
    if label.is_empty() || !label.chars().all(is_label) || !(armour::is_known(&label) || (is_exact && is_plain)) {
        return None;
    }
    if !is_plain {
        mends.push(Mend::Dashes);
    }
    if !is_exact {
        mends.push(Mend::Spelling);
    }
    let label_end = at.checked_add(word.len())?.checked_add(raw.len())?;
    let token = Token {
        start: if is_shared {
            start.checked_add(signs.bytes.checked_div(2)?)?
        } else {
            start
        },
        end: label_end.checked_add(after.bytes)?,
        is_begin: word == "BEGIN",
        label,
        mends,
    };
    Some((token, label_end))
}

/// A run of dashes.
struct Signs {
    count: usize,
    bytes: usize,
    /// Some are not the minus sign.
    are_other: bool,
}

impl Signs {
    fn of(letters: impl Iterator<Item = char>) -> Self {
        let mut signs = Self {
            count: 0,
            bytes: 0,
            are_other: false,
        };
        for letter in letters.take(MOST_SIGNS).take_while(|letter| armour::is_dash(*letter)) {
            signs.count = signs.count.saturating_add(1);
            signs.bytes = signs.bytes.saturating_add(letter.len_utf8());
            signs.are_other |= letter != '-';
        }
        signs
    }

    /// Word processors make one dash of two or three minus signs, so then the number says nothing.
    fn fit(&self, are_shared: bool) -> bool {
        match self.count {
            5 => true,
            6..=10 => are_shared || self.are_other,
            1..=4 => self.are_other,
            _ => false,
        }
    }
}

/// Whether a text that was read holds a block all the same, in the middle of a line.
pub(super) fn hides(text: &[u8]) -> bool {
    memmem::find_iter(text, b"-----BEGIN ").any(|at| {
        let rest = text.get(at.saturating_add(b"-----BEGIN ".len())..).unwrap_or_default();
        let window = rest.get(..LONGEST.min(rest.len())).unwrap_or_default();
        let Some(label) = memmem::find(window, b"-----") else {
            return false;
        };
        let body = rest.get(label.saturating_add(b"-----".len())..).unwrap_or_default();
        // Blanks, quotes or an escaped line end, but no real one.
        let gap = body
            .iter()
            .take(6)
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'\\'))
            .count();
        let body = body.get(gap..).unwrap_or_default();
        let letters = body.iter().take(MEANT).take_while(|byte| is_base64(**byte)).count();
        letters == MEANT
    })
}

/// Whether this can be the base64 of a block.
pub(super) fn is_body(text: &str) -> bool {
    let mut letters = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    letters.clone().take(MEANT).count() == MEANT && letters.all(is_base64)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// More in one line are left to the strict reader: four times the blocks that are read by default.
const MOST_TOKENS: usize = 40_000;
/// So many characters of base64 are no word.
const MEANT: usize = 16;
/// The longest label of use has 23 characters.
const LONGEST: usize = 60;
/// An END and a BEGIN line share ten.
const MOST_SIGNS: usize = 11;

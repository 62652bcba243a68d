//! Lines as they were meant, out of lines as they are.

use super::super::line::Line;
use super::clean::{self, Encoding};
use super::margin::Margin;
use super::token::{self, Token};
use super::{Mend, Mended};

/// Takes the lines of a text and writes those that were meant.
pub(super) struct Writer {
    encoding: Encoding,
    mended: Mended,
    /// Within a block: what stands before each of its lines.
    inside: Option<String>,
    /// Within a block: what numbers or names its lines.
    margin: Option<Margin>,
}

impl Writer {
    pub(super) fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            mended: Mended {
                text: Vec::new(),
                origins: Vec::new(),
                mends: Vec::new(),
            },
            inside: None,
            margin: None,
        }
    }

    pub(super) fn end(self) -> Mended {
        self.mended
    }

    pub(super) fn line(&mut self, line: &Line<'_>) {
        let origin = (line.number, line.offset);
        let mut mends = Vec::new();
        let text = clean::clean(line.raw, self.encoding, &mut mends);
        let was_inside = self.inside.is_some();
        let mut has_token = false;
        let bare = self.margin.as_mut().and_then(|margin| margin.strip(&text));
        if bare.is_some() {
            self.mended.note(Mend::Margin, line.number);
        }
        for part in bare.as_deref().unwrap_or(&text).split('\n') {
            has_token |= self.part(part, origin);
        }
        if was_inside || has_token {
            mends.into_iter().for_each(|mend| self.mended.note(mend, line.number));
        }
    }

    /// Whether BEGIN or END stands in it.
    fn part(&mut self, part: &str, origin: (u32, usize)) -> bool {
        let tokens = meant(part, token::tokens(part), self.inside.is_some());
        let mut at = 0;
        for (index, token) in tokens.iter().enumerate() {
            let before = part.get(at..token.start).unwrap_or_default();
            if self.inside.is_some() {
                self.body(before, origin, true);
            } else {
                self.outside(before, origin);
            }
            token.mends.iter().for_each(|mend| self.mended.note(*mend, origin.0));
            if index > 0 && token.is_begin && !token.mends.contains(&Mend::Glued) {
                self.mended.note(Mend::Glued, origin.0);
            }
            self.mended.push(&token.armour(), origin);
            self.inside = token.is_begin.then(|| before.trim().to_owned());
            self.margin = token.is_begin.then(|| Margin::of(before)).flatten();
            at = token.end;
        }
        let rest = part.get(at..).unwrap_or_default();
        match (self.inside.is_some(), tokens.is_empty()) {
            (true, is_whole) => self.body(rest, origin, !is_whole),
            (false, true) => self.mended.push(rest, origin),
            (false, false) => self.outside(rest, origin),
        }
        !tokens.is_empty()
    }

    /// What stands beside BEGIN or END and belongs to no block.
    fn outside(&mut self, text: &str, origin: (u32, usize)) {
        if text.trim().is_empty() {
            return;
        }
        self.mended.note(Mend::Surroundings, origin.0);
        if text.contains(char::is_alphanumeric) {
            self.mended.push(text, origin);
        }
    }

    /// A line of a block, or what stands in the line of its BEGIN or END.
    fn body(&mut self, text: &str, origin: (u32, usize), is_beside: bool) {
        let trimmed = text.trim();
        // The end of a string and what joins it to the next.
        if trimmed.contains(['"', '\'']) && !trimmed.contains(char::is_alphanumeric) {
            self.mended.note(Mend::Surroundings, origin.0);
            return;
        }
        // `> ` of mail, `#` of comments: what stands before BEGIN stands before each line.
        let prefix = self
            .inside
            .as_deref()
            .filter(|prefix| !prefix.contains(char::is_alphanumeric));
        let bare = trimmed.strip_prefix(prefix.unwrap_or_default()).unwrap_or(trimmed);
        // `b"..."` of Python, `r"..."` of Rust.
        let quoted = bare.trim_start_matches(|letter| "bBrRuUfFL@".contains(letter));
        let letters = bare.len().saturating_sub(quoted.len());
        let is_string = quoted.starts_with(['"', '\'']) && letters <= 2;
        let bare = bare
            .get(if is_string { letters } else { 0 }..)
            .unwrap_or_default()
            .trim_matches(is_around);
        // Behind a closing quote only what joins lines of a program may stand.
        let bare = match bare.split_once(['"', '\'']) {
            Some((first, rest)) if rest.chars().all(|letter| is_around(letter) || letter == '+') => first.trim_end(),
            _ => bare,
        };
        if bare.len() != trimmed.len() {
            self.mended.note(Mend::Surroundings, origin.0);
        }
        if bare.is_empty() && (is_beside || !trimmed.is_empty()) {
            return;
        }
        if is_beside {
            self.mended.note(Mend::OneLine, origin.0);
        }
        if let Some(lines) = header(bare) {
            lines.into_iter().for_each(|line| self.mended.push(line, origin));
        } else if let Some(lines) = without_backslashes(bare) {
            self.mended.note(Mend::Escapes, origin.0);
            lines.into_iter().for_each(|line| self.mended.push(line, origin));
        } else {
            self.mended.push(bare, origin);
        }
    }
}

/// Those that are no mere mention in a sentence.
fn meant(part: &str, tokens: Vec<Token>, mut is_inside: bool) -> Vec<Token> {
    let ends: Vec<usize> = tokens
        .iter()
        .skip(1)
        .map(|token| token.start)
        .chain([part.len()])
        .collect();
    let mut at = 0;
    let mut meant = Vec::with_capacity(tokens.len());
    for (token, next) in tokens.into_iter().zip(ends) {
        let before = part.get(at..token.start).unwrap_or_default();
        let behind = part.get(token.end..next).unwrap_or_default().trim_matches(is_around);
        let has_words = before.contains(char::is_alphanumeric);
        let is_meant = match token.is_begin {
            // Between two blocks a line end without its backslash may stand.
            true if is_inside
                || (before.ends_with(char::is_alphanumeric) && !(at > 0 && matches!(before, "n" | "rn"))) =>
            {
                false
            }
            true => behind.is_empty() || token::is_body(behind) || header(behind).is_some(),
            false => is_inside || !has_words,
        };
        if is_meant {
            is_inside = token.is_begin;
            at = token.end;
            meant.push(token);
        }
    }
    meant
}

/// Quotes, commas and brackets, as they stand around a text in programs.
fn is_around(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(
            letter,
            '"' | '\'' | '`' | ',' | ';' | '\\' | '[' | ']' | '{' | '}' | '(' | ')' | '\u{2018}'
                ..='\u{201f}' | '\u{ab}' | '\u{bb}'
        )
}

/// Base64 whose written-out line ends lost their backslashes, as in a shell: an `n` (or `rn`) before each 64 columns and at
/// the end. With three of them it is certain: chance makes that once in 64 times 64 times 64 times.
fn without_backslashes(text: &str) -> Option<Vec<&str>> {
    ["n", "rn"].into_iter().find_map(|end| {
        let mut rest = text.strip_prefix(end)?;
        let mut lines = Vec::new();
        while !rest.is_empty() {
            let columns = rest.len().checked_sub(end.len())?.min(64);
            let (line, behind) = rest.split_at_checked(columns)?;
            lines.push(line);
            rest = behind.strip_prefix(end)?;
        }
        (lines.len() >= 3).then_some(lines)
    })
}

/// The header of an encrypted key (RFC 1421, section 4.6) and its base64, all in one line.
fn header(text: &str) -> Option<[&str; 4]> {
    let rest = text.strip_prefix("Proc-Type:")?;
    let (process, rest) = rest.split_once("DEK-Info:")?;
    let info = rest.trim_start();
    let (_, base64) = info.split_once(char::is_whitespace)?;
    let start = text.len().checked_sub(rest.len())?.checked_sub("DEK-Info:".len())?;
    let end = text.len().checked_sub(base64.len())?;
    let first = text.get(..start)?.trim_end();
    let second = text.get(start..end)?.trim_end();
    (process.contains("ENCRYPTED") && token::is_body(base64)).then_some([first, second, "", base64.trim()])
}

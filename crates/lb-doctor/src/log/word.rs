//! Words of a line: bare, in quotes, named.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word<'a> {
    Quoted(&'a str),
    Named(&'a str, &'a str),
    Bare(&'a str),
}

impl<'a> Word<'a> {
    pub(super) fn bare(self) -> Option<&'a str> {
        match self {
            Self::Bare(text) => Some(text),
            _ => None,
        }
    }
}

/// Words separated by spaces; quotes and brackets keep spaces, backslashes keep quotes. A quote ends where a space or
/// nothing follows, so that one inside, which a careless writer left as it was, does not move the columns. nginx puts a
/// space behind each comma of a list: what follows a comma belongs to the word.
#[derive(Debug, Clone)]
pub(super) struct Words<'a>(&'a str);

impl<'a> Words<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text)
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let text = self.0.trim_start();
        if let Some(rest) = text.strip_prefix('"') {
            let (inside, after) = quoted(rest);
            self.0 = after;
            return Some(Word::Quoted(inside));
        }
        let (word, after) = text.split_at_checked(end(text))?;
        if word.is_empty() {
            return None;
        }
        if let Some((name, value)) = word.split_once('=') {
            if value.starts_with('"') {
                let rest = text.split_once("=\"").map_or("", |(_, rest)| rest);
                let (inside, after) = quoted(rest);
                self.0 = after;
                return Some(Word::Named(name, inside));
            }
            self.0 = after;
            return Some(Word::Named(name, value));
        }
        self.0 = after;
        Some(Word::Bare(word))
    }
}

/// Where a bare word ends: at the first space that does not follow a comma, or that a new name or quote follows.
fn end(text: &str) -> usize {
    let mut before = ' ';
    for (at, letter) in text.char_indices() {
        if letter.is_whitespace() && !is_redirect(text, at) && (before != ',' || text.get(at..).is_some_and(is_another))
        {
            return at;
        }
        before = letter;
    }
    text.len()
}

/// Is this space beside the colon that nginx puts between the lists of two groups of servers: `0.001, 0.017 : 0.002`?
fn is_redirect(text: &str, at: usize) -> bool {
    let Some((before, after)) = text.split_at_checked(at) else {
        return false;
    };
    (after.starts_with(" : ") || before.ends_with(" :")) && before.contains(", ")
}

/// Does something else begin behind this space: `name=`, `name:` or a quote?
fn is_another(text: &str) -> bool {
    let text = text.trim_start();
    let name = text.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic()) && name.len() < text.len();
    text.starts_with('"') || (is_name && !text.starts_with("unix:") && name.starts_with(['=', ':']))
}

/// What stands before the closing quote, and what behind; all of it when there is none.
fn quoted(text: &str) -> (&str, &str) {
    let mut first = None;
    for at in quotes(text) {
        let (inside, rest) = text.split_at_checked(at).unwrap_or((text, ""));
        let after = rest.strip_prefix('"').unwrap_or(rest);
        if after.is_empty() || after.starts_with([' ', '\t']) {
            return (inside, after);
        }
        first = first.or(Some((inside, after)));
    }
    first.unwrap_or((text, ""))
}

/// What stands behind the `"request"` with which the text begins: a status follows its closing quote.
pub(super) fn request(text: &str) -> Option<&str> {
    let text = text.trim_start().strip_prefix('"')?;
    let after = |at: usize| text.get(at..).and_then(|rest| rest.strip_prefix('"'));
    let has_status = |rest: &&str| rest.strip_prefix(' ').is_some_and(is_status);
    let found = quotes(text).filter_map(after).find(has_status);
    found.or_else(|| Some(quoted(text).1))
}

/// Does the text begin with a status: three digits, or `-`?
pub(super) fn is_status(text: &str) -> bool {
    let word = text.split([' ', '|', '"', ',']).next().unwrap_or_default();
    word == "-" || (word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit()))
}

/// Places of quotes without a backslash before them.
fn quotes(text: &str) -> impl Iterator<Item = usize> {
    let mut escaped = false;
    text.bytes().enumerate().filter_map(move |(at, byte)| {
        let counts = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        counts.then_some(at)
    })
}

//! From text to the table of the file, with every error of the TOML in it.

mod odd;

use crate::grammar::odd::{describe, meant};
use crate::near;
use crate::schema::SECTIONS;
use crate::{Kind, Problem, Span};
use lb_types::nearest;
use std::collections::BTreeSet;
use toml::de::{DeTable, Error};

/// What a text says, not yet what it means.
///
/// A text with syntax errors still gives a table: of what could be read. [`resolve`](crate::resolve) reports the
/// errors of both.
#[derive(Debug)]
pub struct Raw {
    pub(crate) file: String,
    pub(crate) text: String,
    /// The text without the lines that stop the parser; everything else is in its place.
    readable: String,
    pub(crate) errors: Vec<Problem>,
    /// Lines with syntax errors: what stands there was not read as it was meant.
    broken: BTreeSet<usize>,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// Reads `text`, TOML 1.1. `file` is the name that problems are reported under; nothing is opened.
///
/// Never fails: syntax errors are kept and reported by [`resolve`](crate::resolve), together with everything that is
/// wrong in the part that could be read. `O(n)` for a text without syntax errors.
#[must_use]
pub fn parse(file: &str, text: &str) -> Raw {
    let mut raw = Raw {
        file: file.to_owned(),
        text: text.to_owned(),
        readable: String::new(),
        errors: Vec::new(),
        broken: BTreeSet::new(),
        lines: Vec::new(),
    };
    if text.len() > MOST_BYTES {
        raw.text.clear();
        raw.errors.push(
            Problem::error(Kind::TooMany, format!("the file has {} bytes", text.len()))
                .help(format!("at most {MOST_BYTES} are read; is this a configuration file?")),
        );
        return raw;
    }
    raw.lines = std::iter::once(0)
        .chain(text.match_indices('\n').map(|(at, _)| at.saturating_add(1)))
        .collect();
    let (mut rest, odd) = odd::mend(text);
    raw.note_odd(&odd);
    for _ in 0..MOST_PASSES {
        let (_, errors) = DeTable::parse_recoverable(&rest);
        let mut further = false;
        for lost in raw.note(&rest, &errors) {
            // The parser stops at such a line. Without it, it gets further.
            if blank(&mut rest, lost.clone()) {
                raw.broken.extend(raw.lines_of(&lost));
                further = true;
            }
        }
        if !further {
            break;
        }
    }
    raw.readable = rest;
    raw.sort();
    raw
}

impl Raw {
    /// Keeps one error for each line with characters that only look right.
    fn note_odd(&mut self, odd: &[(usize, char)]) {
        for &(at, c) in odd {
            if !self.broken.insert(self.line(at)) || self.errors.len() >= MOST_ERRORS {
                continue;
            }
            let meant = meant(c).unwrap_or_default();
            let (what, help) = match &*meant {
                "" => (
                    "must not stand here",
                    "delete it: it came along when the text was copied".to_owned(),
                ),
                " " => ("is no blank of TOML", "type a blank in its place".to_owned()),
                "\"" | "'" => (
                    "is no quotation mark of TOML",
                    format!("type `{meant}` in its place, at both ends of the text"),
                ),
                meant => ("is not what it looks like", format!("type `{meant}` in its place")),
            };
            let problem = Problem::error(Kind::Syntax, format!("{} {what}", describe(c)))
                .at(at..at.saturating_add(c.len_utf8()), "this character")
                .help(help);
            self.errors.push(problem);
        }
    }

    /// Keeps the errors that are on lines without one. Gives what must be taken out to read on.
    fn note(&mut self, text: &str, errors: &[Error]) -> Vec<Span> {
        let mut spans: Vec<(Span, &Error)> = errors
            .iter()
            .map(|error| (error.span().unwrap_or(0..0), error))
            .collect();
        spans.sort_by_key(|(span, _)| span.start);
        let unclosed = errors.iter().any(|error| {
            error.message().starts_with("unclosed array,") || error.message().starts_with("unclosed inline")
        });
        let open = unclosed.then(|| open_bracket(text)).flatten();
        if let Some(open) = &open {
            // What follows the bracket was read as a part of it: every error there is an echo.
            spans.retain(|(span, _)| span.start < open.start);
        }
        let mut stopped: Vec<Span> = Vec::new();
        for (span, error) in spans {
            let message = error.message();
            let line = self.line(span.start);
            let covered = stopped.last().is_some_and(|lost| span.start < lost.end);
            if !covered && STOPPERS.iter().any(|stopper| message.starts_with(stopper)) {
                stopped.push(self.damaged(span.start));
            }
            if self.broken.insert(line) && self.errors.len() < MOST_ERRORS {
                let problem = self.problem(message, span);
                self.errors.push(problem);
            }
        }
        let Some(open) = open else { return stopped };
        let bracket = text
            .get(open.clone())
            .and_then(|text| text.chars().next())
            .unwrap_or('[');
        let (what, close) = if bracket == '{' { ("table", '}') } else { ("list", ']') };
        self.broken.insert(self.line(open.start));
        self.errors
            .push(Problem::error(Kind::Syntax, format!("this {what} is never closed")).at(
                open.start..open.start.saturating_add(1),
                format!("`{close}` is missing"),
            ));
        stopped.push(self.line_start(open.start)..open.end);
        stopped
    }

    /// What could be read.
    pub(crate) fn table(&self) -> DeTable<'_> {
        DeTable::parse_recoverable(&self.readable).0.into_inner()
    }

    /// Is `problem` to be believed, although there are syntax errors?
    pub(crate) fn believes(&self, problem: &Problem) -> bool {
        if self.errors.is_empty() {
            return true;
        }
        let Some(span) = &problem.span else { return false };
        !problem.kind.may_be_an_echo() && !self.broken.contains(&self.line(span.start))
    }

    fn problem(&self, message: &str, span: Span) -> Problem {
        let line = self.line_text(span.start);
        if message.starts_with("duplicate key") {
            let key = self.text.get(span.clone()).unwrap_or_default();
            let problem = Problem::error(Kind::DuplicateKey, format!("`{key}` is set twice"));
            return match self.earlier(&span) {
                Some(first) => problem.at(span, "the second time").see(first, "the first time"),
                None => problem.at(span, "it was set above"),
            };
        }
        let (message, expected) = match message.split_once(", expected ") {
            Some((message, expected)) => (message, Some(expected)),
            None => (message, None),
        };
        let value = line.split_once('=').map_or("", |(_, value)| value.trim());
        let bare = value.split('#').next().unwrap_or(value).trim_end();
        let key = line.split(['=', ':']).next().unwrap_or_default().trim();
        let problem = |text: &str, label: &str| Problem::error(Kind::Syntax, text).at(span.clone(), label);
        if message.starts_with("string values must be quoted") && bare.is_empty() {
            return problem(&format!("`{key}` has no value"), "a value is missing here");
        }
        let unquoted = !bare.is_empty() && !bare.starts_with(['"', '\'', '[', '{']);
        if unquoted && (message.starts_with("string values must") || message.starts_with("invalid ")) {
            let help = match bare {
                "True" | "TRUE" | "yes" | "on" => near::flag(key, true),
                "False" | "FALSE" | "no" | "off" => near::flag(key, false),
                _ => format!("put it in quotes: {key} = \"{bare}\""),
            };
            return problem("text without quotes", "not a number, and not in quotes").help(help);
        }
        if line.trim_start().starts_with("//") {
            return problem("this is not TOML", "unexpected").help("comments begin with `#`");
        }
        let before = line.split(['=', '"', '\'', '#']).next().unwrap_or_default();
        if let Some((at, c)) = before
            .char_indices()
            .find(|(_, c)| !c.is_ascii())
            .filter(|_| line.contains('='))
        {
            let at = self.line_start(span.start).saturating_add(at);
            return Problem::error(Kind::Syntax, format!("{} cannot stand in a key", describe(c)))
                .at(at..at.saturating_add(c.len_utf8()), "this letter is not ASCII")
                .help("keys are written with the letters a to z: some letters of other alphabets look the same");
        }
        if message.starts_with("key with no value") || message.starts_with("invalid unquoted key") {
            return problem("this is not TOML", "a line is `key = value` or `[section]`").help(line_help(line));
        }
        let label = match expected {
            None => "here".to_owned(),
            Some("nothing") => "not expected here".to_owned(),
            Some(expected) => format!("expected {expected}"),
        };
        let problem = problem(message, &label);
        match message {
            "unclosed array table" => problem.help(format!("write {}]", line.trim())),
            _ => problem,
        }
    }

    /// Where a header or key that stands alone on its line stood before, in the same table.
    fn earlier(&self, span: &Span) -> Option<Span> {
        let start = self.line_start(span.start);
        let line = self.line_text(span.start);
        let is_header = line.trim_start().starts_with('[');
        let key = self.text.get(span.clone())?;
        if !is_header && self.text.get(start..span.start)?.trim() != "" {
            return None;
        }
        let mut at = start;
        for before in self.text.get(..start)?.split_inclusive('\n').rev() {
            at = at.checked_sub(before.len())?;
            let trimmed = before.trim();
            let found = match is_header {
                true => trimmed == line.trim(),
                false => trimmed
                    .strip_prefix(key)
                    .is_some_and(|rest| rest.trim_start().starts_with('=')),
            };
            if found {
                let first = at.checked_add(before.find(key)?)?;
                return Some(first..first.checked_add(key.len())?);
            }
            if !is_header && trimmed.starts_with('[') {
                return None;
            }
        }
        None
    }

    /// The line that stops the parser; when it is a broken header, with everything up to the next header, whose keys
    /// would otherwise fall into the wrong table.
    fn damaged(&self, offset: usize) -> Span {
        let start = self.line_start(offset);
        let text = self.text.get(start..).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        let is_header = first.trim_start().starts_with('[') || table_meant(first.trim()).is_some();
        let mut end = start;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            if index > 0 && (!is_header || line.trim_start().starts_with('[')) {
                break;
            }
            end = end.saturating_add(line.len());
        }
        start..end
    }

    fn lines_of(&self, span: &Span) -> impl Iterator<Item = usize> + use<> {
        self.line(span.start)..self.line(span.end.saturating_sub(1)).saturating_add(1)
    }

    /// The number of the line, from 0.
    fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    fn line_start(&self, offset: usize) -> usize {
        self.lines.get(self.line(offset)).copied().unwrap_or(0)
    }

    fn line_text(&self, offset: usize) -> &str {
        self.text
            .get(self.line_start(offset)..)
            .and_then(|text| text.lines().next())
            .unwrap_or_default()
    }

    fn sort(&mut self) {
        self.errors
            .sort_by_key(|problem| problem.span.as_ref().map_or(0, |span| span.start));
    }
}

/// What may have been meant by a line that is neither a key with a value nor a header.
fn line_help(whole: &str) -> String {
    let opens_block = whole.trim_end().ends_with('{');
    let is_inside = whole.starts_with([' ', '\t']);
    let line = whole.trim().trim_end_matches(['{', ';']).trim_end();
    if let Some(table) = table_meant(line) {
        let many = matches!(table, "listeners" | "pools" | "listeners.routes");
        return if many {
            format!("did you mean [[{table}]]?")
        } else {
            format!("did you mean [{table}]?")
        };
    }
    let at = line.find([' ', '\t', ':']).unwrap_or(line.len());
    let (word, rest) = line.split_at(at);
    if let Some(ours) = near::our_word(word, is_inside && !opens_block && !rest.is_empty()) {
        return ours;
    }
    let rest = rest.trim_start();
    let rest = rest
        .strip_prefix(": ")
        .or(rest
            .strip_prefix(':')
            .filter(|_| at > 0 && line.as_bytes().get(at) == Some(&b':')))
        .unwrap_or(rest)
        .trim();
    let quoted = rest.starts_with(['"', '\'', '[', '{']) || rest.bytes().all(|b| b.is_ascii_digit());
    match rest {
        "" => "write key = \"value\", or [section] to begin a section".to_owned(),
        _ if rest.contains([' ', '\t']) && !quoted => "write key = \"value\", one to a line".to_owned(),
        _ if quoted => format!("write {word} = {rest}"),
        _ => format!("write {word} = \"{rest}\""),
    }
}

/// The table that a line with a word alone may have been meant to begin.
fn table_meant(line: &str) -> Option<&'static str> {
    let word = line.trim_end_matches(['{', ';', ':']).trim_end();
    if word.is_empty() || word.contains([' ', '=', '[']) {
        return None;
    }
    nearest(
        word,
        SECTIONS
            .iter()
            .map(|section| section.path)
            .filter(|path| !path.is_empty()),
    )
}

/// The outermost bracket that is still open where a header begins or the text ends, with everything up to there.
fn open_bracket(text: &str) -> Option<Span> {
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0_usize;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        let is_header = trimmed.strip_prefix('[').is_some_and(|rest| {
            let name = rest.trim_start_matches('[').trim_end_matches(']');
            name.len() < rest.len()
                && !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        });
        if is_header && let Some(&first) = open.first() {
            return Some(first..at);
        }
        let is_value = line.contains('=') && !is_header;
        if is_value || !open.is_empty() {
            scan_brackets(line, at, &mut open);
        }
        at = at.saturating_add(line.len());
    }
    open.first().map(|&first| first..text.len())
}

/// Keeps the list of open brackets over one line. A string ends with its line.
fn scan_brackets(line: &str, at: usize, open: &mut Vec<usize>) {
    let mut quote: Option<u8> = None;
    let mut escaped = false;
    for (index, &byte) in line.as_bytes().iter().enumerate() {
        match quote {
            Some(b'"') if escaped => escaped = false,
            Some(b'"') if byte == b'\\' => escaped = true,
            Some(end) => {
                if byte == end {
                    quote = None;
                }
            }
            None => match byte {
                b'"' | b'\'' => quote = Some(byte),
                b'#' => return,
                b'[' | b'{' => open.push(at.saturating_add(index)),
                b']' | b'}' => {
                    open.pop();
                }
                _ => {}
            },
        }
    }
}

/// Overwrites a part of the text with spaces, so that everything else keeps its place. `false` when there is nothing
/// left to overwrite.
fn blank(text: &mut String, span: Span) -> bool {
    let Some(part) = text.get(span.clone()) else {
        return false;
    };
    let spaces: String = part.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect();
    let changed = part != spaces;
    text.replace_range(span, &spaces);
    changed
}

/// Errors after which the parser reads nothing more, or reads it into the wrong table.
const STOPPERS: [&str; 4] = [
    "key with no value",
    "invalid unquoted key",
    "unclosed table",
    "unclosed array table",
];

/// A configuration of 10,000 backends has about 1 MB.
const MOST_BYTES: usize = 16 << 20;

/// More are not shown anyway.
const MOST_ERRORS: usize = 1_000;

/// Each pass reads the whole text again, after a line that stops the parser.
const MOST_PASSES: usize = 32;

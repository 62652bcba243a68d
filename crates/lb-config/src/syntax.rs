//! From text to the table of the file, with every error of the TOML in it.

use crate::near::nearest;
use crate::schema::SECTIONS;
use crate::{Kind, Problem, Span};
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
    /// A bracket that is never closed: everything behind it was read as a part of it.
    unclosed: Option<usize>,
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
        unclosed: None,
    };
    if text.len() > MOST_BYTES {
        raw.text.clear();
        raw.errors.push(
            Problem::error(Kind::TooMany, format!("the file has {} bytes", text.len()))
                .help(format!("at most {MOST_BYTES} are read; is this a configuration file?")),
        );
        return raw;
    }
    let mut rest = text.to_owned();
    for _ in 0..MOST_PASSES {
        let (_, errors) = DeTable::parse_recoverable(&rest);
        let stopped = raw.note(&errors);
        if let Some(lost) = stopped.filter(|lost| blank(&mut rest, lost.clone())) {
            // The parser stops at such a line. Without it, it gets further.
            raw.broken.extend(raw.lines_of(&lost));
            continue;
        }
        break;
    }
    raw.readable = rest;
    raw.sort();
    raw
}

impl Raw {
    /// Keeps the errors that are on lines without one. Gives what must be taken out to read on.
    fn note(&mut self, errors: &[Error]) -> Option<Span> {
        let mut spans: Vec<(Span, &Error)> = errors
            .iter()
            .map(|error| (error.span().unwrap_or(0..0), error))
            .collect();
        spans.sort_by_key(|(span, _)| span.start);
        let mut stopped = None;
        for (span, error) in spans {
            let message = error.message();
            if message.starts_with("unclosed array,") || message.starts_with("unclosed inline") {
                let first = self.unclosed.unwrap_or(usize::MAX);
                self.unclosed = Some(first.min(self.opening(span.start)));
            }
            let line = self.line(span.start);
            if stopped.is_none() && STOPPERS.iter().any(|stopper| message.starts_with(stopper)) {
                stopped = Some(self.damaged(span.start));
            }
            if self.broken.insert(line) {
                let problem = self.problem(message, span);
                self.errors.push(problem);
            }
        }
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
        let swallowed = self.unclosed.is_some_and(|unclosed| span.end >= unclosed);
        !problem.kind.may_be_an_echo() && !swallowed && !self.broken.contains(&self.line(span.start))
    }

    fn problem(&self, message: &str, span: Span) -> Problem {
        let line = self.line_text(span.start);
        if message.starts_with("duplicate key") {
            let key = self.text.get(span.clone()).unwrap_or_default();
            return Problem::error(Kind::DuplicateKey, format!("`{key}` is set twice")).at(span, "it was set above");
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
                "True" | "TRUE" | "yes" | "on" => format!("write {key} = true"),
                "False" | "FALSE" | "no" | "off" => format!("write {key} = false"),
                _ => format!("put it in quotes: {key} = \"{bare}\""),
            };
            return problem("text without quotes", "not a number, and not in quotes").help(help);
        }
        if line.trim_start().starts_with("//") {
            return problem("this is not TOML", "unexpected").help("comments begin with `#`");
        }
        if message.starts_with("key with no value") || message.starts_with("invalid unquoted key") {
            return problem("this is not TOML", "a line is `key = value` or `[section]`").help(line_help(line.trim()));
        }
        let label = expected.map_or_else(|| "here".to_owned(), |expected| format!("expected {expected}"));
        problem(message, &label)
    }

    /// The line that stops the parser; when it is a broken header, with everything up to the next header, whose keys
    /// would otherwise fall into the wrong table.
    fn damaged(&self, offset: usize) -> Span {
        let start = self.line_start(offset);
        let text = self.text.get(start..).unwrap_or_default();
        let is_header = text.trim_start().starts_with('[');
        let mut end = start;
        for (index, line) in text.split_inclusive('\n').enumerate() {
            if index > 0 && (!is_header || line.trim_start().starts_with('[')) {
                break;
            }
            end = end.saturating_add(line.len());
        }
        start..end
    }

    /// The start of the line in which the bracket was opened that is still open at `offset`: the nearest line before
    /// it that begins a value with a bracket.
    fn opening(&self, offset: usize) -> usize {
        let before = self.text.get(..offset.min(self.text.len())).unwrap_or_default();
        let opens = |line: &str| {
            line.split_once('=')
                .is_some_and(|(_, value)| value.trim_start().starts_with(['[', '{']))
        };
        let mut start = before.len();
        for line in before.split_inclusive('\n').rev() {
            start = start.saturating_sub(line.len());
            if opens(line) {
                return start;
            }
        }
        0
    }

    fn lines_of(&self, span: &Span) -> impl Iterator<Item = usize> + use<> {
        self.line(span.start)..self.line(span.end.saturating_sub(1)).saturating_add(1)
    }

    fn line(&self, offset: usize) -> usize {
        let before = self
            .text
            .as_bytes()
            .get(..offset.min(self.text.len()))
            .unwrap_or_default();
        before.iter().filter(|&&b| b == b'\n').count()
    }

    fn line_start(&self, offset: usize) -> usize {
        let before = self
            .text
            .as_bytes()
            .get(..offset.min(self.text.len()))
            .unwrap_or_default();
        before
            .iter()
            .rposition(|&b| b == b'\n')
            .map_or(0, |at| at.saturating_add(1))
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
fn line_help(line: &str) -> String {
    let line = line.trim_end_matches(['{', ';']).trim_end();
    let (word, rest) = line.split_once([' ', '\t', ':']).unwrap_or((line, ""));
    let rest = rest.trim_start_matches([':', ' ', '\t']).trim();
    let tables = SECTIONS
        .iter()
        .filter(|section| !section.path.is_empty())
        .map(|section| section.path);
    if rest.is_empty()
        && let Some(table) = nearest(word, tables)
    {
        let many = matches!(table, "listeners" | "pools" | "listeners.routes");
        return if many {
            format!("did you mean [[{table}]]?")
        } else {
            format!("did you mean [{table}]?")
        };
    }
    let quoted = rest.starts_with(['"', '\'', '[', '{']) || rest.bytes().all(|b| b.is_ascii_digit());
    match rest {
        "" => format!("write {word} = and a value"),
        _ if quoted => format!("write {word} = {rest}"),
        _ => format!("write {word} = \"{rest}\""),
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

/// Each pass reads the whole text again, after a line that stops the parser.
const MOST_PASSES: usize = 32;

//! Stars in the place of secrets. Every report passes here, as [`Problems`](super::Problems) are made: the text of the
//! file and the words of the problems alike, for both go to logs and into tickets. When in doubt, stars.

mod blots;
mod word;

use super::Problem;
use crate::Span;
use blots::Blots;
use std::ops::Range;
use word::{Sort, is_harmless_field, sort, unescaped};

/// What must not be shown of one text.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    /// Bytes of the text that become stars.
    spans: Vec<Span>,
    /// The same bytes, and what they mean after their escapes.
    values: Vec<String>,
}

impl Hidden {
    /// Finds the secrets of a text, which need not be TOML.
    pub(super) fn of(text: &str) -> Self {
        let mut hidden = Self::default();
        let mut section = None;
        let mut at = 0_usize;
        hidden.pasted(text);
        for line in text.split_inclusive('\n') {
            let start = at;
            at = at.saturating_add(line.len());
            if let Some(name) = header(line) {
                section = name.split('.').filter_map(|part| sort(&unescaped(part))).next();
            } else if let Some((before, value)) = line.split_once('=')
                && matches!(section, Some(Sort::Secret | Sort::Fields))
                && !before.trim_start().starts_with('#')
            {
                // `[pools.health.headers]`: each key of it is a field.
                let from = start.saturating_add(line.len()).saturating_sub(value.len());
                let harmless = section == Some(Sort::Fields) && is_harmless_field(before.trim());
                if !harmless {
                    hidden.rest_of_line(text, from);
                }
            }
            hidden.words(text, start, line);
            hidden.logins(text, start, line);
        }
        hidden
    }

    /// `text`, of which these are the secrets, with stars for them, byte for byte, so that places stay true.
    pub(super) fn masked(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for byte in self
            .spans
            .iter()
            .filter_map(|span| text.as_bytes().get(span.clone()).map(|_| span.clone()))
            .flatten()
        {
            if let Some(byte) = bytes.get_mut(byte).filter(|byte| !matches!(byte, b'\n' | b'\r')) {
                *byte = b'*';
            }
        }
        // Spans end between letters; should one not, nothing of the text is shown.
        String::from_utf8(bytes).unwrap_or_else(|_| text.bytes().map(|b| if b == b'\n' { '\n' } else { '*' }).collect())
    }

    /// Puts stars into everything that `problem` says.
    pub(super) fn clean(&self, problems: &mut [Problem]) {
        let Some(blots) = Blots::of(&self.values).filter(|_| !problems.is_empty()) else {
            return;
        };
        for problem in problems {
            let help = problem.help.iter_mut();
            let related = problem.related.iter_mut().map(|(_, label)| label);
            for words in [&mut problem.message, &mut problem.label]
                .into_iter()
                .chain(help)
                .chain(related)
            {
                blots.clean(words);
            }
        }
    }

    /// Keys and certificates that stand here themselves, and not their paths.
    fn pasted(&mut self, text: &str) {
        let mut from = 0_usize;
        while let Some(found) = text.get(from..).and_then(|rest| rest.find(BEGIN)) {
            let start = from.saturating_add(found).saturating_add(BEGIN.len());
            let rest = text.get(start..).unwrap_or_default();
            let line = rest.find('\n').unwrap_or(rest.len());
            let end = start.saturating_add(rest.find(END).unwrap_or(line));
            self.hide(text, start..end);
            from = end;
        }
    }

    /// The values behind words that name something secret, on the line at `start`.
    fn words(&mut self, text: &str, start: usize, line: &str) {
        let mut from = 0_usize;
        let mut inherited = None;
        while let Some(found) = next_word(line, from) {
            from = found.end;
            let word = line.get(found.clone()).unwrap_or_default();
            let Some(sort) = sort(&unescaped(word)).or(inherited.take()) else {
                continue;
            };
            let after = line.get(found.end..).unwrap_or_default();
            let closed = after.trim_start_matches(['"', '\'']);
            let in_key_quotes = closed.len() < after.len();
            let rest = closed.trim_start_matches([' ', '\t']);
            if rest.starts_with('.') {
                inherited = Some(sort);
                continue;
            }
            let value = rest.trim_start_matches(['=', ':', '>', '-', ' ', '\t']);
            let assigns = rest.starts_with(['=', ':']);
            let stands_alone = open_quote(line, found.start).is_none_or(|_| in_key_quotes)
                && line
                    .get(..found.start)
                    .is_some_and(|before| !before.contains(['=', '#']));
            let offset = start.saturating_add(line.len()).saturating_sub(value.len());
            let quote = open_quote(line, found.start).filter(|_| !in_key_quotes);
            if assigns {
                self.value(text, offset, sort, quote);
            } else if stands_alone && rest.len() < closed.len() && !value.trim().is_empty() {
                self.rest_of_line(text, offset);
            } else {
                continue;
            }
            // Inside of what is hidden already there is nothing to look for.
            let end = self.spans.last().map_or(0, |span| span.end);
            from = from.max(end.saturating_sub(start).min(line.len()));
        }
    }

    /// The value at `offset`. `quote`: the assignment itself stands inside a text of the file.
    fn value(&mut self, text: &str, offset: usize, sort: Sort, quote: Option<char>) {
        let value = text.get(offset..).unwrap_or_default();
        let line_end = value.find(['\r', '\n']).unwrap_or(value.len());
        let line = value.get(..line_end).unwrap_or_default();
        if let Some(quote) = quote {
            let end = line.find([quote, '&']).unwrap_or(line_end);
            return self.hide(text, offset..offset.saturating_add(end));
        }
        if line.starts_with(['[', '{']) {
            return self.list(text, offset, sort);
        }
        let is_file = line.contains('/') || (line.contains('.') && line.len() < SHORT_NAME);
        if sort == Sort::File && is_file {
            return;
        }
        let triple = ["\"\"\"", "'''"].into_iter().find(|quote| value.starts_with(quote));
        if let Some(triple) = triple {
            let from = offset.saturating_add(triple.len());
            let inner = text.get(from..).unwrap_or_default();
            let end = from.saturating_add(inner.find(triple).unwrap_or(inner.len()));
            self.hide(text, from..end);
            return self.remainder(text, end.saturating_add(triple.len()));
        }
        match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            Some(quote) => {
                let from = offset.saturating_add(1);
                let end = end_of_string(text, from, quote);
                self.hide(text, from..end);
                if text.get(end..).is_some_and(|rest| rest.starts_with(quote)) {
                    self.remainder(text, end.saturating_add(1));
                }
            }
            None if matches!(line.trim(), "" | "|" | ">" | "\\") => {
                // The value may stand on the next line.
                let next = offset.saturating_add(line_end).saturating_add(1);
                let line = text
                    .get(next..)
                    .and_then(|text| text.lines().next())
                    .unwrap_or_default();
                if !line.contains('=') && header(line).is_none() {
                    self.rest_of_line(text, next);
                }
            }
            None => self.rest_of_line(text, offset),
        }
    }

    /// What follows the closing quote and is neither the next key nor a comment belongs to the secret.
    fn remainder(&mut self, text: &str, offset: usize) {
        let line = text
            .get(offset..)
            .and_then(|text| text.lines().next())
            .unwrap_or_default();
        let rest = line.trim_start();
        if !rest.is_empty() && !rest.starts_with([',', '}', ']', '#', ')', ';']) {
            self.rest_of_line(text, offset);
        }
    }

    fn rest_of_line(&mut self, text: &str, offset: usize) {
        let line = text
            .get(offset..)
            .and_then(|text| text.lines().next())
            .unwrap_or_default();
        if !line.is_empty() {
            self.spans.push(offset..offset.saturating_add(line.len()));
        }
        // What may be repeated of it: all, or up to the next key or the comment, and each word.
        if !line.contains('=') {
            self.remember(line);
        }
        for cut in [',', '#'] {
            self.remember(line.split(cut).next().unwrap_or_default());
        }
        for word in line.split([' ', '\t', ',']).take_while(|word| *word != "=") {
            self.remember(word.trim_matches(['"', '\'']));
        }
    }

    /// A list or table of secrets or of header fields, up to its closing bracket.
    fn list(&mut self, text: &str, offset: usize, sort: Sort) {
        let mut depth = 0_usize;
        let mut at = offset;
        let value = text.get(offset..).unwrap_or_default();
        for (index, line) in value.split_inclusive('\n').enumerate() {
            if index > 0 && header(line).is_some() {
                return;
            }
            let end = at.saturating_add(line.len());
            while at < end {
                let Some(c) = text.get(at..).and_then(|text| text.chars().next()) else {
                    return;
                };
                let next = at.saturating_add(c.len_utf8());
                match c {
                    '[' | '{' => depth = depth.saturating_add(1),
                    ']' | '}' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            return;
                        }
                    }
                    '"' | '\'' => {
                        let close = end_of_string(text, next, c);
                        self.element(text, next..close, sort);
                        at = close.saturating_add(1);
                        continue;
                    }
                    ',' | '=' | ' ' | '\t' | '\r' | '\n' => {}
                    _ => {
                        let rest = text.get(at..end).unwrap_or_default();
                        let stop = rest.find([',', '"', '\'', ']', '}', '\n', '=']).unwrap_or(rest.len());
                        let span = at..at.saturating_add(stop);
                        at = span.end.max(next);
                        if !rest.get(stop..).is_some_and(|rest| rest.starts_with('=')) {
                            self.hide(text, span);
                        }
                        continue;
                    }
                }
                at = next;
            }
        }
    }

    /// One text of a list: of a header field, the name may be seen.
    fn element(&mut self, text: &str, span: Span, sort: Sort) {
        let inner = text.get(span.clone()).unwrap_or_default();
        match inner.split_once(':').filter(|_| sort == Sort::Fields) {
            Some((name, _)) if is_harmless_field(name.trim()) => {}
            Some((name, value)) if !name.contains([' ', '\t']) => {
                let from = span.end.saturating_sub(value.trim_start().len());
                self.hide(text, from..span.end);
                for word in value.split_whitespace() {
                    self.remember(word);
                }
            }
            _ => self.hide(text, span),
        }
    }

    /// `user:password@` before a host.
    fn logins(&mut self, text: &str, start: usize, line: &str) {
        let mut from = 0_usize;
        while let Some(at) = line.get(from..).and_then(|rest| rest.find('@')) {
            let at = from.saturating_add(at);
            let before = line.get(from..at).unwrap_or_default();
            from = at.saturating_add(1);
            let begin = before.rfind("://").map(|begin| begin.saturating_add(3));
            let begin = begin.or_else(|| {
                let begin = before
                    .rfind(['"', '\'', ' ', '\t', ','])
                    .map_or(0, |begin| begin.saturating_add(1));
                before
                    .get(begin..)
                    .is_some_and(|login| login.contains(':'))
                    .then_some(begin)
            });
            let Some(login) = begin.and_then(|begin| before.get(begin..)) else {
                continue;
            };
            let end = start.saturating_add(at);
            self.hide(text, end.saturating_sub(login.len())..end);
            self.remember(login.split_once(':').map_or(login, |(_, password)| password));
        }
    }

    fn hide(&mut self, text: &str, span: Range<usize>) {
        let Some(value) = text.get(span.clone()).filter(|value| !value.is_empty()) else {
            return;
        };
        self.remember(value);
        self.spans.push(span);
    }

    fn remember(&mut self, value: &str) {
        let meant = unescaped(value);
        // Messages quote with escapes of their own.
        let quoted = format!("{meant:?}");
        let quoted = quoted.trim_matches('"');
        for form in [value, &meant, quoted] {
            self.values.extend(
                form.split('\n')
                    .filter(|part| !part.trim().is_empty())
                    .map(|part| part.trim().to_owned()),
            );
        }
    }
}

/// The name in a line such as `[[pools.backends]]`.
fn header(line: &str) -> Option<&str> {
    let name = line.trim().strip_prefix('[')?.trim_start_matches('[');
    let name = name.split(']').next().unwrap_or(name).trim();
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'"' | b'\\');
    (!name.is_empty() && !name.starts_with('"') && name.bytes().all(is_name)).then_some(name)
}

/// The next run of what a key is written with, escapes and letters of other alphabets included.
fn next_word(line: &str, from: usize) -> Option<Span> {
    let part =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '\\') || (!c.is_ascii() && !"“”‘’«»".contains(c));
    let rest = line.get(from..)?;
    let start = from.saturating_add(rest.find(part)?);
    let word = line.get(start..)?;
    let end = word.find(|c| !part(c)).unwrap_or(word.len());
    Some(start..start.saturating_add(end))
}

/// The quotation mark of the text in which the byte at `end` of a line stands.
fn open_quote(line: &str, end: usize) -> Option<char> {
    let mut open = None;
    let mut escaped = false;
    for c in line.get(..end).unwrap_or_default().chars() {
        match open {
            Some('"') if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(quote) if quote == c => open = None,
            None if matches!(c, '"' | '\'') => open = Some(c),
            _ => {}
        }
    }
    open
}

/// Where the closing quote stands, or the line ends.
fn end_of_string(text: &str, from: usize, quote: char) -> usize {
    let mut escaped = false;
    let inner = text.get(from..).unwrap_or_default();
    for (at, c) in inner.char_indices() {
        match c {
            '\r' | '\n' => return from.saturating_add(at),
            _ if escaped => escaped = false,
            '\\' => escaped = quote == '"',
            _ if c == quote => return from.saturating_add(at),
            _ => {}
        }
    }
    text.len()
}

/// A relative path, quotes included; a secret in its place has rarely a dot, and is longer.
const SHORT_NAME: usize = 24;

/// Encapsulation boundaries: RFC 7468, section 2.
const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

#[cfg(test)]
mod tests;

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::format::{Entry, Format};
use super::reading::sentences;
use super::suggest::suggestion;
use lb_types::hash64;
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::io::{self, BufRead};
use std::time::Duration;

/// What is kept of one line: 72 bytes, names as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// When the request came, in nanoseconds since 1970.
    pub unix_nanos: u64,
    /// Is that known to the second only?
    pub whole_seconds: bool,
    /// A hash of the client's address.
    pub client: Option<u64>,
    /// A hash of the address that the proxy in front says.
    pub forwarded: Option<u64>,
    /// How long the backend took.
    pub duration: Option<Duration>,
    /// Position in [`Log::backends`].
    pub backend: Option<u16>,
    /// Position in [`Log::pools`].
    pub pool: Option<u16>,
    /// Did it end with a server's error (500 and above)?
    pub failed: bool,
    /// Was the client known to the balancer?
    pub persisted: bool,
}

/// An access log, read line by line. Iterates over its records; what cannot be read is counted and left out.
///
/// Lines of more than 64 KiB are left out; names of backends and pools beyond 1,000 are not told apart.
#[derive(Debug)]
pub struct Log<R> {
    input: R,
    format: Format,
    was_detected: bool,
    /// Lines that were looked at to find the format.
    ahead: VecDeque<String>,
    line: u64,
    good: u64,
    bad: u64,
    first_bad: Vec<BadLine>,
    backends: Names,
    pools: Names,
    sources: Vec<(&'static str, u64)>,
    unclear: Option<Unclear>,
    /// Most lines with unnamed times have more of them than can be told apart: a lone one in other lines says nothing then.
    is_crowded: bool,
    failure: Option<io::Error>,
    is_done: bool,
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadLine {
    /// Its number, from 1.
    pub line: u64,
    /// Why.
    pub why: &'static str,
}

/// Numbers of a log that may be durations or something else.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unclear {
    /// The first of them; of JSON, its key.
    pub example: String,
    /// The line in which it stands, from 1.
    pub line: u64,
    /// Lines that have such numbers and nothing better.
    pub lines: u64,
    /// Are they several times that do not say what each is?
    pub is_crowded: bool,
    /// A `--format` that reads this line, if it is a duration.
    pub format: Option<String>,
}

impl<R: BufRead> Log<R> {
    /// Begins to read. Without a format, it is found by the first 50 lines.
    ///
    /// # Errors
    /// [`LogError`] when the input cannot be read, is empty or compressed, or when no format fits.
    pub fn new(mut input: R, format: Option<Format>) -> Result<Self, LogError> {
        let is_compressed = |bytes: &[u8]| COMPRESSED.iter().any(|magic| bytes.starts_with(magic));
        if is_compressed(input.fill_buf().map_err(LogError::Io)?) {
            return Err(LogError::Compressed);
        }
        let was_detected = format.is_none();
        let mut log = Self {
            input,
            format: format.unwrap_or(Format::Clf),
            was_detected,
            ahead: VecDeque::new(),
            line: 0,
            good: 0,
            bad: 0,
            first_bad: Vec::new(),
            backends: Names::default(),
            pools: Names::default(),
            sources: Vec::new(),
            unclear: None,
            is_crowded: false,
            failure: None,
            is_done: false,
        };
        let mut line = String::new();
        while log.ahead.len() < AHEAD && read_line(&mut log.input, &mut line).map_err(LogError::Io)? {
            log.ahead.push_back(std::mem::take(&mut line));
        }
        if log.ahead.iter().all(|line| line.trim().is_empty()) {
            return Err(LogError::Empty);
        }
        if was_detected {
            let found = Format::detect(log.ahead.iter().map(String::as_str));
            log.format = found.ok_or_else(|| {
                let first = log.ahead.iter().find(|line| !line.trim().is_empty());
                LogError::UnknownFormat {
                    first: first.map(|line| line.chars().take(SHOWN).collect()).unwrap_or_default(),
                }
            })?;
        }
        log.is_crowded = log.format == Format::Clf && {
            let entries = || log.ahead.iter().filter_map(|line| log.format.read(line.trim()).ok());
            let crowded = entries().filter(|entry| entry.is_crowded).count();
            crowded > entries().filter(|entry| entry.is_unnamed).count()
        };
        Ok(log)
    }

    /// How its lines are read.
    #[must_use]
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// Was the format found by looking at the lines?
    #[must_use]
    pub fn was_detected(&self) -> bool {
        self.was_detected
    }

    /// Lines read well until now.
    #[must_use]
    pub fn good(&self) -> u64 {
        self.good
    }

    /// Lines until now that could not be read; blank ones and such that begin with `#` do not count.
    #[must_use]
    pub fn bad(&self) -> u64 {
        self.bad
    }

    /// The first five of those.
    #[must_use]
    pub fn first_bad(&self) -> &[BadLine] {
        &self.first_bad
    }

    /// Names of backends, in the order they appeared.
    #[must_use]
    pub fn backends(&self) -> &[String] {
        &self.backends.list
    }

    /// Names of pools, in the order they appeared.
    #[must_use]
    pub fn pools(&self) -> &[String] {
        &self.pools.list
    }

    /// Where durations came from until now, in words, each with its number of lines; what came first, first.
    #[must_use]
    pub fn sources(&self) -> &[(&'static str, u64)] {
        &self.sources
    }

    /// Numbers that may be durations, and were not taken for any.
    #[must_use]
    pub fn unclear(&self) -> Option<&Unclear> {
        self.unclear.as_ref()
    }

    /// Sentences on how the log was read: its format, where durations come from, what may be one, lines that could not
    /// be read.
    #[must_use]
    pub fn reading(&self) -> Vec<String> {
        sentences(self)
    }

    /// Why reading ended before the end of the input.
    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    fn next_line(&mut self) -> Option<String> {
        if let Some(line) = self.ahead.pop_front() {
            return Some(line);
        }
        let mut line = String::new();
        match read_line(&mut self.input, &mut line) {
            Ok(true) => Some(line),
            Ok(false) => None,
            Err(error) => {
                self.failure = Some(error);
                None
            }
        }
    }

    fn note_bad(&mut self, why: &'static str) {
        self.bad = self.bad.saturating_add(1);
        if self.first_bad.len() < SHOWN_BAD {
            self.first_bad.push(BadLine { line: self.line, why });
        }
    }

    fn record(&mut self, entry: &Entry<'_>, text: &str) -> Record {
        let duration = entry.duration.filter(|_| !(self.is_crowded && entry.is_unnamed));
        match (entry.source, entry.unclear) {
            (Some(source), _) if duration.is_some() => {
                match self.sources.iter_mut().find(|(known, _)| *known == source) {
                    Some((_, count)) => *count = count.saturating_add(1),
                    None => self.sources.push((source, 1)),
                }
            }
            (_, Some(number)) => {
                let line = self.line;
                let unclear = self.unclear.get_or_insert_with(|| Unclear {
                    example: number
                        .chars()
                        .filter(|c| !c.is_control())
                        .take(LONGEST_EXAMPLE)
                        .collect(),
                    line,
                    lines: 0,
                    is_crowded: entry.is_crowded,
                    format: suggestion(text, number, entry.is_crowded),
                });
                unclear.lines = unclear.lines.saturating_add(1);
            }
            _ => {}
        }
        Record {
            unix_nanos: entry.unix_nanos,
            whole_seconds: entry.whole_seconds,
            client: entry.client.as_deref().map(|client| hash64(0, client.as_bytes())),
            forwarded: entry.forwarded.as_deref().map(|client| hash64(0, client.as_bytes())),
            duration,
            backend: entry.backend.as_deref().and_then(|name| self.backends.number(name)),
            pool: entry.pool.as_deref().and_then(|name| self.pools.number(name)),
            failed: entry.status.is_some_and(|status| status >= 500),
            persisted: entry.persisted,
        }
    }
}

impl<R: BufRead> Iterator for Log<R> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        while !self.is_done {
            let Some(line) = self.next_line() else {
                self.is_done = true;
                break;
            };
            self.line = self.line.saturating_add(1);
            let text = line.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            if text.len() >= LONGEST {
                self.note_bad("longer than 64 KiB");
                continue;
            }
            match self.format.read(text) {
                Ok(entry) => {
                    self.good = self.good.saturating_add(1);
                    return Some(self.record(&entry, text));
                }
                Err(why) => self.note_bad(why),
            }
        }
        None
    }
}

/// Reads a line, of which at most [`LONGEST`] bytes are kept; `false` at the end of the input. What is no UTF-8 is replaced.
fn read_line(input: &mut impl BufRead, line: &mut String) -> io::Result<bool> {
    let mut bytes = Vec::new();
    let mut any = false;
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if chunk.is_empty() {
            break;
        }
        any = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or(chunk);
        let room = LONGEST.saturating_sub(bytes.len());
        bytes.extend_from_slice(part.get(..room).unwrap_or(part));
        let used = part.len().saturating_add(usize::from(end.is_some()));
        input.consume(used);
        if end.is_some() {
            break;
        }
    }
    *line = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    Ok(any)
}

/// Names, each with its number.
#[derive(Debug, Default)]
struct Names {
    list: Vec<String>,
    numbers: HashMap<String, u16>,
}

impl Names {
    /// The number of a name without its control characters, cut to what a configuration takes; `None` when nothing is
    /// left, or beyond the bound.
    fn number(&mut self, name: &str) -> Option<u16> {
        let name = clean(name);
        if let Some(number) = self.numbers.get(name.as_ref()) {
            return Some(*number);
        }
        if name.is_empty() {
            return None;
        }
        let number = u16::try_from(self.list.len())
            .ok()
            .filter(|number| *number < MOST_NAMES)?;
        self.list.push(name.clone().into_owned());
        self.numbers.insert(name.into_owned(), number);
        Some(number)
    }
}

/// Borrowed where there is nothing to clean, which is nearly always.
fn clean(name: &str) -> Cow<'_, str> {
    if name.len() <= LONGEST_NAME && !name.chars().any(char::is_control) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect())
}

/// Why a log is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The input failed.
    #[error("cannot be read")]
    Io(#[source] io::Error),
    /// Nothing in it.
    #[error("is empty")]
    Empty,
    /// gzip, zstd, xz or bzip2.
    #[error("is compressed: unpack it first, as in `zcat access.log.gz | lbd advise -`")]
    Compressed,
    /// No line was understood.
    #[error("has no format that is known ({}); it begins with {first:?}", Format::known())]
    UnknownFormat {
        /// The first 120 letters.
        first: String,
    },
}

/// Bytes of a line.
const LONGEST: usize = 65_536;
/// Lines that show the format.
const AHEAD: usize = 50;
/// Letters of a number that is shown.
const LONGEST_EXAMPLE: usize = 40;
/// Letters of the first line in an error.
const SHOWN: usize = 120;
/// Bad lines that are shown.
const SHOWN_BAD: usize = 5;
/// Names of backends, and of pools.
const MOST_NAMES: u16 = 1000;
/// Letters of a name: as many as in a configuration.
pub(crate) const LONGEST_NAME: usize = 128;
/// gzip, zstd, xz, bzip2.
const COMPRESSED: [&[u8]; 4] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"BZh"];

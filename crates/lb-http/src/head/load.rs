use super::name::Name;
use super::{Field, Head, Kind, Span, Version};
use core::hint::cold_path;
use core::ops::Range;

/// How a head takes over what the tokeniser found.
impl Head {
    /// Takes over a parsed message: `raw` is the head as it stood in the input, the headers are
    /// slices of `raw`. `first` is the length of its start line.
    ///
    /// Says whether the fields are lines that end in CRLF, stand one behind the other and fill `raw` up
    /// to its empty line. The tokeniser is lenient about line ends; a head with others is not taken.
    #[must_use]
    pub(crate) fn load(
        &mut self,
        kind: Kind,
        version: Version,
        raw: &[u8],
        first: usize,
        fields: &[httparse::Header<'_>],
    ) -> bool {
        self.clear();
        self.kind = kind;
        self.version = version;
        self.arena.extend_from_slice(raw);
        self.index.reserve(fields.len());
        let mut line = first;
        for header in fields {
            let name = header.name.as_bytes();
            let (value_at, next, whole) = match plain_line(raw, line, name, header.value) {
                Some((value_at, next)) => (value_at, next, true),
                None => {
                    cold_path();
                    match odd_line(raw, line, name, header.value) {
                        Some((value_at, next)) => (value_at, next, false),
                        None => return false,
                    }
                }
            };
            // Made where it stays: put together elsewhere and moved, it costs twice the rest of this loop.
            self.push(Field {
                name_at: line as u32,
                value_at: value_at as u32,
                value_len: header.value.len() as u32,
                name_len: name.len() as u32,
                name: Name::of(name),
                live: true,
                whole,
            });
            // Its CRLF was seen, so this is the end of its line.
            line = next;
        }
        // As many as the tokeniser has room for: some hundreds.
        self.received = fields.len() as u16;
        raw.get(line..) == Some(b"\r\n")
    }

    /// The value of the first line of a known name as it was received, whatever became of it since.
    pub(crate) fn received(&self, name: Name) -> Option<&[u8]> {
        let lines = self.index.get(..usize::from(self.received))?;
        let at = lines.iter().position(|field| field.name == name)?;
        cold_path();
        let start_line = usize::from(self.kind != Kind::Trailers);
        let line = self.arena.split(|b| *b == b'\n').nth(at.saturating_add(start_line))?;
        let colon = memchr::memchr(b':', line)?;
        let value = line.get(colon.saturating_add(1)..)?;
        Some(crate::list::trim(value.strip_suffix(b"\r").unwrap_or(value)))
    }

    /// The request line of a loaded request: where method and target stand in the raw head.
    pub(crate) fn load_request_line(&mut self, method: usize, target: usize, line_end: usize) {
        self.method = Span {
            at: 0,
            len: method as u32,
        };
        self.target = Span {
            at: method.wrapping_add(1) as u32,
            len: target as u32,
        };
        if self.version == Version::Http11 {
            self.line_end = line_end as u32;
        }
    }

    /// The status line of a loaded response. `line_end` is 0 when the line lacks its second space.
    pub(crate) fn load_status_line(&mut self, status: u16, reason: Range<usize>, line_end: usize) {
        self.status = status;
        self.reason = Span {
            at: reason.start as u32,
            len: reason.len() as u32,
        };
        if self.version == Version::Http11 {
            self.line_end = line_end as u32;
        }
    }
}

/// Where the value stands in the line that begins at `line`, and where the next line begins, when it is as nearly all
/// are: one space in front of the value and nothing behind it. Such a line can be written as it stands.
#[inline]
fn plain_line(raw: &[u8], line: usize, name: &[u8], value: &[u8]) -> Option<(usize, usize)> {
    let value_at = line.wrapping_add(name.len()).wrapping_add(2);
    let next = value_at.wrapping_add(value.len()).wrapping_add(2);
    let behind_name = raw.get(value_at.wrapping_sub(2)..next)?;
    let is_plain = stands_at(raw, name, line)
        && stands_at(raw, value, value_at)
        && behind_name.starts_with(b": ")
        && behind_name.ends_with(b"\r\n")
        && !value.is_empty();
    is_plain.then_some((value_at, next))
}

/// The same for any other line; `None` when it is no line.
#[cold]
fn odd_line(raw: &[u8], line: usize, name: &[u8], value: &[u8]) -> Option<(usize, usize)> {
    let separator = line.wrapping_add(name.len());
    let rest = raw.get(separator..)?;
    let white = |from: usize| rest.iter().skip(from).take_while(|b| matches!(b, b' ' | b'\t')).count();
    let before = white(1).wrapping_add(1);
    let end = before.wrapping_add(value.len());
    let next = end.wrapping_add(white(end)).wrapping_add(2);
    let is_line = stands_at(raw, name, line)
        && rest.first() == Some(&b':')
        && rest.get(next.wrapping_sub(2)..next) == Some(b"\r\n");
    let value_at = separator.wrapping_add(before);
    let is_found = is_line && (value.is_empty() || stands_at(raw, value, value_at));
    is_found.then_some((value_at, separator.wrapping_add(next)))
}

/// Is `part`, a slice of `raw`, the one that begins at `at`?
fn stands_at(raw: &[u8], part: &[u8], at: usize) -> bool {
    (part.as_ptr() as usize).wrapping_sub(raw.as_ptr() as usize) == at
}

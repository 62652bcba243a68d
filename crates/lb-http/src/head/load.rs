use super::name::Name;
use super::{Field, Head, Kind, Span, Version};
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
            let Some(field) = field(raw, line, header) else {
                return false;
            };
            // Its CRLF was seen, so this is the end of its line.
            line = field.1;
            self.push(field.0);
        }
        raw.get(line..) == Some(b"\r\n")
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

/// The field whose line begins at `line`, and where the next one begins; `None` when it is no line.
fn field(raw: &[u8], line: usize, header: &httparse::Header<'_>) -> Option<(Field, usize)> {
    let name_len = header.name.len();
    let separator = line.wrapping_add(name_len);
    let value_len = header.value.len();
    let rest = raw.get(separator..)?;
    let base = raw.as_ptr() as usize;
    if (header.name.as_ptr() as usize).wrapping_sub(base) != line {
        return None;
    }
    // Nearly always one space and nothing behind the value: the line can then be written as it stands.
    let end = value_len.wrapping_add(2);
    let (value_at, next, whole) =
        if value_len > 0 && rest.starts_with(b": ") && rest.get(end..end.wrapping_add(2)) == Some(b"\r\n") {
            (2, end.wrapping_add(2), true)
        } else {
            let white = |from: usize| rest.iter().skip(from).take_while(|b| matches!(b, b' ' | b'\t')).count();
            let value_at = white(1).wrapping_add(1);
            let end = value_at.wrapping_add(value_len);
            let next = end.wrapping_add(white(end)).wrapping_add(2);
            if rest.first() != Some(&b':') || rest.get(next.wrapping_sub(2)..next) != Some(b"\r\n") {
                return None;
            }
            (value_at, next, false)
        };
    let value_at = separator.wrapping_add(value_at);
    if value_len > 0 && (header.value.as_ptr() as usize).wrapping_sub(base) != value_at {
        return None;
    }
    let field = Field {
        name_at: line as u32,
        value_at: value_at as u32,
        value_len: value_len as u32,
        name_len: name_len as u32,
        name: Name::of(header.name.as_bytes()),
        live: true,
        whole,
    };
    Some((field, separator.wrapping_add(next)))
}

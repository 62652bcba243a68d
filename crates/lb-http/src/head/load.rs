use super::name::Name;
use super::{Field, Head, Kind, Span, Version};
use core::ops::Range;

/// How a head takes over what the tokeniser found.
impl Head {
    /// Takes over a parsed message: `raw` is the head as it stood in the input, the headers are
    /// slices of `raw`.
    pub(crate) fn load(&mut self, kind: Kind, version: Version, raw: &[u8], fields: &[httparse::Header<'_>]) {
        self.clear();
        self.kind = kind;
        self.version = version;
        self.arena.extend_from_slice(raw);
        let base = raw.as_ptr() as usize;
        let offset = |part: &[u8]| (part.as_ptr() as usize).wrapping_sub(base) as u32;
        for header in fields {
            let text = header.name.as_bytes();
            let name = Name::of(text);
            let name_at = offset(text);
            let (value_at, value_len) = (offset(header.value), header.value.len() as u32);
            let separator = name_at.wrapping_add(text.len() as u32);
            let end = value_at.wrapping_add(value_len) as usize;
            let whole = value_len > 0
                && value_at.wrapping_sub(separator) == 2
                && raw.get(separator as usize..value_at as usize) == Some(b": ")
                && raw.get(end..end.wrapping_add(2)) == Some(b"\r\n");
            self.note(name);
            self.index.push(Field {
                name_at,
                value_at,
                value_len,
                name_len: text.len() as u32,
                name,
                live: true,
                whole,
            });
        }
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

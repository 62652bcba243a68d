//! Paths: prefixes that end at a segment, and the normal form that decides whether a path may be
//! routed by the way it is written.

/// The start of a path, in whole segments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Prefix {
    text: Box<str>,
    /// The same, percent-decoded: what normal forms are compared with.
    decoded: Box<[u8]>,
}

impl Prefix {
    /// The longest prefix, in bytes.
    pub const MAX_LEN: usize = 512;

    /// A prefix: `/` for every path; `/a` for `/a` and everything below; `/a/` only for what is
    /// below. Percent-encoding may stand where it must (`/caf%C3%A9`) and is compared as written.
    ///
    /// # Errors
    /// [`PrefixError`] when it does not begin with a slash, is too long, carries a query, or is
    /// not in normal form, so that no request could match it both ways.
    pub fn new(text: &str) -> Result<Self, PrefixError> {
        if !text.starts_with('/') {
            return Err(PrefixError::NoSlash);
        }
        if text.len() > Self::MAX_LEN {
            return Err(PrefixError::TooLong { len: text.len() });
        }
        let wrong = |b: u8| b <= b' ' || b >= 0x7f || matches!(b, b'?' | b'#' | b'\\' | b';');
        if let Some(offset) = text.bytes().position(wrong) {
            return Err(PrefixError::Character { offset });
        }
        let decoded: Box<[u8]> = Decoded(text.as_bytes()).collect();
        if Normal::of(text.as_bytes()).bytes() != &*decoded || is_badly_encoded(text.as_bytes()) {
            return Err(PrefixError::NotNormal);
        }
        Ok(Self {
            text: text.into(),
            decoded,
        })
    }

    /// The prefix as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn matches(&self, path: Path<'_>) -> bool {
        match path {
            Path::Written(path) => starts(path, self.text.as_bytes()),
            Path::Normal(path) => starts(path, &self.decoded),
        }
    }
}

/// Why a text is no path prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrefixError {
    /// It does not begin with a slash.
    #[error("a path begins with a slash")]
    NoSlash,
    /// Longer than [`Prefix::MAX_LEN`].
    #[error("the path has {len} bytes, a prefix has at most 512")]
    TooLong {
        /// Its length in bytes.
        len: usize,
    },
    /// A byte that no path prefix has: query, parameter, backslash, space, control or not ASCII.
    #[error("the byte at {offset} must not stand in a path prefix (write it percent-encoded)")]
    Character {
        /// Where it stands.
        offset: usize,
    },
    /// It has empty or dot segments, or percent-encoding that encodes nothing, a slash, or what needs
    /// no encoding.
    #[error("the path is not in normal form: it has empty or dot segments or needless percent-encoding")]
    NotNormal,
}

/// A path in one of the two ways to read it.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    Written(&'a [u8]),
    Normal(&'a [u8]),
}

fn starts(path: &[u8], prefix: &[u8]) -> bool {
    let Some(rest) = path.strip_prefix(prefix) else {
        return false;
    };
    rest.is_empty() || prefix.ends_with(b"/") || rest.starts_with(b"/")
}

/// The path of a request target: without query; `/` for what is no path (`*`, an authority).
pub(super) fn path_of(target: &[u8]) -> &[u8] {
    if target.first() != Some(&b'/') {
        return b"/";
    }
    let end = target
        .iter()
        .position(|b| matches!(b, b'?' | b'#'))
        .unwrap_or(target.len());
    target.get(..end).unwrap_or(target)
}

/// Does every reader read this path as it is written?
pub(super) fn is_plain(path: &[u8]) -> bool {
    let mut after_slash = false;
    path.iter().all(|byte| {
        let plain = match byte {
            b'%' | b'\\' | b';' => false,
            b'/' | b'.' => !after_slash,
            _ => true,
        };
        after_slash = *byte == b'/';
        plain
    })
}

/// The beginning of a path as the most eager reader understands it: percent-decoded once,
/// backslashes taken for slashes, parameters (`;..`) cut off, empty and dot segments removed
/// (RFC 3986, section 6.2.2). On the stack, without allocation, whatever the length of the path.
pub(super) struct Normal {
    bytes: [u8; ROOM],
    len: usize,
    /// Segments that are not, or not whole, in `bytes`.
    beyond: usize,
    /// Where the first of them begins.
    edge: usize,
}

impl Normal {
    pub(super) fn of(path: &[u8]) -> Self {
        let mut normal = Self {
            bytes: [0; ROOM],
            len: 0,
            beyond: 0,
            edge: 0,
        };
        let mut segment = Segment::default();
        let mut begun = false;
        for byte in Decoded(path) {
            if matches!(byte, b'/' | b'\\') {
                if begun {
                    normal.end(&segment, false);
                }
                begun = true;
                segment = Segment {
                    start: normal.len,
                    ..Segment::default()
                };
                normal.push(b'/', &mut segment);
            } else if !segment.in_parameter {
                if byte == b';' {
                    segment.in_parameter = true;
                } else {
                    segment.note(byte);
                    normal.push(byte, &mut segment);
                }
            }
        }
        normal.end(&segment, true);
        normal
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, byte: u8, segment: &mut Segment) {
        match self.bytes.get_mut(self.len) {
            Some(place) if self.beyond == 0 => {
                *place = byte;
                self.len = self.len.saturating_add(1);
            }
            _ => segment.cut = true,
        }
    }

    fn end(&mut self, segment: &Segment, last: bool) {
        let up = segment.is("..");
        if !up && !segment.is("") && !segment.is(".") {
            if segment.cut {
                if self.beyond == 0 {
                    self.edge = segment.start;
                }
                self.beyond = self.beyond.saturating_add(1);
            }
            return;
        }
        // the segment goes; a path that ends with it ends with a slash
        if self.beyond == 0 {
            self.len = segment.start;
        }
        if up {
            self.pop();
        }
        if last {
            self.push(b'/', &mut Segment::default());
        }
    }

    fn pop(&mut self) {
        match self.beyond {
            0 => self.len = self.bytes().iter().rposition(|b| *b == b'/').unwrap_or(0),
            1 => (self.beyond, self.len) = (0, self.edge),
            more => self.beyond = more.saturating_sub(1),
        }
    }
}

/// What has to be known of a segment when it ends.
#[derive(Default)]
struct Segment {
    start: usize,
    head: [u8; 2],
    len: usize,
    in_parameter: bool,
    cut: bool,
}

impl Segment {
    fn note(&mut self, byte: u8) {
        if let Some(place) = self.head.get_mut(self.len) {
            *place = byte;
        }
        self.len = self.len.saturating_add(1);
    }

    fn is(&self, name: &str) -> bool {
        self.len == name.len() && self.head.get(..self.len) == Some(name.as_bytes())
    }
}

/// The bytes of a path, percent-decoded once. A percent sign that encodes nothing stands for itself.
struct Decoded<'a>(&'a [u8]);

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        if *byte == b'%'
            && let [high, low, rest @ ..] = rest
            && let Some(decoded) = decode(*high, *low)
        {
            self.0 = rest;
            return Some(decoded);
        }
        self.0 = rest;
        Some(*byte)
    }
}

/// Does a percent sign encode nothing, or what needs no encoding, or a slash?
fn is_badly_encoded(path: &[u8]) -> bool {
    let needless = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'/');
    let starts = path.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    let mut encodings = starts.map(|(at, _)| path.get(at..).unwrap_or_default());
    encodings.any(|rest| match rest {
        [_, high, low, ..] => decode(*high, *low).is_none_or(needless),
        _ => true,
    })
}

fn decode(high: u8, low: u8) -> Option<u8> {
    Some(hex(high)? << 4 | hex(low)?)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// One more than a prefix can have: the byte after it decides whether a segment ends there.
const ROOM: usize = Prefix::MAX_LEN + 1;

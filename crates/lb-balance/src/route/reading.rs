//! In how many ways backends may read a path: what of it they disagree about, and the normal form that the most eager
//! of them sees.

/// A byte of a path, and whether it was percent-encoded.
#[derive(Clone, Copy)]
pub(super) struct Char {
    pub(super) byte: u8,
    pub(super) encoded: bool,
}

impl Char {
    /// A slash, or what some take for one.
    pub(super) fn is_separator(self) -> bool {
        matches!(self.byte, b'/' | b'\\')
    }

    /// A slash for everybody.
    pub(super) fn is_slash(self) -> bool {
        self.byte == b'/' && !self.encoded
    }

    /// What a reader who decodes first and cuts off blanks then loses at the end of a path.
    pub(super) fn is_blank(self) -> bool {
        self.encoded && self.byte == b' '
    }

    /// Where a reader who decodes first and splits the URL then sees the path end.
    pub(super) fn is_end(self) -> bool {
        self.encoded && matches!(self.byte, b'?' | b'#')
    }
}

/// What there is to decide about a path that is not plain.
pub(super) enum Reading {
    /// Nobody can say where readers go with it: dot segments upwards beside something else to disagree about, more than two
    /// layers of encoding, control characters, letters of more bytes than they need.
    Any,
    /// Plain text but for `..`: some resolve it, others do not.
    Up,
    /// Readers differ by what they cut out or decode, segment by segment. These choices of theirs change its normal form.
    Local(u8),
}

/// The first segment behind two slashes is taken for a host (`//host/path`).
pub(super) const HOST: u8 = 1;
/// The path ends at an encoded `?` or `#`.
pub(super) const ENDS: u8 = 2;
/// A parameter, or a host, goes on to the next real slash, past encoded ones and backslashes.
pub(super) const RAW: u8 = 4;
/// Percent-encoding is decoded twice.
pub(super) const TWICE: u8 = 8;
/// No choice: there is no `..`, so that what is longer than every prefix needs no reading.
pub(super) const LEVEL: u8 = 16;

impl Reading {
    /// `path` is not plain.
    pub(super) fn of(path: &[u8]) -> Self {
        let mut all = look(decoded(path));
        if all.leaves_encoding {
            let second = look(decoded_twice(path));
            all = Oddities {
                up: all.up || second.up,
                hopeless: all.hopeless || second.hopeless || second.leaves_encoding,
                choices: all.choices | second.choices | TWICE,
                ..all
            };
        }
        match all {
            Oddities { hopeless: true, .. }
            | Oddities {
                up: true, other: true, ..
            } => Self::Any,
            Oddities { up: true, .. } => Self::Up,
            Oddities { choices, .. } => Self::Local(choices),
        }
    }
}

/// What of a path readers disagree about.
#[derive(Default)]
struct Oddities {
    /// A segment that somebody may take for `..`.
    up: bool,
    /// Anything else.
    other: bool,
    hopeless: bool,
    /// Decoding once more gives something else.
    leaves_encoding: bool,
    choices: u8,
}

fn look(chars: impl Iterator<Item = Char>) -> Oddities {
    let mut all = Oddities::default();
    let mut segment = Segment::default();
    let (mut segments, mut cut_out) = (0_usize, 0_usize);
    let (mut cuts, mut false_slashes) = (false, false);
    let mut last = [0_u8; 2];
    for char in chars {
        all.other |= char.encoded;
        all.leaves_encoding |= last[0] == b'%' && decode(last[1], char.byte).is_some();
        all.hopeless |= char.byte < b' ' || char.byte == 0x7f || is_wide(last, char);
        last = [last[1], char.byte];
        if char.is_separator() {
            false_slashes |= !char.is_slash();
            all.up |= segment.is_up();
            if segments > 0 && segment.is_nothing() {
                cut_out = cut_out.saturating_add(1);
            }
            if segments == 1 && segment.is_empty() {
                all.choices |= HOST;
                cuts = true;
            }
            segments = segments.saturating_add(1);
            segment = Segment::default();
        } else if char.byte == b';' {
            (all.other, cuts) = (true, true);
            segment.in_parameter = true;
        } else if char.is_end() {
            all.up |= segment.is_up();
            all.choices |= ENDS;
            segment.note(char);
        } else {
            segment.note(char);
        }
    }
    all.up |= segment.is_up();
    all.other |= false_slashes || cut_out > 0 || segment.is_dot();
    all.hopeless |= cut_out > CUT_OUT_MAX;
    if cuts && false_slashes {
        all.choices |= RAW;
    }
    all
}

/// A character in more bytes than UTF-8 gives it, or as `%u002e`: some old readers decode both.
fn is_wide(last: [u8; 2], char: Char) -> bool {
    match last {
        [_, 0xc0 | 0xc1] => char.encoded || char.byte >= 0x80,
        [_, 0xe0] => (0x80..0xa0).contains(&char.byte),
        [_, 0xf0] => (0x80..0x90).contains(&char.byte),
        [b'%', b'u' | b'U'] => char.byte.is_ascii_hexdigit(),
        _ => false,
    }
}

/// What has been seen of a segment.
#[derive(Default)]
struct Segment {
    /// Without blanks at its end.
    len: usize,
    dots: usize,
    blanks: usize,
    in_parameter: bool,
}

impl Segment {
    fn note(&mut self, char: Char) {
        if self.in_parameter {
            return;
        }
        self.blanks = self.blanks.saturating_add(1);
        if !char.is_blank() {
            self.len = self.len.saturating_add(self.blanks);
            self.blanks = 0;
        }
        self.dots = self.dots.saturating_add(usize::from(char.byte == b'.'));
    }

    fn is_up(&self) -> bool {
        self.len == 2 && self.dots == 2
    }

    fn is_dot(&self) -> bool {
        self.len == 1 && self.dots == 1
    }

    fn is_empty(&self) -> bool {
        self.len == 0 && self.blanks == 0 && !self.in_parameter
    }

    /// Empty or a dot when its parameters are left out.
    fn is_nothing(&self) -> bool {
        self.len == 0 || self.is_dot()
    }
}

/// The bytes of a path, percent-decoded once.
pub(super) fn decoded(path: &[u8]) -> Decoded<impl Iterator<Item = Char> + Clone> {
    Decoded(path.iter().map(|byte| Char {
        byte: *byte,
        encoded: false,
    }))
}

/// The bytes of a path, percent-decoded twice.
pub(super) fn decoded_twice(path: &[u8]) -> impl Iterator<Item = Char> {
    Decoded(decoded(path))
}

/// Percent-decoded once more than what it is made of. A percent sign that encodes nothing stands for itself.
#[derive(Clone)]
pub(super) struct Decoded<I>(I);

impl<I: Iterator<Item = Char> + Clone> Iterator for Decoded<I> {
    type Item = Char;

    fn next(&mut self) -> Option<Char> {
        let first = self.0.next()?;
        if first.byte == b'%' {
            let mut ahead = self.0.clone();
            if let (Some(high), Some(low)) = (ahead.next(), ahead.next())
                && let Some(byte) = decode(high.byte, low.byte)
            {
                self.0 = ahead;
                return Some(Char { byte, encoded: true });
            }
        }
        Some(first)
    }
}

pub(super) fn decode(high: u8, low: u8) -> Option<u8> {
    Some(hex(high)? << 4 | hex(low)?)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// Empty and dot segments in one path: more than links have by accident, and few enough that every reading of a path is
/// found in a bounded time.
const CUT_OUT_MAX: usize = 32;

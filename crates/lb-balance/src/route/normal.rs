//! The normal form of a path.

use super::Prefix;
use super::reading::{Char, ENDS, HOST, LEVEL, RAW, TWICE, decoded, decoded_twice};

/// The beginning of a path as the most eager reader understands it: percent-decoded,
/// backslashes taken for slashes, parameters (`;..`) and blanks at the end cut off, empty and dot segments removed
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
    /// `choices`: of those that readers have ([`Reading::Local`](super::reading::Reading::Local)), the ones that this
    /// reader takes.
    pub(super) fn of(path: &[u8], choices: u8) -> Self {
        if choices & TWICE == 0 {
            Self::read(decoded(path), choices)
        } else {
            Self::read(decoded_twice(path), choices)
        }
    }

    fn read(chars: impl Iterator<Item = Char>, choices: u8) -> Self {
        let mut normal = Self {
            bytes: [0; ROOM],
            len: 0,
            beyond: 0,
            edge: 0,
        };
        let mut segment = Segment::default();
        let (mut begun, mut blanks) = (false, 0_usize);
        let mut host = if choices & HOST == 0 { Host::No } else { Host::Ahead };
        for char in chars {
            let is_over = choices & ENDS != 0 && char.is_end();
            if is_over || (choices & LEVEL != 0 && segment.cut) {
                break;
            }
            let is_inside = segment.in_parameter || host == Host::Inside;
            let separates = char.is_separator() && (char.is_slash() || choices & RAW == 0 || !is_inside);
            match host {
                Host::No => {}
                Host::Ahead => {
                    if !char.is_separator() {
                        host = Host::Inside;
                    }
                    continue;
                }
                Host::Inside if separates => host = Host::No,
                Host::Inside => continue,
            }
            if separates {
                if begun {
                    normal.end(&segment, false);
                }
                begun = true;
                blanks = 0;
                segment = Segment {
                    start: normal.len,
                    ..Segment::default()
                };
                normal.push(b'/', &mut segment);
            } else if !segment.in_parameter {
                if char.byte == b';' {
                    segment.in_parameter = true;
                } else {
                    segment.note(char.byte);
                    normal.push(char.byte, &mut segment);
                    blanks = if char.is_blank() { blanks.saturating_add(1) } else { 0 };
                }
            }
        }
        if !segment.cut {
            segment.len = segment.len.saturating_sub(blanks);
            normal.len = normal.len.saturating_sub(blanks);
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

/// Where the reader of `//host/path` is.
#[derive(Clone, Copy, PartialEq)]
enum Host {
    No,
    Ahead,
    Inside,
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

/// One more than a prefix can have: the byte after it decides whether a segment ends there.
pub(super) const ROOM: usize = Prefix::MAX_LEN + 1;

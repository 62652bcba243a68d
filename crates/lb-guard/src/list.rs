use crate::line::{self, Reason};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use lb_types::Cidr;

/// Reads the text of a list: one range or address a line.
///
/// `10.0.0.0/8`, `192.0.2.1`, `2001:db8::/32`, `192.0.2.10 - 192.0.2.40` (as many ranges as it takes); `#` and `;` begin a
/// remark. Blank lines, `CRLF` and a byte order mark are passed over. HAProxy's files of addresses (`acl .. src -f`) and
/// the DROP lists of Spamhaus are read as they are. Ranges come in the order of the text.
///
/// `O(bytes)`; allocates the ranges and the texts of bad lines.
///
/// # Errors
/// [`ListError`]. A list with a bad line gives no range: half a list is not what its author wrote.
pub fn parse(text: &[u8], limits: &ListLimits) -> Result<Vec<Cidr>, ListError> {
    if text.len() > limits.file_bytes {
        return Err(ListError::FileBytes {
            bytes: text.len(),
            limit: limits.file_bytes,
        });
    }
    if text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff") {
        return Err(ListError::Utf16);
    }
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut ranges = Vec::new();
    let mut bad = BadLines::default();
    for (number, bytes) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        let found = if bytes.len() > limits.line_bytes {
            Err(Reason::Long {
                limit: limits.line_bytes,
            })
        } else {
            line::read(bytes, |range| {
                let room = ranges.len() < limits.entries;
                if room {
                    ranges.push(range);
                }
                room
            })
        };
        match found {
            Ok(true) => {}
            Ok(false) => {
                return Err(ListError::Entries {
                    line: number,
                    limit: limits.entries,
                });
            }
            Err(reason) => bad.push(number, bytes, reason, limits.bad_lines),
        }
    }
    if bad.total == 0 {
        Ok(ranges)
    } else {
        Err(ListError::Lines(bad))
    }
}

/// What [`parse`] takes at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListLimits {
    /// Ranges, after `a-b` was split: 2,000,000.
    pub entries: usize,
    /// Bytes of a line without its end: 1,024.
    pub line_bytes: usize,
    /// Bytes of all: 128 MiB.
    pub file_bytes: usize,
    /// Bad lines told one by one: 20. The rest is counted.
    pub bad_lines: usize,
}

impl Default for ListLimits {
    fn default() -> Self {
        Self {
            entries: 2_000_000,
            line_bytes: 1024,
            file_bytes: 128 << 20,
            bad_lines: 20,
        }
    }
}

/// Why a text is no list of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// Longer than a list may be.
    #[error("the list has {bytes} bytes; at most {limit} are read")]
    FileBytes {
        /// Its length.
        bytes: usize,
        /// The most.
        limit: usize,
    },
    /// Begins with the mark of UTF-16.
    #[error("the list is UTF-16; save it as UTF-8 or ASCII")]
    Utf16,
    /// More ranges than a list may have. Lines after it were not looked at.
    #[error("line {line}: more than {limit} ranges; allow more, or merge neighbours into wider ranges")]
    Entries {
        /// The line of the first range too many, from 1.
        line: usize,
        /// The most.
        limit: usize,
    },
    /// Lines that are no entries.
    #[error("{0}")]
    Lines(BadLines),
}

/// The bad lines of a list, in their order. Its text is one line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct BadLines {
    /// The first of them.
    pub lines: Vec<BadLine>,
    /// How many there are.
    pub total: usize,
}

impl BadLines {
    fn push(&mut self, number: usize, bytes: &[u8], reason: Reason, most: usize) {
        self.total += 1;
        if self.lines.len() < most {
            self.lines.push(BadLine {
                number,
                text: line::shown(bytes),
                reason,
            });
        }
    }
}

impl fmt::Display for BadLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, line) in self.lines.iter().enumerate() {
            if i != 0 {
                f.write_str("; ")?;
            }
            write!(f, "{line}")?;
        }
        match self.total.saturating_sub(self.lines.len()) {
            0 => Ok(()),
            more if self.lines.is_empty() => write!(f, "{more} bad lines"),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// A line that is no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {number} `{text}`: {reason}")]
#[non_exhaustive]
pub struct BadLine {
    /// Its number, from 1.
    pub number: usize,
    /// Its first 60 bytes; what is not printable ASCII is escaped.
    pub text: String,
    /// What is wrong and what to write instead.
    pub reason: Reason,
}

use super::conn::{Part, Role};
use super::error::Error;
use super::framing::LENGTH_MAX;
use super::limits::Limits;
use super::tolerant::Parsing;
use crate::head::name::is_token_byte;
use core::hint::cold_path;

/// The reader of a chunked body, byte by byte between payloads. RFC 9112, section 7.1.
///
/// It keeps no bytes: what it has seen is in its few numbers, so input may be cut anywhere.
/// Chunk extensions are checked, bounded and dropped; they never reach the other side.
///
/// Blanks at the end of a chunk line are read in responses: old servers pad their sizes to a fixed width, and what
/// we pass on is framed anew. In a request they could be framing for one reader and not for the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunked {
    place: Place,
    /// Has the size a digit yet?
    has_digit: bool,
    /// Bytes of the current chunk line.
    line: u32,
    /// Bytes of extensions in the whole message.
    extensions: u32,
    /// The size while it is read, then the payload still to come.
    left: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the digits.
    Size,
    /// White space; only `;` can follow.
    BeforeExtension,
    /// Behind `;`.
    NameStart,
    Name,
    /// White space behind a name; `=` or `;` can follow.
    AfterName,
    /// Behind `=`.
    ValueStart,
    Value,
    Quoted,
    /// Behind a backslash in a quoted string.
    Escaped,
    /// Behind the closing quote.
    AfterQuoted,
    /// Behind the CR of the chunk line.
    LineFeed,
    Data,
    /// Behind the payload.
    DataReturn,
    DataFeed,
    /// Behind the last chunk.
    End,
}

impl Chunked {
    pub(super) const fn new() -> Self {
        Self {
            place: Place::Size,
            has_digit: false,
            line: 0,
            extensions: 0,
            left: 0,
        }
    }

    /// The next part. `total` is the payload of the message so far, chunks under way included.
    pub(super) fn read(&mut self, input: &[u8], role: Role, limits: &Limits, total: &mut u64) -> Result<Part, Error> {
        let mut skip = 0_usize;
        loop {
            if self.place == Place::Data {
                let rest = input.len().saturating_sub(skip);
                if rest == 0 {
                    return Ok(Part::NeedMore { skip });
                }
                let len = usize::try_from(self.left).map_or(rest, |left| left.min(rest));
                self.left = self.left.saturating_sub(len as u64);
                if self.left == 0 {
                    self.place = Place::DataReturn;
                }
                return Ok(Part::Data { skip, len });
            }
            if self.place == Place::End {
                return Ok(Part::Trailers { skip });
            }
            let Some(byte) = input.get(skip).copied() else {
                return Ok(Part::NeedMore { skip });
            };
            skip = skip.saturating_add(1);
            self.step(byte, role, limits, total)?;
        }
    }

    fn step(&mut self, byte: u8, role: Role, limits: &Limits, total: &mut u64) -> Result<(), Error> {
        match self.place {
            Place::DataReturn => {
                if byte != b'\r' {
                    cold_path();
                    if byte == b'\n' && takes_lf(role, limits) {
                        self.begin_line();
                        return Ok(());
                    }
                    return Err(Error::ChunkEnd);
                }
                self.place = Place::DataFeed;
                return Ok(());
            }
            Place::DataFeed => {
                if byte != b'\n' {
                    return Err(Error::ChunkEnd);
                }
                self.begin_line();
                return Ok(());
            }
            Place::LineFeed => {
                if byte != b'\n' {
                    return Err(Error::BareCr);
                }
                return self.begin_data(limits, total);
            }
            Place::Size => {
                if let Some(digit) = (byte as char).to_digit(16) {
                    self.count_line(limits)?;
                    return self.add_digit(digit);
                }
                if !self.has_digit {
                    return Err(Error::ChunkSize);
                }
                self.place = match byte {
                    b'\r' => Place::LineFeed,
                    b';' => Place::NameStart,
                    b' ' | b'\t' => Place::BeforeExtension,
                    b'\n' if takes_lf(role, limits) => return self.begin_data(limits, total),
                    _ => return Err(Error::ChunkSize),
                };
            }
            // Where CR may end the line, LF alone may.
            _ if byte == b'\n' && takes_lf(role, limits) && self.extension(b'\r', role).is_ok() => {
                return self.begin_data(limits, total);
            }
            _ => self.place = self.extension(byte, role)?,
        }
        if self.place != Place::LineFeed {
            self.count_line(limits)?;
            // Padding is bounded by its line; a long body has many.
            if role == Role::Client && self.place == Place::BeforeExtension {
                return Ok(());
            }
            self.extensions = self.extensions.saturating_add(1);
            if self.extensions as usize > limits.chunk_extension_bytes {
                return Err(Error::ChunkLineTooLong {
                    limit: limits.chunk_extension_bytes,
                });
            }
        }
        Ok(())
    }

    /// Behind a chunk's payload.
    fn begin_line(&mut self) {
        *self = Self {
            extensions: self.extensions,
            ..Self::new()
        };
    }

    fn add_digit(&mut self, digit: u32) -> Result<(), Error> {
        if self.left != 0 || digit != 0 {
            // Sixteen digits fill 64 bits; the seventeenth would push the first one out.
            if self.left >> 60 != 0 {
                return Err(Error::ChunkSize);
            }
            self.left = (self.left << 4) | u64::from(digit);
            if self.left > LENGTH_MAX {
                return Err(Error::ChunkSize);
            }
        }
        self.has_digit = true;
        Ok(())
    }

    fn count_line(&mut self, limits: &Limits) -> Result<(), Error> {
        self.line = self.line.saturating_add(1);
        if self.line as usize > limits.chunk_line_bytes {
            return Err(Error::ChunkLineTooLong {
                limit: limits.chunk_line_bytes,
            });
        }
        Ok(())
    }

    fn begin_data(&mut self, limits: &Limits, total: &mut u64) -> Result<(), Error> {
        if self.left == 0 {
            self.place = Place::End;
            return Ok(());
        }
        *total = total.saturating_add(self.left);
        if let Some(limit) = limits.body_bytes.filter(|limit| *total > *limit) {
            return Err(Error::BodyTooLarge { limit });
        }
        self.place = Place::Data;
        Ok(())
    }

    /// `chunk-ext = *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`
    fn extension(&self, byte: u8, role: Role) -> Result<Place, Error> {
        let space = byte == b' ' || byte == b'\t';
        let token = is_token_byte(byte);
        Ok(match (self.place, byte) {
            (Place::BeforeExtension | Place::NameStart | Place::AfterName | Place::ValueStart, _) if space => {
                self.place
            }
            (Place::BeforeExtension | Place::AfterName | Place::Name | Place::Value | Place::AfterQuoted, b';') => {
                Place::NameStart
            }
            (Place::Name | Place::Value | Place::AfterQuoted, b'\r') => Place::LineFeed,
            (Place::BeforeExtension | Place::AfterName, b'\r') if role == Role::Client => Place::LineFeed,
            (Place::NameStart | Place::Name, _) if token => Place::Name,
            (Place::Name, _) if space => Place::AfterName,
            (Place::Name | Place::AfterName, b'=') => Place::ValueStart,
            (Place::ValueStart, b'"') => Place::Quoted,
            (Place::ValueStart | Place::Value, _) if token => Place::Value,
            (Place::Value | Place::AfterQuoted, _) if space => Place::BeforeExtension,
            (Place::Quoted, b'"') => Place::AfterQuoted,
            (Place::Quoted, b'\\') => Place::Escaped,
            (Place::Quoted, _) if is_text(byte) => Place::Quoted,
            (Place::Escaped, _) if is_text(byte) => Place::Quoted,
            _ => return Err(Error::ChunkExtension),
        })
    }
}

/// Does LF alone end a line around chunks?
fn takes_lf(role: Role, limits: &Limits) -> bool {
    role == Role::Client && limits.parsing == Parsing::Tolerant
}

/// Anything but controls.
const fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

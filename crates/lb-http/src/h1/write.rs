use super::conn::{Conn, Role};
use super::error::Error;
use super::framing::{Framing, length};
use super::state::{Reading, Writing};
use crate::head::name::Name;
use crate::{Head, Kind, Version};
use core::hint::cold_path;

impl Conn {
    /// Appends a head to `out`: the start line, the fields of `head`, and from `framing` and the
    /// state of the connection our own `Connection`, `Content-Length` and `Transfer-Encoding`.
    /// Fields of these names in `head` are not written.
    ///
    /// The start line always says HTTP/1.1. A live `Upgrade` field is accompanied by
    /// `Connection: upgrade`.
    ///
    /// A server also: leaves out 1xx toward HTTP/1.0; turns a body without announced end into chunks
    /// for HTTP/1.1, and chunks into a body that ends with the connection for HTTP/1.0; writes no
    /// body framing for 204, `Content-Length: 0` for 205, and for 304 and the answer to `HEAD` the length that
    /// `framing` or `head` tells, without a body to follow. A request without `Host` (it came in
    /// HTTP/1.0) gets an empty one: the caller does well to append a better one before.
    ///
    /// # Errors
    /// [`Error::OutOfTurn`] when it is not the time for a head, or the head does not fit the role.
    pub fn write_head(&mut self, head: &Head, framing: Framing, out: &mut Vec<u8>) -> Result<(), Error> {
        if self.writing != Writing::Head {
            cold_path();
            return Err(Error::OutOfTurn("write_head inside a message"));
        }
        match (self.role, head.kind()) {
            (Role::Server, Kind::Response) => self.write_response(head, framing, out),
            (Role::Client, Kind::Request) => self.write_request(head, framing, out),
            _ => Err(Error::OutOfTurn("write_head with a head of the wrong kind")),
        }
    }

    /// Announces `len` bytes of payload: what must stand before them is appended to `out`, what
    /// must stand behind them is returned.
    ///
    /// # Errors
    /// [`Error::WrittenLength`] when that is more than was announced; [`Error::OutOfTurn`] outside a body.
    pub fn write_body(&mut self, len: usize, out: &mut Vec<u8>) -> Result<&'static [u8], Error> {
        match self.writing {
            _ if len == 0 => Ok(b""),
            Writing::Length => {
                let len = len as u64;
                self.write_left = self.write_left.checked_sub(len).ok_or(Error::WrittenLength {
                    difference: len.saturating_sub(self.write_left),
                })?;
                if self.write_left == 0 {
                    self.writing = Writing::Done;
                }
                Ok(b"")
            }
            Writing::Chunked => {
                hexadecimal(len as u64, out);
                out.extend_from_slice(b"\r\n");
                Ok(b"\r\n")
            }
            Writing::UntilClose => Ok(b""),
            Writing::Head | Writing::Done | Writing::Tunnel => Err(Error::OutOfTurn("write_body outside a body")),
        }
    }

    /// Ends the message. Trailers are written after chunks and dropped otherwise. May be called
    /// again, and for messages without a body.
    ///
    /// # Errors
    /// [`Error::WrittenLength`] when bytes that were announced are missing; [`Error::OutOfTurn`]
    /// before a head.
    pub fn write_end(&mut self, trailers: Option<&Head>, out: &mut Vec<u8>) -> Result<(), Error> {
        match self.writing {
            Writing::Length => {
                return Err(Error::WrittenLength {
                    difference: self.write_left,
                });
            }
            Writing::Head => return Err(Error::OutOfTurn("write_end before a head")),
            Writing::Tunnel | Writing::Done => return Ok(()),
            Writing::Chunked => {
                out.extend_from_slice(b"0\r\n");
                if let Some(trailers) = trailers.filter(|t| t.kind() == Kind::Trailers) {
                    trailers.write(NOT_COPIED, out);
                }
                out.extend_from_slice(b"\r\n");
            }
            Writing::UntilClose => {}
        }
        self.writing = Writing::Done;
        Ok(())
    }

    fn write_request(&mut self, head: &Head, framing: Framing, out: &mut Vec<u8>) -> Result<(), Error> {
        if matches!(framing, Framing::UntilClose | Framing::Tunnel) || !head.is_writable() {
            cold_path();
            return Err(Error::OutOfTurn("write_head with a request that cannot be framed"));
        }
        head.write(NOT_COPIED, out);
        if !head.has(Name::Host) {
            cold_path();
            out.extend_from_slice(b"Host:\r\n");
        }
        self.offered_upgrade = head.has(Name::Upgrade);
        match (self.close_after, self.offered_upgrade) {
            (false, false) => {}
            (close, upgrade) => write_options(close, upgrade, out),
        }
        match framing {
            Framing::Length(length) => write_length(length, out),
            Framing::Chunked => out.extend_from_slice(CHUNKED),
            // RFC 9110, section 8.6: a method that usually has content says so when it has none.
            Framing::Empty if matches!(head.method(), b"POST" | b"PUT" | b"PATCH") => write_length(0, out),
            Framing::Empty | Framing::UntilClose | Framing::Tunnel => {}
        }
        out.extend_from_slice(b"\r\n");
        self.to_head = head.is_head_method();
        self.has_request = true;
        self.begin_writing(framing);
        Ok(())
    }

    fn write_response(&mut self, head: &Head, framing: Framing, out: &mut Vec<u8>) -> Result<(), Error> {
        let status = head.status();
        if status < 200 {
            cold_path();
            return self.write_interim(head, out);
        }
        if !self.has_request || self.reading == Reading::Failed {
            self.close_after = true;
        }
        let is_http10 = self.peer_version == Version::Http10;
        // By the framing that was asked for: a response to HEAD tells the length it does not send.
        let told = self.told_length(head, framing);
        let framing = match framing {
            _ if self.to_head || matches!(status, 204 | 205 | 304) => Framing::Empty,
            Framing::Chunked | Framing::UntilClose if is_http10 => {
                cold_path();
                self.keep_alive = false;
                Framing::UntilClose
            }
            Framing::UntilClose => Framing::Chunked,
            Framing::Tunnel => return Err(Error::OutOfTurn("a tunnel without 101")),
            Framing::Empty | Framing::Length(_) | Framing::Chunked => framing,
        };
        head.write(NOT_COPIED, out);
        self.write_connection(head, is_http10, out);
        match (told, framing) {
            (Some(length), _) => write_length(length, out),
            (None, Framing::Chunked) => out.extend_from_slice(CHUNKED),
            (None, _) => {}
        }
        out.extend_from_slice(b"\r\n");
        self.begin_writing(framing);
        Ok(())
    }

    /// What `Content-Length` says.
    fn told_length(&self, head: &Head, framing: Framing) -> Option<u64> {
        match (head.status(), framing) {
            (204, _) => None,
            (205, _) => Some(0),
            (_, Framing::Length(length)) => Some(length),
            // The length that a GET would have had, if the backend told it.
            (status, Framing::Empty) if status == 304 || self.to_head => {
                head.known(Name::ContentLength).and_then(|v| length(v).ok())
            }
            (_, Framing::Empty) => Some(0),
            _ => None,
        }
    }

    fn write_connection(&self, head: &Head, is_http10: bool, out: &mut Vec<u8>) {
        let upgrade = head.has(Name::Upgrade);
        match (self.will_close(), upgrade) {
            (false, false) if is_http10 => {
                cold_path();
                out.extend_from_slice(b"Connection: keep-alive\r\n");
            }
            (false, false) => {}
            (close, upgrade) => write_options(close, upgrade, out),
        }
    }

    #[inline(never)]
    fn write_interim(&mut self, head: &Head, out: &mut Vec<u8>) -> Result<(), Error> {
        if head.status() == 101 {
            if !self.offered_upgrade {
                return Err(Error::OutOfTurn("101 without an upgrade request"));
            }
            head.write(NOT_COPIED, out);
            out.extend_from_slice(b"Connection: upgrade\r\n\r\n");
            self.begin_writing(Framing::Tunnel);
            return Ok(());
        }
        // HTTP/1.0 has no interim responses: RFC 9110, section 15.2.
        if self.peer_version == Version::Http11 {
            head.write(NOT_COPIED, out);
            out.extend_from_slice(b"\r\n");
        }
        Ok(())
    }

    fn begin_writing(&mut self, framing: Framing) {
        self.write_left = if let Framing::Length(length) = framing {
            length
        } else {
            0
        };
        self.writing = Writing::after_head(framing);
    }
}

/// Fields that belong to one connection, or that are written anew.
const NOT_COPIED: u64 = Name::Connection.bit()
    | Name::ContentLength.bit()
    | Name::TransferEncoding.bit()
    | Name::KeepAlive.bit()
    | Name::ProxyConnection.bit();

const CHUNKED: &[u8] = b"Transfer-Encoding: chunked\r\n";

#[cold]
fn write_options(close: bool, upgrade: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(match (close, upgrade) {
        (true, false) => b"Connection: close\r\n",
        (true, true) => b"Connection: close, upgrade\r\n",
        (false, _) => b"Connection: upgrade\r\n",
    });
}

fn write_length(length: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Content-Length: ");
    decimal(length, out);
    out.extend_from_slice(b"\r\n");
}

/// Appends a number in decimal digits.
pub(crate) fn decimal(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(digits(number, &mut [0; 20]));
}

/// The number without leading zeros, at the end of `room`.
pub(crate) fn digits(mut number: u64, room: &mut [u8; 20]) -> &[u8] {
    let mut len = 0_usize;
    for digit in room.iter_mut().rev() {
        *digit = b'0'.wrapping_add((number % 10) as u8);
        number /= 10;
        len = len.wrapping_add(1);
        if number == 0 {
            break;
        }
    }
    room.get(20_usize.wrapping_sub(len)..).unwrap_or_default()
}

fn hexadecimal(number: u64, out: &mut Vec<u8>) {
    let nibbles = 16_u32.saturating_sub(number.leading_zeros() / 4).max(1);
    for nibble in (0..nibbles).rev() {
        let digit = (number >> (nibble.wrapping_mul(4))) & 15;
        out.push(b"0123456789abcdef".get(digit as usize).copied().unwrap_or(b'0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_full() {
        for (number, dec, hex) in [
            (0, "0", "0"),
            (9, "9", "9"),
            (10, "10", "a"),
            (16_384, "16384", "4000"),
            (u64::MAX, "18446744073709551615", "ffffffffffffffff"),
        ] {
            let mut out = Vec::new();
            decimal(number, &mut out);
            assert_eq!(out, dec.as_bytes());
            out.clear();
            hexadecimal(number, &mut out);
            assert_eq!(out, hex.as_bytes());
        }
    }
}

use super::error::Error;
use super::limits::{FIELDS_MAX, Limits};
use super::request::translate;
use crate::{Head, Kind, Version};
use core::hint::cold_path;
use core::mem::MaybeUninit;

/// `HTTP/1.x SP 3DIGIT [ SP reason ]`
pub(super) fn check_status_line(line: &[u8]) -> Result<(), Error> {
    match line {
        [
            _,
            _,
            _,
            _,
            _,
            b'1',
            b'.',
            b'0' | b'1',
            b' ',
            b'1'..=b'9',
            b'0'..=b'9',
            b'0'..=b'9',
            rest @ ..,
        ] if matches!(rest.first(), None | Some(b' ')) => Ok(()),
        [_, _, _, _, _, b'1', b'.', minor @ b'2'..=b'9', b' ', ..] => Err(Error::VersionUnsupported {
            major: 1,
            minor: minor & 15,
        }),
        _ => Err(Error::StatusLine),
    }
}

/// The length of the response head at the start of `input`, if it is here in one piece, within the
/// limits and nothing is wrong with its lines. `None` says nothing: the scan finds out.
pub(super) fn whole_response(input: &[u8], head: &mut Head, limits: &Limits) -> Option<usize> {
    let end = memchr::memchr(b'\r', input)?;
    check_status_line(input.get(..end)?).ok()?;
    let len = parse_response(input, head).ok()?;
    (len <= limits.head_bytes && head.lines() <= limits.fields).then_some(len)
}

/// Tokenises a response head and checks its lines. Says how long it is.
pub(super) fn parse_response(input: &[u8], head: &mut Head) -> Result<usize, Error> {
    let mut table = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let len = match config.parse_response_with_uninit_headers(&mut response, input, &mut table) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => {
            cold_path();
            return Err(Error::StatusLine);
        }
        Err(error) => {
            cold_path();
            return Err(translate(error));
        }
    };
    let raw = input.get(..len).unwrap_or_default();
    let version = if response.version == Some(1) {
        Version::Http11
    } else {
        Version::Http10
    };
    // Not from the tokeniser: it gives an empty phrase where there are bytes above ASCII.
    let behind_status = b"HTTP/1.1 200".len();
    let end = memchr::memchr(b'\r', raw).unwrap_or(behind_status);
    let first_line = end.saturating_add(2);
    if raw.get(end..first_line) != Some(b"\r\n") {
        cold_path();
        return Err(Error::StatusLine);
    }
    if !head.load(Kind::Response, version, raw, first_line, response.headers) {
        cold_path();
        return Err(Error::FieldName);
    }
    let has_space = end > behind_status;
    let line_end = if has_space { first_line } else { 0 };
    let reason = if has_space {
        behind_status.saturating_add(1)..end
    } else {
        end..end
    };
    head.load_status_line(response.code.unwrap_or_default(), reason, line_end);
    Ok(len)
}

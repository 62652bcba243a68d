use super::error::Error;
use super::limits::FIELDS_MAX;
use super::request::translate;
use crate::{Head, Kind, Version};
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

/// Tokenises a response head that ends where the scan says.
pub(super) fn parse_response(raw: &[u8], head: &mut Head) -> Result<(), Error> {
    let mut table = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    match config.parse_response_with_uninit_headers(&mut response, raw, &mut table) {
        Ok(httparse::Status::Complete(len)) if len == raw.len() => {}
        Ok(_) => return Err(Error::StatusLine),
        Err(error) => return Err(translate(error)),
    }
    let version = if response.version == Some(1) {
        Version::Http11
    } else {
        Version::Http10
    };
    head.load(Kind::Response, version, raw, response.headers);
    // Not from the tokeniser: it gives an empty phrase where there are bytes above ASCII.
    let behind_status = b"HTTP/1.1 200".len();
    let end = memchr::memchr(b'\r', raw).unwrap_or(behind_status);
    let has_space = end > behind_status;
    let line_end = if has_space { end.saturating_add(2) } else { 0 };
    let reason = if has_space {
        behind_status.saturating_add(1)..end
    } else {
        end..end
    };
    head.load_status_line(response.code.unwrap_or_default(), reason, line_end);
    Ok(())
}

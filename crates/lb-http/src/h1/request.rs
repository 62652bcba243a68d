use super::error::Error;
use super::limits::{EMPTY_LINES_MAX, FIELDS_MAX, Limits, METHOD_MAX, QueryCharacters};
use super::target::{Authority, Form, form};
use crate::head::edit::ARENA_MAX;
use crate::head::name::{Name, is_token_byte};
use crate::{Head, Kind, Version, list};
use core::hint::cold_path;
use core::mem::MaybeUninit;

/// Where the request line begins; `None` when that cannot be said yet. So many empty lines were `dropped` before.
pub(super) fn skip_empty_lines(input: &[u8], dropped: usize) -> Result<Option<usize>, Error> {
    let mut at = 0_usize;
    for lines in dropped..=EMPTY_LINES_MAX {
        match input.get(at..).unwrap_or_default() {
            [] | [b'\r'] => return Ok(None),
            [b'\r', b'\n', ..] => at = at.saturating_add(2),
            [b'\r', ..] => return Err(Error::BareCr),
            [b'\n', ..] => return Err(Error::BareLf { offset: at }),
            [byte, ..] if is_token_byte(*byte) => return Ok(Some(at)),
            rest if lines == EMPTY_LINES_MAX && rest.len() < PROXY_V2.len() && PROXY_V2.starts_with(rest) => {
                return Ok(None);
            }
            rest if lines == EMPTY_LINES_MAX && rest.starts_with(PROXY_V2) => return Err(Error::ProxyHeader),
            rest => return not_http(rest).map_or(Ok(None), Err),
        }
    }
    Err(Error::EmptyLines { limit: EMPTY_LINES_MAX })
}

/// How the signature of the PROXY protocol, version 2, goes on behind two empty lines (section 2.2 of its specification).
const PROXY_V2: &[u8] = b"\0\r\nQ";

/// What bytes are that cannot begin a message; `None` when that cannot be said yet.
pub(super) fn not_http(input: &[u8]) -> Option<Error> {
    match input {
        // RFC 8446, section 5.1: a record of alert or handshake, then a version that begins with 3.
        [0x15 | 0x16] | [] => None,
        [0x15 | 0x16, 3, ..] => Some(Error::Tls),
        [byte, ..] => Some(Error::FirstByte { byte: *byte }),
    }
}

/// The version at the end of a request line, which is judged before the rest has arrived.
pub(super) fn check_request_line(line: &[u8]) -> Result<(), Error> {
    let version = match memchr::memrchr(b' ', line) {
        Some(at) => line.get(at.saturating_add(1)..).unwrap_or_default(),
        None => return Err(Error::RequestLine),
    };
    match version {
        b"HTTP/1.1" | b"HTTP/1.0" => Ok(()),
        [
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            major @ b'0'..=b'9',
            b'.',
            minor @ b'0'..=b'9',
        ] => Err(Error::VersionUnsupported {
            major: major & 15,
            minor: minor & 15,
        }),
        _ if version.len() >= 5 && version.get(..5).is_some_and(|v| v.eq_ignore_ascii_case(b"HTTP/")) => {
            Err(Error::Version)
        }
        _ if line.starts_with(b"PROXY ") => Err(Error::ProxyHeader),
        _ => Err(Error::RequestLine),
    }
}

/// The request at the start of `input` and its length, if it is here in one piece, within the limits
/// and nothing is wrong with its lines. `None` says nothing: the scan, which goes byte by byte, finds
/// out what is missing or wrong.
pub(super) fn whole_request(input: &[u8], head: &mut Head, limits: &Limits) -> Option<(usize, Form)> {
    if !is_token_byte(*input.first()?) {
        return None;
    }
    let (len, form) = parse_request(input, head, limits.query_characters).ok()?;
    (len <= limits.head_bytes && head.lines() <= limits.fields && head.target().len() <= limits.target_bytes)
        .then_some((len, form))
}

/// As [`parse_request`], for a query that is no UTF-8: it is read with other characters in their place.
#[cold]
pub(super) fn parse_with_any_query(
    raw: &[u8],
    head: &mut Head,
    query: QueryCharacters,
) -> Result<(usize, Form), Error> {
    let line = memchr::memchr(b'\r', raw).unwrap_or(raw.len());
    let mut plain = raw.to_vec();
    let bytes = plain.iter_mut().take(line).skip_while(|byte| **byte != b'?');
    for byte in bytes.filter(|byte| !byte.is_ascii()) {
        *byte = b'x';
    }
    let parsed = parse_request(&plain, head, query)?;
    head.put_back_target(raw);
    Ok(parsed)
}

/// Tokenises a request head, and checks its lines, method and target. Says how long it is.
pub(super) fn parse_request(input: &[u8], head: &mut Head, query: QueryCharacters) -> Result<(usize, Form), Error> {
    let mut table = [const { MaybeUninit::uninit() }; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut []);
    let len = match request.parse_with_uninit_headers(input, &mut table) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => {
            cold_path();
            return Err(Error::RequestLine);
        }
        Err(error) => {
            cold_path();
            return Err(translate(error));
        }
    };
    let raw = input.get(..len).unwrap_or_default();
    let method = request.method.unwrap_or_default().as_bytes();
    let target = request.path.unwrap_or_default().as_bytes();
    if method.len() > METHOD_MAX {
        cold_path();
        return Err(Error::MethodTooLong { limit: METHOD_MAX });
    }
    match method {
        b"CONNECT" => return Err(Error::Connect),
        b"TRACE" => return Err(Error::Trace),
        _ => {}
    }
    let form = form(method, target, query)?;
    let version = if request.version == Some(1) {
        Version::Http11
    } else {
        Version::Http10
    };
    let first_line = method
        .len()
        .saturating_add(target.len())
        .saturating_add(b"  HTTP/1.1\r\n".len());
    if !raw.get(..first_line).is_some_and(|line| line.ends_with(b"\r\n")) {
        cold_path();
        return Err(Error::RequestLine);
    }
    if !head.load(Kind::Request, version, raw, first_line, request.headers) {
        cold_path();
        return Err(Error::FieldName);
    }
    head.load_request_line(method.len(), target.len(), first_line);
    Ok((len, form))
}

/// One sound `Host` (RFC 9112, section 3.2), equal to the authority of an absolute target, which
/// is put into origin form.
pub(super) fn check_host(head: &mut Head, form: Form) -> Result<(), Error> {
    if head.is_repeated(Name::Host) {
        cold_path();
        return Err(Error::HostRepeated);
    }
    let host = head.authority();
    if host.is_none() && head.version() == Version::Http11 {
        cold_path();
        return Err(Error::HostMissing);
    }
    match (form, host) {
        (Form::Asterisk, Some(b"")) | (Form::Asterisk | Form::Origin, None) => Ok(()),
        (Form::Asterisk | Form::Origin, Some(host)) => Authority::parse(host).map(|_| ()),
        (
            Form::Absolute {
                authority,
                rest,
                default_port,
            },
            host,
        ) => {
            cold_path();
            let target = Authority::parse(head.target().get(authority.clone()).unwrap_or_default())?;
            if let Some(host) = host
                && !Authority::parse(host)?.is_same(&target, default_port)
            {
                return Err(Error::HostMismatch);
            }
            head.make_origin_form(authority, rest)
                .map_err(|_| Error::HeadTooLarge { limit: ARENA_MAX })
        }
    }
}

/// What is wrong with a name in these field lines: the tokeniser has one word for all of it.
#[cold]
pub(super) fn field_fault(lines: &[u8]) -> Error {
    for line in lines.split(|b| *b == b'\n') {
        if matches!(line, [] | b"\r") {
            break;
        }
        if matches!(line, [b' ' | b'\t', ..]) {
            return Error::Folded;
        }
        let Some(name) = memchr::memchr(b':', line).and_then(|colon| line.get(..colon)) else {
            return Error::FieldColon;
        };
        let bare = list::trim(name);
        if bare.is_empty() || !bare.iter().all(|b| is_token_byte(*b)) {
            return Error::FieldName;
        }
        if name.len() > bare.len() {
            return Error::FieldBlank;
        }
    }
    Error::FieldName
}

/// As [`field_fault`], of a whole head.
#[cold]
pub(super) fn head_fault(raw: &[u8]) -> Error {
    let first = memchr::memchr(b'\n', raw).map_or(raw.len(), |lf| lf.saturating_add(1));
    field_fault(raw.get(first..).unwrap_or_default())
}

/// The tokeniser's errors in our words.
pub(super) fn translate(error: httparse::Error) -> Error {
    match error {
        httparse::Error::HeaderName => Error::FieldName,
        httparse::Error::HeaderValue => Error::FieldValue,
        httparse::Error::NewLine => Error::BareCr,
        httparse::Error::Status => Error::StatusLine,
        httparse::Error::Token => Error::RequestLine,
        httparse::Error::TooManyHeaders => Error::TooManyFields { limit: FIELDS_MAX },
        httparse::Error::Version => Error::Version,
    }
}

//! What is read of old backends besides, when it is asked for: see [`Parsing`].
//!
//! All of it is read in one way only, and nothing of it reaches the client: what we write is framed and put into lines
//! anew. Where another reader could see another end of the message, the connection is not used again.

use super::error::Error;
use super::framing::{Framing, announced as strict, length};
use crate::Head;
use crate::head::name::Name;
use crate::list;
use lb_types::FieldsMut as _;

/// How strictly responses are read. Requests are always read strictly: somebody else reads them too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Parsing {
    /// By the rules of RFC 9112, and what two readers could take for two things is refused.
    #[default]
    Strict,
    /// In addition: equal values of a repeated `Content-Length`; folded lines, which become one line; lines that end in LF
    /// alone, in heads, trailers and around chunks; blanks in front of the colon. And, with the connection closed behind the message:
    /// `Transfer-Encoding: chunked` beside `Content-Length` (which is dropped), in HTTP/1.0, or given twice; `identity`.
    Tolerant,
}

impl Parsing {
    /// The word for configurations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Tolerant => "tolerant",
        }
    }
}

/// The lines of a response's head, or of its trailers, as they should be.
pub(super) fn mend(raw: &[u8], is_head: bool) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(raw.len().saturating_add(64));
    for (n, line) in raw.split(|b| *b == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        match line.first() {
            Some(b' ' | b'\t') => {
                // RFC 9112, section 2.2: nothing stands before the first field that this could belong to.
                if n <= usize::from(is_head) {
                    return Err(Error::Folded);
                }
                out.truncate(out.len().saturating_sub(2));
                out.push(b' ');
                out.extend_from_slice(list::trim(line));
            }
            _ if n == 0 && is_head => out.extend_from_slice(line),
            _ => {
                let colon = memchr::memchr(b':', line).ok_or(Error::FieldColon)?;
                let (name, rest) = line.split_at_checked(colon).unwrap_or_default();
                out.extend_from_slice(list::trim(name));
                out.extend_from_slice(rest);
            }
        }
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    Ok(out)
}

/// As the [strict](strict) reading; the fields are put right, so that what is made of them says the same. Also says whether
/// the connection must end with the message.
pub(super) fn announced(head: &mut Head) -> Result<(Option<Framing>, bool), Error> {
    let error = match strict(head) {
        Ok(framing) => return Ok((framing, false)),
        Err(error) => error,
    };
    if head.has(Name::TransferEncoding) {
        if is_chunked(head).ok_or(error)? {
            head.remove_known(Name::ContentLength.bit());
            return Ok((Some(Framing::Chunked), true));
        }
        head.remove_known(Name::TransferEncoding.bit());
        return Ok((one_length(head)?.map(Framing::Length), true));
    }
    Ok((one_length(head)?.map(Framing::Length), false))
}

/// Is it `chunked`, or `identity` (no coding at all)? `None`: neither, or both.
fn is_chunked(head: &Head) -> Option<bool> {
    let mut members = head
        .values(Name::TransferEncoding)
        .flat_map(|value| value.split(|b| *b == b','))
        .map(list::trim);
    let first = members.next()?;
    let is_known = [&b"chunked"[..], b"identity"]
        .iter()
        .any(|word| first.eq_ignore_ascii_case(word));
    (is_known && members.all(|other| other.eq_ignore_ascii_case(first))).then(|| first.eq_ignore_ascii_case(b"chunked"))
}

/// The length that all `Content-Length` values agree on, which is then the only one.
fn one_length(head: &mut Head) -> Result<Option<u64>, Error> {
    let mut found = None;
    for value in head
        .values(Name::ContentLength)
        .flat_map(|value| value.split(|b| *b == b','))
        .map(list::trim)
    {
        let value = length(value)?;
        if *found.get_or_insert(value) != value {
            return Err(Error::LengthRepeated);
        }
    }
    if let Some(value) = found {
        head.remove_known(Name::ContentLength.bit());
        head.append("Content-Length", super::digits(value, &mut [0; 20]))
            .map_err(|_| Error::FieldValue)?;
    }
    Ok(found)
}

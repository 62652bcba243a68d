use super::error::Error;
use crate::head::name::{Name, is_token};
use crate::{Head, Version, list};

/// How the end of a message is found. RFC 9112, section 6.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Framing {
    /// No body, and nothing said about one.
    Empty,
    /// `Content-Length`, in bytes.
    Length(u64),
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// The body ends with the connection (responses only).
    UntilClose,
    /// After 101: no messages any more.
    Tunnel,
}

/// The framing that the fields of a message announce; `None` when they announce nothing.
pub(super) fn announced(head: &Head) -> Result<Option<Framing>, Error> {
    const FRAMING: u64 = Name::ContentLength.bit() | Name::TransferEncoding.bit();
    if !head.has_any(FRAMING) {
        return Ok(None);
    }
    if head.has(Name::TransferEncoding) {
        if head.has(Name::ContentLength) {
            return Err(Error::EncodingWithLength);
        }
        if head.version() == Version::Http10 {
            return Err(Error::EncodingInHttp10);
        }
        encoding(head)?;
        return Ok(Some(Framing::Chunked));
    }
    if head.is_repeated(Name::ContentLength) {
        return Err(Error::LengthRepeated);
    }
    length(head.known(Name::ContentLength).unwrap_or_default()).map(|n| Some(Framing::Length(n)))
}

/// A `Content-Length` value: digits, and nothing else.
pub(super) fn length(value: &[u8]) -> Result<u64, Error> {
    if value.contains(&b',') {
        return Err(Error::LengthRepeated);
    }
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Error::LengthInvalid);
    }
    value
        .iter()
        .try_fold(0_u64, |n, digit| n.checked_mul(10)?.checked_add(u64::from(digit & 15)))
        .filter(|n| *n <= LENGTH_MAX)
        .ok_or(Error::LengthOverflow)
}

/// Exactly one `chunked`, on one line.
fn encoding(head: &Head) -> Result<(), Error> {
    let mut values = head.values(Name::TransferEncoding);
    let first = values.next().unwrap_or_default();
    if values.next().is_none() && first.eq_ignore_ascii_case(b"chunked") {
        return Ok(());
    }
    // What is it then: sound codings that are not understood, or nonsense?
    let mut count = 0_usize;
    let mut chunked_at = None;
    for value in head.values(Name::TransferEncoding) {
        for member in value.split(|b| *b == b',').map(list::trim) {
            count = count.saturating_add(1);
            if member.eq_ignore_ascii_case(b"chunked") {
                if chunked_at.replace(count).is_some() {
                    return Err(Error::EncodingInvalid);
                }
            } else if !is_coding(member) {
                return Err(Error::EncodingInvalid);
            }
        }
    }
    match chunked_at {
        Some(at) if at != count => Err(Error::EncodingInvalid),
        _ => Err(Error::EncodingUnsupported),
    }
}

/// `transfer-coding`: a token, perhaps with `;name=value` parts (RFC 9110, section 10.1.4);
/// `chunked` has none.
fn is_coding(member: &[u8]) -> bool {
    let mut parts = member.split(|b| *b == b';').map(list::trim);
    let name = parts.next().unwrap_or_default();
    let mut has_parameters = false;
    for part in parts {
        has_parameters = true;
        let Some(at) = part.iter().position(|b| *b == b'=') else {
            return false;
        };
        let (key, value) = (
            part.get(..at).unwrap_or_default(),
            part.get(at.saturating_add(1)..).unwrap_or_default(),
        );
        if !is_token(key) || !is_token(value) {
            return false;
        }
    }
    is_token(name) && !(has_parameters && name.eq_ignore_ascii_case(b"chunked"))
}

/// The largest length: readers that count in signed 64-bit numbers follow it too.
pub(super) const LENGTH_MAX: u64 = i64::MAX as u64;

#[cfg(test)]
mod tests {
    use super::*;
    use lb_types::FieldsMut;

    fn announced_by(fields: &[(&str, &str)]) -> Result<Option<Framing>, Error> {
        let mut head = Head::with_capacity(0, 0);
        head.start_request(b"POST", b"/").unwrap();
        for (name, value) in fields {
            head.append(name, value.as_bytes()).unwrap();
        }
        announced(&head)
    }

    #[test]
    fn a_length_is_digits_and_fits_63_bits() {
        assert_eq!(length(b"0"), Ok(0));
        assert_eq!(length(b"007"), Ok(7));
        assert_eq!(length(b"9223372036854775807"), Ok(9_223_372_036_854_775_807));
        assert_eq!(length(b"9223372036854775808"), Err(Error::LengthOverflow));
        assert_eq!(length(b"18446744073709551617"), Err(Error::LengthOverflow));
        assert_eq!(length(b"5, 5"), Err(Error::LengthRepeated));
        for bad in [
            "", "+5", "-5", "5 5", "0x5", "5.0", "5a", "\u{665}", "5\t5", "5;", "1_0",
        ] {
            assert_eq!(length(bad.as_bytes()), Err(Error::LengthInvalid), "{bad}");
        }
    }

    #[test]
    fn only_one_chunked_is_a_transfer_encoding() {
        let te = |values: &[&str]| {
            let fields: Vec<_> = values.iter().map(|v| ("Transfer-Encoding", *v)).collect();
            announced_by(&fields)
        };
        assert_eq!(te(&["chunked"]), Ok(Some(Framing::Chunked)));
        assert_eq!(te(&["ChunKed"]), Ok(Some(Framing::Chunked)));
        for other in [
            &["gzip"][..],
            &["gzip, chunked"],
            &["gzip", "chunked"],
            &["identity"],
            &["x;a=b, chunked"],
        ] {
            assert_eq!(te(other), Err(Error::EncodingUnsupported), "{other:?}");
        }
        for bad in [
            &[""][..],
            &["chunked, chunked"],
            &["chunked", "chunked"],
            &["chunked, gzip"],
            &["chunked", "identity"],
            &["chunked;a=b"],
            &["chunked;"],
            &[",chunked"],
            &["chunked,"],
            &["\"chunked\""],
            &["chun ked"],
            &["chunked\u{a0}"],
            &["chunked gzip"],
            &["gzip;a"],
            &["[chunked]"],
        ] {
            assert_eq!(te(bad), Err(Error::EncodingInvalid), "{bad:?}");
        }
    }

    #[test]
    fn two_framings_are_refused() {
        assert_eq!(
            announced_by(&[("Content-Length", "5"), ("Content-Length", "5")]),
            Err(Error::LengthRepeated)
        );
        assert_eq!(
            announced_by(&[("Content-Length", "5"), ("Transfer-Encoding", "chunked")]),
            Err(Error::EncodingWithLength)
        );
        assert_eq!(announced_by(&[]), Ok(None));
        assert_eq!(announced_by(&[("content-length", "5")]), Ok(Some(Framing::Length(5))));
    }
}

//! From records to the first message of a handshake. RFC 8446, sections 4 and 5.1.

use super::{Error, Limits};
use crate::{Shown, Step, sniff};
use std::borrow::Cow;

/// Finds the first message, with its header of four bytes; `len` is where it ends in the input.
///
/// Borrowed when it lies in one record; put together, in one allocation of its own length, when it does not. `O(records)`
/// until all is there.
pub(crate) fn message(input: &[u8], wanted: u8, limits: Limits) -> Result<Step<Cow<'_, [u8]>>, Error> {
    let mut header = Header::default();
    // Bytes of the message in records before this one, and where this one begins.
    let (mut before, mut at) = (0_usize, 0_usize);
    for _ in 0..limits.records {
        let Some(record) = record(input, at)? else {
            return Ok(Step::NeedMore);
        };
        header.read(record.payload, wanted, limits)?;
        let here = header.total.map(|total| total.saturating_sub(before));
        if let (Some(total), Some(last)) = (header.total, here.and_then(|here| record.payload.get(..here))) {
            let len = at.saturating_add(RECORD_HEADER).saturating_add(last.len());
            let value = if at == 0 {
                Cow::Borrowed(last)
            } else {
                Cow::Owned(put_together(input, total))
            };
            return Ok(Step::Done { value, len });
        }
        if record.payload.len() < record.len {
            return Ok(Step::NeedMore);
        }
        before = before.saturating_add(record.len);
        at = at.saturating_add(RECORD_HEADER).saturating_add(record.len);
    }
    Err(Error::TooManyRecords { limit: limits.records })
}

/// The header of the message, byte by byte: it may be split too.
#[derive(Default)]
struct Header {
    bytes: [u8; 4],
    have: usize,
    /// Of the whole message, when it is known.
    total: Option<usize>,
}

impl Header {
    fn read(&mut self, payload: &[u8], wanted: u8, limits: Limits) -> Result<(), Error> {
        if self.total.is_some() {
            return Ok(());
        }
        for (place, byte) in self.bytes.iter_mut().skip(self.have).zip(payload) {
            *place = *byte;
            self.have = self.have.saturating_add(1);
        }
        let [kind, len @ ..] = self.bytes;
        if self.have > 0 && kind != wanted {
            return Err(Error::Message { kind, wanted });
        }
        if self.have == 4 {
            let [a, b, c] = len;
            let len = u32::from_be_bytes([0, a, b, c]) as usize;
            let len = len.saturating_add(4);
            if len > limits.hello_bytes {
                return Err(Error::TooLarge {
                    len,
                    limit: limits.hello_bytes,
                });
            }
            self.total = Some(len);
        }
        Ok(())
    }
}

struct Record<'a> {
    /// What its header says.
    len: usize,
    /// As much of it as there is.
    payload: &'a [u8],
}

/// Reads the header of the record at `at`, checking each byte as soon as it is there.
fn record(input: &[u8], at: usize) -> Result<Option<Record<'_>>, Error> {
    let bytes = input.get(at..).unwrap_or_default();
    let Some((&kind, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    if at == 0 && !matches!(kind, 20..=24) {
        return not_tls(input);
    }
    if kind != HANDSHAKE && at > 0 {
        return Err(Error::RecordKind { kind, offset: at });
    }
    let Some(&major) = rest.first() else { return Ok(None) };
    if major != 3 && at == 0 {
        return not_tls(input);
    }
    if kind != HANDSHAKE {
        return Err(Error::RecordKind { kind, offset: at });
    }
    let Some(&minor) = rest.get(1) else { return Ok(None) };
    if major != 3 {
        return Err(Error::RecordVersion {
            major,
            minor,
            offset: at,
        });
    }
    let Some((&[_, _, _, a, b], payload)) = bytes.split_first_chunk::<RECORD_HEADER>() else {
        return Ok(None);
    };
    let len = usize::from(u16::from_be_bytes([a, b]));
    if len == 0 || len > RECORD_MOST {
        return Err(Error::RecordLength {
            len,
            offset: at.saturating_add(3),
        });
    }
    let payload = payload.get(..len).unwrap_or(payload);
    Ok(Some(Record { len, payload }))
}

/// What it is instead, once enough is there to say.
fn not_tls<T>(input: &[u8]) -> Result<Option<T>, Error> {
    match sniff::protocol(input) {
        Step::NeedMore => Ok(None),
        Step::Done {
            value: sniff::Protocol::Sslv2,
            ..
        } => Err(Error::Sslv2 {
            major: input.get(3).copied().unwrap_or_default(),
            minor: input.get(4).copied().unwrap_or_default(),
        }),
        Step::Done { value: protocol, len } => Err(Error::NotTls {
            protocol,
            found: Shown::new(input.get(..len).unwrap_or(input)),
        }),
    }
}

/// All of it is there, and its length is below the limit.
fn put_together(input: &[u8], total: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(total);
    let mut rest = input;
    while let Some((&[_, _, _, a, b], behind)) = rest.split_first_chunk::<RECORD_HEADER>() {
        let len = usize::from(u16::from_be_bytes([a, b]));
        let wanted = total.saturating_sub(out.len()).min(len);
        out.extend_from_slice(behind.get(..wanted).unwrap_or_default());
        if out.len() >= total {
            break;
        }
        rest = behind.get(len..).unwrap_or_default();
    }
    out
}

const HANDSHAKE: u8 = 22;
const RECORD_HEADER: usize = 5;
/// RFC 8446, section 5.1.
const RECORD_MOST: usize = 16_384;

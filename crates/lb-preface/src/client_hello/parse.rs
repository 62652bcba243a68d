//! Finds the parts of a hello. RFC 8446, section 4.1.2, and the sections of the extensions.

use super::{Error, Part, Parts};
use crate::reader::{Reader, Span};

/// `bytes` are a whole message, its header included.
pub(super) fn parts(bytes: &[u8]) -> Result<Parts, Error> {
    let mut reader = Reader::new(bytes);
    let mut parts = field(Part::Start, MESSAGE_HEADER, start(&mut reader))?;
    let session_id = |reader: &mut Reader<'_>| reader.span8().filter(|span| span.len() <= SESSION_ID_MOST);
    parts.session_id = field(Part::SessionId, reader.at(), session_id(&mut reader))?;
    parts.cipher_suites = field(Part::CipherSuites, reader.at(), numbers16(&mut reader))?;
    let methods = |reader: &mut Reader<'_>| reader.span8().filter(|span| span.len() > 0);
    parts.compression = field(Part::Compression, reader.at(), methods(&mut reader))?;
    if reader.is_empty() {
        // Before TLS 1.2 extensions may be missing altogether.
        return Ok(parts);
    }
    let all = |reader: &mut Reader<'_>| reader.span16().filter(|_| reader.is_empty());
    let span = field(Part::Extensions, reader.at(), all(&mut reader))?;
    extensions(bytes, span, &mut parts)?;
    Ok(parts)
}

fn start(reader: &mut Reader<'_>) -> Option<Parts> {
    reader.span(MESSAGE_HEADER)?;
    let legacy_version = reader.u16()?;
    reader.span(RANDOM)?;
    Some(Parts {
        legacy_version,
        ..Parts::default()
    })
}

fn extensions(bytes: &[u8], span: Span, parts: &mut Parts) -> Result<(), Error> {
    let mut reader = Reader::within(bytes, span);
    let mut seen = Seen::default();
    while !reader.is_empty() {
        let offset = reader.at();
        if parts.has_psk {
            return Err(Error::PskNotLast { offset });
        }
        let kind = field(Part::Extensions, offset, reader.u16())?;
        let span = field(Part::Extension(kind), offset, reader.span16())?;
        seen.insert(kind, offset)?;
        field(Part::Extension(kind), offset, extension(bytes, kind, span, parts)?)?;
    }
    Ok(())
}

/// `None` where a length does not fit.
fn extension(bytes: &[u8], kind: u16, span: Span, parts: &mut Parts) -> Result<Option<()>, Error> {
    let mut reader = Reader::within(bytes, span);
    Ok(match kind {
        SERVER_NAME => return server_name(&mut reader, parts),
        SUPPORTED_GROUPS => only_numbers(&mut reader).map(|list| parts.groups = list),
        SIGNATURE_ALGORITHMS => only_numbers(&mut reader).map(|list| parts.signatures = list),
        SIGNATURE_ALGORITHMS_CERT => only_numbers(&mut reader).map(|list| parts.certificate_signatures = list),
        ALPN => protocols(bytes, &mut reader).map(|list| parts.alpn = list),
        SUPPORTED_VERSIONS => reader
            .span8()
            .filter(|list| is_numbers(*list) && reader.is_empty())
            .map(|list| parts.versions = Some(list)),
        SESSION_TICKET => {
            parts.session_ticket = Some(span);
            Some(())
        }
        PRE_SHARED_KEY => {
            parts.has_psk = true;
            Some(())
        }
        EARLY_DATA => {
            parts.has_early_data = true;
            Some(())
        }
        ENCRYPTED_CLIENT_HELLO => {
            parts.has_encrypted_hello = true;
            Some(())
        }
        _ => Some(()),
    })
}

/// RFC 6066, section 3. Names of types to come have two bytes of length too, or cannot be passed over.
fn server_name(reader: &mut Reader<'_>, parts: &mut Parts) -> Result<Option<()>, Error> {
    // One list and nothing behind it; an empty one would be a server's answer.
    if reader.u16().map(usize::from) != Some(reader.left()) || reader.is_empty() {
        return Ok(None);
    }
    while !reader.is_empty() {
        let offset = reader.at();
        let (Some(kind), Some(name)) = (reader.u8(), reader.span16()) else {
            return Ok(None);
        };
        if kind == HOST_NAME && parts.server_name.replace(name).is_some() {
            return Err(Error::TwoNames { offset });
        }
    }
    Ok(Some(()))
}

/// RFC 7301, section 3.1: names of 1 to 255 bytes, and at least one.
fn protocols(bytes: &[u8], reader: &mut Reader<'_>) -> Option<Span> {
    let list = reader.span16().filter(|list| list.len() > 0 && reader.is_empty())?;
    let mut names = Reader::within(bytes, list);
    while !names.is_empty() {
        names.span8().filter(|name| name.len() > 0)?;
    }
    Some(list)
}

fn only_numbers(reader: &mut Reader<'_>) -> Option<Span> {
    numbers16(reader).filter(|_| reader.is_empty())
}

fn numbers16(reader: &mut Reader<'_>) -> Option<Span> {
    reader.span16().filter(|list| is_numbers(*list))
}

/// Whole numbers of two bytes, and at least one.
const fn is_numbers(span: Span) -> bool {
    span.len() > 0 && span.len().is_multiple_of(2)
}

fn field<T>(part: Part, offset: usize, found: Option<T>) -> Result<T, Error> {
    found.ok_or(Error::Malformed { part, offset })
}

/// Which types have come: those of IANA's first rows as bits, the few others one by one.
struct Seen {
    low: u128,
    high: [u16; HIGH_MOST],
    count: usize,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            low: 0,
            high: [0; HIGH_MOST],
            count: 0,
        }
    }
}

impl Seen {
    fn insert(&mut self, kind: u16, offset: usize) -> Result<(), Error> {
        let twice = Error::ExtensionTwice { kind, offset };
        if let Some(bit) = 1_u128.checked_shl(u32::from(kind)) {
            if self.low & bit != 0 {
                return Err(twice);
            }
            self.low |= bit;
            return Ok(());
        }
        if self.high.iter().take(self.count).any(|known| *known == kind) {
            return Err(twice);
        }
        let place = self
            .high
            .get_mut(self.count)
            .ok_or(Error::TooManyExtensions { limit: HIGH_MOST })?;
        *place = kind;
        self.count = self.count.saturating_add(1);
        Ok(())
    }
}

const MESSAGE_HEADER: usize = 4;
const RANDOM: usize = 32;
const SESSION_ID_MOST: usize = 32;
/// Browsers send five: GREASE twice, renegotiation, ALPS, encrypted hello.
const HIGH_MOST: usize = 32;
const HOST_NAME: u8 = 0;

// IANA, TLS ExtensionType values.
const SERVER_NAME: u16 = 0;
const SUPPORTED_GROUPS: u16 = 10;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const SESSION_TICKET: u16 = 35;
const PRE_SHARED_KEY: u16 = 41;
const EARLY_DATA: u16 = 42;
const SUPPORTED_VERSIONS: u16 = 43;
const SIGNATURE_ALGORITHMS_CERT: u16 = 50;
const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

//! What a TLS server answers, looked at on its way to the client: for persistence by session id and for logs.
//!
//! A look holds nothing back: pass the bytes on as they come and ask again with all of them so far, until the answer is no
//! longer [`Step::NeedMore`] or the limit is an error. RFC 8446, sections 4.1.3 and 4.1.4; RFC 5246, section 7.4.1.3.

pub use crate::hello::{Error, Limits, Part};

use crate::Step;
use crate::hello::{self, Alert, Version};
use crate::reader::Reader;
use core::fmt;

/// What a server sends first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// Its hello.
    Hello(ServerHello),
    /// It refuses.
    Alert {
        /// 1 for a warning, 2 for the end.
        level: u8,
        /// The reason; [`Alert::name_of`] has its name.
        description: u8,
    },
}

/// A hello of a server. Its [`Debug`](fmt::Debug) has no session id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ServerHello {
    version: u16,
    cipher_suite: u16,
    session_id: [u8; SESSION_ID_MOST],
    session_id_len: usize,
    is_retry: bool,
}

/// Reads the first message of a server.
///
/// `O(bytes)` when all is there, `O(records)` before. Only a hello that is split over records allocates, once, its own
/// length.
///
/// # Errors
/// [`Error`] for what is no hello and no alert. It is the server's fault and nothing to act on: pass the bytes on.
pub fn peek(input: &[u8], limits: Limits) -> Result<Step<Answer>, Error> {
    if let Some(step) = alert(input) {
        return Ok(step);
    }
    match hello::message(input, SERVER_HELLO, limits)? {
        Step::NeedMore => Ok(Step::NeedMore),
        Step::Done { value: bytes, len } => {
            let value = Answer::Hello(ServerHello::read(&bytes)?);
            Ok(Step::Done { value, len })
        }
    }
}

/// A record of an alert: a header, a length of two, a level and a description. `None` for anything else.
fn alert(input: &[u8]) -> Option<Step<Answer>> {
    match *input {
        [ALERT, 3, _, 0, 2, level, description, ..] => Some(Step::Done {
            value: Answer::Alert { level, description },
            len: ALERT_LEN,
        }),
        [ALERT] | [ALERT, 3] | [ALERT, 3, _] | [ALERT, 3, _, 0] | [ALERT, 3, _, 0, 2] | [ALERT, 3, _, 0, 2, _] => {
            Some(Step::NeedMore)
        }
        _ => None,
    }
}

impl ServerHello {
    /// The version that was chosen; `None` for a draft, or one to come.
    #[must_use]
    pub const fn version(&self) -> Option<Version> {
        Version::from_number(self.version)
    }

    /// The version as a number.
    #[must_use]
    pub const fn version_number(&self) -> u16 {
        self.version
    }

    /// The cipher suite that was chosen.
    #[must_use]
    pub const fn cipher_suite(&self) -> u16 {
        self.cipher_suite
    }

    /// The session id: the server's own before TLS 1.3, an echo of the client's since. At most 32 bytes.
    #[must_use]
    pub fn session_id(&self) -> &[u8] {
        self.session_id.get(..self.session_id_len).unwrap_or_default()
    }

    /// The session id by which the client will come back; `None` where there is none: since TLS 1.3 (whose tickets are
    /// used once), and from a server that keeps no sessions.
    #[must_use]
    pub fn lasting_session_id(&self) -> Option<&[u8]> {
        Some(self.session_id()).filter(|id| !id.is_empty() && self.version <= TLS12)
    }

    /// Whether it asks for another hello (HelloRetryRequest). RFC 8446, section 4.1.4.
    #[must_use]
    pub const fn is_retry(&self) -> bool {
        self.is_retry
    }

    fn read<'a>(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes);
        let (legacy_version, random) = field(Part::Start, MESSAGE_HEADER, start(&mut reader))?;
        let short = |reader: &mut Reader<'a>| reader.take8().filter(|id| id.len() <= SESSION_ID_MOST);
        let id = field(Part::SessionId, reader.at(), short(&mut reader))?;
        let cipher_suite = field(Part::CipherSuites, reader.at(), reader.u16())?;
        field(Part::Compression, reader.at(), reader.u8())?;
        let version = if reader.is_empty() {
            None
        } else {
            chosen(bytes, &mut reader)?
        };
        let mut session_id = [0; SESSION_ID_MOST];
        for (to, from) in session_id.iter_mut().zip(id) {
            *to = *from;
        }
        Ok(Self {
            version: version.unwrap_or(legacy_version),
            cipher_suite,
            session_id,
            session_id_len: id.len(),
            is_retry: random == RETRY,
        })
    }
}

impl fmt::Debug for ServerHello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHello")
            .field("version", &format_args!("0x{:04x}", self.version))
            .field("cipher_suite", &format_args!("0x{:04x}", self.cipher_suite))
            .field("session_id_bytes", &self.session_id_len)
            .field("is_retry", &self.is_retry)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hello(hello) => match hello.version() {
                Some(version) => write!(f, "{version}"),
                None => write!(f, "version 0x{:04x}", hello.version),
            },
            Self::Alert { description, .. } => match Alert::name_of(*description) {
                Some(name) => write!(f, "alert {name}"),
                None => write!(f, "alert {description}"),
            },
        }
    }
}

/// The version and the random bytes.
fn start(reader: &mut Reader<'_>) -> Option<(u16, [u8; 32])> {
    reader.span(MESSAGE_HEADER)?;
    Some((reader.u16()?, reader.chunk()?))
}

/// The version in `supported_versions`, if there is one.
fn chosen(bytes: &[u8], reader: &mut Reader<'_>) -> Result<Option<u16>, Error> {
    let all = |reader: &mut Reader<'_>| reader.span16().filter(|_| reader.is_empty());
    let list = field(Part::Extensions, reader.at(), all(reader))?;
    let mut list = Reader::within(bytes, list);
    let mut version = None;
    while !list.is_empty() {
        let offset = list.at();
        let kind = field(Part::Extensions, offset, list.u16())?;
        let span = field(Part::Extension(kind), offset, list.span16())?;
        if kind != SUPPORTED_VERSIONS {
            continue;
        }
        let mut value = Reader::within(bytes, span);
        let number = |value: &mut Reader<'_>| value.u16().filter(|_| value.is_empty());
        let found = field(Part::Extension(kind), offset, number(&mut value))?;
        if version.replace(found).is_some() {
            return Err(Error::ExtensionTwice { kind, offset });
        }
    }
    Ok(version)
}

fn field<T>(part: Part, offset: usize, found: Option<T>) -> Result<T, Error> {
    found.ok_or(Error::Malformed { part, offset })
}

const SERVER_HELLO: u8 = 2;
const MESSAGE_HEADER: usize = 4;
const SESSION_ID_MOST: usize = 32;
const SUPPORTED_VERSIONS: u16 = 43;
const TLS12: u16 = 0x0303;
const ALERT: u8 = 21;
const ALERT_LEN: usize = 7;

/// SHA-256 of "HelloRetryRequest". RFC 8446, section 4.1.3.
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

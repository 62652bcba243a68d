//! What a TLS client asks for, read from its first bytes without taking them. RFC 8446, section 4.1.2.
//!
//! Written over borrowed bytes with a cursor of its own, not with tls-parser: that crate's readers of a hello and of
//! its extensions allocate a vector for the cipher suites, one for the compression methods, one for the extensions and
//! one in most extensions, and this runs for every connection whose TLS ends here. It judges: a test holds what is
//! read here against what tls-parser reads.

mod lists;
mod name;
mod parse;

pub use crate::hello::{Error, Limits, Part};
pub use lists::{Numbers, Protocols};
pub use name::{NameFault, ServerName};

use crate::Step;
use crate::hello::{self, Offered};
use crate::reader::Span;
use core::fmt;
use std::borrow::Cow;

/// A hello of a client.
///
/// Its [`Debug`](fmt::Debug) has no session id, ticket, random or key.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientHello<'a> {
    /// The message with its header; every span is a place in it.
    bytes: Cow<'a, [u8]>,
    parts: Parts,
}

/// Where things stand, and what is only there or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Parts {
    legacy_version: u16,
    session_id: Span,
    cipher_suites: Span,
    compression: Span,
    /// The host name itself.
    server_name: Option<Span>,
    /// Lists without their lengths.
    alpn: Span,
    groups: Span,
    signatures: Span,
    certificate_signatures: Span,
    versions: Option<Span>,
    session_ticket: Option<Span>,
    has_psk: bool,
    has_early_data: bool,
    has_encrypted_hello: bool,
}

/// Reads the hello at the start of a connection.
///
/// It may be split over records and over packets. Borrows from `input` when it lies in one record; only a hello that is
/// split over records allocates, once, its own length. `O(bytes)` when all is there, `O(records)` before.
///
/// # Errors
/// [`Error`], which knows the alert to answer with. Any split of the same bytes ends in the same error.
pub fn peek(input: &[u8], limits: Limits) -> Result<Step<ClientHello<'_>>, Error> {
    match hello::message(input, CLIENT_HELLO, limits)? {
        Step::NeedMore => Ok(Step::NeedMore),
        Step::Done { value: bytes, len } => {
            let parts = parse::parts(&bytes)?;
            let value = ClientHello { bytes, parts };
            Ok(Step::Done { value, len })
        }
    }
}

impl ClientHello<'_> {
    /// The version field, which says 3.3 for TLS 1.2 and everything after it. [`versions`](Self::versions) says what is
    /// offered.
    #[must_use]
    pub const fn legacy_version(&self) -> u16 {
        self.parts.legacy_version
    }

    /// The versions that are offered, without drafts and GREASE.
    #[must_use]
    pub fn versions(&self) -> Offered {
        match self.parts.versions {
            Some(span) => Offered::named(Numbers::new(span.of(&self.bytes))),
            None => Offered::up_to(self.parts.legacy_version),
        }
    }

    /// The name that the client asks for (SNI). With an encrypted hello, the outer name.
    ///
    /// Letters are as the client wrote them: compare without regard to case.
    #[must_use]
    pub fn server_name(&self) -> ServerName<'_> {
        match self.parts.server_name {
            Some(span) => ServerName::of(span.of(&self.bytes)),
            None => ServerName::Absent,
        }
    }

    /// The protocols of ALPN in the client's order, without GREASE. RFC 7301.
    #[must_use]
    pub fn alpn(&self) -> Protocols<'_> {
        Protocols::new(self.parts.alpn.of(&self.bytes))
    }

    /// The cipher suites in the client's order, without GREASE.
    #[must_use]
    pub fn cipher_suites(&self) -> Numbers<'_> {
        Numbers::new(self.parts.cipher_suites.of(&self.bytes))
    }

    /// The groups of key exchange in the client's order, without GREASE. RFC 8446, section 4.2.7.
    #[must_use]
    pub fn groups(&self) -> Numbers<'_> {
        Numbers::new(self.parts.groups.of(&self.bytes))
    }

    /// The signature schemes that the client verifies, without GREASE. RFC 8446, section 4.2.3.
    #[must_use]
    pub fn signature_schemes(&self) -> Numbers<'_> {
        Numbers::new(self.parts.signatures.of(&self.bytes))
    }

    /// Those that it verifies in certificates: of `signature_algorithms_cert`, or else the same as
    /// [`signature_schemes`](Self::signature_schemes).
    #[must_use]
    pub fn certificate_signature_schemes(&self) -> Numbers<'_> {
        match self.parts.certificate_signatures {
            span if span.len() == 0 => self.signature_schemes(),
            span => Numbers::new(span.of(&self.bytes)),
        }
    }

    /// The session id: of a session to resume before TLS 1.3, random bytes or nothing since. At most 32 bytes.
    #[must_use]
    pub fn session_id(&self) -> &[u8] {
        self.parts.session_id.of(&self.bytes)
    }

    /// The session ticket of TLS 1.2: empty if the client only asks for one, `None` if it knows none. RFC 5077.
    #[must_use]
    pub fn session_ticket(&self) -> Option<&[u8]> {
        self.parts.session_ticket.map(|span| span.of(&self.bytes))
    }

    /// Whether a session of TLS 1.3 is to be resumed (`pre_shared_key`).
    #[must_use]
    pub const fn has_psk(&self) -> bool {
        self.parts.has_psk
    }

    /// Whether data follow before the handshake is over (`early_data`).
    #[must_use]
    pub const fn has_early_data(&self) -> bool {
        self.parts.has_early_data
    }

    /// Whether there is an `encrypted_client_hello` (RFC 9849): a real one, or the GREASE of one, which looks the same.
    #[must_use]
    pub const fn has_encrypted_hello(&self) -> bool {
        self.parts.has_encrypted_hello
    }

    /// The compression methods; 0 is none.
    #[must_use]
    pub fn compression_methods(&self) -> &[u8] {
        self.parts.compression.of(&self.bytes)
    }

    /// The same, without a hold on the input. Allocates its own length unless it was put together from records.
    #[must_use]
    pub fn into_owned(self) -> ClientHello<'static> {
        ClientHello {
            bytes: Cow::Owned(self.bytes.into_owned()),
            parts: self.parts,
        }
    }
}

impl fmt::Debug for ClientHello<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHello")
            .field("bytes", &self.bytes.len())
            .field("versions", &format_args!("{}", self.versions()))
            .field("server_name", &self.server_name())
            .field("alpn", &self.alpn())
            .field("has_psk", &self.has_psk())
            .field("has_encrypted_hello", &self.has_encrypted_hello())
            .finish_non_exhaustive()
    }
}

const CLIENT_HELLO: u8 = 1;

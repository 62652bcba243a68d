use super::Alert;
use crate::{Shown, sniff};
use core::fmt;

/// Why the bytes at the start of one direction are no hello.
///
/// Offsets named "of the input" count from the first byte of the connection, those "of the hello" from its first byte,
/// which is the sixth of the connection unless records split it before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something else than TLS.
    #[error("no TLS: the connection begins with {found}, which looks like {protocol}; {}", mend(*.protocol))]
    NotTls {
        /// What the bytes look like.
        protocol: sniff::Protocol,
        /// The bytes that showed it.
        found: Shown,
    },
    /// A hello in the format of SSL 2.0, which no server may answer (RFC 6176). It may offer newer versions inside.
    #[error(
        "a hello in the format of SSL 2.0 (it offers up to version {major}.{minor}); \
         the client is too old, or must be told to use TLS 1.2 alone"
    )]
    Sslv2 {
        /// The version inside: 0 for SSL 2.0, 3 for SSL 3.0 and TLS.
        major: u8,
        /// Its second number; 2 behind 0, and one more than that of TLS behind 3.
        minor: u8,
    },
    /// A record of TLS that is no part of a handshake.
    #[error(
        "a TLS record of type {kind} ({}) at byte {offset} of the input, where the hello must be; \
         the connection does not begin here, or the other side gave up",
        kind_name(*.kind)
    )]
    RecordKind {
        /// The type of the record.
        kind: u8,
        /// Where it stands in the input.
        offset: usize,
    },
    /// A record in the middle of a hello whose version is not 3.x.
    #[error("a TLS record of version {major}.{minor} at byte {offset} of the input; it must be 3.x")]
    RecordVersion {
        /// The first number.
        major: u8,
        /// The second number.
        minor: u8,
        /// Where it stands in the input.
        offset: usize,
    },
    /// A record that is empty or longer than any may be. RFC 8446, section 5.1.
    #[error("a TLS record of {len} bytes at byte {offset} of the input; a part of a hello has 1 to 16384")]
    RecordLength {
        /// What it says of itself.
        len: usize,
        /// Where its length stands in the input.
        offset: usize,
    },
    /// A hello in more records than the limit.
    #[error("a hello in more than {limit} records; raise the limit if the client is not hostile")]
    TooManyRecords {
        /// [`Limits::records`](super::Limits::records).
        limit: usize,
    },
    /// Another message of the handshake.
    #[error("a handshake message of type {kind} instead of {wanted}; the connection does not begin here")]
    Message {
        /// Its type.
        kind: u8,
        /// The type of the hello: 1 from a client, 2 from a server.
        wanted: u8,
    },
    /// A hello above the limit.
    #[error("a hello of {len} bytes, and the limit is {limit}; raise the limit if the client is not hostile")]
    TooLarge {
        /// What it says of itself, with its header of four bytes.
        len: usize,
        /// [`Limits::hello_bytes`](super::Limits::hello_bytes).
        limit: usize,
    },
    /// A length that does not fit, an empty list that may not be, a half number at its end.
    #[error(
        "{part} at byte {offset} of the hello has a length that does not fit; \
         the other side's TLS library, or something on the way, writes it wrongly"
    )]
    Malformed {
        /// Which part.
        part: Part,
        /// Where it could not be read on, in the hello.
        offset: usize,
    },
    /// An extension that comes twice. RFC 8446, section 4.2.
    #[error("a second extension {kind} at byte {offset} of the hello; each may come once")]
    ExtensionTwice {
        /// Its type.
        kind: u16,
        /// Where its type stands, in the hello.
        offset: usize,
    },
    /// More extensions of high types than any client has.
    #[error("more than {limit} extensions of types above 127; no client has so many")]
    TooManyExtensions {
        /// The most.
        limit: usize,
    },
    /// `server_name` with two host names. RFC 6066, section 3.
    #[error("two host names in server_name, the second at byte {offset} of the hello; there may be one")]
    TwoNames {
        /// Where the second stands, in the hello.
        offset: usize,
    },
    /// `pre_shared_key` before another extension. RFC 8446, section 4.2.11.
    #[error("an extension behind pre_shared_key at byte {offset} of the hello; pre_shared_key must be the last")]
    PskNotLast {
        /// Where the extension behind it stands, in the hello.
        offset: usize,
    },
}

impl Error {
    /// What to tell a client before closing, in a [`fatal_record`](super::fatal_record); `None` where it does not speak
    /// TLS and would not understand.
    ///
    /// Of no use for errors in a server's hello, which is only looked at.
    #[must_use]
    pub const fn alert(&self) -> Option<Alert> {
        Some(match self {
            Self::NotTls { .. } => return None,
            Self::Sslv2 { .. } | Self::RecordVersion { .. } => Alert::ProtocolVersion,
            Self::RecordLength { len: 0, .. } | Self::RecordKind { .. } | Self::Message { .. } => {
                Alert::UnexpectedMessage
            }
            Self::RecordLength { .. } => Alert::RecordOverflow,
            Self::TooManyRecords { .. } | Self::TooLarge { .. } | Self::TooManyExtensions { .. } => {
                Alert::HandshakeFailure
            }
            Self::Malformed { .. } => Alert::DecodeError,
            Self::ExtensionTwice { .. } | Self::TwoNames { .. } | Self::PskNotLast { .. } => Alert::IllegalParameter,
        })
    }
}

/// A part of a hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// Version and random bytes.
    Start,
    /// The session id.
    SessionId,
    /// The cipher suites, or the one that was chosen.
    CipherSuites,
    /// The compression methods, or the one that was chosen.
    Compression,
    /// The extensions as a whole.
    Extensions,
    /// One extension.
    Extension(u16),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "the start (version and random bytes)",
            Self::SessionId => "the session id",
            Self::CipherSuites => "the list of cipher suites",
            Self::Compression => "the list of compression methods",
            Self::Extensions => "the list of extensions",
            Self::Extension(kind) => return write!(f, "extension {kind}{}", extension_name(*kind)),
        })
    }
}

/// Of those that are read here.
const fn extension_name(kind: u16) -> &'static str {
    match kind {
        0 => " (server_name)",
        10 => " (supported_groups)",
        13 => " (signature_algorithms)",
        16 => " (application_layer_protocol_negotiation)",
        43 => " (supported_versions)",
        50 => " (signature_algorithms_cert)",
        _ => "",
    }
}

const fn kind_name(kind: u8) -> &'static str {
    match kind {
        20 => "change_cipher_spec",
        21 => "alert",
        22 => "handshake",
        23 => "application data",
        24 => "heartbeat",
        _ => "unknown",
    }
}

const fn mend(protocol: sniff::Protocol) -> &'static str {
    match protocol {
        sniff::Protocol::Http1 | sniff::Protocol::Http2Preface => "use https on this port, or a port without TLS",
        sniff::Protocol::ProxyV1 | sniff::Protocol::ProxyV2 => {
            "a proxy before this one sends its header: read PROXY headers here, or let it send none"
        }
        sniff::Protocol::Postgres => "PostgreSQL asks for TLS in a protocol of its own, which is not spoken here",
        _ => "only TLS is spoken here",
    }
}

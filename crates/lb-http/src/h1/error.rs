/// Why bytes are no acceptable message, or why a call came at the wrong time.
///
/// After an error nothing more is read from the connection. A server can still write one
/// response, with [`status`](Error::status), and must close then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More empty lines before the request than RFC 9112, section 2.2 has in mind.
    #[error("more than {limit} empty lines before the request line")]
    EmptyLines {
        /// The most that are skipped.
        limit: usize,
    },
    /// The first byte of a message cannot begin one: binary data, an answer in another protocol.
    #[error("byte 0x{byte:02x} cannot begin a message")]
    FirstByte {
        /// That byte.
        byte: u8,
    },
    /// A record of TLS: the other side speaks TLS on this port.
    #[error("{}", self.rule())]
    Tls,
    /// A header of the PROXY protocol, version 1 or 2, which is not read here.
    #[error("{}", self.rule())]
    ProxyHeader,
    /// A line ends in LF without CR.
    #[error("line feed without carriage return at byte {offset}")]
    BareLf {
        /// Position in the input of the call.
        offset: usize,
    },
    /// CR without LF.
    #[error("{}", self.rule())]
    BareCr,
    /// The first line of a request is not `method SP target SP version`.
    #[error("{}", self.rule())]
    RequestLine,
    /// The first line of a response is not `version SP status SP reason`: no HTTP/1 reply.
    #[error("{}", self.rule())]
    StatusLine,
    /// The last word of the request line is no version.
    #[error("{}", self.rule())]
    Version,
    /// A version other than 1.0 and 1.1.
    #[error("HTTP/{major}.{minor} is not supported")]
    VersionUnsupported {
        /// The digit before the dot.
        major: u8,
        /// The digit after the dot.
        minor: u8,
    },
    /// A method longer than any that exists. RFC 9112, section 3.
    #[error("method exceeds {limit} bytes")]
    MethodTooLong {
        /// The longest method that is read.
        limit: usize,
    },
    /// `CONNECT`: this is no forward proxy.
    #[error("{}", self.rule())]
    Connect,
    /// `TRACE`: it would show the backend's view of the request to whoever asks.
    #[error("{}", self.rule())]
    Trace,
    /// The target is longer than the limit.
    #[error("request target exceeds {limit} bytes")]
    TargetTooLong {
        /// [`Limits::target_bytes`](super::Limits::target_bytes).
        limit: usize,
    },
    /// A byte that must be escaped in a target, or a broken escape. RFC 3986, section 2.
    #[error("byte 0x{byte:02x} at {offset} must not stand in a request target")]
    TargetByte {
        /// The byte; `%` for a broken escape.
        byte: u8,
        /// Where it stands in the target.
        offset: usize,
    },
    /// None of the forms of RFC 9112, section 3.2 that fit the method.
    #[error("{}", self.rule())]
    TargetForm,
    /// The head does not end within the limit.
    #[error("head exceeds {limit} bytes")]
    HeadTooLarge {
        /// [`Limits::head_bytes`](super::Limits::head_bytes).
        limit: usize,
    },
    /// More lines than the limit.
    #[error("more than {limit} field lines")]
    TooManyFields {
        /// [`Limits::fields`](super::Limits::fields).
        limit: usize,
    },
    /// A field name that is empty or no token. RFC 9112, section 5.
    #[error("{}", self.rule())]
    FieldName,
    /// A line without a colon. RFC 9112, section 5.
    #[error("{}", self.rule())]
    FieldColon,
    /// White space between a field's name and its colon. RFC 9112, section 5.1.
    #[error("{}", self.rule())]
    FieldBlank,
    /// A line that begins with white space: folded (RFC 9112, section 5.2), or in front of the first field (section 2.2).
    #[error("{}", self.rule())]
    Folded,
    /// A control character in a field value. RFC 9110, section 5.5.
    #[error("{}", self.rule())]
    FieldValue,
    /// A name such as `Content_Length`, which some backends take for the framing field.
    #[error("{}", self.rule())]
    FramingAlias,
    /// HTTP/1.1 without `Host`. RFC 9112, section 3.2.
    #[error("{}", self.rule())]
    HostMissing,
    /// More than one `Host`.
    #[error("{}", self.rule())]
    HostRepeated,
    /// No name or address with an optional port.
    #[error("{}", self.rule())]
    HostInvalid,
    /// A dot in front of the host name, or two in a row.
    #[error("Host or the authority of the target has an empty label: a dot in front, or two in a row")]
    HostLabel,
    /// A host name above 253 bytes, the final dot not counted. RFC 1035, section 2.3.4.
    #[error("{}", self.rule())]
    HostTooLong,
    /// `Host` and the absolute target name two hosts.
    #[error("{}", self.rule())]
    HostMismatch,
    /// More than one `Content-Length`, or a list. Equal values are refused too.
    #[error("{}", self.rule())]
    LengthRepeated,
    /// Not only digits.
    #[error("{}", self.rule())]
    LengthInvalid,
    /// Above 2^63-1, where readers with signed numbers go wrong.
    #[error("{}", self.rule())]
    LengthOverflow,
    /// RFC 9112, section 6.1: a smuggling attempt or a broken sender.
    #[error("{}", self.rule())]
    EncodingWithLength,
    /// HTTP/1.0 has no transfer codings.
    #[error("{}", self.rule())]
    EncodingInHttp10,
    /// A sound list of codings, but not `chunked` alone.
    #[error("{}", self.rule())]
    EncodingUnsupported,
    /// `chunked` twice, not last or with parameters; an empty or malformed list.
    #[error("{}", self.rule())]
    EncodingInvalid,
    /// `Connection` names a field that decides where a message goes or ends.
    #[error("{}", self.rule())]
    ConnectionOption,
    /// A `Connection` list made to cost time.
    #[error("more than {limit} connection options")]
    TooManyOptions {
        /// The most that are read.
        limit: usize,
    },
    /// An expectation that nobody here meets. RFC 9110, section 10.1.1.
    #[error("{}", self.rule())]
    Expectation,
    /// The payload is larger than the limit, as announced or as it came.
    #[error("body exceeds {limit} bytes")]
    BodyTooLarge {
        /// [`Limits::body_bytes`](super::Limits::body_bytes).
        limit: u64,
    },
    /// No hexadecimal number at the start of a chunk, or one above 2^63-1.
    #[error("{}", self.rule())]
    ChunkSize,
    /// Extensions not of the form `;name=value`. RFC 9112, section 7.1.1.
    #[error("{}", self.rule())]
    ChunkExtension,
    /// The line before a chunk, or all extensions together, are too long.
    #[error("chunk extensions exceed {limit} bytes")]
    ChunkLineTooLong {
        /// [`Limits::chunk_line_bytes`](super::Limits::chunk_line_bytes) or
        /// [`Limits::chunk_extension_bytes`](super::Limits::chunk_extension_bytes).
        limit: usize,
    },
    /// Chunk data without CRLF behind it.
    #[error("{}", self.rule())]
    ChunkEnd,
    /// The trailer section does not end within the limit.
    #[error("trailer section exceeds {limit} bytes")]
    TrailersTooLarge {
        /// [`Limits::trailer_bytes`](super::Limits::trailer_bytes).
        limit: usize,
    },
    /// More trailer lines than the limit.
    #[error("more than {limit} trailer lines")]
    TooManyTrailers {
        /// [`Limits::trailer_fields`](super::Limits::trailer_fields).
        limit: usize,
    },
    /// The connection ended inside a message.
    #[error("{}", self.rule())]
    Truncated,
    /// A backend spoke before it was asked.
    #[error("{}", self.rule())]
    Unsolicited,
    /// 101 though the request asked for no upgrade, or without `Upgrade`. RFC 9110, section 15.2.2.
    #[error("{}", self.rule())]
    UnexpectedSwitch,
    /// An interim response with a body or with framing fields that claim one.
    #[error("{}", self.rule())]
    InterimBody,
    /// Interim responses without end.
    #[error("more than {limit} interim responses")]
    TooManyInterim {
        /// The most that are read before a final response.
        limit: u8,
    },
    /// The caller wrote more or less than the `Content-Length` it announced.
    #[error("body length differs from the announced length by {difference} bytes")]
    WrittenLength {
        /// Bytes too many or still missing.
        difference: u64,
    },
    /// A call that does not fit the state of the connection: a mistake of the caller.
    #[error("out of order: {0}")]
    OutOfTurn(&'static str),
}

impl Error {
    /// The status to answer with when the bytes came from a client. RFC 9110, section 15.
    ///
    /// From a backend any error is a 502; errors of the caller are a 500.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Trace => 405,
            Self::BodyTooLarge { .. } => 413,
            Self::TargetTooLong { .. } => 414,
            Self::Expectation => 417,
            Self::HeadTooLarge { .. }
            | Self::TooManyFields { .. }
            | Self::TrailersTooLarge { .. }
            | Self::TooManyTrailers { .. } => 431,
            Self::Connect | Self::MethodTooLong { .. } | Self::EncodingUnsupported => 501,
            Self::VersionUnsupported { .. } => 505,
            Self::StatusLine
            | Self::Unsolicited
            | Self::UnexpectedSwitch
            | Self::InterimBody
            | Self::TooManyInterim { .. } => 502,
            Self::WrittenLength { .. } | Self::OutOfTurn(_) => 500,
            _ => 400,
        }
    }

    /// A mistake of the calling program, not of the remote side.
    #[must_use]
    pub const fn is_misuse(&self) -> bool {
        matches!(self, Self::WrittenLength { .. } | Self::OutOfTurn(_))
    }

    /// Must the connection be closed after this error? Always, but for a call out of order that
    /// changed nothing.
    #[must_use]
    pub const fn is_fatal(&self) -> bool {
        !matches!(self, Self::OutOfTurn(_))
    }
}

use super::error::Error;

impl Error {
    /// The rule that was broken, as a text without anything that the remote side sent: for logs, for
    /// `Proxy-Status` and for whoever looks at a backend. Printable ASCII without quotes and backslashes.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::EmptyLines { .. } => "too many empty lines before the request line",
            Self::FirstByte { .. } => "the first byte cannot begin an HTTP/1 message",
            Self::Tls => "TLS where HTTP in clear is expected",
            Self::ProxyHeader => "header of the PROXY protocol, which is not read here: turn it off at the sender",
            Self::BareLf { .. } => "line feed without carriage return",
            Self::BareCr => "carriage return without line feed",
            Self::RequestLine => "malformed request line",
            Self::StatusLine => "malformed status line",
            Self::Version => "malformed protocol version",
            Self::VersionUnsupported { .. } => "version of HTTP that is neither 1.0 nor 1.1",
            Self::MethodTooLong { .. } => "method is too long",
            Self::Connect => "method CONNECT is not supported",
            Self::Trace => "method TRACE is not allowed",
            Self::TargetTooLong { .. } => "request target exceeds the limit",
            Self::TargetByte { byte, .. } => target_rule(*byte),
            Self::TargetForm => "request target is neither a path nor an http URI nor OPTIONS *",
            Self::HeadTooLarge { .. } => "head exceeds the limit of bytes",
            Self::TooManyFields { .. } => "head exceeds the limit of field lines",
            Self::FieldName => "malformed field name",
            Self::FieldColon => "field line without a colon",
            Self::FieldBlank => "white space between field name and colon",
            Self::Folded => "folded line: a field line begins with white space",
            Self::FieldValue => "control character in a field value",
            Self::FramingAlias => "field name resembles Content-Length or Transfer-Encoding",
            Self::HostMissing => "Host is missing",
            Self::HostRepeated => "Host is given more than once",
            Self::HostInvalid => "Host or the authority of the target is malformed",
            Self::HostLabel => "Host or the authority of the target has an empty label",
            Self::HostTooLong => "Host or the authority of the target exceeds 253 bytes, the longest name in the DNS",
            Self::HostMismatch => "Host differs from the authority of the request target",
            Self::LengthRepeated => "Content-Length is given more than once",
            Self::LengthInvalid => "Content-Length is not a decimal number",
            Self::LengthOverflow => "Content-Length is too large to count",
            Self::EncodingWithLength => "Transfer-Encoding and Content-Length in one message",
            Self::EncodingInHttp10 => "Transfer-Encoding in an HTTP/1.0 message",
            Self::EncodingUnsupported => "transfer coding other than chunked",
            Self::EncodingInvalid => "malformed Transfer-Encoding",
            Self::ConnectionOption => "Connection names Host, Content-Length or Transfer-Encoding",
            Self::TooManyOptions { .. } => "too many connection options",
            Self::Expectation => "expectation other than 100-continue",
            Self::BodyTooLarge { .. } => "body exceeds the limit",
            Self::ChunkSize => "malformed or oversized chunk size",
            Self::ChunkExtension => "malformed chunk extension",
            Self::ChunkLineTooLong { .. } => "chunk line or chunk extensions exceed the limit",
            Self::ChunkEnd => "chunk data is not followed by CRLF",
            Self::TrailersTooLarge { .. } => "trailer section exceeds the limit of bytes",
            Self::TooManyTrailers { .. } => "trailer section exceeds the limit of lines",
            Self::Truncated => "connection ended inside a message",
            Self::Unsolicited => "response without a request",
            Self::UnexpectedSwitch => "101 without a matching upgrade request",
            Self::InterimBody => "interim response with Content-Length or Transfer-Encoding",
            Self::TooManyInterim { .. } => "too many interim responses",
            Self::WrittenLength { .. } => "body length differs from the announced length",
            Self::OutOfTurn(_) => "call out of order",
        }
    }
}

/// What is wrong with a byte of a request target.
const fn target_rule(byte: u8) -> &'static str {
    match byte {
        b'%' => "broken percent-escape or %00 in the path of the request target",
        b'#' => "fragment in the request target",
        0x80.. => "byte above 127 in the request target that is not percent-encoded",
        _ => "character in the request target that must be percent-encoded",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_one_line_that_any_log_and_field_can_carry() {
        for error in [
            Error::EmptyLines { limit: 2 },
            Error::FirstByte { byte: b'"' },
            Error::Tls,
            Error::ProxyHeader,
            Error::TargetByte { byte: b'"', offset: 1 },
            Error::TargetByte { byte: b'%', offset: 1 },
            Error::TargetByte { byte: b'#', offset: 1 },
            Error::TargetByte { byte: 0xe9, offset: 1 },
            Error::EncodingWithLength,
            Error::FieldName,
            Error::FieldColon,
            Error::FieldBlank,
            Error::Folded,
            Error::WrittenLength { difference: 1 },
            Error::OutOfTurn("x"),
        ] {
            let rule = error.rule();
            let is_plain = |b: u8| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\');
            assert!(rule.len() > 10 && rule.bytes().all(is_plain), "{rule}");
        }
        assert_eq!(Error::BareCr.to_string(), Error::BareCr.rule());
        assert_eq!(Error::Tls.rule(), "TLS where HTTP in clear is expected");
    }
}

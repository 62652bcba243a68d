use super::tolerant::Parsing;

/// What one connection may cost and what is read of it. All sizes in bytes. Plain values: nothing is checked here,
/// and every combination is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Start line and fields together, the empty line included. Above: 431. Default 16,384
    /// (HAProxy's default).
    pub head_bytes: usize,
    /// Lines of fields. Above: 431. Default 100 (Apache's default); never more than 256.
    pub fields: usize,
    /// The request target. Above: 414. Default 8,192 (nginx's default).
    pub target_bytes: usize,
    /// The payload of one message; `None`: no limit. Above: 413. Default `None`.
    pub body_bytes: Option<u64>,
    /// The line that begins a chunk, extensions included, without CRLF. Above: 400. Default 256.
    pub chunk_line_bytes: usize,
    /// All chunk extensions of one message. Above: 400. Default 8,192.
    pub chunk_extension_bytes: usize,
    /// The trailer section, its empty line included. Above: 431. Default 8,192.
    pub trailer_bytes: usize,
    /// Lines of trailer fields. Above: 431. Default 32; never more than 256.
    pub trailer_fields: usize,
    /// Interim responses before a final one, whether or not they are passed on. Default 100: one a second for a backend
    /// that says for a minute and a half that it is still at work.
    pub interim: u8,
    /// How strictly responses are read. Default: strictly.
    pub parsing: Parsing,
    /// What becomes of characters that are not escaped in the query of a request. Default: refused.
    pub query_characters: QueryCharacters,
}

/// What becomes of characters in the query of a request that RFC 3986 wants percent-encoded, and that browsers and other
/// programs send all the same. In a path they are refused always: readers disagree about them there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum QueryCharacters {
    /// `"`, `<`, `>` and bytes above 127 are refused; ``{ } | \ ^ ` ``, which browsers leave as they are, are passed on.
    #[default]
    Strict,
    /// All of these are percent-encoded, and then routed, hashed, logged and passed on so.
    Encode,
    /// All of these are passed on as they are.
    Pass,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 16_384,
            fields: 100,
            target_bytes: 8_192,
            body_bytes: None,
            chunk_line_bytes: 256,
            chunk_extension_bytes: 8_192,
            trailer_bytes: 8_192,
            trailer_fields: 32,
            interim: 100,
            parsing: Parsing::Strict,
            query_characters: QueryCharacters::Strict,
        }
    }
}

impl QueryCharacters {
    /// The word for configurations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Encode => "encode",
            Self::Pass => "pass",
        }
    }
}

/// Most lines of fields that any limit allows: the size of the parser's table.
pub(super) const FIELDS_MAX: usize = 256;
/// Longest method. The longest registered one, `UPDATEREDIRECTREF`, has 17 bytes.
pub(super) const METHOD_MAX: usize = 32;
/// Empty lines that may stand before a request (RFC 9112, section 2.2 asks for at least one).
pub(super) const EMPTY_LINES_MAX: usize = 2;
/// Members of all `Connection` fields of one message.
pub(super) const CONNECTION_OPTIONS_MAX: usize = 64;

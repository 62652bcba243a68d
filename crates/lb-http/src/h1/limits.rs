/// What one connection may cost. All sizes in bytes. Plain values: nothing is checked here, and
/// every combination is safe.
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
        }
    }
}

/// Most lines of fields that any limit allows: the size of the parser's table.
pub(super) const FIELDS_MAX: usize = 256;
/// Longest method. The longest registered one, `UPDATEREDIRECTREF`, has 17 bytes.
pub(super) const METHOD_MAX: usize = 32;
/// Empty lines that may stand before a request (RFC 9112, section 2.2 asks for at least one).
pub(super) const EMPTY_LINES_MAX: usize = 2;
/// Interim responses before a final one.
pub(super) const INTERIM_MAX: u8 = 100;
/// Members of all `Connection` fields of one message.
pub(super) const CONNECTION_OPTIONS_MAX: usize = 64;

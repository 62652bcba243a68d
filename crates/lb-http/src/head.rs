pub(crate) mod claim;
pub(crate) mod edit;
mod load;
pub(crate) mod name;
mod reason;
mod write;

pub use reason::reason;

use name::{Name, is_token, is_word};

use lb_types::InvalidField;

/// A version of HTTP/1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// `HTTP/1.0`
    Http10,
    /// `HTTP/1.1`
    Http11,
}

/// What a [`Head`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Nothing yet.
    Empty,
    /// A request line and its fields.
    Request,
    /// A status line and its fields.
    Response,
    /// Only fields: the trailer section of a chunked message.
    Trailers,
}

/// The start line and the fields of one message.
///
/// All bytes lie in one arena, in the order of arrival; an index over it says where each name
/// and value stands. Editing never moves bytes: a removed field is marked dead, a new value is
/// put at the end of the arena. A head is made to be used again: once it has grown to the size
/// of the traffic, reading and editing allocate nothing.
///
/// Names keep their letter case and fields keep their order. Whatever is in a head can be
/// written on a line of its own: [`append`](lb_types::FieldsMut::append) refuses the rest.
#[derive(Debug)]
pub struct Head {
    arena: Vec<u8>,
    index: Vec<Field>,
    kind: Kind,
    version: Version,
    status: u16,
    method: Span,
    target: Span,
    reason: Span,
    /// End of the start line in the arena, when it may be written again as it stands.
    line_end: u32,
    /// Names that are there (known names exactly, see [`Name`]).
    present: u64,
    /// Names that were seen more than once.
    repeated: u64,
    /// So many lines at the front of the index were received; the bytes of the arena begin with them.
    received: u16,
    /// Where in the index each name was seen first; good for names that are in `present`.
    first: [u16; 64],
}

#[derive(Debug, Clone, Copy, Default)]
struct Span {
    at: u32,
    len: u32,
}

#[derive(Debug, Clone, Copy)]
struct Field {
    name_at: u32,
    value_at: u32,
    value_len: u32,
    name_len: u32,
    name: Name,
    live: bool,
    /// The arena holds `name: value CRLF` in one piece, so that runs of fields are copied whole.
    whole: bool,
}

impl Head {
    /// A head with room for `bytes` of text and `fields` lines. The one place that allocates as
    /// long as messages stay below these sizes.
    #[must_use]
    pub fn with_capacity(bytes: usize, fields: usize) -> Self {
        Self {
            arena: Vec::with_capacity(bytes),
            index: Vec::with_capacity(fields),
            kind: Kind::Empty,
            version: Version::Http11,
            status: 0,
            method: Span::default(),
            target: Span::default(),
            reason: Span::default(),
            line_end: 0,
            present: 0,
            repeated: 0,
            received: 0,
            first: [0; 64],
        }
    }

    /// Forgets the message and keeps the memory. `O(1)`.
    pub fn clear(&mut self) {
        self.arena.clear();
        self.index.clear();
        self.kind = Kind::Empty;
        self.version = Version::Http11;
        self.status = 0;
        self.method = Span::default();
        self.target = Span::default();
        self.reason = Span::default();
        self.line_end = 0;
        self.present = 0;
        self.repeated = 0;
        self.received = 0;
    }

    /// The memory of the arena in bytes, so that a free list can drop heads that grew too large.
    #[must_use]
    pub fn capacity_bytes(&self) -> usize {
        self.arena.capacity()
    }

    /// What the head holds.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The version in the start line as it was received; 1.1 for heads made here.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The method of a request, else empty. Methods are case-sensitive (RFC 9110, section 9.1).
    #[must_use]
    pub fn method(&self) -> &[u8] {
        self.text(self.method)
    }

    /// The target of a request in origin form (`/path?query`) or `*`, else empty.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        self.text(self.target)
    }

    /// The target without its query.
    #[must_use]
    pub fn path(&self) -> &[u8] {
        let target = self.target();
        memchr::memchr(b'?', target)
            .and_then(|at| target.get(..at))
            .unwrap_or(target)
    }

    /// The value of `Host`: name or address, and port if there is one. `None` without `Host`.
    #[must_use]
    pub fn authority(&self) -> Option<&[u8]> {
        self.known(Name::Host)
    }

    /// The status of a response, else 0.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The reason phrase of a response, often empty.
    #[must_use]
    pub fn reason(&self) -> &[u8] {
        self.text(self.reason)
    }

    /// Puts another target into the request line.
    ///
    /// The caller answers for the bytes: the codec gives only targets that it has checked.
    /// Bytes that could end the request line make the head unwritable
    /// ([`h1::Error::OutOfTurn`](crate::h1::Error::OutOfTurn)).
    pub fn set_target(&mut self, target: &[u8]) {
        self.target = self.store(target);
        self.line_end = 0;
    }

    /// Begins a request by hand: a probe, a request of our own.
    ///
    /// # Errors
    /// [`InvalidField::Name`] when `method` is no token, [`InvalidField::Value`] when `target` is
    /// empty or has a byte that is not visible ASCII.
    pub fn start_request(&mut self, method: &[u8], target: &[u8]) -> Result<(), InvalidField> {
        if !is_token(method) {
            return Err(InvalidField::Name);
        }
        check_target(target)?;
        self.clear();
        self.kind = Kind::Request;
        self.method = self.store(method);
        self.target = self.store(target);
        Ok(())
    }

    /// Begins a response by hand, with the usual reason phrase of the status.
    ///
    /// # Errors
    /// [`InvalidField::Name`] when the status is not 100 to 999.
    pub fn start_response(&mut self, status: u16) -> Result<(), InvalidField> {
        if !(100..=999).contains(&status) {
            return Err(InvalidField::Name);
        }
        self.clear();
        self.kind = Kind::Response;
        self.status = status;
        self.reason = self.store(reason(status).as_bytes());
        Ok(())
    }

    /// The fields in order: name as received, value without the white space around it. Also as
    /// [`iter`](Self::iter); of one name: [`first`](crate::Fields::first) and the others of [`Fields`](crate::Fields).
    #[doc(alias = "headers")]
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.iter()
    }

    /// As [`fields`](Self::fields).
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.index
            .iter()
            .filter(|f| f.live)
            .map(|f| (self.name_of(f), self.value_of(f)))
    }

    /// May the request be sent twice with the effect of once? By its method: `GET`, `HEAD`,
    /// `OPTIONS`, `TRACE`, `PUT`, `DELETE`. RFC 9110, section 9.2.2.
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        matches!(
            self.method(),
            b"GET" | b"HEAD" | b"OPTIONS" | b"TRACE" | b"PUT" | b"DELETE"
        )
    }

    /// Does the client wait for `100 Continue` before it sends the body? Never in HTTP/1.0.
    /// RFC 9110, section 10.1.1.
    #[must_use]
    pub fn expects_continue(&self) -> bool {
        self.version == Version::Http11
            && self
                .known(Name::Expect)
                .is_some_and(|v| v.eq_ignore_ascii_case(b"100-continue"))
    }

    /// Is the method `HEAD`?
    #[must_use]
    pub fn is_head_method(&self) -> bool {
        self.method() == b"HEAD"
    }

    // What the rest of the crate needs.

    /// Lines of fields, removed ones included.
    pub(crate) fn lines(&self) -> usize {
        self.index.len()
    }

    /// Is one of the names of `mask` there?
    pub(crate) fn has_any(&self, mask: u64) -> bool {
        self.present & mask != 0
    }

    /// Is a field of this name there?
    pub(crate) fn has(&self, name: Name) -> bool {
        self.has_any(name.bit())
    }

    /// Was this name seen on more than one line?
    pub(crate) fn is_repeated(&self, name: Name) -> bool {
        self.repeated & name.bit() != 0
    }

    /// Does the only `Connection` line say nothing but `keep-alive` (true) or `close` (false)? Then it
    /// names no field. Nearly all do.
    pub(crate) fn plain_connection(&self) -> Option<bool> {
        if self.is_repeated(Name::Connection) {
            return None;
        }
        match self.known(Name::Connection)? {
            value if is_word(value, b"keep-alive") => Some(true),
            value if is_word(value, b"close") => Some(false),
            _ => None,
        }
    }

    /// The first value of a known name.
    pub(crate) fn known(&self, name: Name) -> Option<&[u8]> {
        if !self.has(name) {
            return None;
        }
        // Nearly always the first is alive.
        match self.index.get(self.first_of(name)) {
            Some(field) if field.live => Some(self.value_of(field)),
            _ => self.values(name).next(),
        }
    }

    /// All values of a known name.
    pub(crate) fn values(&self, name: Name) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.lines_of(name).map(|f| self.value_of(f))
    }

    /// All fields of a name, in order. Does not look at those in front of the first.
    fn lines_of(&self, name: Name) -> impl DoubleEndedIterator<Item = &Field> {
        let found = if self.has(name) {
            self.index.get(self.first_of(name)..)
        } else {
            None
        };
        found
            .unwrap_or_default()
            .iter()
            .filter(move |f| f.live && f.name == name)
    }

    /// Where the first field of a name stands in the index, if it is there at all.
    fn first_of(&self, name: Name) -> usize {
        self.first.get(name as usize).copied().unwrap_or_default().into()
    }

    /// Puts a field behind the others.
    fn push(&mut self, field: Field) {
        // Without a branch on what no processor can foresee.
        let bit = field.name.bit();
        let seen = self.present & bit;
        self.repeated |= seen;
        self.present |= bit;
        if let Some(first) = self.first.get_mut(field.name as usize) {
            *first = if seen == 0 { self.index.len() as u16 } else { *first };
        }
        self.index.push(field);
    }

    fn store(&mut self, bytes: &[u8]) -> Span {
        let at = self.arena.len() as u32;
        self.arena.extend_from_slice(bytes);
        Span {
            at,
            len: bytes.len() as u32,
        }
    }

    fn text(&self, span: Span) -> &[u8] {
        self.bytes(span.at, span.len)
    }

    fn name_of(&self, field: &Field) -> &[u8] {
        self.bytes(field.name_at, field.name_len)
    }

    fn value_of(&self, field: &Field) -> &[u8] {
        self.bytes(field.value_at, field.value_len)
    }

    fn bytes(&self, at: u32, len: u32) -> &[u8] {
        let at = at as usize;
        self.arena.get(at..at.wrapping_add(len as usize)).unwrap_or_default()
    }
}

/// Visible ASCII only, and not empty: nothing that could end the target or the line.
fn check_target(target: &[u8]) -> Result<(), InvalidField> {
    if target.is_empty() {
        return Err(InvalidField::Value { byte: b' ', offset: 0 });
    }
    match target.iter().position(|b| !b.is_ascii_graphic()) {
        Some(offset) => Err(InvalidField::Value {
            byte: target.get(offset).copied().unwrap_or_default(),
            offset,
        }),
        None => Ok(()),
    }
}

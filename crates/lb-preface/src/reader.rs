//! Reads fields with a length before them out of borrowed bytes, and knows where it is.

/// A place in a message: from `start` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) const fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// What stands at this place; nothing if `bytes` is not the message it is a place of.
    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.end).unwrap_or_default()
    }
}

/// A cursor over a message. Every read answers `None` where bytes are missing, and does not move then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Reads only what stands at `span`, with places in the whole message.
    pub(crate) fn within(bytes: &'a [u8], span: Span) -> Self {
        Self {
            bytes: bytes.get(..span.end).unwrap_or(bytes),
            at: span.start,
        }
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) const fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.left() == 0
    }

    pub(crate) fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let chunk = *self.bytes.get(self.at..)?.first_chunk::<N>()?;
        self.at = self.at.saturating_add(N);
        Some(chunk)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.chunk().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.chunk().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.chunk().map(u32::from_be_bytes)
    }

    pub(crate) fn span(&mut self, len: usize) -> Option<Span> {
        let start = self.at;
        let end = start.checked_add(len).filter(|end| *end <= self.bytes.len())?;
        self.at = end;
        Some(Span { start, end })
    }

    /// A field with one byte of length before it.
    pub(crate) fn span8(&mut self) -> Option<Span> {
        let before = self.at;
        let len = self.u8()?;
        let span = self.span(usize::from(len));
        if span.is_none() {
            self.at = before;
        }
        span
    }

    /// A field with two bytes of length before it.
    pub(crate) fn span16(&mut self) -> Option<Span> {
        let before = self.at;
        let len = self.u16()?;
        let span = self.span(usize::from(len));
        if span.is_none() {
            self.at = before;
        }
        span
    }

    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let bytes = self.bytes;
        self.span(len).map(|span| span.of(bytes))
    }

    pub(crate) fn take8(&mut self) -> Option<&'a [u8]> {
        let bytes = self.bytes;
        self.span8().map(|span| span.of(bytes))
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.take(self.left()).unwrap_or_default()
    }
}

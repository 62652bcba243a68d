use super::error::Error;
use memchr::memchr;

/// Looks for the empty line that ends a head, and remembers how far it came: each byte is looked
/// at once, however slowly the bytes arrive.
///
/// It checks what the tokeniser behind it is lenient about, in the order of the bytes, so that
/// the first mistake wins whether or not the rest has arrived.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scan {
    /// No LF before this position but those of complete lines.
    at: u32,
    /// Where the current line begins.
    line: u32,
    /// Complete lines so far.
    lines: u32,
}

/// The price limits of one scan.
pub(super) struct Bounds {
    /// Longest head, from `start`.
    pub(super) bytes: usize,
    /// Longest first line, its CRLF excluded.
    pub(super) first_line: usize,
    /// Most lines before the empty one.
    pub(super) lines: usize,
    /// Is a LF without CR an end of a line too?
    pub(super) bare_lf: bool,
    /// What to say beyond each of the three.
    pub(super) too_large: Error,
    pub(super) first_too_long: Error,
    pub(super) too_many: Error,
}

impl Scan {
    /// The position behind the empty line, or `None` when it has not arrived. `start` is where
    /// the head begins in `input`; `first` judges the first line as soon as it is complete.
    pub(super) fn run(
        &mut self,
        input: &[u8],
        start: usize,
        bounds: &Bounds,
        first: impl Fn(&[u8]) -> Result<(), Error>,
    ) -> Result<Option<usize>, Error> {
        if self.at as usize <= start {
            self.at = start as u32;
            self.line = start as u32;
        }
        let last = start.saturating_add(bounds.bytes).min(u32::MAX as usize);
        let window = input.get(..last).unwrap_or(input);
        loop {
            let at = self.at as usize;
            let Some(step) = window.get(at..).and_then(|rest| memchr(b'\n', rest)) else {
                self.at = window.len() as u32;
                if self.lines == 0
                    && window.len().saturating_sub(self.line as usize) > bounds.first_line.saturating_add(2)
                {
                    return Err(bounds.first_too_long);
                }
                return if window.len() == last {
                    Err(bounds.too_large)
                } else {
                    Ok(None)
                };
            };
            let lf = at.saturating_add(step);
            // Before the look at the CR, because without the LF this is all that can be said.
            if self.lines == 0 && lf.saturating_sub(self.line as usize) > bounds.first_line.saturating_add(1) {
                return Err(bounds.first_too_long);
            }
            let line = window.get(self.line as usize..lf).unwrap_or_default();
            let line = match line.split_last() {
                Some((b'\r', line)) => line,
                _ if bounds.bare_lf => line,
                _ => return Err(Error::BareLf { offset: lf }),
            };
            let behind = lf.saturating_add(1);
            if line.is_empty() {
                return Ok(Some(behind));
            }
            // What looks almost like the empty line is not waited for.
            if line.first() == Some(&b'\r') {
                return Err(Error::BareCr);
            }
            if self.lines == 0 {
                first(line)?;
            }
            self.lines = self.lines.saturating_add(1);
            if self.lines as usize > bounds.lines {
                return Err(bounds.too_many);
            }
            self.at = behind as u32;
            self.line = behind as u32;
        }
    }

    /// Has a part of a message been seen?
    pub(super) const fn is_under_way(&self) -> bool {
        self.at != 0
    }
}

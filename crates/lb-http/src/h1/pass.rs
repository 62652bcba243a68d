//! Payload that goes by without being looked at: for a caller that moves it inside the kernel.

use super::conn::Conn;
use super::error::Error;
use super::state::{Reading, Writing};

impl Conn {
    /// How many bytes may come now that are payload and nothing else: what is left of a body of
    /// known length, or the limit's rest (else `u64::MAX`) of one that ends with the connection. `None` outside a body,
    /// and inside a chunked one, whose framing must be read.
    #[must_use]
    pub fn body_left(&self) -> Option<u64> {
        match self.reading {
            Reading::Length => Some(self.read_left),
            Reading::UntilClose => Some(
                self.limits
                    .body_bytes
                    .map_or(u64::MAX, |limit| limit.saturating_sub(self.read_total)),
            ),
            _ => None,
        }
    }

    /// How many bytes may be written now that are payload and nothing else: as [`body_left`](Self::body_left),
    /// for the message that is written. [`write_body`](Self::write_body) then puts nothing before and nothing behind them.
    #[must_use]
    pub fn body_room(&self) -> Option<u64> {
        match self.writing {
            Writing::Length => Some(self.write_left),
            Writing::UntilClose => Some(u64::MAX),
            _ => None,
        }
    }

    /// `len` bytes of payload came that [`read_body`](Self::read_body) did not see.
    ///
    /// # Errors
    /// [`Error::OutOfTurn`] when that is more than [`body_left`](Self::body_left) allows: a fault of the caller.
    pub fn skip_body(&mut self, len: u64) -> Result<(), Error> {
        let Some(left) = self.body_left().and_then(|left| left.checked_sub(len)) else {
            return Err(Error::OutOfTurn("skip_body beyond the body"));
        };
        if self.reading == Reading::UntilClose {
            self.read_total = self.read_total.saturating_add(len);
            return Ok(());
        }
        self.read_left = left;
        if left == 0 {
            self.reading = Reading::Done;
        }
        Ok(())
    }
}

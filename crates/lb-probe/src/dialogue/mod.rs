//! What is said to services and what they must answer, without I/O.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod mysql;
mod postgres;
mod steps;

pub(crate) use mysql::Mysql;
pub(crate) use postgres::Postgres;
pub(crate) use steps::{Steps, Wanted};

use lb_health::Cause;

/// One side of a conversation.
pub(crate) trait Dialogue: Send {
    /// What to do next. Takes from `input` what was understood; called again after each turn.
    fn turn(&mut self, input: &mut Vec<u8>) -> Result<Turn, Cause>;

    /// What it means that no more came in time, with `input` not understood yet.
    fn late(&self, _input: &[u8]) -> Cause {
        Cause::Silent
    }

    /// What it means that the other side hung up, with `input` not understood yet.
    fn cut(&self, _input: &[u8]) -> Cause {
        Cause::Closed
    }
}

/// What a dialogue wants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Send(Vec<u8>),
    Read,
    /// Both sides agreed on TLS: from here on everything goes over it. What was read before it counts for nothing.
    Tls,
    /// The answer is right; say goodbye with these bytes.
    Done(&'static [u8]),
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Stands in what was sent where TLS began.
    pub(crate) const SHAKEN: &[u8] = b"<TLS>";

    /// Feeds `input` in pieces of `size` bytes and gives what was sent, and the end.
    pub(crate) fn run(
        mut dialogue: impl Dialogue,
        input: &[u8],
        size: usize,
    ) -> (Vec<u8>, Result<&'static [u8], Cause>) {
        let (mut pieces, mut unread, mut sent) = (input.chunks(size), Vec::new(), Vec::new());
        loop {
            match dialogue.turn(&mut unread) {
                Err(cause) => return (sent, Err(cause)),
                Ok(Turn::Done(goodbye)) => return (sent, Ok(goodbye)),
                Ok(Turn::Send(bytes)) => sent.extend(bytes),
                Ok(Turn::Tls) => sent.extend(SHAKEN),
                Ok(Turn::Read) => match pieces.next() {
                    Some(piece) => unread.extend(piece),
                    None => {
                        let cause = dialogue.cut(&unread);
                        return (sent, Err(cause));
                    }
                },
            }
        }
    }

    /// The same, in pieces of 1, 2, 3, 7 and all bytes; asserts that they agree.
    pub(crate) fn run_in_pieces<D: Dialogue>(
        make: impl Fn() -> D,
        input: &[u8],
    ) -> (Vec<u8>, Result<&'static [u8], Cause>) {
        let whole = run(make(), input, input.len().max(1));
        for size in [1, 2, 3, 7] {
            assert_eq!(run(make(), input, size), whole, "pieces of {size}");
        }
        whole
    }
}

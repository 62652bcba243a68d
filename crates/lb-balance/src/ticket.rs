use crate::Backend;
use lb_types::{Slot, Time};
use std::fmt;
use std::sync::Arc;

/// One request in flight at one backend.
///
/// The count goes back when the ticket ends, whatever ends it: [`finish`](Self::finish), a
/// dropped future, a panic. Without `finish` the end is neutral for health.
#[derive(Debug)]
#[must_use = "a dropped ticket gives its place back at once"]
pub struct Ticket {
    backend: Arc<Backend>,
    slot: Slot,
    why: Why,
}

impl Ticket {
    /// For a request that `backend`'s load has begun.
    pub(crate) fn new(backend: &Arc<Backend>, slot: Slot, why: Why) -> Self {
        Self {
            backend: Arc::clone(backend),
            slot,
            why,
        }
    }

    /// Whom the request goes to.
    #[must_use]
    pub fn backend(&self) -> &Arc<Backend> {
        &self.backend
    }

    /// Its place in the pool, for [`Tried`](crate::Tried).
    #[must_use]
    pub fn slot(&self) -> Slot {
        self.slot
    }

    /// Why this backend.
    #[must_use]
    pub fn why(&self) -> Why {
        self.why
    }

    /// Ends the request. Writes to shared memory: the count; and on a failure, or on the first
    /// success after one, the failures in a row.
    pub fn finish(self, outcome: Outcome, now: Time) {
        match outcome {
            Outcome::Success => self.backend.load().succeeded(),
            Outcome::Failure => self.backend.load().failed(now),
            Outcome::Neutral => {}
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.backend.load().finish();
    }
}

/// What a request says about the health of its backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It answered as it should.
    Success,
    /// It failed through its own fault: refused, broke off, too slow, not HTTP.
    Failure,
    /// Nothing: the client went away, or we stopped.
    Neutral,
}

/// Why a backend was chosen: for the access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Why {
    /// `scheduled`: nothing was known of the client.
    Scheduled,
    /// `persisted`: the client was here before.
    Persisted,
    /// `replaced`: the backend that the client used before is down or gone.
    Replaced,
    /// `overflow`: the backend that the client used before is full right now.
    Overflow,
    /// `retried`: an earlier attempt of this request failed at another backend.
    Retried,
}

impl Why {
    /// The word for logs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Persisted => "persisted",
            Self::Replaced => "replaced",
            Self::Overflow => "overflow",
            Self::Retried => "retried",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

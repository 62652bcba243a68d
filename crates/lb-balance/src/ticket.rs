use crate::Backend;
use lb_types::{Slot, Time};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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
    observe: Observe,
    /// How long the backend took to begin its answer, where that is observed.
    answered: Option<Duration>,
    /// The moment of the pick.
    begun: Time,
}

impl Ticket {
    /// For a request that `backend`'s load has begun.
    pub(crate) fn new(backend: &Arc<Backend>, slot: Slot, why: Why, observe: Observe, begun: Time) -> Self {
        Self {
            backend: Arc::clone(backend),
            slot,
            why,
            observe,
            answered: None,
            begun,
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

    /// The backend has begun to answer (HTTP: the head of the response is here; TCP: it took the
    /// connection): what passed since the pick is its latency. Counts once; writes only where the
    /// pool [observes](crate::Observe) latency, and then to the cache line that the end writes too.
    pub fn answered(&mut self, now: Time) {
        if self.answered.is_none() && (self.observe.latency || self.observe.outcomes) {
            let took = now.since(self.begun);
            self.answered = Some(took);
            if self.observe.latency {
                self.backend.load().observe(took, now);
            }
        }
    }

    /// Ends the request. Writes to shared memory: the count; on a failure, or on the first success
    /// after one, the failures in a row; and what the pool [observes](crate::Observe).
    ///
    /// Where latency is observed and nothing was [answered](Self::answered): a success counts with its
    /// whole time, a failure with at least [a second](Self::FAILURE_LATENCY), so that a backend that refuses
    /// quickly does not look fast; an end for other reasons counts if it waited longer than usual.
    pub fn finish(self, outcome: Outcome, now: Time) {
        let load = self.backend.load();
        match outcome {
            Outcome::Success => load.succeeded(),
            Outcome::Failure => load.failed(now),
            Outcome::Neutral => {}
        }
        if self.observe.outcomes && outcome != Outcome::Neutral {
            let is_good = outcome == Outcome::Success;
            load.tally(is_good);
            if is_good {
                load.tally_time(self.answered.unwrap_or_else(|| now.since(self.begun)));
            }
        }
        if self.observe.latency && self.answered.is_none() {
            let waited = now.since(self.begun);
            match outcome {
                Outcome::Success => load.observe(waited, now),
                Outcome::Failure => load.observe(waited.max(Self::FAILURE_LATENCY), now),
                Outcome::Neutral if load.latency(now).is_some_and(|usual| waited > usual) => load.observe(waited, now),
                Outcome::Neutral => {}
            }
        }
    }

    /// What a failure counts as, where latency is observed, if it did not take longer.
    pub const FAILURE_LATENCY: Duration = Duration::from_secs(1);
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.backend.load().finish();
    }
}

/// What the requests of a pool write down about their backends, besides what every request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Observe {
    /// How long backends take to answer, as a moving mean: for algorithms that
    /// [use it](lb_sched::Algorithm::uses_latency).
    pub latency: bool,
    /// How many requests end well, and how long those took to be answered: for rules that compare the backends of a
    /// pool.
    pub outcomes: bool,
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
    /// `bound`: the client has proved itself over a connection to this backend, which is its own.
    Bound,
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
            Self::Bound => "bound",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

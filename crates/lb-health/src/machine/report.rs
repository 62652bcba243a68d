use crate::{Cause, Status};
use core::time::Duration;
use lb_types::Time;

/// Something seen of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// The result of the probe under way.
    Probe(Result<(), Cause>),
    /// Real requests since the last such report. Judges at once, without a look at the pool.
    Traffic {
        /// How many the backend answered.
        ok: u32,
        /// How many failed by its fault.
        failed: u32,
    },
    /// How many requests in a row have failed as of now: `lb_sched::Load::failures`. The whole row, not
    /// what is new in it; failures that were there before the backend came back do not count again. Judges at
    /// once, without a look at the pool.
    Row {
        /// Failures since the last success.
        failed: u32,
    },
    /// The pool's judgement ([`judge`](crate::judge)): traffic takes the backend out, for as long as the rules say.
    Eject(Cause),
}

/// Something to act on: the status is another one, or slow start moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// The status before.
    pub from: Status,
    /// The status from now on; equal to `from` for a step of slow start and another wish of its agent.
    pub to: Status,
    /// The share of its weight that the backend gets from now on, by slow start.
    pub percent: u8,
    /// Of that, the share that its agent asks for, in percent.
    pub advised: u8,
    /// When it happened.
    pub at: Time,
    /// How long the status before has lasted.
    pub lasted: Duration,
}

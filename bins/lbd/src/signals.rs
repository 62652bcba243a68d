//! The signals the program obeys.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// From the moment it is made none of them ends the process by itself.
#[derive(Debug)]
pub(crate) struct Signals {
    /// Read the configuration again.
    pub(crate) hup: Signal,
    /// Drain.
    pub(crate) term: Signal,
    /// Drain; a second one ends at once.
    pub(crate) int: Signal,
    /// Print the state.
    pub(crate) usr1: Signal,
}

impl Signals {
    /// Call it inside the runtime of the control thread, before anybody is told that we run.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            hup: signal(SignalKind::hangup())?,
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            usr1: signal(SignalKind::user_defined1())?,
        })
    }
}

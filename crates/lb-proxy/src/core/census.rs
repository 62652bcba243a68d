//! What the worker of this thread holds, for tests over the network in memory.

use super::Core;
use std::cell::RefCell;
use std::rc::{Rc, Weak};

/// What a worker holds at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Census {
    /// Client connections that are served.
    pub clients: usize,
    /// Connections with a place in the wheel of deadlines.
    pub timers: usize,
    /// Pipes of the kernel in use.
    pub pipes: usize,
    /// Backends to which connections are kept idle.
    pub kept: usize,
}

/// What the worker of this thread that began last holds; `None` when it has ended.
#[must_use]
pub fn census() -> Option<Census> {
    let core = LAST.with_borrow(Weak::upgrade)?;
    let kept = core.idle.borrow().values().filter(|idle| !idle.is_empty()).count();
    Some(Census {
        clients: core.connections.get(),
        timers: core.timers.taken(),
        pipes: core.splices_out.get(),
        kept,
    })
}

pub(super) fn remember(core: &Rc<Core>) {
    LAST.set(Rc::downgrade(core));
}

thread_local! {
    static LAST: RefCell<Weak<Core>> = const { RefCell::new(Weak::new()) };
}

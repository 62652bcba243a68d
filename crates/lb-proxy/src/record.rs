//! What is counted of a connection or an exchange when it is over.

use crate::core::Core;

/// Bytes of both connections, heads and framing included, whether they could be passed on or not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traffic {
    pub(crate) client_in: u64,
    pub(crate) client_out: u64,
    pub(crate) upstream_in: u64,
    pub(crate) upstream_out: u64,
}

impl Traffic {
    pub(crate) fn count(&self, core: &Core) {
        core.counters.client_in(self.client_in);
        core.counters.client_out(self.client_out);
        core.counters.upstream_in(self.upstream_in);
        core.counters.upstream_out(self.upstream_out);
    }
}

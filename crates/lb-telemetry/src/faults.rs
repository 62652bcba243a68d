use crate::End;
use lb_types::{Address, Wall};
use std::collections::HashMap;
use std::sync::Mutex;

/// How the last request, or connection of TCP, that a backend failed ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// How it ended.
    pub end: End,
    /// What else there is to say, such as the rule that the response broke; empty when there is nothing.
    pub detail: &'static str,
    /// When.
    pub at: Wall,
    /// Where the backend was then: at another address is another machine.
    pub address: Address,
}

/// The last fault of each backend, as one worker saw it. A failure takes a lock that only whoever looks shares; a request
/// without one takes none.
#[derive(Debug, Default)]
pub struct Faults(Mutex<HashMap<u64, Fault>>);

impl Faults {
    /// The backend of this number failed a request. Forgets all others when there are too many.
    pub fn report(&self, backend: u64, fault: Fault) {
        // A reader that panicked has changed nothing.
        let mut faults = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if faults.len() >= MOST && !faults.contains_key(&backend) {
            faults.clear();
        }
        faults.insert(backend, fault);
    }

    /// The last fault of the backend of this number, at the address that it has now.
    #[must_use]
    pub fn last(&self, backend: u64, address: Address) -> Option<Fault> {
        let faults = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        faults.get(&backend).copied().filter(|fault| fault.address == address)
    }
}

/// As many backends as one pool may have: reloads leave those that are gone behind.
const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_fault_of_each_backend_is_remembered_within_a_bound() {
        let faults = Faults::default();
        let address = Address::Ip("192.0.2.1:80".parse().unwrap());
        let fault = |millis| Fault {
            end: End::UpstreamProtocol,
            detail: "malformed status line",
            at: Wall::from_millis(millis),
            address,
        };
        assert_eq!(faults.last(1, address), None);
        faults.report(1, fault(5));
        faults.report(2, fault(6));
        faults.report(1, fault(7));
        assert_eq!(
            (faults.last(1, address), faults.last(2, address)),
            (Some(fault(7)), Some(fault(6)))
        );
        for backend in 0..MOST as u64 {
            faults.report(backend, fault(8));
        }
        faults.report(1, fault(9));
        assert_eq!(faults.last(1, address), Some(fault(9)), "a known one pushes nobody out");
        faults.report(u64::MAX, fault(10));
        assert_eq!(
            (faults.last(1, address), faults.last(u64::MAX, address)),
            (None, Some(fault(10)))
        );
        assert_eq!(
            faults.last(u64::MAX, "192.0.2.2:80".parse().unwrap()),
            None,
            "another machine"
        );
    }
}

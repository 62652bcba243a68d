use lb_types::{BackendId, Time};
use std::collections::BTreeSet;

/// When which backend wants what next: in order, so that waking up costs `O(log backends)` for each that is due.
///
/// Probes and steps (of slow start, the end of a time out) stand apart: a step never waits for room for a probe.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    probes: BTreeSet<(Time, BackendId)>,
    steps: BTreeSet<(Time, BackendId)>,
}

/// What stands in the agenda for one backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Planned {
    pub(crate) probe: Option<Time>,
    pub(crate) step: Option<Time>,
}

impl Agenda {
    /// Replaces what stood there for `backend`.
    pub(crate) fn plan(&mut self, backend: BackendId, old: &mut Planned, new: Planned) {
        let replace = |set: &mut BTreeSet<_>, old: Option<Time>, new: Option<Time>| {
            if old != new {
                old.map(|at| set.remove(&(at, backend)));
                new.map(|at| set.insert((at, backend)));
            }
        };
        replace(&mut self.probes, old.probe, new.probe);
        replace(&mut self.steps, old.step, new.step);
        *old = new;
    }

    /// Whose step is due, the longest overdue first.
    pub(crate) fn step_due(&self, now: Time) -> Option<BackendId> {
        self.steps.first().filter(|(at, _)| *at <= now).map(|(_, id)| *id)
    }

    /// Whose probe is due, the longest overdue first, and since when.
    pub(crate) fn probe_due(&self, now: Time) -> Option<(Time, BackendId)> {
        self.probes.first().filter(|(at, _)| *at <= now).copied()
    }

    /// The next moment at which something is due.
    pub(crate) fn next(&self, with_probes: bool) -> Option<Time> {
        let probe = self.probes.first().filter(|_| with_probes);
        [probe, self.steps.first()]
            .into_iter()
            .flatten()
            .map(|(at, _)| *at)
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_overdue_comes_first_and_each_stands_there_once() {
        let mut agenda = Agenda::default();
        let at = Time::from_nanos;
        let (a, b) = (BackendId::from_u64(1), BackendId::from_u64(2));
        let (mut of_a, mut of_b) = (Planned::default(), Planned::default());
        let probe = |nanos| Planned {
            probe: Some(at(nanos)),
            step: None,
        };
        agenda.plan(a, &mut of_a, probe(7));
        agenda.plan(b, &mut of_b, probe(5));
        assert_eq!((agenda.probe_due(at(4)), agenda.next(true)), (None, Some(at(5))));
        assert_eq!(agenda.probe_due(at(9)), Some((at(5), b)));
        agenda.plan(b, &mut of_b, probe(8));
        assert_eq!(agenda.probe_due(at(9)), Some((at(7), a)));
        let step = Planned {
            probe: None,
            step: Some(at(6)),
        };
        agenda.plan(a, &mut of_a, step);
        assert_eq!(agenda.probe_due(at(9)), Some((at(8), b)));
        assert_eq!((agenda.step_due(at(5)), agenda.step_due(at(6))), (None, Some(a)));
        assert_eq!((agenda.next(true), agenda.next(false)), (Some(at(6)), Some(at(6))));
        agenda.plan(a, &mut of_a, Planned::default());
        assert_eq!((agenda.next(true), agenda.next(false)), (Some(at(8)), None));
    }
}

use crate::draw::Draw;
use crate::two_choices::Seen;
use crate::{Ask, Member, Scheduler};
use lb_types::Slot;

/// Peak EWMA: of two different backends, the one where a request would wait less. `O(1)` unless
/// both are full, then `O(backends)`.
///
/// The wait is `latency * (in flight * mean weight / weight + 1)`, with the latency of
/// [`Load::latency`](crate::Load::latency): a moving mean that follows peaks at once and fades while
/// nothing is heard. The two are drawn as in [`TwoChoices`](crate::TwoChoices). After Finagle's
/// load balancer of the same name, with weights: a backend of weight 3 serves three at once where one of
/// weight 1 serves one, and idle ones share by weight. Weights count beside each other only: with all of
/// them 100 it picks as with all of them 1.
///
/// A backend that was never measured counts as fast as the one it is compared with, so it
/// gets as many requests at once as the others have, not all of them, until its first answer.
///
/// Somebody must call [`Load::observe`](crate::Load::observe) for every answer. For backends whose speed differs or
/// changes.
#[derive(Debug, Clone)]
pub struct PeakEwma {
    draw: Draw,
    /// Of all weights; divided by the count it is their mean.
    total: f64,
    count: f64,
}

impl PeakEwma {
    /// A table of these members. Members of weight 0 are left out.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        let weights = || members.iter().map(|m| m.weight.get()).filter(|w| *w > 0);
        Self {
            draw: Draw::new(members),
            total: weights().map(f64::from).sum(),
            count: weights().count() as f64,
        }
    }
}

impl Scheduler for PeakEwma {
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot> {
        self.draw.better_of_two(ask, |second, first| {
            let latency = |seen: &Seen<'_>| {
                let load = ask.loads.get(seen.place.slot.index())?;
                load.latency_nanos(ask.now)
            };
            let (a, b) = match (latency(first), latency(second)) {
                (Some(a), Some(b)) => (a, b),
                _ => (1.0, 1.0),
            };
            let weight = |seen: &Seen<'_>| f64::from(seen.place.weight);
            let queue = |seen: &Seen<'_>| f64::from(seen.in_flight) * self.total + weight(seen) * self.count;
            // products of whole numbers first: what is equal stays equal
            b * (queue(second) * weight(first)) < a * (queue(first) * weight(second))
        })
    }
}

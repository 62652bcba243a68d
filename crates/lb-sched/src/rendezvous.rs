use crate::placement::{hash_of, spread};
use crate::{Ask, Member, Placement, Scheduler, Seat};
use alloc::boxed::Box;
use alloc::vec::Vec;
use lb_types::Slot;

/// Rendezvous hashing (Thaler and Ravishankar, 1996): every backend draws a lot for the hash, the
/// best lot wins. **`O(backends)`** a pick, nothing to build.
///
/// When a backend goes, only its hashes move, to all others by weight; when one comes or gains weight, only
/// those it gets. Shares are by weight, with no error but that of chance: the best of the
/// hash methods for few backends.
///
/// Weighted after Schindelhauer and Schomaker (2005): a lot `u` in `0..1` counts as `w / -ln u`. The
/// logarithm is libm's, the same on every machine.
#[derive(Debug, Clone)]
pub struct Rendezvous {
    seats: Box<[Seat]>,
    /// Seats of one weight stand together: among them lots compare without a logarithm.
    keys: Box<[u64]>,
}

impl Rendezvous {
    /// A table of these members. Members of weight 0 are left out.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        let mut taking: Vec<&Member> = members.iter().filter(|m| m.weight.get() > 0).collect();
        taking.sort_by_key(|m| (m.weight, m.id));
        Self {
            seats: taking.iter().map(|m| Seat::of(m)).collect(),
            keys: taking.iter().map(|m| spread(m.id.as_u64())).collect(),
        }
    }
}

impl Placement for Rendezvous {
    fn place(&self, hash: u64, mut accepts: impl FnMut(&Seat) -> bool) -> Option<Slot> {
        let hash = spread(hash);
        let mut best: Option<(f64, Slot)> = None;
        let mut lots = self.seats.iter().zip(&self.keys).peekable();
        while let Some((seat, key)) = lots.next() {
            let mut class = None;
            let mut look = |seat: &Seat, key: u64| {
                let lot = spread(hash ^ key) >> LOST;
                if class.is_none_or(|(most, _)| lot > most) && accepts(seat) {
                    class = Some((lot, seat.slot));
                }
            };
            look(seat, *key);
            while let Some((seat, key)) = lots.next_if(|(next, _)| next.weight == seat.weight) {
                look(seat, *key);
            }
            if let Some((lot, slot)) = class {
                // neither 0 nor 1, so that the logarithm is a number below 0
                let chance = (lot as f64 + 0.5) / LOTS;
                let score = f64::from(seat.weight) / -libm::log(chance);
                if best.is_none_or(|(most, _)| score > most) {
                    best = Some((score, slot));
                }
            }
        }
        best.map(|(_, slot)| slot)
    }

    fn seats(&self) -> &[Seat] {
        &self.seats
    }
}

impl Scheduler for Rendezvous {
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot> {
        self.place(hash_of(ask), |seat| ask.accepts(seat.slot))
    }
}

/// Bits of a hash that a float cannot hold beside the half.
const LOST: u32 = 12;
const LOTS: f64 = (1_u64 << (u64::BITS - LOST)) as f64;

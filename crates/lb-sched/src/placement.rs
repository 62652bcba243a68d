use crate::{Ask, Member};
use core::fmt;
use lb_types::Slot;

/// A table that places hashes: the same hash leads to the same member as long as that member is
/// accepted, and to the same other one while it is not.
///
/// [`Ring`](crate::Ring), [`Maglev`](crate::Maglev) and [`Rendezvous`](crate::Rendezvous) are such
/// tables. As schedulers they accept whom the ask accepts; [`Bounded`](crate::Bounded) asks for
/// more. The laws: a member is found if `accepts` says yes to one every time it is asked, and the
/// same answers of `accepts` give the same member.
pub trait Placement: Send + Sync + fmt::Debug {
    /// The member for a hash: the first, in the order of this hash, that is accepted.
    /// `accepts` gets positions in [`seats`](Self::seats). Spread of the hash does not matter.
    fn place(&self, hash: u64, accepts: impl FnMut(&Seat) -> bool) -> Option<Slot>;

    /// The members that may be placed on, by position.
    fn seats(&self) -> &[Seat];
}

/// A member as a placement keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// Its place in the pool.
    pub slot: Slot,
    /// Its share, above 0.
    pub weight: u32,
}

impl Seat {
    pub(crate) fn of(member: &Member) -> Self {
        Self {
            slot: member.slot,
            weight: member.weight.get().into(),
        }
    }
}

/// The hash of an ask; one without hash is spread at random.
pub(crate) fn hash_of(ask: &Ask<'_>) -> u64 {
    ask.hash.unwrap_or(ask.entropy)
}

/// Spreads a hash that may be poor over all 64 bits, one to one.
///
/// The finaliser of MurmurHash3 (Appleby). Fixed for ever: where a client goes follows from it.
pub(crate) const fn spread(hash: u64) -> u64 {
    let mut h = hash;
    h ^= h >> 33;
    h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
    h ^= h >> 33;
    h = h.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

/// Follows the order of a hash: the seats that `order` names, from `position` on and around, as far as
/// [`REACH`]; then all seats, from `at` on.
#[inline]
pub(crate) fn follow(
    seats: &[Seat],
    order: &[u32],
    mut position: usize,
    at: u64,
    mut accepts: impl FnMut(&Seat) -> bool,
) -> Option<Slot> {
    for _ in 0..REACH.min(order.len()) {
        if position >= order.len() {
            position = 0;
        }
        let seat = seats.get(*order.get(position)? as usize)?;
        if accepts(seat) {
            return Some(seat.slot);
        }
        position += 1;
    }
    around(seats, spread(at), accepts)
}

/// From `start` on around the seats: where to look when the order of the hash has been followed
/// long enough.
fn around(seats: &[Seat], start: u64, mut accepts: impl FnMut(&Seat) -> bool) -> Option<Slot> {
    let from = ((u128::from(start) * seats.len() as u128) >> 64) as usize;
    let (before, after) = seats.split_at_checked(from)?;
    let seat = after.iter().chain(before).find(|seat| accepts(seat))?;
    Some(seat.slot)
}

/// Places looked at in the order of a hash before each seat is asked once.
const REACH: usize = 256;

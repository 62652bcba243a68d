use crate::cursor::Lane;
use crate::{Ask, Member};
use alloc::boxed::Box;
use alloc::vec::Vec;
use lb_types::Slot;

/// A round of turns in which each slot stands as often as its weight says, spread evenly.
///
/// The order is that of smooth weighted round robin: at each turn every member gains its weight,
/// the richest (the first of equals) takes the turn and pays the sum of all weights. Weights 5:1:1
/// give `a a b a c a a`, never five turns of `a` in a row. The heaviest member comes first.
///
/// Weights are divided by their greatest common divisor: 60, 30, 20, 10 make a round of 12.
/// Building costs `O(turns * distinct weights)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    turns: Box<[Slot]>,
    members: Box<[Slot]>,
    exact: bool,
}

impl Cycle {
    /// Turns of a round. If the weights ask for more, they are scaled down to about this many and
    /// rounded (nobody below one turn), and [`is_exact`](Self::is_exact) says so. A round is then
    /// at most this long plus one turn per member.
    ///
    /// 64 KiB of slots: room for 64 backends of the largest weight, with nothing in common.
    pub const MAX_LEN: usize = 16_384;

    /// A round in which members take turns by weight. Members of weight 0 have none.
    #[must_use]
    pub fn weighted(members: &[Member]) -> Self {
        let mut shares: Vec<Share> = members.iter().filter_map(Share::of).collect();
        let total = reduce(&mut shares);
        let exact = total <= Self::MAX_LEN as u64;
        if !exact {
            for share in &mut shares {
                let turns = (share.weight * Self::MAX_LEN as u64 + total / 2) / total;
                share.weight = turns.max(1);
            }
            reduce(&mut shares);
        }
        Self {
            turns: smooth(&shares),
            members: shares.iter().map(|s| s.slot).collect(),
            exact,
        }
    }

    /// A round in which every member takes one turn, in the order given. Members of weight 0
    /// have none.
    #[must_use]
    pub fn equal(members: &[Member]) -> Self {
        let turns: Box<[Slot]> = members.iter().filter_map(Share::of).map(|s| s.slot).collect();
        Self {
            members: turns.clone(),
            turns,
            exact: true,
        }
    }

    /// The slot of each turn.
    #[must_use]
    pub fn turns(&self) -> &[Slot] {
        &self.turns
    }

    /// Are the turns exactly as the weights say?
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// Takes the next step and gives its turn to whoever has it, or to the next one accepted.
    /// A step that finds nobody is taken back.
    pub(crate) fn pick(&self, lane: Lane, ask: &Ask<'_>) -> Option<Slot> {
        if self.turns.is_empty() {
            return None;
        }
        let step = ask.cursor.next_in(lane);
        let turn = (step % self.turns.len() as u64) as usize;
        let slot = *self.turns.get(turn)?;
        if ask.accepts(slot) {
            return Some(slot);
        }
        let later = self.pick_after(turn, lane, ask);
        if later.is_none() {
            ask.cursor.untake_in(lane, step);
        }
        later
    }

    /// The turns of members that are full are left out, so that the others keep their shares
    /// among themselves; a neighbour does not inherit them.
    #[cold]
    fn pick_after(&self, turn: usize, lane: Lane, ask: &Ask<'_>) -> Option<Slot> {
        let (before, after) = self.turns.split_at(turn);
        let later = after.iter().chain(before).enumerate().skip(1).take(REACH);
        for (ahead, slot) in later {
            if ask.accepts(*slot) {
                ask.cursor.skip_in(lane, ahead as u64);
                return Some(*slot);
            }
        }
        if self.turns.len() <= REACH {
            return None;
        }
        let (before, after) = self.members.split_at(turn % self.members.len());
        after.iter().chain(before).copied().find(|slot| ask.accepts(*slot))
    }
}

/// Turns looked at before each member is asked once: a full backend of weight 256 beside one of
/// weight 1 is left behind within this many.
const REACH: usize = 256;

#[derive(Debug, Clone, Copy)]
struct Share {
    slot: Slot,
    weight: u64,
}

impl Share {
    fn of(member: &Member) -> Option<Self> {
        let weight = u64::from(member.weight.get());
        (weight > 0).then_some(Self {
            slot: member.slot,
            weight,
        })
    }
}

/// Divides the weights by their greatest common divisor; the sum that remains.
fn reduce(shares: &mut [Share]) -> u64 {
    let divisor = shares.iter().fold(0, |all, share| gcd(all, share.weight)).max(1);
    let mut total = 0;
    for share in shares {
        share.weight /= divisor;
        total += share.weight;
    }
    total
}

const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Members of one weight take the turns of their weight in order, so one account per weight is
/// enough: 1,000 backends of three weights cost three steps a turn, not 1,000.
struct Group {
    weight: u64,
    /// Position among all members (decides between equals) and slot.
    slots: Vec<(usize, Slot)>,
    next: usize,
    /// What the next member of the group owns.
    credit: i64,
}

fn smooth(shares: &[Share]) -> Box<[Slot]> {
    let mut groups: Vec<Group> = Vec::new();
    for (position, share) in shares.iter().enumerate() {
        match groups.iter_mut().find(|g| g.weight == share.weight) {
            Some(group) => group.slots.push((position, share.slot)),
            None => groups.push(Group {
                weight: share.weight,
                slots: alloc::vec![(position, share.slot)],
                next: 0,
                credit: 0,
            }),
        }
    }
    let total: u64 = shares.iter().map(|s| s.weight).sum();
    (0..total).filter_map(|_| take_turn(&mut groups, total)).collect()
}

fn take_turn(groups: &mut [Group], total: u64) -> Option<Slot> {
    for group in groups.iter_mut() {
        group.credit += group.weight as i64;
    }
    let position = |g: &Group| g.slots.get(g.next).map_or(usize::MAX, |(position, _)| *position);
    let richest = groups.iter_mut().min_by_key(|g| (-g.credit, position(g)))?;
    let slot = richest.slots.get(richest.next)?.1;
    richest.next += 1;
    if richest.next == richest.slots.len() {
        // everybody of this weight has paid: the first is next, and owns what the last one owns
        richest.next = 0;
        richest.credit -= total as i64;
    }
    Some(slot)
}

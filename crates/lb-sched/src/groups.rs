//! From priorities and localities to tiers: who is asked first, who helps when too few are up.
//!
//! Pure; for the thread that builds schedulers. The tiers go to
//! [`Recipe::build_tiers`](crate::Recipe::build_tiers).
//!
//! ```
//! use lb_sched::groups::{Candidate, Rules, tiers};
//! use lb_sched::Member;
//! use lb_types::{BackendId, Slot, Weight};
//!
//! let member = |slot| Member { slot: Slot(slot), id: BackendId::from_u64(slot.into()), weight: Weight::ONE };
//! let main = |slot, available| Candidate { available, ..Candidate::new(member(slot)) };
//! let backup = |slot| Candidate { priority: 1, ..Candidate::new(member(slot)) };
//! let slots = |candidates: &[Candidate]| -> Vec<Vec<u32>> {
//!     let tiers = tiers(candidates, &Rules::default());
//!     tiers.iter().map(|tier| tier.iter().map(|m| m.slot.0).collect()).collect()
//! };
//!
//! // one of two is up: the backup only gets what slot 0 has no room for
//! assert_eq!(slots(&[main(0, true), main(1, false), backup(2)]), [vec![0], vec![2]]);
//! // none is up
//! assert_eq!(slots(&[main(0, false), main(1, false), backup(2)]), [vec![2]]);
//! ```

use crate::Member;
use alloc::vec::Vec;
use lb_types::Weight;

/// A backend that may stand in a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The backend. With weight 0 it stands in no tier and counts nowhere.
    pub member: Member,
    /// 0 is asked first; higher numbers are backups.
    pub priority: u8,
    /// Is it near: in the zone of this balancer?
    pub local: bool,
    /// Does it take new clients?
    pub available: bool,
}

impl Candidate {
    /// A backend of the first priority, near and available.
    #[must_use]
    pub const fn new(member: Member) -> Self {
        Self {
            member,
            priority: 0,
            local: true,
            available: true,
        }
    }
}

/// When others help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rules {
    /// Backups of the next priority take part when fewer than this many of a hundred backends of
    /// the first priority are available, counting those who already help. 0: only when none is,
    /// as with HAProxy's `backup`. 100: as soon as one is missing.
    pub join_below_percent: u8,
    /// Local backends are preferred as long as at least this many of a hundred of them are
    /// available; `None`: locality does not matter. With fewer, near and far ones share, so that the
    /// few that are left do not break down.
    pub local_above_percent: Option<u8>,
    /// Does a request go to the next tier when everybody in one is full or was tried? Without, only
    /// the first tier stands.
    pub overflow: bool,
}

impl Rules {
    /// The usual share for [`local_above_percent`](Self::local_above_percent): 70, where Envoy, too,
    /// begins to send requests elsewhere (its overprovisioning factor is 1.4).
    pub const LOCAL_ABOVE_PERCENT: u8 = 70;

    /// Backups when nobody else is left, locality ignored, overflow.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            join_below_percent: 0,
            local_above_percent: None,
            overflow: true,
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::new()
    }
}

/// The tiers that follow, the most preferred first, none of them empty. Members keep the order
/// of the candidates. `O(candidates * tiers)`; allocates.
#[must_use]
pub fn tiers(candidates: &[Candidate], rules: &Rules) -> Vec<Vec<Member>> {
    let wanted = || candidates.iter().filter(|c| c.member.weight > Weight::ZERO);
    let mut priorities: Vec<u8> = wanted().map(|c| c.priority).collect();
    priorities.sort_unstable();
    priorities.dedup();
    let Some(first) = priorities.first().copied() else {
        return Vec::new();
    };
    let available_up_to = |last: u8| wanted().filter(|c| c.available && c.priority <= last).count();
    let main = wanted().filter(|c| c.priority == first).count();
    // at 0 nobody at all is enough; a tier of nobody is left out below, and the next one stands alone
    let enough = |last: u8| available_up_to(last) * 100 >= main * usize::from(rules.join_below_percent.min(100));
    // who serves: priorities up to the first that suffices, else everybody
    let serving = priorities.iter().copied().find(|p| enough(*p));
    let last_serving = serving.or(priorities.last().copied()).unwrap_or(first);

    let mut tiers = Vec::new();
    let mut add = |within: &dyn Fn(&Candidate) -> bool| {
        let group: Vec<&Candidate> = wanted().filter(|c| within(c)).collect();
        split(&group, rules, &mut tiers);
    };
    add(&|c| c.priority <= last_serving);
    for priority in priorities.iter().filter(|p| **p > last_serving) {
        add(&|c| c.priority == *priority);
    }
    tiers.truncate(if rules.overflow { usize::MAX } else { 1 });
    tiers
}

/// One tier, or a near one and a far one.
fn split(group: &[&Candidate], rules: &Rules, tiers: &mut Vec<Vec<Member>>) {
    let local = group.iter().filter(|c| c.local).count();
    let here = group.iter().filter(|c| c.local && c.available).count();
    let prefers_local = rules
        .local_above_percent
        .is_some_and(|percent| here * 100 >= local * usize::from(percent.min(100)));
    let members = |near: Option<bool>| -> Vec<Member> {
        let taking = group.iter().filter(|c| c.available);
        let matching = taking.filter(|c| near.is_none_or(|near| c.local == near));
        matching.map(|c| c.member).collect()
    };
    let made = if prefers_local {
        [members(Some(true)), members(Some(false))]
    } else {
        [members(None), Vec::new()]
    };
    tiers.extend(made.into_iter().filter(|tier| !tier.is_empty()));
}

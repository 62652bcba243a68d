use super::backend::Backend;
use super::compare::{Contender, SimulationError};
use super::engine::POOL;
use super::traffic::key;
use lb_sched::{Ask, Cursor, Limit, Load, Member, Usable};
use lb_types::{BackendId, Slot, Time};
use std::sync::Arc;

/// How many keys change their backend when one is lost or added. Each is a part of all keys, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Moved {
    /// Keys that move when the last backend is lost.
    pub lost: f64,
    /// Keys of the lost backend: these must move.
    pub lost_least: f64,
    /// Keys that move when one more joins with the weight of the last.
    pub added: f64,
    /// The share of the new backend: these should move, if it shall have its share.
    pub added_least: f64,
}

/// Places 20,000 keys on idle backends, with and without the last one, and with one more. `None` for algorithms that
/// do not place by hash.
pub(crate) fn moved(contender: &Contender, backends: &[Backend]) -> Result<Option<Moved>, SimulationError> {
    let member = |(place, backend): (usize, &Backend)| Member {
        slot: Slot(place as u32),
        id: BackendId::of(POOL, &backend.name),
        weight: backend.weight,
    };
    if !contender.recipe().algorithm.uses_hash() {
        return Ok(None);
    }
    let all: Vec<Member> = backends
        .iter()
        .enumerate()
        .map(member)
        .filter(|m| m.weight.get() > 0)
        .collect();
    let Some((last, fewer)) = all.split_last().filter(|(_, fewer)| !fewer.is_empty()) else {
        return Ok(None);
    };
    let mut more = all.clone();
    more.push(Member {
        slot: Slot(backends.len() as u32),
        id: BackendId::of(POOL, "one more"),
        weight: last.weight,
    });
    let now = place(contender, &all)?;
    let share = |count: usize| count as f64 / f64::from(KEYS);
    let change = |to: &[Option<Slot>]| share(now.iter().zip(to).filter(|(a, b)| a != b).count());
    let weights: u32 = more.iter().map(|m| u32::from(m.weight.get())).sum();
    Ok(Some(Moved {
        lost: change(&place(contender, fewer)?),
        lost_least: share(now.iter().filter(|slot| **slot == Some(last.slot)).count()),
        added: change(&place(contender, &more)?),
        added_least: f64::from(last.weight.get()) / f64::from(weights.max(1)),
    }))
}

fn place(contender: &Contender, members: &[Member]) -> Result<Vec<Option<Slot>>, SimulationError> {
    let scheduler = contender.build(members, 1)?;
    let slots = members.iter().map(|m| m.slot.index() + 1).max().unwrap_or(0);
    let loads: Vec<Arc<Load>> = (0..slots).map(|_| Arc::new(Load::new())).collect();
    let (cursor, usable) = (Cursor::new(), Usable::all(slots));
    let pick = |client: u32| {
        scheduler.pick(&Ask {
            hash: Some(key(client.into())),
            entropy: 0,
            cursor: &cursor,
            usable: &usable,
            loads: &loads,
            limits: &[Limit::NONE; 0],
            now: Time::ZERO,
        })
    };
    Ok((0..KEYS).map(pick).collect())
}

/// So many keys are placed: shares are off by less than 1 %.
const KEYS: u32 = 20_000;

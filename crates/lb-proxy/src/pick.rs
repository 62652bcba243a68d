//! The choice of a backend, persistence tables included.

use crate::core::Core;
use crate::view::PoolView;
use lb_balance::{Hint, PickError, Pool, Recalled, Ticket, Tried, Why};
use lb_telemetry::End;
use lb_types::{BackendId, Time};

/// What the tables said last about a request's keys; a retry passes it on.
pub(crate) type Claims = [Option<BackendId>; Pool::STRATEGIES];

/// Picks a backend for what was recalled and claims the request's keys for it, unless another
/// request of the same client was first: then that one's backend is picked, if it can be.
pub(crate) fn pick(
    pool: &PoolView,
    recalled: &Recalled,
    claims: &mut Claims,
    tried: &Tried,
    core: &Core,
) -> Result<Ticket, End> {
    let now = core.now().mono;
    let tables = &pool.entry.tables;
    let first = tried.is_empty();
    let mut hint = recalled.resolve(|strategy, key| {
        let seen = tables.get(strategy)?.as_ref()?.lookup_memory(key, now);
        if first && let Some(claim) = claims.get_mut(strategy) {
            *claim = seen;
        }
        seen
    });
    if first && hint.parts().0.is_some() {
        core.counters.persist_hit();
    } else if first && recalled.lookups().next().is_some() {
        core.counters.persist_miss();
    }
    let mut picker = pool.picker.borrow_mut();
    let mut ticket = picker.pick(hint, tried, now).map_err(end_of)?;
    let chosen = ticket.backend().id;
    // A backend that is full is not dead: its client keeps its entry.
    if ticket.why() == Why::Overflow {
        return Ok(ticket);
    }
    let agreed = claim(pool, recalled, claims, chosen, now);
    if agreed != chosen {
        hint = match hint.parts() {
            (_, Some(hash)) => Hint::PreferElse(agreed, hash),
            (_, None) => Hint::Prefer(agreed),
        };
        drop(ticket);
        ticket = picker.pick(hint, tried, now).map_err(end_of)?;
        if ticket.backend().id != agreed && ticket.why() != Why::Overflow {
            // The one that was first chose a backend that is gone meanwhile.
            let _ = claim(pool, recalled, claims, ticket.backend().id, now);
        }
    }
    Ok(ticket)
}

fn claim(pool: &PoolView, recalled: &Recalled, claims: &mut Claims, chosen: BackendId, now: Time) -> BackendId {
    let mut agreed = chosen;
    for (strategy, key) in recalled.lookups() {
        if let (Some(Some(table)), Some(seen)) = (pool.entry.tables.get(strategy), claims.get_mut(strategy)) {
            agreed = table.claim(*key, *seen, agreed, now);
            *seen = Some(agreed);
        }
    }
    agreed
}

fn end_of(error: PickError) -> End {
    match error {
        PickError::AllBusy => End::BackendsBusy,
        _ => End::NoBackend,
    }
}

//! Does a request that enters somewhere come back to us for ever?

use super::pool::Pools;
use crate::plan::{Listener, Plan};
use crate::problem::Sink;
use crate::{Kind, Problem};
use lb_types::Address;

/// Reports backends through which a listener reaches itself, directly or over other listeners of ours.
pub(super) fn report(plan: &Plan, pools: &Pools, sink: &Sink) {
    // Which listener leads to which, over which backend of which pool.
    let mut steps = Vec::new();
    for (from, listener) in plan.listeners.iter().enumerate() {
        for forward in listener.forwards() {
            let Some(pool) = plan.pools.get(forward.pool) else {
                continue;
            };
            for (slot, backend) in pool.backends.iter().enumerate() {
                for (to, target) in plan.listeners.iter().enumerate() {
                    if receives(target, backend.address) {
                        steps.push((from, to, forward.pool, slot));
                    }
                }
            }
        }
    }
    let mut told = Vec::new();
    for &(from, to, pool, slot) in &steps {
        if told.contains(&(pool, slot)) || !reaches(&steps, to, from) {
            continue;
        }
        told.push((pool, slot));
        let (Some(listener), Some(target)) = (plan.listeners.get(from), plan.listeners.get(to)) else {
            continue;
        };
        let span = pools.list.get(pool).and_then(|pool| pool.backend_spans.get(slot));
        let problem = Problem::error(
            Kind::ForwardingLoop,
            format!("listener \"{}\" sends requests back to itself", listener.name),
        );
        let label = format!(
            "this backend is our own listener \"{}\" ({})",
            target.name, target.address
        );
        sink.push(match span {
            Some(span) => problem.at(span.clone(), label),
            None => problem,
        });
    }
}

/// Would a connection to `address` from this machine end at `listener`?
fn receives(listener: &Listener, address: Address) -> bool {
    let Address::Ip(address) = address else { return false };
    let own = listener.address;
    // Port 0 stands for an address that could not be read: two of those are no loop.
    if own.port() == 0 {
        return false;
    }
    let everywhere = own.ip().is_unspecified() && address.ip().to_canonical().is_loopback();
    let family = own.is_ipv6() || address.ip().to_canonical().is_ipv4();
    own.port() == address.port() && (own.ip().to_canonical() == address.ip().to_canonical() || (everywhere && family))
}

fn reaches(steps: &[(usize, usize, usize, usize)], from: usize, to: usize) -> bool {
    let mut seen = vec![from];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        for &(_, next, _, _) in steps.iter().filter(|step| step.0 == at) {
            if !seen.contains(&next) {
                seen.push(next);
                open.push(next);
            }
        }
    }
    false
}

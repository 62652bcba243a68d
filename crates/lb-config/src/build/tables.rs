//! Which table of known clients a strategy goes on with.

use crate::plan::ClientIp;
use lb_balance::Pool;
use lb_persist::{KeyShape, WhenFull};
use lb_proxy::PoolEntry;
use lb_store::{Tables, TablesOptions};
use std::sync::Arc;

/// For each strategy that has keys: its table, and the limits that the table is to have.
pub(super) type KeptTables = [Option<(Arc<Tables>, TablesOptions)>; Pool::STRATEGIES];

/// The tables for `keyed`, one element for each strategy. A table of the pool before stays with the strategy that reads
/// its keys: first with the one in its old place, else with the only one that it can belong to.
///
/// One table never serves two strategies, nor keys of another shape.
pub(super) fn keep(keyed: Vec<Option<(KeyShape, TablesOptions)>>, previous: Option<&PoolEntry>) -> KeptTables {
    let mut old = known(previous);
    let mut kept: [Option<Arc<Tables>>; Pool::STRATEGIES] = Default::default();
    let wanted = || {
        keyed
            .iter()
            .zip(0..)
            .filter_map(|(keyed, place)| Some((&keyed.as_ref()?.0, place)))
    };
    for (shape, place) in wanted() {
        if let (Some(from), Some(to)) = (old.get_mut(place), kept.get_mut(place)) {
            *to = from.take_if(|(before, _)| before == shape).map(|(_, table)| table);
        }
    }
    let missing: Vec<_> = wanted()
        .filter(|(_, place)| kept.get(*place).is_some_and(Option::is_none))
        .collect();
    for (shape, place) in &missing {
        let is_alone = missing.iter().filter(|(other, _)| other == shape).count() == 1;
        let mut fitting = old
            .iter_mut()
            .filter(|old| old.as_ref().is_some_and(|(before, _)| before == *shape));
        if let (Some(only), None, true, Some(to)) = (fitting.next(), fitting.next(), is_alone, kept.get_mut(*place)) {
            *to = only.take().map(|(_, table)| table);
        }
    }
    let mut tables: KeptTables = Default::default();
    for ((keyed, kept), table) in keyed.into_iter().zip(kept).zip(&mut tables) {
        *table = keyed.map(|(_, options)| (kept.unwrap_or_else(|| Arc::new(Tables::new(options))), options));
    }
    tables
}

/// The tables of the pool before, each with what its keys are made from.
fn known(previous: Option<&PoolEntry>) -> [Option<(KeyShape, Arc<Tables>)>; Pool::STRATEGIES] {
    let mut known: [Option<(KeyShape, Arc<Tables>)>; Pool::STRATEGIES] = Default::default();
    let Some(entry) = previous else { return known };
    for ((strategy, table), place) in entry.pool.strategies().iter().zip(&entry.tables).zip(&mut known) {
        *place = strategy.key_shape().zip(table.clone());
    }
    known
}

/// The limits of the table of clients that are known by their address.
pub(super) fn options(client: &ClientIp) -> TablesOptions {
    let mut options = TablesOptions::new(client.capacity, client.timeout);
    options.when_full = if client.evict_oldest {
        WhenFull::EvictOldest
    } else {
        WhenFull::Refuse
    };
    options
}

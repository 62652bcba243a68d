//! What becomes of the tables of known clients when the configuration changes.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::Fake;
use lb_balance::Picker;
use lb_config::{ClientIp, Persistence, Plan, Pool, build, parse, resolve};
use lb_persist::{Facts, Key};
use lb_proxy::Snapshot;
use lb_store::Tables;
use lb_types::{BackendId, Now, Time};
use std::sync::Arc;

const BACKENDS: &str =
    "backends = [{ name = \"a\", address = \"10.0.0.1:80\" }, { name = \"b\", address = \"10.0.0.2:80\" }]";

fn plan_of(pool: &str, persistence: &str) -> Plan {
    let text = format!(
        "version = 1\n[[listeners]]\nname = \"web\"\naddress = \"127.0.0.1:8080\"\npool = \"{pool}\"\n\
         [[pools]]\nname = \"{pool}\"\n{BACKENDS}\npersistence = {persistence}\n"
    );
    resolve(&parse("lbd.toml", &text), &Fake).unwrap().plan
}

fn plan(persistence: &str) -> Plan {
    plan_of("app", persistence)
}

fn written(plan: &Plan) -> &Pool {
    plan.pools.first().unwrap()
}

/// A way to recognise clients by so many bits of their address, as the file would give it.
fn by(bits_v4: u8, bits_v6: u8) -> Persistence {
    let text = format!("{{ kind = \"client_ip\", netmask_v4 = {bits_v4}, netmask_v6 = {bits_v6} }}");
    written(&plan(&text)).persistence.first().unwrap().clone()
}

fn cookie() -> Persistence {
    written(&plan("{ kind = \"cookie_insert\" }"))
        .persistence
        .first()
        .unwrap()
        .clone()
}

fn adjusted(way: Persistence, adjust: impl FnOnce(&mut ClientIp)) -> Persistence {
    match way {
        Persistence::ClientIp(mut client) => {
            adjust(&mut client);
            Persistence::ClientIp(client)
        }
        other => other,
    }
}

/// The snapshot of a pool with these ways, behind `previous`. The file takes one way with a table for each pool today;
/// the plan takes two.
fn with(ways: &[Persistence], previous: Option<&Snapshot>) -> Arc<Snapshot> {
    let mut plan = plan("\"off\"");
    plan.pools.first_mut().unwrap().persistence = ways.to_vec();
    build(&plan, previous).unwrap().commit()
}

fn table(snapshot: &Snapshot, strategy: usize) -> &Arc<Tables> {
    snapshot.pools[0].tables[strategy].as_ref().unwrap()
}

/// The client comes, and the backend in this slot is remembered for it at each strategy.
fn remember(snapshot: &Snapshot, client: [u8; 4], slot: usize) {
    let entry = &snapshot.pools[0];
    let recalled = Picker::new(Arc::clone(&entry.pool), 7).recall(&Facts::new(client.into()), Now::default());
    for (strategy, key) in recalled.lookups() {
        let home = entry.pool.backends()[slot].id;
        assert_eq!(table(snapshot, strategy).claim(*key, None, home, Time::ZERO), home);
    }
}

/// Where the table of each strategy leads the client.
fn homes(snapshot: &Snapshot, client: [u8; 4]) -> Vec<(usize, Option<BackendId>)> {
    let entry = &snapshot.pools[0];
    let recalled = Picker::new(Arc::clone(&entry.pool), 7).recall(&Facts::new(client.into()), Now::default());
    recalled
        .lookups()
        .map(|(strategy, key)| (strategy, table(snapshot, strategy).lookup_memory(key, Time::ZERO)))
        .collect()
}

fn id(name: &str) -> BackendId {
    BackendId::of("app", name)
}

#[test]
fn after_a_reload_two_keyed_strategies_keep_a_table_each() {
    let ways = [by(32, 128), by(24, 64)];
    let before = with(&ways, None);
    assert!(!Arc::ptr_eq(table(&before, 0), table(&before, 1)));
    // The network's entry says b, the one of its first address a: in one table they would be one.
    remember(&before, [192, 0, 2, 0], 0);
    let network = Key::Client([192, 0, 2, 0].into());
    let _ = table(&before, 1).remember(network, id("b"), Time::ZERO);
    let after = with(&ways, Some(&before));
    assert!(Arc::ptr_eq(table(&after, 0), table(&before, 0)));
    assert!(Arc::ptr_eq(table(&after, 1), table(&before, 1)));
    assert_eq!(
        homes(&after, [192, 0, 2, 0]),
        [(0, Some(id("a"))), (1, Some(id("b")))],
        "each strategy finds what it remembered"
    );
    assert_eq!(homes(&after, [192, 0, 2, 7]), [(0, None), (1, Some(id("b")))]);
}

#[test]
fn strategies_that_change_places_take_their_tables_along() {
    let before = with(&[by(32, 128), by(24, 64)], None);
    let after = with(&[by(24, 64), by(32, 128)], Some(&before));
    assert!(Arc::ptr_eq(table(&after, 0), table(&before, 1)));
    assert!(Arc::ptr_eq(table(&after, 1), table(&before, 0)));
}

#[test]
fn a_strategy_behind_a_new_one_keeps_its_entries() {
    let before = with(&[by(32, 128)], None);
    remember(&before, [192, 0, 2, 0], 1);
    let after = with(&[by(24, 128), by(32, 128)], Some(&before));
    assert_eq!(homes(&after, [192, 0, 2, 0]), [(0, None), (1, Some(id("b")))]);
    // A cookie has no table: nothing stands in its place.
    let after = with(&[cookie(), by(32, 128)], Some(&before));
    assert!(after.pools[0].tables[0].is_none());
    assert_eq!(homes(&after, [192, 0, 2, 0]), [(1, Some(id("b")))]);
    // And back, when the one in front goes.
    let last = with(&[by(32, 128)], Some(&after));
    assert_eq!(homes(&last, [192, 0, 2, 0]), [(0, Some(id("b")))]);
}

#[test]
fn entries_of_other_keys_never_serve() {
    // With 32 bits 192.0.2.0 is one client, with 24 it stands for 256 of them.
    let before = with(&[by(32, 128)], None);
    remember(&before, [192, 0, 2, 0], 1);
    for other in [by(24, 128), by(31, 128), by(32, 64), by(1, 1)] {
        let after = with(&[other], Some(&before));
        assert!(table(&after, 0).is_empty());
        assert_eq!(homes(&after, [192, 0, 2, 7]), [(0, None)]);
    }
    assert_eq!(
        table(&before, 0).len(),
        1,
        "who still uses the old snapshot keeps its table"
    );
}

#[test]
fn an_option_of_one_strategy_leaves_the_other_ones_table_alone() {
    let before = with(&[by(32, 128), by(24, 64)], None);
    remember(&before, [192, 0, 2, 9], 1);
    let after = with(&[by(32, 128), by(16, 64)], Some(&before));
    assert_eq!(homes(&after, [192, 0, 2, 9]), [(0, Some(id("b"))), (1, None)]);
    let after = with(&[by(30, 128), by(24, 64)], Some(&before));
    assert_eq!(homes(&after, [192, 0, 2, 9]), [(0, None), (1, Some(id("b")))]);
}

#[test]
fn what_shapes_no_key_changes_a_table_and_keeps_its_entries() {
    let before = with(&[by(32, 128)], None);
    remember(&before, [192, 0, 2, 9], 1);
    let other = adjusted(by(32, 128), |client| {
        client.capacity = 7;
        client.evict_oldest = true;
        client.timeout = std::time::Duration::from_secs(1);
    });
    let after = with(&[other], Some(&before));
    assert!(Arc::ptr_eq(table(&after, 0), table(&before, 0)));
    assert_eq!(homes(&after, [192, 0, 2, 9]), [(0, Some(id("b")))]);
}

#[test]
fn of_two_strategies_with_the_same_keys_the_place_decides() {
    let same = [by(32, 128), by(32, 128)];
    let before = with(&same, None);
    let after = with(&same, Some(&before));
    for place in [0, 1] {
        assert!(Arc::ptr_eq(table(&after, place), table(&before, place)));
    }
    let one = with(&same[..1], Some(&before));
    assert!(Arc::ptr_eq(table(&one, 0), table(&before, 0)));
    // The first stays where it was; the new one behind it begins with nothing.
    let two = with(&same, Some(&one));
    assert!(Arc::ptr_eq(table(&two, 0), table(&one, 0)));
    assert!(!Arc::ptr_eq(table(&two, 1), table(&one, 0)));
    // Both would do for the one that moved: neither is taken.
    let moved = with(&[cookie(), by(32, 128)], Some(&with(&same, None)));
    assert!(moved.pools[0].tables[1].is_some());
}

#[test]
fn a_pool_with_two_sets_of_timeouts_keeps_one_table_for_each_strategy() {
    let text = format!(
        "version = 1\n[[listeners]]\nname = \"web\"\naddress = \"127.0.0.1:8080\"\npool = \"app\"\n\
         [[listeners.routes]]\npath = \"/slow\"\npool = \"app\"\ntimeouts = {{ response = \"5m\" }}\n\
         [[pools]]\nname = \"app\"\n{BACKENDS}\n"
    );
    let mut plan = resolve(&parse("lbd.toml", &text), &Fake).unwrap().plan;
    plan.pools.first_mut().unwrap().persistence = vec![by(32, 128), by(24, 64)];
    let before = build(&plan, None).unwrap().commit();
    let after = build(&plan, Some(&before)).unwrap().commit();
    assert_eq!(after.pools.len(), 2);
    for entry in &after.pools {
        for place in [0, 1] {
            assert!(Arc::ptr_eq(
                entry.tables[place].as_ref().unwrap(),
                table(&before, place)
            ));
        }
    }
}

#[test]
fn a_renamed_pool_is_a_new_one() {
    // Its backends have new ids, which no entry names.
    let before = build(&plan_of("app", "{ kind = \"client_ip\" }"), None)
        .unwrap()
        .commit();
    remember(&before, [192, 0, 2, 9], 1);
    let after = build(&plan_of("shop", "{ kind = \"client_ip\" }"), Some(&before))
        .unwrap()
        .commit();
    assert!(table(&after, 0).is_empty());
    assert_ne!(BackendId::of("shop", "b"), id("b"));
}

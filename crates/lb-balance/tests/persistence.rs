//! Strategies, tables and picks together, as a proxy uses them.
#![allow(clippy::unwrap_used)] // tests and their helpers

mod pool;

use lb_balance::{Hint, Picker, Pool, Recalled, Ticket, Tried, Why};
use lb_persist::{ClientIp, ClientIpOptions, CookieInsert, CookieInsertOptions, Learn, Strategy, Table, TableOptions};
use lb_sched::Algorithm;
use lb_types::{BackendId, Fields};
use pool::{Message, backends, facts, id, now, pool_of, standing};
use std::sync::Arc;
use std::time::Duration;

const KEY: [u8; 16] = [7; 16];

fn cookie(letters: &str) -> Box<dyn Strategy> {
    let ids: Vec<BackendId> = letters.chars().map(id).collect();
    Box::new(CookieInsert::new(CookieInsertOptions::default(), &KEY, &ids).unwrap())
}

fn client_ip() -> Box<dyn Strategy> {
    Box::new(ClientIp::new(ClientIpOptions::default()).unwrap())
}

fn three(strategies: Vec<Box<dyn Strategy>>) -> Arc<Pool> {
    pool_of(
        backends(&[(1, None), (1, None), (1, None)]),
        Algorithm::RoundRobin,
        strategies,
    )
}

/// One request at second `secs`: recall, pick, learn. Returns whom it got and the response.
fn exchange(picker: &mut Picker, request: &Message, secs: u64) -> (Ticket, Message) {
    let recalled = picker.recall(&facts(request), now(secs));
    let ticket = picker.pick(recalled.hint(), &Tried::new(), now(secs).mono).unwrap();
    let mut response = Message::default();
    let learned = picker
        .learn(&recalled, ticket.backend().id, &mut response, now(secs))
        .unwrap();
    assert_eq!(learned, [Learn::Nothing; Pool::STRATEGIES]);
    (ticket, response)
}

/// One connection at second `secs` with a table of client addresses.
fn connect(picker: &mut Picker, table: &mut Table, secs: u64) -> (String, Why) {
    let request = Message::default();
    let recalled = picker.recall(&facts(&request), now(secs));
    let hint = recalled.resolve(|_, key| table.lookup(key, now(secs).mono));
    let ticket = picker.pick(hint, &Tried::new(), now(secs).mono).unwrap();
    let seen = match hint {
        Hint::Prefer(id) => Some(id),
        _ => None,
    };
    for (_, key) in recalled.lookups() {
        let owner = table.claim(*key, seen, ticket.backend().id, now(secs).mono);
        assert_eq!(owner, ticket.backend().id);
    }
    (ticket.backend().name.clone(), ticket.why())
}

#[test]
fn s_persist_33_a_cookie_of_a_dead_backend_gets_a_new_backend_and_a_new_cookie() {
    let pool = three(vec![cookie("abc")]);
    let mut picker = Picker::new(Arc::clone(&pool), 1);
    let (first, response) = exchange(&mut picker, &Message::default(), 0);
    assert_eq!((first.backend().name.as_str(), first.why()), ("a", Why::Scheduled));
    let request = Message::with_cookie_of(&response);
    let (second, _) = exchange(&mut picker, &request, 1);
    assert_eq!((second.backend().name.as_str(), second.why()), ("a", Why::Persisted));

    pool.update(&[standing(0, 1, false), standing(1, 1, true), standing(2, 1, true)])
        .unwrap();
    let (third, response) = exchange(&mut picker, &request, 2);
    assert_eq!((third.backend().name.as_str(), third.why()), ("c", Why::Replaced));
    let request = Message::with_cookie_of(&response);
    for secs in 3..10 {
        let (again, response) = exchange(&mut picker, &request, secs);
        assert_eq!(
            (again.backend().name.as_str(), again.why()),
            ("c", Why::Persisted),
            "no loop"
        );
        assert_eq!(response.first("set-cookie"), None);
    }
}

#[test]
fn s_persist_33_a_cookie_of_a_removed_backend_gets_a_new_one() {
    let old = three(vec![cookie("abc")]);
    let (_, response) = exchange(&mut Picker::new(old, 1), &Message::default(), 0);
    let rest = backends(&[(1, None), (1, None)]).split_off(1);
    let new = pool_of(rest, Algorithm::RoundRobin, vec![cookie("b")]);
    let (ticket, response) = exchange(&mut Picker::new(new, 1), &Message::with_cookie_of(&response), 1);
    assert_eq!(ticket.backend().name, "b");
    assert!(response.first("set-cookie").is_some());
}

#[test]
fn s_persist_33_a_drained_backend_keeps_its_cookies_and_gets_no_new_ones() {
    let pool = three(vec![cookie("abc")]);
    let mut picker = Picker::new(Arc::clone(&pool), 1);
    let (_, response) = exchange(&mut picker, &Message::default(), 0);
    pool.update(&[standing(0, 0, true), standing(1, 1, true), standing(2, 1, true)])
        .unwrap();
    let (known, _) = exchange(&mut picker, &Message::with_cookie_of(&response), 1);
    assert_eq!((known.backend().name.as_str(), known.why()), ("a", Why::Persisted));
    for secs in 2..8 {
        assert_ne!(exchange(&mut picker, &Message::default(), secs).0.backend().name, "a");
    }
}

#[test]
fn s_sched_15_after_its_entry_expired_a_client_is_scheduled_again() {
    let pool = three(vec![client_ip()]);
    let mut picker = Picker::new(pool, 1);
    let mut table = Table::new(TableOptions::new(10, Duration::from_secs(60)));
    assert_eq!(connect(&mut picker, &mut table, 0), ("a".to_owned(), Why::Scheduled));
    for secs in [1, 60, 119, 178] {
        assert_eq!(
            connect(&mut picker, &mut table, secs),
            ("a".to_owned(), Why::Persisted),
            "{secs}"
        );
    }
    assert_eq!(
        connect(&mut picker, &mut table, 238),
        ("b".to_owned(), Why::Scheduled),
        "60 s after its last use"
    );
    assert_eq!(connect(&mut picker, &mut table, 239), ("b".to_owned(), Why::Persisted));
}

#[test]
fn a_table_entry_of_a_dead_backend_is_replaced() {
    let pool = three(vec![client_ip()]);
    let mut picker = Picker::new(Arc::clone(&pool), 1);
    let mut table = Table::new(TableOptions::new(10, Duration::from_secs(60)));
    connect(&mut picker, &mut table, 0);
    pool.update(&[standing(0, 1, false), standing(1, 1, true), standing(2, 1, true)])
        .unwrap();
    assert_eq!(connect(&mut picker, &mut table, 1), ("c".to_owned(), Why::Replaced));
    assert_eq!(connect(&mut picker, &mut table, 2), ("c".to_owned(), Why::Persisted));
}

#[test]
fn the_fallback_strategy_is_used_when_the_main_one_knows_nothing() {
    let pool = three(vec![cookie("abc"), client_ip()]);
    let mut picker = Picker::new(pool, 1);
    let mut table = Table::new(TableOptions::new(10, Duration::from_secs(60)));
    assert_eq!(connect(&mut picker, &mut table, 0), ("a".to_owned(), Why::Scheduled));
    assert_eq!(
        connect(&mut picker, &mut table, 1),
        ("a".to_owned(), Why::Persisted),
        "by address"
    );
    let recalled = picker.recall(&facts(&Message::default()), now(1));
    assert_eq!(
        recalled.lookups().map(|(strategy, _)| strategy).collect::<Vec<_>>(),
        [1]
    );
    assert_eq!(recalled.hint(), Hint::Any);
}

#[test]
fn prepare_hides_our_cookie_and_nothing_else() {
    let pool = three(vec![cookie("abc")]);
    let mut picker = Picker::new(pool, 1);
    let (_, response) = exchange(&mut picker, &Message::default(), 0);
    let ours = Message::with_cookie_of(&response).0[0].1.clone();
    let mut request = Message(vec![("Cookie".to_owned(), [b"user=1; ".as_slice(), &ours].concat())]);
    let recalled = picker.recall(&facts(&request), now(0));
    picker.prepare(&recalled, &mut request).unwrap();
    assert_eq!(request.first("cookie"), Some(b"user=1".as_slice()));
}

#[test]
fn a_pool_has_at_most_three_strategies() {
    let list = backends(&[(1, None)]);
    let strategies = vec![cookie("a"), client_ip(), client_ip(), client_ip()];
    let error = Pool::new("web", list, strategies, Algorithm::RoundRobin, &[], None).unwrap_err();
    assert_eq!(error.to_string(), "a pool has at most 3 strategies, not 4");
    let picker = Picker::new(three(Vec::new()), 1);
    assert_eq!(
        picker.recall(&facts(&Message::default()), now(0)).hint(),
        Recalled::NOTHING.hint()
    );
}

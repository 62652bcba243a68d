//! From a plan to a snapshot, and from one snapshot to the next.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::Fake;
use lb_balance::{Hint, Picker, Standing, Tried};
use lb_config::{Changes, Plan, build, parse, probe, resolve};
use lb_persist::{Facts, Key, Recall};
use lb_proxy::{HttpOptions, Service, Snapshot};
use lb_types::{Now, Slot, Time, Wall};
use std::sync::Arc;
use std::time::Duration;

fn plan(text: &str) -> Plan {
    resolve(&parse("lbd.toml", text), &Fake).unwrap().plan
}

fn file(pool: &str) -> String {
    format!(
        "version = 1\n[[listeners]]\nname = \"web\"\naddress = \"127.0.0.1:8080\"\npool = \"app\"\n\
         [[pools]]\nname = \"app\"\n{pool}\n"
    )
}

const TWO: &str = "backends = [\"10.0.0.1:80\", \"10.0.0.2:80\"]";

fn http(snapshot: &Snapshot, index: usize) -> &HttpOptions {
    match &snapshot.listeners[index].options.service {
        Service::Http(http) => http,
        other => panic!("{other:?}"),
    }
}

fn forward(snapshot: &Snapshot, host: &str, path: &str) -> usize {
    let query = lb_balance::route::Query {
        host: Some(host.as_bytes()),
        path: path.as_bytes(),
    };
    match http(snapshot, 0).routes.find(&query) {
        Some(lb_balance::route::Action::Forward(index)) => *index,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plan_becomes_listeners_routes_and_pools() {
    let plan = plan(
        r#"
        version = 1
        [log]
        access = "stdout"
        [[listeners]]
        name = "web"
        address = "127.0.0.1:8080"
        pool = "app"
        trusted_proxies = ["10.0.0.0/8"]
        forwarded = { port = false, drop_claims = false }
        limits = { body_bytes = "1MiB", min_body_rate = "1KiB", max_connections = 7 }
        [[listeners.routes]]
        host = "api.example"
        path = "/v2"
        pool = "api"
        [[listeners.routes]]
        path = "/gone"
        respond = 410
        [[listeners]]
        name = "raw"
        address = "127.0.0.1:9000"
        protocol = "tcp"
        pool = "api"
        access_log = false
        [[pools]]
        name = "app"
        backends = ["10.0.0.1:80", { address = "10.0.0.2:80", weight = 3, max_connections = 5 }]
        [[pools]]
        name = "api"
        backends = ["10.0.0.3:80"]
        "#,
    );
    let snapshot = build(&plan, None).unwrap().commit();
    assert_eq!(snapshot.serial, 1);
    assert_eq!((snapshot.listeners.len(), snapshot.pools.len()), (2, 2));
    let web = &snapshot.listeners[0].options;
    assert_eq!((web.name.as_str(), web.max_connections, web.backlog), ("web", 7, 4096));
    let options = http(&snapshot, 0);
    assert_eq!((options.limits.body_bytes, options.access_log), (Some(1 << 20), true));
    assert_eq!(options.min_body_rate.map(std::num::NonZeroU64::get), Some(1024));
    assert_eq!(options.trusted_proxies.len(), 1);
    let statements = options.statements;
    assert!(statements.address && statements.proto && !statements.port && !statements.drop_claims);
    let name = |index: usize| snapshot.pools[index].pool.name().to_owned();
    assert_eq!(name(forward(&snapshot, "api.example", "/v2/x")), "api");
    assert_eq!(name(forward(&snapshot, "api.example", "/v1")), "app");
    assert_eq!(name(forward(&snapshot, "other.example", "/")), "app");
    let gone = lb_balance::route::Query {
        host: None,
        path: b"/gone",
    };
    assert_eq!(
        options.routes.find(&gone),
        Some(&lb_balance::route::Action::Respond { status: 410 })
    );
    let Service::Tcp(raw) = &snapshot.listeners[1].options.service else {
        panic!()
    };
    assert_eq!((name(raw.pool), raw.access_log), ("api".to_owned(), false));
    let app = &snapshot.pools[forward(&snapshot, "x", "/")].pool;
    assert_eq!(app.backends()[1].max_connections, Some(5));
    assert_eq!(app.standings()[1].weight.get(), 3);
    assert_eq!(app.up_count(), 2);
}

#[test]
fn s_ops_01_a_route_with_its_own_timeouts_reaches_the_same_pool() {
    let text = file(TWO).replace(
        "[[pools]]",
        "[[listeners.routes]]\npath = \"/slow\"\npool = \"app\"\ntimeouts = { response = \"5m\" }\n[[pools]]",
    );
    let snapshot = build(&plan(&text), None).unwrap().commit();
    let (usual, slow) = (
        &snapshot.pools[forward(&snapshot, "x", "/")],
        &snapshot.pools[forward(&snapshot, "x", "/slow")],
    );
    assert_eq!(usual.options.response_timeout, Duration::from_secs(60));
    assert_eq!(slow.options.response_timeout, Duration::from_secs(300));
    assert!(
        Arc::ptr_eq(&usual.pool, &slow.pool),
        "one pool: one round, one count of requests"
    );
}

#[test]
fn a_reload_keeps_the_state_of_what_stays() {
    let persistence = "persistence = { kind = \"client_ip\" }";
    let before = build(&plan(&file(&format!("{TWO}\n{persistence}"))), None)
        .unwrap()
        .commit();
    let old = &before.pools[0];
    let busy = Arc::clone(old.pool.backends()[1].load());
    assert!(busy.try_begin(lb_sched::Limit::NONE));
    old.pool
        .update(&[
            Standing {
                slot: Slot(0),
                weight: lb_types::Weight::ONE,
                up: true,
            },
            Standing {
                slot: Slot(1),
                weight: lb_types::Weight::ONE,
                up: false,
            },
        ])
        .unwrap();
    let table = Arc::clone(old.tables[0].as_ref().unwrap());
    let client = Key::Client("192.0.2.9".parse().unwrap());
    let home = table.claim(client, None, old.pool.backends()[0].id, Time::ZERO);

    // Another order, another weight, a newcomer.
    let after = file(&format!(
        "backends = [\"10.0.0.3:80\", {{ address = \"10.0.0.2:80\", weight = 9 }}, \"10.0.0.1:80\"]\n{persistence}"
    ));
    let next = build(&plan(&after), Some(&before)).unwrap().commit();
    let new = &next.pools[0];
    assert_eq!(next.serial, 2);
    assert!(
        Arc::ptr_eq(new.pool.backends()[1].load(), &busy),
        "requests under way still count"
    );
    assert_eq!(new.pool.backends()[1].load().in_flight(), 1);
    let up: Vec<bool> = new.pool.standings().iter().map(|standing| standing.up).collect();
    assert_eq!(up, [true, false, true], "who was down is down; a newcomer is up");
    assert!(Arc::ptr_eq(new.tables[0].as_ref().unwrap(), &table));
    assert_eq!(
        new.tables[0].as_ref().unwrap().lookup_memory(&client, Time::ZERO),
        Some(home)
    );
    assert!(Arc::ptr_eq(
        &next.listeners[0].connections,
        &before.listeners[0].connections
    ));
}

#[test]
fn what_was_built_and_not_committed_changed_nothing() {
    let text = |capacity: u32| {
        file(&format!(
            "{TWO}\npersistence = {{ kind = \"client_ip\", capacity = {capacity} }}"
        ))
    };
    let before = build(&plan(&text(10_000)), None).unwrap().commit();
    let pool = &before.pools[0];
    let table = pool.tables[0].as_ref().unwrap();
    let home = pool.pool.backends()[0].id;
    let come = |client: [u8; 4]| table.claim(Key::Client(client.into()), None, home, Time::ZERO);
    for last in 0..=255 {
        let _ = come([192, 0, 2, last]);
    }
    let built = build(&plan(&text(100)), Some(&before)).unwrap();
    assert_eq!(built.snapshot().serial, 2);
    drop(built);
    let _ = come([198, 51, 100, 1]);
    assert_eq!(table.len(), 257, "the file may yet be refused: there is room as before");
    let _ = build(&plan(&text(100)), Some(&before)).unwrap().commit();
    for last in 0..=255 {
        let _ = come([203, 0, 113, last]);
    }
    // Entries lie in parts of the table, some of which may have had room.
    assert!(table.len() <= 257 + 100, "full: {} entries", table.len());
}

#[test]
fn a_backend_that_moved_to_another_address_is_not_believed_to_be_down() {
    let named = |address: &str| file(&format!("backends = [{{ name = \"b\", address = \"{address}\" }}]"));
    let before = build(&plan(&named("10.0.0.1:80")), None).unwrap().commit();
    before.pools[0]
        .pool
        .update(&[Standing {
            slot: Slot(0),
            weight: lb_types::Weight::ONE,
            up: false,
        }])
        .unwrap();
    let same = build(&plan(&named("10.0.0.1:80")), Some(&before)).unwrap().commit();
    assert_eq!(same.pools[0].pool.up_count(), 0);
    let moved = build(&plan(&named("10.0.0.9:80")), Some(&before)).unwrap().commit();
    assert_eq!(moved.pools[0].pool.up_count(), 1);
}

#[test]
fn failures_at_the_old_address_are_not_held_against_the_new_one() {
    let named = |address: &str| file(&format!("backends = [{{ name = \"b\", address = \"{address}\" }}]"));
    let before = build(&plan(&named("10.0.0.1:80")), None).unwrap().commit();
    let old = Arc::clone(before.pools[0].pool.backends()[0].load());
    old.failed(Time::ZERO);
    let same = build(&plan(&named("10.0.0.1:80")), Some(&before)).unwrap().commit();
    assert_eq!(same.pools[0].pool.backends()[0].load().failures(), 1);
    let moved = build(&plan(&named("10.0.0.9:80")), Some(&before)).unwrap().commit();
    let new = moved.pools[0].pool.backends()[0].load();
    assert_eq!(new.failures(), 0);
    // nor those of requests that are under way there
    old.failed(Time::ZERO);
    assert_eq!((new.failures(), old.failures()), (0, 2));
}

#[test]
fn successes_are_counted_where_nothing_else_would_bring_a_backend_up() {
    let counts = |health: &str| {
        let text = file(&format!("{TWO}\nhealth = {{ {health} }}"));
        let snapshot = build(&plan(&text), None).unwrap().commit();
        snapshot.pools[0].pool.spread().observe.outcomes
    };
    assert!(counts("kind = \"passive\", passive = { max_failures = 3 }"));
    assert!(!counts("kind = \"tcp\", passive = { max_failures = 3 }"), "probes do");
    assert!(counts("kind = \"tcp\", passive = { success_rate_percent = 50 }"));
    assert!(counts("kind = \"tcp\", passive = { latency_factor = 3 }"));
}

#[test]
fn a_pool_that_nobody_uses_keeps_its_state_for_later() {
    let text = format!(
        "{}[[pools]]\nname = \"later\"\nbackends = [\"10.0.0.9:80\"]\n",
        file(TWO)
    );
    let before = build(&plan(&text), None).unwrap().commit();
    let later = before.pools.iter().find(|entry| entry.pool.name() == "later").unwrap();
    let after = build(
        &plan(&text.replacen("pool = \"app\"", "pool = \"later\"", 1)),
        Some(&before),
    )
    .unwrap()
    .commit();
    let used = &after.pools[forward(&after, "x", "/")];
    assert!(Arc::ptr_eq(
        used.pool.backends()[0].load(),
        later.pool.backends()[0].load()
    ));
}

#[test]
fn s_persist_34_replicas_with_one_secret_understand_each_others_cookies() {
    let with = |secret: &str| {
        let text = format!("{TWO}\npersistence = {{ kind = \"cookie_insert\", secret = \"{secret}\" }}");
        build(&plan(&file(&text)), None).unwrap().commit()
    };
    let now = Now {
        mono: Time::ZERO,
        wall: Wall::from_secs(1_800_000_000),
    };
    let cookie = |snapshot: &Snapshot, slot: usize| {
        let pool = &snapshot.pools[0].pool;
        let mut reply = Fields::default();
        pool.strategies()[0]
            .learn(
                &Recall::Nothing,
                pool.backends()[slot].id,
                lb_persist::Reply::Head(&mut reply),
                now,
            )
            .unwrap();
        let line = reply
            .0
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
            .unwrap();
        line.1.split(';').next().unwrap().to_owned()
    };
    let recall = |snapshot: &Snapshot, cookie: &str| {
        let request = Fields(vec![("cookie".into(), cookie.into())]);
        let mut facts = Facts::new("192.0.2.1".parse().unwrap());
        facts.fields = Some(&request);
        snapshot.pools[0].pool.strategies()[0].recall(&facts, now)
    };
    let (one, two, stranger) = (
        with("correct horse battery"),
        with("correct horse battery"),
        with("another horse's battery"),
    );
    for slot in 0..2 {
        let id = one.pools[0].pool.backends()[slot].id;
        assert!(matches!(recall(&two, &cookie(&one, slot)), Recall::Backend { id: found, .. } if found == id));
        assert_eq!(recall(&stranger, &cookie(&one, slot)), Recall::Stale);
        assert!(!cookie(&one, slot).contains("10.0.0"));
    }
}

#[test]
fn without_a_secret_a_reload_still_understands_its_own_cookies() {
    let text = file(&format!("{TWO}\npersistence = {{ kind = \"cookie_insert\" }}"));
    let before = build(&plan(&text), None).unwrap().commit();
    let after = build(&plan(&text), Some(&before)).unwrap().commit();
    let debug = |snapshot: &Snapshot| {
        let pool = &snapshot.pools[0].pool;
        let mut reply = Fields::default();
        let now = Now {
            mono: Time::ZERO,
            wall: Wall::from_secs(1),
        };
        pool.strategies()[0]
            .learn(
                &Recall::Nothing,
                pool.backends()[0].id,
                lb_persist::Reply::Head(&mut reply),
                now,
            )
            .unwrap();
        reply.0
    };
    assert_eq!(debug(&before), debug(&after));
}

#[test]
fn s_health_09_the_probe_of_a_pool_carries_its_host() {
    let text = file(&format!(
        "{TWO}\nhealth = {{ kind = \"http\", path = \"/up\", host = \"app.example\", port = 8081, timeout = \"1s\" }}"
    ));
    let plan = plan(&text);
    let health = plan.pools[0].health.as_ref().unwrap();
    let probe = probe(health, plan.pools[0].backends[0].address).unwrap().unwrap();
    assert_eq!(
        (probe.address().port(), probe.timeout()),
        (Some(8081), Duration::from_secs(1))
    );
    let request = String::from_utf8(probe.request_bytes().unwrap()).unwrap();
    assert!(request.starts_with("GET /up HTTP/1.1\r\n"), "{request}");
    assert!(
        request.to_ascii_lowercase().contains("host: app.example\r\n"),
        "{request}"
    );
}

#[test]
fn changes_name_what_opens_what_closes_and_what_must_wait() {
    let old = plan(&file(TWO));
    assert!(Changes::between(&old, &old).is_empty());
    let new = plan(
        &file("backends = [\"10.0.0.1:80\", \"10.0.0.3:80\"]")
            .replace("version = 1", "version = 1\nworkers = 4")
            .replace("127.0.0.1:8080\"", "127.0.0.1:8080\"\nbacklog = 10")
            .replace(
                "[[pools]]",
                "[[listeners]]\nname = \"b\"\naddress = \"127.0.0.1:9\"\npool = \"app\"\n[[pools]]",
            ),
    );
    let changes = Changes::between(&old, &new);
    assert_eq!(
        changes.to_string(),
        "opens 127.0.0.1:9\nadds backend app/10.0.0.3:80\nremoves backend app/10.0.0.2:80\n\
         `workers` stays 0 (one per core) until the next start, then it is 4\n\
         `backlog` of listener \"web\" stays 4096 until the next start, then it is 10\n"
    );
    assert_eq!(Changes::between(&new, &old).closed, ["127.0.0.1:9".parse().unwrap()]);
    // Another protocol is another listener.
    let tcp = plan(&file(TWO).replace("pool =", "protocol = \"tcp\"\npool ="));
    let changes = Changes::between(&old, &tcp);
    assert_eq!((changes.opened.len(), changes.closed.len()), (1, 1));
}

#[derive(Debug, Default)]
struct Fields(Vec<(String, String)>);

impl lb_types::Fields for Fields {
    fn nth(&self, name: &str, index: usize) -> Option<&[u8]> {
        self.0
            .iter()
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .nth(index)
            .map(|(_, value)| value.as_bytes())
    }
}

impl lb_types::FieldsMut for Fields {
    fn append(&mut self, name: &str, value: &[u8]) -> Result<(), lb_types::InvalidField> {
        self.0
            .push((name.to_owned(), String::from_utf8(value.to_vec()).unwrap()));
        Ok(())
    }

    fn replace(&mut self, _name: &str, _index: usize, _value: &[u8]) -> Result<(), lb_types::InvalidField> {
        unreachable!("nothing is replaced here")
    }

    fn remove(&mut self, _name: &str, _index: usize) -> bool {
        unreachable!("nothing is removed here")
    }
}

/// Names of the next `count` choices, each ended at once.
fn names(snapshot: &Snapshot, hint: Hint, count: usize) -> Vec<String> {
    let mut picker = Picker::new(Arc::clone(&snapshot.pools[0].pool), 7);
    let mut name = || {
        let ticket = picker.pick(hint, &Tried::new(), Time::ZERO).unwrap();
        ticket.backend().name.clone()
    };
    (0..count).map(|_| name()).collect()
}

fn down(snapshot: &Snapshot, slots: &[u32]) {
    let pool = &snapshot.pools[0].pool;
    let mut standings = pool.standings();
    for standing in &mut standings {
        standing.up = !slots.contains(&standing.slot.0);
    }
    pool.update(&standings).unwrap();
}

#[test]
fn backups_serve_when_none_of_the_first_can_or_fewer_than_a_share() {
    let list = "backends = [{ address = \"10.0.0.1:80\", name = \"a\" }, { address = \"10.0.0.2:80\", name = \"b\" }, \
                { address = \"10.0.0.3:80\", name = \"x\", backup = true }]";
    let snapshot = build(&plan(&file(list)), None).unwrap().commit();
    assert_eq!(names(&snapshot, Hint::Any, 4), ["a", "b", "a", "b"]);
    down(&snapshot, &[0]);
    assert_eq!(names(&snapshot, Hint::Any, 3), ["b", "b", "b"]);
    down(&snapshot, &[0, 1]);
    assert_eq!(names(&snapshot, Hint::Any, 2), ["x", "x"]);
    // below 60 percent: one of two is not enough
    let snapshot = build(&plan(&file(&format!("{list}\nbackup_below_percent = 60"))), None)
        .unwrap()
        .commit();
    assert_eq!(names(&snapshot, Hint::Any, 2), ["a", "b"]);
    down(&snapshot, &[0]);
    let mut shared = names(&snapshot, Hint::Any, 4);
    shared.sort();
    assert_eq!(shared, ["b", "b", "x", "x"]);
}

#[test]
fn backends_of_the_same_zone_serve_first() {
    let list = "backends = [{ address = \"10.0.0.1:80\", name = \"far\", zone = \"eu-1b\" }, \
                { address = \"10.0.0.2:80\", name = \"near\", zone = \"eu-1a\" }, { address = \"10.0.0.3:80\", name = \"nowhere\" }]";
    let text = file(list).replace("version = 1", "version = 1\nzone = \"eu-1a\"");
    let snapshot = build(&plan(&text), None).unwrap().commit();
    assert_eq!(names(&snapshot, Hint::Any, 3), ["near", "near", "near"]);
    down(&snapshot, &[1]);
    let mut shared = names(&snapshot, Hint::Any, 4);
    shared.sort();
    assert_eq!(shared, ["far", "far", "nowhere", "nowhere"]);
    // without zones at the backends, the zone of the process means nothing
    let plain = file(TWO).replace("version = 1", "version = 1\nzone = \"eu-1a\"");
    assert_eq!(build(&plan(&plain), None).unwrap().commit().pools[0].pool.up_count(), 2);
}

#[test]
fn what_a_pool_places_by_stands_behind_its_persistence() {
    let text = file(&format!(
        "{TWO}\nalgorithm = \"maglev\"\nhash = {{ parameter = \"id\" }}\nbounded_load_percent = 125\npersistence = {{ kind = \"client_ip\" }}"
    ));
    let snapshot = build(&plan(&text), None).unwrap().commit();
    let pool = &snapshot.pools[0].pool;
    let facts = Facts {
        target: Some(b"/basket?id=7"),
        ..Facts::new([192, 0, 2, 1].into())
    };
    let recalled = Picker::new(Arc::clone(pool), 1).recall(&facts, Now::default());
    assert_eq!(recalled.lookups().count(), 1);
    let by = lb_persist::HashBy::Parameter("id".into());
    assert_eq!(recalled.hint(), Hint::Hash(by.hash(&facts).unwrap()));
    assert!(snapshot.pools[0].tables[0].is_some());
    let spread = pool.spread();
    // 100 entries for each of two backends, the smallest table
    assert_eq!(spread.recipe.table_len, Some(65_537));
    assert_eq!(
        spread.recipe.bounded_load.map(lb_sched::BoundedLoad::as_percent),
        Some(125)
    );
}

#[test]
fn s_xff_11_what_the_log_leaves_out_is_how_probes_name_themselves() {
    assert!(lb_probe::USER_AGENT.starts_with(lb_proxy::PROBE_AGENT));
}

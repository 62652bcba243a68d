//! What good files mean.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::Fake;
use lb_config::{
    AccessLog, Action, AdminSocket, Check, Http, Kind, Persistence, Plan, ProbeMethod, Service, parse, resolve,
};
use lb_persist::{ClientIp, ClientIpOptions, HashBy};
use lb_sched::Algorithm;
use std::time::Duration;

fn plan(text: &str) -> Plan {
    let resolved = resolve(&parse("lbd.toml", text), &Fake).unwrap();
    assert!(resolved.warnings.is_empty(), "{}", resolved.warnings);
    resolved.plan
}

fn http<'a>(plan: &'a Plan, listener: &str) -> &'a Http {
    match &plan.listener(listener).unwrap().service {
        Service::Http(http) => http,
        other => panic!("{other:?}"),
    }
}

const SECONDS: fn(u64) -> Duration = Duration::from_secs;

/// One listener, one pool, and whatever is added in between.
fn small(listener: &str, pool: &str) -> String {
    format!(
        "version = 1\n[[listeners]]\nname = \"web\"\naddress = \"127.0.0.1:8080\"\npool = \"app\"\n{listener}\n\
         [[pools]]\nname = \"app\"\nbackends = [\"10.0.0.1:80\", \"10.0.0.2:80\"]\n{pool}\n"
    )
}

#[test]
fn s_health_07_a_check_page_that_a_program_makes_is_advised_against() {
    let advice = |path: &str| {
        let health = format!("health = {{ kind = \"http\", path = \"{path}\" }}");
        let resolved = resolve(&parse("lbd.toml", &small("", &health)), &Fake).unwrap();
        resolved.warnings
    };
    for path in [
        "/health.php",
        "/a/check.ASP",
        "/x.aspx?deep=1",
        "/x.jsp",
        "/cgi/up.cgi",
        "/up.php/ready",
    ] {
        let advice = advice(path).to_string();
        assert!(advice.contains("check a small static page"), "{path}: {advice}");
    }
    for path in ["/", "/health.html", "/healthz", "/php", "/health?page=a.php"] {
        assert!(advice(path).is_empty(), "{path}: {}", advice(path));
    }
}

#[test]
fn there_is_an_admin_socket_only_when_the_file_has_the_section() {
    assert_eq!(plan(&small("", "")).admin, None);
    let admin = plan(&small("", "[admin]")).admin.unwrap();
    assert_eq!(admin, AdminSocket::new("/run/lbd/admin.sock"));
    assert_eq!(AdminSocket::DEFAULT, "/run/lbd/admin.sock");
    assert_eq!((admin.mode, admin.group), (0o600, None));
    let text = "[admin]\nsocket = \"/tmp/x.sock\"\nmode = \"660\"\ngroup = \"ops\"";
    let admin = plan(&small("", text)).admin.unwrap();
    assert_eq!(admin.socket.display().to_string(), "/tmp/x.sock");
    assert_eq!((admin.mode, admin.group.as_deref()), (0o660, Some("ops")));
    assert_eq!(
        plan(&small("", "[admin]\ngroup = \"7\""))
            .admin
            .unwrap()
            .group
            .as_deref(),
        Some("7")
    );
}

#[test]
fn the_admin_socket_of_a_file_is_found_whatever_else_is_wrong_with_it() {
    let folder = std::env::temp_dir().join(format!("lb-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("lbd.toml");
    let load = |text: &str| {
        std::fs::write(&path, text).unwrap();
        lb_config::load_admin(&path)
    };
    let found = load("version = 7\n[admin]\nsocket = \"/tmp/x.sock\"\n[[pools]]\nbackends = [\"nowhere.invalid\"]\n");
    assert_eq!(found.unwrap(), Some(AdminSocket::new("/tmp/x.sock")));
    assert_eq!(load("version = 1\n").unwrap(), None);
    let problems = load("version = 1\n[admin]\nsocket = \"x\"\n").unwrap_err();
    assert_eq!(
        problems.iter().map(|problem| problem.kind).collect::<Vec<_>>(),
        [Kind::BadPath]
    );
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(lb_config::load_admin(&path).unwrap_err().errors(), 1);
}

#[test]
fn a_small_file_has_all_defaults() {
    let plan = plan(&small("", ""));
    assert_eq!((plan.workers, plan.drain_timeout), (0, SECONDS(30)));
    assert_eq!(
        (&plan.log.access, plan.log.format.as_str()),
        (&AccessLog::Off, "combined_timed")
    );
    let listener = plan.listener("web").unwrap();
    assert_eq!(
        (listener.backlog, listener.max_connections, listener.access_log),
        (4096, 100_000, true)
    );
    let web = http(&plan, "web");
    assert_eq!(web.keep_alive_requests, 1000);
    let (timeouts, limits) = (&web.timeouts, &web.limits);
    assert_eq!(
        (timeouts.head, timeouts.body, timeouts.write),
        (SECONDS(10), SECONDS(30), SECONDS(30))
    );
    assert_eq!((timeouts.expect_continue, timeouts.tunnel), (SECONDS(1), SECONDS(60)));
    assert_eq!(
        (limits.head_bytes, limits.fields, limits.target_bytes, limits.body_bytes),
        (16_384, 100, 8_192, None)
    );
    assert_eq!((timeouts.request, web.min_body_rate), (None, None));
    assert!(!web.abort_on_half_close);
    let forward = web.forward.as_ref().unwrap();
    assert_eq!(
        (forward.timeouts.connect, forward.timeouts.response),
        (SECONDS(5), SECONDS(60))
    );
    let pool = plan.pool("app").unwrap();
    assert_eq!(
        (pool.algorithm, pool.keep_alive),
        (Algorithm::WeightedRoundRobin, Duration::from_millis(1_500))
    );
    assert_eq!(
        (
            pool.max_idle_connections,
            pool.retries.attempts,
            pool.retries.budget_percent
        ),
        (512, 2, 20)
    );
    assert_eq!((pool.health.is_none(), pool.persistence.len()), (true, 0));
    let names: Vec<_> = pool
        .backends
        .iter()
        .map(|backend| (backend.name.as_str(), backend.weight.get()))
        .collect();
    assert_eq!(names, [("10.0.0.1:80", 1), ("10.0.0.2:80", 1)]);
}

#[test]
fn s_ops_01_global_is_overruled_by_listener_that_by_route_that_by_pool() {
    let plan = plan(
        r#"
        version = 1

        [timeouts]
        connect = "1s"
        response = "10s"
        head = "3s"
        upstream_keep_alive = "7s"

        [limits]
        fields = 50
        max_connections = 1000
        body_bytes = "1MiB"

        [[listeners]]
        name = "plain"
        address = "127.0.0.1:8080"
        pool = "app"

        [[listeners]]
        name = "own"
        address = "127.0.0.1:8081"
        pool = "app"
        timeouts = { response = "20s", head = "4s" }
        limits = { fields = 60 }

        [[listeners.routes]]
        path = "/report"
        pool = "app"
        timeouts = { response = "30s" }

        [[listeners.routes]]
        path = "/slow"
        pool = "slow"
        timeouts = { response = "30s" }

        [[pools]]
        name = "app"
        backends = ["10.0.0.1:80"]

        [[pools]]
        name = "slow"
        backends = ["10.0.0.2:80"]
        timeouts = { response = "40s", upstream_keep_alive = "9s" }
        limits = { fields = 70 }
        "#,
    );
    let (plain, own) = (http(&plan, "plain"), http(&plan, "own"));
    let response = |forward: &lb_config::Forward| forward.timeouts.response;
    let route = |index: usize| match &own.routes[index].action {
        Action::Forward(forward) => forward,
        other => panic!("{other:?}"),
    };
    assert_eq!(response(plain.forward.as_ref().unwrap()), SECONDS(10), "global");
    assert_eq!(
        response(own.forward.as_ref().unwrap()),
        SECONDS(20),
        "listener over global"
    );
    assert_eq!(response(route(0)), SECONDS(30), "route over listener");
    assert_eq!(response(route(1)), SECONDS(40), "pool over route");
    assert_eq!(
        route(1).timeouts.connect,
        SECONDS(1),
        "what is set nowhere else is global"
    );
    assert_eq!((plain.timeouts.head, own.timeouts.head), (SECONDS(3), SECONDS(4)));
    assert_eq!((plain.limits.fields, own.limits.fields), (50, 60));
    assert_eq!(plan.listener("own").unwrap().max_connections, 1000);
    let keep_alive = |name| plan.pool(name).unwrap().keep_alive;
    assert_eq!((keep_alive("app"), keep_alive("slow")), (SECONDS(7), SECONDS(9)));
    assert_eq!((plan.pools[0].limits.fields, plan.pools[1].limits.fields), (50, 70));
    assert_eq!(
        plan.pools[0].limits.body_bytes, None,
        "a limit of requests does not cut responses"
    );
}

#[test]
fn s_ka_02_two_listeners_have_two_keep_alive_times() {
    let text = small(
        "timeouts = { keep_alive = \"10s\" }\nlimits = { keep_alive_requests = 100 }\n\
         [[listeners]]\nname = \"second\"\naddress = \"127.0.0.1:8081\"\npool = \"app\"\n\
         timeouts = { keep_alive = \"2m\" }\n\
         [[listeners]]\nname = \"third\"\naddress = \"127.0.0.1:8082\"\npool = \"app\"\n",
        "",
    );
    let plan = plan(&text);
    assert_eq!(http(&plan, "web").timeouts.keep_alive, SECONDS(10));
    assert_eq!(http(&plan, "web").keep_alive_requests, 100);
    assert_eq!(http(&plan, "second").timeouts.keep_alive, SECONDS(120));
    assert_eq!(
        http(&plan, "third").timeouts.keep_alive,
        SECONDS(75),
        "S-KA-01: 75 s by default"
    );
}

#[test]
fn s_persist_32_two_cookie_strategies_are_refused_with_a_clear_message() {
    let secret = "secret = \"correct horse battery staple\"";
    for other in ["cookie_insert", "cookie_rewrite"] {
        let both = format!(
            "[[pools.persistence]]\nkind = \"cookie_insert\"\n{secret}\n[[pools.persistence]]\nkind = \"{other}\"\n{secret}\n"
        );
        let problems = resolve(&parse("lbd.toml", &small("", &both)), &Fake).unwrap_err();
        let conflict = problems
            .iter()
            .find(|problem| problem.kind == Kind::ConflictingPersistence)
            .unwrap();
        assert!(
            conflict.message.contains("cookie_insert") && conflict.message.contains(other),
            "{}",
            conflict.message
        );
        assert_eq!(conflict.related.len(), 1, "the other one is shown too");
    }
    // A cookie with an address behind it contradicts nothing.
    let pair = format!("persistence = [{{ kind = \"cookie_insert\", {secret} }}, {{ kind = \"client_ip\" }}]");
    assert_eq!(plan(&small("", &pair)).pools[0].persistence.len(), 2);
}

#[test]
fn s_persist_02_netmasks_make_networks_one_client() {
    let of = |table: &str| match &plan(&small("", &format!("persistence = {{ kind = \"client_ip\"{table} }}"))).pools[0]
        .persistence[..]
    {
        [Persistence::ClientIp(client)] => client.clone(),
        other => panic!("{other:?}"),
    };
    let usual = of("");
    assert_eq!((usual.netmask_v4, usual.netmask_v6), (32, 128));
    assert_eq!(
        (usual.timeout, usual.capacity, usual.evict_oldest),
        (SECONDS(1800), 100_000, false)
    );
    let own = of(", netmask_v4 = 24, netmask_v6 = 64, timeout = \"5m\", capacity = 10, when_full = \"evict_oldest\"");
    assert_eq!((own.netmask_v4, own.netmask_v6), (24, 64));
    assert_eq!((own.timeout, own.capacity, own.evict_oldest), (SECONDS(300), 10, true));
}

#[test]
fn s_cookie_12_every_attribute_of_the_cookie_is_settable() {
    let of = |table: &str| match &plan(&small(
        "",
        &format!("[pools.persistence]\nkind = \"cookie_insert\"\nsecret_file = \"/etc/lbd/secret\"\n{table}"),
    ))
    .pools[0]
        .persistence[..]
    {
        [Persistence::CookieInsert(cookie)] => cookie.clone(),
        other => panic!("{other:?}"),
    };
    let usual = of("");
    let name = lb_persist::CookieInsertOptions::default_name("app");
    assert_eq!(
        (usual.name.as_str(), usual.path.as_str(), &usual.domain),
        (name.as_str(), "/", &None)
    );
    assert_eq!(
        (usual.max_age, usual.secure, usual.http_only, usual.partitioned),
        (None, false, true, false)
    );
    assert_eq!(
        (usual.same_site, usual.mark_private, usual.forward_to_backend),
        (None, true, false)
    );
    assert!(usual.secret.is_some());
    let own = of(
        "name = \"route\"\ndomain = \"example.com\"\npath = \"/pages\"\nmax_age = \"1h\"\nhttp_only = false\n\
         secure = true\nsame_site = \"none\"\npartitioned = true\nmark_private = false\nforward_to_backend = true\n\
         refresh = \"always\"\n",
    );
    assert_eq!(
        (own.name.as_str(), own.path.as_str(), own.domain.as_deref()),
        ("route", "/pages", Some("example.com"))
    );
    assert_eq!(
        (own.max_age, own.secure, own.http_only, own.partitioned),
        (Some(SECONDS(3600)), true, false, true)
    );
    assert_eq!(
        (own.same_site, own.mark_private),
        (Some(lb_persist::SameSite::None), false)
    );
    assert_eq!(
        (own.forward_to_backend, own.refresh),
        (true, lb_persist::Refresh::Always)
    );
}

#[test]
fn s_health_08_parameters_have_defaults_ranges_and_a_worst_case() {
    let of = |table: &str| {
        plan(&small("", &format!("[pools.health]\n{table}"))).pools[0]
            .health
            .clone()
            .unwrap()
    };
    let usual = of("kind = \"http\"");
    let rules = usual.rules.options();
    assert_eq!(
        (rules.interval, usual.timeout, rules.rise, rules.fall),
        (SECONDS(5), SECONDS(2), 3, 3)
    );
    // Dead just after a good probe; an interval stretched by a tenth, two probes that take their timeout, each a second
    // after the one before at the earliest, and the last one's timeout.
    assert_eq!(
        usual.worst_detection(),
        Duration::from_millis(5_500 + 2 * 2_000 + 2_000)
    );
    let own = of(
        "kind = \"http\"\ninterval = \"2s\"\ntimeout = \"1s\"\nrise = 2\nfall = 4\njitter_percent = 0\nport = 8081\n\
         path = \"/healthz\"\nmethod = \"HEAD\"\nhost = \"app.example\"\nstatus = [200, \"300-399\"]\n\
         interval_down = \"500ms\"\nslow_start = \"10s\"\nmax_failures = 5\n",
    );
    let rules = own.rules.options();
    assert_eq!(
        (rules.interval, own.timeout, rules.rise, rules.fall),
        (SECONDS(2), SECONDS(1), 2, 4)
    );
    assert_eq!(
        (rules.interval_down, rules.slow_start, rules.max_failures),
        (Some(Duration::from_millis(500)), SECONDS(10), Some(5))
    );
    assert_eq!(own.port, Some(8081));
    assert_eq!(own.worst_detection(), SECONDS(2 + 3 + 1));
    assert_eq!(own.worst_recovery(), SECONDS(2 + 1));
    let Check::Http(check) = &own.check else {
        panic!("{own:?}")
    };
    assert_eq!(
        (check.method, check.path.as_str(), check.host.as_deref()),
        (ProbeMethod::Head, "/healthz", Some("app.example"))
    );
    let status: Vec<_> = check.status.iter().map(ToString::to_string).collect();
    assert_eq!(status, ["200", "300-399"]);
    assert_eq!(
        of("kind = \"tcp\"\ninterval = \"1s\"").timeout,
        SECONDS(1),
        "never longer than the interval by itself"
    );
    // Each limit from both sides.
    for (key, good, bad) in [
        ("interval", ["\"10ms\"", "\"1h\""], ["\"9ms\"", "\"1h1ms\""]),
        ("timeout", ["\"1ms\"", "\"5s\""], ["\"0s\"", "\"301s\""]),
        ("rise", ["1", "1000"], ["0", "1001"]),
        ("fall", ["1", "1000"], ["0", "1001"]),
        ("jitter_percent", ["0", "50"], ["-1", "51"]),
        ("port", ["1", "65535"], ["0", "65536"]),
        ("slow_start", ["\"0s\"", "\"1h\""], ["\"-1s\"", "\"61m\""]),
        ("status", ["[200]", "[\"599-599\"]"], ["[199]", "[\"200-600\"]"]),
    ] {
        for value in good {
            let text = small("", &format!("[pools.health]\nkind = \"http\"\n{key} = {value}"));
            assert!(resolve(&parse("lbd.toml", &text), &Fake).is_ok(), "{key} = {value}");
        }
        for value in bad {
            let text = small("", &format!("[pools.health]\nkind = \"http\"\n{key} = {value}"));
            let problems = resolve(&parse("lbd.toml", &text), &Fake).unwrap_err();
            assert_eq!(problems.errors(), 1, "{problems}");
        }
    }
}

#[test]
fn s_health_10_the_policy_for_a_dead_pool_is_chosen() {
    use lb_balance::FailOpen;
    let of = |line: &str| plan(&small("", line)).pools[0].fail_open;
    assert_eq!(of(""), FailOpen::Never);
    assert_eq!(of("fail_open = \"never\""), FailOpen::Never);
    assert_eq!(of("fail_open = \"when_all_down\""), FailOpen::WhenAllDown);
    assert_eq!(of("fail_open_percent = 30"), FailOpen::Below { percent: 30 });
}

#[test]
fn host_names_are_looked_up_once_and_stay_the_name_of_the_backend() {
    let text = small("", "").replace("10.0.0.2:80", "one.internal:8000");
    let plan = plan(&text);
    let backend = &plan.pools[0].backends[1];
    assert_eq!(
        (backend.name.as_str(), backend.address.to_string().as_str()),
        ("one.internal:8000", "192.0.2.1:8000")
    );
}

#[test]
fn routes_keep_hosts_paths_and_actions() {
    let text = small(
        r#"
        [[listeners.routes]]
        hosts = ["Example.com", "*.example.com"]
        path = "/api/"
        pool = "app"

        [[listeners.routes]]
        host = "old.example"
        redirect = { to = "https://new.example/", status = 308 }

        [[listeners.routes]]
        path = "/.git"
        respond = 404
        "#,
        "",
    );
    let plan = plan(&text);
    let routes = &http(&plan, "web").routes;
    assert_eq!(
        (routes[0].hosts.join(" "), routes[0].path.as_str()),
        ("example.com *.example.com".to_owned(), "/api/")
    );
    assert_eq!(
        routes[1].action,
        Action::Redirect {
            status: 308,
            to: "https://new.example/".into()
        }
    );
    assert_eq!(
        (&routes[2].hosts[..], &routes[2].action),
        (&[][..], &Action::Respond(404))
    );
}

#[test]
fn a_tcp_listener_has_an_idle_time() {
    let plan = plan(&small(
        "protocol = \"tcp\"\ntimeouts = { idle = \"2m\", connect = \"1s\" }",
        "",
    ));
    let Service::Tcp(tcp) = &plan.listeners[0].service else {
        panic!()
    };
    assert_eq!(
        (tcp.idle, tcp.forward.pool, tcp.forward.timeouts.connect),
        (SECONDS(120), 0, SECONDS(1))
    );
}

#[test]
fn the_log_goes_where_it_is_sent() {
    let of = |value: &str| {
        plan(&format!(
            "{}[log]\naccess = \"{value}\"\nformat = \"json\"\n",
            small("", "")
        ))
        .log
    };
    assert_eq!(of("stdout").access, AccessLog::Stdout);
    assert_eq!(of("stderr").access, AccessLog::Stderr);
    assert_eq!(
        of("/var/log/lbd.log").access,
        AccessLog::File("/var/log/lbd.log".into())
    );
    assert_eq!(of("off").format, lb_telemetry::Format::Json);
}

#[test]
fn a_file_with_windows_line_ends_and_a_byte_order_mark_is_read() {
    let text = format!("\u{feff}{}", small("", "").replace('\n', "\r\n"));
    assert_eq!(plan(&text), plan(&small("", "")));
}

#[test]
fn an_inline_table_may_span_lines_as_in_toml_1_1() {
    let text = small("", "health = {\n  kind = \"http\", # a remark\n  path = \"/up\",\n}");
    assert!(plan(&text).pools[0].health.is_some());
}

#[test]
fn every_algorithm_has_its_word_and_hash_algorithms_place_by_source() {
    for algorithm in Algorithm::ALL {
        let plan = plan(&small("", &format!("algorithm = \"{algorithm}\"")).replace(
            "[\"10.0.0.1:80\",",
            "[{ address = \"10.0.0.1:80\", max_connections = 5 },",
        ));
        let pool = plan.pool("app").unwrap();
        assert_eq!(pool.algorithm, algorithm);
        let source = HashBy::Source(ClientIp::default());
        assert_eq!(pool.scheduling.hash, algorithm.uses_hash().then_some(source));
    }
}

#[test]
fn s_persist_48_requests_are_placed_by_what_the_file_names() {
    let hash = |text: &str| {
        let plan = plan(&small("", &format!("algorithm = \"ring\"\nhash = {text}")));
        plan.pool("app").unwrap().scheduling.hash.clone().unwrap()
    };
    let mut masked = ClientIpOptions::default();
    (masked.prefix_v4, masked.prefix_v6) = (24, 64);
    for (text, by) in [
        ("\"source\"", HashBy::Source(ClientIp::default())),
        (
            "{ kind = \"source\", netmask_v4 = 24, netmask_v6 = 64 }",
            HashBy::Source(ClientIp::new(masked).unwrap()),
        ),
        ("\"url\"", HashBy::Url { query: false }),
        ("{ kind = \"url\" }", HashBy::Url { query: false }),
        ("\"url_and_query\"", HashBy::Url { query: true }),
        ("{ parameter = \"id\" }", HashBy::Parameter("id".into())),
        ("{ header = \"X-User\" }", HashBy::Header("X-User".into())),
        ("{ cookie = \"sid\" }", HashBy::Cookie("sid".into())),
    ] {
        assert_eq!(hash(text), by, "{text}");
    }
}

#[test]
fn options_of_an_algorithm_and_places_in_line_are_read() {
    let text = small(
        "",
        "algorithm = \"maglev\"\nbounded_load_percent = 150\ntable_size = 655373\nbackup_below_percent = 40",
    )
    .replace("version = 1", "version = 1\nzone = \"eu-1a\"")
    .replace(
        "[\"10.0.0.1:80\", \"10.0.0.2:80\"]",
        "[{ address = \"10.0.0.1:80\", zone = \"eu-1a\" }, { address = \"10.0.0.2:80\", backup = true }, \
             { address = \"10.0.0.3:80\", priority = 3 }]",
    );
    let plan = plan(&text);
    let pool = plan.pool("app").unwrap();
    assert_eq!(plan.zone.as_deref(), Some("eu-1a"));
    let scheduling = &pool.scheduling;
    assert_eq!(
        (
            scheduling.bounded_load_percent,
            scheduling.table_size,
            scheduling.ewma_decay
        ),
        (Some(150), Some(655_373), SECONDS(10))
    );
    assert_eq!(
        (scheduling.backup_below_percent, scheduling.other_zones_below_percent),
        (40, 70)
    );
    let line: Vec<_> = pool.backends.iter().map(|b| (b.priority, b.zone.as_deref())).collect();
    assert_eq!(line, [(0, Some("eu-1a")), (1, None), (3, None)]);
}

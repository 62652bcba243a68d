//! Whatever a plan says, its text says the same; and no text makes the reader panic.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::Fake;
use lb_config::{Plan, parse, resolve};
use proptest::prelude::*;

fn read(text: &str) -> Plan {
    resolve(&parse("lbd.toml", text), &Fake)
        .unwrap_or_else(|problems| panic!("{problems}\n{text}"))
        .plan
}

/// `key = value` or nothing.
fn maybe(key: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::option::of(prop::sample::select(values))
        .prop_map(move |value| value.map_or_else(String::new, |value| format!("{key} = {value}\n")))
}

const TIMES: &[&str] = &["\"2s\"", "\"1500ms\"", "\"3m\"", "\"61s\""];

prop_compose! {
    fn upstream()(connect in maybe("connect", TIMES), response in maybe("response", TIMES)) -> String {
        format!("{connect}{response}")
    }
}

prop_compose! {
    fn client()(head in maybe("head", TIMES), body in maybe("body", TIMES), write in maybe("write", TIMES), request in maybe("request", TIMES),
                keep_alive in maybe("keep_alive", TIMES), tunnel in maybe("tunnel", TIMES)) -> String {
        format!("{head}{body}{write}{request}{keep_alive}{tunnel}")
    }
}

prop_compose! {
    fn limits()(fields in maybe("fields", &["7", "256"]), head in maybe("head_bytes", &["\"9KiB\"", "5000"]),
                body in maybe("body_bytes", &["\"none\"", "\"1GiB\"", "17"]), rate in maybe("min_body_rate", &["\"none\"", "\"1KiB\"", "240"]),
                most in maybe("max_connections", &["1", "5000"]), each in maybe("max_connections_per_client", &["1", "20"]),
                bits in maybe("client_prefix_v4", &["24", "32"]), wide in maybe("client_prefix_v6", &["48", "64"]),
                requests in maybe("keep_alive_requests", &["1", "100"])) -> String {
        format!("{fields}{head}{body}{rate}{most}{}{requests}", if each.is_empty() { each } else { each + &bits + &wide })
    }
}

/// What comes before requests and bytes, and what a listener says of TLS.
fn opening() -> impl Strategy<Value = (String, &'static str)> {
    let proxy = prop::sample::select(vec![
        "",
        "proxy_protocol = \"require\"\nproxy_protocol_from = [\"10.0.0.0/8\", \"::1\"]\n",
        "proxy_protocol = \"accept\"\nproxy_protocol_from = [\"10.0.0.0/8\"]\n",
    ]);
    let access = prop::sample::select(vec![
        "",
        "deny = [\"192.0.2.0/24\"]\n",
        "allow = [\"10.0.0.0/8\", \"2001:db8::1\"]\nallow_files = [\"/etc/lbd/friends.txt\"]\ndeny_files = \"/etc/lbd/foes.txt\"\n",
    ]);
    let tls = prop::sample::select(vec![
        "",
        "[listeners.tls]\ncertificates = \"/etc/lbd/tls\"\n",
        "[listeners.tls]\ncertificates = [\"/etc/lbd/one\", \"/etc/lbd/api.pem\"]\npassword_file = \"/etc/lbd/password\"\nstrict_sni = true\nserver_order = false\nsession_cache = 0\nticket_lifetime = \"90m\"\nticket_secret_file = \"/etc/lbd/tickets.key\"\n",
        "[listeners.tls]\ncertificates = \"/etc/lbd/tls\"\nclient_auth = \"optional\"\nauthorities = [\"/etc/lbd/ca.pem\"]\ncrl = \"/etc/lbd/crl.pem\"\nmissing_crl = \"accept\"\ndepth = 0\nmax_version = \"1.2\"\n[[listeners.tls.sites]]\nnames = [\"api.example.com\"]\ncertificates = \"/etc/lbd/api.pem\"\nclient_auth = \"required\"\nmissing_crl = \"refuse\"\nexpired_crl = \"accept\"\n[[listeners.tls.sites]]\nnames = [\"www.example.com\", \"example.com\"]\nclient_auth = \"none\"\nmax_version = \"1.3\"\nmin_version = \"1.3\"\n",
        "[[listeners.tls.sites]]\nnames = [\"api.example.com\"]\ncertificates = \"/etc/lbd/api.pem\"\n",
    ]);
    (proxy, access, tls).prop_map(|(proxy, access, tls)| (format!("{proxy}{access}"), tls))
}

prop_compose! {
    fn passthrough(index: u16)(
        routes in prop::collection::vec((0..3_usize, maybe("alpn", &["\"h2\"", "[\"h2\", \"http/1.1\"]"]), maybe("timeouts", &["{ connect = \"4s\" }"])), 0..4),
        pool in maybe("pool", &["\"p0\"", "\"p2\""]), idle in maybe("idle", TIMES), connect in maybe("connect", TIMES),
        handshake in maybe("handshake", TIMES), most in maybe("max_handshakes", &["1", "70000"]), hello in maybe("hello_bytes", &["1024", "\"63KiB\""]),
    ) -> String {
        let mut text = format!(
            "[[listeners]]\nname = \"l{index}\"\naddress = \"127.0.0.1:{}\"\nprotocol = \"tls_passthrough\"\n{pool}[listeners.limits]\n{most}{hello}[listeners.timeouts]\n{idle}{connect}{handshake}",
            9000 + index
        );
        for (place, (pool, alpn, timeouts)) in routes.into_iter().enumerate() {
            text.push_str(&format!("[[listeners.routes]]\nhosts = [\"h{place}.example\", \"*.h{place}.example\"]\n{alpn}pool = \"p{pool}\"\n{timeouts}"));
        }
        text
    }
}

prop_compose! {
    fn listener(index: u16)(
        tcp in any::<bool>(), upstream in upstream(), client in client(), limits in limits(),
        routes in prop::collection::vec((0..4_usize, upstream_or_nothing(), 0..3_usize), 0..4),
        idle in maybe("idle", TIMES), backlog in maybe("backlog", &["1", "512"]),
        log in maybe("access_log", &["true", "false"]), pool in 0..3_usize,
        trusted in maybe("trusted_proxies", &["[\"10.0.0.0/8\", \"::1\"]", "[]"]),
        abort in maybe("abort_on_half_close", &["true", "false"]),
        (before, tls) in opening(), handshake in maybe("handshake", TIMES),
        forwarded in maybe("forwarded", &["{ for = false }", "{ proto = false, port = true }", "{ drop_claims = false, port = false }"]),
    ) -> String {
        let head = format!(
            "[[listeners]]\nname = \"l{index}\"\naddress = \"127.0.0.1:{}\"\npool = \"p{pool}\"\n{backlog}{log}{before}",
            9000 + index
        );
        if tcp {
            let connect = upstream.lines().find(|line| line.starts_with("connect")).unwrap_or_default();
            let handshake = if tls.is_empty() { "" } else { &handshake };
            return format!("{head}protocol = \"tcp\"\n[listeners.timeouts]\n{idle}{connect}\n{handshake}{tls}");
        }
        let mut text = format!("{head}{trusted}{abort}{forwarded}[listeners.limits]\n{limits}[listeners.timeouts]\n{client}{upstream}");
        for (place, (action, timeouts, pool)) in routes.into_iter().enumerate() {
            let action = match action {
                0 => "respond = 404\n".to_owned(),
                1 => "redirect = { to = \"/new\\\"?\", status = 307 }\n".replace("\\\"", "x"),
                _ => format!("pool = \"p{pool}\"\n{timeouts}"),
            };
            text.push_str(&format!("[[listeners.routes]]\nhosts = [\"h{place}.example\", \"*.example\"]\npath = \"/{place}\"\n{action}"));
        }
        text.push_str(tls);
        text
    }
}

fn upstream_or_nothing() -> impl Strategy<Value = String> {
    upstream().prop_map(|lines| {
        let pairs: Vec<&str> = lines.lines().collect();
        if pairs.is_empty() {
            String::new()
        } else {
            format!("timeouts = {{ {} }}\n", pairs.join(", "))
        }
    })
}

/// An algorithm and what only it understands.
fn algorithm() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        "\"least_conn\"",
        "\"two_choices\"",
        "\"weighted_round_robin\"",
        "\"round_robin\"",
        "\"random\"",
        "\"first\"",
        "\"peak_ewma\"\newma_decay = \"3s\"",
        "\"ring\"",
        "\"ring\"\nhash = \"source\"\nbounded_load_percent = 125",
        "\"ring\"\nhash = { kind = \"source\", netmask_v6 = 64 }",
        "\"maglev\"\nhash = \"url\"\ntable_size = 65537",
        "\"maglev\"\nhash = { kind = \"url_and_query\" }",
        "\"rendezvous\"\nhash = { parameter = \"it's\" }",
        "\"rendezvous\"\nhash = { header = \"X-User\" }",
        "\"rendezvous\"\nhash = { cookie = \"sid\" }",
    ])
    .prop_map(|word| {
        if word.is_empty() {
            String::new()
        } else {
            format!("algorithm = {word}\n")
        }
    })
}

fn place_in_line() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        ", backup = true",
        ", backup = false",
        ", priority = 3, zone = \"a\"",
        ", zone = \"b\"",
    ])
}

prop_compose! {
    fn pool(index: u16)(
        weights in prop::collection::vec((0..=256_u16, any::<bool>(), prop::option::of(1..100_u32), any::<bool>(), place_in_line()), 1..6),
        algorithm in algorithm(),
        backup in maybe("backup_below_percent", &["0", "50"]), zones in maybe("other_zones_below_percent", &["70", "1"]),
        fail_open in prop::sample::select(vec!["", "fail_open = \"when_all_down\"\n", "fail_open_percent = 40\n"]),
        idle in maybe("max_idle_connections", &["0", "77"]), parsing in maybe("parsing", &["\"strict\"", "\"tolerant\""]),
        retries in maybe("retries", &["{ attempts = 0 }", "{ attempts = 5, budget_percent = 100 }"]),
        upstream in upstream(), keep in maybe("upstream_keep_alive", TIMES),
        limits in maybe("limits", &["{ head_bytes = \"64KiB\", fields = 9 }"]),
        proxy in maybe("proxy_protocol", &["\"v1\"", "\"v2\"", "{ crc = true }", "{ version = \"v2\", tlvs = [\"alpn\", \"ssl\", \"unique_id\", \"authority\"] }", "\"v1\"\ntransparent = true"]),
        tls in maybe("tls", &[
            "{}",
            "{ server_name = \"a.example\", sni = false, min_version = \"1.3\" }",
            "{ verify = \"none\", certificates = [\"/etc/lbd/client.pem\", \"/etc/lbd/client.key\"] }",
            "{ roots = [\"/etc/lbd/ca.pem\"], pins = \"key-sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\" }",
            "{ pins = \"key-sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\" }",
            "{ roots = \"system\", pins = \"sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=\" }",
        ]),
        persistence in prop::sample::select(vec![
            "",
            "persistence = \"off\"\n",
            "persistence = { kind = \"client_ip\", netmask_v4 = 24, timeout = \"7m\", when_full = \"evict_oldest\" }\n",
            "persistence = [{ kind = \"cookie_insert\", name = \"a\", max_age = \"2h\", secret = \"0123456789\\\"abcdef\", same_site = \"lax\" }, { kind = \"client_ip\" }]\n",
            "persistence = [{ kind = \"client_ip\" }, { kind = \"cookie_insert\", refresh = \"always\", secret_file = \"/etc/lbd/secret\" }]\n",
        ]),
        health in prop::sample::select(vec![
            "",
            "health = \"off\"\n",
            "health = { kind = \"passive\", max_failures = 4, slow_start = \"9s\" }\n",
            "health = { kind = \"passive\", max_failures = 4, agent = { port = 9 }, source = \"10.0.0.8\" }\n",
            "health = { kind = \"passive\", passive = { success_rate_percent = 80, eject_for = \"30s\", window = \"1m\" } }\n",
            "health = { kind = \"http\", passive = { max_failures = 2, latency_factor = 3, latency_least = \"0s\", min_requests = 1, server_errors = false, eject_for = \"1s\", eject_at_most = \"1h\", max_ejected_percent = 0 } }\n",
            "health = { kind = \"syn\", when_not_permitted = \"refuse\", address = \"10.0.0.9\", source = \"10.0.0.8\", interface = \"lo\", slow = \"1s\" }\n",
            "health = { kind = \"tcp\", send = \"a\\r\\n\\u0000\\\"\\\\\", expect_hex = \"ff 00\", proxy_protocol = \"v2_local\", read_bytes = \"1KiB\" }\n",
            "health = { kind = \"tcp\", steps = [{ expect = \"220 \" }, { send_hex = \"51ff\" }, { expect = \"é\" }], agent = { port = 9, send = \"x\\n\", address = \"10.0.0.7\", timeout = \"1s\", interval = \"3s\" } }\n",
            "health = { kind = \"udp\", send = \"ping\", expect = \"pong\", silence = \"up\" }\n",
            "health = { kind = \"udp\", send_hex = \"80\", agent = { port = 9 } }\n",
            "health = { kind = \"mysql\", user = \"lbd\", proxy_protocol = \"v1\" }\n",
            "health = { kind = \"postgresql\", user = \"lbd\" }\n",
            "health = { kind = \"redis\", proxy_protocol = \"v2\" }\n",
            "health = { kind = \"memcached\" }\n",
            "health = { kind = \"smtp\" }\n",
            "health = { kind = \"http\", method = \"OPTIONS\", location = \"/login*\", headers = [\"X-A: b\", \"C: d: e\"], user_agent = \"lbd/x\", body_bytes = \"1MiB\" }\n",
            "health = { kind = \"http\", location = \"/x\", status = [\"200-399\"] }\n",
            "health = { kind = \"tcp\", interval = \"1s\" }\n",
            "health = { kind = \"tcp\", interval = \"1s\", timeout = \"2s\", port = 9, slow_start = \"9s\", interval_changing = \"500ms\", max_failures = 4 }\n",
            "health = { kind = \"http\", path = \"/a?b\", method = \"GET\", host = \"x:1\", status = [200, \"301-303\"], body = \"it's \\\"up\\\"\", rise = 1, fall = 9, jitter_percent = 0, interval_down = \"1s\" }\n",
        ]),
    ) -> String {
        let backends: Vec<String> = weights
            .iter()
            .enumerate()
            .map(|(place, (weight, named, most, drain, line))| {
                let name = if *named { format!(", name = \"b{place}\"") } else { String::new() };
                let most = most.map_or_else(String::new, |most| format!(", max_connections = {most}"));
                format!("{{ address = \"10.{index}.0.{place}:80\", weight = {weight}{name}{most}, drain = {drain}{line} }}")
            })
            .collect();
        format!(
            "[[pools]]\nname = \"p{index}\"\nbackends = [{}]\n{algorithm}{backup}{zones}{fail_open}{idle}{parsing}{retries}{limits}{proxy}{tls}{persistence}{health}[pools.timeouts]\n{upstream}{keep}",
            backends.join(", ")
        )
    }
}

prop_compose! {
    fn file()(
        workers in maybe("workers", &["1", "0"]), zone in maybe("zone", &["\"a\""]), drain in maybe("drain_timeout", TIMES),
        log in prop::sample::select(vec!["", "[log]\naccess = \"/var/log/x y\"\n", "[log]\nformat = \"json\"\n"]),
        admin in prop::sample::select(vec!["", "[admin]\n", "[admin]\nsocket = \"/tmp/a\"\nmode = \"0660\"\ngroup = \"ops\"\n"]),
        upstream in upstream(), client in client(), limits in limits(),
        listeners in (listener(0).boxed(), listener(1).boxed(), prop_oneof![listener(2).boxed(), passthrough(2).boxed()]),
        pools in (pool(0).boxed(), pool(1).boxed(), pool(2).boxed()),
    ) -> String {
        format!(
            "version = 1\n{workers}{zone}{drain}{log}{admin}[timeouts]\n{upstream}{client}[limits]\n{limits}{}{}{}{}{}{}",
            listeners.0, listeners.1, listeners.2, pools.0, pools.1, pools.2
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_text_of_a_plan_means_the_plan(text in file()) {
        // A cookie means nothing to a tcp listener, which is an error of its own.
        prop_assume!(resolve(&parse("lbd.toml", &text), &Fake).is_ok());
        let plan = read(&text);
        let written = plan.to_toml();
        prop_assert_eq!(&read(&written), &plan, "{}", written);
        prop_assert_eq!(read(&written).to_toml(), written);
    }

    #[test]
    fn a_damaged_file_is_reported_and_never_panics(
        text in file(), places in prop::collection::vec((any::<prop::sample::Index>(), "[ -~\\n]{0,3}"), 1..4),
    ) {
        let mut text = text;
        for (place, with) in places {
            let at = place.index(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(at + 1) {
                text.replace_range(at..=at, &with);
            }
        }
        if let Err(problems) = resolve(&parse("lbd.toml", &text), &Fake) {
            prop_assert!(problems.errors() > 0);
            prop_assert!(problems.render(true).len() > 10);
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in "[\\[\\]{}=\"'#a-z0-9.,\\n \\\\-]{0,200}") {
        let problems = resolve(&parse("lbd.toml", &text), &Fake).unwrap_err();
        prop_assert!(!problems.to_string().is_empty());
    }
}

//! Paths, bodies and answers of the API.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use lb_admin::state::Listener;
use lb_admin::{Client, ClientError, Order, ServerOptions, Wish};
use lb_health::Admin;
use lb_types::Weight;
use serde_json::json;
use support::{Fake, Folder, Server, state};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

#[test]
fn a_backend_in_json_has_the_documented_fields() {
    let server = Server::start();
    let answer = server.ask("GET", "/v1/pools/app/backends/b", "");
    assert_eq!(answer.status, 200);
    assert!(
        answer.head.contains("content-type: application/json"),
        "{}",
        answer.head
    );
    assert!(answer.head.contains("cache-control: no-store"), "{}", answer.head);
    let refused = json!({
        "kind": "refused",
        "text": "connection refused",
        "mend": "start the service, or correct the port: nothing listens on that address and port",
    });
    let bad = |at: &str, ago: f64| json!({ "at": at, "seconds_ago": ago, "ok": false, "cause": refused });
    let expected = json!({
        "pool": "app",
        "name": "b",
        "id": "00000000000000aa",
        "address": "10.0.0.2:80",
        "state": "down",
        "takes": "nobody",
        "since": "2026-11-21T10:00:00.000Z",
        "since_seconds": 4.0,
        "cause": refused,
        "admin": "ready",
        "admin_ordered": false,
        "weight": { "configured": 1, "ordered": 5, "ramp_percent": 100, "agent_percent": null, "effective": 0.0, "share_percent": 0.0 },
        "in_flight": 0,
        "max_connections": 200,
        "passed_over": null,
        "failures": 2,
        "last_failure": null,
        "counts": {
            "requests": 9,
            "responses": { "2xx": 7 },
            "upstream_bytes_in": 0,
            "upstream_bytes_out": 0,
            "upstream_connects": 0,
            "upstream_reuses": 0,
            "failures": { "connect_refused": 2 },
        },
        "probe": {
            "address": "10.0.0.2:81",
            "elsewhere": true,
            "source": null,
            "next": "2026-11-21T10:00:33.000Z",
            "next_seconds": 3.0,
            "took_seconds": 0.00042,
            "certificate": null,
            "against": 0,
            "agent": null,
            "agent_note": null,
            "agent_fault": null,
            "detection_seconds": 17.5,
            "last": bad("2026-11-21T10:00:26.000Z", 4.0),
            "results": [
                bad("2026-11-21T10:00:26.000Z", 4.0),
                bad("2026-11-21T10:00:21.000Z", 9.0),
                { "at": "2026-11-21T10:00:16.000Z", "seconds_ago": 14.0, "ok": true, "cause": null },
            ],
        },
    });
    assert_eq!(answer.json(), expected);
}

#[test]
fn every_field_of_the_answer_stands_in_the_reference() {
    let reference = include_str!("../../../docs/admin.md");
    let mut missing = Vec::new();
    let mut known = |value: &serde_json::Value, before: &str| {
        for key in value.as_object().unwrap().keys() {
            let full = format!("`{before}{key}`");
            let list = format!("`{before}{key}[]`");
            if !reference.contains(&full) && !reference.contains(&list) {
                missing.push(full);
            }
        }
    };
    let value = serde_json::to_value(state()).unwrap();
    known(&value["process"], "");
    known(&value["totals"], "");
    known(&value["pools"][0], "");
    let backend = &value["pools"][0]["backends"][1];
    known(backend, "");
    let listener = serde_json::to_value(Listener::default()).unwrap();
    known(&listener, "");
    known(&listener["counts"], "");
    known(&value["pools"][0]["counts"], "");
    known(&backend["counts"], "counts.");
    known(&backend["weight"], "weight.");
    known(&backend["probe"], "probe.");
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_whole_state_and_its_parts_have_paths() {
    let server = Server::start();
    let whole = server.ask("GET", "/v1/status", "").json();
    assert_eq!(whole, serde_json::to_value(state()).unwrap());
    let one = server.ask("GET", "/v1/status?pool=static", "").json();
    assert_eq!(one["pools"].as_array().unwrap().len(), 1);
    assert_eq!(one["process"], whole["process"]);
    assert_eq!(server.ask("GET", "/v1/pools/app", "").json(), whole["pools"][0]);
    assert_eq!(server.ask("GET", "/v1/process", "").json(), whole["process"]);
    let index = server.ask("GET", "/v1", "").json();
    for path in index["paths"].as_array().unwrap() {
        let path = path["path"].as_str().unwrap();
        let real = path.replace("{pool}", "app").replace("{backend}", "a");
        let answer = server.ask("OPTIONS", &real, "");
        assert_eq!(answer.status, 405, "{path}: a path that is listed and not there");
        assert!(answer.head.contains("\r\nallow: "), "{}", answer.head);
    }
    let head = server.ask("HEAD", "/v1/status", "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn orders_are_put_forgotten_and_sent_together() {
    let server = Server::start();
    let weight = "/v1/pools/app/backends/a/weight";
    assert_eq!(
        server.ask("PUT", weight, "{\"weight\": 256}").json()["weight"]["ordered"],
        256
    );
    assert_eq!(
        server.ask("PUT", weight, "{\"weight\": 0}").json()["weight"]["ordered"],
        0
    );
    assert_eq!(
        server.ask("DELETE", weight, "").json()["weight"]["ordered"],
        json!(null)
    );
    let admin = "/v1/pools/app/backends/a/admin";
    for word in ["drain", "maintenance", "up", "ready"] {
        let answer = server.ask("PUT", admin, &json!({ "admin": word }).to_string());
        assert_eq!(answer.json()["admin"], word);
    }
    assert_eq!(server.ask("DELETE", admin, "").json()["admin"], "ready");
    let body = r#"{"orders": [{"pool": "app", "backend": "b", "weight": null, "admin": "drain"},
                              {"pool": "app", "backend": "a", "weight": 9}]}"#;
    let both = server.ask("POST", "/v1/orders", body).json();
    assert_eq!(both["backends"][0]["admin"], "drain");
    assert_eq!(both["backends"][0]["weight"]["ordered"], json!(null));
    assert_eq!(both["backends"][1]["admin"], "ready");
    assert_eq!(both["backends"][1]["weight"]["ordered"], 9);
}

#[test]
fn an_error_names_what_was_wrong_and_the_mend() {
    let server = Server::start();
    let (weight, admin) = ("/v1/pools/app/backends/a/weight", "/v1/pools/app/backends/a/admin");
    let order = |rest: &str| format!("{{\"orders\": [{{\"pool\": \"app\", \"backend\": \"a\"{rest}}}]}}");
    let two =
        r#"{"orders": [{"pool": "app", "backend": "a", "weight": 1}, {"pool": "app", "backend": "a", "weight": 2}]}"#;
    let many = format!(
        "{{\"orders\": [{}]}}",
        vec![r#"{"pool":"p","backend":"b","weight":1}"#; 1001].join(",")
    );
    for (method, target, body, status, kind, mend) in [
        (
            "GET",
            "/v1/statuss",
            "",
            404,
            "unknown_path",
            "did you mean \"/v1/status\"?",
        ),
        ("GET", "/v2/status", "", 404, "unknown_path", "version 1"),
        ("GET", "/", "", 404, "unknown_path", "/v1/status"),
        ("POST", "/v1/status", "", 405, "wrong_method", "Allow"),
        ("GET", "/v1/status?pools=app", "", 400, "bad_query", "?pool=NAME"),
        (
            "GET",
            "/v1/status?pool=%ff",
            "",
            404,
            "unknown_pool",
            "pools: app, static",
        ),
        ("GET", "/v1/pools/%ff", "", 400, "bad_path", "UTF-8"),
        (
            "GET",
            "/v1/status?pool=ap",
            "",
            404,
            "unknown_pool",
            "did you mean \"app\"?",
        ),
        (
            "PUT",
            "/v1/pools/app/backends/c/weight",
            "{\"weight\": 1}",
            404,
            "unknown_backend",
            "did you mean \"app/a\"?",
        ),
        (
            "PUT",
            "/v1/pools/app/backends/other/weight",
            "{\"weight\": 1}",
            404,
            "unknown_backend",
            "backends: a, b",
        ),
        ("PUT", weight, "", 400, "bad_json", "one JSON object"),
        ("PUT", weight, "{\"weight\": 1", 400, "bad_json", "one JSON object"),
        ("PUT", weight, "\u{0}\u{1}", 400, "bad_json", "one JSON object"),
        ("PUT", weight, "[]", 422, "bad_body", "docs/admin.md"),
        ("PUT", weight, "{}", 422, "bad_body", "docs/admin.md"),
        (
            "PUT",
            weight,
            "{\"weight\": 1, \"more\": 2}",
            422,
            "bad_body",
            "docs/admin.md",
        ),
        (
            "PUT",
            weight,
            "{\"weight\": 257}",
            422,
            "bad_weight",
            "0 (known clients only) to 256",
        ),
        ("PUT", weight, "{\"weight\": -1}", 422, "bad_weight", "256"),
        ("PUT", weight, "{\"weight\": 1.5}", 422, "bad_weight", "256"),
        ("PUT", weight, "{\"weight\": \"5\"}", 422, "bad_weight", "256"),
        (
            "PUT",
            admin,
            "{\"admin\": \"drian\"}",
            422,
            "bad_admin",
            "did you mean \"drain\"?",
        ),
        (
            "PUT",
            admin,
            "{\"admin\": \"maint\"}",
            422,
            "bad_admin",
            "did you mean \"maintenance\"?",
        ),
        (
            "PUT",
            admin,
            "{\"admin\": \"colour\"}",
            422,
            "bad_admin",
            "\"ready\", \"drain\", \"maintenance\", \"up\"",
        ),
        ("PUT", admin, "{\"admin\": 1}", 422, "bad_admin", "\"ready\""),
        (
            "POST",
            "/v1/orders",
            &order(""),
            422,
            "empty_order",
            "`admin` or `weight`",
        ),
        ("POST", "/v1/orders", two, 422, "two_orders", "one order"),
        ("POST", "/v1/orders", &many, 422, "too_many_orders", "several requests"),
        (
            "POST",
            "/v1/orders",
            "{\"orders\": [{}]}",
            422,
            "bad_body",
            "docs/admin.md",
        ),
    ] {
        let answer = server.ask(method, target, body);
        let found = answer.error();
        assert_eq!(
            (found.0, found.1.as_str()),
            (status, kind),
            "{method} {target} {body:.60}"
        );
        assert!(found.2.contains(mend), "{method} {target} {body:.60}: {}", found.2);
    }
    assert_eq!(
        server.ask("GET", "/v1/status", "").json(),
        serde_json::to_value(state()).unwrap(),
        "nothing was changed"
    );
}

#[test]
fn a_thousand_orders_are_taken_and_ten_thousand_backends_are_shown() {
    let server = Server::with(Fake::with_backends(10_000), ServerOptions::default());
    let orders: Vec<Order> = (0..1_000)
        .map(|number| Order::new("static", &format!("b{number}")).with_weight(Wish::Set(Weight::MAX)))
        .collect();
    let client = Client::new(server.folder.socket()).with_patience(support::PATIENCE);
    let seen = block_on(client.order(&orders)).unwrap();
    assert_eq!(seen.len(), 1_000);
    assert!(seen.iter().all(|backend| backend.weight.ordered == Some(256)));
    let state = block_on(client.state(None)).unwrap();
    assert_eq!(state.backends(), 10_002);
    let pool = block_on(client.state(Some("static"))).unwrap();
    assert_eq!(pool.pools[0].backends.len(), 10_000);
}

#[test]
fn the_client_reads_what_the_server_wrote() {
    let server = Server::start();
    let client = Client::new(server.folder.socket());
    assert_eq!(block_on(client.state(None)).unwrap(), state());
    let drain = Order::new("app", "a")
        .with_admin(Wish::Set(Admin::Drain))
        .with_weight(Wish::Forget);
    let seen = block_on(client.order(std::slice::from_ref(&drain))).unwrap();
    assert_eq!((seen.len(), seen[0].admin.as_str()), (1, "drain"));
    match block_on(client.state(Some("ap p&x"))).unwrap_err() {
        ClientError::Refused {
            status,
            kind,
            message,
            mend,
        } => {
            assert_eq!((status, kind.as_str()), (404, "unknown_pool"));
            assert_eq!(message, "there is no pool \"ap p&x\"");
            assert_eq!(mend, "pools: app, static");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn whoever_cannot_be_reached_is_told_apart() {
    let folder = Folder::new();
    let client = Client::new(folder.socket()).with_patience(std::time::Duration::from_millis(300));
    let ask = || block_on(client.state(None)).unwrap_err();
    assert!(matches!(ask(), ClientError::NoSocket { .. }));
    assert!(ask().to_string().contains("[admin]"));
    let listener = std::os::unix::net::UnixListener::bind(folder.socket()).unwrap();
    assert!(matches!(ask(), ClientError::Slow { .. }), "nobody answers");
    let stranger = std::thread::spawn(move || {
        use std::io::{Read, Write};
        // The one that gave up, then the one to come.
        let _ = listener.accept().unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]).unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            .unwrap();
        let _ = stream.read(&mut [0; 1024]);
    });
    let error = ask();
    assert!(matches!(error, ClientError::Broken { .. }), "{error}");
    stranger.join().unwrap();
    assert!(
        matches!(ask(), ClientError::Dead { .. }),
        "the file is left, the listener gone"
    );
    std::fs::remove_file(folder.socket()).unwrap();
    std::fs::write(folder.socket(), "").unwrap();
    assert!(matches!(ask(), ClientError::Dead { .. } | ClientError::Io { .. }));
}

#[test]
fn a_state_of_another_version_is_read_as_far_as_it_is_known() {
    let text = r#"{"process": {"pid": 9, "colour": "blue"}, "pools": [{"name": "app", "backends": [{"name": "a"}]}], "later": 1}"#;
    let state: lb_admin::state::State = serde_json::from_str(text).unwrap();
    assert_eq!((state.process.pid, state.backends()), (9, 1));
    assert_eq!(state.pools[0].backends[0].probe, None);
}

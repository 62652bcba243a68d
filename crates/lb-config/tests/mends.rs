//! What is offered is right: who writes it gets a file that is accepted.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::Fake;
use lb_config::{Plan, Problems, Severity, parse, resolve};

/// Where a text is written.
#[derive(Debug, Clone, Copy)]
enum At {
    Top,
    Listener,
    Route,
    Pool,
    Backend,
}

use At::{Backend, Listener, Pool, Route, Top};

fn file(at: At, text: &str) -> String {
    let of = |place: fn(At) -> bool| if place(at) { text } else { "" };
    let address = if matches!(at, Listener) && text.contains("address") {
        ""
    } else {
        "address = \"127.0.0.1:30080\"\n"
    };
    let route = match at {
        Route => format!("routes = [{{ {text} }}]\n"),
        _ => String::new(),
    };
    let backend = if matches!(at, Backend) {
        text
    } else {
        "\"127.0.0.1:30081\""
    };
    format!(
        "version = 1\n{}\n[[listeners]]\nname = \"web\"\n{address}pool = \"app\"\n{}\n{route}[[pools]]\nname = \"app\"\n\
         backends = [{backend}]\n{}\n",
        of(|at| matches!(at, Top)),
        of(|at| matches!(at, Listener)),
        of(|at| matches!(at, Pool)),
    )
}

fn errors(text: &str) -> Vec<String> {
    match resolve(&parse("lbd.toml", text), &Fake) {
        Ok(_) => Vec::new(),
        Err(problems) => lines(&problems),
    }
}

fn lines(problems: &Problems) -> Vec<String> {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    errors
        .map(|problem| format!("{}\n{}\n{}", problem.message, problem.label, problem.help.join("\n")))
        .collect()
}

#[test]
fn who_writes_what_is_offered_gets_a_file_that_is_accepted() {
    // Where, what is written, what the one report offers, what is written then.
    let cases = [
        (
            Listener,
            "address = 30080",
            "address = \"0.0.0.0:30080\"",
            "address = \"0.0.0.0:30080\"",
        ),
        (Pool, "tls = true", "write tls = {}", "tls = {}"),
        (
            Pool,
            "send_proxy = true",
            "proxy_protocol = \"v2\"",
            "proxy_protocol = \"v2\"",
        ),
        (
            Listener,
            "tls = true",
            "tls = { certificates = \"/etc/lbd/tls\" }",
            "tls = { certificates = \"/etc/lbd/tls\" }",
        ),
        (
            Listener,
            "tls = { certificates = \"/etc/lbd/tls\", client_auth = \"on\", authorities = \"/etc/lbd/ca.pem\" }",
            "did you mean \"required\"?",
            "tls = { certificates = \"/etc/lbd/tls\", client_auth = \"required\", authorities = \"/etc/lbd/ca.pem\" }",
        ),
        (
            Listener,
            "proxy_protocol = \"require\"",
            "proxy_protocol_from = [\"10.0.0.0/8\"]",
            "proxy_protocol = \"require\"\nproxy_protocol_from = [\"10.0.0.0/8\"]",
        ),
        (
            Listener,
            "allow = [\"/etc/lbd/friends.txt\"]",
            "allow_files = \"/etc/lbd/friends.txt\"",
            "allow_files = \"/etc/lbd/friends.txt\"",
        ),
        (
            Listener,
            "deny = [\"10.0.0.1/8\"]",
            "write \"10.0.0.0/8\" for the range",
            "deny = [\"10.0.0.0/8\"]",
        ),
        (
            Listener,
            "protocol = \"ssl_preread\"",
            "\"tls_passthrough\"",
            "protocol = \"tls_passthrough\"",
        ),
        (
            Pool,
            "tls = { pins = \"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\" }",
            "\"key-sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"",
            "tls = { pins = \"key-sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\" }",
        ),
        (
            Listener,
            "client_max_body_size = \"1m\"",
            "limits = { body_bytes = \"10MiB\" }",
            "limits = { body_bytes = \"10MiB\" }",
        ),
        (
            Listener,
            "address = \"x y\"",
            "\"0.0.0.0:8080\"",
            "address = \"0.0.0.0:8080\"",
        ),
        (
            Listener,
            "timeouts = \"5s\"",
            "timeouts = { connect = \"5s\", response = \"5s\" }",
            "timeouts = { connect = \"5s\", response = \"5s\" }",
        ),
        (
            Listener,
            "timeouts = { connect = \"0.5s\" }",
            "\"500ms\"",
            "timeouts = { connect = \"500ms\" }",
        ),
        (
            Listener,
            "timeouts = { connect = \"1,25 sec\" }",
            "\"1250ms\"",
            "timeouts = { connect = \"1250ms\" }",
        ),
        (
            Top,
            "log = \"stdout\"",
            "log = { access = \"stdout\" }",
            "log = { access = \"stdout\" }",
        ),
        (
            Route,
            "host = \"a, b.de\", respond = 404",
            "hosts = [\"a\", \"b.de\"]",
            "hosts = [\"a\", \"b.de\"], respond = 404",
        ),
        (
            Route,
            "host = \"a b\", respond = 404",
            "hosts = [\"a\", \"b\"]",
            "hosts = [\"a\", \"b\"], respond = 404",
        ),
        (
            Route,
            "host = \"[::1%eth0]\", respond = 404",
            "\"[::1]\"",
            "host = \"[::1]\", respond = 404",
        ),
        (
            Route,
            "host = \"~^a\", respond = 404",
            "\"*.example.com\"",
            "host = \"*.example.com\", respond = 404",
        ),
        (
            Route,
            "host = \"a:b:c\", respond = 404",
            "\"*.example.com\"",
            "host = \"*.example.com\", respond = 404",
        ),
        (
            Route,
            "prefix = \"/x\", respond = 404",
            "`path`",
            "path = \"/x\", respond = 404",
        ),
        (
            Route,
            "location = \"/x\", pool = \"app\"",
            "`path`",
            "path = \"/x\", pool = \"app\"",
        ),
        (
            Route,
            "path_prefix = \"/x\", pool = \"app\"",
            "`path`",
            "path = \"/x\", pool = \"app\"",
        ),
        (
            Pool,
            "health = { kind = \"http\", path = \"http://a/healthz\" }",
            "path = \"/healthz\" and host = \"a\"",
            "health = { kind = \"http\", path = \"/healthz\", host = \"a\" }",
        ),
        (
            Pool,
            "health = { kind = \"http\", path = \"https://a:8080\" }",
            "path = \"/\" and host = \"a:8080\"",
            "health = { kind = \"http\", path = \"/\", host = \"a:8080\" }",
        ),
        (
            Pool,
            "health = { kind = \"http\", expect = \"200\" }",
            "status = [200]",
            "health = { kind = \"http\", status = [200] }",
        ),
        (
            Pool,
            "health = { kind = \"http\", expect = \"ok\" }",
            "body = \"ok\"",
            "health = { kind = \"http\", body = \"ok\" }",
        ),
        (
            Pool,
            "health = { kind = \"http\", headers = [\"Host: a\"] }",
            "`host`",
            "health = { kind = \"http\", host = \"a\" }",
        ),
        (
            Pool,
            "fail_open = True",
            "fail_open = \"when_all_down\"",
            "fail_open = \"when_all_down\"",
        ),
        (Pool, "fail_open = no", "fail_open = \"never\"", "fail_open = \"never\""),
        (
            Pool,
            "fail_open = true",
            "fail_open = \"when_all_down\"",
            "fail_open = \"when_all_down\"",
        ),
        (
            Pool,
            "fail_open = false",
            "fail_open = \"never\"",
            "fail_open = \"never\"",
        ),
        (
            Pool,
            "persistence = { kind = \"client_ip\", expire = \"30m\" }",
            "`timeout` of kind = \"client_ip\"",
            "persistence = { kind = \"client_ip\", timeout = \"30m\" }",
        ),
        (
            Pool,
            "persistence = { kind = \"cookie_insert\", ttl = \"8h\" }",
            "`max_age` of kind = \"cookie_insert\"",
            "persistence = { kind = \"cookie_insert\", max_age = \"8h\" }",
        ),
        (
            Pool,
            "method = \"least_conn\"",
            "`algorithm`",
            "algorithm = \"least_conn\"",
        ),
        (
            Pool,
            "algorithm = \"random(2)\"",
            "\"two_choices\"",
            "algorithm = \"two_choices\"",
        ),
        (
            Pool,
            "algorithm = \"random(1)\"",
            "\"random\"",
            "algorithm = \"random\"",
        ),
        (
            Pool,
            "algorithm = \"hdr(X-User)\"",
            "hash = { header = \"..\" }",
            "algorithm = \"ring\"\nhash = { header = \"X-User\" }",
        ),
        (
            Pool,
            "algorithm = \"url_param id\"",
            "hash = { parameter = \"..\" }",
            "algorithm = \"ring\"\nhash = { parameter = \"id\" }",
        ),
        (
            Pool,
            "algorithm = \"hash $host$uri consistent\"",
            "algorithm = \"ring\"",
            "algorithm = \"ring\"\nhash = \"url\"",
        ),
        (
            Pool,
            "retries = 3",
            "retries = { attempts = 3 }",
            "retries = { attempts = 3 }",
        ),
        (
            Backend,
            "{ address = 30081 }",
            "address = \"127.0.0.1:30081\"",
            "{ address = \"127.0.0.1:30081\" }",
        ),
        (
            Backend,
            "\"127.0.0.1:30081 weight=3\"",
            "{ address = \"127.0.0.1:30081\", weight = 3 }",
            "{ address = \"127.0.0.1:30081\", weight = 3 }",
        ),
    ];
    let mut wrong = Vec::new();
    for (at, before, mend, after) in cases {
        match errors(&file(at, before)).as_slice() {
            [one] if one.contains(mend) => {}
            other => wrong.push(format!("{before}\n{}", other.join("\n"))),
        }
        let left = errors(&file(at, after));
        if !left.is_empty() {
            wrong.push(format!("mended: {after}\n{}", left.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_port_in_a_key_of_its_own_is_offered_with_its_address() {
    for text in [
        "address = \"127.0.0.1\"\nport = 30080",
        "address = \"::1\"\nport = \"30080\"",
    ] {
        let errors = errors(&file(Listener, text));
        assert!(!errors.is_empty());
        for error in errors {
            assert!(error.contains(":30080\"") && !error.contains(":8080"), "{error}");
        }
    }
}

#[test]
fn variables_in_a_redirect_are_refused_with_the_truth() {
    for to in [
        "https://$host$request_uri",
        "https://${1}",
        "https://{host}{uri}",
        "https://a/$1",
        "https://%[hdr(host)]/",
        "https://$http_host/",
    ] {
        let errors = errors(&file(Route, &format!("path = \"/x\", redirect = {{ to = \"{to}\" }}")));
        assert!(
            errors.len() == 1 && errors[0].contains("there is no way yet"),
            "{to}: {errors:?}"
        );
        assert!(!errors[0].contains("percent-encoded"), "{errors:?}");
    }
    for to in ["https://a/$metadata", "/price/$", "https://a/%5Bx%5D"] {
        assert_eq!(
            errors(&file(Route, &format!("path = \"/x\", redirect = {{ to = \"{to}\" }}"))),
            [""; 0],
            "{to}"
        );
    }
}

#[test]
fn x_forwarded_host_is_not_taken_for_the_port() {
    let errors = errors(&file(Listener, "forwarded = { host = true }"));
    assert!(
        errors.len() == 1 && errors[0].contains("X-Forwarded-Host"),
        "{errors:?}"
    );
}

#[test]
fn what_is_offered_on_the_command_line_is_accepted_there() {
    let run = |to: &str| Plan::from_one_liner(&["127.0.0.1:30080".into()], &[to.to_owned()], None, &Fake);
    for (wrong, right) in [
        ("127.0.0.1:80 weight=3", "127.0.0.1:80*3"),
        ("“127.0.0.1:80”", "127.0.0.1:80"),
        ("'127.0.0.1:80’", "127.0.0.1:80"),
    ] {
        let said = lines(&run(wrong).unwrap_err()).join("\n");
        assert!(
            said.contains(&format!("write {right}")) || said.contains(&format!("write \"{right}\"")),
            "{said}"
        );
        assert!(run(right).is_ok(), "{right}");
    }
}

#[test]
fn a_listener_in_the_admin_sockets_place_is_given_another() {
    let text = file(
        Listener,
        "address = \"unix:/run/lbd/admin.sock\"\n[admin]\nsocket = \"/run/lbd/admin.sock\"",
    )
    .replace("[[pools]]", "\n[[pools]]");
    let [error] = &errors(&text)[..] else {
        panic!("one error: {text}")
    };
    let mend = error
        .lines()
        .last()
        .and_then(|line| line.strip_prefix("write "))
        .unwrap();
    let mended = text.replace("address = \"unix:/run/lbd/admin.sock\"", mend);
    assert_eq!(errors(&mended), [""; 0], "{mended}");
}

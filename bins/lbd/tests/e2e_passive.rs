//! Traffic judges: whoever answers 5xx, breaks off or is far slower than the others is taken out, with probes or
//! without, and never too many at once.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use support::{Backend, Client, Config, Lbd, address, answer, elapsed, now, until};

#[test]
fn a_backend_that_answers_5xx_is_taken_out_without_any_probe_and_comes_back_on_trial() {
    let ill = Arc::new(AtomicBool::new(true));
    let moody = {
        let ill = Arc::clone(&ill);
        Backend::http(move |_| answer(if ill.load(Ordering::SeqCst) { 503 } else { 200 }, "", b"moody"))
    };
    let good = [Backend::saying("b"), Backend::saying("c")];
    let backends = [moody.address(), good[0].address(), good[1].address()];
    let (lbd, listener) = start(
        &backends,
        "health = { kind = \"passive\", passive = { max_failures = 3, eject_for = \"2s\" } }",
    );
    // an answer of the backend's own: the client gets it, and it counts
    until("the ill backend is out", || {
        Client::connect(listener).get("/");
        is_down(&lbd, backends[0]).then_some(())
    });
    let seen = moody.requests();
    let mut client = Client::connect(listener);
    let back = now();
    for _ in 0..30 {
        assert_eq!(client.get("/").status(), 200);
    }
    if elapsed(back) < Duration::from_millis(500) {
        assert_eq!(moody.requests(), seen, "nobody is sent there");
    }
    // its time is over, it is still ill: one request finds that out
    until("it was tried again and is out again", || {
        client = Client::connect(listener);
        client.get("/");
        (moody.requests() > seen && is_down(&lbd, backends[0])).then_some(())
    });
    ill.store(false, Ordering::SeqCst);
    until("it is back and up", || {
        Client::connect(listener).get("/");
        lbd.state().backend(backends[0]).contains("status=Up").then_some(())
    });
    lbd.stop();
}

#[test]
fn a_backend_that_breaks_off_is_taken_out_though_its_probes_are_good() {
    let broken = Backend::start(|mut conn| {
        if conn.request().is_ok() {
            conn.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
        }
    });
    let good = Backend::saying("good");
    let backends = [broken.address(), good.address()];
    let (lbd, listener) = start(
        &backends,
        "health = { kind = \"tcp\", interval = \"50ms\", rise = 1, passive = { max_failures = 2, eject_for = \"1h\" } }",
    );
    until("the broken backend is out", || {
        let mut client = Client::connect(listener);
        client.send("GET / HTTP/1.1\r\nHost: test.example\r\n\r\n");
        let _ = client.response_to("GET");
        is_down(&lbd, backends[0]).then_some(())
    });
    // good probes do not bring it back before its time is over
    let connected = broken.accepted();
    until("it was probed ten times more", || {
        (broken.accepted() > connected + 10).then_some(())
    });
    assert!(is_down(&lbd, backends[0]), "{:?}", lbd.state());
    let mut client = Client::connect(listener);
    for _ in 0..20 {
        assert_eq!(client.get("/").text(), "good");
    }
    lbd.stop();
}

#[test]
fn a_backend_of_which_too_few_requests_succeed_is_taken_out() {
    let asked = AtomicU64::new(0);
    // never two failures in a row
    let flaky = Backend::http(move |_| {
        let status = if asked.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
            500
        } else {
            200
        };
        answer(status, "", b"flaky")
    });
    let good = [Backend::saying("b"), Backend::saying("c")];
    let backends = [flaky.address(), good[0].address(), good[1].address()];
    let (lbd, listener) = start(
        &backends,
        "health = { kind = \"passive\", passive = { max_failures = 5, success_rate_percent = 80, min_requests = 10 } }",
    );
    let mut client = Client::connect(listener);
    until("the flaky backend is out", || {
        client.get("/");
        let state = lbd.state();
        assert!(!is_down(&lbd, backends[1]) && !is_down(&lbd, backends[2]), "{state:?}");
        state
            .backend(backends[0])
            .contains("status=Down(success_rate")
            .then_some(())
    });
    assert!(lbd.stderr().contains("of its requests succeeded"), "{}", lbd.stderr());
    lbd.stop();
}

#[test]
fn a_backend_far_slower_than_the_others_is_taken_out() {
    let slow = Backend::http(|_| {
        std::thread::park_timeout(Duration::from_millis(100));
        answer(200, "", b"slow")
    });
    let good = [Backend::saying("b"), Backend::saying("c")];
    let backends = [slow.address(), good[0].address(), good[1].address()];
    let (lbd, listener) = start(
        &backends,
        "algorithm = \"round_robin\"\n\
         health = { kind = \"tcp\", passive = { latency_factor = 3, latency_least = \"60ms\", min_requests = 5 } }",
    );
    let mut client = Client::connect(listener);
    until("the slow backend is out", || {
        client.get("/");
        lbd.state()
            .backend(backends[0])
            .contains("status=Down(outlier")
            .then_some(())
    });
    assert!(!is_down(&lbd, backends[1]) && !is_down(&lbd, backends[2]));
    for _ in 0..20 {
        assert_ne!(client.get("/").text(), "slow");
    }
    lbd.stop();
}

#[test]
fn never_more_than_the_configured_share_of_a_pool_is_taken_out() {
    let ill = [(); 4].map(|()| Backend::http(|_| answer(500, "", b"ill")));
    let backends = ill.each_ref().map(Backend::address);
    let (lbd, listener) = start(
        &backends,
        "health = { kind = \"passive\", passive = { max_failures = 1, eject_for = \"1h\", max_ejected_percent = 50 } }",
    );
    let down = || backends.iter().filter(|backend| is_down(&lbd, **backend)).count();
    let mut client = Client::connect(listener);
    until("two of four are out", || {
        client.get("/");
        (down() == 2).then_some(())
    });
    // traffic is looked at every second: the two that are left go on failing over three more looks
    let start = now();
    while elapsed(start) < Duration::from_millis(3_200) {
        assert_eq!(client.get("/").status(), 500, "somebody is left to ask");
    }
    assert_eq!(down(), 2, "{:?}", lbd.state());
    lbd.stop();
}

#[test]
fn the_only_backend_with_any_weight_stays_however_ill_it_is() {
    let ill = Backend::http(|_| answer(500, "", b"ill"));
    let idle = [Backend::saying("b"), Backend::saying("c")];
    let listener = address();
    let config = Config::http(listener, &[ill.address(), idle[0].address(), idle[1].address()])
        .weights(&[1, 0, 0])
        .pool("health = { kind = \"passive\", passive = { max_failures = 1, eject_for = \"1h\" } }")
        .listener("limits = { keep_alive_requests = 1000000 }");
    let lbd = Lbd::start(&config.text());
    // a look every second: it would have gone in the first
    let start = now();
    let mut client = Client::connect(listener);
    while elapsed(start) < Duration::from_millis(2_200) {
        assert_eq!(client.get("/").status(), 500, "nobody else takes new clients");
    }
    assert!(!is_down(&lbd, ill.address()), "{:?}", lbd.state());
    lbd.stop();
}

#[test]
fn failures_before_a_change_of_address_are_not_held_against_the_new_machine() {
    let ill = Backend::http(|_| answer(500, "", b"ill"));
    let (new, other) = (Backend::saying("new"), Backend::saying("other"));
    let listener = address();
    let file = |address: SocketAddr| {
        Config::http(listener, &[address, other.address()])
            .names(&["a", "b"])
            .pool("health = { kind = \"passive\", passive = { max_failures = 3, eject_for = \"1h\" } }")
            .text()
    };
    let lbd = Lbd::start(&file(ill.address()));
    until("the ill machine is out", || {
        Client::connect(listener).get("/");
        is_down(&lbd, ill.address()).then_some(())
    });
    lbd.reload(&file(new.address()));
    // successes alone bring it up, though nothing but a row of failures would take it out
    until("the new machine serves and is up", || {
        Client::connect(listener).get("/");
        lbd.state().backend(new.address()).contains("status=Up").then_some(())
    });
    assert!(new.requests() > 0);
    lbd.stop();
}

#[test]
fn when_everybody_fails_alike_the_success_rate_takes_nobody_out() {
    let ill = [(); 3].map(|()| Backend::http(|_| answer(500, "", b"the database is away")));
    let backends = ill.each_ref().map(Backend::address);
    let (lbd, listener) = start(
        &backends,
        "health = { kind = \"passive\", passive = { success_rate_percent = 90, min_requests = 1 } }",
    );
    let start = now();
    let mut client = Client::connect(listener);
    while elapsed(start) < Duration::from_millis(3_200) {
        assert_eq!(client.get("/").status(), 500);
    }
    assert!(
        backends.iter().all(|backend| !is_down(&lbd, *backend)),
        "{:?}",
        lbd.state()
    );
    lbd.stop();
}

#[test]
fn codes_501_and_505_and_all_when_told_so_are_no_failures() {
    let backends = [501, 505, 500].map(|status| Backend::http(move |_| answer(status, "", b"")));
    let addresses = backends.each_ref().map(Backend::address);
    for (passive, down) in [
        ("max_failures = 2", [false, false, true]),
        ("max_failures = 2, server_errors = false", [false; 3]),
    ] {
        let health = format!("health = {{ kind = \"passive\", passive = {{ {passive}, eject_for = \"1h\" }} }}");
        let (lbd, listener) = start(&addresses, &health);
        let mut client = Client::connect(listener);
        let start = now();
        while elapsed(start) < Duration::from_millis(2_200) {
            client.get("/");
        }
        assert_eq!(
            addresses.map(|address| is_down(&lbd, address)),
            down,
            "{passive}: {:?}",
            lbd.state()
        );
        lbd.stop();
    }
}

#[test]
fn s_health_10_a_pool_that_is_all_down_fails_open_when_told_so_and_says_so() {
    let backends = [(); 2].map(|()| {
        Backend::http(|request| {
            let is_probe = request.head.target() == "/healthz";
            answer(if is_probe { 500 } else { 200 }, "", b"alive")
        })
    });
    let addresses = backends.each_ref().map(Backend::address);
    let health = "health = { kind = \"http\", path = \"/healthz\", interval = \"50ms\" }";
    for (policy, status) in [("never", 503), ("when_all_down", 200)] {
        let (lbd, listener) = start(&addresses, &format!("fail_open = \"{policy}\"\n{health}"));
        until("both are down", || {
            addresses.iter().all(|address| is_down(&lbd, *address)).then_some(())
        });
        until("the policy is in force", || {
            (Client::connect(listener).get("/").status() == status).then_some(())
        });
        let told = lbd.stderr().contains("fails open");
        assert_eq!(told, policy == "when_all_down", "{}", lbd.stderr());
        lbd.stop();
    }
}

fn start(backends: &[SocketAddr], pool: &str) -> (Lbd, SocketAddr) {
    let listener = address();
    let config = Config::http(listener, backends)
        .pool(pool)
        .listener("limits = { keep_alive_requests = 1000000 }");
    (Lbd::start(&config.text()), listener)
}

fn is_down(lbd: &Lbd, backend: SocketAddr) -> bool {
    lbd.state().backend(backend).contains("status=Down")
}

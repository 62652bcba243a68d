//! What people see: tables within 100 columns, and one thing a line for logs.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use lb_admin::state::{Backend, Listener, PassedOver, Shown, State};
use lb_admin::text::{TableOptions, backends, lines, table};
use lb_health::Cause;
use support::state;

#[test]
fn s_health_04_the_table_shows_state_since_results_next_probe_and_mend() {
    let mut state = state();
    state.listeners.push(Listener {
        name: "web".into(),
        address: "0.0.0.0:8080".into(),
        protocol: "http".into(),
        connections: 84,
        max_connections: 100_000,
        ..Listener::default()
    });
    state.totals.requests = 90_210;
    let expected = "\
lbd 0.1.0, pid 7, up 3h 12m, 2 workers
configuration 4 from /etc/lbd.toml, loaded 12m 5s ago
90210 requests, 0 connections (0 open), 0 retries

LISTENER  ADDRESS       PROTOCOL  CONNECTIONS    MOST  WAITED
web       0.0.0.0:8080  http               84  100000       0

pool app: weighted_round_robin, 1 of 2 up, shares exact
  BACKEND  ADDRESS      STATE   SINCE  WEIGHT  SHARE  ACTIVE  LAST TEN  NEXT
  a        10.0.0.1:80  up     3h 12m       3   100%      14  -            -
  b        10.0.0.2:80  down       4s       5     0%       0  xx.         3s
      connection refused, 4s ago: start the service, or correct the port: nothing listens on that
      address and port
      probed at 10.0.0.2:81, not where its traffic goes
      2 requests in a row failed
      weight 5 was set at run time, the configuration says 1; `lbd backend reset app/b` ends that

pool static: weighted_round_robin, 1 of 0 up, shares exact
  BACKEND  STATE  SINCE  WEIGHT  SHARE  ACTIVE  LAST TEN  NEXT
";
    assert_eq!(table(&state, TableOptions::default()), expected);
}

#[test]
fn clients_that_had_to_wait_are_shown_with_the_reason_and_the_mend() {
    let mut state = State::default();
    state.listeners.push(Listener {
        name: "web".into(),
        address: "0.0.0.0:8080".into(),
        protocol: "http".into(),
        connections: 84,
        max_connections: 100,
        limited: 1,
        crowded: 31,
        unaccepted: 7,
        ..Listener::default()
    });
    state.listeners.push(Listener {
        name: "calm".into(),
        address: "0.0.0.0:8081".into(),
        protocol: "tcp".into(),
        ..Listener::default()
    });
    let text = table(&state, TableOptions::default());
    let expected = "
LISTENER  ADDRESS       PROTOCOL  CONNECTIONS  MOST  WAITED
web       0.0.0.0:8080  http               84   100      32
    1 connection had to wait: max_connections = 100 was reached; raise `max_connections` in its
    `limits` or in `[limits]`
    31 connections had to wait: the last descriptors are kept for connections to backends; raise the
    limit (LimitNOFILE= of the systemd unit, `ulimit -n`) or lower `max_connections`
    accepting failed 7 times, for want of descriptors or memory: idle connections were closed to
    make room
calm      0.0.0.0:8081  tcp                 0     0       0
";
    assert!(text.ends_with(expected), "{text}");
    let line = "state listener=web address=0.0.0.0:8080 connections=84 limited=1 crowded=31 unaccepted=7\n";
    assert!(lines(&state).contains(line), "{}", lines(&state));
}

#[test]
fn orders_and_slow_start_are_told_apart_from_the_file() {
    let mut one: Backend = state().pools[0].backends[0].clone();
    one.state = "draining".into();
    one.admin = "drain".into();
    let text = |one: &Backend| backends(std::slice::from_ref(one), TableOptions::default());
    assert!(
        text(&one).contains("the configuration says drain = true"),
        "{}",
        text(&one)
    );
    one.admin_ordered = true;
    let ordered = "drain was ordered at run time; `lbd backend reset app/a` ends that";
    assert!(text(&one).contains(ordered), "{}", text(&one));
    assert!(
        text(&one).starts_with("BACKEND  ADDRESS      STATE      SINCE"),
        "{}",
        text(&one)
    );
    let mut slow: Backend = state().pools[0].backends[0].clone();
    slow.weight.ramp_percent = 10;
    slow.weight.effective = 0.3;
    assert!(text(&slow).contains("0.3 of 3"), "{}", text(&slow));
    slow.max_connections = Some(14);
    assert!(text(&slow).contains("full: 14 of 14"), "{}", text(&slow));
}

#[test]
fn an_agents_words_and_its_silence_are_shown() {
    let mut one: Backend = state().pools[0].backends[1].clone();
    one.weight.agent_percent = Some(50);
    one.weight.effective = 2.5;
    let probe = one.probe.as_mut().unwrap();
    probe.agent_note = Some("too hot".into());
    probe.agent_fault = Some("the agent does not answer: connection refused".into());
    let text = backends(std::slice::from_ref(&one), TableOptions::default());
    for wanted in [
        " 2.5 of 5 ",
        "its own agent says 50% of the weight",
        "its own agent notes: too hot",
        "the agent does not answer: connection refused; what it said last stays",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
}

#[test]
fn a_certificate_is_shown_once_it_comes_to_its_end() {
    let mut one: Backend = state().pools[0].backends[0].clone();
    let mut text = |warning: Option<&str>| {
        one.probe.get_or_insert_default().certificate = Some(Shown {
            days_left: 5,
            warning: warning.map(str::to_owned),
            ..Shown::default()
        });
        backends(std::slice::from_ref(&one), TableOptions::default())
    };
    let wanted = "its certificate expires in 5 days: renew it there";
    assert!(text(Some("expires in 5 days")).contains(wanted));
    assert!(!text(None).contains("certificate"));
}

#[test]
fn who_refuses_connections_is_shown_with_the_mend_though_its_probes_are_good() {
    let mut one: Backend = state().pools[0].backends[0].clone();
    one.passed_over = Some(PassedOver {
        cause: Cause::Refused.into(),
        since_seconds: 7.0,
        ..PassedOver::default()
    });
    let text = backends(std::slice::from_ref(&one), TableOptions::default());
    let wanted = "passed over, for 7s now: connection refused: start the service, or correct the port";
    assert!(text.contains(wanted), "{text}");
    let mut all = state();
    all.pools[0].backends = vec![one];
    assert!(
        lines(&all).contains(" in_flight=14 passed_over=refused status=Up\n"),
        "{}",
        lines(&all)
    );
}

#[test]
fn where_no_probe_comes_none_is_announced() {
    let mut one: Backend = state().pools[0].backends[1].clone();
    let next = |one: &Backend| {
        let text = backends(std::slice::from_ref(one), TableOptions::default());
        let row = text.lines().nth(1).unwrap_or_default();
        row.rsplit(' ').next().unwrap_or_default().to_owned()
    };
    assert_eq!(next(&one), "3s");
    one.probe.as_mut().unwrap().next_seconds = None;
    assert_eq!(next(&one), "now", "one is under way");
    one.admin = "maintenance".into();
    assert_eq!(next(&one), "-", "nobody probes in maintenance");
    one.admin = "ready".into();
    one.probe.as_mut().unwrap().address = None;
    assert_eq!(next(&one), "-", "only traffic judges");
}

#[test]
fn no_line_is_longer_than_a_hundred_columns_as_long_as_names_are_sane() {
    let mut state = state();
    for backend in &mut state.pools[0].backends {
        backend.address = "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535".into();
        backend.name = "a-rather-long-name-of-a-backend".into();
        backend.state = "maintenance".into();
    }
    let text = table(&state, TableOptions::default());
    assert!(
        text.contains("      at [2001:db8:1234:5678:9abc:def0:1234:5678]:65535\n"),
        "{text}"
    );
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
        assert!(!line.ends_with(' '), "{line:?}");
    }
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    let colored = table(&state(), TableOptions::default().with_color(true));
    assert!(colored.contains("\u{1b}[31mdown\u{1b}[0m"), "{colored}");
    let plain: String = colored
        .split('\u{1b}')
        .enumerate()
        .map(|(index, part)| match index {
            0 => part,
            _ => part.split_once('m').unwrap().1,
        })
        .collect();
    assert_eq!(plain, table(&state(), TableOptions::default()));
}

#[test]
fn a_pool_that_fails_open_says_so() {
    let mut state = state();
    state.pools[0].failed_open = true;
    assert!(table(&state, TableOptions::default()).contains("FAILED OPEN"));
}

#[test]
fn lines_for_logs_have_one_thing_each() {
    let mut state: State = state();
    state.totals.requests = 3;
    state.totals.ends.insert("done".into(), 2);
    let expected = "\
state pool=app backend=a address=10.0.0.1:80 weight=3 in_flight=14 status=Up
state pool=app backend=b address=10.0.0.2:80 weight=5 in_flight=0 status=Down(refused)
state total connections=0 active=0 requests=3 upstream_connects=0 upstream_reuses=0 stale_reuses=0 retries=0
state end=done count=2
";
    assert_eq!(lines(&state), expected);
}

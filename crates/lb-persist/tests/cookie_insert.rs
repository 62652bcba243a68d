//! The inserted cookie over whole exchanges: request, backend, response, client.
#![allow(clippy::unwrap_used)] // helpers of tests

mod support;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use lb_persist::cookie::{CookieError, Jar, SetCookie};
use lb_persist::token::Tokens;
use lb_persist::{
    CookieInsert, CookieInsertError, CookieInsertOptions, Facts, Learn, Recall, Refresh, Reply, SameSite, Strategy,
};
use lb_types::{BackendId, Fields, InvalidField, Now, Wall};
use support::{Lines, at};

const KEY: [u8; 16] = *b"sixteen secrets!";

fn ids() -> [BackendId; 3] {
    ["a", "b", "c"].map(|name| BackendId::of("web", name))
}

fn with(edit: impl FnOnce(&mut CookieInsertOptions)) -> CookieInsert {
    let mut options = CookieInsertOptions::default();
    edit(&mut options);
    CookieInsert::new(options, &KEY, &ids()).unwrap()
}

fn refused(edit: impl FnOnce(&mut CookieInsertOptions)) -> CookieError {
    let mut options = CookieInsertOptions::default();
    edit(&mut options);
    let CookieInsertError::Cookie(error) = CookieInsert::new(options, &KEY, &ids()).unwrap_err() else {
        panic!()
    };
    error
}

fn recall(strategy: &CookieInsert, request: &Lines, now: Now) -> Recall {
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    strategy.recall(
        &Facts {
            fields: Some(request),
            ..Facts::new(client)
        },
        now,
    )
}

fn named(id: BackendId, renew: bool) -> Recall {
    Recall::Backend { id, renew }
}

fn token(id: BackendId, issued: Option<u64>) -> String {
    let token = Tokens::new(&KEY, &[]).issue(id, issued.map(Wall::from_secs));
    String::from_utf8(token.as_bytes().to_vec()).unwrap()
}

fn cookie(value: &str) -> Lines {
    Lines::new(&[("Host", "example.com"), ("Cookie", value)])
}

/// A response as the strategy leaves it.
fn answered(strategy: &CookieInsert, recall: Recall, chosen: BackendId, mut response: Lines, now: Now) -> Lines {
    assert_eq!(
        strategy.learn(&recall, chosen, Reply::Head(&mut response), now),
        Ok(Learn::Nothing)
    );
    response
}

/// One exchange of a client with a jar. Returns what the backend saw, and the cookies that were set.
fn exchange(strategy: &CookieInsert, jar: &mut Jar, scheduled: BackendId, now: Now) -> (BackendId, Lines, Vec<String>) {
    let mut request = Lines::new(&[("Host", "example.com")]);
    if let Some(line) = jar.cookie("example.com", "/shop", false, now.wall) {
        request.lines.push(("Cookie".into(), line));
    }
    let recalled = recall(strategy, &request, now);
    let chosen = match recalled {
        Recall::Backend { id, .. } => id,
        _ => scheduled,
    };
    strategy.prepare(&recalled, &mut request).unwrap();
    let response = answered(
        strategy,
        recalled,
        chosen,
        Lines::new(&[("Content-Type", "text/html")]),
        now,
    );
    let set = response.all("set-cookie");
    for line in &set {
        assert!(jar.store("example.com", "/shop", line.as_bytes(), now.wall), "{line}");
    }
    (chosen, request, set)
}

#[test]
fn s_persist_20_the_first_reply_gains_one_cookie_and_the_backend_never_sets_it() {
    let strategy = with(|_| {});
    let [a, ..] = ids();
    let mut request = Lines::new(&[("Host", "example.com"), ("Accept", "*/*")]);
    let before = request.clone();
    assert_eq!(recall(&strategy, &request, at(0)), Recall::Nothing);
    strategy.prepare(&Recall::Nothing, &mut request).unwrap();
    assert_eq!(request, before); // nothing for the backend to see
    let response = answered(
        &strategy,
        Recall::Nothing,
        a,
        Lines::new(&[("Content-Length", "2")]),
        at(0),
    );
    assert_eq!(
        response.all("set-cookie"),
        [format!("LBD={}; Path=/; HttpOnly", token(a, None))]
    );
    assert_eq!(response.first("content-length"), Some(&b"2"[..]));
}

#[test]
fn s_persist_21_a_hundred_requests_with_the_cookie_name_one_backend_whatever_the_scheduler_says() {
    let strategy = with(|_| {});
    let ids = ids();
    let mut jar = Jar::new();
    let (first, _, set) = exchange(&strategy, &mut jar, ids[1], at(0));
    assert_eq!((first, set.len()), (ids[1], 1));
    for n in 1..=100 {
        let (chosen, _, set) = exchange(&strategy, &mut jar, ids[n % 3], at(n as u64 * 1000));
        assert_eq!(chosen, ids[1]);
        assert_eq!(set, [""; 0]); // it has the right one
    }
}

#[test]
fn s_persist_22_refresh_always_sets_it_each_time_and_the_others_when_they_say() {
    let [a, ..] = ids();
    let hour = Some(Duration::from_secs(3600));
    // how often a client that asks every 10 minutes from 0:00 to 1:50 gets the cookie, and when
    let when = |refresh| {
        let strategy = with(|o| (o.max_age, o.refresh) = (hour, refresh));
        let mut jar = Jar::new();
        let minutes = (0..12).map(|n| n * 10);
        let set = |minute: &u64| {
            let (_, _, set) = exchange(&strategy, &mut jar, a, at(minute * 60));
            assert!(set.len() <= 1);
            !set.is_empty()
        };
        minutes.filter(set).collect::<Vec<u64>>()
    };
    assert_eq!(when(Refresh::Always), [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110]);
    assert_eq!(when(Refresh::WhenMissing), [0, 60]); // over at 60: a new one
    assert_eq!(when(Refresh::WhenHalfExpired), [0, 30, 60, 90]);

    // without a lifetime there is nothing to renew
    for (refresh, want) in [
        (Refresh::Always, 5),
        (Refresh::WhenMissing, 1),
        (Refresh::WhenHalfExpired, 1),
    ] {
        let strategy = with(|o| o.refresh = refresh);
        let mut jar = Jar::new();
        let set: usize = (0..5)
            .map(|n| exchange(&strategy, &mut jar, a, at(n * 86_400)).2.len())
            .sum();
        assert_eq!(set, want, "{refresh:?}");
    }
}

#[test]
fn s_persist_23_the_profile_ksyun_names_it_serverid_with_the_timeout_as_lifetime() {
    let options = CookieInsertOptions::ksyun(Duration::from_secs(3600));
    let strategy = CookieInsert::new(options, &KEY, &ids()).unwrap();
    let [a, ..] = ids();
    let response = answered(&strategy, Recall::Nothing, a, Lines::default(), at(1_447_938_890));
    let want = format!(
        "SERVERID={}; Max-Age=3600; Expires=Thu, 19 Nov 2015 14:14:50 GMT; Path=/; HttpOnly",
        token(a, Some(1_447_938_890))
    );
    assert_eq!(response.all("set-cookie"), [want]);
}

#[test]
fn s_persist_24_the_backend_sees_nothing_of_it_and_every_other_byte() {
    let strategy = with(|_| {});
    let ours = format!("LBD={}", token(ids()[0], None));
    let prepared = |strategy: &CookieInsert, lines: &[(&str, &str)]| {
        let mut request = Lines::new(lines);
        let recalled = recall(strategy, &request, at(0));
        strategy.prepare(&recalled, &mut request).unwrap();
        request
    };
    let line = format!("BD_HOME=1; {ours}; BDSVRTM=0; XLBD=3");
    let request = prepared(&strategy, &[("Host", "h"), ("cookie", &line), ("Accept", "*/*")]);
    assert_eq!(
        request,
        Lines::new(&[
            ("Host", "h"),
            ("cookie", "BD_HOME=1; BDSVRTM=0; XLBD=3"),
            ("Accept", "*/*")
        ])
    );
    // valid or not, once or often, on several lines; a line that had nothing else goes
    let request = prepared(
        &strategy,
        &[
            ("Cookie", "LBD=forged; a=1"),
            ("Cookie", &ours),
            ("Host", "h"),
            ("Cookie", "b=2; LBD="),
        ],
    );
    assert_eq!(
        request,
        Lines::new(&[("Cookie", "a=1"), ("Host", "h"), ("Cookie", "b=2")])
    );
    // lines longer than either buffer on the stack
    for len in [511, 512, 513, 4095, 4096, 4097, 9000] {
        let other = format!("a={}", "x".repeat(len - 2 - 2 - ours.len()));
        let line = format!("{ours}; {other}");
        assert_eq!(line.len(), len);
        assert_eq!(
            prepared(&strategy, &[("Cookie", &line)]),
            Lines::new(&[("Cookie", &other)])
        );
    }
    // others forward it
    let open = with(|o| o.forward_to_backend = true);
    assert_eq!(prepared(&open, &[("Cookie", &line)]), Lines::new(&[("Cookie", &line)]));
}

#[test]
fn s_persist_33_a_cookie_of_a_removed_dead_or_drained_backend_is_replaced() {
    let strategy = with(|_| {});
    let [a, b, _] = ids();
    // removed: the name is unknown
    let removed = BackendId::of("web", "removed");
    let recalled = recall(&strategy, &cookie(&format!("LBD={}", token(removed, None))), at(0));
    assert_eq!(recalled, Recall::Stale);
    let response = answered(&strategy, recalled, b, Lines::default(), at(0));
    assert_eq!(
        response.all("set-cookie"),
        [format!("LBD={}; Path=/; HttpOnly", token(b, None))]
    );
    // dead or drained: known, but another was chosen
    let recalled = recall(&strategy, &cookie(&format!("LBD={}", token(a, None))), at(0));
    assert_eq!(recalled, named(a, false));
    let response = answered(&strategy, recalled, b, Lines::default(), at(0));
    assert_eq!(
        response.all("set-cookie"),
        [format!("LBD={}; Path=/; HttpOnly", token(b, None))]
    );
    // from then on the new one is named: no loop
    let mut jar = Jar::new();
    assert!(jar.store("example.com", "/", response.all("set-cookie")[0].as_bytes(), at(0).wall));
    let (chosen, _, set) = exchange(&strategy, &mut jar, a, at(1));
    assert_eq!((chosen, set.len()), (b, 0));
}

#[test]
fn s_persist_36_a_reply_that_gains_the_cookie_is_kept_out_of_shared_caches() {
    let strategy = with(|_| {});
    let [a, ..] = ids();
    let control =
        |lines: &[(&str, &str)]| answered(&strategy, Recall::Nothing, a, Lines::new(lines), at(0)).all("cache-control");
    assert_eq!(control(&[]), ["private"]);
    // the backend's words stay; of two that conflict the stricter counts (RFC 9111, section 4.2.1)
    assert_eq!(
        control(&[("Cache-Control", "public, max-age=60")]),
        ["public, max-age=60", "private"]
    );
    assert_eq!(
        control(&[("Cache-Control", "no-cache=\"a, private\"")]),
        ["no-cache=\"a, private\"", "private"]
    );
    assert_eq!(
        control(&[("Cache-Control", "private=\"x-a\"")]),
        ["private=\"x-a\"", "private"]
    );
    // already said
    assert_eq!(
        control(&[("cache-control", "max-age=1 , PRIVATE")]),
        ["max-age=1 , PRIVATE"]
    );
    assert_eq!(
        control(&[("Cache-Control", "max-age=1"), ("Cache-Control", "no-store")]),
        ["max-age=1", "no-store"]
    );
    // no cookie, no word
    let same = answered(&strategy, named(a, false), a, Lines::default(), at(0));
    assert_eq!(same, Lines::default());
    // and it can be left to the operator
    let open = with(|o| o.mark_private = false);
    assert_eq!(
        answered(&open, Recall::Nothing, a, Lines::default(), at(0)).all("cache-control"),
        [""; 0]
    );
}

#[test]
fn s_persist_37_a_client_without_cookies_is_served_by_the_scheduler() {
    let strategy = with(|_| {});
    let ids = ids();
    for n in 0..9 {
        let mut jar = Jar::new(); // forgets everything after each exchange
        let (chosen, _, set) = exchange(&strategy, &mut jar, ids[n % 3], at(n as u64));
        assert_eq!((chosen, set.len()), (ids[n % 3], 1));
    }
    // nor is it an error to have no fields at all (TCP), or a reply that is no head
    let facts = Facts::new(IpAddr::V4(Ipv4Addr::LOCALHOST));
    assert_eq!(strategy.recall(&facts, at(0)), Recall::Nothing);
    assert_eq!(
        strategy.learn(&Recall::Nothing, ids[0], Reply::TlsSession(b"id"), at(0)),
        Ok(Learn::Nothing)
    );
}

#[test]
fn s_cookie_02_cookies_of_the_backend_stay_on_lines_of_their_own() {
    let strategy = with(|_| {});
    let [a, ..] = ids();
    let theirs = [
        "sid=1; Path=/; HttpOnly",
        "lang=de; Expires=Wed, 09 Jun 2021 10:18:14 GMT",
        "LBD=theirs; Path=/sub",
    ];
    let response = Lines::new(&theirs.map(|line| ("Set-Cookie", line)));
    let response = answered(&strategy, Recall::Nothing, a, response, at(0));
    let lines = response.all("Set-Cookie");
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[..3], theirs);
    assert_eq!(lines[3], format!("LBD={}; Path=/; HttpOnly", token(a, None)));
}

#[test]
fn s_cookie_09_of_several_cookies_with_our_name_the_first_valid_one_counts() {
    let strategy = with(|_| {});
    let [a, b, _] = ids();
    let (a_token, b_token) = (token(a, None), token(b, None));
    let says = |line: String| recall(&strategy, &cookie(&line), at(0));
    assert_eq!(
        says(format!("LBD=stale; LBD={a_token}; LBD={b_token}")),
        named(a, false)
    );
    assert_eq!(strategy.conflicts(), 1);
    assert_eq!(says(format!("LBD={b_token}; x=1; LBD={a_token}")), named(b, false));
    assert_eq!(strategy.conflicts(), 2);
    let request = Lines::new(&[("Cookie", "LBD=stale"), ("Cookie", &format!("LBD={b_token}"))]);
    assert_eq!(recall(&strategy, &request, at(0)), named(b, false));
    assert_eq!(strategy.conflicts(), 3);
    // one, or the same twice, is no conflict
    assert_eq!(says(format!("LBD={a_token}; LBD={a_token}")), named(a, false));
    assert_eq!(says("LBD=stale".into()), Recall::Stale);
    assert_eq!(strategy.conflicts(), 3);
    // at most 16 are tried
    let many = |n| format!("{}LBD={a_token}", "LBD=x; ".repeat(n));
    assert_eq!(says(many(15)), named(a, false));
    assert_eq!(says(many(16)), Recall::Stale);
}

#[test]
fn s_cookie_11_the_path_is_always_written_and_is_the_root_by_default() {
    let [a, ..] = ids();
    let path = |strategy: &CookieInsert| {
        let response = answered(strategy, Recall::Nothing, a, Lines::default(), at(0));
        let line = response.all("set-cookie").remove(0);
        let path = SetCookie::parse(line.as_bytes()).unwrap().path;
        path.map(|path| String::from_utf8(path.to_vec()).unwrap())
    };
    assert_eq!(path(&with(|_| {})).unwrap(), "/");
    assert_eq!(path(&with(|o| o.path = "/pages".into())).unwrap(), "/pages");
    // a client that is told no path takes the folder of the request, up to the last slash
    assert_eq!(lb_persist::cookie::default_path("/pages/one/two"), "/pages/one");
    assert_eq!(lb_persist::cookie::default_path("/pages"), "/");
}

#[test]
fn s_cookie_12_every_attribute_can_be_set() {
    let [a, ..] = ids();
    let line = |edit: fn(&mut CookieInsertOptions)| {
        let response = answered(&with(edit), Recall::Nothing, a, Lines::default(), at(0));
        response
            .all("set-cookie")
            .remove(0)
            .split_once("; ")
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(line(|_| {}), "Path=/; HttpOnly");
    assert_eq!(
        line(|o| o.domain = Some("example.com".into())),
        "Domain=example.com; Path=/; HttpOnly"
    );
    assert_eq!(line(|o| o.path = "/pages".into()), "Path=/pages; HttpOnly");
    assert_eq!(line(|o| o.path = "/homes".into()), "Path=/homes; HttpOnly");
    assert_eq!(
        line(|o| o.max_age = Some(Duration::from_secs(3600))),
        "Max-Age=3600; Expires=Thu, 01 Jan 1970 01:00:00 GMT; Path=/; HttpOnly"
    );
    assert_eq!(line(|o| o.http_only = false), "Path=/");
    assert_eq!(line(|o| o.secure = true), "Path=/; HttpOnly; Secure");
    assert_eq!(
        line(|o| o.same_site = Some(SameSite::Lax)),
        "Path=/; HttpOnly; SameSite=Lax"
    );
    assert_eq!(
        line(|o| o.same_site = Some(SameSite::Strict)),
        "Path=/; HttpOnly; SameSite=Strict"
    );
    let all = |o: &mut CookieInsertOptions| {
        (o.secure, o.same_site, o.partitioned) = (true, Some(SameSite::None), true);
    };
    assert_eq!(line(all), "Path=/; HttpOnly; Secure; SameSite=None; Partitioned");
    // what browsers would drop is refused when the strategy is made
    assert_eq!(refused(|o| o.name = "__Host-LBD".into()), CookieError::HostPrefix);
    assert_eq!(refused(|o| o.name = "__Secure-LBD".into()), CookieError::SecurePrefix);
    assert_eq!(
        refused(|o| o.same_site = Some(SameSite::None)),
        CookieError::SameSiteNone
    );
    assert_eq!(refused(|o| o.partitioned = true), CookieError::Partitioned);
    assert_eq!(
        refused(|o| o.path = "pages".into()),
        CookieError::Path { path: "pages".into() }
    );
    assert_eq!(
        refused(|o| o.name = "a b".into()),
        CookieError::Name { byte: b' ', offset: 1 }
    );
    let host = with(|o| (o.name, o.secure) = ("__Host-LBD".into(), true));
    assert_eq!(host.options().name, "__Host-LBD");
}

#[test]
fn a_cookie_older_than_its_lifetime_counts_as_none_even_if_the_client_keeps_it() {
    let strategy = with(|o| o.max_age = Some(Duration::from_secs(100)));
    let [a, ..] = ids();
    let request = cookie(&format!("LBD={}", token(a, Some(1000))));
    for (now, want) in [
        (1000, named(a, false)),
        (1049, named(a, false)),
        (1050, named(a, true)),
        (1099, named(a, true)),
        (1100, Recall::Stale),
        (990, named(a, false)), // another replica's clock is a little ahead
        (950, named(a, true)),  // or wrong: the date is corrected
        (0, named(a, true)),
    ] {
        assert_eq!(recall(&strategy, &request, at(now)), want, "{now}");
    }
}

#[test]
fn a_changed_lifetime_keeps_the_clients_and_renews_their_cookies() {
    let [a, ..] = ids();
    let session = with(|_| {});
    let dated = with(|o| o.max_age = Some(Duration::from_secs(100)));
    let old = cookie(&format!("LBD={}", token(a, None)));
    assert_eq!(recall(&dated, &old, at(0)), named(a, true));
    let old = cookie(&format!("LBD={}", token(a, Some(0))));
    assert_eq!(recall(&session, &old, at(1_000_000)), named(a, true));
    let response = answered(&session, named(a, true), a, Lines::default(), at(0));
    assert_eq!(
        response.all("set-cookie"),
        [format!("LBD={}; Path=/; HttpOnly", token(a, None))]
    );
}

#[test]
fn a_reply_without_room_stays_without_cookie_and_says_so() {
    let strategy = with(|_| {});
    let [a, ..] = ids();
    for most in [1, 2] {
        let mut response = Lines::new(&[("Content-Length", "2")]);
        response.most = Some(most);
        let result = strategy.learn(&Recall::Nothing, a, Reply::Head(&mut response), at(0));
        assert_eq!(result, Err(InvalidField::Full));
        assert_eq!(response.all("set-cookie"), [""; 0]);
    }
}

#![allow(clippy::arithmetic_side_effects)] // tests may panic

use super::*;
use std::string::ToString;

fn route(hosts: &[&str], path: &str, pool: usize) -> Route {
    let hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
    Route {
        hosts,
        path: Prefix::new(path).unwrap(),
        action: Action::Forward(pool),
    }
}

/// Routes without hosts: path -> pool by position.
fn paths(prefixes: &[&str]) -> Routes {
    Routes::new(
        prefixes
            .iter()
            .enumerate()
            .map(|(pool, path)| route(&[], path, pool))
            .collect(),
    )
    .unwrap()
}

fn find(routes: &Routes, host: &str, path: &str) -> Option<Action> {
    let host = (!host.is_empty()).then_some(host.as_bytes());
    routes
        .find(&Query {
            host,
            path: path.as_bytes(),
        })
        .cloned()
}

fn pool(number: usize) -> Option<Action> {
    Some(Action::Forward(number))
}

const REFUSED: Option<Action> = Some(Action::Refuse(Refusal::AmbiguousPath));

#[test]
fn prefixes_end_at_a_segment() {
    let routes = paths(&["/a", "/a/b/"]);
    for (path, want) in [
        ("/a", pool(0)),
        ("/a/", pool(0)),
        ("/a/b", pool(0)),
        ("/a/b/", pool(1)),
        ("/a/b/c", pool(1)),
        ("/a?x=/ab", pool(0)),
        ("/ab", None),
        ("/A", None),
        ("/", None),
        ("", None),
    ] {
        assert_eq!(find(&routes, "", path), want, "{path}");
    }
}

#[test]
fn the_longest_prefix_wins_in_any_order() {
    for prefixes in [["/", "/img", "/img/small"], ["/", "/img/small", "/img"]] {
        let routes = paths(&prefixes);
        let at = |prefix| prefixes.iter().position(|p| *p == prefix);
        for (path, prefix) in [
            ("/", "/"),
            ("/x", "/"),
            ("/img/x", "/img"),
            ("/img/small", "/img/small"),
            ("/img/smaller", "/img"),
        ] {
            assert_eq!(find(&routes, "", path), at(prefix).map(Action::Forward), "{path}");
        }
    }
}

#[test]
fn what_is_no_path_belongs_to_the_root() {
    let routes = paths(&["/", "/a"]);
    for target in ["*", "", "example.com:443"] {
        assert_eq!(find(&routes, "", target), pool(0), "{target:?}");
    }
    assert_eq!(find(&paths(&["/a"]), "", "*"), None);
}

#[test]
fn the_most_specific_host_wins() {
    let routes = Routes::new(vec![
        route(&["*"], "/", 0),
        route(&["*.example.com"], "/", 1),
        route(&["*.eu.example.com"], "/", 2),
        route(&["www.eu.example.com", "[::1]", "192.0.2.1"], "/", 3),
    ])
    .unwrap();
    for (host, want) in [
        ("", 0),
        ("example.com", 0),
        ("badexample.com", 0),
        (".example.com", 0),
        ("www.example.com", 1),
        ("a.b.example.com", 1),
        ("eu.example.com", 1),
        ("x.eu.example.com", 2),
        ("y.x.eu.example.com", 2),
        ("www.eu.example.com", 3),
        ("WWW.Eu.Example.COM.", 3),
        ("www.eu.example.com:8080", 3),
        ("www.eu.example.com.:8080", 3),
        ("[::1]", 3),
        ("[::1]:8080", 3),
        ("192.0.2.1:80", 3),
        ("192.0.2.10", 0),
        ("::1", 0),
        (":80", 0),
        ("[", 0),
    ] {
        assert_eq!(find(&routes, host, "/"), pool(want), "{host}");
    }
}

#[test]
fn a_less_specific_host_serves_paths_that_the_specific_one_lacks() {
    let routes = Routes::new(vec![
        route(&["www.example.com"], "/app", 0),
        route(&["*.example.com"], "/app/static", 1),
        route(&[], "/", 2),
    ])
    .unwrap();
    assert_eq!(
        find(&routes, "www.example.com", "/app/static"),
        pool(0),
        "the host decides before the path"
    );
    assert_eq!(find(&routes, "m.example.com", "/app/static/x"), pool(1));
    assert_eq!(find(&routes, "www.example.com", "/other"), pool(2));
    assert_eq!(find(&routes, "m.example.com", "/app"), pool(2));
}

#[test]
fn a_path_that_two_readers_route_differently_is_refused() {
    let routes = paths(&["/", "/public", "/admin"]);
    for path in [
        "/public/../admin",
        "/public/../admin/x?y=1",
        "/public/%2e%2e/admin",
        "/public/.%2E/admin",
        "/public%2f..%2fadmin",
        "/public/..;x=1/admin",
        "/public\\..\\admin",
        "/%61dmin",
        "//admin",
        "/./admin",
        "/%2fadmin",
        "/admin;x/y",
        "/x/../public/z",
        "/admin/..",
        "/public/%2e%2e",
    ] {
        assert_eq!(find(&routes, "", path), REFUSED, "{path}");
    }
    assert_eq!(Refusal::AmbiguousPath.status(), 400);
}

#[test]
fn a_path_that_a_reader_in_between_routes_differently_is_refused() {
    let routes = paths(&["/", "/public", "/admin"]);
    for path in [
        // no merging of slashes, `;` kept, `%5c` no slash, decoding without dots: reported ways around a rule
        "/a%5cb/../admin/secret",
        "/./admin//../secret",
        "/./admin/..;/secret",
        "/%61dmin/../secret",
        // up beside anything else to disagree about
        "/admin/x%2f..%2f..%2fpublic",
        "/public/%2e%2e%2fadmin",
        "/public/x;/../../admin",
        "/public/./../admin",
        "/a/.%2e;x/b",
        "/%2e%2e/admin",
        "/a%20b/../x",
        // decoded twice, or more often
        "/public/%252e%252e/admin",
        "/%2561dmin",
        "/%25%36%31dmin",
        "/%252fadmin",
        "/a/%25252e%25252e/x",
        // a first segment that is taken for a host
        "//x/admin/secret",
        "///x/admin",
        "//x@y:80/admin",
        "/%2fx/admin",
        "/%5cx/admin",
        // an end in the middle of the path
        "/admin%20",
        "/%61dmin%20%20",
        "/..%20/admin",
        "/admin%3fx",
        "/admin%23",
        "/./admin%3f/../x",
        // parameters up to the next real slash, or the next one of any kind
        "/;%2fa/admin",
        "/;x%2fadmin",
        "/;/admin",
        "/.;x/admin",
        // bytes that some drop, and letters that are longer than they need to be
        "/ad%0amin",
        "/.%09./admin",
        "/public/%c0%ae%c0%ae/admin",
        "/public%c0%afadmin",
        "/public/..%c1%9cadmin",
        "/public/%e0%80%ae./x",
        "/public/%u002e%u002e/admin",
        "/public/%25u002e./admin",
        // in many pieces
        "/admin;a/",
        "/admin%2f",
        "/admin%5cx",
        "/%41/..//admin",
    ] {
        assert_eq!(find(&routes, "", path), REFUSED, "{path}");
    }
    let many = format!("/public{}/x", "/.".repeat(33));
    assert_eq!(find(&routes, "", &many), REFUSED, "more than anybody writes");
    assert_eq!(find(&routes, "", &many[2..]), pool(0));
}

#[test]
fn a_reader_who_goes_half_of_the_way_counts() {
    // `/%61/b;x`: the text is under `/`, the normal form under `/a/b`, and who keeps parameters is under `/a`.
    let routes = Routes::new(vec![route(&[], "/", 0), route(&[], "/a", 1), route(&[], "/a/b", 0)]).unwrap();
    assert_eq!(find(&routes, "", "/%61/b;x"), REFUSED);
    assert_eq!(find(&routes, "", "/a/%62/c"), REFUSED);
    assert_eq!(find(&routes, "", "/a/b/%62;x"), pool(0));
}

#[test]
fn where_all_routes_lead_to_one_place_no_path_is_refused() {
    let hard = ["/a%5cb/../x", "//x/..;/%252e%252e/", "/%00/../%c0%ae", "/.", "*", ""];
    let one = paths(&["/"]);
    let same = Routes::new(vec![
        route(&[], "/", 3),
        route(&[], "/admin", 3),
        route(&["a.example"], "/x", 3),
    ])
    .unwrap();
    // The other host has a rule of its own; this one has none.
    let other = Routes::new(vec![route(&[], "/", 3), route(&["b.example"], "/admin", 4)]).unwrap();
    for path in hard {
        assert_eq!(find(&one, "", path), pool(0), "{path}");
        assert_eq!(find(&same, "a.example", path), pool(3), "{path}");
        assert_eq!(find(&other, "a.example", path), pool(3), "{path}");
    }
    assert_eq!(find(&other, "b.example", hard[0]), REFUSED);
    // Without a route for the rest, the rest is another place.
    assert_eq!(find(&paths(&["/admin"]), "", hard[0]), REFUSED);
}

#[test]
fn ordinary_paths_with_escapes_pass_as_written() {
    let routes = paths(&["/", "/public", "/admin"]);
    for (path, want) in [
        ("/@scope%2fname", 0),
        ("/@scope%2Fname/-/name-1.0.0.tgz", 0),
        ("/public/My%20File%20(1).pdf", 1),
        ("/admin/caf%C3%A9/%E2%82%AC", 2),
        ("/public/app;jsessionid=0123ABC", 1),
        ("/public/app;v=1/x;w=2", 1),
        ("/cart;jsessionid=0123ABC?x=/../admin", 0),
        ("/wiki/C%23", 0),
        ("/public/what%3f", 1),
        ("/public//x", 1),
        ("/img//admin", 0),
        ("/projects/group%2Fproject/issues", 0),
        ("/projects/group%252Fproject", 0),
        ("/public/100%25", 1),
        ("/public/100%2520", 1),
        ("/public/a..b/..c/d../...", 1),
        ("/public/v1/../v2", 1),
        ("/public/%C1rbol", 1),
        ("/@vite/client", 0),
        ("/.well-known/acme-challenge/x", 0),
    ] {
        assert_eq!(find(&routes, "", path), pool(want), "{path}");
    }
}

#[test]
fn addresses_in_brackets_are_compared_as_addresses() {
    let routes = Routes::new(vec![
        route(&["[0:0:0:0:0:0:0:1]"], "/", 1),
        route(&["[2001:DB8:0::A]"], "/", 2),
        route(&["192.0.2.1"], "/", 3),
        route(&[], "/", 0),
    ])
    .unwrap();
    for (host, want) in [
        ("[::1]", 1),
        ("[0:0:0:0:0:0:0:1]:80", 1),
        ("[0000:0000:0000:0000:0000:0000:0000:0001]", 1),
        ("[0::0.0.0.1]", 1),
        ("[2001:db8::a]", 2),
        ("[2001:0DB8::000A]:8080", 2),
        ("[2001:db8:0:0:0:0:0.0.0.10]", 2),
        ("[::ffff:192.0.2.1]", 3),
        ("[::ffff:c000:201]", 3),
        ("192.0.2.1", 3),
        ("[::2]", 0),
        ("[fe80::1%25eth0]", 0),
        ("[]", 0),
        ("[::1", 1),
        ("[::1.", 0),
        ("[x]", 0),
    ] {
        assert_eq!(find(&routes, host, "/"), pool(want), "{host}");
    }
    assert_eq!("[2001:DB8::0:1]".parse::<Host>().unwrap().to_string(), "[2001:db8::1]");
    assert_eq!("[::ffff:192.0.2.1]".parse::<Host>().unwrap().to_string(), "192.0.2.1");
    assert_eq!("[fe80::1%eth0]".parse::<Host>(), Err(HostError::Address));
    assert!(Routes::new(vec![route(&["[::1]"], "/", 0), route(&["[0::1]"], "/", 1)]).is_err());
}

#[test]
fn odd_paths_that_lead_to_one_place_pass() {
    let routes = paths(&["/", "/public", "/admin"]);
    for (path, want) in [
        ("/public/a/../b", 1),
        ("/public//b", 1),
        ("/public/./b", 1),
        ("/public/%7Euser", 1),
        ("/public/group%2Fproject", 1),
        ("/public/x;jsessionid=1", 1),
        ("/public/.well-known", 1),
        ("/public/%zz%4", 1),
        ("/public/%2520x", 1),
        ("/.well-known/acme", 0),
        ("/a//b", 0),
        ("/public?next=/../admin", 1),
        ("/../..", 0),
    ] {
        assert_eq!(find(&routes, "", path), pool(want), "{path}");
    }
    let same_pool = Routes::new(vec![route(&[], "/a", 7), route(&[], "/b", 7)]).unwrap();
    assert_eq!(find(&same_pool, "", "/a/../b"), pool(7), "other route, same action");
    assert_eq!(find(&same_pool, "", "/a/../c"), REFUSED, "no route is another action");
}

#[test]
fn prefixes_with_encoding_match_as_written() {
    let routes = paths(&["/", "/caf%C3%A9"]);
    assert_eq!(find(&routes, "", "/caf%C3%A9/menu"), pool(1));
    assert_eq!(
        find(&routes, "", "/caf%c3%a9/menu"),
        REFUSED,
        "other spelling, same place: not by the text"
    );
}

#[test]
fn long_paths_are_normalised_to_their_end() {
    let routes = paths(&["/", "/admin"]);
    let deep = "/segment".repeat(1_000);
    let up = "/..".repeat(1_000);
    assert_eq!(find(&routes, "", &format!("{deep}{up}/admin")), REFUSED);
    assert_eq!(
        find(&routes, "", &format!("{deep}/..{up}/admin")),
        REFUSED,
        "above the root is the root"
    );
    assert_eq!(
        find(&routes, "", &format!("{deep}/..{up}x/admin")),
        pool(0),
        "one name, not two dots"
    );
    let name = format!("/{}/../admin", "n".repeat(5_000));
    assert_eq!(find(&routes, "", &name), REFUSED);
}

#[test]
fn one_host_and_path_has_one_route() {
    let error = Routes::new(vec![
        route(&["a.example", "b.example"], "/x", 0),
        route(&["B.EXAMPLE."], "/x", 1),
    ]);
    assert_eq!(
        error.unwrap_err().to_string(),
        "two routes are for host b.example and path \"/x\""
    );
    assert!(Routes::new(vec![route(&["*"], "/", 0), route(&[], "/", 1)]).is_err());
    assert!(Routes::new(vec![route(&["a.example"], "/", 0), route(&["*.a.example"], "/", 1)]).is_ok());
}

#[test]
fn an_empty_table_routes_nothing() {
    assert_eq!(find(&Routes::default(), "a.example", "/"), None);
}

#[test]
fn host_patterns_read_and_print() {
    for text in [
        "*",
        "a.example",
        "*.a.example",
        "[::1]",
        "192.0.2.1",
        "xn--bcher-kva.example",
        "_x.local",
    ] {
        assert_eq!(text.parse::<Host>().unwrap().to_string(), text);
    }
    assert_eq!("A.Example.".parse::<Host>().unwrap().to_string(), "a.example");
    assert_eq!("*.A.Example".parse::<Host>().unwrap().to_string(), "*.a.example");
    for (text, want) in [
        (
            "a.example:80",
            HostError::Character {
                character: ':',
                offset: 9,
            },
        ),
        (
            "*.a/b",
            HostError::Character {
                character: '/',
                offset: 3,
            },
        ),
        (
            "a.*.example",
            HostError::Character {
                character: '*',
                offset: 2,
            },
        ),
        (
            "bücher.example",
            HostError::Character {
                character: 'ü',
                offset: 1,
            },
        ),
        ("", HostError::EmptyLabel),
        ("a..b", HostError::EmptyLabel),
        ("*.", HostError::EmptyLabel),
        ("[::g]", HostError::Address),
    ] {
        assert_eq!(text.parse::<Host>(), Err(want), "{text}");
    }
    let name = |len: usize| "a".repeat(len).parse::<Host>();
    assert!(name(253).is_ok());
    assert_eq!(name(254), Err(HostError::TooLong { len: 254 }));
}

#[test]
fn no_length_of_a_host_leads_around_its_rules() {
    let routes = Routes::new(vec![route(&["*.corp.test"], "/", 0), route(&[], "/", 1)]).unwrap();
    for len in [1, 63, 64, 243, 244, 245, 300, 16_000] {
        let label = "a".repeat(len);
        for host in [
            format!("{label}.corp.test"),
            format!("{label}.CORP.test.:80"),
            format!("{}corp.test", "a.".repeat(len)),
        ] {
            assert_eq!(find(&routes, &host, "/"), pool(0), "{len}");
        }
        assert_eq!(find(&routes, &format!("{label}corp.test"), "/"), pool(1), "{len}");
    }
}

#[test]
fn path_prefixes_say_what_is_wrong() {
    for (text, want) in [
        ("", PrefixError::NoSlash),
        ("a", PrefixError::NoSlash),
        ("/a?b", PrefixError::Character { offset: 2 }),
        ("/a b", PrefixError::Character { offset: 2 }),
        ("/é", PrefixError::Character { offset: 1 }),
        ("/a;b", PrefixError::Character { offset: 2 }),
        ("/a//b", PrefixError::NotNormal),
        ("/a/../b", PrefixError::NotNormal),
        ("/a/.", PrefixError::NotNormal),
        ("/a%2Fb", PrefixError::NotNormal),
        ("/%61", PrefixError::NotNormal),
        ("/%2E%2e/b", PrefixError::NotNormal),
        ("/a%5Cb", PrefixError::NotNormal),
        ("/a%3Bb", PrefixError::NotNormal),
        ("/100%", PrefixError::NotNormal),
        ("/a%20", PrefixError::NotNormal),
        ("/%4", PrefixError::NotNormal),
    ] {
        assert_eq!(Prefix::new(text), Err(want), "{text}");
    }
    for text in ["/", "/a", "/a/", "/a/b.c/~d", "/.well-known", "/caf%C3%A9", "/a%20b"] {
        assert_eq!(Prefix::new(text).unwrap().as_str(), text);
    }
    let long = |len: usize| Prefix::new(&format!("/{}", "a".repeat(len - 1)));
    assert!(long(512).is_ok());
    assert_eq!(long(513), Err(PrefixError::TooLong { len: 513 }));
}

mod laws {
    use super::*;
    use proptest::prelude::*;

    /// The normal form, the simple way: split, decode, walk.
    fn by_definition(path: &str) -> String {
        let mut decoded = Vec::new();
        let bytes = path.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let pair = path
                .get(at + 1..at + 3)
                .filter(|p| p.bytes().all(|b| b.is_ascii_hexdigit()));
            match pair {
                Some(pair) if bytes[at] == b'%' => {
                    decoded.push(u8::from_str_radix(pair, 16).unwrap());
                    at += 3;
                }
                _ => {
                    decoded.push(bytes[at]);
                    at += 1;
                }
            }
        }
        let text: String = decoded.into_iter().map(char::from).collect();
        let text = text.replace('\\', "/");
        let mut segments: Vec<&str> = Vec::new();
        let mut ends_with_slash = false;
        let last = text.matches('/').count();
        for (place, segment) in text.split('/').enumerate().skip(1) {
            let name = segment.split(';').next().unwrap();
            let name = if place == last {
                name.trim_end_matches(' ')
            } else {
                name
            };
            ends_with_slash = matches!(name, "" | "." | "..");
            match name {
                "" | "." => {}
                ".." => {
                    segments.pop();
                }
                name => segments.push(name),
            }
        }
        let mut normal: String = segments.iter().map(|s| format!("/{s}")).collect();
        if ends_with_slash {
            normal.push('/');
        }
        normal
    }

    fn odd_path() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            8 => Just("/".to_owned()),
            6 => "[a-c]{1,3}",
            3 => Just("..".to_owned()),
            2 => Just(".".to_owned()),
            1 => Just("%2e".to_owned()),
            1 => Just("%2F".to_owned()),
            1 => Just("%5c".to_owned()),
            1 => Just("\\".to_owned()),
            1 => Just(";".to_owned()),
            1 => Just("%3b".to_owned()),
            1 => Just("%-".to_owned()),
            1 => Just("%61".to_owned()),
            1 => Just("%20".to_owned()),
            1 => Just("long".repeat(60)),
        ];
        proptest::collection::vec(piece, 0..40).prop_map(|pieces| format!("/{}", pieces.concat()))
    }

    proptest! {
        #[test]
        fn the_normal_form_is_what_the_definition_says(path in odd_path()) {
            let normal = normal::Normal::of(path.as_bytes(), 0);
            let want = by_definition(&path);
            let room = Prefix::MAX_LEN + 1;
            prop_assert_eq!(normal.bytes(), &want.as_bytes()[..want.len().min(room)]);
        }

        #[test]
        fn a_plain_path_is_its_own_normal_form(path in odd_path()) {
            if path::scan(path.as_bytes()).1 {
                prop_assert_eq!(by_definition(&path), path);
            }
        }

        #[test]
        fn what_is_forwarded_leads_there_in_normal_form_too(path in odd_path()) {
            let routes = paths(&["/a", "/b/", "/ab/c", "/c/c/c"]);
            let found = find(&routes, "", &path);
            if found != REFUSED {
                prop_assert_eq!(found, find(&routes, "", &by_definition(&path)));
            }
        }

        #[test]
        fn hosts_match_in_any_case_with_any_port(host in "[a-z]{1,5}(\\.[a-z]{1,5}){0,4}", big: u32, port: u16) {
            let routes = Routes::new(vec![route(&[&host], "/", 1), route(&[], "/", 0)]).unwrap();
            let mixed: String = host
                .chars()
                .enumerate()
                .map(|(i, c)| if big >> (i % 32) & 1 == 1 { c.to_ascii_uppercase() } else { c })
                .collect();
            prop_assert_eq!(find(&routes, &format!("{mixed}:{port}"), "/"), pool(1));
            prop_assert_eq!(find(&routes, &format!("{mixed}x"), "/"), pool(0));
        }

        #[test]
        fn no_bytes_make_it_panic(
            host in proptest::collection::vec(any::<u8>(), 0..300), path in proptest::collection::vec(any::<u8>(), 0..700),
        ) {
            let routes = Routes::new(vec![route(&["*.b", "a"], "/a", 1), route(&[], "/", 0)]).unwrap();
            let mut slashed = path.clone();
            slashed.insert(0, b'/');
            for path in [path, slashed] {
                let found = routes.find(&Query { host: Some(&host), path: &path });
                prop_assert!(found.is_some());
            }
        }
    }
}

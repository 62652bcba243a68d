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
        ("/public/%252e%252e/admin", 1),
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
        for segment in text.split('/').skip(1) {
            let name = segment.split(';').next().unwrap();
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
            1 => Just("long".repeat(60)),
        ];
        proptest::collection::vec(piece, 0..40).prop_map(|pieces| format!("/{}", pieces.concat()))
    }

    proptest! {
        #[test]
        fn the_normal_form_is_what_the_definition_says(path in odd_path()) {
            let normal = path::Normal::of(path.as_bytes());
            let want = by_definition(&path);
            let room = Prefix::MAX_LEN + 1;
            prop_assert_eq!(normal.bytes(), &want.as_bytes()[..want.len().min(room)]);
        }

        #[test]
        fn a_plain_path_is_its_own_normal_form(path in odd_path()) {
            if path::is_plain(path.as_bytes()) {
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

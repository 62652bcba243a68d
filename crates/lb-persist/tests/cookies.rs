//! Cookie fields: reading, taking out, writing, matching.
#![allow(clippy::unwrap_used)] // helpers of tests

use std::time::Duration;

use lb_persist::SameSite;
use lb_persist::cookie::{CookieError, Jar, SetCookie, Stripped, default_path, domain_match, pairs, path_match, strip};
use lb_types::Wall;

/// The source's own line.
const FIXTURE: &str = "BD_HOME=1; BDSVRTM=0; BD_LAST_QID=1507196234531915875957057";

fn stripped(line: &str) -> Option<String> {
    let mut out = vec![0; line.len()];
    match strip(line.as_bytes(), b"LBD", &mut out) {
        Stripped::Unchanged => Some(line.into()),
        Stripped::Empty => None,
        Stripped::Shorter(len) => Some(String::from_utf8(out[..len].to_vec()).unwrap()),
    }
}

fn read(line: &str) -> Vec<(String, String)> {
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    pairs(line.as_bytes()).map(|(n, v)| (text(n), text(v))).collect()
}

fn written(cookie: &SetCookie<'_>) -> String {
    let mut out = [0; SetCookie::LONGEST];
    let len = cookie.write(&mut out).unwrap();
    String::from_utf8(out[..len].to_vec()).unwrap()
}

#[test]
fn s_cookie_01_ours_is_found_among_others_and_the_rest_stays_byte_for_byte() {
    let names: Vec<String> = read(FIXTURE).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["BD_HOME", "BDSVRTM", "BD_LAST_QID"]);
    assert_eq!(read(FIXTURE)[2].1, "1507196234531915875957057");
    assert_eq!(stripped(FIXTURE).unwrap(), FIXTURE);
    // ours in front, between, behind, and everywhere
    let crumbs: Vec<&str> = FIXTURE.split("; ").collect();
    for at in 0..=crumbs.len() {
        let mut with = crumbs.clone();
        with.insert(at, "LBD=token");
        let line = with.join("; ");
        assert_eq!(read(&line)[at], ("LBD".into(), "token".into()));
        assert_eq!(stripped(&line).unwrap(), FIXTURE, "{line}");
        with.insert(at, "LBD=other");
        assert_eq!(stripped(&with.join("; ")).unwrap(), FIXTURE);
    }
}

#[test]
fn odd_but_real_cookie_lines_keep_their_other_bytes() {
    for (line, want) in [
        ("LBD=x", None),
        ("LBD=x;", None),
        (" LBD=x ; ", None),
        ("LBD=x;a=1", Some("a=1")),
        ("a=1;LBD=x;b=2", Some("a=1;b=2")),
        ("a=1 ; LBD=x", Some("a=1")),
        ("a=1; LBD=x;", Some("a=1;")),
        ("a=1;; LBD=x;  b=\"2; c\"", Some("a=1;;  b=\"2; c\"")),
        ("a=1; LBD = x; b=2", Some("a=1; b=2")),
        ("a=1; LBD=\"x\"; b", Some("a=1; b")),
        // not ours: other names, other case, no value
        ("XLBD=1; LBDX=2; lbd=3; LBD", Some("XLBD=1; LBDX=2; lbd=3; LBD")),
        ("a=LBD=x", Some("a=LBD=x")),
        ("", Some("")),
    ] {
        assert_eq!(stripped(line).as_deref(), want, "{line}");
    }
    assert_eq!(
        read("a=1;; b ;c = \"x y\" ; =v; d="),
        [
            ("a".into(), "1".into()),
            ("c".into(), "x y".into()),
            (String::new(), "v".into()),
            ("d".into(), String::new()),
        ]
    );
}

#[test]
fn s_cookie_04_without_expiry_no_attribute_of_time_is_written() {
    let line = written(&SetCookie {
        name: b"LBD",
        value: b"v",
        path: Some(b"/"),
        ..SetCookie::default()
    });
    assert_eq!(line, "LBD=v; Path=/");
    // and a client drops it when it ends
    let mut jar = Jar::new();
    assert!(jar.store("example.com", "/", line.as_bytes(), Wall::from_secs(0)));
    assert!(
        jar.cookie("example.com", "/", false, Wall::from_secs(1 << 40))
            .is_some()
    );
    jar.end_session();
    assert_eq!(jar.cookie("example.com", "/", false, Wall::from_secs(1)), None);
}

#[test]
fn s_cookie_05_with_expiry_max_age_and_expires_are_written_and_end_the_cookie() {
    let start = Wall::from_secs(1_447_942_490 - 3600);
    let cookie = SetCookie {
        name: b"LBD",
        value: b"v",
        path: Some(b"/"),
        max_age: Some(3600),
        expires: Some(Wall::from_secs(1_447_942_490)),
        ..SetCookie::default()
    };
    let line = written(&cookie);
    assert_eq!(
        line,
        "LBD=v; Max-Age=3600; Expires=Thu, 19 Nov 2015 14:14:50 GMT; Path=/"
    );
    let mut jar = Jar::new();
    assert!(jar.store("example.com", "/", line.as_bytes(), start));
    jar.end_session();
    let sent = |jar: &Jar, secs| jar.cookie("example.com", "/", false, Wall::from_secs(secs)).is_some();
    assert!(sent(&jar, 1_447_942_489));
    assert!(!sent(&jar, 1_447_942_490));
    // a client that knows only `Expires` ends it at the same second
    let mut old = Jar::new();
    assert!(old.store("example.com", "/", line.replace("Max-Age=3600; ", "").as_bytes(), start));
    assert!(sent(&old, 1_447_942_489) && !sent(&old, 1_447_942_490));
}

#[test]
fn s_cookie_07_a_domain_matches_tails_at_dots_and_defaults_to_the_host() {
    assert!(domain_match("example.com", "example.com"));
    assert!(domain_match("www.Example.COM", "example.com"));
    assert!(domain_match("a.b.example.com", "example.com"));
    assert!(!domain_match("badexample.com", "example.com"));
    assert!(!domain_match("example.com", "www.example.com"));
    assert!(!domain_match("example.com", ""));
    assert!(!domain_match("com", "example.com"));
    // addresses match only themselves
    assert!(domain_match("192.0.2.1", "192.0.2.1"));
    assert!(!domain_match("192.0.2.1", "2.1"));
    assert!(!domain_match("1.192.0.2.1", "other"));
    // without the attribute only the host itself gets the cookie
    let mut jar = Jar::new();
    assert!(jar.store("example.com", "/", b"host=1; Path=/", Wall::default()));
    assert!(jar.store(
        "example.com",
        "/",
        b"tail=1; Path=/; Domain=.example.com",
        Wall::default()
    ));
    let sent = |host| {
        jar.cookie(host, "/", false, Wall::default())
            .map(|c| String::from_utf8(c).unwrap())
    };
    assert_eq!(sent("example.com").unwrap(), "host=1; tail=1");
    assert_eq!(sent("www.example.com").unwrap(), "tail=1");
    assert_eq!(sent("badexample.com"), None);
}

#[test]
fn s_cookie_08_sharing_between_levels_of_a_domain() {
    let mut jar = Jar::new();
    let now = Wall::default();
    assert!(jar.store("example.com", "/", b"top=1; Path=/; Domain=example.com", now));
    assert!(jar.store("a.example.com", "/", b"a=1; Path=/; Domain=a.example.com", now));
    assert!(jar.store("b.example.com", "/", b"b=1; Path=/; Domain=b.example.com", now));
    let sent = |host| String::from_utf8(jar.cookie(host, "/", false, now).unwrap()).unwrap();
    assert_eq!(sent("a.example.com"), "top=1; a=1"); // the top's and its own, not the sibling's
    assert_eq!(sent("b.example.com"), "top=1; b=1");
    assert_eq!(sent("example.com"), "top=1"); // not those of the level below
    let mut jar = Jar::new();
    assert!(!jar.store("a.example.com", "/", b"x=1; Domain=b.example.com", now)); // nor may one set it
}

#[test]
fn s_cookie_10_a_path_matches_whole_segments_after_the_domain_matched() {
    for (path, cookie_path, want) in [
        ("/foo", "/foo", true),
        ("/foo/x", "/foo", true),
        ("/foo/x", "/foo/", true),
        ("/foobar", "/foo", false),
        ("/foo", "/foo/", false),
        ("/anything", "/", true),
        ("/Foo", "/foo", false),
        ("/", "/foo", false),
    ] {
        assert_eq!(path_match(path, cookie_path), want, "{path} {cookie_path}");
    }
    // a matching path does not help where the domain differs
    let mut jar = Jar::new();
    assert!(jar.store("example.com", "/", b"a=1; Path=/foo", Wall::default()));
    let sent = |host, path| jar.cookie(host, path, false, Wall::default()).is_some();
    assert!(sent("example.com", "/foo/x"));
    assert!(!sent("example.com", "/foobar"));
    assert!(!sent("example.org", "/foo/x"));
}

#[test]
fn the_default_path_reaches_to_the_last_slash() {
    for (path, want) in [
        ("", "/"),
        ("foo", "/"),
        ("/", "/"),
        ("/foo", "/"),
        ("/foo/", "/foo"),
        ("/foo/bar", "/foo"),
        ("/a/b/c", "/a/b"),
    ] {
        assert_eq!(default_path(path), want, "{path}");
    }
}

#[test]
fn browsers_rules_for_prefixes_and_attributes_are_held_before_sending() {
    let good = SetCookie {
        name: b"__Host-LBD",
        value: b"v",
        path: Some(b"/"),
        secure: true,
        ..SetCookie::default()
    };
    assert_eq!(good.check(), Ok(()));
    assert_eq!(
        SetCookie { secure: false, ..good }.check(),
        Err(CookieError::HostPrefix)
    );
    assert_eq!(
        SetCookie {
            path: Some(b"/x"),
            ..good
        }
        .check(),
        Err(CookieError::HostPrefix)
    );
    assert_eq!(SetCookie { path: None, ..good }.check(), Err(CookieError::HostPrefix));
    assert_eq!(
        SetCookie {
            domain: Some(b"a.example"),
            ..good
        }
        .check(),
        Err(CookieError::HostPrefix)
    );
    assert_eq!(
        SetCookie {
            name: b"__hOST-LBD",
            secure: false,
            ..good
        }
        .check(),
        Err(CookieError::HostPrefix)
    );
    let secure = SetCookie {
        name: b"__Secure-LBD",
        path: Some(b"/x"),
        ..good
    };
    assert_eq!(secure.check(), Ok(()));
    assert_eq!(
        SetCookie {
            secure: false,
            ..secure
        }
        .check(),
        Err(CookieError::SecurePrefix)
    );
    let plain = SetCookie {
        name: b"LBD",
        secure: false,
        ..good
    };
    assert_eq!(plain.check(), Ok(()));
    assert_eq!(
        SetCookie {
            same_site: Some(SameSite::None),
            ..plain
        }
        .check(),
        Err(CookieError::SameSiteNone)
    );
    assert_eq!(
        SetCookie {
            partitioned: true,
            ..plain
        }
        .check(),
        Err(CookieError::Partitioned)
    );
    let days = |days: u64| {
        SetCookie {
            max_age: Some(days * 86_400),
            ..plain
        }
        .check()
    };
    assert_eq!(days(400), Ok(()));
    let longest = Duration::from_secs(400 * 86_400);
    assert_eq!(
        days(0),
        Err(CookieError::MaxAge {
            given: Duration::ZERO,
            longest
        })
    );
    assert_eq!(
        days(401),
        Err(CookieError::MaxAge {
            given: Duration::from_secs(401 * 86_400),
            longest
        })
    );
}

#[test]
fn names_values_domains_and_paths_that_could_break_the_line_are_refused() {
    let plain = SetCookie {
        name: b"LBD",
        value: b"v",
        path: Some(b"/"),
        ..SetCookie::default()
    };
    assert_eq!(SetCookie { name: b"", ..plain }.check(), Err(CookieError::EmptyName));
    assert_eq!(
        SetCookie { name: b"L=D", ..plain }.check(),
        Err(CookieError::Name { byte: b'=', offset: 1 })
    );
    assert_eq!(
        SetCookie { value: b"a b", ..plain }.check(),
        Err(CookieError::Value { byte: b' ', offset: 1 })
    );
    assert_eq!(
        SetCookie {
            value: b"http://cloud.tencent.com",
            ..plain
        }
        .check(),
        Ok(())
    );
    for domain in ["", ".", "a..b", "-a.b", "a;b", "a b", "192.0.2.1", "::1", "a\r\nb"] {
        let error = SetCookie {
            domain: Some(domain.as_bytes()),
            ..plain
        }
        .check()
        .unwrap_err();
        assert_eq!(error, CookieError::Domain { domain: domain.into() });
    }
    for path in ["", "pages", "/a;b", "/a\r\nb", "/a "] {
        let error = SetCookie {
            path: Some(path.as_bytes()),
            ..plain
        }
        .check()
        .unwrap_err();
        assert_eq!(error, CookieError::Path { path: path.into() });
    }
    // "LBD=v; Path=/": 13 bytes with the slash
    let fits = format!("/{}", "p".repeat(1024 - 13));
    assert_eq!(
        SetCookie {
            path: Some(fits.as_bytes()),
            ..plain
        }
        .check(),
        Ok(())
    );
    let long = format!("{fits}p");
    let error = SetCookie {
        path: Some(long.as_bytes()),
        ..plain
    }
    .check()
    .unwrap_err();
    assert_eq!(
        error,
        CookieError::TooLong {
            bytes: 1025,
            limit: 1024
        }
    );
}

#[test]
fn set_cookie_is_read_as_browsers_read_it() {
    // RFC 6265, section 3.1
    let cookie = SetCookie::parse(b"SID=31d4d96e407aad42; Path=/; Secure; HttpOnly").unwrap();
    assert_eq!(
        (cookie.name, cookie.value, cookie.path),
        (&b"SID"[..], &b"31d4d96e407aad42"[..], Some(&b"/"[..]))
    );
    assert!(cookie.secure && cookie.http_only);
    let cookie = SetCookie::parse(b"lang=en-US; Expires=Wed, 09 Jun 2021 10:18:14 GMT").unwrap();
    assert_eq!(cookie.expires, Some(Wall::from_secs(1_623_233_894)));
    // section 5.2: case, spaces, unknown attributes, the last of equals, dots, bad paths
    let line = b" a = b ;PATH=/x; path=/y ; Domain=.Example.com; max-age=-1; foo=bar; samesite=lax; Partitioned";
    let cookie = SetCookie::parse(line).unwrap();
    assert_eq!((cookie.name, cookie.value), (&b"a"[..], &b"b"[..]));
    assert_eq!(
        (cookie.path, cookie.domain),
        (Some(&b"/y"[..]), Some(&b"Example.com"[..]))
    );
    assert_eq!((cookie.max_age, cookie.same_site), (Some(0), Some(SameSite::Lax)));
    assert!(cookie.partitioned);
    assert_eq!(SetCookie::parse(b"a=b; Path=x").unwrap().path, None);
    assert_eq!(SetCookie::parse(b"a=b; Max-Age=1x").unwrap().max_age, None);
    assert_eq!(
        SetCookie::parse(b"a=b; Max-Age=99999999999999999999").unwrap().max_age,
        Some(u64::MAX)
    );
    assert_eq!(SetCookie::parse(b"no pair; Path=/"), None);
    assert_eq!(SetCookie::parse(b"=v"), None);
}

#[test]
fn a_jar_deletes_replaces_orders_and_is_bounded() {
    let mut jar = Jar::new();
    let now = Wall::from_secs(100);
    let sent = |jar: &Jar, path| jar.cookie("h", path, false, now).map(|c| String::from_utf8(c).unwrap());
    // RFC 6265, section 5.4: longer paths first, then older
    for line in ["a=1; Path=/", "b=2; Path=/x", "c=3; Path=/", "s=4; Path=/; Secure"] {
        assert!(jar.store("h", "/", line.as_bytes(), now));
    }
    assert_eq!(sent(&jar, "/x").unwrap(), "b=2; a=1; c=3");
    assert!(jar.store("h", "/", b"a=9; Path=/", now)); // keeps its age
    assert!(jar.store("h", "/", b"c=; Path=/; Max-Age=0", now));
    assert_eq!(sent(&jar, "/").unwrap(), "a=9");
    assert_eq!(jar.cookie("h", "/", true, now).unwrap(), b"a=9; s=4");
    for n in 0..400 {
        assert!(jar.store("h", "/", format!("n{n}=1; Path=/n").as_bytes(), now));
    }
    assert_eq!(sent(&jar, "/n").unwrap().split("; ").count(), 300);
    jar.clear();
    assert_eq!(sent(&jar, "/"), None);
}

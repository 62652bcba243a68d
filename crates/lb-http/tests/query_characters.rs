//! Characters in queries that are not escaped as RFC 3986 wants it.

mod support;

use lb_http::h1::{Error, Limits, QueryCharacters};
use support::{Reader, Story};

fn read(target: &[u8], query_characters: QueryCharacters) -> Story {
    let limits = Limits {
        query_characters,
        target_bytes: 256,
        ..Limits::default()
    };
    let mut reader = Reader::server(limits);
    reader.feed(&[b"GET ", target, b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat());
    reader.finish()
}

fn target_of(target: &[u8], query: QueryCharacters) -> Result<Vec<u8>, Error> {
    let limits = std::sync::Arc::new(Limits {
        query_characters: query,
        target_bytes: 256,
        ..Limits::default()
    });
    let mut conn = lb_http::h1::Conn::new(lb_http::h1::Role::Server, limits);
    let mut head = lb_http::Head::with_capacity(64, 4);
    let bytes = [b"GET ", target, b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
    conn.read_head(&bytes, &mut head).map(|_| head.target().to_vec())
}

#[test]
fn each_way_treats_each_byte_as_it_says() {
    let always = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/?[]%";
    let browsers = b"{}|\\^`";
    for byte in 0..=255_u8 {
        let target = [b"/p?q=", &[byte][..], b"z"].concat();
        let encoded = format!("/p?q=%{byte:02X}z").into_bytes();
        let is_loose = b"\"<>".contains(&byte) || byte > 127;
        for (way, want) in [
            (QueryCharacters::Strict, None),
            (QueryCharacters::Pass, Some(&target)),
            (QueryCharacters::Encode, Some(&encoded)),
        ] {
            let want = match byte {
                _ if always.contains(&byte) => Some(&target),
                _ if browsers.contains(&byte) => want.or(Some(&target)),
                _ if is_loose => want,
                _ => None,
            };
            let got = target_of(&target, way);
            assert_eq!(got.as_ref().ok(), want, "0x{byte:02x}, {way:?}: {got:?}");
        }
        if b"|^".contains(&byte) {
            let path = [b"/p", &[byte][..], b"z?q"].concat();
            assert!(
                target_of(&path, QueryCharacters::Strict).is_ok(),
                "0x{byte:02x} in a path"
            );
        }
        // A path takes none of them, whatever the query may have.
        if is_loose || b"{}\\`".contains(&byte) {
            for way in [QueryCharacters::Pass, QueryCharacters::Encode] {
                let path = [b"/p", &[byte][..], b"z?q"].concat();
                assert!(target_of(&path, way).is_err(), "0x{byte:02x} in a path, {way:?}");
                let absolute = [b"http://a/p", &[byte][..], b"?q"].concat();
                assert!(target_of(&absolute, way).is_err(), "0x{byte:02x} in a path, {way:?}");
            }
        }
    }
}

#[test]
fn text_of_any_encoding_is_encoded_byte_by_byte() {
    let encode = |target: &[u8]| target_of(target, QueryCharacters::Encode).unwrap();
    assert_eq!(encode("/s?q=caf\u{e9}".as_bytes()), b"/s?q=caf%C3%A9");
    assert_eq!(encode(b"/s?q=caf\xe9&x=\xff"), b"/s?q=caf%E9&x=%FF");
    assert_eq!(encode(b"http://a/s?{\"a\":[1]}"), b"/s?%7B%22a%22:[1]%7D");
    assert_eq!(encode(b"http://a?<"), b"/?%3C");
    assert_eq!(encode(b"/a|b^?|^"), b"/a|b^?%7C%5E");
    assert_eq!(encode(b"/a?%zz%"), b"/a?%zz%");
    assert_eq!(
        target_of(b"http://a/s?\xe9", QueryCharacters::Pass).unwrap(),
        b"/s?\xe9"
    );
}

#[test]
fn what_ends_a_target_or_a_line_stays_refused() {
    for target in [
        &b"/a?b c"[..],
        b"/a?b\tc",
        b"/a?b\0",
        b"/a?b\x7f",
        b"/a?b#c",
        b"/a?\xe9 c",
        b"/a?b\rc",
        b"/a?b\nc",
    ] {
        for way in [QueryCharacters::Encode, QueryCharacters::Pass] {
            assert!(
                read(target, way).error.is_some(),
                "{:?}",
                String::from_utf8_lossy(target)
            );
        }
    }
}

#[test]
fn the_limit_holds_for_what_is_passed_on() {
    let target = [b"/a?", &b"\"".repeat(84)[..]].concat();
    assert_eq!(target_of(&target, QueryCharacters::Encode).unwrap().len(), 255);
    let longer = [&target[..], b"\""].concat();
    assert_eq!(
        target_of(&longer, QueryCharacters::Encode),
        Err(Error::TargetTooLong { limit: 256 })
    );
    assert!(target_of(&longer, QueryCharacters::Pass).is_ok());
}

#[test]
fn the_written_request_has_the_target_that_was_read() {
    for (way, want) in [
        (QueryCharacters::Pass, &b"GET /a?\xe9\" HTTP/1.1\r\n"[..]),
        (QueryCharacters::Encode, b"GET /a?%E9%22 HTTP/1.1\r\n"),
    ] {
        let limits = std::sync::Arc::new(Limits {
            query_characters: way,
            ..Limits::default()
        });
        let mut conn = lb_http::h1::Conn::new(lb_http::h1::Role::Server, std::sync::Arc::clone(&limits));
        let mut head = lb_http::Head::with_capacity(64, 4);
        assert!(
            conn.read_head(b"GET /a?\xe9\" HTTP/1.1\r\nHost: a\r\n\r\n", &mut head)
                .is_ok()
        );
        let mut out = Vec::new();
        let mut upstream = lb_http::h1::Conn::new(lb_http::h1::Role::Client, limits);
        upstream
            .write_head(&head, lb_http::h1::Framing::Empty, &mut out)
            .unwrap();
        assert!(out.starts_with(want), "{:?}", String::from_utf8_lossy(&out));
    }
}

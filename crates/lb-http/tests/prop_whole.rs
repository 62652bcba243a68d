//! A head that arrives whole is read in one pass; one that comes byte by byte is scanned line by line.
//! Both ways give the same messages, the same errors and leave the same bytes.

mod support;

use lb_http::h1::Limits;
use proptest::prelude::*;
use support::{Asked, Reader, Story};

#[derive(Debug, Clone, Copy)]
enum Side {
    Server,
    Client(Asked),
}

const SIDES: [Side; 4] = [
    Side::Server,
    Side::Client(Asked::Get),
    Side::Client(Asked::Head),
    Side::Client(Asked::Upgrade),
];

fn read<'a>(side: Side, limits: &Limits, pieces: impl Iterator<Item = &'a [u8]>) -> Story {
    let mut reader = match side {
        Side::Server => Reader::server(limits.clone()),
        Side::Client(asked) => Reader::client(limits.clone(), asked),
    };
    pieces.for_each(|piece| reader.feed(piece));
    let mut story = reader.finish();
    if story.error.is_some() {
        // After an error the unread bytes are nobody's.
        story.rest.clear();
    }
    story
}

/// What both ways make of `input`.
fn agree(side: Side, limits: &Limits, input: &[u8]) -> Story {
    let whole = read(side, limits, std::iter::once(input));
    let drip = read(side, limits, input.chunks(1));
    assert_eq!(whole, drip, "{side:?}, {limits:?}: {}", input.escape_ascii());
    whole
}

const REQUEST: &[u8] =
    b"GET /a?b HTTP/1.1\r\nHost: a\r\nX-Y: b c\r\nE:\r\nContent-Length:1 \t\r\n\r\nxHEAD / HTTP/1.0\r\n\r\n";
const RESPONSES: [&[u8]; 2] = [
    b"HTTP/1.1 103 E\r\nLink: x\r\n\r\nHTTP/1.1 200 O K\r\nE: \t\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.1 101\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nGET",
];
/// Every kind of byte that some reader treats differently from its neighbours.
const BYTES: [u8; 26] = [
    0, 1, 8, b'\t', b'\n', 0x0b, 0x0c, b'\r', 0x1f, b' ', b'!', b'"', b'(', b',', b'-', b'/', b'0', b':', b';', b'=',
    b'@', b'_', b'a', 0x7f, 0x80, 0xff,
];

#[test]
fn no_byte_at_any_place_tells_the_two_ways_apart() {
    let limits = Limits::default();
    let check = |sides: &[Side], input: &[u8]| {
        for side in sides {
            agree(*side, &limits, input);
        }
    };
    let (server, client) = SIDES.split_at(1);
    for (sides, input) in [
        (server, REQUEST),
        (&client[..1], RESPONSES[0]),
        (&client[2..], RESPONSES[1]),
    ] {
        for at in 0..=input.len() {
            let (front, back) = input.split_at(at);
            check(sides, front);
            for byte in BYTES {
                check(sides, &[front, &[byte], back].concat());
                if let Some((_, back)) = back.split_first() {
                    check(sides, &[front, &[byte], back].concat());
                }
            }
            for word in [
                &b"\r\n"[..],
                b"\n\n",
                b"\r\r\n",
                b"\r\n\r\n",
                b"\r\n ",
                b" \r\n",
                b"\r\n\t",
            ] {
                check(sides, &[front, word, back].concat());
            }
            if let Some((_, back)) = back.split_first() {
                check(sides, &[front, back].concat());
            }
        }
    }
}

#[test]
fn each_limit_holds_to_the_byte_whichever_way_a_head_is_read() {
    let fields = "X: y\r\n".repeat(7);
    let request = format!("GET /{} HTTP/1.1\r\nHost: a\r\n{fields}\r\n", "t".repeat(39));
    let response = format!("HTTP/1.1 204 N\r\nHost: a\r\n{fields}\r\n");
    for (side, text) in [(Side::Server, &request), (Side::Client(Asked::Get), &response)] {
        for more in ["", "\r\n", "GET", "HTTP/1.1 200 OK\r\n\r\n"] {
            let input = format!("{text}{more}");
            let fits_in = |limits: Limits| !agree(side, &limits, input.as_bytes()).messages.is_empty();
            for off in [-1_isize, 0, 1] {
                let near = |exact: usize| exact.checked_add_signed(off).unwrap();
                let limits = Limits::default();
                let bytes = fits_in(Limits {
                    head_bytes: near(text.len()),
                    ..limits.clone()
                });
                let lines = fits_in(Limits {
                    fields: near(8),
                    ..limits.clone()
                });
                let target = fits_in(Limits {
                    target_bytes: near(40),
                    ..limits
                });
                let fits = off >= 0;
                let is_client = matches!(side, Side::Client(_));
                assert_eq!(
                    (bytes, lines, target),
                    (fits, fits, fits || is_client),
                    "{off} {input:?}"
                );
            }
        }
    }
}

/// A head that is mostly in order.
fn head() -> impl Strategy<Value = Vec<u8>> {
    let start = prop_oneof![
        (
            "(GET|HEAD|POST|OPTIONS|M-SEARCH|!)",
            "(/[!-~]{0,12}|\\*|http://a(:80)?(/x)?)",
            "HTTP/1\\.[01]"
        )
            .prop_map(|(method, target, version)| format!("{method} {target} {version}").into_bytes()),
        ("HTTP/1\\.[01]", 100_u16..600, "( [ -~\\t]{0,8})?")
            .prop_map(|(version, status, reason)| format!("{version} {status}{reason}").into_bytes()),
    ];
    let name = prop_oneof![
        3 => proptest::sample::select(vec![
            "Host", "Content-Length", "Transfer-Encoding", "Connection", "Content_Length", "Expect", "Upgrade", "TE",
        ]).prop_map(str::to_owned),
        1 => "[!#$%&'*+.^_`|~0-9a-zA-Z-]{1,20}",
    ];
    let value = prop_oneof![
        3 => proptest::sample::select(vec!["a", "0", "1", "chunked", "close", "keep-alive", "100-continue", ""])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(prop_oneof![8 => b' '..=b'~', 1 => 0x80..=0xff_u8, 1 => Just(b'\t')], 0..24),
    ];
    let line = (name, "[ \\t]{0,2}", value, "[ \\t]{0,2}").prop_map(|(name, before, value, behind)| {
        [
            name.as_bytes(),
            b":",
            before.as_bytes(),
            &value,
            behind.as_bytes(),
            b"\r\n",
        ]
        .concat()
    });
    (
        "(\r\n){0,3}",
        start,
        any::<bool>(),
        proptest::collection::vec(line, 0..7),
    )
        .prop_map(|(empty, start, host, lines)| {
            let host: &[u8] = if host { b"Host: a\r\n" } else { b"" };
            [empty.as_bytes(), &start, b"\r\n", host, &lines.concat(), b"\r\n"].concat()
        })
}

/// A mistake: what is put where, and how many bytes it takes the place of.
fn mistake() -> impl Strategy<Value = (prop::sample::Index, Vec<u8>, usize)> {
    let what = prop_oneof![
        proptest::sample::select(&BYTES[..]).prop_map(|byte| vec![byte]),
        proptest::sample::select(vec![&b""[..], b"\r\n", b"\n\n", b"\r\n\r\n", b"\r\n ", b"x\r\n"])
            .prop_map(<[u8]>::to_vec),
    ];
    (any::<prop::sample::Index>(), what, 0..3_usize)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn heads_with_and_without_mistakes_read_the_same_both_ways(
        heads in proptest::collection::vec(head(), 1..4),
        mistakes in proptest::collection::vec(mistake(), 0..3),
        side in proptest::sample::select(&SIDES[..]),
        head_bytes in prop_oneof![Just(16_384_usize), 20..200_usize],
        fields in prop_oneof![Just(128_usize), 1..8_usize],
        target_bytes in prop_oneof![Just(8_192_usize), 1..16_usize],
    ) {
        let mut input = heads.concat();
        for (at, what, gone) in mistakes {
            let from = at.index(input.len() + 1);
            let to = (from + gone).min(input.len());
            input.splice(from..to, what);
        }
        agree(side, &Limits { head_bytes, fields, target_bytes, ..Limits::default() }, &input);
    }
}

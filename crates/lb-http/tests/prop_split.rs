//! Any split of the input gives the same result, errors and their positions included.

mod support;

use lb_http::h1::{Limits, Parsing, QueryCharacters};
use proptest::prelude::*;
use support::{Asked, Reader, Story};

#[derive(Debug, Clone, Copy)]
enum Side {
    Server,
    Client(Asked),
}

fn reader(side: Side, limits: &Limits) -> Reader {
    match side {
        Side::Server => Reader::server(limits.clone()),
        Side::Client(asked) => Reader::client(limits.clone(), asked),
    }
}

fn whole(side: Side, limits: &Limits, input: &[u8]) -> Story {
    let mut reader = reader(side, limits);
    reader.feed(input);
    settle(reader.finish())
}

fn in_pieces<'a>(side: Side, limits: &Limits, pieces: impl Iterator<Item = &'a [u8]>) -> Story {
    let mut reader = reader(side, limits);
    pieces.for_each(|piece| reader.feed(piece));
    settle(reader.finish())
}

/// After an error the unread bytes are nobody's, so how many were left is no part of the result.
fn settle(mut story: Story) -> Story {
    if story.error.is_some() {
        story.rest.clear();
    }
    story
}

fn check_all_splits(side: Side, limits: &Limits, input: &[u8]) {
    let want = whole(side, limits, input);
    let text = String::from_utf8_lossy(input);
    for at in 0..=input.len() {
        let (a, b) = input.split_at(at);
        assert_eq!(
            in_pieces(side, limits, [a, b].into_iter()),
            want,
            "split at {at}: {text:?}"
        );
    }
    assert_eq!(in_pieces(side, limits, input.chunks(1)), want, "byte by byte: {text:?}");
}

const REQUESTS: [&[u8]; 28] = [
    b"\x16\x03\x01\x02\x00",
    b"\x16",
    b"\r\n\x16\x02",
    b"GET /a?\xe9\" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /2 HTTP/1.0\r\n\r\n",
    b"\r\n\r\n\r\nGET / HTTP/1.1\r\n",
    b"\r\rGET",
    b"\r\n\nGET",
    b"GET / HTTP/1.1\nHost: a\n\n",
    b"GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n",
    b"GET / HTTP/2.0\r\nHost\n\r\n",
    b"GET /\r\n\n",
    b"G T / HTTP/1.1\r\n \n",
    b"GET http://a:80/x?y HTTP/1.1\r\nHost: A\r\n\r\nOPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: 0123456789012345678901234567890123456789012345678901234567890123456789\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nGET",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n0a\r\n0123456789\r\n0\r\nX: 1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: 1\nY\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX : 1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    b"GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n\r\n",
];

const RESPONSES: [&[u8]; 15] = [
    b"\x15\x03\x01\x00\x02\x02\x28",
    b"\x15\x15",
    b"HTTP/1.1 200 OK\nA : b\n c\nContent-Length: 1, 1\n\nxHTTP/1.1 204 N\r\n\n",
    b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1  \r\nx\r\n0 \r\n\r\nHTTP/1.1",
    b"HTTP/1.1 200 OK\r\n\r\n a: b\n\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 204 X\r\n\r\nHTTP/1.1 200\r\n\r\nuntil the end",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: 1\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nxy",
    b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\nanything\r\n",
    b"HTTP/1.1 304 N\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/1.1 204 N\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    b"HTTP/2.0 200 OK\n",
    b"HTTP/1.1 20\n",
    b"SSH-2.0-x\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\n\r\n",
];

fn tight() -> Limits {
    Limits {
        head_bytes: 100,
        fields: 5,
        target_bytes: 20,
        body_bytes: Some(12),
        chunk_line_bytes: 8,
        chunk_extension_bytes: 8,
        trailer_bytes: 20,
        trailer_fields: 2,
        ..Limits::default()
    }
}

/// Reads as much as can be read.
fn loose() -> Limits {
    Limits {
        parsing: Parsing::Tolerant,
        query_characters: QueryCharacters::Encode,
        ..Limits::default()
    }
}

#[test]
fn every_split_of_the_examples_gives_the_same_result() {
    for limits in [Limits::default(), tight(), loose()] {
        for input in REQUESTS {
            check_all_splits(Side::Server, &limits, input);
        }
        for input in RESPONSES {
            for asked in [Asked::Get, Asked::Head, Asked::Upgrade] {
                check_all_splits(Side::Client(asked), &limits, input);
            }
        }
    }
}

/// Pieces of which heads and bodies are made, right and wrong.
fn words() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: [&[u8]; 44] = [
        b"GET ",
        b"POST ",
        b"HEAD ",
        b"OPTIONS ",
        b"/ ",
        b"/a?b ",
        b"* ",
        b"http://a/ ",
        b"HTTP/1.1\r\n",
        b"HTTP/1.0\r\n",
        b"HTTP/2.0\r\n",
        b"Host: a\r\n",
        b"Host: b\r\n",
        b"Content-Length: 3\r\n",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Connection: close\r\n",
        b"X: y\r\n",
        b"\r\n",
        b"\r",
        b"\n",
        b" ",
        b"\t",
        b":",
        b"\0",
        b"abc",
        b"3\r\nabc\r\n",
        b"3;a=b\r\nabc\r\n",
        b"0\r\n\r\n",
        b"0\r\n",
        b"A: 1\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 C\r\n\r\n",
        b"HTTP/1.1 204 N\r\n",
        b"HTTP/1.0 200 OK\r\n",
        b"HTTP/1.1 101 S\r\n",
        b"Upgrade: websocket\r\n",
        b"ffffffffffffffff\r\n",
        b"Content-Length: 3\r\n\r\nabc",
        b"\r\n\r\n",
        b"Expect: x\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ];
    proptest::collection::vec(proptest::sample::select(&WORDS[..]), 0..14).prop_map(|words| words.concat())
}

fn pieces<'a>(input: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|c| c.index(input.len() + 1)).collect();
    at.sort_unstable();
    let mut pieces = Vec::new();
    let mut from = 0;
    for to in at.into_iter().chain([input.len()]) {
        pieces.push(&input[from..to]);
        from = to;
    }
    pieces
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    proptest::collection::vec(any::<prop::sample::Index>(), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_requests_gives_the_same_result(input in words(), cuts in cuts(), which in 0..3_usize) {
        let limits = [Limits::default(), tight(), loose()][which].clone();
        let split = in_pieces(Side::Server, &limits, pieces(&input, &cuts).into_iter());
        prop_assert_eq!(split, whole(Side::Server, &limits, &input));
    }

    #[test]
    fn any_split_of_responses_gives_the_same_result(
        input in words(), cuts in cuts(), which in 0..3_usize,
        asked in proptest::sample::select(vec![Asked::Get, Asked::Head, Asked::Upgrade]),
    ) {
        let limits = [Limits::default(), tight(), loose()][which].clone();
        let split = in_pieces(Side::Client(asked), &limits, pieces(&input, &cuts).into_iter());
        prop_assert_eq!(split, whole(Side::Client(asked), &limits, &input));
    }

    #[test]
    fn any_split_of_a_chunked_body_gives_the_same_result(
        chunks in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 1..40), "(;[a-z]{1,3}(=[a-z]{1,3})?)?"), 0..6),
        trailers in proptest::collection::vec(("[A-Za-z-]{1,8}", "[a-z ]{0,8}"), 0..3),
        cuts in cuts(),
    ) {
        let mut input = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for (payload, extension) in &chunks {
            input.extend_from_slice(format!("{:x}{extension}\r\n", payload.len()).as_bytes());
            input.extend_from_slice(payload);
            input.extend_from_slice(b"\r\n");
        }
        input.extend_from_slice(b"0\r\n");
        for (name, value) in &trailers {
            input.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        input.extend_from_slice(b"\r\n");
        let want = whole(Side::Server, &Limits::default(), &input);
        let split = in_pieces(Side::Server, &Limits::default(), pieces(&input, &cuts).into_iter());
        prop_assert_eq!(&split, &want);
        prop_assert_eq!(want.error, None);
        let body: Vec<u8> = chunks.iter().flat_map(|(payload, _)| payload.clone()).collect();
        prop_assert_eq!(&want.messages[0].body, &body);
    }

    #[test]
    fn arbitrary_bytes_never_panic(input in proptest::collection::vec(any::<u8>(), 0..200), cuts in cuts()) {
        let split = in_pieces(Side::Server, &tight(), pieces(&input, &cuts).into_iter());
        prop_assert_eq!(split, whole(Side::Server, &tight(), &input));
        let _ = whole(Side::Client(Asked::Get), &tight(), &input);
    }
}

//! Chunked bodies with trailers: no panic, the same payload for any split, limits that hold, and
//! chunks of our own that read back as the same payload.
#![no_main]

#[path = "../../crates/lb-http/tests/support/mod.rs"]
mod support;

use lb_http::h1::{Framing, Limits};
use libfuzzer_sys::fuzz_target;
use support::{Reader, Story};

const HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const BODY_MAX: u64 = 1_000;

// The first byte says how the rest is cut.
fuzz_target!(|data: &[u8]| {
    let Some((cut, input)) = data.split_first() else { return };
    let whole = read(input, input.len().max(1));
    let pieces = read(input, usize::from(*cut).max(1));
    assert_eq!(whole, pieces);
    let first = &whole.messages[0];
    assert!(first.body.len() as u64 <= BODY_MAX);
    if !first.complete {
        return;
    }
    let (mut conn, _, _) = support::server_with(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let (head, _) = support::response_head(b"HTTP/1.1 200 OK\r\n\r\n");
    let mut wire = Vec::new();
    conn.write_head(&head, Framing::Chunked, &mut wire).expect("a response");
    wire.clear();
    for piece in first.body.chunks(usize::from(*cut).max(1)) {
        let behind = conn.write_body(piece.len(), &mut wire).expect("a chunk");
        wire.extend_from_slice(piece);
        wire.extend_from_slice(behind);
    }
    conn.write_end(None, &mut wire).expect("an end");
    let again = read(&wire, wire.len());
    assert_eq!((again.error, &again.messages[0].body), (None, &first.body));
    assert!(again.messages[0].complete && again.rest.is_empty());
});

fn read(input: &[u8], piece: usize) -> Story {
    let mut reader = Reader::server(Limits {
        body_bytes: Some(BODY_MAX),
        ..Limits::default()
    });
    reader.feed(HEAD);
    input.chunks(piece).for_each(|part| reader.feed(part));
    let mut story = reader.finish();
    if story.error.is_some() {
        story.rest.clear();
    }
    story
}

//! Responses from hostile backends: no panic, the same result for any split, and what is accepted
//! reaches the client as exactly one response with the same body.
#![no_main]

#[path = "../../crates/lb-http/tests/support/mod.rs"]
mod support;

use lb_http::h1::{Conn, Framing, Limits, Role, Step};
use lb_http::{Head, forward};
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;
use support::{Asked, Reader, Story};

// The first byte says how the rest is cut and what was asked.
fuzz_target!(|data: &[u8]| {
    let Some((choice, input)) = data.split_first() else {
        return;
    };
    let asked = [Asked::Get, Asked::Head, Asked::Upgrade][usize::from(choice % 3)];
    let whole = read(input, input.len().max(1), asked);
    let pieces = read(input, usize::from(choice / 3).max(1), asked);
    assert_eq!(whole, pieces);
    let Some(first) = whole.messages.first() else { return };
    if first.status < 200 || !(first.complete || first.framing == Some(Framing::UntilClose)) {
        return;
    }

    let (mut head, framing) = head_of(input, asked);
    forward::response(&mut head, false);
    let method = if asked == Asked::Head { "HEAD" } else { "GET" };
    let (mut conn, _, _) = support::server_with(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
    let mut wire = Vec::new();
    conn.write_head(&head, framing, &mut wire)
        .expect("an accepted response can be written");
    if !conn.writing_done() {
        for piece in first.body.chunks(7) {
            let behind = conn.write_body(piece.len(), &mut wire).expect("the announced length");
            wire.extend_from_slice(piece);
            wire.extend_from_slice(behind);
        }
    }
    conn.write_end(None, &mut wire).expect("the announced length");

    // The framing lines that are added can lift a head over the limit.
    let limits = Limits {
        head_bytes: 64 * 1024,
        fields: 256,
        ..Limits::default()
    };
    let mut again = Reader::client(limits, asked);
    again.feed(&wire);
    let again = again.finish();
    assert_eq!(again.error, None, "{}", String::from_utf8_lossy(&wire));
    assert_eq!(again.messages.len(), 1);
    let message = &again.messages[0];
    assert!(message.complete && again.rest.is_empty());
    assert_eq!((message.status, &message.body), (first.status, &first.body));
});

fn read(input: &[u8], piece: usize, asked: Asked) -> Story {
    let mut reader = Reader::client(Limits::default(), asked);
    input.chunks(piece).for_each(|part| reader.feed(part));
    let mut story = reader.finish();
    if story.error.is_some() {
        story.rest.clear();
    }
    story
}

fn head_of(input: &[u8], asked: Asked) -> (Head, Framing) {
    let mut conn = Conn::new(Role::Client, Arc::new(Limits::default()));
    let mut head = Head::with_capacity(1024, 16);
    head.start_request(if asked == Asked::Head { b"HEAD" } else { b"GET" }, b"/")
        .expect("a request");
    conn.write_head(&head, Framing::Empty, &mut Vec::new())
        .expect("a request");
    match conn.read_head(input, &mut head) {
        Ok(Step::Ready(message)) => (head, message.framing),
        other => panic!("it was a message a moment ago: {other:?}"),
    }
}

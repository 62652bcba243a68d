//! Requests from hostile clients: no panic, the same result for any split, and what is accepted
//! is written as exactly one request with the same meaning.
#![no_main]

#[path = "../../crates/lb-http/tests/support/mod.rs"]
mod support;

use lb_http::h1::{Conn, Framing, Limits, Role, Step};
use lb_http::{Head, forward, upgrade};
use lb_types::FieldsMut;
use libfuzzer_sys::fuzz_target;
use std::sync::Arc;
use support::{Reader, Story};

// The first byte says how the rest is cut.
fuzz_target!(|data: &[u8]| {
    let Some((cut, input)) = data.split_first() else { return };
    let whole = read(input, input.len().max(1));
    let pieces = read(input, usize::from(*cut).max(1));
    assert_eq!(whole, pieces);
    let Some(first) = whole.messages.first().filter(|m| m.complete) else {
        return;
    };

    let (mut head, framing) = head_of(input);
    let keep_upgrade = upgrade::wanted(&head).is_some();
    let sender = forward::Sender::new([192, 0, 2, 1].into(), "http", 80);
    let how = forward::Forward {
        sender: &sender,
        trusted: cut % 2 == 0,
        statements: forward::Statements::default(),
        keep_upgrade,
        keep_expect: true,
    };
    forward::request(&mut head, &how).expect("room for three lines");
    if head.authority().is_none() {
        // HTTP/1.0: the caller of the codec gives it one.
        head.append("Host", b"a").expect("room for a line");
    }
    let mut conn = Conn::new(Role::Client, Arc::new(Limits::default()));
    let mut wire = Vec::new();
    conn.write_head(&head, framing, &mut wire)
        .expect("an accepted request can be written");
    if !conn.writing_done() {
        for piece in first.body.chunks(7) {
            let behind = conn.write_body(piece.len(), &mut wire).expect("the announced length");
            wire.extend_from_slice(piece);
            wire.extend_from_slice(behind);
        }
    }
    conn.write_end(None, &mut wire).expect("the announced length");

    // Forwarding adds three lines at most, so a head at the limit may be above it now.
    let mut again = Reader::server(wide());
    again.feed(&wire);
    let again = again.finish();
    assert_eq!(again.error, None, "{}", String::from_utf8_lossy(&wire));
    assert_eq!(again.messages.len(), 1);
    let message = &again.messages[0];
    assert!(message.complete && again.rest.is_empty());
    assert_eq!(
        (&message.method, &message.target, &message.body),
        (&first.method, &first.target, &first.body)
    );
});

fn wide() -> Limits {
    Limits {
        head_bytes: 64 * 1024,
        fields: 256,
        ..Limits::default()
    }
}

fn read(input: &[u8], piece: usize) -> Story {
    let mut reader = Reader::server(Limits::default());
    input.chunks(piece).for_each(|part| reader.feed(part));
    let mut story = reader.finish();
    if story.error.is_some() {
        story.rest.clear();
    }
    story
}

fn head_of(input: &[u8]) -> (Head, Framing) {
    let mut conn = Conn::new(Role::Server, Arc::new(Limits::default()));
    let mut head = Head::with_capacity(1024, 16);
    match conn.read_head(input, &mut head) {
        Ok(Step::Ready(message)) => (head, message.framing),
        other => panic!("it was a message a moment ago: {other:?}"),
    }
}

//! Hostile backends: what their clients see, and that the next client sees nothing of it.

use crate::client::{Gone, Reply};
use crate::replies::{Case, See, bodies, heads};
use crate::run::each;
use crate::script::Do;
use crate::world::{Setup, World};

fn judge(case: &Case, drip: bool) {
    let script = case
        .script
        .iter()
        .cloned()
        .map(|step| match step {
            Do::Send(bytes) if drip && bytes.len() < 1000 => Do::Drip(bytes),
            step => step,
        })
        .collect();
    let setup = Setup {
        retries: 0,
        ..Setup::default()
    };
    let world = World::new(&setup, script);
    let mut client = world.client();
    let mut other = world.client();
    client.send(case.request.as_bytes());
    let method = case.request.split(' ').next().unwrap();
    if matches!(case.script.get(1), Some(Do::Gate)) {
        world.backend().until("the request", |seen| seen.bytes > 0);
        let (status, _) = client.head().unwrap();
        assert_eq!(status, 200);
        assert!(!client.take(5).is_empty());
        world.backend().open_gate();
        // What comes must not look like an end: no last chunk, no tenth byte.
        while !client.take(1).is_empty() {
            assert!(!client.unread().ends_with("0\r\n\r\n"), "an end: {}", client.unread());
        }
        client.ends();
    } else {
        let reply = client.reply(method).expect("an answer");
        see(case.see, &reply);
        // Who asks again while the backend still talks may get what it says: the first bytes that
        // follow a request are its answer. What was said before must be noticed.
        let speaks = case.script.iter().any(|step| matches!(step, Do::Send(_)));
        world.backend().until("its words", |seen| !speaks || seen.said > 0);
        match case.see {
            See::Cut => {
                client.ends();
            }
            See::BadOrCut if !reply.whole || reply.field("connection") == Some("close") => {
                client.ends();
            }
            _ => client.lives(),
        }
    }
    // Whoever comes next gets the answer to his own question.
    other.lives();
    world.client().lives();
    world.settle();
    world
        .backend()
        .look(|seen| assert!(seen.violations.is_empty(), "{:?}", seen.violations));
}

fn see(want: See, reply: &Reply) {
    let is_bad = reply.status == 502
        && reply.whole
        && reply
            .field("proxy-status")
            .is_some_and(|v| v.starts_with("lbd; error="));
    match want {
        See::Bad => assert!(is_bad, "no 502: {reply:?}"),
        See::Whole(status, body) => {
            assert_eq!((reply.status, reply.text().as_str()), (status, body), "{}", reply.head);
            assert!(reply.whole, "{reply:?}");
            assert_eq!(reply.field("connection"), None, "{}", reply.head);
            for gone in ["keep-alive", "upgrade", "proxy-connection"] {
                assert!(reply.field(gone).is_none() || reply.status == 426, "{}", reply.head);
            }
            if reply.status == 204 || reply.status == 304 {
                assert_eq!(reply.field("transfer-encoding"), None);
            }
        }
        See::Cut => assert!(!reply.whole && reply.status == 200, "taken for whole: {reply:?}"),
        See::BadOrCut => assert!(is_bad || !reply.whole, "taken for whole: {reply:?}"),
    }
}

#[test]
fn broken_heads_of_backends_are_a_502_and_poison_nobody() {
    each(&heads(), |case| case.name.to_owned(), |case| judge(case, false));
}

#[test]
fn broken_heads_of_backends_byte_by_byte() {
    each(&heads(), |case| case.name.to_owned(), |case| judge(case, true));
}

#[test]
fn broken_bodies_of_backends_are_never_taken_for_whole() {
    each(&bodies(), |case| case.name.to_owned(), |case| judge(case, false));
}

#[test]
fn broken_bodies_of_backends_byte_by_byte() {
    each(&bodies(), |case| case.name.to_owned(), |case| judge(case, true));
}

/// The same replies toward HTTP/1.0: the end of the connection is the end of the body, so a cut
/// body must end with a RST.
#[test]
fn a_client_of_http_10_can_tell_a_cut_body_from_a_whole_one() {
    let cut = [
        (
            "chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        ),
        (
            "broken chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx",
        ),
    ];
    each(
        &cut,
        |case| case.0.to_owned(),
        |(_, bytes)| {
            let script = vec![Do::Send((*bytes).into()), Do::Gate, Do::Close];
            let world = World::new(&Setup::default(), script);
            let mut client = world.client();
            client.send(b"GET /evil HTTP/1.0\r\n\r\n");
            let head = client.head();
            if let Some((200, head)) = head {
                assert!(head.contains("\r\nConnection: close"), "{head}");
                client.take(5);
                world.backend().open_gate();
                assert_eq!(client.ends(), Gone::Rst);
            } else {
                assert_eq!(head.unwrap().0, 502);
            }
        },
    );
}

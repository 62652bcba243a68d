use super::*;
use crate::contact::{Contact, NoContact};
use lb_net::Shortage;

/// One of each, by the letters below.
fn phase(letter: char) -> Phase {
    match letter {
        'h' => Phase::Head,
        'c' => Phase::Connect,
        'r' => Phase::Relay,
        _ => Phase::Answer(End::NoRoute),
    }
}

#[tokio::test]
async fn what_may_be_true_at_once_is_this_table() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stream = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await;
    let short = NoContact::of(&std::io::Error::from_raw_os_error(24)); // errno(3): EMFILE
    assert_eq!(short.detail, Shortage::Descriptors.what());
    let links = [
        Link::None,
        Link::Opening(Contact::Room(short, None)),
        Link::Open {
            stream: stream.unwrap().into(),
            read_before: 0,
        },
    ];
    let committed = Response::Committed(Committed {
        sent_before: None,
        until_close: false,
        early: false,
        stray_body: false,
        keeps_for: None,
    });
    let responses = [Response::Awaited, committed, Response::Switching];
    let expects = [Expect::No, Expect::Waits, Expect::Said];
    // A row for each phase and link (none, opening, open); in it the responses (awaited, committed, switching), each
    // with the expectations (no, waits, said).
    let table = [
        ('h', 0, "x.. ... ..."),
        ('h', 1, "... ... ..."),
        ('h', 2, "... ... ..."),
        ('c', 0, "... ... ..."),
        ('c', 1, "xx. ... ..."),
        ('c', 2, "... ... ..."),
        ('r', 0, "xxx x.x x.."),
        ('r', 1, "... ... ..."),
        ('r', 2, "xxx x.x x.."),
        ('a', 0, "xxx xxx ..."),
        ('a', 1, "... ... ..."),
        ('a', 2, "... ... ..."),
    ];
    for (letter, link, row) in table {
        let mut cells = row.chars().filter(|cell| *cell != ' ');
        for response in &responses {
            for expect in expects {
                let found = is_legal(phase(letter), &links[link], expect, response);
                let wanted = cells.next() == Some('x');
                assert_eq!(found, wanted, "{letter} {link} {response:?} {expect:?}");
            }
        }
    }
}

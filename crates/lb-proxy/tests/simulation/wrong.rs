//! Each rule sees what is wrong: histories made by hand, right ones and ones with a single fault.

use crate::blame::{self, Idle};
use crate::history::{Answer, Asked, History, Line, Side, Tunnel, Visit};
use crate::rules::{self, Counted, EndedBy, Held};
use crate::weather::Way;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const WAY: Way = Way {
    time: Duration::from_millis(10),
    is_whole: true,
};

/// One POST with five bytes that came to backend 0 and was answered with three.
fn right() -> History {
    History {
        asked: vec![Asked {
            id: 7,
            method: "POST",
            body: 5,
            sent: 5,
            is_whole: true,
            answer: Some(Answer {
                status: 200,
                visit: Some(0),
                says: Some(7),
                body: 3,
                is_whole: true,
                closes: false,
            }),
            begun_at: SECOND,
            reset_at: None,
            stopped_at: None,
            left_at: None,
            number: 1,
            may_be_kept: true,
        }],
        visits: vec![visit(0)],
        tunnels: Vec::new(),
        connected: (1, 0),
        lines: vec![line("done")],
        stalls: Vec::new(),
        idle: Vec::new(),
        drained_at: None,
    }
}

fn visit(backend: usize) -> Visit {
    Visit {
        id: 7,
        method: "POST".into(),
        backend,
        body: 5,
        is_whole: true,
        meant: 3,
        said: 3,
        said_whole: true,
        until_close: false,
        said_at: Some(SECOND),
    }
}

fn line(end: &str) -> Line {
    Line {
        listener: "http".into(),
        pool: "web".into(),
        client: "10.1.0.1".into(),
        target: "/r/000007".into(),
        end: end.into(),
        detail: String::new(),
        backend: "b0".into(),
        began_at: SECOND,
        ended_at: SECOND,
    }
}

/// As [`right`] was counted.
fn counted() -> Counted {
    Counted {
        opened: 1,
        requests: 1,
        ends: [("done".to_owned(), 1), ("client_idle".to_owned(), 1)].into(),
        pool_ends: [(("web".to_owned(), "done".to_owned()), 1)].into(),
        lost_lines: 0,
        all_were_accepted: true,
    }
}

fn wrong(change: impl FnOnce(&mut History)) -> History {
    let mut history = right();
    change(&mut history);
    history
}

fn answer(history: &mut History) -> &mut Answer {
    history.asked[0].answer.as_mut().unwrap()
}

#[test]
fn a_response_to_another_request_is_seen() {
    let rule = rules::a_response_belongs_to_its_request;
    assert_eq!(rule(&right()), Ok(()));
    assert!(rule(&wrong(|history| answer(history).says = Some(8))).is_err());
    assert!(rule(&wrong(|history| history.visits[0].id = 8)).is_err());
    assert!(
        rule(&wrong(|history| answer(history).visit = Some(9))).is_err(),
        "nobody gave it"
    );
}

#[test]
fn a_cut_response_that_looks_whole_is_seen() {
    let rule = rules::a_cut_response_never_looks_whole;
    assert_eq!(rule(&right()), Ok(()));
    assert!(rule(&wrong(|history| history.visits[0].said_whole = false)).is_err());
    assert!(rule(&wrong(|history| answer(history).body = 2)).is_err());
    let head = wrong(|history| history.asked[0].method = "HEAD");
    assert!(rule(&head).is_err(), "a body behind the answer to HEAD");
    let cut = wrong(|history| (history.visits[0].said_whole, answer(history).is_whole) = (false, false));
    assert_eq!(rule(&cut), Ok(()));
}

#[test]
fn a_second_visit_of_what_may_not_be_repeated_is_seen() {
    let rule = rules::what_may_not_be_repeated_comes_once;
    assert_eq!(rule(&right()), Ok(()));
    for backend in [0, 1] {
        assert!(rule(&wrong(|history| history.visits.push(visit(backend)))).is_err());
    }
    let put = wrong(|history| {
        history.visits.push(visit(1));
        history.visits.iter_mut().for_each(|visit| visit.method = "PUT".into());
    });
    assert_eq!(rule(&put), Ok(()));
}

#[test]
fn an_upload_that_is_not_what_was_sent_is_seen() {
    let rule = rules::an_upload_arrives_as_it_was_sent;
    assert_eq!(rule(&right()), Ok(()));
    assert!(rule(&wrong(|history| history.visits[0].body = 4)).is_err());
    assert!(rule(&wrong(|history| history.asked[0].is_whole = false)).is_err());
    assert!(
        rule(&wrong(|history| history.visits[0].id = 8)).is_err(),
        "nobody sent it"
    );
    assert!(rule(&wrong(|history| history.visits[0].method = "PUT".into())).is_err());
}

#[test]
fn a_tunnel_that_loses_adds_or_ends_what_goes_on_is_seen() {
    let side = |sent, got| Side {
        sent,
        said_end: true,
        got,
        saw_end: true,
        ..Side::default()
    };
    let judge = |client: Side, backend: Side, by| {
        let tunnel = Tunnel {
            id: 1,
            ip: "10.1.0.1".parse().unwrap(),
            client: Some(client),
            backend: Some(backend),
        };
        rules::a_tunnel_delivers_what_a_direct_connection_would(&tunnel, by, &WAY)
    };
    let (client, backend) = (side(5, 9), side(9, 5));
    assert_eq!(judge(client, backend, EndedBy::Peers), Ok(()));
    assert!(judge(side(5, 8), backend, EndedBy::Peers).is_err(), "lost");
    assert!(judge(side(5, 10), backend, EndedBy::Peers).is_err(), "doubled");
    let silent = Side {
        said_end: false,
        ..client
    };
    assert!(
        judge(silent, backend, EndedBy::Peers).is_err(),
        "an end that nobody said"
    );
    let left = Side { left: true, ..silent };
    assert!(
        judge(left, backend, EndedBy::Peers).is_err(),
        "a cut that looks like an end"
    );
    let deaf = Side {
        saw_end: false,
        ..client
    };
    assert!(judge(deaf, backend, EndedBy::Peers).is_err(), "no end");
    assert_eq!(judge(deaf, backend, EndedBy::Idleness), Ok(()), "the balancer ended it");
    assert_eq!(judge(deaf, backend, EndedBy::Deadline), Ok(()), "the balancer cut it");
    assert!(
        judge(left, backend, EndedBy::Deadline).is_err(),
        "a cut that looks like an end"
    );
    // The backend says all, listens for a second more and goes; the client stays.
    let gone = Side {
        left: true,
        at_once: true,
        stayed: Some(SECOND),
        saw_end: false,
        ..side(9, 2)
    };
    let cut = Side {
        saw_end: false,
        ..side(5, 8)
    };
    assert!(
        judge(cut, gone, EndedBy::Peers).is_err(),
        "what was said before is lost"
    );
    let at_once = Side {
        stayed: Some(Duration::ZERO),
        ..gone
    };
    assert_eq!(judge(cut, at_once, EndedBy::Peers), Ok(()));
}

#[test]
fn what_is_not_given_back_is_seen() {
    assert_eq!(rules::every_ticket_comes_back(&[("b0".into(), 0)]), Ok(()));
    assert!(rules::every_ticket_comes_back(&[("b0".into(), 0), ("b1".into(), 1)]).is_err());
    let rule = rules::nothing_is_held_without_clients;
    assert_eq!(rule(&Held::default()), Ok(()));
    for clients in [[1, 0, 0], [0, 1, 0], [0, 0, 1]] {
        assert!(
            rule(&Held {
                clients,
                ..Held::default()
            })
            .is_err()
        );
    }
    assert!(
        rule(&Held {
            streams: 1,
            ..Held::default()
        })
        .is_err()
    );
    assert!(
        rule(&Held {
            timers: 1,
            ..Held::default()
        })
        .is_err()
    );
}

#[test]
fn waiting_for_ever_and_being_served_in_vain_are_seen() {
    assert_eq!(rules::nobody_waits_without_a_deadline(SECOND, SECOND), Ok(()));
    assert!(rules::nobody_waits_without_a_deadline(SECOND * 2, SECOND).is_err());
    let rule = rules::who_resets_is_not_served_further;
    let reset = |ended_at| {
        wrong(|history| {
            history.asked[0].reset_at = Some(SECOND);
            history.lines[0].ended_at = ended_at;
        })
    };
    assert_eq!(rule(&reset(SECOND * 2), &WAY), Ok(()));
    assert!(rule(&reset(SECOND * 6), &WAY).is_err());
}

#[test]
fn a_backend_that_waits_for_who_takes_nothing_is_seen() {
    let ended = |ended_at| {
        let history = wrong(|history| {
            history.asked[0].stopped_at = Some(SECOND);
            history.lines[0].ended_at = ended_at;
        });
        rules::who_takes_nothing_is_not_waited_for(&history, SECOND, &WAY)
    };
    assert_eq!(ended(SECOND * 3), Ok(()));
    assert!(ended(SECOND * 60).is_err());
}

#[test]
fn an_answer_in_time_that_is_called_late_is_seen() {
    let late = |said_at| {
        let history = wrong(|history| {
            history.lines[0].end = "upstream_timeout".into();
            history.visits[0].said_at = Some(said_at);
        });
        rules::who_answers_in_time_is_not_late(&history, SECOND, &WAY)
    };
    assert!(late(SECOND + SECOND / 2).is_err());
    assert_eq!(late(SECOND * 2), Ok(()));
}

#[test]
fn an_end_that_is_not_counted_once_is_seen() {
    let rule = rules::each_end_is_counted_once;
    assert_eq!(rule(&right(), &counted()), Ok(()));
    let but = |change: fn(&mut Counted)| {
        let mut counted = counted();
        change(&mut counted);
        rule(&right(), &counted)
    };
    assert!(but(|counted| counted.opened = 2).is_err());
    assert!(
        but(|counted| counted.opened = 0).is_err(),
        "who shook hands was not served"
    );
    assert!(but(|counted| counted.requests = 2).is_err());
    assert!(but(|counted| counted.pool_ends.clear()).is_err());
    let idle = ("web".to_owned(), "client_idle".to_owned());
    let idle = rule(&right(), &{
        let mut counted = counted();
        counted.pool_ends.insert(idle, 1);
        counted
    });
    assert!(idle.is_err(), "a connection between requests is no pool's");
    assert!(but(|counted| counted.lost_lines = 1).is_err());
    assert!(
        but(|counted| *counted.ends.get_mut("done").unwrap() = 2).is_err(),
        "twice"
    );
    assert!(
        but(|counted| *counted.ends.get_mut("done").unwrap() = 0).is_err(),
        "not at all"
    );
    assert!(
        but(|counted| *counted.ends.get_mut("client_idle").unwrap() = 2).is_err(),
        "more than connections"
    );
    assert!(
        rule(&wrong(|history| history.lines.push(line("done"))), &counted()).is_err(),
        "two lines"
    );
    assert!(
        rule(&wrong(|history| history.lines.clear()), &counted()).is_err(),
        "no line"
    );
    let tcp = wrong(|history| history.connected.1 = 1);
    assert!(
        rule(&tcp, &Counted { opened: 2, ..counted() }).is_err(),
        "a TCP connection without a line"
    );
}

fn ended(end: &str, change: impl FnOnce(&mut History)) -> History {
    wrong(|history| {
        history.lines[0].end = end.into();
        change(history);
    })
}

#[test]
fn a_false_word_about_an_end_is_seen() {
    let rule = blame::who_is_said_to_have_reset_has_left;
    assert_eq!(
        rule(&ended("client_reset", |history| history.asked[0].left_at = Some(SECOND))),
        Ok(())
    );
    assert!(rule(&ended("client_reset", |_| {})).is_err());
    assert!(rule(&ended("client_reset", |history| history.asked[0].left_at = Some(SECOND * 2))).is_err());
    let rule = blame::who_is_called_late_was_asked;
    let late = |visit, stalls| {
        let change = |history: &mut History| (history.visits, history.stalls) = (vec![visit], stalls);
        rule(&ended("upstream_timeout", change), SECOND, &WAY)
    };
    assert_eq!(late(visit(0), Vec::new()), Ok(()));
    assert!(late(visit(1), Vec::new()).is_err(), "another one was asked");
    assert_eq!(late(visit(1), vec![(SECOND, SECOND)]), Ok(()), "nobody ran");
    let rule = blame::a_want_of_ours_is_no_fault_of_a_backend;
    assert_eq!(rule(&right()), Ok(()));
    assert!(rule(&ended("connect_failed", |_| {})).is_err());
}

#[test]
fn who_keeps_a_connection_for_nothing_is_seen() {
    let idle = |from, to| {
        ended("local_shortage", |history| {
            history.lines[0].detail = "no free file descriptor".into();
            (history.lines[0].began_at, history.lines[0].ended_at) = (SECOND * 5, SECOND * 6);
            history.idle = vec![Idle { from, to }];
        })
    };
    let room = |from, to| blame::who_is_idle_makes_room(&idle(from, to), &WAY);
    assert!(room(SECOND, SECOND * 7).is_err());
    assert_eq!(room(SECOND * 4, SECOND * 7), Ok(()), "not for long");
    assert_eq!(room(SECOND, SECOND * 6), Ok(()), "it made room");
    let kept = |history: &History| blame::who_asks_nothing_is_let_go(history, SECOND * 2, &WAY);
    assert_eq!(kept(&idle(SECOND, SECOND * 3)), Ok(()));
    assert!(kept(&idle(SECOND, SECOND * 4)).is_err());
    let mut drained = idle(SECOND, SECOND * 4);
    drained.drained_at = Some(SECOND * 2);
    assert_eq!(kept(&drained), Ok(()));
    let own = |end, closes| {
        let history = ended(end, |history| answer(history).closes = closes);
        blame::an_answer_of_our_own_keeps_the_connection(&history, 2)
    };
    assert_eq!((own("no_backend", false), own("done", true)), (Ok(()), Ok(())));
    assert!(own("no_backend", true).is_err());
}

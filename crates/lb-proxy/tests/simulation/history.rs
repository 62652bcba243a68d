//! What happened in one run, as actors saw it: the trace for people, and the facts that the rules judge.

use crate::blame::Idle;
use crate::rules::{Breach, Rule};
use std::cell::{Cell, Ref, RefCell, RefMut};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// A request, as its client knows it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) id: u32,
    pub(crate) method: &'static str,
    /// How much of a body it has.
    pub(crate) body: u64,
    /// How much of it was sent.
    pub(crate) sent: u64,
    /// Its last byte was sent.
    pub(crate) is_whole: bool,
    pub(crate) answer: Option<Answer>,
    /// When its client began with it.
    pub(crate) begun_at: Duration,
    /// Its client broke off, with this unanswered.
    pub(crate) reset_at: Option<Duration>,
    /// It reads no more of an answer that fills all windows.
    pub(crate) stopped_at: Option<Duration>,
    /// Its client reset, closed or half-closed the connection, or was told that it is gone.
    pub(crate) left_at: Option<Duration>,
    /// How many were asked over its connection, this one included.
    pub(crate) number: u32,
    /// Nothing in it asks for the end of the connection, and nothing follows its head.
    pub(crate) may_be_kept: bool,
}

/// What a client got for a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) status: u32,
    /// Which visit at a backend it says that it comes from; `None`: an answer of the balancer's own.
    pub(crate) visit: Option<u32>,
    /// The id that it says that it is for.
    pub(crate) says: Option<u32>,
    pub(crate) body: u64,
    /// It ended as its framing says.
    pub(crate) is_whole: bool,
    /// It says that the connection ends with it.
    pub(crate) closes: bool,
}

/// A request, or the beginning of one, that came to a backend.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) id: u32,
    pub(crate) method: String,
    pub(crate) backend: usize,
    /// How much of its body came, and whether it came as a whole.
    pub(crate) body: u64,
    pub(crate) is_whole: bool,
    /// How much of a body the answer has, how much of it was sent, and whether it was sent as a whole.
    pub(crate) meant: u64,
    pub(crate) said: u64,
    pub(crate) said_whole: bool,
    /// Only the end of the connection ends it.
    pub(crate) until_close: bool,
    /// When the head of the answer was written.
    pub(crate) said_at: Option<Duration>,
}

/// A side of a tunnel.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Side {
    /// What it sent, and whether it said the end of it in order.
    pub(crate) sent: u64,
    pub(crate) said_end: bool,
    /// What it got, and whether it saw an end in order.
    pub(crate) got: u64,
    pub(crate) saw_end: bool,
    /// It broke off, or went away without listening to the end.
    pub(crate) left: bool,
    /// For how long it listened after it had said all and its end in order.
    pub(crate) stayed: Option<Duration>,
    /// All it said went into the network at once, so that it comes at once where that cuts nothing.
    pub(crate) at_once: bool,
    /// It read nothing for longer than tunnels may be silent.
    pub(crate) was_deaf: bool,
}

/// A tunnel: a TCP connection, or what an upgrade made of one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tunnel {
    pub(crate) id: u32,
    pub(crate) ip: IpAddr,
    /// `None`: its upgrade did not come to the client.
    pub(crate) client: Option<Side>,
    /// `None`: it came to no backend.
    pub(crate) backend: Option<Side>,
}

/// A line of the access log.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) listener: String,
    pub(crate) pool: String,
    pub(crate) client: String,
    pub(crate) target: String,
    pub(crate) end: String,
    pub(crate) detail: String,
    pub(crate) backend: String,
    /// By the clock of the trace.
    pub(crate) began_at: Duration,
    pub(crate) ended_at: Duration,
}

/// All that the rules look at.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) asked: Vec<Asked>,
    pub(crate) visits: Vec<Visit>,
    pub(crate) tunnels: Vec<Tunnel>,
    /// Connections that were made to the listeners: HTTP, TCP.
    pub(crate) connected: (u64, u64),
    pub(crate) lines: Vec<Line>,
    /// When nobody had his turn, and for how long.
    pub(crate) stalls: Vec<(Duration, Duration)>,
    pub(crate) idle: Vec<Idle>,
    /// When the worker was told to end.
    pub(crate) drained_at: Option<Duration>,
}

impl History {
    /// For how long nobody had his turn between these two, or around them.
    pub(crate) fn stalled(&self, from: Duration, to: Duration) -> Duration {
        let stalls = self
            .stalls
            .iter()
            .filter(|(at, stall)| *at <= to && *at + *stall >= from);
        stalls.map(|(_, stall)| *stall).sum()
    }
}

/// The history while it is written, shared by the actors of a run.
#[derive(Debug, Clone)]
pub(crate) struct Ledger(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    began: Instant,
    /// Each line is printed at once.
    is_live: bool,
    trace: RefCell<Vec<String>>,
    breaches: RefCell<Vec<Breach>>,
    history: RefCell<History>,
    next_id: Cell<u32>,
}

impl Ledger {
    pub(crate) fn new(is_live: bool) -> Self {
        Self(Rc::new(Inner {
            began: Instant::now(),
            is_live,
            trace: RefCell::default(),
            breaches: RefCell::default(),
            history: RefCell::default(),
            next_id: Cell::new(1),
        }))
    }

    pub(crate) fn now(&self) -> Duration {
        Instant::now() - self.0.began
    }

    /// The next unused id of a request or tunnel.
    pub(crate) fn id(&self) -> u32 {
        let id = self.0.next_id.get();
        self.0.next_id.set(id + 1);
        id
    }

    /// A line of the trace.
    pub(crate) fn note(&self, who: &str, what: impl AsRef<str>) {
        let line = format!("{:>10.3} {who:<8} {}", self.now().as_secs_f64(), what.as_ref());
        if self.0.is_live {
            print(&line);
        }
        self.0.trace.borrow_mut().push(line);
    }

    /// A rule is broken.
    pub(crate) fn breach(&self, rule: Rule, what: String) {
        self.note("RULE", format!("{rule:?}: {what}"));
        self.0.breaches.borrow_mut().push(Breach { rule, what });
    }

    /// What a rule says of it.
    pub(crate) fn judge(&self, rule: Rule, verdict: Result<(), String>) {
        if let Err(what) = verdict {
            self.breach(rule, what);
        }
    }

    pub(crate) fn breaches(&self) -> Vec<Breach> {
        self.0.breaches.borrow().clone()
    }

    pub(crate) fn trace(&self) -> Vec<String> {
        self.0.trace.borrow().clone()
    }

    pub(crate) fn history(&self) -> Ref<'_, History> {
        self.0.history.borrow()
    }

    pub(crate) fn change(&self) -> RefMut<'_, History> {
        self.0.history.borrow_mut()
    }

    /// Nobody has his turn for so long: what comes meanwhile is found together with what is due.
    pub(crate) async fn stall(&self, who: &str, stall: Duration) {
        self.note(who, format!("nobody runs for {stall:?}"));
        let now = self.now();
        self.change().stalls.push((now, stall));
        tokio::time::advance(stall).await;
    }

    /// Changes what is known of a request.
    pub(crate) fn asked(&self, id: u32, change: impl FnOnce(&mut Asked)) {
        if let Some(asked) = self.change().asked.iter_mut().rev().find(|asked| asked.id == id) {
            change(asked);
        }
    }

    pub(crate) fn visit(&self, number: usize, change: impl FnOnce(&mut Visit)) {
        change(&mut self.change().visits[number]);
    }

    pub(crate) fn tunnel(&self, id: u32, change: impl FnOnce(&mut Tunnel)) {
        if let Some(tunnel) = self.change().tunnels.iter_mut().rev().find(|tunnel| tunnel.id == id) {
            change(tunnel);
        }
    }
}

#[allow(clippy::print_stdout, reason = "a replay is for a person")]
fn print(line: &str) {
    println!("{line}");
}

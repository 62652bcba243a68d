//! Both ends of a tunnel: each sends its bytes and reads the other's at the same time, and ends as its seed says.

use crate::conn::{Conn, Pipe, either};
use crate::dice::{Bytes, Dice};
use crate::history::{Ledger, Side, Tunnel};
use crate::rules::{self, Rule};
use std::cell::Cell;
use std::net::IpAddr;
use std::time::Duration;

/// How one end behaves.
#[derive(Debug, Clone, Copy)]
struct Script {
    length: u64,
    piece: u64,
    pause: Duration,
    /// It breaks off after so many bytes.
    breaks_at: Option<u64>,
    /// It waits for the other's end before it says its own.
    is_last: bool,
    /// After its end it listens for so long only, and goes; `None`: to the other's end.
    listens: Option<Duration>,
    /// In the middle it says and reads nothing for so long.
    stalls: Option<Duration>,
    /// How fast it reads.
    reads: u64,
    reads_pause: Duration,
    /// It begins to read after so long.
    late: Duration,
}

impl Script {
    /// Both ends know both scripts: they follow from the id.
    fn new((seed, most): (u64, u64), id: u32, is_client: bool) -> Self {
        let mut dice = Dice::of(seed, u64::from(id) << 8 | u64::from(is_client) | 1 << 60);
        let length = dice.length(most);
        // Some read slowly, so that bytes wait for them in the balancer.
        let (reads, reads_pause) =
            dice.weighted(&[(14, (16_000, 0)), (4, (2_000, 2)), (2, (2_000, 40)), (4, (500, 250))]);
        let reads_pause = Duration::from_millis(reads_pause);
        if Dice::of(seed, u64::from(id) | 1 << 62).percent(12) {
            return Self::refusal((seed, most), id, is_client);
        }
        let one_waits = Dice::of(seed, u64::from(id) | 1 << 61).between(0, 3);
        Self {
            length,
            piece: dice.pick(&[1, 50, 1_400, 20_000]).max(length / 60).max(1),
            pause: Duration::from_millis(dice.weighted(&[(5, 0), (3, 3), (2, 60)])),
            breaks_at: dice.percent(12).then(|| dice.clone().between(0, length)),
            is_last: one_waits == u64::from(is_client),
            listens: dice
                .percent(15)
                .then(|| Duration::from_millis(Dice::of(seed, id.into()).between(0, 3_000))),
            stalls: dice.percent(5).then_some(Duration::from_secs(30)),
            reads,
            reads_pause,
            late: Duration::ZERO,
        }
    }

    /// The backend says a little at once, listens for a moment and goes, while the client sends on for long and begins to read
    /// when that has happened.
    fn refusal((seed, most): (u64, u64), id: u32, is_client: bool) -> Self {
        let mut dice = Dice::of(seed, u64::from(id) | 3 << 61);
        let listens = Duration::from_millis(dice.between(200, 2_200));
        let says = dice.between(1, most.min(dice.clone().pick(&[64, 8_000, rules::SMALL])));
        let (length, piece) = if is_client { (most, most / 60 + 1) } else { (says, says) };
        Self {
            length,
            piece,
            pause: Duration::from_millis(if is_client { 150 } else { 0 }),
            breaks_at: None,
            is_last: false,
            listens: (!is_client).then_some(listens),
            stalls: None,
            reads: 16_000,
            reads_pause: Duration::ZERO,
            late: if is_client {
                listens + AFTER_REFUSAL
            } else {
                Duration::ZERO
            },
        }
    }
}

/// One end, while it works.
struct Work<'a, T> {
    conn: &'a Conn<T>,
    script: Script,
    side: Cell<Side>,
    who: &'a str,
    ledger: &'a Ledger,
}

/// The client's end of a TCP connection or of what was upgraded. `early`: what came behind the upgrade.
pub(crate) async fn client<T: Pipe>(
    conn: &Conn<T>,
    ledger: &Ledger,
    plan: (u64, u64),
    id: u32,
    early: &[u8],
    who: &str,
) {
    let side = Work::new(conn, ledger, who, Script::new(plan, id, true))
        .run(Bytes::up(id), Bytes::down(id), early)
        .await;
    ledger.tunnel(id, |tunnel| tunnel.client = Some(side));
}

/// The backend's end.
pub(crate) async fn backend<T: Pipe>(
    conn: &Conn<T>,
    ledger: &Ledger,
    plan: (u64, u64),
    id: u32,
    early: &[u8],
    who: &str,
) {
    ledger.tunnel(id, |tunnel| tunnel.backend = Some(Side::default()));
    let side = Work::new(conn, ledger, who, Script::new(plan, id, false))
        .run(Bytes::down(id), Bytes::up(id), early)
        .await;
    ledger.tunnel(id, |tunnel| tunnel.backend = Some(side));
}

/// A tunnel whose client has begun it.
pub(crate) fn begun(ledger: &Ledger, id: u32, ip: IpAddr) {
    ledger.change().tunnels.push(Tunnel {
        id,
        ip,
        client: None,
        backend: None,
    });
}

/// A connection to the TCP listener.
pub(crate) async fn run<T: Pipe>(
    io: T,
    ledger: &Ledger,
    id: u32,
    ip: IpAddr,
    who: &str,
    longest: Duration,
    plan: (u64, u64),
) {
    let conn = Conn::new(io);
    begun(ledger, id, ip);
    ledger.note(who, format!("begins tunnel {id}"));
    let work = async {
        if conn.write_all(&id.to_be_bytes()).await.is_ok() {
            client(&conn, ledger, plan, id, &[], who).await;
        }
    };
    if let Err(waits) = either(work, conn.stuck(longest)).await {
        let verdict = rules::nobody_waits_without_a_deadline(waits, longest);
        ledger.judge(Rule::NobodyWaits, verdict.map_err(|what| format!("{who}: {what}")));
    }
}

impl<'a, T: Pipe> Work<'a, T> {
    fn new(conn: &'a Conn<T>, ledger: &'a Ledger, who: &'a str, script: Script) -> Self {
        Self {
            conn,
            script,
            side: Cell::default(),
            who,
            ledger,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Side)) {
        let mut side = self.side.get();
        change(&mut side);
        self.side.set(side);
    }

    async fn run(self, mine: Bytes, theirs: Bytes, early: &[u8]) -> Side {
        self.change(|side| side.was_deaf = self.script.stalls.is_some());
        let heard = tokio::sync::Notify::new();
        tokio::join!(self.write(mine, &heard), self.read(theirs, early, &heard));
        self.ledger.note(self.who, format!("tunnel: {:?}", self.side.get()));
        self.side.get()
    }

    async fn write(&self, mine: Bytes, heard: &tokio::sync::Notify) {
        let script = &self.script;
        let end = script.breaks_at.unwrap_or(script.length);
        let mut at = 0;
        while at < end {
            let len = (end - at).min(script.piece);
            let mut piece = vec![0; len as usize];
            mine.fill(at, &mut piece);
            // Some of it may arrive though the write says that it failed.
            self.change(|side| side.sent = at + len);
            match self.conn.write(&piece).await {
                Ok(taken) if taken as u64 == script.length => self.change(|side| side.at_once = true),
                Ok(taken) if self.conn.write_all(&piece[taken..]).await.is_ok() => {}
                _ => return,
            }
            let half = script.length / 2;
            if let Some(stalls) = script.stalls.filter(|_| (at..at + len).contains(&half)) {
                self.conn.pause(stalls).await;
            }
            at += len;
            self.conn.pause(script.pause).await;
        }
        if script.breaks_at.is_some() {
            self.change(|side| side.left = true);
            self.ledger.note(self.who, "resets its tunnel");
            self.conn.reset();
            return;
        }
        if script.is_last {
            heard.notified().await;
        }
        self.change(|side| side.said_end = true);
        let _ = self.conn.shutdown().await;
        if let Some(listens) = script.listens {
            self.conn.pause(listens).await;
            if !self.side.get().saw_end {
                self.change(|side| (side.left, side.stayed) = (true, Some(listens)));
                self.ledger.note(self.who, "listens no more");
                self.conn.close();
            }
        }
    }

    async fn read(&self, theirs: Bytes, early: &[u8], heard: &tokio::sync::Notify) {
        let mut buffer = vec![0; self.script.reads as usize];
        self.got(theirs, early);
        self.conn.pause(self.script.stalls.unwrap_or(self.script.late)).await;
        loop {
            match self.conn.read(&mut buffer).await {
                Ok(0) => {
                    self.change(|side| side.saw_end = true);
                    break;
                }
                Ok(len) => self.got(theirs, &buffer[..len]),
                Err(_) => break,
            }
            self.conn.pause(self.script.reads_pause).await;
        }
        heard.notify_one();
    }

    fn got(&self, theirs: Bytes, bytes: &[u8]) {
        let at = self.side.get().got;
        self.ledger.judge(
            Rule::BytesArrive,
            theirs.check(at, bytes).map_err(|what| format!("{}: {what}", self.who)),
        );
        self.change(|side| side.got = at + bytes.len() as u64);
    }
}

/// So long after a refusal its client begins to read: no tunnel may be silent for less.
const AFTER_REFUSAL: Duration = Duration::from_millis(600);

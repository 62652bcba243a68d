//! A backend: serves HTTP by its temper, records what it got, and knows nothing of the balancer.

use crate::conn::{Conn, Pipe, either};
use crate::dice::{Bytes, Dice};
use crate::history::{Ledger, Visit};
use crate::rules::{self, ID_DIGITS, Rule, id_of};
use crate::tunnel;
use crate::wire::{Framing, Gone, Head, Pace, Reader};
use std::time::Duration;

/// What a backend is inclined to. In percent of its requests, but for what is said otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Temper {
    pub(crate) name: &'static str,
    /// It thinks up to so many milliseconds.
    pub(crate) thinks: u64,
    pub(crate) dies: u64,
    pub(crate) silent: u64,
    pub(crate) early: u64,
    pub(crate) interim: u64,
    /// Of its connections: closed while they are idle.
    pub(crate) hangs_up: u64,
}

impl Temper {
    pub(crate) const ALL: [Self; 5] = [
        Self {
            name: "quick",
            thinks: 0,
            dies: 0,
            silent: 0,
            early: 5,
            interim: 5,
            hangs_up: 0,
        },
        Self {
            name: "slow",
            thinks: 900,
            dies: 2,
            silent: 1,
            early: 5,
            interim: 20,
            hangs_up: 5,
        },
        Self {
            name: "frail",
            thinks: 40,
            dies: 25,
            silent: 2,
            early: 10,
            interim: 10,
            hangs_up: 25,
        },
        Self {
            name: "hasty",
            thinks: 5,
            dies: 5,
            silent: 2,
            early: 50,
            interim: 30,
            hangs_up: 10,
        },
        Self {
            name: "dead",
            thinks: 100,
            dies: 30,
            silent: 30,
            early: 10,
            interim: 10,
            hangs_up: 20,
        },
    ];
}

/// How a connection of a backend goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Keep,
    /// Nothing more is sent.
    Over,
}

/// Where an answer breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    No,
    Head(usize),
    Body(u64),
}

/// One backend.
#[derive(Debug, Clone)]
pub(crate) struct Backend {
    pub(crate) number: usize,
    pub(crate) temper: Temper,
    pub(crate) ledger: Ledger,
    pub(crate) longest: Duration,
    pub(crate) seed: u64,
    /// The longest body.
    pub(crate) most: u64,
}

impl Backend {
    fn note(&self, what: impl AsRef<str>) {
        self.ledger.note(&format!("back {}", self.number), what);
    }

    /// Serves a connection to its end. `first`: its number among the connections of this backend.
    pub(crate) async fn serve<T: Pipe>(self, io: T, number: u64) {
        let conn = Conn::new(io);
        let mut dice = Dice::of(self.seed, (self.number as u64) << 32 | number);
        self.patient(either(self.requests(&conn, &mut dice), conn.stuck(self.longest)).await);
    }

    /// Serves a connection of the TCP listener: who begins says which tunnel it is.
    pub(crate) async fn serve_tunnel<T: Pipe>(self, io: T, number: u64) {
        let conn = Conn::new(io);
        let mut dice = Dice::of(self.seed, (self.number as u64) << 32 | number);
        if dice.percent(self.temper.hangs_up / 4) {
            self.note("accepts and closes");
            return if dice.percent(50) { conn.reset() } else { conn.close() };
        }
        let work = async {
            let mut first = [0; 4];
            let mut got = 0;
            while got < first.len() {
                match conn.read(&mut first[got..]).await {
                    Ok(0) | Err(_) => return,
                    Ok(len) => got += len,
                }
            }
            let id = u32::from_be_bytes(first);
            let who = format!("back {}", self.number);
            tunnel::backend(&conn, &self.ledger, (self.seed, self.most), id, &[], &who).await;
        };
        self.patient(either(work, conn.stuck(self.longest)).await);
    }

    fn patient(&self, end: Result<(), Duration>) {
        if let Err(waits) = end {
            let verdict = rules::nobody_waits_without_a_deadline(waits, self.longest);
            self.ledger.judge(
                Rule::NobodyWaits,
                verdict.map_err(|what| format!("backend {}: {what}", self.number)),
            );
        }
    }

    async fn requests<T: Pipe>(&self, conn: &Conn<T>, dice: &mut Dice) {
        if dice.percent(self.temper.hangs_up / 4) {
            self.note("accepts and closes");
            conn.pause(Duration::from_millis(dice.pick(&[0, 0, 20]))).await;
            return if dice.percent(50) { conn.reset() } else { conn.close() };
        }
        let mut reader = Reader::new(conn, Pace::QUICK);
        loop {
            let patience = if dice.percent(self.temper.hangs_up) {
                dice.between(0, 1_500)
            } else {
                600_000
            };
            let begun = either(reader.head(), tokio::time::sleep(Duration::from_millis(patience))).await;
            let head = match begun {
                Ok(Ok(head)) => head,
                // Its connection was idle for too long, as far as it knows.
                Err(()) => {
                    self.note("hangs up");
                    self.partly(reader.rest());
                    return if dice.percent(50) { conn.reset() } else { conn.close() };
                }
                Ok(Err(gone)) => {
                    if let Gone::Wrong(what) = &gone {
                        self.ledger
                            .breach(Rule::Framing, format!("backend {} got {what}", self.number));
                    }
                    self.partly(reader.rest());
                    return;
                }
            };
            let Some((id, visit)) = self.arrived(&head) else { return };
            let after = if head.field("upgrade").is_some() && dice.percent(80) {
                self.upgrade(conn, &mut reader, id, visit).await;
                After::Over
            } else {
                self.exchange(conn, &mut reader, &head, id, visit, dice).await
            };
            if after == After::Over {
                return;
            }
        }
    }

    /// What is left of a request whose head did not come as a whole: it was sent here all the same.
    fn partly(&self, rest: &[u8]) {
        let text = String::from_utf8_lossy(rest);
        let mut words = text.split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return;
        };
        if target.len() >= "/r/".len() + ID_DIGITS
            && let Some(id) = id_of(target)
        {
            self.visit(id, method);
        }
    }

    fn visit(&self, id: u32, method: &str) -> usize {
        let mut history = self.ledger.change();
        history.visits.push(Visit {
            id,
            method: method.to_owned(),
            backend: self.number,
            body: 0,
            is_whole: false,
            meant: 0,
            said: 0,
            said_whole: false,
            until_close: false,
        });
        history.visits.len() - 1
    }

    fn arrived(&self, head: &Head) -> Option<(u32, usize)> {
        let [method, target, _] = &head.start;
        let id = id_of(target);
        if id.is_none() || head.number("x-id") != id {
            let what = format!("backend {} got {:?} {:?}", self.number, head.start, head.fields);
            self.ledger.breach(Rule::ResponseBelongs, what);
            return None;
        }
        let id = id?;
        let visit = self.visit(id, method);
        self.note(format!("gets {method} {id} as visit {visit}"));
        Some((id, visit))
    }

    async fn upgrade<T: Pipe>(&self, conn: &Conn<T>, reader: &mut Reader<'_, T>, id: u32, visit: usize) {
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nX-Id: {id}\r\nX-Visit: {visit}\r\nConnection: Upgrade\r\nUpgrade: bytes\r\n\r\n"
        );
        self.ledger
            .visit(visit, |visit| (visit.is_whole, visit.said_whole) = (true, true));
        if conn.write_all(head.as_bytes()).await.is_err() {
            return;
        }
        let early = reader.take_rest();
        let who = format!("back {}", self.number);
        tunnel::backend(conn, &self.ledger, (self.seed, self.most), id, &early, &who).await;
    }

    async fn exchange<T: Pipe>(
        &self,
        conn: &Conn<T>,
        reader: &mut Reader<'_, T>,
        head: &Head,
        id: u32,
        visit: usize,
        dice: &mut Dice,
    ) -> After {
        let framing = match head.framing() {
            Ok(framing) => framing.unwrap_or(Framing::Length(0)),
            Err(gone) => {
                self.ledger
                    .breach(Rule::Framing, format!("backend {} got {gone:?}", self.number));
                return After::Over;
            }
        };
        let has_body = framing != Framing::Length(0);
        if dice.percent(self.temper.dies / 3) {
            self.note(format!("breaks off at {id}"));
            match dice.between(0, 2) {
                0 => conn.close(),
                1 => conn.reset(),
                _ => {
                    let _ = conn.shutdown().await;
                    let _ = reader.body(Framing::UntilClose, |_| Ok(())).await;
                }
            }
            return After::Over;
        }
        if dice.percent(self.temper.silent) {
            // Reads all or nothing, and never answers.
            self.note(format!("is silent to {id}"));
            if dice.percent(50) {
                let _ = self.upload(reader, framing, id, visit).await;
                let _ = reader.body(Framing::UntilClose, |_| Ok(())).await;
            } else {
                conn.pause(Duration::from_secs(60)).await;
            }
            return After::Over;
        }
        let expects = head.field("expect").is_some();
        let is_early = dice.percent(self.temper.early) && has_body;
        let plan = Plan::new(head, id, visit, self, dice);
        if is_early {
            // The answer goes out while the upload comes in, or instead of it.
            if dice.percent(30) {
                let ends = self.answer(conn, &plan, id, visit).await;
                if dice.percent(50) {
                    self.note(format!("wants no more of {id}"));
                    conn.close();
                    return After::Over;
                }
                let _ = self.upload(reader, framing, id, visit).await;
                return ends;
            }
            let (ends, upload) = tokio::join!(
                self.answer(conn, &plan, id, visit),
                self.upload(reader, framing, id, visit)
            );
            return if upload.is_ok() { ends } else { After::Over };
        }
        if expects && dice.percent(60) && conn.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_err() {
            return After::Over;
        }
        if has_body && self.upload(reader, framing, id, visit).await.is_err() {
            return After::Over;
        }
        self.ledger.visit(visit, |visit| visit.is_whole = true);
        self.answer(conn, &plan, id, visit).await
    }

    async fn upload<T: Pipe>(
        &self,
        reader: &mut Reader<'_, T>,
        framing: Framing,
        id: u32,
        visit: usize,
    ) -> Result<(), Gone> {
        let mut at = 0;
        let read = reader
            .body(framing, |bytes| {
                let right = Bytes::up(id).check(at, bytes);
                self.ledger.judge(
                    Rule::BytesArrive,
                    right.map_err(|what| format!("upload of {id}: {what}")),
                );
                at += bytes.len() as u64;
                self.ledger.visit(visit, |visit| visit.body = at);
                Ok(())
            })
            .await;
        match &read {
            Ok(()) => self.ledger.visit(visit, |visit| visit.is_whole = true),
            Err(Gone::Wrong(what)) => {
                self.ledger.breach(
                    Rule::Framing,
                    format!("backend {}, upload of {id}: {what}", self.number),
                );
            }
            Err(gone) => self.note(format!("upload of {id} is cut after {at}: {gone:?}")),
        }
        read
    }

    async fn answer<T: Pipe>(&self, conn: &Conn<T>, plan: &Plan, id: u32, visit: usize) -> After {
        let until_close = plan.framing == Framing::UntilClose;
        self.ledger.visit(visit, |visit| {
            (visit.meant, visit.until_close) = (plan.body, until_close)
        });
        conn.pause(plan.thinks).await;
        for interim in &plan.interim {
            if conn.write_all(interim.as_bytes()).await.is_err() {
                return After::Over;
            }
            conn.pause(plan.pause).await;
        }
        let (head, cut) = (plan.head.as_bytes(), plan.cut);
        if let Cut::Head(at) = cut {
            let _ = conn.write_all(&head[..at.min(head.len() - 1)]).await;
            return self.break_off(conn, plan, id).await;
        }
        let mut written = conn.write_all(head).await;
        let mut at = 0;
        let end = if let Cut::Body(end) = cut {
            end.min(plan.body.saturating_sub(1))
        } else {
            plan.body
        };
        let is_cut = matches!(cut, Cut::Body(_)) && plan.body > 0;
        while written.is_ok() && at < end && plan.has_body {
            conn.pause(plan.pause).await;
            let len = (end - at).min(plan.piece);
            let mut piece = vec![0; len as usize];
            Bytes::down(id).fill(at, &mut piece);
            if plan.framing == Framing::Chunked {
                piece = [format!("{len:x}\r\n").as_bytes(), &piece, b"\r\n"].concat();
            }
            written = conn.write_all(&piece).await;
            at += len;
            self.ledger.visit(visit, |visit| visit.said = at);
        }
        if written.is_ok() && is_cut {
            return self.break_off(conn, plan, id).await;
        }
        if written.is_ok() && plan.has_body && plan.framing == Framing::Chunked {
            // The end may come late.
            conn.pause(plan.pause).await;
            // As soon as it is written somebody may read it.
            self.ledger.visit(visit, |visit| visit.said_whole = true);
            written = conn.write_all(b"0\r\n\r\n").await;
        }
        if written.is_err() {
            self.note(format!("cannot answer {id} any more"));
            return After::Over;
        }
        self.ledger.visit(visit, |visit| visit.said_whole = true);
        self.note(format!("answered {id}"));
        if plan.framing == Framing::UntilClose || plan.closes {
            conn.pause(plan.pause).await;
            let _ = conn.shutdown().await;
            return After::Over;
        }
        After::Keep
    }

    async fn break_off<T: Pipe>(&self, conn: &Conn<T>, plan: &Plan, id: u32) -> After {
        self.note(format!("breaks its answer to {id} off"));
        conn.pause(plan.pause).await;
        // An end in order would be the end of a body without a length.
        if plan.resets || plan.framing == Framing::UntilClose {
            conn.reset()
        } else {
            conn.close()
        }
        After::Over
    }
}

/// How an answer looks.
#[derive(Debug)]
struct Plan {
    thinks: Duration,
    interim: Vec<String>,
    head: String,
    framing: Framing,
    has_body: bool,
    body: u64,
    piece: u64,
    pause: Duration,
    cut: Cut,
    resets: bool,
    closes: bool,
}

impl Plan {
    fn new(request: &Head, id: u32, visit: usize, backend: &Backend, dice: &mut Dice) -> Self {
        let temper = &backend.temper;
        let is_head = request.start[0] == "HEAD";
        let status = dice.weighted(&[(20, 200), (2, 404), (2, 204), (1, 304), (2, 500), (1, 503)]);
        let bodiless = matches!(status, 204 | 304);
        let has_body = !is_head && !bodiless;
        let body = if bodiless { 0 } else { dice.length(backend.most) };
        let framing = match dice.between(0, 5) {
            0..=2 => Framing::Length(body),
            3 | 4 => Framing::Chunked,
            _ if has_body => Framing::UntilClose,
            _ => Framing::Length(body),
        };
        let piece = dice.pick(&[1, 90, 1_000, 5_000, 40_000]).max(body / 60).max(1);
        let pause = Duration::from_millis(dice.weighted(&[(6, 0), (3, dice.clone().between(1, 40)), (1, 150)]));
        let closes = dice.percent(10);
        let mut head = format!("HTTP/1.1 {status} Said\r\nX-Id: {id}\r\nX-Visit: {visit}\r\n");
        match framing {
            Framing::Length(_) if bodiless => {}
            Framing::Length(length) => head += &format!("Content-Length: {length}\r\n"),
            Framing::Chunked if bodiless => {}
            Framing::Chunked => head += "Transfer-Encoding: chunked\r\n",
            Framing::UntilClose => {}
        }
        if closes {
            head += "Connection: close\r\n";
        }
        head += "\r\n";
        let cut = if !dice.percent(temper.dies) {
            Cut::No
        } else if dice.percent(30) || !has_body || body == 0 {
            Cut::Head(dice.between(0, head.len() as u64 - 1) as usize)
        } else {
            Cut::Body(dice.between(0, body))
        };
        let interim = if dice.percent(temper.interim) {
            dice.between(1, 3)
        } else {
            0
        };
        let interim = (0..interim)
            .map(|n| format!("HTTP/1.1 10{} Wait\r\nX-Id: {id}\r\n\r\n", 2 + n % 2))
            .collect();
        Self {
            thinks: Duration::from_millis(dice.between(0, temper.thinks)),
            interim,
            head,
            framing,
            has_body,
            body,
            piece,
            pause: if temper.thinks == 0 { Duration::ZERO } else { pause },
            cut,
            resets: dice.percent(50),
            closes,
        }
    }
}

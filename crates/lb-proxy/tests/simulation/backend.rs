//! A backend: serves HTTP by its temper, records what it got, and knows nothing of the balancer.

use crate::answer::Plan;
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
pub(crate) enum After {
    Keep,
    /// Nothing more is sent.
    Over,
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
    /// One that fills all windows.
    pub(crate) flood: u64,
}

impl Backend {
    pub(crate) fn note(&self, what: impl AsRef<str>) {
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
            let after = if head.field("upgrade").is_some() && dice.percent(5) {
                self.note(format!("switches {id} to what nobody asked for"));
                let wrong = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n";
                let _ = conn.write_all(wrong).await;
                After::Over
            } else if head.field("upgrade").is_some() && dice.percent(80) {
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
            said_at: None,
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
            "HTTP/1.1 101 Switching Protocols\r\nX-Id: {id}\r\nX-Visit: {visit}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
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
        if head.field("x-want") == Some("nothing") {
            self.note(format!("takes nothing of {id}"));
            conn.pause(Duration::from_secs(30)).await;
            return After::Over;
        }
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
        let floods = head.field("x-want") == Some("flood");
        let is_early = (floods || dice.percent(self.temper.early)) && has_body;
        let plan = Plan::new(head, id, visit, self, dice);
        if is_early {
            // The answer goes out while the upload comes in, or instead of it.
            if dice.percent(30) && !floods {
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
}

//! A client: sends requests as its script says, and knows what it may get for them.

use crate::blame::Idle;
use crate::conn::{Conn, Pipe, either};
use crate::dice::Bytes;
use crate::history::{Answer, Asked, Ledger};
use crate::rules::{self, Rule};
use crate::script::{Ask, End, NUDGES, Script, Upload};
use crate::tunnel;
use crate::wire::{Framing, Gone, Head, Reader};
use std::cell::{Cell, RefCell};
use std::time::Duration;
use tokio::sync::Notify;

/// A connection to the HTTP listener.
#[derive(Debug)]
pub(crate) struct Client<'a, T> {
    conn: &'a Conn<T>,
    ledger: &'a Ledger,
    script: &'a Script,
    who: &'a str,
    /// Responses that came, interim ones, and bytes of the one that comes.
    answered: Cell<usize>,
    may_begin: Cell<usize>,
    news: Notify,
    /// All requests were written, and whole.
    is_asked: Cell<bool>,
    /// The connection carries no further request.
    is_over: Cell<bool>,
    cookie: RefCell<Option<String>>,
}

/// Serves a script over a connection. `cookie` is kept for the next one.
pub(crate) async fn run<T: Pipe>(
    io: T,
    ledger: &Ledger,
    script: &Script,
    who: &str,
    longest: Duration,
    plan: (u64, u64),
    cookie: &RefCell<Option<String>>,
) {
    let conn = Conn::new(io);
    let client = Client {
        conn: &conn,
        ledger,
        script,
        who,
        answered: Cell::new(0),
        may_begin: Cell::new(0),
        news: Notify::new(),
        is_asked: Cell::new(false),
        is_over: Cell::new(false),
        cookie: RefCell::new(cookie.borrow().clone()),
    };
    for (number, ask) in (1..).zip(&script.asks) {
        ledger.change().asked.push(Asked {
            number,
            may_be_kept: ask.has_only_a_head() && !script.is_old && script.end != End::Fin,
            id: ask.id,
            method: ask.method,
            body: ask.upload.length(),
            ..Asked::default()
        });
        if ask.upgrades {
            tunnel::begun(ledger, ask.id, script.ip);
        }
    }
    let work = async { tokio::join!(client.write(), client.read(plan)) };
    if let Err(waits) = either(work, conn.stuck(longest)).await {
        let verdict = rules::nobody_waits_without_a_deadline(waits, longest);
        ledger.judge(Rule::NobodyWaits, verdict.map_err(|what| format!("{who}: {what}")));
        client.left();
        conn.reset();
    }
    client.left();
    *cookie.borrow_mut() = client.cookie.take();
    ledger.note(who, "is done");
}

impl<T: Pipe> Client<'_, T> {
    /// All requests, one behind the other, as many at once as the script says.
    async fn write(&self) {
        for (n, ask) in self.script.asks.iter().enumerate() {
            while !self.is_over.get() && self.answered.get() + self.script.pipelined < n + 1 {
                self.news.notified().await;
            }
            if self.is_over.get() {
                return;
            }
            self.conn.pause(ask.pause).await;
            if self.is_over.get() || self.ask(ask, n).await.is_err() {
                return;
            }
        }
        self.is_asked.set(true);
        match self.script.end {
            End::Waits => {}
            End::Nudges => self.nudge().await,
            End::Fin => {
                self.left();
                let _ = self.conn.shutdown().await;
            }
            End::Reset(after) => {
                self.conn.pause(after).await;
                if !self.is_over.get() {
                    self.reset();
                }
            }
        }
    }

    /// Empty lines, which are no request.
    async fn nudge(&self) {
        for pause in NUDGES {
            self.conn.pause(pause).await;
            if self.is_over.get() && self.conn.is_closed() || self.conn.write_all(b"\r\n").await.is_err() {
                return;
            }
        }
    }

    /// Whatever is under way, the balancer may see that this client is gone.
    fn left(&self) {
        let now = self.ledger.now();
        for ask in &self.script.asks {
            self.ledger
                .asked(ask.id, |asked| asked.left_at = asked.left_at.or(Some(now)));
        }
    }

    fn reset(&self) {
        self.ledger.note(self.who, "resets");
        self.left();
        let now = self.ledger.now();
        for ask in &self.script.asks {
            self.ledger.asked(ask.id, |asked| {
                asked.reset_at = Some(now).filter(|_| asked.answer.is_none())
            });
        }
        self.conn.reset();
    }

    async fn ask(&self, ask: &Ask, n: usize) -> Result<(), ()> {
        self.ledger
            .note(self.who, format!("asks {} {} {:?}", ask.method, ask.id, ask.upload));
        let head = ask.head(self.cookie.borrow().as_deref(), self.script.is_old);
        let now = self.ledger.now();
        self.ledger.asked(ask.id, |asked| {
            asked.begun_at = now;
            asked.is_whole = ask.upload.length() == 0 && ask.garbage.is_none()
        });
        self.put(head.as_bytes(), ask).await?;
        if ask.expects {
            // Most clients wait for a moment and begin all the same.
            let _ = either(
                async {
                    while self.may_begin.get() <= n && self.answered.get() <= n && !self.is_over.get() {
                        self.news.notified().await;
                    }
                },
                tokio::time::sleep(Duration::from_secs(4)),
            )
            .await;
            if self.answered.get() > n || self.is_over.get() {
                // The body is not wanted: nothing but an end can follow its head.
                self.is_over.set(true);
                return Err(());
            }
        }
        let Some(patience) = ask.gives_up else {
            return self.body(ask).await;
        };
        if either(self.body(ask), tokio::time::sleep(patience)).await.is_err() {
            self.reset();
        }
        Err(())
    }

    async fn body(&self, ask: &Ask) -> Result<(), ()> {
        let length = ask.upload.length();
        let mut at = 0;
        while at < length {
            if let Some((cut, end)) = ask.cut
                && at >= cut
            {
                self.ledger
                    .note(self.who, format!("cuts its upload {}: {end:?}", ask.id));
                match end {
                    End::Waits | End::Nudges => self.conn.pause(Duration::from_secs(20)).await,
                    End::Fin => {
                        self.left();
                        let _ = self.conn.shutdown().await;
                    }
                    End::Reset(after) => {
                        self.conn.pause(after).await;
                        self.reset();
                    }
                }
                return Err(());
            }
            let len = (length - at).min(ask.piece);
            let mut piece = vec![0; len as usize];
            Bytes::up(ask.id).fill(at, &mut piece);
            if matches!(ask.upload, Upload::Chunked(_)) {
                piece = [format!("{len:x}\r\n").as_bytes(), &piece, b"\r\n"].concat();
            }
            at += len;
            let is_last = at == length && matches!(ask.upload, Upload::Length(_));
            // As soon as it is written somebody may read it.
            self.ledger
                .asked(ask.id, |asked| (asked.sent, asked.is_whole) = (at, is_last));
            self.put(&piece, ask).await?;
            self.conn.pause(ask.between).await;
        }
        if let Upload::Chunked(_) = ask.upload {
            self.ledger.asked(ask.id, |asked| asked.is_whole = true);
            self.put(b"0\r\n\r\n", ask).await?;
        }
        Ok(())
    }

    async fn put(&self, bytes: &[u8], ask: &Ask) -> Result<(), ()> {
        let result = self.conn.write_all(bytes).await;
        result.map_err(|_| self.ledger.note(self.who, format!("cannot send {} any more", ask.id)))
    }

    /// All responses, in the order of the requests.
    async fn read(&self, plan: (u64, u64)) {
        let mut reader = Reader::new(self.conn, self.script.pace);
        let mut is_kept = true;
        for ask in &self.script.asks {
            match self.response(&mut reader, ask).await {
                Ok(false) => {}
                Ok(true) => {
                    self.over();
                    if ask.upgrades && self.is_tunnel(ask.id) {
                        let early = reader.take_rest();
                        tunnel::client(self.conn, self.ledger, plan, ask.id, &early, self.who).await;
                        return;
                    }
                    is_kept = false;
                    break;
                }
                Err(gone) => {
                    if let Gone::Wrong(what) = &gone {
                        self.ledger
                            .breach(Rule::Framing, format!("{} got for {}: {what}", self.who, ask.id));
                    }
                    self.ledger
                        .note(self.who, format!("gets no more for {}: {gone:?}", ask.id));
                    self.over();
                    self.left();
                    self.conn.close();
                    return;
                }
            }
            self.answered.set(self.answered.get() + 1);
            self.news.notify_one();
        }
        self.over();
        let (from, is_asked) = (self.ledger.now(), self.is_asked.get());
        // Nothing was asked any more, so nothing may come but the end.
        if matches!(self.script.end, End::Waits | End::Nudges | End::Fin) || !self.conn.is_closed() {
            let mut buffer = [0; 64];
            let mut rest = reader.take_rest();
            if rest.is_empty()
                && let Ok(len) = self.conn.read(&mut buffer).await
            {
                rest.extend_from_slice(&buffer[..len]);
            }
            if !rest.is_empty() {
                let rest = String::from_utf8_lossy(&rest);
                let what = format!("{}: bytes behind the last response: {rest:?}", self.who);
                self.ledger.breach(Rule::ResponseBelongs, what);
            }
        }
        if is_kept && is_asked && matches!(self.script.end, End::Waits | End::Nudges) {
            let to = self.ledger.now();
            self.ledger.change().idle.push(Idle { from, to });
        }
        self.left();
        self.conn.close();
    }

    fn over(&self) {
        self.is_over.set(true);
        self.news.notify_one();
    }

    fn is_tunnel(&self, id: u32) -> bool {
        let is_switched = |asked: &Asked| asked.answer.is_some_and(|answer| answer.status == 101);
        let history = self.ledger.history();
        history.asked.iter().any(|asked| asked.id == id && is_switched(asked))
    }

    /// One response with what comes before it; says whether it is the last one of this connection.
    async fn response(&self, reader: &mut Reader<'_, T>, ask: &Ask) -> Result<bool, Gone> {
        loop {
            let head = reader.head().await?;
            let status: u32 = head.start[1]
                .parse()
                .map_err(|_| Gone::Wrong(format!("status {:?}", head.start)))?;
            if (100..200).contains(&status) && status != 101 {
                if head.number("x-id").is_some_and(|id| id != ask.id) {
                    let what = format!(
                        "{} got an interim response of {:?} for {}",
                        self.who,
                        head.field("x-id"),
                        ask.id
                    );
                    self.ledger.breach(Rule::ResponseBelongs, what);
                }
                if status == 100 {
                    self.may_begin.set(self.answered.get() + 1);
                    self.news.notify_one();
                }
                continue;
            }
            return self.final_response(reader, ask, status, &head).await;
        }
    }

    async fn final_response(
        &self,
        reader: &mut Reader<'_, T>,
        ask: &Ask,
        status: u32,
        head: &Head,
    ) -> Result<bool, Gone> {
        let says = head.number("x-id");
        let mut answer = Answer {
            status,
            visit: head.number("x-visit"),
            says,
            body: 0,
            is_whole: false,
            closes: head.closes(),
        };
        self.ledger.note(
            self.who,
            format!("gets {status} for {} (visit {:?})", ask.id, answer.visit),
        );
        if says.is_some_and(|id| id != ask.id) {
            let what = format!("{} got the response to {says:?} for {}", self.who, ask.id);
            self.ledger.breach(Rule::ResponseBelongs, what);
        }
        if let Some(cookie) = head.field("set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            *self.cookie.borrow_mut() = Some(pair.to_owned());
        }
        self.ledger.asked(ask.id, |asked| asked.answer = Some(answer));
        let bodiless = ask.method == "HEAD" || matches!(status, 101 | 204 | 304);
        let framing = head.framing()?;
        if bodiless && framing == Some(Framing::Chunked) && status != 304 && ask.method != "HEAD" {
            return Err(Gone::Wrong("a coding where there is no body".into()));
        }
        let framing = if bodiless {
            Framing::Length(0)
        } else {
            framing.unwrap_or(Framing::UntilClose)
        };
        if framing == Framing::UntilClose && !self.script.is_old {
            return Err(Gone::Wrong("a response without a length for HTTP/1.1".into()));
        }
        let read = reader
            .body(framing, |bytes| {
                if says.is_some() {
                    let right = Bytes::down(ask.id).check(answer.body, bytes);
                    self.ledger.judge(
                        Rule::BytesArrive,
                        right.map_err(|what| format!("response to {}: {what}", ask.id)),
                    );
                }
                answer.body += bytes.len() as u64;
                // Who goes in the middle has seen no end.
                match self.script.stops_after {
                    Some((most, _)) if answer.body > most => Err(Gone::Inside),
                    _ => Ok(()),
                }
            })
            .await;
        answer.is_whole = read.is_ok();
        self.ledger.asked(ask.id, |asked| asked.answer = Some(answer));
        if read == Err(Gone::Inside)
            && let Some((_, pause)) = self.script.stops_after
        {
            self.ledger.note(self.who, format!("reads no more of {}", ask.id));
            let now = Some(self.ledger.now()).filter(|_| ask.floods);
            self.ledger.asked(ask.id, |asked| asked.stopped_at = now);
            self.conn.pause(pause).await;
        }
        read?;
        let stays = !head.closes() && framing != Framing::UntilClose && status != 101;
        let old_stays = head
            .field("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("keep-alive"));
        Ok(!stays || (self.script.is_old && !old_stays))
    }
}

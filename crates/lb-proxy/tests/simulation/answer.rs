//! What a backend answers, and how it does it.

use crate::backend::{After, Backend};
use crate::conn::{Conn, Pipe};
use crate::dice::{Bytes, Dice};
use crate::wire::{Framing, Head};
use std::time::Duration;

/// How an answer looks.
#[derive(Debug)]
pub(crate) struct Plan {
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
    hiccup: Option<Duration>,
}

impl Plan {
    pub(crate) fn new(request: &Head, id: u32, visit: usize, backend: &Backend, dice: &mut Dice) -> Self {
        let floods = request.field("x-want") == Some("flood");
        let temper = &backend.temper;
        let is_head = request.start[0] == "HEAD";
        let status = dice.weighted(&[
            (if floods { 200_000 } else { 20 }, 200),
            (2, 404),
            (2, 204),
            (1, 304),
            (2, 500),
            (1, 503),
        ]);
        let bodiless = matches!(status, 204 | 304);
        let has_body = !is_head && !bodiless;
        let body = match dice.length(backend.most) {
            _ if floods => backend.flood,
            _ if bodiless => 0,
            length => length,
        };
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
            hiccup: dice
                .percent(3)
                .then(|| Duration::from_millis(dice.clone().between(200, 6_000))),
        }
    }
}

/// Where an answer breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    No,
    Head(usize),
    Body(u64),
}

impl Backend {
    pub(crate) async fn answer<T: Pipe>(&self, conn: &Conn<T>, plan: &Plan, id: u32, visit: usize) -> After {
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
        let now = self.ledger.now();
        self.ledger.visit(visit, |visit| visit.said_at = Some(now));
        if let Some(hiccup) = plan.hiccup {
            // What is on its way comes while nobody has his turn, and so do deadlines.
            self.ledger.stall(&format!("back {}", self.number), hiccup).await;
        }
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

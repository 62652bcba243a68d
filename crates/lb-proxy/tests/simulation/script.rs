//! What clients do, drawn from the seed before a run begins.

use crate::dice::Dice;
use crate::history::Ledger;
use crate::rules::ID_DIGITS;
use crate::wire::Pace;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// What somebody does who sends no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Waits until the balancer ends the connection.
    Waits,
    Fin,
    /// Sends empty lines again and again, which are no request.
    Nudges,
    Reset(Duration),
}

/// The body of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upload {
    None,
    Length(u64),
    Chunked(u64),
}

impl Upload {
    pub(crate) const fn length(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Length(length) | Self::Chunked(length) => length,
        }
    }
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) id: u32,
    pub(crate) method: &'static str,
    pub(crate) upload: Upload,
    pub(crate) expects: bool,
    pub(crate) upgrades: bool,
    /// Its answer is to come at once and to be larger than all windows.
    pub(crate) floods: bool,
    /// Nobody is to take its body, and its client breaks off after so long.
    pub(crate) gives_up: Option<Duration>,
    /// What stands in the head that no server takes.
    pub(crate) garbage: Option<&'static str>,
    /// Before it, and between the pieces of its body.
    pub(crate) pause: Duration,
    pub(crate) between: Duration,
    pub(crate) piece: u64,
    /// Its body goes no further than this, and then?
    pub(crate) cut: Option<(u64, End)>,
}

/// A connection to the HTTP listener.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) ip: IpAddr,
    pub(crate) asks: Vec<Ask>,
    /// So many requests may be unanswered at once.
    pub(crate) pipelined: usize,
    /// HTTP/1.0.
    pub(crate) is_old: bool,
    pub(crate) pace: Pace,
    /// It stops reading for so long inside a response that is longer, and goes.
    pub(crate) stops_after: Option<(u64, Duration)>,
    pub(crate) end: End,
}

impl Ask {
    /// Nothing follows it, and it asks for nothing else than an answer.
    pub(crate) fn has_only_a_head(&self) -> bool {
        self.upload.length() == 0
            && !matches!(self.upload, Upload::Chunked(_))
            && !self.upgrades
            && self.garbage.is_none()
    }

    pub(crate) fn head(&self, cookie: Option<&str>, is_old: bool) -> String {
        let (method, id) = (self.method, self.id);
        let version = if is_old { "HTTP/1.0" } else { "HTTP/1.1" };
        let mut head = format!(
            "{method} /r/{id:0width$} {version}\r\nHost: sim\r\nX-Id: {id}\r\n",
            width = ID_DIGITS
        );
        if is_old {
            head += "Connection: keep-alive\r\n";
        }
        match self.upload {
            Upload::None => {}
            Upload::Length(length) => head += &format!("Content-Length: {length}\r\n"),
            Upload::Chunked(_) => head += "Transfer-Encoding: chunked\r\n",
        }
        if self.expects {
            head += "Expect: 100-continue\r\n";
        }
        if self.upgrades {
            head += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
        }
        if self.floods {
            head += "X-Want: flood\r\n";
        }
        if self.gives_up.is_some() {
            head += "X-Want: nothing\r\n";
        }
        if let Some(cookie) = cookie {
            head += &format!("Cookie: {cookie}\r\n");
        }
        head += self.garbage.unwrap_or_default();
        head += "\r\n";
        head
    }

    fn new(ledger: &Ledger, dice: &mut Dice, is_old: bool, most: u64) -> Self {
        let method = dice.weighted(&[
            (8, "GET"),
            (2, "HEAD"),
            (4, "PUT"),
            (5, "POST"),
            (1, "DELETE"),
            (1, "PATCH"),
        ]);
        let has_body = match method {
            "POST" | "PATCH" => dice.percent(90),
            "PUT" => dice.percent(95),
            _ => dice.percent(3),
        };
        let length = dice.length(most);
        let upload = match has_body {
            false => Upload::None,
            true if is_old || dice.percent(55) => Upload::Length(length),
            true => Upload::Chunked(length),
        };
        let upgrades = !is_old && upload == Upload::None && method == "GET" && dice.percent(15);
        let cut = (upload.length() > 0 && dice.percent(8)).then(|| {
            let reset = End::Reset(Duration::from_millis(dice.pick(&[0, 30, 2_000])));
            (
                dice.clone().between(0, upload.length() - 1),
                dice.pick(&[End::Waits, End::Fin, reset]),
            )
        });
        Self {
            id: ledger.id(),
            method,
            upload,
            expects: !is_old && upload.length() > 0 && dice.percent(25),
            upgrades,
            floods: false,
            gives_up: None,
            garbage: dice.percent(2).then(|| {
                dice.pick(&[
                    "No colon\r\n",
                    "Content-Length: x\r\n",
                    "Transfer-Encoding: gzip, chunked\r\n",
                    "Host: another\r\n",
                    "Bad\0Name: 1\r\n",
                ])
            }),
            pause: Duration::from_millis(dice.weighted(&[(6, 0), (3, 30), (2, 700), (1, 3_500)])),
            between: Duration::from_millis(dice.weighted(&[(7, 0), (2, 4), (1, 60)])),
            piece: dice.pick(&[1, 700, 4_000, 30_000]).max(length / 50).max(1),
            cut,
        }
    }
}

impl Script {
    /// A connection of the client with this address.
    pub(crate) fn new(ledger: &Ledger, dice: &mut Dice, ip: IpAddr, most: u64) -> Self {
        let is_old = dice.percent(10);
        let count = dice.between(1, 7);
        let pipelined = dice.weighted(&[(6, 1), (2, 2), (2, 6)]);
        let mut asks: Vec<Ask> = (0..count).map(|_| Ask::new(ledger, dice, is_old, most)).collect();
        for at in 0..asks.len() {
            // What follows belongs to nobody knows what.
            if asks[at].upgrades || asks[at].cut.is_some() || asks[at].garbage.is_some() {
                asks.truncate(at + 1);
                break;
            }
        }
        let reset = End::Reset(Duration::from_millis(dice.between(0, 900)));
        let upgrades = asks.last().is_some_and(|ask| ask.upgrades || ask.cut.is_some());
        let end = if upgrades {
            End::Waits
        } else {
            dice.weighted(&[(4, End::Waits), (1, End::Nudges), (4, End::Fin), (2, reset)])
        };
        Self {
            ip,
            asks,
            pipelined,
            is_old,
            pace: Pace {
                piece: dice.pick(&[300, 4_096, 16_384, 65_536]).max(300),
                pause: Duration::from_millis(dice.weighted(&[(8, 0), (2, 1), (1, 8)])),
            },
            stops_after: dice
                .percent(6)
                .then(|| (dice.clone().between(0, 30_000), Duration::from_secs(8))),
            end,
        }
    }

    /// A client that takes nothing of its response and sends a little of its upload again and again, for longer than `longest`.
    pub(crate) fn trickle(ledger: &Ledger, dice: &mut Dice, ip: IpAddr, longest: Duration) -> Self {
        let mut script = Self::new(ledger, dice, ip, 0);
        let every = Duration::from_millis(400);
        let length = (longest.as_millis() * 2 / every.as_millis()) as u64;
        script.asks = vec![Ask {
            method: "PUT",
            upload: Upload::Length(length),
            expects: false,
            upgrades: false,
            floods: true,
            garbage: None,
            between: every,
            piece: 1,
            cut: None,
            ..script.asks[0].clone()
        }];
        script.is_old = false;
        script.stops_after = Some((0, longest * 2));
        script
    }

    /// A client that sends more than fits anywhere to a backend that takes nothing, and breaks off.
    pub(crate) fn give_up(ledger: &Ledger, dice: &mut Dice, ip: IpAddr, flood: u64) -> Self {
        let mut script = Self::new(ledger, dice, ip, 0);
        script.asks = vec![Ask {
            method: "PUT",
            upload: Upload::Length(flood),
            expects: false,
            upgrades: false,
            gives_up: Some(Duration::from_millis(dice.between(200, 1_500))),
            garbage: None,
            between: Duration::ZERO,
            piece: flood / 20,
            cut: None,
            ..script.asks[0].clone()
        }];
        (script.is_old, script.stops_after) = (false, None);
        script
    }
}

/// The address of a client.
pub(crate) fn ip_of(client: u64) -> IpAddr {
    Ipv4Addr::new(10, 1, (client / 250) as u8, (client % 250 + 1) as u8).into()
}

/// When a client sends empty lines: two at most may stand before a request.
pub(crate) const NUDGES: [Duration; 2] = [Duration::from_millis(450), Duration::from_secs(2)];

//! The pieces of a request below the sockets, each set up once and run as often as somebody counts.
//!
//! Each checks what it did, so that no measurement is one of an error path.

use crate::{Stickiness, proxy, strategies};
use lb_balance::route::{Action, Host, Prefix, Query, Route, Routes};
use lb_balance::{Hint, Picker, Tried};
use lb_http::h1::{Conn, Framing, Limits, Role, Step};
use lb_http::{Head, forward};
use lb_persist::token::Tokens;
use lb_persist::{Facts, Recall, Strategy};
use lb_store::{Tables, TablesOptions};
use lb_types::{BackendId, Now, Time};
use std::error::Error;
use std::fmt;
use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;

/// A request as a browser sends it.
pub const BROWSER: &[u8] = b"GET /1k HTTP/1.1\r\nHost: bench.local\r\nConnection: keep-alive\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Accept-Language: en-GB,en;q=0.9,de;q=0.7\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\
    Referer: https://bench.local/shop/catalogue?page=3&sort=price\r\nUpgrade-Insecure-Requests: 1\r\n\
    Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nCache-Control: max-age=0\r\n\
    Cookie: sid=0123456789abcdef0123456789abcdef; theme=dark; consent=a1b2c3d4\r\n\r\n";

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// The codec on a browser's request, with buffers that are used again.
#[derive(Debug)]
pub struct Codec {
    limits: Arc<Limits>,
    head: Head,
    out: Vec<u8>,
    sender: forward::Sender,
}

impl Default for Codec {
    /// The request has been read once, so that it can be written.
    fn default() -> Self {
        let mut codec = Self {
            limits: Arc::default(),
            head: Head::with_capacity(4096, 64),
            out: Vec::with_capacity(4096),
            sender: forward::Sender::new(CLIENT, "http", 80),
        };
        codec.read();
        codec
    }
}

impl Codec {
    /// Reads the head.
    ///
    /// # Panics
    /// When it is refused.
    pub fn read(&mut self) {
        let mut conn = Conn::new(Role::Server, Arc::clone(&self.limits));
        let step = conn.read_head(black_box(BROWSER), &mut self.head);
        assert!(matches!(step, Ok(Step::Ready(message)) if message.len == BROWSER.len()));
    }

    /// Writes the head that was read last.
    ///
    /// # Panics
    /// When it is not written.
    pub fn write(&mut self) {
        self.out.clear();
        let mut conn = Conn::new(Role::Client, Arc::clone(&self.limits));
        let result = conn.write_head(black_box(&self.head), Framing::Empty, &mut self.out);
        assert!(result.is_ok() && black_box(&self.out).ends_with(b"\r\n\r\n"));
    }

    /// Reads the head, edits it as a proxy must, and writes it.
    ///
    /// # Panics
    /// When one of these fails.
    pub fn pass_on(&mut self) {
        self.read();
        let how = forward::Forward {
            sender: &self.sender,
            trusted: false,
            statements: forward::Statements::default(),
            keep_upgrade: false,
            keep_expect: false,
        };
        assert!(forward::request(&mut self.head, &how).is_ok());
        self.write();
    }

    /// What was written last.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        &self.out
    }
}

/// Weighted round robin over a number of backends.
#[derive(Debug)]
pub struct Pick {
    picker: Picker,
    tried: Tried,
}

impl Pick {
    /// Backends on so many ports.
    ///
    /// # Errors
    /// When no port is free for the listener, which nobody uses.
    pub fn new(count: u16) -> Result<Self, Box<dyn Error>> {
        let backends: Vec<_> = (0..count).map(|i| ([127, 0, 0, 1], 9000 + i).into()).collect();
        let (snapshot, ..) = proxy(([127, 0, 0, 1], 0).into(), &backends, Stickiness::None)?;
        let pool = snapshot.pools.first().ok_or("a snapshot without a pool")?;
        Ok(Self {
            picker: Picker::new(Arc::clone(&pool.pool), 1),
            tried: Tried::new(),
        })
    }

    /// Picks one and gives it back.
    ///
    /// # Panics
    /// When nobody is picked.
    pub fn run(&mut self) {
        let ticket = self.picker.pick(Hint::Any, black_box(&self.tried), Time::ZERO);
        assert!(ticket.is_ok());
    }
}

/// A listener with a route by host and four by path.
#[derive(Debug)]
pub struct Routing(Routes);

impl Routing {
    /// One pool takes what the other routes leave.
    ///
    /// # Errors
    /// When the routes make no table.
    pub fn new() -> Result<Self, Box<dyn Error>> {
        let mut routes = Vec::new();
        for (pool, (host, path)) in [
            ("api.bench.local", "/v2"),
            ("*", "/static"),
            ("*", "/admin"),
            ("*", "/.git"),
            ("*", "/"),
        ]
        .into_iter()
        .enumerate()
        {
            routes.push(Route {
                hosts: vec![host.parse::<Host>()?],
                path: Prefix::new(path)?,
                action: Action::Forward(pool),
            });
        }
        Ok(Self(Routes::new(routes)?))
    }

    /// Looks up where a request for this path goes.
    ///
    /// # Panics
    /// When it goes elsewhere.
    pub fn run(&self, path: &[u8], pool: usize) {
        let query = Query {
            host: Some(black_box(b"bench.local")),
            path: black_box(path),
        };
        assert_eq!(self.0.find(&query), Some(&Action::Forward(pool)));
    }
}

/// A client that was here before is recognised.
pub struct Remembered {
    strategy: Box<dyn Strategy>,
    head: Head,
    table: Tables,
    backend: BackendId,
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered")
            .field("backend", &self.backend)
            .finish_non_exhaustive()
    }
}

impl Remembered {
    /// One of ten backends has served this client: its cookie, or the table, says so.
    ///
    /// # Errors
    /// When there is no strategy.
    pub fn new(stickiness: Stickiness) -> Result<Self, Box<dyn Error>> {
        let ids: Vec<BackendId> = (0..10).map(BackendId::from_u64).collect();
        let backend = BackendId::from_u64(7);
        let token = Tokens::new(crate::KEY, &ids).issue(backend, None);
        let mut request = BROWSER.strip_suffix(b"\r\n\r\n").unwrap_or(BROWSER).to_vec();
        request.extend_from_slice(b"; LBD=");
        request.extend_from_slice(token.as_bytes());
        request.extend_from_slice(b"\r\n\r\n");
        let mut head = Head::with_capacity(4096, 64);
        Conn::new(Role::Server, Arc::default()).read_head(&request, &mut head)?;
        let strategy = strategies(stickiness, &ids)?.pop().ok_or("no strategy")?;
        let table = Tables::new(TablesOptions::default());
        if let Recall::Lookup(key) = strategy.recall(&facts(&head), Now::default()) {
            let _ = table.claim(key, None, backend, Time::ZERO);
        }
        Ok(Self {
            strategy,
            head,
            table,
            backend,
        })
    }

    /// Asks the strategy, and the table where the strategy has a key for it.
    ///
    /// # Panics
    /// When the client is not recognised.
    pub fn run(&self) {
        let id = match self.strategy.recall(black_box(&facts(&self.head)), Now::default()) {
            Recall::Backend { id, .. } => Some(id),
            Recall::Lookup(key) => self.table.lookup_memory(&key, Time::ZERO),
            _ => None,
        };
        assert_eq!(id, Some(self.backend));
    }
}

fn facts(head: &Head) -> Facts<'_> {
    Facts {
        fields: Some(head),
        ..Facts::new(CLIENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forwarded_head_is_the_browsers_with_the_forwarding_fields() {
        let mut codec = Codec::default();
        codec.pass_on();
        let text = String::from_utf8(codec.written().to_vec()).expect("ASCII");
        let browser = std::str::from_utf8(BROWSER).expect("ASCII");
        let expected = browser.replace("Connection: keep-alive\r\n", "").replace(
            "\r\n\r\n",
            "\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: 80\r\n\r\n",
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn a_head_is_written_whole() {
        let mut codec = Codec::default();
        codec.write();
        let browser = std::str::from_utf8(BROWSER).expect("ASCII");
        let expected = browser.replace("Connection: keep-alive\r\n", "");
        assert_eq!(codec.written(), expected.as_bytes());
    }

    #[test]
    fn clients_that_were_here_before_are_recognised() {
        for stickiness in [Stickiness::Cookie, Stickiness::ClientIp] {
            Remembered::new(stickiness).expect("a strategy").run();
        }
    }
}

//! A client that sends what it is told and reads responses strictly.

use crate::script::reset;
use crate::world::PATIENCE;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

/// A raw client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) io: TcpStream,
    bytes: Vec<u8>,
    end: Option<Gone>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    Fin,
    Rst,
}

/// A response as a strict client reads it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) interim: Vec<u16>,
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: String,
    /// The body came to its end.
    pub(crate) whole: bool,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.head.split("\r\n").skip(1).find_map(|line| {
            let (n, v) = line.split_once(':')?;
            n.eq_ignore_ascii_case(name).then_some(v.trim())
        })
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.head
            .split("\r\n")
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .count()
    }
}

impl Client {
    pub(crate) fn new(proxy: SocketAddr) -> Self {
        let io = TcpStream::connect(proxy).unwrap();
        io.set_nodelay(true).unwrap();
        io.set_read_timeout(Some(PATIENCE)).unwrap();
        io.set_write_timeout(Some(PATIENCE)).unwrap();
        Self {
            io,
            bytes: Vec::new(),
            end: None,
        }
    }

    /// What the proxy does not take any more is not the client's fault.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> &mut Self {
        let _ = self.io.write_all(bytes);
        self
    }

    pub(crate) fn drip(&mut self, bytes: &[u8]) -> &mut Self {
        for byte in bytes {
            if self.io.write_all(&[*byte]).is_err() {
                break;
            }
        }
        self
    }

    pub(crate) fn fin(&mut self) -> &mut Self {
        let _ = self.io.shutdown(Shutdown::Write);
        self
    }

    pub(crate) fn reset(self) {
        reset(&self.io);
    }

    fn more(&mut self) -> bool {
        if self.end.is_some() {
            return false;
        }
        let mut buffer = vec![0; 65536];
        match self.io.read(&mut buffer) {
            Ok(0) => self.end = Some(Gone::Fin),
            Ok(n) => {
                self.bytes.extend_from_slice(&buffer[..n]);
                return true;
            }
            Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                self.end = Some(Gone::Rst);
            }
            Err(e) => panic!("nothing within {PATIENCE:?}: {e}; so far {:?}", self.unread()),
        }
        false
    }

    pub(crate) fn unread(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Reads exactly this many bytes of whatever comes.
    pub(crate) fn take(&mut self, len: usize) -> Vec<u8> {
        while self.bytes.len() < len && self.more() {}
        let len = len.min(self.bytes.len());
        self.bytes.drain(..len).collect()
    }

    /// The next head, interim ones included.
    pub(crate) fn head(&mut self) -> Option<(u16, String)> {
        let at = loop {
            if let Some(at) = self.bytes.windows(4).position(|w| w == b"\r\n\r\n") {
                break at;
            }
            if !self.more() {
                assert!(self.bytes.is_empty(), "half a head: {:?}", self.unread());
                return None;
            }
        };
        let head: Vec<u8> = self.bytes.drain(..at + 4).take(at).collect();
        let head = String::from_utf8_lossy(&head).into_owned();
        assert!(head.starts_with("HTTP/1.1 "), "no status line: {head:?}");
        let lone = head.replace("\r\n", "");
        assert!(!lone.contains(['\r', '\n', '\0']), "control in {head:?}");
        let status = head.get(9..12).unwrap().parse().unwrap();
        Some((status, head))
    }

    /// The next response to a request of this method; `None` when the connection ended instead.
    pub(crate) fn reply(&mut self, method: &str) -> Option<Reply> {
        let mut reply = Reply::default();
        loop {
            let (status, head) = self.head()?;
            (reply.status, reply.head) = (status, head);
            if status >= 200 || status == 101 {
                break;
            }
            reply.interim.push(status);
        }
        let lengths = reply.count("content-length");
        let codings = reply.count("transfer-encoding");
        assert!(lengths + codings <= 1, "ambiguous framing: {}", reply.head);
        if method == "HEAD" || matches!(reply.status, 101 | 204 | 304) {
            reply.whole = true;
        } else if codings == 1 {
            assert_eq!(reply.field("transfer-encoding"), Some("chunked"));
            self.chunks(&mut reply);
        } else if let Some(length) = reply.field("content-length") {
            let length: usize = length.parse().unwrap();
            reply.body = self.take(length);
            reply.whole = reply.body.len() == length;
        } else {
            assert_eq!(reply.field("connection"), Some("close"), "no end: {}", reply.head);
            while self.more() {}
            reply.body = std::mem::take(&mut self.bytes);
            reply.whole = self.end == Some(Gone::Fin);
        }
        Some(reply)
    }

    fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.bytes.windows(2).position(|w| w == b"\r\n") {
                let line: Vec<u8> = self.bytes.drain(..at + 2).take(at).collect();
                return Some(String::from_utf8_lossy(&line).into_owned());
            }
            if !self.more() {
                return None;
            }
        }
    }

    fn chunks(&mut self, reply: &mut Reply) {
        while let Some(line) = self.line() {
            let size = usize::from_str_radix(&line, 16).unwrap_or_else(|_| panic!("chunk size {line:?}"));
            if size == 0 {
                while let Some(line) = self.line() {
                    if line.is_empty() {
                        reply.whole = true;
                        return;
                    }
                    reply.trailers.push_str(&line);
                    reply.trailers.push('\n');
                }
                return;
            }
            let body = self.take(size);
            let got = body.len();
            reply.body.extend(body);
            if got < size || self.take(2) != b"\r\n" {
                return;
            }
        }
    }

    /// The connection ends, with nothing more on it.
    pub(crate) fn ends(&mut self) -> Gone {
        while self.more() {}
        assert!(self.bytes.is_empty(), "bytes behind the end: {:?}", self.unread());
        self.end.unwrap()
    }

    /// The connection ends, after whatever comes.
    pub(crate) fn gone(&mut self) -> Gone {
        while self.more() {}
        self.end.unwrap()
    }

    /// The connection is good for another exchange, whose answer is its own.
    pub(crate) fn lives(&mut self) {
        self.send(b"GET /probe-alive HTTP/1.1\r\nHost: h\r\n\r\n");
        let reply = self.reply("GET").expect("the connection was closed");
        assert!(
            reply.status == 200 && reply.text().ends_with(": GET /probe-alive 0"),
            "another answer than asked for: {reply:?}"
        );
    }
}

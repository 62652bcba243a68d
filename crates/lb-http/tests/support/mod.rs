//! Reads whole conversations through the codec, so that tests can compare results.
#![allow(dead_code, clippy::unwrap_used)] // each test binary uses its part

use lb_http::h1::{Conn, Error, Framing, Limits, Next, Part, Role, Step};
use lb_http::{Head, Version};
use std::sync::Arc;

/// One message as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Read {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) http10: bool,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) framing: Option<Framing>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
    pub(crate) complete: bool,
}

impl Read {
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    pub(crate) fn body_text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body of text")
    }
}

/// Everything that came out of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Story {
    pub(crate) messages: Vec<Read>,
    pub(crate) error: Option<Error>,
    /// Bytes that were not consumed.
    pub(crate) rest: Vec<u8>,
}

/// Reads messages, one exchange after the other, from bytes that come in pieces.
#[derive(Debug)]
pub(crate) struct Reader {
    conn: Conn,
    buffer: Vec<u8>,
    head: Head,
    asked: Asked,
    in_body: bool,
    story: Story,
}

/// The request whose response a client reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Get,
    Head,
    Upgrade,
}

impl Reader {
    pub(crate) fn server(limits: Limits) -> Self {
        Self::new(Role::Server, limits, Asked::Get)
    }

    pub(crate) fn client(limits: Limits, asked: Asked) -> Self {
        let mut reader = Self::new(Role::Client, limits, asked);
        reader.ask();
        reader
    }

    fn new(role: Role, limits: Limits, asked: Asked) -> Self {
        Self {
            conn: Conn::new(role, Arc::new(limits)),
            buffer: Vec::new(),
            head: Head::with_capacity(1024, 16),
            asked,
            in_body: false,
            story: Story::default(),
        }
    }

    fn ask(&mut self) {
        use lb_types::FieldsMut;
        let mut request = Head::with_capacity(64, 4);
        let method: &[u8] = if self.asked == Asked::Head { b"HEAD" } else { b"GET" };
        request.start_request(method, b"/").unwrap();
        request.append("Host", b"a").unwrap();
        if self.asked == Asked::Upgrade {
            request.append("Upgrade", b"websocket").unwrap();
        }
        self.conn.write_head(&request, Framing::Empty, &mut Vec::new()).unwrap();
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        while self.story.error.is_none() {
            match self.step() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => self.story.error = Some(error),
            }
        }
    }

    pub(crate) fn finish(mut self) -> Story {
        self.story.rest = self.buffer;
        self.story
    }

    /// The end of the input: what the codec says, and what was read until then.
    pub(crate) fn eof(mut self) -> (Result<(), Error>, Story) {
        let result = self.conn.read_eof();
        if self.in_body && result.is_ok() && self.conn.reading_done() {
            self.end_message();
        }
        (result, self.finish())
    }

    pub(crate) fn conn(&self) -> &Conn {
        &self.conn
    }

    /// One step; false when more bytes are needed.
    fn step(&mut self) -> Result<bool, Error> {
        if self.in_body {
            self.step_body()
        } else {
            self.step_head()
        }
    }

    fn step_head(&mut self) -> Result<bool, Error> {
        if self.conn.next() != Next::Busy {
            return Ok(false);
        }
        let message = match self.conn.read_head(&self.buffer, &mut self.head)? {
            Step::NeedMore => return Ok(false),
            Step::Ready(message) => message,
        };
        self.buffer.drain(..message.len);
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        self.story.messages.push(Read {
            method: text(self.head.method()),
            target: text(self.head.target()),
            status: self.head.status(),
            reason: text(self.head.reason()),
            http10: self.head.version() == Version::Http10,
            fields: fields(&self.head),
            framing: Some(message.framing),
            ..Read::default()
        });
        let interim = (100..200).contains(&self.head.status());
        self.in_body = !interim;
        Ok(!(interim && message.framing == Framing::Tunnel))
    }

    fn step_body(&mut self) -> Result<bool, Error> {
        match self.conn.read_body(&self.buffer)? {
            Part::NeedMore { skip } => {
                self.buffer.drain(..skip);
                Ok(false)
            }
            Part::Data { skip, len } => {
                assert!(len > 0);
                let payload = self.buffer[skip..skip + len].to_vec();
                self.last().body.extend_from_slice(&payload);
                self.buffer.drain(..skip + len);
                Ok(true)
            }
            Part::Trailers { skip } => {
                self.buffer.drain(..skip);
                match self.conn.read_trailers(&self.buffer, &mut self.head)? {
                    Step::NeedMore => Ok(false),
                    Step::Ready(len) => {
                        self.buffer.drain(..len);
                        self.last().trailers = fields(&self.head);
                        self.end_message();
                        Ok(true)
                    }
                }
            }
            Part::End { skip } => {
                self.buffer.drain(..skip);
                self.end_message();
                Ok(true)
            }
        }
    }

    fn last(&mut self) -> &mut Read {
        self.story.messages.last_mut().expect("a message")
    }

    /// Completes the exchange and begins the next one when the connection allows it.
    fn end_message(&mut self) {
        assert!(self.conn.reading_done());
        self.last().complete = true;
        self.in_body = false;
        let mut reply = Head::with_capacity(16, 1);
        reply.start_response(200).unwrap();
        let _ = self.conn.write_head(&reply, Framing::Empty, &mut Vec::new());
        if self.conn.next() == Next::Reuse {
            self.conn.start_next();
            if self.story.messages.last().is_some_and(|m| m.status != 0) {
                self.ask();
            }
        }
    }
}

pub(crate) fn fields(head: &Head) -> Vec<(String, String)> {
    head.iter()
        .map(|(n, v)| {
            (
                String::from_utf8_lossy(n).into_owned(),
                String::from_utf8_lossy(v).into_owned(),
            )
        })
        .collect()
}

/// The requests in `bytes`, given in one piece.
pub(crate) fn requests(bytes: &[u8]) -> Story {
    let mut reader = Reader::server(Limits::default());
    reader.feed(bytes);
    reader.finish()
}

/// The responses in `bytes`, given in one piece, to requests of this kind.
pub(crate) fn responses(bytes: &[u8], asked: Asked) -> Story {
    let mut reader = Reader::client(Limits::default(), asked);
    reader.feed(bytes);
    reader.finish()
}

/// What a server makes of `bytes` that should be one request: the first error.
pub(crate) fn refusal(bytes: &[u8]) -> Option<Error> {
    requests(bytes).error
}

/// Reads one head on a fresh server connection.
pub(crate) fn server_with(input: &[u8]) -> (Conn, Head, Framing) {
    let mut conn = Conn::new(Role::Server, Arc::new(Limits::default()));
    let mut head = Head::with_capacity(1024, 16);
    match conn.read_head(input, &mut head) {
        Ok(Step::Ready(message)) => (conn, head, message.framing),
        other => panic!("no head: {other:?}"),
    }
}

/// A client connection on which `request` was written, and the bytes.
pub(crate) fn client_with(request: &[u8]) -> (Conn, Vec<u8>) {
    let (_, head, framing) = server_with(request);
    let mut conn = Conn::new(Role::Client, Arc::new(Limits::default()));
    let mut out = Vec::new();
    conn.write_head(&head, framing, &mut out).unwrap();
    (conn, out)
}

/// A response head made from text.
pub(crate) fn response_head(text: &[u8]) -> (Head, Framing) {
    let (mut conn, _) = client_with(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut head = Head::with_capacity(1024, 16);
    match conn.read_head(text, &mut head) {
        Ok(Step::Ready(message)) => (head, message.framing),
        other => panic!("no head: {other:?}"),
    }
}

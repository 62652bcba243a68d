//! A small reader of HTTP/1.1 messages for judging what arrives, independent of the codec under test.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::ops::Deref;
use std::sync::Arc;

/// A start line and its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The first line, without its end.
    pub(crate) line: String,
    /// Names in small letters; values as they came.
    pub(crate) fields: Vec<(String, String)>,
}

/// A head and the whole body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// The head.
    pub(crate) head: Head,
    /// The body, chunks joined.
    pub(crate) body: Vec<u8>,
    /// What followed the last chunk.
    pub(crate) trailers: Vec<(String, String)>,
}

/// Why there is no whole message.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The connection ended before the first byte.
    Closed,
    /// The connection ended inside a message.
    Truncated,
    /// The connection was reset or timed out.
    Io(io::Error),
}

impl Head {
    /// The value of the first field of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }

    /// All values of this name.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.fields
            .iter()
            .filter(|(have, _)| have == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The status code of a response.
    pub(crate) fn status(&self) -> u16 {
        self.line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .unwrap_or_else(|| panic!("no status in {:?}", self.line))
    }

    /// The method of a request.
    pub(crate) fn method(&self) -> &str {
        self.line.split(' ').next().unwrap_or_default()
    }

    /// The target of a request.
    pub(crate) fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }
}

impl Message {
    pub(crate) fn status(&self) -> u16 {
        self.head.status()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.head.get(name)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A socket with several owners, of which the last one closes it. (A clone would cost a second descriptor.)
#[derive(Debug, Clone)]
pub(crate) struct Socket(pub(crate) Arc<TcpStream>);

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

impl Write for Socket {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        (&*self.0).write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Deref for Socket {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        &self.0
    }
}

/// Reads one message after the other from a byte stream.
#[derive(Debug)]
pub(crate) struct Reader<R = Socket> {
    pub(crate) input: R,
    ahead: Vec<u8>,
}

impl<R: Read> Reader<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            ahead: Vec::new(),
        }
    }

    /// A start line and its fields.
    pub(crate) fn head(&mut self) -> Result<Head, Broken> {
        let mut line = self.line(true)?;
        // RFC 9112, section 2.2: an empty line before a start line is ignored.
        if line.is_empty() {
            line = self.line(true)?;
        }
        Ok(Head {
            line,
            fields: self.fields()?,
        })
    }

    /// A request, whole.
    pub(crate) fn request(&mut self) -> Result<Message, Broken> {
        let head = self.head()?;
        self.request_body(&head)
    }

    /// A response to GET, whole.
    pub(crate) fn response(&mut self) -> Result<Message, Broken> {
        let head = self.head()?;
        self.response_body(&head, "GET")
    }

    /// The body of a response to `method`.
    pub(crate) fn response_body(&mut self, head: &Head, method: &str) -> Result<Message, Broken> {
        let status = head.status();
        if method == "HEAD" || status < 200 || status == 204 || status == 304 {
            return Ok(Message {
                head: head.clone(),
                body: Vec::new(),
                trailers: Vec::new(),
            });
        }
        self.body(head, true)
    }

    /// The body of a request.
    pub(crate) fn request_body(&mut self, head: &Head) -> Result<Message, Broken> {
        self.body(head, false)
    }

    fn body(&mut self, head: &Head, may_end_with_connection: bool) -> Result<Message, Broken> {
        let (mut body, mut trailers) = (Vec::new(), Vec::new());
        if head
            .get("transfer-encoding")
            .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
        {
            loop {
                let line = self.line(false)?;
                let size = line.split(';').next().unwrap_or_default().trim();
                let size = usize::from_str_radix(size, 16).unwrap_or_else(|_| panic!("chunk size {line:?}"));
                if size == 0 {
                    trailers = self.fields()?;
                    break;
                }
                body.extend(self.take(size)?);
                assert_eq!(self.line(false)?, "", "a chunk is followed by a line end");
            }
        } else if let Some(length) = head.get("content-length") {
            body = self.take(length.parse().unwrap_or_else(|_| panic!("content-length {length:?}")))?;
        } else if may_end_with_connection {
            while self.fill()? > 0 {}
            body = std::mem::take(&mut self.ahead);
        }
        Ok(Message {
            head: head.clone(),
            body,
            trailers,
        })
    }

    /// Exactly `length` bytes.
    pub(crate) fn take(&mut self, length: usize) -> Result<Vec<u8>, Broken> {
        while self.ahead.len() < length {
            if self.fill()? == 0 {
                return Err(Broken::Truncated);
            }
        }
        let rest = self.ahead.split_off(length);
        Ok(std::mem::replace(&mut self.ahead, rest))
    }

    /// Whatever has come, at least one byte; nothing at the end of the stream.
    pub(crate) fn some(&mut self) -> Result<Vec<u8>, Broken> {
        if self.ahead.is_empty() {
            self.fill()?;
        }
        Ok(std::mem::take(&mut self.ahead))
    }

    fn fields(&mut self) -> Result<Vec<(String, String)>, Broken> {
        let mut fields = Vec::new();
        loop {
            let line = self.line(false)?;
            if line.is_empty() {
                return Ok(fields);
            }
            let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no colon in {line:?}"));
            fields.push((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()));
        }
    }

    fn line(&mut self, first: bool) -> Result<String, Broken> {
        loop {
            if let Some(end) = self.ahead.windows(2).position(|pair| pair == b"\r\n") {
                let rest = self.ahead.split_off(end + 2);
                let line = std::mem::replace(&mut self.ahead, rest);
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            if self.fill()? == 0 {
                return Err(if first && self.ahead.is_empty() {
                    Broken::Closed
                } else {
                    Broken::Truncated
                });
            }
        }
    }

    fn fill(&mut self) -> Result<usize, Broken> {
        let mut part = [0; 16 * 1024];
        loop {
            match self.input.read(&mut part) {
                Ok(count) => {
                    self.ahead.extend(&part[..count]);
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Broken::Io(error)),
            }
        }
    }
}

/// A complete response with this body and extra field lines (each with its `\r\n`).
pub(crate) fn answer(status: u16, fields: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "HTTP/1.1 {status} Any\r\nContent-Length: {}\r\n{fields}\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend(body);
    bytes
}

/// The body in chunks of at most `size` bytes, with the end and `trailers` (field lines).
pub(crate) fn chunked(body: &[u8], size: usize, trailers: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(size) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(format!("0\r\n{trailers}\r\n").bytes());
    bytes
}

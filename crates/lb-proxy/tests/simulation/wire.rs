//! Reads HTTP/1 by its own rules, not with the codec under test.

use crate::conn::{Conn, Pipe};
use std::time::Duration;

/// How fast somebody reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) piece: usize,
    pub(crate) pause: Duration,
}

impl Pace {
    pub(crate) const QUICK: Self = Self {
        piece: 16 * 1024,
        pause: Duration::ZERO,
    };
}

/// Why nothing more can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The other side ended in front of a message.
    Clean,
    /// It ended inside one.
    Inside,
    /// It broke off.
    Broken,
    /// What it sent breaks the rules.
    Wrong(String),
}

/// What is in front of a body.
#[derive(Debug, Clone, Default)]
pub(crate) struct Head {
    pub(crate) start: [String; 3],
    pub(crate) fields: Vec<(String, String)>,
}

impl Head {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.field(name)?.parse().ok()
    }

    pub(crate) fn closes(&self) -> bool {
        self.field("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }

    /// How long the body is, when the message itself says it.
    pub(crate) fn framing(&self) -> Result<Option<Framing>, Gone> {
        let count = |name: &str| {
            self.fields
                .iter()
                .filter(|(known, _)| known.eq_ignore_ascii_case(name))
                .count()
        };
        if count("transfer-encoding") + count("content-length") > 1 {
            return Err(Gone::Wrong(format!("two framings: {:?}", self.fields)));
        }
        if let Some(coding) = self.field("transfer-encoding") {
            return match coding {
                "chunked" => Ok(Some(Framing::Chunked)),
                other => Err(Gone::Wrong(format!("transfer coding {other}"))),
            };
        }
        match self.field("content-length").map(str::parse) {
            None => Ok(None),
            Some(Ok(length)) => Ok(Some(Framing::Length(length))),
            Some(Err(_)) => Err(Gone::Wrong("content-length is no number".into())),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// Reads messages from a connection.
#[derive(Debug)]
pub(crate) struct Reader<'a, T> {
    conn: &'a Conn<T>,
    buffer: Vec<u8>,
    /// What is read into, made once.
    piece: Box<[u8]>,
    used: usize,
    pub(crate) pace: Pace,
    /// Bytes that came.
    pub(crate) total: u64,
}

impl<'a, T: Pipe> Reader<'a, T> {
    pub(crate) fn new(conn: &'a Conn<T>, pace: Pace) -> Self {
        Self {
            conn,
            buffer: Vec::new(),
            piece: vec![0; pace.piece].into(),
            used: 0,
            pace,
            total: 0,
        }
    }

    /// What came and was not used yet.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.buffer[self.used..]
    }

    /// Uses up what came.
    pub(crate) fn take_rest(&mut self) -> Vec<u8> {
        let rest = self.rest().to_vec();
        self.used = self.buffer.len();
        rest
    }

    /// `false`: the other side has ended.
    async fn more(&mut self) -> Result<bool, Gone> {
        if self.used == self.buffer.len() {
            self.buffer.clear();
            self.used = 0;
        }
        if self.total > 0 {
            self.conn.pause(self.pace.pause).await;
        }
        let len = self.conn.read(&mut self.piece).await.map_err(|_| Gone::Broken)?;
        self.buffer.extend_from_slice(&self.piece[..len]);
        self.total += len as u64;
        Ok(len > 0)
    }

    async fn line(&mut self) -> Result<String, Gone> {
        let mut seen = 0;
        loop {
            if let Some(at) = self.rest()[seen..].windows(2).position(|pair| pair == b"\r\n") {
                let line = self.rest()[..seen + at].to_vec();
                self.used += seen + at + 2;
                return match String::from_utf8(line) {
                    Ok(line) if line.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => Ok(line),
                    _ => Err(Gone::Wrong("a line with bytes that are no text".into())),
                };
            }
            seen = self.rest().len().saturating_sub(1);
            if seen > 32 * 1024 {
                return Err(Gone::Wrong("a line without end".into()));
            }
            if !self.more().await? {
                let nothing = self.rest().is_empty();
                return Err(if nothing { Gone::Clean } else { Gone::Inside });
            }
        }
    }

    pub(crate) async fn head(&mut self) -> Result<Head, Gone> {
        let line = self.line().await?;
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        let mut head = Head {
            start: [word(), word(), word()],
            fields: Vec::new(),
        };
        if !line.starts_with("HTTP/1.1 ") && !line.ends_with(" HTTP/1.1") {
            return Err(Gone::Wrong(format!("no start line: {line:?}")));
        }
        loop {
            let line = self.line().await.map_err(inside)?;
            if line.is_empty() {
                return Ok(head);
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| Gone::Wrong(format!("no field: {line:?}")))?;
            head.fields.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    /// Reads a body to its end, piece by piece. Trailers are thrown away.
    pub(crate) async fn body(
        &mut self,
        framing: Framing,
        mut sink: impl FnMut(&[u8]) -> Result<(), Gone>,
    ) -> Result<(), Gone> {
        match framing {
            Framing::Length(length) => self.exactly(length, &mut sink).await,
            Framing::UntilClose => loop {
                let rest = self.take_rest();
                sink(&rest)?;
                if !self.more().await? {
                    return Ok(());
                }
            },
            Framing::Chunked => loop {
                let line = self.line().await.map_err(inside)?;
                let size = u64::from_str_radix(&line, 16).map_err(|_| Gone::Wrong(format!("chunk size {line:?}")))?;
                if size == 0 {
                    while !self.line().await.map_err(inside)?.is_empty() {}
                    return Ok(());
                }
                self.exactly(size, &mut sink).await?;
                let end = self.line().await.map_err(inside)?;
                if !end.is_empty() {
                    return Err(Gone::Wrong(format!("behind a chunk: {end:?}")));
                }
            },
        }
    }

    async fn exactly(&mut self, mut left: u64, sink: &mut impl FnMut(&[u8]) -> Result<(), Gone>) -> Result<(), Gone> {
        while left > 0 {
            let len = usize::try_from(left).unwrap_or(usize::MAX).min(self.rest().len());
            if len > 0 {
                sink(&self.rest()[..len])?;
                self.used += len;
                left -= len as u64;
            } else if !self.more().await? {
                return Err(Gone::Inside);
            }
        }
        Ok(())
    }
}

fn inside(gone: Gone) -> Gone {
    if gone == Gone::Clean { Gone::Inside } else { gone }
}

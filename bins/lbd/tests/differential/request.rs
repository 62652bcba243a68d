//! Requests as a client writes them, and what must arrive for them.

/// Bytes that a client sends, and the messages that a backend must get for them.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) bytes: Vec<u8>,
    pub(crate) expected: Vec<Expected>,
    /// The client asks for the end of the connection.
    pub(crate) closes: bool,
    /// Legal, but more than nginx reads: it knows no `OPTIONS *` and only capital letters, `-` and `_` in methods.
    pub(crate) beyond_nginx: bool,
}

/// One message as it must arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Those whose names begin with `x-t`.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Expected {
    /// What the backend says to it, so that no answer is taken for another.
    pub(crate) fn answer(&self) -> String {
        match self.method.as_str() {
            "HEAD" => String::new(),
            method => format!("{method} {}", self.target),
        }
    }
}

impl Case {
    pub(crate) fn fits(&self, name: &str) -> bool {
        name != "nginx" || !self.beyond_nginx
    }

    pub(crate) fn then(mut self, next: Self) -> Self {
        self.bytes.extend(next.bytes);
        self.expected.extend(next.expected);
        self.closes = next.closes;
        self.beyond_nginx |= next.beyond_nginx;
        self
    }
}

/// A request in the making.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    version: &'static str,
    /// Lines without their ends; one that begins with `X-T` must arrive, unless `hop` names it.
    lines: Vec<Vec<u8>>,
    hop: Option<&'static str>,
    framed: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn request(method: &str, target: &str) -> Request {
    Request {
        method: method.to_owned(),
        target: target.to_owned(),
        version: "HTTP/1.1",
        lines: vec![b"Host: test.example".to_vec()],
        hop: None,
        framed: Vec::new(),
        body: Vec::new(),
    }
}

impl Request {
    pub(crate) fn line(mut self, line: impl AsRef<[u8]>) -> Self {
        self.lines.push(line.as_ref().to_vec());
        self
    }

    /// Most fields may stand in a message once only; nginx insists.
    pub(crate) fn line_unless_it_repeats(self, line: &[u8]) -> Self {
        let may_repeat = [&b"X-T"[..], b"x-t", b"Cookie", b"Accept"];
        let repeats = self.lines.iter().any(|have| have == line);
        if repeats && !may_repeat.iter().any(|start| line.starts_with(start)) {
            return self;
        }
        self.line(line)
    }

    pub(crate) fn bare(mut self) -> Self {
        self.lines.clear();
        self
    }

    pub(crate) fn http10(mut self) -> Self {
        self.version = "HTTP/1.0";
        self
    }

    pub(crate) fn hop(mut self, name: &'static str) -> Self {
        self.hop = Some(name);
        self
    }

    pub(crate) fn length(self, body: &[u8]) -> Self {
        let line = format!("Content-Length: {}", body.len());
        self.framed_as(&line, body, body.to_vec())
    }

    /// `framed` is what is sent of `body`.
    pub(crate) fn chunks(self, framed: Vec<u8>, body: &[u8]) -> Self {
        self.framed_as("Transfer-Encoding: chunked", body, framed)
    }

    pub(crate) fn framed_as(mut self, line: &str, body: &[u8], framed: Vec<u8>) -> Self {
        self.body = body.to_vec();
        self.framed = framed;
        self.line(line)
    }

    pub(crate) fn case(self) -> Case {
        let target = self.target.clone();
        self.arriving_at(&target)
    }

    /// The backend is asked for `target`, not for what was written.
    pub(crate) fn arriving_at(self, target: &str) -> Case {
        let mut bytes = format!("{} {} {}\r\n", self.method, self.target, self.version).into_bytes();
        for line in &self.lines {
            bytes.extend_from_slice(line);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.framed);
        let has = |wanted: &[u8]| self.lines.iter().any(|line| line.eq_ignore_ascii_case(wanted));
        let is_nginx_method = |b: u8| b.is_ascii_uppercase() || b == b'-' || b == b'_';
        let text = self.lines.iter().map(|line| String::from_utf8_lossy(line).into_owned());
        let pairs = text.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim_matches([' ', '\t']).to_owned()))
        });
        let fields = pairs
            .filter(|(name, _)| is_compared(name) && self.hop != Some(name))
            .collect();
        Case {
            bytes,
            closes: has(b"Connection: close") || (self.version == "HTTP/1.0" && !has(b"Connection: keep-alive")),
            beyond_nginx: target == "*" || !self.method.bytes().all(is_nginx_method),
            expected: vec![Expected {
                method: self.method,
                target: target.to_owned(),
                fields,
                body: self.body,
            }],
        }
    }
}

pub(crate) fn is_compared(name: &str) -> bool {
    name.starts_with("x-t")
}

impl Request {
    /// A body whose length a line already tells.
    pub(crate) fn body_sent(mut self, body: &[u8]) -> Self {
        (self.body, self.framed) = (body.to_vec(), body.to_vec());
        self
    }

    pub(crate) fn chunked_body(mut self) -> Self {
        self.body = b"hello".to_vec();
        self.framed = b"2;x\r\nhe\r\n003\r\nllo\r\n0\r\nX-Sum: 1\r\n\r\n".to_vec();
        self
    }

    pub(crate) fn chunked_line(self) -> Self {
        self.line("Transfer-Encoding: chunked").chunked_body()
    }
}

impl Case {
    pub(crate) fn prefixed(bytes: &[u8], mut case: Self) -> Self {
        case.bytes.splice(0..0, bytes.iter().copied());
        case
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = &self.bytes[..self.bytes.len().min(2_000)];
        write!(f, "sent:\n{}", shown.escape_ascii())
    }
}

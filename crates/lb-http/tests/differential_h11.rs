//! What we pass on, a reader by other hands reads as the same single message: python3-h11.
//!
//! Requests and responses are generated, the hostile ones included; those that we accept are
//! written anew and given to h11. Skipped with a printed reason where h11 is absent.
#![allow(clippy::unwrap_used)] // helpers of tests

mod support;

use lb_http::h1::{Conn, Framing, Limits, Role};
use lb_http::{Head, forward, upgrade};
use lb_types::Rng;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use support::{Asked, Read, requests, responses};

/// Reads lines `Q hex` (requests) or `R method hex` (the answer to a method); prints one line each.
const SCRIPT: &str = r#"
import sys, h11
def hexed(b): return bytes(b).hex() or "-"
def fields(hs): return ",".join(hexed(n) + "=" + hexed(v) for n, v in hs) or "-"
for line in sys.stdin:
    words = line.split()
    data = bytes.fromhex(words[-1])
    if words[0] == "Q":
        c = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    else:
        c = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
        c.send(h11.Request(method=words[1], target="/", headers=[("Host", "a")]))
        c.send(h11.EndOfMessage())
    try:
        c.receive_data(data)
        start, body, trailers, closed = None, b"", [], False
        while True:
            e = c.next_event()
            if isinstance(e, h11.Request):
                start = (hexed(e.method), hexed(e.target), fields(e.headers))
            elif isinstance(e, h11.Response):
                start = (str(e.status_code), hexed(e.reason), fields(e.headers))
            elif isinstance(e, h11.Data):
                body += bytes(e.data)
            elif isinstance(e, h11.EndOfMessage):
                trailers = e.headers
                break
            elif e is h11.NEED_DATA and not closed:
                closed = True
                c.receive_data(b"")
            elif isinstance(e, h11.InformationalResponse):
                pass
            else:
                raise Exception("unexpected " + repr(e))
        print("ok", *start, hexed(body), fields(trailers), hexed(c.trailing_data[0]))
    except Exception as e:
        print("error", repr(e).encode().hex())
"#;

/// One thing for h11 to read, and what it must find.
struct Case {
    line: String,
    want: String,
    shown: String,
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        "-".to_string()
    } else {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// As h11 gives them: names in lower case, the two framing fields and Connection left to themselves.
fn listed(fields: &[(Vec<u8>, Vec<u8>)]) -> String {
    let pairs: Vec<_> = fields
        .iter()
        .map(|(n, v)| format!("{}={}", hex(&n.to_ascii_lowercase()), hex(v)))
        .collect();
    if pairs.is_empty() {
        "-".to_string()
    } else {
        pairs.join(",")
    }
}

/// The fields of a written head, read without the codec: lines between the first and the empty one.
fn written_fields(wire: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let text: Vec<&[u8]> = wire
        .split(|b| *b == b'\n')
        .map(|l| l.strip_suffix(b"\r").unwrap_or(l))
        .collect();
    text.iter()
        .skip(1)
        .take_while(|l| !l.is_empty())
        .map(|l| {
            let colon = l.iter().position(|b| *b == b':').expect("a colon");
            let value = &l[colon + 1..];
            let from = value.iter().position(|b| !b" \t".contains(b)).unwrap_or(value.len());
            let to = value.iter().rposition(|b| !b" \t".contains(b)).map_or(from, |p| p + 1);
            (l[..colon].to_vec(), value[from..to].to_vec())
        })
        .collect()
}

/// Writes a message that was read: head, body in pieces of at most 5 bytes, trailers.
fn write(conn: &mut Conn, head: &Head, framing: Framing, read: &Read) -> Vec<u8> {
    let mut out = Vec::new();
    conn.write_head(head, framing, &mut out).unwrap();
    if !conn.writing_done() {
        for piece in read.body.chunks(5) {
            let behind = conn.write_body(piece.len(), &mut out).unwrap();
            out.extend_from_slice(piece);
            out.extend_from_slice(behind);
        }
    }
    // Trailers go through a second reading of a chunked message.
    let trailers = trailers(read);
    conn.write_end(Some(&trailers), &mut out).unwrap();
    out
}

fn trailers(read: &Read) -> Head {
    let mut conn = Conn::new(Role::Server, Arc::new(Limits::default()));
    let mut head = Head::with_capacity(64, 4);
    conn.read_head(
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        &mut head,
    )
    .unwrap();
    conn.read_body(b"0\r\n").unwrap();
    let lines: String = read.trailers.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
    conn.read_trailers(format!("{lines}\r\n").as_bytes(), &mut head)
        .unwrap();
    head
}

fn head_of(input: &[u8], role: Role, asked: Asked) -> Option<(Head, Framing)> {
    let mut conn = Conn::new(role, Arc::new(Limits::default()));
    let mut head = Head::with_capacity(256, 8);
    if role == Role::Client {
        let mut request = Head::with_capacity(64, 4);
        request
            .start_request(if asked == Asked::Head { b"HEAD" } else { b"GET" }, b"/")
            .unwrap();
        conn.write_head(&request, Framing::Empty, &mut Vec::new()).unwrap();
    }
    match conn.read_head(input, &mut head) {
        Ok(lb_http::h1::Step::Ready(message)) => Some((head, message.framing)),
        _ => None,
    }
}

fn request_case(input: &[u8]) -> Option<Case> {
    let story = requests(input);
    let read = story.messages.first().filter(|m| m.complete)?;
    let (mut head, framing) = head_of(input, Role::Server, Asked::Get)?;
    let keep_upgrade = upgrade::wanted(&head).is_some();
    let sender = forward::Sender::new("192.0.2.1".parse().unwrap(), "http", 80);
    forward::request(
        &mut head,
        &forward::Forward {
            sender: &sender,
            trusted: false,
            statements: forward::Statements::default(),
            keep_upgrade,
            keep_expect: true,
        },
    )
    .unwrap();
    if head.authority().is_none() {
        use lb_types::FieldsMut;
        head.append("Host", b"backend").unwrap();
    }
    let mut conn = Conn::new(Role::Client, Arc::new(Limits::default()));
    let wire = write(&mut conn, &head, framing, read);
    let pairs = written_fields(&wire);
    for (name, value) in head.iter() {
        let framed = [&b"content-length"[..], b"transfer-encoding"].contains(&&name.to_ascii_lowercase()[..]);
        assert!(
            framed || pairs.contains(&(name.to_vec(), value.to_vec())),
            "{}",
            String::from_utf8_lossy(&wire)
        );
    }
    Some(Case {
        line: format!("Q {}", hex(&wire)),
        want: format!(
            "ok {} {} {} {} {} -",
            hex(read.method.as_bytes()),
            hex(read.target.as_bytes()),
            listed(&pairs),
            hex(&read.body),
            listed(&trailer_pairs(read)),
        ),
        shown: String::from_utf8_lossy(&wire).into_owned(),
    })
}

fn trailer_pairs(read: &Read) -> Vec<(Vec<u8>, Vec<u8>)> {
    read.trailers
        .iter()
        .map(|(n, v)| (n.clone().into_bytes(), v.clone().into_bytes()))
        .collect()
}

fn response_case(input: &[u8], asked: Asked) -> Option<Case> {
    let mut reader = support::Reader::client(Limits::default(), asked);
    reader.feed(input);
    let (ended, story) = reader.eof();
    let until_close = story
        .messages
        .first()
        .is_some_and(|m| m.framing == Some(Framing::UntilClose));
    let read = story
        .messages
        .first()
        .filter(|m| m.status >= 200 && (m.complete || (until_close && ended.is_ok())))?;
    let (mut head, framing) = head_of(input, Role::Client, asked)?;
    forward::response(&mut head, false);
    let method = if asked == Asked::Head { "HEAD" } else { "GET" };
    let (mut conn, _, _) = support::server_with(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
    let wire = write(&mut conn, &head, framing, read);
    let reason = if read.reason.is_empty() {
        "-".to_string()
    } else {
        hex(head.reason())
    };
    let chunked = written_fields(&wire).iter().any(|(n, _)| n == b"Transfer-Encoding");
    Some(Case {
        line: format!("R {method} {}", hex(&wire)),
        want: format!(
            "ok {} {reason} {} {} {} -",
            read.status,
            listed(&written_fields(&wire)),
            hex(&read.body),
            listed(&if chunked { trailer_pairs(read) } else { Vec::new() }),
        ),
        shown: String::from_utf8_lossy(&wire).into_owned(),
    })
}

const FIELDS: [&str; 40] = [
    "Host: a",
    "Host: a.example:8080",
    "Content-Length: 5",
    "Content-Length: 0",
    "Content-Length: 005",
    "Content-Length: 5, 5",
    "Content-Length: +5",
    "Content-Length : 5",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: CHUNKED",
    "Transfer-Encoding:\tchunked\t",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, identity",
    "Transfer_Encoding: chunked",
    "Connection: close",
    "Connection: keep-alive, X-Hop",
    "Connection: Content-Length",
    "Connection: upgrade",
    "Upgrade: websocket",
    "Upgrade: h2c",
    "Keep-Alive: 5",
    "TE: trailers",
    "X-Hop: 1",
    "X:",
    "X: \t ",
    "x-lower: value with  spaces ",
    "X-Obs: caf\u{e9}",
    "X-Comma: a, b,, c",
    "X-Quoted: \"a\\\"b\"",
    "X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "Cookie: a=b; c=d",
    "Cookie: e=f",
    "Set-Cookie: a=b; Path=/",
    "X-Forwarded-For: 6.6.6.6",
    "Expect: 100-continue",
    "Trailer: X-Sum",
    "Date: Mon, 27 Jul 2009 12:28:53 GMT",
    "X-Tab:\ta\tb",
    " folded",
    "X-Ctl: a\u{b}b",
];

const BODIES: [&str; 14] = [
    "",
    "hello",
    "hello more",
    "5\r\nhello\r\n0\r\n\r\n",
    "5;a=b;c=\"d\"\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
    "005\r\nhello\r\n000\r\nX-Sum: 1\r\nContent-Length: 3\r\n\r\n",
    "5\r\nhello\r\n0\r\nHost: b\r\nx: \ty \r\n\r\n",
    "5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n",
    "0\r\n\r\n",
    "5 \r\nhello\r\n0\r\n\r\n",
    "5\r\nhello0\r\n\r\n",
    "5\nhello\n0\n\n",
    "A\r\n0123456789\r\nb\r\n0\r\n\r\n0\r\n\r\n0\r\n0\r\n\r\n",
    "ffffffffffffffff\r\nhello",
];

fn pick<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.below(from.len() as u64) as usize]
}

fn message(rng: &mut Rng, line: &str, first: &[&str]) -> Vec<u8> {
    let mut text = format!("{line}\r\n");
    for field in first {
        text.push_str(field);
        text.push_str("\r\n");
    }
    for _ in 0..rng.below(5) {
        text.push_str(pick(rng, &FIELDS));
        text.push_str(if rng.below(60) == 0 { "\n" } else { "\r\n" });
    }
    text.push_str("\r\n");
    text.push_str(pick(rng, &BODIES));
    text.into_bytes()
}

fn cases() -> Vec<Case> {
    let mut rng = Rng::new(SEED);
    let mut cases = Vec::new();
    let lines = [
        "GET / HTTP/1.1",
        "GET /a/b;c?d=e&f[]=%20 HTTP/1.1",
        "POST /form HTTP/1.1",
        "PUT /x HTTP/1.0",
        "HEAD / HTTP/1.1",
        "DELETE /x HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "M-SEARCH /x HTTP/1.1",
        "GET http://a/abs?x HTTP/1.1",
        "OPTIONS http://a HTTP/1.1",
        "GET /a|b^c HTTP/1.1",
    ];
    for _ in 0..6_000 {
        let line = pick(&mut rng, &lines);
        let mut first = if rng.below(8) == 0 { Vec::new() } else { vec!["Host: a"] };
        match rng.below(4) {
            0 => first.push("Content-Length: 5"),
            1 => first.push("Transfer-Encoding: chunked"),
            _ => {}
        }
        let input = message(&mut rng, line, &first);
        cases.extend(request_case(&input));
    }
    let lines = [
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200",
        "HTTP/1.1 200 ",
        "HTTP/1.0 200 OK",
        "HTTP/1.1 404 Not  Found",
        "HTTP/1.1 204 No Content",
        "HTTP/1.1 205 Reset",
        "HTTP/1.1 304 Not Modified",
        "HTTP/1.1 500 \u{e9}",
        "HTTP/1.1 999 x",
    ];
    for _ in 0..6_000 {
        let line = pick(&mut rng, &lines);
        let first: &[&str] = match rng.below(4) {
            0 => &["Content-Length: 5"],
            1 => &["Transfer-Encoding: chunked"],
            _ => &[],
        };
        let asked = if rng.below(4) == 0 { Asked::Head } else { Asked::Get };
        let input = message(&mut rng, line, first);
        cases.extend(response_case(&input, asked));
    }
    cases
}

const SEED: u64 = 0x6c62_0001;

#[test]
fn h11_reads_what_we_write_as_the_same_message() {
    let python = "/usr/bin/python3";
    let has_h11 = Command::new(python)
        .args(["-c", "import h11"])
        .stderr(Stdio::null())
        .status();
    if !has_h11.is_ok_and(|s| s.success()) {
        println!("skipped: {python} has no h11 (Debian: apt-get install python3-h11)");
        assert!(std::env::var_os("CI").is_none(), "CI must have python3-h11");
        return;
    }
    let cases = cases();
    let accepted_requests = cases.iter().filter(|c| c.line.starts_with('Q')).count();
    assert!(
        accepted_requests > 800,
        "only {accepted_requests} requests were accepted"
    );
    assert!(
        cases.len() - accepted_requests > 1_500,
        "only {} responses",
        cases.len() - accepted_requests
    );

    let mut child = Command::new(python)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input: String = cases.iter().map(|c| format!("{}\n", c.line)).collect();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("python3 ends");
    writer.join().unwrap().expect("h11 reads everything");
    let lines: Vec<_> = std::str::from_utf8(&output.stdout).unwrap().lines().collect();
    assert_eq!(lines.len(), cases.len());
    for (case, got) in cases.iter().zip(lines) {
        let reason = got.strip_prefix("error ").map(unhex).unwrap_or_default();
        assert_eq!(got, case.want, "seed {SEED:#x}: {reason}\n{}", case.shown);
    }
    println!("h11 agreed on {} messages ({accepted_requests} requests)", cases.len());
}

fn unhex(text: &str) -> String {
    let bytes: Vec<u8> = text
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn responses_that_no_reader_could_agree_on_are_not_passed_on() {
    // The counterpart of the test above: what is dropped there for being refused.
    for input in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\nX: 1\n\n",
    ] {
        assert!(responses(input.as_bytes(), Asked::Get).error.is_some());
    }
}

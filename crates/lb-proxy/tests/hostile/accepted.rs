//! Unusual requests that are good: what the backend gets is one message with one meaning, and the
//! connection stays in step.

use crate::run::each;
use crate::world::{Setup, World};

#[derive(Debug, Clone, Copy)]
struct Case {
    name: &'static str,
    bytes: &'static str,
    /// `METHOD target`
    line: &'static str,
    body: &'static str,
    /// Fields the backend must get, as `Name: value`, and the ones (a name only) it must not.
    fields: &'static [&'static str],
    absent: &'static [&'static str],
    /// Does the client's connection stay open?
    open: bool,
}

const fn case(name: &'static str, bytes: &'static str, line: &'static str, body: &'static str) -> Case {
    Case {
        name,
        bytes,
        line,
        body,
        fields: &[],
        absent: &[],
        open: true,
    }
}

impl Case {
    const fn has(mut self, fields: &'static [&'static str]) -> Self {
        self.fields = fields;
        self
    }
    const fn not(mut self, absent: &'static [&'static str]) -> Self {
        self.absent = absent;
        self
    }
    const fn closes(mut self) -> Self {
        self.open = false;
        self
    }
}

const CASES: &[Case] = &[
    case("plain", "GET /a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a", "").has(&["Host: h"]),
    case("one empty line before", "\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a", ""),
    case("two empty lines before", "\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a", ""),
    case("an unknown method", "BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n", "BREW /pot", ""),
    case("a method in lower case", "get /a HTTP/1.1\r\nHost: h\r\n\r\n", "get /a", ""),
    case("a method of strange characters", "M-SEARCH! /a HTTP/1.1\r\nHost: h\r\n\r\n", "M-SEARCH! /a", ""),
    case("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS *", ""),
    case("a URI", "GET http://h/a?b HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a?b", "").has(&["Host: h"]),
    case("a URI in another case", "GET HTTP://H/a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a", ""),
    case("a URI with the default port", "GET http://h:80/a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a", ""),
    case("a URI without path", "GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", "GET /", ""),
    case("a URI with only a query", "GET http://h?a=b HTTP/1.1\r\nHost: h\r\n\r\n", "GET /?a=b", ""),
    case("OPTIONS with a bare URI", "OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS *", ""),
    case("a query with odd characters", "GET /a?b={c}|`\\^[]%zz HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a?b={c}|`\\^[]%zz", ""),
    case("dot segments", "GET /a/../b/./c HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a/../b/./c", ""),
    case("two slashes", "GET //a//b HTTP/1.1\r\nHost: h\r\n\r\n", "GET //a//b", ""),
    case("an escaped slash", "GET /a%2fb%2F HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a%2fb%2F", ""),
    case("a colon path", "GET /http://x/ HTTP/1.1\r\nHost: h\r\n\r\n", "GET /http://x/", ""),
    case("a URI within the query", "GET /?u=http://x/ HTTP/1.1\r\nHost: h\r\n\r\n", "GET /?u=http://x/", ""),
    // Host
    case("Host with a port", "GET /a HTTP/1.1\r\nHost: h:8080\r\n\r\n", "GET /a", "").has(&["Host: h:8080"]),
    case("Host without space", "GET /a HTTP/1.1\r\nHost:h\r\n\r\n", "GET /a", "").has(&["Host: h"]),
    case("Host with white space around", "GET /a HTTP/1.1\r\nHost: \t h \t\r\n\r\n", "GET /a", "").has(&["Host: h"]),
    case("Host in capitals", "GET /a HTTP/1.1\r\nHOST: H\r\n\r\n", "GET /a", "").has(&["HOST: H"]),
    case("Host is an address", "GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "GET /a", ""),
    case("Host is an IPv6 address", "GET /a HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET /a", ""),
    case("Host with an underscore", "GET /a HTTP/1.1\r\nHost: a_b\r\n\r\n", "GET /a", ""),
    case("Host with a final dot", "GET /a HTTP/1.1\r\nHost: h.\r\n\r\n", "GET /a", ""),
    case("Host last", "GET /a HTTP/1.1\r\nX: y\r\nHost: h\r\n\r\n", "GET /a", ""),
    // fields
    case("an empty value", "GET /a HTTP/1.1\r\nHost: h\r\nX:\r\n\r\n", "GET /a", "").has(&["X: "]),
    case("a value of spaces", "GET /a HTTP/1.1\r\nHost: h\r\nX:   \r\n\r\n", "GET /a", "").has(&["X: "]),
    case("a value with a tab", "GET /a HTTP/1.1\r\nHost: h\r\nX: a\tb\r\n\r\n", "GET /a", "").has(&["X: a\tb"]),
    case("a value above ASCII", "GET /a HTTP/1.1\r\nHost: h\r\nX: \u{e9}\r\n\r\n", "GET /a", "").has(&["X: \u{e9}"]),
    case("a name of strange characters", "GET /a HTTP/1.1\r\nHost: h\r\n!#$%&'*+-.^_`|~: a\r\n\r\n", "GET /a", "").has(&["!#$%&'*+-.^_`|~: a"]),
    case("a harmless underscore", "GET /a HTTP/1.1\r\nHost: h\r\nX_Y: a\r\n\r\n", "GET /a", "").has(&["X_Y: a"]),
    case("a colon in a value", "GET /a HTTP/1.1\r\nHost: h\r\nX: a: b\r\n\r\n", "GET /a", "").has(&["X: a: b"]),
    case("a repeated field", "GET /a HTTP/1.1\r\nHost: h\r\nX: 1\r\nX: 2\r\n\r\n", "GET /a", "").has(&["X: 1", "X: 2"]),
    case("two cookies", "GET /a HTTP/1.1\r\nHost: h\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n", "GET /a", "").has(&["Cookie: a=1", "Cookie: b=2"]),
    // bodies
    case("a GET with a body", "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", "GET /a", "hello").has(&["Content-Length: 5"]),
    case("a DELETE with a body", "DELETE /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", "DELETE /a", "hello"),
    case("a POST without a body", "POST /a HTTP/1.1\r\nHost: h\r\n\r\n", "POST /a", "").has(&["Content-Length: 0"]),
    case("a length of zero", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "POST /a", ""),
    case("a length with zeros in front", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0005\r\n\r\nhello", "POST /a", "hello").has(&["Content-Length: 5"]),
    case("a length within white space", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: \t5 \r\n\r\nhello", "POST /a", "hello").has(&["Content-Length: 5"]),
    case("a body that is a request", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 38\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\nabc", "POST /a", "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\nabc"),
    case("chunks", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "POST /a", "hello world").has(&["Transfer-Encoding: chunked"]),
    case("no chunks", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "POST /a", ""),
    case("chunked in capitals", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n", "POST /a", "a"),
    case("chunked behind a tab", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\tchunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "POST /a", "a"),
    case("chunked without space", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "POST /a", "a"),
    case("chunk sizes in capitals", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n", "POST /a", "0123456789"),
    case("zeros before chunk sizes", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0001\r\na\r\n0000\r\n\r\n", "POST /a", "a"),
    case("chunk extensions", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;a;b=c;d=\"e\\\"f\"\r\na\r\n0;x\r\n\r\n", "POST /a", "a"),
    case("a chunk that is a request", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n23\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n\r\n0\r\n\r\n", "POST /a", "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"),
    case("a chunk that is a last chunk", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n0\r\n\r\n\r\n0\r\n\r\n", "POST /a", "0\r\n\r\n"),
    case("a GET with chunks", "GET /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "GET /a", "a"),
    case("trailers", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n", "POST /a", "a").has(&["trailer X-Sum: 1"]),
    case(
        "forbidden trailers",
        "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nContent-Length: 5\r\ntransfer_encoding: chunked\r\nHost: evil\r\nX-Sum: 1\r\nAuthorization: x\r\nX-Forwarded-For: 1.1.1.1\r\nCookie: a=b\r\n\r\n",
        "POST /a",
        "a",
    )
    .has(&["trailer X-Sum: 1"])
    .not(&["trailer Content-Length", "trailer transfer_encoding", "trailer Host", "trailer Authorization", "trailer X-Forwarded-For", "trailer Cookie"]),
    // hop by hop
    case("Connection: keep-alive", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n", "GET /a", "").not(&["Connection", "Keep-Alive"]),
    case("Connection: close", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET /a", "").not(&["Connection"]).closes(),
    case("Connection: CLOSE in a list", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: foo,, CLOSE\r\n\r\n", "GET /a", "").not(&["Connection"]).closes(),
    case("close on a second line", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", "GET /a", "").closes(),
    case("closer is not close", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: closer\r\n\r\n", "GET /a", ""),
    case("nominated fields", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: X-Hop, x-hop2\r\nX-Hop: 1\r\nX-HOP2: 2\r\nX-End: 3\r\n\r\n", "GET /a", "").has(&["X-End: 3"]).not(&["X-Hop", "X-Hop2", "Connection"]),
    case("nominated end-to-end fields", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Cookie, Authorization, X-Forwarded-For\r\nCookie: a=b\r\nAuthorization: x\r\n\r\n", "GET /a", "").has(&["Cookie: a=b", "Authorization: x", "X-Forwarded-For: 127.0.0.1"]),
    case("a nominated Connection", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: connection\r\n\r\n", "GET /a", "").not(&["Connection"]),
    case("proxy fields", "GET /a HTTP/1.1\r\nHost: h\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: x\r\nProxy: http://evil\r\n\r\n", "GET /a", "").not(&["Proxy-Connection", "Proxy-Authorization", "Proxy"]),
    case("TE and HTTP2-Settings", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: TE, HTTP2-Settings\r\nTE: trailers\r\nHTTP2-Settings: AAA\r\n\r\n", "GET /a", "").not(&["TE", "HTTP2-Settings"]),
    case("an upgrade to h2c", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n", "GET /a", "").not(&["Upgrade", "Connection"]),
    case("an upgrade without Connection", "GET /a HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n", "GET /a", "").not(&["Upgrade", "Connection"]),
    case("an upgrade by POST", "POST /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\na", "POST /a", "a").not(&["Upgrade", "Connection"]),
    case("two upgrades", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n", "GET /a", "").not(&["Upgrade", "Connection"]),
    case("an upgrade with a body", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "GET /a", "").not(&["Upgrade", "Connection"]),
    case("an upgrade that is declined", "GET /a HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "GET /a", "").has(&["Upgrade: websocket", "Connection: upgrade"]),
    case("statements about others", "GET /a HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1\r\nX_Forwarded_For: 2.2.2.2\r\nForwarded: for=3.3.3.3\r\nX-Real-IP: 4.4.4.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n\r\n", "GET /a", "").has(&["X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http"]).not(&["X_Forwarded_For", "Forwarded", "X-Real-IP", "X-Forwarded-Host"]),
    case("an expectation without a body", "GET /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n", "GET /a", ""),
    // HTTP/1.0
    case("HTTP/1.0", "GET /a HTTP/1.0\r\nHost: h\r\n\r\n", "GET /a", "").closes(),
    case("HTTP/1.0 without Host", "GET /a HTTP/1.0\r\n\r\n", "GET /a", "").closes(),
    case("HTTP/1.0 with a URI", "GET http://h/a HTTP/1.0\r\n\r\n", "GET /a", "").has(&["Host: h"]).closes(),
    case("HTTP/1.0 with keep-alive", "GET /a HTTP/1.0\r\nHost: h\r\nConnection: Keep-Alive\r\n\r\n", "GET /a", "").not(&["Connection"]),
    case("HTTP/1.0 with a body", "POST /a HTTP/1.0\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", "POST /a", "hello").closes(),
    case("HTTP/1.0 with keep-alive and a body", "POST /a HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello", "POST /a", "hello"),
    case("HTTP/1.0 with an expectation", "POST /a HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", "POST /a", "hello").not(&["Expect"]).closes(),
    case("HTTP/1.0 with an upgrade", "GET /a HTTP/1.0\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "GET /a", "").not(&["Upgrade"]).closes(),
    case("HTTP/1.0 with keep-alive and close", "GET /a HTTP/1.0\r\nHost: h\r\nConnection: keep-alive, close\r\n\r\n", "GET /a", "").closes(),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    Whole,
    Drip,
    /// The client says the end of its direction at once.
    Fin,
    /// A second request stands behind the first.
    Pipelined,
}

fn judge(case: &Case, how: How) {
    let world = World::new(&Setup::default(), Vec::new());
    let mut client = world.client();
    match how {
        How::Drip => client.drip(case.bytes.as_bytes()),
        How::Whole => client.send(case.bytes.as_bytes()),
        How::Fin => client.send(case.bytes.as_bytes()).fin(),
        How::Pipelined => {
            let second = "GET /second HTTP/1.1\r\nHost: h\r\n\r\n";
            client.send([case.bytes, second].concat().as_bytes())
        }
    };
    let reply = client.reply("GET").expect("an answer");
    assert_eq!(reply.status, 200, "{}", reply.head);
    let (method, target) = case.line.split_once(' ').unwrap();
    assert_eq!(reply.text(), format!("0: {method} {target} {}", case.body.len()));
    assert!(reply.whole);
    let says_close = reply.field("connection") == Some("close");
    let has_10 = case.bytes.contains("HTTP/1.0");
    if case.open && has_10 {
        assert_eq!(reply.field("connection"), Some("keep-alive"));
    }
    let mut requests = 1;
    match how {
        How::Fin => {
            client.ends();
        }
        _ if !case.open => {
            assert!(says_close, "{}", reply.head);
            client.ends();
        }
        How::Pipelined => {
            let second = client.reply("GET").expect("a second answer");
            assert_eq!(second.text(), "0: GET /second 0");
            requests += 1;
        }
        _ => {
            assert!(!says_close, "{}", reply.head);
            client.lives();
            requests += 1;
        }
    }
    world.settle();
    world.backend().look(|seen| {
        assert!(seen.violations.is_empty(), "{:?}", seen.violations);
        assert_eq!((seen.requests.len(), seen.cut), (requests, 0), "{:?}", seen.requests);
        let request = &seen.requests[0];
        assert_eq!(format!("{} {}", request.method, request.target), case.line);
        assert_eq!(String::from_utf8_lossy(&request.body), case.body);
        let lines: Vec<String> = request
            .fields
            .iter()
            .map(|(n, v)| format!("{n}: {v}"))
            .chain(request.trailers.iter().map(|(n, v)| format!("trailer {n}: {v}")))
            .collect();
        for field in case.fields {
            assert!(lines.iter().any(|l| l == field), "{field} is not in {lines:?}");
        }
        for name in case.absent {
            let start = format!("{name}:").to_ascii_lowercase();
            let found = lines.iter().find(|l| l.to_ascii_lowercase().starts_with(&start));
            assert_eq!(found, None, "in {lines:?}");
        }
    });
}

fn all(how: How) {
    each(CASES, |case| case.name.to_owned(), |case| judge(case, how));
}

#[test]
fn unusual_requests_arrive_as_one_message() {
    all(How::Whole);
}

#[test]
fn unusual_requests_arrive_byte_by_byte() {
    all(How::Drip);
}

#[test]
fn a_client_that_ends_its_direction_gets_its_answer() {
    all(How::Fin);
}

#[test]
fn what_is_pipelined_behind_unusual_requests_is_served_too() {
    all(How::Pipelined);
}

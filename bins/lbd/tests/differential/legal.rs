//! Legal requests of every odd kind: lists, single ones, and mixtures made by chance from a seed.

use crate::request::{Case, request};
use crate::support;
use lb_types::Rng;

const EXTENSIONS: [&str; 7] = [
    "",
    "",
    "",
    ";a",
    ";name=value",
    ";q=\"quoted; text \\\" 0\"",
    ";a=1;b=\"2\";c",
];

const TRAILERS: [&str; 5] = [
    "",
    "",
    "X-Sum: 1\r\n",
    "Content-Length: 3\r\nX-Sum: 2\r\n",
    "Transfer-Encoding: chunked\r\nHost: other\r\nX-Empty:\r\n",
];

const METHODS: [&str; 23] = [
    "HEAD",
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "SEARCH",
    "REPORT",
    "M-SEARCH",
    "VERSION-CONTROL",
    "UPDATEREDIRECTREF",
    "PURGE",
    "A",
    "UNDER_SCORE",
    "QUERY",
];

const TARGETS: [&str; 26] = [
    "/",
    "//",
    "//double//slash",
    "/?",
    "/??",
    "/?a=b&c=d?e",
    "/a;p=1;q=2/b;c",
    "/%20%2F%25",
    "/caf%C3%A9",
    "/%e2%82%ac?%E2%82%AC",
    "/a%2fb%5cc",
    "/a/./b",
    "/a/../b",
    "/a/%2e%2e/b",
    "/a/b/..",
    "/...",
    "/a:b@c",
    "/http://inside/",
    "/!$&'()*+,;=",
    "/~user/-_.~",
    "/[1]|2^3",
    "/q?[]|^{}\\`",
    "/q?broken=%&%z",
    "/index.html?Content-Length:%205",
    "/HTTP/1.1",
    "/*",
];

const LINES: [&[u8]; 30] = [
    b"X-T:",
    b"X-T: \t ",
    b"X-T:no-space",
    b"X-T:\t\ttabs\t",
    b"X-T: a\tb",
    b"X-T: one",
    b"X-T: two",
    b"x-t: small letters",
    b"X-T: value with  spaces  inside   ",
    b"X-T: caf\xc3\xa9",
    b"X-T: \xff\xfe\x80",
    b"X-T: a, b,, c,",
    b"X-T: \"quoted \\\" text\"",
    b"X-T: : colon: ",
    b"X-T: Content-Length: 5",
    b"X-T-Of-Another-Name: 1",
    b"X-T1: 2",
    b"X-T!#$%&'*+-.^`|~: token",
    b"X-T_underscore: 3",
    b"X-T-Escaped: \\r\\nHost: other",
    b"Cookie: a=b; c=d",
    b"Cookie: e=\"f\"; ; g",
    b"Accept: */*;q=0.1",
    b"Accept:",
    b"Content-Type: multipart/form-data; boundary=\"GET / HTTP/1.1\"",
    b"If-None-Match: W/\"x\", *",
    b"Range: bytes=0-,-1",
    b"Authorization: Basic Og==",
    b"Content-Encoding: gzip",
    b"Upgrade-Insecure-Requests: 1",
];

/// Legal requests; lbd accepts each one.
pub(crate) fn legal() -> Vec<Case> {
    let mut rng = Rng::new(SEED);
    let bodies = bodies();
    let mut cases = Vec::new();
    for method in METHODS {
        cases.push(request(method, "/method").case());
        cases.push(request(method, "/method").length(b"hello").case());
    }
    for target in TARGETS {
        cases.push(request("GET", target).case());
    }
    for line in LINES {
        cases.push(request("GET", "/line").line(line).case());
    }
    for body in &bodies {
        cases.push(request("POST", "/length").length(body).case());
        for _ in 0..4 {
            let framed = odd_chunks(body, &mut rng);
            cases.push(request("POST", "/chunked").chunks(framed, body).case());
        }
    }
    cases.extend(odd_ones());
    cases.extend((0..200).map(|_| mixed(&mut rng, &bodies)));
    cases.extend((0..60).map(|_| mixed(&mut rng, &bodies).then(mixed(&mut rng, &bodies))));
    cases
}

/// Bodies that begin with the next message, or end with one, and plain ones.
fn bodies() -> Vec<Vec<u8>> {
    let every_byte: Vec<u8> = (0..=255).collect();
    let large: Vec<u8> = (0..70_000_u32).map(|at| (at * 7 % 251).to_le_bytes()[0]).collect();
    vec![
        Vec::new(),
        b"x".to_vec(),
        b"hello".to_vec(),
        b"\r\n".to_vec(),
        b"\r\n\r\n".to_vec(),
        b"0\r\n\r\n".to_vec(),
        b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: test.example\r\n\r\n".to_vec(),
        b"GET /smuggled HTTP/1.1\r\nHost: test.example\r\n\r\n".to_vec(),
        b"5\r\nhello\r\n0\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec(),
        every_byte,
        large,
    ]
}

/// A body in the chunked coding with sizes, extensions and trailers as only a test writes them.
fn odd_chunks(body: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let longest = if rest.len() > 2_000 { 9_000 } else { 40 };
        let size = below(rng, longest).clamp(1, rest.len());
        let (chunk, behind) = rest.split_at(size);
        let written = match rng.below(4) {
            0 => format!("{size:X}"),
            1 => format!("{size:08x}"),
            _ => format!("{size:x}"),
        };
        out.extend(format!("{written}{}\r\n", choose(rng, &EXTENSIONS)).bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
        rest = behind;
    }
    let (end, trailers) = (
        choose(rng, &["0", "0", "000", "0;last", "0;a=\"0\\\"\""]),
        choose(rng, &TRAILERS),
    );
    out.extend(format!("{end}\r\n{trailers}\r\n").bytes());
    out
}

fn choose<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[below(rng, from.len())]
}

fn below(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.below(bound as u64)).unwrap()
}

/// One of each kind that no list above makes.
fn odd_ones() -> Vec<Case> {
    let get = |target: &str| request("GET", target);
    let long = "v".repeat(7_000);
    let many = (0..85).fold(get("/many"), |many, number| many.line(format!("X-T{number}: {number}")));
    let mut cases = vec![
        many.case(),
        get("/long").line(format!("X-T: {long}")).case(),
        get("/long").line(format!("X-T{}: name", "n".repeat(200))).case(),
        get(&format!("/{}", "p".repeat(6_000))).case(),
        get(&format!("/?{}", "%20".repeat(2_000))).case(),
        // Other methods than nginx knows, all of them tokens.
        request("get", "/small").case(),
        request("Post", "/mixed").length(b"hello").case(),
        request("!#$%&'*+.^`|~", "/token").case(),
        request("MKCOL2", "/digit").case(),
        request("OPTIONS", "*").case(),
        request("OPTIONS", "http://test.example").arriving_at("*"),
        // Absolute targets arrive as paths.
        get("http://test.example/abs?x").arriving_at("/abs?x"),
        get("HTTP://TEST.example:80/abs").arriving_at("/abs"),
        get("http://test.example").arriving_at("/"),
        get("http://test.example?q").arriving_at("/?q"),
        request("POST", "http://test.example/abs")
            .length(b"hello")
            .arriving_at("/abs"),
        // Hosts.
        get("/host").bare().line("Host:test.example").case(),
        get("/host").bare().line("hOsT: \t TEST.Example:8080 \t").case(),
        get("/host").bare().line("Host: 127.0.0.1").case(),
        get("/host").bare().line("Host: [::1]:8080").case(),
        get("/host").bare().line("Host: under_score.example.").case(),
        get("/host")
            .bare()
            .line("X-T: before")
            .line("Host: test.example")
            .case(),
        // Framing fields in other clothes.
        request("PUT", "/f").line("content-length:5").body_sent(b"hello").case(),
        request("PUT", "/f")
            .line("CONTENT-LENGTH: \t5\t ")
            .body_sent(b"hello")
            .case(),
        request("PUT", "/f").line("Content-Length: 0").case(),
        request("PUT", "/f")
            .line("Content-Length: 0000000000000000005")
            .body_sent(b"hello")
            .case(),
        request("PUT", "/f")
            .line("transfer-encoding:ChUnKeD")
            .chunked_body()
            .case(),
        request("PUT", "/f")
            .line("Transfer-Encoding:\tchunked \t")
            .chunked_body()
            .case(),
        request("GET", "/f")
            .chunks(b"5\r\nhello\r\n0\r\n\r\n".to_vec(), b"hello")
            .case(),
        // Empty lines before the request.
        Case::prefixed(b"\r\n", get("/after-an-empty-line").case()),
        // One hop.
        get("/hop")
            .line("Connection: X-T-Hop")
            .line("X-T-Hop: 1")
            .line("X-T: 2")
            .hop("x-t-hop")
            .case(),
        get("/hop")
            .line("Connection: keep-alive , ,x-t-hop")
            .line("X-T-Hop: 1")
            .hop("x-t-hop")
            .case(),
        request("POST", "/hop")
            .line("Connection: x-t-hop")
            .line("X-T-Hop: 1")
            .hop("x-t-hop")
            .length(b"hello")
            .case(),
        get("/hop")
            .line("Keep-Alive: timeout=5")
            .line("Proxy-Connection: close")
            .line("TE: trailers")
            .case(),
        get("/upgrade")
            .line("Connection: Upgrade, HTTP2-Settings")
            .line("Upgrade: h2c")
            .line("HTTP2-Settings: AAMAAABk")
            .case(),
        get("/upgrade").line("Upgrade: websocket").case(),
        get("/close").line("Connection: close").case(),
        request("POST", "/close")
            .length(b"hello")
            .line("Connection: close")
            .case(),
        // 100-continue.
        request("PUT", "/expect")
            .line("Expect: 100-continue")
            .length(b"hello")
            .case(),
        request("PUT", "/expect")
            .line("Expect: 100-CONTINUE")
            .chunked_line()
            .case(),
        // HTTP/1.0.
        get("/1.0").http10().case(),
        get("/1.0").http10().bare().case(),
        get("/1.0").http10().line("Connection: keep-alive").case(),
        request("POST", "/1.0").http10().length(b"hello").case(),
        request("POST", "/1.0")
            .http10()
            .length(b"hello")
            .line("Connection: keep-alive")
            .case(),
        request("PUT", "/1.0").http10().bare().length(b"0\r\n\r\n").case(),
        get("http://test.example/1.0").http10().arriving_at("/1.0"),
    ];
    // Every chunk of one byte.
    let body: Vec<u8> = (0..200).collect();
    cases.push(
        request("POST", "/bytes")
            .chunks(support::chunked(&body, 1, ""), &body)
            .case(),
    );
    cases
}

/// Everything of the lists with everything else, by chance.
fn mixed(rng: &mut Rng, bodies: &[Vec<u8>]) -> Case {
    let mut made = request(choose(rng, &METHODS), choose(rng, &TARGETS));
    for _ in 0..rng.below(6) {
        made = made.line_unless_it_repeats(choose(rng, &LINES));
    }
    let body = &bodies[below(rng, bodies.len())];
    made = match rng.below(3) {
        0 => made,
        1 => made.length(body),
        _ => {
            let framed = odd_chunks(body, rng);
            made.chunks(framed, body)
        }
    };
    for _ in 0..rng.below(3) {
        made = made.line_unless_it_repeats(choose(rng, &LINES));
    }
    made.case()
}

/// Where the chances come from; another one is as good.
const SEED: u64 = 0x6c62_0002;

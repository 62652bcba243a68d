//! What hostile backends say, and what their clients must see.

use crate::script::Do;

/// What the client must see.
#[derive(Debug, Clone, Copy)]
pub(crate) enum See {
    /// Our own 502 and a connection that stays open.
    Bad,
    /// This status with this body, whole; the connection stays open.
    Whole(u16, &'static str),
    /// A response that cannot be taken for whole.
    Cut,
    /// Either of the two above it: the fault stands behind a good head.
    BadOrCut,
}

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) request: &'static str,
    pub(crate) script: Vec<Do>,
    pub(crate) see: See,
}

const GET: &str = "GET /evil HTTP/1.1\r\nHost: h\r\n\r\n";
const HEAD: &str = "HEAD /evil HTTP/1.1\r\nHost: h\r\n\r\n";
const SOCKET: &str = "GET /evil HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

/// A reply sent at once; the backend keeps its connection open after it.
fn says(name: &'static str, bytes: &'static str, see: See) -> Case {
    Case {
        name,
        request: GET,
        script: vec![Do::Send(bytes.into())],
        see,
    }
}

/// A reply after which the backend closes.
fn last(name: &'static str, bytes: &'static str, see: See) -> Case {
    Case {
        name,
        request: GET,
        script: vec![Do::Send(bytes.into()), Do::Close],
        see,
    }
}

fn to(request: &'static str, case: Case) -> Case {
    Case { request, ..case }
}

#[rustfmt::skip]
pub(crate) fn heads() -> Vec<Case> {
    use See::{Bad, Whole};
    let mut cases = vec![
        // no HTTP
        last("nothing", "", Bad),
        last("HTTP/0.9", "<html>hello</html>", Bad),
        last("HTTP/0.9 with lines", "hello\r\n\r\nworld", Bad),
        says("an SSH greeting", "SSH-2.0-OpenSSH_9.2\r\n", Bad),
        says("an SMTP greeting", "220 mail ESMTP\r\n", Bad),
        says("a Redis error", "-ERR unknown command\r\n", Bad),
        says("a TLS alert", "\x15\x03\x01\x00\x02\x02\x46", Bad),
        says("an ICY status", "ICY 200 OK\r\n\r\n", Bad),
        says("an RTSP status", "RTSP/1.0 200 OK\r\n\r\n", Bad),
        says("a request", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", Bad),
        says("NULs", "\0\0\0\0\0\0\0\0", Bad),
        says("an empty line first", "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a space first", " HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        // status lines
        says("HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("HTTP/2", "HTTP/2 200\r\nContent-Length: 0\r\n\r\n", Bad),
        says("HTTP/1", "HTTP/1 200 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("HTTP/11.1", "HTTP/11.1 200 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("http in lower case", "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("no status", "HTTP/1.1\r\nContent-Length: 0\r\n\r\n", Bad),
        says("an empty status", "HTTP/1.1  OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a status with a letter", "HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a status with a sign", "HTTP/1.1 -20 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("status 000", "HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("status 099", "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("two spaces before the status", "HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a tab before the status", "HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a NUL in the reason", "HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a CR in the reason", "HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi")),
        says("an empty reason", "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi")),
        says("a long reason", "HTTP/1.1 200 Everything: is fine, really\r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi")),
        says("a reason above ASCII", "HTTP/1.1 200 \u{e9}\r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi")),
        says("status 299", "HTTP/1.1 299 Odd\r\nContent-Length: 2\r\n\r\nhi", Whole(299, "hi")),
        says("status 499", "HTTP/1.1 499 Odd\r\nContent-Length: 2\r\n\r\nhi", Whole(499, "hi")),
        says("status 599", "HTTP/1.1 599 Odd\r\nContent-Length: 2\r\n\r\nhi", Whole(599, "hi")),
        // lines and fields
        says("bare LFs", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", Bad),
        says("a bare LF behind the status line", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", Bad),
        says("a bare LF behind a field", "HTTP/1.1 200 OK\r\nX: a\nContent-Length: 0\r\n\r\n", Bad),
        says("a bare LF for the end", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n", Bad),
        says("a bare CR in a value", "HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a bare CR behind a field", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\r\n\r\n", Bad),
        says("a NUL in a value", "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a NUL in a name", "HTTP/1.1 200 OK\r\nX\0: a\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a control in a value", "HTTP/1.1 200 OK\r\nX: \x01\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a folded value", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a folded length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n 5\r\n\r\nhello", Bad),
        says("a fold before the first field", "HTTP/1.1 200 OK\r\n X: a\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a space before a colon", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", Bad),
        says("a line without colon", "HTTP/1.1 200 OK\r\njunk\r\nContent-Length: 0\r\n\r\n", Bad),
        says("an empty name", "HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a status line among the fields", "HTTP/1.1 200 OK\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("an empty value", "HTTP/1.1 200 OK\r\nX:\r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi")),
        says("fields without spaces", "HTTP/1.1 200 OK\r\nX:y\r\nContent-Length:2\r\n\r\nhi", Whole(200, "hi")),
        // framing
        says("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello", Bad),
        says("two equal lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", Bad),
        says("a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2, 5\r\n\r\nhello", Bad),
        says("a length and a coding", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Bad),
        says("a coding and a length", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", Bad),
        says("a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Bad),
        says("a length with a plus", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi", Bad),
        says("a length of letters", "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nhi", Bad),
        says("an empty length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhi", Bad),
        says("a length in hexadecimal", "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nhi", Bad),
        says("a length of 2^64", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551618\r\n\r\nhi", Bad),
        says("an underscore in the length's name", "HTTP/1.1 200 OK\r\nContent_Length: 5\r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi")),
        last("an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhi", Bad),
        last("gzip and chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", Bad),
        last("chunked and gzip", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", Bad),
        last("chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Bad),
        last("an empty coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\nhi", Bad),
        last("a mangled coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", Bad),
        last("identity", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhi", Bad),
        last("chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Bad),
        // cut heads
        last("half a status line", "HTTP/1.1 2", Bad),
        last("a status line only", "HTTP/1.1 200 OK\r\n", Bad),
        last("half a field", "HTTP/1.1 200 OK\r\nContent-Le", Bad),
        last("no empty line", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", Bad),
        last("an empty line but for its LF", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r", Bad),
        // interim responses
        last("a 100 and nothing", "HTTP/1.1 100 Continue\r\n\r\n", Bad),
        last("a 103 and nothing", "HTTP/1.1 103 Early Hints\r\n\r\n", Bad),
        says("a 100 with a length", "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Bad),
        says("a 100 with a coding", "HTTP/1.1 100 Continue\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Bad),
        says("a 103 with a length", "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\nhello", Bad),
        says("a 101 nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", Bad),
        says("a 101 without anything", "HTTP/1.1 101 Switching Protocols\r\n\r\n", Bad),
        says("a 100 and a response", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi")),
        says("a 102 and a response", "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi")),
        says("a 103 and a response", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi")),
        says("a 199 and a response", "HTTP/1.1 199 Odd\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi")),
        says("a 100 and junk", "HTTP/1.1 100 Continue\r\n\r\njunk", Bad),
        says("a 103 and HTTP/0.9", "HTTP/1.1 103 Early Hints\r\n\r\n<html>", Bad),
        to(SOCKET, says("a 101 without Upgrade", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n", Bad)),
        to(SOCKET, says("a 101 in HTTP/1.0", "HTTP/1.0 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", Bad)),
        to(SOCKET, says("a 101 to another protocol", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", Bad)),
        to(SOCKET, says("a 101 with a length", "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello", Bad)),
        to(SOCKET, says("a 200 to an upgrade", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi"))),
        to(SOCKET, says("a 200 with Upgrade", "HTTP/1.1 200 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi"))),
        to(SOCKET, says("a 426 to an upgrade", "HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n", Whole(426, ""))),
    ];
    cases.push(Case {
        name: "a RST before a byte",
        request: GET,
        script: vec![Do::Reset],
        see: Bad,
    });
    cases.push(Case {
        name: "a RST inside the head",
        request: GET,
        script: vec![Do::Send("HTTP/1.1 200 OK\r\nConte".into()), Do::Reset],
        see: Bad,
    });
    cases.push(Case {
        name: "a head without end",
        request: GET,
        script: vec![
            Do::Send("HTTP/1.1 200 OK\r\n".into()),
            Do::Send("X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(3000).into()),
            Do::UntilGone,
        ],
        see: Bad,
    });
    cases.push(Case {
        name: "a value without end",
        request: GET,
        script: vec![
            Do::Send("HTTP/1.1 200 OK\r\nX: ".into()),
            Do::Send(vec![b'a'; 200_000]),
            Do::UntilGone,
        ],
        see: Bad,
    });
    cases.push(Case {
        name: "two hundred fields",
        request: GET,
        script: vec![
            Do::Send(format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "X: a\r\n".repeat(200)).into()),
            Do::UntilGone,
        ],
        see: Bad,
    });
    cases.push(Case {
        name: "interim responses without end",
        request: GET,
        script: vec![
            Do::Send("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(5000).into()),
            Do::UntilGone,
        ],
        see: Bad,
    });
    cases
}

#[rustfmt::skip]
pub(crate) fn bodies() -> Vec<Case> {
    use See::{BadOrCut, Cut, Whole};
    let chunked = |name, rest: &'static str, see| Case {
        name,
        request: GET,
        script: vec![
            Do::Send(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{rest}").into()),
            Do::Close,
        ],
        see,
    };
    let mut cases = vec![
        // cut bodies
        last("no body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Cut),
        last("half a body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", Cut),
        last("all but one byte", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", Cut),
        chunked("no chunk", "", Cut),
        chunked("half a size", "5", Cut),
        chunked("half a chunk", "5\r\nhe", Cut),
        chunked("a chunk and no more", "5\r\nhello\r\n", Cut),
        chunked("a chunk without its end", "5\r\nhello", Cut),
        chunked("a last chunk without its end", "5\r\nhello\r\n0\r\n", Cut),
        chunked("a trailer without end", "5\r\nhello\r\n0\r\nX: a\r\n", Cut),
        // broken chunks
        chunked("junk for a size", "xyz\r\nhello\r\n0\r\n\r\n", BadOrCut),
        chunked("no size", "\r\nhello\r\n0\r\n\r\n", BadOrCut),
        chunked("a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n", BadOrCut),
        chunked("a negative size", "-5\r\nhello\r\n0\r\n\r\n", BadOrCut),
        chunked("a size of 2^64 and five", "10000000000000005\r\nhello\r\n0\r\n\r\n", BadOrCut),
        chunked("a size of 2^63", "8000000000000000\r\nhello\r\n0\r\n\r\n", BadOrCut),
        chunked("a bare LF behind the size", "5\nhello\r\n0\r\n\r\n", BadOrCut),
        chunked("a bare LF behind the data", "5\r\nhello\n0\r\n\r\n", BadOrCut),
        chunked("data longer than the size", "5\r\nhello world\r\n0\r\n\r\n", BadOrCut),
        chunked("data shorter than the size", "5\r\nhi\r\n0\r\n\r\n", BadOrCut),
        chunked("an extension with an LF", "5;a\nb\r\nhello\r\n0\r\n\r\n", BadOrCut),
        chunked("a body without chunks", "hello world", BadOrCut),
        chunked("a trailer without colon", "5\r\nhello\r\n0\r\njunk\r\n\r\n", BadOrCut),
        chunked("a trailer with a NUL", "5\r\nhello\r\n0\r\nX: a\0\r\n\r\n", BadOrCut),
        chunked("a response for a trailer", "5\r\nhello\r\n0\r\nHTTP/1.1 200 OK\r\n\r\n", BadOrCut),
        chunked("a bare LF for the end", "5\r\nhello\r\n0\r\n\n", BadOrCut),
        // good bodies
        chunked("chunks", "5\r\nhello\r\n0\r\n\r\n", Whole(200, "hello")),
        chunked("chunk extensions", "5;a=b;c=\"d\"\r\nhello\r\n0;e\r\n\r\n", Whole(200, "hello")),
        chunked("chunks of one byte", "1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", Whole(200, "hi")),
        chunked("zeros before sizes", "0002\r\nhi\r\n000\r\n\r\n", Whole(200, "hi")),
        chunked("bytes behind the end", "2\r\nhi\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", Whole(200, "hi")),
        chunked("a chunk that is a response", "26\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n\r\n0\r\n\r\n", Whole(200, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
        last("a body until the close", "HTTP/1.1 200 OK\r\n\r\nhello", Whole(200, "hello")),
        last("an empty body until the close", "HTTP/1.1 200 OK\r\n\r\n", Whole(200, "")),
        last("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhello", Whole(200, "hello")),
        last("HTTP/1.0 with a length", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi")),
        says("HTTP/1.0 with keep-alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi")),
        last("Connection: close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi")),
        says("a close that is not kept", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi", Whole(200, "hi")),
        says("a keep-alive that is not kept", "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", Whole(200, "")),
        says("a length with zeros in front", "HTTP/1.1 200 OK\r\nContent-Length: 0002\r\n\r\nhi", Whole(200, "hi")),
        // bytes that nobody asked for
        says("extra bytes", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiEXTRA", Whole(200, "hi")),
        says("an extra CRLF", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi\r\n", Whole(200, "hi")),
        says("two responses", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", Whole(200, "hi")),
        says("three responses", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevilHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", Whole(200, "")),
        says("a response and a 100", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 100 Continue\r\n\r\n", Whole(200, "hi")),
        says("a response and a 408", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", Whole(200, "hi")),
        // bodies where none may be
        says("a 204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil", Whole(204, "")),
        says("a 204 with chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n", Whole(204, "")),
        says("a 204 and a response", "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", Whole(204, "")),
        says("a 205 with a body", "HTTP/1.1 205 Reset Content\r\nContent-Length: 4\r\n\r\nevil", Whole(205, "")),
        says("a 205 with chunks", "HTTP/1.1 205 Reset Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n", Whole(205, "")),
        says("a 304 with a body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil", Whole(304, "")),
        says("a 304 with chunks", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n", Whole(304, "")),
        says("a 304 and a response", "HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", Whole(304, "")),
        says("a clean 204", "HTTP/1.1 204 No Content\r\n\r\n", Whole(204, "")),
        says("a clean 304", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 99\r\n\r\n", Whole(304, "")),
        to(HEAD, says("a body to HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", Whole(200, ""))),
        to(HEAD, says("chunks to HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n", Whole(200, ""))),
        to(HEAD, last("a body until the close to HEAD", "HTTP/1.1 200 OK\r\n\r\nevil", Whole(200, ""))),
        to(HEAD, says("a response behind HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", Whole(200, ""))),
        to(HEAD, says("a clean answer to HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n", Whole(200, ""))),
        to(HEAD, says("a clean answer to HEAD with chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Whole(200, ""))),
    ];
    for (name, head) in [
        (
            "a RST inside a body of known length",
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        ),
        (
            "a RST inside chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        ),
        ("a RST inside a body until the close", "HTTP/1.1 200 OK\r\n\r\nhello"),
    ] {
        cases.push(Case {
            name,
            request: GET,
            // The gate opens when the client has what came before the RST.
            script: vec![Do::Send(head.into()), Do::Gate, Do::Reset],
            see: Cut,
        });
    }
    cases
}

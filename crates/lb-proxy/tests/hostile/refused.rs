//! Requests that must not reach a backend: the answer, the close, and no byte of what follows.

use crate::run::each;
use crate::world::{Setup, World};

/// Name, the request, the statuses that are right.
type Case = (&'static str, &'static str, &'static [u16]);

/// Refused at the head: the backend never hears of them.
const HEADS: &[Case] = &[
    // the request line
    ("no version", "GET /\r\nHost: h\r\n\r\n", &[400]),
    ("one word", "GET\r\nHost: h\r\n\r\n", &[400]),
    ("an empty method", " / HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    (
        "two spaces before the target",
        "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "two spaces before the version",
        "GET /  HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a space behind the version",
        "GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
        &[400],
    ),
    ("a tab for a space", "GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    ("a tab before the version", "GET /\tHTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    (
        "a form feed for a space",
        "GET /\x0cHTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a vertical tab for a space",
        "GET /\x0bHTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    ("a space in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    ("two versions", "GET / HTTP/1.1 HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    (
        "a version in lower case",
        "GET / http/1.1\r\nHost: h\r\n\r\n",
        &[400, 505],
    ),
    (
        "a version of another protocol",
        "GET / HTTPS/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a version without minor",
        "GET / HTTP/1\r\nHost: h\r\n\r\n",
        &[400, 505],
    ),
    (
        "a version with two digits",
        "GET / HTTP/1.10\r\nHost: h\r\n\r\n",
        &[400, 505],
    ),
    (
        "a version with a zero in front",
        "GET / HTTP/01.1\r\nHost: h\r\n\r\n",
        &[400, 505],
    ),
    ("a version with a comma", "GET / HTTP/1,1\r\nHost: h\r\n\r\n", &[400]),
    ("a version with a space", "GET / HTTP/1. 1\r\nHost: h\r\n\r\n", &[400]),
    ("a version with a sign", "GET / HTTP/+1.1\r\nHost: h\r\n\r\n", &[400]),
    ("HTTP/0.9 by number", "GET / HTTP/0.9\r\nHost: h\r\n\r\n", &[400, 505]),
    ("HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", &[505]),
    ("HTTP/2.0", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", &[505]),
    ("HTTP/3.0", "GET / HTTP/3.0\r\nHost: h\r\n\r\n", &[505]),
    ("HTTP/9.9", "GET / HTTP/9.9\r\nHost: h\r\n\r\n", &[505]),
    ("the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[400, 505]),
    ("a method with a bracket", "GE(T / HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    ("a method with a slash", "GE/T / HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    ("a method with a colon", "GET: / HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    ("a method with a quote", "\"GET\" / HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    ("a method with NUL", "GE\0T / HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    ("a method above ASCII", "G\u{c9}T / HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    (
        "a method without end",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400, 501],
    ),
    (
        "CONNECT",
        "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
        &[400, 405, 501],
    ),
    (
        "CONNECT with a path",
        "CONNECT / HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400, 405, 501],
    ),
    (
        "CONNECT with a body",
        "CONNECT h:80 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        &[400, 405, 501],
    ),
    ("TRACE", "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", &[405, 501]),
    (
        "TRACE with a body",
        "TRACE / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
        &[400, 405, 501],
    ),
    // the target
    ("a relative target", "GET a HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    (
        "an authority as target",
        "GET h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n",
        &[400],
    ),
    ("a star with GET", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    ("a star and more", "OPTIONS *a HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    ("a fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    ("a NUL in the target", "GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    (
        "an escaped NUL in the target",
        "GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    ("a DEL in the target", "GET /a\x7fb HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    (
        "a control in the target",
        "GET /a\x01b HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    ("a backslash target", "GET \\a HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    (
        "bytes above ASCII in the target",
        "GET /\u{e9} HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    ("half an escape", "GET /% HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    ("a wrong escape", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    ("another scheme", "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    (
        "a file scheme",
        "GET file:///etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a scheme without slashes",
        "GET http:h/ HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a scheme with one slash",
        "GET http:/h/ HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a URI without authority",
        "GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a URI with user information",
        "GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a URI with user and password",
        "GET http://u:p@h/ HTTP/1.1\r\nHost: u:p@h\r\n\r\n",
        &[400],
    ),
    (
        "a URI with another host",
        "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
        &[400],
    ),
    (
        "a URI with another port",
        "GET http://h:81/ HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    ("a URI and no Host", "GET http://h/ HTTP/1.1\r\n\r\n", &[400]),
    (
        "a URI with a space in the host",
        "GET http://h h/ HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a URI with a bad port",
        "GET http://h:x/ HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a URI with a backslash",
        "GET http://h\\@a/ HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    // Host
    ("no Host", "GET / HTTP/1.1\r\n\r\n", &[400]),
    (
        "two equal Hosts",
        "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
        &[400],
    ),
    ("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", &[400]),
    (
        "two Hosts in two cases",
        "GET / HTTP/1.1\r\nHost: a\r\nhOsT: b\r\n\r\n",
        &[400],
    ),
    (
        "two Hosts in HTTP/1.0",
        "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
        &[400],
    ),
    ("an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", &[400]),
    ("a list of hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", &[400]),
    ("a Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", &[400]),
    ("a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", &[400]),
    (
        "a Host with a scheme",
        "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n",
        &[400],
    ),
    (
        "a Host with user information",
        "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
        &[400],
    ),
    ("a Host with a query", "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", &[400]),
    ("a Host with a fragment", "GET / HTTP/1.1\r\nHost: a#b\r\n\r\n", &[400]),
    ("a Host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", &[400]),
    ("a Host with a bad port", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", &[400]),
    (
        "a Host with too large a port",
        "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n",
        &[400],
    ),
    (
        "a Host with a negative port",
        "GET / HTTP/1.1\r\nHost: a:-1\r\n\r\n",
        &[400],
    ),
    (
        "a Host with an open bracket",
        "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
        &[400],
    ),
    (
        "a Host with a bad address",
        "GET / HTTP/1.1\r\nHost: [::g]\r\n\r\n",
        &[400],
    ),
    ("a Host with a NUL", "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", &[400]),
    ("a Host with an escape", "GET / HTTP/1.1\r\nHost: a%2eb\r\n\r\n", &[400]),
    ("a Host with a quote", "GET / HTTP/1.1\r\nHost: \"a\"\r\n\r\n", &[400]),
    (
        "a Host with a bracket at its end",
        "GET / HTTP/1.1\r\nHost: a>\r\n\r\n",
        &[400],
    ),
    ("a Host above ASCII", "GET / HTTP/1.1\r\nHost: \u{e9}\r\n\r\n", &[400]),
    (
        "a Host before which there is a space",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        &[400],
    ),
    (
        "a Host behind which there is a space",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        &[400],
    ),
    ("a folded Host", "GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n", &[400]),
    // Content-Length
    (
        "two lengths",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        &[400],
    ),
    (
        "two equal lengths",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        &[400],
    ),
    (
        "two lengths in two cases",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\ncontent-length: 0\r\n\r\nhello",
        &[400],
    ),
    (
        "a list of lengths",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 6\r\n\r\nhello",
        &[400],
    ),
    (
        "a list of equal lengths",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5,5\r\n\r\nhello",
        &[400],
    ),
    (
        "a length and a comma",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5,\r\n\r\nhello",
        &[400],
    ),
    (
        "an empty length",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n",
        &[400],
    ),
    (
        "an empty length and a length",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\nContent-Length: 5\r\n\r\nhello",
        &[400],
    ),
    (
        "a negative length",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        &[400],
    ),
    (
        "a length with a plus",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nhello",
        &[400],
    ),
    (
        "a length in hexadecimal",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x5\r\n\r\nhello",
        &[400],
    ),
    (
        "a length with a fraction",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5.0\r\n\r\nhello",
        &[400],
    ),
    (
        "a length with an exponent",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1e1\r\n\r\n0123456789",
        &[400],
    ),
    (
        "a length with a space inside",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1 0\r\n\r\n0123456789",
        &[400],
    ),
    (
        "a length with an underscore",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1_0\r\n\r\n0123456789",
        &[400],
    ),
    (
        "a length with letters",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5a\r\n\r\nhello",
        &[400],
    ),
    (
        "a length in quotes",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \"5\"\r\n\r\nhello",
        &[400],
    ),
    (
        "a length with a parameter",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5;x\r\n\r\nhello",
        &[400],
    ),
    (
        "a length in other digits",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \u{665}\r\n\r\nhello",
        &[400],
    ),
    (
        "a length with NUL",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\0\r\n\r\nhello",
        &[400],
    ),
    (
        "a length with a vertical tab",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \x0b5\r\n\r\nhello",
        &[400],
    ),
    (
        "a length of 2^63",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775808\r\n\r\n",
        &[400, 413],
    ),
    (
        "a length of 2^64",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551616\r\n\r\n",
        &[400, 413],
    ),
    (
        "a length of 2^64 and five",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551621\r\n\r\nhello",
        &[400, 413],
    ),
    (
        "a length of thirty digits",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999999999999999999999999\r\n\r\n",
        &[400, 413],
    ),
    (
        "a space before the colon of the length",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 5\r\n\r\nhello",
        &[400],
    ),
    (
        "a tab before the colon of the length",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length\t: 5\r\n\r\nhello",
        &[400],
    ),
    (
        "an underscore in the length's name",
        "POST / HTTP/1.1\r\nHost: h\r\nContent_Length: 5\r\n\r\nhello",
        &[400],
    ),
    (
        "a folded length",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n 5\r\n\r\nhello",
        &[400],
    ),
    (
        "a length and its continuation",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n 0\r\n\r\nhello",
        &[400],
    ),
    (
        "a GET with two lengths",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 30\r\n\r\n",
        &[400],
    ),
    // Transfer-Encoding
    (
        "chunked and a length",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a length and chunked",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "chunked and a length of zero",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "chunked twice",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "chunked twice in a list",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "chunked and identity",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "identity and chunked",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n",
        &[400, 501],
    ),
    (
        "chunked and gzip",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "gzip and chunked",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        &[501],
    ),
    (
        "gzip and chunked on two lines",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[501],
    ),
    (
        "chunked on one line, junk on another",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "identity",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\nhello",
        &[400, 501],
    ),
    (
        "identity and a length",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello",
        &[400, 501],
    ),
    (
        "an unknown coding",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        &[501],
    ),
    (
        "half a coding",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunk\r\n\r\n0\r\n\r\n",
        &[501],
    ),
    (
        "cow",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: cow\r\nContent-Length: 5\r\n\r\nhello",
        &[400, 501],
    ),
    (
        "an empty coding",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\nhello",
        &[400],
    ),
    (
        "an empty coding and a length",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello",
        &[400],
    ),
    (
        "a coding in quotes",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a coding in single quotes",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: 'chunked'\r\n\r\n0\r\n\r\n",
        &[400, 501],
    ),
    (
        "a coding with a parameter",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a coding behind a comma",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a coding and a comma",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked,\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a coding behind a vertical tab",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a coding behind a form feed",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x0cchunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a coding and a NUL",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a coding and a bell",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x07chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a coding and a hard space",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \u{a0}chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a coding and a DEL",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\x7f\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a coding with a space in it",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chun ked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a space before the colon of the coding",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a tab before the colon of the coding",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a space before the coding's name",
        "POST / HTTP/1.1\r\nHost: h\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a tab before the coding's name",
        "POST / HTTP/1.1\r\nHost: h\r\n\tTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "an underscore in the coding's name",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
        &[400],
    ),
    (
        "a NUL in the coding's name",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer\0-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a folded coding",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a coding behind a fold",
        "POST / HTTP/1.1\r\nHost: h\r\nX: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a coding behind a bare LF",
        "POST / HTTP/1.1\r\nHost: h\r\nX: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a coding behind a bare CR",
        "POST / HTTP/1.1\r\nHost: h\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "a coding without colon",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "chunked in HTTP/1.0",
        "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "chunked and a length in HTTP/1.0",
        "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello",
        &[400],
    ),
    (
        "a GET with chunked and a length",
        "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    // lines and fields
    ("bare LFs", "GET / HTTP/1.1\nHost: h\n\n", &[400]),
    (
        "a bare LF behind the request line",
        "GET / HTTP/1.1\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a bare LF behind a field",
        "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n",
        &[400],
    ),
    (
        "a bare LF for the empty line",
        "GET / HTTP/1.1\r\nHost: h\r\n\n",
        &[400],
    ),
    (
        "a bare CR behind the request line",
        "GET / HTTP/1.1\rHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a bare CR in a value",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n",
        &[400],
    ),
    ("a CR before CRLF", "GET / HTTP/1.1\r\nHost: h\r\r\n\r\n", &[400]),
    (
        "a CR before the empty line",
        "GET / HTTP/1.1\r\nHost: h\r\n\r\r\n",
        &[400],
    ),
    (
        "a NUL in a value",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n",
        &[400],
    ),
    (
        "a control in a value",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\x01b\r\n\r\n",
        &[400],
    ),
    (
        "an escape character in a value",
        "GET / HTTP/1.1\r\nHost: h\r\nX: \x1b[0m\r\n\r\n",
        &[400],
    ),
    (
        "a DEL in a value",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\x7fb\r\n\r\n",
        &[400],
    ),
    (
        "a backspace in a name",
        "GET / HTTP/1.1\r\nHost: h\r\nX\x08: a\r\n\r\n",
        &[400],
    ),
    (
        "a line without colon",
        "GET / HTTP/1.1\r\nHost: h\r\njunk\r\n\r\n",
        &[400],
    ),
    (
        "a line that is a colon",
        "GET / HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n",
        &[400],
    ),
    ("a line of a space", "GET / HTTP/1.1\r\nHost: h\r\n \r\n\r\n", &[400]),
    (
        "a folded value",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n",
        &[400],
    ),
    (
        "a value folded with a tab",
        "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\tb\r\n\r\n",
        &[400],
    ),
    (
        "a fold before the first field",
        "GET / HTTP/1.1\r\n X: a\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a space in a name",
        "GET / HTTP/1.1\r\nHost: h\r\nX Y: a\r\n\r\n",
        &[400],
    ),
    (
        "a space before a colon",
        "GET / HTTP/1.1\r\nHost: h\r\nX : a\r\n\r\n",
        &[400],
    ),
    (
        "a name in brackets",
        "GET / HTTP/1.1\r\nHost: h\r\n[X]: a\r\n\r\n",
        &[400],
    ),
    (
        "a name in quotes",
        "GET / HTTP/1.1\r\nHost: h\r\n\"X\": a\r\n\r\n",
        &[400],
    ),
    (
        "a name with an at sign",
        "GET / HTTP/1.1\r\nHost: h\r\nX@: a\r\n\r\n",
        &[400],
    ),
    (
        "a name with a slash",
        "GET / HTTP/1.1\r\nHost: h\r\nX/Y: a\r\n\r\n",
        &[400],
    ),
    (
        "a name with a comma",
        "GET / HTTP/1.1\r\nHost: h\r\nX,Y: a\r\n\r\n",
        &[400],
    ),
    (
        "a name above ASCII",
        "GET / HTTP/1.1\r\nHost: h\r\n\u{e9}: a\r\n\r\n",
        &[400],
    ),
    (
        "a request line among the fields",
        "GET / HTTP/1.1\r\nHost: h\r\nGET /smuggled HTTP/1.1\r\n\r\n",
        &[400],
    ),
    // before the request
    (
        "TLS on a clear port",
        "\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03\r\n\r\n",
        &[400],
    ),
    ("binary", "\x01\x02\x03\x04\r\n\r\n", &[400]),
    (
        "a space before the method",
        " GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a bare LF before the request",
        "\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a bare CR before the request",
        "\rGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "many empty lines",
        "\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    ("a byte order mark", "\u{feff}GET / HTTP/1.1\r\nHost: h\r\n\r\n", &[400]),
    (
        "a PROXY line",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    ("an SSH greeting", "SSH-2.0-OpenSSH_9.2\r\n\r\n", &[400]),
    (
        "a response for a request",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        &[400],
    ),
    ("an SMTP line", "EHLO example.com\r\n\r\n", &[400]),
    // hop by hop and expectations
    (
        "Connection names the length",
        "POST / HTTP/1.1\r\nHost: h\r\nConnection: Content-Length\r\nContent-Length: 5\r\n\r\nhello",
        &[400],
    ),
    (
        "Connection names the coding",
        "POST / HTTP/1.1\r\nHost: h\r\nConnection: close, Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "Connection names Host",
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: Host\r\n\r\n",
        &[400],
    ),
    (
        "an unknown expectation",
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\nContent-Length: 5\r\n\r\nhello",
        &[417],
    ),
    (
        "two expectations",
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue, x\r\nContent-Length: 5\r\n\r\nhello",
        &[417],
    ),
    (
        "a mangled expectation",
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: y 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        &[417],
    ),
];

/// Refused inside the body: the backend may have heard of them, but never to their end.
const BODIES: &[Case] = &[
    ("no chunk size", "\r\nhello\r\n0\r\n\r\n", &[400]),
    ("junk for a size", "xyz\r\nhello\r\n0\r\n\r\n", &[400]),
    ("a size with 0x", "0x5\r\nhello\r\n0\r\n\r\n", &[400]),
    ("a size with a plus", "+5\r\nhello\r\n0\r\n\r\n", &[400]),
    ("a negative size", "-5\r\nhello\r\n0\r\n\r\n", &[400]),
    ("a size behind a space", " 5\r\nhello\r\n0\r\n\r\n", &[400]),
    ("a size behind a tab", "\t5\r\nhello\r\n0\r\n\r\n", &[400]),
    ("a size with an underscore", "0_5\r\nhello\r\n0\r\n\r\n", &[400]),
    ("a size with a point", "5.0\r\nhello\r\n0\r\n\r\n", &[400]),
    ("a size with a NUL", "5\0\r\nhello\r\n0\r\n\r\n", &[400]),
    ("a size in other digits", "\u{665}\r\nhello\r\n0\r\n\r\n", &[400]),
    ("a size in quotes", "\"5\"\r\nhello\r\n0\r\n\r\n", &[400]),
    ("a size and a comma", "5,5\r\nhello\r\n0\r\n\r\n", &[400]),
    ("two sizes", "5 5\r\nhello\r\n0\r\n\r\n", &[400]),
    ("a size of 2^64", "10000000000000000\r\nhello\r\n0\r\n\r\n", &[400, 413]),
    (
        "a size of 2^64 and five",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        &[400, 413],
    ),
    ("a size of 2^63", "8000000000000000\r\nhello\r\n0\r\n\r\n", &[400, 413]),
    (
        "a size of all ones",
        "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        &[400, 413],
    ),
    (
        "a size of 2^32 in a wrapped reader",
        "100000000000000000000000000000005\r\nhello\r\n0\r\n\r\n",
        &[400, 413],
    ),
    (
        "a size behind many zeros",
        "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000005\r\nhello\r\n0\r\n\r\n",
        &[400],
    ),
    ("a bare LF behind the size", "5\nhello\r\n0\r\n\r\n", &[400]),
    ("a bare CR behind the size", "5\rhello\r\n0\r\n\r\n", &[400]),
    ("two CRs behind the size", "5\r\r\nhello\r\n0\r\n\r\n", &[400]),
    ("a bare LF behind the data", "5\r\nhello\n0\r\n\r\n", &[400]),
    ("a bare CR behind the data", "5\r\nhello\r0\r\n\r\n", &[400]),
    ("nothing behind the data", "5\r\nhello0\r\n\r\n", &[400]),
    ("data longer than the size", "5\r\nhello world\r\n0\r\n\r\n", &[400]),
    ("data shorter than the size", "5\r\nhi\r\n0\r\n\r\nxx", &[400]),
    ("two bytes behind the data", "5\r\nhelloXX0\r\n\r\n", &[400]),
    ("a bare LF behind the last size", "5\r\nhello\r\n0\n\r\n", &[400]),
    ("a bare LF for the end", "5\r\nhello\r\n0\r\n\n", &[400]),
    ("a bare CR for the end", "5\r\nhello\r\n0\r\n\rX", &[400]),
    ("an extension with a bare LF", "5;a\nb\r\nhello\r\n0\r\n\r\n", &[400]),
    ("an extension with a bare CR", "5;a\rb\r\nhello\r\n0\r\n\r\n", &[400]),
    ("an extension with a NUL", "5;a\0b\r\nhello\r\n0\r\n\r\n", &[400]),
    (
        "an extension with an LF in quotes",
        "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n",
        &[400],
    ),
    (
        "an extension with a CRLF in quotes",
        "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n",
        &[400],
    ),
    ("an empty extension", "5;\r\nhello\r\n0\r\n\r\n", &[400]),
    ("an extension without semicolon", "5 a=b\r\nhello\r\n0\r\n\r\n", &[400]),
    ("an extension without name", "5;=b\r\nhello\r\n0\r\n\r\n", &[400]),
    ("an extension without value", "5;a=\r\nhello\r\n0\r\n\r\n", &[400]),
    ("a trailer without colon", "5\r\nhello\r\n0\r\njunk\r\n\r\n", &[400]),
    (
        "a trailer with a space before its colon",
        "5\r\nhello\r\n0\r\nX : a\r\n\r\n",
        &[400],
    ),
    ("a folded trailer", "5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n", &[400]),
    (
        "a trailer with a bare LF",
        "5\r\nhello\r\n0\r\nX: a\nY: b\r\n\r\n",
        &[400],
    ),
    (
        "a trailer with a bare CR",
        "5\r\nhello\r\n0\r\nX: a\rY: b\r\n\r\n",
        &[400],
    ),
    ("a trailer with a NUL", "5\r\nhello\r\n0\r\nX: a\0\r\n\r\n", &[400]),
    (
        "a request for a trailer",
        "5\r\nhello\r\n0\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
    (
        "a request for a chunk",
        "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n",
        &[400],
    ),
];

/// What follows on the same connection and must never be taken for a request.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

#[derive(Debug, Clone, Copy)]
struct Way {
    case: Case,
    body: bool,
    drip: bool,
}

fn ways(cases: &[Case], body: bool) -> Vec<Way> {
    [false, true]
        .into_iter()
        .flat_map(|drip| {
            cases.iter().map(move |case| Way {
                case: *case,
                body,
                drip,
            })
        })
        .collect()
}

fn judge(way: &Way) {
    let (_, bytes, statuses) = way.case;
    let world = World::new(&Setup::default(), Vec::new());
    let mut client = world.client();
    let head = if way.body {
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    } else {
        ""
    };
    let all = [head, bytes, SMUGGLED].concat();
    if way.drip {
        client.drip(all.as_bytes());
    } else {
        client.send(all.as_bytes());
    }
    let method = if bytes.starts_with("HEAD ") { "HEAD" } else { "GET" };
    let reply = client.reply(method).expect("an answer");
    assert!(
        statuses.contains(&reply.status),
        "{} is not in {statuses:?}",
        reply.status
    );
    assert!(reply.interim.is_empty() && reply.whole, "{reply:?}");
    assert_eq!(reply.field("connection"), Some("close"));
    assert!(
        reply
            .field("proxy-status")
            .is_some_and(|v| v.starts_with("lbd; error=http_request_")),
        "{}",
        reply.head
    );
    client.ends();
    world.settle();
    let backend = world.backend();
    if way.body {
        backend.until("the end of its connections", |seen| seen.ended == seen.connections);
    }
    backend.look(|seen| {
        assert!(seen.requests.is_empty(), "the backend got {:?}", seen.requests);
        assert!(seen.violations.is_empty(), "{:?}", seen.violations);
        assert!(way.body || seen.connections == 0, "the backend heard of it");
    });
}

fn run(cases: &[Case], body: bool) {
    let name = |way: &Way| format!("{}{}", way.case.0, if way.drip { ", byte by byte" } else { "" });
    each(&ways(cases, body), name, judge);
}

#[test]
fn hostile_heads_are_refused_before_a_backend_hears_of_them() {
    run(HEADS, false);
}

#[test]
fn hostile_bodies_never_become_whole_requests() {
    run(BODIES, true);
}

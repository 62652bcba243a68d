//! Hostile and broken request heads, each with the one error it must give.

mod support;

use lb_http::h1::Error;
use support::{refusal, requests};

/// Each input is a whole head; the error must be the same for every reader of this table.
fn check(table: &[(&[u8], Error)]) {
    for (input, want) in table {
        let text = String::from_utf8_lossy(input);
        assert_eq!(refusal(input), Some(*want), "{text:?}");
        let story = requests(input);
        assert!(
            story.messages.is_empty(),
            "{text:?} gave a message: {:?}",
            story.messages
        );
    }
}

fn request_with(line: &str) -> Vec<u8> {
    format!("POST /x HTTP/1.1\r\nHost: a\r\n{line}\r\n\r\n").into_bytes()
}

#[test]
fn request_lines_are_read_strictly() {
    check(&[
        (b"GET\r\n\r\n", Error::RequestLine),
        (b"GET /\r\n\r\n", Error::RequestLine),
        (b"GET / \r\n\r\n", Error::RequestLine),
        (b"/ HTTP/1.1\r\nHost: a\r\n\r\n", Error::FirstByte { byte: b'/' }),
        (b"GET HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", Error::Version),
        (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", Error::RequestLine),
        (b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", Error::FirstByte { byte: b' ' }),
        (b"\tGET / HTTP/1.1\r\nHost: a\r\n\r\n", Error::FirstByte { byte: b'\t' }),
        (b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"GET\x0b/ HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"GET\xa0/ HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"GET / a HTTP/1.1\r\nHost: a\r\n\r\n", Error::Version),
        (b"GET/webfin/websocket/ HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"G\x00T / HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"G\"T / HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"G[]T / HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"GET: / HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"G\xc3\x89T / HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", Error::Tls),
        (b"\x00", Error::FirstByte { byte: 0 }),
        (b"\xff\xfe", Error::FirstByte { byte: 0xff }),
        (b"{\"json\":1}\r\n\r\n", Error::FirstByte { byte: b'{' }),
        (b"<html>\r\n\r\n", Error::FirstByte { byte: b'<' }),
        (
            b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\nHost: a\r\n\r\n",
            Error::MethodTooLong { limit: 32 },
        ),
        (b"GET /\r/ HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"GET / HTTP/1.1\r\rHost: a\r\n\r\n", Error::RequestLine),
    ]);
}

#[test]
fn versions_are_read_strictly() {
    let unsupported = |major, minor| Error::VersionUnsupported { major, minor };
    check(&[
        (b"GET / HTTP/0.9\r\n\r\n", unsupported(0, 9)),
        (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", unsupported(1, 2)),
        (b"GET / HTTP/1.9\r\nHost: a\r\n\r\n", unsupported(1, 9)),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", unsupported(2, 0)),
        (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", unsupported(3, 0)),
        (b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", unsupported(9, 9)),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", unsupported(2, 0)),
        (b"GET / http/1.1\r\nHost: a\r\n\r\n", Error::Version),
        (b"GET / Http/1.1\r\nHost: a\r\n\r\n", Error::Version),
        (b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", Error::Version),
        (b"GET / HTTP/11\r\nHost: a\r\n\r\n", Error::Version),
        (b"GET / HTTP/1\r\nHost: a\r\n\r\n", Error::Version),
        (b"GET / HTTP/1,1\r\nHost: a\r\n\r\n", Error::Version),
        (b"GET / HTTP/.1\r\nHost: a\r\n\r\n", Error::Version),
        (b"GET / HTTP/1.\r\nHost: a\r\n\r\n", Error::Version),
        (b"GET / HTTP/01.1\r\nHost: a\r\n\r\n", Error::Version),
        (b"GET / HTTP/ 1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"GET / HTTP/1.1x\r\nHost: a\r\n\r\n", Error::Version),
        (b"GET / HTTP/-1.1\r\nHost: a\r\n\r\n", Error::Version),
        (b"GET / HTTP/\xd9\xa1.1\r\nHost: a\r\n\r\n", Error::Version),
        (b"GET / ICY/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"GET / RTSP/1.0\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"GET / XHTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
    ]);
}

#[test]
fn line_ends_are_cr_lf_and_nothing_else() {
    check(&[
        (b"GET / HTTP/1.1\nHost: a\n\n", Error::BareLf { offset: 14 }),
        (b"GET / HTTP/1.1\nHost: a\r\n\r\n", Error::BareLf { offset: 14 }),
        (b"GET / HTTP/1.1\r\nHost: a\n\r\n", Error::BareLf { offset: 23 }),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\n", Error::BareLf { offset: 25 }),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\nY: 2\r\n\r\n",
            Error::BareLf { offset: 29 },
        ),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\rY: 2\r\n\r\n", Error::FieldValue),
        (b"GET / HTTP/1.1\r\nHost: a\rX: 1\r\n\r\n", Error::FieldValue),
        (b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", Error::FieldValue),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\r\n\r\n", Error::FieldValue),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\rX: 1\r\n\r\n", Error::BareCr),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX\r: 1\r\n\r\n", Error::FieldName),
        (b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", Error::Version),
        (b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Error::BareLf { offset: 0 }),
        (b"\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Error::BareLf { offset: 2 }),
        (b"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", Error::BareCr),
        (b"\r\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", Error::BareCr),
        (
            b"\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            Error::EmptyLines { limit: 2 },
        ),
        (b"GET / HTTP/1.1\r\nX: a\x0bb\r\nHost: a\r\n\r\n", Error::FieldValue),
        (b"GET / HTTP/1.1\r\nX: a\x0cb\r\nHost: a\r\n\r\n", Error::FieldValue),
    ]);
}

#[test]
fn a_header_of_the_proxy_protocol_is_called_by_its_name() {
    check(&[
        (
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            Error::ProxyHeader,
        ),
        (b"PROXY UNKNOWN\r\n", Error::ProxyHeader),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", Error::ProxyHeader),
        (b"PROXY\r\n\r\n", Error::RequestLine),
    ]);
    assert_eq!(refusal(b"PROXY / HTTP/1.1\r\nHost: a\r\n\r\n"), None, "a method");
}

#[test]
fn field_names_are_tokens_and_touch_their_colon() {
    for line in [
        "X\x0b: 1",
        ": 1",
        ":",
        "X Y: 1",
        "X(Y): 1",
        "X@Y: 1",
        "X[0]: 1",
        "X\"Y\": 1",
        "X/Y: 1",
        "X,Y: 1",
        "X;Y: 1",
        "X=Y: 1",
        "X?Y: 1",
        "X\\Y: 1",
        "X{Y}: 1",
        "<X>: 1",
        "X\u{e9}: 1",
        "X\0: 1",
        "X\u{7f}: 1",
        "Transfer-Encoding\x0b: chunked",
        "\u{feff}Transfer-Encoding: chunked",
        "X Y : 1",
        "X Y: 1\r\n folded",
    ] {
        assert_eq!(refusal(&request_with(line)), Some(Error::FieldName), "{line:?}");
    }
    for line in [
        "X : 1",
        "X\t: 1",
        "Content-Length : 5",
        "Content-Length\t: 5",
        "Transfer-Encoding : chunked",
        "Host : b",
        "X : 1\r\n folded\r\nno colon",
    ] {
        assert_eq!(refusal(&request_with(line)), Some(Error::FieldBlank), "{line:?}");
    }
    for line in ["X", "X 1", "GET /y HTTP/1.1", "Y: 1\r\nX\r\nZ : 1"] {
        assert_eq!(refusal(&request_with(line)), Some(Error::FieldColon), "{line:?}");
    }
    for line in [
        " X: 1",
        "\tX: 1",
        "X: 1\r\n folded",
        "X: 1\r\n\tfolded",
        "X: 1\r\n ",
        "X:\r\n 1",
        "Content-Length:\r\n 5",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding: chunked\r\n , gzip",
        "X: 1\r\n folded\r\nX : 1",
    ] {
        assert_eq!(refusal(&request_with(line)), Some(Error::Folded), "{line:?}");
    }
    // A fold before any field.
    check(&[
        (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", Error::Folded),
        (b"GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", Error::Folded),
        (b"GET / HTTP/1.1\r\n \r\nHost: a\r\n\r\n", Error::Folded),
    ]);
}

#[test]
fn every_byte_is_judged_in_names_and_values() {
    for byte in 0..=255_u8 {
        for pad in [
            "",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            let mut name = b"GET / HTTP/1.1\r\nHost: a\r\nX".to_vec();
            name.extend_from_slice(pad.as_bytes());
            name.push(byte);
            name.extend_from_slice(b"Y: 1\r\n\r\n");
            // RFC 9110, section 5.6.2; a colon ends the name early, which is fine.
            let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:".contains(&byte);
            assert_eq!(refusal(&name).is_none(), token, "0x{byte:02x} in a name");

            let mut value = b"GET / HTTP/1.1\r\nHost: a\r\nX: 1".to_vec();
            value.extend_from_slice(pad.as_bytes());
            value.push(byte);
            value.extend_from_slice(b"1\r\n\r\n");
            // RFC 9110, section 5.5.
            let fine = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
            assert_eq!(refusal(&value).is_none(), fine, "0x{byte:02x} in a value");
        }
    }
}

#[test]
fn every_byte_is_judged_in_targets() {
    // RFC 3986, and what browsers send unescaped.
    let path = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/?[]|^";
    let query = "{}\\`%";
    for byte in 0..=255_u8 {
        for (start, allowed) in [("/a", path.to_string()), ("/a?b", format!("{path}{query}"))] {
            let mut input = format!("GET {start}").into_bytes();
            input.push(byte);
            input.extend_from_slice(b"z HTTP/1.1\r\nHost: a\r\n\r\n");
            let fine = allowed.as_bytes().contains(&byte);
            assert_eq!(refusal(&input).is_none(), fine, "0x{byte:02x} behind {start}");
        }
    }
}

#[test]
fn every_byte_is_judged_in_methods() {
    for byte in 0..=255_u8 {
        let mut input = b"GE".to_vec();
        input.push(byte);
        input.extend_from_slice(b"T / HTTP/1.1\r\nHost: a\r\n\r\n");
        let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        assert_eq!(refusal(&input).is_none(), token, "0x{byte:02x} in a method");
    }
}

#[test]
fn targets_fit_their_method() {
    let byte = |byte, offset| Error::TargetByte { byte, offset };
    check(&[
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", Error::Connect),
        (b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", Error::Connect),
        (b"CONNECT a:443 HTTP/1.0\r\n\r\n", Error::Connect),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", Error::Trace),
        (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", Error::TargetForm),
        (b"OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n", Error::TargetForm),
        (b"OPTIONS *?a HTTP/1.1\r\nHost: a\r\n\r\n", Error::TargetForm),
        (b"PRI * HTTP/1.1\r\nHost: a\r\n\r\n", Error::TargetForm),
        (b"GET a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", Error::TargetForm),
        (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", Error::TargetForm),
        (b"GET ?a HTTP/1.1\r\nHost: a\r\n\r\n", Error::TargetForm),
        (b"GET \\a HTTP/1.1\r\nHost: a\r\n\r\n", Error::TargetForm),
        (b"GET http:/a/x HTTP/1.1\r\nHost: a\r\n\r\n", Error::TargetForm),
        (b"GET http:a HTTP/1.1\r\nHost: a\r\n\r\n", Error::TargetForm),
        (b"GET ftp://a/x HTTP/1.1\r\nHost: a\r\n\r\n", Error::TargetForm),
        (b"GET ws://a/x HTTP/1.1\r\nHost: a\r\n\r\n", Error::TargetForm),
        (b"GET file:///etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", Error::TargetForm),
        (b"GET javascript:1 HTTP/1.1\r\nHost: a\r\n\r\n", Error::TargetForm),
        (b"GET @b/x HTTP/1.1\r\nHost: a\r\n\r\n", Error::TargetForm),
        (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", byte(b'#', 2)),
        (b"GET /a?b#c HTTP/1.1\r\nHost: a\r\n\r\n", byte(b'#', 4)),
        (b"GET http://a/#c HTTP/1.1\r\nHost: a\r\n\r\n", byte(b'#', 9)),
        (b"GET http://a#@b/ HTTP/1.1\r\nHost: a\r\n\r\n", byte(b'#', 8)),
        (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", byte(0xc3, 1)),
        (b"GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"GET /a\x00 HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n", Error::RequestLine),
        (b"GET /<a> HTTP/1.1\r\nHost: a\r\n\r\n", byte(b'<', 1)),
        (b"GET /\"a\" HTTP/1.1\r\nHost: a\r\n\r\n", byte(b'"', 1)),
        (b"GET /\\a HTTP/1.1\r\nHost: a\r\n\r\n", byte(b'\\', 1)),
        (b"GET /a% HTTP/1.1\r\nHost: a\r\n\r\n", byte(b'%', 2)),
        (b"GET /a%4 HTTP/1.1\r\nHost: a\r\n\r\n", byte(b'%', 2)),
        (b"GET /a%zz HTTP/1.1\r\nHost: a\r\n\r\n", byte(b'%', 2)),
        (b"GET /a%u0041 HTTP/1.1\r\nHost: a\r\n\r\n", byte(b'%', 2)),
        (b"GET /a%00 HTTP/1.1\r\nHost: a\r\n\r\n", byte(b'%', 2)),
    ]);
}

#[test]
fn there_is_exactly_one_sound_host() {
    check(&[
        (b"GET / HTTP/1.1\r\n\r\n", Error::HostMissing),
        (b"GET / HTTP/1.1\r\nX-Host: a\r\n\r\n", Error::HostMissing),
        (b"GET http://a/ HTTP/1.1\r\n\r\n", Error::HostMissing),
        (b"OPTIONS * HTTP/1.1\r\n\r\n", Error::HostMissing),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Error::HostRepeated),
        (b"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", Error::HostRepeated),
        (b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", Error::HostRepeated),
        (
            b"GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            Error::HostRepeated,
        ),
        (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", Error::HostInvalid),
        (b"GET / HTTP/1.1\r\nHost: \t \r\n\r\n", Error::HostInvalid),
        (b"GET / HTTP/1.0\r\nHost:\r\n\r\n", Error::HostInvalid),
        (b"GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n", Error::HostInvalid),
        (b"GET http://:80/ HTTP/1.1\r\nHost: a\r\n\r\n", Error::HostInvalid),
        (b"GET http://a@a/ HTTP/1.1\r\nHost: a\r\n\r\n", Error::HostInvalid),
        (b"GET http://a:b@a/ HTTP/1.1\r\nHost: a\r\n\r\n", Error::HostInvalid),
        (b"GET http://a\\@b/ HTTP/1.1\r\nHost: b\r\n\r\n", Error::HostInvalid),
        (
            b"GET http://a:99999/ HTTP/1.1\r\nHost: a:99999\r\n\r\n",
            Error::HostInvalid,
        ),
        (b"GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n", Error::HostInvalid),
        (b"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", Error::HostMismatch),
        (b"GET http://a/ HTTP/1.0\r\nHost: b\r\n\r\n", Error::HostMismatch),
        (b"GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n", Error::HostMismatch),
        (b"GET http://a/ HTTP/1.1\r\nHost: a:443\r\n\r\n", Error::HostMismatch),
        (b"GET https://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n", Error::HostMismatch),
        (b"GET http://a.b/ HTTP/1.1\r\nHost: a\r\n\r\n", Error::HostMismatch),
    ]);
    for host in [
        "a b",
        "a, b",
        "a,b",
        "a;b",
        "u@a",
        "u:p@a",
        "a:",
        "a:80:80",
        "a:x",
        "a:-1",
        "a:+1",
        "a:65536",
        "a:1 2",
        "a/b",
        "a?b",
        "a#b",
        "a\\b",
        "a%62",
        "http://a",
        "[::1",
        "::1",
        "[::1]b",
        "[fe80::1%25lo]",
        "[]",
        "a\tb",
        "\"a\"",
        "a\u{e9}",
        "(a)",
        "*",
        "a'b",
        "<a>",
        "a`b",
        "a{b}",
        "a|b",
        "a^b",
        "a&b",
        "a=b",
        "a+b",
        "a!b",
        "a$b",
    ] {
        let input = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes();
        let want = (host != "a:").then_some(Error::HostInvalid);
        assert_eq!(refusal(&input), want, "{host:?}");
    }
}

#[test]
fn two_ways_to_end_a_request_are_none() {
    for (lines, want) in [
        ("Content-Length: 5\r\nContent-Length: 5", Error::LengthRepeated),
        ("Content-Length: 5\r\nContent-Length: 6", Error::LengthRepeated),
        ("Content-Length: 5\r\ncontent-length: 0", Error::LengthRepeated),
        ("Content-Length: 5\r\nX: 1\r\nCONTENT-LENGTH: 5", Error::LengthRepeated),
        ("Content-Length: 5, 5", Error::LengthRepeated),
        ("Content-Length: 5,6", Error::LengthRepeated),
        ("Content-Length: ,5", Error::LengthRepeated),
        ("Content-Length: 5,", Error::LengthRepeated),
        ("Content-Length:", Error::LengthInvalid),
        ("Content-Length: \t", Error::LengthInvalid),
        ("Content-Length: +5", Error::LengthInvalid),
        ("Content-Length: -5", Error::LengthInvalid),
        ("Content-Length: -0", Error::LengthInvalid),
        ("Content-Length: 0x5", Error::LengthInvalid),
        ("Content-Length: 5 5", Error::LengthInvalid),
        ("Content-Length: 5\t6", Error::LengthInvalid),
        ("Content-Length: 5.0", Error::LengthInvalid),
        ("Content-Length: 5e0", Error::LengthInvalid),
        ("Content-Length: 1_0", Error::LengthInvalid),
        ("Content-Length: five", Error::LengthInvalid),
        ("Content-Length: \"5\"", Error::LengthInvalid),
        ("Content-Length: 5;a=b", Error::LengthInvalid),
        ("Content-Length: 5\u{a0}", Error::LengthInvalid),
        ("Content-Length: \u{ff15}", Error::LengthInvalid),
        ("Content-Length: chunked", Error::LengthInvalid),
        ("Content-Length: 9223372036854775808", Error::LengthOverflow),
        ("Content-Length: 18446744073709551615", Error::LengthOverflow),
        ("Content-Length: 18446744073709551616", Error::LengthOverflow),
        ("Content-Length: 99999999999999999999999999", Error::LengthOverflow),
        (
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            Error::EncodingWithLength,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            Error::EncodingWithLength,
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 0",
            Error::EncodingWithLength,
        ),
        ("Transfer-Encoding: x\r\nContent-Length: 5", Error::EncodingWithLength),
        ("Transfer-Encoding:\r\nContent-Length: 5", Error::EncodingWithLength),
        (
            "Transfer-Encoding: identity\r\nContent-Length: 5",
            Error::EncodingWithLength,
        ),
        (
            "Content-Length: 5\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
            Error::EncodingWithLength,
        ),
        ("Transfer-Encoding:", Error::EncodingInvalid),
        ("Transfer-Encoding: ,", Error::EncodingInvalid),
        ("Transfer-Encoding: ,chunked", Error::EncodingInvalid),
        ("Transfer-Encoding: chunked,", Error::EncodingInvalid),
        ("Transfer-Encoding: chunked, chunked", Error::EncodingInvalid),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            Error::EncodingInvalid,
        ),
        (
            "Transfer-Encoding: chunked\r\ntransfer-encoding: identity",
            Error::EncodingInvalid,
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
            Error::EncodingInvalid,
        ),
        ("Transfer-Encoding: chunked, identity", Error::EncodingInvalid),
        ("Transfer-Encoding: chunked, gzip", Error::EncodingInvalid),
        ("Transfer-Encoding: chunked;q=1", Error::EncodingInvalid),
        ("Transfer-Encoding: chunked ;a", Error::EncodingInvalid),
        ("Transfer-Encoding: \"chunked\"", Error::EncodingInvalid),
        ("Transfer-Encoding: 'chunked", Error::EncodingUnsupported),
        ("Transfer-Encoding: chunked\u{a0}", Error::EncodingInvalid),
        ("Transfer-Encoding: \u{85}chunked", Error::EncodingInvalid),
        ("Transfer-Encoding: chunked gzip", Error::EncodingInvalid),
        ("Transfer-Encoding: chunked chunked", Error::EncodingInvalid),
        ("Transfer-Encoding: (x) chunked", Error::EncodingInvalid),
        ("Transfer-Encoding: chunked\\", Error::EncodingInvalid),
        ("Transfer-Encoding: chunked=", Error::EncodingInvalid),
        ("Transfer-Encoding: x", Error::EncodingUnsupported),
        ("Transfer-Encoding: xchunked", Error::EncodingUnsupported),
        ("Transfer-Encoding: chunkedx", Error::EncodingUnsupported),
        ("Transfer-Encoding: chunke", Error::EncodingUnsupported),
        ("Transfer-Encoding: identity", Error::EncodingUnsupported),
        ("Transfer-Encoding: gzip", Error::EncodingUnsupported),
        ("Transfer-Encoding: gzip, chunked", Error::EncodingUnsupported),
        ("Transfer-Encoding: identity, chunked", Error::EncodingUnsupported),
        (
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
            Error::EncodingUnsupported,
        ),
        ("Transfer-Encoding: deflate;q=1, chunked", Error::EncodingUnsupported),
        ("Transfer-Encoding: \x0bchunked", Error::FieldValue),
        ("Transfer-Encoding: chunked\x0b", Error::FieldValue),
        ("Transfer-Encoding: \0chunked", Error::FieldValue),
        ("Transfer-Encoding: chunked\0", Error::FieldValue),
        ("Transfer-Encoding: chunked\x7f", Error::FieldValue),
        ("Transfer-Encoding: chunked\rX: y", Error::FieldValue),
        ("Transfer_Encoding: chunked", Error::FramingAlias),
        ("transfer.encoding: chunked", Error::FramingAlias),
        ("Transfer~Encoding: chunked", Error::FramingAlias),
        ("Content_Length: 5", Error::FramingAlias),
        ("Content-Length: 5\r\nContent_Length: 6", Error::FramingAlias),
        ("Transfer-Encoding: chunked\r\nContent_Length: 6", Error::FramingAlias),
        ("Content'Length: 5", Error::FramingAlias),
    ] {
        assert_eq!(refusal(&request_with(lines)), Some(want), "{lines:?}");
    }
}

#[test]
fn http10_has_no_transfer_codings() {
    check(&[
        (
            b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Error::EncodingInHttp10,
        ),
        (
            b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
            Error::EncodingInHttp10,
        ),
        (
            b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            Error::EncodingWithLength,
        ),
    ]);
}

#[test]
fn connection_cannot_name_what_ends_or_routes_a_message() {
    for line in [
        "Connection: Host",
        "Connection: content-length",
        "Connection: close, Content-Length",
        "Connection: transfer-encoding",
        "Connection: keep-alive,TRANSFER-ENCODING",
        "Connection: close\r\nConnection: host",
        "Connection: Content_Length",
    ] {
        assert_eq!(refusal(&request_with(line)), Some(Error::ConnectionOption), "{line:?}");
    }
    let many = format!("Connection: {}", "a,".repeat(65));
    assert_eq!(refusal(&request_with(&many)), Some(Error::TooManyOptions { limit: 64 }));
    let enough = format!("Connection: {}", "a,".repeat(64));
    assert_eq!(refusal(&request_with(&enough)), None);
}

#[test]
fn expectations_are_one_or_refused() {
    for value in ["", "200-ok", "100-continue, x", "100-continue;a", "100_continue"] {
        assert_eq!(
            refusal(&request_with(&format!("Expect: {value}"))),
            Some(Error::Expectation),
            "{value:?}"
        );
    }
    assert_eq!(
        refusal(&request_with("Expect: 100-continue\r\nExpect: x")),
        Some(Error::Expectation)
    );
    assert_eq!(refusal(&request_with("Expect: 100-Continue")), None);
    // HTTP/1.0 ignores the field.
    assert_eq!(refusal(b"GET / HTTP/1.0\r\nExpect: x\r\n\r\n"), None);
}

#[test]
fn errors_know_their_status() {
    for (input, status) in [
        (&b"GET /\r\n\r\n"[..], 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 417),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
    ] {
        assert_eq!(refusal(input).map(|e| e.status()), Some(status));
    }
}

#[test]
fn what_is_right_is_not_refused() {
    for input in [
        &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost:a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHOST: \t a:8080 \t \r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        b"M-SEARCH /a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET //a//b?c=//d HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a/../b/./c;x=1?y[]=1&z=%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /%e2%82%ac HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://A:80/x HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX:\r\nY: \r\nZ:\t\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \"quoted, \\\" and\" (comment) \xe2\x82\xac\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~0Az: 1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 00\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \t ChUnKeD \t\r\n\r\n0\r\n\r\n",
        b"DELETE / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
    ] {
        let story = requests(input);
        assert_eq!(story.error, None, "{:?}", String::from_utf8_lossy(input));
        assert_eq!(story.messages.len(), 1);
        assert!(story.messages[0].complete && story.rest.is_empty());
    }
}

//! Answers of servers, made up: what is refused, and alerts.

mod support;

use lb_preface::server_hello::{self, Answer, Error, Limits, Part};
use lb_preface::{Version, sniff};
use support::{byte_by_byte, framed, open, records};

fn peek(input: &[u8]) -> Result<Option<(Answer, usize)>, Error> {
    server_hello::peek(input, Limits::default()).map(open)
}

fn message(session_id: &[u8], behind: &[u8]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([9; 32]);
    body.push(session_id.len() as u8);
    body.extend(session_id);
    body.extend([0xc0, 0x2f, 0]);
    body.extend(behind);
    framed(2, &body)
}

#[test]
fn a_hello_without_extensions_is_read_and_what_follows_is_not_looked_at() {
    let hello = message(b"id", b"");
    let certificate = framed(11, &[0; 2000]);
    let bytes = records(&[&hello[..], &certificate].concat(), &[]);
    let Ok(Some((Answer::Hello(read), len))) = peek(&bytes) else {
        panic!()
    };
    assert_eq!(
        (read.version(), read.cipher_suite(), len),
        (Some(Version::Tls12), 0xc02f, hello.len() + 5)
    );
    assert_eq!(read.lasting_session_id(), Some(&b"id"[..]));
    byte_by_byte(&bytes, peek);
}

#[test]
fn a_server_that_keeps_no_sessions_has_no_session_id() {
    let Ok(Some((Answer::Hello(read), _))) = peek(&records(&message(b"", b""), &[])) else {
        panic!()
    };
    assert_eq!((read.session_id(), read.lasting_session_id()), (&b""[..], None));
}

#[test]
fn an_alert_is_told_with_its_level_and_number() {
    for (level, description, text) in [
        (2, 40, "alert handshake_failure"),
        (1, 112, "alert unrecognized_name"),
        (2, 200, "alert 200"),
    ] {
        let bytes = [21, 3, 1, 0, 2, level, description, 22, 3, 3];
        let answer = Answer::Alert { level, description };
        assert_eq!(peek(&bytes), Ok(Some((answer, 7))));
        assert_eq!(answer.to_string(), text);
        byte_by_byte(&bytes, peek);
    }
    // Encrypted, or of another length: no alert that could be read.
    for bytes in [&[21, 3, 3, 0, 26, 1, 1][..], &[21, 3, 3, 1, 2, 1, 1]] {
        assert_eq!(peek(bytes), Err(Error::RecordKind { kind: 21, offset: 0 }));
        byte_by_byte(bytes, peek);
    }
}

#[test]
fn a_draft_has_its_number_and_no_version() {
    let bytes = records(&message(b"id", b"\0\x06\0\x2b\0\x02\x7f\x1c"), &[]);
    let Ok(Some((Answer::Hello(read), _))) = peek(&bytes) else {
        panic!()
    };
    assert_eq!(
        (read.version(), read.version_number(), read.lasting_session_id()),
        (None, 0x7f1c, None)
    );
    assert_eq!(Answer::Hello(read).to_string(), "version 0x7f1c");
}

#[test]
fn lengths_that_do_not_fit_are_refused_with_their_place() {
    let id = [7; 33];
    for (bytes, part, offset) in [
        (message(&id, b""), Part::SessionId, 38),
        (message(b"", b"\0"), Part::Extensions, 42),
        (message(b"", b"\0\x01"), Part::Extensions, 42),
        (message(b"", b"\0\0\0"), Part::Extensions, 42),
        (message(b"", b"\0\x01\0"), Part::Extensions, 44),
        (message(b"", b"\0\x05\0\x2b\0\x02\x03"), Part::Extension(43), 44),
        (message(b"", b"\0\x07\0\x2b\0\x03\x03\x04\x03"), Part::Extension(43), 44),
        (framed(2, &[3; 33]), Part::Start, 4),
        (framed(2, &message(b"", b"")[4..40]), Part::CipherSuites, 39),
        (framed(2, &message(b"", b"")[4..41]), Part::Compression, 41),
    ] {
        let bytes = records(&bytes, &[]);
        assert_eq!(peek(&bytes), Err(Error::Malformed { part, offset }));
        byte_by_byte(&bytes, peek);
    }
    let twice = records(&message(b"", b"\0\x0c\0\x2b\0\x02\x03\x04\0\x2b\0\x02\x03\x04"), &[]);
    assert_eq!(peek(&twice), Err(Error::ExtensionTwice { kind: 43, offset: 50 }));
}

#[test]
fn what_is_no_server_of_tls_is_refused() {
    let client = records(&framed(1, &[0; 50]), &[]);
    assert_eq!(peek(&client), Err(Error::Message { kind: 1, wanted: 2 }));
    for (bytes, protocol) in [
        (&b"HTTP/1.1 400 Bad Request\r\n"[..], sniff::Protocol::Unknown),
        (b"SSH-2.0-x\r\n", sniff::Protocol::Ssh),
        (b"220 mail.example.test ESMTP\r\n", sniff::Protocol::Http1),
    ] {
        let found = peek(bytes);
        assert!(
            matches!(found, Err(Error::NotTls { protocol: found, .. }) if found == protocol),
            "{found:?}"
        );
        byte_by_byte(bytes, peek);
    }
    let limits = Limits {
        hello_bytes: 50,
        ..Limits::default()
    };
    let bytes = records(&message(b"", &[0, 10, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0]), &[]);
    assert_eq!(
        server_hello::peek(&bytes, limits),
        Err(Error::TooLarge { len: 54, limit: 50 })
    );
    let limits = Limits {
        hello_bytes: 54,
        ..Limits::default()
    };
    assert!(server_hello::peek(&bytes, limits).is_ok());
}

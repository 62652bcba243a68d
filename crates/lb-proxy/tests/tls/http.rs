//! Just enough of HTTP/1.1 to tell whether a message is whole.

use std::io::{ErrorKind, Read, Write};

/// A head, without its empty line; `None`: the other side ended before it.
pub(crate) fn head(from: &mut impl Read) -> Option<String> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        match from.read(&mut byte) {
            Ok(1) => text.push(byte[0]),
            Ok(_) => return None,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(String::from_utf8(text).unwrap())
}

pub(crate) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// The body of a message with this head.
pub(crate) fn body(from: &mut impl Read, head: &str) -> Vec<u8> {
    let mut body = Vec::new();
    if let Some(length) = field(head, "content-length") {
        body.resize(length.parse().unwrap(), 0);
        from.read_exact(&mut body).unwrap();
    } else if field(head, "transfer-encoding").is_some() {
        loop {
            let mut line = Vec::new();
            while !line.ends_with(b"\r\n") {
                let mut byte = [0];
                from.read_exact(&mut byte).unwrap();
                line.push(byte[0]);
            }
            let size = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            from.read_exact(&mut chunk).unwrap();
            if size == 0 {
                return body;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }
    body
}

/// Answers every request with its own body, or with as many bytes as `/N` asks for.
pub(crate) fn echo(mut stream: impl Read + Write) {
    while let Some(request) = head(&mut stream) {
        let mut content = body(&mut stream, &request);
        let path = request.split(' ').nth(1).unwrap();
        if let Ok(length) = path[1..].parse::<usize>() {
            content = pattern(length);
        }
        let text = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", content.len());
        if stream.write_all(&[text.as_bytes(), &content].concat()).is_err() {
            return;
        }
        let _ = stream.flush();
    }
}

pub(crate) fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

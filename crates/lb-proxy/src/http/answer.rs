//! Answers that come from us and not from a backend.

use super::client::Client;
use super::exchange::{Exchange, Phase};
use crate::core::Core;
use lb_http::h1::{self, Framing};
use lb_http::{Head, Version};
use lb_telemetry::End;
use lb_types::FieldsMut;
use std::io::Write;

/// Answers a request whose head was read. The connection stays open when the request's body
/// needs no more reading.
pub(super) fn respond(
    x: &mut Exchange,
    client: &mut Client,
    status: u16,
    end: End,
    location: Option<&str>,
    core: &Core,
) {
    if !matches!(x.framing, Framing::Empty | Framing::Length(0)) || !client.conn.reading_done() {
        client.conn.close_after();
    }
    let body = body_of(status, end, x.detail);
    x.down.begin(core);
    let mut head = core.take_head();
    let built = build(&mut head, status, end, x.detail, location).is_ok_and(|()| {
        client
            .conn
            .write_head(&head, Framing::Length(body.len() as u64), &mut x.down.out)
            .is_ok()
    });
    core.give_head(head);
    if !built {
        // The codec is in no state to write: the protocol was broken before.
        refuse(x, client, status, end, core);
        return;
    }
    if !x.request.is_head_method() && client.conn.write_body(body.len(), &mut x.down.out).is_ok() {
        x.down.out.extend_from_slice(body.as_bytes());
        x.facts.own_body = body.len() as u32;
    }
    let _ = client.conn.write_end(None, &mut x.down.out);
    x.facts.status = status;
    x.facts.end = Some(end);
    x.facts.forwarded = true;
    x.phase = Phase::Answer;
}

/// Answers what could not be read as a request, or not to its end, and closes.
pub(super) fn refuse(x: &mut Exchange, client: &mut Client, status: u16, end: End, core: &Core) {
    x.down.begin(core);
    client.conn.close_after();
    client.asked_to_close = false;
    let body = body_of(status, end, x.detail);
    // A head that could not be read stands at the front of the input still.
    let unread = x.phase == Phase::Head && x.input.filled().trim_ascii_start().starts_with(b"HEAD ");
    let is_head = unread || x.request.is_head_method();
    let out = &mut x.down.out;
    // Writing into a Vec cannot fail.
    let _ = write!(
        out,
        "HTTP/1.1 {status} {}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n",
        reason(status),
        body.len()
    );
    if status == 405 {
        let _ = write!(out, "Allow: {METHODS}\r\n");
    }
    if let Some(error) = end.proxy_status() {
        out.extend_from_slice(b"Proxy-Status: ");
        proxy_status(error, end, x.detail, out);
        out.extend_from_slice(b"\r\n");
    }
    let _ = write!(out, "Connection: close\r\n\r\n");
    if !is_head {
        out.extend_from_slice(body.as_bytes());
        x.facts.own_body = body.len() as u32;
    }
    x.facts.status = status;
    x.facts.end = Some(end);
    x.facts.forwarded = true;
    x.phase = Phase::Answer;
}

/// The end reason that belongs to a codec error of a client.
pub(super) fn end_of(error: &h1::Error) -> End {
    match error.status() {
        408 => End::ClientTimeout,
        411 => End::LengthRequired,
        413 => End::BodyTooLarge,
        414 => End::TargetTooLong,
        417 => End::ExpectationFailed,
        431 => End::HeadTooLarge,
        405 => End::MethodRefused,
        501 => End::NotImplemented,
        505 => End::VersionUnsupported,
        _ => End::BadRequest,
    }
}

fn build(
    head: &mut Head,
    status: u16,
    end: End,
    detail: &str,
    location: Option<&str>,
) -> Result<(), lb_types::InvalidField> {
    head.start_response(status)?;
    head.append("Content-Type", b"text/plain; charset=utf-8")?;
    if let Some(location) = location {
        head.append("Location", location.as_bytes())?;
    }
    if let Some(error) = end.proxy_status() {
        let mut value = Vec::with_capacity(128);
        proxy_status(error, end, detail, &mut value);
        head.append("Proxy-Status", &value)?;
    }
    if status == 405 {
        head.append("Allow", METHODS.as_bytes())?;
    }
    Ok(())
}

/// RFC 9209. Our own words only, which need no escape in a quoted string.
fn proxy_status(error: &str, end: End, detail: &str, out: &mut Vec<u8>) {
    // Writing into a Vec cannot fail.
    let _ = write!(out, "lbd; error={error}; details=\"{}", end.as_str());
    if !detail.is_empty() {
        let _ = write!(out, ": {detail}");
    }
    out.push(b'"');
}

/// What a refused method is told; others pass too.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

fn body_of(status: u16, end: End, detail: &str) -> String {
    if end == End::Respond {
        return format!("{status} {}\n", reason(status));
    }
    let (before, behind) = if detail.is_empty() { ("", "") } else { (" (", ")") };
    let explained = end.explain();
    format!("{status} {}: {explained}{before}{detail}{behind}\n", reason(status))
}

/// RFC 9110, section 15, for the statuses that we send ourselves; a route may ask for others.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        410 => "Gone",
        411 => "Length Required",
        413 => "Content Too Large",
        414 => "URI Too Long",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Other",
    }
}

/// Does a client of this version understand interim responses?
pub(super) fn takes_interim(version: Version) -> bool {
    version == Version::Http11
}

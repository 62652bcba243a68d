//! Answers that come from us and not from a backend.

use super::connection::Client;
use super::exchange::{Exchange, Phase};
use super::flow::Sink;
use super::response::say_https_only;
use crate::core::Core;
use lb_http::h1::{self, Framing};
use lb_http::{Head, Version, reason};
use lb_telemetry::End;
use lb_types::{FieldsMut, InvalidField};
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
    if !matches!(x.framing, Framing::Empty | Framing::Length(0)) || !client.side.reading_done() {
        client.side.close_after();
    }
    let is_head = x.request.is_head_method();
    if write(x, client, status, end, location, is_head, core).is_err() {
        // The codec is in no state to write: the protocol was broken before.
        refuse(x, client, status, end, core);
        return;
    }
    answers(x, status, end);
}

/// Answers what could not be read as a request, or not to its end, and closes.
pub(super) fn refuse(x: &mut Exchange, client: &mut Client, status: u16, end: End, core: &Core) {
    client.side.answer_instead(core);
    x.down.clear(core);
    // A head that could not be read stands at the front of the input still.
    let unread = x.phase == Phase::Head && client.side.begins_with(b"HEAD ");
    let is_head = unread || x.request.is_head_method();
    // It is as short as can be, and what is full was taken back: a client that cannot be told sees the end.
    let _ = write(x, client, status, end, None, is_head, core);
    answers(x, status, end);
}

fn answers(x: &mut Exchange, status: u16, end: End) {
    x.trace.status = status;
    x.upstream.close();
    x.phase = Phase::Answer(end);
}

/// Puts the whole answer on its way.
fn write(
    x: &mut Exchange,
    client: &mut Client,
    status: u16,
    end: End,
    location: Option<&str>,
    is_head: bool,
    core: &Core,
) -> Result<(), h1::Error> {
    let age = client.https_only();
    let side = &mut client.side;
    let detail = x.course.detail;
    let body = body_of(status, end, detail);
    let mut head = core.take_head();
    let built = build(&mut head, status, end, detail, location);
    if let Some(age) = age {
        say_https_only(&mut head, age);
    }
    let written = built
        .map_err(|_| h1::Error::OutOfTurn("no room for an answer of our own"))
        .and_then(|()| side.write_head(&head, Framing::Length(body.len() as u64), core));
    core.give_head(head);
    written?;
    if is_head {
        return Ok(());
    }
    if side.write_body(body.as_bytes()).is_ok() {
        x.trace.own_body = body.len() as u32;
    }
    side.finish(None)
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

fn build(head: &mut Head, status: u16, end: End, detail: &str, location: Option<&str>) -> Result<(), InvalidField> {
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
    let reason = match reason(status) {
        "" => "Other",
        reason => reason,
    };
    if end == End::Respond {
        return format!("{status} {reason}\n");
    }
    let (before, behind) = if detail.is_empty() { ("", "") } else { (" (", ")") };
    let explained = end.explain();
    format!("{status} {reason}: {explained}{before}{detail}{behind}\n")
}

/// Does a client of this version understand interim responses?
pub(super) fn takes_interim(version: Version) -> bool {
    version == Version::Http11
}

//! Leaving HTTP on a connection: which requests may ask for it. RFC 9110, section 7.8.
//!
//! The way of an upgrade: [`wanted`] says whether a request asks lawfully;
//! [`forward::request`](crate::forward::request) keeps the field only then;
//! [`h1::Conn::write_head`](crate::h1::Conn::write_head) writes `Connection: upgrade` beside it; the
//! backend's 101 is accepted only on a connection where it was written, and only a 101 opens the tunnel.
//! A request that merely looks like an upgrade never does.

use crate::head::name::Name;
use crate::{Head, Version, list};

/// The protocol that a request asks for, or `None` when it asks for none in a way that is passed on.
///
/// Passed on is only `websocket` (RFC 6455), alone on one line, in a `GET` of HTTP/1.1 without a
/// body, with `upgrade` among its connection options. Everything else is an ordinary request whose
/// `Upgrade` is dropped: `h2c` above all, because a backend that accepts it would take requests
/// that nobody here has seen, and HTTP/1.0, in which the field means nothing (RFC 9110, section 7.8).
#[must_use]
pub fn wanted(head: &Head) -> Option<&[u8]> {
    if !head.has(Name::Upgrade) || !head.has(Name::Connection) || head.is_repeated(Name::Upgrade) {
        return None;
    }
    let has_body = head.has(Name::TransferEncoding) || head.known(Name::ContentLength).is_some_and(|v| v != b"0");
    let is_option = || {
        head.values(Name::Connection)
            .flat_map(list::members)
            .any(|option| option.eq_ignore_ascii_case(b"upgrade"))
    };
    let protocol = head.known(Name::Upgrade)?;
    (head.version() == Version::Http11
        && head.method() == b"GET"
        && !has_body
        && protocol.eq_ignore_ascii_case(b"websocket")
        && is_option())
    .then_some(protocol)
}

//! What a proxy changes in a head on its way: hop-by-hop fields out, the client's address in.
//! RFC 9110, section 7.6; the `X-Forwarded-*` fields have no standard.
//!
//! # Hop-by-hop
//!
//! Removed in both directions: `Connection` and what it names, `Keep-Alive`, `Proxy-Connection`,
//! `TE`, `Transfer-Encoding`, `Upgrade` (but for upgrades that are passed on), `HTTP2-Settings`,
//! `Proxy-Authenticate`, `Proxy-Authorization`, `Proxy-Authentication-Info`. `TE: trailers` goes too:
//! trailers are relayed whenever they come. From requests also `Proxy`, which CGI programs take for
//! their proxy setting, and `Expect` of HTTP/1.0, which must be ignored there.
//!
//! `Max-Forwards` of `OPTIONS` is counted down ([`ends_here`] says when it is used up).
//!
//! `Connection` cannot remove end-to-end fields that others rely on: the list is [`PROTECTED`].
//!
//! # Who the client is
//!
//! | peer | `X-Forwarded-For` | `-Proto`, `-Port` | `-Host`, `Forwarded`, `X-Real-IP` |
//! | --- | --- | --- | --- |
//! | untrusted | the peer's address alone | ours | removed |
//! | trusted | the peer's address is appended to the last line | kept, or ours | kept |
//!
//! Spellings such as `X_Forwarded_For` are always removed: some backends read them as the real name.

mod address;

use crate::head::name::Name;
use crate::{Head, Version, list};
use address::{Short, Text};
use core::net::IpAddr;
use lb_types::{Cidr, FieldsMut, InvalidField};

pub use address::client_address;

/// What a request is told on its way to a backend.
#[derive(Debug, Clone, Copy)]
pub struct Forward<'a> {
    /// Who sent the request over this connection.
    pub peer: IpAddr,
    /// Is the peer a proxy whose statements about its client are believed?
    pub trusted: bool,
    /// `http` or `https`: what the client spoke.
    pub proto: &'a str,
    /// The port the client connected to.
    pub port: u16,
    /// Keep `Upgrade`: when [`upgrade::wanted`](crate::upgrade::wanted) said yes and the backend may be asked.
    pub keep_upgrade: bool,
}

/// Prepares a request that was read for writing to a backend. Call it once per request; allocates
/// nothing while the head is large enough.
///
/// # Errors
/// [`InvalidField::Full`] when the head has no room for three more lines.
pub fn request(head: &mut Head, how: &Forward<'_>) -> Result<(), InvalidField> {
    remove_hop_by_hop(head, how.keep_upgrade);
    let expect = if head.version() == Version::Http10 {
        Name::Expect.bit()
    } else {
        0
    };
    head.remove_known(Name::Proxy.bit() | Name::ForwardedAlias.bit() | expect);
    if let Some(hops) = hops_left(head) {
        head.replace("Max-Forwards", 0, Short::number(hops.saturating_sub(1)).bytes())?;
    }
    if !how.trusted {
        head.remove_known(STATEMENTS);
        if how.proto.len() <= LONGEST_PROTO {
            return state_all(head, how);
        }
    }
    let address = Short::address(how.peer);
    match head.known(Name::XForwardedFor) {
        Some(b"") => head.extend_last(Name::XForwardedFor, &[address.bytes()])?,
        Some(_) => head.extend_last(Name::XForwardedFor, &[b", ", address.bytes()])?,
        None => head.append_parts(Name::XForwardedFor, FOR, &[address.bytes()])?,
    }
    if !head.has(Name::XForwardedProto) {
        head.append_parts(Name::XForwardedProto, PROTO, &[how.proto.as_bytes()])?;
    }
    if !head.has(Name::XForwardedPort) {
        head.append_parts(Name::XForwardedPort, PORT, &[Short::number(how.port).bytes()])?;
    }
    Ok(())
}

/// The lines of a client that nobody else speaks for, put together on the stack: nearly every request needs
/// them, and one piece costs half of three.
fn state_all(head: &mut Head, how: &Forward<'_>) -> Result<(), InvalidField> {
    let mut text = Text::<STATEMENT_BYTES>::new();
    text.push_bytes(b"X-Forwarded-For: ");
    let address = text.measure(|t| t.push_address(how.peer));
    text.push_bytes(b"\r\nX-Forwarded-Proto: ");
    let proto = text.measure(|t| t.push_bytes(how.proto.as_bytes()));
    text.push_bytes(b"\r\nX-Forwarded-Port: ");
    let port = text.measure(|t| t.push_number(how.port));
    text.push_bytes(b"\r\n");
    head.append_lines(
        text.bytes(),
        [
            (Name::XForwardedFor, FOR.len(), address),
            (Name::XForwardedProto, PROTO.len(), proto),
            (Name::XForwardedPort, PORT.len(), port),
        ],
    )
}

/// Must the request be answered here instead of being passed on? `OPTIONS` with `Max-Forwards: 0`.
/// RFC 9110, section 7.6.2.
#[must_use]
pub fn ends_here(head: &Head) -> bool {
    hops_left(head) == Some(0)
}

/// Prepares a response that was read for writing to a client. `keep_upgrade`: keep `Upgrade`, for a 101.
pub fn response(head: &mut Head, keep_upgrade: bool) {
    remove_hop_by_hop(head, keep_upgrade);
}

fn remove_hop_by_hop(head: &mut Head, keep_upgrade: bool) {
    if !head.has_any(HOP_BY_HOP) {
        return;
    }
    if head.has(Name::Connection) && head.plain_connection().is_none() {
        head.remove_nominated(is_protected);
    }
    let kept = if keep_upgrade { Name::Upgrade.bit() } else { 0 };
    head.remove_known(HOP_BY_HOP & !kept);
}

/// The value of `Max-Forwards` where it counts; larger ones than anybody means are cut.
fn hops_left(head: &Head) -> Option<u16> {
    if !head.has(Name::MaxForwards) || head.method() != b"OPTIONS" {
        return None;
    }
    let value = head.known(Name::MaxForwards)?;
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let number = value
        .iter()
        .fold(0_u16, |n, d| n.saturating_mul(10).saturating_add(u16::from(d & 15)));
    digits.then_some(number)
}

fn is_protected(name: &[u8]) -> bool {
    PROTECTED.iter().any(|p| name.eq_ignore_ascii_case(p.as_bytes()))
}

const FOR: &str = "X-Forwarded-For";
const PROTO: &str = "X-Forwarded-Proto";
const PORT: &str = "X-Forwarded-Port";
/// Names, separators and line ends take 60 bytes, an address at most 39, a port 5.
const STATEMENT_BYTES: usize = 128;
const LONGEST_PROTO: usize = 16;

const HOP_BY_HOP: u64 = Name::Connection.bit()
    | Name::KeepAlive.bit()
    | Name::ProxyConnection.bit()
    | Name::Te.bit()
    | Name::TransferEncoding.bit()
    | Name::Upgrade.bit()
    | Name::Http2Settings.bit()
    | Name::ProxyAuthenticate.bit()
    | Name::ProxyAuthorization.bit()
    | Name::ProxyAuthenticationInfo.bit();

/// What a peer says about somebody else.
const STATEMENTS: u64 = Name::XForwardedFor.bit()
    | Name::XForwardedProto.bit()
    | Name::XForwardedPort.bit()
    | Name::XForwardedHost.bit()
    | Name::Forwarded.bit()
    | Name::XRealIp.bit();

/// Fields that stay although `Connection` names them: they are for the receiver of the
/// message, never for one hop (RFC 9110, section 7.6.1), and removing them has been used to take
/// away what a proxy in front had said about its client.
pub const PROTECTED: [&str; 36] = [
    "Host",
    "Content-Length",
    "Content-Type",
    "Content-Encoding",
    "Content-Language",
    "Content-Location",
    "Content-Range",
    "Content-Disposition",
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "Authorization",
    "WWW-Authenticate",
    "Cookie",
    "Set-Cookie",
    "Cache-Control",
    "Expect",
    "Date",
    "Age",
    "Expires",
    "ETag",
    "Last-Modified",
    "Location",
    "Vary",
    "Via",
    "Range",
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "If-Range",
    "Origin",
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Host",
    "Forwarded",
    "X-Real-IP",
];

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
//! `Connection` cannot remove end-to-end fields that others rely on ([`PROTECTED`]), nor what a proxy in front has said.
//!
//! # Who the client is
//!
//! | peer | `X-Forwarded-For` | `-Proto`, `-Port` | `Forwarded` | other `X-Forwarded-*`, `X-Real-IP` | other claims |
//! | --- | --- | --- | --- | --- | --- |
//! | untrusted | the peer's address alone | ours | removed | removed | removed |
//! | trusted | one line: what all lines said, then the peer's address | kept, or ours | extended by the peer | kept | kept |
//!
//! A port that a trusted peer does not name is that of its `X-Forwarded-Host`, or the usual one of its
//! `X-Forwarded-Proto`: ours would contradict it. Each of the three that are ours can be left out ([`Statements`]).
//!
//! Other claims are fields of other names by which proxies speak of their client, and which frameworks believe: who
//! it is (`True-Client-IP`, `CF-Connecting-IP`, `Client-Cert`, `SSL-Client-*` ..), what it asks (`X-Original-URL`, `X-Rewrite-URL`,
//! `X-HTTP-Method-Override` ..) and how (`Front-End-Https` ..). One switch keeps them all.
//!
//! Spellings such as `X_Forwarded_For` are always removed: some backends read them as the real name.

mod address;

use crate::h1::digits;
use crate::head::claim::is_claim;
use crate::head::name::Name;
use crate::{Head, Version, list};
use core::fmt::{Display, Write};
use core::hint::cold_path;
use core::net::IpAddr;
use lb_types::{Cidr, FieldsMut, InvalidField};

pub use address::client_address;

/// Who sends requests over a connection, with the lines that say so to a backend: they are put together once per
/// connection, because nearly every request needs them.
#[derive(Debug, Clone)]
pub struct Sender {
    peer: IpAddr,
    /// `X-Forwarded-For`, `-Proto` and `-Port`, as they are written.
    lines: Box<str>,
    /// Name, length of the name, length of the value.
    parts: [(Name, u32, u32); 3],
}

impl Sender {
    /// `peer`: the other end of the connection; `proto`: what it speaks, `http` or `https`, written as it is; `port`: the
    /// one it connected to. Allocates one block of about 90 bytes.
    #[must_use]
    pub fn new(peer: IpAddr, proto: &'static str, port: u16) -> Self {
        let peer = peer.to_canonical();
        let mut lines = String::with_capacity(LONGEST_LINES);
        let mut line = |id, name: &str, value: &dyn Display| {
            let start = lines.len().wrapping_add(name.len()).wrapping_add(2);
            // A String takes all that is written to it.
            let _ = write!(lines, "{name}: {value}");
            let len = lines.len().wrapping_sub(start);
            lines.push_str("\r\n");
            (id, name.len() as u32, len as u32)
        };
        let parts = [
            line(Name::XForwardedFor, FOR, &peer),
            line(Name::XForwardedProto, PROTO, &proto),
            line(Name::XForwardedPort, PORT, &port),
        ];
        Self {
            peer,
            lines: lines.into(),
            parts,
        }
    }

    /// The address of the other end; an IPv4-mapped one as IPv4.
    #[must_use]
    pub const fn peer(&self) -> IpAddr {
        self.peer
    }

    /// The values of the three lines.
    fn values(&self) -> [&[u8]; 3] {
        let mut left = &*self.lines;
        self.parts.map(|(_, name, value)| {
            let (name, value) = (name as usize, value as usize);
            let (line, rest) = left
                .split_at_checked(name.wrapping_add(value).wrapping_add(4))
                .unwrap_or_default();
            left = rest;
            let start = name.wrapping_add(2);
            line.as_bytes()
                .get(start..start.wrapping_add(value))
                .unwrap_or_default()
        })
    }
}

/// What a backend is told of the client: the `X-Forwarded-*` fields of ours, and whether others may claim things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statements {
    /// Send `X-Forwarded-For`, and extend a trusted peer's `Forwarded`.
    pub address: bool,
    /// Send `X-Forwarded-Proto`.
    pub proto: bool,
    /// Send `X-Forwarded-Port`.
    pub port: bool,
    /// Drop the other claims (module page) of untrusted clients. What begins with `X-Forwarded`, `Forwarded` and `X-Real-IP`
    /// is always dropped.
    pub drop_claims: bool,
}

impl Default for Statements {
    /// All three are sent, all claims dropped.
    fn default() -> Self {
        Self {
            address: true,
            proto: true,
            port: true,
            drop_claims: true,
        }
    }
}

/// What a request is told on its way to a backend.
#[derive(Debug, Clone, Copy)]
pub struct Forward<'a> {
    /// Who sent the request.
    pub sender: &'a Sender,
    /// Is the sender a proxy whose statements about its client are believed?
    pub trusted: bool,
    /// What is said of it.
    pub statements: Statements,
    /// Keep `Upgrade`: when [`upgrade::wanted`](crate::upgrade::wanted) said yes and the backend may be asked.
    pub keep_upgrade: bool,
    /// Keep `Expect`: when a body follows that its sender may hold back. Without one there is nothing to wait for, and
    /// backends have been led astray by it. Never kept in HTTP/1.0, which does not know it.
    pub keep_expect: bool,
}

/// Prepares a request that was read for writing to a backend. Call it once per request; allocates
/// nothing while the head is large enough.
///
/// # Errors
/// [`InvalidField::Full`] when the head has no room for three more lines.
pub fn request(head: &mut Head, how: &Forward<'_>) -> Result<(), InvalidField> {
    remove_hop_by_hop(head, how.keep_upgrade);
    let expect = if how.keep_expect && head.version() != Version::Http10 {
        0
    } else {
        Name::Expect.bit()
    };
    head.remove_known(Name::Proxy.bit() | Name::ForwardedAlias.bit() | expect);
    if let Some(hops) = hops_left(head) {
        cold_path();
        let mut room = [0; 20];
        head.replace("Max-Forwards", 0, digits(u64::from(hops.saturating_sub(1)), &mut room))?;
    }
    if how.trusted {
        cold_path();
        return add_to_statements(head, how);
    }
    let claims = if how.statements.drop_claims {
        Name::Claim.bit()
    } else {
        0
    };
    head.remove_known(STATEMENTS | claims);
    if how.statements.address && how.statements.proto && how.statements.port {
        return head.append_lines(how.sender.lines.as_bytes(), &how.sender.parts);
    }
    cold_path();
    append_some(head, how)
}

/// The lines that are wanted.
#[inline(never)]
fn append_some(head: &mut Head, how: &Forward<'_>) -> Result<(), InvalidField> {
    let Statements {
        address, proto, port, ..
    } = how.statements;
    let wanted = [address, proto, port];
    let lines = how.sender.parts.into_iter().zip([FOR, PROTO, PORT]);
    for (((id, ..), name), (value, wanted)) in lines.zip(how.sender.values().into_iter().zip(wanted)) {
        if wanted {
            head.append_parts(id, name, &[value])?;
        }
    }
    Ok(())
}

/// A proxy that is trusted may have said something already.
#[inline(never)]
fn add_to_statements(head: &mut Head, how: &Forward<'_>) -> Result<(), InvalidField> {
    let [address, proto, port] = how.sender.values();
    if how.statements.address {
        if head.has(Name::XForwardedFor) {
            head.join_and_extend(Name::XForwardedFor, &[address])?;
        } else {
            head.append_parts(Name::XForwardedFor, FOR, &[address])?;
        }
    }
    if how.statements.address && head.has(Name::Forwarded) {
        // RFC 7239, section 6: an IPv6 address stands in brackets, and these in quotes.
        match how.sender.peer {
            IpAddr::V4(_) => head.join_and_extend(Name::Forwarded, &[b"for=", address])?,
            IpAddr::V6(_) => head.join_and_extend(Name::Forwarded, &[b"for=\"[", address, b"]\""])?,
        }
    }
    let mut room = [0; 5];
    // An empty field says nothing, however often it is there.
    for name in [Name::XForwardedProto, Name::XForwardedPort] {
        if head.has(name) && said(head, name).is_none() {
            head.remove_known(name.bit());
        }
    }
    let port = match said(head, Name::XForwardedProto) {
        None => Some(port),
        Some(proto) => believed_port(head, proto, &mut room),
    };
    if how.statements.proto && !head.has(Name::XForwardedProto) {
        head.append_parts(Name::XForwardedProto, PROTO, &[proto])?;
    }
    match port {
        Some(port) if how.statements.port && !head.has(Name::XForwardedPort) => {
            head.append_parts(Name::XForwardedPort, PORT, &[port])
        }
        _ => Ok(()),
    }
}

/// The first value that says something.
fn said(head: &Head, name: Name) -> Option<&[u8]> {
    head.values(name).find(|value| list::members(value).next().is_some())
}

/// The port that the client must have used when a proxy in front spoke `proto` with it; `None`: nobody knows.
fn believed_port<'a>(head: &Head, proto: &[u8], room: &'a mut [u8; 5]) -> Option<&'a [u8]> {
    let host = head
        .known(Name::XForwardedHost)
        .and_then(|hosts| list::members(hosts).next());
    // In brackets stands an IPv6 address.
    let port = host.and_then(|host| {
        host.iter()
            .rposition(|b| matches!(b, b':' | b']'))
            .and_then(|at| host.get(at..))
    });
    if let Some([b':', digits @ ..]) = port
        && let Some(place) = room.get_mut(..digits.len())
        && !digits.is_empty()
        && digits.iter().all(u8::is_ascii_digit)
        && str::from_utf8(digits).is_ok_and(|digits| digits.parse::<u16>().is_ok_and(|port| port > 0))
    {
        place.copy_from_slice(digits);
        return Some(place);
    }
    // Of several proxies the first one spoke with the client.
    let proto = list::members(proto).next()?;
    let is = |words: [&str; 2]| words.iter().any(|word| proto.eq_ignore_ascii_case(word.as_bytes()));
    if is(["https", "wss"]) {
        Some(b"443")
    } else if is(["http", "ws"]) {
        Some(b"80")
    } else {
        None
    }
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
        cold_path();
        head.remove_nominated(is_protected);
    }
    let kept = if keep_upgrade { Name::Upgrade.bit() } else { 0 };
    head.remove_known(HOP_BY_HOP & !kept);
}

/// The value of `Max-Forwards` where it counts; larger ones than anybody means are cut.
fn hops_left(head: &Head) -> Option<u16> {
    if !head.has(Name::MaxForwards) {
        return None;
    }
    cold_path();
    if head.method() != b"OPTIONS" {
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
    let is_said = matches!(Name::of(name), Name::ForwardedOther | Name::ForwardedAlias) || is_claim(name);
    is_said || PROTECTED.iter().any(|p| name.eq_ignore_ascii_case(p.as_bytes()))
}

const FOR: &str = "X-Forwarded-For";
const PROTO: &str = "X-Forwarded-Proto";
const PORT: &str = "X-Forwarded-Port";
/// Names, separators and line ends take 60 bytes, an address at most 39, `https` and a port 5 each.
const LONGEST_LINES: usize = 109;

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
    | Name::ForwardedOther.bit()
    | Name::Forwarded.bit()
    | Name::XRealIp.bit();

/// Fields that stay although `Connection` names them: they are for the receiver of the
/// message, never for one hop (RFC 9110, section 7.6.1), and removing them has been used to take
/// away what a proxy in front had said about its client. Beside these, all other names that begin with `X-Forwarded` and the
/// other claims stay.
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

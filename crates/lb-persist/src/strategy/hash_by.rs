use core::net::IpAddr;

use lb_types::{Fields, Now, hash64};

use super::{ClientIp, Facts, Recall, Strategy};
use crate::cookie;

/// What a request is placed by, for pools whose algorithm hashes: the same value leads to the same
/// backend, without any memory.
///
/// The counterpart of [`ClientIp`](crate::ClientIp), which looks the client up in a table. A table
/// keeps every client where it is when a backend is added, but costs memory and is forgotten by a
/// restart; a hash costs nothing and is the same on every replica and after every restart, but
/// moves those whose value now belongs to another backend (about one in `n`, with a consistent
/// algorithm).
///
/// As a [`Strategy`] it says [`Recall::Hash`], or [`Recall::Nothing`] when the request lacks the
/// value: then the scheduler spreads at random. Stands behind strategies that name a
/// backend; those win. Nothing is stored and nothing is edited, so the value may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashBy {
    /// The address of the client, or of its network: `source` of haproxy, `ip_hash` of nginx
    /// (which takes 24 bits). An IPv4-mapped IPv6 address counts as the IPv4 address in it.
    Source(ClientIp),
    /// Host and path, as caches want it. The case of the host and its port do not count; the bytes of
    /// the path do, as they were sent.
    Url {
        /// Does the query (from `?` on) count too?
        query: bool,
    },
    /// The value of a parameter of the query: of `/basket?id=7&x=1`, `id` is `7`. The first one of
    /// this name; escapes are not undone. An empty value is none.
    Parameter(String),
    /// The first line of a header field. An empty value is none.
    Header(String),
    /// The first cookie of this name. An empty value is none.
    Cookie(String),
}

impl HashBy {
    /// The seed of [`hash64`] for every value, `lbd hash` as bytes. Fixed for ever: replicas and
    /// versions agree on every place.
    pub const SEED: u64 = u64::from_be_bytes(*b"lbd hash");

    /// The hash of the request's value, if it has one: [`hash64`] of the bytes with
    /// [`SEED`](Self::SEED), for [`Url`](Self::Url) the hash of the rest with the hash of the host as its seed.
    /// `O(len)`, no allocation.
    #[must_use]
    pub fn hash(&self, facts: &Facts<'_>) -> Option<u64> {
        match self {
            Self::Source(source) => Some(address_hash(source.network(facts.client))),
            Self::Url { query } => url(facts, *query),
            Self::Parameter(name) => value_hash(parameter(facts.target?, name.as_bytes())?),
            Self::Header(name) => value_hash(facts.fields?.first(name)?.trim_ascii()),
            Self::Cookie(name) => value_hash(cookie_value(facts.fields?, name.as_bytes())?),
        }
    }
}

impl Strategy for HashBy {
    fn recall(&self, facts: &Facts<'_>, _now: Now) -> Recall {
        self.hash(facts).map_or(Recall::Nothing, Recall::Hash)
    }
}

fn value_hash(value: &[u8]) -> Option<u64> {
    (!value.is_empty()).then(|| hash64(HashBy::SEED, value))
}

fn address_hash(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => hash64(HashBy::SEED, &address.octets()),
        IpAddr::V6(address) => hash64(HashBy::SEED, &address.octets()),
    }
}

fn url(facts: &Facts<'_>, query: bool) -> Option<u64> {
    let (authority, rest) = split_target(facts.target?);
    let host = authority.or_else(|| facts.fields?.first("host"));
    let rest = if query { rest } else { before(rest, b'?') };
    Some(hash64(host_hash(host_of(host.unwrap_or_default())), rest))
}

/// Authority (of the absolute form only) and what follows it: path and query.
fn split_target(target: &[u8]) -> (Option<&[u8]>, &[u8]) {
    if target.starts_with(b"/") {
        return (None, target);
    }
    let after = target
        .windows(3)
        .position(|three| three == b"://")
        .and_then(|at| target.get(at.saturating_add(3)..));
    // `*`, and the host and port of CONNECT, stand for themselves
    let Some(after) = after else { return (None, target) };
    let end = after.iter().position(|b| matches!(b, b'/' | b'?'));
    match end.and_then(|end| after.split_at_checked(end)) {
        Some((authority, rest)) => (Some(authority), rest),
        None => (Some(after), b""),
    }
}

/// The host without its port; the brackets of an IPv6 address stay.
fn host_of(authority: &[u8]) -> &[u8] {
    let colon = authority.iter().rposition(|b| *b == b':');
    let digits = |at: usize| {
        authority
            .get(at.saturating_add(1)..)
            .is_some_and(|port| port.iter().all(u8::is_ascii_digit))
    };
    match colon.filter(|at| digits(*at)) {
        Some(at) => authority.get(..at).unwrap_or(authority),
        None => authority,
    }
}

/// Lower case, without a copy on the heap: piece by piece, the hash so far as the next seed.
fn host_hash(host: &[u8]) -> u64 {
    let mut lower = [0; PIECE];
    let mut hash = HashBy::SEED;
    for piece in host.chunks(PIECE) {
        for (to, from) in lower.iter_mut().zip(piece) {
            *to = from.to_ascii_lowercase();
        }
        hash = hash64(hash, lower.get(..piece.len()).unwrap_or_default());
    }
    hash
}

/// The value of the first parameter called `name`.
fn parameter<'a>(target: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let at = target.iter().position(|b| *b == b'?')?;
    let query = before(target.get(at.saturating_add(1)..)?, b'#');
    query
        .split(|b| *b == b'&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix(b"="))
}

fn cookie_value<'a>(fields: &'a dyn Fields, name: &'a [u8]) -> Option<&'a [u8]> {
    (0..)
        .map_while(|index| fields.nth("cookie", index))
        .find_map(|line| cookie::values(line, name).next())
}

fn before(bytes: &[u8], end: u8) -> &[u8] {
    bytes.split(|b| *b == end).next().unwrap_or_default()
}

/// Host names are at most 253 bytes (RFC 1035, section 2.3.4), so one piece is the rule.
const PIECE: usize = 256;

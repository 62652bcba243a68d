//! The line of text. Section 2.1.

use super::{Addresses, Command, End, Error, Header, Transport, V1_MOST, Version};
use crate::{Shown, Step};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Reads a line that begins with `PROXY` and a space.
pub(super) fn parse(input: &[u8]) -> Result<Step<Header<'_>>, Error> {
    let Some(line) = line(input)? else {
        return Ok(Step::NeedMore);
    };
    let value = Header {
        version: Version::V1,
        command: Command::Proxy,
        transport: None,
        addresses: Addresses::Unknown,
        tlvs: b"",
    };
    let len = line.len().saturating_add(2);
    let behind = line.get(BEFORE..).unwrap_or_default();
    let family = behind.split(|byte| *byte == b' ').next().unwrap_or_default();
    let value = match family {
        b"UNKNOWN" => value,
        b"TCP4" | b"TCP6" => Header {
            transport: Some(Transport::Stream),
            addresses: addresses(line, family == b"TCP6")?,
            ..value
        },
        other => {
            return Err(Error::Word {
                found: Shown::new(other),
            });
        }
    };
    Ok(Step::Done { value, len })
}

/// The line without its CRLF; `None` while there is none.
fn line(input: &[u8]) -> Result<Option<&[u8]>, Error> {
    let within = input.get(..V1_MOST).unwrap_or(input);
    let Some(offset) = within.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
        return too_long_or_more(within);
    };
    match (within.get(offset), within.get(offset.saturating_add(1))) {
        (Some(b'\r'), Some(b'\n')) => Ok(within.get(..offset)),
        (Some(b'\r'), None) => too_long_or_more(within),
        (byte, _) => Err(Error::LineEnd {
            offset,
            byte: byte.copied().unwrap_or_default(),
        }),
    }
}

fn too_long_or_more(within: &[u8]) -> Result<Option<&[u8]>, Error> {
    if within.len() < V1_MOST {
        return Ok(None);
    }
    Err(Error::LineTooLong {
        line: Shown::new(within),
    })
}

fn addresses(line: &[u8], is_v6: bool) -> Result<Addresses<'_>, Error> {
    let found = line.split(|byte| *byte == b' ').count();
    if found != WORDS {
        return Err(Error::Words {
            line: Shown::new(line),
            found,
            wanted: WORDS,
        });
    }
    let mut words = line.split(|byte| *byte == b' ');
    let mut offset = 0_usize;
    let mut next = || {
        let word = words.next().unwrap_or_default();
        let at = offset;
        offset = offset.saturating_add(word.len()).saturating_add(1);
        (at, word)
    };
    let (_proxy, _family) = (next(), next());
    let source = address(next(), End::Source, is_v6)?;
    let destination = address(next(), End::Destination, is_v6)?;
    let source_port = port(next(), End::Source)?;
    let destination_port = port(next(), End::Destination)?;
    Ok(Addresses::Ip {
        source: SocketAddr::new(source, source_port),
        destination: SocketAddr::new(destination, destination_port),
    })
}

/// The forms of `inet_pton`: no leading zeros, no zones.
fn address((offset, word): (usize, &[u8]), end: End, is_v6: bool) -> Result<IpAddr, Error> {
    let text = core::str::from_utf8(word).unwrap_or_default();
    let address = if is_v6 {
        text.parse::<Ipv6Addr>().map(IpAddr::V6)
    } else {
        text.parse::<Ipv4Addr>().map(IpAddr::V4)
    };
    address.map_err(|_| Error::Address {
        end,
        offset,
        found: Shown::new(word),
        is_v6,
    })
}

fn port((offset, word): (usize, &[u8]), end: End) -> Result<u16, Error> {
    let is_decimal = match word {
        [b'0'] => true,
        [first, ..] => *first != b'0' && word.iter().all(u8::is_ascii_digit),
        [] => false,
    };
    core::str::from_utf8(word)
        .ok()
        .filter(|_| is_decimal)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::Port {
            end,
            offset,
            found: Shown::new(word),
        })
}

/// `PROXY` and a space.
const BEFORE: usize = 6;
/// `PROXY`, the family, two addresses and two ports.
const WORDS: usize = 6;

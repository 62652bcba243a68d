//! The binary block. Section 2.2.

use super::addresses::BLOCK;
use super::tlv::{self, Tlvs};
use super::{Addresses, Command, Error, Header, Limits, Transport, UnixName, Version, crc32c};
use crate::Step;
use crate::reader::Reader;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Reads a header whose first 12 bytes are the signature.
pub(super) fn parse(input: &[u8], limits: Limits) -> Result<Step<Header<'_>>, Error> {
    let Some(start) = Start::read(input, limits)? else {
        return Ok(Step::NeedMore);
    };
    let Some(header) = input.get(..start.len) else {
        return Ok(Step::NeedMore);
    };
    let mut reader = Reader::new(header);
    let behind_start = reader.take(FIXED).and_then(|_| start.addresses(&mut reader));
    let Some(addresses) = behind_start else {
        // Not reached: the start has checked the length.
        return Ok(Step::NeedMore);
    };
    let tlvs_at = reader.at();
    let rest = reader.rest();
    let tlvs = match Tlvs::check(rest, tlvs_at) {
        Ok(()) => rest,
        Err(error) if start.is_strict() => return Err(error),
        Err(_) => b"",
    };
    check_sum(header, tlvs, tlvs_at)?;
    let is_known = start.is_strict() && start.transport.is_some();
    let value = Header {
        version: Version::V2,
        command: start.command,
        transport: start.transport.filter(|_| is_known),
        addresses: if is_known { addresses } else { Addresses::Unknown },
        tlvs,
    };
    Ok(Step::Done { value, len: start.len })
}

/// The 16 bytes that every header has.
struct Start {
    command: Command,
    /// 0 also for `LOCAL` with a family whose addresses are not there: they are not wanted.
    family: u8,
    transport: Option<Transport>,
    /// Of the whole header.
    len: usize,
}

impl Start {
    /// Checks each byte as soon as it is there.
    fn read(input: &[u8], limits: Limits) -> Result<Option<Self>, Error> {
        let mut reader = Reader::new(input);
        let Some(first) = reader.take(SIGNATURE).and_then(|_| reader.u8()) else {
            return Ok(None);
        };
        if first >> 4 != 2 {
            return Err(Error::Version { found: first >> 4 });
        }
        let command = match first & 0x0f {
            0 => Command::Local,
            1 => Command::Proxy,
            found => return Err(Error::Command { found }),
        };
        let Some(second) = reader.u8() else { return Ok(None) };
        let (mut family, transport) = (second >> 4, second & 0x0f);
        // The family of LOCAL is to be ignored, whatever it is.
        if command == Command::Proxy {
            if family > 3 {
                return Err(Error::Family { found: family });
            }
            if transport > 2 {
                return Err(Error::Transport { found: transport });
            }
        }
        let Some(len) = reader.u16().map(usize::from) else {
            return Ok(None);
        };
        let whole = FIXED.saturating_add(len);
        if whole > limits.header_bytes {
            return Err(Error::TooLong {
                len: whole,
                limit: limits.header_bytes,
            });
        }
        let wanted = addresses_len(family);
        if command == Command::Local && (family > 3 || len < wanted) {
            family = 0;
        } else if len < wanted {
            return Err(Error::AddressesCut { len, wanted, family });
        }
        let transport = match transport {
            1 => Some(Transport::Stream),
            2 => Some(Transport::Datagram),
            _ => None,
        };
        Ok(Some(Self {
            command,
            family,
            transport,
            len: whole,
        }))
    }

    /// Whether what stands behind the addresses must be TLVs: a receiver ignores the block of `LOCAL`, and a family
    /// that is unspecified may have addresses of any length.
    fn is_strict(&self) -> bool {
        self.command == Command::Proxy && self.family > 0
    }

    fn addresses<'a>(&self, reader: &mut Reader<'a>) -> Option<Addresses<'a>> {
        Some(match self.family {
            1 => {
                let (source, destination) = (reader.chunk::<4>()?, reader.chunk::<4>()?);
                ip(
                    Ipv4Addr::from(source).into(),
                    Ipv4Addr::from(destination).into(),
                    reader,
                )?
            }
            2 => {
                let (source, destination) = (reader.chunk::<16>()?, reader.chunk::<16>()?);
                ip(
                    Ipv6Addr::from(source).into(),
                    Ipv6Addr::from(destination).into(),
                    reader,
                )?
            }
            3 => Addresses::Unix {
                source: UnixName::read(reader.take(BLOCK)?),
                destination: UnixName::read(reader.take(BLOCK)?),
            },
            _ => Addresses::Unknown,
        })
    }
}

fn ip(source: IpAddr, destination: IpAddr, reader: &mut Reader<'_>) -> Option<Addresses<'static>> {
    Some(Addresses::Ip {
        source: SocketAddr::new(source, reader.u16()?),
        destination: SocketAddr::new(destination, reader.u16()?),
    })
}

/// Section 2.2: two addresses and two ports, or two names.
const fn addresses_len(family: u8) -> usize {
    match family {
        1 => 12,
        2 => 36,
        3 => 216,
        _ => 0,
    }
}

/// Section 2.2.3.
fn check_sum(header: &[u8], tlvs: &[u8], tlvs_at: usize) -> Result<(), Error> {
    let Some((at, found)) = tlv::checksum(tlvs) else {
        return Ok(());
    };
    let offset = tlvs_at.saturating_add(at);
    let before = header.get(..offset).unwrap_or_default();
    let behind = header.get(offset.saturating_add(4)..).unwrap_or_default();
    let sum = [before, &[0; 4], behind]
        .into_iter()
        .fold(crc32c::BEGIN, crc32c::update);
    let computed = crc32c::end(sum);
    if computed != found {
        return Err(Error::Checksum {
            offset,
            found,
            computed,
        });
    }
    Ok(())
}

pub(super) const SIGNATURE: usize = 12;
/// The signature, the version and command, the family and transport, and the length.
pub(super) const FIXED: usize = 16;

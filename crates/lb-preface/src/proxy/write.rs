use super::addresses::Family;
use super::tlv::{self, Tlv};
use super::{Addresses, Transport, v2};
use std::io::Write as _;

/// What a header of version 2 is to say.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Between whom. [`Addresses::Unknown`] is written as `LOCAL` and unspecified, for probes and for clients that cannot
    /// be described: `PROXY` with an unspecified family makes haproxy and Envoy close the connection.
    pub addresses: Addresses<'a>,
    /// How the client's bytes travel. Not written with [`Addresses::Unknown`].
    pub transport: Transport,
    /// What else, in this order. [`Tlv::Checksum`] is not for here.
    pub tlvs: &'a [Tlv<'a>],
    /// Whether a checksum comes last.
    pub checksum: bool,
}

/// What cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// More than receivers read: they cut off or refuse headers above 2 to 4 KiB.
    #[error("PROXY header of {len} bytes, and receivers are known to read {most}; send fewer TLVs")]
    TooLong {
        /// What it would have.
        len: usize,
        /// [`MOST_WRITTEN`](super::MOST_WRITTEN).
        most: usize,
    },
    /// A unique id longer than the document allows.
    #[error("unique id of {len} bytes, and a PROXY header has room for {most}")]
    UniqueId {
        /// Its length.
        len: usize,
        /// The most.
        most: usize,
    },
    /// A checksum among the TLVs: it is computed here.
    #[error("a checksum cannot be given; ask for it with `checksum`")]
    Checksum,
}

/// Appends a header of version 1.
///
/// `TCP4` or `TCP6`; if only one address is IPv4, it is written as the IPv6 address that stands for it. Exactly
/// `PROXY UNKNOWN` and CRLF unless both are of IP: haproxy refuses addresses behind `UNKNOWN`. At most
/// [`V1_MOST`](super::V1_MOST) bytes, in one piece; allocates only what `out` lacks.
pub fn write_v1(addresses: &Addresses<'_>, out: &mut Vec<u8>) {
    let Addresses::Ip { source, destination } = addresses else {
        out.extend_from_slice(b"PROXY UNKNOWN\r\n");
        return;
    };
    let (from, to) = (source.port(), destination.port());
    // Writing to a Vec does not fail.
    let _ = match Addresses::one_family(*source, *destination) {
        Family::V4(a, b) => {
            let (a, b) = (std::net::Ipv4Addr::from(a), std::net::Ipv4Addr::from(b));
            write!(out, "PROXY TCP4 {a} {b} {from} {to}\r\n")
        }
        Family::V6(a, b) => {
            let (a, b) = (std::net::Ipv6Addr::from(a), std::net::Ipv6Addr::from(b));
            write!(out, "PROXY TCP6 {a} {b} {from} {to}\r\n")
        }
    };
}

/// Appends a header of version 2.
///
/// If only one address is IPv4, both are written as IPv6. Without TLVs and addresses it is 16 bytes. haproxy 2.6 closes
/// connections with addresses of Unix: give it [`Addresses::Unknown`]. Allocates only what `out` lacks.
///
/// # Errors
/// [`WriteError`]; nothing is appended then.
pub fn write_v2(outgoing: &Outgoing<'_>, out: &mut Vec<u8>) -> Result<(), WriteError> {
    let start = out.len();
    let result = append(outgoing, out, start);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn append(outgoing: &Outgoing<'_>, out: &mut Vec<u8>, start: usize) -> Result<(), WriteError> {
    let transport = match outgoing.transport {
        Transport::Stream => 1,
        Transport::Datagram => 2,
    };
    out.extend_from_slice(SIGNATURE);
    match &outgoing.addresses {
        Addresses::Unknown => out.extend_from_slice(&[LOCAL, 0, 0, 0]),
        Addresses::Ip { source, destination } => {
            match Addresses::one_family(*source, *destination) {
                Family::V4(a, b) => {
                    out.extend_from_slice(&[PROXY, 0x10 | transport, 0, 0]);
                    out.extend_from_slice(&a);
                    out.extend_from_slice(&b);
                }
                Family::V6(a, b) => {
                    out.extend_from_slice(&[PROXY, 0x20 | transport, 0, 0]);
                    out.extend_from_slice(&a);
                    out.extend_from_slice(&b);
                }
            }
            out.extend_from_slice(&source.port().to_be_bytes());
            out.extend_from_slice(&destination.port().to_be_bytes());
        }
        Addresses::Unix { source, destination } => {
            out.extend_from_slice(&[PROXY, 0x30 | transport, 0, 0]);
            source.write(out);
            destination.write(out);
        }
    }
    for tlv in outgoing.tlvs {
        append_tlv(tlv, out)?;
        // Before the next: what is refused for its length is not copied whole first.
        check_len(out, start)?;
    }
    if outgoing.checksum {
        out.extend_from_slice(&[tlv::CHECKSUM, 0, 4, 0, 0, 0, 0]);
        check_len(out, start)?;
    }
    let header = out.get_mut(start..).unwrap_or_default();
    let len = header.len().saturating_sub(v2::FIXED);
    if let Some(place) = header.get_mut(LENGTH_AT..v2::FIXED) {
        place.copy_from_slice(&u16::try_from(len).unwrap_or_default().to_be_bytes());
    }
    if outgoing.checksum {
        tlv::seal(header);
    }
    Ok(())
}

fn append_tlv(tlv: &Tlv<'_>, out: &mut Vec<u8>) -> Result<(), WriteError> {
    match tlv {
        Tlv::Checksum(_) => return Err(WriteError::Checksum),
        Tlv::UniqueId(id) if id.len() > tlv::UNIQUE_ID_MOST => {
            return Err(WriteError::UniqueId {
                len: id.len(),
                most: tlv::UNIQUE_ID_MOST,
            });
        }
        _ => {}
    }
    out.extend_from_slice(&[tlv.kind(), 0, 0]);
    let before = out.len();
    tlv.write_value(out);
    // Above 65,535 the whole is refused.
    let len = u16::try_from(out.len().saturating_sub(before)).unwrap_or(u16::MAX);
    if let Some(place) = out.get_mut(before.saturating_sub(2)..before) {
        place.copy_from_slice(&len.to_be_bytes());
    }
    Ok(())
}

fn check_len(out: &[u8], start: usize) -> Result<(), WriteError> {
    let len = out.len().saturating_sub(start);
    if len > MOST_WRITTEN {
        return Err(WriteError::TooLong {
            len,
            most: MOST_WRITTEN,
        });
    }
    Ok(())
}

/// The most bytes of a header that is written: other receivers cut off or refuse headers above 2 to 4 KiB.
///
/// nginx 1.22 refuses more than its `client_header_buffer_size` on a listener without TLS: 1,024 bytes unless it is set.
pub const MOST_WRITTEN: usize = 2048;

const SIGNATURE: &[u8; v2::SIGNATURE] = b"\r\n\r\n\0\r\nQUIT\n";
const LENGTH_AT: usize = 14;
/// Version 2 and the command.
const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;

use super::V1_MOST;
use crate::{Shown, sniff};
use core::fmt;

/// Why the bytes at the start of a connection are no acceptable PROXY header.
///
/// Offsets count from the first byte of the connection. All of them mean: close, and say so; nothing the connection
/// says of its client can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection begins with something else.
    #[error(
        "no PROXY header: the connection begins with {found}, which looks like {protocol}; \
         let the sender put a PROXY header first, or do not ask for one from this sender"
    )]
    NoHeader {
        /// What the bytes look like.
        protocol: sniff::Protocol,
        /// The bytes that showed it.
        found: Shown,
    },
    /// Version 1: no CRLF in the bytes that a line may have.
    #[error(
        "PROXY header: no CRLF in the first {V1_MOST} bytes of {line}; \
         the line must end in CRLF, and longer lines do not exist"
    )]
    LineTooLong {
        /// How it begins.
        line: Shown,
    },
    /// Version 1: CR or LF alone.
    #[error("PROXY header: {} at byte {offset}; the line must end in CRLF", if *.byte == b'\n' { "LF without CR before it" } else { "CR without LF behind it" })]
    LineEnd {
        /// Where.
        offset: usize,
        /// CR or LF.
        byte: u8,
    },
    /// Version 1: a word that is no family.
    #[error("PROXY header: {found} at byte 6 is no family; it must be TCP4, TCP6 or UNKNOWN")]
    Word {
        /// The word.
        found: Shown,
    },
    /// Version 1: not source, destination and two ports, with one space before each.
    #[error(
        "PROXY header: {line} has {found} words instead of {wanted}; \
         TCP4 and TCP6 want source, destination, source port and destination port, with one space before each"
    )]
    Words {
        /// The line without its CRLF.
        line: Shown,
        /// How many there are; two spaces have an empty word between them.
        found: usize,
        /// How many there must be.
        wanted: usize,
    },
    /// Version 1: an address that is none of its family.
    #[error(
        "PROXY header: the {end} address {found} at byte {offset} is no {} address{}",
        if *.is_v6 { "IPv6" } else { "IPv4" },
        if *.is_v6 { "" } else { " of four numbers from 0 to 255 without leading zeros" }
    )]
    Address {
        /// Which of the two.
        end: End,
        /// Where it stands.
        offset: usize,
        /// What stands there.
        found: Shown,
        /// Whether the line says TCP6.
        is_v6: bool,
    },
    /// Version 1: a port that is none.
    #[error("PROXY header: the {end} port {found} at byte {offset} is no number from 0 to 65535 without leading zeros")]
    Port {
        /// Which of the two.
        end: End,
        /// Where it stands.
        offset: usize,
        /// What stands there.
        found: Shown,
    },
    /// Version 2: the version is not 2.
    #[error("PROXY header: version {found} at byte 12; only version 2 has this signature")]
    Version {
        /// The upper half of the byte.
        found: u8,
    },
    /// Version 2: the command is neither LOCAL nor PROXY.
    #[error("PROXY header: command 0x{found:x} at byte 12; it must be 0 (LOCAL) or 1 (PROXY)")]
    Command {
        /// The lower half of the byte.
        found: u8,
    },
    /// Version 2: a family that is not assigned.
    #[error(
        "PROXY header: address family 0x{found:x} at byte 13; \
         it must be 0 (unspecified), 1 (IPv4), 2 (IPv6) or 3 (Unix)"
    )]
    Family {
        /// The upper half of the byte.
        found: u8,
    },
    /// Version 2: a transport protocol that is not assigned.
    #[error(
        "PROXY header: transport protocol 0x{found:x} at byte 13; \
         it must be 0 (unspecified), 1 (stream) or 2 (datagram)"
    )]
    Transport {
        /// The lower half of the byte.
        found: u8,
    },
    /// Version 2: more than is taken.
    #[error(
        "PROXY header of {len} bytes (length at byte 14), and the limit is {limit}; \
         let the sender send fewer TLVs, or raise the limit"
    )]
    TooLong {
        /// What the header says of itself.
        len: usize,
        /// [`Limits::header_bytes`](super::Limits::header_bytes).
        limit: usize,
    },
    /// Version 2: not enough for the addresses of the family.
    #[error(
        "PROXY header: {len} bytes of addresses (length at byte 14), and the family 0x{family:x} has {wanted}; \
         the sender counts wrongly"
    )]
    AddressesCut {
        /// What the header says.
        len: usize,
        /// What the family needs.
        wanted: usize,
        /// The upper half of byte 13.
        family: u8,
    },
    /// Version 2: a TLV ends behind the header, or behind the TLV it is part of.
    #[error(
        "PROXY header: the TLV at byte {offset} runs over the end of {}; the sender counts wrongly",
        if *.is_nested { "the TLV it is in" } else { "the header" }
    )]
    TlvCut {
        /// Where its type stands.
        offset: usize,
        /// Whether it is a part of the TLV of TLS facts.
        is_nested: bool,
    },
    /// Version 2: a TLV of a type that has another length.
    #[error("PROXY header: the TLV 0x{kind:02x} at byte {offset} has {len} bytes, and must have {}", Wanted(*.kind))]
    TlvLength {
        /// Its type.
        kind: u8,
        /// Where its type stands.
        offset: usize,
        /// Its length.
        len: usize,
    },
    /// Version 2: two checksums.
    #[error("PROXY header: a second checksum (TLV 0x03) at byte {offset}; there can be one")]
    TwoChecksums {
        /// Where the type of the second stands.
        offset: usize,
    },
    /// Version 2: the checksum is not that of the header.
    #[error(
        "PROXY header: the checksum at byte {offset} is {found:08x}, and that of the bytes that arrived is \
         {computed:08x}; something on the way changes them, or the sender computes it wrongly"
    )]
    Checksum {
        /// Where its value stands.
        offset: usize,
        /// What the header says.
        found: u32,
        /// CRC32c of the header with zeros in its place.
        computed: u32,
    },
}

/// An end of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// The client's.
    Source,
    /// Where the client connected to.
    Destination,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Destination => "destination",
        })
    }
}

/// The lengths that TLVs of fixed or bounded length have.
struct Wanted(u8);

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            0x03 => "4",
            0x05 => "at most 128",
            0x20 => "at least 5",
            _ => "another length",
        })
    }
}

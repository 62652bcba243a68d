//! The PROXY protocol: who the client is, said by a proxy before the client's own bytes. Versions 1 and 2.
//!
//! Source: haproxy's `proxy-protocol.txt`, with the TLV types of its revision 3.4 and of three clouds. Read it only
//! from proxies that are trusted by configuration (its section 2): whoever may send it may claim any address.
//!
//! Where the document leaves a choice: `PROXY` with an unspecified family or protocol is taken, without addresses
//! (senders mean a client they cannot describe); an unassigned family is refused; what stands in the place of
//! addresses of a family that is unspecified is read as TLVs if it is a well-formed row of them (haproxy sends such
//! rows with `LOCAL`) and passed over if not; of a TLV that comes twice, the first counts.

mod addresses;
mod crc32c;
mod error;
mod facts;
mod ssl;
mod tlv;
mod v1;
mod v2;
mod write;

pub use addresses::{Addresses, UnixName, UnixNameError};
pub use error::{End, Error};
pub use facts::Facts;
pub use ssl::Ssl;
pub use tlv::{Tlv, Tlvs};
pub use write::{MOST_WRITTEN, Outgoing, WriteError, write_v1, write_v2};

use crate::{Shown, Step, sniff};

/// What one header may cost. Plain values: every combination is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The whole header of version 2, TLVs included. Default 4,096; the wire's most is 65,551. Version 1 has at most
    /// [`V1_MOST`] bytes whatever stands here.
    pub header_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { header_bytes: 4096 }
    }
}

/// Which of the two formats a header has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// The line of text.
    V1,
    /// The binary block.
    V2,
}

/// Whether the connection is a client's or the proxy's own. Section 2.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// The proxy's own connection, a health check for example: the addresses are those of the connection itself.
    Local,
    /// A client's connection that is passed on.
    Proxy,
}

/// How the client's bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TCP, or a stream socket of Unix.
    Stream,
    /// UDP, or a datagram socket of Unix.
    Datagram,
}

/// A header that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    version: Version,
    command: Command,
    transport: Option<Transport>,
    addresses: Addresses<'a>,
    tlvs: &'a [u8],
}

impl<'a> Header<'a> {
    /// The format it came in.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Whose connection it is.
    #[must_use]
    pub const fn command(&self) -> Command {
        self.command
    }

    /// How the client's bytes travel; `None` if the header does not say.
    #[must_use]
    pub const fn transport(&self) -> Option<Transport> {
        self.transport
    }

    /// Between whom; [`Addresses::Unknown`] for `LOCAL`, `UNKNOWN` and what is unspecified: then those of the
    /// connection itself hold.
    #[must_use]
    pub const fn addresses(&self) -> Addresses<'a> {
        self.addresses
    }

    /// What else the proxy says, in its order. They are well-formed: [`parse`] has looked.
    #[must_use]
    pub const fn tlvs(&self) -> Tlvs<'a> {
        Tlvs::new(self.tlvs)
    }

    /// The TLVs by name. `O(bytes)`, no allocation.
    #[must_use]
    pub fn facts(&self) -> Facts<'a> {
        Facts::of(self.tlvs())
    }
}

/// Reads the header at the start of a connection.
///
/// Nothing is taken for a header but a header: a connection without one is an error, once its first bytes show it (24
/// at most). `O(bytes)` when all is there, `O(1)` before (version 1: at most 107 bytes); no allocation.
///
/// # Errors
/// [`Error`]: close the connection then. Any split of the same bytes ends in the same error.
pub fn parse(input: &[u8], limits: Limits) -> Result<Step<Header<'_>>, Error> {
    let decided = match sniff::protocol(input) {
        Step::NeedMore => return Ok(Step::NeedMore),
        Step::Done { value, len } => (value, len),
    };
    match decided {
        (sniff::Protocol::ProxyV1, _) => v1::parse(input),
        (sniff::Protocol::ProxyV2, _) => v2::parse(input, limits),
        (protocol, len) => Err(Error::NoHeader {
            protocol,
            found: Shown::new(input.get(..len).unwrap_or(input)),
        }),
    }
}

/// The longest line of version 1, CRLF included. Section 2.1.
pub const V1_MOST: usize = 107;

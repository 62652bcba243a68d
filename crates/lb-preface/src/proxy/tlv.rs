//! What a header of version 2 says beside the addresses: types, lengths and values. Section 2.2 and its parts.

use super::ssl::{self, Ssl};
use super::{Error, crc32c};
use crate::reader::Reader;

/// One thing that a proxy says of a connection.
///
/// Names and texts are bytes as they came: the document wants ASCII or UTF-8 and nothing checks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tlv<'a> {
    /// The protocol inside TLS, as in ALPN. Section 2.2.1.
    Alpn(&'a [u8]),
    /// The name that the client asked for, mostly its SNI. Section 2.2.2.
    Authority(&'a [u8]),
    /// The sum of the header; it was right. Section 2.2.3.
    Checksum(u32),
    /// Nothing, to fill up. Section 2.2.4.
    Noop(&'a [u8]),
    /// What names the connection through all proxies, at most 128 bytes. Section 2.2.5.
    UniqueId(&'a [u8]),
    /// TLS between client and proxy. Section 2.2.6.
    Ssl(Ssl<'a>),
    /// The name of the network namespace. Section 2.2.7.
    Namespace(&'a [u8]),
    /// AWS, type 0xEA, subtype 1: the id of the VPC endpoint (`vpce-..`).
    AwsVpcEndpoint(&'a [u8]),
    /// Azure, type 0xEE, subtype 1: the LinkID of the private endpoint.
    AzureLinkId(u32),
    /// Google Cloud, type 0xE0, 8 bytes: the connection id of Private Service Connect.
    GooglePscConnection(u64),
    /// Any other type, and those above with another subtype or length.
    Other {
        /// The type.
        kind: u8,
        /// The value.
        value: &'a [u8],
    },
}

/// The TLVs of a header in their order; padding and the checksum included. No allocation.
#[derive(Debug, Clone, Copy)]
pub struct Tlvs<'a> {
    reader: Reader<'a>,
}

impl<'a> Tlv<'a> {
    fn new(kind: u8, value: &'a [u8]) -> Self {
        let other = Self::Other { kind, value };
        match kind {
            ALPN => Self::Alpn(value),
            AUTHORITY => Self::Authority(value),
            CHECKSUM => value
                .try_into()
                .map_or(other, |sum| Self::Checksum(u32::from_be_bytes(sum))),
            NOOP => Self::Noop(value),
            UNIQUE_ID => Self::UniqueId(value),
            SSL => Ssl::read(value).map_or(other, Self::Ssl),
            NAMESPACE => Self::Namespace(value),
            AWS => match value.split_first() {
                Some((1, id)) => Self::AwsVpcEndpoint(id),
                _ => other,
            },
            AZURE => match value.split_first() {
                Some((1, id)) => id
                    .try_into()
                    .map_or(other, |id| Self::AzureLinkId(u32::from_le_bytes(id))),
                _ => other,
            },
            GOOGLE => value
                .try_into()
                .map_or(other, |id| Self::GooglePscConnection(u64::from_be_bytes(id))),
            _ => other,
        }
    }

    /// The type on the wire.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Alpn(_) => ALPN,
            Self::Authority(_) => AUTHORITY,
            Self::Checksum(_) => CHECKSUM,
            Self::Noop(_) => NOOP,
            Self::UniqueId(_) => UNIQUE_ID,
            Self::Ssl(_) => SSL,
            Self::Namespace(_) => NAMESPACE,
            Self::AwsVpcEndpoint(_) => AWS,
            Self::AzureLinkId(_) => AZURE,
            Self::GooglePscConnection(_) => GOOGLE,
            Self::Other { kind, .. } => *kind,
        }
    }

    /// Appends the value, without type and length.
    pub(super) fn write_value(&self, out: &mut Vec<u8>) {
        match self {
            Self::Alpn(value)
            | Self::Authority(value)
            | Self::Noop(value)
            | Self::UniqueId(value)
            | Self::Namespace(value)
            | Self::Other { value, .. } => out.extend_from_slice(value),
            Self::Checksum(sum) => out.extend_from_slice(&sum.to_be_bytes()),
            Self::Ssl(ssl) => ssl.write(out),
            Self::AwsVpcEndpoint(id) => {
                out.push(1);
                out.extend_from_slice(id);
            }
            Self::AzureLinkId(id) => {
                out.push(1);
                out.extend_from_slice(&id.to_le_bytes());
            }
            Self::GooglePscConnection(id) => out.extend_from_slice(&id.to_be_bytes()),
        }
    }
}

impl<'a> Tlvs<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
        }
    }

    /// Looks at all of them; `offset` is where they begin in the connection.
    pub(super) fn check(bytes: &'a [u8], offset: usize) -> Result<(), Error> {
        let mut reader = Reader::new(bytes);
        let mut has_checksum = false;
        while !reader.is_empty() {
            let offset = offset.saturating_add(reader.at());
            let Some((kind, value)) = next(&mut reader) else {
                return Err(Error::TlvCut {
                    offset,
                    is_nested: false,
                });
            };
            let len = value.len();
            let fits = match kind {
                CHECKSUM => len == 4,
                UNIQUE_ID => len <= UNIQUE_ID_MOST,
                SSL => len >= ssl::FIXED,
                _ => true,
            };
            if !fits {
                return Err(Error::TlvLength { kind, offset, len });
            }
            if kind == CHECKSUM && core::mem::replace(&mut has_checksum, true) {
                return Err(Error::TwoChecksums { offset });
            }
            if kind == SSL {
                ssl::check(value, offset.saturating_add(TLV_FIXED))?;
            }
        }
        Ok(())
    }
}

impl<'a> Iterator for Tlvs<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        next(&mut self.reader).map(|(kind, value)| Tlv::new(kind, value))
    }
}

/// Where the value of the checksum stands among the TLVs, and what it is.
pub(super) fn checksum(tlvs: &[u8]) -> Option<(usize, u32)> {
    let mut reader = Reader::new(tlvs);
    while let Some((kind, value)) = next(&mut reader) {
        if kind == CHECKSUM {
            let sum = value.try_into().map(u32::from_be_bytes).ok()?;
            return Some((reader.at().saturating_sub(value.len()), sum));
        }
    }
    None
}

/// Writes the checksum of `header` into its last four bytes, which are zero.
pub(super) fn seal(header: &mut [u8]) {
    let sum = crc32c::end(crc32c::update(crc32c::BEGIN, header));
    if let Some(place) = header.last_chunk_mut() {
        *place = sum.to_be_bytes();
    }
}

/// `None` at the end, and where one is cut.
pub(super) fn next<'a>(reader: &mut Reader<'a>) -> Option<(u8, &'a [u8])> {
    let mut ahead = *reader;
    let (kind, len) = (ahead.u8()?, ahead.u16()?);
    let value = ahead.take(usize::from(len))?;
    *reader = ahead;
    Some((kind, value))
}

const ALPN: u8 = 0x01;
const AUTHORITY: u8 = 0x02;
pub(super) const CHECKSUM: u8 = 0x03;
const NOOP: u8 = 0x04;
pub(super) const UNIQUE_ID: u8 = 0x05;
const SSL: u8 = 0x20;
const NAMESPACE: u8 = 0x30;
// docs.aws.amazon.com, Network Load Balancer, target groups: PP2_TYPE_AWS, PP2_SUBTYPE_AWS_VPCE_ID.
const AWS: u8 = 0xea;
// learn.microsoft.com, Private Link service: PP2_TYPE_AZURE, PP2_SUBTYPE_AZURE_PRIVATEENDPOINT_LINKID, little endian.
const AZURE: u8 = 0xee;
// cloud.google.com, Private Service Connect: pscConnectionId, big endian.
const GOOGLE: u8 = 0xe0;

/// Section 2.2.5.
pub(super) const UNIQUE_ID_MOST: usize = 128;
/// Type and length.
const TLV_FIXED: usize = 3;

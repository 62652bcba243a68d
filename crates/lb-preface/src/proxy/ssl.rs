use super::Error;
use super::tlv::next;
use crate::reader::Reader;

/// What a proxy says of TLS between client and itself. Section 2.2.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ssl<'a> {
    /// Bits: 1 the client uses TLS, 2 it showed a certificate on this connection, 4 on this session.
    pub client: u8,
    /// 0 where the client showed a certificate and it was verified. Without a certificate it says nothing.
    pub verify: u32,
    /// The version, `TLSv1.3` for example.
    pub version: Option<&'a [u8]>,
    /// The common name in the client's certificate.
    pub common_name: Option<&'a [u8]>,
    /// The cipher suite by OpenSSL's name.
    pub cipher: Option<&'a [u8]>,
    /// How the proxy's certificate is signed, `SHA256` for example.
    pub signature_algorithm: Option<&'a [u8]>,
    /// The key of the proxy's certificate, `RSA2048` for example.
    pub key_algorithm: Option<&'a [u8]>,
    /// The group of the key exchange, `secp256r1` for example.
    pub group: Option<&'a [u8]>,
    /// What the server signed the handshake with.
    pub signature_scheme: Option<&'a [u8]>,
    /// The client's certificate, DER.
    pub client_certificate: Option<&'a [u8]>,
}

impl<'a> Ssl<'a> {
    /// Whether the client uses TLS.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.client & 1 != 0
    }

    /// Whether the client showed a certificate, now or earlier in its session.
    #[must_use]
    pub const fn has_certificate(&self) -> bool {
        self.client & 6 != 0
    }

    /// Whether it showed one that the proxy verified.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        self.has_certificate() && self.verify == 0
    }

    pub(super) fn read(value: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(value);
        let mut ssl = Self {
            client: reader.u8()?,
            verify: reader.u32()?,
            ..Self::default()
        };
        while let Some((kind, value)) = next(&mut reader) {
            if let Some((_, place)) = ssl.parts_mut().into_iter().find(|(known, _)| *known == kind) {
                place.get_or_insert(value);
            }
        }
        Some(ssl)
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(self.client);
        out.extend_from_slice(&self.verify.to_be_bytes());
        let mut copy = *self;
        for (kind, part) in copy.parts_mut() {
            if let Some(value) = part {
                out.push(kind);
                // longer than that is refused with the whole header
                out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
                out.extend_from_slice(value);
            }
        }
    }

    fn parts_mut(&mut self) -> [(u8, &mut Option<&'a [u8]>); 8] {
        [
            (0x21, &mut self.version),
            (0x22, &mut self.common_name),
            (0x23, &mut self.cipher),
            (0x24, &mut self.signature_algorithm),
            (0x25, &mut self.key_algorithm),
            (0x26, &mut self.group),
            (0x27, &mut self.signature_scheme),
            (0x28, &mut self.client_certificate),
        ]
    }
}

/// Looks at the parts; `offset` is where the value begins in the connection, and it has [`FIXED`] bytes or more.
pub(super) fn check(value: &[u8], offset: usize) -> Result<(), Error> {
    let mut reader = Reader::new(value);
    let _ = reader.take(FIXED);
    while !reader.is_empty() {
        let offset = offset.saturating_add(reader.at());
        if next(&mut reader).is_none() {
            return Err(Error::TlvCut {
                offset,
                is_nested: true,
            });
        }
    }
    Ok(())
}

/// The bits and the result that come before the parts.
pub(super) const FIXED: usize = 5;

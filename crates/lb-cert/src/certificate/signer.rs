//! Who may have signed a certificate, by what it says; and whether it signed itself.
//!
//! Self-issued (subject and issuer are the same name) is not self-signed: a server whose name is its CA's, and a CA's
//! new key that its old key certified, are the first and not the second.

use super::{Certificate, GeneralName, name};
use crate::tlv::{self, Reader, SEQUENCE};

impl Certificate {
    /// Would a program take it for self-signed that does not try the signature? Subject and issuer are one name, what
    /// the authority key identifier says is true of the certificate itself, and the signature's algorithm is one of its
    /// own kind of key.
    ///
    /// OpenSSL (1.1.1 to 4.0) judges so: it refuses a server's certificate that has its CA's name and lacks one of the
    /// two key identifiers as "self-signed" (error 18), whoever signed it.
    #[must_use]
    pub fn looks_self_signed(&self) -> bool {
        self.is_self_issued() && self.may_be_signed_by(self)
    }

    /// Does nothing that either says contradict that `issuer` signed it? Key identifier, the issuer's own issuer and
    /// serial number (RFC 5280, section 4.2.1.1) and the kind of key; names and signature are not looked at. What is
    /// absent contradicts nothing.
    #[must_use]
    pub fn may_be_signed_by(&self, issuer: &Self) -> bool {
        self.names_key_of(issuer) && self.fits_key_of(issuer)
    }

    /// The part of [`Certificate::may_be_signed_by`] that identifiers tell.
    pub(crate) fn names_key_of(&self, issuer: &Self) -> bool {
        let Some(named) = self.authority_key_id() else {
            return true;
        };
        let is_other_key = match (named.key_id.as_deref(), issuer.subject_key_id()) {
            (Some(wanted), Some(held)) => wanted != held,
            _ => false,
        };
        let is_other_serial = named.serial.as_deref().is_some_and(|serial| serial != issuer.serial());
        // Only the first directory name counts.
        let above = named.issuer.iter().flatten().find_map(|found| match found {
            GeneralName::Directory(above) => Some(above),
            _ => None,
        });
        let is_other_issuer = above.is_some_and(|above| !name::same(above, issuer.issuer_raw()));
        !(is_other_key || is_other_serial || is_other_issuer)
    }

    fn fits_key_of(&self, issuer: &Self) -> bool {
        let signed = algorithm(tlv::only(self.signature_algorithm_raw(), SEQUENCE).ok());
        let key = tlv::only(issuer.spki_raw(), SEQUENCE)
            .ok()
            .and_then(|spki| Some(Reader::new(spki).expect(SEQUENCE).ok()?.value));
        match (signed, algorithm(key)) {
            (Some(PSS), Some(key)) => key == PSS || key == RSA,
            (Some(signed), Some(key)) if signed.starts_with(ECDSA) => key == EC,
            (Some(signed), Some(key)) if signed.starts_with(PKCS1) => key == RSA,
            (Some(DSA_SHA1), Some(key)) => key == DSA,
            (Some(signed), Some(key)) => match signed.strip_prefix(NIST) {
                Some([1..=8]) => key == DSA,
                Some([9..=12]) => key == EC,
                Some([13..=16]) => key == RSA,
                // Ed25519, Ed448, ML-DSA: one identifier for key and signature.
                _ => signed == key,
            },
            _ => false,
        }
    }
}

/// The object identifier that an AlgorithmIdentifier's content begins with.
fn algorithm(content: Option<&[u8]>) -> Option<&[u8]> {
    Some(Reader::new(content?).expect(tlv::OID).ok()?.value)
}

/// 1.2.840.10045.2.1
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
/// 1.2.840.10045.4
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4];
/// 1.2.840.113549.1.1
const PKCS1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
/// 1.2.840.113549.1.1.1
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// 1.2.840.113549.1.1.10
const PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
/// 1.2.840.10040.4.1
const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
/// 1.2.840.10040.4.3
const DSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3];
/// 2.16.840.1.101.3.4.3: 1 to 8 are DSA, 9 to 12 ECDSA and 13 to 16 RSA with SHA-2 or SHA-3; ML-DSA follows.
const NIST: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3];

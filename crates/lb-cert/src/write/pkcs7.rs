//! PKCS#7: a SignedData that signs nothing and carries certificates (RFC 5652, section 5; RFC 2315).

use der::asn1::ObjectIdentifier;
use der::{Encode, Tag, TagNumber};
use rustls_pki_types::CertificateDer;

use crate::key::constructed;

/// A bundle of certificates (`.p7b`) in DER, as openssl writes with `crl2pkcs7 -nocrl -certfile`. The order stands as
/// given, which readers need not keep.
pub fn pkcs7<'a>(certificates: impl IntoIterator<Item = &'a CertificateDer<'a>>) -> Vec<u8> {
    let mut all = Vec::new();
    for certificate in certificates {
        all.extend_from_slice(certificate);
    }
    let data = constructed(Tag::Sequence, &DATA.to_der().unwrap_or_default());
    let mut signed = vec![0x02, 0x01, 0x01]; // version 1: nothing newer than RFC 2315 inside
    signed.extend(constructed(Tag::Set, &[])); // no digests
    signed.extend(data);
    signed.extend(constructed(context(0), &all));
    signed.extend(constructed(Tag::Set, &[])); // no signers
    let mut info = SIGNED_DATA.to_der().unwrap_or_default();
    info.extend(constructed(context(0), &constructed(Tag::Sequence, &signed)));
    constructed(Tag::Sequence, &info)
}

/// The same in PEM.
pub fn pkcs7_pem<'a>(certificates: impl IntoIterator<Item = &'a CertificateDer<'a>>) -> String {
    super::block("PKCS7", &pkcs7(certificates))
}

fn context(number: u32) -> Tag {
    Tag::ContextSpecific {
        number: TagNumber(number),
        constructed: true,
    }
}

const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");

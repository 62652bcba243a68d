//! What to say, and to do, when nobody here can tell whether a key belongs to a certificate.

use crate::certificate::tlv::{self, Reader, SEQUENCE};
use crate::{Certificate, Crypto, Found, KeyAlgorithm, PrivateKey};

/// Why the public half of a key is not known, for a key of which [`match_key`](super::match_key) says
/// [`KeyMatch::Unknown`](super::KeyMatch::Unknown).
#[must_use]
pub fn unknown_reason(key: &PrivateKey, crypto: &dyn Crypto) -> &'static str {
    if crypto.algorithms().is_empty() {
        return "Nothing that computes was given to this program, so no public half can be made of a private one.";
    }
    match key.algorithm() {
        KeyAlgorithm::Ed448 => {
            "The file holds the private half alone, and no library of this program computes the public half of an Ed448 \
             key. OpenSSL does, and its servers use such keys; those by rustls do not."
        }
        KeyAlgorithm::OtherCurve(_) => {
            "The file does not hold the public point, and no library of this program computes points on its curve. OpenSSL \
             does, and its servers use such keys; those by rustls do not."
        }
        KeyAlgorithm::Dsa { bits: 0 } => {
            "The file holds the private number without the group (p, q, g) of the key, which the certificate's issuer may \
             have; without it no program computes the public half."
        }
        KeyAlgorithm::Dsa { .. } => {
            "The numbers of this DSA key are no prime group that libraries compute with: larger than OpenSSL takes, or not \
             fitting together."
        }
        KeyAlgorithm::Rsa { .. }
        | KeyAlgorithm::RsaPss { .. }
        | KeyAlgorithm::EcP256
        | KeyAlgorithm::EcP384
        | KeyAlgorithm::EcP521
        | KeyAlgorithm::Ed25519 => {
            "The library of this program refuses the numbers of the key: they do not fit together. A file that was changed \
             on its way looks so."
        }
        KeyAlgorithm::Other(name) if name.starts_with("ML-DSA") => {
            "The library of this program refuses the key: its octets do not fit together. A file that was changed on its \
             way looks so."
        }
        KeyAlgorithm::Other(name) if name.contains("SLH-DSA") || name.starts_with("HashML-DSA") => {
            "No library of this program computes the public half of such a key. OpenSSL from 3.5 may; TLS has no signatures \
             by it yet."
        }
        KeyAlgorithm::Other(_) => {
            "Such a key agrees on secrets and does not sign, so no TLS server proves a certificate with it, and no library \
             of this program computes its public half."
        }
        KeyAlgorithm::Unknown(_) => "Keys of this kind are not known here, so what is in the file cannot be told.",
    }
}

/// The command by which a person compares with OpenSSL (3.0 or newer): it prints the SHA-256 of the key's public half,
/// which is that of the certificate's public key ([`public_key_digest`](super::public_key_digest)) if they belong together.
/// `None` for a key of which no program can tell.
#[must_use]
pub fn comparison(certificate: &Certificate, key: &Found<PrivateKey>) -> Option<String> {
    let from = match key.value.algorithm() {
        KeyAlgorithm::Dsa { bits: 0 } => return None,
        // Nobody here converts what is not known.
        KeyAlgorithm::Unknown(_) => "openssl pkey -in FILE",
        _ => "lbd cert convert FILE --only-key | openssl pkey",
    };
    let form = match point_form(certificate) {
        Some(form) => format!(" -ec_conv_form {form}"),
        None => String::new(),
    };
    let template = format!("{from} -pubout -outform DER{form} | openssl sha256");
    Some(key.place.command(&template))
}

/// How the point of an elliptic curve key is written (SEC 1, section 2.3.3), where openssl would not write it so by itself.
fn point_form(certificate: &Certificate) -> Option<&'static str> {
    if !certificate.key().to_string().starts_with("ECDSA") {
        return None;
    }
    let mut fields = Reader::new(tlv::only(certificate.spki_raw(), SEQUENCE).ok()?);
    fields.expect(SEQUENCE).ok()?;
    match tlv::whole_bits(fields.expect(tlv::BIT_STRING).ok()?.value).ok()? {
        [2 | 3, ..] => Some("compressed"),
        [6 | 7, ..] => Some("hybrid"),
        _ => None,
    }
}

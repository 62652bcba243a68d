//! What is inside one block or DER file: its shape is compared with its label, its structure read to the end.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use super::shape::{self, Shape};
use super::{Contents, ForeignFormat, Format, NoteKind, Problem, ReadError, ReadOptions, foreign, structure};
use crate::{KeyAlgorithm, Place, PrivateKey};

/// Reads the block with this label; the answer names what was left out because it is of no use.
pub(super) fn read_labelled(
    contents: &mut Contents,
    label: &str,
    der: Vec<u8>,
    place: &Place,
    options: &ReadOptions<'_>,
) -> Result<Option<&'static str>, ReadError> {
    if let Some(format) = foreign::labelled(label, &der) {
        return refuse(place, Problem::Foreign { format });
    }
    let Some(entry) = LABELS.iter().find(|entry| entry.label == label) else {
        return refuse(place, Problem::UnknownLabel { label: label.into() });
    };
    let wanted = match entry.means {
        Meaning::Skip(what) => return Ok(Some(what)),
        Meaning::Is(shape) => shape,
    };
    let found = shape::recognise(&der);
    let wanted = match found {
        _ if found == wanted => wanted,
        Shape::Unknown => wanted,
        // The forms of keys are confused often, and openssl reads them under each other's labels too.
        Shape::Pkcs8 | Shape::EncryptedPkcs8 if label.ends_with("PRIVATE KEY") => {
            other_label(contents, label, found, place)
        }
        Shape::Pkcs1 | Shape::Sec1 | Shape::DsaKey if label == "PRIVATE KEY" => {
            other_label(contents, label, found, place)
        }
        _ => {
            return refuse(
                place,
                Problem::WrongLabel {
                    label: label.into(),
                    found: found.name(),
                },
            );
        }
    };
    if entry.old {
        contents.note(place, NoteKind::OldLabel { label: label.into() });
    }
    if label == "TRUSTED CERTIFICATE" {
        trusted(contents, &der, place, options)?;
    } else if wanted == Shape::Certificate {
        // The most common block by far is not copied.
        structure::certificate(&der, options.limits.depth).map_err(|problem| ReadError {
            place: place.clone(),
            problem,
        })?;
        contents.add_certificate(CertificateDer::from(der), place, &options.limits)?;
    } else {
        read_as(contents, wanted, &der, place, options)?;
    }
    // A key of one algorithm under the label of another.
    if let (Some(rsa), Some(key)) = (label_is_rsa(label), contents.keys.last())
        && is_rsa(key.value.algorithm()) != rsa
    {
        return refuse(
            place,
            Problem::WrongLabel {
                label: label.into(),
                found: "a key of another algorithm",
            },
        );
    }
    Ok(None)
}

/// The shape that was found counts; the label is worth a note.
fn other_label(contents: &mut Contents, label: &str, found: Shape, place: &Place) -> Shape {
    contents.note(
        place,
        NoteKind::OtherLabel {
            label: label.into(),
            found: found.name(),
        },
    );
    found
}

/// Reads a file that is DER or BER from its first byte.
pub(super) fn read_der(
    contents: &mut Contents,
    der: &[u8],
    whole: &Place,
    options: &ReadOptions<'_>,
) -> Result<(), ReadError> {
    contents.format = match shape::recognise(der) {
        Shape::Pkcs7 => Format::Pkcs7,
        Shape::Pkcs12 => Format::Pkcs12,
        _ => Format::Der,
    };
    read_structure(contents, der, whole, options)
}

/// Reads a structure that no label announces.
pub(super) fn read_structure(
    contents: &mut Contents,
    der: &[u8],
    place: &Place,
    options: &ReadOptions<'_>,
) -> Result<(), ReadError> {
    read_as(contents, shape::recognise(der), der, place, options)
}

fn read_as(
    contents: &mut Contents,
    shape: Shape,
    der: &[u8],
    place: &Place,
    options: &ReadOptions<'_>,
) -> Result<(), ReadError> {
    let at = |problem| ReadError {
        place: place.clone(),
        problem,
    };
    match shape {
        Shape::Certificate => {
            structure::certificate(der, options.limits.depth).map_err(at)?;
            contents.add_certificate(CertificateDer::from(der.to_vec()), place, &options.limits)
        }
        Shape::Crl => {
            structure::revocation_list(der, options.limits.depth).map_err(at)?;
            contents.add_crl(CertificateRevocationListDer::from(der.to_vec()), place);
            Ok(())
        }
        Shape::Pkcs8 | Shape::Pkcs1 | Shape::Sec1 | Shape::DsaKey => {
            shape::one(der, "the private key").map_err(at)?;
            let key = PrivateKey::from_der(der).map_err(|error| at(Problem::Key(error)))?;
            contents.add_key(key, place, options)
        }
        Shape::EncryptedPkcs8 => encrypted(contents, der, place, options),
        Shape::Pkcs7 => pkcs7(contents, der, place, options),
        Shape::Pkcs12 => pkcs12(contents, der, place, options),
        Shape::Request | Shape::PublicKey | Shape::Numbers => {
            shape::one(der, shape.name()).map_err(at)?;
            refuse(
                place,
                Problem::NothingOfUse {
                    found: shape.name().into(),
                },
            )
        }
        Shape::Bcfks => refuse(
            place,
            Problem::Foreign {
                format: ForeignFormat::Bcfks,
            },
        ),
        Shape::Unknown => {
            shape::one(der, "the structure").map_err(at)?;
            refuse(
                place,
                Problem::Unrecognised {
                    found: super::UNKNOWN_DER,
                },
            )
        }
    }
}

/// openssl's `TRUSTED CERTIFICATE`: a certificate and, behind it, trust settings (`X509_CERT_AUX`).
fn trusted(contents: &mut Contents, der: &[u8], place: &Place, options: &ReadOptions<'_>) -> Result<(), ReadError> {
    let at = |problem| ReadError {
        place: place.clone(),
        problem,
    };
    let (certificate, settings) = shape::split(der, "the certificate").map_err(at)?;
    if !settings.is_empty() {
        shape::one(settings, "the trust settings behind the certificate").map_err(at)?;
        contents.note(place, NoteKind::TrustSettings);
    }
    read_as(contents, Shape::Certificate, certificate, place, options)
}

#[cfg(feature = "pkcs7")]
fn pkcs7(contents: &mut Contents, der: &[u8], place: &Place, options: &ReadOptions<'_>) -> Result<(), ReadError> {
    super::pkcs7::read(contents, der, place, options)
}

#[cfg(not(feature = "pkcs7"))]
fn pkcs7(_: &mut Contents, _: &[u8], place: &Place, _: &ReadOptions<'_>) -> Result<(), ReadError> {
    refuse(
        place,
        Problem::Feature {
            format: "PKCS#7",
            feature: "pkcs7",
        },
    )
}

#[cfg(feature = "pkcs12")]
fn pkcs12(contents: &mut Contents, der: &[u8], place: &Place, options: &ReadOptions<'_>) -> Result<(), ReadError> {
    super::pkcs12::read(contents, der, place, options)
}

#[cfg(not(feature = "pkcs12"))]
fn pkcs12(_: &mut Contents, _: &[u8], place: &Place, _: &ReadOptions<'_>) -> Result<(), ReadError> {
    refuse(
        place,
        Problem::Feature {
            format: "PKCS#12",
            feature: "pkcs12",
        },
    )
}

#[cfg(feature = "encrypted-keys")]
fn encrypted(contents: &mut Contents, der: &[u8], place: &Place, options: &ReadOptions<'_>) -> Result<(), ReadError> {
    let at = |problem| ReadError {
        place: place.clone(),
        problem,
    };
    let der = shape::one(der, "the encrypted private key").map_err(at)?;
    let key = super::pkcs8::decrypt(der, place, options, &mut contents.budget).map_err(at)?;
    contents.is_unlocked = true;
    contents.add_key(key, place, options)
}

#[cfg(not(feature = "encrypted-keys"))]
fn encrypted(_: &mut Contents, _: &[u8], place: &Place, _: &ReadOptions<'_>) -> Result<(), ReadError> {
    refuse(
        place,
        Problem::Feature {
            format: "an encrypted private key",
            feature: "encrypted-keys",
        },
    )
}

/// The content of a block whose header says how it is encrypted (`DEK-Info`).
#[cfg(feature = "encrypted-keys")]
pub(super) fn decrypt(
    label: &str,
    encryption: &str,
    data: &[u8],
    place: &Place,
    options: &ReadOptions<'_>,
) -> Result<Vec<u8>, ReadError> {
    super::legacy::decrypt(label, encryption, data, options).map_err(|problem| ReadError {
        place: place.clone(),
        problem,
    })
}

#[cfg(not(feature = "encrypted-keys"))]
pub(super) fn decrypt(_: &str, _: &str, _: &[u8], place: &Place, _: &ReadOptions<'_>) -> Result<Vec<u8>, ReadError> {
    refuse(
        place,
        Problem::Feature {
            format: "an encrypted private key",
            feature: "encrypted-keys",
        },
    )
}

/// Whether rustls-pki-types decodes blocks of this label as they stand.
pub(super) fn is_plain_label(label: &str) -> bool {
    matches!(
        label,
        "CERTIFICATE" | "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "X509 CRL" | "PUBLIC KEY"
    )
}

/// Whether the content is secret, so that it is decoded in constant time.
pub(super) fn is_secret(label: &str) -> bool {
    label.ends_with("PRIVATE KEY") || label == "PKCS12"
}

/// For labels that name an algorithm: whether that is RSA.
fn label_is_rsa(label: &str) -> Option<bool> {
    match label {
        "RSA PRIVATE KEY" => Some(true),
        "EC PRIVATE KEY" => Some(false),
        _ => None,
    }
}

fn is_rsa(algorithm: &KeyAlgorithm) -> bool {
    matches!(algorithm, KeyAlgorithm::Rsa { .. } | KeyAlgorithm::RsaPss { .. })
}

/// Blocks of other programs that only look like PEM: their content is not read.
pub(super) fn is_foreign(label: &str) -> bool {
    label.starts_with("PGP ") || label.starts_with("SSH2 ")
}

fn refuse<T>(place: &Place, problem: Problem) -> Result<T, ReadError> {
    Err(ReadError {
        place: place.clone(),
        problem,
    })
}

struct Label {
    label: &'static str,
    means: Meaning,
    /// Worth a note.
    old: bool,
}

enum Meaning {
    Is(Shape),
    Skip(&'static str),
}

const fn is(label: &'static str, shape: Shape) -> Label {
    Label {
        label,
        means: Meaning::Is(shape),
        old: false,
    }
}

const fn old(label: &'static str, shape: Shape) -> Label {
    Label {
        label,
        means: Meaning::Is(shape),
        old: true,
    }
}

const fn skip(label: &'static str, what: &'static str) -> Label {
    Label {
        label,
        means: Meaning::Skip(what),
        old: false,
    }
}

/// RFC 7468, the labels of openssl (`PEM_STRING_*`) and those of old.
const LABELS: [Label; 30] = [
    is("CERTIFICATE", Shape::Certificate),
    old("X509 CERTIFICATE", Shape::Certificate),
    old("X.509 CERTIFICATE", Shape::Certificate),
    is("TRUSTED CERTIFICATE", Shape::Certificate),
    is("X509 CRL", Shape::Crl),
    old("CRL", Shape::Crl),
    is("PRIVATE KEY", Shape::Pkcs8),
    is("ENCRYPTED PRIVATE KEY", Shape::EncryptedPkcs8),
    is("RSA PRIVATE KEY", Shape::Pkcs1),
    is("EC PRIVATE KEY", Shape::Sec1),
    old("SM2 PRIVATE KEY", Shape::Sec1),
    is("DSA PRIVATE KEY", Shape::DsaKey),
    is("PKCS7", Shape::Pkcs7),
    is("CMS", Shape::Pkcs7),
    old("PKCS #7 SIGNED DATA", Shape::Pkcs7),
    is("PKCS12", Shape::Pkcs12),
    skip("CERTIFICATE REQUEST", "a certificate request"),
    skip("NEW CERTIFICATE REQUEST", "a certificate request"),
    skip("PUBLIC KEY", "a public key"),
    skip("RSA PUBLIC KEY", "a public key"),
    skip("DH PARAMETERS", "Diffie-Hellman parameters"),
    skip("X9.42 DH PARAMETERS", "Diffie-Hellman parameters"),
    skip("EC PARAMETERS", "elliptic curve parameters"),
    skip("SM2 PARAMETERS", "elliptic curve parameters"),
    skip("DSA PARAMETERS", "DSA parameters"),
    skip("ATTRIBUTE CERTIFICATE", "an attribute certificate"),
    skip("SSL SESSION PARAMETERS", "a TLS session"),
    skip("ECHCONFIG", "an ECH configuration"),
    skip("OCSP RESPONSE", "an OCSP response"),
    skip("CERTIFICATE CHAIN", "a certificate chain of another program"),
];

//! What a source held.

use std::collections::HashMap;
use std::fmt;

use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use super::{Limits, Note, NoteKind, Problem, ReadError, ReadOptions};
use crate::{Found, Place, PrivateKey};

/// What a source held, in the order in which it stood there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Contents {
    /// Certificates.
    pub certificates: Vec<Found<CertificateDer<'static>>>,
    /// Private keys.
    pub keys: Vec<Found<PrivateKey>>,
    /// Certificate revocation lists.
    pub crls: Vec<Found<CertificateRevocationListDer<'static>>>,
    /// What is odd about the source, or was left out.
    pub notes: Vec<Note>,
    /// The outermost format.
    pub format: Format,
    /// Whether a password that was given opened something.
    pub(super) is_unlocked: bool,
    /// What was ordered of key derivations so far.
    #[cfg(feature = "encrypted-keys")]
    pub(super) budget: super::encryption::Budget,
}

impl Contents {
    pub(super) fn new(format: Format) -> Self {
        Self {
            certificates: Vec::new(),
            keys: Vec::new(),
            crls: Vec::new(),
            notes: Vec::new(),
            format,
            is_unlocked: false,
            #[cfg(feature = "encrypted-keys")]
            budget: super::encryption::Budget::default(),
        }
    }

    /// Whether nothing of use was found.
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty() && self.keys.is_empty() && self.crls.is_empty()
    }

    /// Whether a password that was given was needed: it opened something, or proved that nothing was changed.
    pub fn is_unlocked(&self) -> bool {
        self.is_unlocked
    }

    pub(super) fn note(&mut self, place: &Place, kind: NoteKind) {
        self.notes.push(Note {
            place: place.clone(),
            kind,
        });
    }

    /// Notes certificates that stood earlier. Linear: many are told apart by their ends, which are signatures.
    pub(super) fn note_duplicates(&mut self) {
        let mut repeated = Vec::new();
        if self.certificates.len() <= FEW {
            for (index, found) in self.certificates.iter().enumerate() {
                if let Some(first) = self
                    .certificates
                    .iter()
                    .take(index)
                    .find(|first| first.value == found.value)
                {
                    repeated.push((found.place.clone(), first.place.block));
                }
            }
        } else {
            let mut ends: HashMap<(usize, Option<&[u8; 32]>), &Found<CertificateDer<'static>>> = HashMap::new();
            for found in &self.certificates {
                let first = *ends
                    .entry((found.value.len(), found.value.last_chunk()))
                    .or_insert(found);
                if !std::ptr::eq(first, found) && first.value == found.value {
                    repeated.push((found.place.clone(), first.place.block));
                }
            }
        }
        for (place, first) in repeated {
            self.note(&place, NoteKind::Duplicate { first });
        }
    }

    pub(super) fn add_certificate(
        &mut self,
        value: CertificateDer<'static>,
        place: &Place,
        limits: &Limits,
    ) -> Result<(), ReadError> {
        if self.certificates.len() >= limits.certificates {
            let problem = Problem::Limit {
                what: "certificates",
                limit: limits.certificates as u64,
            };
            return Err(ReadError {
                place: place.clone(),
                problem,
            });
        }
        self.certificates.push(Found {
            value,
            place: place.clone(),
        });
        Ok(())
    }

    pub(super) fn add_crl(&mut self, value: CertificateRevocationListDer<'static>, place: &Place) {
        self.crls.push(Found {
            value,
            place: place.clone(),
        });
    }

    pub(super) fn add_key(
        &mut self,
        value: PrivateKey,
        place: &Place,
        options: &ReadOptions<'_>,
    ) -> Result<(), ReadError> {
        if let Some(crypto) = options.crypto {
            value.check(crypto).map_err(|error| ReadError {
                place: place.clone(),
                problem: Problem::Key(error),
            })?;
        }
        let algorithm = value.algorithm();
        if !algorithm.is_usable() {
            let name = algorithm.to_string().into();
            let kind = if algorithm.is_served_elsewhere() {
                NoteKind::UnservedKey { algorithm: name }
            } else {
                NoteKind::UnusableKey { algorithm: name }
            };
            self.note(place, kind);
        }
        for oddity in value.oddities() {
            self.note(place, NoteKind::KeyForm(*oddity));
        }
        self.keys.push(Found {
            value,
            place: place.clone(),
        });
        Ok(())
    }
}

/// The outermost format of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Text with BEGIN and END lines.
    Pem,
    /// Base64 without BEGIN and END lines.
    Base64,
    /// One certificate, key or revocation list in DER.
    Der,
    /// PKCS#7 (CMS) in DER or BER: `.p7b`, `.p7c`, `.spc`.
    Pkcs7,
    /// PKCS#12: `.p12`, `.pfx`.
    Pkcs12,
    /// Java's key store of old: `.jks`.
    Jks,
    /// Java's other key store of old.
    Jceks,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pem => "PEM",
            Self::Base64 => "base64 without armour",
            Self::Der => "DER",
            Self::Pkcs7 => "PKCS#7",
            Self::Pkcs12 => "PKCS#12",
            Self::Jks => "JKS",
            Self::Jceks => "JCEKS",
        })
    }
}

/// So many certificates are compared with each other.
const FEW: usize = 8;

//! All certificates and keys of the files, and which of them belong together.

use super::key::{check_key, public_half};
use super::{File, LoadError, Note};
use crate::Engine;
use lb_cert::bundle::public_key;
use lb_cert::{Certificate, CertificateDer, Found, KeyMatch, Password, Place, PrivateKey, ReadOptions, match_key};
use std::collections::{HashMap, HashSet};

/// All that was read, each certificate and key once.
pub(super) struct Heap {
    pub(super) certificates: Vec<Found<Certificate>>,
    pub(super) keys: Vec<Found<PrivateKey>>,
    pub(super) notes: Vec<Note>,
    /// Certificates of which something was said already.
    pub(super) spoken: HashSet<usize>,
}

/// A certificate and a key, by their places in the heap.
pub(super) type Pair = (usize, usize);

impl Heap {
    pub(super) fn read<'a>(files: impl IntoIterator<Item = File<'a>>, engine: &Engine) -> Result<Self, LoadError> {
        let mut heap = Self {
            certificates: Vec::new(),
            keys: Vec::new(),
            notes: Vec::new(),
            spoken: HashSet::new(),
        };
        let mut sources = Vec::new();
        let mut known: HashMap<CertificateDer<'static>, Place> = HashMap::new();
        let mut known_keys: HashMap<Vec<u8>, Place> = HashMap::new();
        for File { label, bytes, password } in files {
            sources.push(label.to_owned());
            let passwords: Vec<Password> = password.into_iter().collect();
            let options = ReadOptions::with_passwords(&passwords).crypto(engine.crypto());
            let contents = lb_cert::read(label, bytes, &options)?;
            for found in lb_cert::parse_all(contents.certificates)? {
                match known.get(found.value.der()) {
                    Some(first) => heap.notes.push(Note::DuplicateCertificate {
                        place: found.place,
                        first: first.clone(),
                    }),
                    None => {
                        known.insert(found.value.der().clone(), found.place.clone());
                        heap.certificates.push(found);
                    }
                }
            }
            for found in contents.keys {
                check_key(&found)?;
                let public = public_half(&found, engine)?;
                match known_keys.get(&public) {
                    Some(first) => heap.notes.push(Note::DuplicateKey {
                        place: found.place,
                        first: first.clone(),
                    }),
                    None => {
                        known_keys.insert(public, found.place.clone());
                        heap.keys.push(found);
                    }
                }
            }
        }
        if heap.certificates.is_empty() && heap.keys.is_empty() {
            return Err(LoadError::Empty { sources });
        }
        Ok(heap)
    }

    /// Which key is whose, in the order of the certificates.
    pub(super) fn pair(&mut self, engine: &Engine) -> Result<Vec<Pair>, LoadError> {
        let mut by_public: HashMap<&[u8], Vec<usize>> = HashMap::new();
        for (index, found) in self.certificates.iter().enumerate() {
            by_public.entry(found.value.spki_raw()).or_default().push(index);
        }
        let mut pairs: Vec<Pair> = Vec::new();
        let mut notes = Vec::new();
        let mut spoken = Vec::new();
        for (key, found) in self.keys.iter().enumerate() {
            let public = public_half(found, engine)?;
            let mut owners = by_public.get(public.as_slice()).cloned().unwrap_or_default();
            if owners.is_empty() {
                owners = self.owners_in_other_words(found, engine);
            }
            if owners.is_empty() {
                return Err(self.lonely_key(found, &public, engine));
            }
            for owner in owners {
                let certificate = self.certificates.get(owner);
                match certificate.filter(|one| self.is_authority_of_others(&one.value)) {
                    Some(authority) => {
                        notes.push(Note::AuthorityKey {
                            place: found.place.clone(),
                            subject: authority.value.label(),
                        });
                        spoken.push(owner);
                    }
                    None => pairs.push((owner, key)),
                }
            }
        }
        let owned: HashSet<usize> = pairs.iter().map(|(certificate, _)| *certificate).collect();
        let lonely = self.certificates.iter().enumerate();
        let lonely = lonely.filter(|(index, one)| !one.value.is_ca() && !owned.contains(index));
        if let Some((_, found)) = lonely.into_iter().next() {
            return Err(self.lonely_certificate(found, engine));
        }
        if pairs.is_empty() {
            let sources: Vec<String> = self
                .certificates
                .iter()
                .map(|one| one.place.source.to_string())
                .collect();
            return match self.certificates.first() {
                // CAs alone: the first is as good as any to name what is missing.
                Some(found) if self.keys.is_empty() => Err(self.lonely_certificate(found, engine)),
                _ => Err(LoadError::Empty { sources }),
            };
        }
        self.notes.append(&mut notes);
        self.spoken.extend(spoken);
        pairs.sort_unstable();
        Ok(pairs)
    }

    /// Certificates that write the same public key in another way.
    fn owners_in_other_words(&self, key: &Found<PrivateKey>, engine: &Engine) -> Vec<usize> {
        let is_match = |one: &Found<Certificate>| {
            matches!(
                match_key(&one.value, &key.value, engine.crypto()),
                KeyMatch::Match { .. }
            )
        };
        let all = self.certificates.iter().enumerate();
        all.filter(|(_, one)| is_match(one)).map(|(index, _)| index).collect()
    }

    /// A CA without a host name that issued another of the certificates: nobody's server.
    fn is_authority_of_others(&self, certificate: &Certificate) -> bool {
        certificate.is_ca()
            && certificate.names().is_empty()
            && self
                .certificates
                .iter()
                .any(|other| other.value != *certificate && other.value.is_issued_by(certificate))
    }

    /// Of certificates with the same key and the same names one is enough: that which is valid and ends last.
    pub(super) fn without_superseded(&mut self, pairs: Vec<Pair>, at: i64) -> Vec<Pair> {
        let mut best: HashMap<(usize, Vec<String>), usize> = HashMap::new();
        let rank = |index: usize| {
            self.certificates.get(index).map(|found| {
                let (begin, end) = (found.value.not_before(), found.value.not_after());
                (begin <= at && at <= end, end)
            })
        };
        let group = |&(certificate, key): &Pair| {
            let mut names: Vec<String> = self
                .certificates
                .get(certificate)
                .map(|found| found.value.names().iter().map(ToString::to_string).collect())
                .unwrap_or_default();
            names.sort_unstable();
            (key, names)
        };
        for pair in &pairs {
            let known = best.entry(group(pair)).or_insert(pair.0);
            if rank(pair.0) > rank(*known) {
                *known = pair.0;
            }
        }
        let mut kept = Vec::new();
        let mut notes = Vec::new();
        for pair in pairs {
            let winner = best.get(&group(&pair)).copied().unwrap_or(pair.0);
            if winner == pair.0 {
                kept.push(pair);
            } else if let (Some(one), Some(by)) = (self.certificates.get(pair.0), self.certificates.get(winner)) {
                notes.push(Note::Superseded {
                    place: one.place.clone(),
                    subject: one.value.label(),
                    by: by.place.clone(),
                });
                self.spoken.insert(pair.0);
            }
        }
        self.notes.append(&mut notes);
        kept
    }

    fn lonely_key(&self, found: &Found<PrivateKey>, public: &[u8], engine: &Engine) -> LoadError {
        let servers = self.certificates.iter().filter(|one| !one.value.is_ca());
        LoadError::KeyWithoutCertificate {
            place: found.place.clone(),
            algorithm: found.value.algorithm().to_string().into(),
            fingerprint: engine.sha256(public),
            certificates: servers
                .map(|one| {
                    let name = format!("{} ({})", one.value.label(), one.place);
                    (name, engine.sha256(one.value.spki_raw()))
                })
                .collect(),
        }
    }

    fn lonely_certificate(&self, found: &Found<Certificate>, engine: &Engine) -> LoadError {
        LoadError::CertificateWithoutKey {
            place: found.place.clone(),
            subject: found.value.label().into(),
            fingerprint: engine.sha256(found.value.spki_raw()),
            keys: self
                .keys
                .iter()
                .filter_map(|key| {
                    let public = public_key(&key.value, engine.crypto())?;
                    Some((key.place.to_string(), engine.sha256(&public)))
                })
                .collect(),
        }
    }
}

//! From files to identities.

use super::{Identity, KeyKind, LoadError, Note, names_of};
use crate::Engine;
use crate::names::NameTable;
use lb_cert::bundle::{End, Reason, public_key, unknown_reason};
use lb_cert::doctor::{Examination, Patient, examine};
use lb_cert::{
    Certificate, CertificateDer, Found, KeyAlgorithm, KeyMatch, MendOptions, Mended, Password, Place, PrivateKey,
    ReadOptions, Roots, Severity, match_key,
};
use rustls::sign::CertifiedKey;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A file with certificates, keys or both, in any form that lb-cert reads.
#[derive(Debug)]
pub struct File<'a> {
    /// Its name, for messages.
    pub label: &'a str,
    /// What is in it.
    pub bytes: &'a [u8],
    /// The password of its PKCS#12 or of its keys.
    pub password: Option<Password>,
}

/// What is known besides the files.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct LoadOptions<'a> {
    /// Whom clients trust. With some, a chain that ends below none of them is missing an intermediate; without any, only
    /// a chain that is a certificate alone looks so.
    pub roots: &'a [&'a Roots],
}

impl<'a> LoadOptions<'a> {
    /// With these roots.
    #[must_use]
    pub const fn with_roots(roots: &'a [&'a Roots]) -> Self {
        Self { roots }
    }
}

/// What the files held.
#[derive(Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// One for each certificate that has a key, in the order in which the certificates were given.
    pub identities: Vec<Arc<Identity>>,
    /// What was done, and what should be known; each once.
    pub notes: Vec<Note>,
}

/// Makes identities of files. Nothing is guessed from names and positions: a key belongs to the certificate that has its
/// public half, in whichever file, and the issuers of a certificate are found in all of them.
///
/// Cost: for each identity one pass of lb-cert's `mend` over the certificates of CAs that were given, some milliseconds.
///
/// # Errors
///
/// [`LoadError`]: a file that cannot be read, a key or certificate that has no other half, a key or signature that is too
/// weak or that nobody can serve. An expired certificate is no error: [`Note::Expired`].
pub fn load<'a>(
    files: impl IntoIterator<Item = File<'a>>,
    options: &LoadOptions<'_>,
    engine: &Engine,
) -> Result<Loaded, LoadError> {
    let now = engine.now().ok_or(LoadError::NoClock)?;
    let at = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let mut heap = Heap::read(files, engine)?;
    let pairs = heap.pair(engine)?;
    let pairs = heap.without_superseded(pairs, at);
    let loader = Loader {
        heap: &heap,
        options,
        engine,
        at,
    };
    let mut notes = Vec::new();
    let mut used = HashSet::new();
    let mut roots = HashSet::new();
    let mut identities = Vec::new();
    for (certificate, key) in pairs {
        identities.push(Arc::new(loader.identity(
            certificate,
            key,
            &mut used,
            &mut roots,
            &mut notes,
        )?));
    }
    let mut all = heap.notes;
    for (index, found) in heap.certificates.iter().enumerate() {
        let is_said = used.contains(&index) || roots.contains(&index) || heap.spoken.contains(&index);
        if !is_said && found.value.is_ca() {
            all.push(Note::Unused {
                place: found.place.clone(),
                subject: found.value.label(),
            });
        }
    }
    all.append(&mut notes);
    Ok(Loaded { identities, notes: all })
}

/// All that was read, each certificate and key once.
struct Heap {
    certificates: Vec<Found<Certificate>>,
    keys: Vec<Found<PrivateKey>>,
    notes: Vec<Note>,
    /// Certificates of which something was said already.
    spoken: HashSet<usize>,
}

/// A certificate and a key, by their places in the heap.
type Pair = (usize, usize);

impl Heap {
    fn read<'a>(files: impl IntoIterator<Item = File<'a>>, engine: &Engine) -> Result<Self, LoadError> {
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
    fn pair(&mut self, engine: &Engine) -> Result<Vec<Pair>, LoadError> {
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
    fn without_superseded(&mut self, pairs: Vec<Pair>, at: i64) -> Vec<Pair> {
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
            algorithm: found.value.algorithm().to_string(),
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
            subject: found.value.label(),
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

struct Loader<'a> {
    heap: &'a Heap,
    options: &'a LoadOptions<'a>,
    engine: &'a Engine,
    at: i64,
}

impl Loader<'_> {
    fn identity(
        &self,
        leaf: usize,
        key: usize,
        used: &mut HashSet<usize>,
        roots: &mut HashSet<usize>,
        notes: &mut Vec<Note>,
    ) -> Result<Identity, LoadError> {
        let (Some(leaf), Some(key)) = (self.heap.certificates.get(leaf), self.heap.keys.get(key)) else {
            return Err(LoadError::Empty { sources: Vec::new() });
        };
        let mended = self.mended(leaf, key);
        self.tell_chain(&mended, leaf, used, roots, notes);
        self.examine(&mended, key, notes)?;
        let certificate = &leaf.value;
        let names = names_of(leaf, notes);
        let mut table = NameTable::new();
        for name in &names {
            // They were read as patterns.
            let _ = table.entry(name, || ());
        }
        let chain: Vec<CertificateDer<'static>> = mended.sent().map(|one| one.value.der().clone()).collect();
        let provider = self.engine.provider();
        let unusable = |why: String| LoadError::UnusableKey {
            place: key.place.clone(),
            algorithm: key.value.algorithm().to_string(),
            why,
        };
        let key_kind = kind(key.value.algorithm()).ok_or_else(|| unusable(UNKNOWN.to_owned()))?;
        let signing = provider
            .key_provider
            .load_private_key(key.value.der().clone_key())
            .map_err(|error| unusable(format!("the cryptography in use refuses it: {error}")))?;
        Ok(Identity {
            certified: Arc::new(CertifiedKey::new(chain, signing)),
            places: mended.sent().map(|one| one.place.clone()).collect(),
            subject: certificate.subject(),
            issuer: certificate.issuer(),
            names,
            table,
            not_before: certificate.not_before(),
            not_after: certificate.not_after(),
            fingerprint: self.engine.sha256(certificate.der()),
            key_fingerprint: self.engine.sha256(certificate.spki_raw()),
            key_kind,
        })
    }

    /// The way from this certificate up, through the CAs of all files.
    fn mended(&self, leaf: &Found<Certificate>, key: &Found<PrivateKey>) -> Mended {
        let authorities = self.heap.certificates.iter();
        let authorities = authorities.filter(|one| one.value.is_ca() && one.value != leaf.value);
        let certificates = std::iter::once(leaf).chain(authorities).cloned().collect();
        let mut options = MendOptions::new(self.at);
        options.roots = self.options.roots;
        lb_cert::mend(certificates, vec![key.clone()], options, self.engine.crypto())
    }

    fn tell_chain(
        &self,
        mended: &Mended,
        leaf: &Found<Certificate>,
        used: &mut HashSet<usize>,
        roots: &mut HashSet<usize>,
        notes: &mut Vec<Note>,
    ) {
        let index = |found: &Found<Certificate>| self.heap.certificates.iter().position(|one| one.value == found.value);
        used.extend(mended.sent().filter_map(index));
        for left in mended.left_out.iter().filter(|left| left.reason == Reason::Root) {
            let found = &left.certificate;
            if index(found).is_some_and(|index| roots.insert(index)) {
                notes.push(Note::RootDropped {
                    place: found.place.clone(),
                    subject: found.value.label(),
                });
            }
        }
        let mut backwards: Vec<&str> = Vec::new();
        for pair in mended.chain.windows(2) {
            let [one, next] = pair else { continue };
            let source: &str = &one.place.source;
            let is_back = source == &*next.place.source && next.place.offset < one.place.offset;
            if is_back && !backwards.contains(&source) {
                backwards.push(source);
                notes.push(Note::Reordered {
                    source: source.to_owned(),
                    subject: leaf.value.label(),
                });
            }
        }
        if let (End::Open(issuer), Some(last)) = (&mended.end, mended.chain.last())
            && !self.is_complete(mended, &last.value)
        {
            notes.push(Note::MissingIssuer {
                place: last.place.clone(),
                subject: last.value.label(),
                issuer: issuer.name.clone(),
                address: issuer.addresses.first().cloned(),
            });
        }
    }

    /// Does a client know the issuer of the last certificate, as far as can be told?
    fn is_complete(&self, mended: &Mended, last: &Certificate) -> bool {
        let known = self.options.roots;
        if known.is_empty() {
            return mended.chain.len() > 1;
        }
        let is_root = |root: &Certificate| last.is_issued_by(root) || last == root;
        known.iter().any(|roots| roots.iter().any(is_root))
    }

    /// What lb-cert's doctor says of what is sent: weak things refuse, the rest is told.
    fn examine(&self, mended: &Mended, key: &Found<PrivateKey>, notes: &mut Vec<Note>) -> Result<(), LoadError> {
        let patient = Patient {
            certificates: mended.sent().cloned().collect(),
            keys: vec![key.clone()],
            notes: Vec::new(),
        };
        let report = examine(
            patient,
            &Examination {
                at: self.at,
                names: &[],
                roots: &[],
                crypto: self.engine.crypto(),
            },
        );
        for finding in report.findings {
            match finding.id {
                "weak-signature" => return Err(LoadError::Weak(finding)),
                "key-strength" if finding.severity == Severity::Error => return Err(LoadError::Weak(finding)),
                // Said in other words here, or no matter of a program that serves.
                "open-chain"
                | "missing-intermediate"
                | "no-names"
                | "no-key"
                | "cross-signed"
                | "self-signed"
                | "expired"
                | "not-yet-valid" => {}
                // An issuer that several certificates have is told of once.
                _ => {
                    let note = Note::Finding(finding);
                    if !notes.contains(&note) {
                        notes.push(note);
                    }
                }
            }
        }
        for found in mended.sent() {
            let (place, subject) = (found.place.clone(), found.value.label());
            let note = if found.value.not_after() < self.at {
                let since = found.value.not_after();
                Note::Expired { place, subject, since }
            } else if self.at < found.value.not_before() {
                let from = found.value.not_before();
                Note::NotYetValid { place, subject, from }
            } else {
                continue;
            };
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        Ok(())
    }
}

/// Refuses what cannot be served, for its true reason and before a library finds one that is not.
fn check_key(found: &Found<PrivateKey>) -> Result<(), LoadError> {
    let algorithm = found.value.algorithm();
    let why = match algorithm {
        KeyAlgorithm::Rsa { bits } if *bits < 2048 => {
            format!(
                "{bits} bits can be broken, and clients refuse what is below 2048 (CA/Browser Forum, section 6.1.5)"
            )
        }
        KeyAlgorithm::Rsa { bits } if *bits > 8192 => {
            format!("{bits} bits are more than the 8192 that the cryptography in use and most clients compute with")
        }
        KeyAlgorithm::RsaPss { .. } => {
            "it may only be used with PSS, and rustls signs with plain RSA keys only (it uses \
                                        PSS with those); OpenSSL would serve it, browsers do not take it"
                .to_owned()
        }
        KeyAlgorithm::Dsa { .. } => "TLS 1.3 has no DSA, and clients dropped it with TLS 1.2".to_owned(),
        KeyAlgorithm::OtherCurve(name) => {
            format!("no browser takes the curve {name}, and rustls has only P-256, P-384 and P-521")
        }
        KeyAlgorithm::Ed448 => "rustls does not sign with Ed448, and browsers do not take it".to_owned(),
        other if other.is_usable() => return Ok(()),
        _ => UNKNOWN.to_owned(),
    };
    Err(LoadError::UnusableKey {
        place: found.place.clone(),
        algorithm: algorithm.to_string(),
        why,
    })
}

fn public_half(found: &Found<PrivateKey>, engine: &Engine) -> Result<Vec<u8>, LoadError> {
    public_key(&found.value, engine.crypto()).ok_or_else(|| LoadError::UnusableKey {
        place: found.place.clone(),
        algorithm: found.value.algorithm().to_string(),
        why: unknown_reason(&found.value, engine.crypto()).to_owned(),
    })
}

fn kind(algorithm: &KeyAlgorithm) -> Option<KeyKind> {
    Some(match algorithm {
        KeyAlgorithm::Rsa { bits } => KeyKind::Rsa(*bits),
        KeyAlgorithm::EcP256 => KeyKind::P256,
        KeyAlgorithm::EcP384 => KeyKind::P384,
        KeyAlgorithm::EcP521 => KeyKind::P521,
        KeyAlgorithm::Ed25519 => KeyKind::Ed25519,
        _ => return None,
    })
}

const UNKNOWN: &str = "no TLS server by rustls signs with such a key";

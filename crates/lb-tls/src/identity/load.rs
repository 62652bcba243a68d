//! From files to identities.

use super::heap::Heap;
use super::key::{UNKNOWN, kind};
use super::{Identity, LoadError, Note, names_of};
use crate::Engine;
use crate::names::NameTable;
use lb_cert::bundle::{End, Reason};
use lb_cert::doctor::{Examination, Patient, examine};
use lb_cert::{Certificate, CertificateDer, Found, MendOptions, Mended, Password, PrivateKey, Roots, Severity};
use rustls::sign::CertifiedKey;
use std::collections::HashSet;
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
                "weak-signature" => return Err(LoadError::Weak(Box::new(finding))),
                "key-strength" if finding.severity == Severity::Error => {
                    return Err(LoadError::Weak(Box::new(finding)));
                }
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

//! lb-cert's verifier as rustls asks it.

use super::{ClientAuthMode, ClientAuthOptions, ClientCertificate, ClientReason, ClientRefusal, ClientVerdict};
use crate::Engine;
use lb_cert::{Certificate, KeyKind, PublicKey, Request, Step, Verifier};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, HandshakeKind, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::cell::RefCell;

/// A rule about client certificates, made once and shared by all connections of its sites.
#[derive(Debug)]
pub(crate) struct Rule {
    options: ClientAuthOptions,
    hints: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
    digest: [u8; 32],
    engine: Engine,
}

impl Rule {
    pub(super) fn new(options: ClientAuthOptions, engine: &Engine) -> Self {
        if let Some(lists) = &options.revocation {
            lists
                .lists()
                .prepare(options.authorities.roots().iter(), engine.crypto());
        }
        let levels: Vec<u8> = options.profile.rules().map(|(_, level)| level as u8).collect();
        let depth = (options.depth as u64).to_be_bytes();
        let digest = engine.digest(&[
            options.mode.word().as_bytes(),
            options.authorities.digest(),
            options.revocation.as_ref().map_or(&[], |lists| lists.digest()),
            &depth,
            &levels,
            &[u8::from(options.profile.is_complete())],
        ]);
        Self {
            hints: hints(&options),
            algorithms: engine.provider().signature_verification_algorithms,
            digest,
            options,
            engine: engine.clone(),
        }
    }

    pub(super) const fn mode(&self) -> ClientAuthMode {
        self.options.mode
    }

    pub(super) const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    pub(super) fn judge(&self, certificates: &[CertificateDer<'_>], handshake: HandshakeKind) -> ClientVerdict {
        let Some((leaf, others)) = certificates.split_first() else {
            return match self.options.mode {
                ClientAuthMode::Required => ClientVerdict::Failed {
                    certificate: None,
                    refusal: Box::new(ClientRefusal::new(
                        ClientReason::NoCertificate,
                        "it sent no certificate",
                    )),
                },
                _ => ClientVerdict::None,
            };
        };
        let leaf = match read(leaf) {
            Ok(leaf) => leaf,
            Err(refusal) => {
                return ClientVerdict::Failed {
                    certificate: None,
                    refusal: Box::new(refusal),
                };
            }
        };
        let mut facts = Box::new(ClientCertificate::of(&leaf, &self.engine));
        // The handshake that has just ended verified it, and left the path here unless another came between.
        if self.options.mode == ClientAuthMode::Required
            && handshake != HandshakeKind::Resumed
            && let Some(chain) = self.verified_path(&leaf)
        {
            facts.chain = chain;
            return ClientVerdict::Ok(facts);
        }
        let verdict = match self.engine.now() {
            Some(now) => self.verify(&leaf, others, i64::try_from(now.as_secs()).unwrap_or(i64::MAX)),
            None => Err(ClientRefusal::new(
                ClientReason::Limit,
                "the clock of this machine says nothing",
            )),
        };
        match verdict {
            Ok(chain) => {
                facts.chain = chain;
                ClientVerdict::Ok(facts)
            }
            Err(refusal) => ClientVerdict::Failed {
                certificate: Some(facts),
                refusal: Box::new(refusal),
            },
        }
    }

    /// The issuers of the path, without the root.
    fn verify(
        &self,
        leaf: &Certificate,
        others: &[CertificateDer<'_>],
        now: i64,
    ) -> Result<Vec<CertificateDer<'static>>, ClientRefusal> {
        let others: Vec<Certificate> = others.iter().map(read).collect::<Result<_, _>>()?;
        let request = Request::client(now).with_max_depth(self.options.depth);
        let verifier = Verifier::new(
            self.options.authorities.roots(),
            self.engine.crypto(),
            &self.options.profile,
        );
        let verifier = match &self.options.revocation {
            Some(lists) => verifier.with_crls(lists.lists()),
            None => verifier,
        };
        match verifier.verify(leaf, &others, &request) {
            Ok(verified) => {
                let issuers = verified.path().iter().filter_map(|step| match step {
                    Step::Intermediate(index) => others.get(*index),
                    _ => None,
                });
                Ok(issuers.map(|issuer| issuer.der().clone()).collect())
            }
            Err(refusal) => Err(ClientRefusal::of(&refusal)),
        }
    }

    /// What this thread found last, if it was by this rule and for this certificate.
    fn verified_path(&self, leaf: &Certificate) -> Option<Vec<CertificateDer<'static>>> {
        let is_it = |path: &mut VerifiedPath| path.rule == self.digest && path.leaf == *leaf.der();
        let found = PATH.with_borrow_mut(|path| path.take_if(is_it));
        found.map(|path| path.issuers)
    }

    /// The signature of the handshake: does the client have the key? (S-MTLS-08)
    fn proof(&self, outcome: Result<HandshakeSignatureValid, Error>) -> Result<HandshakeSignatureValid, Error> {
        outcome.map_err(|error| match error {
            Error::InvalidCertificate(_) => refuse(ClientRefusal::new(
                ClientReason::NoProof,
                format!("its signature over the handshake is not by the key of its certificate ({error})"),
            )),
            other => other,
        })
    }
}

impl ClientCertVerifier for Rule {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn client_auth_mandatory(&self) -> bool {
        self.options.mode == ClientAuthMode::Required
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let leaf = read(end_entity).map_err(refuse)?;
        checkable(leaf.key()).map_err(|why| {
            refuse(ClientRefusal::new(
                ClientReason::Weak,
                format!("{}: {why}", leaf.label()),
            ))
        })?;
        // In this mode the verdict is asked for when the handshake is over.
        if self.options.mode != ClientAuthMode::Optional {
            let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
            let issuers = self.verify(&leaf, intermediates, now).map_err(refuse)?;
            let (rule, leaf) = (self.digest, leaf.der().clone());
            PATH.set(Some(VerifiedPath { rule, leaf, issuers }));
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.proof(verify_tls12_signature(message, cert, dss, &self.algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.proof(verify_tls13_signature(message, cert, dss, &self.algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

thread_local! {
    /// The last refusal of this thread, and what rustls was told. rustls's errors have no room for it that would leave
    /// the alert right; its verifiers are called while the driver waits for that very error, on the same thread.
    static LAST: RefCell<Option<(CertificateError, ClientRefusal)>> = const { RefCell::new(None) };

    /// The last path that was verified on this thread. rustls keeps what the client sent, not which of it was used; mostly
    /// the same thread asks next. Who finds another's path here verifies again.
    static PATH: RefCell<Option<VerifiedPath>> = const { RefCell::new(None) };
}

struct VerifiedPath {
    rule: [u8; 32],
    leaf: CertificateDer<'static>,
    issuers: Vec<CertificateDer<'static>>,
}

fn refuse(refusal: ClientRefusal) -> Error {
    let error = refusal.reason().error();
    LAST.with_borrow_mut(|last| *last = Some((error.clone(), refusal)));
    Error::InvalidCertificate(error)
}

/// The refusal behind an error; with less to say if another thread had it, or if it was asked for before.
pub(crate) fn explain(error: &Error) -> Option<ClientRefusal> {
    match error {
        Error::NoCertificatesPresented => Some(ClientRefusal::new(
            ClientReason::NoCertificate,
            "it sent no certificate",
        )),
        Error::InvalidCertificate(error) => {
            let last = LAST.with_borrow_mut(Option::take);
            let found = last.filter(|(told, _)| told == error).map(|(_, refusal)| refusal);
            Some(found.unwrap_or_else(|| ClientRefusal::new(ClientReason::of_error(error), error.to_string())))
        }
        _ => None,
    }
}

fn read(der: &CertificateDer<'_>) -> Result<Certificate, ClientRefusal> {
    Certificate::parse(der.clone().into_owned())
        .map_err(|error| ClientRefusal::new(ClientReason::Malformed, error.to_string()))
}

/// Can a signature by this key be checked at all? rustls says "bad signature" of those that cannot.
pub(crate) fn checkable(key: &PublicKey) -> Result<(), String> {
    match key.kind {
        KeyKind::Rsa if key.bits < 2048 => Err(format!("a key of {} bits ({key}) can be broken", key.bits)),
        KeyKind::Rsa if key.bits > 8192 => Err(format!(
            "signatures by more than 8192 bits ({key}) are not checked here"
        )),
        _ if key.is_explicit => Err(format!("a curve given by its numbers ({key}) is not checked here")),
        KeyKind::Rsa | KeyKind::P256 | KeyKind::P384 | KeyKind::P521 | KeyKind::Ed25519 => Ok(()),
        KeyKind::RsaPss => Err(format!(
            "the key is restricted to PSS ({key}), and rustls checks PSS signatures by plain RSA keys only"
        )),
        KeyKind::Named(name) if name.starts_with("ML-DSA") => Ok(()),
        _ => Err(format!("no signature by such a key ({key}) is checked here")),
    }
}

/// The names of the authorities, so that clients choose; none when they are too many for one record.
fn hints(options: &ClientAuthOptions) -> Vec<DistinguishedName> {
    let subjects: Vec<&[u8]> = options
        .authorities
        .roots()
        .iter()
        .map(Certificate::subject_raw)
        .collect();
    let bytes: usize = subjects.iter().map(|subject| subject.len().saturating_add(2)).sum();
    if bytes > MOST_HINT_BYTES {
        return Vec::new();
    }
    subjects
        .into_iter()
        .map(|subject| DistinguishedName::in_sequence(content(subject)))
        .collect()
}

/// What is inside a DER sequence.
fn content(der: &[u8]) -> &[u8] {
    let header = match der.get(1) {
        Some(short) if *short < 0x80 => 2,
        Some(long) => usize::from(long & 0x7f).saturating_add(2),
        None => 0,
    };
    der.get(header..).unwrap_or_default()
}

/// The list may have 65,535 bytes; so many still fit one record (16,384) with the rest of the message.
const MOST_HINT_BYTES: usize = 16_000;

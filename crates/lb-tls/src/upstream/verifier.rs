//! lb-cert's verifier as rustls asks it about backends.

use super::{Pin, Trust, UpstreamOptions, UpstreamReason, UpstreamRefusal, Verify};
use crate::Engine;
use crate::client_auth::checkable;

use lb_cert::{Certificate, Level, PeerName, Profile, Purpose, Refusal, Request, Roots, Step, Verifier};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

/// Made once for a backend; shared by all connections to it.
#[derive(Debug)]
pub(super) struct BackendVerifier {
    name: String,
    trust: Trust,
    pins: Vec<Pin>,
    verify: Verify,
    revocation: Option<std::sync::Arc<crate::client_auth::RevocationLists>>,
    profile: Profile,
    /// For a certificate that was given as a root, is no CA and serves itself: it vouches for nobody else.
    own_root: Profile,
    algorithms: WebPkiSupportedAlgorithms,
    engine: Engine,
}

impl BackendVerifier {
    pub(super) fn new(options: &UpstreamOptions, engine: &Engine) -> Self {
        Self {
            name: options.server_name.clone(),
            trust: options.trust.clone(),
            pins: options.pins.clone(),
            verify: options.verify,
            revocation: options.revocation.clone(),
            profile: Profile::connection(),
            own_root: own_root(),
            algorithms: engine.provider().signature_verification_algorithms,
            engine: engine.clone(),
        }
    }

    pub(super) fn judge(
        &self,
        certificates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
    ) -> Result<(), UpstreamRefusal> {
        let Some((leaf, others)) = certificates.split_first() else {
            let what = "it sent no certificate".to_owned();
            return Err(self.refusal(UpstreamReason::Malformed, what, ASK_BACKEND, None));
        };
        let Some(now) = self.engine.now() else {
            let what = "the clock of this machine says nothing".to_owned();
            return Err(self.refusal(UpstreamReason::Profile, what, "Set the clock.", None));
        };
        self.check(leaf, others, name, i64::try_from(now.as_secs()).unwrap_or(i64::MAX))
    }

    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: i64,
    ) -> Result<(), UpstreamRefusal> {
        let read = |der: &CertificateDer<'_>| Certificate::parse(der.clone().into_owned());
        let malformed = |error: lb_cert::CertificateError| {
            self.refusal(UpstreamReason::Malformed, error.to_string(), ASK_BACKEND, None)
        };
        let leaf = read(leaf).map_err(malformed)?;
        checkable(leaf.key()).map_err(|why| self.refusal(UpstreamReason::Weak, why, NEW_KEY, Some(&leaf)))?;
        let authorities = match &self.trust {
            Trust::Pins => return self.pinned(&[&leaf], &leaf),
            Trust::Authorities(authorities) => authorities.roots(),
        };
        let others: Vec<Certificate> = others.iter().map(read).collect::<Result<_, _>>().map_err(malformed)?;
        let names = [peer_name(name)];
        let request = Request::new(now, Purpose::Server).by(&names);
        let is_own_root = !leaf.is_ca() && authorities.iter().any(|root| *root == leaf);
        let profile = if is_own_root { &self.own_root } else { &self.profile };
        let verifier = Verifier::new(authorities, self.engine.crypto(), profile);
        let verifier = match &self.revocation {
            Some(lists) => verifier.with_crls(lists.lists()),
            None => verifier,
        };
        match verifier.verify(&leaf, &others, &request) {
            Ok(verified) if self.pins.is_empty() => drop(verified),
            Ok(verified) => {
                let path: Vec<&Certificate> = verified
                    .path()
                    .iter()
                    .filter_map(|step| match step {
                        Step::Leaf => Some(&leaf),
                        Step::Intermediate(index) => others.get(*index),
                        Step::Anchor(index) => authorities.iter().nth(*index),
                    })
                    .collect();
                self.pinned(&path, &leaf)?;
            }
            Err(refusal) => return Err(self.explained(&refusal, &leaf, authorities)),
        }
        Ok(())
    }

    /// Is one of these pinned?
    fn pinned(&self, path: &[&Certificate], leaf: &Certificate) -> Result<(), UpstreamRefusal> {
        let is_it = |one: &&Certificate| {
            let (certificate, key) = self.digests(one);
            self.pins.contains(&certificate) || self.pins.contains(&key)
        };
        if path.iter().any(is_it) {
            return Ok(());
        }
        let (certificate, key) = self.digests(leaf);
        let pins: Vec<String> = self.pins.iter().map(ToString::to_string).collect();
        let what = format!(
            "{} has {certificate} and {key}, and the pins are {}",
            leaf.label(),
            pins.join(", ")
        );
        let mend = format!(
            "If its certificate was renewed, and only then, put pins = [\"{key}\"]: it stays the same while the key does."
        );
        Err(self.refusal(UpstreamReason::PinMismatch, what, mend, Some(leaf)))
    }

    fn digests(&self, certificate: &Certificate) -> (Pin, Pin) {
        (
            Pin::Certificate(self.engine.sha256(certificate.der())),
            Pin::PublicKey(self.engine.sha256(certificate.spki_raw())),
        )
    }

    fn explained(&self, refusal: &Refusal, leaf: &Certificate, roots: &Roots) -> UpstreamRefusal {
        let is_own_root = roots.iter().any(|root| root == leaf);
        let common = leaf.common_name().filter(|_| leaf.names().is_empty());
        let reason = match UpstreamReason::of(refusal) {
            UpstreamReason::WrongName if common.is_some() => UpstreamReason::CommonNameOnly,
            UpstreamReason::Profile if leaf.is_self_issued() && refusal.rule().id == "leaf.ca" => {
                if is_own_root {
                    UpstreamReason::SelfSignedLeaf
                } else {
                    UpstreamReason::Untrusted
                }
            }
            other => other,
        };
        let (_, key) = self.digests(leaf);
        let pin = format!("Pin it: pins = [\"{key}\"] (compare it on the backend first).");
        let mend = match reason {
            UpstreamReason::SelfSignedLeaf => format!(
                "{pin} Or make one that serves and is its own root: `{}`.",
                self.command()
            ),
            UpstreamReason::CommonNameOnly if leaf.is_self_issued() => {
                format!(
                    "Make one with its name in subjectAltName: `{}`. Or: {pin}",
                    self.command()
                )
            }
            UpstreamReason::CommonNameOnly => format!(
                "Have it issued with subjectAltName DNS:{}; common names are not read (RFC 9525, section 2). Or: {pin}",
                self.name
            ),
            UpstreamReason::Untrusted if leaf.is_self_issued() => format!(
                "It is self-signed. {pin} Or make one that can be its own root, and give it as roots: `{}`.",
                self.command()
            ),
            UpstreamReason::Untrusted => format!(
                "If it is a private authority's, give that authority's certificate as roots; if the backend does not send its \
                 intermediate certificates, let it. Or: {pin}"
            ),
            UpstreamReason::WrongName => format!(
                "Set server_name to a name of the certificate ({}), or have one issued for {}.",
                shown_names(leaf),
                self.name
            ),
            _ => format!("{}.", capital(refusal.rule().mend)),
        };
        self.refusal(reason, refusal.to_string(), mend, Some(leaf))
    }

    /// How openssl makes a certificate for this name that serves and may be given as a root.
    fn command(&self) -> String {
        let kind = if crate::names::is_address(&self.name) {
            "IP"
        } else {
            "DNS"
        };
        format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 365 -subj \
             /CN={name} -addext subjectAltName={kind}:{name} -addext basicConstraints=critical,CA:FALSE -addext \
             extendedKeyUsage=serverAuth",
            name = self.name
        )
    }

    fn refusal(
        &self,
        reason: UpstreamReason,
        what: String,
        mend: impl Into<String>,
        leaf: Option<&Certificate>,
    ) -> UpstreamRefusal {
        UpstreamRefusal {
            reason,
            name: self.name.clone(),
            what,
            mend: mend.into(),
            pin: leaf.map(|leaf| self.digests(leaf).1),
        }
    }

    fn proof(&self, outcome: Result<HandshakeSignatureValid, Error>) -> Result<HandshakeSignatureValid, Error> {
        outcome.map_err(|error| match error {
            Error::InvalidCertificate(_) => {
                let what = format!("its signature over the handshake is not by the key of its certificate ({error})");
                let mend = "Whoever answers has the certificate and not its key: look who it is.";
                self.refusal(UpstreamReason::NoProof, what, mend, None).into_error()
            }
            other => other,
        })
    }
}

impl ServerCertVerifier for BackendVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.verify == Verify::Full {
            let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
            self.check(end_entity, intermediates, server_name, now)
                .map_err(UpstreamRefusal::into_error)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.verify == Verify::None {
            return Ok(HandshakeSignatureValid::assertion());
        }
        self.proof(verify_tls12_signature(message, cert, dss, &self.algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.verify == Verify::None {
            return Ok(HandshakeSignatureValid::assertion());
        }
        self.proof(verify_tls13_signature(message, cert, dss, &self.algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The usual rules without the one that a root is a CA.
fn own_root() -> Profile {
    let mut profile = Profile::connection();
    // The rule is there and can be switched; if it were not, such certificates would be refused as before.
    let _ = profile.set("basic-constraints.missing", Level::Off);
    profile
}

fn peer_name(name: &ServerName<'_>) -> PeerName {
    match name {
        ServerName::IpAddress(address) => PeerName::Ip((*address).into()),
        other => PeerName::Dns(other.to_str().into_owned()),
    }
}

/// A few of the names of a certificate.
fn shown_names(leaf: &Certificate) -> String {
    let names: Vec<String> = leaf.names().iter().take(SHOWN).map(ToString::to_string).collect();
    match (names.is_empty(), leaf.names().len().saturating_sub(SHOWN)) {
        (true, _) => "it has none".to_owned(),
        (false, 0) => names.join(", "),
        (false, more) => format!("{}, and {more} more", names.join(", ")),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

const SHOWN: usize = 5;
const ASK_BACKEND: &str = "Look at the backend's certificate file: `lbd cert doctor FILE`.";
const NEW_KEY: &str = "Make a new key for the backend, ECDSA P-256 or RSA from 2048 bits, and a certificate for it.";

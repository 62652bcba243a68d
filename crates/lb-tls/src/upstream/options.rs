//! What a pool or backend is told about TLS.

use super::Pin;
use crate::client_auth::{Authorities, RevocationLists};
use crate::{Engine, Identity, Versions};
use std::sync::Arc;

/// How TLS is spoken with a backend.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UpstreamOptions {
    /// The host name or address that the certificate must have.
    pub server_name: String,
    /// Whether the name is sent (SNI); an address never is.
    pub send_sni: bool,
    /// Who is believed.
    pub trust: Trust,
    /// Certificates or keys: with [`Trust::Pins`] the backend's own must be one of them; with authorities one of the path
    /// must be, too.
    pub pins: Vec<Pin>,
    /// Whether any of this is checked.
    pub verify: Verify,
    /// Who was revoked.
    pub revocation: Option<Arc<RevocationLists>>,
    /// ALPN, most preferred first. Empty: none is offered.
    pub protocols: Vec<Vec<u8>>,
    /// What is shown to backends that ask for a client certificate.
    pub identity: Option<Arc<Identity>>,
    /// Which versions of TLS.
    pub versions: Versions,
    /// Whether sessions are resumed.
    pub resume: bool,
}

/// Who is believed.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Who has a certificate by one of these for the name that is asked for.
    Authorities(Arc<Authorities>),
    /// Who has one of the pinned certificates or keys, and nobody else. A pin says which key it is; neither names nor
    /// dates nor issuers are asked.
    Pins,
}

/// Whether the backend's certificate is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Verify {
    /// In full.
    #[default]
    Full,
    /// Not at all: whoever stands between reads and changes everything. Not even the signature of the handshake is.
    None,
}

impl UpstreamOptions {
    /// With the name sent, everything checked, `http/1.1`, TLS 1.2 and 1.3, and sessions resumed.
    #[must_use]
    pub fn new(server_name: impl Into<String>, trust: Trust) -> Self {
        Self {
            server_name: server_name.into(),
            send_sni: true,
            trust,
            pins: Vec::new(),
            verify: Verify::Full,
            revocation: None,
            protocols: vec![b"http/1.1".to_vec()],
            identity: None,
            versions: Versions::default(),
            resume: true,
        }
    }

    pub(super) fn identity_number(&self, engine: &Engine) -> u64 {
        let trust: &[u8] = match &self.trust {
            Trust::Authorities(authorities) => authorities.digest(),
            Trust::Pins => b"pins",
        };
        let mut pins: Vec<String> = self.pins.iter().map(ToString::to_string).collect();
        pins.sort_unstable();
        let protocols: Vec<&[u8]> = self.protocols.iter().map(Vec::as_slice).collect();
        let digest = engine.digest(&[
            self.server_name.to_ascii_lowercase().as_bytes(),
            trust,
            pins.join(" ").as_bytes(),
            &[u8::from(self.send_sni), u8::from(self.verify == Verify::None)],
            self.revocation.as_ref().map_or(&[], |lists| lists.digest()),
            &engine.digest(&protocols),
            self.identity.as_ref().map_or(&[], |identity| identity.fingerprint()),
            &self.versions.tag(),
        ]);
        u64::from_be_bytes(digest.first_chunk().copied().unwrap_or_default())
    }
}

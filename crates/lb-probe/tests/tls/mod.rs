//! A certificate for tests, who shows it and who believes it.
#![allow(dead_code, reason = "each test takes what it needs")]

use lb_tls::client_auth::Authorities;
use lb_tls::upstream::{Trust, Verify};
use lb_tls::{
    Engine, File, LoadOptions, ServerOptions, Site, SiteOptions, Sites, UpstreamOptions, UpstreamTls, Versions,
};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use std::sync::Arc;

pub(crate) const NAME: &str = "backend.example";

/// 2026-11-21 00:00:00 UTC, the last second of the certificate.
pub(crate) const NOW: u64 = 1_795_219_200;

/// A certificate that is its own root, and its key.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Made {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::ExplicitNoCa;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2026, 11, 21);
        Self {
            certificate: params.self_signed(&key).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// Who shows it.
    pub(crate) fn site(&self, versions: Versions, engine: &Engine) -> Arc<Site> {
        let both = format!("{}{}", self.certificate, self.key);
        let loaded = lb_tls::load([file(&both)], &LoadOptions::default(), engine).unwrap();
        let mut site = SiteOptions::new("backend", loaded.identities);
        site.versions = versions;
        // as pools that do not speak HTTP
        site.protocols = Vec::new();
        let sites = Sites::build(ServerOptions::new("backend", site), engine).unwrap();
        Arc::clone(sites.default_site())
    }

    /// Who believes it.
    pub(crate) fn trusted(&self, engine: &Engine) -> Arc<UpstreamTls> {
        let roots = Authorities::read([file(&self.certificate)], engine).unwrap();
        upstream(UpstreamOptions::new(NAME, Trust::Authorities(Arc::new(roots))), engine)
    }

    /// Who knows it.
    pub(crate) fn pinned(&self, engine: &Engine) -> Arc<UpstreamTls> {
        let both = format!("{}{}", self.certificate, self.key);
        let loaded = lb_tls::load([file(&both)], &LoadOptions::default(), engine).unwrap();
        let digits: String = loaded.identities[0]
            .fingerprint()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mut options = UpstreamOptions::new(NAME, Trust::Pins);
        options.pins = vec![format!("cert-sha256:{digits}").parse().unwrap()];
        upstream(options, engine)
    }

    /// Who believes everybody.
    pub(crate) fn unverified(&self, engine: &Engine) -> Arc<UpstreamTls> {
        let mut options = UpstreamOptions::new(NAME, Trust::Pins);
        options.verify = Verify::None;
        upstream(options, engine)
    }
}

fn upstream(mut options: UpstreamOptions, engine: &Engine) -> Arc<UpstreamTls> {
    options.protocols = Vec::new();
    Arc::new(UpstreamTls::build(options, engine).unwrap())
}

fn file(text: &str) -> File<'_> {
    File {
        label: "made.pem",
        bytes: text.as_bytes(),
        password: None,
    }
}

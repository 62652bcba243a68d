//! The roots that Debian ships: real certificates, all of which are right.

use lb_cert::{Certificate, KeyKind};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Debian's bundle, or nothing (with a printed reason) where there is none.
fn roots() -> Vec<CertificateDer<'static>> {
    let path = "/etc/ssl/certs/ca-certificates.crt";
    let Ok(bytes) = std::fs::read(path) else {
        eprintln!("skipped: {path} is not there (package ca-certificates)");
        return Vec::new();
    };
    CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .expect("Debian's bundle is PEM")
}

#[test]
fn debians_roots_all_parse() {
    for der in roots() {
        let root = Certificate::parse(der).expect("a root of Debian");
        assert_eq!(root.malformed(), [], "{}", root.subject());
        assert!(root.is_self_issued(), "{}", root.subject());
        assert!(root.not_before() < root.not_after());
        assert_ne!(root.key().kind, KeyKind::Malformed, "{}", root.subject());
        assert!(root.key().bits >= 256, "{}", root.key());
        assert!(!root.label().contains("unreadable"));
    }
}

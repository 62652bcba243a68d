//! What loading certificates costs: `cargo bench -p lb-benches --bench certificates`.
//!
//! 1,000 bundles (leaf, intermediate, root and the key, as PEM) by lb-cert and by rustls-pki-types alone, which only
//! decodes base64: lb-cert may take 2.5 times as long.

use criterion::{Criterion, criterion_group, criterion_main};
use lb_cert::{ReadOptions, read};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SignatureAlgorithm};
use rustls_pki_types::pem::{PemObject, SectionKind};
use std::hint::black_box;
use std::time::Duration;

const BUNDLES: usize = 1000;

fn load(c: &mut Criterion) {
    for (name, algorithm, keys) in [
        ("P-256", &rcgen::PKCS_ECDSA_P256_SHA256, BUNDLES),
        ("RSA-2048", &rcgen::PKCS_RSA_SHA256, 8),
    ] {
        let Ok(bundles) = bundles(algorithm, keys) else { return };
        let mut group = c.benchmark_group(format!("load/1000 bundles with {name}"));
        group.measurement_time(Duration::from_secs(5)).sample_size(30);
        group.bench_function("rustls-pki-types alone", |b| {
            b.iter(|| {
                for bundle in &bundles {
                    let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(bundle.as_bytes());
                    black_box(sections.filter_map(Result::ok).collect::<Vec<_>>());
                }
            });
        });
        group.bench_function("lb-cert", |b| {
            b.iter(|| {
                for bundle in &bundles {
                    let contents = read("bundle.pem", bundle.as_bytes(), &ReadOptions::default());
                    assert!(contents.is_ok_and(|contents| black_box(contents).certificates.len() == 3));
                }
            });
        });
        group.finish();
    }
}

/// Bundles with different leaves; the keys repeat after `keys`, as RSA keys take long to make.
fn bundles(algorithm: &'static SignatureAlgorithm, keys: usize) -> Result<Vec<String>, rcgen::Error> {
    let authority = |name: &str| -> Result<CertificateParams, rcgen::Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
        Ok(params)
    };
    let (root_key, issuer_key) = (KeyPair::generate()?, KeyPair::generate()?);
    let root_params = authority("Root of the benchmark")?;
    let root = root_params.self_signed(&root_key)?;
    let issuer_params = authority("Intermediate of the benchmark")?;
    let issuer = issuer_params.signed_by(&issuer_key, &Issuer::from_params(&root_params, &root_key))?;
    let signer = Issuer::from_params(&issuer_params, &issuer_key);
    let keys = (0..keys)
        .map(|_| KeyPair::generate_for(algorithm))
        .collect::<Result<Vec<_>, _>>()?;
    (0..BUNDLES)
        .map(|number| {
            let key = &keys[number % keys.len()];
            let mut params = CertificateParams::new(vec![
                format!("shop-{number}.example"),
                format!("*.shop-{number}.example"),
            ])?;
            params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
            params.use_authority_key_identifier_extension = true;
            let leaf = params.signed_by(key, &signer)?;
            // openssl and the sources end lines with LF.
            let text = format!("{}{}{}{}", leaf.pem(), issuer.pem(), root.pem(), key.serialize_pem());
            Ok(text.replace('\r', ""))
        })
        .collect()
}

criterion_group!(benches, load);
criterion_main!(benches);

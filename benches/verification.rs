//! What our rules and CRLs add to rustls-webpki. Only the ratios mean anything.
//!
//! - `verify/webpki` and `verify/lb-cert`: a leaf, an intermediate and a root with P-256 keys, from DER to
//!   verdict, by name; ours at most 1.25 times webpki's.
//! - `verify/parsed`: the same with certificates that are already parsed.
//! - `crl/none` and `crl/100000`: the same with and without a CRL of 100,000 entries; at most 1.1 times.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use lb_cert::{AwsLc, Certificate, Crl, Crls, PeerName, Profile, Request, Roots, Verifier};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::hint::black_box;
use std::time::Duration;

/// 2026-07-01
const NOW: u64 = 1_782_864_000;
const ENTRIES: u64 = 100_000;

struct Chain {
    root: CertificateDer<'static>,
    middle: CertificateDer<'static>,
    leaf: CertificateDer<'static>,
    crl: Vec<u8>,
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params
}

fn ca(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.subject_alt_names.clear();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn chain() -> Chain {
    let key = || KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let (root_key, middle_key) = (key(), key());
    let (root, middle) = (ca("Root"), ca("Middle"));
    let root_issuer = Issuer::from_params(&root, &root_key);
    let middle_issuer = Issuer::from_params(&middle, &middle_key);
    let mut leaf = named("www.example.com");
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let crl = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 1, 1),
        next_update: date_time_ymd(2027, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: (1..=ENTRIES)
            .map(|number| RevokedCertParams {
                serial_number: SerialNumber::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                revocation_time: date_time_ymd(2026, 3, 1),
                reason_code: None,
                invalidity_date: None,
            })
            .collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    Chain {
        root: root.self_signed(&root_key).expect("a root").der().clone(),
        middle: middle.signed_by(&middle_key, &root_issuer).expect("a CA").der().clone(),
        leaf: leaf.signed_by(&key(), &middle_issuer).expect("a leaf").der().clone(),
        crl: crl.signed_by(&middle_issuer).expect("a CRL").der().to_vec(),
    }
}

fn parse(der: &CertificateDer<'static>) -> Certificate {
    Certificate::parse(der.clone()).expect("a certificate")
}

fn verification(criterion: &mut Criterion) {
    let chain = chain();
    let roots: Roots = [parse(&chain.root)].into_iter().collect();
    let profile = Profile::connection();
    let verifier = Verifier::new(&roots, &AwsLc, &profile);
    let names = [PeerName::read("www.example.com")];
    let now = i64::try_from(NOW).expect("this century");
    let request = Request::server(now).by(&names);

    let mut group = criterion.benchmark_group("verify");
    let anchors = [webpki::anchor_from_trusted_cert(&chain.root).expect("an anchor")];
    let name = ServerName::try_from("www.example.com").expect("a name");
    let time = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
    group.bench_function("webpki", |bencher| {
        bencher.iter(|| {
            let leaf = webpki::EndEntityCert::try_from(&chain.leaf).expect("a leaf");
            leaf.verify_for_usage(
                webpki::ALL_VERIFICATION_ALGS,
                &anchors,
                std::slice::from_ref(&chain.middle),
                time,
                webpki::KeyUsage::server_auth(),
                None,
                None,
            )
            .expect("valid");
            leaf.verify_is_valid_for_subject_name(&name).expect("its name");
        });
    });
    group.bench_function("lb-cert", |bencher| {
        bencher.iter_batched(
            // TLS libraries hand over owned or borrowed DER; the copy is not the verification
            || (chain.leaf.clone(), chain.middle.clone()),
            |(leaf, middle)| {
                let leaf = Certificate::parse(leaf).expect("a leaf");
                let middle = [Certificate::parse(middle).expect("a CA")];
                black_box(verifier.verify(&leaf, &middle, &request).expect("valid"))
            },
            BatchSize::SmallInput,
        );
    });
    let (leaf, others) = (parse(&chain.leaf), [parse(&chain.middle)]);
    group.bench_function("parsed", |bencher| {
        bencher.iter(|| black_box(verifier.verify(&leaf, &others, &request).expect("valid")));
    });
    group.finish();

    let mut group = criterion.benchmark_group("crl");
    group.bench_function("none", |bencher| {
        bencher.iter(|| black_box(verifier.verify(&leaf, &others, &request).expect("valid")));
    });
    let mut crls = Crls::new();
    crls.add(Crl::parse(chain.crl.clone().into()).expect("a CRL"));
    crls.prepare(&others, &AwsLc);
    let with = Verifier::new(&roots, &AwsLc, &profile).with_crls(&crls);
    group.bench_function("100000", |bencher| {
        bencher.iter(|| black_box(with.verify(&leaf, &others, &request).expect("valid")));
    });
    group.finish();
}

criterion_group!(benches, verification);
criterion_main!(benches);

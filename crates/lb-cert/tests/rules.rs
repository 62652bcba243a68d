//! Each rule of the profile strict, broken once by one certificate.
#![cfg(feature = "aws-lc-rs")]

mod pki;

use lb_cert::{Certificate, Profile, Request};
use pki::{Ca, NOW, parse, verify};
use rcgen::{
    CertificateParams, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    KeyPair, KeyUsagePurpose, NameConstraints, SanType, SerialNumber,
};

/// The rule that refuses, or `accepted`.
fn answer(roots: &[&Ca], leaf: &Certificate, others: &[&Certificate]) -> &'static str {
    match verify(&Profile::strict(), roots, leaf, others, &Request::server(NOW), None) {
        Ok(_) => "accepted",
        Err(refusal) => refusal.rule().id,
    }
}

fn of_leaf(change: impl FnOnce(&mut CertificateParams)) -> &'static str {
    let root = Ca::root("Root");
    answer(&[&root], &root.leaf_with("a.example", change), &[])
}

fn of_middle(change: impl FnOnce(&mut CertificateParams)) -> &'static str {
    let root = Ca::root("Root");
    let middle = Ca::below_with(&root, "Middle", change);
    answer(&[&root], &middle.leaf("a.example"), &[&middle.certificate])
}

fn of_root(change: impl FnOnce(&mut CertificateParams)) -> &'static str {
    let root = Ca::root_with("Root", change);
    answer(&[&root], &root.leaf("a.example"), &[])
}

/// A leaf whose DER was changed after it was signed: its own rules are asked before its signature.
fn of_patched(from: &[u8], to: &[u8]) -> &'static str {
    let root = Ca::root("Root");
    let mut der = root.leaf("a.example").der().to_vec();
    let at = der
        .windows(from.len())
        .position(|window| window == from)
        .expect("the bytes are there");
    der.splice(at..at + from.len(), to.iter().copied());
    answer(&[&root], &parse(&der), &[])
}

fn extension(oid: &[u64], critical: bool, content: &[u8]) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(oid, content.to_vec());
    extension.set_criticality(critical);
    extension
}

/// A change that adds an extension.
fn with(oid: &'static [u64], critical: bool, content: &'static [u8]) -> impl FnOnce(&mut CertificateParams) {
    move |params| params.custom_extensions.push(extension(oid, critical, content))
}

fn dns(names: &'static [&'static str]) -> impl FnOnce(&mut CertificateParams) {
    move |params| {
        let name = |name: &&str| SanType::DnsName((*name).try_into().expect("ASCII"));
        params.subject_alt_names = names.iter().map(name).collect();
    }
}

fn common(name: &'static str) -> impl FnOnce(&mut CertificateParams) {
    move |params| params.distinguished_name.push(DnType::CommonName, name)
}

const KEY_USAGE: &[u64] = &[2, 5, 29, 15];
const AKI: &[u64] = &[2, 5, 29, 35];
const SKI: &[u64] = &[2, 5, 29, 14];
const ALTERNATIVE: &[u64] = &[2, 5, 29, 17];
const BASIC: &[u64] = &[2, 5, 29, 19];
const CONSTRAINTS: &[u64] = &[2, 5, 29, 30];
const USAGE: &[u64] = &[2, 5, 29, 37];
const ACCESS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
/// caIssuers at `http://a`
const ISSUERS: &[u8] = &[
    0x30, 0x16, 0x30, 0x14, 0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 0x30, 2, 0x86, 8, b'h', b't', b't', b'p', b':', b'/',
    b'/', b'a',
];

#[test]
fn what_breaks_no_rule_is_accepted() {
    assert_eq!(of_leaf(|_| {}), "accepted");
    assert_eq!(of_middle(|_| {}), "accepted");
    assert_eq!(of_leaf(with(ACCESS, false, ISSUERS)), "accepted");
    assert_eq!(of_leaf(|params| params.key_usages.clear()), "accepted");
    assert_eq!(of_leaf(|params| params.extended_key_usages.clear()), "accepted");
}

#[test]
fn the_frame() {
    let serial =
        |bytes: &'static [u8]| of_leaf(move |params| params.serial_number = Some(SerialNumber::from_slice(bytes)));
    assert_eq!(serial(&[0]), "serial.zero");
    assert_eq!(serial(&[0x7f; 20]), "accepted");
    assert_eq!(serial(&[0x7f; 21]), "serial.length");
    // rcgen writes a positive number of twenty octets with its first bit set as twenty-one
    assert_eq!(serial(&[0xff; 20]), "accepted");
    assert_eq!(of_patched(&[0xa0, 3, 2, 1, 2], &[0xa0, 3, 2, 1, 1]), "version.three");
    assert_eq!(
        of_leaf(|params| params.not_after = rcgen::date_time_ymd(2050, 1, 1)),
        "accepted"
    );
}

#[test]
fn an_algorithm_that_is_another_inside() {
    // ecdsa-with-SHA256 stands twice; the first is the signed one
    let sha256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
    let sha384 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
    assert_eq!(of_patched(&sha256, &sha384), "algorithm.same");
}

#[test]
fn empty_names() {
    let nameless = |params: &mut CertificateParams| params.distinguished_name = DistinguishedName::new();
    let root = Ca::root_with("Root", nameless);
    assert_eq!(answer(&[&root], &root.leaf("a.example"), &[]), "issuer.empty");
    assert_eq!(
        of_leaf(nameless),
        "accepted",
        "rcgen makes the alternative names critical"
    );
}

#[test]
fn basic_constraints_and_key_usage() {
    assert_eq!(
        of_middle(|params| params.is_ca = IsCa::ExplicitNoCa),
        "basic-constraints.missing"
    );
    assert_eq!(
        of_middle(|params| params.is_ca = IsCa::NoCa),
        "basic-constraints.missing"
    );
    assert_eq!(of_root(|params| params.is_ca = IsCa::NoCa), "basic-constraints.missing");
    let loose = |params: &mut CertificateParams| {
        params.is_ca = IsCa::NoCa;
        params
            .custom_extensions
            .push(extension(BASIC, false, &[0x30, 3, 1, 1, 0xff]));
        params.custom_extensions.push(extension(SKI, false, &[4, 1, 1]));
    };
    assert_eq!(of_root(loose), "basic-constraints.critical");
    assert_eq!(of_middle(loose), "basic-constraints.critical");
    assert_eq!(
        of_leaf(with(BASIC, true, &[0x30, 3, 2, 1, 0])),
        "basic-constraints.path-length"
    );
    assert_eq!(of_middle(|params| params.key_usages.clear()), "key-usage.missing");
    assert_eq!(
        of_middle(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]),
        "key-usage.sign"
    );
    assert_eq!(
        of_root(|params| params.key_usages = vec![KeyUsagePurpose::CrlSign]),
        "key-usage.sign"
    );
    let empty = |params: &mut CertificateParams| {
        params.key_usages.clear();
        params.custom_extensions.push(extension(KEY_USAGE, true, &[3, 1, 0]));
    };
    assert_eq!(of_leaf(empty), "key-usage.empty");
    assert_eq!(
        of_leaf(|params| params.key_usages.push(KeyUsagePurpose::KeyCertSign)),
        "key-usage.leaf"
    );
    let ca = |params: &mut CertificateParams| {
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    };
    assert_eq!(of_leaf(ca), "leaf.ca");
}

#[test]
fn name_constraints_and_policies() {
    // Not critical is told only (tests/complete.rs), and they hold.
    assert_eq!(
        of_root(with(CONSTRAINTS, false, &[0x30, 7, 0xa0, 5, 0x30, 3, 0x82, 1, b'e'])),
        "name-constraints"
    );
    assert_eq!(
        of_leaf(with(CONSTRAINTS, true, &[0x30, 7, 0xa0, 5, 0x30, 3, 0x82, 1, b'e'])),
        "name-constraints.leaf"
    );
    assert_eq!(of_root(with(CONSTRAINTS, true, &[0x30, 0])), "extension.malformed");
    assert_eq!(
        of_root(with(CONSTRAINTS, true, &[0x30, 4, 0x80, 0, 0x81, 0])),
        "extension.malformed"
    );
    let dotted = |params: &mut CertificateParams| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName(".example".into())],
            excluded_subtrees: Vec::new(),
        });
    };
    assert_eq!(of_root(dotted), "name-constraints.form");
    assert_eq!(
        of_middle(with(&[2, 5, 29, 36], false, &[0x30, 3, 0x80, 1, 3])),
        "policy-constraints.critical"
    );
    assert_eq!(
        of_middle(with(&[2, 5, 29, 54], false, &[2, 1, 0])),
        "inhibit-any-policy.critical"
    );
    let any: &[u8] = &[0x30, 13, 0x30, 11, 6, 4, 0x55, 0x1d, 0x20, 0, 6, 3, 0x2a, 3, 4];
    assert_eq!(of_middle(with(&[2, 5, 29, 33], true, any)), "policy-mappings.any");
}

#[test]
fn extensions_that_point_elsewhere() {
    assert_eq!(of_leaf(with(ACCESS, true, ISSUERS)), "access.critical");
    assert_eq!(of_leaf(with(ACCESS, false, b"malformed")), "extension.readable");
    assert_eq!(of_leaf(with(ACCESS, false, &[0x30, 0])), "extension.readable");
    let twice = |params: &mut CertificateParams| {
        params.custom_extensions = vec![extension(ACCESS, false, ISSUERS), extension(ACCESS, false, ISSUERS)];
    };
    assert_eq!(of_leaf(twice), "extension.readable");
    let point: &[u8] = &[0x30, 9, 0x30, 7, 0xa0, 5, 0xa0, 3, 0x86, 1, b'a'];
    assert_eq!(of_leaf(with(&[2, 5, 29, 46], true, point)), "freshest-crl.critical");
    assert_eq!(of_leaf(with(&[1, 2, 3, 4], true, &[5, 0])), "critical.unknown");
    assert_eq!(of_leaf(with(&[1, 2, 3, 4], false, &[5, 0])), "accepted");
    assert_eq!(of_middle(with(&[1, 2, 3, 4], true, &[5, 0])), "critical.unknown");
    assert_eq!(of_root(with(&[1, 2, 3, 4], true, &[5, 0])), "critical.unknown");
}

#[test]
fn key_identifiers() {
    let without = |params: &mut CertificateParams| params.use_authority_key_identifier_extension = false;
    assert_eq!(of_leaf(without), "aki.missing");
    assert_eq!(of_middle(without), "aki.missing");
    assert_eq!(of_root(without), "accepted", "a root may leave it out");
    let own = |critical, content: &'static [u8]| {
        move |params: &mut CertificateParams| {
            params.use_authority_key_identifier_extension = false;
            params.custom_extensions.push(extension(AKI, critical, content));
        }
    };
    assert_eq!(of_leaf(own(false, &[0x30, 0])), "aki.key-id");
    assert_eq!(of_leaf(own(true, &[0x30, 3, 0x80, 1, 9])), "aki.critical");
    assert_eq!(of_leaf(own(false, &[0x30, 3, 0x80, 1, 9])), "aki.issuer-key");
    assert_eq!(
        of_leaf(own(false, &[0x30, 6, 0x80, 1, 9, 0x82, 1, 1])),
        "aki.issuer-serial"
    );
    assert_eq!(of_root(own(false, &[0x30, 3, 0x80, 1, 9])), "aki.root");
    let no_ski = |params: &mut CertificateParams| {
        params.is_ca = IsCa::NoCa;
        params
            .custom_extensions
            .push(extension(BASIC, true, &[0x30, 3, 1, 1, 0xff]));
    };
    assert_eq!(of_root(no_ski), "ski.missing");
    assert_eq!(of_middle(no_ski), "ski.missing");
    assert_eq!(of_leaf(with(SKI, true, &[4, 1, 1])), "ski.critical");
    assert_eq!(of_leaf(with(SKI, false, &[4, 0])), "ski.empty");
}

#[test]
fn names_of_servers() {
    let none = |params: &mut CertificateParams| params.subject_alt_names.clear();
    assert_eq!(of_leaf(none), "san.missing");
    for bad in [
        &["a_b.example"],
        &["10.0.0.1"],
        &["a..example"],
        &[" "],
        &["a.example."],
        &[".example"],
    ] {
        assert_eq!(of_leaf(dns(bad)), "san.name", "{bad:?}");
    }
    for bad in [
        &["*"],
        &["a*.example.com"],
        &["a.*.example.com"],
        &["*.*.example.com"],
        &["*.com"],
    ] {
        assert_eq!(of_leaf(dns(bad)), "san.wildcard", "{bad:?}");
    }
    assert_eq!(of_leaf(dns(&["*.example.com"])), "accepted");
    #[cfg(feature = "public-suffix")]
    assert_eq!(of_leaf(dns(&["*.co.uk"])), "san.public-suffix");
    // in the private part of the list, and in a certificate that Amazon's storage has
    assert_eq!(of_leaf(dns(&["*.s3.amazonaws.com"])), "accepted");
    for (id, critical, empty) in [("san.critical", true, false), ("san.not-critical", false, true)] {
        let change = |params: &mut CertificateParams| {
            params.subject_alt_names.clear();
            params
                .custom_extensions
                .push(extension(ALTERNATIVE, critical, &[0x30, 5, 0x82, 3, b'a', b'.', b'b']));
            if empty {
                params.distinguished_name = DistinguishedName::new();
            }
        };
        assert_eq!(of_leaf(change), id);
    }
    assert_eq!(of_leaf(with(ALTERNATIVE, false, b"dns")), "extension.malformed");
}

#[test]
fn common_names_of_servers() {
    for bad in [
        "A.EXAMPLE",
        "2001:DB8::1",
        "0xC0000201",
        "xn--nxasmq6b.com",
        "b\u{fc}cher.example",
    ] {
        assert_eq!(of_leaf(common(bad)), "cn.form", "{bad}");
    }
    for good in ["a.example", "Example Inc.", "other.example"] {
        assert_eq!(of_leaf(common(good)), "accepted", "{good}");
    }
}

#[test]
fn extended_key_usages() {
    let usages = |list: &'static [ExtendedKeyUsagePurpose]| {
        move |params: &mut CertificateParams| params.extended_key_usages = list.to_vec()
    };
    assert_eq!(of_leaf(usages(&[ExtendedKeyUsagePurpose::ClientAuth])), "purpose");
    assert_eq!(of_middle(usages(&[ExtendedKeyUsagePurpose::ClientAuth])), "purpose");
    let any = &[ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::Any];
    assert_eq!(of_leaf(usages(any)), "eku.any");
    assert_eq!(of_leaf(usages(&[ExtendedKeyUsagePurpose::Any])), "purpose");
    assert_eq!(of_root(usages(&[ExtendedKeyUsagePurpose::ServerAuth])), "eku.root");
    let both = &[ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    assert_eq!(of_leaf(usages(both)), "accepted");
    assert_eq!(of_middle(usages(both)), "accepted");
    let critical = |params: &mut CertificateParams| {
        params.extended_key_usages.clear();
        let server = [0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
        params.custom_extensions.push(extension(USAGE, true, &server));
    };
    assert_eq!(of_leaf(critical), "eku.critical");
    let empty = |params: &mut CertificateParams| {
        params.extended_key_usages.clear();
        params.custom_extensions.push(extension(USAGE, false, &[0x30, 0]));
    };
    assert_eq!(of_leaf(empty), "extension.malformed");
}

#[test]
fn usages_that_do_not_stand_beside_a_servers() {
    use ExtendedKeyUsagePurpose::{CodeSigning, EmailProtection, OcspSigning, Other, ServerAuth, TimeStamping};
    let precertificate = Other(vec![1, 3, 6, 1, 4, 1, 11129, 2, 4, 4]);
    let somebodys = Other(vec![1, 3, 6, 1, 4, 1, 55738, 1]);
    let beside = |other: ExtendedKeyUsagePurpose| {
        move |params: &mut CertificateParams| params.extended_key_usages = vec![ServerAuth, other]
    };
    for forbidden in [CodeSigning, EmailProtection, TimeStamping, OcspSigning, precertificate] {
        assert_eq!(of_leaf(beside(forbidden.clone())), "eku.beside-server", "{forbidden:?}");
        // CAs of before 2023 may have it: it is told
        let root = Ca::root("Root");
        let middle = Ca::below_with(&root, "Middle", beside(forbidden.clone()));
        let leaf = middle.leaf("a.example");
        let strict = Profile::strict();
        let others = [&middle.certificate];
        let verified = verify(&strict, &[&root], &leaf, &others, &Request::server(NOW), None).expect("a warning");
        let told = verified.warnings().iter().map(|warning| warning.finding().rule().id);
        assert_eq!(told.collect::<Vec<_>>(), ["eku.beside-issuer"], "{forbidden:?}");
    }
    assert_eq!(
        of_leaf(beside(somebodys)),
        "accepted",
        "not recommended is not forbidden"
    );
}

#[test]
fn keys_and_signatures() {
    let root = Ca::root("Root");
    let with_key = |algorithm: &'static rcgen::SignatureAlgorithm| {
        let key = KeyPair::generate_for(algorithm).expect("a key");
        let mut params = pki::named("a.example");
        params.subject_alt_names = vec![SanType::DnsName("a.example".try_into().expect("ASCII"))];
        params.use_authority_key_identifier_extension = true;
        answer(&[&root], &root.sign(&params, &key), &[])
    };
    assert_eq!(with_key(&rcgen::PKCS_ECDSA_P384_SHA384), "accepted");
    assert_eq!(with_key(&rcgen::PKCS_ECDSA_P521_SHA512), "accepted");
    assert_eq!(with_key(&rcgen::PKCS_RSA_SHA256), "accepted");
    assert_eq!(with_key(&rcgen::PKCS_ED25519), "key.kind");
    // P-256 becomes P-192 and a curve that is no object identifier
    let p256 = [0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    let p192 = [0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 1];
    let explicit = [0x04, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    assert_eq!(of_patched(&p256, &p192), "key.kind");
    assert_eq!(of_patched(&p256, &explicit), "key.kind");
}

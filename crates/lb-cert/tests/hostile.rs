//! Certificates from strangers: damage, limits, names that want to be more.

use lb_cert::{Certificate, CertificateError, MOST_BYTES, MOST_EXTENSIONS};
use rcgen::{CertificateParams, CustomExtension, DnType, IsCa, KeyPair};

fn made(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let mut params = CertificateParams::new(["a.example".to_owned()]).expect("a name");
    change(&mut params);
    // every signature of Ed25519 has the same length
    let key = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key");
    params.self_signed(&key).expect("a certificate").der().to_vec()
}

fn parse(der: Vec<u8>) -> Result<Certificate, CertificateError> {
    Certificate::parse(der.into())
}

fn ca(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Constrained(3));
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    params.name_constraints = Some(rcgen::NameConstraints {
        permitted_subtrees: vec![rcgen::GeneralSubtree::DnsName("example".into())],
        excluded_subtrees: vec![rcgen::GeneralSubtree::IpAddress(rcgen::CidrSubnet::from_v4_prefix(
            [10, 0, 0, 0],
            8,
        ))],
    });
}

#[test]
fn a_certificate_that_is_cut_is_an_error() {
    let der = made(ca);
    for end in 0..der.len() {
        assert!(parse(der[..end].to_vec()).is_err(), "cut at {end}");
    }
    let mut longer = der;
    longer.push(0);
    assert_eq!(parse(longer).err(), Some(CertificateError::Trailing { count: 1 }));
}

#[test]
fn a_damaged_certificate_never_panics_and_can_be_described() {
    let der = made(ca);
    for at in 0..der.len() {
        for damage in [0x01, 0x20, 0x55, 0x80, 0xff] {
            let mut damaged = der.clone();
            damaged[at] ^= damage;
            let Ok(read) = parse(damaged) else { continue };
            let _ = format!("{read:?} {} {:?} {:?}", read.label(), read.names(), read.malformed());
            let _ = (
                read.key().to_string(),
                read.signature_algorithm(),
                read.is_self_issued(),
            );
        }
    }
}

#[test]
fn sizes_are_bounded() {
    let filled = |content: usize| {
        made(|params| {
            let extension = CustomExtension::from_oid_content(&[1, 2, 3], vec![0x55; content]);
            params.custom_extensions.push(extension);
        })
    };
    let frame = filled(MOST_BYTES / 2).len() - MOST_BYTES / 2;
    // Signatures differ in length by a byte or two: made again until it fits.
    let exact = |bytes: usize| {
        let mut tries = (0..10_000).map(|n| filled(bytes - frame + 2 - n % 5));
        tries.find(|der| der.len() == bytes).expect("one of this length")
    };
    assert!(parse(exact(MOST_BYTES)).is_ok());
    let larger = exact(MOST_BYTES + 1);
    assert!(matches!(parse(larger), Err(CertificateError::TooLarge { found, .. }) if found == MOST_BYTES + 1));
}

#[test]
fn extensions_are_bounded() {
    let with = |count: u64| {
        parse(made(|params| {
            params.subject_alt_names.clear();
            let extension = |number| CustomExtension::from_oid_content(&[1, 2, 3, number], vec![5, 0]);
            params.custom_extensions = (0..count).map(extension).collect();
        }))
    };
    let limit = u64::try_from(MOST_EXTENSIONS).expect("small");
    assert_eq!(with(limit).expect("at the limit").extensions().count(), MOST_EXTENSIONS);
    assert!(matches!(
        with(limit + 1),
        Err(CertificateError::TooManyExtensions { found: 65, limit: 64 })
    ));
}

#[test]
fn an_extension_that_is_there_twice_is_told() {
    let twice = parse(made(|params| {
        let extension = || CustomExtension::from_oid_content(&[2, 5, 29, 15], vec![3, 2, 7, 0x80]);
        params.custom_extensions = vec![extension(), extension()];
    }));
    let twice = twice.expect("it is readable");
    assert_eq!(twice.malformed().len(), 1);
    assert_eq!(twice.malformed()[0].oid, "2.5.29.15");
}

#[test]
fn a_name_cannot_write_to_the_terminal() {
    let evil = parse(made(|params| {
        params
            .distinguished_name
            .push(DnType::CommonName, "a\u{1b}[31m\u{202e}\nb")
    }));
    let evil = evil.expect("it is readable");
    for text in [evil.subject(), evil.issuer(), evil.label(), format!("{evil:?}")] {
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\n']), "{text:?}");
    }
}

//! Files become identities: what people give, in any order and number.
#![cfg(feature = "aws-lc-rs")]

mod made;

use lb_tls::{KeyKind, LoadError, LoadOptions, Note, Roots, Severity};
use lb_types::Wall;
use made::{Authority, NOW, clock, engine, file, identities, load, said, self_signed, try_load};
use rcgen::{CustomExtension, DnType, KeyPair, SanType, date_time_ymd};
use rustls::SignatureScheme;

#[test]
fn a_heap_in_any_order_becomes_one_chain_with_its_key_and_each_change_is_said_once() {
    let root = Authority::root("Root");
    let middle = root.intermediate("Middle");
    let low = middle.intermediate("Low");
    let server = low.server(&["www.example.org"]);
    let heap = format!("{}{}{}{}{}", server.key_pem, root.pem, middle.pem, server.pem, low.pem);
    let again = format!("{}{}", low.pem, server.key_pem);
    let loaded = load(&[("heap.pem", &heap), ("again.pem", &again)]);
    let [identity] = loaded.identities.as_slice() else {
        panic!("one identity: {:?}", loaded.identities)
    };
    assert_eq!(identity.chain(), [server.der, low.der.clone(), middle.der]);
    assert_eq!(
        (identity.label(), identity.names()),
        ("heap.pem", &["www.example.org".to_owned()][..])
    );
    assert_eq!(identity.key_kind(), KeyKind::P256);
    // 2027-01-01 is 41 days after 2026-11-21.
    assert_eq!(identity.expiry(Wall::from_secs(NOW)).days_left(), 41);
    // Lines depend on the lengths of signatures.
    let notes: Vec<String> = said(&loaded.notes).iter().map(|note| without_lines(note)).collect();
    assert_eq!(
        notes,
        [
            "again.pem, block 1: the certificate stands there again and is sent once; the first time: heap.pem, block 5",
            "again.pem, block 2: the key stands there again; the first time: heap.pem, block 1",
            "heap.pem, block 2: the root Root is not sent",
            "heap.pem: the certificates were put in order, www.example.org first, each followed by its issuer",
        ],
        "{notes:#?}"
    );
    assert!(loaded.notes.iter().all(|note| !note.mend().is_empty()));
}

fn without_lines(note: &str) -> String {
    let mut parts = note.split(" (line ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once(')').map_or("", |(_, rest)| rest)
    })
}

#[test]
fn keys_are_found_by_public_key_in_whichever_file() {
    let root = Authority::root("Root");
    let one = root.server(&["one.example"]);
    let two = root.leaf(&["two.example"], &rcgen::PKCS_RSA_SHA256, |_| {});
    let three = root.leaf(&["three.example"], &rcgen::PKCS_ED25519, |_| {});
    let four = root.leaf(&["four.example"], &rcgen::PKCS_ECDSA_P384_SHA384, |_| {});
    let keys = format!("{}{}{}{}", four.key_pem, two.key_pem, three.key_pem, one.key_pem);
    let certificates = format!("{}{}{}{}", one.pem, two.pem, three.pem, four.pem);
    let loaded = load(&[
        ("keys.pem", &keys),
        ("certificates.pem", &certificates),
        ("root.pem", &root.pem),
    ]);
    let found: Vec<(String, KeyKind)> = loaded
        .identities
        .iter()
        .map(|one| (one.names()[0].clone(), one.key_kind()))
        .collect();
    let wanted = [
        ("one.example", KeyKind::P256),
        ("two.example", KeyKind::Rsa(2048)),
        ("three.example", KeyKind::Ed25519),
        ("four.example", KeyKind::P384),
    ];
    assert_eq!(found, wanted.map(|(name, kind)| (name.to_owned(), kind)));
    for (identity, made) in loaded.identities.iter().zip([&one, &two, &three, &four]) {
        assert!(identity.certified().keys_match().is_ok());
        assert_eq!(identity.chain(), std::slice::from_ref(&made.der));
    }
}

#[test]
fn a_key_that_fits_nothing_is_an_error_with_both_fingerprints() {
    let root = Authority::root("Root");
    let server = root.server(&["www.example.org"]);
    let stranger = KeyPair::generate().expect("a key");
    let text = format!("{}{}", server.both(), stranger.serialize_pem());
    let error = try_load(&[("site.pem", &text)]).expect_err("a key too many");
    let LoadError::KeyWithoutCertificate {
        fingerprint,
        certificates,
        ..
    } = &error
    else {
        panic!("{error}")
    };
    let digest =
        |bytes: &[u8]| <[u8; 32]>::try_from(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref()).ok();
    assert_eq!(
        Some(*fingerprint),
        digest(&rcgen::PublicKeyData::subject_public_key_info(&stranger))
    );
    assert_eq!(
        certificates.iter().map(|(_, digest)| Some(*digest)).collect::<Vec<_>>(),
        [digest(&rcgen::PublicKeyData::subject_public_key_info(&server.key()))]
    );
    assert!(error.to_string().starts_with("site.pem, block 3"), "{error}");

    let error = try_load(&[("cert.pem", &server.pem), ("key.pem", &stranger.serialize_pem())]).expect_err("no pair");
    assert!(matches!(error, LoadError::KeyWithoutCertificate { .. }), "{error}");
    let error = try_load(&[("cert.pem", &server.pem)]).expect_err("no key");
    assert!(matches!(error, LoadError::CertificateWithoutKey { .. }), "{error}");
    assert!(error.to_string().contains("none was given") && !error.mend().is_empty());
    let error = try_load(&[("root.pem", &root.pem)]).expect_err("no server");
    assert!(matches!(error, LoadError::CertificateWithoutKey { .. }), "{error}");
    assert!(matches!(try_load(&[]), Err(LoadError::Empty { .. })));
    assert!(matches!(try_load(&[("readme", "words")]), Err(LoadError::Read(_))));
}

#[test]
fn a_missing_intermediate_is_a_warning_that_names_it_and_its_address() {
    let root = Authority::root("Root");
    let middle = root.intermediate("Middle");
    let server = middle.leaf(&["www.example.org"], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
        // authorityInfoAccess: caIssuers, http://a.example/m.der
        let mut access = vec![
            0x30, 0x24, 0x30, 0x22, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02, 0x86, 0x16,
        ];
        access.extend_from_slice(b"http://a.example/m.der");
        let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access);
        params.custom_extensions.push(extension);
    });
    let missing = |loaded: &lb_tls::Loaded| {
        let found = loaded
            .notes
            .iter()
            .find(|note| matches!(note, Note::MissingIssuer { .. }));
        found.map(|note| (note.severity(), format!("{note}; {}", note.mend())))
    };
    let alone = load(&[("site.pem", &server.both())]);
    let (severity, text) = missing(&alone).expect("a warning");
    assert_eq!(severity, Severity::Warning);
    assert!(
        text.contains("Middle") && text.contains("download http://a.example/m.der"),
        "{text}"
    );

    let whole = format!("{}{}", server.both(), middle.pem);
    assert_eq!(missing(&load(&[("site.pem", &whole)])), None);

    // With roots it is known whether the chain reaches one.
    let certificate = |made: &Authority| lb_tls::lb_cert::Certificate::parse(made.der.clone()).expect("a root");
    let known: Roots = [certificate(&root)].into_iter().collect();
    let others: Roots = [certificate(&Authority::root("Other"))].into_iter().collect();
    for (roots, is_missing) in [(&known, false), (&others, true)] {
        let roots = [roots];
        let options = LoadOptions::with_roots(&roots);
        let loaded = lb_tls::load([file("site.pem", &whole)], &options, &engine()).expect("identities");
        assert_eq!(missing(&loaded).is_some(), is_missing);
    }
}

#[test]
fn an_expired_or_future_certificate_is_served_with_a_loud_warning() {
    let root = Authority::root("Root");
    let expired = root.leaf(&["old.example"], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
        params.not_after = date_time_ymd(2026, 11, 20);
    });
    let future = root.leaf(&["new.example"], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
        params.not_before = date_time_ymd(2026, 11, 22);
    });
    let loaded = load(&[
        ("old.pem", &expired.both()),
        ("new.pem", &future.both()),
        ("root.pem", &root.pem),
    ]);
    assert_eq!(loaded.identities.len(), 2);
    let loud: Vec<String> = loaded
        .notes
        .iter()
        .filter(|note| note.severity() == Severity::Error)
        .map(ToString::to_string)
        .collect();
    assert_eq!(loud.len(), 2, "{loud:?}");
    assert!(
        loud[0].starts_with("old.pem") && loud[0].contains("EXPIRED on 2026-11-20"),
        "{loud:?}"
    );
    assert!(
        loud[1].starts_with("new.pem") && loud[1].contains("NOT YET VALID, from 2026-11-22"),
        "{loud:?}"
    );
    assert_eq!(loaded.identities[0].expiry(Wall::from_secs(NOW)).days_left(), -1);
}

/// Keys made by `openssl genpkey` (3.0).
const RSA_1024: &str = include_str!("made/rsa1024.pem");
const RSA_PSS: &str = include_str!("made/rsapss.pem");
const DSA: &str = include_str!("made/dsa.pem");
const ED448: &str = include_str!("made/ed448.pem");
const BRAINPOOL: &str = include_str!("made/brainpool.pem");
/// A certificate that `openssl req -x509 -sha1` and so on made.
const SHA1_SIGNED: &str = include_str!("made/sha1.pem");

#[test]
fn a_key_that_is_weak_or_cannot_be_served_is_refused_for_its_true_reason() {
    for (key, reason) in [
        (RSA_1024, "1024 bits can be broken"),
        (RSA_PSS, "only be used with PSS"),
        (DSA, "TLS 1.3 has no DSA"),
        (ED448, "Ed448"),
        (BRAINPOOL, "brainpoolP256r1"),
    ] {
        let error = try_load(&[("key.pem", key)]).expect_err(reason);
        assert!(matches!(error, LoadError::UnusableKey { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
        assert!(error.mend().contains("openssl genpkey"), "{}", error.mend());
    }
}

#[test]
fn a_signature_with_sha1_is_refused_in_what_is_sent() {
    let error = try_load(&[("sha1.pem", SHA1_SIGNED)]).expect_err("SHA-1");
    let LoadError::Weak(finding) = &error else {
        panic!("{error}")
    };
    assert_eq!(finding.id, "weak-signature");
    assert!(error.to_string().contains("SHA-1"), "{error}");
}

#[test]
fn the_newer_of_two_certificates_for_one_key_is_served_and_the_other_named() {
    let root = Authority::root("Root");
    let key = KeyPair::generate().expect("a key");
    let pem = key.serialize_pem();
    let old = root.leaf_by(
        &["www.example.org"],
        KeyPair::from_pem(&pem).expect("a key"),
        |params| {
            params.not_after = date_time_ymd(2026, 12, 1);
        },
    );
    let new = root.leaf_by(&["www.example.org"], KeyPair::from_pem(&pem).expect("a key"), |_| {});
    let other = root.leaf_by(&["shop.example.org"], KeyPair::from_pem(&pem).expect("a key"), |_| {});
    let loaded = load(&[
        ("old.pem", &old.both()),
        ("new.pem", &new.pem),
        ("other.pem", &other.pem),
        ("root.pem", &root.pem),
    ]);
    let served: Vec<&str> = loaded.identities.iter().map(|one| one.label()).collect();
    assert_eq!(served, ["new.pem", "other.pem"]);
    let notes = said(&loaded.notes);
    assert!(
        notes
            .iter()
            .any(|note| note.contains("old.pem") && note.contains("is not used")),
        "{notes:?}"
    );
}

#[test]
fn the_key_of_a_ca_is_no_identity_and_is_told_of() {
    let root = Authority::root("Root");
    let server = root.server(&["www.example.org"]);
    let loaded = load(&[
        ("root.pem", &format!("{}{}", root.pem, root.key_pem)),
        ("site.pem", &server.both()),
    ]);
    assert_eq!(loaded.identities.len(), 1);
    let found = loaded
        .notes
        .iter()
        .find(|note| matches!(note, Note::AuthorityKey { .. }))
        .expect("a warning");
    assert_eq!(found.severity(), Severity::Warning);
    // As `openssl req -x509` makes one: a CA, and a server all the same.
    let own = self_signed(&["own.example"], |_| {});
    assert_eq!(load(&[("own.pem", &own.both())]).identities.len(), 1);
}

#[test]
fn a_common_name_serves_only_where_there_are_no_alternative_names_with_a_warning() {
    let root = Authority::root("Root");
    let bare = root.leaf(&[], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
        params.distinguished_name.push(DnType::CommonName, "Legacy.Example");
    });
    let loaded = load(&[("bare.pem", &bare.both())]);
    assert!(loaded.identities[0].covers("legacy.example"));
    let notes = said(&loaded.notes);
    assert!(notes.iter().any(|note| note.contains("common name only")), "{notes:?}");

    let both = root.leaf(&["san.example"], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
        params.distinguished_name.push(DnType::CommonName, "cn.example");
    });
    let loaded = load(&[("both.pem", &both.both())]);
    assert!(loaded.identities[0].covers("san.example") && !loaded.identities[0].covers("cn.example"));

    let address = root.leaf(&[], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
        params.distinguished_name.push(DnType::CommonName, "cn.example");
        params.subject_alt_names.push(SanType::IpAddress([192, 0, 2, 1].into()));
    });
    let loaded = load(&[("address.pem", &address.both())]);
    assert!(loaded.identities[0].names().is_empty());
}

#[test]
fn a_damaged_file_is_refused_as_a_whole_at_every_cut() {
    let root = Authority::root("Root");
    let whole = root.server(&["www.example.org"]).both();
    for cut in (0..whole.len() - 1).step_by(7) {
        let found = try_load(&[("half.pem", &whole[..cut])]);
        assert!(found.is_err(), "{cut}: {found:?}");
    }
}

#[test]
fn s_tls_05_rsa_and_ecdsa_stand_side_by_side_and_the_client_decides() {
    let root = Authority::root("Root");
    let rsa = root.leaf(&["*.example.org", "example.org"], &rcgen::PKCS_RSA_SHA256, |_| {});
    let ecdsa = root.server(&["*.example.org", "example.org"]);
    let other = root.server(&["other.example"]);
    let table = lb_tls::Identities::new(identities(&[&rsa, &ecdsa, &other]), NOW as i64);
    let kind = |name, schemes: &[SignatureScheme]| table.choose(name, schemes).map(|one| one.key_kind());
    let (p256, rsa) = (SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::RSA_PSS_SHA256);
    for name in [
        Some("www.example.org"),
        Some("EXAMPLE.org."),
        None,
        Some("192.0.2.1"),
        Some("unknown.example"),
    ] {
        assert_eq!(kind(name, &[rsa, p256]), Some(KeyKind::P256), "{name:?}");
        assert_eq!(kind(name, &[rsa]), Some(KeyKind::Rsa(2048)), "{name:?}");
        assert_eq!(kind(name, &[SignatureScheme::ED448]), Some(KeyKind::P256), "{name:?}");
    }
    let found = table.choose(Some("other.example"), &[rsa]).expect("the only one");
    assert!(found.covers("other.example"));
    assert!(table.covers("a.example.org") && !table.covers("a.b.example.org") && !table.covers("192.0.2.1"));
}

#[test]
fn of_several_for_one_name_the_valid_one_that_ends_last_is_served() {
    let root = Authority::root("Root");
    let until = |year, month| {
        root.leaf(&["www.example.org"], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
            params.not_after = date_time_ymd(year, month, 1);
        })
    };
    let all = identities(&[&until(2026, 11), &until(2026, 12), &until(2027, 1)]);
    let table = lb_tls::Identities::new(all.clone(), NOW as i64);
    let chosen = table.choose(Some("www.example.org"), &[SignatureScheme::ECDSA_NISTP256_SHA256]);
    assert_eq!(chosen.map(|one| one.not_after()), Some(all[2].not_after()));
    // An expired ECDSA certificate is no better than a valid RSA one.
    let rsa = root.leaf(&["www.example.org"], &rcgen::PKCS_RSA_SHA256, |_| {});
    let table = lb_tls::Identities::new(identities(&[&until(2026, 11), &rsa]), NOW as i64);
    let both = [SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::RSA_PSS_SHA256];
    let chosen = table.choose(Some("www.example.org"), &both).map(|one| one.key_kind());
    assert_eq!(chosen, Some(KeyKind::Rsa(2048)));
}

#[test]
fn neither_keys_nor_passwords_are_printed() {
    let root = Authority::root("Root");
    let server = root.server(&["www.example.org"]);
    let identity = identities(&[&server]).remove(0);
    let body: String = server.key_pem.lines().filter(|line| !line.starts_with("---")).collect();
    let shown = format!("{identity:?} {:?}", file("a", &server.key_pem).label);
    assert!(!shown.contains(&body[..20]), "{shown}");
    assert!(format!("{:?}", clock()).len() < 100);
}

/// By `openssl pkcs12 -export` and `openssl pkey -aes256` (3.0), password `tiger`, of what `openssl req -x509` made.
const PFX: &[u8] = include_bytes!("made/site.pfx");
const ENCRYPTED: &[u8] = include_bytes!("made/encrypted.pem");

#[test]
fn passwords_open_pfx_and_encrypted_keys_and_a_wrong_one_is_said() {
    for (label, bytes) in [("site.pfx", PFX), ("site.pem", ENCRYPTED)] {
        let load = |password: Option<&str>| {
            let password = password.map(lb_tls::Password::from);
            lb_tls::load(
                [lb_tls::File { label, bytes, password }],
                &LoadOptions::default(),
                &engine(),
            )
        };
        let loaded = load(Some("tiger")).expect("identities");
        assert_eq!(loaded.identities[0].names(), ["backend.example"], "{label}");
        for wrong in [None, Some("lion")] {
            let error = load(wrong).expect_err("no password");
            assert!(
                error.to_string().contains(label) && !error.to_string().contains("lion"),
                "{error}"
            );
            assert!(error.mend().to_lowercase().contains("password"), "{}", error.mend());
        }
    }
}

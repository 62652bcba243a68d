//! Keys as other programs write them, from the committed corpus (`corpus/keys/README.md`): what they are, and whether
//! they belong to their certificates.
#![cfg(feature = "aws-lc-rs")]

use lb_cert::{
    AwsLc, Certificate, Contents, Crypto, KeyAlgorithm, KeyFormat, KeyMatch, NoteKind, Oddity, Password, PrivateKey,
    ReadOptions, match_key, read, write,
};
use rustls_pki_types::PrivateKeyDer;
use std::fs;
use std::path::{Path, PathBuf};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus/keys")
        .join(name)
}

fn contents(name: &str) -> Contents {
    let bytes = fs::read(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let passwords = [Password::from("tiger")];
    let options = ReadOptions::with_passwords(&passwords).crypto(&AwsLc);
    read(name, &bytes, &options).unwrap_or_else(|error| panic!("{error}\n{}", error.explain()))
}

fn key(name: &str) -> PrivateKey {
    contents(name).keys.remove(0).value
}

fn certificate(name: &str) -> Certificate {
    let found = contents(name).certificates.remove(0);
    Certificate::parse(found.value).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn names(ending: &str) -> Vec<String> {
    let entries = fs::read_dir(path("")).expect("the corpus is there");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("ASCII"))
        .filter(|name| name.ends_with(ending))
        .collect();
    names.sort();
    names
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of the public part, by openssl.
fn public(name: &str) -> Option<String> {
    let all = fs::read_to_string(path("public.txt")).expect("the list is there");
    let line = all.lines().find(|line| line.split(' ').next() == Some(name))?;
    Some(line.split(' ').nth(1).expect("a digest").to_owned())
}

#[test]
fn every_key_is_what_its_name_says() {
    for (begin, algorithm) in [
        ("gnutls-p256", KeyAlgorithm::EcP256),
        ("gnutls-p384", KeyAlgorithm::EcP384),
        ("gnutls-p521", KeyAlgorithm::EcP521),
        ("openssl-explicit-p256", KeyAlgorithm::EcP256),
        ("openssl-explicit-compressed-p256", KeyAlgorithm::EcP256),
        ("openssl-explicit-p521", KeyAlgorithm::EcP521),
        (
            "openssl-explicit-brainpoolP256r1",
            KeyAlgorithm::OtherCurve("brainpoolP256r1"),
        ),
        ("openssl-brainpoolP384t1", KeyAlgorithm::OtherCurve("brainpoolP384t1")),
        ("openssl-secp256k1", KeyAlgorithm::OtherCurve("secp256k1")),
        ("openssl-secp224r1", KeyAlgorithm::OtherCurve("P-224")),
        ("openssl-prime192v1", KeyAlgorithm::OtherCurve("P-192")),
        ("openssl-ed448", KeyAlgorithm::Ed448),
        ("openssl-x25519", KeyAlgorithm::Other("X25519")),
        ("openssl-x448", KeyAlgorithm::Other("X448")),
        ("openssl-rsa-pss", KeyAlgorithm::RsaPss { bits: 2048 }),
        ("openssl-dsa", KeyAlgorithm::Dsa { bits: 1024 }),
        ("perl-dsa", KeyAlgorithm::Dsa { bits: 1024 }),
        ("perl-secp256r1", KeyAlgorithm::EcP256),
        ("perl-secp521r1", KeyAlgorithm::EcP521),
        ("perl-brainpoolp256r1", KeyAlgorithm::OtherCurve("brainpoolP256r1")),
        ("mldsa44", KeyAlgorithm::Other("ML-DSA-44")),
        ("mldsa65", KeyAlgorithm::Other("ML-DSA-65")),
        ("mldsa87", KeyAlgorithm::Other("ML-DSA-87")),
    ] {
        let mut found = 0;
        for name in names(".key").iter().filter(|name| name.starts_with(begin)) {
            assert_eq!(*key(name).algorithm(), algorithm, "{name}");
            found += 1;
        }
        assert!(found > 0, "{begin}");
    }
}

#[test]
fn the_public_part_is_the_one_that_openssl_computes() {
    let mut compared = 0;
    for name in names(".key") {
        let key = key(&name);
        let Some(expected) = public(&name) else { continue };
        let Some(spki) = lb_cert::bundle::public_key(&key, &AwsLc) else {
            // Not held, and of a kind that this cryptography does not know.
            let is_known = matches!(
                name.as_str(),
                "openssl-ed448.key" | "openssl-nopublic-brainpoolP256r1.key"
            );
            assert!(is_known, "{name}");
            continue;
        };
        // A point in its short form is as good, and has another digest.
        if !name.contains("brainpoolp256r1-compressed") && !name.contains("rsa-pss") {
            assert_eq!(hex(&AwsLc.sha256(&spki).expect("a digest")), expected, "{name}");
            compared += 1;
        }
    }
    assert!(compared > 25, "{compared}");
}

#[test]
fn every_form_that_is_written_is_read_and_is_the_normal_one() {
    for name in names(".key") {
        let key = key(&name);
        for format in [KeyFormat::Pkcs8, KeyFormat::Sec1, KeyFormat::Pkcs1] {
            let Ok(text) = write::key(&key, format) else { continue };
            let again = read(&name, text.as_bytes(), &ReadOptions::default().crypto(&AwsLc));
            let again = again.unwrap_or_else(|error| panic!("{name} as {format:?}: {error}"));
            let again = &again.keys[0].value;
            assert_eq!(again.algorithm(), key.algorithm(), "{name} as {format:?}");
            assert_eq!(again.oddities(), [], "{name} as {format:?}");
            let public = |key: &PrivateKey| lb_cert::bundle::public_key(key, &AwsLc);
            assert_eq!(public(again), public(&key), "{name} as {format:?}");
        }
    }
}

#[test]
fn what_is_kept_is_taken_by_a_tls_library() {
    // aws-lc-rs, as rustls uses it, refuses a private number of another length and a curve without its name.
    for name in names(".key").iter().filter(|name| key(name).algorithm().is_usable()) {
        let key = key(name);
        assert!(AwsLc.public_key(key.der()).is_some(), "{name}");
        let pkcs8 = PrivateKeyDer::from(key.to_pkcs8());
        assert!(AwsLc.public_key(&pkcs8).is_some(), "{name} as PKCS#8");
        if let Some(traditional) = key.to_traditional() {
            assert!(AwsLc.public_key(&traditional).is_some(), "{name} in the old form");
        }
    }
}

#[test]
fn every_certificate_belongs_to_its_key_and_to_no_other() {
    let certificates: Vec<(String, Certificate)> = names(".crt")
        .into_iter()
        .map(|name| (name.replace(".crt", ""), certificate(&name)))
        .collect();
    assert!(certificates.len() >= 16);
    for (name, held) in &certificates {
        let own = key(&format!("{name}.key"));
        let is_computed = name != "openssl-ed448";
        match match_key(held, &own, &AwsLc) {
            KeyMatch::Match { .. } => assert!(is_computed, "{name}"),
            KeyMatch::Unknown => assert!(!is_computed, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
        for (other, _) in certificates.iter().filter(|(other, _)| other != name) {
            let found = match_key(held, &key(&format!("{other}.key")), &AwsLc);
            assert!(
                matches!(found, KeyMatch::Mismatch { .. }),
                "{name} and {other}: {found:?}"
            );
        }
    }
}

#[test]
fn a_dsa_key_is_the_same_in_both_forms() {
    let (old, new) = (key("openssl-dsa.key"), key("openssl-dsa-pkcs8.key"));
    assert_eq!(old.algorithm(), new.algorithm());
    assert_eq!(old.to_pkcs8(), new.to_pkcs8());
    for (name, other) in [
        ("openssl-dsa.key", "perl-dsa.key"),
        ("openssl-dsa-pkcs8.key", "openssl-dsa.key"),
    ] {
        assert_eq!(contents(name).notes.len(), contents(other).notes.len(), "{name}");
    }
    // Only the old form holds the public number, of the new one it is computed; another group is another key in both.
    let held = certificate("openssl-dsa.crt");
    assert!(matches!(match_key(&held, &old, &AwsLc), KeyMatch::Match { .. }));
    assert_eq!(match_key(&held, &new, &AwsLc), match_key(&held, &old, &AwsLc));
    assert_eq!(match_key(&held, &new, &lb_cert::NoCrypto), KeyMatch::Unknown);
    // In openssl's form of old a public number that is not the private one's is found.
    let text = fs::read_to_string(path("openssl-dsa.key")).expect("PEM");
    let base64: String = text.lines().filter(|line| !line.starts_with("---")).collect();
    let mut der = base64::decoded(&base64);
    // It stands before the private number, the last one: tag, length and 28 octets.
    let last = der.len() - 31;
    der[last] ^= 1;
    let bent = PrivateKey::from_der(&der).expect("whole in its structure");
    assert_eq!(bent.check(&AwsLc), Err(lb_cert::KeyError::PublicPart));
    assert!(matches!(
        match_key(&held, &key("perl-dsa.key"), &AwsLc),
        KeyMatch::Mismatch { .. }
    ));
}

#[test]
fn a_length_that_is_not_the_usual_one_is_noted_wherever_the_key_stands() {
    for (name, octets, wanted) in [
        ("gnutls-p256-33.key", 33, 32),
        ("gnutls-p256-31.key", 31, 32),
        ("gnutls-p256-33-pkcs8.key", 33, 32),
        #[cfg(feature = "pkcs12")]
        ("gnutls-p256-33.p12", 33, 32),
        ("gnutls-p384-49.key", 49, 48),
        ("gnutls-p521-65.key", 65, 66),
        ("gnutls-p521-65-pkcs8.key", 65, 66),
    ] {
        let contents = contents(name);
        let oddity = Oddity::ScalarOctets { octets, wanted };
        assert_eq!(contents.keys[0].value.oddities(), [oddity], "{name}");
        let notes = contents
            .notes
            .iter()
            .filter(|note| note.kind == NoteKind::KeyForm(oddity));
        assert_eq!(notes.count(), 1, "{name}");
    }
    assert_eq!(key("gnutls-p256-32.key").oddities(), []);
    assert_eq!(
        key("openssl-explicit-p521.key").oddities(),
        [Oddity::ExplicitCurve { curve: "P-521" }]
    );
}

#[test]
fn a_certificate_with_the_numbers_of_a_curve_says_the_curve() {
    for (name, words) in [
        ("openssl-explicit-p256.crt", "ECDSA P-256 (given by its numbers)"),
        (
            "openssl-explicit-brainpoolP256r1.crt",
            "ECDSA brainpoolP256r1 (given by its numbers)",
        ),
        ("openssl-compressed-p256.crt", "ECDSA P-256"),
        ("openssl-brainpoolP512r1.crt", "ECDSA brainpoolP512r1"),
        ("openssl-ed448.crt", "Ed448"),
        ("mldsa65.crt", "ML-DSA-65"),
        ("openssl-dsa.crt", "DSA 1024"),
    ] {
        assert_eq!(certificate(name).key().to_string(), words, "{name}");
    }
}

#[test]
fn a_changed_byte_never_panics_and_what_is_read_is_read_again() {
    for name in names(".key") {
        let der = key(&name).der().secret_der().to_vec();
        let original = fs::read(path(&name)).expect("the corpus is there");
        let original = pem_body(&original);
        for der in [der, original] {
            for at in 0..der.len() {
                for change in [0x01, 0x04, 0x80, 0xff] {
                    let mut changed = der.clone();
                    changed[at] ^= change;
                    let Ok(found) = PrivateKey::from_der(&changed) else {
                        continue;
                    };
                    let _ = (found.stated_spki(), found.to_traditional(), format!("{found:?}"));
                    let again = PrivateKey::from_der(found.to_pkcs8().secret_pkcs8_der());
                    let again = again.unwrap_or_else(|error| panic!("{name}, byte {at}: {error}"));
                    assert_eq!(again.algorithm(), found.algorithm(), "{name}, byte {at}");
                }
            }
            for end in 0..der.len() {
                assert!(PrivateKey::from_der(&der[..end]).is_err(), "{name} cut at {end}");
            }
        }
    }
}

/// The DER of the only block of a file, as it stands there.
fn pem_body(text: &[u8]) -> Vec<u8> {
    use rustls_pki_types::pem::{PemObject, SectionKind};
    let found = <(SectionKind, Vec<u8>)>::from_pem_slice(text);
    found.map(|(_, der)| der).unwrap_or_default()
}

#[test]
fn a_private_number_that_is_none_is_refused_with_its_reason() {
    // RFC 5915 by hand: version 1, the number, [0] the curve
    let key = |number: &[u8], oid: &[u8]| {
        let value = |tag: u8, content: &[u8]| {
            let length = u8::try_from(content.len()).expect("short");
            let long: &[u8] = if length < 128 { &[] } else { &[0x81] };
            [&[tag], long, &[length], content].concat()
        };
        let curve = value(0xa0, &value(0x06, oid));
        value(0x30, &[value(0x02, &[1]), value(0x04, number), curve].concat())
    };
    let p256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let p521 = [0x2b, 0x81, 0x04, 0x00, 0x23];
    for (number, oid, words) in [
        (vec![0; 32], &p256[..], "(on P-256) is zero"),
        (vec![], &p256, "(on P-256) is zero"),
        (vec![0xff; 32], &p256, "(on P-256) is not below the order of the curve"),
        (vec![1; 33], &p256, "(on P-256) is not below the order of the curve"),
        (vec![0xff; 66], &p521, "(on P-521) is not below the order of the curve"),
    ] {
        let error = PrivateKey::from_der(&key(&number, oid)).expect_err("no key");
        assert!(error.to_string().contains(words), "{error}");
    }
    for (number, oid, octets) in [
        (vec![7], &p256[..], 32),
        ([vec![0; 40], vec![7]].concat(), &p256, 32),
        (vec![0xff; 65], &p521, 66),
    ] {
        let found = PrivateKey::from_der(&key(&number, oid)).expect("a key");
        // in what is kept: version, then the number with its length
        let der = found.der().secret_der();
        let at = der
            .windows(4)
            .position(|window| window == [1, 4, octets, 0])
            .expect("in full length");
        assert_eq!(usize::from(octets) + at + 3, der.len() - 2 - oid.len() - 2, "{der:x?}");
        assert!(AwsLc.public_key(found.der()).is_some());
    }
}

#[test]
fn an_ed25519_key_with_its_public_half_behind_it_is_read_and_written_without() {
    // RFC 8410, section 10.3: the seed and the public half of its example
    let seed = "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842";
    let public = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
    let bytes = |hex: &str| -> Vec<u8> {
        let digits = (0..hex.len()).step_by(2);
        digits
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("digits"))
            .collect()
    };
    let bare = bytes(&format!("302e020100300506032b657004220420{seed}"));
    let implicit = bytes(&format!("3051020101300506032b657004220420{seed}812100{public}"));
    // as old versions of ring write
    let wrapped = bytes(&format!("3053020101300506032b657004220420{seed}a123032100{public}"));
    let spki = bytes(&format!("302a300506032b6570032100{public}"));
    for der in [&bare, &implicit, &wrapped] {
        let found = PrivateKey::from_der(der).expect("a key");
        assert_eq!(found.check(&AwsLc), Ok(()));
        assert_eq!(AwsLc.public_key(found.der()), Some(spki.clone()));
        assert_eq!(found.to_pkcs8().secret_pkcs8_der(), bare);
        assert_eq!(found.stated_spki().is_some(), der != &bare);
        assert!(found.stated_spki().is_none_or(|stated| stated == spki));
    }
    for der in [implicit, wrapped] {
        let mut changed = der.clone();
        *changed.last_mut().expect("not empty") ^= 1;
        let found = PrivateKey::from_der(&changed).expect("its structure is whole");
        assert!(found.check(&AwsLc).is_err());
    }
}

mod base64 {
    /// What base64 stands for (RFC 4648, section 4).
    pub(crate) fn decoded(text: &str) -> Vec<u8> {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let sixes: Vec<usize> = text
            .bytes()
            .filter_map(|letter| LETTERS.iter().position(|known| *known == letter))
            .collect();
        let octets = sixes.chunks(4).flat_map(|four| {
            let number = four.iter().fold(0, |number, six| number << 6 | six) << (6 * (4 - four.len()));
            number.to_be_bytes()[5..][..four.len() - 1].to_vec()
        });
        octets.collect()
    }
}

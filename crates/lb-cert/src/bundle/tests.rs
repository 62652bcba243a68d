use super::*;
use crate::testing::{Ca, leaf, place};
use crate::{AwsLc, NoCrypto};

fn labels(found: &[Found<Certificate>]) -> Vec<String> {
    found.iter().map(|found| found.value.label()).collect()
}

fn heap(certificates: &[&Certificate]) -> Vec<Found<Certificate>> {
    let found = |(index, certificate): (usize, &&Certificate)| Found {
        value: (*certificate).clone(),
        place: place("heap.pem", index + 1),
    };
    certificates.iter().enumerate().map(found).collect()
}

fn keys(keys: &[&rcgen::KeyPair]) -> Vec<Found<PrivateKey>> {
    let found = |(index, key): (usize, &&rcgen::KeyPair)| Found {
        value: PrivateKey::from_der(&key.serialize_der()).unwrap(),
        place: place("heap.key", index + 1),
    };
    keys.iter().enumerate().map(found).collect()
}

const AT: i64 = 1_800_000_000; // 2027-01-15

fn mended(certificates: &[&Certificate], key_pairs: &[&rcgen::KeyPair]) -> Mended {
    mend(heap(certificates), keys(key_pairs), MendOptions::new(AT), &AwsLc)
}

/// Root, Gamma, Beta, Alpha, Authority: each the issuer of the next.
fn six() -> [Ca; 5] {
    let root = Ca::root("Root");
    let gamma = Ca::below(&root, "Gamma");
    let beta = Ca::below(&gamma, "Beta");
    let alpha = Ca::below(&beta, "Alpha");
    let authority = Ca::below(&alpha, "Authority");
    [root, gamma, beta, alpha, authority]
}

#[test]
fn s_chain_02_six_certificates_in_any_order_become_one_chain() {
    let [root, gamma, beta, alpha, authority] = six();
    let (leaf, key) = leaf(&authority, "example.com");
    let all = [
        &leaf,
        &authority.certificate,
        &alpha.certificate,
        &beta.certificate,
        &gamma.certificate,
        &root.certificate,
    ];
    let expected = ["example.com", "Authority", "Alpha", "Beta", "Gamma"];
    // Each rotation, forwards and backwards: twelve orders.
    for turn in 0..6 {
        let mut order = all;
        order.rotate_left(turn);
        for _ in 0..2 {
            order.reverse();
            let mended = mended(&order, &[&key]);
            assert_eq!(labels(&mended.chain), expected);
            assert_eq!(mended.end, End::Root);
            assert!(matches!(mended.pairing, KeyMatch::Match { digest: Some(_) }));
            let left: Vec<_> = mended
                .left_out
                .iter()
                .map(|left| (left.certificate.value.label(), left.reason.clone()))
                .collect();
            assert_eq!(left, [("Root".to_owned(), Reason::Root)]);
        }
    }
}

#[test]
fn the_root_is_kept_on_request() {
    let root = Ca::root("Root");
    let (leaf, _) = leaf(&root, "example.com");
    let mut options = MendOptions::new(AT);
    options.keep_root = true;
    let mended = mend(heap(&[&root.certificate, &leaf]), Vec::new(), options, &AwsLc);
    assert_eq!(labels(&mended.chain), ["example.com", "Root"]);
    assert!(mended.left_out.is_empty());
}

#[test]
fn s_chain_06_one_certificate_issued_by_a_root_is_complete() {
    let root = Ca::root("Root");
    let (certificate, key) = leaf(&root, "example.com");
    let mended = mended(&[&certificate], &[&key]);
    assert_eq!(labels(&mended.chain), ["example.com"]);
    assert!(mended.left_out.is_empty());
    assert!(matches!(&mended.end, End::Open(issuer) if issuer.name == "CN=Root"));
}

#[test]
fn a_certificate_that_signed_itself_is_a_chain() {
    let root = Ca::root("Root");
    let mended = mended(&[&root.certificate], &[&root.key]);
    assert_eq!(labels(&mended.chain), ["Root"]);
    assert_eq!(mended.end, End::Root);
    assert!(matches!(mended.pairing, KeyMatch::Match { .. }));
}

#[test]
fn s_chain_09_a_leaf_given_twice_stands_there_once() {
    let root = Ca::root("Root");
    let ca = Ca::below(&root, "Intermediate");
    let (leaf, key) = leaf(&ca, "example.com");
    let mended = mended(&[&leaf, &ca.certificate, &leaf, &ca.certificate], &[&key]);
    assert_eq!(labels(&mended.chain), ["example.com", "Intermediate"]);
    let left: Vec<_> = mended.left_out.iter().map(|left| left.reason.clone()).collect();
    assert_eq!(
        left,
        [
            Reason::Duplicate(place("heap.pem", 1)),
            Reason::Duplicate(place("heap.pem", 2))
        ]
    );
}

#[test]
fn of_several_leaves_the_one_whose_key_is_there_is_taken() {
    let root = Ca::root("Root");
    let (first, _) = leaf(&root, "first.example");
    let (second, key) = leaf(&root, "second.example");
    let (third, _) = leaf(&root, "third.example");
    let mended = mended(&[&first, &second, &third, &root.certificate], &[&key]);
    assert_eq!(labels(&mended.chain), ["second.example"]);
    let others: Vec<_> = mended.left_out.iter().map(|left| left.reason.clone()).collect();
    assert_eq!(others, [Reason::OtherLeaf, Reason::OtherLeaf, Reason::Root]);
}

#[test]
fn of_several_keys_the_one_of_the_leaf_is_taken() {
    let root = Ca::root("Root");
    let (certificate, key) = leaf(&root, "example.com");
    let (_, stranger) = leaf(&root, "other.example");
    let mended = mended(&[&certificate], &[&stranger, &key]);
    assert_eq!(mended.key.map(|key| key.place), Some(place("heap.key", 2)));
    assert_eq!(mended.spare_keys.len(), 1);
}

#[test]
fn s_key_04_a_foreign_key_is_a_mismatch_with_both_fingerprints() {
    let root = Ca::root("Root");
    let (certificate, _) = leaf(&root, "example.com");
    let (_, stranger) = leaf(&root, "other.example");
    let mended = mended(&[&certificate], &[&stranger]);
    let KeyMatch::Mismatch {
        certificate: Some(one),
        key: Some(other),
    } = mended.pairing
    else {
        panic!("{:?}", mended.pairing)
    };
    assert_ne!(one, other);
}

#[test]
fn without_cryptography_names_and_identifiers_decide_and_a_match_is_unknown() {
    let [root, gamma, beta, alpha, authority] = six();
    let (leaf, key) = leaf(&authority, "example.com");
    let order = [
        &gamma.certificate,
        &leaf,
        &root.certificate,
        &alpha.certificate,
        &beta.certificate,
        &authority.certificate,
    ];
    let mended = mend(heap(&order), keys(&[&key]), MendOptions::new(AT), &NoCrypto);
    assert_eq!(
        labels(&mended.chain),
        ["example.com", "Authority", "Alpha", "Beta", "Gamma"]
    );
    assert_eq!(mended.pairing, KeyMatch::Unknown);
}

#[test]
fn an_issuer_of_the_same_name_with_another_key_is_not_taken() {
    let root = Ca::root("Root");
    let right = Ca::below(&root, "Intermediate");
    let wrong = Ca::below(&root, "Intermediate");
    let (certificate, _) = leaf(&right, "example.com");
    let mended = mended(&[&certificate, &wrong.certificate, &right.certificate], &[]);
    assert_eq!(
        mended.chain.get(1).map(|found| &found.place),
        Some(&place("heap.pem", 3))
    );
    assert_eq!(
        mended.left_out.first().map(|left| left.reason.clone()),
        Some(Reason::Unrelated)
    );
    // The identifiers said so: nothing is broken.
    assert!(mended.broken.is_empty());
}

#[test]
fn of_a_cross_signed_intermediate_the_longer_way_is_taken_and_the_other_is_named() {
    let old = Ca::root("Old Root");
    let new = Ca::root("New Root");
    let cross = new.cross_signed_by(&old);
    let ca = Ca::below(&new, "Intermediate");
    let (leaf, _) = leaf(&ca, "example.com");
    for order in [
        [&leaf, &ca.certificate, &cross, &new.certificate],
        [&new.certificate, &cross, &ca.certificate, &leaf],
    ] {
        let mended = mended(&order, &[]);
        // New Root as signed by Old Root: whoever knows either trusts the chain.
        assert_eq!(labels(&mended.chain), ["example.com", "Intermediate", "New Root"]);
        assert!(mended.chain[2].value.issuer().contains("Old Root"));
        let left: Vec<_> = mended.left_out.iter().map(|left| left.reason.clone()).collect();
        assert_eq!(left, [Reason::Alternative(mended.chain[2].place.clone())]);
    }
}

#[test]
fn certificates_that_issued_each_other_end_the_search() {
    let one = Ca::root("One");
    let other = Ca::root("Other");
    let (crossed, back) = (one.cross_signed_by(&other), other.cross_signed_by(&one));
    let (leaf, _) = leaf(&one, "example.com");
    let mended = mended(&[&leaf, &crossed, &back], &[]);
    assert_eq!(labels(&mended.chain), ["example.com", "One", "Other"]);
}

#[test]
fn a_changed_signature_breaks_the_chain_and_is_named() {
    let root = Ca::root("Root");
    let ca = Ca::below(&root, "Intermediate");
    let (leaf, _) = leaf(&ca, "example.com");
    let mut der = leaf.der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    let changed = Certificate::parse(der.into()).unwrap();
    let mended = mended(&[&changed, &ca.certificate], &[]);
    assert_eq!(labels(&mended.chain), ["example.com"]);
    let broken: Vec<_> = mended
        .broken
        .iter()
        .map(|broken| (broken.subject.clone(), broken.is_certain))
        .collect();
    assert_eq!(broken, [("CN=example.com".to_owned(), true)]);
}

#[test]
fn a_changed_name_or_key_identifier_is_found_by_the_other() {
    let root = Ca::root("Root");
    let ca = Ca::below(&root, "Intermediate");
    let (leaf, _) = leaf(&ca, "example.com");
    for part in [&b"Intermediate"[..], ca.certificate.subject_key_id().unwrap()] {
        let mut der = leaf.der().to_vec();
        let place = der.windows(part.len()).position(|window| window == part).unwrap();
        der[place] ^= 1;
        let changed = Certificate::parse(der.into()).unwrap();
        let mended = mended(&[&changed, &ca.certificate, &root.certificate], &[]);
        let broken: Vec<_> = mended
            .broken
            .iter()
            .map(|broken| broken.issuer_subject.as_str())
            .collect();
        assert_eq!(broken, ["CN=Intermediate"]);
        assert!(!mended.broken[0].is_certain);
    }
}

#[test]
fn a_changed_name_is_found_by_the_signature_alone() {
    let root = Ca::root("Root");
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = root.issue("example.com", &key, |parameters| {
        parameters.use_authority_key_identifier_extension = false;
    });
    let mut der = root.certificate.der().to_vec();
    // The second "Root" is the subject.
    let place = der.windows(4).rposition(|window| window == b"Root").unwrap();
    der[place] ^= 1;
    let renamed = Certificate::parse(der.into()).unwrap();
    let mended = mended(&[&leaf, &renamed], &[]);
    let broken: Vec<_> = mended
        .broken
        .iter()
        .map(|broken| (broken.subject.as_str(), broken.is_name))
        .collect();
    assert_eq!(broken, [("CN=example.com", true), ("CN=Soot", true)]);
}

#[test]
fn a_chain_has_a_longest_length() {
    let mut line = vec![Ca::root("CA 0")];
    for number in 1..=MAX_CHAIN {
        line.push(Ca::below(&line[number - 1], &format!("CA {number}")));
    }
    let all: Vec<&Certificate> = line.iter().map(|ca| &ca.certificate).collect();
    // 13 certificates: the root does not come into it any more.
    assert_eq!(mended(&all, &[]).chain.len(), MAX_CHAIN);
    assert!(matches!(mended(&all, &[]).end, End::Open(_)));
    let one_less = &all[..MAX_CHAIN];
    assert_eq!(mended(one_less, &[]).end, End::Root);
    assert_eq!(mended(one_less, &[]).chain.len(), MAX_CHAIN - 1);
}

#[test]
fn a_renewed_certificate_is_preferred_to_its_predecessor() {
    let root = Ca::root("Root");
    let (old, key) = leaf(&root, "example.com");
    let renewed = root.issue("example.com", &key, |parameters| {
        parameters.not_after = rcgen::date_time_ymd(2040, 1, 1);
    });
    let mended = mended(&[&old, &renewed], &[&key]);
    assert_eq!(mended.chain.first().map(|found| found.value.der()), Some(renewed.der()));
    assert_eq!(
        mended.left_out.first().map(|left| left.reason.clone()),
        Some(Reason::Alternative(place("heap.pem", 2)))
    );
}

#[test]
fn nothing_gives_nothing() {
    let empty = mended(&[], &[]);
    assert!(empty.chain.is_empty());
    assert_eq!(empty.end, End::Empty);
    assert_eq!(empty.pairing, KeyMatch::Absent);
}

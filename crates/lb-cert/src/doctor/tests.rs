use super::*;
use crate::testing::{Ca, leaf, place};
use crate::{AwsLc, NoCrypto, Roots};

const AT: i64 = 1_800_000_000; // 2027-01-15

fn patient(certificates: &[&Certificate]) -> Patient {
    let found = |(index, certificate): (usize, &&Certificate)| Found {
        value: (*certificate).clone(),
        place: place("chain.pem", index + 1),
    };
    Patient {
        certificates: certificates.iter().enumerate().map(found).collect(),
        ..Patient::default()
    }
}

fn examined(certificates: &[&Certificate], roots: &[&Ca], crypto: &dyn Crypto) -> Report {
    let trusted: Roots = roots.iter().map(|root| root.certificate.clone()).collect();
    let sets = [RootSet {
        name: "ours",
        roots: &trusted,
    }];
    let examination = Examination {
        at: AT,
        names: &[],
        roots: if roots.is_empty() { &[] } else { &sets },
        crypto,
    };
    examine(patient(certificates), &examination)
}

fn ids(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.id).collect()
}

#[test]
fn a_good_chain_has_no_finding_but_the_absent_key() {
    let root = Ca::root("Root");
    let middle = Ca::below(&root, "Middle");
    let (leaf, _) = leaf(&middle, "example.com");
    let report = examined(&[&leaf, &middle.certificate], &[&root], &AwsLc);
    // Made to last four years; a note, as the absent key is.
    assert_eq!(ids(&report), ["no-key", "long-lifetime"]);
    assert_eq!(report.worst(), Some(Severity::Note));
    assert!(report.clients.iter().all(|view| view.given.is_trusted()));
}

#[test]
fn s_chain_04_a_client_in_order_needs_the_order_and_the_others_do_not() {
    let root = Ca::root("Root");
    let upper = Ca::below(&root, "Upper");
    let lower = Ca::below(&upper, "Lower");
    let (leaf, _) = leaf(&lower, "example.com");
    let report = examined(&[&leaf, &upper.certificate, &lower.certificate], &[&root], &AwsLc);
    let given: Vec<_> = report
        .clients
        .iter()
        .map(|view| (view.client, view.given.is_trusted()))
        .collect();
    assert_eq!(
        given,
        [
            (Client::InOrder, false),
            (Client::FirstFit, true),
            (Client::Sorting, true),
            (Client::Fetching, true)
        ]
    );
    assert!(report.clients.iter().all(|view| view.mended.is_trusted()));
}

#[test]
fn a_chain_that_breaks_a_rule_is_refused_with_the_rule() {
    let root = Ca::root("Root");
    let (leaf, _) = leaf(&root, "example.com");
    // A server's certificate that issues another one.
    let report = {
        let key = rcgen::KeyPair::generate().unwrap();
        let no_ca = Ca::not_a_ca(&root, "Not a CA");
        let below = no_ca.issue("victim.example", &key, |_| {});
        examined(&[&below, &no_ca.certificate, &leaf], &[&root], &AwsLc)
    };
    assert!(ids(&report).contains(&"issuer-is-no-ca"), "{:?}", ids(&report));
    assert!(ids(&report).contains(&"refused"), "{:?}", ids(&report));
    assert!(!report.clients.iter().any(|view| view.mended.is_trusted()));
}

#[test]
fn without_cryptography_order_and_gaps_are_found_all_the_same() {
    let root = Ca::root("Root");
    let middle = Ca::below(&root, "Middle");
    let (leaf, _) = leaf(&middle, "example.com");
    let report = examined(&[&leaf], &[], &NoCrypto);
    assert!(ids(&report).contains(&"open-chain"));
    let report = examined(&[&middle.certificate, &leaf], &[], &NoCrypto);
    assert!(ids(&report).contains(&"chain-order"));
}

#[test]
fn nothing_is_an_error() {
    let report = examined(&[], &[], &AwsLc);
    assert_eq!(ids(&report), ["no-certificate"]);
    assert_eq!(report.worst(), Some(Severity::Error));
}

#[test]
fn a_finding_is_one_line_and_explains_itself_in_three() {
    let report = examined(&[], &[], &AwsLc);
    let finding = &report.findings[0];
    assert_eq!(finding.to_string(), "error[no-certificate]: no certificate was given");
    assert_eq!(finding.explain().lines().count(), 3);
}

/// A server's certificate whose subject is its issuer's.
fn namesake(issuer: &Ca, with_issuers_id: bool, with_own_id: bool) -> Certificate {
    let key = rcgen::KeyPair::generate().unwrap();
    issuer.issue("a.example", &key, |params| {
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, issuer.certificate.label());
        params.use_authority_key_identifier_extension = with_issuers_id;
        if with_own_id {
            params.is_ca = rcgen::IsCa::ExplicitNoCa;
        }
    })
}

#[test]
fn a_server_with_its_issuers_name_did_not_sign_itself() {
    let root = Ca::root("Root");
    let middle = Ca::below(&root, "Middle");
    for (with_issuers_id, with_own_id) in [(false, false), (true, false), (true, true)] {
        let leaf = namesake(&middle, with_issuers_id, with_own_id);
        assert_eq!(crate::inspect::Role::of(&leaf, &AwsLc), crate::inspect::Role::Leaf);
        let is_right = with_issuers_id && with_own_id;
        for sent in [&[&leaf, &middle.certificate][..], &[&leaf][..]] {
            let report = examined(sent, &[&root], &AwsLc);
            let found = ids(&report);
            assert!(
                !found.contains(&"self-signed") && !found.contains(&"bad-signature"),
                "{found:?}"
            );
            assert_eq!(found.contains(&"taken-for-self-signed"), !is_right, "{found:?}");
            if sent.len() == 2 {
                let trusting: Vec<bool> = report.clients.iter().map(|view| view.given.is_trusted()).collect();
                assert_eq!(trusting, [true, is_right, true, true]);
            }
        }
    }
}

#[test]
fn a_new_key_of_a_ca_does_not_count_for_the_length_of_the_path() {
    let root = Ca::root("Root");
    let old = Ca::below_with(&root, "Middle", |params| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    });
    let new = Ca::below(&old, "Middle");
    let (leaf, _) = leaf(&new, "example.com");
    let report = examined(&[&leaf, &new.certificate, &old.certificate], &[&root], &AwsLc);
    assert!(!ids(&report).contains(&"path-too-long"), "{:?}", ids(&report));
    assert!(
        report.clients.iter().all(|view| view.given.is_trusted()),
        "{:?}",
        report.clients
    );
    let other = Ca::below(&old, "Other");
    let (leaf, _) = crate::testing::leaf(&other, "example.com");
    let report = examined(&[&leaf, &other.certificate, &old.certificate], &[&root], &AwsLc);
    assert!(ids(&report).contains(&"path-too-long"), "{:?}", ids(&report));
}

#[test]
fn one_bundle_for_two_roots_is_said_to_serve_openssl_with_one_only() {
    let (a, b) = (Ca::root("Root A"), Ca::root("Root B"));
    let middle = Ca::below(&a, "Middle");
    let by_b = middle.cross_signed_by(&b);
    let (leaf, _) = leaf(&middle, "example.com");
    let (trust_a, trust_b): (Roots, Roots) = (
        [a.certificate.clone()].into_iter().collect(),
        [b.certificate.clone()].into_iter().collect(),
    );
    let sets = [("a", &trust_a), ("b", &trust_b)].map(|(name, roots)| RootSet { name, roots });
    let examination = Examination {
        at: AT,
        names: &[],
        roots: &sets,
        crypto: &AwsLc,
    };
    let report = examine(patient(&[&leaf, &by_b, &middle.certificate]), &examination);
    let verdicts = |client: Client| -> Vec<(bool, bool)> {
        let views = report.clients.iter().filter(|view| view.client == client);
        views
            .map(|view| (view.given.is_trusted(), view.mended.is_trusted()))
            .collect()
    };
    assert_eq!(verdicts(Client::FirstFit), [(false, true), (true, false)]);
    assert_eq!(verdicts(Client::Sorting), [(true, true), (true, true)]);
    assert!(ids(&report).contains(&"one-way-only"), "{:?}", ids(&report));
    // Toward one of them, all is well.
    let report = examined(&[&leaf, &by_b, &middle.certificate], &[&a], &AwsLc);
    assert!(report.clients.iter().all(|view| view.mended.is_trusted()));
    assert!(!ids(&report).contains(&"one-way-only"));
}

#[test]
fn a_store_of_roots_is_named_as_that_and_nobody_is_asked_to_have_a_root_issued_again() {
    let mut roots: Vec<Ca> = (0..20).map(|number| Ca::root(&format!("Root {number}"))).collect();
    let old = Ca::root_with("Old Root", |params| params.not_after = rcgen::date_time_ymd(2026, 6, 1));
    roots.push(old);
    let middle = Ca::below(&roots[0], "Middle");
    let mut all: Vec<&Certificate> = roots.iter().map(|ca| &ca.certificate).collect();
    all.push(&middle.certificate);
    all.push(&roots[3].certificate);
    let report = examined(&all, &[&roots[0]], &AwsLc);
    assert_eq!(ids(&report), ["expired-roots", "root-store"]);
    assert_eq!(
        report.findings[1].what,
        "a root store: 21 roots, 1 other CA certificate, 1 repeated certificate, 1 expired; no server's certificate"
    );
    assert_eq!(report.findings[0].what, "1 of the roots has expired: Old Root");
    assert!(report.clients.is_empty() && report.mended.chain.is_empty());
    let said: String = report.findings.iter().map(Finding::explain).collect();
    assert!(!said.contains("issued again"), "{said}");
    let store = report.store.expect("a store");
    assert_eq!((store.roots, store.others, store.repeated), (21, 1, 1));
    assert_eq!(store.expired, ["Old Root"]);
    assert!(store.weak.is_empty());
}

#[test]
fn what_has_a_server_a_key_or_a_chain_in_it_is_no_store() {
    let root = Ca::root("Root");
    let other = Ca::root("Other");
    let middle = Ca::below(&root, "Middle");
    let (leaf, _) = leaf(&middle, "example.com");
    let is_store = |certificates: &[&Certificate]| examined(certificates, &[], &AwsLc).store.is_some();
    assert!(is_store(&[&root.certificate]));
    assert!(is_store(&[&root.certificate, &other.certificate]));
    assert!(!is_store(&[&root.certificate, &middle.certificate]));
    assert!(!is_store(&[&middle.certificate, &root.certificate, &other.certificate]));
    assert!(!is_store(&[&leaf, &root.certificate, &other.certificate]));
    assert!(!is_store(&[&middle.certificate]));
    // A server that signed itself, marked as a CA as openssl does.
    let own = Ca::root_with("example.com", |params| {
        params.subject_alt_names = vec![rcgen::SanType::DnsName("example.com".try_into().unwrap())];
    });
    let report = examined(&[&own.certificate], &[], &AwsLc);
    assert!(report.store.is_none() && ids(&report).contains(&"self-signed"));
    let mut with_key = patient(&[&root.certificate, &other.certificate]);
    with_key.keys.push(Found {
        value: crate::PrivateKey::from_der(&root.key.serialize_der()).unwrap(),
        place: place("key.pem", 1),
    });
    let examination = Examination {
        at: AT,
        names: &[],
        roots: &[],
        crypto: &AwsLc,
    };
    assert!(examine(with_key, &examination).store.is_none());
}

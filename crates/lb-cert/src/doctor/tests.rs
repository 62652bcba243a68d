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

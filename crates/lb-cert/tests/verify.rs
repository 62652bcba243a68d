//! What is accepted, and what the refusals say (S-MTLS-03 to -05, S-CHAIN-01).
#![cfg(feature = "aws-lc-rs")]

mod pki;

use lb_cert::{Certificate, Kind, PeerName, Profile, Refusal, Request, Step, Verified};
use pki::{Ca, DAY, NOW, connect, corrupted, verify};

fn refused(result: Result<Verified, Refusal>) -> Refusal {
    result.expect_err("it has to be refused")
}

fn client(at: i64) -> Request<'static> {
    Request::client(at)
}

fn for_clients(params: &mut rcgen::CertificateParams) {
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
}

#[test]
fn s_chain_01_a_path_to_a_trusted_root_is_found_in_any_order() {
    let root = Ca::root("Root");
    let upper = Ca::below(&root, "Upper");
    let lower = Ca::below(&upper, "Lower");
    let stranger = Ca::root("Stranger");
    let leaf = lower.leaf("a.example");
    let others = [
        &stranger.certificate,
        &upper.certificate,
        &root.certificate,
        &lower.certificate,
    ];
    let verified = connect(&[&stranger, &root], &leaf, &others).expect("a path");
    assert_eq!(
        verified.path(),
        [
            Step::Leaf,
            Step::Intermediate(3),
            Step::Intermediate(1),
            Step::Anchor(1)
        ]
    );
    assert_eq!(verified.warnings(), []);
}

#[test]
fn s_chain_01_an_intermediate_certificate_can_be_trusted_itself() {
    let root = Ca::root("Root");
    let middle = Ca::below(&root, "Middle");
    let leaf = middle.leaf("a.example");
    let verified = connect(&[&middle], &leaf, &[&root.certificate]).expect("a path");
    assert_eq!(verified.path(), [Step::Leaf, Step::Anchor(0)]);
}

#[test]
fn s_chain_01_a_missing_intermediate_is_named() {
    let root = Ca::root("Root");
    let upper = Ca::below(&root, "Upper");
    let lower = Ca::below(&upper, "Lower");
    let refusal = refused(connect(&[&root], &lower.leaf("a.example"), &[&lower.certificate]));
    assert_eq!((refusal.kind(), refusal.position()), (Kind::UnknownIssuer, 1));
    assert_eq!(refusal.rule().id, "path.unknown-issuer");
    assert!(refusal.to_string().contains("CN=Upper"), "{refusal}");
}

#[test]
fn s_mtls_03_an_expired_certificate_and_one_of_the_future_have_reasons_of_their_own() {
    let root = Ca::root("Root");
    let middle = Ca::below(&root, "Middle");
    let leaf = middle.leaf_with("jo", for_clients);
    let at = |at: i64| {
        verify(
            &Profile::connection(),
            &[&root],
            &leaf,
            &[&middle.certificate],
            &client(at),
            None,
        )
    };
    // both ends are part of the validity: 2026-01-01 and 2027-01-01, midnight
    assert!(at(1_767_225_600).is_ok() && at(1_798_761_600).is_ok());
    let late = refused(at(1_798_761_601));
    assert_eq!((late.kind(), late.position()), (Kind::Expired, 0));
    assert!(late.to_string().contains("2027-01-01"), "{late}");
    let early = refused(at(1_767_225_599));
    assert_eq!((early.kind(), early.position()), (Kind::NotYetValid, 0));
    assert!(early.to_string().contains("2026-01-01"), "{early}");
}

#[test]
fn s_mtls_03_an_expired_intermediate_is_named_by_its_position() {
    let root = Ca::root("Root");
    let middle = Ca::below_with(&root, "Middle", |params| {
        params.not_after = rcgen::date_time_ymd(2026, 2, 1)
    });
    let refusal = refused(connect(&[&root], &middle.leaf("a.example"), &[&middle.certificate]));
    assert_eq!(
        (refusal.kind(), refusal.position(), refusal.subject()),
        (Kind::Expired, 1, "Middle")
    );
}

#[test]
fn s_mtls_04_an_unknown_ca_has_a_reason_of_its_own() {
    let (root, stranger) = (Ca::root("Root"), Ca::root("Stranger"));
    let leaf = stranger.leaf_with("jo", for_clients);
    let result = verify(
        &Profile::connection(),
        &[&root],
        &leaf,
        &[&stranger.certificate],
        &client(NOW),
        None,
    );
    let refusal = refused(result);
    assert_eq!((refusal.kind(), refusal.position()), (Kind::UnknownIssuer, 1));
    assert!(refusal.to_string().contains("Stranger issued itself"), "{refusal}");
    let result = verify(&Profile::connection(), &[], &leaf, &[], &client(NOW), None);
    assert_eq!(refused(result).kind(), Kind::UnknownIssuer);
}

#[test]
fn s_mtls_05_a_corrupted_signature_has_a_reason_of_its_own() {
    let root = Ca::root("Root");
    let middle = Ca::below(&root, "Middle");
    let leaf = middle.leaf_with("jo", for_clients);
    let request = client(NOW);
    let connection = Profile::connection();
    let bad = corrupted(&leaf);
    let refusal = refused(verify(
        &connection,
        &[&root],
        &bad,
        &[&middle.certificate],
        &request,
        None,
    ));
    assert_eq!((refusal.kind(), refusal.position()), (Kind::BadSignature, 0));
    let bad = corrupted(&middle.certificate);
    let refusal = refused(verify(&connection, &[&root], &leaf, &[&bad], &request, None));
    assert_eq!((refusal.kind(), refusal.position()), (Kind::BadSignature, 1));
}

#[test]
fn s_mtls_05_a_ca_of_the_same_name_with_another_key_is_not_the_issuer() {
    let (root, impostor) = (Ca::root("Root"), Ca::root("Root"));
    let refusal = refused(connect(&[&root], &impostor.leaf("a.example"), &[]));
    assert_eq!(refusal.kind(), Kind::BadSignature);
    assert!(
        connect(&[&root, &impostor], &impostor.leaf("a.example"), &[]).is_ok(),
        "the second is tried, too"
    );
}

#[test]
fn a_wrong_name_and_a_wrong_purpose_have_reasons_of_their_own() {
    let root = Ca::root("Root");
    let leaf = root.leaf("a.example");
    let ask = |request: Request<'_>| verify(&Profile::connection(), &[&root], &leaf, &[], &request, None);
    assert!(ask(Request::server(NOW).by(&[PeerName::read("A.example.")])).is_ok());
    let refusal = refused(ask(Request::server(NOW).by(&[PeerName::read("b.example")])));
    assert_eq!((refusal.kind(), refusal.rule().id), (Kind::WrongName, "name.mismatch"));
    assert!(
        refusal
            .to_string()
            .contains("b.example asked for, the certificate's names: a.example"),
        "{refusal}"
    );
    let refusal = refused(ask(Request::client(NOW)));
    assert_eq!((refusal.kind(), refusal.rule().id), (Kind::WrongPurpose, "purpose"));
    let refusal = refused(ask(Request::server(NOW).with_key_usages(&["keyEncipherment"])));
    assert_eq!(refusal.value(), "key usage without keyEncipherment");
}

#[test]
fn a_refusal_is_one_line_and_its_explanation_has_section_and_mend() {
    let root = Ca::root("Root");
    let leaf = root.leaf("a.example");
    let request = Request::server(NOW + 1000 * DAY);
    let refusal = refused(verify(&Profile::connection(), &[&root], &leaf, &[], &request, None));
    let refusal = refusal.with_source("chain.pem");
    assert_eq!(
        refusal.to_string(),
        "chain.pem: certificate 1 of the path (a.example): expired [validity.expired]: it ended 2027-01-01T00:00:00Z"
    );
    let explanation = refusal.explain();
    assert!(explanation.contains("RFC 5280, section 6.1.3") && explanation.contains("To mend it: renew"));
    assert_eq!(refusal.source_name(), Some("chain.pem"));
}

#[test]
fn a_bad_first_path_does_not_hide_a_good_second_one() {
    let (old, new) = (Ca::root("Old"), Ca::root("New"));
    let middle = Ca::below(&new, "Middle");
    // the same CA, certified by a root that may not sign: the profile refuses that path
    let weak = Ca::root_with("Weak", |params| {
        params.key_usages = vec![rcgen::KeyUsagePurpose::CrlSign]
    });
    let cross = weak.sign(&middle.params, &middle.key);
    let leaf = middle.leaf("a.example");
    let others = [&cross, &middle.certificate];
    let verified = connect(&[&old, &weak, &new], &leaf, &others).expect("the second path");
    assert_eq!(verified.path(), [Step::Leaf, Step::Intermediate(1), Step::Anchor(2)]);
    let refusal = refused(connect(&[&old, &weak], &leaf, &others));
    assert_eq!((refusal.rule().id, refusal.position()), ("key-usage.sign", 2));
}

#[test]
fn a_rule_that_is_switched_to_warn_tells_and_accepts() {
    let root = Ca::root_with("Root", |params| {
        params.key_usages = vec![rcgen::KeyUsagePurpose::CrlSign]
    });
    let leaf = root.leaf("a.example");
    let mut profile = Profile::connection();
    profile
        .set("key-usage.sign", lb_cert::Level::Warn)
        .expect("it can be switched");
    let verified = verify(&profile, &[&root], &leaf, &[], &Request::server(NOW), None).expect("a warning only");
    let ids: Vec<&str> = verified
        .warnings()
        .iter()
        .map(|warning| warning.finding().rule().id)
        .collect();
    assert_eq!(ids, ["key-usage.sign"]);
    profile
        .set("key-usage.sign", lb_cert::Level::Off)
        .expect("it can be switched");
    let verified = verify(&profile, &[&root], &leaf, &[], &Request::server(NOW), None).expect("off");
    assert_eq!(verified.warnings(), []);
}

#[test]
fn without_cryptography_no_signature_is_good() {
    let root = Ca::root("Root");
    let roots: lb_cert::Roots = [root.certificate.clone()].into_iter().collect();
    for profile in [Profile::connection(), Profile::strict(), Profile::lenient()] {
        let verifier = lb_cert::Verifier::new(&roots, &lb_cert::NoCrypto, &profile);
        let refusal = refused(verifier.verify(&root.leaf("a.example"), &[], &Request::server(NOW)));
        assert_eq!(refusal.rule().id, "signature.unsupported");
    }
}

#[test]
fn where_rustls_webpki_gives_up_the_reason_is_its_own_and_not_that_of_another_way() {
    let root = Ca::root("Root");
    let length_0 = |params: &mut rcgen::CertificateParams| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    };
    let tight = Ca::below_with(&root, "Tight", length_0);
    // A new key that the old one certified; it does not count (RFC 5280, section 6.1.4 (l)).
    let again = Ca::below_with(&tight, "Tight", length_0);
    let expired = Ca::below_with(&root, "Tight", |params| {
        params.not_after = rcgen::date_time_ymd(2026, 2, 1)
    });
    let leaf = again.leaf("a.example");
    let sent = [&again.certificate, &tight.certificate, &expired.certificate];
    for sent in [&sent[..2], &sent[..]] {
        let refusal = connect(&[&root], &leaf, sent).expect_err("webpki counts it");
        assert_eq!(refusal.rule().id, "path.webpki");
        assert!(
            refusal
                .value()
                .contains("it counts Tight, which is self-issued, against the length of the path"),
            "{refusal}"
        );
        assert!(!refusal.value().contains("CertExpired"), "{refusal}");
        assert!(
            refusal.explain().contains("choose the profile `strict`"),
            "{}",
            refusal.explain()
        );
        let complete = Profile::connection().with_complete(true);
        assert!(verify(&complete, &[&root], &leaf, sent, &Request::server(NOW), None).is_ok());
    }
    let mut chain = vec![Ca::below(&root, "Level 1")];
    for level in 2..=7 {
        let next = Ca::below(chain.last().expect("one"), &format!("Level {level}"));
        chain.push(next);
    }
    let leaf = chain.last().expect("seven").leaf("a.example");
    let sent: Vec<&Certificate> = chain.iter().map(|ca| &ca.certificate).collect();
    let refusal = connect(&[&root], &leaf, &sent).expect_err("too long");
    assert!(
        refusal
            .value()
            .contains("at most 6 intermediate certificates, and these are 7"),
        "{refusal}"
    );
}

#[test]
fn a_server_that_may_not_sign_is_a_warning_in_every_profile() {
    let root = Ca::root("Root");
    for (usages, is_odd) in [
        (vec![rcgen::KeyUsagePurpose::CrlSign], true),
        (vec![rcgen::KeyUsagePurpose::KeyEncipherment], true),
        (vec![rcgen::KeyUsagePurpose::DigitalSignature], false),
        (vec![], false),
    ] {
        let leaf = root.leaf_with("a.example", |params| params.key_usages.clone_from(&usages));
        for profile in [Profile::connection(), Profile::lenient()] {
            let verified = verify(&profile, &[&root], &leaf, &[], &Request::server(NOW), None).expect("a path");
            let warned = verified
                .warnings()
                .iter()
                .any(|warning| warning.finding().rule().id == "key-usage.server");
            assert_eq!(warned, is_odd, "{usages:?}");
        }
        let verified = verify(
            &Profile::connection(),
            &[&root],
            &leaf,
            &[],
            &Request::client(NOW),
            None,
        );
        assert!(verified.is_err() || verified.is_ok_and(|found| found.warnings().is_empty()));
    }
    assert_eq!(
        Profile::strict()
            .rules()
            .find(|(rule, _)| rule.id == "key-usage.server")
            .map(|(_, level)| level),
        Some(lb_cert::Level::Warn)
    );
}

//! The profile strict: what rustls-webpki refuses for reasons of its own, and what it accepts wrongly.
#![cfg(feature = "aws-lc-rs")]

mod pki;

use lb_cert::{Budget, Certificate, Kind, PeerName, Profile, Refusal, Request, Roots, Step, Verified, Verifier};
use pki::{Ca, NOW, verify};
use rcgen::{CertificateParams, CustomExtension, GeneralSubtree, NameConstraints, SanType};

fn strict(roots: &[&Ca], leaf: &Certificate, others: &[&Certificate]) -> Result<Verified, Refusal> {
    verify(&Profile::strict(), roots, leaf, others, &Request::server(NOW), None)
}

fn rule(result: Result<Verified, Refusal>) -> (&'static str, usize) {
    let refusal = result.expect_err("it has to be refused");
    (refusal.rule().id, refusal.position())
}

/// A root and so many CAs below each other.
fn tower(count: usize) -> Vec<Ca> {
    let mut tower = vec![Ca::root("Root")];
    for level in 0..count {
        let next = Ca::below(&tower[level], &format!("Level {level}"));
        tower.push(next);
    }
    tower
}

fn extension(oid: &[u64], critical: bool, content: &[u8]) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(oid, content.to_vec());
    extension.set_criticality(critical);
    extension
}

#[test]
fn more_than_six_intermediates_are_a_path_up_to_the_stated_limit() {
    let limit = Budget::DEFAULT.intermediates;
    let tower = tower(limit + 1);
    let others: Vec<&Certificate> = tower[1..].iter().map(|ca| &ca.certificate).collect();
    let at = |level: usize| tower[level].leaf("a.example");
    assert!(strict(&[&tower[0]], &at(7), &others).is_ok());
    assert!(strict(&[&tower[0]], &at(limit), &others).is_ok());
    assert_eq!(
        rule(strict(&[&tower[0]], &at(limit + 1), &others)),
        ("path.limit", limit + 1)
    );
    // for connections, rustls-webpki has to agree
    let refusal = pki::connect(&[&tower[0]], &at(7), &others).expect_err("webpki stops at six");
    assert_eq!((refusal.kind(), refusal.rule().id), (Kind::Limit, "path.webpki"));
}

#[test]
fn more_certificates_than_the_limit_are_refused_before_anything_is_tried() {
    let root = Ca::root("Root");
    let leaf = root.leaf("a.example");
    let limit = Budget::DEFAULT.certificates;
    let heap = vec![&root.certificate; limit];
    assert!(strict(&[&root], &leaf, &heap).is_ok());
    let heap = vec![&root.certificate; limit + 1];
    assert_eq!(rule(strict(&[&root], &leaf, &heap)), ("path.limit", 0));
}

#[test]
fn a_search_ends_when_its_signatures_are_used_up() {
    // sixty CAs of one name; none issued the leaf that claims to be theirs
    let root = Ca::root("Root");
    let heap: Vec<Ca> = (0..60).map(|_| Ca::below(&root, "Twin")).collect();
    let twin = Ca::root("Twin");
    let leaf = twin.leaf("a.example");
    let roots: Roots = [root.certificate.clone()].into_iter().collect();
    let others: Vec<Certificate> = heap.iter().map(|ca| ca.certificate.clone()).collect();
    let profile = Profile::strict();
    let mut budget = Budget::DEFAULT;
    let ask = |budget: Budget| {
        let verifier = Verifier::new(&roots, &lb_cert::AwsLc, &profile).with_budget(budget);
        rule(verifier.verify(&leaf, &others, &Request::server(NOW)))
    };
    assert_eq!(ask(budget), ("signature.invalid", 0));
    budget.signatures = 60;
    assert_eq!(ask(budget), ("signature.invalid", 0));
    budget.signatures = 59;
    assert_eq!(ask(budget), ("path.limit", 0));
    budget = Budget::DEFAULT;
    budget.steps = 60;
    assert_eq!(ask(budget), ("signature.invalid", 0));
    budget.steps = 59;
    assert_eq!(ask(budget), ("path.limit", 0));
}

#[test]
fn self_issued_cas_do_not_count_for_lengths() {
    let root = Ca::root("Root");
    let old = Ca::below_with(&root, "Middle", |params| {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
    });
    let new = Ca::below(&old, "Middle");
    let leaf = new.leaf("a.example");
    let others = [&old.certificate, &new.certificate];
    let verified = strict(&[&root], &leaf, &others).expect("the new key of the same CA");
    assert_eq!(verified.path().len(), 4);
    let depth = |count| {
        verify(
            &Profile::strict(),
            &[&root],
            &leaf,
            &others,
            &Request::server(NOW).with_max_depth(count),
            None,
        )
    };
    assert!(depth(1).is_ok());
    assert_eq!(rule(depth(0)).0, "path.depth");
    let other = Ca::below(&old, "Other");
    let others = [&old.certificate, &other.certificate];
    assert_eq!(
        rule(strict(&[&root], &other.leaf("a.example"), &others)),
        ("ca.path-length", 2)
    );
}

#[test]
fn names_in_other_case_and_encoding_are_the_same() {
    let mut params = pki::named("Middle  CA");
    params.distinguished_name = rcgen::DistinguishedName::new();
    let printable = "MIDDLE CA".try_into().expect("printable");
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, rcgen::DnValue::PrintableString(printable));
    let root = Ca::root("Root");
    let middle = Ca::below(&root, "Middle  CA");
    // the leaf's issuer is written in capitals, as a PrintableString
    let mut shouting = middle.params.clone();
    shouting.distinguished_name = params.distinguished_name;
    let key = rcgen::KeyPair::try_from(middle.key.serialize_der()).expect("the same key");
    let signer = Ca {
        certificate: middle.certificate.clone(),
        params: shouting,
        key,
    };
    let leaf = signer.leaf("a.example");
    assert_ne!(leaf.issuer_raw(), middle.certificate.subject_raw());
    assert!(strict(&[&root], &leaf, &[&middle.certificate]).is_ok());
}

fn constrained(permitted: Vec<GeneralSubtree>, excluded: Vec<GeneralSubtree>) -> impl FnOnce(&mut CertificateParams) {
    move |params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: permitted,
            excluded_subtrees: excluded,
        });
    }
}

#[test]
fn mailboxes_are_constrained() {
    let root = Ca::root("Root");
    let space = vec![GeneralSubtree::Rfc822Name("example.com".into())];
    let middle = Ca::below_with(&root, "Middle", constrained(space, Vec::new()));
    let ask = |mailbox: &str| {
        let leaf = middle.leaf_with("jo", |params| {
            params.subject_alt_names = vec![SanType::Rfc822Name(mailbox.try_into().expect("ASCII"))];
            params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        });
        let names = [PeerName::read(mailbox)];
        let request = Request::client(NOW).by(&names);
        verify(
            &Profile::strict(),
            &[&root],
            &leaf,
            &[&middle.certificate],
            &request,
            None,
        )
    };
    assert!(ask("jo@example.com").is_ok());
    assert_eq!(rule(ask("jo@mail.example.com")), ("name-constraints", 0));
}

#[test]
fn the_roots_own_constraints_hold() {
    let only = |name: &str| vec![GeneralSubtree::DnsName(name.into())];
    let root = Ca::root_with("Root", constrained(only("example.com"), only("bad.example.com")));
    let ask = |name: &str| pki::connect(&[&root], &root.leaf_with(name, |_| {}), &[]);
    assert!(ask("www.example.com").is_ok());
    assert_eq!(rule(ask("www.example.org")), ("name-constraints", 0));
    assert_eq!(rule(ask("x.bad.example.com")), ("name-constraints", 0));
}

#[test]
fn constraints_pass_over_self_issued_cas_but_not_over_the_leaf() {
    let root = Ca::root_with(
        "Root",
        constrained(vec![GeneralSubtree::DnsName("example.com".into())], Vec::new()),
    );
    let elsewhere = |params: &mut CertificateParams| {
        params.subject_alt_names = vec![SanType::DnsName("elsewhere.example".try_into().expect("ASCII"))];
    };
    let renewed = Ca::below_with(&root, "Root", elsewhere);
    let other = Ca::below_with(&root, "Other", elsewhere);
    let leaf = renewed.leaf("a.example.com");
    assert!(strict(&[&root], &leaf, &[&renewed.certificate]).is_ok());
    assert_eq!(
        rule(strict(&[&root], &other.leaf("a.example.com"), &[&other.certificate])),
        ("name-constraints", 1)
    );
}

#[test]
fn a_clients_certificate_under_constraints_on_mailboxes_is_accepted_in_every_profile() {
    let root = Ca::root("Root");
    let middle = Ca::below_with(
        &root,
        "Middle",
        constrained(vec![GeneralSubtree::Rfc822Name("example.com".into())], Vec::new()),
    );
    let client = |mailbox: &str| {
        middle.leaf_with("a.example", |params| {
            params.subject_alt_names = vec![SanType::Rfc822Name(mailbox.try_into().expect("ASCII"))];
            params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        })
    };
    let ask = |mailbox: &str, profile: &Profile| {
        let name = [PeerName::Email(mailbox.into())];
        let request = Request::client(NOW).by(&name);
        verify(
            profile,
            &[&root],
            &client(mailbox),
            &[&middle.certificate],
            &request,
            None,
        )
    };
    for profile in [Profile::connection(), Profile::strict(), Profile::lenient()] {
        assert!(ask("jo@example.com", &profile).is_ok(), "{}", profile.name());
        for wrong in ["jo@www.example.com", "jo@example.org"] {
            assert_eq!(
                rule(ask(wrong, &profile)).0,
                "name-constraints",
                "{wrong}, {}",
                profile.name()
            );
        }
        // No mailbox, so nobody's name.
        assert_eq!(
            rule(ask("a@b@example.com", &profile)).0,
            "name.mismatch",
            "{}",
            profile.name()
        );
    }
    // A server's certificate with a mailbox is rustls-webpki's matter still.
    let server = middle.leaf_with("a.example", |params| {
        let mailbox = "jo@example.com".try_into().expect("ASCII");
        params.subject_alt_names.push(SanType::Rfc822Name(mailbox));
    });
    let asked = pki::connect(&[&root], &server, &[&middle.certificate]);
    assert_eq!(rule(asked).0, "path.webpki");
    assert!(strict(&[&root], &server, &[&middle.certificate]).is_ok());
}

#[test]
fn name_constraints_that_are_not_critical_are_told_and_hold() {
    let root = Ca::root("Root");
    // permitted: the host example.com
    let content = [&[0x30, 17, 0xa0, 15, 0x30, 13, 0x82, 11][..], b"example.com"].concat();
    let middle = Ca::below_with(&root, "Middle", |params| {
        params.custom_extensions = vec![extension(&[2, 5, 29, 30], false, &content)];
    });
    let verified = strict(&[&root], &middle.leaf("a.example.com"), &[&middle.certificate]).expect("a warning");
    let warned: Vec<&str> = verified
        .warnings()
        .iter()
        .map(|warning| warning.finding().rule().id)
        .collect();
    assert!(warned.contains(&"name-constraints.critical"), "{warned:?}");
    assert_eq!(
        rule(strict(&[&root], &middle.leaf("a.example.org"), &[&middle.certificate])).0,
        "name-constraints"
    );
}

#[test]
fn the_anchors_own_certificate_obeys_the_rules() {
    let unknown = extension(&[1, 3, 6, 1, 4, 1, 55738, 1], true, &[5, 0]);
    let root = Ca::root_with("Root", |params| params.custom_extensions.push(unknown));
    assert_eq!(
        rule(pki::connect(&[&root], &root.leaf("a.example"), &[])),
        ("critical.unknown", 1)
    );
    let root = Ca::root_with("Root", |params| params.not_after = rcgen::date_time_ymd(2026, 2, 1));
    assert_eq!(
        rule(pki::connect(&[&root], &root.leaf("a.example"), &[])),
        ("validity.anchor", 1)
    );
    let root = Ca::root_with("Root", |params| params.is_ca = rcgen::IsCa::ExplicitNoCa);
    assert_eq!(
        rule(pki::connect(&[&root], &root.leaf("a.example"), &[])),
        ("basic-constraints.missing", 1)
    );
}

/// `2.5.29.32` with these policies, each under 1.2.3.
fn policies(last: &[u8]) -> CustomExtension {
    let each = last.iter().flat_map(|last| [0x30, 5, 0x06, 3, 0x2a, 3, *last]);
    let content: Vec<u8> = each.collect();
    let mut whole = vec![0x30, u8::try_from(content.len()).expect("short")];
    whole.extend(content);
    extension(&[2, 5, 29, 32], false, &whole)
}

#[test]
fn a_required_policy_has_to_reach_the_leaf() {
    let root = Ca::root("Root");
    // requireExplicitPolicy 0
    let required = || extension(&[2, 5, 29, 36], true, &[0x30, 3, 0x80, 1, 0]);
    let middle = |policy: u8| {
        Ca::below_with(&root, "Middle", |params| {
            params.custom_extensions = vec![required(), policies(&[policy])];
        })
    };
    let middle = middle(4);
    let leaf = |extensions: Vec<CustomExtension>| {
        middle.leaf_with("a.example", |params| params.custom_extensions = extensions)
    };
    let ask = |leaf: &Certificate| strict(&[&root], leaf, &[&middle.certificate]);
    assert!(ask(&leaf(vec![policies(&[4])])).is_ok());
    assert!(ask(&leaf(vec![policies(&[5, 4])])).is_ok());
    assert_eq!(rule(ask(&leaf(vec![policies(&[5])]))), ("policy.required", 0));
    assert_eq!(rule(ask(&leaf(Vec::new()))), ("policy.required", 0));
}

#[test]
fn a_mapped_policy_is_the_subjects() {
    let root = Ca::root("Root");
    let required = extension(&[2, 5, 29, 36], true, &[0x30, 3, 0x80, 1, 0]);
    // 1.2.3.4 is called 1.2.3.5 below
    let mapping: [u8; 14] = [0x30, 12, 0x30, 10, 0x06, 3, 0x2a, 3, 4, 0x06, 3, 0x2a, 3, 5];
    let mapping = extension(&[2, 5, 29, 33], true, &mapping);
    let middle = Ca::below_with(&root, "Middle", |params| {
        params.custom_extensions = vec![required, policies(&[4]), mapping]
    });
    let ask = |policy: u8| {
        let leaf = middle.leaf_with("a.example", |params| {
            params.custom_extensions = vec![policies(&[policy])]
        });
        strict(&[&root], &leaf, &[&middle.certificate])
    };
    assert!(ask(5).is_ok());
    assert_eq!(rule(ask(4)), ("policy.required", 0));
}

#[test]
fn comparisons_of_names_are_bounded() {
    let many = |count: usize| {
        (0..count)
            .map(|number| GeneralSubtree::DnsName(format!("n{number}.example")))
            .collect()
    };
    let root = Ca::root_with("Root", constrained(Vec::new(), many(600)));
    let leaf = |count: usize| {
        root.leaf_with("a.test", |params| {
            let name = |number: usize| SanType::DnsName(format!("m{number}.test").try_into().expect("ASCII"));
            params.subject_alt_names = (0..count).map(name).collect();
        })
    };
    assert!(pki::connect(&[&root], &leaf(400), &[]).is_ok(), "240,000 comparisons");
    assert_eq!(rule(pki::connect(&[&root], &leaf(450), &[])), ("name-constraints", 0));
}

#[test]
fn a_certificate_sent_twice_and_a_circle_do_no_harm() {
    let (root, other) = (Ca::root("Root"), Ca::root("Other"));
    let one = Ca::below(&root, "One");
    let two = Ca::below(&one, "Two");
    let circle = two.sign(&one.params, &one.key);
    let leaf = two.leaf("a.example");
    let others = [&two.certificate, &two.certificate, &circle, &one.certificate];
    assert!(strict(&[&root], &leaf, &others).is_ok());
    let others = [&two.certificate, &two.certificate, &circle];
    assert_eq!(rule(strict(&[&other], &leaf, &others)).0, "path.unknown-issuer");
    assert_eq!(
        strict(&[&two], &leaf, &others).expect("trusted").path(),
        [Step::Leaf, Step::Anchor(0)]
    );
}

#[test]
fn a_search_among_cas_that_all_certify_each_other_ends() {
    // eleven CAs, a certificate of each by each other: the number of ways is astronomical, all of them forbidden
    let nowhere = constrained(vec![GeneralSubtree::DnsName("nowhere.example".into())], Vec::new());
    let root = Ca::root_with("Root", nowhere);
    let cas: Vec<Ca> = (0..11)
        .map(|number| Ca::below(&root, &format!("CA {number}")))
        .collect();
    let mut web: Vec<Certificate> = cas.iter().map(|ca| ca.certificate.clone()).collect();
    for issuer in &cas {
        let others = cas.iter().filter(|ca| ca.certificate != issuer.certificate);
        web.extend(others.map(|ca| issuer.sign(&ca.params, &ca.key)));
    }
    let leaf = cas[0].leaf("a.example");
    let roots: Roots = [root.certificate.clone()].into_iter().collect();
    for profile in [Profile::connection(), Profile::strict()] {
        let verifier = Verifier::new(&roots, &lb_cert::AwsLc, &profile);
        let answer = rule(verifier.verify(&leaf, &web, &Request::server(NOW)));
        assert!(matches!(answer.0, "path.limit" | "name-constraints"), "{answer:?}");
    }
}

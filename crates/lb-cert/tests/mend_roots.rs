//! Mending toward the roots that were given: whatever makes a path stays, in every order.
#![cfg(feature = "aws-lc-rs")]

mod pki;

use lb_cert::bundle::{End, Reason};
use lb_cert::{
    AwsLc, Certificate, Found, MendOptions, Mended, Place, Profile, Purpose, Request, Roots, Verifier, mend,
};
use pki::{Ca, NOW};
use rcgen::{ExtendedKeyUsagePurpose, GeneralSubtree, NameConstraints};

fn heap(certificates: &[&Certificate]) -> Vec<Found<Certificate>> {
    let found = |(index, certificate): (usize, &&Certificate)| Found {
        value: (*certificate).clone(),
        place: Place {
            source: "heap.pem".into(),
            block: u32::try_from(index).expect("few") + 1,
            line: None,
            offset: 0,
        },
    };
    certificates.iter().enumerate().map(found).collect()
}

fn trust(roots: &[&Certificate]) -> Roots {
    roots.iter().map(|root| (*root).clone()).collect()
}

fn mended(certificates: &[&Certificate], roots: &[&Roots]) -> Mended {
    let mut options = MendOptions::new(NOW);
    options.roots = roots;
    mend(heap(certificates), Vec::new(), options, &AwsLc)
}

fn sent(mended: &Mended) -> Vec<Certificate> {
    mended.sent().map(|found| found.value.clone()).collect()
}

fn accepts(profile: &Profile, purpose: &Purpose, leaf: &Certificate, others: &[Certificate], roots: &Roots) -> bool {
    let request = Request::new(NOW, purpose.clone());
    Verifier::new(roots, &AwsLc, profile)
        .verify(leaf, others, &request)
        .is_ok()
}

/// An intermediate that two roots issued.
fn crossed() -> ([Ca; 2], [Certificate; 2], Ca) {
    let roots = [Ca::root("Root A"), Ca::root("Root B")];
    let middle = Ca::below(&roots[0], "Middle");
    let by = [middle.certificate.clone(), roots[1].sign(&middle.params, &middle.key)];
    (roots, by, middle)
}

#[test]
fn of_cross_signed_intermediates_the_one_that_leads_to_the_given_roots_stands_in_the_chain() {
    let (roots, by, middle) = crossed();
    let leaf = middle.leaf("a.example");
    for wanted in 0..2 {
        let trusted = trust(&[&roots[wanted].certificate]);
        for order in [
            [&leaf, &by[0], &by[1]],
            [&by[1], &by[0], &leaf],
            [&by[0], &leaf, &by[1]],
        ] {
            let mended = mended(&order, &[&trusted]);
            assert_eq!(sent(&mended), [leaf.clone(), by[wanted].clone()]);
            assert!(
                mended
                    .left_out
                    .iter()
                    .all(|left| matches!(left.reason, Reason::Alternative(_)))
            );
        }
    }
}

#[test]
fn what_only_another_set_of_roots_needs_stands_behind_the_chain() {
    let (roots, by, middle) = crossed();
    let leaf = middle.leaf("a.example");
    let (a, b) = (trust(&[&roots[0].certificate]), trust(&[&roots[1].certificate]));
    let both = mended(&[&by[0], &leaf, &by[1]], &[&b, &a]);
    assert_eq!(sent(&both), [leaf.clone(), by[1].clone(), by[0].clone()]);
    assert_eq!((both.chain.len(), both.further.len()), (2, 1));
    assert!(both.left_out.is_empty());
}

#[test]
fn without_a_known_root_no_cross_signed_certificate_is_thrown_away() {
    let (roots, by, middle) = crossed();
    let leaf = middle.leaf("a.example");
    let stranger = trust(&[&Ca::root("Stranger").certificate]);
    for sets in [&[][..], &[&stranger][..]] {
        let open = mended(&[&leaf, &by[0], &by[1]], sets);
        assert_eq!(sent(&open), [leaf.clone(), by[0].clone(), by[1].clone()]);
        assert!(matches!(open.end, End::Open(_)));
    }
    // With one of the roots among the files, that is the one that is meant.
    let closed = mended(&[&leaf, &by[0], &by[1], &roots[1].certificate], &[]);
    assert_eq!(sent(&closed), [leaf.clone(), by[1].clone()]);
}

#[test]
fn a_way_that_breaks_a_rule_is_not_taken_for_being_longer_or_first() {
    let roots = [Ca::root("Root A"), Ca::root("Root B")];
    let middle = Ca::below(&roots[0], "Middle");
    let mut narrow = middle.params.clone();
    narrow.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("other.example".into())],
        excluded_subtrees: vec![],
    });
    let narrow = roots[0].sign(&narrow, &middle.key);
    let by_b = roots[1].sign(&middle.params, &middle.key);
    let mut crossed = roots[1].params.clone();
    crossed.use_authority_key_identifier_extension = true;
    let b_by_a = roots[0].sign(&crossed, &roots[1].key);
    let leaf = middle.leaf("a.example");
    let trusted = trust(&[&roots[0].certificate, &roots[1].certificate]);
    let mended = mended(&[&leaf, &narrow, &by_b, &b_by_a], &[&trusted]);
    // Root B as Root A issued it serves those who know only Root A.
    assert_eq!(sent(&mended), [leaf, by_b, b_by_a]);
}

#[test]
fn a_server_with_its_authoritys_name_keeps_its_chain() {
    let root = Ca::root("Root");
    let authority = Ca::below(&root, "Authority");
    let mut params = pki::named("Authority");
    params.subject_alt_names = vec![rcgen::SanType::DnsName("a.example".try_into().expect("ASCII"))];
    for has_id in [false, true] {
        params.use_authority_key_identifier_extension = has_id;
        let leaf = authority.sign(&params, &rcgen::KeyPair::generate().expect("a key"));
        for order in [
            [&leaf, &authority.certificate, &root.certificate],
            [&root.certificate, &authority.certificate, &leaf],
        ] {
            let mended = mended(&order, &[]);
            assert_eq!(sent(&mended), [leaf.clone(), authority.certificate.clone()]);
            assert_eq!(mended.end, End::Root);
            assert!(mended.broken.is_empty());
        }
        // Alone, too, it is nothing that was changed.
        assert!(mended(&[&leaf], &[]).broken.is_empty());
    }
    // A root whose signature was changed is.
    assert_eq!(mended(&[&pki::corrupted(&root.certificate)], &[]).broken.len(), 1);
}

#[test]
fn a_new_key_of_a_ca_keeps_its_place_between_the_leaf_and_the_old_key() {
    let old = Ca::root("Authority");
    let new = Ca::below(&old, "Authority");
    let leaf = new.leaf("a.example");
    let trusted = trust(&[&old.certificate]);
    for order in [
        [&leaf, &new.certificate, &old.certificate],
        [&old.certificate, &new.certificate, &leaf],
    ] {
        for sets in [&[][..], &[&trusted][..]] {
            let mended = mended(&order, sets);
            assert_eq!(sent(&mended), [leaf.clone(), new.certificate.clone()]);
            assert_eq!(mended.end, End::Root);
        }
    }
}

#[test]
fn whatever_any_part_of_a_heap_passes_the_mended_bundle_passes() {
    let roots = [Ca::root("Root A"), Ca::root("Root B"), Ca::root("Root C")];
    let upper = Ca::below(&roots[0], "Upper");
    let upper_by_b = roots[1].sign(&upper.params, &upper.key);
    let middle = Ca::below(&upper, "Middle");
    let middle_by_c = roots[2].sign(&middle.params, &middle.key);
    // For mail only, and for clients only.
    let mut other = middle.params.clone();
    other.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    let middle_for_mail = roots[0].sign(&other, &middle.key);
    other.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let middle_for_clients = roots[1].sign(&other, &middle.key);
    // Another key of the same name, an expired one, and one that strict refuses.
    let namesake = Ca::below(&upper, "Middle");
    let mut old = middle.params.clone();
    old.not_after = rcgen::date_time_ymd(2026, 2, 1);
    let expired = roots[1].sign(&old, &middle.key);
    let mut loose = middle.params.clone();
    loose.use_authority_key_identifier_extension = false;
    let loose = roots[1].sign(&loose, &middle.key);
    let mut crossed = roots[0].params.clone();
    crossed.use_authority_key_identifier_extension = true;
    let a_by_c = roots[2].sign(&crossed, &roots[0].key);
    let leaf = middle.leaf_with("a.example", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    });
    let pool = [
        &upper.certificate,
        &upper_by_b,
        &middle.certificate,
        &middle_by_c,
        &middle_for_mail,
        &middle_for_clients,
        &namesake.certificate,
        &expired,
        &loose,
        &a_by_c,
        &roots[0].certificate,
        &roots[1].certificate,
        &roots[2].certificate,
    ];
    let sets = [
        trust(&[&roots[0].certificate]),
        trust(&[&roots[1].certificate]),
        trust(&[&roots[2].certificate]),
        trust(&[&roots[1].certificate, &roots[2].certificate]),
        trust(&[&upper.certificate]),
    ];
    let profiles = [Profile::connection(), Profile::strict(), Profile::lenient()];
    let mut seed = 7_u64;
    let mut random = |below: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).expect("64 bits") % below
    };
    let (mut asked, mut accepted) = (0, 0);
    for case in 0..150 {
        let mut order = vec![&leaf];
        for _ in 0..=random(6) {
            order.insert(random(order.len() + 1), pool[random(pool.len())]);
        }
        let first = random(sets.len());
        let wanted = if random(3) == 0 {
            vec![&sets[first], &sets[random(sets.len())]]
        } else {
            vec![&sets[first]]
        };
        let bundle = sent(&mended(&order, &wanted));
        assert_eq!(bundle.first(), Some(&leaf), "case {case}");
        let given: Vec<Certificate> = order
            .iter()
            .map(|one| (*one).clone())
            .filter(|one| *one != leaf)
            .collect();
        for roots in wanted {
            for profile in &profiles {
                for purpose in [Purpose::Server, Purpose::Client] {
                    asked += 1;
                    if accepts(profile, &purpose, &leaf, &given, roots) {
                        accepted += 1;
                        assert!(
                            accepts(profile, &purpose, &leaf, &bundle[1..], roots),
                            "case {case}, {}, {purpose:?}",
                            profile.name()
                        );
                    }
                }
            }
        }
    }
    assert!(accepted * 5 > asked, "{accepted} of {asked}");
}

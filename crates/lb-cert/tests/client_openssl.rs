//! The forecast of what OpenSSL will say, against the real openssl: names of issuers, key identifiers, kinds of keys, and
//! the order of cross-signed intermediates.
#![cfg(feature = "aws-lc-rs")]

mod openssl;
mod pki;

use lb_cert::doctor::{Client, Examination, Patient, RootSet, Verdict, examine};
use lb_cert::{AwsLc, Certificate, Found, Place, Profile, Request, Roots, Verifier};
use openssl::Shop;
use pki::{Ca, NOW, named};
use rcgen::{CertificateParams, IsCa, KeyPair, KeyUsagePurpose};

/// What each kind of client says of the certificates as they are sent.
fn forecast(sent: &[&Certificate], roots: &[&Certificate]) -> [Verdict; 2] {
    let trusted: Roots = roots.iter().map(|root| (*root).clone()).collect();
    let found = |(index, certificate): (usize, &&Certificate)| Found {
        value: (*certificate).clone(),
        place: Place {
            source: "sent.pem".into(),
            block: u32::try_from(index).expect("few") + 1,
            line: None,
            offset: 0,
        },
    };
    let patient = Patient {
        certificates: sent.iter().enumerate().map(found).collect(),
        ..Patient::default()
    };
    let sets = [RootSet {
        name: "ours",
        roots: &trusted,
    }];
    let examination = Examination {
        at: NOW,
        names: &[],
        roots: &sets,
        crypto: &AwsLc,
    };
    let report = examine(patient, &examination);
    [Client::FirstFit, Client::Sorting].map(|kind| {
        let view = report.clients.iter().find(|view| view.client == kind);
        view.expect("each kind is simulated").given.clone()
    })
}

/// The error number of `openssl verify`, or nothing when it accepts.
fn openssl_says(shop: &Shop, sent: &[&Certificate], roots: &[&Certificate]) -> Option<u32> {
    let pem = |certificates: &[&Certificate]| lb_cert::write::certificates(certificates.iter().map(|one| one.der()));
    shop.write("leaf.pem", pem(&sent[..1]));
    shop.write("roots.pem", pem(roots));
    let mut arguments = vec![
        "verify",
        "-purpose",
        "sslserver",
        "-attime",
        "1782864000",
        "-CAfile",
        "roots.pem",
    ];
    if sent.len() > 1 {
        shop.write("sent.pem", pem(&sent[1..]));
        arguments.extend(["-untrusted", "sent.pem"]);
    }
    arguments.push("leaf.pem");
    let output = shop.attempt_with(&arguments);
    if output.status.success() {
        return None;
    }
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let (_, number) = text.split_once("error ").unwrap_or_else(|| panic!("{text}"));
    Some(number.split(' ').next().expect("a word").parse().expect("a number"))
}

const KEYS: [&str; 4] = ["rsa", "p256", "p384", "ed25519"];

/// rcgen makes no RSA keys; openssl does, one for each owner, because that takes long.
fn key(shop: &Shop, kind: &str, owner: &str) -> KeyPair {
    match kind {
        "rsa" => {
            let file = format!("{owner}.key");
            if !shop.path(&file).exists() {
                shop.run(&format!(
                    "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out {file}"
                ));
            }
            KeyPair::from_pem(&shop.text(&file)).expect("a key")
        }
        "p384" => KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).expect("a key"),
        "ed25519" => KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key"),
        _ => KeyPair::generate().expect("a key"),
    }
}

/// A CA with a key of this kind, issued by `issuer` or by itself.
fn ca(shop: &Shop, name: &str, kind: &str, issuer: Option<&Ca>) -> Ca {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = issuer.is_some();
    let key = key(shop, kind, name);
    let certificate = match issuer {
        Some(issuer) => issuer.sign(&params, &key),
        None => pki::parse(params.self_signed(&key).expect("a root").der()),
    };
    Ca {
        certificate,
        params,
        key,
    }
}

/// A server's certificate with its CA's name.
fn namesake(shop: &Shop, issuer: &Ca, kind: &str, own_id: bool, issuers_id: bool) -> Certificate {
    let mut params: CertificateParams = named("Authority");
    params.subject_alt_names = vec![rcgen::SanType::DnsName("a.example".try_into().expect("ASCII"))];
    params.use_authority_key_identifier_extension = issuers_id;
    // The one without basic constraints has no subject key identifier either.
    params.is_ca = if own_id { IsCa::ExplicitNoCa } else { IsCa::NoCa };
    let made = issuer.sign(&params, &key(shop, kind, "leaf"));
    assert_eq!(
        (made.subject_key_id().is_some(), made.authority_key_id().is_some()),
        (own_id, issuers_id)
    );
    made
}

#[test]
fn a_certificate_with_its_issuers_name_is_judged_as_openssl_does() {
    let Some(shop) = Shop::open() else { return };
    let mut refused = 0;
    for ca_kind in KEYS {
        let root = ca(&shop, "Authority", ca_kind, None);
        let top = ca(&shop, "Top", "p256", None);
        let middle = ca(&shop, "Authority", ca_kind, Some(&top));
        for leaf_kind in KEYS {
            for (own_id, issuers_id) in [(false, false), (false, true), (true, false), (true, true)] {
                let below_root = namesake(&shop, &root, leaf_kind, own_id, issuers_id);
                let below_middle = namesake(&shop, &middle, leaf_kind, own_id, issuers_id);
                for (sent, trusted) in [
                    (vec![&below_root], &root.certificate),
                    (vec![&below_middle, &middle.certificate], &top.certificate),
                ] {
                    let case = format!("CA {ca_kind}, leaf {leaf_kind}, own id {own_id}, issuer's id {issuers_id}");
                    let real = openssl_says(&shop, &sent, &[trusted]);
                    let [openssl, java] = forecast(&sent, &[trusted]);
                    // The table of OpenSSL 3.0: one of the two identifiers is missing, and the kinds of key are one.
                    let is_ec = |kind: &str| kind.starts_with('p');
                    let same_kind = leaf_kind == ca_kind || (is_ec(leaf_kind) && is_ec(ca_kind));
                    let expected = (same_kind && !(own_id && issuers_id)).then_some(18);
                    assert_eq!(real, expected, "{case}");
                    // `verify` answers for clients that try the signature, and tells of those that do not.
                    let trusts: Roots = [trusted.clone()].into_iter().collect();
                    let profile = Profile::connection();
                    let others: Vec<Certificate> = sent[1..].iter().map(|one| (*one).clone()).collect();
                    let verified = Verifier::new(&trusts, &AwsLc, &profile)
                        .verify(sent[0], &others, &Request::server(NOW))
                        .unwrap_or_else(|refusal| panic!("{case}: {refusal}"));
                    let warns = verified.warnings().iter().any(|warning| {
                        let finding = warning.finding();
                        finding.rule().id == "issuer.taken-for-self-signed" && finding.position() == 0
                    });
                    assert_eq!(warns, real.is_some(), "{case}: {:?}", verified.warnings());
                    match real {
                        None => assert!(openssl.is_trusted(), "{case}: {openssl}"),
                        Some(_) => {
                            assert!(
                                matches!(openssl, Verdict::TakenForSelfSigned { .. }),
                                "{case}: {openssl}"
                            );
                            refused += 1;
                        }
                    }
                    assert!(java.is_trusted(), "{case}: {java}");
                    assert!(!sent[0].is_self_signed(&AwsLc), "{case}");
                }
            }
        }
    }
    // Six of the sixteen pairs are of one kind, three of the four ways lack an identifier, two depths.
    assert_eq!(refused, 6 * 3 * 2);
}

/// Two roots, an intermediate that both issued, and another intermediate of its name with another key.
struct Cross {
    roots: [Ca; 2],
    /// By the first root, by the second, and the stranger by the first.
    middles: [Certificate; 3],
    /// The first root as issued by the second.
    crossed_root: Certificate,
    leaf: Certificate,
    leaf_without_id: Certificate,
}

impl Cross {
    fn new() -> Self {
        let roots = [Ca::root("Root A"), Ca::root("Root B")];
        let middle = Ca::below(&roots[0], "Middle");
        let by_other = roots[1].sign(&middle.params, &middle.key);
        let stranger = Ca::below(&roots[0], "Middle");
        let mut params = roots[0].params.clone();
        params.use_authority_key_identifier_extension = true;
        Self {
            crossed_root: roots[1].sign(&params, &roots[0].key),
            leaf: middle.leaf("a.example"),
            leaf_without_id: middle.leaf_with("a.example", |params| {
                params.use_authority_key_identifier_extension = false;
            }),
            middles: [middle.certificate, by_other, stranger.certificate],
            roots,
        }
    }
}

/// Sent, trusted, OpenSSL 3.0's error, and whether there is a way.
type Heap<'a> = (&'a [&'a Certificate], &'a [&'a Certificate], Option<u32>, bool);

/// What openssl says is as written, and the forecast says the same.
fn are_forecast(shop: &Shop, cases: &[Heap<'_>]) {
    for (number, (sent, trusted, error, is_way)) in cases.iter().enumerate() {
        assert_eq!(openssl_says(shop, sent, trusted), *error, "case {number}");
        let [openssl, java] = forecast(sent, trusted);
        assert_eq!(openssl.is_trusted(), error.is_none(), "case {number}: {openssl}");
        assert_eq!(java.is_trusted(), *is_way, "case {number}: {java}");
    }
}

/// Numbers below the one that is asked for, always the same ones.
fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).expect("64 bits") % below
    }
}

#[test]
fn openssl_takes_the_first_issuer_that_fits_and_java_tries_all() {
    let Some(shop) = Shop::open() else { return };
    let cross = Cross::new();
    let [a, b] = [&cross.roots[0].certificate, &cross.roots[1].certificate];
    let [by_a, by_b, stranger] = [&cross.middles[0], &cross.middles[1], &cross.middles[2]];
    let (leaf, bare, ab) = (&cross.leaf, &cross.leaf_without_id, &cross.crossed_root);
    let cases: [Heap<'_>; 15] = [
        (&[leaf, by_a, by_b], &[a], None, true),
        (&[leaf, by_b, by_a], &[a], Some(20), true),
        (&[leaf, by_b, by_a], &[b], None, true),
        (&[leaf, by_a, by_b], &[b], Some(20), true),
        (&[leaf, by_b, by_a], &[a, b], None, true),
        // Of two keys of one name, the identifier tells; without it, the first is taken.
        (&[leaf, stranger, by_a], &[a], None, true),
        (&[bare, stranger, by_a], &[a], Some(7), true),
        (&[bare, by_a, stranger], &[a], None, true),
        // Trusted first: what is above a root that is known does not matter.
        (&[leaf, by_a, ab], &[a], None, true),
        (&[leaf, by_a, ab], &[b], None, true),
        // What is trusted and no root is one for Java, Go and curl alone.
        (&[leaf, by_b], &[by_a], Some(2), true),
        // A root that was sent ends the way.
        (&[leaf, by_b, b, by_a], &[a], Some(19), true),
        (&[leaf, by_a, a, ab], &[b], Some(19), true),
        (&[leaf, by_a, ab, a], &[b], None, true),
        (&[leaf, by_a, a], &[b], Some(19), false),
    ];
    are_forecast(&shop, &cases);
}

#[test]
fn any_heap_is_judged_as_openssl_judges_it() {
    let Some(shop) = Shop::open() else { return };
    let cross = Cross::new();
    let pool = [
        &cross.middles[0],
        &cross.middles[1],
        &cross.middles[2],
        &cross.crossed_root,
        &cross.roots[0].certificate,
        &cross.roots[1].certificate,
    ];
    let mut random = numbers(20_261_121);
    let mut accepted = 0;
    for case in 0..120 {
        let mut sent = vec![if random(2) == 0 {
            &cross.leaf
        } else {
            &cross.leaf_without_id
        }];
        for _ in 0..random(5) {
            let one = pool[random(pool.len())];
            if !sent.contains(&one) {
                sent.push(one);
            }
        }
        let trusted: Vec<&Certificate> = match random(4) {
            0 => vec![&cross.roots[0].certificate],
            1 => vec![&cross.roots[1].certificate],
            2 => vec![&cross.roots[0].certificate, &cross.roots[1].certificate],
            _ => vec![&cross.middles[random(3)]],
        };
        let real = openssl_says(&shop, &sent, &trusted);
        let [openssl, _] = forecast(&sent, &trusted);
        accepted += usize::from(real.is_none());
        let labels: Vec<String> = sent
            .iter()
            .chain(&trusted)
            .map(|one| format!("{} by {}", one.label(), one.issuer()))
            .collect();
        assert_eq!(
            openssl.is_trusted(),
            real.is_none(),
            "case {case}: {real:?}, {openssl}: {labels:?}"
        );
    }
    assert!((30..110).contains(&accepted), "{accepted}");
}

/// A root, an intermediate by it and one below that, each in several versions of which some break what OpenSSL asks of
/// them, and leaves.
struct Family {
    roots: Vec<Ca>,
    /// Of the roots, with the key of the first.
    upper: Vec<Certificate>,
    lower: Vec<Certificate>,
    leaves: Vec<Certificate>,
}

/// An authority key identifier that names another key.
fn of_another_key() -> rcgen::CustomExtension {
    let identifier = [&[0x30, 0x16, 0x80, 0x14][..], &[7; 20]].concat();
    rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 35], identifier)
}

impl Family {
    fn new() -> Self {
        use rcgen::{BasicConstraints::Constrained, ExtendedKeyUsagePurpose::ClientAuth};
        let plain = Ca::root("Müller");
        let again = |change: &dyn Fn(&mut CertificateParams)| {
            let mut params = plain.params.clone();
            change(&mut params);
            let key = KeyPair::try_from(plain.key.serialize_der().as_slice()).expect("the same key");
            let certificate = pki::parse(params.self_signed(&key).expect("a root").der());
            Ca {
                certificate,
                params,
                key,
            }
        };
        let renamed = again(&|params| {
            params.distinguished_name.remove(rcgen::DnType::CommonName);
            params.distinguished_name.push(rcgen::DnType::CommonName, "mÜLLER");
        });
        let shouted = again(&|params| {
            params.distinguished_name.remove(rcgen::DnType::CommonName);
            params.distinguished_name.push(rcgen::DnType::CommonName, "MüLLER");
        });
        let roots = vec![
            again(&|params| params.extended_key_usages = vec![ClientAuth]),
            again(&|params| params.custom_extensions = vec![of_another_key()]),
            again(&|params| params.is_ca = IsCa::Ca(Constrained(0))),
            again(&|params| params.is_ca = IsCa::Ca(Constrained(1))),
            shouted,
            renamed,
            plain,
        ];
        let [plain, renamed] = [&roots[6], &roots[5]];
        let middle = Ca::below(plain, "Upper");
        let mut tight = middle.params.clone();
        tight.is_ca = IsCa::Ca(Constrained(0));
        let upper = vec![
            middle.certificate.clone(),
            plain.sign(&tight, &middle.key),
            renamed.sign(&middle.params, &middle.key),
        ];
        let low = Ca::below(&middle, "Lower");
        let mut client = low.params.clone();
        client.extended_key_usages = vec![ClientAuth];
        let lower = vec![low.certificate.clone(), middle.sign(&client, &low.key)];
        let leaves = vec![
            low.leaf("a.example"),
            middle.leaf("a.example"),
            plain.leaf("a.example"),
            low.leaf_with("a.example", |params| params.key_usages = vec![KeyUsagePurpose::CrlSign]),
            low.leaf_with("a.example", |params| {
                params.key_usages = vec![KeyUsagePurpose::KeyEncipherment]
            }),
        ];
        Self {
            roots,
            upper,
            lower,
            leaves,
        }
    }
}

#[test]
fn what_openssl_asks_of_roots_names_lengths_and_usages_is_forecast() {
    let Some(shop) = Shop::open() else { return };
    let family = Family::new();
    let roots: Vec<&Certificate> = family.roots.iter().map(|root| &root.certificate).collect();
    let [for_clients, misnamed, shortest, _, shouted, renamed, plain] = roots[..] else {
        panic!("seven roots")
    };
    let [upper, tight, by_renamed] = [&family.upper[0], &family.upper[1], &family.upper[2]];
    let [lower, leaf, low_leaf] = [&family.lower[0], &family.leaves[1], &family.leaves[0]];
    let crls_only = &family.leaves[3];
    let cases: [Heap<'_>; 14] = [
        (&[leaf, upper], &[plain], None, true),
        (&[leaf, upper], &[for_clients], Some(26), true),
        (&[leaf, upper], &[misnamed], Some(2), true),
        (&[leaf, upper], &[misnamed, plain], Some(2), true),
        (&[leaf, upper], &[plain, misnamed], None, true),
        (&[leaf, upper], &[upper], Some(2), true),
        (&[leaf, upper], &[shouted], None, true),
        (&[leaf, upper], &[renamed], Some(20), true),
        (&[leaf, by_renamed], &[renamed], None, true),
        (&[leaf, upper], &[shortest], Some(25), false),
        (&[low_leaf, lower, tight, upper], &[plain], Some(25), true),
        (&[low_leaf, lower, upper, tight], &[plain], None, true),
        (&[low_leaf, &family.lower[1], lower, upper], &[plain], Some(26), true),
        (&[crls_only, lower, upper], &[plain], Some(26), true),
    ];
    are_forecast(&shop, &cases);
}

#[test]
fn any_family_is_judged_as_openssl_judges_it() {
    let Some(shop) = Shop::open() else { return };
    let family = Family::new();
    let issuers: Vec<&Certificate> = family.upper.iter().chain(&family.lower).collect();
    let roots: Vec<&Certificate> = family.roots.iter().map(|root| &root.certificate).collect();
    let mut random = numbers(20_261_130);
    let mut accepted = 0;
    for case in 0..300 {
        let mut sent = vec![&family.leaves[random(family.leaves.len())]];
        for _ in 0..random(7) {
            let one = if random(6) == 0 {
                roots[random(roots.len())]
            } else {
                issuers[random(issuers.len())]
            };
            if !sent.contains(&one) {
                sent.push(one);
            }
        }
        let mut trusted = Vec::new();
        for _ in 0..=random(3) {
            let one = if random(5) == 0 {
                issuers[random(issuers.len())]
            } else {
                roots[random(roots.len())]
            };
            if !trusted.contains(&one) {
                trusted.push(one);
            }
        }
        let real = openssl_says(&shop, &sent, &trusted);
        let [openssl, _] = forecast(&sent, &trusted);
        accepted += usize::from(real.is_none());
        let position = |one: &Certificate| {
            let all = family
                .leaves
                .iter()
                .chain(issuers.iter().copied())
                .chain(roots.iter().copied());
            let index = all
                .enumerate()
                .find(|(_, known)| *known == one)
                .map_or(0, |(index, _)| index);
            format!("{index} {}", one.label())
        };
        let labels = [&sent, &trusted].map(|list| list.iter().map(|one| position(one)).collect::<Vec<_>>());
        assert_eq!(
            openssl.is_trusted(),
            real.is_none(),
            "case {case}: {real:?}, {openssl}: {labels:?}"
        );
    }
    assert!((20..280).contains(&accepted), "{accepted}");
}

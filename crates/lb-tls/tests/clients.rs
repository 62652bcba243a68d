//! Client certificates in real handshakes: each reason, in TLS 1.2 and 1.3.
#![cfg(feature = "aws-lc-rs")]

mod made;

use lb_tls::client_auth::{
    Authorities, AuthorityNote, ClientAuthMode, ClientAuthOptions, ClientReason, ClientRefusal, OnFailure,
    RevocationError, RevocationLists, RevocationPolicy,
};
use lb_tls::{ClientAuth, ClientVerdict, Engine, HandshakeFault, ServerOptions, Site, SiteOptions, Sites};
use lb_types::Wall;
use made::shake::{Client, Shaken, TLS12, TLS13, shake};
use made::{Authority, Made, NOW, engine, file, identities, self_signed};
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, KeyPair, NameConstraints, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{AlertDescription, Error, HandshakeKind};
use std::sync::Arc;

const NAME: &str = "www.example.org";

fn authorities(roots: &[&Authority]) -> Arc<Authorities> {
    let files = roots.iter().map(|root| file("ca.pem", &root.pem));
    Arc::new(Authorities::read(files, &engine()).expect("authorities"))
}

fn lists(texts: &[&str], policy: RevocationPolicy) -> Arc<RevocationLists> {
    let files = texts.iter().map(|text| file("ca.crl", text));
    RevocationLists::read(files, policy, &engine()).expect("lists")
}

fn rule(mode: ClientAuthMode, roots: &[&Authority], change: impl FnOnce(&mut ClientAuthOptions)) -> ClientAuth {
    let mut options = ClientAuthOptions::new(mode, authorities(roots));
    change(&mut options);
    ClientAuth::new(options, &engine())
}

fn site_with(auth: ClientAuth, engine: &Engine) -> Arc<Site> {
    let root = Authority::root("Servers");
    let mut site = SiteOptions::new("default", identities(&[&root.server(&[NAME])]));
    site.client_auth = auth;
    let sites = Sites::build(ServerOptions::new("web", site), engine).expect("sites");
    Arc::clone(sites.default_site())
}

type Shown = Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>;

fn copy(shown: &Shown) -> Shown {
    shown.as_ref().map(|(chain, key)| (chain.clone(), key.clone_key()))
}

/// A handshake in each version, with this certificate; the refusal is asked for at once, as a driver does.
fn both(site: &Site, shown: &Shown) -> [Tried; 2] {
    [TLS12, TLS13].map(|versions| {
        let client = Client {
            versions,
            certificate: copy(shown),
            ..Client::default()
        };
        let shaken = shake(&client.config(&engine()), site.config(), NAME);
        let refusal = shaken.server_error.as_ref().and_then(|error| site.explain(error));
        Tried { shaken, refusal }
    })
}

struct Tried {
    shaken: Shaken,
    refusal: Option<ClientRefusal>,
}

impl Tried {
    fn refusal(&self) -> &ClientRefusal {
        assert!(!self.is_good());
        self.refusal.as_ref().expect("an explanation")
    }
}

impl std::ops::Deref for Tried {
    type Target = Shaken;

    fn deref(&self) -> &Shaken {
        &self.shaken
    }
}

/// In both versions: the reason, in the mode `required` with its alert, in `optional` as the verdict.
fn refused(
    roots: &[&Authority],
    shown: &Shown,
    reason: ClientReason,
    alert: AlertDescription,
    part: &str,
    change: fn(&mut ClientAuthOptions),
) {
    let site = site_with(rule(ClientAuthMode::Required, roots, change), &engine());
    for shaken in both(&site, shown) {
        let error = shaken.server_error.as_ref().expect("refused");
        let refusal = shaken.refusal();
        assert_eq!(refusal.reason(), reason, "{refusal}");
        assert!(refusal.to_string().contains(part), "{refusal}");
        assert!(refusal.explain().contains("To mend it"), "{}", refusal.explain());
        assert_eq!(shaken.client_error, Some(Error::AlertReceived(alert)), "{reason}");
        assert_eq!(reason.alert(), alert, "{reason}");
        assert_eq!(HandshakeFault::of(error).word(), "client_certificate");
    }
    let site = site_with(rule(ClientAuthMode::Optional, roots, change), &engine());
    for shaken in both(&site, shown) {
        assert!(shaken.is_good(), "{reason}: {:?}", shaken.server_error);
        let verdict = shaken.verdict(&site);
        assert_eq!(
            (verdict.word(), verdict.refusal().map(|one| one.reason())),
            ("failed", Some(reason))
        );
        assert!(verdict.verified().is_none());
    }
}

fn changed(root: &Authority, change: impl FnOnce(&mut CertificateParams)) -> Made {
    root.leaf(&["client"], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        change(params);
    })
}

#[test]
fn s_mtls_01_without_client_authentication_nobody_is_asked() {
    let root = Authority::root("Clients");
    let site = site_with(ClientAuth::none(), &engine());
    for shaken in both(&site, &root.client("client", 5).shown(&[])) {
        assert!(shaken.is_good());
        assert_eq!(shaken.server.peer_certificates(), None);
        assert_eq!(shaken.verdict(&site), ClientVerdict::None);
    }
}

#[test]
fn s_mtls_02_required_lets_in_who_has_a_good_certificate_and_nobody_without() {
    let root = Authority::root("Clients");
    let site = site_with(rule(ClientAuthMode::Required, &[&root], |_| {}), &engine());
    for shaken in both(&site, &root.client("client", 0x1234).shown(&[])) {
        assert!(shaken.is_good(), "{:?}", shaken.server_error);
        let verdict = shaken.verdict(&site);
        let certificate = verdict.verified().expect("verified");
        assert_eq!(
            (certificate.subject.as_str(), certificate.serial.as_str()),
            ("CN=client", "1234")
        );
        assert_eq!(certificate.issuer, "CN=Clients");
        assert_eq!(certificate.fingerprint_hex().len(), 64);
        assert_eq!(verdict.word(), "ok");
    }
    for shaken in both(&site, &None) {
        let refusal = shaken.refusal();
        assert_eq!(refusal.reason(), ClientReason::NoCertificate);
        assert_eq!(refusal.reason().alert(), AlertDescription::CertificateRequired);
        assert_eq!(
            shaken.client_error,
            Some(Error::AlertReceived(AlertDescription::CertificateRequired))
        );
    }
}

#[test]
fn s_mtls_03_dates_are_checked_and_each_has_its_reason() {
    let root = Authority::root("Clients");
    let expired = changed(&root, |params| params.not_after = date_time_ymd(2026, 11, 20));
    let future = changed(&root, |params| params.not_before = date_time_ymd(2026, 11, 22));
    let alert = AlertDescription::CertificateExpired;
    refused(
        &[&root],
        &expired.shown(&[]),
        ClientReason::Expired,
        alert,
        "2026-11-20",
        |_| {},
    );
    refused(
        &[&root],
        &future.shown(&[]),
        ClientReason::NotYetValid,
        alert,
        "2026-11-22",
        |_| {},
    );
}

#[test]
fn s_mtls_04_an_unknown_authority_is_refused() {
    let (root, other) = (Authority::root("Clients"), Authority::root("Others"));
    let alert = AlertDescription::UnknownCA;
    let stranger = other.client("client", 5).shown(&[&other]);
    refused(
        &[&root],
        &stranger,
        ClientReason::UnknownAuthority,
        alert,
        "Others",
        |_| {},
    );
    // Its intermediate was not sent.
    let middle = root.intermediate("Middle");
    let missing = middle.client("client", 5).shown(&[]);
    refused(
        &[&root],
        &missing,
        ClientReason::UnknownAuthority,
        alert,
        "Middle",
        |_| {},
    );
    let own = self_signed(&["client"], |params| params.is_ca = rcgen::IsCa::NoCa);
    refused(
        &[&root],
        &own.shown(&[]),
        ClientReason::UnknownAuthority,
        alert,
        "client",
        |_| {},
    );
}

#[test]
fn s_mtls_05_a_signature_that_does_not_verify_is_refused() {
    let root = Authority::root("Clients");
    let client = root.client("client", 5);
    // The signature stands at the end.
    let mut der = client.der.to_vec();
    let last = der.len() - 1;
    der[last] ^= 1;
    let shown = Some((
        vec![der.into()],
        PrivateKeyDer::Pkcs8(client.key().serialize_der().into()),
    ));
    refused(
        &[&root],
        &shown,
        ClientReason::BadSignature,
        AlertDescription::DecryptError,
        "client",
        |_| {},
    );
    // Another authority of the same name.
    let twin = Authority::root("Clients").client("client", 5);
    refused(
        &[&root],
        &twin.shown(&[]),
        ClientReason::BadSignature,
        AlertDescription::DecryptError,
        "client",
        |_| {},
    );
}

#[test]
fn s_mtls_06_who_is_in_the_list_is_refused_and_who_is_not_comes_in() {
    let root = Authority::root("Clients");
    let list = root.crl([5, 9]);
    for (serial, is_in) in [(5, false), (6, true), (9, false)] {
        let auth = rule(ClientAuthMode::Required, &[&root], |options| {
            options.revocation = Some(lists(&[&list], RevocationPolicy::default()));
        });
        let site = site_with(auth, &engine());
        for shaken in both(&site, &root.client("client", serial).shown(&[])) {
            assert_eq!(shaken.is_good(), is_in, "{serial}");
            if is_in {
                continue;
            }
            assert_eq!(shaken.refusal().reason(), ClientReason::Revoked);
            assert_eq!(
                shaken.client_error,
                Some(Error::AlertReceived(AlertDescription::CertificateRevoked))
            );
        }
    }
}

#[test]
fn s_mtls_06_a_list_past_its_date_closes_or_opens_as_the_policy_says() {
    let root = Authority::root("Clients");
    let stale = root.crl_until([5], (2026, 11, 20));
    for (expired, good) in [(OnFailure::FailClosed, false), (OnFailure::FailOpen, true)] {
        let lists = lists(&[&stale], RevocationPolicy::new(expired, OnFailure::FailClosed));
        let [found] = &lists.stale(Wall::from_secs(NOW))[..] else {
            panic!("one stale list")
        };
        assert!(found.to_string().contains("2026-11-20"), "{found}");
        assert!(lists.stale(Wall::from_secs(NOW - 86_401)).is_empty());
        let auth = rule(ClientAuthMode::Required, &[&root], |options| {
            options.revocation = Some(lists)
        });
        let site = site_with(auth, &engine());
        for shaken in both(&site, &root.client("client", 6).shown(&[])) {
            assert_eq!(shaken.is_good(), good);
            if !good {
                assert_eq!(shaken.refusal().reason(), ClientReason::CrlExpired);
                assert_eq!(
                    shaken.client_error,
                    Some(Error::AlertReceived(AlertDescription::UnknownCA))
                );
            }
        }
        // Who stands in the old list is revoked all the same.
        for shaken in both(&site, &root.client("client", 5).shown(&[])) {
            assert!(!shaken.is_good());
        }
    }
}

#[test]
fn s_mtls_06_an_issuer_without_a_list_closes_or_opens_as_the_policy_says() {
    let root = Authority::root("Clients");
    let other = Authority::root("Others").crl([1]);
    for (missing, good) in [(OnFailure::FailClosed, false), (OnFailure::FailOpen, true)] {
        let auth = rule(ClientAuthMode::Required, &[&root], |options| {
            options.revocation = Some(lists(&[&other], RevocationPolicy::new(OnFailure::FailClosed, missing)));
        });
        let site = site_with(auth, &engine());
        for shaken in both(&site, &root.client("client", 6).shown(&[])) {
            assert_eq!(shaken.is_good(), good);
            if !good {
                assert_eq!(shaken.refusal().reason(), ClientReason::CrlMissing);
            }
        }
    }
}

#[test]
fn s_mtls_06_a_list_by_somebody_else_is_not_believed() {
    let root = Authority::root("Clients");
    // The same name, another key.
    let forged = Authority::root("Clients").crl([]);
    let auth = rule(ClientAuthMode::Required, &[&root], |options| {
        options.revocation = Some(lists(&[&forged], RevocationPolicy::default()));
    });
    let site = site_with(auth, &engine());
    for shaken in both(&site, &root.client("client", 6).shown(&[])) {
        let refusal = shaken.refusal();
        assert_eq!(refusal.reason(), ClientReason::CrlUnusable, "{refusal}");
    }
}

/// By `openssl ca -gencrl` (3.0) without `crl_extensions`, which makes version 1.
const VERSION_1: &str = include_str!("made/v1.crl.pem");

#[test]
fn s_mtls_06_lists_of_version_1_are_read_and_files_without_a_list_are_errors() {
    let policy = RevocationPolicy::default();
    let read = |label: &str, text: &str| RevocationLists::read([file(label, text)], policy, &engine());
    assert_eq!(read("v1.crl", VERSION_1).expect("version 1").entries(), 1);
    for empty in ["", " \n", "# nothing yet\n"] {
        let error = read("empty.crl", empty).expect_err("empty");
        assert!(error.to_string().contains("empty.crl"), "{error}");
    }
    let root = Authority::root("Clients");
    let error = read("ca.pem", &root.pem).expect_err("no list");
    assert!(matches!(error, RevocationError::NoList { .. }), "{error}");
    let whole = root.crl([1, 2, 3]);
    for cut in (0..whole.len() - 1).step_by(11) {
        assert!(read("half.crl", &whole[..cut]).is_err(), "{cut}");
    }
    // DER as well
    let der = pem_to_der(&whole);
    let label = lb_tls::File {
        label: "ca.crl",
        bytes: &der,
        password: None,
    };
    assert_eq!(
        RevocationLists::read([label], policy, &engine())
            .expect("DER")
            .entries(),
        3
    );
}

fn pem_to_der(pem: &str) -> Vec<u8> {
    let contents = lb_tls::lb_cert::read("a", pem.as_bytes(), &lb_tls::lb_cert::ReadOptions::default()).expect("PEM");
    contents.crls[0].value.to_vec()
}

#[test]
fn s_mtls_06_a_list_of_100_000_is_one_copy_for_all_sites_and_found_in_it_at_once() {
    let root = Authority::root("Clients");
    let list = root.crl((0..100_000).map(|number| number * 2 + 1));
    let lists = lists(&[&list], RevocationPolicy::default());
    assert_eq!(lists.entries(), 100_000);
    let sites: Vec<Arc<Site>> = (0..3)
        .map(|_| {
            let auth = rule(ClientAuthMode::Required, &[&root], |options| {
                options.revocation = Some(Arc::clone(&lists));
            });
            site_with(auth, &engine())
        })
        .collect();
    // One here, one in each rule.
    assert_eq!(Arc::strong_count(&lists), 4);
    for site in &sites {
        for (serial, is_in) in [(199_999, false), (200_000, true)] {
            for shaken in both(site, &root.client("client", serial).shown(&[])) {
                assert_eq!(shaken.is_good(), is_in, "{serial}");
            }
        }
    }
}

#[test]
fn s_mtls_08_a_stolen_certificate_without_its_key_comes_in_nowhere() {
    let root = Authority::root("Clients");
    let stolen = root.client("client", 5);
    let own = KeyPair::generate().expect("a key");
    let shown = Some((
        vec![stolen.der.clone()],
        PrivateKeyDer::Pkcs8(own.serialize_der().into()),
    ));
    for mode in [ClientAuthMode::Required, ClientAuthMode::Optional] {
        let site = site_with(rule(mode, &[&root], |_| {}), &engine());
        for shaken in both(&site, &shown) {
            let refusal = shaken.refusal();
            assert_eq!(refusal.reason(), ClientReason::NoProof, "{refusal}");
            assert_eq!(
                shaken.client_error,
                Some(Error::AlertReceived(AlertDescription::DecryptError))
            );
        }
    }
}

#[test]
fn s_mtls_09_optional_gives_none_ok_or_failed() {
    let root = Authority::root("Clients");
    let site = site_with(rule(ClientAuthMode::Optional, &[&root], |_| {}), &engine());
    let stranger = Authority::root("Others");
    for (shown, word) in [
        (None, "none"),
        (root.client("client", 5).shown(&[]), "ok"),
        (stranger.client("client", 5).shown(&[]), "failed"),
    ] {
        for shaken in both(&site, &shown) {
            assert!(shaken.is_good());
            assert_eq!(shaken.verdict(&site).word(), word);
        }
    }
}

#[test]
fn a_good_certificate_comes_with_the_issuers_of_the_path_that_was_verified_and_no_others() {
    let root = Authority::root("Clients");
    let middle = root.intermediate("Middle");
    let low = middle.intermediate("Low");
    // Neither the root nor a stranger is an issuer of the path, wherever the client puts them.
    let stranger = Authority::root("Others").intermediate("Low");
    let shown = low
        .client("client", 5)
        .shown(&[&stranger, &root, &middle, &stranger, &low]);
    let path = [low.der.clone(), middle.der.clone()];
    let direct = root.client("client", 6).shown(&[&stranger]);
    for mode in [ClientAuthMode::Required, ClientAuthMode::Optional] {
        let site = site_with(rule(mode, &[&root], |options| options.depth = 2), &engine());
        for versions in [TLS12, TLS13] {
            let client = |shown: &Shown| {
                let certificate = copy(shown);
                Client {
                    versions,
                    certificate,
                    ..Client::default()
                }
                .config(&engine())
            };
            let (deep, flat) = (client(&shown), client(&direct));
            for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
                let (deep, flat) = (shake(&deep, site.config(), NAME), shake(&flat, site.config(), NAME));
                // Another handshake of this thread came between: what is said belongs to the certificate all the same.
                assert_eq!((deep.kind(), flat.kind()), (kind, kind));
                for (shaken, chain) in [(&deep, &path[..]), (&flat, &[])] {
                    let verdict = shaken.verdict(&site);
                    let found = verdict.verified().expect("good");
                    assert_eq!(found.chain, chain, "{mode} {kind:?}");
                    // Asked twice, it says the same.
                    assert_eq!(shaken.verdict(&site), verdict);
                }
            }
        }
    }
    // Of one that is not good nothing was verified.
    let site = site_with(
        rule(ClientAuthMode::Optional, &[&root], |options| options.depth = 1),
        &engine(),
    );
    for shaken in both(&site, &shown) {
        let ClientVerdict::Failed { certificate, refusal } = shaken.verdict(&site) else {
            panic!("too deep")
        };
        assert_eq!(refusal.reason(), ClientReason::TooDeep);
        assert!(certificate.expect("a certificate").chain.is_empty());
    }
}

/// A default without a rule, and sites with these names and rules.
fn sites_with(others: &[(&str, &ClientAuth)]) -> Sites {
    let root = Authority::root("Servers");
    let site = |name: &str, rule: &ClientAuth| {
        let mut site = SiteOptions::new(name, identities(&[&root.server(&[name])]));
        site.names = vec![name.to_owned()];
        site.client_auth = rule.clone();
        site
    };
    let mut options = ServerOptions::new("web", site("else.example", &ClientAuth::none()));
    options.default.names.clear();
    options.sites = others.iter().map(|(name, rule)| site(name, rule)).collect();
    Sites::build(options, &engine()).expect("sites")
}

#[test]
fn a_connection_from_before_a_reload_goes_on_where_the_new_rule_says_the_same_of_its_client() {
    let (root, other) = (Authority::root("Clients"), Authority::root("Others"));
    let by = |mode, change: &dyn Fn(&mut ClientAuthOptions)| rule(mode, &[&root], |options| change(options));
    let listing = |serial: u64| {
        let list = lists(&[&root.crl([serial])], RevocationPolicy::default());
        move |options: &mut ClientAuthOptions| options.revocation = Some(Arc::clone(&list))
    };
    let (required, optional) = (ClientAuthMode::Required, ClientAuthMode::Optional);
    let (plain, lenient) = (by(required, &|_| {}), by(optional, &|_| {}));
    let (revoked, spared) = (by(required, &listing(5)), by(required, &listing(6)));
    let lenient_spared = by(optional, &listing(6));
    let strangers = rule(required, &[&other], |_| {});
    let both_roots = rule(required, &[&root, &other], |_| {});
    let none = ClientAuth::none();

    let good = root.client("client", 5).shown(&[]);
    let foreign = other.client("client", 5).shown(&[]);
    for (before, shown, now, is_adopted) in [
        // Lists and authorities change, and the client passes.
        (&plain, &good, &spared, true),
        (&plain, &good, &both_roots, true),
        (&plain, &good, &lenient, true),
        (&lenient, &good, &plain, true),
        (&lenient, &None, &lenient_spared, true),
        (&lenient, &None, &none, true),
        // It does not.
        (&plain, &good, &revoked, false),
        (&plain, &good, &strangers, false),
        (&lenient, &None, &plain, false),
        (&lenient, &foreign, &plain, false),
        // Backends were told another thing.
        (&lenient, &foreign, &both_roots, false),
        (&plain, &good, &none, false),
        // It was never asked.
        (&none, &None, &lenient, false),
        (&none, &None, &plain, false),
    ] {
        let before = sites_with(&[(NAME, before)]);
        let site = before.find(Some(NAME)).expect("a site");
        let client = Client {
            certificate: copy(shown),
            ..Client::default()
        };
        let shaken = shake(&client.config(&engine()), site.config(), NAME);
        let verdict = shaken.verdict(site);
        let certificates = shaken.server.peer_certificates();
        // The site has another place now.
        let after = sites_with(&[("first.example", &none), (NAME, now)]);
        assert!(!after.answers(site, NAME));
        let adopted = after.adopt(site, "WWW.example.org.:443", &verdict, certificates);
        assert_eq!(adopted.is_some(), is_adopted, "{verdict:?} {}", now.mode());
        if let Some(adopted) = adopted {
            assert_eq!(adopted.label(), NAME);
            assert!(after.answers(adopted, NAME));
            // From now on it is one of these, and 421 is what other sites answer.
            assert!(after.adopt(adopted, "first.example", &verdict, certificates).is_none());
        }
        assert!(before.adopt(site, "else.example", &verdict, certificates).is_none());
    }
    // Under a wildcard by more than one label, two rules apply.
    let before = sites_with(&[(NAME, &plain)]);
    let site = before.find(Some(NAME)).expect("a site");
    let shaken = shake(
        &Client {
            certificate: copy(&good),
            ..Client::default()
        }
        .config(&engine()),
        site.config(),
        NAME,
    );
    let after = sites_with(&[("*.example.net", &spared)]);
    let adopt = |authority| {
        after.adopt(
            site,
            authority,
            &shaken.verdict(site),
            shaken.server.peer_certificates(),
        )
    };
    assert!(adopt("a.example.net").is_some() && adopt("b.a.example.net").is_none());
}

#[test]
fn other_reasons_have_their_words_and_alerts_too() {
    let root = Authority::root("Clients");
    let bad = AlertDescription::BadCertificate;
    // For servers only.
    let server = root.server(&["client"]);
    let alert = AlertDescription::UnsupportedCertificate;
    refused(
        &[&root],
        &server.shown(&[]),
        ClientReason::WrongPurpose,
        alert,
        "purpose",
        |_| {},
    );
    // More intermediates than allowed.
    let middle = root.intermediate("Middle");
    let low = middle.intermediate("Low");
    let deep = low.client("client", 5).shown(&[&low, &middle]);
    refused(
        &[&root],
        &deep,
        ClientReason::TooDeep,
        AlertDescription::UnknownCA,
        "intermediate",
        |options| {
            options.depth = 1;
        },
    );
    let site = site_with(
        rule(ClientAuthMode::Required, &[&root], |options| options.depth = 2),
        &engine(),
    );
    assert!(both(&site, &deep).iter().all(|shaken| shaken.is_good()));
    // A name that the authority may not certify.
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "Narrow");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("inside.example".into())],
        excluded_subtrees: Vec::new(),
    });
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2035, 1, 1);
    let made = params.self_signed(&key).expect("a root");
    let narrow = Authority {
        der: made.der().clone(),
        pem: made.pem(),
        key_pem: key.serialize_pem(),
        issuer: rcgen::Issuer::new(params, key),
    };
    let outside = narrow.client("outside.example", 5).shown(&[]);
    refused(
        &[&narrow],
        &outside,
        ClientReason::NameNotPermitted,
        bad,
        "outside.example",
        |_| {},
    );
    // The authority itself as a client.
    let own = self_signed(&["client"], |_| {});
    let itself = Authorities::read([file("own.pem", &own.pem)], &engine()).expect("authorities");
    let options = ClientAuthOptions::new(ClientAuthMode::Required, Arc::new(itself));
    let site = site_with(ClientAuth::new(options, &engine()), &engine());
    for shaken in both(&site, &own.shown(&[])) {
        let refusal = shaken.refusal();
        assert_eq!(refusal.reason(), ClientReason::Profile, "{refusal}");
    }
}

#[test]
fn bytes_that_are_no_certificate_and_keys_that_nobody_checks_are_told_as_such() {
    let root = Authority::root("Clients");
    let key = root.client("client", 5).key();
    for mode in [ClientAuthMode::Required, ClientAuthMode::Optional] {
        let site = site_with(rule(mode, &[&root], |_| {}), &engine());
        let nonsense: Shown = Some((
            vec![vec![0x30, 3, 1, 2, 3].into()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        ));
        for shaken in both(&site, &nonsense) {
            let refusal = shaken.refusal();
            assert_eq!(refusal.reason(), ClientReason::Malformed, "{refusal}");
        }
    }
    // RSA with 1024 bits, and a key restricted to PSS: rustls alone says "bad signature".
    for (text, part) in [(RSA_1024, "1024 bits"), (RSA_PSS, "restricted to PSS")] {
        let found = lb_tls::lb_cert::read("a", text.as_bytes(), &lb_tls::lb_cert::ReadOptions::default()).expect("PEM");
        let der = found.certificates[0].value.clone();
        let shown: Shown = Some((vec![der], PrivateKeyDer::Pkcs8(key.serialize_der().into())));
        let site = site_with(rule(ClientAuthMode::Required, &[&root], |_| {}), &engine());
        for shaken in both(&site, &shown) {
            let refusal = shaken.refusal();
            assert_eq!(refusal.reason(), ClientReason::Weak, "{refusal}");
            assert!(refusal.to_string().contains(part), "{refusal}");
        }
    }
}

/// Certificates that `openssl req -x509` (3.0) made.
const RSA_1024: &str = include_str!("made/rsa1024.crt.pem");
const RSA_PSS: &str = include_str!("made/rsapss.crt.pem");

#[test]
fn an_explanation_belongs_to_its_error_and_to_its_thread() {
    let root = Authority::root("Clients");
    let site = site_with(rule(ClientAuthMode::Required, &[&root], |_| {}), &engine());
    let expired = changed(&root, |params| params.not_after = date_time_ymd(2026, 11, 20)).shown(&[]);
    let [_, shaken] = both(&site, &expired);
    assert!(shaken.refusal().what().contains("2026-11-20"));
    // Asked again, it is the reason alone.
    let error = shaken.server_error.clone().expect("refused");
    let again = site.explain(&error).expect("an explanation");
    assert_eq!(again.reason(), ClientReason::Expired);
    assert!(!again.what().contains("2026-11-20"), "{again}");
    // So it is on another thread, and it is never what somebody else's certificate was refused for.
    let client = Client {
        certificate: copy(&expired),
        ..Client::default()
    };
    let error = shake(&client.config(&engine()), site.config(), NAME)
        .server_error
        .expect("refused");
    let elsewhere = std::thread::scope(|scope| scope.spawn(|| site.explain(&error)).join().expect("joined"));
    assert_eq!(elsewhere.map(|one| one.reason()), Some(ClientReason::Expired));
    let other = Error::InvalidCertificate(rustls::CertificateError::Revoked);
    let stale = site.explain(&other).expect("an explanation");
    assert_eq!(stale.reason(), ClientReason::Revoked);
    assert!(!stale.what().contains("client"), "{stale}");
    assert_eq!(site.explain(&Error::DecryptError), None);
}

#[test]
fn what_somebody_should_know_of_authorities_is_said() {
    let root = Authority::root("Clients");
    let leaf = root.client("client", 5);
    let old = self_signed(&["old.example"], |params| params.not_after = date_time_ymd(2026, 11, 1));
    let files = [
        file("leaf.pem", &leaf.pem),
        file("old.pem", &old.pem),
        file("root.key", &root.key_pem),
    ];
    let read = Authorities::read(files, &engine()).expect("authorities");
    assert!(
        matches!(
            read.notes(),
            [
                AuthorityNote::NotAnAuthority { .. },
                AuthorityNote::Expired { .. },
                AuthorityNote::Key { .. }
            ]
        ),
        "{:?}",
        read.notes()
    );
    assert!(read.notes().iter().all(|note| note.to_string().len() > 40));
    let none = Authorities::read([file("root.key", &root.key_pem)], &engine()).expect_err("nobody");
    assert!(none.to_string().contains("everybody would be refused"), "{none}");
}

#[test]
fn clients_are_told_whom_to_come_from_unless_that_is_too_much() {
    let root = Authority::root("Clients");
    let site = site_with(rule(ClientAuthMode::Optional, &[&root], |_| {}), &engine());
    let mut client = rustls::ClientConnection::new(
        Client {
            versions: TLS12,
            ..Client::default()
        }
        .config(&engine()),
        NAME.try_into().expect("a name"),
    )
    .expect("a client");
    let mut server = rustls::ServerConnection::new(Arc::clone(site.config())).expect("a server");
    let mut hello = Vec::new();
    client.write_tls(&mut hello).expect("written");
    server.read_tls(&mut hello.as_slice()).expect("read");
    server.process_new_packets().expect("a hello");
    let mut flight = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut flight).expect("written");
    }
    // In TLS 1.2 the request is in plain: the name as DER, commonName (2.5.4.3) UTF8String "Clients".
    let mut wanted = vec![0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x07];
    wanted.extend_from_slice(b"Clients");
    assert!(flight.windows(wanted.len()).any(|part| part == wanted));
}

#[test]
fn a_resumed_session_is_judged_again_by_the_clock_of_now() {
    let root = Authority::root("Clients");
    let clock = made::clock();
    let engine = Engine::aws_lc(clock.clone());
    let mut options = ClientAuthOptions::new(ClientAuthMode::Required, authorities(&[&root]));
    options.depth = 1;
    let site = site_with(ClientAuth::new(options, &engine), &engine);
    let short = changed(&root, |params| params.not_after = date_time_ymd(2026, 11, 21)).shown(&[]);
    for versions in [TLS12, TLS13] {
        clock.set(Wall::from_secs(NOW));
        let client = Client {
            versions,
            certificate: copy(&short),
            ..Client::default()
        };
        let client = client.config(&engine);
        let first = shake(&client, site.config(), NAME);
        assert_eq!(
            (first.kind() == HandshakeKind::Resumed, first.verdict(&site).word()),
            (false, "ok")
        );
        let second = shake(&client, site.config(), NAME);
        assert_eq!(
            (second.kind(), second.verdict(&site).word()),
            (HandshakeKind::Resumed, "ok")
        );
        // A second past midnight the certificate is over; rustls resumes the session all the same.
        clock.set(Wall::from_secs(NOW + 1));
        let third = shake(&client, site.config(), NAME);
        assert_eq!(third.kind(), HandshakeKind::Resumed);
        let verdict = third.verdict(&site);
        assert_eq!(verdict.refusal().map(|one| one.reason()), Some(ClientReason::Expired));
    }
}

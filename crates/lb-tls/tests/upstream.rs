//! Backends' certificates: each failure has its own word and its own mend.
#![cfg(feature = "aws-lc-rs")]

mod made;

use lb_tls::client_auth::{Authorities, ClientAuthMode, ClientAuthOptions, RevocationLists, RevocationPolicy};
use lb_tls::upstream::{Pin, Trust, UpstreamReason, UpstreamRefusal, Verify};
use lb_tls::{
    BuildError, ClientAuth, Engine, HandshakeFault, Identity, ServerOptions, SiteOptions, Sites, UpstreamOptions,
    UpstreamTls,
};
use lb_types::Wall;
use made::shake::{Shaken, pump};
use made::{Authority, Made, NOW, clock, engine, file, identities, self_signed};
use rcgen::{DnType, date_time_ymd};
use rustls::{ClientConnection, HandshakeKind, ServerConfig, ServerConnection};
use std::sync::Arc;

const NAME: &str = "backend.example";

fn trusting(pems: &[&str]) -> Trust {
    let files = pems.iter().map(|pem| file("roots.pem", pem));
    Trust::Authorities(Arc::new(Authorities::read(files, &engine()).expect("roots")))
}

fn upstream(trust: Trust, change: impl FnOnce(&mut UpstreamOptions)) -> UpstreamTls {
    let mut options = UpstreamOptions::new(NAME, trust);
    change(&mut options);
    UpstreamTls::build(options, &engine()).expect("a configuration")
}

/// A backend that shows whatever it is given, weak or expired.
fn backend(made: &Made, issuers: &[&Authority]) -> Arc<ServerConfig> {
    let (chain, key) = made.shown(issuers).expect("a certificate");
    let config = ServerConfig::builder_with_details(Arc::clone(engine().provider()), Arc::clone(engine().clock()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth();
    let key = engine().provider().key_provider.load_private_key(key).expect("a key");
    let certified = Arc::new(rustls::sign::CertifiedKey::new(chain, key));
    Arc::new(config.with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified))))
}

fn connect(tls: &UpstreamTls, backend: &Arc<ServerConfig>) -> Shaken {
    let client = ClientConnection::new(Arc::clone(tls.config()), tls.server_name().clone()).expect("a client");
    pump(client, ServerConnection::new(Arc::clone(backend)).expect("a server"))
}

fn refusal(tls: &UpstreamTls, backend: &Arc<ServerConfig>) -> UpstreamRefusal {
    let error = connect(tls, backend).client_error.expect("refused");
    let refusal = UpstreamRefusal::of(&error).expect("a refusal");
    assert_eq!(
        HandshakeFault::of(&error),
        HandshakeFault::BackendCertificate(refusal.reason())
    );
    assert!(!refusal.mend().is_empty() && refusal.to_string().contains(refusal.reason().word()));
    refusal
}

fn reason(tls: &UpstreamTls, backend: &Arc<ServerConfig>) -> &'static str {
    refusal(tls, backend).reason().word()
}

#[test]
fn s_tls_10_a_backend_is_verified_and_the_three_failures_are_three_reasons() {
    let root = Authority::root("Root");
    let middle = root.intermediate("Middle");
    let good = middle.server(&[NAME]);
    let tls = upstream(trusting(&[&root.pem]), |_| {});
    assert!(connect(&tls, &backend(&good, &[&middle])).is_good());

    let stranger = Authority::root("Other").server(&[NAME]);
    assert_eq!(reason(&tls, &backend(&stranger, &[])), "untrusted");
    let other = root.server(&["other.example"]);
    let found = refusal(&tls, &backend(&other, &[]));
    assert_eq!(found.reason(), UpstreamReason::WrongName);
    assert!(
        found
            .mend()
            .contains("Set server_name to a name of the certificate (other.example)"),
        "{}",
        found.mend()
    );
    let expired = root.leaf(&[NAME], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
        params.not_after = date_time_ymd(2026, 11, 20);
    });
    let found = refusal(&tls, &backend(&expired, &[]));
    assert_eq!(found.reason(), UpstreamReason::Expired);
    assert!(found.what().contains("2026-11-20"), "{found}");
    // A missing intermediate
    let found = refusal(&tls, &backend(&good, &[]));
    assert_eq!(found.reason(), UpstreamReason::Untrusted);
    assert!(found.mend().contains("intermediate"), "{}", found.mend());
}

#[test]
fn s_tls_10_the_other_failures_are_told_apart_too() {
    let root = Authority::root("Root");
    let tls = upstream(trusting(&[&root.pem]), |_| {});
    let leaf = |change: fn(&mut rcgen::CertificateParams)| root.leaf(&[NAME], &rcgen::PKCS_ECDSA_P256_SHA256, change);
    let future = leaf(|params| params.not_before = date_time_ymd(2026, 11, 22));
    assert_eq!(reason(&tls, &backend(&future, &[])), "not_yet_valid");
    let client = leaf(|params| params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth]);
    assert_eq!(reason(&tls, &backend(&client, &[])), "wrong_purpose");
    let bare = root.leaf(&[], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
        params.distinguished_name.push(DnType::CommonName, NAME);
    });
    let found = refusal(&tls, &backend(&bare, &[]));
    assert_eq!(found.reason(), UpstreamReason::CommonNameOnly);
    assert!(
        found.mend().contains("subjectAltName DNS:backend.example"),
        "{}",
        found.mend()
    );
    let twin = Authority::root("Root").server(&[NAME]);
    assert_eq!(reason(&tls, &backend(&twin, &[])), "bad_signature");

    let list = root.crl([77]);
    let revoked = upstream(trusting(&[&root.pem]), |options| {
        let lists = RevocationLists::read([file("ca.crl", &list)], RevocationPolicy::default(), &engine());
        options.revocation = Some(lists.expect("lists"));
    });
    assert_eq!(reason(&revoked, &backend(&root.server(&[NAME]), &[])), "revoked");
    // The certificate of somebody whose key it does not have
    let stolen = Made {
        key_pem: root.server(&[NAME]).key_pem,
        ..root.server(&[NAME])
    };
    assert_eq!(reason(&tls, &backend(&stolen, &[])), "no_proof");
}

#[test]
fn what_openssl_makes_is_refused_as_its_own_root_with_the_pin_that_takes_it() {
    // `openssl req -x509 -addext subjectAltName=DNS:..`
    let own = self_signed(&[NAME], |_| {});
    let found = refusal(&upstream(trusting(&[&own.pem]), |_| {}), &backend(&own, &[]));
    assert_eq!(found.reason(), UpstreamReason::SelfSignedLeaf, "{found}");
    let text = found.explain();
    assert!(
        text.contains("openssl req -x509") && text.contains("basicConstraints=critical,CA:FALSE"),
        "{text}"
    );
    // The pin that is printed, pasted
    let (_, rest) = text.split_once("pins = [\"").expect("a pin to paste");
    let (pin, _) = rest.split_once('"').expect("a pin to paste");
    let pin: Pin = pin.parse().expect("a pin");
    assert_eq!(found.pin(), Some(pin));
    let pinned = upstream(Trust::Pins, |options| options.pins = vec![pin]);
    assert!(connect(&pinned, &backend(&own, &[])).is_good());

    // Not given as a root it is a stranger's; without names it says so.
    let root = Authority::root("Root");
    let stranger = refusal(&upstream(trusting(&[&root.pem]), |_| {}), &backend(&own, &[]));
    assert_eq!(stranger.reason(), UpstreamReason::Untrusted, "{stranger}");
    assert!(
        stranger.mend().contains("self-signed") && stranger.mend().contains("pins = "),
        "{}",
        stranger.mend()
    );
    let bare = self_signed(&[], |params| params.distinguished_name.push(DnType::CommonName, NAME));
    assert_eq!(
        reason(&upstream(trusting(&[&bare.pem]), |_| {}), &backend(&bare, &[])),
        "cn_only"
    );
}

/// By the command that a refusal prints, and by `openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj
/// /CN=backend.example`; openssl 3.0, on 2026-12-01.
const OWN_ROOT: &str = include_str!("made/own-root.pem");
const PLAIN_X509: &str = include_str!("made/plain-x509.pem");
/// 2026-12-15 00:00:00 UTC
const THEN: u64 = 1_797_292_800;

/// A file with certificate and key.
fn of_openssl(text: &str) -> Made {
    let contents = lb_tls::lb_cert::read("a", text.as_bytes(), &Default::default()).expect("PEM");
    let (pem, key_pem) = text.split_at(text.find("-----BEGIN PRIVATE").expect("a key"));
    Made {
        pem: pem.to_owned(),
        key_pem: key_pem.to_owned(),
        der: contents.certificates[0].value.clone(),
        serial: 0,
    }
}

#[test]
fn what_the_printed_command_makes_is_its_own_root_and_what_people_make_is_explained() {
    let engine = Engine::aws_lc(lb_tls::SetClock::at(Wall::from_secs(THEN)));
    let upstream = |root: &Made, name: &str| {
        UpstreamTls::build(UpstreamOptions::new(name, trusting(&[&root.pem])), &engine).expect("a configuration")
    };
    let better = of_openssl(OWN_ROOT);
    let shaken = connect(&upstream(&better, NAME), &backend(&better, &[]));
    assert!(shaken.is_good(), "{:?}", shaken.client_error);
    let plain = of_openssl(PLAIN_X509);
    let found = refusal(&upstream(&plain, NAME), &backend(&plain, &[]));
    assert_eq!(found.reason(), UpstreamReason::CommonNameOnly, "{found}");
    let command = found.mend().split('`').nth(1).expect("a command");
    assert_eq!(
        command,
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 365 -subj \
         /CN=backend.example -addext subjectAltName=DNS:backend.example -addext basicConstraints=critical,CA:FALSE -addext \
         extendedKeyUsage=serverAuth"
    );
    // It is nobody else's root, and for nobody else's name.
    assert_eq!(
        reason(&upstream(&better, "other.example"), &backend(&better, &[])),
        "wrong_name"
    );
    let key = rcgen::KeyPair::from_pem(&better.key_pem).expect("a key");
    let issuer = rcgen::Issuer::from_ca_cert_der(&better.der, key).expect("an issuer");
    let vouched = Authority {
        issuer,
        der: better.der.clone(),
        pem: better.pem.clone(),
        key_pem: better.key_pem.clone(),
    };
    assert_eq!(
        reason(&upstream(&better, NAME), &backend(&vouched.server(&[NAME]), &[])),
        "profile"
    );
}

#[test]
fn pins_take_their_own_and_nobody_else() {
    let root = Authority::root("Root");
    let (good, other) = (root.server(&[NAME]), root.server(&[NAME]));
    let identity = identities(&[&good]).remove(0);
    let pins = [
        Pin::Certificate(*identity.fingerprint()),
        Pin::PublicKey(*identity.key_fingerprint()),
    ];
    for pin in pins {
        let alone = upstream(Trust::Pins, |options| options.pins = vec![pin]);
        assert!(connect(&alone, &backend(&good, &[])).is_good());
        let found = refusal(&alone, &backend(&other, &[]));
        assert_eq!(found.reason(), UpstreamReason::PinMismatch);
        assert!(found.what().contains(&pin.to_string()), "{found}");
        // Beside roots both are asked.
        let both = upstream(trusting(&[&root.pem]), |options| options.pins = vec![pin]);
        assert!(connect(&both, &backend(&good, &[])).is_good());
        assert_eq!(reason(&both, &backend(&other, &[])), "pin_mismatch");
        let stranger = upstream(trusting(&[&Authority::root("Other").pem]), |options| {
            options.pins = vec![pin]
        });
        assert_eq!(reason(&stranger, &backend(&good, &[])), "untrusted");
    }
    // The key of the root is one of the path.
    let spki = rcgen::PublicKeyData::subject_public_key_info(&rcgen::KeyPair::from_pem(&root.key_pem).expect("a key"));
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &spki);
    let pin = Pin::PublicKey(digest.as_ref().try_into().expect("32 bytes"));
    let of_root = upstream(trusting(&[&root.pem]), |options| options.pins = vec![pin]);
    assert!(connect(&of_root, &backend(&other, &[])).is_good());
    // A pin does not ask for names and dates.
    let odd = root.leaf(&["odd.example"], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
        params.not_after = date_time_ymd(2026, 2, 1);
    });
    let identity: Arc<Identity> = identities(&[&odd]).remove(0);
    let pinned = upstream(Trust::Pins, |options| {
        options.pins = vec![Pin::PublicKey(*identity.key_fingerprint())]
    });
    assert!(connect(&pinned, &backend(&odd, &[])).is_good());
}

#[test]
fn without_verification_everybody_is_taken_and_what_it_would_have_said_can_be_asked() {
    let stranger = Authority::root("Other").server(&["other.example"]);
    let root = Authority::root("Root");
    let none = upstream(trusting(&[&root.pem]), |options| options.verify = Verify::None);
    let shaken = connect(&none, &backend(&stranger, &[]));
    assert!(shaken.is_good());
    let certificates = shaken.client.peer_certificates().expect("certificates");
    let said = none.judge(certificates).expect_err("not verified");
    assert_eq!(said.reason(), UpstreamReason::WrongName);
    assert_eq!(none.verify(), Verify::None);
    assert_eq!(
        none.judge(&[]).map_err(|refusal| refusal.reason()),
        Err(UpstreamReason::Malformed)
    );
    assert_eq!(
        none.judge(&[vec![1, 2, 3].into()]).map_err(|refusal| refusal.reason()),
        Err(UpstreamReason::Malformed)
    );
}

#[test]
fn addresses_are_names_of_certificates_too_and_nonsense_is_none() {
    let root = Authority::root("Root");
    let made = root.server(&["192.0.2.1", "2001:db8::1"]);
    for name in ["192.0.2.1", "2001:db8::1", "[2001:db8::1]"] {
        let tls = upstream(trusting(&[&root.pem]), |options| options.server_name = name.to_owned());
        assert!(connect(&tls, &backend(&made, &[])).is_good(), "{name}");
    }
    let tls = upstream(trusting(&[&root.pem]), |options| {
        options.server_name = "192.0.2.2".to_owned()
    });
    assert_eq!(reason(&tls, &backend(&made, &[])), "wrong_name");
    let dotted = upstream(trusting(&[&root.pem]), |options| {
        options.server_name = "backend.example.".to_owned()
    });
    assert!(connect(&dotted, &backend(&root.server(&[NAME]), &[])).is_good());
    for name in ["", "a b", "a..b", "https://a.example"] {
        let options = UpstreamOptions::new(name, trusting(&[&root.pem]));
        let built = UpstreamTls::build(options, &engine());
        assert!(matches!(built, Err(BuildError::ServerName { .. })), "{name}");
    }
    let nobody = UpstreamTls::build(UpstreamOptions::new(NAME, Trust::Pins), &engine());
    assert!(matches!(nobody, Err(BuildError::NobodyTrusted { .. })));
}

#[test]
fn the_number_for_pools_is_the_same_exactly_when_the_trust_is() {
    let root = Authority::root("Root");
    let number =
        |change: &dyn Fn(&mut UpstreamOptions)| upstream(trusting(&[&root.pem]), |options| change(options)).identity();
    let same = number(&|_| {});
    assert_eq!(same, number(&|options| options.server_name = NAME.to_uppercase()));
    assert_eq!(same, number(&|options| options.resume = false));
    let own = identities(&[&root.client("lbd", 1)]).remove(0);
    let others = [
        number(&|options| options.server_name = "other.example".into()),
        number(&|options| options.send_sni = false),
        number(&|options| options.verify = Verify::None),
        number(&|options| options.pins = vec![Pin::PublicKey([7; 32])]),
        number(&|options| options.protocols = vec![b"h2".to_vec()]),
        number(&|options| options.trust = trusting(&[&Authority::root("Root").pem])),
        number(&|options| options.identity = Some(Arc::clone(&own))),
        number(&|options| {
            options.versions = lb_tls::Versions::new(lb_tls::Version::Tls13, lb_tls::Version::Tls13).expect("one")
        }),
    ];
    for (index, other) in others.iter().enumerate() {
        assert_ne!(*other, same, "{index}");
        assert_eq!(others.iter().filter(|one| *one == other).count(), 1, "{index}");
    }
}

#[test]
fn our_own_certificate_is_shown_to_backends_that_ask() {
    let root = Authority::root("Clients");
    let auth = ClientAuthOptions::new(
        ClientAuthMode::Required,
        Arc::new(Authorities::read([file("ca.pem", &root.pem)], &engine()).expect("authorities")),
    );
    let servers = Authority::root("Servers");
    let mut site = SiteOptions::new("default", identities(&[&servers.server(&[NAME])]));
    site.client_auth = ClientAuth::new(auth, &engine());
    let sites = Sites::build(ServerOptions::new("web", site), &engine()).expect("sites");
    let site = sites.default_site();
    for (identity, is_good) in [
        (Some(identities(&[&root.client("lbd", 1)]).remove(0)), true),
        (None, false),
    ] {
        let tls = upstream(trusting(&[&servers.pem]), |options| options.identity = identity);
        let shaken = connect(&tls, site.config());
        assert_eq!(shaken.is_good(), is_good);
        if is_good {
            let verdict = shaken.verdict(site);
            assert_eq!(verdict.verified().map(|one| one.subject.as_str()), Some("CN=lbd"));
        } else {
            let error = shaken.client_error.expect("refused");
            assert_eq!(
                HandshakeFault::of(&error).to_string(),
                "peer_alert:certificate_required"
            );
        }
    }
}

#[test]
fn sessions_with_backends_are_resumed_and_can_be_judged_again() {
    let root = Authority::root("Root");
    let clock = clock();
    let engine = Engine::aws_lc(clock.clone());
    let trust = trusting(&[&root.pem]);
    let tls = UpstreamTls::build(UpstreamOptions::new(NAME, trust), &engine).expect("a configuration");
    let made = root.leaf(&[NAME], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
        params.not_after = date_time_ymd(2026, 11, 21);
    });
    let backend = backend(&made, &[]);
    assert_eq!(connect(&tls, &backend).kind(), HandshakeKind::Full);
    let again = connect(&tls, &backend);
    assert_eq!(again.kind(), HandshakeKind::Resumed);
    let certificates = again.client.peer_certificates().expect("certificates");
    assert_eq!(tls.judge(certificates), Ok(()));
    clock.set(Wall::from_secs(NOW + 1));
    assert_eq!(
        tls.judge(certificates).map_err(|refusal| refusal.reason()),
        Err(UpstreamReason::Expired)
    );
    // The backend may have another by now: it is asked.
    clock.set(Wall::from_secs(NOW));
    assert_eq!(connect(&tls, &backend).kind(), HandshakeKind::Full);
    assert_eq!(connect(&tls, &backend).kind(), HandshakeKind::Resumed);
    // Another backend of the same kind shares no session.
    let twin = tls.with_server_name(NAME).expect("a configuration");
    clock.set(Wall::from_secs(NOW));
    assert_eq!(twin.identity(), tls.identity());
    assert_eq!(connect(&twin, &backend).kind(), HandshakeKind::Full);
    let without = {
        let mut options = UpstreamOptions::new(NAME, trusting(&[&root.pem]));
        options.resume = false;
        UpstreamTls::build(options, &engine).expect("a configuration")
    };
    for _ in 0..2 {
        assert_eq!(connect(&without, &backend).kind(), HandshakeKind::Full);
    }
}

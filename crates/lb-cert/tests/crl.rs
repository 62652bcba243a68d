//! Revocation (S-MTLS-06).
#![cfg(feature = "aws-lc-rs")]

mod pki;

use lb_cert::{Crl, Crls, Freshness, Kind, Profile, Refusal, Request, Verified};
use pki::{Ca, DAY, NOW, verify};
use rcgen::{CrlIssuingDistributionPoint, CrlScope, KeyUsagePurpose, SerialNumber};

const SERIAL: &[u8] = &[0x11, 0x22, 0x33];

struct World {
    root: Ca,
    middle: Ca,
    leaf: lb_cert::Certificate,
}

impl World {
    fn new() -> Self {
        let root = Ca::root("Root");
        let middle = Ca::below(&root, "Middle");
        let leaf = middle.leaf_with("a.example", |params| {
            params.serial_number = Some(SerialNumber::from_slice(SERIAL));
        });
        Self { root, middle, leaf }
    }

    fn ask(&self, crls: &Crls, at: i64) -> Result<Verified, Refusal> {
        self.ask_in(&Profile::connection(), crls, at)
    }

    fn ask_in(&self, profile: &Profile, crls: &Crls, at: i64) -> Result<Verified, Refusal> {
        let request = Request::server(at);
        verify(
            profile,
            &[&self.root],
            &self.leaf,
            &[&self.middle.certificate],
            &request,
            Some(crls),
        )
    }
}

fn crls(lists: impl IntoIterator<Item = Crl>) -> Crls {
    let mut crls = Crls::new();
    lists.into_iter().for_each(|list| crls.add(list));
    crls
}

fn refused(result: Result<Verified, Refusal>) -> (Kind, &'static str, String) {
    let refusal = result.expect_err("it has to be refused");
    (refusal.kind(), refusal.rule().id, refusal.value().into())
}

#[test]
fn s_mtls_06_a_revoked_certificate_has_a_reason_of_its_own() {
    let world = World::new();
    let (kind, rule, value) = refused(world.ask(&crls([world.middle.crl(&[&[1], SERIAL, &[2]])]), NOW));
    assert_eq!((kind, rule), (Kind::Revoked, "crl.revoked"));
    assert_eq!(value, "serial number 112233, key compromise, 2026-03-01T00:00:00Z");
    assert!(world.ask(&crls([world.middle.crl(&[&[1], &[2]])]), NOW).is_ok());
}

#[test]
fn s_mtls_06_a_revoked_intermediate_is_found_too() {
    let world = World::new();
    let serial = world.middle.certificate.serial().to_vec();
    let result = world.ask(&crls([world.root.crl(&[&serial])]), NOW);
    let refusal = result.expect_err("revoked");
    assert_eq!(
        (refusal.kind(), refusal.position(), refusal.subject()),
        (Kind::Revoked, 1, "Middle")
    );
}

#[test]
fn s_mtls_06_the_same_serial_number_of_another_issuer_is_nobodys_business() {
    let world = World::new();
    assert!(world.ask(&crls([world.root.crl(&[SERIAL])]), NOW).is_ok());
}

#[test]
fn s_mtls_06_an_expired_crl_refuses_unless_the_policy_is_fail_open() {
    let world = World::new();
    let old = |crls: Crls| {
        let mut crls = crls;
        crls.add(
            world
                .middle
                .crl_with(&[&[1]], |params| params.next_update = rcgen::date_time_ymd(2026, 6, 1)),
        );
        crls
    };
    let (kind, rule, value) = refused(world.ask(&old(Crls::new()), NOW));
    assert_eq!((kind, rule), (Kind::RevocationUnknown, "crl.expired"));
    assert!(value.contains("2026-06-01"), "{value}");
    let verified = world
        .ask(&old(Crls::new().with_freshness(Freshness::FailOpen)), NOW)
        .expect("open");
    assert_eq!(verified.warnings().len(), 1);
    assert_eq!(verified.warnings()[0].finding().rule().id, "crl.expired");
    // at the very second of nextUpdate it still holds
    assert!(world.ask(&old(Crls::new()), 1_780_272_000).is_ok());
    assert!(world.ask(&old(Crls::new()), 1_780_272_001).is_err());
}

#[test]
fn s_mtls_06_an_expired_crl_still_revokes_when_the_policy_is_fail_open() {
    let world = World::new();
    let mut lists = Crls::new().with_freshness(Freshness::FailOpen);
    lists.add(world.middle.crl_with(&[SERIAL], |params| {
        params.next_update = rcgen::date_time_ymd(2026, 6, 1)
    }));
    assert_eq!(refused(world.ask(&lists, NOW)).0, Kind::Revoked);
}

#[test]
fn s_mtls_06_a_crl_of_the_future_is_not_used() {
    let world = World::new();
    let lists = crls([world
        .middle
        .crl_with(&[], |params| params.this_update = rcgen::date_time_ymd(2026, 12, 1))]);
    assert_eq!(refused(world.ask(&lists, NOW)).1, "crl.expired");
}

#[test]
fn s_mtls_06_where_crls_are_required_a_missing_one_refuses() {
    let world = World::new();
    let mut lists = Crls::new().required();
    lists.add(world.middle.crl(&[]));
    let (kind, rule, value) = refused(world.ask(&lists, NOW));
    assert_eq!((kind, rule), (Kind::RevocationUnknown, "crl.missing"));
    assert_eq!(value, "no CRL of CN=Root");
    lists.add(world.root.crl(&[]));
    assert!(world.ask(&lists, NOW).is_ok());
}

#[test]
fn s_mtls_06_a_crl_that_somebody_else_signed_is_not_used() {
    let world = World::new();
    let impostor = Ca::root("Middle");
    let (kind, rule, _) = refused(world.ask(&crls([impostor.crl(&[])]), NOW));
    assert_eq!((kind, rule), (Kind::RevocationUnknown, "crl.signature"));
    // a good one beside it is enough
    assert!(
        world
            .ask(&crls([impostor.crl(&[SERIAL]), world.middle.crl(&[])]), NOW)
            .is_ok()
    );
}

#[test]
fn s_mtls_06_a_ca_without_the_right_to_sign_crls_is_not_believed() {
    let root = Ca::root("Root");
    let middle = Ca::below_with(&root, "Middle", |params| {
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign]
    });
    let leaf = middle.leaf("a.example");
    // rcgen refuses to sign a CRL for such a CA, so that the same key does it under other parameters
    let mut params = middle.params.clone();
    params.key_usages.push(KeyUsagePurpose::CrlSign);
    let key = rcgen::KeyPair::try_from(middle.key.serialize_der()).expect("the same key");
    let signer = Ca {
        certificate: middle.certificate.clone(),
        params,
        key,
    };
    let lists = crls([signer.crl(&[])]);
    let request = Request::server(NOW);
    let ask = |profile: &Profile| verify(profile, &[&root], &leaf, &[&middle.certificate], &request, Some(&lists));
    assert_eq!(refused(ask(&Profile::connection())).1, "crl.sign-right");
    assert_eq!(refused(ask(&Profile::lenient())).1, "crl.sign-right");
}

#[test]
fn s_mtls_06_partial_crls_are_refused_clearly() {
    let world = World::new();
    let partial = world.middle.crl_with(&[], |params| {
        params.issuing_distribution_point = Some(CrlIssuingDistributionPoint {
            distribution_point: rcgen::CrlDistributionPoint {
                uris: vec!["http://a.example/crl".into()],
            },
            scope: Some(CrlScope::UserCertsOnly),
        });
    });
    let why = partial.unsupported().expect("partial").to_owned();
    assert_eq!(why, "a partial CRL: one distribution point, certificates of peers only");
    let (kind, rule, value) = refused(world.ask(&crls([partial]), NOW));
    assert_eq!((kind, rule), (Kind::RevocationUnknown, "crl.unsupported"));
    assert!(value.contains(&why), "{value}");
}

#[test]
fn a_crl_in_order_raises_no_warning_in_any_profile() {
    let world = World::new();
    let lists = crls([world.middle.crl(&[&[9]]), world.root.crl(&[])]);
    lists.prepare([&world.middle.certificate, &world.root.certificate], &lb_cert::AwsLc);
    for profile in [Profile::connection(), Profile::strict(), Profile::lenient()] {
        let verified = world.ask_in(&profile, &lists, NOW + DAY).expect("good");
        assert!(
            verified
                .warnings()
                .iter()
                .all(|one| !one.finding().rule().id.starts_with("crl."))
        );
    }
}

#[test]
fn every_entry_is_found_and_nothing_else() {
    let root = Ca::root("Root");
    // scattered, of different lengths, some with the first bit set
    let serials: Vec<Vec<u8>> = (1_u32..2_000)
        .map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes().to_vec())
        .collect();
    let references: Vec<&[u8]> = serials.iter().map(Vec::as_slice).collect();
    let list = root.crl(&references);
    assert_eq!(list.len(), 1_999);
    for serial in &serials {
        // DER: no needless zeros, and one before a first bit that is set
        let start = serial.iter().position(|byte| *byte != 0).expect("not zero");
        let mut content = serial[start..].to_vec();
        if content[0] & 0x80 != 0 {
            content.insert(0, 0);
        }
        assert!(list.find(&content).is_some(), "{content:02x?}");
        content.push(7);
        assert!(list.find(&content).is_none());
    }
    assert!(list.find(&[]).is_none());
}

#[test]
fn damaged_crls_are_errors_and_never_a_panic() {
    let der = Ca::root("Root").crl_der(&[&[1], &[2]], |_| {});
    for end in 0..der.len() {
        assert!(Crl::parse(der[..end].to_vec().into()).is_err(), "cut at {end}");
    }
    for at in 0..der.len() {
        let mut damaged = der.clone();
        damaged[at] ^= 0x55;
        let _ = Crl::parse(damaged.into());
    }
    let mut longer = der;
    longer.push(0);
    assert!(Crl::parse(longer.into()).is_err());
}

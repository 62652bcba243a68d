//! What is asked for each hello and each request allocates nothing.
#![cfg(feature = "aws-lc-rs")]

mod made;

use allocation_counter::measure;
use lb_tls::client_auth::{Authorities, ClientAuthMode, ClientAuthOptions};
use lb_tls::{ClientAuth, ServerOptions, SiteOptions, Sites};
use made::{Authority, engine, file, identities};
use std::sync::Arc;

#[test]
fn finding_a_site_and_answering_for_an_authority_allocate_nothing() {
    let root = Authority::root("Root");
    let made = |name: &str| identities(&[&root.server(&[name])]);
    let mut options = ServerOptions::new("web", SiteOptions::new("default", made("*.example.org")));
    let mut shop = SiteOptions::new("shop", made("*.shop.example"));
    let authorities = Authorities::read([file("ca.pem", &root.pem)], &engine()).expect("authorities");
    let asked = ClientAuthOptions::new(ClientAuthMode::Required, Arc::new(authorities));
    shop.client_auth = ClientAuth::new(asked, &engine());
    options.sites = vec![shop];
    options.strict_sni = true;
    let sites = Sites::build(options, &engine()).expect("sites");
    let site = sites.default_site();
    let counted = measure(|| {
        for name in [
            Some("www.example.org"),
            Some("A.SHOP.example."),
            Some("unknown.example"),
            Some("192.0.2.1"),
            None,
        ] {
            let _ = std::hint::black_box(sites.find(name));
        }
        for authority in [
            "www.example.org:443",
            "a.shop.example",
            "a.b.SHOP.example",
            "[::1]:443",
            "unknown.example",
        ] {
            std::hint::black_box(sites.answers(site, authority));
        }
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn one_identity_for_a_name_is_chosen_without_allocating() {
    let root = Authority::root("Root");
    let table = lb_tls::Identities::new(identities(&[&root.server(&["*.example.org"])]), made::NOW as i64);
    let schemes = [rustls::SignatureScheme::ECDSA_NISTP256_SHA256];
    let counted = measure(|| {
        std::hint::black_box(table.choose(Some("www.example.org"), &schemes));
        std::hint::black_box(table.choose(None, &schemes));
    });
    assert_eq!(counted.count_total, 0);
}

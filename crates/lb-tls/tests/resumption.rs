//! Sessions: resumed where everything is as before, here and in other processes, and nowhere else.
#![cfg(feature = "aws-lc-rs")]

mod made;

use lb_tls::client_auth::{Authorities, ClientAuthMode, ClientAuthOptions, RevocationLists, RevocationPolicy};
use lb_tls::tickets::TicketSecret;
use lb_tls::{ClientAuth, Engine, Identity, ServerOptions, SiteOptions, Sites};
use lb_types::Wall;
use made::shake::{Client, TLS12, TLS13, shake};
use made::{Authority, NOW, clock, engine, file, identities};
use rustls::{ClientConfig, HandshakeKind, SupportedProtocolVersion};
use std::sync::Arc;

const NAME: &str = "www.example.org";
const SECRET: &[u8; 48] = b"a file that two processes have, made by openssl!";

fn secret() -> Option<Arc<TicketSecret>> {
    Some(Arc::new(TicketSecret::from_bytes(SECRET).expect("a secret")))
}

fn identity() -> Vec<Arc<Identity>> {
    identities(&[&Authority::root("Servers").server(&[NAME])])
}

/// As a process builds them that has this secret.
fn sites(tickets: Option<Arc<TicketSecret>>, auth: ClientAuth, engine: &Engine) -> Sites {
    sites_with(tickets, auth, engine, |_| {})
}

fn sites_with(
    tickets: Option<Arc<TicketSecret>>,
    auth: ClientAuth,
    engine: &Engine,
    change: impl FnOnce(&mut ServerOptions),
) -> Sites {
    let mut site = SiteOptions::new("default", identity());
    site.client_auth = auth;
    let mut options = ServerOptions::new("web", site);
    options.tickets = tickets;
    change(&mut options);
    Sites::build(options, engine).expect("sites")
}

/// The ways in which sessions come back: tickets of 1.3, tickets of 1.2, IDs of 1.2.
const WAYS: [(&[&SupportedProtocolVersion], bool); 3] = [(TLS13, true), (TLS12, true), (TLS12, false)];

fn client(way: (&[&'static SupportedProtocolVersion], bool)) -> Arc<ClientConfig> {
    Client {
        versions: way.0,
        tickets_of_12: way.1,
        ..Client::default()
    }
    .config(&engine())
}

fn kind(client: &Arc<ClientConfig>, sites: &Sites) -> HandshakeKind {
    let shaken = shake(client, sites.default_site().config(), NAME);
    assert!(shaken.is_good(), "{:?} {:?}", shaken.server_error, shaken.client_error);
    shaken.kind()
}

#[test]
fn s_tls_13_sessions_are_resumed_by_tickets_and_by_ids_side_by_side() {
    let sites = sites(secret(), ClientAuth::none(), &engine());
    for way in WAYS {
        let client = client(way);
        assert_eq!(kind(&client, &sites), HandshakeKind::Full);
        for _ in 0..3 {
            assert_eq!(kind(&client, &sites), HandshakeKind::Resumed);
        }
    }
    // Without a secret the cache does it all.
    let sites = sites_with(None, ClientAuth::none(), &engine(), |_| {});
    for way in WAYS {
        let client = client(way);
        assert_eq!(kind(&client, &sites), HandshakeKind::Full);
        assert_eq!(kind(&client, &sites), HandshakeKind::Resumed);
    }
}

#[test]
fn s_tls_13_two_processes_that_share_a_secret_resume_each_others_sessions() {
    let (one, other) = (
        sites(secret(), ClientAuth::none(), &engine()),
        sites(secret(), ClientAuth::none(), &engine()),
    );
    assert_eq!(one.default_site().binding(), other.default_site().binding());
    for way in &WAYS[..2] {
        let client = client(*way);
        assert_eq!(kind(&client, &one), HandshakeKind::Full);
        assert_eq!(kind(&client, &other), HandshakeKind::Resumed);
        assert_eq!(kind(&client, &one), HandshakeKind::Resumed);
    }
    // IDs are known where they were made.
    let client = client(WAYS[2]);
    assert_eq!(kind(&client, &one), HandshakeKind::Full);
    assert_eq!(kind(&client, &other), HandshakeKind::Full);
    // Another secret opens nothing.
    let random = Some(Arc::new(TicketSecret::random(&engine()).expect("random bytes")));
    let stranger = sites(random, ClientAuth::none(), &engine());
    for way in &WAYS[..2] {
        let client = self::client(*way);
        assert_eq!(kind(&client, &one), HandshakeKind::Full);
        assert_eq!(kind(&client, &stranger), HandshakeKind::Full);
    }
}

/// Whom the list revokes, and a process with that list.
fn process(root: &Authority, mode: ClientAuthMode, list: &str) -> Sites {
    let authorities = Authorities::read([file("ca.pem", &root.pem)], &engine()).expect("authorities");
    let mut options = ClientAuthOptions::new(mode, Arc::new(authorities));
    let lists = RevocationLists::read([file("ca.crl", list)], RevocationPolicy::default(), &engine());
    options.revocation = Some(lists.expect("lists"));
    sites(secret(), ClientAuth::new(options, &engine()), &engine())
}

#[test]
fn s_mtls_06_who_is_revoked_after_the_handshake_does_not_come_back_by_a_session() {
    let root = Authority::root("Clients");
    let shown = root.client("client", 5);
    let (before, after) = (root.crl([]), root.crl([5]));
    for way in WAYS {
        let client = Client {
            versions: way.0,
            tickets_of_12: way.1,
            certificate: shown.shown(&[]),
            ..Client::default()
        };
        let client = client.config(&engine());
        let mode = ClientAuthMode::Required;
        let (here, there) = (process(&root, mode, &before), process(&root, mode, &before));
        assert_eq!(kind(&client, &here), HandshakeKind::Full);
        assert_eq!(kind(&client, &here), HandshakeKind::Resumed);
        if way.1 {
            assert_eq!(kind(&client, &there), HandshakeKind::Resumed);
        }
        // The list is reloaded, in this process and in the other.
        for reloaded in [process(&root, mode, &after), process(&root, mode, &after)] {
            assert_ne!(here.default_site().binding(), reloaded.default_site().binding());
            let shaken = shake(&client, reloaded.default_site().config(), NAME);
            let error = shaken.server_error.expect("refused");
            let refusal = reloaded.default_site().explain(&error).expect("an explanation");
            assert_eq!(refusal.reason().word(), "revoked");
        }
    }
}

#[test]
fn a_session_made_under_one_rule_is_not_resumed_under_another() {
    let root = Authority::root("Clients");
    let list = root.crl([]);
    let open = sites(secret(), ClientAuth::none(), &engine());
    let optional = process(&root, ClientAuthMode::Optional, &list);
    let required = process(&root, ClientAuthMode::Required, &list);
    for way in &WAYS[..2] {
        let client = client(*way);
        assert_eq!(kind(&client, &open), HandshakeKind::Full);
        assert_eq!(kind(&client, &optional), HandshakeKind::Full);
        // Without a certificate the session would let it in.
        let shaken = shake(&client, required.default_site().config(), NAME);
        assert!(shaken.server_error.is_some());
    }
    let other_listener = sites_with(secret(), ClientAuth::none(), &engine(), |options| {
        options.label = "other".into()
    });
    let other_protocols = sites_with(secret(), ClientAuth::none(), &engine(), |options| {
        options.default.protocols = vec![b"imap".to_vec()];
    });
    for other in [&other_listener, &other_protocols, &optional, &required] {
        assert_ne!(open.default_site().binding(), other.default_site().binding());
    }
    let client = client(WAYS[0]);
    assert_eq!(kind(&client, &open), HandshakeKind::Full);
    assert_eq!(kind(&client, &other_listener), HandshakeKind::Full);
}

#[test]
fn a_session_ends_with_its_lifetime() {
    for way in WAYS {
        let clock = clock();
        let engine = Engine::aws_lc(clock.clone());
        let sites = sites(secret(), ClientAuth::none(), &engine);
        // The client's own clock stands still, so that only the server's counts.
        let client = client(way);
        assert_eq!(kind(&client, &sites), HandshakeKind::Full);
        clock.set(Wall::from_secs(NOW + 43_200));
        assert_eq!(kind(&client, &sites), HandshakeKind::Resumed);
    }
    for way in WAYS {
        let clock = clock();
        let engine = Engine::aws_lc(clock.clone());
        let sites = sites(secret(), ClientAuth::none(), &engine);
        let client = client(way);
        assert_eq!(kind(&client, &sites), HandshakeKind::Full);
        clock.set(Wall::from_secs(NOW + 43_201));
        assert_eq!(kind(&client, &sites), HandshakeKind::Full);
    }
}

#[test]
fn a_client_that_connects_once_leaves_the_tickets_that_were_asked_for() {
    for tickets in [0, 1, 2] {
        let sites = sites_with(secret(), ClientAuth::none(), &engine(), |options| {
            options.tls13_tickets = tickets
        });
        let client = client(WAYS[0]);
        let shaken = shake(&client, sites.default_site().config(), NAME);
        assert_eq!(shaken.client.tls13_tickets_received() as usize, tickets);
    }
}

//! Sites by name, versions, suites and protocols, in real handshakes.
#![cfg(feature = "aws-lc-rs")]

mod made;

use lb_tls::client_auth::{Authorities, ClientAuthMode, ClientAuthOptions};
use lb_tls::{
    BuildError, ClientAuth, HandshakeFault, ServerOptions, SiteNote, SiteOptions, Sites, Version, Versions, alert_name,
};
use made::shake::{Client, TLS12, TLS13, shake};
use made::{Authority, engine, file, identities};
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CipherSuite, Error, ProtocolVersion, ServerConnection, SignatureScheme};
use std::sync::Arc;

/// A default with RSA and ECDSA for `*.example.org`, and a site for `shop.example`.
fn two_sites(strict: bool) -> (Sites, [made::Made; 3]) {
    let root = Authority::root("Root");
    let rsa = root.leaf(&["*.example.org"], &rcgen::PKCS_RSA_SHA256, |_| {});
    let ecdsa = root.server(&["*.example.org"]);
    let shop = root.server(&["shop.example", "*.shop.example"]);
    let mut options = ServerOptions::new("web", SiteOptions::new("default", identities(&[&rsa, &ecdsa])));
    options.sites = vec![SiteOptions::new("shop", identities(&[&shop]))];
    options.strict_sni = strict;
    (Sites::build(options, &engine()).expect("sites"), [rsa, ecdsa, shop])
}

#[test]
fn s_tls_05_the_name_in_the_hello_chooses_site_and_certificate() {
    let (sites, [rsa, ecdsa, shop]) = two_sites(false);
    for versions in [TLS12, TLS13] {
        for (name, site, shown) in [
            ("www.example.org", "default", &ecdsa),
            ("WWW.Example.org", "default", &ecdsa),
            ("shop.example", "shop", &shop),
            ("a.SHOP.example", "shop", &shop),
            ("unknown.example", "default", &ecdsa),
        ] {
            let found = sites.find(Some(name)).expect("a site");
            assert_eq!(found.label(), site, "{name}");
            let client = Client {
                versions,
                ..Client::default()
            };
            let shaken = shake(&client.config(&engine()), found.config(), name);
            assert!(shaken.is_good(), "{name}: {:?}", shaken.server_error);
            assert_eq!(shaken.shown(), shown.der, "{name}");
        }
        let client = Client {
            versions,
            schemes: Some(vec![SignatureScheme::RSA_PSS_SHA256]),
            ..Client::default()
        };
        let site = sites.find(Some("www.example.org")).expect("a site");
        let shaken = shake(&client.config(&engine()), site.config(), "www.example.org");
        assert_eq!(shaken.shown(), rsa.der);
    }
}

#[test]
fn s_tls_04_without_a_name_the_default_answers_unless_names_are_strict() {
    let (sites, [_, ecdsa, _]) = two_sites(false);
    let client = Client {
        sni: false,
        ..Client::default()
    };
    assert_eq!(sites.find(None).map(|site| site.id()), Ok(0));
    assert_eq!(sites.find(Some("192.0.2.1")).map(|site| site.id()), Ok(0));
    let shaken = shake(
        &client.config(&engine()),
        sites.default_site().config(),
        "www.example.org",
    );
    assert_eq!(shaken.shown(), ecdsa.der);

    let (strict, _) = two_sites(true);
    for (name, is_missing) in [
        (None, true),
        (Some("192.0.2.1"), true),
        (Some("unknown.example"), false),
    ] {
        let refused = strict.find(name).expect_err("strict");
        assert_eq!(refused.is_missing, is_missing, "{name:?}");
        assert!(!refused.mend().is_empty());
    }
    for (name, site) in [("a.example.org", "default"), ("shop.example", "shop")] {
        assert_eq!(strict.find(Some(name)).map(|site| site.label()), Ok(site));
    }
    // A driver that did not look at the hello: rustls has no better word than access_denied.
    let shaken = shake(
        &Client::default().config(&engine()),
        strict.default_site().config(),
        "unknown.example",
    );
    let error = shaken.server_error.expect("refused");
    assert_eq!(HandshakeFault::of(&error), HandshakeFault::UnknownName, "{error}");
    assert_eq!(
        shaken.client_error,
        Some(Error::AlertReceived(AlertDescription::AccessDenied))
    );
}

#[test]
fn the_alert_for_an_unknown_name_is_read_by_a_client_as_such() {
    let name = ServerName::try_from("unknown.example").expect("a name");
    let mut client = rustls::ClientConnection::new(Client::default().config(&engine()), name).expect("a client");
    let mut rest = &lb_tls::UnknownName::ALERT[..];
    client.read_tls(&mut rest).expect("read");
    let error = client.process_new_packets().expect_err("an alert");
    assert_eq!(error, Error::AlertReceived(AlertDescription::UnrecognisedName));
    assert_eq!(alert_name(AlertDescription::UnrecognisedName), "unrecognized_name");
}

#[test]
fn a_hello_for_another_site_gets_no_certificate_from_this_one() {
    let (sites, _) = two_sites(false);
    let shop = sites.find(Some("shop.example")).expect("a site");
    for (name, config) in [
        ("www.example.org", shop.config()),
        ("shop.example", sites.default_site().config()),
    ] {
        let shaken = shake(&Client::default().config(&engine()), config, name);
        assert!(shaken.server_error.is_some(), "{name}");
    }
}

#[test]
fn s_tls_03_without_a_common_version_the_alert_is_protocol_version() {
    let root = Authority::root("Root");
    let identity = identities(&[&root.server(&["www.example.org"])]);
    for (site, client) in [(Version::Tls13, TLS12), (Version::Tls12, TLS13)] {
        let mut options = SiteOptions::new("default", identity.clone());
        options.versions = Versions::new(site, site).expect("a range");
        let sites = Sites::build(ServerOptions::new("web", options), &engine()).expect("sites");
        let client = Client {
            versions: client,
            ..Client::default()
        };
        let shaken = shake(
            &client.config(&engine()),
            sites.default_site().config(),
            "www.example.org",
        );
        let error = shaken.server_error.expect("refused");
        assert_eq!(HandshakeFault::of(&error), HandshakeFault::NoCommonVersion, "{error}");
        assert_eq!(
            shaken.client_error,
            Some(Error::AlertReceived(AlertDescription::ProtocolVersion))
        );
    }
}

/// A hello of TLS 1.0 as OpenSSL 1.0.0 sends it, its list shortened to DES and the like: version 3.1, no extensions.
#[test]
fn s_tls_08_a_client_of_tls_1_0_is_refused_with_protocol_version() {
    let (sites, _) = two_sites(false);
    let mut hello = vec![0x03, 0x01];
    hello.extend([7; 32]);
    hello.push(0);
    // TLS_RSA_WITH_DES_CBC_SHA, TLS_RSA_WITH_RC4_128_MD5; compression: none
    hello.extend([0, 4, 0x00, 0x09, 0x00, 0x04, 1, 0]);
    // signature_algorithms, so that rustls gets as far as the version: RSA with SHA-1
    hello.extend([0, 8, 0, 13, 0, 4, 0, 2, 2, 1]);
    let mut record = vec![22, 3, 1, 0, (hello.len() + 4) as u8, 1, 0, 0, hello.len() as u8];
    record.extend(&hello);
    let mut server = ServerConnection::new(Arc::clone(sites.default_site().config())).expect("a server");
    server.read_tls(&mut record.as_slice()).expect("read");
    let error = server.process_new_packets().expect_err("too old");
    assert_eq!(HandshakeFault::of(&error).word(), "no_common_version", "{error}");
    let mut answer = Vec::new();
    server.write_tls(&mut answer).expect("written");
    // A fatal alert: protocol_version is 70.
    assert_eq!(answer.get(5..), Some(&[2, 70][..]), "{answer:?}");
}

/// The same by TLS 1.2 with the suites of the sources only (S-TLS-07), and with compression (S-TLS-09).
#[test]
fn s_tls_07_and_09_the_suites_of_the_sources_and_compression_are_never_negotiated() {
    let (sites, _) = two_sites(false);
    for (suites, compression, word) in [
        // DES, 3DES, RC4 with MD5, RSA key exchange, static DH, EXPORT
        (
            &[0x00, 0x09, 0x00, 0x0a, 0x00, 0x04, 0x00, 0x2f, 0x00, 0x0c, 0x00, 0x03][..],
            &[0][..],
            "no_common_suite",
        ),
        // AES-128-GCM by ECDHE, and DEFLATE alone
        (&[0xc0, 0x2b][..], &[1][..], "incompatible"),
    ] {
        let mut hello = vec![0x03, 0x03];
        hello.extend([7; 32]);
        hello.extend([0, 0, suites.len() as u8]);
        hello.extend(suites);
        hello.push(compression.len() as u8);
        hello.extend(compression);
        // signature_algorithms: ECDSA and RSA with SHA-256; supported_groups: X25519
        hello.extend([0, 18, 0, 13, 0, 6, 0, 4, 4, 3, 4, 1, 0, 10, 0, 4, 0, 2, 0, 29]);
        let mut record = vec![22, 3, 1, 0, (hello.len() + 4) as u8, 1, 0, 0, hello.len() as u8];
        record.extend(&hello);
        let mut server = ServerConnection::new(Arc::clone(sites.default_site().config())).expect("a server");
        server.read_tls(&mut record.as_slice()).expect("read");
        let error = server.process_new_packets().expect_err("refused");
        assert_eq!(HandshakeFault::of(&error).word(), word, "{error}");
    }
}

#[test]
fn s_tls_06_the_server_or_the_client_orders_the_suites_as_the_site_says() {
    let root = Authority::root("Root");
    let identity = identities(&[&root.server(&["www.example.org"])]);
    let taken = |server_order: bool, versions, rotate: usize| {
        // The server's are AES-128, AES-256, ChaCha20 by version, and by key in TLS 1.2.
        let mut provider = (**engine().provider()).clone();
        provider.cipher_suites.reverse();
        provider.cipher_suites.rotate_left(rotate);
        let clients =
            lb_tls::Engine::new(Arc::new(provider), &lb_tls::lb_cert::AwsLc, made::clock()).expect("an engine");
        let client = Client {
            versions,
            ..Client::default()
        }
        .config(&clients);
        let mut options = SiteOptions::new("default", identity.clone());
        options.server_order = server_order;
        let sites = Sites::build(ServerOptions::new("web", options), &engine()).expect("sites");
        let speaks = |suite: &&rustls::SupportedCipherSuite| suite.tls13().is_some() == (versions == TLS13);
        let offered = client.crypto_provider().cipher_suites.iter().filter(speaks);
        let config = sites
            .default_site()
            .config_for(offered.map(|suite| suite.suite().into()));
        let shaken = shake(&client, config, "www.example.org");
        shaken.server.negotiated_cipher_suite().expect("a suite").suite()
    };
    use CipherSuite as S;
    for (server_order, versions, rotate, suite) in [
        (false, TLS13, 0, S::TLS13_CHACHA20_POLY1305_SHA256),
        (false, TLS13, 7, S::TLS13_AES_256_GCM_SHA384),
        (true, TLS13, 7, S::TLS13_AES_128_GCM_SHA256),
        (false, TLS12, 0, S::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
        (false, TLS12, 2, S::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
        (true, TLS12, 2, S::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
        // Who puts ChaCha20 first gets it.
        (true, TLS13, 0, S::TLS13_CHACHA20_POLY1305_SHA256),
        (true, TLS12, 0, S::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ] {
        assert_eq!(taken(server_order, versions, rotate), suite, "{server_order} {rotate}");
    }
}

#[test]
fn s_tls_02_what_was_negotiated_can_be_told() {
    let (sites, _) = two_sites(false);
    let client = Client {
        protocols: &["h2", "http/1.1"],
        ..Client::default()
    };
    let shaken = shake(
        &client.config(&engine()),
        sites.default_site().config(),
        "www.example.org",
    );
    let server = &shaken.server;
    assert_eq!(server.protocol_version(), Some(ProtocolVersion::TLSv1_3));
    let suite = server
        .negotiated_cipher_suite()
        .map(|one| lb_tls::suites::suite_name(one.suite()));
    assert_eq!(suite.as_deref(), Some("TLS_AES_128_GCM_SHA256"));
    let group = server
        .negotiated_key_exchange_group()
        .map(|one| lb_tls::suites::group_name(one.name()));
    assert_eq!(group.as_deref(), Some("X25519MLKEM768"));
    assert_eq!(server.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(server.server_name(), Some("www.example.org"));

    let client = Client {
        protocols: &["smtp"],
        ..Client::default()
    };
    let shaken = shake(
        &client.config(&engine()),
        sites.default_site().config(),
        "www.example.org",
    );
    let error = shaken.server_error.expect("refused");
    assert_eq!(HandshakeFault::of(&error).word(), "no_application_protocol");
    assert_eq!(
        shaken.client_error,
        Some(Error::AlertReceived(AlertDescription::NoApplicationProtocol))
    );
}

#[test]
fn a_request_for_a_site_that_asks_other_things_of_clients_is_misdirected() {
    let root = Authority::root("Root");
    let made = |name: &str| identities(&[&root.server(&[name])]);
    let authorities = Arc::new(Authorities::read([file("ca.pem", &root.pem)], &engine()).expect("authorities"));
    let auth = ClientAuth::new(ClientAuthOptions::new(ClientAuthMode::Required, authorities), &engine());
    let mut options = ServerOptions::new("web", SiteOptions::new("default", made("www.example.org")));
    let mut admin = SiteOptions::new("admin", made("admin.example.org"));
    admin.client_auth = auth.clone();
    let mut second = SiteOptions::new("second", made("second.example.org"));
    second.client_auth = auth;
    let open = SiteOptions::new("open", made("open.example.org"));
    options.sites = vec![admin, second, open];
    let mut strict = options.clone();
    strict.strict_sni = true;
    let strict = Sites::build(strict, &engine()).expect("sites");
    let sites = Sites::build(options, &engine()).expect("sites");
    let site = |name: &str| Arc::clone(sites.find(Some(name)).expect("a site"));
    for (on, authority, is_answered) in [
        ("www.example.org", "admin.example.org", false),
        ("www.example.org", "ADMIN.example.org.:8443", false),
        ("www.example.org", "open.example.org", true),
        ("www.example.org", "unknown.example", true),
        ("www.example.org", "192.0.2.1:443", true),
        ("www.example.org", "", true),
        ("admin.example.org", "admin.example.org:443", true),
        ("admin.example.org", "second.example.org", true),
        ("admin.example.org", "www.example.org", false),
        ("admin.example.org", "[::1]:443", false),
    ] {
        assert_eq!(sites.answers(&site(on), authority), is_answered, "{on} {authority}");
    }
    // What is nobody's is the default's business, strict or not.
    let admin = strict.find(Some("admin.example.org")).expect("a site");
    for authority in ["unknown.example", "192.0.2.1", ""] {
        assert!(!strict.answers(admin, authority), "{authority}");
        assert!(strict.answers(strict.default_site(), authority), "{authority}");
    }
}

/// The rule `required` with an authority of this name, which is made anew each time.
fn required(name: &str) -> ClientAuth {
    let root = Authority::root(name);
    let authorities = Arc::new(Authorities::read([file("ca.pem", &root.pem)], &engine()).expect("authorities"));
    ClientAuth::new(ClientAuthOptions::new(ClientAuthMode::Required, authorities), &engine())
}

/// A default site, and one for each of these names, each with its rule.
fn sites_of(default: &ClientAuth, others: &[(&str, &ClientAuth)]) -> Sites {
    let root = Authority::root("Root");
    let identity = identities(&[&root.server(&["www.example.org"])]);
    let site = |label: &str, rule: &ClientAuth| {
        let mut site = SiteOptions::new(label, identity.clone());
        site.client_auth = rule.clone();
        site
    };
    let mut options = ServerOptions::new("web", site("default", default));
    for (name, rule) in others {
        let mut other = site(name, rule);
        other.names = vec![(*name).to_owned()];
        options.sites.push(other);
    }
    Sites::build(options, &engine()).expect("sites")
}

#[test]
fn a_connection_from_before_a_reload_answers_only_where_the_rule_is_still_its_own() {
    let (none, one, other) = (ClientAuth::none(), required("One"), required("Other"));
    let find = |sites: &Sites, name: &str| Arc::clone(sites.find(Some(name)).expect("a site"));
    let before = sites_of(&none, &[("a.example", &none), ("b.example", &one)]);
    let (default, a, b) = (
        Arc::clone(before.default_site()),
        find(&before, "a.example"),
        find(&before, "b.example"),
    );
    // Their places are exchanged: number 1 is b's now.
    let moved = sites_of(&none, &[("b.example", &one), ("a.example", &none)]);
    // a asks clients now; b asks others than before; nobody asks; the default asks.
    let tightened = sites_of(&none, &[("a.example", &one), ("b.example", &one)]);
    let others = sites_of(&none, &[("a.example", &none), ("b.example", &other)]);
    let loosened = sites_of(&none, &[("a.example", &none), ("b.example", &none)]);
    let closed = sites_of(&one, &[("a.example", &none), ("b.example", &one)]);
    for (now, site, authority, is_answered) in [
        (&moved, &a, "a.example", true),
        (&moved, &a, "b.example", false),
        (&moved, &b, "b.example", true),
        (&moved, &b, "a.example", false),
        (&moved, &default, "else.example", true),
        (&tightened, &a, "a.example", false),
        (&tightened, &a, "else.example", true),
        (&tightened, &b, "a.example", true),
        (&tightened, &default, "a.example", false),
        (&others, &b, "b.example", false),
        (&others, &a, "a.example", true),
        (&loosened, &b, "b.example", false),
        (&loosened, &a, "b.example", true),
        (&closed, &default, "else.example", false),
        (&closed, &default, "192.0.2.1", false),
        (&closed, &default, "", false),
        (&closed, &b, "else.example", true),
    ] {
        assert_eq!(
            now.answers(site, authority),
            is_answered,
            "{} {authority}",
            site.label()
        );
    }
}

#[test]
fn what_is_under_a_wildcard_site_by_more_than_one_label_needs_its_rule_too() {
    let (none, one, other) = (ClientAuth::none(), required("One"), required("Other"));
    let sites = sites_of(
        &none,
        &[
            ("*.corp.example", &one),
            ("*.lab.corp.example", &other),
            ("public.corp.example", &none),
            ("x.public.corp.example", &none),
            ("*.open.example", &none),
        ],
    );
    let site = |name: &str| Arc::clone(sites.find(Some(name)).expect("a site"));
    for (on, authority, is_answered) in [
        // Routes take `*.corp.example` as one label or more.
        ("else.example", "b.corp.example", false),
        ("else.example", "a.b.corp.example", false),
        ("else.example", "A.B.Corp.Example", false),
        ("else.example", "a.b.corp.example.", false),
        ("else.example", "a.b.corp.example.:8443", false),
        ("else.example", "z.y.x.w.v.corp.example:443", false),
        ("else.example", "a.b.lab.corp.example", false),
        // Neither the default's rule nor that of the other wildcard above is theirs.
        ("b.corp.example", "a.b.corp.example", false),
        ("b.lab.corp.example", "a.b.lab.corp.example", false),
        // Whoever names it, exactly or by one label, has said what holds.
        ("b.corp.example", "b.corp.example", true),
        ("b.lab.corp.example", "a.lab.corp.example", true),
        ("else.example", "public.corp.example", true),
        ("else.example", "x.public.corp.example", true),
        ("else.example", "y.public.corp.example", false),
        ("b.corp.example", "public.corp.example", false),
        // Under nothing that asks.
        ("else.example", "corp.example", true),
        ("else.example", "a.b.xcorp.example", true),
        ("else.example", "corp.example.org", true),
        ("else.example", "a.b.open.example", true),
        ("else.example", "example", true),
        ("else.example", "[2001:db8::1]:443", true),
        ("else.example", "192.0.2.1", true),
    ] {
        assert_eq!(sites.answers(&site(on), authority), is_answered, "{on} {authority}");
    }
    // At the limit of a name, and above it: what can be nobody's name is answered nowhere.
    for (bytes, is_answered) in [(255, true), (256, false), (70_000, false)] {
        let long = format!("{}.example", "a".repeat(bytes - 8));
        assert_eq!(sites.answers(sites.default_site(), &long), is_answered, "{bytes}");
        let dots = format!("{}.corp.example", ".a".repeat(bytes / 2 - 6));
        assert!(!sites.answers(sites.default_site(), &dots), "{bytes}");
    }
    // One rule for all: every name above has it.
    let uniform = sites_of(&one, &[("*.corp.example", &one)]);
    assert!(uniform.answers(uniform.default_site(), "a.b.corp.example"));
}

#[test]
fn what_is_no_site_is_refused_and_what_is_odd_is_said() {
    let root = Authority::root("Root");
    let identity = identities(&[&root.server(&["www.example.org"])]);
    let build = |change: &dyn Fn(&mut ServerOptions)| {
        let mut options = ServerOptions::new("web", SiteOptions::new("default", identity.clone()));
        change(&mut options);
        Sites::build(options, &engine())
    };
    let site = |label: &str, name: &str| {
        let mut site = SiteOptions::new(label, identity.clone());
        site.names = vec![name.to_owned()];
        site
    };
    assert!(matches!(
        build(&|options| options.default.identities.clear()),
        Err(BuildError::NoIdentity { .. })
    ));
    let twice = build(&|options| options.sites = vec![site("one", "a.example"), site("two", "A.example.")]);
    let error = twice.expect_err("two sites").to_string();
    assert!(
        error.contains("the site one") && error.contains("the site two"),
        "{error}"
    );
    for wrong in ["192.0.2.1", "a.*.example", "a b"] {
        let named = build(&|options| options.sites = vec![site("one", wrong)]);
        assert!(matches!(named, Err(BuildError::Name { .. })), "{wrong}");
    }
    for (length, is_good) in [(0, false), (1, true), (255, true), (256, false)] {
        let built = build(&|options| options.default.protocols = vec![vec![b'x'; length]]);
        assert_eq!(built.is_ok(), is_good, "{length}");
    }
    for (tickets, is_good) in [(0, true), (8, true), (9, false)] {
        assert_eq!(
            build(&|options| options.tls13_tickets = tickets).is_ok(),
            is_good,
            "{tickets}"
        );
    }
    for (seconds, is_good) in [(0, false), (1, true), (604_800, true), (604_801, false)] {
        let lifetime = std::time::Duration::from_secs(seconds);
        assert_eq!(
            build(&|options| options.session_lifetime = lifetime).is_ok(),
            is_good,
            "{seconds}"
        );
    }
    let odd = build(&|options| options.sites = vec![site("one", "other.example"), site("two", "www.example.org")]);
    let notes = odd.expect("sites").notes().to_vec();
    assert!(
        matches!(notes.as_slice(), [SiteNote::NotCovered { name, .. }] if name == "other.example"),
        "{notes:?}"
    );
}

#[test]
fn hostile_hellos_are_errors_with_a_word_wherever_they_are_cut_or_changed() {
    let (sites, _) = two_sites(false);
    let name = ServerName::try_from("www.example.org").expect("a name");
    let mut client = rustls::ClientConnection::new(Client::default().config(&engine()), name).expect("a client");
    let mut hello = Vec::new();
    client.write_tls(&mut hello).expect("written");
    for place in (0..hello.len()).step_by(5) {
        for value in [0, 1, 0x80, 0xff] {
            let mut changed = hello.clone();
            changed[place] = value;
            let mut server = ServerConnection::new(Arc::clone(sites.default_site().config())).expect("a server");
            server.read_tls(&mut changed.as_slice()).expect("read");
            if let Err(error) = server.process_new_packets() {
                assert_ne!(HandshakeFault::of(&error).word(), "internal", "{error}");
            }
        }
    }
    let mut server = ServerConnection::new(Arc::clone(sites.default_site().config())).expect("a server");
    server
        .read_tls(&mut &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..])
        .expect("read");
    let error = server.process_new_packets().expect_err("no TLS");
    assert_eq!(HandshakeFault::of(&error), HandshakeFault::NotTls, "{error}");
    // Byte by byte it is the same hello.
    let mut server = ServerConnection::new(Arc::clone(sites.default_site().config())).expect("a server");
    for byte in &hello {
        server.read_tls(&mut &[*byte][..]).expect("read");
        server.process_new_packets().expect("so far so good");
    }
    assert_eq!(server.server_name(), Some("www.example.org"));
    assert!(server.wants_write());
}

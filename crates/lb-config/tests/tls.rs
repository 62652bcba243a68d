//! TLS toward clients and backends: what good files mean, and what is said about others.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::Fake;
use lb_balance::route::{Action, Query};
use lb_config::{
    BuildError, ClientAuthMode, Environment, Kind, Plan, PoolTls, Problems, Roots, ServerTls, Severity, TrustedRoots,
    Version, build, parse, resolve,
};
use lb_types::Wall;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// One listener, one pool, and what is added to them.
fn file(listener: &str, pool: &str) -> String {
    format!(
        "version = 1\n[[listeners]]\nname = \"web\"\naddress = \"127.0.0.1:8443\"\npool = \"app\"\n{listener}\n\
         [[pools]]\nname = \"app\"\nbackends = [\"10.0.0.1:8000\", \"one.internal:8000\"]\n{pool}\n"
    )
}

fn plan(listener: &str, pool: &str) -> Plan {
    let resolved = resolve(&parse("lbd.toml", &file(listener, pool)), &Fake).unwrap();
    assert!(resolved.warnings.is_empty(), "{}", resolved.warnings);
    assert_round_trip(&resolved.plan);
    resolved.plan
}

fn assert_round_trip(plan: &Plan) {
    let text = plan.to_toml();
    let again = resolve(&parse("lbd.toml", &text), &Fake).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    assert_eq!(&again.plan, plan, "{text}");
    assert_eq!(again.plan.to_toml(), text);
}

#[test]
fn a_probe_goes_over_to_tls_where_the_file_says_so() {
    let address: lb_types::Address = "10.0.0.1:8000".parse::<SocketAddr>().unwrap().into();
    for (kind, is_kept) in [("smtp", true), ("postgresql", true), ("mysql", false)] {
        let pool = format!("tls = {{}}\nhealth = {{ kind = \"{kind}\", user = \"lbd\", starttls = {is_kept} }}");
        let health = plan("", &pool.replace("kind = \"smtp\", user = \"lbd\"", "kind = \"smtp\"")).pools[0]
            .health
            .clone()
            .unwrap();
        assert_eq!(health.starttls, is_kept, "{kind}");
        let mut other = health.clone();
        other.starttls = !is_kept;
        let probe = lb_config::probe(&health, address).unwrap();
        assert!(probe.is_some() && probe != lb_config::probe(&other, address).unwrap());
    }
}

fn server(plan: &Plan) -> &ServerTls {
    plan.listeners[0].tls.as_deref().unwrap()
}

fn upstream(plan: &Plan) -> &PoolTls {
    plan.pools[0].tls.as_deref().unwrap()
}

fn problems(listener: &str, pool: &str) -> Problems {
    match resolve(&parse("lbd.toml", &file(listener, pool)), &Fake) {
        Ok(resolved) => resolved.warnings,
        Err(problems) => problems,
    }
}

/// The only thing that is said.
#[track_caller]
fn only(listener: &str, pool: &str) -> (Kind, Severity, String) {
    let problems = problems(listener, pool);
    let [one] = problems.iter().collect::<Vec<_>>()[..] else {
        panic!("{problems}")
    };
    (
        one.kind,
        one.severity,
        format!("{}\n{}\n{}", one.message, one.label, one.help.join("\n")),
    )
}

fn paths(texts: &[&str]) -> Vec<PathBuf> {
    texts.iter().map(PathBuf::from).collect()
}

#[test]
fn one_folder_is_enough_and_holds_certificates_in_any_order() {
    let plan = plan("tls = { certificates = \"/etc/lbd/tls\" }", "");
    let tls = server(&plan);
    assert_eq!(tls.default.certificates.paths, paths(&["/etc/lbd/tls"]));
    let names: Vec<_> = tls
        .default
        .certificates
        .identities()
        .iter()
        .map(|identity| identity.names().to_vec())
        .collect();
    assert_eq!(
        names,
        [
            vec!["api.example.com".to_owned(), "*.api.example.com".to_owned()],
            vec!["www.example.com".to_owned(), "example.com".to_owned()]
        ]
    );
    assert_eq!(
        (tls.strict_sni, tls.server_order, tls.session_cache),
        (false, true, 20_480)
    );
    assert_eq!(tls.ticket_lifetime, Duration::from_secs(12 * 3600));
    assert_eq!(tls.default.client_auth.mode, ClientAuthMode::None);
    let opening = plan.listeners[0].opening.unwrap();
    assert_eq!(
        (opening.handshake, opening.max_handshakes, opening.hello_bytes),
        (Duration::from_secs(10), 2000, 16_384)
    );
    // The root is dropped, which is no warning but said once.
    assert!(
        plan.certificate_notes().iter().any(|note| note.contains("is not sent")),
        "{:?}",
        plan.certificate_notes()
    );
}

#[test]
fn every_file_that_a_plan_was_made_from_can_be_watched() {
    let plan = plan(
        "tls = { certificates = [\"/etc/lbd/tls\"], ticket_secret_file = \"/etc/lbd/tickets.key\", client_auth = \"optional\", \
         authorities = \"/etc/lbd/ca.pem\", crl = \"/etc/lbd/crl.pem\" }\nallow_files = \"/etc/lbd/friends.txt\"",
        "tls = { roots = \"/etc/lbd/ca.pem\", certificates = [\"/etc/lbd/client.pem\", \"/etc/lbd/client.key\"] }\n\
         persistence = { kind = \"cookie_insert\", secret_file = \"/etc/lbd/secret\" }",
    );
    assert_eq!(
        plan.files(),
        paths(&[
            "/etc/lbd/ca.pem",
            "/etc/lbd/client.key",
            "/etc/lbd/client.pem",
            "/etc/lbd/crl.pem",
            "/etc/lbd/friends.txt",
            "/etc/lbd/secret",
            "/etc/lbd/tickets.key",
            // The folder too: files come and go.
            "/etc/lbd/tls",
            "/etc/lbd/tls/README",
            "/etc/lbd/tls/api.pem",
            "/etc/lbd/tls/www.key",
            "/etc/lbd/tls/www.pem",
        ])
    );
    assert_eq!(self::plan("", "").files(), paths(&[]));
}

#[test]
fn numbers_and_versions_are_read_and_written() {
    let plan = plan(
        "limits = { max_handshakes = 7, hello_bytes = \"4KiB\" }\ntimeouts = { handshake = \"3s\" }\n[listeners.tls]\n\
         certificates = [\"/etc/lbd/www.pem\", \"/etc/lbd/www.key\"]\nmin_version = \"1.3\"\nserver_order = false\nstrict_sni = true\n\
         session_cache = 0\nticket_lifetime = \"1h\"",
        "",
    );
    let tls = server(&plan);
    assert_eq!(tls.default.versions.min(), Version::Tls13);
    assert_eq!((tls.strict_sni, tls.server_order, tls.session_cache), (true, false, 0));
    let opening = plan.listeners[0].opening.unwrap();
    assert_eq!(
        (opening.handshake, opening.max_handshakes, opening.hello_bytes),
        (Duration::from_secs(3), 7, 4096)
    );
}

#[test]
fn what_stands_further_out_holds_for_listeners_with_tls_alone() {
    let text = file("tls = { certificates = \"/etc/lbd/api.pem\" }", "")
        + "[limits]\nmax_handshakes = 9\n[timeouts]\nhandshake = \"2s\"\n[[listeners]]\nname = \"plain\"\naddress = \"127.0.0.1:8080\"\npool = \"app\"\n";
    let plan = resolve(&parse("lbd.toml", &text), &Fake).unwrap().plan;
    assert_round_trip(&plan);
    assert_eq!(plan.listeners[0].opening.unwrap().max_handshakes, 9);
    assert_eq!(plan.listeners[1].opening, None);
    for (key, value) in [
        ("limits", "max_handshakes = 9"),
        ("limits", "hello_bytes = 4096"),
        ("timeouts", "handshake = \"2s\""),
    ] {
        let (kind, _, said) = only(&format!("{key} = {{ {value} }}"), "");
        assert_eq!(kind, Kind::NotApplicable, "{said}");
    }
}

#[test]
fn a_password_opens_a_key_and_a_wrong_one_is_told_from_none() {
    let tls = |password: &str| format!("tls = {{ certificates = \"/etc/lbd/one\"{password} }}");
    let plan = plan(&tls(", password_file = \"/etc/lbd/password\""), "");
    assert_eq!(server(&plan).default.certificates.identities().len(), 1);
    for (written, word) in [
        ("", "password"),
        (", password_file = \"/etc/lbd/wrong-password\"", "password"),
        (", password_file = \"/etc/lbd/empty\"", "is empty"),
        (", password_file = \"/etc/lbd/nowhere\"", "cannot be read"),
    ] {
        let (_, severity, said) = only(&tls(written), "");
        assert_eq!(severity, Severity::Error);
        assert!(said.contains(word), "{written}: {said}");
        assert!(!said.contains("open-"), "{said}");
    }
}

#[test]
fn files_that_cannot_be_served_are_errors_at_the_key_that_names_them() {
    for (certificates, kind, words) in [
        ("\"/etc/lbd/nowhere.pem\"", Kind::UnreadableFile, "no such file"),
        ("\"tls/www.pem\"", Kind::BadPath, "begins with `/`"),
        ("[]", Kind::BadText, "is empty"),
        ("[\"\"]", Kind::BadText, "empty text"),
        ("7", Kind::WrongType, "expected a text in quotes, or a list of them"),
        ("\"/etc/lbd/www.pem\"", Kind::BadCertificate, "has no key"),
        (
            "[\"/etc/lbd/api.pem\", \"/etc/lbd/lost.key\"]",
            Kind::BadCertificate,
            "belongs to no certificate",
        ),
        ("\"/etc/lbd/half\"", Kind::BadCertificate, "/etc/lbd/half/www.pem"),
        ("\"/etc/lbd/none\"", Kind::BadCertificate, "no certificate and no key"),
        ("\"/etc/lbd/friends.txt\"", Kind::BadCertificate, "/etc/lbd/friends.txt"),
    ] {
        let listener = format!("tls = {{ certificates = {certificates} }}");
        let problems = problems(&listener, "");
        let [one] = problems.iter().collect::<Vec<_>>()[..] else {
            panic!("{problems}")
        };
        assert_eq!((one.kind, one.severity), (kind, Severity::Error), "{problems}");
        let said = problems.to_string();
        assert!(said.contains(words), "{words}: {said}");
        let text = file(&listener, "");
        let underlined = &text[one.span.clone().unwrap()];
        assert!(certificates.contains(underlined), "{underlined}");
    }
}

#[test]
fn two_bad_files_are_two_problems_each_at_its_own_path() {
    let text = file(
        "tls = { certificates = [\"/etc/lbd/nowhere.pem\", \"/etc/lbd/api.pem\", \"/etc/lbd/neither.pem\"] }",
        "",
    );
    let problems = resolve(&parse("lbd.toml", &text), &Fake).unwrap_err();
    let places: Vec<&str> = problems.iter().map(|one| &text[one.span.clone().unwrap()]).collect();
    assert_eq!(places, ["\"/etc/lbd/nowhere.pem\"", "\"/etc/lbd/neither.pem\""]);
}

#[test]
fn an_expired_certificate_is_loud_and_no_refusal() {
    let (kind, severity, said) = only(
        "tls = { certificates = [\"/etc/lbd/old.pem\", \"/etc/lbd/old.key\"] }",
        "",
    );
    assert_eq!((kind, severity), (Kind::DoubtfulCertificate, Severity::Warning));
    assert!(said.contains("EXPIRED") && said.contains("/etc/lbd/old.pem"), "{said}");
}

#[test]
fn a_version_that_is_too_old_or_above_the_newest_is_refused() {
    let said = |keys: &str| only(&format!("tls = {{ certificates = \"/etc/lbd/tls\", {keys} }}"), "").2;
    assert!(said("min_version = \"1.1\"").contains("did you mean \"1.2\"?"));
    assert!(said("min_version = \"TLSv1.3\"").contains("did you mean \"1.3\"?"));
    assert!(said("min_version = \"1.3\", max_version = \"1.2\"").contains("nothing could be spoken"));
    assert!(said("min_version = 1.2").contains("min_version = \"1.2\""));
}

#[test]
fn without_certificates_there_is_no_tls() {
    let (kind, _, said) = only("tls = {}", "");
    assert_eq!(kind, Kind::MissingKey);
    assert!(said.contains("certificates = \"/etc/lbd/tls\""), "{said}");
    let (kind, _, said) = only("tls = true", "");
    assert_eq!(kind, Kind::WrongType);
    assert!(said.contains("tls = { certificates = "), "{said}");
    let (kind, ..) = only(
        "tls = { password_file = \"/etc/lbd/password\", certificate = \"/etc/lbd/tls\" }",
        "",
    );
    assert_eq!(kind, Kind::UnknownKey);
}

#[test]
fn plain_http_on_port_443_is_warned_of_on_both_sides() {
    let listener = file("", "").replace("127.0.0.1:8443", "127.0.0.1:443");
    let pool = file("", "").replace("10.0.0.1:8000", "10.0.0.1:443");
    for text in [&listener, &pool] {
        let warnings = resolve(&parse("lbd.toml", text), &Fake).unwrap().warnings;
        let kinds: Vec<Kind> = warnings.iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [Kind::NoTls], "{warnings}");
    }
    for text in [
        listener.replace(
            "pool = \"app\"",
            "pool = \"app\"\ntls = { certificates = \"/etc/lbd/tls\" }",
        ),
        listener.replace("pool = \"app\"", "pool = \"app\"\nprotocol = \"tcp\""),
        pool.replace("[[pools]]", "[[pools]]\ntls = {}"),
        pool.replace("pool = \"app\"", "pool = \"app\"\nprotocol = \"tcp\""),
    ] {
        let warnings = resolve(&parse("lbd.toml", &text), &Fake).unwrap().warnings;
        assert!(warnings.is_empty(), "{text}{warnings}");
    }
}

#[test]
fn backends_are_verified_unless_the_file_says_otherwise() {
    let plan = plan("", "tls = {}");
    let tls = upstream(&plan);
    assert!(tls.verify && tls.sni && tls.pins.is_empty());
    assert_eq!(tls.roots, TrustedRoots::System);
    assert_eq!(tls.server_name, None);
    let (kind, severity, said) = only("", "tls = { verify = \"none\" }");
    assert_eq!((kind, severity), (Kind::Unverified, Severity::Warning));
    assert!(said.contains("pins"), "{said}");
    let (kind, ..) = only("", "tls = true");
    assert_eq!(kind, Kind::WrongType);
}

#[test]
fn every_key_of_a_pools_tls_is_read_and_written() {
    let plan = plan(
        "",
        "[pools.tls]\nroots = [\"/etc/lbd/ca.pem\"]\nserver_name = \"App.Example.COM\"\nsni = false\n\
         certificates = [\"/etc/lbd/client.pem\", \"/etc/lbd/client.key\"]\nmax_version = \"1.2\"",
    );
    let tls = upstream(&plan);
    assert_eq!(tls.roots, TrustedRoots::Files(paths(&["/etc/lbd/ca.pem"])));
    assert_eq!(tls.server_name.as_deref(), Some("app.example.com"));
    assert!(!tls.sni);
    assert_eq!(tls.versions.max(), Version::Tls12);
    assert_eq!(tls.certificates.identities().len(), 1);
}

#[test]
fn a_backend_has_a_name_of_its_own_only_where_tls_is_spoken() {
    let backends = |pool: &str| {
        file("", pool).replace(
            "\"10.0.0.1:8000\"",
            "{ address = \"10.0.0.1:8000\", tls = { server_name = \"a.internal\" } }",
        )
    };
    let plan = resolve(&parse("lbd.toml", &backends("tls = {}")), &Fake).unwrap().plan;
    assert_round_trip(&plan);
    assert_eq!(plan.pools[0].backends[0].server_name.as_deref(), Some("a.internal"));
    let problems = resolve(&parse("lbd.toml", &backends("")), &Fake).unwrap_err();
    assert!(
        problems.to_string().contains("write tls = {} in the pool"),
        "{problems}"
    );
}

#[test]
fn a_unix_socket_needs_a_name_to_be_verified_by() {
    let text = |tls: &str| file("", tls).replace("\"10.0.0.1:8000\"", "\"unix:/run/app.sock\"");
    let problems = resolve(&parse("lbd.toml", &text("tls = {}")), &Fake).unwrap_err();
    assert!(problems.to_string().contains("server_name"), "{problems}");
    assert!(resolve(&parse("lbd.toml", &text("tls = { server_name = \"app\" }")), &Fake).is_ok());
}

#[test]
fn s_xff_02_a_unix_socket_has_no_addresses_to_be_transparent_with() {
    assert!(plan("", "transparent = true").pools[0].transparent);
    assert!(!plan("", "transparent = false").pools[0].transparent);
    let text = file("", "transparent = true").replace("\"one.internal:8000\"", "\"unix:/run/app.sock\"");
    let problems = resolve(&parse("lbd.toml", &text), &Fake).unwrap_err();
    assert_eq!(problems.errors(), 1, "{problems}");
    let said = problems.to_string();
    assert!(
        said.contains("a Unix domain socket") && said.contains("proxy_protocol = \"v2\""),
        "{said}"
    );
}

#[test]
fn what_is_compared_with_nothing_is_an_error_beside_verify_none() {
    let problems = problems("", "tls = { verify = \"none\", roots = \"/etc/lbd/ca.pem\" }");
    assert_eq!(problems.errors(), 1, "{problems}");
}

/// As [`Fake`], with other bytes in one file.
#[derive(Debug)]
struct Rewritten(&'static str, &'static [u8]);

impl Environment for Rewritten {
    fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Fake.look_up(host, port)
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        Fake.read(path)
    }

    fn read_bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        if path == Path::new(self.0) {
            return Ok(self.1.to_vec());
        }
        Fake.read_bytes(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        Fake.list(folder)
    }

    fn roots(&self) -> io::Result<Roots> {
        Fake.roots()
    }

    fn now(&self) -> Wall {
        Fake.now()
    }
}

#[test]
fn a_plan_is_another_one_when_a_certificate_is() {
    let text = file(
        "tls = { certificates = [\"/etc/lbd/www.pem\", \"/etc/lbd/www.key\", \"/etc/lbd/one\"], password_file = \"/etc/lbd/password\" }",
        "",
    );
    let with = |environment: &dyn Environment| resolve(&parse("lbd.toml", &text), environment).unwrap().plan;
    assert_eq!(with(&Fake), with(&Fake));
    let changed = Rewritten("/etc/lbd/www.pem", include_bytes!("tls/api-and-key.pem"));
    assert_ne!(with(&Fake), with(&changed));
}

#[test]
fn neither_debug_nor_text_of_a_plan_shows_a_key_or_a_password() {
    let plan = plan(
        "tls = { certificates = \"/etc/lbd/one\", password_file = \"/etc/lbd/password\" }",
        "",
    );
    for text in [format!("{plan:?}"), plan.to_toml()] {
        assert!(!text.contains("open-sesame") && !text.contains("PRIVATE"), "{text}");
    }
}

#[test]
fn a_key_that_is_pasted_where_its_path_belongs_is_not_repeated() {
    let said = problems(
        "tls = { certificates = \"-----BEGIN PRIVATE KEY-----MIGHAgEAMBMGByqG-----END PRIVATE KEY-----\" }",
        "",
    )
    .to_string();
    assert!(
        said.contains("not where it is") && !said.contains("MIGHAgEAMBMGByqG"),
        "{said}"
    );
    let said = problems(
        "tls = { certificates = \"/etc/lbd/one\", password_file = \"hunter2-hunter3\" }",
        "",
    )
    .to_string();
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn an_environment_that_answers_nothing_reads_no_certificates() {
    let text =
        file("tls = { certificates = \"/etc/lbd/tls\" }", "").replace("\"one.internal:8000\"", "\"10.0.0.2:80\"");
    let problems = resolve(&parse("lbd.toml", &text), &lb_config::Nowhere).unwrap_err();
    assert!(problems.to_string().contains("is not read here"), "{problems}");
}

#[test]
fn the_machines_own_files_and_folders_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls");
    let system = lb_config::System;
    assert!(
        system
            .list(Path::new(folder))
            .unwrap()
            .contains(&Path::new(folder).join("ca.pem"))
    );
    let error = system.read_bytes(Path::new(folder)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    assert!(
        system
            .read_bytes(&Path::new(folder).join("ca.pem"))
            .unwrap()
            .starts_with(b"-----BEGIN")
    );
}

#[test]
fn sites_inherit_what_they_do_not_say() {
    let plan = plan(
        "[listeners.tls]\ncertificates = \"/etc/lbd/tls\"\nmin_version = \"1.3\"\nauthorities = \"/etc/lbd/ca.pem\"\ndepth = 2\n\
         [[listeners.tls.sites]]\nnames = [\"API.example.com\", \"*.api.example.com\"]\ncertificates = \"/etc/lbd/api.pem\"\n\
         client_auth = \"required\"\ncrl = \"/etc/lbd/crl.pem\"\nexpired_crl = \"accept\"\n\
         [[listeners.tls.sites]]\nnames = [\"www.example.com\"]\nmin_version = \"1.2\"",
        "",
    );
    let tls = server(&plan);
    let [api, www] = &tls.sites[..] else { panic!("{tls:?}") };
    assert_eq!(api.names, ["api.example.com", "*.api.example.com"]);
    assert_eq!(api.certificates.identities().len(), 1);
    assert_eq!(api.versions.min(), Version::Tls13);
    let auth = &api.client_auth;
    assert_eq!((auth.mode, auth.depth), (ClientAuthMode::Required, 2));
    assert_eq!(auth.authorities, paths(&["/etc/lbd/ca.pem"]));
    assert!(auth.accepts_expired_crl && !auth.accepts_missing_crl);
    assert_eq!(www.client_auth.mode, ClientAuthMode::None);
    assert_eq!(www.versions.min(), Version::Tls12);
    assert_eq!(www.certificates, tls.default.certificates);
    assert!(tls.asks_clients());
}

#[test]
fn without_certificates_of_its_own_a_listener_has_those_of_its_sites() {
    let plan = plan(
        "[listeners.tls]\nstrict_sni = true\n[[listeners.tls.sites]]\nnames = [\"api.example.com\"]\ncertificates = \"/etc/lbd/api.pem\"",
        "",
    );
    assert!(server(&plan).default.certificates.identities().is_empty());
    let snapshot = build(&plan, None).unwrap().commit();
    let tls = snapshot.listeners[0].options.preface.tls.as_ref().unwrap();
    assert!(tls.sites.find(Some("api.example.com")).is_ok());
    assert!(tls.sites.find(Some("www.example.com")).is_err());
    let (kind, ..) = only("tls = { sites = [{ names = [\"a.example\"] }] }", "");
    assert_eq!(kind, Kind::MissingKey);
}

#[test]
fn s_mtls_02_a_listener_without_certificates_keeps_its_own_rule_and_versions() {
    let listener = |own: &str, site: &str| {
        format!(
            "[listeners.tls]\nauthorities = \"/etc/lbd/ca.pem\"\n{own}\n[[listeners.tls.sites]]\nnames = [\"api.example.com\"]\n\
             certificates = \"/etc/lbd/api.pem\"\n{site}"
        )
    };
    let (strict, open) = (
        "client_auth = \"required\"\nmin_version = \"1.3\"",
        "client_auth = \"none\"\nmin_version = \"1.2\"",
    );
    for (own, site, mode, oldest) in [
        (strict, open, ClientAuthMode::Required, Version::Tls13),
        (open, strict, ClientAuthMode::None, Version::Tls12),
        (strict, "", ClientAuthMode::Required, Version::Tls13),
    ] {
        let plan = plan(&listener(own, site), "");
        let snapshot = build(&plan, None).unwrap().commit();
        let sites = &snapshot.listeners[0].options.preface.tls.as_ref().unwrap().sites;
        let default = sites.default_site();
        assert_eq!(default.client_auth().mode(), mode, "{own} {site}");
        assert_eq!(default.versions().min(), oldest, "{own} {site}");
        // Its certificates are the site's.
        let api = sites.find(Some("api.example.com")).unwrap();
        assert_eq!(default.identities().len(), 1);
        assert!(Arc::ptr_eq(&default.identities()[0], &api.identities()[0]));
        assert_ne!(default.id(), api.id());
    }
}

#[test]
fn s_mtls_02_client_authentication_is_per_listener_and_per_name() {
    let plan = plan(
        "[listeners.tls]\ncertificates = \"/etc/lbd/tls\"\nclient_auth = \"optional\"\nauthorities = \"/etc/lbd/ca.pem\"\n\
         crl = [\"/etc/lbd/crl.pem\"]\n[[listeners.tls.sites]]\nnames = [\"api.example.com\"]\nclient_auth = \"required\"",
        "",
    );
    let snapshot = build(&plan, None).unwrap().commit();
    let sites = &snapshot.listeners[0].options.preface.tls.as_ref().unwrap().sites;
    let mode = |name| sites.find(name).unwrap().client_auth().mode();
    assert_eq!(mode(Some("api.example.com")), ClientAuthMode::Required);
    assert_eq!(mode(Some("www.example.com")), ClientAuthMode::Optional);
    assert_eq!(mode(None), ClientAuthMode::Optional);
}

#[test]
fn authorities_and_lists_that_are_none_are_errors_at_their_key() {
    for (keys, words) in [
        ("authorities = \"/etc/lbd/www.key\"", "no certificate of an authority"),
        ("authorities = \"/etc/lbd/friends.txt\"", "friends.txt"),
        ("authorities = \"/etc/lbd\"", "names a folder"),
        (
            "authorities = \"/etc/lbd/ca.pem\", crl = \"/etc/lbd/ca.pem\"",
            "no revocation list",
        ),
        (
            "authorities = \"/etc/lbd/ca.pem\", crl = \"/etc/lbd/empty\"",
            "nobody would be checked",
        ),
        ("authorities = \"/etc/lbd/ca.pem\", depth = 7", "allowed: 0 to 6"),
    ] {
        let (_, severity, said) = only(
            &format!("tls = {{ certificates = \"/etc/lbd/tls\", client_auth = \"required\", {keys} }}"),
            "",
        );
        assert_eq!(severity, Severity::Error);
        assert!(said.contains(words), "{keys}: {said}");
    }
}

#[test]
fn what_is_no_secret_for_tickets_is_refused() {
    for (file, words) in [
        ("/etc/lbd/password", "fewer than 32"),
        ("/etc/lbd/nowhere", "cannot be read"),
    ] {
        let (_, severity, said) = only(
            &format!("tls = {{ certificates = \"/etc/lbd/tls\", ticket_secret_file = \"{file}\" }}"),
            "",
        );
        assert_eq!(severity, Severity::Error);
        assert!(said.contains(words) && !said.contains("sesame"), "{said}");
    }
}

#[test]
fn s_tls_05_a_listener_is_built_with_a_certificate_for_each_name() {
    let plan = plan(
        "limits = { max_handshakes = 7, hello_bytes = \"4KiB\" }\ntimeouts = { handshake = \"3s\" }\nhsts = \"180d\"\n\
         tls = { certificates = \"/etc/lbd/tls\", ticket_secret_file = \"/etc/lbd/tickets.key\" }",
        "",
    );
    let snapshot = build(&plan, None).unwrap().commit();
    let options = &snapshot.listeners[0].options;
    let preface = &options.preface;
    assert_eq!(
        (preface.timeout, preface.max_handshakes, preface.hello_bytes),
        (Duration::from_secs(3), 7, 4096)
    );
    let site = preface.tls.as_ref().unwrap().sites.default_site();
    assert_eq!(site.identities().len(), 2);
    // The second for clients that offer it alone; the one that both have first is taken.
    assert_eq!(
        site.config().alpn_protocols,
        [b"http/1.1".to_vec(), b"http/1.0".to_vec()]
    );
    assert!(site.config().ignore_client_order);
    assert!(!site.config_for([0x1303]).ignore_client_order);
    let lb_proxy::Service::Http(http) = &options.service else {
        panic!("{options:?}")
    };
    assert_eq!(http.https.hsts, Some(Duration::from_secs(180 * 86_400)));
}

#[test]
fn bytes_over_tls_agree_on_no_protocol() {
    let plan = plan(
        "protocol = \"tcp\"\ntls = { certificates = \"/etc/lbd/tls\" }",
        "tls = {}",
    );
    let snapshot = build(&plan, None).unwrap().commit();
    let tls = snapshot.listeners[0].options.preface.tls.as_ref().unwrap();
    assert!(tls.sites.default_site().config().alpn_protocols.is_empty());
    let upstream = snapshot.pools[0].options.tls[0].as_ref().unwrap();
    assert!(upstream.config().alpn_protocols.is_empty());
}

#[test]
fn s_tls_10_each_backend_is_verified_by_its_own_name() {
    let text = file(
        "",
        "tls = {}\n[[pools]]\nname = \"plain\"\nbackends = [\"10.0.0.9:80\"]",
    )
    .replace(
        "\"10.0.0.1:8000\"",
        "\"10.0.0.1:8000\", { address = \"10.0.0.2:8000\", tls = { server_name = \"two.example.com\" } }",
    );
    let plan = resolve(&parse("lbd.toml", &text), &Fake).unwrap().plan;
    let snapshot = build(&plan, None).unwrap().commit();
    let pool = |name: &str| {
        let mut entries = snapshot.pools.iter();
        &entries.find(|entry| entry.pool.name() == name).unwrap().options
    };
    let names: Vec<String> = pool("app")
        .tls
        .iter()
        .map(|tls| tls.as_ref().unwrap().server_name().to_str().into_owned())
        .collect();
    assert_eq!(names, ["10.0.0.1", "two.example.com", "one.internal"]);
    assert_eq!(
        pool("app").tls[0].as_ref().unwrap().config().alpn_protocols,
        [b"http/1.1".to_vec()]
    );
    assert!(pool("plain").tls.is_empty());
}

#[test]
fn sessions_with_backends_outlive_a_reload_and_not_a_change_of_trust() {
    let first = build(&plan("", "tls = {}"), None).unwrap().commit();
    let of = |snapshot: &lb_config::Snapshot| Arc::clone(snapshot.pools[0].options.tls[0].as_ref().unwrap());
    let same = build(&plan("", "tls = {}"), Some(&first)).unwrap().commit();
    assert!(Arc::ptr_eq(&of(&first), &of(&same)));
    let pin = "key-sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let other = plan("", &format!("tls = {{ pins = \"{pin}\" }}"));
    let other = build(&other, Some(&same)).unwrap().commit();
    assert!(!Arc::ptr_eq(&of(&first), &of(&other)));
    assert_ne!(of(&first).identity(), of(&other).identity());
}

#[test]
fn pins_do_without_authorities_unless_both_are_written() {
    let pin = "key-sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let alone = plan("", &format!("tls = {{ pins = [\"{pin}\"] }}"));
    assert_eq!(upstream(&alone).roots, TrustedRoots::None);
    assert_eq!(upstream(&alone).pins[0].to_string(), pin);
    let both = plan("", &format!("tls = {{ pins = [\"{pin}\"], roots = \"system\" }}"));
    assert_eq!(upstream(&both).roots, TrustedRoots::System);
    assert!(build(&alone, None).is_ok());
    assert!(build(&both, None).is_ok());
}

#[test]
fn a_machine_without_roots_is_told_what_to_install() {
    #[derive(Debug)]
    struct Bare;
    impl Environment for Bare {
        fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
            Fake.look_up(host, port)
        }
        fn read(&self, path: &Path) -> io::Result<String> {
            Fake.read(path)
        }
    }
    let problems = resolve(&parse("lbd.toml", &file("", "tls = {}")), &Bare).unwrap_err();
    assert!(problems.to_string().contains("ca-certificates"), "{problems}");
    assert!(resolve(&parse("lbd.toml", &file("", "tls = { verify = \"none\" }")), &Bare).is_ok());
}

#[test]
fn probes_send_the_pools_header_unless_they_have_their_own() {
    use lb_config::ProxyHeader;
    let header = |pool: &str| plan("", pool).pools[0].health.as_ref().unwrap().proxy_protocol;
    assert_eq!(
        header("proxy_protocol = \"v2\"\nhealth = { kind = \"tcp\" }"),
        Some(ProxyHeader::V2Local)
    );
    assert_eq!(
        header("proxy_protocol = \"v1\"\nhealth = { kind = \"http\" }"),
        Some(ProxyHeader::V1)
    );
    assert_eq!(
        header("proxy_protocol = \"v1\"\nhealth = { kind = \"http\", proxy_protocol = \"v2\" }"),
        Some(ProxyHeader::V2)
    );
    assert_eq!(
        header("proxy_protocol = \"v1\"\nhealth = { kind = \"udp\", send = \"x\" }"),
        None
    );
    assert_eq!(
        plan("", "health = { kind = \"tcp\", tls = false }").pools[0]
            .health
            .as_ref()
            .unwrap()
            .tls,
        Some(false)
    );
}

#[test]
fn headers_of_the_proxy_protocol_are_built_in_both_directions() {
    let plan = plan(
        "proxy_protocol = \"accept\"\nproxy_protocol_from = [\"10.0.0.0/8\", \"::1\"]\ntimeouts = { handshake = \"1s\" }",
        "proxy_protocol = { crc = true, tlvs = [\"ssl\", \"authority\"] }",
    );
    let snapshot = build(&plan, None).unwrap().commit();
    let proxy = snapshot.listeners[0].options.preface.proxy.as_ref().unwrap();
    assert!(!proxy.is_required);
    assert_eq!(proxy.from.len(), 2);
    assert_eq!(snapshot.listeners[0].options.preface.timeout, Duration::from_secs(1));
    let out = snapshot.pools[0].options.proxy.unwrap();
    assert_eq!(out.version, lb_proxy::ProxyVersion::V2);
    assert!(out.crc && out.ssl && out.authority && !out.unique_id && !out.alpn);
}

#[test]
fn s_mtls_11_the_longest_range_decides_who_may_connect() {
    let plan = plan(
        "allow = [\"192.0.2.0/24\"]\nallow_files = \"/etc/lbd/friends.txt\"\ndeny = [\"10.1.0.0/16\"]\ndeny_files = [\"/etc/lbd/foes.txt\"]",
        "",
    );
    let snapshot = build(&plan, None).unwrap().commit();
    let access = snapshot.listeners[0].options.preface.access.as_ref().unwrap();
    for (address, allowed) in [
        ("10.2.0.1", true),
        ("10.1.0.1", false),
        ("192.0.2.1", false),
        ("192.0.2.2", true),
        ("2001:db8::1", true),
        ("8.8.8.8", false),
    ] {
        assert_eq!(access.check(address.parse().unwrap()).allowed, allowed, "{address}");
    }
    let everybody = self::plan("", "");
    assert!(everybody.listeners[0].access.access().is_none());
    let but_one = self::plan("deny = [\"192.0.2.1\"]", "");
    let access = but_one.listeners[0].access.access().unwrap();
    assert!(access.check("8.8.8.8".parse().unwrap()).allowed);
    assert!(!access.check("192.0.2.1".parse().unwrap()).allowed);
}

#[test]
fn a_bad_line_of_a_list_is_named_by_its_number() {
    let (kind, severity, said) = only("allow_files = \"/etc/lbd/not-ranges.txt\"", "");
    assert_eq!((kind, severity), (Kind::BadRange, Severity::Error));
    assert!(
        said.contains("/etc/lbd/not-ranges.txt, line 2") && said.contains("nobody"),
        "{said}"
    );
}

#[test]
fn a_range_that_a_file_allows_and_another_denies_is_warned_of() {
    let (kind, severity, said) = only("deny_files = \"/etc/lbd/foes.txt\"\nallow = [\"192.0.2.1\"]", "");
    assert_eq!((kind, severity), (Kind::Contradiction, Severity::Warning));
    assert!(
        said.contains("192.0.2.1/32 is allowed by `allow` and denied by /etc/lbd/foes.txt"),
        "{said}"
    );
}

#[test]
fn s_mtls_09_routes_and_headers_about_certificates_need_a_listener_that_asks_for_them() {
    let route = "[[listeners.routes]]\npath = \"/members\"\npool = \"app\"\nverified = true";
    let asks =
        "tls = { certificates = \"/etc/lbd/api.pem\", client_auth = \"optional\", authorities = \"/etc/lbd/ca.pem\" }";
    let with = plan(&format!("{asks}\nforwarded = {{ client_verify = true }}\n{route}"), "");
    let lb_config::Service::Http(http) = &with.listeners[0].service else {
        panic!("{with:?}")
    };
    assert!(http.routes[0].verified && http.forwarded.client_verify);
    for (listener, key) in [
        (route.to_owned(), "verified"),
        (
            format!("tls = {{ certificates = \"/etc/lbd/api.pem\" }}\n{route}"),
            "verified",
        ),
        ("forwarded = { client_verify = true }".to_owned(), "client_verify"),
    ] {
        let (kind, severity, said) = only(&listener, "");
        assert_eq!((kind, severity), (Kind::NotApplicable, Severity::Error), "{said}");
        assert!(
            said.contains(&format!("`{key}` means nothing")) && said.contains("client_auth"),
            "{said}"
        );
    }
}

#[test]
fn routes_have_lists_of_their_own() {
    let plan = plan(
        "[[listeners.routes]]\npath = \"/admin\"\npool = \"app\"\nallow = [\"10.0.0.0/8\"]\ndeny_files = \"/etc/lbd/foes.txt\"",
        "",
    );
    let lb_config::Service::Http(http) = &plan.listeners[0].service else {
        panic!("{plan:?}")
    };
    let access = http.routes[0].access.access().unwrap();
    assert!(access.check("10.0.0.1".parse().unwrap()).allowed);
    assert!(!access.check("11.0.0.1".parse().unwrap()).allowed);
    let snapshot = build(&plan, None).unwrap().commit();
    let lb_proxy::Service::Http(http) = &snapshot.listeners[0].options.service else {
        panic!("{snapshot:?}")
    };
    assert!(
        !http.guards[0]
            .access
            .as_ref()
            .unwrap()
            .check("11.0.0.1".parse().unwrap())
            .allowed
    );
    let host = None;
    let found = |path: &'static [u8]| http.routes.find(&Query { host, path });
    let guarded = Action::Guarded {
        guard: 0,
        then: Box::new(Action::Forward(0)),
    };
    assert_eq!(found(b"/admin/x"), Some(&guarded));
    assert_eq!(found(b"/"), Some(&Action::Forward(0)));
    // No other spelling leads around the list.
    assert!(matches!(found(b"/x/..;/%61dmin"), Some(Action::Refuse(_))));
    assert!(!http.guards[0].verified);
    // Lists that nobody has read: nothing is served that they might forbid.
    let mut unread = plan.clone();
    let lb_config::Service::Http(http) = &mut unread.listeners[0].service else {
        panic!("{unread:?}")
    };
    http.routes[0].access = lb_config::AccessLists::default();
    http.routes[0].access.deny_files = paths(&["/etc/lbd/foes.txt"]);
    let errors = build(&unread, None).unwrap_err();
    let [BuildError::NotLoaded { owner }] = errors.iter().collect::<Vec<_>>()[..] else {
        panic!("{errors}")
    };
    assert!(owner.contains("/admin"), "{owner}");
    let mut unread = plan.clone();
    unread.listeners[0].access.deny_files = paths(&["/etc/lbd/foes.txt"]);
    let errors = build(&unread, None).unwrap_err();
    assert!(
        errors.iter().any(|error| matches!(error, BuildError::NotLoaded { .. })),
        "{errors}"
    );
}

#[test]
fn tls_is_passed_on_by_name_and_protocol() {
    let plan = plan(
        "protocol = \"tls_passthrough\"\ntimeouts = { idle = \"2m\", connect = \"1s\" }\nlimits = { hello_bytes = 2048 }\n\
         [[listeners.routes]]\nhosts = [\"A.example.com\", \"*.example.com\"]\nalpn = [\"h2\", \"http/1.1\"]\npool = \"app\"\n\
         timeouts = { connect = \"3s\" }\n[[listeners.routes]]\nhost = \"a.example.com\"\npool = \"app\"",
        "",
    );
    let snapshot = build(&plan, None).unwrap().commit();
    let options = &snapshot.listeners[0].options;
    let lb_proxy::Service::Passthrough(service) = &options.service else {
        panic!("{options:?}")
    };
    assert_eq!(options.preface.hello_bytes, 2048);
    assert_eq!(service.idle_timeout, Duration::from_secs(120));
    assert_eq!(service.routes[0].hosts, ["a.example.com", "*.example.com"]);
    assert_eq!(service.routes[0].alpn, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    // The same pool with another patience stands there twice.
    let connect = |position: usize| snapshot.pools[position].options.connect_timeout;
    assert_eq!(connect(service.routes[0].pool), Duration::from_secs(3));
    assert_eq!(connect(service.default.unwrap()), Duration::from_secs(1));
    assert_eq!(service.routes[1].pool, service.default.unwrap());
}

#[test]
fn a_listener_that_sends_to_https_needs_no_pool() {
    let text = file(
        "tls = { certificates = \"/etc/lbd/tls\" }\n[[listeners]]\nname = \"plain\"\naddress = \"127.0.0.1:8080\"\nredirect_to_https = true",
        "",
    );
    let resolved = resolve(&parse("lbd.toml", &text), &Fake).unwrap();
    assert!(resolved.warnings.is_empty(), "{}", resolved.warnings);
    assert_round_trip(&resolved.plan);
    let snapshot = build(&resolved.plan, None).unwrap().commit();
    let lb_proxy::Service::Http(http) = &snapshot.listeners[1].options.service else {
        panic!("{snapshot:?}")
    };
    assert!(http.https.redirect);
}

#[test]
fn s_mtls_10_the_clients_certificate_reaches_the_backend_where_one_is_asked_for() {
    let plan = plan(
        "forwarded = { client_cert = true, xfcc = true, port = false }\ntls = { certificates = \"/etc/lbd/tls\", client_auth = \
         \"required\", authorities = \"/etc/lbd/ca.pem\" }",
        "",
    );
    let snapshot = build(&plan, None).unwrap().commit();
    let lb_proxy::Service::Http(http) = &snapshot.listeners[0].options.service else {
        panic!("{snapshot:?}")
    };
    assert!(http.https.client_cert && http.https.xfcc);
}

/// What lies beside certificates in folders of other programs. The parameters are cut short: nobody looks into them.
const BESIDE: &[(&str, &[u8])] = &[
    (
        "/etc/lbd/mixed/dhparam.pem",
        b"-----BEGIN DH PARAMETERS-----\nMIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz\n-----END DH PARAMETERS-----\n",
    ),
    (
        "/etc/lbd/mixed/ec.params.pem",
        b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
    ),
    ("/etc/lbd/mixed/request.csr", include_bytes!("tls/request.csr")),
    ("/etc/lbd/mixed/revoked.crl", include_bytes!("tls/crl.pem")),
    ("/etc/lbd/mixed/notes.txt", b"renewed on Monday\n"),
    ("/etc/lbd/mixed/empty", b""),
    ("/etc/lbd/mixed/www.pem", include_bytes!("tls/www.pem")),
    ("/etc/lbd/mixed/www.key", include_bytes!("tls/www.key")),
];

#[derive(Debug)]
struct Beside;

impl Environment for Beside {
    fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Fake.look_up(host, port)
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        Fake.read(path)
    }

    fn read_bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        match BESIDE.iter().find(|(known, _)| Path::new(known) == path) {
            Some((_, bytes)) => Ok(bytes.to_vec()),
            None => Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory")),
        }
    }

    fn list(&self, _folder: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(BESIDE.iter().map(|(path, _)| PathBuf::from(path)).collect())
    }

    fn now(&self) -> Wall {
        Fake.now()
    }
}

#[test]
fn what_lies_beside_certificates_in_a_folder_is_passed_over() {
    let text = file("tls = { certificates = \"/etc/lbd/mixed\" }", "");
    let resolved = resolve(&parse("lbd.toml", &text), &Beside).unwrap();
    assert!(resolved.warnings.is_empty(), "{}", resolved.warnings);
    assert_eq!(server(&resolved.plan).default.certificates.identities().len(), 1);
    assert_eq!(resolved.plan.files().len(), 1 + BESIDE.len());
}

#[test]
fn s_ka_09_prefixes_of_clients_mean_something_where_clients_are_counted() {
    let (kind, severity, said) = only("limits = { client_prefix_v4 = 24 }", "");
    assert_eq!((kind, severity), (Kind::NotApplicable, Severity::Error));
    assert!(
        said.contains("`client_prefix_v4` means nothing") && said.contains("max_connections_per_client"),
        "{said}"
    );
    let plan = plan("limits = { max_connections_per_client = 3, client_prefix_v4 = 24 }", "");
    let per_client = plan.listeners[0].per_client.unwrap();
    assert_eq!(
        (per_client.most, per_client.prefix_v4, per_client.prefix_v6),
        (3, 24, 64)
    );
}

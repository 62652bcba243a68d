//! TLS toward clients and backends: what good files mean, and what is said about others.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::Fake;
use lb_config::{
    ClientAuthMode, Environment, Kind, Plan, PoolTls, Problems, ServerTls, Severity, Version, parse, resolve,
};
use lb_types::Wall;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
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
        (false, false, 20_480)
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
         certificates = [\"/etc/lbd/www.pem\", \"/etc/lbd/www.key\"]\nmin_version = \"1.3\"\nserver_order = true\nstrict_sni = true\n\
         session_cache = 0\nticket_lifetime = \"1h\"",
        "",
    );
    let tls = server(&plan);
    assert_eq!(tls.default.versions.min(), Version::Tls13);
    assert_eq!((tls.strict_sni, tls.server_order, tls.session_cache), (true, true, 0));
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
        ("7", Kind::WrongType, "expected a list"),
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
    assert!(tls.verify && tls.sni && tls.roots.is_empty() && tls.pins.is_empty());
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
    assert_eq!(tls.roots, paths(&["/etc/lbd/ca.pem"]));
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

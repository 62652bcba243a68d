//! No report shows a secret: neither in the source that it quotes nor in its own words.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::Fake;
use lb_config::{Plan, parse, resolve};

const S: &str = "SUPERSECRETVALUE0123456789abcdef";

const START: &str = "version = 1\n[[listeners]]\nname = \"web\"\naddress = \"127.0.0.1:30080\"\npool = \"app\"\n";
const POOL: &str = "[[pools]]\nname = \"app\"\nbackends = [\"127.0.0.1:30081\", \"127.0.0.1:30082\"]\n";

fn report(text: &str) -> String {
    match resolve(&parse("lbd.toml", text), &Fake) {
        Ok(resolved) => resolved.warnings.to_string(),
        Err(problems) => problems.to_string(),
    }
}

/// What is written in the pool, with `S` for the secret.
const POOL_CASES: &[&str] = &[
    "persistence = { kind=\"cookie_insert\", secret=[\"S\"] }",
    "persistence = { kind=\"cookie_insert\", secret=[\"S\", \"xS\"], foo = 1 }",
    "persistence = { kind=\"cookie_insert\", secret={ value = \"S\" } }",
    "persistence = { kind=\"cookie_insert\", secert=\"S\" }",
    "persistence = { kind=\"cookie_insert\", Secret=\"S\" }",
    "persistence = { kind=\"cookie_insert\", key=\"S\" }",
    "persistence = { kind=\"cookie_insert\", secret_key=\"S\" }",
    "persistence = { kind=\"cookie_insert\", signing-key=\"S\" }",
    "persistence = { kind=\"cookie_insert\", password=\"S\" }",
    "persistence = { kind=\"cookie_insert\", secret_file=\"S\" }",
    "cookie_secret=\"S\"",
    "secret = \"S\"",
    "persistence = { kind=\"cookie_insert\", secret=\"S }",
    "persistence = { kind=\"cookie_insert\", secret=S }",
    "persistence = { kind=\"cookie_insert\", secret=S, foo = 1 }",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret=\"S",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret: \"S\"",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret := \"S\"",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret => 'S'",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret = S",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret = S and more",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret = no S",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret = S#S",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret S",
    "[pools.persistence]\nkind=\"cookie_insert\"\n  secret \"S\"",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret =\n\"S\"",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret = \"S\"\nsecret = \"Sx\"",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret = “S”",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret = \"\"\"\nS\n\"\"\" x",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret = \"S\" x",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret = \"x\" S",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret = \"x\"S\"",
    "[pools.persistence]\nkind='cookie_insert'\nsecret = 'S\nfoo=1",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsecret = \"S\\q\"",
    "[pools.persistence]\nkind=\"cookie_insert\"\nsécret = \"S\"",
    "[pools.persistence]\nkind=\"cookie_insert\"\nѕecret = \"S\"",
    "[pools.persistence.secret]\nvalue = \"S\"\nvalue = \"S\"",
    "persistence = { kind=\"cookie_insert\", secret=\"S\", foo=1 }",
    "persistence = { kind=\"client_ip\", secret=\"S\" }",
    "persistence = { kind=\"cookie_insert\", secret=\"S\", secret_file=\"/x\" }",
    "persistence = { kind=\"cookie_insert\", \"secret\"=\"S\", foo=1 }",
    "persistence = { kind=\"cookie_insert\", \"sec\\u0072et\"=\"S\", foo=1 }",
    "persistence = { kind=\"cookie_insert\", \"\\x73ecret\"=\"S\", foo=1 }",
    "persistence = { kind=\"cookie_insert\", secret=\"\"\"\\\nS\"\"\", foo=1 }",
    "persistence.kind=\"cookie_insert\"\npersistence.secret=\"S\"\npersistence.foo=1",
    "persistence.kind=\"cookie_insert\"\npersistence . \"secret\"=\"S\"\npersistence.foo=1",
    "persistence = \"secret=S\"",
    "{\"persistence\": {\"secret\": \"S\", \"kind\": \"x\"}}",
    "cookie SRV secret S",
    "health = { kind=\"http\", headers=[\"Authorization: Bearer S\"], foo=1 }",
    "health = { kind=\"http\", headers=[\"X-Other: S\"], foo=1 }",
    "health = { kind=\"http\", headers=[\"Authorization Bearer S\"] }",
    "health = { kind=\"http\", headrs=[\"Authorization: Bearer S\"] }",
    "health = { kind=\"http\", headers=\"Authorization: Bearer S\" }",
    "health = { kind=\"http\", headers={ Authorization = \"Bearer S\" } }",
    "health = { kind=\"http\", headers=[Authorization: Bearer S] }",
    "health = { kind=\"http\", headers=[\n\"Authorization: Bearer S\",\n7, \"Cookie: S\" ], foo=1 }",
    "health = { kind=\"http\", authorization=\"Bearer S\" }",
    "[pools.health.headers]\nAuthorization = \"Bearer S\"\nAuthorization = \"Bearer S\"",
    "health = { kind=\"tcp\", send=\"AUTH S\\r\\n\", foo=1 }",
    "health = { kind=\"http\", send=\"AUTH S\\r\\n\" }",
    "health = { kind=\"tcp\", sned=\"AUTH S\" }",
    "health = { kind=\"tcp\", steps=[{ send=\"AUTH S\", foo=1 }] }",
    "health = { kind=\"tcp\", agent={ port=1, send=\"S\", foo=1 } }",
    "backends = [\"http://user:S@127.0.0.1:30081\"]",
    "backends = [\"user:S@127.0.0.1:30081\"]",
    "health = { kind=\"http\", path=\"http://user:S@a/x\" }",
    "health = { kind=\"http\", host=\"user:S@a\" }",
    "health = { kind=\"http\", path=\"/x?token=S#x\" }",
];

#[test]
fn no_report_shows_a_secret() {
    let mut leaks = Vec::new();
    for case in POOL_CASES {
        let pool = if case.starts_with("backends") {
            "[[pools]]\nname = \"app\"\n"
        } else {
            POOL
        };
        // `Secret` and `SRV` are words of the case.
        let written = case
            .replace('S', S)
            .replace(&format!("{S}RV"), "SRV")
            .replace(&format!("{S}ecret"), "Secret");
        // Beside other mistakes, too: each repeats its line.
        for after in ["", "nonsense\n", "name = \"again\"\n"] {
            let report = report(&format!("{START}{pool}{written}\n{after}"));
            if report.contains("SUPERSECRET") || report.contains("CRETVALUE") || report.contains("9abcdef") {
                leaks.push(format!("{case}\n{report}"));
            }
        }
    }
    assert!(leaks.is_empty(), "{} leaks\n\n{}", leaks.len(), leaks.join("\n"));
}

#[test]
fn no_report_shows_a_secret_that_is_a_number_or_short() {
    for secret in [
        "1234567890123456",
        "1979-05-27T07:32:00Z",
        "3.14159265358979",
        "hunter2",
        "a\"b\\c'd",
    ] {
        let written = if secret.contains('"') {
            format!("\"{}\" x", secret.escape_default())
        } else {
            secret.to_owned()
        };
        let report = report(&format!(
            "{START}{POOL}[pools.persistence]\nkind = \"cookie_insert\"\nsecret = {written}\n"
        ));
        assert!(!report.contains(secret) && !report.contains(&written), "{report}");
    }
}

#[test]
fn what_is_no_word_of_a_secret_is_not_starred() {
    let report = report(&format!(
        "{START}{POOL}secret_file = \"key.txt\"\nsecrets = true\n# a secret is\nname = 1\n"
    ));
    assert!(
        report.contains("key.txt") && report.contains("`name` is set twice"),
        "{report}"
    );
}

#[test]
fn the_command_line_shows_no_login() {
    let to = format!("http://user:{S}@10.0.0.1:80");
    let problems = Plan::from_one_liner(&["127.0.0.1:0".into()], &[to], None, &Fake).unwrap_err();
    assert!(!problems.to_string().contains("SECRET"), "{problems}");
}

#[test]
fn what_is_no_secret_is_still_shown() {
    let report = report(&format!(
        "{START}{POOL}persistence = {{ kind = \"cookie_insert\", secret = \"S\", pth = \"/shop\", secure = 1 }}\n"
    ));
    for shown in [
        "pth = \"/shop\"",
        "secure = 1",
        "write secure = true",
        "unknown key `pth`",
    ] {
        assert!(report.contains(shown), "{shown}: {report}");
    }
}

//! Every command that `lbd cert` prints is run, as it stands, on a file that it is printed for; lbd reads what it
//! writes. The commands are the rows of `lb_cert::Command::ALL`: the test fails for one that no case has run, and for what
//! looks like a command in a message and is none of the rows.

use super::bench::{Bench, Printed, missing};
use lb_cert::Command as Template;
use std::collections::BTreeSet;

/// How many certificates and keys must come out of the commands for a file, together in all that they write.
type Out = (usize, usize);

const fn holds(certificates: usize, keys: usize) -> Out {
    (certificates, keys)
}

/// The file and what its commands must give. Files for which no command is printed are not here.
const CASES: [(&str, Out); 56] = [
    ("server.jks", holds(3, 1)),
    ("server.jceks", holds(2, 1)),
    ("secret.jceks", holds(2, 1)),
    ("server.bks", holds(2, 1)),
    ("server.uber", holds(2, 1)),
    ("server.bcfks", holds(2, 1)),
    ("jks.base64", holds(3, 0)),
    ("ssh-rsa", holds(0, 1)),
    ("ssh-ecdsa", holds(0, 1)),
    ("ssh-ed25519", holds(0, 1)),
    ("ssh-rsa-locked", holds(0, 1)),
    ("ssh-ecdsa-locked", holds(0, 1)),
    ("ssh-ed25519-locked", holds(0, 1)),
    ("ssh-in-heap.pem", holds(0, 1)),
    ("ssh-locked-in-heap.pem", holds(0, 1)),
    ("rsa.ppk", holds(0, 1)),
    ("ed25519.ppk", holds(0, 1)),
    ("ecdsa-locked.ppk", holds(0, 1)),
    ("secret.yaml", holds(1, 1)),
    ("secret.json", holds(1, 1)),
    ("key.jwk", holds(0, 1)),
    ("pem.base64", holds(1, 0)),
    ("signed.eml", holds(2, 0)),
    ("signed-crlf.eml", holds(2, 0)),
    ("opaque.eml", holds(2, 0)),
    ("attached.eml", holds(1, 0)),
    ("saml.xml", holds(1, 0)),
    ("pkcs7-as-certificate.pem", holds(2, 0)),
    ("server.tar", holds(1, 1)),
    ("leaf.pem.gz", holds(1, 0)),
    ("leaf.pem.bz2", holds(1, 0)),
    ("leaf.pem.xz", holds(1, 0)),
    ("leaf.pem.zst", holds(1, 0)),
    ("server.zip", holds(1, 1)),
    ("server.7z", holds(1, 1)),
    ("vault.yml", holds(0, 1)),
    ("rsa.pvk", holds(0, 1)),
    ("rsa.blob", holds(0, 1)),
    ("data.p7", holds(1, 0)),
    ("data.p7.pem", holds(1, 0)),
    ("data.p7.base64", holds(1, 0)),
    ("locked.p7", holds(1, 0)),
    ("locked.p7.pem", holds(1, 0)),
    ("locked.p7.base64", holds(1, 0)),
    ("digested.p7", holds(1, 0)),
    ("digested.p7.pem", holds(1, 0)),
    ("digested.p7.base64", holds(1, 0)),
    ("rc4.key", holds(0, 1)),
    ("rc4.der", holds(0, 1)),
    ("rc4.base64", holds(0, 1)),
    ("rc4.p12", holds(2, 1)),
    ("rc4.p12.pem", holds(2, 1)),
    ("rc4.p12.base64", holds(2, 1)),
    ("camellia-traditional.key", holds(0, 1)),
    ("camellia-traditional-ec.key", holds(0, 1)),
    ("camellia-traditional-dsa.key", holds(0, 1)),
];

/// The same where something else than `inspect` with the right password is asked.
const ASKED: [(&str, &[&str], Out); 7] = [
    ("server.p12", &["convert", "--out", "never.pem"], holds(2, 1)),
    ("leaf.key", &["doctor"], holds(0, 0)),
    ("ca.pem", &["doctor"], holds(0, 0)),
    ("leaf.pem", &["verify", "--warn", "nonsense"], holds(0, 0)),
    ("primes.key", &["inspect"], holds(0, 1)),
    ("query.tsq", &["inspect"], holds(0, 0)),
    ("server.jks", &["doctor"], holds(3, 1)),
];

/// Forms that are either read with the password or refused with a command that converts them, as the libraries go.
const READ_OR_CONVERTED: [(&str, Out); 12] = [
    ("md5-des.key", holds(0, 1)),
    ("md5-des.der", holds(0, 1)),
    ("md5-des.base64", holds(0, 1)),
    ("camellia.key", holds(0, 1)),
    ("aria.key", holds(0, 1)),
    ("des.key", holds(0, 1)),
    ("rc2.key", holds(0, 1)),
    ("des-traditional.key", holds(0, 1)),
    ("des-traditional-ec.key", holds(0, 1)),
    ("rc2-128.p12", holds(2, 1)),
    ("camellia.p12", holds(2, 1)),
    ("des.p12", holds(2, 1)),
];

/// Parts of the commands whose files are made anew by a test of their own, which runs them: keys.rs here, which has both a
/// key and a certificate, and printed.rs of lb-cert, which encrypts and mixes in many ways.
const RUN_BY_OTHERS: [&str; 7] = [
    "| openssl sha256",
    "botan pkcs8",
    "ssh-keygen -i",
    "openssl dsa -inform",
    "dsa -provider legacy -provider default -inform PVK",
    "rsa -provider legacy -provider default -inform PVK",
    "export LC_ALL=C; { cat FILE; awk",
];

/// Names at which a command can fail, and the files that got them: results have these names, programs have such options.
const NAMES: [(&str, &str, Out); 10] = [
    ("pem.base64", "out.pem", holds(1, 0)),
    ("ssh-rsa", "out.key", holds(0, 1)),
    ("ssh-ed25519-locked", "out.key", holds(0, 1)),
    ("server.jks", "out.p12", holds(3, 1)),
    ("rc4.base64", "out.der", holds(0, 1)),
    ("rc4.p12.pem", "out.p12", holds(2, 1)),
    ("leaf.pem.gz", "-dc", holds(1, 0)),
    ("rc4.key", "-in", holds(0, 1)),
    ("data.p7", "$(touch x) \"y\" LINE", holds(1, 0)),
    ("server.tar", "größe;LABEL*.tar", holds(1, 1)),
];

const WITH_PASSWORD: [&str; 3] = ["inspect", "--password-file", "../word"];

/// What was seen while cases ran.
#[derive(Default)]
struct Seen {
    faults: Vec<String>,
    run: BTreeSet<&'static str>,
    /// Their programs are not installed.
    skipped: BTreeSet<&'static str>,
}

impl Seen {
    /// Runs what is printed for this file, and notes what is wrong with it.
    fn check(&mut self, bench: &Bench, words: &[&str], out: Out, may_be_read: bool) {
        let (code, said) = bench.lbd(words, &bench.name);
        if may_be_read && code == Some(0) {
            return;
        }
        let name = &bench.name;
        if said.contains("tigers") {
            self.faults
                .push(format!("{name}: the password is in the message: {said}"));
        }
        let commands = match bench.printed(&said) {
            Ok(commands) if commands.is_empty() => return self.faults.push(format!("{name}: no command in: {said}")),
            Ok(commands) => commands,
            Err(error) => return self.faults.push(format!("{name}: {error}")),
        };
        if let Some(tool) = commands.iter().find_map(|command| missing(&command.text)) {
            assert!(
                std::env::var_os("LBD_REQUIRE_PEERS").is_none(),
                "{tool} is missing for {name}"
            );
            println!("skipped: {name}: {tool} is not installed");
            self.skipped
                .extend(commands.iter().map(|command| command.template.template()));
            return;
        }
        match follow(bench, &commands, out) {
            Ok(()) => self
                .run
                .extend(commands.iter().map(|command| command.template.template())),
            Err(error) => self.faults.push(format!("{name}: {error}")),
        }
    }
}

/// Runs the commands one after the other; the last one's result counts.
fn follow(bench: &Bench, commands: &[Printed], out: Out) -> Result<(), String> {
    let original = bench.original();
    let (mut before, mut last) = (bench.files(), "");
    for Printed { text, .. } in commands {
        before = bench.files();
        last = text;
        bench.run(text).map_err(|error| format!("{text}\n  {error}"))?;
    }
    if bench.original() != original {
        return Err(format!("changed by {commands:?}"));
    }
    let found = bench
        .counted(&before, last)
        .map_err(|error| format!("{last}\n  what it wrote is not read: {error}"))?;
    let is_restricted = bench.mode() == 0o600;
    if is_restricted != commands.iter().any(|command| command.template == Template::RESTRICT) {
        return Err(format!("has mode {:o} after {commands:?}", bench.mode()));
    }
    (found == out)
        .then_some(())
        .ok_or_else(|| format!("{last}\n  gives {found:?}, not {out:?}"))
}

#[test]
fn every_command_that_can_be_printed_does_what_is_said_on_a_file_that_it_is_printed_for() {
    let mut seen = Seen::default();
    for (file, out) in CASES {
        seen.check(&Bench::with(file), &WITH_PASSWORD, out, false);
    }
    for (file, words, out) in ASKED {
        seen.check(&Bench::with(file), words, out, false);
    }
    for part in RUN_BY_OTHERS {
        let count = Template::ALL
            .iter()
            .filter(|command| command.template().contains(part))
            .count();
        assert!(count > 0, "no command has {part}");
    }
    let alone = |template: &&str| !RUN_BY_OTHERS.iter().any(|part| template.contains(part));
    for template in Template::ALL.iter().map(|command| command.template()).filter(alone) {
        if !seen.run.contains(template) && !seen.skipped.contains(template) {
            seen.faults.push(format!("no case has run: {template}"));
        }
    }
    assert!(seen.faults.is_empty(), "{}", seen.faults.join("\n"));
}

#[test]
fn what_libraries_may_learn_to_read_is_read_or_converted() {
    let mut seen = Seen::default();
    for (file, out) in READ_OR_CONVERTED {
        seen.check(&Bench::with(file), &WITH_PASSWORD, out, true);
    }
    assert!(seen.faults.is_empty(), "{}", seen.faults.join("\n"));
}

#[test]
fn commands_run_whatever_the_name_of_the_file_is() {
    let mut seen = Seen::default();
    for (file, name, out) in NAMES {
        seen.check(&Bench::named(file, name), &WITH_PASSWORD, out, false);
    }
    assert!(seen.faults.is_empty(), "{}", seen.faults.join("\n"));
}

#[test]
fn commands_run_in_every_language() {
    // Without this locale they run as in C.
    for (file, out) in [("secret.yaml", holds(1, 1)), ("saml.xml", holds(1, 0))] {
        let bench = Bench::with(file);
        let printed = bench.printed(&bench.lbd(&WITH_PASSWORD, &bench.name).1).unwrap();
        let before = bench.files();
        let command = format!("export LC_ALL=tr_TR.UTF-8; {}", printed[0].text);
        bench.run(&command).unwrap_or_else(|error| panic!("{command}: {error}"));
        assert_eq!(bench.counted(&before, &command), Ok(out), "{command}");
    }
}

#[test]
fn doctor_and_convert_print_the_same_commands_as_inspect() {
    for file in ["server.jks", "server.bks", "ssh-ed25519", "secret.yaml"] {
        let bench = Bench::with(file);
        let texts = |said: &str| -> Vec<String> {
            let printed = bench.printed(said).unwrap();
            printed.into_iter().map(|command| command.text).collect()
        };
        let inspected = texts(&bench.lbd(&["inspect"], &bench.name).1);
        assert!(!inspected.is_empty(), "{file}");
        for words in [["doctor"], ["convert"]] {
            let (code, said) = bench.lbd(&words, &bench.name);
            assert_eq!(texts(&said), inspected, "{file}: {words:?}: {said}");
            assert_ne!(code, Some(3), "{file}: {words:?}: {said}");
        }
    }
    let bench = Bench::with("server.jks");
    let (code, said) = bench.lbd(&["convert"], &bench.name);
    assert_eq!(code, Some(6), "{said}");
    let (code, said) = bench.lbd(&["convert", "--no-key"], &bench.name);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(super::made::ders(&said).len(), 2, "{said}");
}

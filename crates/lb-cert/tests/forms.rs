//! Files of other programs (`corpus/forms`): what they are is said by name, and what can be read is read.
#![cfg(all(feature = "pkcs12", feature = "pkcs7", feature = "encrypted-keys", feature = "java"))]

use lb_cert::{
    Command, Contents, ForeignFormat, Format, NoteKind, Password, Place, Problem, ReadError, ReadErrorKind,
    ReadOptions, SshAlgorithm, read,
};
use std::path::{Path, PathBuf};

const FORMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/forms");

fn bytes(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn form(name: &str) -> Vec<u8> {
    bytes(Path::new(FORMS), name)
}

fn with(name: &str, bytes: &[u8], passwords: &[&str]) -> Result<Contents, ReadError> {
    let words: Vec<Password> = passwords.iter().map(|word| Password::new(*word)).collect();
    read(name, bytes, &ReadOptions::with_passwords(&words))
}

fn problem(name: &str, bytes: &[u8]) -> Problem {
    match with(name, bytes, &[]) {
        Ok(contents) => panic!("{name} was read: {contents:?}"),
        Err(error) => error.problem,
    }
}

/// Every file of another program's format, and which it is.
fn foreign() -> Vec<(&'static str, ForeignFormat)> {
    use ForeignFormat as F;
    let ssh = |algorithm, encrypted| F::OpenSshKey { algorithm, encrypted };
    let putty = |algorithm, encrypted| F::PuttyKey { algorithm, encrypted };
    vec![
        ("server.bks", F::Bks),
        ("server.uber", F::Uber),
        ("server.bcfks", F::Bcfks),
        ("secret.jceks", F::JceksWithSecret),
        ("jks.base64", F::Base64OfStore),
        ("ssh-rsa", ssh(SshAlgorithm::Rsa, false)),
        ("ssh-ecdsa", ssh(SshAlgorithm::Ecdsa, false)),
        ("ssh-ed25519", ssh(SshAlgorithm::Ed25519, false)),
        ("ssh-rsa-locked", ssh(SshAlgorithm::Rsa, true)),
        ("ssh-ecdsa-locked", ssh(SshAlgorithm::Ecdsa, true)),
        ("ssh-ed25519-locked", ssh(SshAlgorithm::Ed25519, true)),
        ("ssh-in-heap.pem", ssh(SshAlgorithm::Ecdsa, false)),
        ("ssh-locked-in-heap.pem", ssh(SshAlgorithm::Ed25519, true)),
        ("ssh-ed25519.pub", F::SshPublicKey),
        ("ssh2.pub", F::SshPublicKey),
        ("ssh-ed25519-cert.pub", F::SshCertificate),
        ("rsa.ppk", putty(SshAlgorithm::Rsa, false)),
        ("ed25519.ppk", putty(SshAlgorithm::Ed25519, false)),
        ("ecdsa-locked.ppk", putty(SshAlgorithm::Ecdsa, true)),
        ("secret.yaml", F::TextWithBase64Pem),
        ("secret.json", F::JsonWithPem),
        ("key.jwk", F::JsonWebKey),
        ("error.json", F::Json),
        ("pem.base64", F::Base64OfPem),
        ("signed.eml", F::SignedMail),
        ("signed-crlf.eml", F::SignedMail),
        ("opaque.eml", F::SignedMail),
        ("locked.eml", F::EncryptedMail),
        ("attached.eml", F::Mail),
        ("saml.xml", F::XmlWithCertificates),
        ("error.html", F::Html),
        ("description.txt", F::CertificateText),
        ("uri.txt", F::Pkcs11Uri),
        ("pgp-private.asc", F::PgpPrivateKey),
        ("pgp-private.bin", F::PgpPrivateKey),
        ("pgp-public.asc", F::Pgp),
        ("pgp-public.bin", F::Pgp),
        ("server.tar", F::Tar),
        ("server.tgz", F::Gzip),
        ("leaf.pem.gz", F::Gzip),
        ("leaf.pem.bz2", F::Bzip2),
        ("leaf.pem.xz", F::Xz),
        ("leaf.pem.zst", F::Zstd),
        ("server.zip", F::Zip),
        ("server.7z", F::SevenZip),
        ("vault.yml", F::AnsibleVault),
        (
            "rsa.pvk",
            F::Pvk {
                dsa: false,
                encrypted: false,
            },
        ),
        ("rsa.blob", F::KeyBlob { dsa: false }),
    ]
}

fn each_is_recognised(folder: &Path) {
    let mut wrong = Vec::new();
    for (name, format) in foreign() {
        let found = problem(name, &bytes(folder, name));
        if found != (Problem::Foreign { format }) {
            wrong.push(format!("{name}: {found}"));
        }
    }
    // JSON of cfssl has its PEM as one string each, with literal \n.
    match with("cfssl.json", &bytes(folder, "cfssl.json"), &[]) {
        Ok(contents) if contents.certificates.len() == 1 && contents.keys.len() == 1 && is_mended(&contents) => {}
        other => wrong.push(format!("cfssl.json: {other:?}")),
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn is_mended(contents: &Contents) -> bool {
    let mut kinds = contents.notes.iter().map(|note| &note.kind);
    kinds.any(|kind| matches!(kind, NoteKind::Mended { .. }))
}

#[test]
fn json_with_pem_as_strings_is_read_with_a_note_whoever_wrote_it() {
    let one_line = |name: &str| String::from_utf8(form(name)).unwrap().trim_end().replace('\n', "\\n");
    let (leaf, ca, key) = (one_line("leaf.pem"), one_line("ca.pem"), one_line("leaf.key"));
    for (name, text, certificates, keys) in [
        (
            "cfssl gencert",
            format!("{{\"cert\":\"{leaf}\\n\",\"csr\":\"\",\"key\":\"{key}\\n\"}}\n"),
            1,
            1,
        ),
        (
            "cfssl serve",
            format!(
                "{{\"success\":true,\"result\":{{\"certificate\":\"{leaf}\\n\",\"private_key\":\"{key}\\n\"}},\"errors\":[]}}"
            ),
            1,
            1,
        ),
        (
            "vault",
            format!(
                "{{\n  \"data\": {{\n    \"ca_chain\": [\n      \"{ca}\"\n    ],\n    \"certificate\": \"{leaf}\",\n    \
                 \"private_key\": \"{key}\",\n    \"private_key_type\": \"ec\"\n  }}\n}}\n"
            ),
            2,
            1,
        ),
        ("a bundle", format!("{{\"bundle\":\"{leaf}\\n{ca}\"}}"), 2, 0),
    ] {
        let contents = with(name, text.as_bytes(), &[]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            (contents.certificates.len(), contents.keys.len()),
            (certificates, keys),
            "{name}"
        );
        assert!(is_mended(&contents), "{name}");
    }
}

#[test]
fn files_of_other_programs_are_recognised_by_name() {
    each_is_recognised(Path::new(FORMS));
}

#[test]
fn what_the_programs_write_today_is_recognised_too() {
    const PROGRAMS: [&str; 19] = [
        "openssl",
        "keytool",
        "ssh-keygen",
        "puttygen",
        "cfssl",
        "kubectl",
        "node",
        "python3",
        "gpg",
        "tar",
        "gzip",
        "bzip2",
        "xz",
        "zstd",
        "7z",
        "ansible-vault",
        "base64",
        "sed",
        "mktemp",
    ];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |program: &&str| std::env::split_paths(&path).any(|folder| folder.join(program).exists());
    if let Some(missing) = PROGRAMS.iter().find(|program| !is_there(program)) {
        // kubectl is in no package of Debian, so this is never required: the committed files are.
        eprintln!("skipped: {missing} is not installed");
        return;
    }
    if !Path::new("/usr/share/java/bcprov.jar").exists() {
        eprintln!("skipped: Bouncy Castle is not installed");
        return;
    }
    let folder = Temporary(std::env::temp_dir().join(format!("lb-cert-forms-{}", std::process::id())));
    let output = std::process::Command::new(Path::new(FORMS).join("make.sh"))
        .arg(&folder.0)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    each_is_recognised(&folder.0);
}

struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn java_key_stores_give_their_certificates_and_name_their_keys() {
    for (name, format, certificates, keys) in [
        ("server.jks", Format::Jks, 3, 1),
        ("server.jceks", Format::Jceks, 2, 1),
        ("trust.jks", Format::Jks, 1, 0),
        ("trust.jceks", Format::Jceks, 1, 0),
    ] {
        for passwords in [&[][..], &["tigers"], &["lion", "tigers"]] {
            let contents = with(name, &form(name), passwords).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(contents.format, format, "{name}");
            assert_eq!(contents.certificates.len(), certificates, "{name}");
            let named: Vec<&NoteKind> = contents
                .notes
                .iter()
                .map(|note| &note.kind)
                .filter(|kind| matches!(kind, NoteKind::KeyNotRead { .. }))
                .collect();
            assert_eq!(named.len(), keys, "{name}");
            if let Some(kind) = named.first() {
                let said = kind.to_string();
                let command =
                    format!("`keytool -importkeystore -srckeystore {name} -destkeystore out.p12 -deststoretype PKCS12");
                assert!(said.contains("\"www\"") && said.contains(&command), "{said}");
            }
        }
        assert!(with(name, &form(name), &["tigers"]).unwrap().is_unlocked());
        assert!(!with(name, &form(name), &[]).unwrap().is_unlocked());
        let refusal = with(name, &form(name), &["lion"]).unwrap_err();
        assert_eq!(refusal.problem, Problem::Unproven { tried: 1 }, "{name}");
        assert_eq!(refusal.kind(), ReadErrorKind::WrongPassword, "{name}");
    }
    let leaf = with("leaf.pem", &form("leaf.pem"), &[]).unwrap();
    let store = with("server.jks", &form("server.jks"), &[]).unwrap();
    assert!(
        store
            .certificates
            .iter()
            .any(|found| found.value == leaf.certificates[0].value)
    );
}

#[test]
fn a_java_key_store_of_version_1_has_certificates_without_their_kind() {
    // As JDK 1.1 wrote it: here the store of today without the kind before each certificate.
    let mut store = form("trust.jks");
    store[7] = 1;
    let kind = store.windows(7).position(|window| window == b"\0\x05X.509").unwrap();
    store.drain(kind..kind + 7);
    let contents = with("old.jks", &store, &[]).unwrap();
    assert_eq!(contents.certificates.len(), 1);
}

#[test]
fn a_java_key_store_that_is_cut_or_changed_is_damaged_wherever_that_is() {
    for name in ["server.jks", "server.jceks", "trust.jks"] {
        let whole = form(name);
        for length in 4..whole.len() {
            let refusal = with(name, &whole[..length], &[]).unwrap_err();
            assert_eq!(
                refusal.kind(),
                ReadErrorKind::Damaged,
                "{name}, {length} bytes: {refusal}"
            );
        }
        let refusal = with(name, &[whole.as_slice(), b"x"].concat(), &[]).unwrap_err();
        assert!(
            matches!(refusal.problem, Problem::Trailing { extra: 1, .. }),
            "{refusal}"
        );
        for position in (4..whole.len()).step_by(7) {
            let mut changed = whole.clone();
            changed[position] ^= 0x10;
            // With the password every change shows; without it none panics.
            assert!(with(name, &changed, &["tigers"]).is_err(), "{name}, byte {position}");
            let _ = with(name, &changed, &[]);
        }
    }
    // A count that no file can hold.
    let mut many = form("trust.jks");
    many[8..12].copy_from_slice(&[0xFF; 4]);
    assert_eq!(with("many.jks", &many, &[]).unwrap_err().kind(), ReadErrorKind::Limit);
}

#[test]
fn pkcs7_under_the_label_of_a_certificate_is_named_with_its_mend() {
    let name = "pkcs7-as-certificate.pem";
    let refusal = with(name, &form(name), &[]).unwrap_err();
    assert!(
        matches!(&refusal.problem, Problem::WrongLabel { found: "PKCS#7", .. }),
        "{refusal}"
    );
    let command = "`sed '1,/-----END/s,CERTIFICATE-----,PKCS7-----,' pkcs7-as-certificate.pem > out.pem`";
    assert!(refusal.explain().contains(command), "{}", refusal.explain());
}

#[test]
fn no_beginning_of_a_foreign_file_panics_or_is_read() {
    for (name, _) in foreign() {
        let whole = form(name);
        for length in (1..whole.len().min(400)).chain([whole.len() - 1]) {
            let _ = with(name, &whole[..length], &["tigers"]);
        }
    }
}

#[test]
fn what_is_of_use_once_converted_is_unsupported_and_the_rest_of_no_use() {
    for (name, kind) in [
        ("server.bks", ReadErrorKind::Unsupported),
        ("ssh-rsa", ReadErrorKind::Unsupported),
        ("secret.yaml", ReadErrorKind::Unsupported),
        ("error.html", ReadErrorKind::NothingOfUse),
        ("ssh2.pub", ReadErrorKind::NothingOfUse),
    ] {
        assert_eq!(problem(name, &form(name)).kind(), kind, "{name}");
    }
}

#[test]
fn each_refusal_of_a_foreign_format_has_a_reason_of_its_own() {
    for (name, format) in foreign() {
        let said = format.explain("a file");
        assert!(said.len() > 40, "{name}: {said}");
        assert!(!said.contains("FILE"), "{name}: {said}");
        assert!(format.name().len() > 3, "{name}");
        assert!(
            !said.contains("a file") || said.contains("'a file'"),
            "a name with a blank is one word: {name}: {said}"
        );
    }
}

#[test]
fn text_and_pem_that_only_look_foreign_keep_their_own_reading() {
    let leaf = String::from_utf8(form("leaf.pem")).unwrap();
    for (name, text) in [
        (
            "headers before the block",
            format!("Content-Type: text/plain\n\n{leaf}"),
        ),
        ("a bracket before the block", format!("{{\n{leaf}}}\n")),
        ("a tag around the block", format!("<ca>\n{leaf}</ca>\n")),
        ("base64 of PEM beside it", format!("# LS0tLS1CRUdJTiA=\n{leaf}")),
    ] {
        let contents = with(name, text.as_bytes(), &[]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(contents.certificates.len(), 1, "{name}");
    }
    // Damage inside a block is what is said, whatever stands around it.
    let damaged = leaf.replacen("\nMI", "\nM#", 1);
    let found = problem("damaged", format!("Content-Type: text/plain\n\n{damaged}").as_bytes());
    assert!(matches!(found, Problem::Character { .. }), "{found}");
    for text in [
        "some words",
        "0",
        "kychen",
        "PK",
        "BZh",
        "7z",
        "Salted",
        "ssh-rsa",
        "{",
        "[section]",
        "[section]\nkeys = [1]",
        "{ server = 1 }",
    ] {
        let found = problem(text, text.as_bytes());
        assert!(matches!(found, Problem::Unrecognised { .. }), "{text}: {found}");
    }
}

#[test]
fn a_pkcs12_with_a_secret_key_only_is_named_as_that() {
    let refusal = with("secret.p12", &form("secret.p12"), &["tigers"]).unwrap_err();
    assert_eq!(refusal.kind(), ReadErrorKind::NothingOfUse);
    assert!(refusal.problem.to_string().contains("secret"), "{refusal}");
}

#[test]
fn a_place_quotes_its_source_in_commands() {
    let place = Place::whole(&"it's.pem".into());
    assert_eq!(Command::RESTRICT.fill(&place), "chmod 600 'it'\\''s.pem'");
}

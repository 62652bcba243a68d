//! Encrypted containers and keys of other programs, committed in `corpus` and made anew where the programs are.
//!
//! The live test is skipped, and says so, without the programs; with `LBD_REQUIRE_PEERS=1` that is a failure.
#![cfg(all(feature = "pkcs12", feature = "encrypted-keys"))]

use lb_cert::{Contents, Password, ReadError, ReadErrorKind, ReadOptions, read};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A line of `cases.tsv`.
#[derive(Debug)]
struct Case {
    file: String,
    identity: String,
    certificates: usize,
    keys: usize,
    password: Option<Vec<u8>>,
}

impl Case {
    fn all(folder: &Path) -> Vec<Self> {
        let table = fs::read_to_string(folder.join("cases.tsv")).expect("the table of cases");
        table.lines().map(Self::of).collect()
    }

    fn of(line: &str) -> Self {
        let fields: Vec<&str> = line.split('\t').collect();
        let [file, identity, certificates, keys, password] = fields[..] else {
            panic!("a line of five fields: {line}");
        };
        let hexadecimal = |digits: &str| {
            let pairs = digits.as_bytes().chunks(2);
            let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hexadecimal");
            pairs.map(byte).collect()
        };
        Self {
            file: file.into(),
            identity: identity.into(),
            certificates: certificates.parse().expect("a number"),
            keys: keys.parse().expect("a number"),
            password: (password != "-").then(|| hexadecimal(password)),
        }
    }

    fn bytes(&self, folder: &Path) -> Vec<u8> {
        fs::read(folder.join(&self.file)).unwrap_or_else(|error| panic!("{}: {error}", self.file))
    }

    fn read(&self, bytes: &[u8]) -> Result<Contents, ReadError> {
        let words: Vec<Password> = self.password.iter().cloned().map(Password::new).collect();
        read(&self.file, bytes, &ReadOptions::with_passwords(&words))
    }

    /// What is wrong with what was read.
    fn judge(&self, folder: &Path) -> Option<String> {
        let named = |what: &str| Some(format!("{} with {:02X?}: {what}", self.file, self.password));
        let contents = match self.read(&self.bytes(folder)) {
            Ok(contents) => contents,
            Err(error) => return named(&error.to_string()),
        };
        if (contents.certificates.len(), contents.keys.len()) != (self.certificates, self.keys) {
            return named(&format!(
                "{} certificates, {} keys",
                contents.certificates.len(),
                contents.keys.len()
            ));
        }
        let known = |name: &str| {
            let pem = fs::read(folder.join(name)).expect("the plain files are there");
            read(name, &pem, &ReadOptions::default()).expect("it is plain")
        };
        let expected = [known(&format!("{}.crt", self.identity)), known("root.crt")];
        for found in &contents.certificates {
            // node-forge writes certificates anew, with a NULL in the outer signature algorithm of ECDSA.
            if self.file.starts_with("forge") {
                continue;
            }
            if !expected.iter().any(|one| one.certificates[0].value == found.value) {
                return named("another certificate");
            }
        }
        let key = known(&format!("{}.key", self.identity));
        let numbers = |contents: &Contents| contents.keys[0].value.stated_spki().expect("it states its point");
        if self.keys == 1 && numbers(&contents) != numbers(&key) {
            return named("another key");
        }
        None
    }
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn all_are_read(folder: &Path, least: usize) {
    let cases = Case::all(folder);
    let wrong: Vec<String> = cases.iter().filter_map(|case| case.judge(folder)).collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    assert!(cases.len() >= least, "the corpus shrank to {}", cases.len());
}

#[test]
fn s_conv_06_what_other_programs_wrote_is_read() {
    all_are_read(&corpus(), 148);
}

#[test]
fn s_conv_06_what_the_installed_programs_write_is_read() {
    let modules = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../peers/node_modules");
    let programs = [
        "openssl", "pk12util", "certutil", "keytool", "certtool", "botan", "node",
    ];
    let is_there = |program: &&str| {
        Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let mut missing: Vec<&str> = programs.into_iter().filter(|program| !is_there(program)).collect();
    let has_python = Command::new("/usr/bin/python3")
        .args(["-c", "import cryptography"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    for (is_there, name) in [
        (has_python, "python3-cryptography"),
        (Path::new("/usr/share/java/bcprov.jar").exists(), "libbcprov-java"),
        (modules.join("pkijs").exists(), "pkijs"),
        (modules.join("node-forge").exists(), "node-forge"),
    ] {
        if !is_there {
            missing.push(name);
        }
    }
    if !missing.is_empty() {
        assert!(std::env::var_os("LBD_REQUIRE_PEERS").is_none(), "required: {missing:?}");
        eprintln!("skipped: not installed: {missing:?}");
        return;
    }
    let folder = Folder(std::env::temp_dir().join(format!("lb-cert-peers-{}", std::process::id())));
    let made = Command::new(corpus().join("make.sh"))
        .args([&folder.0, &modules])
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    all_are_read(&folder.0, 148);
}

/// Removed when dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_wrong_password_is_wrong_and_not_damage_whoever_wrote_the_file() {
    for mut case in Case::all(&corpus()) {
        // A right one of nothing at all needs none.
        let expected = match case.password.as_deref() {
            None | Some([]) => continue,
            // Two spellings of each word, and many iterations: some are enough.
            _ if case.file.contains("word") || case.file.contains("botan") => continue,
            Some(_) => ReadErrorKind::WrongPassword,
        };
        let bytes = case.bytes(&corpus());
        case.password = Some(b"Correct-horse".to_vec());
        let error = case.read(&bytes).expect_err(&case.file);
        assert_eq!(error.kind(), expected, "{error}");
        case.password = None;
        let error = case.read(&bytes).expect_err(&case.file);
        assert_eq!(error.kind(), ReadErrorKind::PasswordNeeded, "{error}");
    }
}

//! Every command that `lbd cert` prints is run, as it stands, on the very file that it is printed for; lbd reads what it
//! writes. The files are those of lb-cert's corpus of other programs' forms, under a name that a shell must quote.

use super::run::Place;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

const FORMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/lb-cert/tests/corpus/forms");

/// How many certificates and keys must come out of the commands for a file, together in all that they write.
type Out = (usize, usize);

const fn holds(certificates: usize, keys: usize) -> Out {
    (certificates, keys)
}

/// The file and what its commands must give. Files for which no command is printed are not here.
const CASES: [(&str, Out); 38] = [
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
    ("rsa.pvk", holds(0, 1)),
    ("rsa.blob", holds(0, 1)),
    ("server.p12", holds(2, 1)),
    ("data.p7", holds(1, 0)),
    ("locked.p7", holds(1, 0)),
];

/// Forms that are either read with the password or refused with a command that converts them, as the libraries go.
const READ_OR_CONVERTED: [(&str, Out); 16] = [
    ("rc4.key", holds(0, 1)),
    ("md5-des.key", holds(0, 1)),
    ("md5-des.der", holds(0, 1)),
    ("md5-des.base64", holds(0, 1)),
    ("rc4.p12.pem", holds(2, 1)),
    ("camellia.key", holds(0, 1)),
    ("aria.key", holds(0, 1)),
    ("des.key", holds(0, 1)),
    ("rc2.key", holds(0, 1)),
    ("des-traditional.key", holds(0, 1)),
    ("des-traditional-ec.key", holds(0, 1)),
    ("rc2-128.p12", holds(2, 1)),
    ("camellia.p12", holds(2, 1)),
    ("des.p12", holds(2, 1)),
    ("rc4.p12", holds(2, 1)),
    ("sha3-mac.p12", holds(2, 1)),
];

/// A folder with one file under an awkward name, and the password of everything in a file outside of it.
struct Bench {
    outer: Place,
    name: String,
}

impl Bench {
    fn with(file: &str) -> Self {
        let outer = Place::new();
        fs::create_dir_all(outer.path().join("work")).unwrap();
        outer.put("word", "tigers\n");
        symlink(env!("CARGO_BIN_EXE_lbd"), outer.path().join("lbd")).unwrap();
        let name = format!("it's a {file}");
        let content = fs::read(Path::new(FORMS).join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        outer.put(&format!("work/{name}"), content);
        if file == "locked.p7" {
            // The key that its message names.
            outer.put(
                "work/recipient.key",
                fs::read(Path::new(FORMS).join("rsa.key")).unwrap(),
            );
        }
        Self { outer, name }
    }

    fn work(&self) -> std::path::PathBuf {
        self.outer.path().join("work")
    }

    fn files(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.work()).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// `lbd cert WORDS NAME`, without a terminal: code, and what was said on both streams.
    fn lbd(&self, words: &[&str], name: &str) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_lbd"))
            .arg("cert")
            .args(words)
            .arg(name)
            .current_dir(self.work())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Runs a command as a person would, who answers every question with the password; in a session of its own, so that
    /// questions come to standard input.
    fn run(&self, command: &str) -> Result<(), String> {
        if command.starts_with("lbd ") {
            return self.run_on_a_terminal(command);
        }
        let path = format!("{}:/usr/bin:/bin", self.outer.path().display());
        let mut shell = Command::new("setsid");
        shell
            .args(["-w", "sh", "-c", command])
            .current_dir(self.work())
            .env("PATH", path)
            .env_remove("DISPLAY")
            .env_remove("SSH_ASKPASS")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = shell.spawn().map_err(|error| error.to_string())?;
        let mut input = child.stdin.take().unwrap();
        // puttygen takes all that a pipe gives as one answer.
        let times = if command.starts_with("puttygen") { 1 } else { 4 };
        let _ = std::io::Write::write_all(&mut input, "tigers\n".repeat(times).as_bytes());
        drop(input);
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(format!("{}: {}", output.status, String::from_utf8_lossy(&said)))
    }

    /// The same for lbd, which asks on a terminal only.
    fn run_on_a_terminal(&self, command: &str) -> Result<(), String> {
        let path = format!("{}:/usr/bin:/bin", self.outer.path().display());
        let mut child = Command::new("script")
            .args(["-qefc", command, "/dev/null"])
            .current_dir(self.work())
            .env("PATH", path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (mut seen, mut byte, mut was_asked) = (Vec::new(), [0], false);
        while std::io::Read::read(&mut output, &mut byte).unwrap_or(0) > 0 {
            seen.push(byte[0]);
            // What is typed before the question is thrown away.
            if !was_asked && seen.ends_with(b": ") && seen.starts_with(b"Password of ") {
                was_asked = true;
                std::io::Write::write_all(&mut input, b"tigers\n").unwrap();
            }
        }
        let status = child.wait().unwrap();
        if status.success() && was_asked {
            return Ok(());
        }
        Err(format!("{status}: {}", String::from_utf8_lossy(&seen)))
    }

    /// Certificates and keys in all files that were not there before, but for those that the command itself reads.
    fn counted(&self, before: &BTreeSet<String>, command: &str) -> Result<(usize, usize), String> {
        let mut sum = (0, 0);
        // munpack writes the text beside an attachment into a description.
        let is_between = |name: &str| name.ends_with(".desc") || command.contains(&format!(" -in {name} "));
        for name in self.files().difference(before).filter(|name| !is_between(name)) {
            let (code, said) = self.lbd(&["inspect", "--json", "--password-file", "../word"], name);
            let json = said.split("\nlbd: ").next().unwrap_or_default();
            let value: serde_json::Value =
                serde_json::from_str(json).map_err(|_| format!("{name}: {code:?}: {said}"))?;
            let count = |what: &str| value[what].as_array().map_or(0, Vec::len);
            sum = (sum.0 + count("certificates"), sum.1 + count("keys"));
        }
        Ok(sum)
    }
}

/// The commands in a message, in their order: what stands in backquotes and begins with a program and a blank.
fn commands(said: &str) -> Vec<String> {
    const PROGRAMS: [&str; 24] = [
        "openssl",
        "keytool",
        "ssh-keygen",
        "install",
        "puttygen",
        "jq",
        "node",
        "grep",
        "base64",
        "munpack",
        "tr",
        "gzip",
        "bzip2",
        "xz",
        "zstd",
        "unzip",
        "mkdir",
        "7z",
        "sed",
        "python3",
        "(umask",
        "lbd",
        "ansible-vault",
        "chmod",
    ];
    let mut found: Vec<String> = Vec::new();
    for part in said.split('`').skip(1).step_by(2) {
        let is_command = part
            .split_once(' ')
            .is_some_and(|(program, _)| PROGRAMS.contains(&program));
        if is_command && !found.iter().any(|known| known == part) {
            found.push(part.to_owned());
        }
    }
    found
}

/// What this command needs and is not here; `None` when it runs. The second half tells whether `.ci/run` installs it.
fn missing(command: &str) -> Option<(&str, bool)> {
    const TOOLS: [(&str, bool); 14] = [
        ("openssl", true),
        ("keytool", true),
        ("python3", true),
        ("ssh-keygen", false),
        ("puttygen", false),
        ("jq", false),
        ("node", false),
        ("munpack", false),
        ("zstd", false),
        ("unzip", false),
        ("bzip2", false),
        ("xz", false),
        ("script", false),
        ("setsid", false),
    ];
    let is_there = |program: &str| {
        let folders = ["/usr/bin", "/bin"];
        folders.iter().any(|folder| Path::new(folder).join(program).exists())
    };
    let castle = "/usr/share/java/bcprov.jar";
    if command.contains(castle) && !Path::new(castle).exists() {
        return Some((castle, true));
    }
    let ours = if command.starts_with("lbd ") {
        "script"
    } else {
        "setsid"
    };
    let words = command.split([' ', '|', '(', ';']).chain([ours]);
    let tools = words.filter_map(|word| TOOLS.iter().find(|(tool, _)| *tool == word));
    tools.copied().find(|(tool, _)| !is_there(tool))
}

/// What is wrong with what is printed for this file, if something is.
fn wrong(file: &str, out: Out, words: &[&str], may_be_read: bool) -> Option<String> {
    let bench = Bench::with(file);
    let (code, said) = bench.lbd(words, &bench.name);
    if may_be_read && code == Some(0) {
        return None;
    }
    if said.contains("tigers") {
        return Some(format!("{file}: the password is in the message: {said}"));
    }
    let commands = commands(&said);
    if commands.is_empty() {
        return Some(format!("{file}: no command in: {said}"));
    }
    if let Some((tool, is_required)) = commands.iter().find_map(|command| missing(command)) {
        let is_fatal = is_required && std::env::var_os("LBD_REQUIRE_PEERS").is_some();
        assert!(!is_fatal, "{tool} is missing for {file}");
        println!("skipped: {file}: {tool} is not installed");
        return None;
    }
    let original = fs::read(bench.work().join(&bench.name)).unwrap();
    let mut before = bench.files();
    for (index, command) in commands.iter().enumerate() {
        if index > 0 {
            // Only what the last one writes is the result.
            before = bench.files();
        }
        if let Err(error) = bench.run(command) {
            return Some(format!("{file}: {command}\n  {error}"));
        }
    }
    if fs::read(bench.work().join(&bench.name)).unwrap() != original {
        return Some(format!("{file}: changed by {commands:?}"));
    }
    let last = commands.last().map_or("", String::as_str);
    match (bench.counted(&before, last), out) {
        (Err(error), _) => Some(format!("{file}: {commands:?}\n  what it wrote is not read: {error}")),
        (Ok(found), _) if out == found => None,
        (Ok(found), _) => Some(format!("{file}: {commands:?}\n  gives {found:?}, not {out:?}")),
    }
}

#[test]
fn every_command_that_is_printed_for_a_file_does_what_is_said_on_that_file() {
    let mut faults = Vec::new();
    for (file, out) in CASES {
        // Without a password where that is what the message is about, else with it.
        let words: &[&str] = match file {
            "server.p12" => &["convert", "--out", "never.pem"],
            _ => &["inspect", "--password-file", "../word"],
        };
        faults.extend(wrong(file, out, words, false));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_libraries_may_learn_to_read_is_read_or_converted() {
    let words = ["inspect", "--password-file", "../word"];
    let faults: Vec<String> = READ_OR_CONVERTED
        .iter()
        .filter_map(|(file, out)| wrong(file, *out, &words, true))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn doctor_and_convert_print_the_same_commands_as_inspect() {
    for file in ["server.jks", "server.bks", "ssh-ed25519", "secret.yaml"] {
        let bench = Bench::with(file);
        let inspected = commands(&bench.lbd(&["inspect"], &bench.name).1);
        assert!(!inspected.is_empty(), "{file}");
        for words in [["doctor"], ["convert"]] {
            let (code, said) = bench.lbd(&words, &bench.name);
            assert_eq!(commands(&said), inspected, "{file}: {words:?}: {said}");
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

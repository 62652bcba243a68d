//! A folder with one file of lb-cert's corpus under an awkward name, and the commands that are printed for it, run as a
//! person would.

use super::run::{MACHINE, Place};
use lb_cert::Command as Template;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const FORMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/lb-cert/tests/corpus/forms");

/// A command as it was printed, and the row of the table that it comes from.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) text: String,
    pub(crate) template: Template,
}

/// The password of everything stands in a file outside of the folder.
pub(crate) struct Bench {
    outer: Place,
    pub(crate) name: String,
}

impl Bench {
    pub(crate) fn with(file: &str) -> Self {
        Self::named(file, &format!("it's a {file}"))
    }

    pub(crate) fn named(file: &str, name: &str) -> Self {
        let outer = Place::new();
        fs::create_dir_all(outer.path().join("work")).unwrap();
        outer.put("word", "tigers\n");
        symlink(env!("CARGO_BIN_EXE_lbd"), outer.path().join("lbd")).unwrap();
        let bench = Self {
            outer,
            name: name.to_owned(),
        };
        bench.copy(file, name);
        // What messages call by a name of their own: the recipient's key, the reader's chain, any set of roots.
        bench.copy("rsa.key", "recipient.key");
        bench.copy("leaf.pem", "CHAIN");
        bench.copy("ca.pem", "FILE");
        bench
    }

    /// Readable for everybody, which is a finding where it is a key.
    fn copy(&self, file: &str, name: &str) {
        let content = fs::read(Path::new(FORMS).join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        self.outer.put(&format!("work/{name}"), content);
        fs::set_permissions(self.work().join(name), fs::Permissions::from_mode(0o644)).unwrap();
    }

    fn work(&self) -> PathBuf {
        self.outer.path().join("work")
    }

    pub(crate) fn original(&self) -> Vec<u8> {
        fs::read(self.work().join(&self.name)).unwrap()
    }

    pub(crate) fn mode(&self) -> u32 {
        self.outer.mode(&format!("work/{}", self.name))
    }

    pub(crate) fn files(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(self.work()).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// `lbd cert WORDS NAME`, without a terminal: code, and what was said on both streams.
    pub(crate) fn lbd(&self, words: &[&str], name: &str) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_lbd"))
            .arg("cert")
            .args(words)
            .args(["--", name])
            .current_dir(self.work())
            .env("SSL_CERT_FILE", MACHINE)
            .env_remove("SSL_CERT_DIR")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    /// The commands in a message, in their order, each once. What else stands in backquotes is an option, a line of PEM
    /// or the name of something; anything further is a command that the table does not know.
    pub(crate) fn printed(&self, said: &str) -> Result<Vec<Printed>, String> {
        let mut found: Vec<Printed> = Vec::new();
        for text in said.split('`').skip(1).step_by(2) {
            if is_name(text) || found.iter().any(|known| known.text == text) {
                continue;
            }
            let template = self
                .template(text)
                .ok_or_else(|| format!("`{text}` is not in lb_cert::Command::ALL"))?;
            let text = text.to_owned();
            found.push(Printed { text, template });
        }
        Ok(found)
    }

    /// The row that this is, filled for the file of this folder.
    fn template(&self, text: &str) -> Option<Template> {
        let quoted = format!("'{}'", self.name.replace('\'', "'\\''"));
        let names = [self.name.clone(), format!("./{}", self.name), quoted, "FILE".to_owned()];
        let is_filled = |template: &str| {
            names
                .iter()
                .any(|name| is_filling(text, &template.replace("FILE", name)))
        };
        let fits = |command: &&Template| {
            let own = self.name.starts_with("out.");
            is_filled(command.template()) || own && is_filled(&command.template().replace(" out.", " new."))
        };
        Template::ALL.iter().find(fits).copied()
    }

    /// Runs a command as a person would, who answers every question with the password; in a session of its own, so that
    /// questions come to standard input.
    pub(crate) fn run(&self, command: &str) -> Result<(), String> {
        if command.starts_with("lbd ") {
            return self.run_on_a_terminal(command);
        }
        let mut shell = Command::new("setsid");
        shell
            .args(["-w", "sh", "-c", command])
            .current_dir(self.work())
            .env("PATH", self.path())
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
        let mut child = Command::new("script")
            .args(["-qefc", command, "/dev/null"])
            .current_dir(self.work())
            .env("PATH", self.path())
            .env("SSL_CERT_FILE", MACHINE)
            .env_remove("SSL_CERT_DIR")
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
        if status.success() {
            return Ok(());
        }
        Err(format!("{status}: {}", String::from_utf8_lossy(&seen)))
    }

    fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.outer.path().display())
    }

    /// Certificates and keys in all files that were not there before, but for those that the command itself reads.
    pub(crate) fn counted(&self, before: &BTreeSet<String>, command: &str) -> Result<(usize, usize), String> {
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

/// Whether it is no command: an option, a line of PEM, or one of the names that messages show in backquotes.
pub(crate) fn is_name(text: &str) -> bool {
    const NAMES: [&str; 19] = [
        "cat",
        "lbd cert bundle",
        "lbd cert inspect",
        "lbd cert convert",
        "lbd cert verify",
        "subjectKeyIdentifier=hash",
        "authorityKeyIdentifier=keyid",
        "strict",
        "Profile::with_complete",
        "*.",
        "Limits",
        "Limits::scrypt_work",
        "Limits::derivations",
        "Limits::iterations",
        "Limits::total_iterations",
        "refuse",
        "warn",
        "off",
        "always",
    ];
    text.starts_with('-') || NAMES.contains(&text)
}

/// Whether a text is a template whose words other than `FILE` stand for something.
fn is_filling(text: &str, template: &str) -> bool {
    let template = template.replace("LABEL", "LINE").replace("RIGHT", "LINE");
    let mut parts = template.split("LINE");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let end = if parts.peek().is_none() {
            rest.strip_suffix(part).map(str::len)
        } else {
            rest.find(part)
        };
        match end {
            Some(end) if end > 0 && !rest[..end].contains('\n') => rest = &rest[end + part.len()..],
            _ => return false,
        }
    }
    rest.is_empty()
}

/// A program or library that one of the commands needs and that is not here.
pub(crate) fn missing(command: &str) -> Option<&'static str> {
    const TOOLS: [&str; 18] = [
        "openssl",
        "botan",
        "keytool",
        "python3",
        "ssh-keygen",
        "puttygen",
        "jq",
        "node",
        "munpack",
        "zstd",
        "unzip",
        "bzip2",
        "xz",
        "7z",
        "ansible-vault",
        "gzip",
        "script",
        "setsid",
    ];
    const CASTLE: &str = "/usr/share/java/bcprov.jar";
    if command.contains(CASTLE) && !Path::new(CASTLE).exists() {
        return Some(CASTLE);
    }
    let ours = if command.starts_with("lbd ") {
        "script"
    } else {
        "setsid"
    };
    let is_there = |tool: &str| {
        ["/usr/bin", "/bin"]
            .iter()
            .any(|folder| Path::new(folder).join(tool).exists())
    };
    let mut words = command.split([' ', '|', '(', ';']).chain([ours]);
    words.find_map(|word| TOOLS.into_iter().find(|tool| *tool == word && !is_there(tool)))
}

//! A folder with files, and the program run in it.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A new folder in which commands run; removed on drop.
#[derive(Debug)]
pub(crate) struct Place(PathBuf);

/// What a command did.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) errors: String,
}

/// The roots of the machine, as these tests see it: one, made for them, whose key is gone.
pub(crate) const MACHINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cert/machine-roots.pem");

impl Place {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("lbd-cert-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, for its owner only: keys are among them.
    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn get(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.get(name)).unwrap()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.0.join(name)).unwrap().permissions().mode() & 0o777
    }

    /// The names of all files, hidden ones too.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// `lbd cert` with these words, and nothing on standard input.
    pub(crate) fn cert(&self, words: &str) -> Said {
        self.cert_with(words, &[], b"")
    }

    /// With environment variables and standard input.
    pub(crate) fn cert_with(&self, words: &str, variables: &[(&str, &str)], input: &[u8]) -> Said {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lbd"))
            .arg("cert")
            .args(words.split_whitespace())
            .current_dir(&self.0)
            // What the machine trusts decides nothing here.
            .env("SSL_CERT_FILE", MACHINE)
            .env_remove("SSL_CERT_DIR")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Who does not read its input may be gone before all of it is written.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Said {
            code: output.status.code(),
            out: text(output.stdout),
            errors: text(output.stderr),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Said {
    /// Panics unless the exit code is this one.
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.errors);
        self
    }
}

/// Replaces runs of at least 20 bytes in hexadecimal digits, with colons or without.
pub(crate) fn plain(text: &str) -> String {
    let mut result = String::new();
    let mut run = String::new();
    for letter in text.chars().chain(['\0']) {
        if letter.is_ascii_hexdigit() || (letter == ':' && !run.is_empty()) {
            run.push(letter);
            continue;
        }
        let digits = run.chars().filter(char::is_ascii_hexdigit).count();
        match digits {
            64 => result.push_str("<sha256>"),
            40 => result.push_str("<key id>"),
            _ => result.push_str(&run),
        }
        run.clear();
        if letter != '\0' {
            result.push(letter);
        }
    }
    result
}

/// Fails with both texts when they differ.
#[track_caller]
pub(crate) fn assert_text(found: &str, expected: &str) {
    assert!(found == expected, "found:\n{found}\nexpected:\n{expected}");
}

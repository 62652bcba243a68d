//! A folder in which the real openssl works.
#![allow(dead_code)]

pub(crate) mod goods;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A temporary folder, removed when dropped.
#[derive(Debug)]
pub(crate) struct Shop {
    folder: PathBuf,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

impl Shop {
    /// `None`, with a printed reason, when there is no openssl.
    pub(crate) fn open() -> Option<Self> {
        let there = Command::new("openssl")
            .arg("version")
            .output()
            .is_ok_and(|output| output.status.success());
        if !there {
            assert!(std::env::var_os("LBD_REQUIRE_PEERS").is_none(), "openssl is required");
            eprintln!("skipped: there is no openssl");
            return None;
        }
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("lb-cert-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder can be made");
        Some(Self { folder })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs openssl with these arguments, separated by blanks, and demands success.
    pub(crate) fn run(&self, arguments: &str) -> Vec<u8> {
        let output = self.attempt(arguments);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "openssl {arguments}: {complaint}");
        output.stdout
    }

    /// Runs openssl with these arguments, separated by blanks.
    pub(crate) fn attempt(&self, arguments: &str) -> Output {
        let arguments: Vec<&str> = arguments.split(' ').filter(|argument| !argument.is_empty()).collect();
        self.attempt_with(&arguments)
    }

    pub(crate) fn attempt_with(&self, arguments: &[&str]) -> Output {
        Command::new("openssl")
            .args(arguments)
            .env("LC_ALL", "C")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .output()
            .expect("openssl runs")
    }

    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).expect("it is text")
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).expect("a temporary file can be written");
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

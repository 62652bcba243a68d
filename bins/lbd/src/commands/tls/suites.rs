//! `lbd tls suites`: what is offered, and why what the old books name is refused (S-TLS-06 to S-TLS-09).

use clap::Args;
use lb_tls::suites::{self, Offered, Refused};
use lb_tls::{Engine, SetClock, Version};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct Suites {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(asked: &Suites) -> ExitCode {
    let list = List::of(&Engine::aws_lc(SetClock::at(lb_net::clock::now().wall)));
    let text = if asked.json {
        format!("{:#}\n", list.as_json())
    } else {
        list.as_text()
    };
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // A reader that went away is no failure.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("lbd: cannot write to standard output: {error}");
            ExitCode::from(crate::FAILED)
        }
        _ => ExitCode::SUCCESS,
    }
}

#[derive(Debug)]
struct List {
    suites: Vec<Offered>,
    groups: Vec<String>,
    signatures: Vec<String>,
    refused: &'static [Refused],
}

impl List {
    fn of(engine: &Engine) -> Self {
        Self {
            suites: suites::offered(engine),
            groups: suites::groups(engine),
            signatures: suites::signatures(engine),
            refused: suites::refused(),
        }
    }

    /// The newest first, each once.
    fn versions(&self) -> Vec<&'static str> {
        let mut versions: Vec<Version> = self.suites.iter().map(|suite| suite.version).collect();
        versions.sort_unstable_by(|a, b| b.cmp(a));
        versions.dedup();
        versions.into_iter().map(version).collect()
    }

    fn as_text(&self) -> String {
        // Writing to a String cannot fail.
        let mut text = String::from("Offered\n");
        paragraph(&mut text, "versions", &self.versions().join(", "));
        paragraph(&mut text, "groups", &self.groups.join(", "));
        paragraph(&mut text, "signatures", &self.signatures.join(", "));
        text.push_str("\nCipher suites, in the server's order\n");
        let width = self.suites.iter().map(|suite| suite.name.len()).max().unwrap_or(0);
        let _ = writeln!(text, "  {:7}  {:width$}  certificate", "version", "suite");
        for suite in &self.suites {
            let (version, name, owner) = (version(suite.version), &suite.name, certificate(suite));
            let _ = writeln!(text, "  {version:7}  {name:width$}  {owner}");
        }
        text.push_str("\nRefused, and why\n");
        for one in self.refused {
            paragraph(&mut text, one.name, one.why);
        }
        text
    }

    fn as_json(&self) -> Value {
        let suites: Vec<Value> = self
            .suites
            .iter()
            .map(|suite| {
                json!({
                    "name": suite.name,
                    "version": version(suite.version),
                    "cipher": suite.cipher,
                    "proof": suite.proof,
                })
            })
            .collect();
        let refused: Vec<Value> = self
            .refused
            .iter()
            .map(|one| json!({ "name": one.name, "why": one.why }))
            .collect();
        json!({
            "versions": self.versions(),
            "suites": suites,
            "groups": self.groups,
            "signatures": self.signatures,
            "refused": refused,
        })
    }
}

const fn version(version: Version) -> &'static str {
    match version {
        Version::Tls12 => "TLS 1.2",
        Version::Tls13 => "TLS 1.3",
    }
}

/// The kinds of certificate that go with it: what stands behind the semicolon.
fn certificate(suite: &Offered) -> &'static str {
    let (_, kinds) = suite.proof.split_once("; ").unwrap_or(("", suite.proof));
    kinds.trim_end_matches(" certificate")
}

/// `  name                 The text, broken into lines` of at most [`COLUMNS`].
fn paragraph(text: &mut String, name: &str, words: &str) {
    let mut line = format!("  {name:<20}");
    for word in words.split_whitespace() {
        if line.len() + 1 + word.len() > COLUMNS {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(22);
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

/// Of a terminal as it is opened.
const COLUMNS: usize = 80;

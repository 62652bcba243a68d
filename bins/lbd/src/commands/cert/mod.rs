//! `lbd cert`: certificates looked at, checked, mended and converted. One file per sub-command.

pub(crate) mod args;
mod bundle;
mod convert;
mod doctor;
mod input;
mod inspect;
mod limbo;
mod matching;
mod output;
mod paint;
mod password;
mod roots;
mod rules;
mod verify;

use args::{At, Cert, CertCommand};
use std::process::ExitCode;

/// `lbd cert`.
pub(crate) fn run(cert: &Cert) -> ExitCode {
    let outcome = match &cert.command {
        CertCommand::Inspect(inspect) => inspect::run(inspect),
        CertCommand::Verify(verify) => verify::run(verify),
        CertCommand::Doctor(doctor) => doctor::run(doctor),
        CertCommand::Convert(convert) => convert::run(convert),
        CertCommand::Bundle(bundle) => bundle::run(bundle),
        CertCommand::Match(pair) => matching::run(pair),
        CertCommand::Rules(rules) => rules::run(rules),
        CertCommand::LimboHarness(harness) => limbo::run(harness),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let (code, text) = failure.parts();
            if !text.is_empty() {
                eprintln!("lbd: {}", text.trim_end());
            }
            ExitCode::from(code)
        }
    }
}

/// Why a sub-command ends with another code than 0. The text goes to standard error; an empty one was said before.
#[derive(Debug)]
enum Failure {
    /// Something failed while running: 1.
    Running(String),
    /// Wrong usage: 2.
    Usage(String),
    /// The input is damaged or cannot be decrypted: 3.
    Input(String),
    /// The answer is no: 4.
    Refused(String),
}

impl Failure {
    fn parts(self) -> (u8, String) {
        match self {
            Self::Running(text) => (crate::FAILED, text),
            Self::Usage(text) => (2, text),
            Self::Input(text) => (crate::MISCONFIGURED, text),
            Self::Refused(text) => (REFUSED, text),
        }
    }
}

/// The answer to what was asked is no.
const REFUSED: u8 = 4;

/// The time to judge by, in unix seconds.
fn time(at: At) -> i64 {
    at.at
        .unwrap_or_else(|| i64::try_from(lb_net::clock::now().wall.as_secs()).unwrap_or(i64::MAX))
}

/// "1 certificate", "2 certificates".
fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

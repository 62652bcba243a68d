//! `lbd cert`: certificates looked at, checked, mended and converted. One file per sub-command.

pub(crate) mod args;
mod bundle;
mod convert;
mod doctor;
mod folder;
mod input;
mod inspect;
mod limbo;
mod matching;
mod output;
mod paint;
mod password;
mod roots;
mod rules;
mod scan;
mod verify;

use args::{At, Cert, CertCommand};
use lb_cert::{Problem, ReadError, ReadErrorKind};
use std::process::ExitCode;

/// `lbd cert`.
pub(crate) fn run(cert: &Cert) -> ExitCode {
    let outcome = match &cert.command {
        CertCommand::Inspect(inspect) => inspect::run(inspect),
        CertCommand::Verify(verify) => verify::run(verify),
        CertCommand::Doctor(doctor) => doctor::run(doctor),
        CertCommand::Scan(scan) => scan::run(scan),
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
    /// The input is damaged: 3.
    Input(String),
    /// The answer is no: 4.
    Refused(String),
    /// A password is missing or wrong: 5.
    Locked(String),
    /// The input is in a form that is not read here, or beyond a limit: 6.
    Unsupported(String),
}

impl Failure {
    fn parts(self) -> (u8, String) {
        match self {
            Self::Running(text) => (crate::FAILED, text),
            Self::Usage(text) => (2, text),
            Self::Input(text) => (crate::MISCONFIGURED, text),
            Self::Refused(text) => (REFUSED, text),
            Self::Locked(text) => (LOCKED, text),
            Self::Unsupported(text) => (UNSUPPORTED, text),
        }
    }

    /// The reader's refusal, with its mend.
    fn unread(error: &ReadError) -> Self {
        let mut text = format!("{error}\n  mend: {}", error.explain());
        match error.kind() {
            ReadErrorKind::PasswordNeeded => {
                text.push_str(
                    "\n  give it with --password-file FILE or --password-env NAME, or run this in a terminal",
                );
                Self::Locked(text)
            }
            ReadErrorKind::WrongPassword => {
                text.push_str(
                    "\n  each password is tried on each file: --password-file and --password-env may be repeated",
                );
                Self::Locked(text)
            }
            ReadErrorKind::Unsupported | ReadErrorKind::Limit => Self::Unsupported(text),
            // Nothing is known of these bytes, so they may as well be what is left of a certificate.
            ReadErrorKind::NothingOfUse if !matches!(error.problem, Problem::Unrecognised { .. }) => {
                Self::Refused(text)
            }
            _ => Self::Input(text),
        }
    }

    /// All of several in one: their texts in order, and the code of the one that comes first in [`Failure::ORDER`].
    fn joined(failures: Vec<Self>) -> Option<Self> {
        let parts: Vec<(u8, String)> = failures.into_iter().map(Self::parts).collect();
        let code = Self::ORDER
            .into_iter()
            .find(|code| parts.iter().any(|(own, _)| own == code))?;
        let texts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
        let text = texts.join("\nlbd: ");
        Some(match code {
            2 => Self::Usage(text),
            crate::FAILED => Self::Running(text),
            crate::MISCONFIGURED => Self::Input(text),
            LOCKED => Self::Locked(text),
            UNSUPPORTED => Self::Unsupported(text),
            _ => Self::Refused(text),
        })
    }

    /// A file that cannot be read at all outweighs one that is damaged, that one what a password or a conversion mends.
    const ORDER: [u8; 6] = [2, crate::FAILED, crate::MISCONFIGURED, LOCKED, UNSUPPORTED, REFUSED];
}

/// The answer to what was asked is no.
const REFUSED: u8 = 4;
/// A password is missing or wrong.
const LOCKED: u8 = 5;
/// Not a form that is read here, or beyond a limit.
const UNSUPPORTED: u8 = 6;

/// The time to judge by, in unix seconds.
fn time(at: At) -> i64 {
    at.at
        .unwrap_or_else(|| i64::try_from(lb_net::clock::now().wall.as_secs()).unwrap_or(i64::MAX))
}

/// "1 certificate", "2 certificates".
fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

//! `lbd tls`: what is spoken. One file per sub-command.

mod suites;

use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Say what TLS is spoken here, and why the rest is not
#[derive(Debug, Args)]
pub(crate) struct Tls {
    #[command(subcommand)]
    command: TlsCommand,
}

#[derive(Debug, Subcommand)]
enum TlsCommand {
    /// List the versions, cipher suites, groups and signatures that are offered, and why those of old are refused
    #[command(after_help = SUITES_HELP)]
    Suites(suites::Suites),
}

/// `lbd tls`.
pub(crate) fn run(tls: &Tls) -> ExitCode {
    match &tls.command {
        TlsCommand::Suites(suites) => suites::run(suites),
    }
}

const SUITES_HELP: &str = "\
Examples:
  lbd tls suites
  lbd tls suites --json

Exit codes: 0 done, 1 standard output cannot be written, 2 wrong usage";

//! The program: arguments in, exit code out.

#![allow(clippy::print_stdout)] // a program may

mod access;
mod args;
mod commands;
mod control;
mod descriptors;
mod note;
mod outbox;
mod signals;
mod sockets;
mod transparent;
mod workers;

use args::{Arguments, Command};
use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Something failed while running.
const FAILED: u8 = 1;
/// Wrong usage: as clap has it.
const USAGE: u8 = 2;
/// The configuration is wrong.
const MISCONFIGURED: u8 = 3;

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Demo(demo) => commands::demo::run(&demo),
        Command::Run(run) => commands::run::run(&run),
        Command::Check(check) => commands::check::run(&check),
        Command::Status(status) => commands::admin::status::run(&status),
        Command::Backend(backend) => commands::admin::backend::run(&backend),
        Command::Cert(cert) => commands::cert::run(&cert),
        Command::Tls(tls) => commands::tls::run(&tls),
        Command::Simulate(simulate) => commands::simulate::run(&simulate),
        Command::Advise(advise) => commands::advise::run(&advise),
        Command::Explain(explain) => commands::explain::run(&explain),
        Command::Version => {
            println!("lbd {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
    }
}

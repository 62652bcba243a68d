//! `lbd status` and `lbd backend`: questions and orders to a running program, over its admin socket.

pub(crate) mod args;
pub(crate) mod backend;
pub(crate) mod status;

use crate::commands::run::say;
use crate::{FAILED, MISCONFIGURED};
use args::Reach;
use lb_admin::text::TableOptions;
use lb_admin::{Client, ClientError};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Asks, and hands the answer to `show`.
fn ask<T>(
    reach: &Reach,
    question: impl AsyncFnOnce(&Client) -> Result<T, ClientError>,
    show: impl FnOnce(T) -> String,
) -> ExitCode {
    let socket = match socket(reach) {
        Ok(socket) => socket,
        Err(code) => return code,
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("lbd: cannot start: {error}");
            return ExitCode::from(FAILED);
        }
    };
    match runtime.block_on(question(&Client::new(socket))) {
        Ok(answer) => {
            // Whoever reads may have seen enough: no reason to fail.
            let _ = std::io::stdout().write_all(show(answer).as_bytes());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("lbd: {error}");
            match &error {
                ClientError::Refused { mend, .. } if !mend.is_empty() => eprintln!("  = help: {mend}"),
                ClientError::Slow { .. } | ClientError::Broken { .. } => {
                    eprintln!("  = help: an order may be carried out all the same: look with `lbd status`");
                }
                _ => {}
            }
            ExitCode::from(FAILED)
        }
    }
}

/// Where the program listens.
fn socket(reach: &Reach) -> Result<PathBuf, ExitCode> {
    if let Some(socket) = &reach.socket {
        return Ok(socket.clone());
    }
    let Some(config) = &reach.config else {
        return Ok(PathBuf::from(lb_config::AdminSocket::DEFAULT));
    };
    match lb_config::load_admin(config) {
        Ok(Some(admin)) => Ok(admin.socket),
        Ok(None) => {
            eprintln!(
                "lbd: {} has no [admin] section, so nobody can reach the program",
                config.display()
            );
            eprintln!(
                "  = help: add the line [admin] and send the program SIGHUP; then it listens at {}",
                lb_config::AdminSocket::DEFAULT
            );
            Err(ExitCode::from(MISCONFIGURED))
        }
        Err(problems) => {
            say(&problems);
            Err(ExitCode::from(MISCONFIGURED))
        }
    }
}

/// Colours where somebody looks who wants them (<https://no-color.org>).
fn table_options() -> TableOptions {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    TableOptions::default().with_color(std::io::stdout().is_terminal() && !plain)
}

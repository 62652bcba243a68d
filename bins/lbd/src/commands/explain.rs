//! `lbd explain`: what a choice means.

use super::simulate::{Failure, end, print};
use clap::{Args, Subcommand};
use lb_doctor::explain;
use lb_doctor::simulate::Contender;
use std::process::ExitCode;

/// Explain a choice: what it suits, what it keeps, what it costs
#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The scheduling algorithms: what each suits, the state it keeps, the cost of a pick
    #[command(visible_alias = "schedulers")]
    Scheduler {
        /// One of them, as in least_conn
        algorithm: Option<String>,
    },
}

/// `lbd explain`.
pub(crate) fn run(explain: &Explain) -> ExitCode {
    let What::Scheduler { algorithm } = &explain.what;
    let text = match algorithm {
        None => Ok(explain::schedulers()),
        Some(word) => word
            .parse::<Contender>()
            .map(|contender| explain::scheduler(contender.recipe().algorithm))
            .map_err(|error| Failure::Usage(error.to_string())),
    };
    end(text.and_then(|text| print(&text)))
}

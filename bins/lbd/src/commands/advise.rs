//! `lbd advise`: which algorithm and weights a log asks for.

use super::simulate::replay::{finish, format, unreadable};
use super::simulate::{Failure, end, page, print};
use clap::Args;
use lb_doctor::advise::{Advice as Advised, Profile};
use lb_doctor::log::Log;
use std::fs::File;
use std::io::{BufRead, BufReader, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Read an access log and recommend an algorithm and weights for its traffic, with reasons
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Advise {
    /// The access log; `-` is standard input
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// What its lines look like: auto, combined (nginx, apache), json, `json KEY:UNIT`, haproxy, alb, or a log_format or
    /// LogFormat such as 'combined $request_time' or 'combined %D'
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    format: String,
    /// Only requests of this pool (backend section, target group) [default: the one with most]
    #[arg(long, value_name = "NAME")]
    pool: Option<String>,
    /// The same seed gives the same simulation
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write one self-contained page with the plots of the simulation
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write over a file that is no such page
    #[arg(long, requires = "html")]
    force: bool,
}

const HELP: &str = "\
Examples:
  lbd advise /var/log/nginx/access.log
  zcat access.log.*.gz | lbd advise -
  lbd advise --format 'combined %D' /var/log/apache2/access.log
  lbd advise haproxy.log --pool static --html static.html

Weighted round robin is for requests that cost about the same (p95 at most 3 times p50), weighted least connections for
those whose costs differ by orders of magnitude (from 100 times on). Weights follow the durations of each backend, where
the log names backends.
Exit codes: 0 done, 1 failure while running, 2 wrong usage, 3 a log that cannot be read";

/// `lbd advise`.
pub(crate) fn run(advise: &Advise) -> ExitCode {
    end(match advise.log == Path::new("-") {
        true => with(advise, stdin().lock()),
        false => match File::open(&advise.log) {
            Ok(file) => with(advise, BufReader::new(file)),
            Err(error) => Err(Failure::Input(format!("{}: {error}", advise.log.display()))),
        },
    })
}

fn with(advise: &Advise, input: impl BufRead) -> Result<(), Failure> {
    let path = match advise.log == Path::new("-") {
        true => Path::new("standard input"),
        false => &advise.log,
    };
    let mut log = Log::new(input, format(&advise.format)?).map_err(|error| unreadable(path, error))?;
    let mut profile = Profile::read(&mut log, advise.pool.as_deref());
    finish(&mut log, path)?;
    if profile.survey.requests == 0 {
        let pool = advise.pool.as_deref().unwrap_or_default();
        return Err(Failure::Usage(format!(
            "--pool: the log has no requests of {pool:?}; it has {}",
            log.pools().join(", ")
        )));
    }
    let advice = Advised::of(&mut profile);
    let mut rehearsal = advice
        .rehearse(&profile, advise.seed)
        .map_err(|error| Failure::usage(&error))?;
    if let Some(file) = &advise.html {
        let shown = path.display().to_string();
        page::write(
            file,
            &advice.html(&mut profile, rehearsal.as_mut(), &shown),
            advise.force,
        )?;
    }
    match advise.json {
        true => print(&advice.json(&mut profile, rehearsal.as_mut())),
        false => print(&advice.text(&mut profile, rehearsal.as_mut())),
    }
}

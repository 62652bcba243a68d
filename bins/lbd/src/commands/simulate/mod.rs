//! `lbd simulate`: algorithms side by side on a virtual clock.

pub(crate) mod args;
pub(crate) mod page;
mod pool;
pub(crate) mod replay;
mod traffic;

use crate::MISCONFIGURED;
use args::Simulate;
use lb_doctor::Scenario;
use lb_doctor::report::Setting;
use lb_doctor::simulate::{Comparison, Contender, compare};
use pool::Site;
use std::error::Error;
use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

/// `lbd simulate`.
pub(crate) fn run(simulate: &Simulate) -> ExitCode {
    let outcome = if simulate.list {
        list()
    } else if let Some(number) = simulate.scenario {
        scenario(number, simulate.json)
    } else {
        comparison(simulate)
    };
    end(outcome)
}

/// Why a command ends with another code than 0.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something failed while running: 1.
    Running(String),
    /// Wrong usage: 2.
    Usage(String),
    /// A wrong configuration or damaged input: 3.
    Input(String),
}

impl Failure {
    /// Wrong usage of a flag.
    pub(crate) fn flag(flag: &str, error: impl Display) -> Self {
        Self::Usage(format!("{flag}: {error}"))
    }

    /// What could not be simulated, with its causes.
    pub(crate) fn usage(error: &dyn Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self::Usage(text)
    }
}

/// The exit code of a command, and its reason on standard error.
pub(crate) fn end(outcome: Result<(), Failure>) -> ExitCode {
    let (code, text) = match outcome {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Running(text)) => (crate::FAILED, text),
        Err(Failure::Usage(text)) => (2, text),
        Err(Failure::Input(text)) => (MISCONFIGURED, text),
    };
    eprintln!("lbd: {}", text.trim_end());
    ExitCode::from(code)
}

/// Writes to standard output; a reader that went away is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Running(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

fn list() -> Result<(), Failure> {
    let lines = Scenario::list().map(|(number, title)| format!("{number}  {title}\n"));
    print(&lines.concat())
}

fn scenario(number: u8, json: bool) -> Result<(), Failure> {
    match Scenario::run(number) {
        Ok(Some(scenario)) if json => print(&scenario.json()),
        Ok(Some(scenario)) => print(&scenario.to_string()),
        Ok(None) => Err(Failure::flag(
            "--scenario",
            format!("there is no scenario {number}; there are 1 to 5, see --list"),
        )),
        Err(error) => Err(Failure::usage(&error)),
    }
}

fn comparison(simulate: &Simulate) -> Result<(), Failure> {
    if let Some(path) = &simulate.log {
        let (mut result, setting) = replay::run(simulate, path)?;
        return show(&mut result, &setting, simulate);
    }
    let site = pool::site(simulate, simulate.concurrency.unwrap_or(USUAL_PLACES))?;
    let contenders = contenders(&simulate.algorithm, &site)?;
    let traffic = traffic::made_up(simulate, &site.backends)?;
    let mut setting = traffic::setting(&traffic, simulate.seed);
    setting.notes.extend(site.notes);
    let requests = traffic.requests(simulate.seed);
    let result = compare(&contenders, &site.backends, &site.options, requests, Some(traffic.span));
    let mut result = result.map_err(|error| Failure::usage(&error))?;
    show(&mut result, &setting, simulate)
}

fn show(result: &mut Comparison, setting: &Setting, simulate: &Simulate) -> Result<(), Failure> {
    if let Some(path) = &simulate.html {
        page::write(path, &result.html(setting), simulate.force)?;
    }
    if simulate.json {
        return print(&result.json(setting));
    }
    print(&result.text(setting))?;
    match &simulate.html {
        Some(path) => print(&format!("\nThe page with the plots: {}\n", path.display())),
        None => Ok(()),
    }
}

/// Those that were named; otherwise all that fit, and the pool's own way.
pub(crate) fn contenders(names: &[String], site: &Site) -> Result<Vec<Contender>, Failure> {
    if names.is_empty() {
        let mut all = Contender::all(&site.backends);
        if let Some(own) = site.own.filter(|own| !all.contains(own)) {
            all.push(own);
        }
        return Ok(all);
    }
    let read = |name: &String| name.trim().parse().map_err(|error| Failure::flag("--algorithm", error));
    let mut list: Vec<Contender> = Vec::new();
    for name in names {
        let contender = read(name)?;
        if !list.contains(&contender) {
            list.push(contender);
        }
    }
    Ok(list)
}

/// Requests that a made-up backend works on at once: lines form, but not behind every single request.
const USUAL_PLACES: u32 = 4;

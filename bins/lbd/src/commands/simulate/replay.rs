//! The traffic of a simulation from an access log.

use super::args::Simulate;
use super::{Failure, contenders, pool};
use crate::note::counted;
use lb_doctor::log::{Format, Log, LogError, Replay, ReplayOptions, Survey};
use lb_doctor::report::Setting;
use lb_doctor::simulate::{Backend, Comparison, compare};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Replays the log: once through to see how much it is, once to serve it.
pub(super) fn run(simulate: &Simulate, path: &Path) -> Result<(Comparison, Setting), Failure> {
    let format = format(&simulate.format)?;
    if path == Path::new("-") {
        return Err(Failure::Usage("--log: give a file, the log is read twice".to_owned()));
    }
    let mut options = ReplayOptions::default();
    options.seed = simulate.seed;
    if let Some(service) = &simulate.service {
        let service: lb_doctor::simulate::Service =
            service.parse().map_err(|error| Failure::flag("--service", error))?;
        options.unknown = service.clone();
        options.service = Some(service);
    }
    let mut log = open(path, format)?;
    let survey = Survey::of(log.by_ref());
    finish(&mut log, path)?;
    let work = match &options.service {
        Some(service) => service.mean().as_secs_f64() * survey.requests as f64,
        None => survey.work(options.unknown.mean()),
    };
    let mut site = pool::site(simulate, 1)?;
    if !simulate.names_backends() {
        site.backends.truncate(3);
    }
    let speeds: f64 = site
        .backends
        .iter()
        .filter(|b| b.weight.get() > 0)
        .map(Backend::capacity)
        .sum();
    let places = simulate.concurrency.unwrap_or_else(|| survey.places(work, speeds));
    for backend in site.backends.iter_mut().filter(|b| b.places == 1) {
        backend.places = places;
    }
    let capacity: f64 = site
        .backends
        .iter()
        .filter(|b| b.weight.get() > 0)
        .map(Backend::capacity)
        .sum();
    options.speedup = match simulate.speedup {
        Some(times) if Survey::SPEEDUPS.contains(&times) => times,
        Some(times) => {
            return Err(Failure::flag(
                "--speedup",
                format!("{times} is out of range; give 0.000001 to 1000000, 1 is as it came"),
            ));
        }
        None => survey.speedup(work, capacity.max(1e-9)),
    };
    let contenders = contenders(&simulate.algorithm, &site)?;
    let mut setting = setting(&log, path, &survey, work, &options);
    setting.notes.extend(site.notes);
    let span = survey.span().div_f64(options.speedup);
    let requests = Replay::new(open(path, Some(log.format().clone()))?, options);
    let result = compare(&contenders, &site.backends, &site.options, requests, Some(span));
    Ok((result.map_err(|error| Failure::usage(&error))?, setting))
}

fn setting<R: BufRead>(log: &Log<R>, path: &Path, survey: &Survey, work: f64, options: &ReplayOptions) -> Setting {
    let mut setting = Setting::new(format!("the requests of {}.", path.display()));
    setting.notes.extend(log.reading());
    setting.notes.push(Survey::pace(work, options.speedup));
    if work > 0.0 {
        setting.notes.push("--speedup 1 is as they came.".to_owned());
    }
    if options.service.is_some() {
        setting
            .notes
            .push(format!("Their work is not that of the log but {}.", options.unknown));
    } else if survey.timed == 0 {
        setting.notes.push(format!(
            "The log has no durations, so work is made up: {}.",
            options.unknown
        ));
    }
    setting
}

/// How many lines could not be read, and the first ones.
fn bad_lines<R: BufRead>(log: &Log<R>) -> String {
    let mut text = format!("{} could not be read:", counted(log.bad(), "line"));
    for bad in log.first_bad() {
        // writing to a String cannot fail
        let _ = write!(text, " line {} ({})", bad.line, bad.why);
    }
    text
}

/// The word of a flag; `None` for `auto`.
pub(crate) fn format(word: &str) -> Result<Option<Format>, Failure> {
    match word {
        "auto" => Ok(None),
        word => word.parse().map(Some).map_err(|error| Failure::flag("--format", error)),
    }
}

fn open(path: &Path, format: Option<Format>) -> Result<Log<BufReader<File>>, Failure> {
    let file = File::open(path).map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
    Log::new(BufReader::new(file), format).map_err(|error| unreadable(path, error))
}

/// Why a log is not read.
pub(crate) fn unreadable(path: &Path, error: LogError) -> Failure {
    match error {
        LogError::Io(cause) => Failure::Input(format!("{}: {cause}", path.display())),
        other => Failure::Input(format!("{} {other}", path.display())),
    }
}

/// Nothing to replay, or a log that broke off, is an error.
pub(crate) fn finish<R: BufRead>(log: &mut Log<R>, path: &Path) -> Result<(), Failure> {
    if let Some(error) = log.take_failure() {
        return Err(Failure::Input(format!("{}: {error}", path.display())));
    }
    if log.good() == 0 {
        return Err(Failure::Input(format!(
            "{} has no line that is {}; {}",
            path.display(),
            log.format(),
            bad_lines(log)
        )));
    }
    Ok(())
}

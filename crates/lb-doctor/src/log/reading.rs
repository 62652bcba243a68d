use super::format::Format;
use super::reader::Log;
use crate::spec::{counted, grouped, verb};
use std::io::BufRead;

/// How a log was read, in sentences.
pub(super) fn sentences<R: BufRead>(log: &Log<R>) -> Vec<String> {
    let how = if log.was_detected() {
        "found by looking at it"
    } else {
        "as told"
    };
    let mut lines = vec![format!("Format: {}, {how}.", log.format()), durations(log)];
    lines.extend(unclear(log));
    if log.bad() > 0 {
        let first: Vec<String> = log
            .first_bad()
            .iter()
            .map(|bad| format!("line {}: {}", bad.line, bad.why))
            .collect();
        let more = if log.bad() > first.len() as u64 { ", .." } else { "" };
        lines.push(format!(
            "{} could not be read ({}{more}) and {} left out.",
            counted(log.bad(), "line"),
            first.join(", "),
            verb(log.bad(), "is", "are"),
        ));
    }
    lines
}

fn durations<R: BufRead>(log: &Log<R>) -> String {
    let timed: u64 = log.sources().iter().map(|(_, count)| count).sum();
    let sources: Vec<String> = log
        .sources()
        .iter()
        .map(|(source, count)| match log.sources().len() {
            1 => (*source).to_owned(),
            _ => format!("{source} ({})", grouped(*count)),
        })
        .collect();
    match timed {
        0 => "Durations: none.".to_owned(),
        timed if timed == log.good() => format!("Durations: {}.", sources.join("; ")),
        timed => format!(
            "Durations: {}; {} of {} {} one.",
            sources.join("; "),
            grouped(timed),
            counted(log.good(), "line"),
            verb(timed, "has", "have")
        ),
    }
}

/// What was not taken for a duration, and how to say that it is one.
fn unclear<R: BufRead>(log: &Log<R>) -> Option<String> {
    let unclear = log.unclear()?;
    let (example, line) = (&unclear.example, unclear.line);
    Some(match log.format() {
        Format::Json | Format::JsonKey(_) => format!(
            "{example:?} in line {line} may be a duration, but neither its name nor the other keys say in which unit, so it was not \
             used. If it is one, say so: --format 'json {example}:ms' (or s, us, ns)."
        ),
        _ if unclear.is_crowded => format!(
            "{} the whole request's and which the backend's is not said, so none was used; {}",
            match unclear.lines {
                1 => format!(
                    "More than two times without a name stand behind the standard fields of line {line}, {example:?} first: which of them is"
                ),
                lines => format!(
                    "More than two times without a name stand behind the standard fields of {} lines, {example:?} first in line {line}: which of them is",
                    grouped(lines)
                ),
            },
            match &unclear.format {
                Some(format) => format!("say so: --format '{format}', with the names in the order of your log_format."),
                None => "say so: --format with the whole log_format.".to_owned(),
            }
        ),
        _ => {
            let (kinds, units) = match !example.bytes().all(|b| b.is_ascii_digit()) {
                true => ("something else ($gzip_ratio, a part of the time)", ""),
                false => (
                    "a number of bytes (Apache's combinedio writes two of those)",
                    " for microseconds, %{ms}T in the place of %D for milliseconds, %T for seconds",
                ),
            };
            let mend = match &unclear.format {
                Some(format) => format!("--format '{format}'{units}, or the whole log_format or LogFormat"),
                None => "--format with the whole log_format or LogFormat".to_owned(),
            };
            format!(
                "{example:?} behind the standard fields of line {line} may be a duration or {kinds}, so it was not used. If it is one, say so: {mend}."
            )
        }
    })
}

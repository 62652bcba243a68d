use super::format::Format;
use super::reader::Log;
use crate::spec::grouped;
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
        let lines_ = if log.bad() == 1 { "line" } else { "lines" };
        lines.push(format!(
            "{} {lines_} could not be read ({}{more}).",
            grouped(log.bad()),
            first.join(", ")
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
            "Durations: {}; {} of {} lines have one.",
            sources.join("; "),
            grouped(timed),
            grouped(log.good())
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
        _ if example.contains('.') => format!(
            "{example:?} behind the standard fields of line {line} may be a duration or something else ($gzip_ratio, a second time), so \
             it was not used. If it is one, say so: --format 'combined $request_time', or the whole log_format."
        ),
        _ => format!(
            "{example:?} behind the standard fields of line {line} may be a duration or a number of bytes (Apache's combinedio writes \
             two of those), so it was not used. If it is one, say so: --format 'combined %D' for microseconds, 'combined %{{ms}}T', \
             'combined %T' for seconds, or the whole LogFormat."
        ),
    })
}

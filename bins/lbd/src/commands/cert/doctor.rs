//! `lbd cert doctor`: everything that is wrong, why it matters, how to mend it; and mended on request.

use super::args::Doctor;
use super::output::{self, Draft};
use super::paint::Paint;
use super::{Failure, convert, count, input, roots};
use lb_cert::doctor::{Client, ClientView, Examination, Patient, Report, RootSet, RootStore, Verdict};
use lb_cert::{AwsLc, Certificate, Command, Finding, Found, KeyMatch, PrivateKey, Severity, write};
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) fn run(doctor: &Doctor) -> Result<(), Failure> {
    let mut input = input::read_with_folders(&doctor.files, &doctor.passwords)?;
    let unread = input.unread.take();
    let at = super::time(doctor.at);
    let paint = Paint::stdout();
    let sets = match doctor.roots.as_slice() {
        [] => roots::usual(&input.certificates, |reason| {
            eprintln!("lbd: note: clients with the system's roots are left out: {reason}");
        }),
        wanted => roots::sets(wanted)?,
    };
    let sets: Vec<RootSet<'_>> = sets.iter().map(|(name, roots)| RootSet { name, roots }).collect();
    let examination = Examination {
        at,
        names: &doctor.name,
        roots: &sets,
        crypto: &AwsLc,
    };
    let tree = super::inspect::tree(&input.certificates, at, paint);
    let exposed = input.keys.iter().filter_map(exposed_key).collect::<Vec<_>>();
    let patient = Patient {
        certificates: input.certificates,
        keys: input.keys,
        notes: input.notes,
    };
    let mut report = lb_cert::doctor::examine(patient, &examination);
    report.findings.extend(exposed);
    report
        .findings
        .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let text = if doctor.json {
        format!("{:#}\n", as_json(&report, at))
    } else {
        as_text(&tree, &report, paint)
    };
    let is_out = doctor.out.as_deref().is_some_and(output::is_standard);
    output::say(&text, is_out)?;
    if let Some(failure) = unread {
        return Err(failure);
    }
    if doctor.print {
        output::print(write::certificates(report.mended.sent().map(|found| found.value.der())).as_bytes())?;
    }
    if let Some(path) = &doctor.out {
        let mut content = write::certificates(report.mended.sent().map(|found| found.value.der()));
        if report.mended.chain.is_empty() {
            let reason = match report.store {
                Some(_) => "a root store is no server's bundle; nothing was written",
                None => "there is no certificate to write",
            };
            return Err(Failure::Refused(reason.to_owned()));
        }
        // A key that is not the certificate's makes no bundle.
        let key = report
            .mended
            .key
            .as_ref()
            .filter(|_| matches!(report.mended.pairing, KeyMatch::Match { .. }));
        if let Some(key) = key {
            content.push_str(&convert::key_pem(key, super::args::KeyForm::Pkcs8)?);
        }
        let draft = Draft {
            path,
            content: content.as_bytes(),
            is_secret: key.is_some(),
        };
        output::write(&[draft], doctor.force)?;
        let what = if key.is_some() { "chain and key" } else { "chain" };
        if !is_out {
            eprintln!("lbd: the mended {what} was written to {}", path.display());
        }
    }
    outcome(&report, doctor.strict)
}

/// Errors make the answer no; where it is strict, warnings do too.
pub(super) fn outcome(report: &Report, is_strict: bool) -> Result<(), Failure> {
    let limit = if is_strict { Severity::Warning } else { Severity::Error };
    if report.worst().is_some_and(|worst| worst >= limit) {
        return Err(Failure::Refused(String::new()));
    }
    Ok(())
}

/// The tree of what was given, and the report below it. Also what `scan` shows.
pub(super) fn as_text(tree: &str, report: &Report, paint: Paint) -> String {
    // A line for each of hundreds of roots helps nobody.
    let mut text = if report.store.is_some() {
        String::new()
    } else {
        tree.to_owned()
    };
    // Writing to a String cannot fail.
    for finding in &report.findings {
        let severity = match finding.severity {
            Severity::Error => paint.bad("error"),
            Severity::Warning => paint.warning("warning"),
            _ => paint.dim("note"),
        };
        let _ = writeln!(text, "\n{severity}[{}]: {}", finding.id, finding.what);
        if let Some(place) = &finding.place {
            let _ = writeln!(text, "  where  {place}");
        }
        let _ = writeln!(text, "{}", wrapped("why", finding.why));
        let _ = writeln!(text, "{}", wrapped("mend", &finding.mend));
    }
    if !report.clients.is_empty() {
        let _ = writeln!(text, "\n{}", paint.bold("What clients say (nothing was fetched)"));
        text.push_str(&table(&report.clients, paint));
    }
    text.push('\n');
    text.push_str(&summary(report, paint));
    text
}

/// Each client in one line when mending changes nothing, in two when it does.
fn table(views: &[ClientView], paint: Paint) -> String {
    let mut text = String::new();
    let painted = |verdict: &Verdict| match verdict {
        Verdict::Trusts { .. } => paint.good(verdict),
        Verdict::WouldFetch { .. } => paint.warning(verdict),
        _ => paint.bad(verdict),
    };
    let mut roots: Option<&str> = None;
    for view in views {
        if roots != Some(view.roots.as_str()) {
            roots = Some(&view.roots);
            let _ = writeln!(text, "  with the roots of {}", view.roots);
        }
        let kind = match view.client {
            Client::InOrder => "takes the order as it is",
            Client::FirstFit => "takes the first that fits",
            Client::Sorting => "sorts, fetches nothing",
            Client::Fetching => "fetches what is missing",
            _ => view.client.as_str(),
        };
        let kind = format!("{kind} ({})", view.client.examples());
        let _ = writeln!(text, "    {kind:<56} {}", painted(&view.given));
        if view.mended != view.given {
            let _ = writeln!(text, "    {:<56} {}", "  and the mended bundle:", painted(&view.mended));
        }
    }
    text
}

fn summary(report: &Report, paint: Paint) -> String {
    let number = |severity| {
        report
            .findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let (errors, warnings, notes) = (
        number(Severity::Error),
        number(Severity::Warning),
        number(Severity::Note),
    );
    let mut line = match (errors, warnings) {
        (0, 0) => paint.good("good"),
        _ => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    if notes > 0 {
        line.push_str(&format!(", {}", count(notes, "note")));
    }
    let names: Vec<String> = report.mended.chain.iter().map(|found| found.value.label()).collect();
    if !names.is_empty() {
        line.push_str(&format!("; mended: {}", names.join(", ")));
    }
    line.push('\n');
    line
}

/// `  why    The text, broken into lines` of at most 100 columns.
fn wrapped(name: &str, text: &str) -> String {
    let mut lines = vec![format!("  {name:<6}")];
    for word in words(text) {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line + 1 + word.chars().count() > 100 {
            lines.push(" ".repeat(9));
        }
        if let Some(last) = lines.last_mut() {
            if !last.trim().is_empty() {
                last.push(' ');
            }
            last.push_str(&word);
        }
    }
    lines.join("\n")
}

/// The words of a text; a command between backquotes is one, so that it can be copied as it stands.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut is_open = false;
    for part in text.split([' ', '\n']) {
        match words.last_mut() {
            Some(command) if is_open => {
                command.push(' ');
                command.push_str(part);
            }
            _ if part.is_empty() => {}
            _ => words.push(part.to_owned()),
        }
        is_open ^= part.matches('`').count() % 2 == 1;
    }
    words
}

/// The report. Also what `scan` writes.
pub(super) fn as_json(report: &Report, at: i64) -> Value {
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "severity": finding.severity.as_str(),
                "id": finding.id,
                "place": finding.place.as_ref().map(super::inspect::place),
                "what": finding.what,
                "why": finding.why,
                "mend": finding.mend,
            })
        })
        .collect();
    let clients: Vec<Value> = report
        .clients
        .iter()
        .map(|view| {
            json!({
                "client": view.client.as_str(),
                "roots": view.roots,
                "given": verdict(&view.given),
                "mended": verdict(&view.mended),
            })
        })
        .collect();
    let json = |found: &Found<Certificate>| super::inspect::certificate_json(found, at);
    let chain: Vec<Value> = report.mended.chain.iter().map(json).collect();
    json!({
        "at": lb_cert::date::moment(at),
        "worst": report.worst().map(Severity::as_str),
        "findings": findings,
        "clients": clients,
        "chain": chain,
        "root_store": report.store.as_ref().map(store_json),
        "further": report.mended.further.iter().map(json).collect::<Vec<_>>(),
    })
}

fn store_json(store: &RootStore) -> Value {
    json!({
        "roots": store.roots,
        "others": store.others,
        "repeated": store.repeated,
        "expired": store.expired,
        "not_yet_valid": store.not_yet_valid,
        "weak": store.weak,
        "old_signatures": store.old_signatures,
    })
}

fn verdict(verdict: &Verdict) -> Value {
    let address = match verdict {
        Verdict::WouldFetch { issuer } | Verdict::Missing { issuer } => issuer.addresses.first(),
        _ => None,
    };
    json!({
        "answer": verdict.as_str(),
        "text": verdict.to_string(),
        "address": address,
    })
}

/// A key file that other users of the machine can read.
fn exposed_key(key: &Found<PrivateKey>) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(key.place.source.as_ref()).ok()?.permissions().mode();
    (mode & 0o004 != 0).then(|| Finding {
        severity: Severity::Warning,
        id: "key-is-readable",
        place: Some(key.place.clone()),
        what: format!(
            "every user of this machine can read the private key (mode {:o})",
            mode & 0o777
        ),
        why: "Whoever has the key can pretend to be the server, now and until the certificate ends.",
        mend: format!("`{}` leaves it to its owner.", Command::RESTRICT.fill(&key.place)),
    })
}

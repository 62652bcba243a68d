//! `lbd cert scan`: what a server really sends, through the doctor.

pub(super) mod args;
mod error;
mod finding;
mod handshake;
mod report;
mod shown;
mod starttls;
pub(super) mod target;
mod wire;

use super::paint::Paint;
use super::{Failure, doctor, output, roots};
use args::Scan;
use error::ScanError;
use handshake::Server;
use lb_cert::doctor::{Examination, RootSet};
use lb_cert::{AwsLc, Certificate, Found, Place, write};
use lb_tls::{Engine, SetClock};
use std::sync::Arc;
use wire::{Deadline, Wire};

pub(super) fn run(scan: &Scan) -> Result<(), Failure> {
    // Read first: a file that cannot be read is no reason to knock at a server's door.
    let sets = match scan.roots.as_slice() {
        // What a server sends is no ground to trust it, as it is in a file of its owner.
        [] => roots::usual(&[], |reason| {
            eprintln!("lbd: note: clients with the system's roots are left out: {reason}");
        }),
        wanted => roots::sets(wanted)?,
    };
    let at = super::time(scan.at);
    let (wire, server) = ask(scan).map_err(|error| Failure::Running(format!("{error}\n  mend: {}", error.mend())))?;
    let certificates = parsed(&server, scan)?;
    let sets: Vec<RootSet<'_>> = sets.iter().map(|(name, roots)| RootSet { name, roots }).collect();
    let names: Vec<String> = std::iter::once(scan.server().to_owned())
        .chain(scan.name.iter().cloned())
        .collect();
    let examination = Examination {
        at,
        names: &names,
        roots: &sets,
        crypto: &AwsLc,
    };
    let report = finding::examine(&certificates, &server.proof, &examination);
    let text = if scan.json {
        let json = report::as_json(scan, &wire, &server, &certificates, doctor::as_json(&report, at), at);
        format!("{json:#}\n")
    } else {
        let paint = Paint::stdout();
        let tree = super::inspect::tree(&certificates, at, paint);
        let facts = report::as_text(scan, &wire, &server, paint);
        format!("{facts}\n{}", doctor::as_text(&tree, &report, paint))
    };
    output::print(text.as_bytes())?;
    if scan.print {
        output::print(write::certificates(report.mended.sent().map(|found| found.value.der())).as_bytes())?;
    }
    doctor::outcome(&report, scan.strict)
}

/// Connects, asks for TLS, shakes hands and closes.
fn ask(scan: &Scan) -> Result<(Wire, Server), ScanError> {
    let engine = Engine::aws_lc(SetClock::at(lb_net::clock::now().wall));
    let target = scan.connect.as_ref().unwrap_or(&scan.target);
    let mut wire = Wire::connect(target, Deadline::of(scan.timeout))?;
    if let Some(protocol) = scan.starttls {
        starttls::speak(&mut wire, protocol, scan.server())?;
    }
    let server = handshake::shake(&mut wire, scan.server(), scan.protocols(), &engine)?;
    Ok((wire, server))
}

/// The certificates, each with its number as its place.
fn parsed(server: &Server, scan: &Scan) -> Result<Vec<Found<Certificate>>, Failure> {
    let source: Arc<str> = scan.target.to_string().into();
    let place = |block| Place {
        block,
        ..Place::whole(&source)
    };
    let found = server.certificates.iter().zip(1..);
    let found = found.map(|(value, number)| Found {
        value: value.clone(),
        place: place(number),
    });
    lb_cert::parse_all(found.collect()).map_err(|error| Failure::Input(format!("{error}\n  mend: {}", error.explain())))
}

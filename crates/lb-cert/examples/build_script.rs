//! Checks a bundle as a build script does before it packs one: `build.rs` has the same lines.
//!
//! `SOURCE_DATE_EPOCH=$(date +%s) cargo run -p lb-cert --features aws-lc-rs --example build_script -- fullchain.pem key.pem`
#![allow(clippy::print_stdout, reason = "a build script talks to cargo on standard output")]

use lb_cert::doctor::{Examination, Patient, examine};
use lb_cert::{AwsLc, ReadOptions, Severity};
use std::error::Error;
use std::process::ExitCode;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut patient = Patient::default();
    for path in std::env::args().skip(1) {
        println!("cargo::rerun-if-changed={path}");
        let contents = lb_cert::read(&path, &std::fs::read(&path)?, &ReadOptions::default())?;
        patient.certificates.extend(lb_cert::parse_all(contents.certificates)?);
        patient.keys.extend(contents.keys);
        patient.notes.extend(contents.notes);
    }
    // A build that must give the same result tomorrow takes the time from SOURCE_DATE_EPOCH.
    let epoch = std::env::var("SOURCE_DATE_EPOCH").map_err(|_| "SOURCE_DATE_EPOCH is not set (seconds since 1970)")?;
    let at = epoch.parse()?;
    let report = examine(
        patient,
        &Examination {
            at,
            names: &[],
            roots: &[],
            crypto: &AwsLc,
        },
    );
    for finding in &report.findings {
        println!("cargo::warning={finding}");
    }
    let is_good = report.worst().is_none_or(|worst| worst < Severity::Error);
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

//! Whom clients trust: files of roots, or the system's.

use super::args::Passwords;
use super::{Failure, input};
use lb_cert::inspect::Role;
use lb_cert::{AwsLc, Certificate, Found, Roots};
use std::path::Path;

/// Name and roots of each set. Every certificate of a file is trusted, self-signed or not.
pub(super) fn sets(wanted: &[String]) -> Result<Vec<(String, Roots)>, Failure> {
    let mut sets = Vec::new();
    for name in wanted {
        let roots = if name == "system" {
            let (roots, unreadable) = Roots::native().map_err(Failure::Running)?;
            if unreadable > 0 {
                eprintln!("lbd: note: of the system's roots, {unreadable} cannot be read");
            }
            roots
        } else {
            let input = input::read(&[Path::new(name)], &Passwords::default())?;
            input.certificates.into_iter().map(|found| found.value).collect()
        };
        if roots.is_empty() {
            return Err(Failure::Input(format!(
                "{name} holds no certificate, so nothing would be trusted"
            )));
        }
        sets.push((name.clone(), roots));
    }
    Ok(sets)
}

/// What `--roots` asks for, or [`usual`].
pub(super) fn wanted(wanted: &[String], given: &[Found<Certificate>]) -> Result<Vec<(String, Roots)>, Failure> {
    match wanted {
        // One certificate is one chain, whomever clients trust.
        [] if given.len() < 2 => Ok(Vec::new()),
        [] => Ok(usual(given, |_| {})),
        _ => sets(wanted),
    }
}

/// Without any wish: the system's roots, and those that were given with the chain, as clients of their owner have.
pub(super) fn usual(given: &[Found<Certificate>], without_system: impl FnOnce(String)) -> Vec<(String, Roots)> {
    let mut sets = Vec::new();
    match Roots::native() {
        Ok((roots, _)) => sets.push(("system".to_owned(), roots)),
        Err(reason) => without_system(reason),
    }
    let roots: Roots = given
        .iter()
        .filter(|found| Role::of(&found.value, &AwsLc) == Role::Root)
        .map(|found| found.value.clone())
        .collect();
    if !roots.is_empty() {
        sets.push(("the files given".to_owned(), roots));
    }
    sets
}

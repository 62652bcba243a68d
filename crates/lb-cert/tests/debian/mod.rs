//! The roots that Debian ships, of those the ones that these tests know: not what else this machine trusts, which may be
//! a company's or a developer's own, nor what a later version of the package brings.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::path::Path;

/// File, length and end of each; `roots.txt` says more.
const KNOWN: &str = include_str!("roots.txt");

/// Those that are there. None, with a printed reason, where the package is not installed.
pub(crate) fn roots() -> Vec<CertificateDer<'static>> {
    let folder = Path::new("/usr/share/ca-certificates/mozilla");
    if !folder.is_dir() {
        eprintln!("skipped: {} is not there (package ca-certificates)", folder.display());
        return Vec::new();
    }
    let lines = KNOWN.lines().filter(|line| !line.starts_with('#'));
    let found = lines.filter_map(|line| {
        let (file, mark) = line.split_once(' ').expect("file, length and end");
        let der = CertificateDer::from_pem_file(folder.join(file)).ok()?;
        let end: String = der
            .iter()
            .skip(der.len() - 8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        // A root of the same name that was made anew is another one.
        (mark == format!("{} {end}", der.len())).then_some(der)
    });
    found.collect()
}

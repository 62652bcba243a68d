//! PFX to PEM in ten lines: `cargo run -p lb-cert --features pkcs12 --example pfx_to_pem -- server.pfx password`.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use lb_cert::{KeyFormat, ReadOptions, write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [path, password] = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| "FILE PASSWORD")?;
    let passwords = [password.as_str().into()];
    let contents = lb_cert::read(&path, &std::fs::read(&path)?, &ReadOptions::with_passwords(&passwords))?;
    print!(
        "{}",
        write::certificates(contents.certificates.iter().map(|found| &found.value))
    );
    for key in &contents.keys {
        print!("{}", write::key(&key.value, KeyFormat::Pkcs8)?);
    }
    Ok(())
}

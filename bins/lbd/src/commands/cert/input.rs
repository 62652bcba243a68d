//! Files to certificates and keys.

use super::args::Passwords;
use super::{Failure, password};
use lb_cert::{
    AwsLc, Certificate, Contents, Found, Limits, Note, Password, PrivateKey, Problem, ReadError, ReadOptions,
};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// All that was read, of all files, in their order.
#[derive(Debug, Default)]
pub(super) struct Input {
    pub(super) certificates: Vec<Found<Certificate>>,
    pub(super) keys: Vec<Found<PrivateKey>>,
    pub(super) crls: Vec<Found<lb_cert::CertificateRevocationListDer<'static>>>,
    pub(super) notes: Vec<Note>,
    pub(super) files: Vec<Source>,
}

/// One file, and how much it held.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) format: String,
    pub(super) certificates: usize,
    pub(super) keys: usize,
    pub(super) crls: usize,
}

/// Reads all files. Every file with a problem is named, not only the first.
pub(super) fn read<P: AsRef<Path>>(files: &[P], passwords: &Passwords) -> Result<Input, Failure> {
    let limits = passwords.limits();
    let mut passwords: Vec<Password> = password::given(passwords)?.map(Password::new).into_iter().collect();
    let mut input = Input::default();
    let mut failures = Vec::new();
    for file in files {
        match one(file.as_ref(), &mut passwords, limits, &mut input) {
            Ok(()) => {}
            Err(usage @ Failure::Usage(_)) => return Err(usage),
            Err(failure) => failures.push(failure),
        }
    }
    // A file that cannot be read at all outweighs one that is damaged.
    let is_running = failures.iter().any(|failure| matches!(failure, Failure::Running(_)));
    let texts: Vec<String> = failures.into_iter().map(|failure| failure.parts().1).collect();
    match (texts.is_empty(), is_running) {
        (true, _) => Ok(input),
        (false, true) => Err(Failure::Running(texts.join("\nlbd: "))),
        (false, false) => Err(Failure::Input(texts.join("\nlbd: "))),
    }
}

fn one(path: &Path, passwords: &mut Vec<Password>, limits: Limits, input: &mut Input) -> Result<(), Failure> {
    let name = name(path);
    let bytes = bytes(path)?;
    let contents = contents(&name, &bytes, passwords, limits)?;
    input.files.push(Source {
        name,
        format: contents.format.to_string(),
        certificates: contents.certificates.len(),
        keys: contents.keys.len(),
        crls: contents.crls.len(),
    });
    let certificates = lb_cert::parse_all(contents.certificates)
        .map_err(|error| Failure::Input(format!("{error}\n  mend: {}", error.explain())))?;
    input.certificates.extend(certificates);
    input.keys.extend(contents.keys);
    input.crls.extend(contents.crls);
    input.notes.extend(contents.notes);
    Ok(())
}

/// How messages name it.
pub(super) fn name(path: &Path) -> String {
    if path.as_os_str() == "-" {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let name = name(path);
    let cannot = |error: std::io::Error| Failure::Running(format!("cannot read {name}: {error}"));
    // One more than is allowed, so that reading can say that it is too much.
    let most = u64::try_from(Limits::default().bytes)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(most)
            .read_to_end(&mut bytes)
            .map_err(cannot)?;
    } else {
        File::open(path)
            .map_err(cannot)?
            .take(most)
            .read_to_end(&mut bytes)
            .map_err(cannot)?;
    }
    Ok(bytes)
}

/// Asks for a password when one is needed and there is a terminal; three tries.
fn contents(name: &str, bytes: &[u8], passwords: &mut Vec<Password>, limits: Limits) -> Result<Contents, Failure> {
    let was_given = !passwords.is_empty();
    let mut tries = 0;
    loop {
        let options = ReadOptions::with_passwords(passwords).crypto(&AwsLc).limits(limits);
        let error = match lb_cert::read(name, bytes, &options) {
            Ok(contents) => return Ok(contents),
            Err(error) => error,
        };
        let is_asked = match error.problem {
            Problem::PasswordNeeded { .. } => true,
            Problem::WrongPassword { .. } => !was_given,
            _ => false,
        };
        if !is_asked || tries == 3 {
            return Err(refused(&error));
        }
        tries += 1;
        match password::ask(&format!("Password of {name}: "))? {
            // The newest first: it is most likely the right one, and each try costs time.
            Some(password) => passwords.insert(0, Password::new(password)),
            None => return Err(refused(&error)),
        }
    }
}

fn refused(error: &ReadError) -> Failure {
    let mut text = format!("{error}\n  mend: {}", error.explain());
    if matches!(error.problem, Problem::PasswordNeeded { .. }) {
        text.push_str("\n  give it with --password-file FILE or --password-env NAME, or run this in a terminal");
    }
    Failure::Input(text)
}

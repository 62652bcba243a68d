//! Files to certificates and keys.

use super::args::Passwords;
use super::{Failure, folder, password};
use lb_cert::{
    AwsLc, Certificate, Contents, Found, Limits, Note, Password, PrivateKey, ReadError, ReadErrorKind, ReadOptions,
};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// All that was read, of all files, in their order.
#[derive(Debug, Default)]
pub(super) struct Input {
    pub(super) certificates: Vec<Found<Certificate>>,
    pub(super) keys: Vec<Found<PrivateKey>>,
    pub(super) crls: Vec<Found<lb_cert::CertificateRevocationListDer<'static>>>,
    pub(super) notes: Vec<Note>,
    pub(super) files: Vec<Source>,
    /// What of a folder could not be read and may matter.
    pub(super) unread: Option<Failure>,
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
    let mut opener = Opener::of(passwords)?;
    let mut input = Input::default();
    let mut failures = Vec::new();
    for file in files {
        let file = file.as_ref();
        if file.is_dir() {
            failures.push(Failure::Running(format!(
                "{} is a folder: name the files in it\n  mend: inspect, doctor and bundle take a folder",
                file.display()
            )));
        } else if let Err(failure) = one(file, &mut opener, &mut input) {
            failures.push(failure);
        }
    }
    match Failure::joined(failures) {
        None => Ok(input),
        Some(failure) => Err(failure),
    }
}

/// Reads all files, and of folders the files in them. What is no certificate in a folder is noted; what is damaged,
/// locked or not read here is in [`Input::unread`], so that the rest can be shown first.
pub(super) fn read_with_folders(files: &[PathBuf], passwords: &Passwords) -> Result<Input, Failure> {
    let mut opener = Opener::of(passwords)?;
    let mut input = Input::default();
    let (mut failures, mut unread) = (Vec::new(), Vec::new());
    for file in files {
        if file.is_dir() {
            match folder::read(file, &mut opener, &mut input) {
                Ok(more) => unread.extend(more),
                Err(failure) => failures.push(failure),
            }
        } else if let Err(failure) = one(file, &mut opener, &mut input) {
            failures.push(failure);
        }
    }
    input.unread = Failure::joined(unread);
    match Failure::joined(failures) {
        None => Ok(input),
        Some(failure) => Err(failure),
    }
}

/// What locked input is opened with.
#[derive(Debug)]
pub(super) struct Opener {
    passwords: Vec<Password>,
    limits: Limits,
}

impl Opener {
    fn of(passwords: &Passwords) -> Result<Self, Failure> {
        Ok(Self {
            passwords: password::given(passwords)?.map(Password::new).into_iter().collect(),
            limits: passwords.limits(),
        })
    }
}

fn one(path: &Path, opener: &mut Opener, input: &mut Input) -> Result<(), Failure> {
    let name = name(path);
    let bytes = bytes(path)?;
    let contents = contents(&name, &bytes, opener)?.map_err(|error| Failure::unread(&error))?;
    add(name, contents, input)
}

/// Takes over what one file held.
pub(super) fn add(name: String, contents: Contents, input: &mut Input) -> Result<(), Failure> {
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

pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
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
pub(super) fn contents(name: &str, bytes: &[u8], opener: &mut Opener) -> Result<Result<Contents, ReadError>, Failure> {
    let was_given = !opener.passwords.is_empty();
    let mut tries = 0;
    loop {
        let options = ReadOptions::with_passwords(&opener.passwords)
            .crypto(&AwsLc)
            .limits(opener.limits);
        let error = match lb_cert::read(name, bytes, &options) {
            Ok(contents) => return Ok(Ok(contents)),
            Err(error) => error,
        };
        let is_asked = match error.kind() {
            ReadErrorKind::PasswordNeeded => true,
            ReadErrorKind::WrongPassword => !was_given,
            _ => false,
        };
        if !is_asked || tries == 3 {
            return Ok(Err(error));
        }
        tries += 1;
        match password::ask(&format!("Password of {name}: "))? {
            // The newest first: it is most likely the right one, and each try costs time.
            Some(password) => opener.passwords.insert(0, Password::new(password)),
            None => return Ok(Err(error)),
        }
    }
}

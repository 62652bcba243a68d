//! Files to certificates and keys.

use super::args::Passwords;
use super::{Failure, folder, password};
use lb_cert::{
    AwsLc, Certificate, Contents, Format, Found, Limits, Note, NoteKind, Password, PrivateKey, Problem, ReadError,
    ReadErrorKind, ReadOptions,
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
        failures.extend(named(file.as_ref(), &mut opener, &mut input).err());
    }
    failures.extend(opener.unproven());
    match Failure::joined(failures) {
        None => Ok(input),
        Some(failure) => Err(failure),
    }
}

/// Reads two files, each for itself; what opens one may open the other.
pub(super) fn pair(files: [&Path; 2], passwords: &Passwords) -> Result<[Input; 2], Failure> {
    let mut opener = Opener::of(passwords)?;
    let mut inputs = [Input::default(), Input::default()];
    let mut failures = Vec::new();
    for (file, input) in files.iter().zip(&mut inputs) {
        failures.extend(named(file, &mut opener, input).err());
    }
    failures.extend(opener.unproven());
    match Failure::joined(failures) {
        None => Ok(inputs),
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
    // Beside what is in a folder a wrong password is no reason to show nothing.
    if files.iter().any(|file| file.is_dir()) {
        unread.extend(opener.unproven());
    } else {
        failures.extend(opener.unproven());
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
    /// One came with the command, so that nobody is asked for another.
    was_given: bool,
    limits: Limits,
    /// One opened something.
    has_opened: bool,
    /// Java key stores that were read although no password fits their integrity check.
    unproven: Vec<ReadError>,
}

impl Opener {
    fn of(passwords: &Passwords) -> Result<Self, Failure> {
        let words: Vec<Password> = password::given(passwords)?.into_iter().map(Password::new).collect();
        Ok(Self {
            was_given: !words.is_empty(),
            passwords: words,
            limits: passwords.limits(),
            has_opened: false,
            unproven: Vec::new(),
        })
    }

    /// The refusals of Java key stores whose password is wrong: a password that opened nothing else was meant for them.
    fn unproven(self) -> Vec<Failure> {
        let refusals = self.unproven.iter().filter(|_| !self.has_opened);
        refusals.map(Failure::unread).collect()
    }
}

/// Says what was read although its integrity could not be checked, where no report lists the notes.
pub(super) fn say_unproven(input: &Input) {
    for note in &input.notes {
        if matches!(note.kind, NoteKind::StoreUnproven { .. }) {
            eprintln!("lbd: note: {note}");
        }
    }
}

/// A private key that is there but was not read, as a refusal.
pub(super) fn key_not_read(input: &Input) -> Option<Failure> {
    input.notes.iter().find_map(|note| match &note.kind {
        NoteKind::KeyNotRead { .. } => Some(Failure::Unsupported(format!(
            "{note}\n  why: {}\n  mend: run that command and give the file that it writes; convert --no-key takes the \
             certificates alone",
            note.kind.explain()
        ))),
        _ => None,
    })
}

/// A file that was named where no folder is taken.
fn named(file: &Path, opener: &mut Opener, input: &mut Input) -> Result<(), Failure> {
    if file.is_dir() {
        return Err(Failure::Running(format!(
            "{} is a folder: name the files in it\n  mend: inspect, doctor and bundle take a folder",
            file.display()
        )));
    }
    one(file, opener, input)
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
    let mut tries = 0;
    loop {
        let options = ReadOptions::with_passwords(&opener.passwords)
            .crypto(&AwsLc)
            .limits(opener.limits);
        let error = match lb_cert::read(name, bytes, &options) {
            Ok(contents) => {
                opener.has_opened |= contents.is_unlocked();
                return Ok(Ok(contents));
            }
            Err(error) => error,
        };
        if matches!(error.problem, Problem::Unproven { .. }) {
            let options = ReadOptions::default().crypto(&AwsLc).limits(opener.limits);
            let contents = lb_cert::read(name, bytes, &options).map(|contents| unchecked(contents, &error));
            opener.unproven.push(error);
            return Ok(contents);
        }
        let is_asked = match error.kind() {
            ReadErrorKind::PasswordNeeded => true,
            ReadErrorKind::WrongPassword => !opener.was_given,
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

/// What a Java key store holds, with the note that its integrity was not checked.
fn unchecked(mut contents: Contents, error: &ReadError) -> Contents {
    let format = if contents.format == Format::Jceks {
        "JCEKS"
    } else {
        "JKS"
    };
    contents.notes.push(Note {
        place: error.place.clone(),
        kind: NoteKind::StoreUnproven { format },
    });
    contents
}

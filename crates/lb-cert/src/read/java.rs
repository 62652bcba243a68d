//! Java's own key stores, JKS and JCEKS: the certificates in them, which are in the clear. Their private keys are
//! encrypted in Java's own ways, which no kept library has; they are named with the command that exports them.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use rustls_pki_types::CertificateDer;

use super::foreign::ForeignFormat;
use super::{Contents, Format, NoteKind, Problem, ReadError, ReadOptions, structure};
use crate::{Command, Place};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Jks,
    Jceks,
}

impl Kind {
    /// By the first four bytes and a version of 1 or 2.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFE, 0xED, 0xFE, 0xED, ..] => Some(Self::Jks),
            [0xCE, 0xCE, 0xCE, 0xCE, ..] => Some(Self::Jceks),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Jks => "JKS",
            Self::Jceks => "JCEKS",
        }
    }
}

/// Reads a whole store: magic, version, number of entries, the entries, and a SHA-1 over password and all of it.
pub(super) fn read(
    contents: &mut Contents,
    kind: Kind,
    bytes: &[u8],
    whole: &Place,
    options: &ReadOptions<'_>,
) -> Result<(), ReadError> {
    let at = |problem| ReadError {
        place: whole.clone(),
        problem,
    };
    contents.format = match kind {
        Kind::Jks => Format::Jks,
        Kind::Jceks => Format::Jceks,
    };
    let mut store = Store { bytes, offset: 4 };
    let version = store.number().map_err(at)?;
    if !matches!(version, 1 | 2) {
        return Err(at(Problem::Broken {
            what: WHAT,
            offset: 4,
            why: format!("version {version}, and there are 1 and 2"),
        }));
    }
    let count = store.number().map_err(at)?;
    if count as usize > options.limits.certificates {
        return Err(at(Problem::Limit {
            what: "entries of a Java key store",
            limit: options.limits.certificates as u64,
        }));
    }
    let before = (contents.certificates.len(), contents.notes.len());
    for block in 1..=count {
        let place = Place {
            block,
            offset: store.offset,
            ..whole.clone()
        };
        entry(contents, kind, &mut store, version, &place, options)?;
    }
    let end = store.offset;
    store.take(DIGEST).map_err(at)?;
    if store.offset != bytes.len() {
        return Err(at(Problem::Trailing {
            what: WHAT,
            end: store.offset,
            extra: bytes.len().saturating_sub(store.offset),
        }));
    }
    check(contents, bytes, end, options).map_err(at)?;
    if before == (contents.certificates.len(), contents.notes.len()) {
        return Err(at(Problem::NothingOfUse {
            found: format!("a Java key store ({}) without entries", kind.name()),
        }));
    }
    Ok(())
}

/// One entry: its kind, alias and time; then a certificate, or a key and its chain.
fn entry(
    contents: &mut Contents,
    kind: Kind,
    store: &mut Store<'_>,
    version: u32,
    place: &Place,
    options: &ReadOptions<'_>,
) -> Result<(), ReadError> {
    let at = |problem| ReadError {
        place: place.clone(),
        problem,
    };
    let begin = store.offset;
    let tag = store.number().map_err(at)?;
    let alias = String::from_utf8_lossy(store.text().map_err(at)?).into_owned();
    store.take(8).map_err(at)?; // the time when it was made
    match tag {
        1 => {
            store.sized().map_err(at)?;
            for _ in 0..store.number().map_err(at)? {
                certificate(contents, store, version, place, options)?;
            }
            let command = match kind {
                Kind::Jks => Command::JKS,
                Kind::Jceks => Command::JCEKS,
            };
            contents.note(
                place,
                NoteKind::KeyNotRead {
                    alias: alias.into(),
                    format: kind.name(),
                    command: command.fill(place).into(),
                },
            );
            Ok(())
        }
        2 => certificate(contents, store, version, place, options),
        3 if kind == Kind::Jceks => Err(at(Problem::Foreign {
            format: ForeignFormat::JceksWithSecret,
        })),
        _ => Err(at(Problem::Broken {
            what: WHAT,
            offset: begin,
            why: format!("an entry of the unknown kind {tag}"),
        })),
    }
}

fn certificate(
    contents: &mut Contents,
    store: &mut Store<'_>,
    version: u32,
    place: &Place,
    options: &ReadOptions<'_>,
) -> Result<(), ReadError> {
    let at = |problem| ReadError {
        place: place.clone(),
        problem,
    };
    if version == 2 {
        let kind = store.text().map_err(at)?;
        if kind != b"X.509" {
            return Err(at(Problem::Broken {
                what: WHAT,
                offset: store.offset,
                why: format!("a certificate of the kind {:?}", String::from_utf8_lossy(kind)),
            }));
        }
    }
    let der = store.sized().map_err(at)?;
    structure::certificate(der, options.limits.depth).map_err(at)?;
    contents.add_certificate(CertificateDer::from(der.to_vec()), place, &options.limits)
}

/// The digest at the end proves the password and that nothing was changed, as far as SHA-1 proves it. Without a password
/// nothing can be said.
#[cfg(feature = "java")]
fn check(contents: &mut Contents, bytes: &[u8], end: usize, options: &ReadOptions<'_>) -> Result<(), Problem> {
    use sha1::{Digest, Sha1};
    let (content, stated) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    let fits = |password: &crate::Password| {
        let mut digest = Sha1::new();
        match password.reveal() {
            Some(text) => text.encode_utf16().for_each(|unit| digest.update(unit.to_be_bytes())),
            // Not UTF-8, so most likely Latin-1, whose bytes are their characters.
            None => (password.bytes().iter()).for_each(|byte| digest.update([0, *byte])),
        }
        digest.update(WHITENER);
        digest.update(content);
        digest.finalize().as_slice() == stated
    };
    contents.is_unlocked |= options.passwords.iter().any(fits);
    if options.passwords.is_empty() || contents.is_unlocked {
        return Ok(());
    }
    Err(Problem::Unproven {
        tried: options.passwords.len(),
    })
}

#[cfg(not(feature = "java"))]
fn check(_: &mut Contents, _: &[u8], _: usize, _: &ReadOptions<'_>) -> Result<(), Problem> {
    Ok(())
}

/// Reads from the front; what is cut off says so.
struct Store<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Store<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Problem> {
        let end = self.offset.saturating_add(length);
        let taken = self.bytes.get(self.offset..end).ok_or(Problem::Truncated {
            what: WHAT,
            promised: end as u64,
            present: self.bytes.len(),
        })?;
        self.offset = end;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, Problem> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte)))
    }

    /// Two bytes of length and that many bytes of text.
    fn text(&mut self) -> Result<&'a [u8], Problem> {
        let length = self
            .take(2)?
            .iter()
            .fold(0, |number, byte| (number << 8) | usize::from(*byte));
        self.take(length)
    }

    /// Four bytes of length and that many bytes.
    fn sized(&mut self) -> Result<&'a [u8], Problem> {
        let length = self.number()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }
}

const WHAT: &str = "the Java key store";
/// The length of a SHA-1 digest.
const DIGEST: usize = 20;
/// What Java's `KeyStore` for JKS puts between password and content.
#[cfg(feature = "java")]
const WHITENER: &[u8] = b"Mighty Aphrodite";

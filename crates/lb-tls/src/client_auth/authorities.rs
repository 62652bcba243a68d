//! Whom the certificates of clients and backends must come from.

use crate::{Engine, File};
use lb_cert::bundle::UnreadableCertificate;
use lb_cert::{Place, ReadError, ReadOptions, Roots};
use std::fmt;

/// The authorities that are trusted. Read once, shared by every site that trusts the same.
pub struct Authorities {
    roots: Roots,
    digest: [u8; 32],
    notes: Vec<AuthorityNote>,
}

/// Why files are no authorities.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// A file cannot be read for what it is.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A certificate cannot be read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableCertificate),
    /// There is no certificate: everybody would be refused.
    #[error("no certificate of an authority in {}: everybody would be refused", if sources.is_empty() { "no file at all".to_owned() } else { sources.join(", ") })]
    Empty {
        /// The files.
        sources: Vec<String>,
    },
}

/// What somebody should know about authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthorityNote {
    /// Not a CA: it can vouch for nobody else.
    NotAnAuthority {
        /// Where it stands.
        place: Place,
        /// Its subject.
        subject: String,
    },
    /// Its time is over. It is trusted all the same: dates of roots are not asked (RFC 5280, section 6.1.1 (d)).
    Expired {
        /// Where it stands.
        place: Place,
        /// Its subject.
        subject: String,
        /// Since when, in seconds since 1970.
        since: i64,
    },
    /// A private key lies beside it.
    Key {
        /// Where it stands.
        place: Place,
    },
}

impl Authorities {
    /// Reads them, in any form that lb-cert reads.
    ///
    /// # Errors
    ///
    /// [`AuthorityError`]: a file that cannot be read, or no certificate at all.
    pub fn read<'a>(files: impl IntoIterator<Item = File<'a>>, engine: &Engine) -> Result<Self, AuthorityError> {
        let now = engine
            .now()
            .and_then(|now| i64::try_from(now.as_secs()).ok())
            .unwrap_or(0);
        let mut sources = Vec::new();
        let mut roots = Roots::new();
        let mut notes = Vec::new();
        for File { label, bytes, password } in files {
            sources.push(label.to_owned());
            let passwords: Vec<_> = password.into_iter().collect();
            let contents = lb_cert::read(label, bytes, &ReadOptions::with_passwords(&passwords))?;
            notes.extend(
                contents
                    .keys
                    .into_iter()
                    .map(|key| AuthorityNote::Key { place: key.place }),
            );
            for found in lb_cert::parse_all(contents.certificates)? {
                let (place, subject) = (found.place, found.value.label());
                if !found.value.is_ca() && !found.value.is_self_issued() {
                    notes.push(AuthorityNote::NotAnAuthority { place, subject });
                } else if found.value.not_after() < now {
                    let since = found.value.not_after();
                    notes.push(AuthorityNote::Expired { place, subject, since });
                }
                roots.add(found.value);
            }
        }
        if roots.is_empty() {
            return Err(AuthorityError::Empty { sources });
        }
        Ok(Self {
            notes,
            ..Self::from_roots(roots, engine)
        })
    }

    /// These, wherever they come from.
    #[must_use]
    pub fn from_roots(roots: Roots, engine: &Engine) -> Self {
        let mut each: Vec<[u8; 32]> = roots.iter().map(|one| engine.sha256(one.der())).collect();
        each.sort_unstable();
        Self {
            digest: engine.sha256(&each.concat()),
            roots,
            notes: Vec::new(),
        }
    }

    /// The roots of the operating system, and how many of its certificates could not be read.
    ///
    /// # Errors
    ///
    /// None could be found: what was tried, in words.
    #[cfg(feature = "native-roots")]
    pub fn system(engine: &Engine) -> Result<(Self, usize), String> {
        let (roots, unreadable) = Roots::native()?;
        Ok((Self::from_roots(roots, engine), unreadable))
    }

    /// Their certificates.
    #[must_use]
    pub fn roots(&self) -> &Roots {
        &self.roots
    }

    /// What somebody should know.
    #[must_use]
    pub fn notes(&self) -> &[AuthorityNote] {
        &self.notes
    }

    /// Tells them from others; the order does not matter.
    pub(crate) const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorities")
            .field("count", &self.roots.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for AuthorityNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnAuthority { place, subject } => {
                write!(
                    f,
                    "{place}: {subject} is no CA, so nobody's certificate can come from it; give its issuer"
                )
            }
            Self::Expired { place, subject, since } => write!(
                f,
                "{place}: the authority {subject} expired on {} and is trusted all the same; remove it if it should not be",
                lb_cert::date::day(*since)
            ),
            Self::Key { place } => {
                write!(
                    f,
                    "{place}: a private key lies beside the authorities; it is not needed: move it away"
                )
            }
        }
    }
}

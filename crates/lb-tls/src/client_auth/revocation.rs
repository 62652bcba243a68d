//! Revocation lists: read once, indexed, shared by every site that asks them.

use crate::{Engine, File};
use lb_cert::{CrlError, Crls, Freshness, Place, ReadError, ReadOptions, date};
use lb_types::Wall;
use std::fmt;
use std::sync::Arc;

/// What happens when revocation cannot be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// The certificate is refused.
    #[default]
    FailClosed,
    /// It is accepted.
    FailOpen,
}

/// What happens when a list is too old, or when there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RevocationPolicy {
    /// The list's nextUpdate is over. Open: it is used as it is.
    pub expired: OnFailure,
    /// There is no list of an issuer of the path.
    pub missing: OnFailure,
}

impl RevocationPolicy {
    /// Both.
    #[must_use]
    pub const fn new(expired: OnFailure, missing: OnFailure) -> Self {
        Self { expired, missing }
    }
}

/// The lists of revoked certificates. One parsed copy: sites hold it by [`Arc`].
///
/// Memory per revoked certificate: its serial number and some 24 bytes, beside the file itself.
pub struct RevocationLists {
    lists: Crls,
    policy: RevocationPolicy,
    digest: [u8; 32],
    places: Vec<Place>,
}

/// Why files are no revocation lists.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationError {
    /// A file cannot be read for what it is.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Nothing in it. Other programs take that for a list that revokes nobody.
    #[error("{source_name}: no revocation list in it, so nobody would be checked; fetch the list again")]
    Empty {
        /// The file.
        source_name: String,
    },
    /// Something else in it.
    #[error(
        "{source_name}: {found} in it and no revocation list; give the file that the authority publishes as its CRL"
    )]
    NoList {
        /// The file.
        source_name: String,
        /// What is in it.
        found: String,
    },
    /// Not one that can be read.
    #[error("{place}: {error}; fetch the list again")]
    List {
        /// Where it stands.
        place: Place,
        /// Why.
        error: CrlError,
    },
    /// One that says less than which certificates are revoked.
    #[error("{place}: the list of {issuer} is {why}; give the authority's complete list")]
    Unsupported {
        /// Where it stands.
        place: Place,
        /// Whose list.
        issuer: String,
        /// What it is.
        why: String,
    },
}

/// A list that is past its date, or before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleList {
    /// Where it stands.
    pub place: Place,
    /// Whose list.
    pub issuer: String,
    /// When the next one was due, in seconds since 1970; `None` for one that is not yet in force.
    pub due: Option<i64>,
    /// What happens to the certificates of that issuer.
    pub then: OnFailure,
}

impl RevocationLists {
    /// Reads lists, PEM or DER, of version 1 or 2. A stale one is no error: [`stale`](Self::stale) and the policy.
    ///
    /// Cost: some 20 ms for 100,000 entries, once.
    ///
    /// # Errors
    ///
    /// [`RevocationError`]: a file without a list, or a list that cannot be used for every certificate of its issuer.
    pub fn read<'a>(
        files: impl IntoIterator<Item = File<'a>>,
        policy: RevocationPolicy,
        engine: &Engine,
    ) -> Result<Arc<Self>, RevocationError> {
        let mut lists = Crls::new().with_freshness(match policy.expired {
            OnFailure::FailClosed => Freshness::FailClosed,
            OnFailure::FailOpen => Freshness::FailOpen,
        });
        if policy.missing == OnFailure::FailClosed {
            lists = lists.required();
        }
        let mut digests = Vec::new();
        let mut places = Vec::new();
        for File { label, bytes, .. } in files {
            let empty = || RevocationError::Empty {
                source_name: label.to_owned(),
            };
            if bytes.iter().all(u8::is_ascii_whitespace) {
                return Err(empty());
            }
            let contents = lb_cert::read(label, bytes, &ReadOptions::default())?;
            if contents.crls.is_empty() {
                let (certificates, keys) = (contents.certificates.len(), contents.keys.len());
                return Err(match (certificates, keys) {
                    (0, 0) => empty(),
                    _ => RevocationError::NoList {
                        source_name: label.to_owned(),
                        found: format!("certificates ({certificates}) and keys ({keys})"),
                    },
                });
            }
            for found in contents.crls {
                digests.push(engine.sha256(&found.value));
                let place = found.place;
                let list = lb_cert::Crl::parse(found.value).map_err(|error| RevocationError::List {
                    place: place.clone(),
                    error,
                })?;
                if let Some(why) = list.unsupported() {
                    return Err(RevocationError::Unsupported {
                        issuer: list.issuer(),
                        why: why.to_owned(),
                        place,
                    });
                }
                places.push(place);
                lists.add(list);
            }
        }
        digests.sort_unstable();
        let tag = [
            u8::from(policy.expired == OnFailure::FailOpen),
            u8::from(policy.missing == OnFailure::FailOpen),
        ];
        let digest = engine.digest(&[&digests.concat(), &tag]);
        Ok(Arc::new(Self {
            lists,
            policy,
            digest,
            places,
        }))
    }

    /// How many certificates are revoked, in all lists.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.lists.iter().map(lb_cert::Crl::len).sum()
    }

    /// What happens when a list is too old, or when there is none.
    #[must_use]
    pub const fn policy(&self) -> RevocationPolicy {
        self.policy
    }

    /// The lists that are not in force at `now`.
    #[must_use]
    pub fn stale(&self, now: Wall) -> Vec<StaleList> {
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let pairs = self.lists.iter().zip(&self.places);
        let is_stale =
            |list: &lb_cert::Crl| list.next_update().is_some_and(|next| next < now) || now < list.this_update();
        pairs
            .filter(|(list, _)| is_stale(list))
            .map(|(list, place)| {
                let due = list.next_update().filter(|next| *next < now);
                StaleList {
                    place: place.clone(),
                    issuer: list.issuer(),
                    due,
                    then: if due.is_some() {
                        self.policy.expired
                    } else {
                        OnFailure::FailClosed
                    },
                }
            })
            .collect()
    }

    /// When the first list is due to be renewed, in seconds since 1970.
    #[must_use]
    pub fn next_due(&self) -> Option<i64> {
        self.lists.iter().filter_map(lb_cert::Crl::next_update).min()
    }

    pub(crate) const fn lists(&self) -> &Crls {
        &self.lists
    }

    /// Tells them and their policy from others; the order does not matter.
    pub(crate) const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}

impl fmt::Debug for RevocationLists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationLists")
            .field("lists", &self.places.len())
            .field("entries", &self.entries())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for StaleList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            issuer,
            due,
            then,
        } = self;
        match due {
            Some(due) => write!(
                f,
                "{place}: the list of {issuer} was to be renewed by {}",
                date::moment(*due)
            )?,
            None => write!(f, "{place}: the list of {issuer} is not yet in force")?,
        }
        f.write_str(match then {
            OnFailure::FailClosed => "; certificates of that issuer are refused until it is",
            OnFailure::FailOpen => "; it is used as it is (fail_open)",
        })
    }
}

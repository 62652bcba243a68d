//! What was done, or should be known, about identities that were loaded.

use lb_cert::{Finding, Place, Severity, date};
use std::fmt;

/// What was done to the files given, or what somebody should know about them; each is said once.
///
/// `Display` is one line, [`mend`](Self::mend) says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// The certificates of a file were put in order.
    Reordered {
        /// The file.
        source: String,
        /// Whose chain it is.
        subject: String,
    },
    /// A root is not sent.
    RootDropped {
        /// Where it stands.
        place: Place,
        /// Its name.
        subject: String,
    },
    /// The same certificate stands twice; it is sent once.
    DuplicateCertificate {
        /// Where it stands again.
        place: Place,
        /// Where it stood first.
        first: Place,
    },
    /// The same key stands twice.
    DuplicateKey {
        /// Where it stands again.
        place: Place,
        /// Where it stood first.
        first: Place,
    },
    /// A CA's certificate that no chain needs; it is not sent.
    Unused {
        /// Where it stands.
        place: Place,
        /// Its name.
        subject: String,
    },
    /// The key of a CA lies among those of servers.
    AuthorityKey {
        /// Where it stands.
        place: Place,
        /// The CA.
        subject: String,
    },
    /// An older certificate for the same key and the same names; it is not used.
    Superseded {
        /// Where it stands.
        place: Place,
        /// Its subject.
        subject: String,
        /// The one that is used.
        by: Place,
    },
    /// The chain ends with a certificate whose issuer is not there and not known as a root.
    MissingIssuer {
        /// The certificate that names the issuer.
        place: Place,
        /// Its subject.
        subject: String,
        /// The issuer.
        issuer: String,
        /// Where its certificate can be had, as the certificate says.
        address: Option<String>,
    },
    /// Its time is over; it is served all the same.
    Expired {
        /// Where it stands.
        place: Place,
        /// Its subject.
        subject: String,
        /// Its last second, in seconds since 1970.
        since: i64,
    },
    /// Its time has not come; it is served all the same.
    NotYetValid {
        /// Where it stands.
        place: Place,
        /// Its subject.
        subject: String,
        /// Its first second, in seconds since 1970.
        from: i64,
    },
    /// It has a common name and no alternative names.
    CommonNameOnly {
        /// Where it stands.
        place: Place,
        /// The common name.
        name: String,
    },
    /// Nothing in it is a name that a client can ask for.
    Nameless {
        /// Where it stands.
        place: Place,
        /// Its subject.
        subject: String,
    },
    /// A name that no client can ask for.
    OddName {
        /// Where the certificate stands.
        place: Place,
        /// Why.
        error: crate::NameError,
    },
    /// What lb-cert's doctor finds in the certificates that are sent.
    Finding(Finding),
}

impl Note {
    /// How much it matters; [`Severity::Error`] is for what clients refuse although it is served.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Expired { .. } | Self::NotYetValid { .. } => Severity::Error,
            Self::MissingIssuer { .. }
            | Self::AuthorityKey { .. }
            | Self::Superseded { .. }
            | Self::CommonNameOnly { .. }
            | Self::Nameless { .. }
            | Self::OddName { .. } => Severity::Warning,
            Self::Finding(finding) => finding.severity,
            _ => Severity::Note,
        }
    }

    /// What to do about it, in a sentence.
    #[must_use]
    pub fn mend(&self) -> String {
        match self {
            Self::Reordered { source, .. } => {
                format!("nothing has to be done; `lbd cert bundle` writes {source} as it is sent")
            }
            Self::RootDropped { .. } => {
                "nothing has to be done: clients trust only their own copy of a root".to_owned()
            }
            Self::DuplicateCertificate { .. } => "nothing has to be done; one of the two can go".to_owned(),
            Self::DuplicateKey { .. } => "remove one of the two: a key that lies about can be stolen".to_owned(),
            Self::Unused { .. } => {
                "nothing has to be done, unless a chain should lead there: then a link is missing".to_owned()
            }
            Self::AuthorityKey { .. } => {
                "move it away: whoever has it can issue certificates for any name, and a server never needs it"
                    .to_owned()
            }
            Self::Superseded { place, .. } => format!("remove it from {}", place.source),
            Self::MissingIssuer { issuer, address, .. } => match address {
                Some(address) => format!(
                    "download {address}, check that its subject is {issuer}, and give it as one more file (it may be binary)"
                ),
                None => format!(
                    "get the certificate of {issuer} from whoever issued yours and give it as one more file; if it is a \
                     root that your clients have, nothing has to be done"
                ),
            },
            Self::Expired { .. } => "have it issued again; every client refuses it".to_owned(),
            Self::NotYetValid { .. } => {
                "look at the clock of this machine; else use the one before until then".to_owned()
            }
            Self::CommonNameOnly { name, .. } => {
                format!("have it issued with subjectAltName DNS:{name}: no browser has read common names since 2017")
            }
            Self::Nameless { .. } => {
                "nothing has to be done for the default; a site with names needs a certificate that has them".to_owned()
            }
            Self::OddName { .. } => "have it issued again without that name".to_owned(),
            Self::Finding(finding) => finding.mend.clone(),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reordered { source, subject } => {
                write!(
                    f,
                    "{source}: the certificates were put in order, {subject} first, each followed by its issuer"
                )
            }
            Self::RootDropped { place, subject } => write!(f, "{place}: the root {subject} is not sent"),
            Self::DuplicateCertificate { place, first } => {
                write!(
                    f,
                    "{place}: the certificate stands there again and is sent once; the first time: {first}"
                )
            }
            Self::DuplicateKey { place, first } => {
                write!(f, "{place}: the key stands there again; the first time: {first}")
            }
            Self::Unused { place, subject } => write!(f, "{place}: {subject} is on no way to a root and is not sent"),
            Self::AuthorityKey { place, subject } => {
                write!(f, "{place}: this is the key of the CA {subject}, not of a server")
            }
            Self::Superseded { place, subject, by } => {
                write!(
                    f,
                    "{place}: {subject} is not used: {by} has the same key and names and is better"
                )
            }
            Self::MissingIssuer {
                place,
                subject,
                issuer,
                address,
            } => {
                write!(
                    f,
                    "{place}: {subject} was issued by {issuer}, whose certificate was not given"
                )?;
                match address {
                    Some(address) => write!(f, " (it says: {address})"),
                    None => Ok(()),
                }
            }
            Self::Expired { place, subject, since } => {
                write!(
                    f,
                    "{place}: {subject} EXPIRED on {}; it is served all the same",
                    date::moment(*since)
                )
            }
            Self::NotYetValid { place, subject, from } => {
                write!(
                    f,
                    "{place}: {subject} is NOT YET VALID, from {}; it is served all the same",
                    date::moment(*from)
                )
            }
            Self::CommonNameOnly { place, name } => {
                write!(
                    f,
                    "{place}: the certificate has {name} as common name only, and no subjectAltName"
                )
            }
            Self::Nameless { place, subject } => write!(f, "{place}: {subject} has no name that a client asks for"),
            Self::OddName { place, error } => write!(f, "{place}: {error}"),
            Self::Finding(finding) => finding.fmt(f),
        }
    }
}

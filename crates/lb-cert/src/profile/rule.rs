//! What a rule is.

use crate::certificate::Certificate;
use crate::crypto::Crypto;
use crate::request::Request;
use std::fmt;

/// One rule: a function with its section, that can be listed and switched.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Rule {
    /// Its name, `aki.missing`.
    pub id: &'static str,
    /// Where it is written: `RFC 5280, section 4.2.1.1`.
    pub section: &'static str,
    /// What it asks.
    pub what: &'static str,
    /// What to do when it is broken.
    pub mend: &'static str,
    /// What kind of refusal it gives.
    pub kind: Kind,
    pub(crate) levels: Levels,
    pub(crate) check: Check,
}

/// Levels in the profiles connection, strict and lenient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Levels {
    /// Part of what makes a path valid at all: cannot be switched.
    Fixed,
    By(Level, Level, Level),
}

/// What happens when a rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Off,
    /// It is told in [`Verified::warnings`](crate::Verified::warnings).
    Warn,
    /// The path is refused.
    Refuse,
}

/// Kinds of refusal, so that a program can tell them apart without knowing every rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A certificate's time is over.
    Expired,
    /// A certificate's time has not come.
    NotYetValid,
    /// No path leads to a root that is trusted.
    UnknownIssuer,
    /// A signature does not verify.
    BadSignature,
    /// A certificate is in its issuer's CRL.
    Revoked,
    /// Whether it is revoked cannot be known: a CRL is missing, expired or unusable.
    RevocationUnknown,
    /// It is somebody else's certificate.
    WrongName,
    /// It is for something else.
    WrongPurpose,
    /// A name that the issuer may not certify.
    NameConstraint,
    /// An issuer that is no CA, or more CAs than it may have below it.
    NotAnIssuer,
    /// A weak or unsupported key or algorithm.
    Weak,
    /// Not as RFC 5280 or the CA/Browser Forum ask.
    Form,
    /// Right by the rules, and refused by some clients all the same.
    Clients,
    /// A stated limit was reached.
    Limit,
}

/// How a rule is checked.
#[derive(Clone, Copy)]
pub(crate) enum Check {
    /// In the search itself.
    Core,
    /// At each certificate of a path: gives the offending value.
    Each(fn(&Link<'_>) -> Option<String>),
    /// At a path as a whole: position and offending value.
    Path(fn(&Path<'_>) -> Option<(usize, String)>),
    /// At a CRL that is about to be used.
    Crl(fn(&crate::crl::Crl, &Certificate) -> Option<String>),
}

/// A certificate in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link<'a> {
    pub(crate) certificate: &'a Certificate,
    pub(crate) role: Role,
    pub(crate) request: &'a Request<'a>,
    pub(crate) crypto: &'a dyn Crypto,
}

/// A place in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Leaf,
    Intermediate,
    Anchor,
}

impl Link<'_> {
    pub(crate) fn is_leaf(&self) -> bool {
        self.role == Role::Leaf
    }

    pub(crate) fn is_anchor(&self) -> bool {
        self.role == Role::Anchor
    }

    /// A CA by its place or by its word.
    pub(crate) fn is_ca(&self) -> bool {
        self.role != Role::Leaf || self.certificate.is_ca()
    }
}

/// A path: leaf first, the anchor's own certificate last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'a> {
    pub(crate) certificates: &'a [&'a Certificate],
    pub(crate) request: &'a Request<'a>,
}

impl<'a> Path<'a> {
    pub(crate) fn role(&self, position: usize) -> Role {
        if position == 0 {
            Role::Leaf
        } else if position.saturating_add(1) == self.certificates.len() {
            Role::Anchor
        } else {
            Role::Intermediate
        }
    }

    /// Pairs of a certificate with its position and its issuer.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (usize, &'a Certificate, &'a Certificate)> {
        let issuers = self.certificates.iter().skip(1);
        let pairs = self.certificates.iter().zip(issuers).enumerate();
        pairs.map(|(position, (subject, issuer))| (position, *subject, *issuer))
    }
}

impl Rule {
    /// The level in a built-in profile; refusing for the rules that cannot be switched.
    #[must_use]
    pub fn level(&self, profile: &str) -> Level {
        match (self.levels, profile) {
            (Levels::Fixed, _) => Level::Refuse,
            (Levels::By(_, strict, _), "strict") => strict,
            (Levels::By(_, _, lenient), "lenient") => lenient,
            (Levels::By(connection, _, _), _) => connection,
        }
    }

    /// Can it be switched?
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.levels == Levels::Fixed
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("id", &self.id).finish_non_exhaustive()
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Off => "off",
            Self::Warn => "warn",
            Self::Refuse => "refuse",
        })
    }
}

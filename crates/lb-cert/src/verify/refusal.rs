//! Why a certificate was refused, for programs and for people.

use crate::profile::{Kind, Rule};
use std::fmt;

/// Why a path was refused: which certificate, which rule, which value, and what mends it.
///
/// `Display` is one line; [`Refusal::explain`] is a paragraph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.line())]
pub struct Refusal {
    rule: &'static Rule,
    position: usize,
    subject: String,
    value: String,
    origin: Option<String>,
}

impl Refusal {
    pub(crate) fn new(rule: &'static Rule, position: usize, subject: String, value: String) -> Self {
        Self {
            rule,
            position,
            subject,
            value,
            origin: None,
        }
    }

    /// The rule that was broken.
    #[must_use]
    pub const fn rule(&self) -> &'static Rule {
        self.rule
    }

    /// The kind of the rule.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.rule.kind
    }

    /// Which certificate of the path: 0 is the peer's own, the next its issuer's, and so on.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// The certificate's name.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The offending value.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Tells where the certificates came from: a file's name, for instance.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<String>) -> Self {
        self.origin = Some(source.into());
        self
    }

    /// Where the certificates came from, if that was told.
    #[must_use]
    pub fn source_name(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// A paragraph: what is wrong, where, by which section, and what mends it.
    #[must_use]
    pub fn explain(&self) -> String {
        format!(
            "{} was refused: {}. The rule {} asks that {} ({}). To mend it: {}.",
            self.place(),
            self.value,
            self.rule.id,
            self.rule.what,
            self.rule.section,
            self.rule.mend
        )
    }

    fn place(&self) -> String {
        let source = self
            .origin
            .as_deref()
            .map(|source| format!("{source}: "))
            .unwrap_or_default();
        let number = self.position.saturating_add(1);
        format!("{source}certificate {number} of the path ({})", self.subject)
    }

    fn line(&self) -> String {
        format!("{}: {}: {}", self.place(), headline(self.rule), self.value)
    }
}

/// Two or three words for the kind, the rule's name for the rest.
fn headline(rule: &Rule) -> String {
    let words = match rule.kind {
        Kind::Expired => "expired",
        Kind::NotYetValid => "not yet valid",
        Kind::UnknownIssuer => "unknown issuer",
        Kind::BadSignature => "bad signature",
        Kind::Revoked => "revoked",
        Kind::RevocationUnknown => "revocation unknown",
        Kind::WrongName => "wrong name",
        Kind::WrongPurpose => "wrong purpose",
        Kind::NameConstraint => "name not permitted",
        Kind::NotAnIssuer => "not an issuer",
        Kind::Weak => "weak or unsupported cryptography",
        Kind::Form => "not as the rules ask",
        Kind::Clients => "some clients refuse it",
        Kind::Limit => "limit reached",
    };
    format!("{words} [{}]", rule.id)
}

/// A rule that was broken, but whose level is only to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning(pub(crate) Refusal);

impl Warning {
    /// What would have been the refusal.
    #[must_use]
    pub const fn finding(&self) -> &Refusal {
        &self.0
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

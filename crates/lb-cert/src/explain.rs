//! A finding: what, where, why it matters, how to mend it.

use crate::Place;
use std::fmt;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Good to know; nothing has to be done.
    Note,
    /// Works for some clients or for some time.
    Warning,
    /// Does not work.
    Error,
}

impl Severity {
    /// `note`, `warning` or `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing that somebody should know about certificates or keys.
///
/// `Display` is one line, `error[chain-order]: bundle.pem, block 2: ..`; [`Finding::explain`] is the paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Its name, which does not change between versions: `missing-intermediate`.
    pub id: &'static str,
    /// Where; `None` when it is about everything given.
    pub place: Option<Place>,
    /// What is the case, with the offending values; one sentence without a full stop.
    pub what: String,
    /// Why it matters, in sentences.
    pub why: &'static str,
    /// What to do about it, in sentences.
    pub mend: String,
}

impl Finding {
    /// The whole of it: what and where, why it matters, how to mend it; three lines.
    #[must_use]
    pub fn explain(&self) -> String {
        format!("{self}\n  why:  {}\n  mend: {}", self.why, self.mend)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: ", self.severity.as_str(), self.id)?;
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.what)
    }
}

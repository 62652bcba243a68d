//! Which rules hold: the profiles, and the rules that RFC 5280 and the CA/Browser Forum write.

mod constraint;
pub(crate) mod core;
mod crl;
mod extension;
mod frame;
mod key;
mod key_id;
mod leaf;
mod path;
mod policy;
mod rule;
mod usage;

pub(crate) use rule::{Check, Link, Path, Role};
pub use rule::{Kind, Level, Rule};

use crate::Command;

/// Which rules hold, and how strictly.
///
/// - `connection` (the default): what keeps connections safe; oddities that real CAs show are told, not refused.
/// - `strict`: RFC 5280 and the CA/Browser Forum to the letter, and RFC 5280 in full: paths that
///   rustls-webpki refuses only because it does not implement something are searched by this crate.
/// - `lenient`: only what makes a path valid at all.
#[derive(Clone, Debug)]
pub struct Profile {
    name: &'static str,
    /// One per rule, in the order of [`rules`].
    levels: Vec<Level>,
    complete: bool,
}

/// A rule that cannot be switched so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// No rule has this name.
    #[error("no rule is called {id}; `{}` lists them", Command::LIST_RULES)]
    Unknown {
        /// The name.
        id: String,
    },
    /// The rule makes a path valid at all.
    #[error("the rule {id} cannot be switched off: a path that breaks it is not valid")]
    Fixed {
        /// The rule's name.
        id: &'static str,
    },
}

impl Profile {
    /// The default.
    #[must_use]
    pub fn connection() -> Self {
        Self::built_in("connection", false)
    }

    /// To the letter.
    #[must_use]
    pub fn strict() -> Self {
        Self::built_in("strict", true)
    }

    /// Only what makes a path valid at all.
    #[must_use]
    pub fn lenient() -> Self {
        Self::built_in("lenient", false)
    }

    /// The profile of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "connection" => Some(Self::connection()),
            "strict" => Some(Self::strict()),
            "lenient" => Some(Self::lenient()),
            _ => None,
        }
    }

    /// The name of the profile it began as.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Switches one rule.
    ///
    /// # Errors
    ///
    /// There is no such rule, or it cannot be switched.
    pub fn set(&mut self, id: &str, level: Level) -> Result<(), RuleError> {
        let found = rules().zip(&mut self.levels).find(|(rule, _)| rule.id == id);
        let (rule, current) = found.ok_or_else(|| RuleError::Unknown { id: id.into() })?;
        if rule.is_fixed() {
            return Err(RuleError::Fixed { id: rule.id });
        }
        *current = level;
        Ok(())
    }

    /// Are paths searched that rustls-webpki refuses only for its own limits?
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Searches such paths, or not.
    #[must_use]
    pub const fn with_complete(mut self, complete: bool) -> Self {
        self.complete = complete;
        self
    }

    /// All rules with their level here.
    pub fn rules(&self) -> impl Iterator<Item = (&'static Rule, Level)> {
        rules().zip(self.levels.iter().copied())
    }

    fn built_in(name: &'static str, complete: bool) -> Self {
        Self {
            name,
            levels: rules().map(|rule| rule.level(name)).collect(),
            complete,
        }
    }
}

impl Default for Profile {
    fn default() -> Self {
        Self::connection()
    }
}

/// Every rule, those that make a path valid at all first.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    GROUPS.into_iter().flatten().copied()
}

static GROUPS: [&[&Rule]; 9] = [
    core::RULES,
    frame::RULES,
    extension::RULES,
    key_id::RULES,
    key::RULES,
    leaf::RULES,
    usage::RULES,
    path::RULES,
    crl::RULES,
];

pub(crate) const ANY_POLICY: &[u8] = &[0x55, 0x1d, 0x20, 0x00];

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_rule_has_a_name_of_its_own_a_section_and_a_mend() {
        let mut seen = HashSet::new();
        for rule in rules() {
            assert!(seen.insert(rule.id), "{} twice", rule.id);
            assert!(
                rule.section.contains("section") || rule.section.contains("limits"),
                "{}",
                rule.id
            );
            assert!(!rule.mend.is_empty() && !rule.what.is_empty(), "{}", rule.id);
            assert!(!rule.what.ends_with('.'), "{}", rule.id);
        }
        assert!(seen.len() > 50);
    }

    #[test]
    fn a_rule_can_be_switched_unless_it_makes_a_path_valid() {
        let mut profile = Profile::connection();
        assert_eq!(profile.set("serial.zero", Level::Refuse), Ok(()));
        let level = |profile: &Profile, id| profile.rules().find(|(rule, _)| rule.id == id).map(|(_, level)| level);
        assert_eq!(level(&profile, "serial.zero"), Some(Level::Refuse));
        assert_eq!(
            profile.set("validity.expired", Level::Off),
            Err(RuleError::Fixed { id: "validity.expired" })
        );
        assert!(matches!(
            profile.set("nonsense", Level::Off),
            Err(RuleError::Unknown { .. })
        ));
        assert!(Profile::named("strict").is_some_and(|found| found.is_complete()));
        assert!(Profile::named("nonsense").is_none());
    }

    #[test]
    fn strict_is_nowhere_softer_than_connection_nor_connection_than_lenient() {
        for rule in rules() {
            assert!(rule.level("strict") >= rule.level("connection"), "{}", rule.id);
            assert!(rule.level("connection") >= rule.level("lenient"), "{}", rule.id);
        }
    }
}

//! A table by server name: exact names, and wildcards for one label. Looking up allocates nothing.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

/// Values by server name. An exact name is preferred to a wildcard, which is the longest match that there can be.
pub(crate) struct NameTable<T> {
    exact: HashMap<Box<str>, T>,
    /// By what follows `*.`.
    wildcard: HashMap<Box<str>, T>,
    /// The most labels of what follows a `*.`: nothing longer needs to be asked for.
    most_labels: usize,
}

/// Why a text is no name that a site or a certificate can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// An address.
    #[error("{name} is an address: clients send no server name for it; leave it out, the default answers")]
    Address {
        /// The text.
        name: String,
    },
    /// A star somewhere else than alone in the first label.
    #[error("{name}: a star stands for exactly one whole label, the first: write *.example.org")]
    Star {
        /// The text.
        name: String,
    },
    /// Empty, too long, or with characters that no host name has.
    #[error("{name:?} is no host name: labels of 1 to 63 letters, digits, - and _, with dots between, 253 in all")]
    Form {
        /// The text.
        name: String,
    },
}

impl<T> NameTable<T> {
    pub(crate) fn new() -> Self {
        Self {
            exact: HashMap::new(),
            wildcard: HashMap::new(),
            most_labels: 0,
        }
    }

    /// The value for exactly this pattern, made if it is not there.
    pub(crate) fn entry(&mut self, pattern: &str, make: impl FnOnce() -> T) -> Result<&mut T, NameError> {
        let clean = pattern_of(pattern)?;
        let (table, key) = match clean.strip_prefix("*.") {
            Some(rest) => {
                self.most_labels = self.most_labels.max(rest.split('.').count());
                (&mut self.wildcard, rest)
            }
            None => (&mut self.exact, clean.as_str()),
        };
        Ok(table.entry(key.into()).or_insert_with(make))
    }

    /// The value for this name. `O(1)`, allocates nothing; what is no name is found nowhere.
    pub(crate) fn find(&self, name: &str) -> Option<&T> {
        let mut space = [0; MOST_BYTES];
        let name = lowered(name, &mut space)?;
        if let Some(found) = self.exact.get(name) {
            return Some(found);
        }
        let (label, rest) = name.split_once('.')?;
        (!label.is_empty() && !self.wildcard.is_empty()).then(|| self.wildcard.get(rest))?
    }

    /// Does this hold for every wildcard above the name, by however many labels? No, if it is longer than any name.
    /// As many look-ups as the longest wildcard has labels; allocates nothing.
    pub(crate) fn all_above(&self, name: &str, fits: impl Fn(&T) -> bool) -> bool {
        let mut space = [0; MOST_BYTES];
        let Some(name) = lowered(name, &mut space) else {
            return false;
        };
        // From the right: the first dot has one label after it.
        let dots = name.rmatch_indices('.').take(self.most_labels);
        let mut parents = dots.filter_map(|(at, _)| name.get(at.saturating_add(1)..));
        parents.all(|parent| self.wildcard.get(parent).is_none_or(&fits))
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.exact.values_mut().chain(self.wildcard.values_mut())
    }
}

impl<T> fmt::Debug for NameTable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NameTable")
            .field("exact", &self.exact.len())
            .field("wildcard", &self.wildcard.len())
            .finish()
    }
}

/// A pattern as it is kept: lower case, no dot at the end.
pub(crate) fn pattern_of(pattern: &str) -> Result<String, NameError> {
    let name = pattern.strip_suffix('.').unwrap_or(pattern).to_ascii_lowercase();
    if is_address(&name) {
        return Err(NameError::Address { name });
    }
    let host = name.strip_prefix("*.").unwrap_or(&name);
    if host.contains('*') {
        return Err(NameError::Star { name });
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if name.len() > 253 || !host.split('.').all(is_label) {
        return Err(NameError::Form { name });
    }
    Ok(name)
}

/// Is it an address? RFC 6066, section 3 forbids them as server names; some clients send them all the same.
pub(crate) fn is_address(name: &str) -> bool {
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(name).parse::<IpAddr>().is_ok()
}

/// The host of an authority (`example.org:8443`, `[::1]:443`), without its port and without a dot at the end.
pub(crate) fn host_of(authority: &str) -> &str {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(host, _)| host),
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    };
    host.strip_suffix('.').unwrap_or(host)
}

/// In lower case, in the space given; nothing for what is longer than any name.
fn lowered<'a>(name: &str, space: &'a mut [u8; MOST_BYTES]) -> Option<&'a str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let lower = space.get_mut(..name.len())?;
    lower.copy_from_slice(name.as_bytes());
    lower.make_ascii_lowercase();
    std::str::from_utf8(lower).ok()
}

/// No name is longer: RFC 1035, section 2.3.4.
const MOST_BYTES: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn table(patterns: &[&'static str]) -> NameTable<&'static str> {
        let mut table = NameTable::new();
        for pattern in patterns {
            table.entry(pattern, || *pattern).expect("a pattern");
        }
        table
    }

    #[test]
    fn s_tls_05_an_exact_name_comes_before_a_wildcard_and_a_wildcard_covers_one_label() {
        let table = table(&["*.example.org", "www.example.org", "*.a.example.org", "example.org"]);
        for (name, found) in [
            ("www.example.org", Some("www.example.org")),
            ("WWW.Example.ORG", Some("www.example.org")),
            ("www.example.org.", Some("www.example.org")),
            ("shop.example.org", Some("*.example.org")),
            ("b.a.example.org", Some("*.a.example.org")),
            ("a.example.org", Some("*.example.org")),
            ("c.b.a.example.org", None),
            ("example.org", Some("example.org")),
            (".example.org", None),
            ("org", None),
            ("", None),
            (".", None),
            ("*.example.org", Some("*.example.org")),
        ] {
            assert_eq!(table.find(name).copied(), found, "{name}");
        }
    }

    #[test]
    fn names_of_any_length_and_content_are_looked_up_without_harm() {
        let table = table(&["*.example.org"]);
        let longest = format!("{}.example.org", "a".repeat(255 - 12));
        assert_eq!(table.find(&longest).copied(), Some("*.example.org"));
        assert_eq!(table.find(&format!("a{longest}")), None);
        for hostile in ["ä.example.org.x", "\0", "....", "[::1", &"x".repeat(70_000)] {
            assert_eq!(table.find(hostile), None, "{}", hostile.len());
        }
    }

    #[test]
    fn a_pattern_that_nobody_is_called_is_refused_with_the_mend() {
        for (pattern, part) in [
            ("192.0.2.1", "address"),
            ("[2001:db8::1]", "address"),
            ("w*.example.org", "star"),
            ("*.*.example.org", "star"),
            ("", "host name"),
            ("a..b", "host name"),
            ("a b", "host name"),
            (&"a".repeat(64), "host name"),
        ] {
            let error = pattern_of(pattern).expect_err(pattern).to_string();
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(pattern_of("*.Example.ORG.").as_deref(), Ok("*.example.org"));
        assert_eq!(pattern_of(&"a".repeat(63)).map(|name| name.len()), Ok(63));
    }

    #[test]
    fn an_authority_has_a_host() {
        for (authority, host) in [
            ("example.org", "example.org"),
            ("example.org.:443", "example.org"),
            ("[::1]:8443", "::1"),
            ("[::1]", "::1"),
            ("192.0.2.1:1", "192.0.2.1"),
            ("", ""),
            (":", ""),
        ] {
            assert_eq!(host_of(authority), host, "{authority}");
        }
        assert!(is_address("192.0.2.1") && is_address("::1") && is_address("[::1]") && !is_address("a.example"));
    }
}

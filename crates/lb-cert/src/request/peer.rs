//! Is it the peer's name? (RFC 9525; mailboxes as RFC 5280, section 4.2.1.6)

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::certificate::host::is_host;
use crate::certificate::mailbox::Mailbox;
use crate::certificate::{Certificate, GeneralName};
use std::fmt;
use std::net::IpAddr;

/// The name by which a peer is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PeerName {
    /// A host name; a trailing dot and letter case do not count.
    Dns(String),
    /// An address.
    Ip(IpAddr),
    /// A mailbox; the host's letter case does not count.
    Email(String),
}

impl PeerName {
    /// An address if it reads as one, a mailbox if it has an `@`, else a host name.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let bare = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(text);
        if let Ok(address) = bare.parse() {
            Self::Ip(address)
        } else if text.contains('@') {
            Self::Email(text.into())
        } else {
            Self::Dns(text.into())
        }
    }

    /// Is it among the certificate's alternative names? The common name is never asked (RFC 9525, section 2).
    #[must_use]
    pub fn is_of(&self, certificate: &Certificate) -> bool {
        certificate.names().iter().any(|name| self.matches(name))
    }

    fn matches(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Dns(wanted), GeneralName::Dns(found)) => host_matches(wanted, found),
            (Self::Ip(wanted), GeneralName::Ip(found)) => wanted == found,
            (Self::Email(wanted), GeneralName::Email(found)) => same_mailbox(wanted, found),
            _ => false,
        }
    }
}

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) | Self::Email(name) => f.write_str(&crate::certificate::name::printable(name)),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

/// `*.` in what was found stands for exactly one label that is not empty.
fn host_matches(wanted: &str, found: &str) -> bool {
    let wanted = wanted.strip_suffix('.').unwrap_or(wanted);
    if !is_host(wanted) {
        // No host name has an underscore, and yet machines are called so: letter by letter, as OpenSSL and GnuTLS do.
        let is_nearly = wanted.contains('_') && is_host(&wanted.replace('_', "x"));
        return is_nearly && found.eq_ignore_ascii_case(wanted);
    }
    match found.strip_prefix("*.") {
        None => found.eq_ignore_ascii_case(wanted) && !found.contains('*'),
        // a wildcard needs two labels after it
        Some(rest) if rest.contains('*') || !rest.contains('.') => false,
        Some(rest) => wanted
            .split_once('.')
            .is_some_and(|(label, parent)| !label.is_empty() && parent.eq_ignore_ascii_case(rest)),
    }
}

/// What is no mailbox is nobody's.
fn same_mailbox(one: &str, other: &str) -> bool {
    match (Mailbox::parse(one), Mailbox::parse(other)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(text: &str) -> GeneralName {
        GeneralName::Dns(text.into())
    }

    #[test]
    fn a_wildcard_is_one_whole_label() {
        let wanted = PeerName::read("www.Example.com.");
        assert!(wanted.matches(&dns("WWW.example.com")));
        assert!(wanted.matches(&dns("*.example.com")));
        for wrong in [
            "*.com",
            "*",
            "w*.example.com",
            "*.*.com",
            "example.com",
            "www.*.com",
            "www.example.com.",
        ] {
            assert!(!wanted.matches(&dns(wrong)), "{wrong}");
        }
        assert!(!PeerName::read("example.com").matches(&dns("*.example.com")));
        assert!(!PeerName::read("a.b.example.com").matches(&dns("*.example.com")));
        assert!(
            !PeerName::Dns("*.example.com".into()).matches(&dns("*.example.com")),
            "nobody is called *"
        );
    }

    #[test]
    fn a_name_with_underscores_is_itself_and_under_no_wildcard() {
        let wanted = PeerName::read("A_b.test.");
        assert!(wanted.matches(&dns("a_B.test")));
        assert!(PeerName::read("_dmarc.example.com").matches(&dns("_dmarc.example.com")));
        for wrong in ["*.test", "a-b.test", "b.test", "a_b.test."] {
            assert!(!wanted.matches(&dns(wrong)), "{wrong}");
        }
        assert!(!PeerName::read("x.a_b.test").matches(&dns("*.a_b.test")));
        assert!(!PeerName::Dns("*.a_b.test".into()).matches(&dns("*.a_b.test")));
        assert!(!PeerName::Dns("a_b..test".into()).matches(&dns("a_b..test")));
    }

    #[test]
    fn addresses_match_addresses_only() {
        let wanted = PeerName::read("[2001:db8::1]");
        assert!(wanted.matches(&GeneralName::Ip("2001:db8::1".parse().expect("an address"))));
        assert!(!wanted.matches(&dns("2001:db8::1")));
        assert!(!PeerName::Dns("10.0.0.1".into()).matches(&dns("10.0.0.1")));
    }

    #[test]
    fn the_host_of_a_mailbox_has_no_case() {
        let wanted = PeerName::read("Jo@Example.com");
        assert!(wanted.matches(&GeneralName::Email("Jo@example.COM".into())));
        assert!(!wanted.matches(&GeneralName::Email("jo@example.com".into())));
        assert!(PeerName::read("jo@example.com").matches(&GeneralName::Email("\"jo\"@example.com".into())));
    }

    #[test]
    fn what_is_no_mailbox_is_nobodys_even_letter_by_letter() {
        for wrong in [
            "a@b@example.com",
            "Jo <jo@example.com>",
            "jo@",
            "@example.com",
            "j..o@example.com",
        ] {
            let wanted = PeerName::Email(wrong.into());
            assert!(!wanted.matches(&GeneralName::Email(wrong.into())), "{wrong}");
        }
    }
}

//! Rules about a path as a whole.

use super::rule::{Check, Kind, Level, Levels, Path, Role, Rule};
use crate::certificate::host::is_host;
use crate::certificate::mailbox::Mailbox;
use crate::certificate::{Subtree, oid};
use Level::{Off, Refuse, Warn};

pub(super) static RULES: &[&Rule] = &[
    &Rule {
        id: "name-constraints.form",
        section: "RFC 5280, section 4.2.1.10",
        what: "a name constraint is written as the section says: hosts, mailboxes, masks without holes",
        mend: "have the CA's certificate issued with name constraints in their right form",
        kind: Kind::Form,
        levels: Levels::By(Warn, Refuse, Off),
        check: Check::Path(constraint_form),
    },
    &Rule {
        id: "validity.nested",
        section: "CA/Browser Forum BR, section 6.3.2",
        what: "a certificate does not outlive its issuer's",
        mend: "have the certificate issued with a validity within the CA's",
        kind: Kind::Form,
        levels: Levels::By(Off, Warn, Off),
        check: Check::Path(nested),
    },
    &Rule {
        id: "eku.intermediate-critical",
        section: "CA/Browser Forum BR, section 7.1.2.10.6",
        what: "an intermediate certificate's extended key usage is not critical",
        mend: "have the CA's certificate issued with extendedKeyUsage not critical",
        kind: Kind::Form,
        levels: Levels::By(Off, Warn, Off),
        check: Check::Path(eku_critical),
    },
];

fn constraint_form(path: &Path<'_>) -> Option<(usize, String)> {
    path.certificates
        .iter()
        .enumerate()
        .find_map(|(position, certificate)| {
            let constraints = certificate.name_constraints()?;
            let mut all = constraints.permitted.iter().chain(&constraints.excluded);
            let wrong = all.find_map(|space| match space {
                Subtree::Dns(host) if host.starts_with('.') => Some(host.to_string()),
                Subtree::Dns(host) if !host.is_empty() && !is_host(host) => Some(host.to_string()),
                Subtree::Email(space) if !is_mail_space(space) => Some(space.to_string()),
                Subtree::Ip { mask, .. } if !is_prefix(mask) => Some(format!("mask {}", super::hex(mask))),
                _ => None,
            })?;
            Some((position, wrong))
        })
}

/// A mailbox, a host, or a domain with a leading dot.
fn is_mail_space(space: &str) -> bool {
    if space.contains('@') {
        return Mailbox::parse(space).is_some();
    }
    is_host(space.strip_prefix('.').unwrap_or(space))
}

/// Ones, then zeros.
fn is_prefix(mask: &[u8]) -> bool {
    let ones: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
    let leading: u32 = mask
        .iter()
        .scan(true, |open, byte| {
            let count = if *open { byte.leading_ones() } else { 0 };
            *open = *open && *byte == 0xff;
            Some(count)
        })
        .sum();
    ones == leading
}

fn nested(path: &Path<'_>) -> Option<(usize, String)> {
    path.pairs()
        .find(|(_, certificate, issuer)| certificate.not_after() > issuer.not_after())
        .map(|(position, certificate, issuer)| {
            let (own, above) = (
                crate::date::moment(certificate.not_after()),
                crate::date::moment(issuer.not_after()),
            );
            (position, format!("until {own}, its issuer until {above}"))
        })
}

fn eku_critical(path: &Path<'_>) -> Option<(usize, String)> {
    let found = path.certificates.iter().enumerate().find(|(position, certificate)| {
        path.role(*position) == Role::Intermediate && certificate.extension(oid::EXTENDED_KEY_USAGE) == Some(true)
    })?;
    Some((found.0, String::from("extendedKeyUsage critical")))
}

#[cfg(test)]
mod tests {
    use super::{is_mail_space, is_prefix};

    #[test]
    fn mailboxes_are_constrained_by_mailboxes_hosts_and_domains() {
        for good in [
            "root@example.com",
            "**@example.com",
            "\"a b\"@example.com",
            "example.com",
            ".example.com",
        ] {
            assert!(is_mail_space(good), "{good}");
        }
        for bad in [
            "",
            "@example.com",
            "a@b@example.com",
            "a@",
            "*.example.com",
            "a@.example.com",
        ] {
            assert!(!is_mail_space(bad), "{bad}");
        }
    }

    #[test]
    fn a_mask_is_ones_and_then_zeros() {
        for good in [[0, 0, 0, 0], [255, 255, 255, 255], [255, 128, 0, 0], [255, 255, 255, 0]] {
            assert!(is_prefix(&good), "{good:?}");
        }
        for bad in [[255, 0, 255, 0], [0, 255, 0, 0], [127, 0, 0, 0], [255, 129, 0, 0]] {
            assert!(!is_prefix(&bad), "{bad:?}");
        }
    }
}

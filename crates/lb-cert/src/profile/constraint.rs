//! Name constraints, in all forms that can be evaluated (RFC 5280, section 4.2.1.10).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::rule::Path;
use crate::certificate::host::is_host;
use crate::certificate::mailbox::Mailbox;
use crate::certificate::name::{self, Attribute};
use crate::certificate::{Certificate, GeneralName, NameConstraints, Subtree};
use std::cell::Cell;
use std::net::IpAddr;

/// The rule `name-constraints`: constraints of each CA against every certificate below it that is
/// not self-issued, and against the leaf.
pub(super) fn violated(path: &Path<'_>) -> Option<(usize, String)> {
    for (above, issuer) in path.certificates.iter().enumerate().skip(1) {
        let Some(constraints) = issuer.name_constraints() else {
            continue;
        };
        for (position, certificate) in path.certificates.iter().enumerate().take(above).rev() {
            if position > 0 && certificate.is_self_issued() {
                continue;
            }
            if let Some(name) = outside(constraints, certificate, &path.request.comparisons) {
                let by = name::printable(&issuer.label()).into_owned();
                return Some((position, format!("{name}, constrained by {by}")));
            }
        }
    }
    None
}

/// The first name of the certificate that lies outside.
fn outside(constraints: &NameConstraints, certificate: &Certificate, budget: &Cell<u32>) -> Option<String> {
    for found in certificate.names() {
        if !allowed(constraints, found, budget) {
            return Some(found.to_string());
        }
    }
    let subject = certificate.subject_raw();
    let Ok(attributes) = name::attributes(subject) else {
        return Some(String::from("an unreadable subject"));
    };
    if !attributes.is_empty() && !allowed(constraints, &GeneralName::Directory(subject.into()), budget) {
        return Some(name::one_line(subject));
    }
    // a mailbox of old stands in the subject
    let has_mailbox = certificate.names().iter().any(|found| found.form() == 1);
    let mut mailboxes = attributes.iter().filter(|one| one.kind == name::EMAIL_ADDRESS);
    let wrong = mailboxes.find(|one| !has_mailbox && !allowed(constraints, &mailbox(one), budget))?;
    Some(name::printable(&wrong.text()).into_owned())
}

fn mailbox(attribute: &Attribute<'_>) -> GeneralName {
    GeneralName::Email(attribute.text().into())
}

/// Is the name in one of the permitted spaces of its form, if there are any, and in none of the excluded?
fn allowed(constraints: &NameConstraints, found: &GeneralName, budget: &Cell<u32>) -> bool {
    let form = found.form();
    let of_form = |space: &&Subtree| space.form() == form;
    let mut excluded = constraints.excluded.iter().filter(of_form);
    if excluded.any(|space| spend(budget) || touches(space, found)) {
        return false;
    }
    let mut permitted = constraints.permitted.iter().filter(of_form).peekable();
    permitted.peek().is_none() || permitted.any(|space| !spend(budget) && covers(space, found))
}

/// Takes one comparison. Running out excludes everything: a name is never let through unchecked.
fn spend(budget: &Cell<u32>) -> bool {
    match budget.get().checked_sub(1) {
        Some(left) => {
            budget.set(left);
            false
        }
        None => true,
    }
}

/// Does all of the name lie in the space?
fn covers(space: &Subtree, found: &GeneralName) -> bool {
    match (space, found) {
        (Subtree::Dns(space), GeneralName::Dns(host)) => {
            // every host that a wildcard stands for lies below what follows it
            is_readable(host)
                && match host.strip_prefix("*.") {
                    Some(rest) => host_within(rest, space.strip_prefix('.').unwrap_or(space)),
                    None => host_within(host, space),
                }
        }
        (Subtree::Directory(space), GeneralName::Directory(name)) => directory_within(name, space, false),
        (Subtree::Email(space), GeneralName::Email(mailbox)) => mailbox_within(mailbox, space, false),
        (Subtree::Uri(space), GeneralName::Uri(uri)) => uri_host(uri).is_some_and(|host| domain(host, space)),
        (Subtree::Ip { network, mask }, GeneralName::Ip(address)) => address_within(*address, network, mask),
        _ => false,
    }
}

/// Does part of the name lie in the space, or can that not be ruled out?
fn touches(space: &Subtree, found: &GeneralName) -> bool {
    match (space, found) {
        (Subtree::Dns(_), GeneralName::Dns(host)) if !is_readable(host) => true,
        (Subtree::Dns(space), GeneralName::Dns(host)) => match host.strip_prefix("*.") {
            Some(rest) => {
                let bare = space.strip_prefix('.').unwrap_or(space);
                // the wildcard's first label may be the space's own
                host_within(rest, bare)
                    || bare
                        .split_once('.')
                        .is_some_and(|(_, parent)| parent.eq_ignore_ascii_case(rest))
            }
            None => host_within(host, space),
        },
        (Subtree::Directory(space), GeneralName::Directory(name)) => directory_within(name, space, true),
        (Subtree::Email(space), GeneralName::Email(mailbox)) => mailbox_within(mailbox, space, true),
        (Subtree::Uri(space), GeneralName::Uri(uri)) => uri_host(uri).is_none_or(|host| domain(host, space)),
        (Subtree::Ip { network, mask }, GeneralName::Ip(address)) => address_within(*address, network, mask),
        // nobody can tell: an unsupported form, or a name that is not what its tag says
        _ => true,
    }
}

/// Labels with single dots between them, the first of which may be a wildcard. More is not asked here: names with
/// underscores are in use.
fn is_readable(host: &str) -> bool {
    let bare = host.strip_prefix("*.").unwrap_or(host);
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    bare.split('.')
        .all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'*'))
}

/// The host itself or below it; with a leading dot only below; everything below the empty name.
fn host_within(host: &str, space: &str) -> bool {
    let (space, below_only) = match space.strip_prefix('.') {
        Some(rest) => (rest, true),
        None => (space, false),
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    if space.is_empty() {
        return true;
    }
    let Some(at) = host.len().checked_sub(space.len()) else {
        return false;
    };
    let Some((front, back)) = host.split_at_checked(at) else {
        return false;
    };
    back.eq_ignore_ascii_case(space) && (front.ends_with('.') || (front.is_empty() && !below_only))
}

/// Exactly the host; with a leading dot whatever is below it. (mailboxes and URIs)
fn domain(host: &str, space: &str) -> bool {
    if space.starts_with('.') {
        return host_within(host, space);
    }
    host.eq_ignore_ascii_case(space)
}

/// A space with an `@` is one mailbox, else a host or a domain. What cannot be read, of the two, decides nothing.
fn mailbox_within(found: &str, space: &str, when_unreadable: bool) -> bool {
    let Some(mailbox) = Mailbox::parse(found) else {
        return when_unreadable;
    };
    if space.contains('@') {
        return Mailbox::parse(space).map_or(when_unreadable, |space| mailbox == space);
    }
    if !is_host(space.strip_prefix('.').unwrap_or(space)) {
        return when_unreadable;
    }
    domain(mailbox.host(), space)
}

fn directory_within(name: &[u8], space: &[u8], when_unreadable: bool) -> bool {
    match (name::attributes(name), name::attributes(space)) {
        (Ok(name), Ok(space)) => name::begins_with(&name, &space),
        _ => when_unreadable,
    }
}

/// The host of `scheme://user@host:port/..`; none if it has none or an address.
fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    (!host.is_empty() && !host.starts_with('[') && host.parse::<IpAddr>().is_err()).then_some(host)
}

fn address_within(address: IpAddr, network: &[u8], mask: &[u8]) -> bool {
    let (four, sixteen);
    let octets: &[u8] = match address {
        IpAddr::V4(address) => {
            four = address.octets();
            &four
        }
        IpAddr::V6(address) => {
            sixteen = address.octets();
            &sixteen
        }
    };
    octets.len() == network.len()
        && octets
            .iter()
            .zip(network)
            .zip(mask)
            .all(|((octet, network), mask)| octet & mask == network & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(permitted: &[Subtree], excluded: &[Subtree], name: &GeneralName) -> bool {
        let constraints = NameConstraints {
            permitted: permitted.to_vec(),
            excluded: excluded.to_vec(),
        };
        allowed(&constraints, name, &Cell::new(1000))
    }

    fn dns(text: &str) -> Subtree {
        Subtree::Dns(text.into())
    }

    fn host(text: &str) -> GeneralName {
        GeneralName::Dns(text.into())
    }

    #[test]
    fn a_host_and_what_is_below_it() {
        // the examples of RFC 5280, section 4.2.1.10
        let space = [dns("host.example.com")];
        assert!(check(&space, &[], &host("www.host.example.com")));
        assert!(check(&space, &[], &host("HOST.example.com")));
        assert!(!check(&space, &[], &host("host1.example.com")));
        assert!(!check(&space, &[], &host("ahost.example.com")));
        assert!(!check(&[dns(".host.example.com")], &[], &host("host.example.com")));
        assert!(check(&[dns("")], &[], &host("anything")));
    }

    #[test]
    fn a_wildcard_is_all_it_could_stand_for() {
        assert!(check(&[dns("example.com")], &[], &host("*.example.com")));
        assert!(!check(&[dns("foo.example.com")], &[], &host("*.example.com")));
        assert!(!check(&[], &[dns("bar.example.com")], &host("*.example.com")));
        assert!(!check(&[], &[dns("example.com")], &host("*.example.com")));
        assert!(
            check(&[], &[dns("a.b.example.com")], &host("*.example.com")),
            "one label only"
        );
    }

    #[test]
    fn mailboxes_are_constrained_by_mailbox_host_or_domain() {
        let mail = |text: &str| Subtree::Email(text.into());
        let box_of = |text: &str| GeneralName::Email(text.into());
        assert!(check(&[mail("root@example.com")], &[], &box_of("root@EXAMPLE.com")));
        assert!(!check(&[mail("root@example.com")], &[], &box_of("Root@example.com")));
        assert!(check(&[mail("example.com")], &[], &box_of("a@example.com")));
        assert!(!check(&[mail("example.com")], &[], &box_of("a@mail.example.com")));
        assert!(check(&[mail(".example.com")], &[], &box_of("a@mail.example.com")));
        assert!(!check(&[mail(".example.com")], &[], &box_of("a@example.com")));
        assert!(
            !check(&[], &[mail("example.com")], &box_of("nobody")),
            "unreadable is excluded"
        );
    }

    #[test]
    fn what_is_no_mailbox_is_never_permitted_and_always_excluded() {
        let mail = |text: &str| Subtree::Email(text.into());
        let box_of = |text: &str| GeneralName::Email(text.into());
        for wrong in [
            "victim@example.com@evil.example",
            "a@b@example.com",
            "Jo <jo@example.com>",
            "j..o@example.com",
            "@example.com",
            "jo@example..com",
            "\"jo@example.com",
        ] {
            for space in ["example.com", ".com", "jo@example.com", wrong] {
                assert!(!check(&[mail(space)], &[], &box_of(wrong)), "{wrong} in {space}");
                assert!(!check(&[], &[mail(space)], &box_of(wrong)), "{wrong} out of {space}");
            }
        }
        // A quoted @ is part of the name.
        assert!(check(&[mail("example.com")], &[], &box_of("\"a@b\"@example.com")));
        assert!(!check(&[mail("b")], &[], &box_of("\"a@b\"@example.com")));
        assert!(check(&[mail("\"jo\"@example.com")], &[], &box_of("jo@example.com")));
        assert!(!check(&[], &[mail("\"jo\"@example.com")], &box_of("jo@example.com")));
        // A space that cannot be read permits nobody and excludes everybody.
        for wrong in ["a@b@example.com", "@example.com", "*.example.com", "exa mple.com", ""] {
            assert!(!check(&[mail(wrong)], &[], &box_of("jo@example.com")), "{wrong}");
            assert!(!check(&[], &[mail(wrong)], &box_of("jo@example.com")), "{wrong}");
        }
    }

    #[test]
    fn a_host_that_cannot_be_read_is_never_permitted_and_always_excluded() {
        for wrong in [
            "a..example.com",
            "f*.example.com",
            "*.*.example.com",
            "a b.example.com",
            "",
            "*",
        ] {
            assert!(!check(&[dns("example.com")], &[], &host(wrong)), "{wrong}");
            assert!(!check(&[dns("")], &[], &host(wrong)), "{wrong}");
            assert!(!check(&[], &[dns("other.example")], &host(wrong)), "{wrong}");
        }
        assert!(check(&[dns("example.com")], &[], &host("_dmarc.a_b.example.com")));
        assert!(check(&[dns("example.com")], &[], &host("www.example.com.")));
    }

    #[test]
    fn addresses_and_uris() {
        let net = Subtree::Ip {
            network: [192, 0, 2, 0].into(),
            mask: [255, 255, 255, 0].into(),
        };
        assert!(check(
            std::slice::from_ref(&net),
            &[],
            &GeneralName::Ip([192, 0, 2, 9].into())
        ));
        assert!(!check(
            std::slice::from_ref(&net),
            &[],
            &GeneralName::Ip([192, 0, 3, 9].into())
        ));
        assert!(!check(
            std::slice::from_ref(&net),
            &[],
            &GeneralName::Ip("::1".parse().expect("address"))
        ));
        let bad = GeneralName::Invalid {
            tag: 7,
            bytes: [192, 0, 2, 0, 255, 255, 255, 0].into(),
        };
        assert!(!check(&[net], &[], &bad));
        let uri = |text: &str| GeneralName::Uri(text.into());
        let space = [Subtree::Uri(".example.com".into())];
        assert!(check(&space, &[], &uri("https://a@www.example.com:443/x")));
        assert!(!check(&space, &[], &uri("https://example.com/")));
        assert!(!check(&space, &[], &uri("urn:example.com")));
        assert!(!check(&[], &space, &uri("urn:x")), "no host: excluded to be safe");
    }

    #[test]
    fn other_forms_do_not_disturb_and_unknown_ones_exclude() {
        assert!(check(&[dns("a.example")], &[], &GeneralName::Ip([1, 1, 1, 1].into())));
        let other = GeneralName::Other("1.2.3".into());
        assert!(check(&[dns("a.example")], &[], &other));
        assert!(!check(&[], &[Subtree::Unsupported(0)], &other));
        assert!(!check(&[Subtree::Unsupported(0)], &[], &other));
    }

    #[test]
    fn without_comparisons_left_every_name_is_refused() {
        let constraints = NameConstraints {
            permitted: vec![dns("a.example")],
            excluded: Vec::new(),
        };
        assert!(allowed(&constraints, &host("a.example"), &Cell::new(1)));
        assert!(!allowed(&constraints, &host("a.example"), &Cell::new(0)));
    }
}

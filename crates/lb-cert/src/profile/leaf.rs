//! Rules about the certificate of the peer itself: its names and usages. Mostly the CA/Browser Forum's.

use super::extension::tight;
use super::frame::{EMPTY, form};
use super::rule::{Level, Levels, Link, Role, Rule};
use crate::certificate::host::is_host;
use crate::certificate::mailbox::Mailbox;
use crate::certificate::{GeneralName, name, oid};
use crate::request::Purpose;
use Level::{Off, Refuse, Warn};
use std::net::{Ipv4Addr, Ipv6Addr};

pub(super) static RULES: &[&Rule] = &[
    &form(
        "san.missing",
        "CA/Browser Forum BR, section 7.1.2.7.12",
        Levels::By(Warn, Refuse, Off),
        san_missing,
        "a server's certificate has subject alternative names",
        "have the certificate issued with its names in subjectAltName",
    ),
    &form(
        "san.critical",
        "CA/Browser Forum BR, section 7.1.2.7.12",
        Levels::By(Off, Refuse, Off),
        san_critical,
        "subject alternative names beside a subject are not critical",
        "have the certificate issued with subjectAltName not critical",
    ),
    &form(
        "san.not-critical",
        "RFC 5280, section 4.2.1.6",
        Levels::By(Warn, Refuse, Off),
        san_not_critical,
        "subject alternative names without a subject are critical",
        "have the certificate issued with critical subjectAltName, or with a subject",
    ),
    &form(
        "san.name",
        "RFC 5280, section 4.2.1.6",
        Levels::By(Warn, Refuse, Off),
        san_name,
        "host names are written as host names, mailboxes as mailboxes, addresses as addresses, all in ASCII",
        "have the certificate issued with its names in their right form: no underscore, no address as host name, no \
         display name around a mailbox",
    ),
    &form(
        "san.wildcard",
        "CA/Browser Forum BR, section 1.6.1",
        Levels::By(Warn, Refuse, Off),
        san_wildcard,
        "a wildcard is the whole first label of a name with at least two more",
        "have the certificate issued with `*.` before the whole name",
    ),
    &form(
        "san.public-suffix",
        "CA/Browser Forum BR, section 3.2.2.6",
        Levels::By(Refuse, Refuse, Off),
        san_public_suffix,
        "no wildcard stands directly above a public suffix",
        "have the certificate issued for names of one owner",
    ),
    &form(
        "cn.form",
        "CA/Browser Forum BR, section 7.1.4.3",
        Levels::By(Off, Refuse, Off),
        common_name_form,
        "a common name that means one of the alternative names is a letter by letter copy of it",
        "have the certificate issued with the common name written as in subjectAltName",
    ),
    &form(
        "cn.in-names",
        "CA/Browser Forum BR, section 7.1.4.3",
        Levels::By(Off, Warn, Off),
        common_name_in_names,
        "a common name that looks like a host is one of the alternative names",
        "have the certificate issued with the common name among its subjectAltName entries",
    ),
    &form(
        "leaf.ca",
        "CA/Browser Forum BR, section 7.1.2.7.8",
        Levels::By(Refuse, Refuse, Off),
        leaf_ca,
        "a peer's certificate is not a CA's",
        "use a certificate that the CA issued instead of the CA's own",
    ),
];

pub(super) fn is_server_leaf(link: &Link<'_>) -> bool {
    link.role == Role::Leaf && link.request.purposes.contains(&Purpose::Server)
}

fn san_missing(link: &Link<'_>) -> Option<String> {
    let missing = is_server_leaf(link) && link.certificate.extension(oid::SUBJECT_NAMES).is_none();
    missing.then(|| String::from("no subjectAltName"))
}

fn san_critical(link: &Link<'_>) -> Option<String> {
    if !link.is_leaf() || link.certificate.subject_raw() == EMPTY {
        return None;
    }
    tight(link, oid::SUBJECT_NAMES)
}

fn san_not_critical(link: &Link<'_>) -> Option<String> {
    let certificate = link.certificate;
    let loose = certificate.subject_raw() == EMPTY && certificate.extension(oid::SUBJECT_NAMES) != Some(true);
    loose.then(|| String::from("an empty subject without critical subjectAltName"))
}

fn san_name(link: &Link<'_>) -> Option<String> {
    if !link.is_leaf() {
        return None;
    }
    let wrong = link.certificate.names().iter().find(|name| match name {
        GeneralName::Dns(host) => {
            let host = host.strip_prefix("*.").unwrap_or(host);
            // the forms of wildcards have a rule of their own
            !host.contains('*') && !is_host(host)
        }
        GeneralName::Email(mailbox) => Mailbox::parse(mailbox).is_none(),
        GeneralName::Invalid { .. } => true,
        _ => false,
    })?;
    Some(wrong.to_string())
}

fn san_wildcard(link: &Link<'_>) -> Option<String> {
    if !link.is_leaf() {
        return None;
    }
    let wrong = link.certificate.names().iter().find(|name| match name {
        GeneralName::Dns(host) if host.contains('*') => host
            .strip_prefix("*.")
            .is_none_or(|rest| rest.contains('*') || !rest.contains('.')),
        _ => false,
    })?;
    Some(wrong.to_string())
}

fn san_public_suffix(link: &Link<'_>) -> Option<String> {
    if !link.is_leaf() {
        return None;
    }
    let wrong = link.certificate.names().iter().find(|name| match name {
        GeneralName::Dns(host) => host.strip_prefix("*.").is_some_and(is_public_suffix),
        _ => false,
    })?;
    Some(wrong.to_string())
}

/// A suffix below which registries give names to everybody.
#[cfg(feature = "public-suffix")]
fn is_public_suffix(host: &str) -> bool {
    let lower = host.to_ascii_lowercase();
    match psl::suffix(lower.as_bytes()) {
        // The private part of the list is not the registries'. An unlisted top-level domain is one.
        Some(suffix) => suffix.as_bytes() == lower.as_bytes() && suffix.typ() != Some(psl::Type::Private),
        None => true,
    }
}

/// Without the list of public suffixes, only top-level domains are known.
#[cfg(not(feature = "public-suffix"))]
fn is_public_suffix(host: &str) -> bool {
    !host.contains('.')
}

/// The first common name of a server that is no copy of an alternative name and of which `wrong` holds.
fn strange_common_name(link: &Link<'_>, wrong: fn(&str, &[GeneralName]) -> bool) -> Option<String> {
    if !is_server_leaf(link) || link.certificate.is_ca() {
        return None;
    }
    let names = link.certificate.names();
    let subject = name::attributes(link.certificate.subject_raw()).ok()?;
    let mut common = subject
        .iter()
        .filter(|one| one.kind == name::COMMON_NAME)
        .map(|one| one.text());
    let found = common.find(|text| !names.iter().any(|name| is_copy(text, name)) && wrong(text, names))?;
    Some(name::printable(&found).into_owned())
}

/// Letter by letter; addresses in the text of RFC 5952, section 4 (which is Rust's).
fn is_copy(text: &str, name: &GeneralName) -> bool {
    match name {
        GeneralName::Dns(host) => **host == *text,
        GeneralName::Ip(address) => address.to_string() == text,
        _ => false,
    }
}

/// Other letter case, an internationalised host, an address not in its one right form.
fn common_name_form(link: &Link<'_>) -> Option<String> {
    strange_common_name(link, |text, names| {
        let same = |name: &GeneralName| matches!(name, GeneralName::Dns(host) if host.eq_ignore_ascii_case(text));
        let international = looks_like_host(text)
            && (!text.is_ascii()
                || text
                    .split('.')
                    .any(|label| label.to_ascii_lowercase().starts_with("xn--")));
        names.iter().any(same) || international || is_odd_address(text)
    })
}

fn common_name_in_names(link: &Link<'_>) -> Option<String> {
    strange_common_name(link, |text, _| looks_like_host(text))
}

/// Has the form of a host name or of an address.
fn looks_like_host(text: &str) -> bool {
    let spaced = text.is_empty() || text.contains(char::is_whitespace);
    !spaced && (text.contains('.') || text.contains(':') || is_odd_address(text))
}

/// An address that a resolver would read, in another text than its one right form: needless zeros,
/// capitals, hexadecimal or a single number.
fn is_odd_address(text: &str) -> bool {
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return address.to_string() != text;
    }
    if text.parse::<Ipv4Addr>().is_ok() {
        return false;
    }
    let number = |part: &str| {
        let hexadecimal = part.strip_prefix("0x").or_else(|| part.strip_prefix("0X"));
        match hexadecimal {
            Some(digits) => !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
            None => !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()),
        }
    };
    let parts = text.split('.').count();
    // one number below 16.0.0.0 is rather somebody's customer number
    (parts == 4 || (parts == 1 && (text.len() >= 9 || text.starts_with("0x")))) && text.split('.').all(number)
}

fn leaf_ca(link: &Link<'_>) -> Option<String> {
    (link.is_leaf() && link.certificate.is_ca()).then(|| String::from("basicConstraints cA TRUE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_right_form() {
        let odd = [
            "2001:DB8::1",
            "2001:0db8::1",
            "192.000.2.1",
            "0xC0.0x0.0x2.0x1",
            "0xC0000201",
            "3221225985",
        ];
        for odd in odd {
            assert!(is_odd_address(odd) && looks_like_host(odd), "{odd}");
        }
        for good in [
            "",
            "2001:db8::1",
            "192.0.2.1",
            "a.example",
            "Example Inc.",
            "12345678",
            "0x",
            "0xyz",
            "1.2",
        ] {
            assert!(!is_odd_address(good), "{good}");
        }
        assert!(looks_like_host("a.example") && looks_like_host("192.0.2.1"));
        assert!(!looks_like_host("Example Inc.") && !looks_like_host("x509-limbo-root"));
    }

    #[test]
    fn top_level_domains_are_public_suffixes() {
        assert!(is_public_suffix("com"));
        assert!(!is_public_suffix("example.com"));
    }

    #[cfg(feature = "public-suffix")]
    #[test]
    fn registries_suffixes_are_public_and_private_ones_are_not() {
        assert!(is_public_suffix("co.uk"));
        assert!(is_public_suffix("CO.UK"));
        assert!(!is_public_suffix("github.io"), "the owner of github.io may do so");
        assert!(!is_public_suffix("example.co.uk"));
    }
}

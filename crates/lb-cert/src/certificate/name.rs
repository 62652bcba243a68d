//! Names: of people and places (distinguished names) and of everything else (general names).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::tlv::{self, Reader, SEQUENCE, SET, Wrong, constructed, context};
use std::borrow::Cow;
use std::fmt;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One of the names of RFC 5280, section 4.2.1.6.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GeneralName {
    /// A host name; may begin with `*.`.
    Dns(Box<str>),
    /// An address.
    Ip(IpAddr),
    /// A mailbox, `name@host`.
    Email(Box<str>),
    /// A URI.
    Uri(Box<str>),
    /// A distinguished name, as DER (a SEQUENCE with its header).
    Directory(Box<[u8]>),
    /// A registered object identifier, dotted.
    RegisteredId(Box<str>),
    /// `otherName` of this type, dotted.
    Other(Box<str>),
    /// An X.400 address; not read further.
    X400,
    /// An EDI party name; not read further.
    EdiParty,
    /// Not what its tag says: letters outside ASCII, or an address of a wrong length.
    Invalid {
        /// The tag's number, as in RFC 5280: 1 email, 2 DNS, 6 URI, 7 address.
        tag: u8,
        /// The bytes found.
        bytes: Box<[u8]>,
    },
}

impl GeneralName {
    /// The number of the name's form in RFC 5280: 1 email, 2 DNS, 4 directory, 7 address.
    #[must_use]
    pub const fn form(&self) -> u8 {
        match self {
            Self::Other(_) => 0,
            Self::Email(_) => 1,
            Self::Dns(_) => 2,
            Self::X400 => 3,
            Self::Directory(_) => 4,
            Self::EdiParty => 5,
            Self::Uri(_) => 6,
            Self::Ip(_) => 7,
            Self::RegisteredId(_) => 8,
            Self::Invalid { tag, .. } => *tag,
        }
    }

    pub(crate) fn read(tlv: &tlv::Tlv<'_>) -> Result<Self, Wrong> {
        const OTHER: u8 = constructed(0);
        const EMAIL: u8 = context(1);
        const DNS: u8 = context(2);
        const X400: u8 = constructed(3);
        const DIRECTORY: u8 = constructed(4);
        const EDI: u8 = constructed(5);
        const URI: u8 = context(6);
        const IP: u8 = context(7);
        const REGISTERED: u8 = context(8);
        let invalid = |tag| Self::Invalid {
            tag,
            bytes: tlv.value.into(),
        };
        let text = |tag, make: fn(Box<str>) -> Self| match ascii(tlv.value) {
            Some(text) => make(text.into()),
            None => invalid(tag),
        };
        Ok(match tlv.id {
            OTHER => {
                let oid = Reader::new(tlv.value).expect(tlv::OID)?;
                Self::Other(tlv::dotted(oid.value).into())
            }
            EMAIL => text(1, Self::Email),
            DNS => text(2, Self::Dns),
            X400 => Self::X400,
            DIRECTORY => {
                tlv::only(tlv.value, SEQUENCE)?;
                Self::Directory(tlv.value.into())
            }
            EDI => Self::EdiParty,
            URI => text(6, Self::Uri),
            IP => match address(tlv.value) {
                Some(address) => Self::Ip(address),
                None => invalid(7),
            },
            REGISTERED => Self::RegisteredId(tlv::dotted(tlv.value).into()),
            _ => return Err("a name of an unknown form"),
        })
    }
}

impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) | Self::Email(name) | Self::Uri(name) => f.write_str(&printable(name)),
            Self::Ip(address) => address.fmt(f),
            Self::Directory(name) => f.write_str(&one_line(name)),
            Self::RegisteredId(oid) => write!(f, "registered id {oid}"),
            Self::Other(oid) => write!(f, "other name {oid}"),
            Self::X400 => f.write_str("X.400 address"),
            Self::EdiParty => f.write_str("EDI party name"),
            Self::Invalid { bytes, .. } => match std::str::from_utf8(bytes) {
                Ok(text) if !text.is_empty() => f.write_str(&printable(text)),
                _ => hex(f, bytes),
            },
        }
    }
}

impl fmt::Debug for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{self}", self.form())
    }
}

/// One attribute of a distinguished name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attribute<'a> {
    pub(crate) kind: &'a [u8],
    pub(crate) tag: u8,
    pub(crate) value: &'a [u8],
    /// Belongs to the same relative name as the attribute before it.
    pub(crate) joined: bool,
}

impl<'a> Attribute<'a> {
    /// UTF8String, NumericString, PrintableString, TeletexString, IA5String, UniversalString or BMPString.
    const fn is_text(&self) -> bool {
        matches!(self.tag, 0x0c | 0x12 | 0x13 | 0x14 | 0x16 | 0x1c | 0x1e)
    }

    pub(crate) fn text(&self) -> Cow<'a, str> {
        match self.tag {
            // BMPString: UTF-16, big end first
            0x1e => Cow::Owned(
                char::decode_utf16(self.value.chunks(2).map(|pair| match pair {
                    [high, low] => u16::from_be_bytes([*high, *low]),
                    _ => 0xfffd,
                }))
                .map(|letter| letter.unwrap_or('\u{fffd}'))
                .collect(),
            ),
            _ => String::from_utf8_lossy(self.value),
        }
    }
}

/// The attributes of a distinguished name (DER, with header), in order.
///
/// # Errors
///
/// What is not as RFC 5280, section 4.1.2.4 says.
pub(crate) fn attributes(name: &[u8]) -> Result<Vec<Attribute<'_>>, Wrong> {
    let mut found = Vec::new();
    let mut sequence = Reader::new(tlv::only(name, SEQUENCE)?);
    while !sequence.is_empty() {
        let mut set = Reader::new(sequence.expect(SET)?.value);
        let mut joined = false;
        while !set.is_empty() {
            let mut pair = Reader::new(set.expect(SEQUENCE)?.value);
            let kind = pair.expect(tlv::OID)?.value;
            let value = pair.any()?;
            pair.end()?;
            if found.len() >= MOST_ATTRIBUTES {
                return Err("more than 256 attributes in a name");
            }
            found.push(Attribute {
                kind,
                tag: value.id,
                value: value.value,
                joined,
            });
            joined = true;
        }
        if !joined {
            return Err("an empty relative name");
        }
    }
    Ok(found)
}

/// More attributes than this are refused; the longest names in use have about twenty.
const MOST_ATTRIBUTES: usize = 256;

/// The value of the last common name, as browsers show it.
pub(crate) fn common_name(name: &[u8]) -> Option<Cow<'_, str>> {
    attributes(name)
        .ok()?
        .iter()
        .rev()
        .find(|attribute| attribute.kind == COMMON_NAME)
        .map(Attribute::text)
}

pub(crate) const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
pub(crate) const EMAIL_ADDRESS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01];

/// A name on one line: `C=DE, O=Example, CN=www.example.com`.
pub(crate) fn one_line(name: &[u8]) -> String {
    let Ok(attributes) = attributes(name) else {
        return String::from("(unreadable name)");
    };
    if attributes.is_empty() {
        return String::from("(empty name)");
    }
    let mut line = String::new();
    for attribute in &attributes {
        if !line.is_empty() {
            line.push_str(if attribute.joined { " + " } else { ", " });
        }
        match short(attribute.kind) {
            Some(kind) => line.push_str(kind),
            None => line.push_str(&tlv::dotted(attribute.kind)),
        }
        line.push('=');
        for letter in printable(&attribute.text()).chars() {
            if matches!(letter, ',' | '+' | '\\' | '"' | ';') {
                line.push('\\');
            }
            line.push(letter);
        }
    }
    line
}

/// Compares two names as RFC 5280, section 7.1 says: letter case and runs of spaces do not count
/// for the string types, everything else byte for byte. Names equal in their bytes cost nothing.
pub(crate) fn same(one: &[u8], other: &[u8]) -> bool {
    if one == other {
        return true;
    }
    let (Ok(one), Ok(other)) = (attributes(one), attributes(other)) else {
        return false;
    };
    one.len() == other.len() && begins_with(&one, &other)
}

/// Compares two names as OpenSSL does: letter case counts outside ASCII.
pub(crate) fn same_for_openssl(one: &[u8], other: &[u8]) -> bool {
    if one == other {
        return true;
    }
    let (Ok(one), Ok(other)) = (attributes(one), attributes(other)) else {
        return false;
    };
    let same_value = |one: &Attribute<'_>, other: &Attribute<'_>| {
        if !(one.is_text() && other.is_text()) || one.tag == NUMERIC || other.tag == NUMERIC {
            return one.tag == other.tag && one.value == other.value;
        }
        let (one, other) = (one.text(), other.text());
        let is_blank = |letter: char| matches!(letter, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r');
        let (one, other) = (one.split(is_blank), other.split(is_blank));
        let (one, other) = (
            one.filter(|word| !word.is_empty()),
            other.filter(|word| !word.is_empty()),
        );
        one.map(str::to_ascii_lowercase).eq(other.map(str::to_ascii_lowercase))
    };
    one.len() == other.len()
        && one
            .iter()
            .zip(&other)
            .all(|(one, other)| one.joined == other.joined && one.kind == other.kind && same_value(one, other))
}

/// NumericString.
const NUMERIC: u8 = 0x12;

/// A form of the name that is equal for names that are the same. An unreadable name is only like itself.
pub(crate) fn canonical(name: &[u8]) -> Vec<u8> {
    let Ok(attributes) = attributes(name) else {
        return name.to_vec();
    };
    let mut form = Vec::with_capacity(name.len());
    let mut part = |bytes: &[u8]| {
        form.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        form.extend_from_slice(bytes);
    };
    for attribute in &attributes {
        part(&[u8::from(attribute.joined)]);
        part(attribute.kind);
        if attribute.is_text() {
            part(folded(&attribute.text()).as_bytes());
        } else {
            part(&[attribute.tag]);
            part(attribute.value);
        }
    }
    form
}

/// Are the first attributes of `name` those of `start`?
pub(crate) fn begins_with(name: &[Attribute<'_>], start: &[Attribute<'_>]) -> bool {
    name.len() >= start.len()
        // a relative name may not be cut in the middle
        && name.get(start.len()).is_none_or(|next| !next.joined)
        && name.iter().zip(start).all(|(one, other)| {
            one.joined == other.joined && one.kind == other.kind && same_value(one, other)
        })
}

fn same_value(one: &Attribute<'_>, other: &Attribute<'_>) -> bool {
    (one.tag == other.tag && one.value == other.value)
        || (one.is_text() && other.is_text() && same_text(&one.text(), &other.text()))
}

/// Equal but for letter case and runs of spaces. Allocates nothing: it is asked at every verification.
fn same_text(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.split_whitespace(), other.split_whitespace());
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) => {
                let lower = |letter: char| letter.to_lowercase();
                if !one.chars().flat_map(lower).eq(other.chars().flat_map(lower)) {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

fn folded(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !result.is_empty() {
            result.push(' ');
        }
        result.extend(word.chars().flat_map(char::to_lowercase));
    }
    result
}

fn short(kind: &[u8]) -> Option<&'static str> {
    Some(match kind {
        [0x55, 0x04, last] => match last {
            3 => "CN",
            4 => "SN",
            5 => "serialNumber",
            6 => "C",
            7 => "L",
            8 => "ST",
            9 => "street",
            10 => "O",
            11 => "OU",
            12 => "title",
            15 => "businessCategory",
            17 => "postalCode",
            42 => "GN",
            43 => "initials",
            46 => "dnQualifier",
            65 => "pseudonym",
            97 => "organizationIdentifier",
            _ => return None,
        },
        EMAIL_ADDRESS => "emailAddress",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19] => "DC",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01] => "UID",
        [0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x3c, 0x02, 0x01, 0x03] => "jurisdictionC",
        [0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x3c, 0x02, 0x01, 0x02] => "jurisdictionST",
        [0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x3c, 0x02, 0x01, 0x01] => "jurisdictionL",
        _ => return None,
    })
}

/// A text without control characters, so that a name cannot write to a terminal.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let bad = |letter: char| letter.is_control() || matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    for letter in text.chars() {
        if bad(letter) {
            let _ = write!(clean, "\\u{{{:x}}}", u32::from(letter));
        } else {
            clean.push(letter);
        }
    }
    Cow::Owned(clean)
}

fn ascii(bytes: &[u8]) -> Option<&str> {
    if bytes.is_ascii() {
        std::str::from_utf8(bytes).ok()
    } else {
        None
    }
}

/// Four or sixteen bytes.
pub(crate) fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::V4(Ipv4Addr::from(four)));
    }
    <[u8; 16]>::try_from(bytes)
        .ok()
        .map(|sixteen| IpAddr::V6(Ipv6Addr::from(sixteen)))
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    /// CN=Test, as UTF8String or PrintableString
    fn name(tag: u8, text: &str) -> Vec<u8> {
        let length = u8::try_from(text.len()).expect("short");
        let mut bytes = vec![0x30, length + 11, 0x31, length + 9, 0x30, length + 7];
        bytes.extend([0x06, 0x03, 0x55, 0x04, 0x03, tag, length]);
        bytes.extend(text.as_bytes());
        bytes
    }

    #[test]
    fn names_are_compared_without_case_and_runs_of_spaces() {
        assert!(same(&name(0x0c, "Test CA"), &name(0x13, "test  ca ")));
        assert!(!same(&name(0x0c, "Test CA"), &name(0x0c, "TestCA")));
        assert!(same(&[0x30, 0], &[0x30, 0]));
        assert!(!same(&[0x30, 0], &name(0x0c, "x")));
    }

    #[test]
    fn a_name_is_one_line_and_cannot_move_the_cursor() {
        assert_eq!(one_line(&name(0x0c, "a, b")), "CN=a\\, b");
        assert_eq!(one_line(&name(0x0c, "a\u{1b}[2J")), "CN=a\\\\u{1b}[2J");
        assert_eq!(one_line(&[0x30, 0]), "(empty name)");
        assert_eq!(one_line(&[0x31, 0]), "(unreadable name)");
        assert_eq!(common_name(&name(0x13, "x.example")).as_deref(), Some("x.example"));
    }
}

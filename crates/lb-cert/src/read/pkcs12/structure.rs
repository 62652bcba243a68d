//! What shows of a PKCS#12 without a password, and what is inside when a part is open.

use std::borrow::Cow;

use asn1_rs::Any;
use der::zeroize::Zeroizing;

use super::WHAT;
use crate::Command;
use crate::read::encryption::Scheme;
use crate::read::encryption::mac::Mac;
use crate::read::{Problem, ber, shape};

/// PFX, RFC 7292, section 4.
pub(super) struct Container {
    pub(super) mac: Option<Mac>,
    /// What the MAC covers: the octets of the AuthenticatedSafe, pieces joined.
    pub(super) content: Vec<u8>,
    pub(super) parts: Vec<Part>,
}

/// One ContentInfo of the AuthenticatedSafe.
pub(super) enum Part {
    Clear(Vec<Bag>),
    Encrypted(Encrypted),
}

/// Something encrypted by a password.
pub(super) struct Encrypted {
    pub(super) scheme: Scheme,
    pub(super) data: Vec<u8>,
}

/// SafeBag, RFC 7292, section 4.2. Attributes (names, numbers that tie keys to certificates) are of no use here.
pub(super) enum Bag {
    Certificate(Vec<u8>),
    Crl(Vec<u8>),
    Key(Zeroizing<Vec<u8>>),
    Shrouded(Encrypted),
    Skipped(&'static str),
}

impl Container {
    pub(super) fn read(whole: &[u8], depth: u32, command: Command) -> Result<Self, Problem> {
        let broken = |part: &[u8], why: &str| {
            let offset = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
            Problem::Broken {
                what: WHAT,
                offset: offset.min(whole.len()),
                why: why.into(),
            }
        };
        unbroken(whole, depth, WHAT)?;
        let fields = ber::sequence_of_whole(whole).ok_or_else(|| broken(whole, "no sequence"))?;
        let [version, safe, mac @ ..] = fields.as_slice() else {
            return Err(broken(whole, "a field is missing"));
        };
        if ber::number(version) != Some(3) || mac.len() > 1 {
            return Err(broken(version.data, "this is no PKCS#12 of version 3"));
        }
        let (kind, content) = content_info(safe).ok_or_else(|| broken(safe.data, "no AuthenticatedSafe"))?;
        if kind != DATA {
            return Err(Problem::UnknownScheme {
                what: WHAT,
                scheme: "a signature instead of a password (public-key integrity)".into(),
            });
        }
        let content = ber::octets(&content).ok_or_else(|| broken(safe.data, "no octet string"))?;
        let mac = mac.first().map(Mac::read).transpose();
        let mac = mac.map_err(|error| error.problem(WHAT, command))?;
        let parts = parts(&content, depth, command)?;
        Ok(Self {
            mac,
            content: content.into_owned(),
            parts,
        })
    }
}

/// AuthenticatedSafe, RFC 7292, section 4.1.
fn parts(content: &[u8], depth: u32, command: Command) -> Result<Vec<Part>, Problem> {
    unbroken(content, depth, CONTENTS)?;
    let wrong = |why: &str| inside(CONTENTS, why);
    let mut parts = Vec::new();
    for part in sequence(content, "parts of a PKCS#12").unwrap_or_else(|| Err(wrong("no AuthenticatedSafe")))? {
        let (kind, content) = content_info(&part).ok_or_else(|| wrong("a part of the safe is broken"))?;
        parts.push(match kind.as_str() {
            DATA => {
                let octets = ber::octets(&content).ok_or_else(|| wrong("no octet string"))?;
                Part::Clear(bags(&octets, depth, command)?)
            }
            ENCRYPTED => Part::Encrypted(encrypted_data(&content, command)?),
            _ => {
                return Err(Problem::UnknownScheme {
                    what: WHAT,
                    scheme: "encryption for a recipient's key instead of a password".into(),
                });
            }
        });
    }
    Ok(parts)
}

/// EncryptedData, RFC 5652, section 8: version, EncryptedContentInfo.
fn encrypted_data(item: &Any<'_>, command: Command) -> Result<Encrypted, Problem> {
    let read = || {
        let items = ber::sequence(item)?;
        let info = ber::sequence(items.get(1)?)?;
        let data = ber::implicit_octets(info.get(2)?, 0)?.into_owned();
        Some((info, data))
    };
    let (info, data) = read().ok_or_else(|| inside(CONTENTS, "an encrypted part is broken"))?;
    let algorithm = info
        .get(1)
        .ok_or_else(|| inside(CONTENTS, "an encrypted part is broken"))?;
    encrypted(algorithm, data, command)
}

fn encrypted(algorithm: &Any<'_>, data: Vec<u8>, command: Command) -> Result<Encrypted, Problem> {
    let scheme = Scheme::read(algorithm).map_err(|error| error.problem(WHAT, command))?;
    if scheme.fits(data.len()) {
        Ok(Encrypted { scheme, data })
    } else {
        Err(inside(
            CONTENTS,
            "an encrypted part has a length that its cipher never makes",
        ))
    }
}

/// SafeContents, RFC 7292, section 4.2, nested ones unfolded. `bytes` were perhaps decrypted just now.
pub(super) fn bags(bytes: &[u8], depth: u32, command: Command) -> Result<Vec<Bag>, Problem> {
    let mut found = Vec::new();
    let mut open = vec![(Cow::Borrowed(bytes), depth)];
    while let Some((bytes, depth)) = open.pop() {
        unbroken(&bytes, depth, CONTENTS)?;
        let wrong = || inside(CONTENTS, "a bag is broken");
        for bag in sequence(&bytes, "bags in a part of a PKCS#12").unwrap_or_else(|| Err(wrong()))? {
            let fields = ber::sequence(&bag).ok_or_else(wrong)?;
            let [kind, value, ..] = fields.as_slice() else {
                return Err(wrong());
            };
            let kind = ber::oid(kind).ok_or_else(wrong)?;
            let value = ber::explicit(value, 0).ok_or_else(wrong)?;
            if kind == SAFE_CONTENTS {
                let depth = depth.checked_sub(1).ok_or_else(wrong)?;
                open.push((Cow::Owned(ber::to_der(&value).ok_or_else(wrong)?), depth));
            } else {
                found.push(one(&kind, &value, command)?.ok_or_else(wrong)?);
            }
        }
    }
    Ok(found)
}

/// A bag that is no bag of bags; `None` when it is not well-formed.
fn one(kind: &str, value: &Any<'_>, command: Command) -> Result<Option<Bag>, Problem> {
    // CertBag and CRLBag: a type and, in [0], an octet string.
    let typed = |wanted: &str| -> Option<Option<Vec<u8>>> {
        let fields = ber::sequence(value)?;
        let [kind, content] = fields.as_slice() else {
            return None;
        };
        if ber::oid(kind)? != wanted {
            return Some(None);
        }
        let content = ber::explicit(content, 0)?;
        Some(Some(ber::octets(&content)?.into_owned()))
    };
    Ok(match kind {
        KEY => ber::to_der(value).map(|der| Bag::Key(Zeroizing::new(der))),
        SHROUDED_KEY => {
            let fields = ber::sequence(value);
            let Some([algorithm, data]) = fields.as_deref() else {
                return Ok(None);
            };
            let Some(data) = ber::octets(data) else { return Ok(None) };
            Some(Bag::Shrouded(encrypted(algorithm, data.into_owned(), command)?))
        }
        CERTIFICATE => typed(X509_CERTIFICATE)
            .map(|found| found.map_or(Bag::Skipped("a certificate of another format"), Bag::Certificate)),
        CRL => typed(X509_CRL).map(|found| found.map_or(Bag::Skipped("a revocation list of another format"), Bag::Crl)),
        SECRET => Some(Bag::Skipped("a secret key")),
        _ => Some(Bag::Skipped("a bag of an unknown kind")),
    })
}

/// ContentInfo, RFC 5652, section 3: its type and what stands in [0].
fn content_info<'a>(item: &Any<'a>) -> Option<(String, Any<'a>)> {
    let fields = ber::sequence(item)?;
    let [kind, content] = fields.as_slice() else {
        return None;
    };
    Some((ber::oid(kind)?, ber::explicit(content, 0)?))
}

/// The elements of a sequence of `what`, or that they are too many; `None` when it is no sequence.
fn sequence<'a>(bytes: &'a [u8], what: &'static str) -> Option<Result<Vec<Any<'a>>, Problem>> {
    let too_many = || Problem::Limit {
        what,
        limit: ber::MOST_ELEMENTS as u64,
    };
    let elements = ber::sequence_of_whole(bytes).map(Ok);
    elements.or_else(|| ber::has_too_many(bytes).then(|| Err(too_many())))
}

/// Whether every element ends where the one around it says.
fn unbroken(bytes: &[u8], depth: u32, what: &'static str) -> Result<(), Problem> {
    match shape::first_break(bytes, depth) {
        Some((offset, why)) => Err(Problem::Broken {
            what,
            offset,
            why: why.into(),
        }),
        None => Ok(()),
    }
}

fn inside(what: &'static str, why: &str) -> Problem {
    Problem::Broken {
        what,
        offset: 0,
        why: why.into(),
    }
}

const CONTENTS: &str = "what the PKCS#12 holds";

const DATA: &str = "1.2.840.113549.1.7.1";
const ENCRYPTED: &str = "1.2.840.113549.1.7.6";
const KEY: &str = "1.2.840.113549.1.12.10.1.1";
const SHROUDED_KEY: &str = "1.2.840.113549.1.12.10.1.2";
const CERTIFICATE: &str = "1.2.840.113549.1.12.10.1.3";
const CRL: &str = "1.2.840.113549.1.12.10.1.4";
const SECRET: &str = "1.2.840.113549.1.12.10.1.5";
const SAFE_CONTENTS: &str = "1.2.840.113549.1.12.10.1.6";
const X509_CERTIFICATE: &str = "1.2.840.113549.1.9.22.1";
const X509_CRL: &str = "1.2.840.113549.1.9.23.1";

//! The names and the cost of password encryption, read from its AlgorithmIdentifier before any work is done.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use asn1_rs::{Any, FromBer, Tag};

use super::{Limits, Problem};

/// An encryption scheme: its name, what it costs and whether a library of ours has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scheme {
    /// `PBES2 (AES-256-CBC, HMAC-SHA-256)`, `RC4-128 (PKCS#12)`.
    pub(crate) name: String,
    /// Whether the `pkcs8` crate decrypts it.
    pub(crate) in_keys: bool,
    /// Whether `p12-keystore` decrypts it.
    pub(crate) in_pkcs12: bool,
    cost: Cost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cost {
    Unknown,
    Iterations(u64),
    /// N * r * p.
    Scrypt(u64),
}

impl Scheme {
    /// Reads the content of an AlgorithmIdentifier (RFC 5280, section 4.1.1.2); `None` when it is none.
    pub(crate) fn read(content: &[u8]) -> Option<Self> {
        let (oid, parameters) = algorithm(content)?;
        if oid == PBES2 {
            return pbes2(parameters?);
        }
        let known = PBE.iter().find(|(known, ..)| *known == oid);
        let name = known.map_or_else(|| format!("the algorithm {oid}"), |(_, name, _)| (*name).to_owned());
        let cost = parameters
            .and_then(|parameters| elements(parameters.data))
            .and_then(|items| items.get(1).and_then(number))
            .map_or(Cost::Unknown, Cost::Iterations);
        let in_pkcs12 = known.is_some_and(|(_, _, supported)| *supported);
        Some(Self {
            name,
            in_keys: false,
            in_pkcs12,
            cost,
        })
    }

    /// How many iterations it asks for; those of scrypt are its N times r times p, in the limit's own measure.
    ///
    /// # Errors
    ///
    /// [`Problem::Limit`] when that is more than is allowed.
    pub(crate) fn iterations(&self, limits: &Limits) -> Result<u64, Problem> {
        match self.cost {
            Cost::Unknown => Ok(0),
            Cost::Iterations(count) if count <= u64::from(limits.iterations) => Ok(count),
            Cost::Iterations(_) => Err(Problem::Limit {
                what: "iterations of a key derivation",
                limit: u64::from(limits.iterations),
            }),
            Cost::Scrypt(work) if work <= limits.scrypt_work => Ok(0),
            Cost::Scrypt(_) => Err(Problem::Limit {
                what: "units of scrypt (N * r * p)",
                limit: limits.scrypt_work,
            }),
        }
    }
}

/// RFC 8018, appendix A.4: key derivation and cipher.
fn pbes2(parameters: Any<'_>) -> Option<Scheme> {
    let parts = elements(parameters.data)?;
    let (kdf, kdf_parameters) = algorithm(parts.first()?.data)?;
    let (cipher, _) = algorithm(parts.get(1)?.data)?;
    let kdf_items = elements(kdf_parameters?.data)?;
    let salt = kdf_items.first()?.data.len();
    let (derivation, cost, known) = match kdf.as_str() {
        PBKDF2 => {
            // Without a named function it is HMAC-SHA-1 (RFC 8018, appendix A.2).
            let function = kdf_items.iter().skip(2).find(|item| item.header.tag() == Tag::Sequence);
            let function = match function {
                Some(item) => algorithm(item.data)?.0,
                None => HMAC_SHA1.to_owned(),
            };
            let (name, known) = name(&FUNCTIONS, &function);
            (name, Cost::Iterations(kdf_items.get(1).and_then(number)?), known)
        }
        SCRYPT => {
            let factor = |index| kdf_items.get(index).and_then(number);
            let work = factor(1)?.saturating_mul(factor(2)?).saturating_mul(factor(3)?);
            ("scrypt".to_owned(), Cost::Scrypt(work), true)
        }
        other => (format!("the key derivation {other}"), Cost::Unknown, false),
    };
    let (cipher, known_cipher) = name(&CIPHERS, &cipher);
    let supported = known && known_cipher && salt <= LONGEST_SALT;
    let salted = if salt > LONGEST_SALT {
        format!(", a salt of {salt} bytes")
    } else {
        String::new()
    };
    Some(Scheme {
        name: format!("PBES2 ({cipher}, {derivation}{salted})"),
        in_keys: supported,
        in_pkcs12: supported,
        cost,
    })
}

/// Object identifier and parameters.
fn algorithm(content: &[u8]) -> Option<(String, Option<Any<'_>>)> {
    let items = elements(content)?;
    let oid = items.first()?.as_oid().ok()?.to_id_string();
    Some((oid, items.into_iter().nth(1)))
}

/// The elements of a constructed value; `None` when one is broken or there are too many.
pub(super) fn elements(mut content: &[u8]) -> Option<Vec<Any<'_>>> {
    let mut items = Vec::new();
    while !content.is_empty() && items.len() < MOST_ELEMENTS {
        let (rest, item) = Any::from_ber(content).ok()?;
        items.push(item);
        content = rest;
    }
    content.is_empty().then_some(items)
}

fn number(item: &Any<'_>) -> Option<u64> {
    (item.header.tag() == Tag::Integer)
        .then(|| item.as_u64().ok())
        .flatten()
}

fn name(table: &[(&str, &str, bool)], oid: &str) -> (String, bool) {
    table.iter().find(|(known, ..)| *known == oid).map_or_else(
        || (oid.to_owned(), false),
        |(_, name, known)| ((*name).to_owned(), *known),
    )
}

/// A PKCS#12 of that many bags is no key store of a server.
const MOST_ELEMENTS: usize = 20_000;
/// What the pbkdf2 parameters of the `pkcs5` crate hold.
const LONGEST_SALT: usize = 32;

const PBES2: &str = "1.2.840.113549.1.5.13";
const PBKDF2: &str = "1.2.840.113549.1.5.12";
const SCRYPT: &str = "1.3.6.1.4.1.11591.4.11";
const HMAC_SHA1: &str = "1.2.840.113549.2.7";

/// RFC 8018, appendix A.3 and RFC 7292, appendix C; whether `p12-keystore` has it.
const PBE: [(&str, &str, bool); 12] = [
    ("1.2.840.113549.1.5.1", "PBES1 (MD2, DES)", false),
    ("1.2.840.113549.1.5.3", "PBES1 (MD5, DES)", false),
    ("1.2.840.113549.1.5.4", "PBES1 (MD2, RC2-64)", false),
    ("1.2.840.113549.1.5.6", "PBES1 (MD5, RC2-64)", false),
    ("1.2.840.113549.1.5.10", "PBES1 (SHA-1, DES)", false),
    ("1.2.840.113549.1.5.11", "PBES1 (SHA-1, RC2-64)", false),
    ("1.2.840.113549.1.12.1.1", "RC4-128 (PKCS#12, SHA-1)", false),
    ("1.2.840.113549.1.12.1.2", "RC4-40 (PKCS#12, SHA-1)", false),
    ("1.2.840.113549.1.12.1.3", "3DES (PKCS#12, SHA-1)", true),
    ("1.2.840.113549.1.12.1.4", "3DES with two keys (PKCS#12, SHA-1)", false),
    ("1.2.840.113549.1.12.1.5", "RC2-128 (PKCS#12, SHA-1)", false),
    ("1.2.840.113549.1.12.1.6", "RC2-40 (PKCS#12, SHA-1)", true),
];

/// Ciphers of PBES2; whether the `pkcs5` crate has them.
const CIPHERS: [(&str, &str, bool); 15] = [
    ("2.16.840.1.101.3.4.1.2", "AES-128-CBC", true),
    ("2.16.840.1.101.3.4.1.22", "AES-192-CBC", true),
    ("2.16.840.1.101.3.4.1.42", "AES-256-CBC", true),
    ("2.16.840.1.101.3.4.1.6", "AES-128-GCM", true),
    ("2.16.840.1.101.3.4.1.46", "AES-256-GCM", true),
    ("1.2.840.113549.3.7", "3DES", true),
    ("1.3.14.3.2.7", "DES", false),
    ("1.2.840.113549.3.2", "RC2", false),
    ("1.2.840.113549.3.4", "RC4", false),
    ("1.3.6.1.4.1.3029.1.2", "Blowfish", false),
    ("1.2.392.200011.61.1.1.1.2", "Camellia-128", false),
    ("1.2.392.200011.61.1.1.1.4", "Camellia-256", false),
    ("1.2.410.200046.1.1.2", "ARIA-128", false),
    ("1.2.410.200046.1.1.12", "ARIA-256", false),
    ("1.2.410.200004.1.4", "SEED", false),
];

/// Pseudo-random functions of PBKDF2; whether the `pkcs5` crate has them.
const FUNCTIONS: [(&str, &str, bool); 8] = [
    (HMAC_SHA1, "HMAC-SHA-1", true),
    ("1.2.840.113549.2.8", "HMAC-SHA-224", true),
    ("1.2.840.113549.2.9", "HMAC-SHA-256", true),
    ("1.2.840.113549.2.10", "HMAC-SHA-384", true),
    ("1.2.840.113549.2.11", "HMAC-SHA-512", true),
    ("1.2.840.113549.2.6", "HMAC-MD5", false),
    ("1.2.840.113549.2.12", "HMAC-SHA-512/224", false),
    ("1.2.840.113549.2.13", "HMAC-SHA-512/256", false),
];

//! PKCS#12 (RFC 7292), decrypted by `p12-keystore`. Before that its visible part is walked: which schemes it uses
//! and what they cost.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use asn1_rs::{Any, FromBer, Length, Tag};
use p12_keystore::Pkcs12Archive;
use rustls_pki_types::CertificateDer;

use super::scheme::{Scheme, elements};
use super::{Contents, Limits, NoteKind, Problem, ReadError, ReadOptions, shape, structure};
use crate::{Place, PrivateKey};

pub(super) fn read(
    contents: &mut Contents,
    bytes: &[u8],
    place: &Place,
    options: &ReadOptions<'_>,
) -> Result<(), ReadError> {
    let at = |problem| ReadError {
        place: place.clone(),
        problem,
    };
    let limits = &options.limits;
    let whole = shape::one(bytes, WHAT).map_err(at)?;
    if whole.len() > limits.encrypted_bytes {
        return Err(at(Problem::Limit {
            what: "bytes of a PKCS#12",
            limit: limits.encrypted_bytes as u64,
        }));
    }
    if let Some((offset, why)) = shape::first_break(whole, limits.depth) {
        return Err(at(Problem::Broken {
            what: WHAT,
            offset,
            why: why.into(),
        }));
    }
    let told = |problem| at(for_text(problem, place));
    let outside = survey(whole, limits).map_err(told)?;
    let archive = open(whole, &outside, options).map_err(told)?;
    if !outside.mac {
        contents.note(place, NoteKind::NoMac);
    }
    let before = (contents.certificates.len(), contents.keys.len());
    let mut block = 0u32;
    let mut next = || {
        block = block.saturating_add(1);
        // In PEM the block of the armour stands.
        if place.line.is_some() {
            place.clone()
        } else {
            Place { block, ..place.clone() }
        }
    };
    for bag in archive.certs {
        let place = next();
        let der = bag.cert.as_der();
        structure::certificate(der, limits.depth).map_err(|problem| ReadError {
            place: place.clone(),
            problem,
        })?;
        contents.add_certificate(CertificateDer::from(der.to_vec()), &place, limits)?;
    }
    for bag in archive.keys {
        let place = next();
        let refuse = |problem| ReadError {
            place: place.clone(),
            problem,
        };
        let key = PrivateKey::from_der(bag.key.as_der()).map_err(|error| refuse(Problem::Key(error)))?;
        contents.add_key(key, &place, options)?;
    }
    let has_secrets = !archive.secrets.is_empty();
    for _ in archive.secrets {
        contents.note(&next(), NoteKind::Skipped { what: "a secret key" });
    }
    if before == (contents.certificates.len(), contents.keys.len()) {
        let found = if has_secrets {
            "a PKCS#12 with secret (symmetric) keys"
        } else {
            "a PKCS#12 without certificates and keys"
        };
        return Err(at(Problem::NothingOfUse { found: found.into() }));
    }
    Ok(())
}

/// The command for what stands in PEM or base64: openssl reads PKCS#12 in its binary form only.
fn for_text(problem: Problem, place: &Place) -> Problem {
    match problem {
        Problem::Scheme { what, scheme, command } if place.line.is_some() => Problem::Scheme {
            what,
            scheme,
            command: match command {
                COMMAND => TEXT_COMMAND,
                MAC_COMMAND => TEXT_MAC_COMMAND,
                other => other,
            },
        },
        other => other,
    }
}

/// Tries the passwords in their order and the empty one last.
fn open(whole: &[u8], outside: &Outside, options: &ReadOptions<'_>) -> Result<Pkcs12Archive, Problem> {
    let given = options.passwords.iter().map(|password| password.reveal());
    for password in given.chain([""]) {
        match Pkcs12Archive::from_pkcs12(whole, password) {
            Ok(archive) => return Ok(archive),
            // Inside an encrypted part the schemes show only now.
            Err(p12_keystore::error::Error::UnsupportedEncryptionScheme) => {
                return Err(Problem::Scheme {
                    what: WHAT,
                    scheme: "an old encryption inside".into(),
                    command: COMMAND,
                });
            }
            Err(p12_keystore::error::Error::X509Error(_)) if !outside.encrypted => {
                return Err(Problem::Broken {
                    what: WHAT,
                    offset: 0,
                    why: "a certificate inside is broken".into(),
                });
            }
            Err(p12_keystore::error::Error::InvalidPrivateKey) if !outside.encrypted => {
                return Err(Problem::Broken {
                    what: WHAT,
                    offset: 0,
                    why: "a private key inside is broken".into(),
                });
            }
            Err(_) => {}
        }
    }
    if !outside.encrypted && !outside.mac {
        return Err(Problem::Broken {
            what: WHAT,
            offset: 0,
            why: "a field is missing or not well-formed".into(),
        });
    }
    if options.passwords.is_empty() {
        return Err(Problem::PasswordNeeded { what: WHAT });
    }
    Err(Problem::WrongPassword {
        what: WHAT,
        tried: options.passwords.len(),
    })
}

/// What shows without a password.
struct Outside {
    mac: bool,
    encrypted: bool,
}

/// Walks what is not encrypted: every scheme must be one that the library has, and all derivations together may cost
/// [`MOST_DERIVATIONS`] times the limit of one.
fn survey(whole: &[u8], limits: &Limits) -> Result<Outside, Problem> {
    let broken = |part: &[u8], why: &str| {
        let offset = (part.as_ptr() as usize)
            .saturating_sub(whole.as_ptr() as usize)
            .min(whole.len());
        Problem::Broken {
            what: WHAT,
            offset,
            why: why.into(),
        }
    };
    let outer = Any::from_ber(whole).map_err(|_| broken(whole, "no sequence"))?.1;
    if outer.header.length() == Length::Indefinite {
        let scheme = "BER of indefinite length".into();
        return Err(Problem::Scheme {
            what: WHAT,
            scheme,
            command: COMMAND,
        });
    }
    let fields = elements(outer.data).ok_or_else(|| broken(outer.data, "a field is broken"))?;
    let [version, safe, mac @ ..] = fields.as_slice() else {
        return Err(broken(outer.data, "a field is missing"));
    };
    if version.data != [3] || mac.len() > 1 {
        return Err(broken(outer.data, "this is no PKCS#12 of version 3"));
    }
    let mut derivations = Derivations { limits, spent: 0 };
    if let [mac] = mac {
        derivations
            .mac(mac)
            .map_err(|why| why.unwrap_or_else(|| broken(mac.data, "the integrity check is no MacData")))?;
    }
    let mut found = Outside {
        mac: !mac.is_empty(),
        encrypted: false,
    };
    let safe = elements(safe.data).ok_or_else(|| broken(safe.data, "a field is broken"))?;
    let [kind, content] = safe.as_slice() else {
        return Err(broken(outer.data, "no AuthenticatedSafe"));
    };
    if kind.as_oid().map_or(true, |oid| oid.to_id_string() != DATA) {
        let scheme = "a signature instead of a password (public-key integrity)".into();
        return Err(Problem::Scheme {
            what: WHAT,
            scheme,
            command: "",
        });
    }
    let octets = octets(content).ok_or_else(|| broken(content.data, "no octet string"))?;
    let all = Any::from_ber(octets)
        .map_err(|_| broken(octets, "no AuthenticatedSafe"))?
        .1;
    for part in elements(all.data).ok_or_else(|| broken(all.data, "the AuthenticatedSafe is broken"))? {
        let wrong = |why| broken(part.data, why);
        let pair = elements(part.data).ok_or_else(|| wrong("a part of the safe is broken"))?;
        let [kind, content] = pair.as_slice() else {
            return Err(wrong("a part of the safe is broken"));
        };
        let kind = kind.as_oid().map(|oid| oid.to_id_string()).unwrap_or_default();
        match kind.as_str() {
            DATA => {
                let octets = self::octets(content).ok_or_else(|| wrong("no octet string"))?;
                found.encrypted |= derivations
                    .bags(octets)
                    .map_err(|why| why.unwrap_or_else(|| wrong("a bag is broken")))?;
            }
            ENCRYPTED => {
                found.encrypted = true;
                derivations
                    .encrypted(content)
                    .map_err(|why| why.unwrap_or_else(|| wrong("an encrypted part is broken")))?;
            }
            _ => {
                let scheme = "encryption for a recipient's key".into();
                return Err(Problem::Scheme {
                    what: WHAT,
                    scheme,
                    command: "",
                });
            }
        }
    }
    Ok(found)
}

/// The key derivations met so far. Errors without a problem mean: not well-formed here.
struct Derivations<'a> {
    limits: &'a Limits,
    spent: u64,
}

impl Derivations<'_> {
    fn spend(&mut self, iterations: u64) -> Result<(), Option<Problem>> {
        let most = u64::from(self.limits.iterations);
        let limit = |what, limit| Some(Problem::Limit { what, limit });
        if iterations > most {
            return Err(limit("iterations of a key derivation", most));
        }
        self.spent = self.spent.saturating_add(iterations);
        let all = most.saturating_mul(MOST_DERIVATIONS);
        if self.spent > all {
            Err(limit("iterations of all key derivations together", all))
        } else {
            Ok(())
        }
    }

    fn scheme(&mut self, algorithm: &Any<'_>) -> Result<(), Option<Problem>> {
        let scheme = Scheme::read(algorithm.data).ok_or(None)?;
        if !scheme.in_pkcs12 {
            return Err(Some(Problem::Scheme {
                what: WHAT,
                scheme: scheme.name,
                command: COMMAND,
            }));
        }
        let iterations = scheme.iterations(self.limits).map_err(Some)?;
        self.spend(iterations)
    }

    /// MacData: DigestInfo, salt, iterations (1 when absent).
    fn mac(&mut self, mac: &Any<'_>) -> Result<(), Option<Problem>> {
        let items = elements(mac.data).ok_or(None)?;
        let [digest, _salt, rest @ ..] = items.as_slice() else {
            return Err(None);
        };
        let iterations = match rest {
            [] => 1,
            [count] => count.as_u64().map_err(|_| None)?,
            _ => return Err(None),
        };
        let digest = elements(digest.data).ok_or(None)?;
        let algorithm = digest
            .first()
            .and_then(|algorithm| elements(algorithm.data))
            .ok_or(None)?;
        let oid = algorithm
            .first()
            .and_then(|oid| oid.as_oid().ok())
            .ok_or(None)?
            .to_id_string();
        // A digest has no parameters or NULL; the MAC does not protect them.
        let plain = match algorithm.get(1..) {
            Some([]) => true,
            Some([parameter]) => parameter.header.tag() == Tag::Null && parameter.data.is_empty(),
            _ => false,
        };
        if !plain && oid != PBMAC1 {
            return Err(None);
        }
        if !MAC_DIGESTS.contains(&oid.as_str()) {
            let scheme = if oid == PBMAC1 {
                "the MAC PBMAC1".into()
            } else {
                format!("a MAC with the digest {oid}")
            };
            return Err(Some(Problem::Scheme {
                what: WHAT,
                scheme,
                command: MAC_COMMAND,
            }));
        }
        self.spend(iterations)
    }

    /// EncryptedData in [0]: version, EncryptedContentInfo with its algorithm.
    fn encrypted(&mut self, explicit: &Any<'_>) -> Result<(), Option<Problem>> {
        let data = Any::from_ber(explicit.data).map_err(|_| None)?.1;
        let items = elements(data.data).ok_or(None)?;
        let info = items.get(1).and_then(|info| elements(info.data)).ok_or(None)?;
        self.scheme(info.get(1).ok_or(None)?)
    }

    /// SafeContents: whether a key among the bags is encrypted.
    fn bags(&mut self, octets: &[u8]) -> Result<bool, Option<Problem>> {
        let all = Any::from_ber(octets).map_err(|_| None)?.1;
        let mut encrypted = false;
        for bag in elements(all.data).ok_or(None)? {
            let items = elements(bag.data).ok_or(None)?;
            let [kind, value, ..] = items.as_slice() else {
                return Err(None);
            };
            let kind = kind.as_oid().map_err(|_| None)?.to_id_string();
            if kind == SHROUDED_KEY || kind == SECRET {
                encrypted = true;
                let mut info = Any::from_ber(value.data).map_err(|_| None)?.1;
                if kind == SECRET {
                    // SecretBag: type and, in [0], an octet string with an encrypted key.
                    let parts = elements(info.data).ok_or(None)?;
                    let Some(inner) = parts.get(1).and_then(|part| Any::from_ber(part.data).ok()) else {
                        continue;
                    };
                    let Ok((_, inner)) = Any::from_ber(inner.1.data) else {
                        continue;
                    };
                    info = inner;
                }
                let parts = elements(info.data).ok_or(None)?;
                self.scheme(parts.first().ok_or(None)?)?;
            }
        }
        Ok(encrypted)
    }
}

/// The octet string inside `[0] EXPLICIT`.
fn octets<'a>(explicit: &Any<'a>) -> Option<&'a [u8]> {
    let octets = Any::from_ber(explicit.data).ok()?.1;
    (octets.header.tag() == Tag::OctetString && octets.header.is_primitive()).then_some(octets.data)
}

const WHAT: &str = "the PKCS#12";
const COMMAND: &str = "openssl pkcs12 -legacy -in FILE -nodes -out out.pem";
const TEXT_COMMAND: &str = "sed -n 'LINE,/-----END/p' FILE | grep -v ^- | base64 -di > out.p12 && \
                            openssl pkcs12 -legacy -in out.p12 -nodes -out out.pem";
/// An openssl that does not know the integrity check (PBMAC1 before 3.4) opens the file without it.
const MAC_COMMAND: &str = "openssl pkcs12 -legacy -nomacver -in FILE -nodes -out out.pem";
const TEXT_MAC_COMMAND: &str = "sed -n 'LINE,/-----END/p' FILE | grep -v ^- | base64 -di > out.p12 && \
                                openssl pkcs12 -legacy -nomacver -in out.p12 -nodes -out out.pem";

/// MAC, certificates and two keys: as many derivations as a usual PKCS#12 has.
const MOST_DERIVATIONS: u64 = 4;

const DATA: &str = "1.2.840.113549.1.7.1";
const ENCRYPTED: &str = "1.2.840.113549.1.7.6";
const SHROUDED_KEY: &str = "1.2.840.113549.1.12.10.1.2";
const SECRET: &str = "1.2.840.113549.1.12.10.1.5";
/// RFC 9579; openssl writes it since 3.4 when asked.
const PBMAC1: &str = "1.2.840.113549.1.5.14";

/// SHA-1, SHA-224 to SHA-512 and the two truncated ones.
const MAC_DIGESTS: [&str; 7] = [
    "1.3.14.3.2.26",
    "2.16.840.1.101.3.4.2.4",
    "2.16.840.1.101.3.4.2.1",
    "2.16.840.1.101.3.4.2.2",
    "2.16.840.1.101.3.4.2.3",
    "2.16.840.1.101.3.4.2.5",
    "2.16.840.1.101.3.4.2.6",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Password;
    use p12_keystore::{KeyStore, KeyStoreEntry, PrivateKeyChain};

    /// A PKCS#12 with so many keys: its derivations are those of the MAC, of the certificates and of each key.
    fn with_keys(count: usize) -> Vec<u8> {
        let mut store = KeyStore::new();
        for index in 0..count {
            let pair = rcgen::KeyPair::generate().expect("a key");
            let made = rcgen::CertificateParams::new(vec![format!("{index}.example")]).expect("parameters");
            let made = made.self_signed(&pair).expect("a certificate");
            let key = p12_keystore::PrivateKey::from_der(&pair.serialize_der()).expect("PKCS#8");
            let chain = [p12_keystore::Certificate::from_der(made.der()).expect("a certificate")];
            let entry = PrivateKeyChain::new(vec![index as u8], key, chain);
            store.add_entry(&index.to_string(), KeyStoreEntry::PrivateKeyChain(entry));
        }
        store
            .writer("x")
            .encryption_iterations(1000)
            .mac_iterations(1000)
            .write()
            .expect("it can be written")
    }

    #[test]
    fn all_derivations_together_may_cost_four_times_the_limit_of_one() {
        let words = [Password::from("x")];
        let mut options = ReadOptions::with_passwords(&words);
        options.limits.iterations = 1000;
        let two = crate::read("two.p12", &with_keys(2), &options).expect("four derivations");
        assert_eq!((two.keys.len(), two.certificates.len()), (2, 2));
        let three = with_keys(3);
        let error = crate::read("three.p12", &three, &options).expect_err("five derivations");
        let what = "iterations of all key derivations together";
        assert_eq!(error.problem, Problem::Limit { what, limit: 4000 });
        options.limits.iterations = 1250;
        assert!(crate::read("three.p12", &three, &options).is_ok_and(|contents| contents.keys.len() == 3));
    }
}

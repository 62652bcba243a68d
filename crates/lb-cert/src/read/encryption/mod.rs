//! Encryption by a password: PBES1 and PBES2 (RFC 8018), the schemes of PKCS#12 (RFC 7292, appendix C) and of old PEM.
//! Here schemes are recognised and their parameters read; derivations and ciphers are kept libraries'.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod budget;
mod cipher;
mod digest;
mod legacy;
#[cfg(feature = "pkcs12")]
pub(crate) mod mac;
mod parameters;
mod password;
mod table;

use budget::ITERATIONS;
pub(crate) use budget::{Budget, Cost};

use asn1_rs::Any;
use cipher::Cipher;
use der::zeroize::Zeroizing;
use digest::{Digest, Use};

use super::{Password, Problem, ber};
use crate::Command;

/// An encryption that we open: how the key is derived, what decrypts.
#[derive(Clone, Debug)]
pub(crate) struct Scheme {
    derivation: Derivation,
    cipher: Cipher,
    /// Empty where it is derived.
    vector: Vec<u8>,
    /// Of GCM.
    tag_bytes: usize,
}

#[derive(Clone, Debug)]
enum Derivation {
    Pkcs12 {
        salt: Vec<u8>,
        iterations: u32,
    },
    Pbes1 {
        digest: Digest,
        salt: Vec<u8>,
        iterations: u32,
    },
    Pbkdf2 {
        function: Digest,
        salt: Vec<u8>,
        iterations: u32,
    },
    Scrypt {
        salt: Vec<u8>,
        parameters: scrypt::Params,
        work: u64,
    },
    Legacy {
        salt: Vec<u8>,
    },
}

/// Why an encryption is not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SchemeError {
    /// Its parameters are not well-formed.
    Broken(&'static str),
    /// No library of ours has it, openssl does: its name.
    Foreign(String),
    /// No library of ours has it, botan does: its name.
    Botan(String),
    /// Nobody here knows it: its name.
    Unknown(String),
    /// It asks for more than the limits of any caller: iterations.
    Cost(u64),
}

impl SchemeError {
    /// The problem with `what`; `command` converts it where openssl can.
    pub(crate) fn problem(self, what: &'static str, command: Command) -> Problem {
        match self {
            Self::Broken(why) => Problem::Broken {
                what,
                offset: 0,
                why: why.into(),
            },
            Self::Foreign(scheme) => Problem::Scheme {
                what,
                scheme,
                command: Some(command),
            },
            // Botan reads keys, no PKCS#12.
            Self::Botan(scheme) if command.is_for_pkcs8() => Problem::Scheme {
                what,
                scheme,
                command: Some(Command::PKCS8_BY_BOTAN),
            },
            Self::Botan(scheme) | Self::Unknown(scheme) => Problem::UnknownScheme { what, scheme },
            Self::Cost(needed) => Problem::Cost {
                what: ITERATIONS,
                needed,
                limit: MOST_ITERATIONS,
            },
        }
    }
}

impl Scheme {
    /// Reads an AlgorithmIdentifier (RFC 5280, section 4.1.1.2).
    pub(crate) fn read(algorithm: &Any<'_>) -> Result<Self, SchemeError> {
        let (oid, parameters) = ber::algorithm(algorithm).ok_or(SchemeError::Broken("its encryption is not named"))?;
        let parts = parameters.as_ref().and_then(ber::sequence);
        if oid == table::PBES2 {
            return parameters::pbes2(&parts.ok_or(NO_PARAMETERS)?);
        }
        let Some((_, name, kind, cipher)) = table::PBE.iter().find(|(known, ..)| *known == oid) else {
            return Err(SchemeError::Unknown(format!("the algorithm {oid}")));
        };
        // No program of today has MD2.
        let cipher = cipher.ok_or_else(|| match name.contains("MD2") {
            true => SchemeError::Unknown((*name).to_owned()),
            false => SchemeError::Foreign((*name).to_owned()),
        })?;
        let parts = parts.ok_or(NO_PARAMETERS)?;
        let [salt, count] = parts.as_slice() else {
            return Err(NO_PARAMETERS);
        };
        let salt = ber::octets(salt).ok_or(NO_PARAMETERS)?.into_owned();
        let iterations = iterations(count)?;
        Ok(Self {
            derivation: match *kind {
                table::Old::Pkcs12 => Derivation::Pkcs12 { salt, iterations },
                table::Old::Pbes1(digest) => Derivation::Pbes1 {
                    digest,
                    salt,
                    iterations,
                },
            },
            cipher,
            vector: Vec::new(),
            tag_bytes: 0,
        })
    }

    pub(crate) fn cost(&self) -> Cost {
        match &self.derivation {
            Derivation::Pkcs12 { iterations, .. }
            | Derivation::Pbes1 { iterations, .. }
            | Derivation::Pbkdf2 { iterations, .. } => Cost::Iterations(u64::from(*iterations)),
            Derivation::Scrypt { work, .. } => Cost::Scrypt(*work),
            Derivation::Legacy { .. } => Cost::Iterations(1),
        }
    }

    /// Whether something encrypted so can have this length, whatever the password.
    pub(crate) fn fits(&self, length: usize) -> bool {
        self.cipher.fits(length)
    }

    /// What each spelling of the password makes of `data` where the padding fits, and `accept` says whether that is it:
    /// a wrong password passes the padding once in 256 times.
    pub(crate) fn open<T>(
        &self,
        password: &Password,
        is_container: bool,
        data: &[u8],
        accept: impl Fn(&[u8]) -> Option<T>,
    ) -> Option<T> {
        let spellings = match &self.derivation {
            Derivation::Pkcs12 { .. } => password::wide(password),
            Derivation::Pbes1 { .. } | Derivation::Legacy { .. } => password::plain(password),
            Derivation::Pbkdf2 { .. } | Derivation::Scrypt { .. } => password::narrow(password, is_container),
        };
        spellings
            .iter()
            .find_map(|spelling| self.decrypt(spelling, data).and_then(|plain| accept(&plain)))
    }

    /// `data`, which is encrypted under `from`, encrypted under `to` with the same salt and vector. Only what is written
    /// here: PBES2 with AES-256-CBC.
    #[cfg(feature = "pkcs12")]
    pub(crate) fn relock(&self, from: &Password, to: &Password, data: &[u8]) -> Option<Vec<u8>> {
        if !matches!(self.derivation, Derivation::Pbkdf2 { .. }) {
            return None;
        }
        let plain = self.open(from, false, data, |plain| Some(Zeroizing::new(plain.to_vec())))?;
        let (key, vector) = self.key(to.bytes())?;
        self.cipher.encrypt(&key, &vector, &plain)
    }

    fn decrypt(&self, password: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (key, vector) = self.key(password)?;
        self.cipher.decrypt(&key, &vector, self.tag_bytes, data)
    }

    /// The key and the initialisation vector.
    fn key(&self, password: &[u8]) -> Option<(Zeroizing<Vec<u8>>, Vec<u8>)> {
        let length = self.cipher.key_bytes();
        Some(match &self.derivation {
            Derivation::Pkcs12 { salt, iterations } => {
                let derive = |purpose, length| Digest::Sha1.pkcs12(password, salt, *iterations, purpose, length);
                let vector = derive(Use::Vector, self.cipher.vector_bytes());
                (derive(Use::Encryption, length), vector.to_vec())
            }
            Derivation::Pbes1 {
                digest,
                salt,
                iterations,
            } => {
                let both = digest.pbkdf1(password, salt, *iterations);
                // The first eight bytes are the key, the next eight the vector (RFC 8018, section 6.1.1).
                let (key, rest) = both.split_at_checked(length)?;
                (Zeroizing::new(key.to_vec()), rest.get(..8)?.to_vec())
            }
            Derivation::Pbkdf2 {
                function,
                salt,
                iterations,
            } => (
                function.pbkdf2(password, salt, *iterations, length),
                self.vector.clone(),
            ),
            Derivation::Scrypt { salt, parameters, .. } => {
                let mut key = Zeroizing::new(vec![0; length]);
                scrypt::scrypt(password, salt, parameters, &mut key).ok()?;
                (key, self.vector.clone())
            }
            Derivation::Legacy { salt } => {
                let mut key = Zeroizing::new(Vec::with_capacity(length.saturating_add(16)));
                let mut last = Zeroizing::new(Vec::new());
                while key.len() < length {
                    last = Digest::Md5.of(&[&last, password, salt]);
                    key.extend_from_slice(&last);
                }
                key.truncate(length);
                (key, self.vector.clone())
            }
        })
    }
}

/// From 1 to the most that the libraries count.
fn iterations(item: &Any<'_>) -> Result<u32, SchemeError> {
    match ber::number(item) {
        None | Some(0) => Err(SchemeError::Broken("its number of iterations makes no sense")),
        Some(count) if count > MOST_ITERATIONS => Err(SchemeError::Cost(count)),
        Some(count) => Ok(u32::try_from(count).unwrap_or(u32::MAX)),
    }
}

const NO_PARAMETERS: SchemeError = SchemeError::Broken("its encryption parameters make no sense");

/// What the `pkcs12` crate counts to.
const MOST_ITERATIONS: u64 = i32::MAX as u64;

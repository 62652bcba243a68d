//! What the processes that open each other's tickets share.

use crate::Engine;
use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use std::fmt;

/// The secret from which the keys of tickets follow. Never printed.
pub struct TicketSecret(Prk);

/// Why something is no secret for tickets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TicketError {
    /// Too short to be one.
    #[error("the secret of session tickets has {found} bytes, fewer than 32: `openssl rand 48 > FILE` makes one")]
    TooShort {
        /// How many it has.
        found: usize,
    },
    /// All bytes are the same.
    #[error("the secret of session tickets is one byte repeated: `openssl rand 48 > FILE` makes one")]
    Monotonous,
    /// The system has no random bytes.
    #[error("the system gives no random bytes for the keys of session tickets")]
    NoRandom,
}

impl TicketSecret {
    /// From the content of a file that all processes have: at least 32 random bytes, taken as they are.
    ///
    /// Whoever has it can read what resumed sessions say; change it from time to time, in all processes.
    ///
    /// # Errors
    ///
    /// Fewer than 32 bytes, or one byte repeated.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TicketError> {
        if bytes.len() < 32 {
            return Err(TicketError::TooShort { found: bytes.len() });
        }
        let first = bytes.first();
        if bytes.iter().all(|byte| Some(byte) == first) {
            return Err(TicketError::Monotonous);
        }
        Ok(Self(Salt::new(HKDF_SHA256, LABEL).extract(bytes)))
    }

    /// A new one that no other process has: tickets end with this one.
    ///
    /// # Errors
    ///
    /// The system gives no random bytes.
    pub fn random(engine: &Engine) -> Result<Self, TicketError> {
        let mut bytes = [0; 48];
        let filled = engine.provider().secure_random.fill(&mut bytes);
        filled.map_err(|_| TicketError::NoRandom)?;
        Ok(Self(Salt::new(HKDF_SHA256, LABEL).extract(&bytes)))
    }

    /// The key of a period for a binding, and the name by which a ticket tells its key.
    pub(super) fn key(&self, binding: &[u8; 32], period: u64) -> Result<(LessSafeKey, [u8; 16]), Unspecified> {
        let period = period.to_be_bytes();
        let key: UnboundKey = self.0.expand(&[b"key", binding, &period], &AES_256_GCM)?.into();
        let mut name = [0; 16];
        self.0.expand(&[b"name", binding, &period], Name)?.fill(&mut name)?;
        Ok((LessSafeKey::new(key), name))
    }
}

impl fmt::Debug for TicketSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketSecret(..)")
    }
}

/// The length of a key's name.
struct Name;

impl KeyType for Name {
    fn len(&self) -> usize {
        16
    }
}

/// Tells these keys from any others that are made of the same bytes.
const LABEL: &[u8] = b"lb-tls session tickets, version 1";

//! What a caller can say about reading: passwords to try and limits.

use std::fmt;

use crate::Crypto;

/// What [`read`](crate::read) may use and how far it may go.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ReadOptions<'a> {
    /// Passwords to try on encrypted keys and on PKCS#12, in this order. The empty password is always tried on
    /// PKCS#12, last.
    pub passwords: &'a [Password],
    /// Bounds on size, number and work.
    pub limits: Limits,
    /// With it every key is tried: whether its numbers belong together and whether the public part that it states is
    /// its own. Without it (the default) only the structure is read.
    pub crypto: Option<&'a dyn Crypto>,
}

impl<'a> ReadOptions<'a> {
    /// These passwords and the default limits.
    pub fn with_passwords(passwords: &'a [Password]) -> Self {
        Self {
            passwords,
            ..Self::default()
        }
    }

    /// The same, and keys are tried with this cryptography.
    #[must_use]
    pub fn crypto(mut self, crypto: &'a dyn Crypto) -> Self {
        self.crypto = Some(crypto);
        self
    }

    /// The same with other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

/// Bounds on what is read. Each is the largest value that is still accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one source. Default 64 MiB: revocation lists of 5 MB exist, nothing above 50 MB is met.
    pub bytes: usize,
    /// Blocks of one PEM source. Default 10,000.
    pub blocks: usize,
    /// Certificates of one source, in whatever containers. Default 10,000: root stores hold some 150.
    pub certificates: usize,
    /// Bytes of a PKCS#12 or of an encrypted key. Default 4 MiB: each password costs a pass over them.
    pub encrypted_bytes: usize,
    /// Iterations of one key derivation (PBKDF2, PKCS#12), for one spelling of one password. Default 10,000,000, some seconds: openssl writes 2,048, Java
    /// 10,000, GnuTLS 600,000, Botan what takes 0.3 s, a million and more.
    pub iterations: u32,
    /// Key derivations of one source: one for each encrypted part and each encrypted key, one for an integrity check.
    /// Default 1,000: GnuTLS encrypts each certificate of a PKCS#12 for itself. What they may cost together follows from
    /// their number: [`total_iterations`](Self::total_iterations).
    pub derivations: u32,
    /// Work of one scrypt derivation: N times r times p. Default 2,097,152, which takes 256 MiB of memory; openssl
    /// writes 131,072, the `pkcs8` crate 1,048,576.
    pub scrypt_work: u64,
    /// Nesting depth of a DER or BER structure. Default 32: certificates need about 12.
    pub depth: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            blocks: 10_000,
            certificates: 10_000,
            encrypted_bytes: 4 << 20,
            iterations: 10_000_000,
            derivations: 1_000,
            scrypt_work: 1 << 21,
            depth: 32,
        }
    }
}

impl Limits {
    /// Iterations of so many key derivations of one source together, for one spelling of one password: each of the first
    /// ten may have as many as one may, each further one a tenth. A unit of scrypt counts as four.
    ///
    /// By default 30,000,000 for three (openssl: certificates, key, integrity), 293,000,000 for 203 (200 certificates of
    /// GnuTLS order 121,200,000) and never more than 1,090,000,000, that of 1,000: some ten minutes of one core.
    pub fn total_iterations(&self, derivations: u32) -> u64 {
        let one = u64::from(self.iterations).max(self.scrypt_work.saturating_mul(Self::ITERATIONS_OF_SCRYPT));
        let total = u128::from(one).saturating_mul(u128::from(Self::tenths(derivations))) / 10;
        u64::try_from(total).unwrap_or(u64::MAX)
    }

    /// The least limit of one derivation with which so many may cost so much together.
    pub(super) fn iterations_for(derivations: u32, needed: u64) -> u64 {
        let tenths = Self::tenths(derivations).max(1);
        let one = u128::from(needed).saturating_mul(10).div_ceil(u128::from(tenths));
        u64::try_from(one).unwrap_or(u64::MAX)
    }

    /// For how many tenths of a derivation so many count.
    fn tenths(derivations: u32) -> u64 {
        let whole = u64::from(derivations).min(10);
        u64::from(derivations).saturating_add(whole.saturating_mul(9))
    }

    /// A unit of scrypt takes about as long as so many iterations of PBKDF2 with SHA-256.
    pub(super) const ITERATIONS_OF_SCRYPT: u64 = 4;
}

/// A password: never printed, overwritten when dropped.
///
/// It is text (UTF-8) where it can be. PKCS#12 takes the characters, PBKDF2 and the schemes of old take the bytes; other
/// bytes than UTF-8 count as Latin-1 where characters are needed. The spellings of programs that do otherwise are tried too.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Vec<u8>);

impl Password {
    /// Takes the password as it is, text or bytes: a line end belongs to it. Strip it where a file or prompt added one.
    pub fn new(password: impl Into<Vec<u8>>) -> Self {
        Self(password.into())
    }

    /// The password itself, for whoever must pass it on; `None` when it is not UTF-8.
    pub fn reveal(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Password {
    fn from(password: &str) -> Self {
        Self::new(password)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0);
        bytes.fill(0);
        // Without this the compiler may leave out a write that nobody reads.
        std::hint::black_box(&bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_derivations_cost_together_follows_from_their_number() {
        let limits = Limits::default();
        for (derivations, total) in [
            (0, 0),
            (1, 10_000_000),
            (3, 30_000_000),
            (10, 100_000_000),
            (11, 101_000_000),
            (203, 293_000_000),
            (1_000, 1_090_000_000),
        ] {
            assert_eq!(limits.total_iterations(derivations), total, "{derivations}");
            if derivations > 0 {
                assert_eq!(Limits::iterations_for(derivations, total), 10_000_000, "{derivations}");
                assert_eq!(
                    Limits::iterations_for(derivations, total + 1),
                    10_000_001,
                    "{derivations}"
                );
            }
        }
    }

    #[test]
    fn a_password_is_never_printed() {
        let options = [Password::new("tiger")];
        assert!(!format!("{:?}", ReadOptions::with_passwords(&options)).contains("tiger"));
    }
}

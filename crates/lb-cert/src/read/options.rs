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
    /// Iterations of one key derivation (PBKDF2, PKCS#12). Default 10,000,000, some seconds: openssl writes 2,048, Java
    /// 10,000, GnuTLS 600,000, Botan what takes 0.3 s, a million and more.
    pub iterations: u32,
    /// Iterations of all key derivations of one PKCS#12 together, for one password. Default 100,000,000: GnuTLS derives a
    /// key of its own, with 600,000 iterations, for each certificate. A unit of scrypt counts as four.
    pub total_iterations: u64,
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
            total_iterations: 100_000_000,
            scrypt_work: 1 << 21,
            depth: 32,
        }
    }
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
    fn a_password_is_never_printed() {
        let options = [Password::new("tiger")];
        assert!(!format!("{:?}", ReadOptions::with_passwords(&options)).contains("tiger"));
    }
}

//! The identifiers of password encryption: what we open, and what we only name.

use super::cipher::Cipher;
use super::digest::Digest;

pub(super) const PBES2: &str = "1.2.840.113549.1.5.13";
pub(super) const PBKDF2: &str = "1.2.840.113549.1.5.12";
pub(super) const SCRYPT: &str = "1.3.6.1.4.1.11591.4.11";
/// RFC 9579; openssl writes it since 3.4 when asked, others by default.
#[cfg(feature = "pkcs12")]
pub(super) const PBMAC1: &str = "1.2.840.113549.1.5.14";

/// How a scheme of old makes key and initialisation vector out of the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Old {
    /// RFC 7292, appendix B.
    Pkcs12,
    /// PBKDF1 of RFC 8018, section 5.1, with this digest.
    Pbes1(Digest),
}

/// RFC 7292, appendix C and RFC 8018, appendix A.3.
pub(super) const PBE: [(&str, &str, Old, Option<Cipher>); 12] = [
    (
        "1.2.840.113549.1.5.1",
        "PBES1 (MD2, DES)",
        Old::Pbes1(Digest::Md5),
        None,
    ),
    (
        "1.2.840.113549.1.5.3",
        "PBES1 (MD5, DES)",
        Old::Pbes1(Digest::Md5),
        Some(Cipher::Des),
    ),
    (
        "1.2.840.113549.1.5.4",
        "PBES1 (MD2, RC2-64)",
        Old::Pbes1(Digest::Md5),
        None,
    ),
    (
        "1.2.840.113549.1.5.6",
        "PBES1 (MD5, RC2-64)",
        Old::Pbes1(Digest::Md5),
        Some(Cipher::RC2_64),
    ),
    (
        "1.2.840.113549.1.5.10",
        "PBES1 (SHA-1, DES)",
        Old::Pbes1(Digest::Sha1),
        Some(Cipher::Des),
    ),
    (
        "1.2.840.113549.1.5.11",
        "PBES1 (SHA-1, RC2-64)",
        Old::Pbes1(Digest::Sha1),
        Some(Cipher::RC2_64),
    ),
    ("1.2.840.113549.1.12.1.1", "RC4-128 (PKCS#12, SHA-1)", Old::Pkcs12, None),
    ("1.2.840.113549.1.12.1.2", "RC4-40 (PKCS#12, SHA-1)", Old::Pkcs12, None),
    (
        "1.2.840.113549.1.12.1.3",
        "3DES (PKCS#12, SHA-1)",
        Old::Pkcs12,
        Some(Cipher::Tdes),
    ),
    (
        "1.2.840.113549.1.12.1.4",
        "3DES with two keys (PKCS#12, SHA-1)",
        Old::Pkcs12,
        Some(Cipher::Tdes2),
    ),
    (
        "1.2.840.113549.1.12.1.5",
        "RC2-128 (PKCS#12, SHA-1)",
        Old::Pkcs12,
        Some(Cipher::RC2_128),
    ),
    (
        "1.2.840.113549.1.12.1.6",
        "RC2-40 (PKCS#12, SHA-1)",
        Old::Pkcs12,
        Some(Cipher::RC2_40),
    ),
];

/// Ciphers of PBES2 whose only parameter is the initialisation vector.
pub(super) const CIPHERS: [(&str, Cipher); 8] = [
    ("2.16.840.1.101.3.4.1.2", Cipher::Aes128),
    ("2.16.840.1.101.3.4.1.22", Cipher::Aes192),
    ("2.16.840.1.101.3.4.1.42", Cipher::Aes256),
    ("2.16.840.1.101.3.4.1.6", Cipher::Aes128Gcm),
    ("2.16.840.1.101.3.4.1.26", Cipher::Aes192Gcm),
    ("2.16.840.1.101.3.4.1.46", Cipher::Aes256Gcm),
    ("1.2.840.113549.3.7", Cipher::Tdes),
    ("1.3.14.3.2.7", Cipher::Des),
];

/// RC2-CBC has a version beside the vector (RFC 8018, appendix B.2.3).
pub(super) const RC2_CBC: &str = "1.2.840.113549.3.2";

/// Ciphers of PBES2 that no library of ours has but openssl does.
pub(super) const FOREIGN_CIPHERS: [(&str, &str); 9] = [
    ("1.2.840.113533.7.66.10", "CAST5-CBC"),
    ("1.3.6.1.4.1.3029.1.2", "Blowfish-CBC"),
    ("1.2.392.200011.61.1.1.1.2", "Camellia-128-CBC"),
    ("1.2.392.200011.61.1.1.1.3", "Camellia-192-CBC"),
    ("1.2.392.200011.61.1.1.1.4", "Camellia-256-CBC"),
    ("1.2.410.200046.1.1.2", "ARIA-128-CBC"),
    ("1.2.410.200046.1.1.7", "ARIA-192-CBC"),
    ("1.2.410.200046.1.1.12", "ARIA-256-CBC"),
    ("1.2.410.200004.1.4", "SEED-CBC"),
];

pub(super) const HMAC_SHA1: &str = "1.2.840.113549.2.7";

/// Pseudo-random functions of PBKDF2.
pub(super) const FUNCTIONS: [(&str, &str, Digest); 8] = [
    (HMAC_SHA1, "HMAC-SHA-1", Digest::Sha1),
    ("1.2.840.113549.2.6", "HMAC-MD5", Digest::Md5),
    ("1.2.840.113549.2.8", "HMAC-SHA-224", Digest::Sha224),
    ("1.2.840.113549.2.9", "HMAC-SHA-256", Digest::Sha256),
    ("1.2.840.113549.2.10", "HMAC-SHA-384", Digest::Sha384),
    ("1.2.840.113549.2.11", "HMAC-SHA-512", Digest::Sha512),
    ("1.2.840.113549.2.12", "HMAC-SHA-512/224", Digest::Sha512_224),
    ("1.2.840.113549.2.13", "HMAC-SHA-512/256", Digest::Sha512_256),
];

/// Digests of the MAC of PKCS#12.
#[cfg(feature = "pkcs12")]
pub(super) const DIGESTS: [(&str, Digest); 8] = [
    ("1.2.840.113549.2.5", Digest::Md5),
    ("1.3.14.3.2.26", Digest::Sha1),
    ("2.16.840.1.101.3.4.2.4", Digest::Sha224),
    ("2.16.840.1.101.3.4.2.1", Digest::Sha256),
    ("2.16.840.1.101.3.4.2.2", Digest::Sha384),
    ("2.16.840.1.101.3.4.2.3", Digest::Sha512),
    ("2.16.840.1.101.3.4.2.5", Digest::Sha512_224),
    ("2.16.840.1.101.3.4.2.6", Digest::Sha512_256),
];

/// Digests that no library of ours has but openssl does.
#[cfg(feature = "pkcs12")]
pub(super) const FOREIGN_DIGESTS: [(&str, &str); 6] = [
    ("1.3.36.3.2.1", "RIPEMD-160"),
    ("2.16.840.1.101.3.4.2.7", "SHA3-224"),
    ("2.16.840.1.101.3.4.2.8", "SHA3-256"),
    ("2.16.840.1.101.3.4.2.9", "SHA3-384"),
    ("2.16.840.1.101.3.4.2.10", "SHA3-512"),
    ("1.2.156.10197.1.401", "SM3"),
];

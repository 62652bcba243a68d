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
pub(super) const FOREIGN_CIPHERS: [(&str, &str); 58] = [
    ("0.3.4401.5.3.1.9.1", "Camellia-128-ECB"),
    ("0.3.4401.5.3.1.9.3", "Camellia-128-OFB"),
    ("0.3.4401.5.3.1.9.4", "Camellia-128-CFB"),
    ("0.3.4401.5.3.1.9.9", "Camellia-128-CTR"),
    ("0.3.4401.5.3.1.9.21", "Camellia-192-ECB"),
    ("0.3.4401.5.3.1.9.23", "Camellia-192-OFB"),
    ("0.3.4401.5.3.1.9.24", "Camellia-192-CFB"),
    ("0.3.4401.5.3.1.9.29", "Camellia-192-CTR"),
    ("0.3.4401.5.3.1.9.41", "Camellia-256-ECB"),
    ("0.3.4401.5.3.1.9.43", "Camellia-256-OFB"),
    ("0.3.4401.5.3.1.9.44", "Camellia-256-CFB"),
    ("0.3.4401.5.3.1.9.49", "Camellia-256-CTR"),
    ("1.2.156.10197.1.104.1", "SM4-ECB"),
    ("1.2.156.10197.1.104.2", "SM4-CBC"),
    ("1.2.156.10197.1.104.3", "SM4-OFB"),
    ("1.2.156.10197.1.104.4", "SM4-CFB"),
    ("1.2.156.10197.1.104.7", "SM4-CTR"),
    ("1.2.392.200011.61.1.1.1.2", "Camellia-128-CBC"),
    ("1.2.392.200011.61.1.1.1.3", "Camellia-192-CBC"),
    ("1.2.392.200011.61.1.1.1.4", "Camellia-256-CBC"),
    ("1.2.410.200004.1.3", "SEED-ECB"),
    ("1.2.410.200004.1.4", "SEED-CBC"),
    ("1.2.410.200004.1.5", "SEED-CFB"),
    ("1.2.410.200004.1.6", "SEED-OFB"),
    ("1.2.410.200046.1.1.1", "ARIA-128-ECB"),
    ("1.2.410.200046.1.1.2", "ARIA-128-CBC"),
    ("1.2.410.200046.1.1.3", "ARIA-128-CFB"),
    ("1.2.410.200046.1.1.4", "ARIA-128-OFB"),
    ("1.2.410.200046.1.1.5", "ARIA-128-CTR"),
    ("1.2.410.200046.1.1.6", "ARIA-192-ECB"),
    ("1.2.410.200046.1.1.7", "ARIA-192-CBC"),
    ("1.2.410.200046.1.1.8", "ARIA-192-CFB"),
    ("1.2.410.200046.1.1.9", "ARIA-192-OFB"),
    ("1.2.410.200046.1.1.10", "ARIA-192-CTR"),
    ("1.2.410.200046.1.1.11", "ARIA-256-ECB"),
    ("1.2.410.200046.1.1.12", "ARIA-256-CBC"),
    ("1.2.410.200046.1.1.13", "ARIA-256-CFB"),
    ("1.2.410.200046.1.1.14", "ARIA-256-OFB"),
    ("1.2.410.200046.1.1.15", "ARIA-256-CTR"),
    ("1.2.840.113533.7.66.10", "CAST5-CBC"),
    ("1.2.840.113549.3.4", "RC4"),
    ("1.3.6.1.4.1.3029.1.2", "Blowfish-CBC"),
    ("1.3.14.3.2.6", "DES-ECB"),
    ("1.3.14.3.2.8", "DES-OFB"),
    ("1.3.14.3.2.9", "DES-CFB"),
    ("1.3.14.3.2.17", "3DES-ECB with two keys"),
    ("2.16.840.1.101.3.4.1.1", "AES-128-ECB"),
    ("2.16.840.1.101.3.4.1.3", "AES-128-OFB"),
    ("2.16.840.1.101.3.4.1.4", "AES-128-CFB"),
    ("2.16.840.1.101.3.4.1.8", "AES-128-WRAP-PAD"),
    ("2.16.840.1.101.3.4.1.21", "AES-192-ECB"),
    ("2.16.840.1.101.3.4.1.23", "AES-192-OFB"),
    ("2.16.840.1.101.3.4.1.24", "AES-192-CFB"),
    ("2.16.840.1.101.3.4.1.28", "AES-192-WRAP-PAD"),
    ("2.16.840.1.101.3.4.1.41", "AES-256-ECB"),
    ("2.16.840.1.101.3.4.1.43", "AES-256-OFB"),
    ("2.16.840.1.101.3.4.1.44", "AES-256-CFB"),
    ("2.16.840.1.101.3.4.1.48", "AES-256-WRAP-PAD"),
];

/// Ciphers of PBES2 that only botan is known to have: its own arc (Serpent, Twofish, SIV of any cipher), and GCM of others
/// than AES.
pub(super) const BOTAN_ARC: &str = "1.3.6.1.4.1.25258.3.";
pub(super) const BOTAN_CIPHERS: [(&str, &str); 4] = [
    ("0.3.4401.5.3.1.9.6", "Camellia-128-GCM"),
    ("0.3.4401.5.3.1.9.26", "Camellia-192-GCM"),
    ("0.3.4401.5.3.1.9.46", "Camellia-256-GCM"),
    ("1.2.156.10197.1.104.8", "SM4-GCM"),
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
pub(super) const FOREIGN_DIGESTS: [(&str, &str); 10] = [
    ("1.2.840.113549.2.4", "MD4"),
    ("1.0.10118.3.0.55", "Whirlpool"),
    ("1.3.6.1.4.1.1722.12.2.1.16", "BLAKE2b-512"),
    ("1.3.6.1.4.1.1722.12.2.2.8", "BLAKE2s-256"),
    ("1.3.36.3.2.1", "RIPEMD-160"),
    ("2.16.840.1.101.3.4.2.7", "SHA3-224"),
    ("2.16.840.1.101.3.4.2.8", "SHA3-256"),
    ("2.16.840.1.101.3.4.2.9", "SHA3-384"),
    ("2.16.840.1.101.3.4.2.10", "SHA3-512"),
    ("1.2.156.10197.1.401", "SM3"),
];

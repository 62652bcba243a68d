//! The encryption of PEM as it was before PKCS#8: `Proc-Type: 4,ENCRYPTED` and `DEK-Info` (RFC 1421, section 4.6.1.3),
//! with openssl's derivation of the key (EVP_BytesToKey: MD5, one iteration, the first eight bytes of the vector as salt).

use super::cipher::Cipher;
use super::{Derivation, Scheme, SchemeError};

impl Scheme {
    /// Reads the value of a `DEK-Info` line: `AES-256-CBC,0123..` (hexadecimal digits of the vector).
    pub(crate) fn legacy(value: &str) -> Result<Self, SchemeError> {
        let (name, vector) = value.split_once(',').unwrap_or((value, ""));
        let (name, vector) = (name.trim().to_ascii_uppercase(), vector.trim());
        let Some((_, cipher)) = CIPHERS.iter().find(|(known, _)| *known == name) else {
            let scheme = format!("old PEM encryption ({name})");
            return Err(if is_of_openssl(&name) {
                SchemeError::Foreign(scheme)
            } else {
                SchemeError::Unknown(scheme)
            });
        };
        let vector = hexadecimal(vector)
            .filter(|vector| vector.len() == cipher.vector_bytes())
            .ok_or(SchemeError::Broken(
                "its DEK-Info line has no vector of the right length",
            ))?;
        let salt = vector.iter().take(8).copied().collect();
        Ok(Self {
            derivation: Derivation::Legacy { salt },
            cipher: *cipher,
            vector,
            tag_bytes: 0,
        })
    }
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [_, _] => std::str::from_utf8(pair)
                .ok()
                .filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()))
                .and_then(|pair| u8::from_str_radix(pair, 16).ok()),
            _ => None,
        })
        .collect()
}

/// What openssl, Erlang, Perl and node write.
const CIPHERS: [(&str, Cipher); 9] = [
    ("AES-128-CBC", Cipher::Aes128),
    ("AES-192-CBC", Cipher::Aes192),
    ("AES-256-CBC", Cipher::Aes256),
    ("DES-EDE3-CBC", Cipher::Tdes),
    ("DES-EDE-CBC", Cipher::Tdes2),
    ("DES-CBC", Cipher::Des),
    ("RC2-CBC", Cipher::RC2_128),
    ("RC2-64-CBC", Cipher::RC2_64),
    ("RC2-40-CBC", Cipher::RC2_40),
];

/// Whether openssl opens it where no library of ours does.
fn is_of_openssl(name: &str) -> bool {
    let (family, mode) = name.rsplit_once('-').unwrap_or((name, ""));
    matches!(name, "CHACHA20" | "DESX-CBC") || FAMILIES.contains(&family) && MODES.contains(&mode)
}

const FAMILIES: [&str; 18] = [
    "AES-128",
    "AES-192",
    "AES-256",
    "ARIA-128",
    "ARIA-192",
    "ARIA-256",
    "CAMELLIA-128",
    "CAMELLIA-192",
    "CAMELLIA-256",
    "DES",
    "DES-EDE",
    "DES-EDE3",
    "RC2",
    "BF",
    "CAST5",
    "IDEA",
    "SEED",
    "SM4",
];
const MODES: [&str; 6] = ["CBC", "CFB", "CFB1", "CFB8", "CTR", "OFB"];

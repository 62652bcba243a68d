//! Names of kinds of keys, by their object identifiers. Used for certificates and for private keys alike.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

/// The name of an algorithm of public keys, by the content of its object identifier.
pub(crate) fn name_of(oid: &[u8]) -> Option<&'static str> {
    if let Some([family, last]) = oid.strip_prefix(NIST) {
        return match family {
            3 => SIGNATURES.get(usize::from(last.checked_sub(0x11)?)).copied(),
            4 => KEM.get(usize::from(last.checked_sub(1)?)).copied(),
            _ => None,
        };
    }
    NAMES.iter().find(|(known, _)| *known == oid).map(|(_, name)| *name)
}

/// 2.16.840.1.101.3.4, the content: what NIST names.
const NIST: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04];

/// 2.16.840.1.101.3.4.3.17 and following: RFC 9881 (FIPS 204), RFC 9909 (FIPS 205).
const SIGNATURES: [&str; 30] = [
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
    "SLH-DSA-SHA2-128s",
    "SLH-DSA-SHA2-128f",
    "SLH-DSA-SHA2-192s",
    "SLH-DSA-SHA2-192f",
    "SLH-DSA-SHA2-256s",
    "SLH-DSA-SHA2-256f",
    "SLH-DSA-SHAKE-128s",
    "SLH-DSA-SHAKE-128f",
    "SLH-DSA-SHAKE-192s",
    "SLH-DSA-SHAKE-192f",
    "SLH-DSA-SHAKE-256s",
    "SLH-DSA-SHAKE-256f",
    "HashML-DSA-44",
    "HashML-DSA-65",
    "HashML-DSA-87",
    "HashSLH-DSA-SHA2-128s",
    "HashSLH-DSA-SHA2-128f",
    "HashSLH-DSA-SHA2-192s",
    "HashSLH-DSA-SHA2-192f",
    "HashSLH-DSA-SHA2-256s",
    "HashSLH-DSA-SHA2-256f",
    "HashSLH-DSA-SHAKE-128s",
    "HashSLH-DSA-SHAKE-128f",
    "HashSLH-DSA-SHAKE-192s",
    "HashSLH-DSA-SHAKE-192f",
    "HashSLH-DSA-SHAKE-256s",
    "HashSLH-DSA-SHAKE-256f",
];

/// 2.16.840.1.101.3.4.4.1 and following: FIPS 203.
const KEM: [&str; 3] = ["ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"];

const NAMES: [(&[u8], &str); 13] = [
    (&[0x2b, 0x65, 0x6e], "X25519"),
    (&[0x2b, 0x65, 0x6f], "X448"),
    (&[0x2b, 0x65, 0x70], "Ed25519"),
    (&[0x2b, 0x65, 0x71], "Ed448"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01], "DSA"),
    (&[0x2b, 0x0e, 0x03, 0x02, 0x0c], "DSA"), // OIW, before X9.57
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x03, 0x01], "DH"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3e, 0x02, 0x01], "DH"),
    (&[0x2b, 0x81, 0x04, 0x01, 0x0c], "ECDH"),
    (&[0x2b, 0x81, 0x04, 0x01, 0x0d], "ECMQV"),
    (&[0x2a, 0x85, 0x03, 0x02, 0x02, 0x13], "GOST R 34.10-2001"),
    (
        &[0x2a, 0x85, 0x03, 0x07, 0x01, 0x01, 0x01, 0x01],
        "GOST R 34.10-2012 (256 bits)",
    ),
    (
        &[0x2a, 0x85, 0x03, 0x07, 0x01, 0x01, 0x01, 0x02],
        "GOST R 34.10-2012 (512 bits)",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_registries() {
        let nist = |family, last| name_of(&[NIST, &[family, last]].concat());
        // RFC 9881, section 2; RFC 9909, section 3; NIST's register of 2.16.840.1.101.3.4
        assert_eq!(nist(3, 17), Some("ML-DSA-44"));
        assert_eq!(nist(3, 19), Some("ML-DSA-87"));
        assert_eq!(nist(3, 20), Some("SLH-DSA-SHA2-128s"));
        assert_eq!(nist(3, 31), Some("SLH-DSA-SHAKE-256f"));
        assert_eq!(nist(3, 32), Some("HashML-DSA-44"));
        assert_eq!(nist(3, 35), Some("HashSLH-DSA-SHA2-128s"));
        assert_eq!(nist(3, 46), Some("HashSLH-DSA-SHAKE-256f"));
        assert_eq!(
            (nist(3, 16), nist(3, 47), nist(4, 0), nist(4, 4)),
            (None, None, None, None)
        );
        assert_eq!(nist(4, 2), Some("ML-KEM-768"));
        // RFC 8410, section 3
        assert_eq!(name_of(&[0x2b, 0x65, 0x71]), Some("Ed448"));
        assert_eq!(name_of(&[0x2b, 0x65, 0x72]), None);
    }
}

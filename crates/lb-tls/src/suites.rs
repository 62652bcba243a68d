//! What is offered, and why what the old books name is not.

use rustls::SupportedCipherSuite;
#[cfg(feature = "aws-lc-rs")]
use rustls::crypto::CryptoProvider;

/// A cipher suite that is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Its registered name: `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`.
    pub name: String,
    /// `1.2` or `1.3`.
    pub version: crate::Version,
    /// How the keys are agreed on and how the server proves itself.
    pub proof: &'static str,
    /// What encrypts: always an AEAD with 128 or 256 bits (S-TLS-14).
    pub cipher: &'static str,
}

/// A suite or a feature that is refused, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What people call it.
    pub name: &'static str,
    /// What is wrong with it, in a sentence or two, with its source.
    pub why: &'static str,
}

/// What `engine` offers, in the server's order.
#[must_use]
pub fn offered(engine: &crate::Engine) -> Vec<Offered> {
    engine.provider().cipher_suites.iter().map(describe).collect()
}

/// The groups for key agreement that `engine` offers, in the order in which our own hellos name them: `X25519MLKEM768`.
///
/// Of a client's groups rustls takes the first that is known here: the client's order decides, not this one.
#[must_use]
pub fn groups(engine: &crate::Engine) -> Vec<String> {
    let groups = engine.provider().kx_groups.iter();
    groups.map(|group| group_name(group.name())).collect()
}

/// The name that people use: `secp256r1` is P-256.
#[must_use]
pub fn group_name(group: rustls::NamedGroup) -> String {
    match group {
        rustls::NamedGroup::secp256r1 => "P-256".to_owned(),
        rustls::NamedGroup::secp384r1 => "P-384".to_owned(),
        rustls::NamedGroup::secp521r1 => "P-521".to_owned(),
        rustls::NamedGroup::X25519 => "X25519".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The signatures that `engine` checks, in certificates and handshakes, in the order in which our own hellos name them:
/// `ecdsa_secp256r1_sha256`. Those of PKCS#1 serve certificates and TLS 1.2 only (RFC 9846, section 4.3.3).
#[must_use]
pub fn signatures(engine: &crate::Engine) -> Vec<String> {
    let schemes = engine.provider().signature_verification_algorithms.supported_schemes();
    schemes.into_iter().map(signature_name).collect()
}

/// The registered name of a signature: rustls calls `ecdsa_secp256r1_sha256` `ECDSA_NISTP256_SHA256`.
#[must_use]
pub fn signature_name(scheme: rustls::SignatureScheme) -> String {
    use rustls::SignatureScheme as Scheme;
    let name = match scheme {
        Scheme::ECDSA_NISTP256_SHA256 => "ecdsa_secp256r1_sha256",
        Scheme::ECDSA_NISTP384_SHA384 => "ecdsa_secp384r1_sha384",
        Scheme::ECDSA_NISTP521_SHA512 => "ecdsa_secp521r1_sha512",
        Scheme::RSA_PSS_SHA256 => "rsa_pss_rsae_sha256",
        Scheme::RSA_PSS_SHA384 => "rsa_pss_rsae_sha384",
        Scheme::RSA_PSS_SHA512 => "rsa_pss_rsae_sha512",
        Scheme::ECDSA_SHA1_Legacy => "ecdsa_sha1",
        Scheme::ML_DSA_44 => "mldsa44",
        Scheme::ML_DSA_65 => "mldsa65",
        Scheme::ML_DSA_87 => "mldsa87",
        other => return format!("{other:?}").to_lowercase(),
    };
    name.to_owned()
}

/// The registered name of a suite: rustls calls those of TLS 1.3 `TLS13_..`.
#[must_use]
pub fn suite_name(suite: rustls::CipherSuite) -> String {
    let name = format!("{suite:?}");
    match name.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => name,
    }
}

/// What is refused: the suites, versions and features that the old books of load balancers name (S-TLS-07 to S-TLS-09).
#[must_use]
pub const fn refused() -> &'static [Refused] {
    REFUSED
}

fn describe(suite: &SupportedCipherSuite) -> Offered {
    let name = suite_name(suite.suite());
    let is_13 = suite.tls13().is_some();
    Offered {
        proof: match () {
            () if is_13 => "ephemeral key agreement; any certificate",
            () if name.contains("_ECDSA_") => "ECDHE; ECDSA or Ed25519 certificate",
            () => "ECDHE; RSA certificate",
        },
        cipher: match () {
            () if name.contains("AES_128") => "AES-128-GCM",
            () if name.contains("AES_256") => "AES-256-GCM",
            () => "ChaCha20-Poly1305",
        },
        version: if is_13 {
            crate::Version::Tls13
        } else {
            crate::Version::Tls12
        },
        name,
    }
}

/// The provider of aws-lc-rs with exactly the suites and groups that are meant to be offered, whatever its defaults
/// become. 128 bits first: nothing breaks them, and AES takes 10 rounds for them where it takes 14 for 256.
#[cfg(feature = "aws-lc-rs")]
pub(crate) fn modern() -> CryptoProvider {
    use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
    CryptoProvider {
        cipher_suites: vec![
            cipher_suite::TLS13_AES_128_GCM_SHA256,
            cipher_suite::TLS13_AES_256_GCM_SHA384,
            cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ],
        kx_groups: vec![
            kx_group::X25519MLKEM768,
            kx_group::X25519,
            kx_group::SECP256R1,
            kx_group::SECP384R1,
        ],
        ..default_provider()
    }
}

static REFUSED: &[Refused] = &[
    Refused {
        name: "DES",
        why: "A key of 56 bits: all of them were tried in 22 hours in 1999. RFC 5469 took its suites out of TLS 1.2.",
    },
    Refused {
        name: "3DES",
        why: "Blocks of 64 bits repeat after some 32 GiB under one key, and then show cookies (Sweet32, CVE-2016-2183). \
              NIST SP 800-131A disallows it since 2024.",
    },
    Refused {
        name: "RC2",
        why: "Blocks of 64 bits as 3DES, and in TLS only ever with keys of 40 bits.",
    },
    Refused {
        name: "RC4",
        why: "Its output is biased, so that a cookie that is sent often can be read (RFC 7465 forbids it).",
    },
    Refused {
        name: "RC5",
        why: "No TLS suite with it was ever registered; its blocks of 64 bits would repeat as those of 3DES do.",
    },
    Refused {
        name: "IDEA",
        why: "Blocks of 64 bits as 3DES; RFC 5469 took its suite out of TLS 1.2.",
    },
    Refused {
        name: "AES-CBC",
        why: "TLS computes its MAC before it encrypts: padding and timing show plaintext (BEAST, Lucky Thirteen, POODLE). \
              The AEAD suites have no padding.",
    },
    Refused {
        name: "RSA key exchange",
        why: "The client encrypts the secret with the key of the certificate: who gets that key later reads all that was \
              recorded, and servers were made to decrypt by their error messages (Bleichenbacher, ROBOT). ECDHE has \
              neither fault; the certificate may still be RSA.",
    },
    Refused {
        name: "static DH and ECDH",
        why: "The key of the certificate agrees on every secret: no forward secrecy, as with RSA key exchange \
              (RFC 9325, section 4.1).",
    },
    Refused {
        name: "anonymous DH",
        why: "Nobody proves who they are: whoever stands between reads and changes everything.",
    },
    Refused {
        name: "DHE",
        why: "Servers chose short or shared primes (Logjam, CVE-2015-4000), and it costs many times what ECDHE costs. \
              Every client that knows it and TLS 1.2 knows ECDHE.",
    },
    Refused {
        name: "EXPORT suites",
        why: "Keys of 40 bits and RSA of 512 bits, by law of the 1990s; clients that never asked for them were made to \
              take them (FREAK, CVE-2015-0204).",
    },
    Refused {
        name: "NULL suites",
        why: "They encrypt nothing.",
    },
    Refused {
        name: "MD5",
        why: "Collisions take seconds; a forged CA certificate was made with it in 2008 (RFC 6151). Certificates signed \
              with it are refused too.",
    },
    Refused {
        name: "SHA-1 signatures",
        why: "Collisions with a chosen prefix are bought for some thousand dollars (RFC 9155 forbids them in TLS).",
    },
    Refused {
        name: "compression",
        why: "The length of what is compressed shows what secrets and guesses have in common: cookies are read byte by \
              byte (CRIME, CVE-2012-4929). TLS 1.3 has none.",
    },
    Refused {
        name: "renegotiation",
        why: "A client could put requests before another's (CVE-2009-3555), and asking for it again and again costs the \
              server more than the client. TLS 1.3 has none.",
    },
    Refused {
        name: "SSL 2.0 and SSL 3.0",
        why: "The handshake of 2.0 is not protected, nor is the padding of 3.0 (POODLE, CVE-2014-3566). RFC 6176 and \
              RFC 7568 forbid them.",
    },
    Refused {
        name: "TLS 1.0",
        why: "Handshakes stand on MD5 and SHA-1, and blocks are chained predictably (BEAST). RFC 8996 forbids it.",
    },
    Refused {
        name: "TLS 1.1",
        why: "Handshakes stand on MD5 and SHA-1, and it knows no AEAD suite. RFC 8996 forbids it.",
    },
    Refused {
        name: "0-RTT",
        why: "Whoever records the first flight can send it again, and the request is done twice (RFC 9846, section 8). It \
              is left out.",
    },
];

#[cfg(all(test, feature = "aws-lc-rs"))]
mod tests {
    use super::*;
    use crate::{Engine, SetClock};

    fn engine() -> Engine {
        Engine::aws_lc(SetClock::at(lb_types::Wall::default()))
    }

    /// The list of Mozilla's intermediate profile (Server Side TLS 5.7) without its DHE suites.
    #[test]
    fn s_tls_06_only_modern_suites_are_offered_in_the_servers_order() {
        let names: Vec<String> = offered(&engine()).into_iter().map(|suite| suite.name).collect();
        assert_eq!(
            names,
            [
                "TLS_AES_128_GCM_SHA256",
                "TLS_AES_256_GCM_SHA384",
                "TLS_CHACHA20_POLY1305_SHA256",
                "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            ]
        );
        assert_eq!(groups(&engine()), ["X25519MLKEM768", "X25519", "P-256", "P-384"]);
    }

    /// The names of the registry "TLS SignatureScheme" of IANA; none stands on SHA-1.
    #[test]
    fn s_tls_07_signatures_have_their_registered_names_and_none_is_of_old() {
        let mut names = signatures(&engine());
        names.sort();
        assert_eq!(
            names,
            [
                "ecdsa_secp256r1_sha256",
                "ecdsa_secp384r1_sha384",
                "ecdsa_secp521r1_sha512",
                "ed25519",
                "mldsa44",
                "mldsa65",
                "mldsa87",
                "rsa_pkcs1_sha256",
                "rsa_pkcs1_sha384",
                "rsa_pkcs1_sha512",
                "rsa_pss_rsae_sha256",
                "rsa_pss_rsae_sha384",
                "rsa_pss_rsae_sha512",
            ]
        );
    }

    #[test]
    fn s_tls_14_every_suite_is_an_aead_of_128_or_256_bits() {
        for suite in offered(&engine()) {
            let known = ["AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305"];
            assert!(known.contains(&suite.cipher), "{suite:?}");
            assert!(
                suite.name.contains("GCM") || suite.name.contains("POLY1305"),
                "{suite:?}"
            );
        }
    }

    #[test]
    fn s_tls_07_to_09_what_the_sources_name_is_refused_with_a_reason() {
        for name in [
            "DES",
            "3DES",
            "RC4",
            "RC5",
            "RSA key exchange",
            "MD5",
            "compression",
            "renegotiation",
            "TLS 1.0",
            "TLS 1.1",
        ] {
            let found = refused().iter().find(|one| one.name == name).expect(name);
            assert!(found.why.len() > 30 && found.why.ends_with('.'), "{name}");
        }
    }
}

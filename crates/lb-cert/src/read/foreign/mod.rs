//! Formats of other programs that are recognised, not read: each with its name and the command that converts it.

mod recognise;
mod ssh;

use super::Problem;
use crate::{Command, Place};
pub(super) use recognise::{beside, binary, inside_base64, labelled, text};

/// A format of another program, recognised by its content. [`name`](ForeignFormat::name) is for messages;
/// [`explain`](ForeignFormat::explain) says how to get at what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForeignFormat {
    /// BKS of Bouncy Castle, Android's key store of old.
    Bks,
    /// UBER of Bouncy Castle, encrypted as a whole.
    Uber,
    /// BCFKS of Bouncy Castle, its store for FIPS.
    Bcfks,
    /// A JCEKS that holds a secret key: what stands behind that cannot be found.
    JceksWithSecret,
    /// A private key of OpenSSH (`openssh-key-v1`).
    OpenSshKey {
        /// Its algorithm.
        algorithm: SshAlgorithm,
        /// Whether a password protects it.
        encrypted: bool,
    },
    /// A private key of PuTTY (`.ppk`).
    PuttyKey {
        /// Its algorithm.
        algorithm: SshAlgorithm,
        /// Whether a password protects it.
        encrypted: bool,
    },
    /// A public key for SSH, of OpenSSH or RFC 4716.
    SshPublicKey,
    /// A certificate of OpenSSH, which is no X.509.
    SshCertificate,
    /// JSON with PEM in its strings, plain or in base64: cfssl, Vault, Traefik, Kubernetes, service accounts.
    JsonWithPem,
    /// A key as JSON (RFC 7517).
    JsonWebKey,
    /// Other JSON.
    Json,
    /// Text with PEM in base64: a Kubernetes secret, a kubeconfig, values of a Helm chart.
    TextWithBase64Pem,
    /// The same with base64 over several lines, with words before the first block, or with plain PEM beside it.
    TextWithMixedPem,
    /// A whole file that is base64 of PEM.
    Base64OfPem,
    /// A whole file that is base64 of a binary key store.
    Base64OfStore,
    /// A signed mail (S/MIME).
    SignedMail,
    /// An encrypted mail (S/MIME).
    EncryptedMail,
    /// A mail with attachments.
    Mail,
    /// XML with certificates: SAML metadata, signatures.
    XmlWithCertificates,
    /// HTML or other XML.
    Html,
    /// A private key of OpenPGP.
    PgpPrivateKey,
    /// Another file of OpenPGP.
    Pgp,
    /// Compressed by gzip.
    Gzip,
    /// Compressed by bzip2.
    Bzip2,
    /// Compressed by xz.
    Xz,
    /// Compressed by zstd.
    Zstd,
    /// A ZIP archive, also `.jar` and `.apk`.
    Zip,
    /// A tar archive.
    Tar,
    /// A 7z archive.
    SevenZip,
    /// The address of a key in a token (RFC 7512).
    Pkcs11Uri,
    /// A key that only a TPM opens.
    TpmKey,
    /// A private key of Microsoft (`.pvk`).
    Pvk {
        /// For DSA, not RSA.
        dsa: bool,
        /// Whether a password protects it.
        encrypted: bool,
    },
    /// A private key of Microsoft (PRIVATEKEYBLOB).
    KeyBlob {
        /// For DSA, not RSA.
        dsa: bool,
    },
    /// A public key of Microsoft (PUBLICKEYBLOB).
    PublicKeyBlob,
    /// A private key of ssh.com's SSH.
    SshComKey {
        /// Its algorithm.
        algorithm: SshAlgorithm,
        /// Whether a password protects it.
        encrypted: bool,
    },
    /// A serialized certificate store of Microsoft (`.sst`).
    SerializedStore,
    /// An SQLite database, perhaps NSS's `cert9.db` or `key4.db`.
    Sqlite,
    /// A keychain of macOS.
    Keychain,
    /// Encrypted by `ansible-vault`.
    AnsibleVault,
    /// Encrypted by `openssl enc`.
    OpensslEnc,
    /// Encrypted by `age`.
    Age,
    /// The description that openssl prints of a certificate, without the certificate.
    CertificateText,
}

/// Algorithms of SSH keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SshAlgorithm {
    /// RSA.
    Rsa,
    /// ECDSA on a NIST curve.
    Ecdsa,
    /// Ed25519.
    Ed25519,
    /// DSA.
    Dsa,
    /// In a security key, which keeps the private part.
    SecurityKey,
    /// Another one, or unreadable.
    Other,
}

impl SshAlgorithm {
    /// `RSA`, `Ed25519`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Ecdsa => "ECDSA",
            Self::Ed25519 => "Ed25519",
            Self::Dsa => "DSA",
            Self::SecurityKey => "in a security key",
            Self::Other => "of an unknown kind",
        }
    }
}

impl ForeignFormat {
    /// With article, for messages: `a BKS key store of Bouncy Castle`.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::OpenSshKey { algorithm, encrypted } => {
                let locked = if encrypted { ", encrypted" } else { "" };
                return format!("a private key of OpenSSH ({}{locked})", algorithm.as_str());
            }
            Self::PuttyKey { algorithm, encrypted } => {
                let locked = if encrypted { ", encrypted" } else { "" };
                return format!("a private key of PuTTY ({}{locked})", algorithm.as_str());
            }
            Self::SshComKey { algorithm, encrypted } => {
                let locked = if encrypted { ", encrypted" } else { "" };
                return format!("a private key of ssh.com ({}{locked})", algorithm.as_str());
            }
            Self::Bks => "a BKS key store of Bouncy Castle",
            Self::Uber => "a UBER key store of Bouncy Castle",
            Self::Bcfks => "a BCFKS key store of Bouncy Castle",
            Self::JceksWithSecret => "a Java key store (JCEKS) with a secret key",
            Self::SshPublicKey => "a public key for SSH",
            Self::SshCertificate => "a certificate of OpenSSH",
            Self::JsonWithPem => "JSON with PEM inside",
            Self::JsonWebKey => "a JSON Web Key",
            Self::Json => "JSON",
            Self::TextWithBase64Pem => "text with PEM in base64, as in a Kubernetes secret",
            Self::TextWithMixedPem => "text with PEM, some of it in base64",
            Self::Base64OfPem => "PEM in base64",
            Self::Base64OfStore => "a key store in base64",
            Self::SignedMail => "a signed mail (S/MIME)",
            Self::EncryptedMail => "an encrypted mail (S/MIME)",
            Self::Mail => "a mail",
            Self::XmlWithCertificates => "XML with certificates, as in SAML metadata",
            Self::Html => "HTML or XML, perhaps the error page of a download",
            Self::PgpPrivateKey => "a private key of OpenPGP",
            Self::Pgp => "OpenPGP",
            Self::Gzip => "compressed with gzip",
            Self::Bzip2 => "compressed with bzip2",
            Self::Xz => "compressed with xz",
            Self::Zstd => "compressed with zstd",
            Self::Zip => "a ZIP archive",
            Self::Tar => "a tar archive",
            Self::SevenZip => "a 7z archive",
            Self::Pkcs11Uri => "the address of a key in a token (PKCS#11)",
            Self::TpmKey => "a key that only its TPM opens",
            Self::Pvk { encrypted: false, .. } => "a private key of Microsoft (PVK)",
            Self::Pvk { encrypted: true, .. } => "a private key of Microsoft (PVK, encrypted)",
            Self::KeyBlob { .. } => "a private key of Microsoft (PRIVATEKEYBLOB)",
            Self::PublicKeyBlob => "a public key of Microsoft (PUBLICKEYBLOB)",
            Self::SerializedStore => "a serialized certificate store of Microsoft (.sst)",
            Self::Sqlite => "an SQLite database, perhaps of NSS (cert9.db, key4.db)",
            Self::Keychain => "a keychain of macOS",
            Self::AnsibleVault => "encrypted by ansible-vault",
            Self::OpensslEnc => "encrypted by openssl enc",
            Self::Age => "encrypted by age",
            Self::CertificateText => "the description of a certificate without the certificate",
        }
        .to_owned()
    }

    /// Whether what it holds is of use once it is converted.
    #[must_use]
    pub fn is_convertible(self) -> bool {
        !matches!(
            self,
            Self::SshPublicKey
                | Self::SshCertificate
                | Self::Json
                | Self::Html
                | Self::Pgp
                | Self::PgpPrivateKey
                | Self::CertificateText
                | Self::PublicKeyBlob
        )
    }

    /// Whether what looks like damaged armour of PEM is as it must be in this format.
    pub(super) fn has_such_armour(self, problem: &Problem) -> bool {
        let has_lines = matches!(self, Self::JsonWithPem | Self::SshPublicKey | Self::SshComKey { .. });
        has_lines && matches!(problem, Problem::Armour { .. })
    }

    /// The paragraph: why it is not read here and the command that converts it, which can be run as it stands.
    #[must_use]
    pub fn explain(self, source: &str) -> String {
        self.advise(&Place::whole(&source.into()))
    }

    /// [`explain`](Self::explain) for a block that may have others before it.
    pub(super) fn advise(self, place: &Place) -> String {
        let (reason, commands) = self.advice();
        let mut text = reason.to_owned();
        for (index, command) in commands.iter().enumerate() {
            text.push_str(if index == 0 {
                " Convert it with `"
            } else {
                " and then with `"
            });
            let is_first = place.line.is_none_or(|line| line == 1);
            let command = if is_first { *command } else { ssh::of_block(*command) };
            text.push_str(&command.fill(place));
            text.push('`');
        }
        if !commands.is_empty() {
            text.push('.');
        }
        text
    }

    /// Why it is not read, and the commands to be run one after the other.
    fn advice(self) -> (&'static str, &'static [Command]) {
        match self {
            Self::Bks => ("Java and Bouncy Castle (its bcprov.jar) open it.", &[Command::BKS]),
            Self::Uber => ("Java and Bouncy Castle (its bcprov.jar) open it.", &[Command::UBER]),
            Self::Bcfks => ("Java and Bouncy Castle (its bcprov.jar) open it.", &[Command::BCFKS]),
            Self::JceksWithSecret => (
                "The secret key is a serialized Java object whose end only Java finds.",
                &[Command::JCEKS],
            ),
            Self::OpenSshKey { algorithm, encrypted } => ssh::openssh(algorithm, encrypted),
            Self::PuttyKey { algorithm, .. } => ssh::putty(algorithm),
            Self::SshPublicKey => (
                "TLS asks for a certificate, which an SSH key is not. The private key is in the file of the same name \
                 without .pub.",
                &[],
            ),
            Self::SshCertificate => (
                "Certificates of OpenSSH are not X.509 and no TLS program takes one. Have a certificate issued for the \
                 key by an authority for TLS.",
                &[],
            ),
            Self::JsonWithPem => ("The PEM is a value among others.", &[Command::JSON_STRINGS]),
            Self::JsonWebKey => (
                "The key is written as numbers in JSON; node writes it as PKCS#8.",
                &[Command::JSON_WEB_KEY],
            ),
            Self::Json => (
                "There is no PEM in it. Perhaps it is the answer of a server that tells why it sends no certificate.",
                &[],
            ),
            Self::TextWithBase64Pem => (
                "The PEM is encoded once more, as a value among others.",
                &[Command::BASE64_VALUES],
            ),
            Self::TextWithMixedPem => (
                "Some of the PEM is encoded once more, as a value among others; the command takes what is plain and what \
                 is encoded.",
                &[Command::MIXED_PEM],
            ),
            Self::Base64OfPem => ("The PEM is encoded once more.", &[Command::BASE64_OF_PEM]),
            Self::Base64OfStore => ("The key store is encoded as text.", &[Command::BASE64_OF_STORE]),
            Self::SignedMail => (
                "The signature of the mail holds the certificates of its sender.",
                &[Command::SIGNED_MAIL],
            ),
            Self::EncryptedMail => (
                "It is encrypted for its reader: open it in the mail program and save what is attached.",
                &[],
            ),
            Self::Mail => ("What is attached is encoded.", &[Command::MAIL]),
            Self::XmlWithCertificates => ("The certificates stand as base64 between tags.", &[Command::XML]),
            Self::Html => (
                "Look at it in a browser: it probably says why the download failed. Then fetch the file again.",
                &[],
            ),
            Self::PgpPrivateKey | Self::Pgp => (
                "Keys of OpenPGP are for mail and packages; TLS asks for X.509 certificates and their keys. Look for the \
                 files that the certificate authority sent.",
                &[],
            ),
            Self::Gzip => ("What is inside does not show.", &[Command::GZIP]),
            Self::Bzip2 => ("What is inside does not show.", &[Command::BZIP2]),
            Self::Xz => ("What is inside does not show.", &[Command::XZ]),
            Self::Zstd => ("What is inside does not show.", &[Command::ZSTD]),
            Self::Zip => (
                "The files in it are read when they are unpacked; give their folder.",
                &[Command::ZIP],
            ),
            Self::Tar => (
                "The files in it are read when they are unpacked; give their folder.",
                &[Command::TAR],
            ),
            Self::SevenZip => (
                "The files in it are read when they are unpacked; give their folder.",
                &[Command::SEVEN_ZIP],
            ),
            Self::Pkcs11Uri => (
                "The key itself never leaves its token; only a program that speaks to the token can use it. The \
                 certificate is read when it is exported from the token.",
                &[],
            ),
            Self::TpmKey => (
                "The key itself never leaves its TPM; only a program that speaks to that TPM can use it.",
                &[],
            ),
            Self::Pvk { dsa, encrypted } => (
                "It is Microsoft's form of old.",
                match (dsa, encrypted) {
                    (false, false) => &[Command::PVK],
                    (true, false) => &[Command::PVK_DSA],
                    (false, true) => &[Command::PVK_LOCKED],
                    (true, true) => &[Command::PVK_DSA_LOCKED],
                },
            ),
            Self::KeyBlob { dsa: false } => ("It is Microsoft's form in memory.", &[Command::KEY_BLOB]),
            Self::KeyBlob { dsa: true } => ("It is Microsoft's form in memory.", &[Command::KEY_BLOB_DSA]),
            Self::PublicKeyBlob => (
                "A public key stands inside the certificate already; what a server needs are the certificate and the \
                 private key.",
                &[],
            ),
            Self::SshComKey { algorithm, encrypted } => ssh::ssh_com(algorithm, encrypted),
            Self::SerializedStore => (
                "Only Windows reads it: open it there (certmgr), select the certificates and export them as PKCS#7 (.p7b).",
                &[],
            ),
            Self::Sqlite => (
                "If it is NSS's, certutil -L with -d sql: and its folder lists what is there, and pk12util with -o, -n \
                 and -d exports a certificate with its key as PKCS#12.",
                &[],
            ),
            Self::Keychain => (
                "Open it in Keychain Access on the Mac, select certificate and key and export them as .p12.",
                &[],
            ),
            Self::AnsibleVault => ("Ansible opens it with its password.", &[Command::ANSIBLE_VAULT]),
            Self::OpensslEnc => (
                "Which cipher and key derivation opens it is known only to whoever made it: openssl enc -d with the \
                 options that it was made with.",
                &[],
            ),
            Self::Age => (
                "It is encrypted for the holder of a key: age -d with that key opens it.",
                &[],
            ),
            Self::CertificateText => (
                "The lines are made for people; the certificate itself (from its BEGIN to its END line) is missing. Fetch \
                 it again, or print it with openssl x509 and without -noout.",
                &[],
            ),
        }
    }
}

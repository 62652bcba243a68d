//! Which format of another program bytes are. Nothing is said that another reading allows.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{ForeignFormat, SshAlgorithm, ssh};
use crate::read::base64;
use crate::read::line::Lines;
use memchr::memmem;

/// Binary formats, by their first bytes.
pub(in crate::read) fn binary(bytes: &[u8]) -> Option<ForeignFormat> {
    Some(match bytes {
        [0x1F, 0x8B, ..] => ForeignFormat::Gzip,
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => ForeignFormat::Bzip2,
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => ForeignFormat::Xz,
        [0x28, 0xB5, 0x2F, 0xFD, ..] => ForeignFormat::Zstd,
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => ForeignFormat::Zip,
        [b'7', b'z', 0xBC, 0xAF, 0x27, 0x1C, ..] => ForeignFormat::SevenZip,
        [0x1E, 0xF1, 0xB5, 0xB0, ..] => pvk(bytes),
        [6 | 7, 2 | 3, 0, 0, ..] => key_blob(bytes)?,
        [0, 0, 0, 0, b'C', b'E', b'R', b'T', ..] => ForeignFormat::SerializedStore,
        [b'k', b'y', b'c', b'h', 0, 1, 0, 0, ..] => ForeignFormat::Keychain,
        _ if bytes.starts_with(b"SQLite format 3\0") => ForeignFormat::Sqlite,
        _ if bytes.starts_with(b"Salted__") => ForeignFormat::OpensslEnc,
        _ if bytes.starts_with(b"age-encryption.org/v1\n") => ForeignFormat::Age,
        _ if bytes.get(257..262) == Some(&b"ustar"[..]) => ForeignFormat::Tar,
        [0, 0, 0, 0..=2, 0, 0, 0, 20, ..] => bouncy_castle(bytes)?,
        [first, ..] if *first >= 0x80 => open_pgp(bytes)?,
        _ => return None,
    })
}

/// BLOBHEADER of the Windows API: kind, version, two zeros, algorithm, then who it is for.
fn key_blob(bytes: &[u8]) -> Option<ForeignFormat> {
    match (bytes.first()?, bytes.get(8..12)?) {
        (7, b"RSA2") => Some(ForeignFormat::KeyBlob { dsa: false }),
        (7, b"DSS2" | b"DSS4") => Some(ForeignFormat::KeyBlob { dsa: true }),
        (6, b"RSA1" | b"DSS1" | b"DSS3") => Some(ForeignFormat::PublicKeyBlob),
        _ => None,
    }
}

/// Magic, zeros, use, whether it is encrypted, lengths of salt and key, salt, then a BLOBHEADER whose algorithm is in the
/// clear.
fn pvk(bytes: &[u8]) -> ForeignFormat {
    let number = |at: usize| {
        let four = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
        four.map_or(0, |four| u32::from_le_bytes(*four))
    };
    let salt_bytes = usize::try_from(number(16)).unwrap_or(usize::MAX);
    let dsa = number(salt_bytes.saturating_add(28)) == CALG_DSS_SIGN;
    ForeignFormat::Pvk {
        dsa,
        encrypted: number(12) != 0,
    }
}

/// BKS and UBER begin with version, salt of 20 bytes and a count of iterations; then BKS has its entries in the clear: a
/// type from 1 to 4 and an alias, or 0 at their end. UBER is encrypted there, in blocks of 16 bytes.
fn bouncy_castle(bytes: &[u8]) -> Option<ForeignFormat> {
    let entries = bytes.get(32..)?;
    let is_plain = match entries {
        [0, rest @ ..] => rest.len() == 20,
        [1..=4, high, low, alias @ ..] => usize::from(u16::from_be_bytes([*high, *low])) < alias.len(),
        _ => false,
    };
    match (is_plain, bytes.get(3)) {
        (true, _) => Some(ForeignFormat::Bks),
        (false, Some(0 | 1)) if entries.len().is_multiple_of(16) => Some(ForeignFormat::Uber),
        _ => None,
    }
}

/// The first packet (RFC 9580, section 4.2): a public or a secret key, version 3 to 6.
fn open_pgp(bytes: &[u8]) -> Option<ForeignFormat> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (tag, version) = if first & 0x40 == 0 {
        let length = [1, 2, 4].get(usize::from(first & 3)).copied()?;
        ((first >> 2) & 0x0F, bytes.get(1_usize.saturating_add(length))?)
    } else {
        let length: usize = match second {
            0..192 => 1,
            192..224 => 2,
            255 => 5,
            _ => return None,
        };
        (first & 0x3F, bytes.get(1_usize.saturating_add(length))?)
    };
    match (tag, version) {
        (5, 3..=6) => Some(ForeignFormat::PgpPrivateKey),
        (6, 3..=6) => Some(ForeignFormat::Pgp),
        _ => None,
    }
}

/// Blocks of PEM whose label names another program's format; `content` is what the base64 decodes to.
pub(in crate::read) fn labelled(label: &str, content: &[u8]) -> Option<ForeignFormat> {
    Some(match label {
        "OPENSSH PRIVATE KEY" => ssh::recognise(content),
        "TSS2 PRIVATE KEY" | "TSS2 KEY BLOB" => ForeignFormat::TpmKey,
        "PKCS#11 PROVIDER URI" => ForeignFormat::Pkcs11Uri,
        "AGE ENCRYPTED FILE" => ForeignFormat::Age,
        _ => return None,
    })
}

/// Text in which no PEM was found, or only some that makes no sense as it stands.
pub(in crate::read) fn text(text: &[u8]) -> Option<ForeignFormat> {
    let trimmed = text.trim_ascii();
    let has = |part: &[u8]| memmem::find(trimmed, part).is_some();
    let begins = |part: &str| trimmed.starts_with(part.as_bytes());
    if begins("PuTTY-User-Key-File-") {
        return Some(putty(trimmed));
    }
    if has(b"-----BEGIN PGP PRIVATE KEY BLOCK") {
        return Some(ForeignFormat::PgpPrivateKey);
    }
    if has(b"-----BEGIN PGP ") {
        return Some(ForeignFormat::Pgp);
    }
    if begins("---- BEGIN SSH2 PUBLIC KEY ----") {
        return Some(ForeignFormat::SshPublicKey);
    }
    if begins("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----") {
        return Some(ssh_com(trimmed));
    }
    if let Some(format) = ssh_public(trimmed) {
        return Some(format);
    }
    if begins("pkcs11:") {
        return Some(ForeignFormat::Pkcs11Uri);
    }
    if begins("$ANSIBLE_VAULT;") {
        return Some(ForeignFormat::AnsibleVault);
    }
    if begins("{") || begins("[") {
        return json(trimmed);
    }
    if begins("<") {
        let is_xml = has(b"X509Certificate>");
        return Some(if is_xml {
            ForeignFormat::XmlWithCertificates
        } else {
            ForeignFormat::Html
        });
    }
    if let Some(format) = mail(trimmed) {
        return Some(format);
    }
    if has_base64_of_pem(trimmed) && !trimmed.starts_with(BASE64_OF_BEGIN[0].as_bytes()) {
        return Some(among_others(trimmed));
    }
    if begins("Certificate:") && has(b"Data:") && has(b"Serial Number") {
        return Some(ForeignFormat::CertificateText);
    }
    None
}

/// What stands in base64 beside PEM that was read: nothing of it may be lost without a word.
pub(in crate::read) fn beside(text: &[u8]) -> Option<ForeignFormat> {
    let trimmed = text.trim_ascii();
    let is_long = |at: usize| {
        let run = trimmed.get(at..).unwrap_or_default().iter();
        let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        run.take_while(is_base64).take(MENTION).count() == MENTION
    };
    let mut places = BASE64_OF_BEGIN
        .iter()
        .flat_map(|part| memmem::find_iter(trimmed, part.as_bytes()));
    places
        .any(is_long)
        .then(|| json(trimmed).unwrap_or(ForeignFormat::TextWithMixedPem))
}

fn has_base64_of_pem(text: &[u8]) -> bool {
    BASE64_OF_BEGIN
        .iter()
        .any(|part| memmem::find(text, part.as_bytes()).is_some())
}

/// Whether each PEM stands in one line and begins there, which a short command finds, and no plain one beside it.
fn among_others(text: &[u8]) -> ForeignFormat {
    let [first, others @ ..] = BASE64_OF_BEGIN;
    let has = |part: &str| memmem::find(text, part.as_bytes()).is_some();
    let is_whole = |at: usize| {
        let run = text.get(at..).unwrap_or_default();
        let end = run
            .iter()
            .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')));
        let run = run.get(..end.unwrap_or(run.len())).unwrap_or_default();
        let decoded = base64::careful(std::iter::once((1, run)), true);
        decoded.is_ok_and(|pem| memmem::rfind(&pem, b"-----END ").is_some())
    };
    let is_simple = !has("-----BEGIN ")
        && !others.iter().any(|part| has(part))
        && memmem::find_iter(text, first.as_bytes()).all(is_whole);
    if is_simple {
        ForeignFormat::TextWithBase64Pem
    } else {
        ForeignFormat::TextWithMixedPem
    }
}

/// A key of ssh.com: header fields as `Name: value`, continued behind a backslash, then base64.
fn ssh_com(text: &[u8]) -> ForeignFormat {
    let mut is_continued = false;
    let body = Lines::new(text)
        .skip(1)
        .take_while(|line| !line.raw.starts_with(b"----"))
        .filter(|line| {
            let is_header = is_continued || line.raw.contains(&b':');
            is_continued = is_header && line.raw.ends_with(b"\\");
            !is_header
        })
        .map(|line| (line.number, line.raw))
        .collect::<Vec<_>>();
    ssh::recognise_ssh_com(&base64::careful(body.into_iter(), true).unwrap_or_default())
}

/// What a file that is base64 as a whole decodes to.
pub(in crate::read) fn inside_base64(decoded: &[u8]) -> Option<ForeignFormat> {
    if memmem::find(decoded, b"-----BEGIN ").is_some() {
        return Some(ForeignFormat::Base64OfPem);
    }
    let is_store = super::super::java::Kind::of(decoded).is_some()
        || matches!(binary(decoded), Some(ForeignFormat::Bks | ForeignFormat::Uber));
    is_store.then_some(ForeignFormat::Base64OfStore)
}

fn putty(text: &[u8]) -> ForeignFormat {
    let value = |name: &[u8]| {
        text.split(|byte| matches!(byte, b'\n' | b'\r'))
            .find_map(|line| line.strip_prefix(name))
            .map(<[u8]>::trim_ascii)
    };
    let first = text
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .next()
        .unwrap_or_default();
    let name = first.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    ForeignFormat::PuttyKey {
        algorithm: ssh::algorithm(name.trim_ascii()),
        encrypted: value(b"Encryption:").is_some_and(|cipher| cipher != b"none"),
    }
}

/// `ssh-ed25519 AAAA.. comment`, a line of `authorized_keys` without options.
fn ssh_public(text: &[u8]) -> Option<ForeignFormat> {
    let mut words = text.split(u8::is_ascii_whitespace);
    let (name, blob) = (words.next()?, words.next()?);
    // Base64 of the length of a name below 64 bytes.
    if !blob.starts_with(b"AAAA") || !name.is_ascii() {
        return None;
    }
    if name.ends_with(b"-cert-v01@openssh.com") {
        return Some(ForeignFormat::SshCertificate);
    }
    let known = !matches!(ssh::algorithm(name), SshAlgorithm::Other);
    known.then_some(ForeignFormat::SshPublicKey)
}

/// Only what begins and ends as JSON does: a configuration may begin with a bracket, too (`[section]`).
fn json(text: &[u8]) -> Option<ForeignFormat> {
    let [open, inside @ .., close] = text else {
        return None;
    };
    let first = inside.trim_ascii_start().first();
    let is_json = match (open, close) {
        (b'{', b'}') => matches!(first, None | Some(b'"')),
        (b'[', b']') => matches!(first, None | Some(b'"' | b'{' | b'[' | b'-' | b'0'..=b'9')),
        _ => false,
    };
    if !is_json {
        return None;
    }
    let has = |part: &[u8]| memmem::find(text, part).is_some();
    Some(if has(b"-----BEGIN ") || has_base64_of_pem(text) {
        ForeignFormat::JsonWithPem
    } else if has(b"\"kty\"") && has(b"\"d\"") && !has(b"\"keys\"") {
        ForeignFormat::JsonWebKey
    } else {
        ForeignFormat::Json
    })
}

/// A header with a content type, then an empty line (RFC 5322, section 2.1).
fn mail(text: &[u8]) -> Option<ForeignFormat> {
    let end = [&b"\n\n"[..], b"\r\n\r\n"]
        .iter()
        .filter_map(|gap| memmem::find(text, gap))
        .min()?;
    let header = text.get(..end.min(LONGEST_HEADER))?.to_ascii_lowercase();
    let has = |part: &[u8]| memmem::find(&header, part).is_some();
    let is_mail = header
        .split(|byte| *byte == b'\n')
        .any(|line| line.starts_with(b"content-type:"))
        && header.split(|byte| *byte == b'\n').all(|line| {
            // A continuation, or `Name: value`; a mailbox file begins its messages with `From `.
            line.first().is_none_or(|byte| byte.is_ascii_whitespace())
                || line.starts_with(b"from ")
                || line.contains(&b':')
        });
    if !is_mail {
        return None;
    }
    Some(if has(b"enveloped-data") || has(b"authenveloped-data") {
        ForeignFormat::EncryptedMail
    } else if has(b"multipart/signed") && has(b"pkcs7-signature") || has(b"pkcs7-mime") {
        ForeignFormat::SignedMail
    } else {
        ForeignFormat::Mail
    })
}

/// `-----BEGIN ` in base64, as far as it does not depend on what stands around it: at the beginning of a group of three
/// bytes, at its second and at its third.
const BASE64_OF_BEGIN: [&str; 3] = ["LS0tLS1CRUdJTi", "0tLS0tQkVHSU4g", "tLS0tLUJFR0lOI"];

/// So many characters of base64 are more than a mention of how PEM begins.
const MENTION: usize = 40;

/// The algorithm identifier of Windows for signatures with DSA.
const CALG_DSS_SIGN: u32 = 0x2200;

/// Headers of mails that went through many hands have some 20 KiB.
const LONGEST_HEADER: usize = 256 << 10;

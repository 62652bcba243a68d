//! Keys of OpenSSH and PuTTY: which command makes PKCS#8 of them depends on the algorithm.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{ForeignFormat, SshAlgorithm};
use crate::Command;

/// What is known without the password: `openssh-key-v1`, cipher, key derivation, its options, number of keys, public key
/// (PROTOCOL.key of OpenSSH).
pub(super) fn recognise(content: &[u8]) -> ForeignFormat {
    let unknown = ForeignFormat::OpenSshKey {
        algorithm: SshAlgorithm::Other,
        encrypted: false,
    };
    let Some(rest) = content.strip_prefix(b"openssh-key-v1\0") else {
        return unknown;
    };
    let Some((cipher, rest)) = string(rest) else {
        return unknown;
    };
    let encrypted = cipher != b"none";
    let algorithm = string(rest)
        .and_then(|(_, rest)| string(rest))
        .and_then(|(_, rest)| rest.get(4..))
        .and_then(string)
        .and_then(|(public, _)| string(public))
        .map_or(SshAlgorithm::Other, |(name, _)| algorithm(name));
    ForeignFormat::OpenSshKey { algorithm, encrypted }
}

/// `ssh-rsa`, `ecdsa-sha2-nistp256`, `sk-ssh-ed25519@openssh.com`.
pub(super) fn algorithm(name: &[u8]) -> SshAlgorithm {
    match name {
        b"ssh-rsa" => SshAlgorithm::Rsa,
        b"ssh-ed25519" => SshAlgorithm::Ed25519,
        b"ssh-dss" => SshAlgorithm::Dsa,
        _ if name.starts_with(b"sk-") => SshAlgorithm::SecurityKey,
        _ if name.starts_with(b"ecdsa-sha2-nistp") => SshAlgorithm::Ecdsa,
        _ => SshAlgorithm::Other,
    }
}

/// RFC 4251, section 5: four bytes of length, then so many bytes.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

pub(super) fn openssh(algorithm: SshAlgorithm, encrypted: bool) -> (&'static str, &'static [Command]) {
    match algorithm {
        SshAlgorithm::Rsa | SshAlgorithm::Ecdsa => (
            "ssh-keygen changes a file in place, so a copy is made first.",
            &[Command::SSH_TO_PKCS8],
        ),
        // ssh-keygen -m PKCS8 leaves such a key as it is and reports success (findings/).
        SshAlgorithm::Ed25519 if encrypted => (
            "ssh-keygen cannot write an Ed25519 key in another form; it takes off the password of a copy, and Python's \
             cryptography writes PKCS#8.",
            &[Command::SSH_UNLOCK, Command::SSH_COPY_BY_PYTHON],
        ),
        SshAlgorithm::Ed25519 => (
            "ssh-keygen cannot write an Ed25519 key in another form; Python's cryptography does.",
            &[Command::SSH_BY_PYTHON],
        ),
        _ => no_tls(algorithm),
    }
}

pub(super) fn putty(algorithm: SshAlgorithm) -> (&'static str, &'static [Command]) {
    match algorithm {
        SshAlgorithm::Rsa | SshAlgorithm::Ecdsa => (
            "PuTTY's own program writes it in the form of OpenSSL.",
            &[Command::PUTTY],
        ),
        SshAlgorithm::Ed25519 => (
            "PuTTY's own program writes it in the form of OpenSSH, and Python's cryptography makes PKCS#8 of that.",
            &[Command::PUTTY, Command::SSH_COPY_BY_PYTHON],
        ),
        _ => no_tls(algorithm),
    }
}

/// What works on a copy takes the block alone where others stand before it.
pub(super) fn of_block(command: Command) -> Command {
    match command {
        Command::SSH_TO_PKCS8 => Command::SSH_BLOCK_TO_PKCS8,
        Command::SSH_UNLOCK => Command::SSH_BLOCK_UNLOCK,
        other => other,
    }
}

/// What is known without the password: a magic number, the length of all, the kind of key, the cipher.
pub(super) fn recognise_ssh_com(content: &[u8]) -> ForeignFormat {
    let mut format = (SshAlgorithm::Other, false);
    if let Some(rest) = content.strip_prefix(&[0x3F, 0x6F, 0xF9, 0xEB])
        && let Some((kind, cipher)) = rest.get(4..).and_then(string)
        && let Some((cipher, _)) = string(cipher)
    {
        let algorithm = if kind.starts_with(b"if-modn{") {
            SshAlgorithm::Rsa
        } else if kind.starts_with(b"dl-modp{") {
            SshAlgorithm::Dsa
        } else {
            SshAlgorithm::Other
        };
        format = (algorithm, cipher != b"none");
    }
    ForeignFormat::SshComKey {
        algorithm: format.0,
        encrypted: format.1,
    }
}

pub(super) fn ssh_com(algorithm: SshAlgorithm, encrypted: bool) -> (&'static str, &'static [Command]) {
    match (algorithm, encrypted) {
        (SshAlgorithm::Rsa, false) => ("OpenSSH writes it in the form of OpenSSL.", &[Command::SSH_COM]),
        // ssh-keygen reads such keys only without a password.
        (SshAlgorithm::Rsa, true) => (
            "PuTTY's own program writes it in the form of OpenSSL.",
            &[Command::PUTTY],
        ),
        _ => no_tls(algorithm),
    }
}

fn no_tls(algorithm: SshAlgorithm) -> (&'static str, &'static [Command]) {
    let reason = match algorithm {
        SshAlgorithm::SecurityKey => {
            "The private part never leaves its security key, so no TLS server can use it. Make a new key."
        }
        SshAlgorithm::Dsa => "TLS 1.3 does not know DSA, and no browser takes it. Make a new key.",
        _ => "It is cut, changed, or for an algorithm that TLS does not know. Fetch it again, or make a new key.",
    };
    (reason, &[])
}

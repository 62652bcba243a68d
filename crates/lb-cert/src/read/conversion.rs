//! The commands that convert what no library of ours decrypts.

use crate::{Command, Place};

/// For an encrypted PKCS#8 key.
pub(crate) fn pkcs8(place: &Place) -> Command {
    if is_text(place) {
        Command::PKCS8_ARMOURED
    } else {
        Command::PKCS8_BINARY
    }
}

/// For a PKCS#12, which openssl reads in its binary form only.
#[cfg(feature = "pkcs12")]
pub(crate) fn pkcs12(place: &Place) -> Command {
    if is_text(place) {
        Command::PKCS12_TEXT
    } else {
        Command::PKCS12_BINARY
    }
}

/// For a key with the encryption of old PEM.
pub(crate) fn legacy(label: &str) -> Command {
    match label {
        "RSA PRIVATE KEY" => Command::LEGACY_RSA,
        "EC PRIVATE KEY" => Command::LEGACY_EC,
        _ => Command::LEGACY_OTHER,
    }
}

/// Whether it stands in text, PEM or bare base64.
fn is_text(place: &Place) -> bool {
    place.line.is_some()
}

//! The commands that convert what no library of ours decrypts. Each is run by a test on the file that it is printed for.

use crate::Place;

/// For an encrypted PKCS#8 key.
pub(crate) fn pkcs8(place: &Place) -> &'static str {
    // `command::filled` minds base64 without armour.
    if is_text(place) {
        "openssl pkcs8 -provider legacy -provider default -in FILE -out out.pem"
    } else {
        "openssl pkcs8 -provider legacy -provider default -inform DER -in FILE -out out.pem"
    }
}

/// For an encrypted PKCS#8 key that botan opens and openssl does not, in any of its spellings.
pub(crate) const BOTAN: &str = "botan pkcs8 --pass-in=- FILE > out.pem";

/// For a PKCS#12, which openssl reads in its binary form only.
#[cfg(feature = "pkcs12")]
pub(crate) fn pkcs12(place: &Place) -> &'static str {
    if is_text(place) {
        "sed -n 'LINE,/-----END/p' FILE | grep -v ^- | base64 -di > out.p12 && \
         openssl pkcs12 -legacy -in out.p12 -nodes -out out.pem"
    } else {
        "openssl pkcs12 -legacy -in FILE -nodes -out out.pem"
    }
}

/// For a key with the encryption of old PEM.
pub(crate) fn legacy(label: &str) -> &'static str {
    match label {
        "RSA PRIVATE KEY" => "openssl rsa -provider legacy -provider default -in FILE -out out.pem",
        "EC PRIVATE KEY" => "openssl ec -provider legacy -provider default -in FILE -out out.pem",
        _ => "openssl pkey -provider legacy -provider default -in FILE -out out.pem",
    }
}

/// Whether it stands in text, PEM or bare base64.
fn is_text(place: &Place) -> bool {
    place.line.is_some()
}

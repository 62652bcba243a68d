//! Pins: the digest of a certificate or key that is trusted by itself.

use crate::identity::hex;
use std::fmt;
use std::str::FromStr;

/// A certificate or public key that is trusted by its SHA-256.
///
/// ```
/// use lb_tls::upstream::Pin;
/// let text = "key-sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
/// let pin: Pin = text.parse()?;
/// assert_eq!(pin.to_string(), text);
/// // as curl writes it (--pinnedpubkey), and with the colons of openssl
/// assert_eq!("sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=".parse(), Ok(pin));
/// assert_eq!("key-sha256:BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD".parse(), Ok(pin));
/// # Ok::<(), lb_tls::upstream::PinError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pin {
    /// SHA-256 of the certificate (DER): `cert-sha256:HEX`. Changes with every renewal.
    Certificate([u8; 32]),
    /// SHA-256 of its public key (subjectPublicKeyInfo): `key-sha256:HEX`. Stays when it is renewed with the same key.
    PublicKey([u8; 32]),
}

/// Why a text is no pin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no pin: write cert-sha256: or key-sha256: and 64 hexadecimal digits, or sha256// and base64 as curl does"
)]
pub struct PinError {
    /// The text, cut to a length that fits a line.
    pub text: String,
}

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let read = |text: &str| {
            let text = text.trim();
            if let Some(rest) = text.strip_prefix("sha256//") {
                return unbase64(rest).map(Self::PublicKey);
            }
            let (kind, digits) = text.split_once(':')?;
            let digest = unhex(digits)?;
            match kind {
                "cert-sha256" => Some(Self::Certificate(digest)),
                "key-sha256" => Some(Self::PublicKey(digest)),
                _ => None,
            }
        };
        read(text).ok_or_else(|| PinError {
            text: text.chars().take(120).collect(),
        })
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(digest) => write!(f, "cert-sha256:{}", hex(digest)),
            Self::PublicKey(digest) => write!(f, "key-sha256:{}", hex(digest)),
        }
    }
}

/// 64 digits, with colons or without.
fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut digits = text
        .chars()
        .filter(|letter| *letter != ':')
        .map(|letter| letter.to_digit(16));
    let mut digest = [0; 32];
    for byte in &mut digest {
        let (high, low) = (digits.next()??, digits.next()??);
        *byte = u8::try_from((high << 4) | low).ok()?;
    }
    digits.next().is_none().then_some(digest)
}

/// 32 bytes: 43 letters and a sign of equality.
fn unbase64(text: &str) -> Option<[u8; 32]> {
    let letters = text.strip_suffix('=')?;
    if letters.len() != 43 {
        return None;
    }
    let mut digest = [0; 32];
    let (mut bits, mut held, mut place) = (0_u32, 0_u32, 0_usize);
    for letter in letters.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter.wrapping_sub(b'A'),
            b'a'..=b'z' => letter.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => letter.wrapping_sub(b'0').wrapping_add(52),
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = ((bits << 6) | u32::from(value)) & 0xffff;
        held = held.saturating_add(6);
        if held >= 8 {
            held = held.saturating_sub(8);
            let byte = digest.get_mut(place)?;
            *byte = u8::try_from((bits >> held) & 0xff).ok()?;
            place = place.saturating_add(1);
        }
    }
    // What is left over must be nothing (RFC 4648, section 3.5).
    let rest = bits & 1_u32.checked_shl(held)?.saturating_sub(1);
    (place == 32 && rest == 0).then_some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pin_is_refused_with_the_form() {
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for wrong in [
            "",
            hex,
            &format!("md5:{hex}"),
            &format!("key-sha256:{hex}00"),
            &format!("key-sha256:{}", &hex[1..]),
            "key-sha256:",
            "sha256//",
            "sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0",
            "sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1=",
            "sha256//ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFaä=",
            &"x".repeat(10_000),
        ] {
            let error = wrong.parse::<Pin>().expect_err(wrong);
            assert!(error.to_string().len() < 400, "{error}");
        }
    }
}

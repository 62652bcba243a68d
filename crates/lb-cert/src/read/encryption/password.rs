//! One password as the bytes that the schemes take. Programs agree for ASCII only; for the rest each spelling that a
//! program of this field writes is tried, the right one first.

use der::zeroize::Zeroizing;

use super::super::Password;

type Spelling = Zeroizing<Vec<u8>>;

/// For the derivation of PKCS#12: UTF-16BE with two zero bytes behind it (RFC 7292, appendix B.1).
pub(super) fn wide(password: &Password) -> Vec<Spelling> {
    let bytes = password.bytes();
    if bytes.is_empty() {
        // "No password" is an empty string to most and nothing at all to others (openssl without -passout, GnuTLS).
        return vec![spelled([0, 0]), spelled([])];
    }
    let each_byte = || widened(bytes.iter().map(|byte| u16::from(*byte)));
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => vec![each_byte()],
        // openssl before 1.1.0 and PKI.js take each byte of the UTF-8 for a character.
        Ok(text) => vec![widened(text.encode_utf16()), each_byte()],
        // Not UTF-8, so most likely Latin-1, whose bytes are their characters; openssl does the same.
        Err(_) => vec![each_byte()],
    }
}

/// For PBKDF2 and scrypt: the bytes, which are UTF-8 for all who agree. With `is_container` what NSS before 3.35 wrote
/// into PKCS#12 too: the spelling of its own derivation.
pub(super) fn narrow(password: &Password, is_container: bool) -> Vec<Spelling> {
    let bytes = password.bytes();
    let mut spellings = vec![spelled(bytes.iter().copied())];
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => {}
        // Bouncy Castle (with HMAC-SHA-1 only) and node-forge take the low byte of each character, whatever the high one.
        Ok(text) => spellings.push(low_bytes(text)),
        Err(_) => {
            let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
            spellings.push(Zeroizing::new(text.into_bytes()));
        }
    }
    if is_container {
        let more = wide(password).into_iter().filter(|spelling| !spelling.is_empty());
        spellings.extend(more);
    }
    spellings
}

/// For the schemes of old, which know bytes only.
pub(super) fn plain(password: &Password) -> Vec<Spelling> {
    narrow(password, false)
}

fn low_bytes(text: &str) -> Spelling {
    spelled(text.encode_utf16().map(|unit| unit.to_be_bytes()[1]))
}

fn widened(units: impl Iterator<Item = u16>) -> Spelling {
    spelled(units.chain([0]).flat_map(u16::to_be_bytes))
}

fn spelled(bytes: impl IntoIterator<Item = u8>) -> Spelling {
    Zeroizing::new(bytes.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spellings(list: Vec<Spelling>) -> Vec<Vec<u8>> {
        list.into_iter().map(|spelling| spelling.to_vec()).collect()
    }

    #[test]
    fn a_letter_outside_the_basic_plane_is_a_pair() {
        // U+1F511: D83D DD11 in UTF-16, F0 9F 94 91 in UTF-8.
        let password = Password::from("\u{1F511}");
        assert_eq!(
            spellings(wide(&password)),
            [
                vec![0xD8, 0x3D, 0xDD, 0x11, 0, 0],
                vec![0, 0xF0, 0, 0x9F, 0, 0x94, 0, 0x91, 0, 0]
            ]
        );
        assert_eq!(
            spellings(narrow(&password, false)),
            [vec![0xF0, 0x9F, 0x94, 0x91], vec![0x3D, 0x11]]
        );
        // The euro sign is U+20AC, as Bouncy Castle 1.72 writes it with HMAC-SHA-1.
        assert_eq!(spellings(narrow(&"\u{20AC}".into(), false))[1], [0xAC]);
    }

    #[test]
    fn ascii_has_one_spelling_and_nothing_two() {
        assert_eq!(spellings(wide(&"ab".into())), [[0, 0x61, 0, 0x62, 0, 0]]);
        assert_eq!(spellings(narrow(&"ab".into(), false)), [b"ab"]);
        assert_eq!(spellings(wide(&"".into())), [vec![0, 0], vec![]]);
        assert_eq!(spellings(narrow(&"".into(), true)), [vec![], vec![0, 0]]);
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_latin_1() {
        let password = Password::new(b"p\xE4ss".to_vec());
        assert_eq!(spellings(wide(&password)), spellings(wide(&"p\u{E4}ss".into()))[..1]);
        assert_eq!(
            spellings(narrow(&password, false)),
            [&b"p\xE4ss"[..], "p\u{E4}ss".as_bytes()]
        );
        // And the other way round: UTF-8 given, low bytes meant.
        assert_eq!(
            spellings(narrow(&"p\u{E4}ss".into(), false)),
            ["p\u{E4}ss".as_bytes(), &b"p\xE4ss"[..]]
        );
    }
}

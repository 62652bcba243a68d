//! BEGIN and END lines: as they must be, and as they are when something happened to them.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

/// A BEGIN or END line as it must be, with its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Armour<'a> {
    Begin(&'a [u8]),
    End(&'a [u8]),
}

/// What is wrong with a line that was meant to be armour, and at which column.
pub(super) type Damage = (&'static str, usize);

/// Reads a line without blanks around it; `None` when it is not meant to be armour. Inside a block (`inside`) every
/// line that begins with a minus sign and names BEGIN or END is.
pub(super) fn parse(line: &[u8], inside: bool) -> Option<Result<Armour<'_>, Damage>> {
    if let Some(rest) = line.strip_prefix(b"-----BEGIN ")
        && let Some(label) = label(rest)
    {
        return Some(Ok(Armour::Begin(label)));
    }
    if let Some(rest) = line.strip_prefix(b"-----END ")
        && let Some(label) = label(rest)
    {
        return Some(Ok(Armour::End(label)));
    }
    damaged(line, inside).map(Err)
}

/// Is this all that is left of a BEGIN line? Asked of the last line only, when it has no end.
pub(super) fn is_cut(line: &[u8]) -> bool {
    line.len() >= b"-----".len() && b"-----BEGIN ".starts_with(line)
}

/// A label between the word and five minus signs, which end the line.
fn label(rest: &[u8]) -> Option<&[u8]> {
    let label = rest.strip_suffix(b"-----")?;
    let plain = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let fits = matches!((label.first(), label.last()), (Some(first), Some(last))
        if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric());
    // Two armour lines glued together hold dashes inside.
    (fits && label.iter().all(plain) && !label.windows(2).any(|pair| pair == b"--")).then_some(label)
}

fn damaged(line: &[u8], inside: bool) -> Option<Damage> {
    if line.len() > 2 * LONGEST_LABEL && !contains(line, b"-----BEGIN ") && !contains(line, b"-----END ") {
        return None;
    }
    let text = String::from_utf8_lossy(line);
    let before = text.chars().take_while(|found| is_dash(*found)).count();
    let rest = text.trim_start_matches(is_dash);
    let after = rest.chars().rev().take_while(|found| is_dash(*found)).count();
    let core = rest.trim_end_matches(is_dash);
    let upper = core.trim().to_ascii_uppercase();
    let word = if upper.starts_with("BEGIN") { "BEGIN" } else { "END" };
    let Some(named) = upper.strip_prefix(word) else {
        // Something before the dashes: text that mentions armour has blanks there, a damaged line has not.
        let at = [text.find("-----BEGIN "), text.find("-----END ")]
            .into_iter()
            .flatten()
            .min()?;
        let prefix = text.get(..at)?;
        return (!prefix.contains(char::is_whitespace)).then_some(("other characters before the minus signs", 1));
    };
    let named = named.trim();
    let known = LABELS.contains(&named);
    let glued = contains(line, b"-----END ") && contains(line, b"-----BEGIN ");
    let meant = known || glued || (inside && before > 0) || (before >= 2 && after >= 2 && !named.is_empty());
    if !meant {
        let strict = contains(line, b"-----BEGIN ") || contains(line, b"-----END ");
        return (strict && before == 5).then_some(("other characters behind the label", line.len()));
    }
    let strange = |part: &str| part.chars().filter(|found| is_dash(*found)).any(|found| found != '-');
    let column_after = text.chars().count().saturating_sub(after).saturating_add(1);
    Some(if glued {
        ("an END and a BEGIN line in one line", 1)
    } else if strange(&text) && !core.chars().any(is_dash) {
        ("a dash that is not the minus sign", 1)
    } else if before < 5 {
        ("fewer than 5 minus signs before the word", 1)
    } else if before > 5 {
        ("more than 5 minus signs before the word", 1)
    } else if after < 5 {
        ("fewer than 5 minus signs behind the label", column_after)
    } else if after > 5 {
        ("more than 5 minus signs behind the label", column_after)
    } else if core != core.to_ascii_uppercase() {
        ("not in capital letters", 6)
    } else if named.is_empty() {
        ("no label", 6)
    } else {
        ("not one blank between word and label", 6)
    })
}

/// Whether a block of this label is known.
pub(super) fn is_known(label: &str) -> bool {
    LABELS.contains(&label)
}

/// The minus sign and what word processors make of it.
pub(super) fn is_dash(found: char) -> bool {
    matches!(
        found,
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ad}' | '\u{fe63}' | '\u{ff0d}'
    )
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}

/// Whether a line is base64 and nothing else, and not a short word.
pub(super) fn is_base64(line: &[u8]) -> bool {
    !line.is_empty()
        && line
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// What a source without any block looks like, for the message.
pub(super) fn looks_like(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xFE, 0xED, 0xFE, 0xED, ..] => "it is a Java key store (JKS): keytool -importkeystore -deststoretype PKCS12",
        [0xCE, 0xCE, 0xCE, 0xCE, ..] => "it is a Java key store (JCEKS): keytool -importkeystore -deststoretype PKCS12",
        [b'P', b'K', 3, 4, ..] => "it is a ZIP archive",
        [0x1F, 0x8B, ..] => "it is compressed with gzip",
        _ if bytes.starts_with(b"PuTTY-User-Key-File") => "it is a PuTTY key: export it from PuTTYgen as OpenSSH",
        _ if bytes.starts_with(b"ssh-") || bytes.starts_with(b"ecdsa-") => "it is an SSH public key",
        _ if bytes.iter().take(512).any(|byte| *byte < 9) => "binary data",
        _ if bytes.trim_ascii_start().starts_with(b"<") => "it is HTML or XML, perhaps the error page of a download",
        _ if bytes.trim_ascii_start().starts_with(b"{") => "it is JSON",
        _ => "text without BEGIN and END lines",
    }
}

/// Labels by which a line is known as armour even when all minus signs are gone.
const LABELS: [&str; 20] = [
    "CERTIFICATE",
    "X509 CERTIFICATE",
    "TRUSTED CERTIFICATE",
    "CERTIFICATE REQUEST",
    "NEW CERTIFICATE REQUEST",
    "PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "DSA PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "PUBLIC KEY",
    "RSA PUBLIC KEY",
    "PKCS7",
    "CMS",
    "PKCS12",
    "X509 CRL",
    "DH PARAMETERS",
    "EC PARAMETERS",
    "OPENSSH PRIVATE KEY",
    "SSH2 PUBLIC KEY",
];

/// The longest label of use has 23 characters.
const LONGEST_LABEL: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn damage(line: &str) -> Option<Damage> {
        parse(line.as_bytes(), false).and_then(Result::err)
    }

    #[test]
    fn a_right_line_gives_its_label() {
        assert_eq!(
            parse(b"-----BEGIN X509 CRL-----", false),
            Some(Ok(Armour::Begin(b"X509 CRL")))
        );
        assert_eq!(
            parse(b"-----END PKCS #7 SIGNED DATA-----", true),
            Some(Ok(Armour::End(b"PKCS #7 SIGNED DATA")))
        );
    }

    #[test]
    fn s_pem_02_missing_and_short_dashes_are_found() {
        assert_eq!(
            damage("----BEGIN CERTIFICATE-----"),
            Some(("fewer than 5 minus signs before the word", 1))
        );
        assert_eq!(
            damage("------BEGIN CERTIFICATE-----"),
            Some(("more than 5 minus signs before the word", 1))
        );
        assert_eq!(
            damage("BEGIN CERTIFICATE"),
            Some(("fewer than 5 minus signs before the word", 1))
        );
        assert_eq!(
            damage("END RSA PRIVATE KEY-----"),
            Some(("fewer than 5 minus signs before the word", 1))
        );
        assert_eq!(
            damage("-----END CERTIFICATE---"),
            Some(("fewer than 5 minus signs behind the label", 21))
        );
        assert_eq!(
            damage("-----END CERTIFICATE"),
            Some(("fewer than 5 minus signs behind the label", 21))
        );
        assert_eq!(
            damage("-----BEGIN CERTIFICATE------"),
            Some(("more than 5 minus signs behind the label", 23))
        );
        assert_eq!(
            damage("-----begin certificate-----"),
            Some(("not in capital letters", 6))
        );
        assert_eq!(
            damage("-----BEGINCERTIFICATE-----"),
            Some(("not one blank between word and label", 6))
        );
        assert_eq!(
            damage("—–BEGIN CERTIFICATE—–"),
            Some(("a dash that is not the minus sign", 1))
        );
        assert_eq!(
            damage("x-----BEGIN CERTIFICATE-----"),
            Some(("other characters before the minus signs", 1))
        );
        assert_eq!(
            damage("-----END CERTIFICATE----------BEGIN CERTIFICATE-----"),
            Some(("an END and a BEGIN line in one line", 1))
        );
    }

    #[test]
    fn a_begin_line_that_the_end_of_the_file_cut_is_told_from_text() {
        for cut in ["-----", "-----B", "-----BEGIN", "-----BEGIN "] {
            assert!(is_cut(cut.as_bytes()), "{cut}");
        }
        for text in ["", "----", "------", "-----END", "----- and so on", "BEGIN "] {
            assert!(!is_cut(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn text_that_mentions_armour_is_text() {
        for line in [
            "Copy everything from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----",
            "begin with the server certificate",
            "- end of the instructions",
            "---",
            "-- The END --",
            "Certificate chain",
        ] {
            assert_eq!(parse(line.as_bytes(), false), None, "{line}");
        }
    }
}

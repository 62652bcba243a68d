//! Characters that look like ASCII, or like nothing, and are not: they come along when text is copied from a web page,
//! a chat or a word processor.

use std::borrow::Cow;

/// Is it one of them?
pub(crate) fn is_odd(c: char) -> bool {
    row(c).is_some()
}

/// What it is meant to be: `None` when it is no such character, nothing when it cannot be seen.
pub(crate) fn meant(c: char) -> Option<Cow<'static, str>> {
    match row(c)? {
        Row::Listed(_, meant) => Some(meant.into()),
        Row::Wide(ascii) => Some(ascii.to_string().into()),
    }
}

/// `U+201C (left double quotation mark)`: its number, and its name if people may not know it by its look.
pub(crate) fn describe(c: char) -> String {
    let number = format!("U+{:04X}", u32::from(c));
    match row(c) {
        Some(Row::Listed(name, _)) => format!("{number} ({name})"),
        Some(Row::Wide(ascii)) => format!("{number} (a full-width `{ascii}`)"),
        None if c.is_control() => format!("{number} (a control character)"),
        None => format!("`{c}` ({number})"),
    }
}

/// The first of them in `text`.
pub(crate) fn first(text: &str) -> Option<char> {
    text.chars().find(|c| is_odd(*c) || c.is_control())
}

/// `text` with what its odd characters are meant to be.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .map(|c| meant(c).unwrap_or_else(|| c.to_string().into()))
        .collect()
}

enum Row {
    /// Its name, and what it is meant to be.
    Listed(&'static str, &'static str),
    /// A letter, digit or sign of East Asian typing: Unicode, block Halfwidth and Fullwidth Forms.
    Wide(char),
}

fn row(c: char) -> Option<Row> {
    if c.is_ascii() {
        return None;
    }
    let number = u32::from(c);
    if (0xff01..=0xff5e).contains(&number) {
        return number.checked_sub(0xfee0).and_then(char::from_u32).map(Row::Wide);
    }
    ODD.iter()
        .find(|(first, last, ..)| (*first..=*last).contains(&c))
        .map(|(_, _, name, meant)| Row::Listed(name, meant))
}

/// From, to, name, what it is meant to be. Names: Unicode Character Database.
const ODD: &[(char, char, &str, &str)] = &[
    ('\u{85}', '\u{85}', "next line", " "),
    ('\u{a0}', '\u{a0}', "no-break space", " "),
    ('\u{ab}', '\u{ab}', "left-pointing double angle quotation mark", "\""),
    ('\u{ad}', '\u{ad}', "soft hyphen, which cannot be seen", ""),
    ('\u{b4}', '\u{b4}', "acute accent", "'"),
    ('\u{bb}', '\u{bb}', "right-pointing double angle quotation mark", "\""),
    ('\u{1680}', '\u{1680}', "ogham space mark", " "),
    (
        '\u{180e}',
        '\u{180e}',
        "mongolian vowel separator, which cannot be seen",
        "",
    ),
    ('\u{2000}', '\u{200a}', "a typographic space", " "),
    ('\u{200b}', '\u{200b}', "zero-width space, which cannot be seen", ""),
    ('\u{200c}', '\u{200d}', "zero-width joiner, which cannot be seen", ""),
    ('\u{200e}', '\u{200f}', "direction mark, which cannot be seen", ""),
    ('\u{2010}', '\u{2015}', "a typographic dash", "-"),
    ('\u{2018}', '\u{2018}', "left single quotation mark", "'"),
    ('\u{2019}', '\u{2019}', "right single quotation mark", "'"),
    ('\u{201a}', '\u{201b}', "typographic single quotation mark", "'"),
    ('\u{201c}', '\u{201c}', "left double quotation mark", "\""),
    ('\u{201d}', '\u{201d}', "right double quotation mark", "\""),
    ('\u{201e}', '\u{201f}', "typographic double quotation mark", "\""),
    ('\u{2024}', '\u{2024}', "one dot leader", "."),
    ('\u{2028}', '\u{2028}', "line separator", " "),
    ('\u{2029}', '\u{2029}', "paragraph separator", " "),
    ('\u{202a}', '\u{202e}', "direction mark, which cannot be seen", ""),
    ('\u{202f}', '\u{202f}', "narrow no-break space", " "),
    ('\u{2032}', '\u{2032}', "prime", "'"),
    ('\u{2033}', '\u{2033}', "double prime", "\""),
    ('\u{2039}', '\u{203a}', "single angle quotation mark", "'"),
    ('\u{205f}', '\u{205f}', "medium mathematical space", " "),
    ('\u{2060}', '\u{2064}', "word joiner, which cannot be seen", ""),
    ('\u{2066}', '\u{206f}', "direction mark, which cannot be seen", ""),
    ('\u{2212}', '\u{2212}', "minus sign", "-"),
    ('\u{2236}', '\u{2236}', "ratio", ":"),
    ('\u{3000}', '\u{3000}', "ideographic space", " "),
    ('\u{3001}', '\u{3001}', "ideographic comma", ","),
    ('\u{3002}', '\u{3002}', "ideographic full stop", "."),
    ('\u{300c}', '\u{300f}', "corner bracket", "\""),
    ('\u{301d}', '\u{301f}', "double prime quotation mark", "\""),
    ('\u{a789}', '\u{a789}', "modifier letter colon", ":"),
    ('\u{feff}', '\u{feff}', "byte order mark, which cannot be seen", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_ascii_is_known_with_its_number_and_its_meaning() {
        assert_eq!(describe('\u{a0}'), "U+00A0 (no-break space)");
        assert_eq!(describe('“'), "U+201C (left double quotation mark)");
        assert_eq!(describe('８'), "U+FF18 (a full-width `8`)");
        assert_eq!(describe('\0'), "U+0000 (a control character)");
        assert_eq!(describe('ä'), "`ä` (U+00E4)");
        assert_eq!(plain("１0.0.0.1：80\u{200b}"), "10.0.0.1:80");
        assert_eq!(plain("name\u{a0}= “web”"), "name = \"web\"");
        for c in ['a', '"', ' ', 'ä', '中'] {
            assert!(!is_odd(c), "{c}");
        }
        assert_eq!(first("10.0.0.1:80\u{feff}"), Some('\u{feff}'));
        assert_eq!(first("büro"), None);
    }

    #[test]
    fn the_table_is_in_order_and_without_overlap() {
        for pair in ODD.windows(2) {
            assert!(pair[0].1 < pair[1].0, "{pair:?}");
        }
        for (from, to, ..) in ODD {
            assert!(from <= to && !from.is_ascii());
        }
    }
}

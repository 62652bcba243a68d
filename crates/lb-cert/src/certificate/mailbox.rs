//! A mailbox as certificates hold it: RFC 5321, section 4.1.2, with a host behind the `@` (RFC 5280, section 4.2.1.6).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Cow;

/// A mailbox in its two parts. Equal ones reach the same person: the local part is compared letter by letter as it is
/// meant (`"jo"` is `jo`), the host without regard to case.
#[derive(Debug, Clone)]
pub(crate) struct Mailbox<'a> {
    local: Cow<'a, str>,
    host: &'a str,
}

impl<'a> Mailbox<'a> {
    /// Reads `dot-atom@host` or `"quoted string"@host`; nothing for whatever else.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (local, host) = match text.strip_prefix('"') {
            Some(rest) => {
                let (local, rest) = quoted(rest)?;
                (Cow::Owned(local), rest.strip_prefix('@')?)
            }
            None => {
                let (local, host) = text.split_once('@')?;
                if !is_dot_atom(local) {
                    return None;
                }
                (Cow::Borrowed(local), host)
            }
        };
        // RFC 5321, section 4.5.3.1.1
        let is_short = (1..=64).contains(&local.len());
        (is_short && super::host::is_host(host)).then_some(Self { local, host })
    }

    pub(crate) const fn host(&self) -> &'a str {
        self.host
    }
}

impl PartialEq for Mailbox<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.local == other.local && self.host.eq_ignore_ascii_case(other.host)
    }
}

/// Words of letters, digits and some signs with single dots between them (RFC 5322, section 3.2.3).
fn is_dot_atom(text: &str) -> bool {
    const SIGNS: &[u8] = b"!#$%&'*+-/=?^_`{|}~";
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || SIGNS.contains(&byte))
    };
    text.split('.').all(is_word)
}

/// What stands between the quotes, and what follows them. A backslash stands for the character behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut local = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((local, text.get(at.checked_add(1)?..)?)),
            '\\' => local.push(letters.next().map(|(_, letter)| letter).filter(is_printable)?),
            letter if is_printable(&letter) => local.push(letter),
            _ => return None,
        }
    }
    None
}

fn is_printable(letter: &char) -> bool {
    (' '..='~').contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_a_dot_atom_or_a_quoted_string_an_at_and_a_host() {
        // RFC 5321, section 4.1.2; RFC 3696, section 3, has most of these.
        for good in [
            "jo@example.com",
            "first.last+tag@mail.example.com",
            "*@example.com",
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "\"a b\"@example.com",
            "\"a@b\"@example.com",
            "\"Fred \\\"quota\\\" Bloggs\"@example.com",
            "\"back\\\\slash\"@example.com",
            "\"..\"@example.com",
            "jo@localhost",
        ] {
            assert!(Mailbox::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "@",
            "jo",
            "jo@",
            "@example.com",
            "a@b@example.com",
            "a b@example.com",
            ".jo@example.com",
            "jo.@example.com",
            "j..o@example.com",
            "Jo <jo@example.com>",
            "<jo@example.com>",
            "jo(comment)@example.com",
            "\"jo@example.com",
            "\"jo\"example.com",
            "\"jo\"x@example.com",
            "x\"jo\"@example.com",
            "\"\"@example.com",
            "\"jo\\\"@example.com",
            "\"a\tb\"@example.com",
            "jo@example..com",
            "jo@.example.com",
            "jo@-example.com",
            "jo@exa mple.com",
            "jo@example.com.",
            "jo@[192.0.2.1]",
            "jo@192.0.2.1",
            "jo@example.com\0",
            "jö@example.com",
        ] {
            assert!(Mailbox::parse(bad).is_none(), "{bad}");
        }
        let longest = "a".repeat(64);
        assert!(Mailbox::parse(&format!("{longest}@example.com")).is_some());
        assert!(Mailbox::parse(&format!("{longest}a@example.com")).is_none());
    }

    #[test]
    fn two_ways_to_write_a_mailbox_are_one_mailbox() {
        let same = |one: &str, other: &str| Mailbox::parse(one).expect(one) == Mailbox::parse(other).expect(other);
        assert!(same("jo@example.com", "\"jo\"@EXAMPLE.com"));
        assert!(same("\"j\\o\"@example.com", "jo@example.com"));
        assert!(!same("Jo@example.com", "jo@example.com"));
        assert!(!same("\"a b\"@example.com", "ab@example.com"));
        assert!(!same("jo@example.com", "jo@www.example.com"));
    }
}

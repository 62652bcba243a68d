//! What other programs write before each line: its number (`cat -n`, `grep -n`, an editor), the name of the file or of a
//! container.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

/// What stands before the BEGIN line, and so before each line of its block.
#[derive(Clone, Debug)]
pub(super) struct Margin {
    /// Before the number.
    before: String,
    /// The number of the line, if there is one.
    number: Option<u64>,
    /// Behind the number, blanks left out.
    behind: String,
}

impl Margin {
    /// `None` for what could belong to base64, so that nothing would be certain.
    pub(super) fn of(text: &str) -> Option<Self> {
        let text = text.trim_start();
        let is_separator = |letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '='));
        if !text.contains(char::is_alphanumeric) || !text.ends_with(is_separator) {
            return None;
        }
        let named = text.trim_end_matches(is_separator);
        let digits = named
            .len()
            .saturating_sub(named.trim_end_matches(|letter: char| letter.is_ascii_digit()).len());
        let start = named.len().saturating_sub(digits);
        let number = named.get(start..).and_then(|digits| digits.parse().ok());
        let before = if number.is_some() {
            named.get(..start)?
        } else {
            text.trim_end()
        };
        let behind = if number.is_some() {
            text.get(named.len()..)?.trim()
        } else {
            ""
        };
        Some(Self {
            before: before.to_owned(),
            number,
            behind: behind.to_owned(),
        })
    }

    /// The line without what stands before it; `None` when it has not the next number, or another name.
    pub(super) fn strip(&mut self, line: &str) -> Option<String> {
        let rest = line.trim_start().strip_prefix(self.before.as_str())?;
        let Some(number) = self.number else {
            return Some(rest.to_owned());
        };
        let rest = rest.trim_start();
        let bare = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let found: u64 = rest.get(..rest.len().checked_sub(bare.len())?)?.parse().ok()?;
        let is_apart = bare.is_empty() || bare.starts_with([' ', '\t']) || !self.behind.is_empty();
        let rest = bare.trim_start().strip_prefix(self.behind.as_str())?;
        // The same number again is a name that ends with a digit: `web-1 |`.
        let is_next = found == number.checked_add(1)? || found == number;
        (is_next && is_apart).then(|| {
            self.number = Some(found);
            rest.to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_no_part_of_a_line() {
        for (before, line, bare) in [
            ("1: ", "2: MIIB", Some(" MIIB")),
            ("     1\t", "     2\tMIIB", Some("MIIB")),
            ("9:", "10:MIIB", Some("MIIB")),
            ("a.pem:3:", "a.pem:4:MIIB", Some("MIIB")),
            ("a.pem:", "a.pem:MIIB", Some("MIIB")),
            ("web-1  | ", "web-1  | MIIB", Some(" MIIB")),
            ("1: ", "3: MIIB", None),
            ("1 ", "2MIIB", None),
            ("1: ", "MIIB", None),
        ] {
            let found = Margin::of(before).and_then(|mut margin| margin.strip(line));
            assert_eq!(
                found.as_deref().map(str::trim),
                bare.map(str::trim),
                "{before:?} {line:?}"
            );
        }
        assert!(Margin::of("").is_none() && Margin::of("# ").is_none() && Margin::of("12").is_none());
    }
}

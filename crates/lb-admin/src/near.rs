//! Names that may have been meant.

/// The known name that `word` is a slip of: at most one letter in three differs. Words of more than 128 bytes are no
/// slips; comparing costs the product of the lengths.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let plain = |text: &str| text.to_ascii_lowercase().replace('_', "-");
    let word = plain(word);
    known
        .map(|name| (strsim::damerau_levenshtein(&word, &plain(name)), name))
        .filter(|(distance, name)| *distance <= name.len().min(word.len()).div_ceil(3).min(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

const LONGEST: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let near = |word| nearest(word, ["app", "static", "10.0.0.1:80"].into_iter());
        assert_eq!(near("ap"), Some("app"));
        assert_eq!(near("statics"), Some("static"));
        assert_eq!(near("10.0.0.1:81"), Some("10.0.0.1:80"));
        assert_eq!(near("database"), None);
        assert_eq!(near(&"a".repeat(100_000)), None);
    }
}

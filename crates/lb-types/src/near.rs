use std::string::String;

/// The known word that `word` is a slip of: at most one letter in three differs, and no more than three; of equally near
/// words the first. Capital letters count as small ones, and `-`, `_`, `.` and a space are one sign.
///
/// For people who wrote a word that is none: costs the product of the lengths for each word known, and allocates. Words of
/// more than 128 bytes are no slips.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = plain(word);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&word, &plain(name)), name))
        .filter(|(distance, name)| *distance <= name.len().min(word.len()).div_ceil(3).min(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

fn plain(word: &str) -> String {
    word.to_ascii_lowercase().replace(['-', ' ', '.'], "_")
}

/// Comparing longer words would cost more than they can be worth.
const LONGEST: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let near = |word| nearest(word, ["app", "static", "10.0.0.1:80", "least_conn"]);
        assert_eq!(near("ap"), Some("app"));
        assert_eq!(near("statics"), Some("static"));
        assert_eq!(near("sttaic"), Some("static"), "two letters changed places");
        assert_eq!(near("10.0.0.1:81"), Some("10.0.0.1:80"));
        assert_eq!(near("Least-Conn"), Some("least_conn"));
        assert_eq!(near("database"), None);
        assert_eq!(near(""), None);
        assert_eq!(near(&"a".repeat(100_000)), None);
    }

    #[test]
    fn the_nearest_of_several_is_meant_and_of_equals_the_first() {
        assert_eq!(nearest("weigth", ["height", "weight"]), Some("weight"));
        assert_eq!(nearest("cat", ["bat", "hat"]), Some("bat"));
    }
}

//! What is a secret does not show in our own words either.

use std::collections::HashSet;
use std::ops::Range;

/// What becomes stars in a sentence: every piece of [`LONG`] bytes of a secret, and each shorter secret as a word.
pub(super) struct Blots<'a> {
    pieces: HashSet<&'a [u8]>,
    words: Vec<&'a str>,
    /// Too much to compare with.
    everything: bool,
}

impl<'a> Blots<'a> {
    pub(super) fn of(values: &'a [String]) -> Option<Self> {
        let everything = values.iter().map(String::len).sum::<usize>() > MOST_PIECES;
        let ours: HashSet<&[u8]> = OUR_WORDS
            .iter()
            .flat_map(|words| words.as_bytes().windows(LONG))
            .collect();
        let long = values.iter().filter(|_| !everything);
        let pieces = long
            .flat_map(|value| value.as_bytes().windows(LONG))
            .filter(|piece| !ours.contains(piece))
            .collect();
        let short = values.iter().map(String::as_str);
        let words = short
            .filter(|word| (SHORTEST..LONG).contains(&word.len()) && !NO_SECRETS.contains(word))
            .collect();
        let blots = Self {
            pieces,
            words,
            everything,
        };
        (everything || !blots.pieces.is_empty() || !blots.words.is_empty()).then_some(blots)
    }

    pub(super) fn clean(&self, sentence: &mut String) {
        let bytes = sentence.as_bytes();
        let mut hide = vec![self.everything; bytes.len()];
        let mut blot = |span: Range<usize>| hide.get_mut(span).into_iter().flatten().for_each(|hide| *hide = true);
        for (at, piece) in bytes.windows(LONG).enumerate() {
            if self.pieces.contains(piece) {
                blot(at..at.saturating_add(LONG));
            }
        }
        for word in &self.words {
            for (at, _) in sentence.match_indices(word) {
                let end = at.saturating_add(word.len());
                let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                let before = sentence.get(..at).and_then(|text| text.chars().next_back());
                let after = sentence.get(end..).and_then(|text| text.chars().next());
                if !joins(before) && !joins(after) {
                    blot(at..end);
                }
            }
        }
        if !hide.contains(&true) {
            return;
        }
        let clean = sentence.char_indices().map(|(at, c)| {
            let hidden = hide
                .get(at..at.saturating_add(c.len_utf8()))
                .is_some_and(|hide| hide.contains(&true));
            if hidden { '*' } else { c }
        });
        *sentence = clean.collect();
    }
}

/// A piece of this length is not in two places by chance.
const LONG: usize = 8;

/// A shorter word would be found everywhere, and protects nothing.
const SHORTEST: usize = 4;

/// Above it, sentences are not searched: they become stars as a whole.
const MOST_PIECES: usize = 4 << 20;

/// Values that keys of these names hold by mistake, and the name itself.
const NO_SECRETS: [&str; 5] = ["true", "false", "none", "secret", "http"];

/// Advice of ours that people copy into the file.
const OUR_WORDS: [&str; 2] = [
    "`openssl rand -hex 32` prints",
    "`openssl rand -hex 32` makes a good one",
];

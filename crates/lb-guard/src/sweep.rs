//! From rules that lie inside each other to stretches that do not.

use crate::key::Key;
use crate::word::Word;
use alloc::vec::Vec;

/// Where the rule that counts changes: from each key on it is the word beside it, but only inside that word's own
/// prefix. So an end needs no entry of its own where no wider rule takes over.
#[derive(Debug)]
pub(crate) struct Stretches<K> {
    pub(crate) keys: Vec<K>,
    pub(crate) words: Vec<Word>,
}

impl<K: Key> Stretches<K> {
    /// `rules` are sorted and no two have the same address and prefix. At most two stretches a rule. `O(n)`.
    pub(crate) fn new(rules: &[(K, Word)]) -> Self {
        let mut stretches = Self {
            keys: Vec::with_capacity(rules.len()),
            words: Vec::with_capacity(rules.len()),
        };
        let mut open: Vec<(K, Word)> = Vec::new(); // the rules around this place, the narrowest last; at most 129
        for &(key, word) in rules {
            while let Some(&(last, _)) = open.last()
                && last < key
            {
                open.pop();
                stretches.back_to(last, open.last());
            }
            stretches.begin(key, word);
            open.push((key.last_of(u32::from(word.prefix())), word));
        }
        while let Some((last, _)) = open.pop() {
            stretches.back_to(last, open.last());
        }
        stretches
    }

    /// After `last` the rule around it counts again, where there is one.
    fn back_to(&mut self, last: K, around: Option<&(K, Word)>) {
        if let (Some(key), Some(&(end, word))) = (last.next(), around)
            && key <= end
        {
            self.begin(key, word);
        }
    }

    fn begin(&mut self, key: K, word: Word) {
        if let (Some(last), Some(old)) = (self.keys.last(), self.words.last_mut())
            && *last == key
        {
            *old = word;
        } else {
            self.keys.push(key);
            self.words.push(word);
        }
    }
}

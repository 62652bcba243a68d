//! The stretches of one address family, and the way to the one that holds an address.

use crate::key::Key;
use crate::sweep::Stretches;
use crate::word::Word;
use alloc::vec::Vec;

/// Sorted keys under a trie of wide nodes.
///
/// A node skips the bits that all its keys share, and branches on so many of the next that each branch has at most
/// [`RUN_MEAN`] keys on average. A branch leads to a run of at most [`RUN_MOST`] keys, looked through in order, or to a node
/// again. Skipping loses nothing: what differs in a skipped bit lies before or after all keys of the node. Random addresses
/// meet one node, addresses in clusters two or three; each node takes a bit at least, so 128 bound a look.
///
/// Measured with a million entries against a binary search, a B-tree of cache lines and a table of 2^20 places, all over
/// begins and ends: those keep two keys an entry and wait more often for memory. Runs of 4 keys, and reading 32 bits of
/// each IPv6 key before the whole, made no look quicker.
#[derive(Debug)]
pub(crate) struct Table<K> {
    nodes: Vec<Node<K>>,
    places: Vec<u32>, // of each node one per value of its bits, and one for the end: where the run begins, or DEEPER
    keys: Vec<K>,     // sorted, each once
    classes: Vec<u16>, // of each key: which of the words
    words: Vec<Word>,
}

#[derive(Debug)]
struct Node<K> {
    skipped: K,
    skipped_bits: u32,
    shift: u32,
    mask: u32,
    places: usize,
    from: u32,
    to: u32,
}

/// More distinct words than a class can count.
#[derive(Debug)]
pub(crate) struct TooManyWords;

impl<K: Key> Table<K> {
    /// `O(n log n)`. The caller sees to it that there are fewer than 2^31 stretches.
    pub(crate) fn new(stretches: Stretches<K>) -> Result<Self, TooManyWords> {
        let mut words = stretches.words.clone();
        words.sort_unstable();
        words.dedup();
        let mut classes = Vec::with_capacity(stretches.words.len());
        for word in &stretches.words {
            let class = words.binary_search(word).unwrap_or_else(|at| at);
            classes.push(u16::try_from(class).map_err(|_| TooManyWords)?);
        }
        words.shrink_to_fit();
        let mut keys = stretches.keys;
        let mut table = Self {
            nodes: Vec::new(),
            places: Vec::new(),
            keys: Vec::new(),
            classes,
            words,
        };
        table.grow(&keys, 0);
        table.nodes.shrink_to_fit();
        table.places.shrink_to_fit();
        keys.shrink_to_fit();
        table.keys = keys;
        Ok(table)
    }

    /// The word of the narrowest rule that holds `key`. No allocation.
    #[inline]
    pub(crate) fn find(&self, key: K) -> Option<Word> {
        let at = self.end(key)?.checked_sub(1)?;
        let begin = self.keys.get(at)?;
        let class = *self.classes.get(at)?;
        let word = *self.words.get(usize::from(class))?;
        (begin.shared(key) >= u32::from(word.prefix())).then_some(word)
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        size_of::<Node<K>>() * self.nodes.capacity()
            + size_of::<u32>() * self.places.capacity()
            + size_of::<K>() * self.keys.capacity()
            + size_of::<u16>() * self.classes.capacity()
            + size_of::<Word>() * self.words.capacity()
    }

    /// How many keys are not above `key`.
    #[inline]
    fn end(&self, key: K) -> Option<usize> {
        let mut node = self.nodes.first()?;
        loop {
            let skipped = key.first_of(node.skipped_bits);
            if skipped != node.skipped {
                let outside = if skipped < node.skipped { node.from } else { node.to };
                return Some(outside as usize);
            }
            let place = node.places + (key.shifted(node.shift) & node.mask) as usize;
            let (from, to) = (*self.places.get(place)?, *self.places.get(place + 1)?);
            if from & DEEPER != 0 {
                node = self.nodes.get((from & !DEEPER) as usize)?;
                continue;
            }
            let to = if to & DEEPER == 0 {
                to
            } else {
                self.nodes.get((to & !DEEPER) as usize)?.from
            };
            let run = self.keys.get(from as usize..to as usize)?;
            // no branch: a run is short, and a wrong guess costs as much as all of it
            let below: usize = run.iter().map(|begin| usize::from(*begin <= key)).sum();
            return Some(from as usize + below);
        }
    }

    /// Adds the node over `keys`, the first of which has number `from`, and those under it.
    fn grow(&mut self, keys: &[K], from: usize) {
        let (Some(&first), Some(&last)) = (keys.first(), keys.last()) else {
            return;
        };
        let skipped_bits = first.shared(last).min(K::BITS - 1);
        let bits = (keys.len() / RUN_MEAN)
            .checked_ilog2()
            .map_or(1, |log| log + 1)
            .min(NODE_BITS)
            .min(K::BITS - skipped_bits);
        let shift = K::BITS - skipped_bits - bits;
        let mask = (1 << bits) - 1;
        let places = self.places.len();
        self.nodes.push(Node {
            skipped: first.first_of(skipped_bits),
            skipped_bits,
            shift,
            mask,
            places,
            from: from as u32,
            to: (from + keys.len()) as u32,
        });
        self.places
            .resize(places + mask as usize + 2, (from + keys.len()) as u32);
        let (mut rest, mut at) = (keys, from);
        for value in 0..=mask {
            let here = |key: &&K| key.shifted(shift) & mask == value;
            let len = rest.iter().take_while(here).count();
            let (run, after) = rest.split_at(len);
            let deeper = len > RUN_MOST;
            if let Some(place) = self.places.get_mut(places + value as usize) {
                *place = if deeper {
                    DEEPER | self.nodes.len() as u32
                } else {
                    at as u32
                };
            }
            if deeper {
                self.grow(run, at);
            }
            (rest, at) = (after, at + len);
        }
    }
}

/// A place that leads to a node.
const DEEPER: u32 = 1 << 31;
/// Places then take half a byte a key at most.
const RUN_MEAN: usize = 16;
/// Twice the mean, which random keys rarely exceed.
const RUN_MOST: usize = 32;
/// 4 MiB of places for one node.
const NODE_BITS: u32 = 20;

use crate::{List, Source};

/// A rule without its address: prefix length, list and source in 32 bits. In the order of words, of the rules for one
/// address the shortest prefix is first, then `deny`, then the source that was named first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Word(u32);

impl Word {
    pub(crate) const fn new(prefix: u8, list: List, source: Source) -> Self {
        let list = match list {
            List::Deny => 0,
            List::Allow => ALLOW,
        };
        Self((prefix as u32) << 24 | list | source.0 as u32)
    }

    pub(crate) const fn prefix(self) -> u8 {
        (self.0 >> 24) as u8
    }

    pub(crate) const fn list(self) -> List {
        if self.0 & ALLOW == 0 { List::Deny } else { List::Allow }
    }

    pub(crate) const fn source(self) -> Source {
        Source(self.0 as u16)
    }
}

const ALLOW: u32 = 1 << 16;

use crate::access::{Access, List, Source};
use crate::key::Key;
use crate::sweep::Stretches;
use crate::table::{Table, TooManyWords};
use crate::word::Word;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use lb_types::Cidr;

/// Collects entries, then makes an [`Access`] of them.
#[derive(Debug)]
pub struct AccessBuilder {
    v4: Vec<(u32, Word)>,
    v6: Vec<(u128, Word)>,
    otherwise: Otherwise,
    has_allow: bool,
    most: usize,
}

impl Default for AccessBuilder {
    fn default() -> Self {
        Self {
            v4: Vec::new(),
            v6: Vec::new(),
            otherwise: Otherwise::default(),
            has_allow: false,
            most: Self::DEFAULT_MOST,
        }
    }
}

impl AccessBuilder {
    /// How many entries are taken unless told otherwise: two lists of the length that a file may have.
    pub const DEFAULT_MOST: usize = 4_000_000;

    /// The most that can be asked for: about 1 GB while IPv6 entries of that number are built.
    pub const MOST: usize = 16_000_000;

    /// What counts for addresses in no list.
    #[must_use]
    pub const fn otherwise(mut self, otherwise: Otherwise) -> Self {
        self.otherwise = otherwise;
        self
    }

    /// Takes at most `most` entries, and never more than [`MOST`](Self::MOST).
    #[must_use]
    pub fn at_most(mut self, most: usize) -> Self {
        self.most = most.min(Self::MOST);
        self
    }

    /// Adds a list, or a part of one. A list without an entry is a list too: after an empty `allow`, nobody may enter
    /// unless [`otherwise`](Self::otherwise) says so, because a file that lost its entries must not open the door.
    ///
    /// # Errors
    /// [`AccessError::Entries`] when there are more than the builder takes.
    pub fn add(
        &mut self,
        list: List,
        source: Source,
        ranges: impl IntoIterator<Item = Cidr>,
    ) -> Result<(), AccessError> {
        self.has_allow |= list == List::Allow;
        for range in ranges {
            if self.v4.len() + self.v6.len() >= self.most {
                return Err(AccessError::Entries {
                    limit: self.most,
                    list,
                    from: source,
                });
            }
            match canonical(range) {
                (IpAddr::V4(address), prefix) => {
                    self.v4.push((address.to_bits(), Word::new(prefix, list, source)));
                }
                (IpAddr::V6(address), prefix) => {
                    self.v6.push((address.to_bits(), Word::new(prefix, list, source)));
                }
            }
        }
        Ok(())
    }

    /// Makes the table. `O(n log n)`: a million IPv4 entries take 50 ms, IPv6 entries 130 ms.
    ///
    /// # Errors
    /// [`AccessError::Combinations`] when too many sources have entries of too many lengths.
    pub fn build(mut self) -> Result<Built, AccessError> {
        let mut facts = Facts::default();
        facts.merge(&mut self.v4, |bits| IpAddr::V4(Ipv4Addr::from_bits(bits)));
        facts.merge(&mut self.v6, |bits| IpAddr::V6(Ipv6Addr::from_bits(bits)));
        let access = Access {
            len: self.v4.len() + self.v6.len(),
            v4: table(self.v4)?,
            v6: table(self.v6)?,
            otherwise: match self.otherwise {
                Otherwise::ByLists => !self.has_allow,
                Otherwise::Allow => true,
                Otherwise::Deny => false,
            },
        };
        Ok(Built { access, facts })
    }
}

/// What counts for an address that is in no list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Otherwise {
    /// It may enter if no `allow` list was added, not even an empty one.
    #[default]
    ByLists,
    /// It may enter.
    Allow,
    /// It may not.
    Deny,
}

/// A table and what was found while it was built.
#[derive(Debug)]
pub struct Built {
    /// The table.
    pub access: Access,
    /// What its author may want to know.
    pub facts: Facts,
}

/// What was found while a table was built. None of it keeps the table from being used.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Facts {
    /// Ranges that stood in both lists, the first [`CONFLICTS_KEPT`](Self::CONFLICTS_KEPT) of them. `deny` won.
    ///
    /// nginx and HAProxy take the first line that matches and say nothing of the other. Here no order is kept, so this
    /// is worth a warning; not an error, because the safe side won, and because lists that others publish change
    /// without anyone looking: refusing the new ones would keep old ones in force.
    pub conflicts: Vec<Conflict>,
    /// How many there were.
    pub conflicts_total: usize,
    /// Entries left out because the same list had the same range already.
    pub duplicates: usize,
}

impl Facts {
    /// How many conflicts are kept one by one.
    pub const CONFLICTS_KEPT: usize = 100;

    /// Sorts the rules and leaves one for each range.
    fn merge<K: Key>(&mut self, rules: &mut Vec<(K, Word)>, address: impl Fn(K) -> IpAddr) {
        rules.sort_unstable();
        let mut told = None; // the range whose conflict was counted
        rules.dedup_by(|(key, word), (kept_key, kept)| {
            if *key != *kept_key || word.prefix() != kept.prefix() {
                return false;
            }
            if word.list() == kept.list() || told == Some((*key, kept.prefix())) {
                self.duplicates += 1;
                return true;
            }
            told = Some((*key, kept.prefix()));
            self.conflicts_total += 1;
            if let Ok(range) = Cidr::new(address(*key), kept.prefix())
                && self.conflicts.len() < Self::CONFLICTS_KEPT
            {
                self.conflicts.push(Conflict {
                    range,
                    deny: kept.source(),
                    allow: word.source(),
                });
            }
            true
        });
    }
}

/// A range that was both allowed and denied. It is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{range} is in an allow list and in a deny list; it is denied: take it out of one of them")]
pub struct Conflict {
    /// The range.
    pub range: Cidr,
    /// Who denied it.
    pub deny: Source,
    /// Who allowed it.
    pub allow: Source,
}

/// Why there is no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// More entries than the builder takes.
    #[error("more than {limit} entries in the lists of addresses; allow more, or merge neighbours into wider ranges")]
    Entries {
        /// How many are taken.
        limit: usize,
        /// The list that had one more.
        list: List,
        /// And where that list came from.
        from: Source,
    },
    /// More than 65,536 combinations of source, list and prefix length in one address family.
    #[error(
        "more than 65536 combinations of source, list and prefix length; put entries of several sources into one file"
    )]
    Combinations,
}

fn table<K: Key>(rules: Vec<(K, Word)>) -> Result<Table<K>, AccessError> {
    let stretches = Stretches::new(&rules);
    drop(rules);
    Table::new(stretches).map_err(|TooManyWords| AccessError::Combinations)
}

/// A range of mapped addresses is the IPv4 range they carry. A wider one (`::/0`) stays IPv6 and holds no IPv4 address, as
/// `Cidr::contains` has it.
fn canonical(range: Cidr) -> (IpAddr, u8) {
    match range.address() {
        IpAddr::V6(address) => match (address.to_ipv4_mapped(), range.prefix().checked_sub(96)) {
            (Some(v4), Some(prefix)) => (IpAddr::V4(v4), prefix),
            _ => (IpAddr::V6(address), range.prefix()),
        },
        address => (address, range.prefix()),
    }
}

use crate::builder::AccessBuilder;
use crate::table::Table;
use crate::word::Word;
use core::fmt;
use core::net::IpAddr;
use lb_types::Cidr;

/// Who may enter: two lists of ranges in one table that never changes. `Send` and `Sync`; share it with an `Arc` and
/// replace it whole.
///
/// The longest prefix that holds an address decides, whichever list it is in and in whatever order they were given. What
/// is in no list is decided by [`Otherwise`](crate::Otherwise).
#[derive(Debug)]
pub struct Access {
    pub(crate) v4: Table<u32>,
    pub(crate) v6: Table<u128>,
    pub(crate) otherwise: bool,
    pub(crate) len: usize,
}

impl Access {
    /// Begins with no entry.
    #[must_use]
    pub fn builder() -> AccessBuilder {
        AccessBuilder::default()
    }

    /// May `address` enter, and by which rule? An IPv4-mapped IPv6 address counts as IPv4.
    ///
    /// `O(1)` for random entries: a place in a table and a run of about 16 keys; the crate page has figures. At most 128
    /// nodes for any entries. Allocates nothing.
    #[must_use]
    pub fn check(&self, address: IpAddr) -> Verdict {
        let address = address.to_canonical();
        let word = match address {
            IpAddr::V4(v4) => self.v4.find(v4.to_bits()),
            IpAddr::V6(v6) => self.v6.find(v6.to_bits()),
        };
        match word {
            Some(word) => Verdict {
                allowed: word.list() == List::Allow,
                rule: Rule::of(word, address),
            },
            None => Verdict {
                allowed: self.otherwise,
                rule: None,
            },
        }
    }

    /// May an address enter that is in no list?
    #[must_use]
    pub const fn otherwise(&self) -> bool {
        self.otherwise
    }

    /// The ranges that count: each once, however often it was given.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Are both lists empty?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes on the heap: 6.5 an IPv4 entry and 18.5 an IPv6 entry; up to twice that where entries lie inside others.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.v4.heap_bytes() + self.v6.heap_bytes()
    }
}

/// The answer of [`Access::check`]. Its text fits a log line: `denied by 192.0.2.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// May it enter?
    pub allowed: bool,
    /// The entry that decided; `None`: no entry holds the address.
    pub rule: Option<Rule>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.allowed { "allowed" } else { "denied" };
        match self.rule {
            Some(rule) => write!(f, "{word} by {}", rule.range),
            None => write!(f, "{word}: in no list"),
        }
    }
}

/// An entry of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The range as it counts: mapped ranges are IPv4.
    pub range: Cidr,
    /// Which list it is in.
    pub list: List,
    /// Where it came from; of several that gave the same range, the lowest number.
    pub source: Source,
}

impl Rule {
    fn of(word: Word, address: IpAddr) -> Option<Self> {
        let range = Cidr::new(address, word.prefix()).ok()?; // never longer than the address
        Some(Self {
            range,
            list: word.list(),
            source: word.source(),
        })
    }
}

/// The list an entry is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum List {
    /// May enter.
    Allow,
    /// May not.
    Deny,
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        })
    }
}

/// Where an entry came from: a number that the caller gives to each file or line of configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source(pub u16);

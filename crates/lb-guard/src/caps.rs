use crate::slots::{Slots, Taken};
use alloc::sync::Arc;
use core::fmt;
use core::net::IpAddr;
use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use lb_types::{Cidr, hash64};

/// At most so many at once from one client: connections, handshakes, what the caller counts. One for all workers.
///
/// A client is a prefix: an IPv4 address, 64 bits of an IPv6 address (what a household has), unless told otherwise.
/// The count is exact: no more than the limit are in at once, over all threads. Two threads that bring a new client at
/// the same instant may both be told that it is at its limit when one place is left.
///
/// The table has a fixed size, 8 bytes a client that is in now; a client that has left takes no room. Clients are told
/// apart by a keyed hash: with a table full of 65,536 the odds that any two share a count are below one in ten million.
/// No locks: a look at two cache lines and one atomic step to enter, one to leave.
pub struct Caps {
    slots: Slots,
    limit: AtomicU32,
    seed: u64,
    v4: u8,
    v6: u8,
    when_full: WhenFull,
}

impl Caps {
    /// The highest limit: 1,048,575.
    pub const MOST: u32 = Slots::MOST;

    /// Makes the table. `seed`: random, unknown to clients, else they choose who shares a place with whom.
    ///
    /// # Errors
    /// [`CapsError`] for a limit, prefix or number of clients out of bounds.
    pub fn new(options: &CapsOptions, seed: u64) -> Result<Self, CapsError> {
        for (prefix, longest) in [(options.v4_prefix, 32), (options.v6_prefix, 128)] {
            if prefix == 0 || prefix > longest {
                return Err(CapsError::Prefix { prefix, longest });
            }
        }
        if !(Slots::SMALLEST..=Slots::LARGEST).contains(&options.clients) {
            return Err(CapsError::Clients {
                clients: options.clients,
            });
        }
        Ok(Self {
            slots: Slots::new(options.clients),
            limit: AtomicU32::new(checked(options.limit)?),
            seed,
            v4: options.v4_prefix,
            v6: options.v6_prefix,
            when_full: options.when_full,
        })
    }

    /// Lets one more of `address`'s client in, or says why not. An IPv4-mapped IPv6 address counts as IPv4.
    ///
    /// `O(1)`, no allocation.
    ///
    /// # Errors
    /// [`Refusal::AtLimit`]; [`Refusal::Full`] when there is no room to count a new client and
    /// [`WhenFull::Refuse`] was chosen. With [`WhenFull::LetIn`] the pass [is not counted](Pass::is_counted).
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Pass, Refusal> {
        self.enter_within(address, self.limit())
    }

    /// The same with another limit, at most [`MOST`](Self::MOST): several that have each their own share one count.
    ///
    /// # Errors
    /// As for [`enter`](Self::enter).
    pub fn enter_within(self: &Arc<Self>, address: IpAddr, limit: u32) -> Result<Pass, Refusal> {
        let limit = limit.min(Self::MOST);
        let slot = match self.slots.take(self.hash(address), limit) {
            Taken::Slot(slot) => Some(slot),
            Taken::AtLimit => return Err(Refusal::AtLimit { limit }),
            Taken::Full if self.when_full == WhenFull::LetIn => None,
            Taken::Full => return Err(Refusal::Full),
        };
        Ok(Pass {
            counted: slot.map(|slot| (Arc::clone(self), slot)),
        })
    }

    /// How many of `address`'s client are in.
    #[must_use]
    pub fn count(&self, address: IpAddr) -> u32 {
        self.slots.count(self.hash(address))
    }

    /// How many clients are in. Reads the whole table: for a status page, not for each connection.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.slots.used()
    }

    /// The limit now.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limit.load(Relaxed)
    }

    /// Another limit, for whoever comes from now on; nobody is sent away.
    ///
    /// # Errors
    /// [`CapsError::Limit`].
    pub fn set_limit(&self, limit: u32) -> Result<(), CapsError> {
        self.limit.store(checked(limit)?, Relaxed);
        Ok(())
    }

    /// Bits of an IPv4 and of an IPv6 address that make a client.
    #[must_use]
    pub const fn prefixes(&self) -> (u8, u8) {
        (self.v4, self.v6)
    }

    /// Bytes on the heap: 8 for each client there is room for.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.slots.heap_bytes()
    }

    fn hash(&self, address: IpAddr) -> u64 {
        match Cidr::network_of(address, self.v4, self.v6) {
            IpAddr::V4(network) => hash64(self.seed, &network.octets()),
            IpAddr::V6(network) => hash64(self.seed, &network.octets()),
        }
    }
}

impl fmt::Debug for Caps {
    /// Without the seed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caps")
            .field("limit", &self.limit)
            .field("v4", &self.v4)
            .field("v6", &self.v6)
            .field("when_full", &self.when_full)
            .field("heap_bytes", &self.heap_bytes())
            .finish_non_exhaustive()
    }
}

/// One place of a client. Dropped, it is given back.
#[derive(Debug)]
#[must_use = "a pass that is dropped is given back at once"]
pub struct Pass {
    counted: Option<(Arc<Caps>, u32)>,
}

impl Pass {
    /// Does it take one of its client's places? Not if the table was full: the verdict "let in, but uncounted".
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        self.counted.is_some()
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some((caps, slot)) = self.counted.take() {
            caps.slots.give_back(slot);
        }
    }
}

/// What [`Caps::new`] goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CapsOptions {
    /// How many of one client may be in at once, 1 to [`Caps::MOST`].
    pub limit: u32,
    /// Bits of an IPv4 address that make a client: 32.
    pub v4_prefix: u8,
    /// Bits of an IPv6 address that make a client: 64.
    pub v6_prefix: u8,
    /// Room for so many clients at once, rounded up to a power of two: 65,536 (512 KiB), 16 to 8,388,608. Up to two
    /// thirds of it every client finds room; beyond, some do not.
    pub clients: usize,
    /// What happens to those.
    pub when_full: WhenFull,
}

impl CapsOptions {
    /// At most `limit` of one client; else the defaults.
    #[must_use]
    pub const fn new(limit: u32) -> Self {
        Self {
            limit,
            v4_prefix: 32,
            v6_prefix: 64,
            clients: 65_536,
            when_full: WhenFull::LetIn,
        }
    }
}

/// What happens to a new client for which there is no room in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenFull {
    /// It is let in without being counted: caps are against the few who take much, and here are many.
    #[default]
    LetIn,
    /// It is refused; those who are counted already may still bring more.
    Refuse,
}

/// Why a client was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// As many of it are in as may be.
    #[error("the client has {limit} open already, as many as one client may")]
    AtLimit {
        /// The limit.
        limit: u32,
    },
    /// No room to count one more client.
    #[error("no room to count another client; make room for more clients, or let uncounted ones in")]
    Full,
}

/// Options that make no caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CapsError {
    /// Nobody, or more than can be counted.
    #[error(
        "a limit of {limit} for each client; it must be 1 to {}; to let nobody in, use a deny list",
        Caps::MOST
    )]
    Limit {
        /// What was asked for.
        limit: u32,
    },
    /// No bit, or more than an address has.
    #[error("clients by the first {prefix} bits of an address; it must be 1 to {longest}")]
    Prefix {
        /// What was asked for.
        prefix: u8,
        /// 32 or 128.
        longest: u8,
    },
    /// A table too small or too large.
    #[error("room for {clients} clients; it must be {} to {}", Slots::SMALLEST, Slots::LARGEST)]
    Clients {
        /// What was asked for.
        clients: usize,
    },
}

const fn checked(limit: u32) -> Result<u32, CapsError> {
    if limit == 0 || limit > Caps::MOST {
        Err(CapsError::Limit { limit })
    } else {
        Ok(limit)
    }
}

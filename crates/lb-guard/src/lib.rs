//! Who may enter: lists of addresses, longest prefix first, a million entries in one look; and how many at once.
//!
//! What it is for: deciding about a connection by its client's address before anything is spent on it. [`Access`] answers
//! from `allow` and `deny` lists and names the entry that decided; [`parse`] reads the files such lists come in;
//! [`Caps`] counts what each client has open, shared by all workers.
//!
//! What it is not for: reading files, closing connections, telling whose address it is (a proxy's or the client's): the
//! caller does. No I/O, no clock.
//!
//! ```
//! use std::sync::Arc;
//! use lb_guard::{Access, Caps, CapsOptions, List, ListLimits, Source, parse};
//!
//! let offices = parse(b"10.0.0.0/8 # headquarters\n192.0.2.10-192.0.2.20\n", &ListLimits::default())?;
//! let mut builder = Access::builder();
//! builder.add(List::Allow, Source(0), offices)?;
//! builder.add(List::Deny, Source(1), ["10.66.0.0/16".parse()?])?;
//! let built = builder.build()?;
//! assert!(built.facts.conflicts.is_empty());
//! let access = Arc::new(built.access);
//!
//! assert!(access.check("10.1.2.3".parse()?).allowed);
//! assert_eq!(access.check("10.66.1.1".parse()?).to_string(), "denied by 10.66.0.0/16");
//! assert_eq!(access.check("203.0.113.9".parse()?).to_string(), "denied: in no list");
//!
//! let seed = 0x5eed; // random in earnest
//! let caps = Arc::new(Caps::new(&CapsOptions::new(1), seed)?);
//! let pass = caps.enter("10.1.2.3".parse()?)?;
//! assert!(caps.enter("10.1.2.3".parse()?).is_err());
//! drop(pass);
//! assert!(caps.enter("10.1.2.3".parse()?).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # For those who know nginx and HAProxy
//!
//! `allow 10.0.0.0/8; deny all;` means the same here. The order of lines does not: there the first that matches
//! decides, here the longest prefix. So `allow 10.0.0.0/8; deny 10.1.2.3;` denies 10.1.2.3 here; nginx never gets to
//! the second line. The same range in both lists is denied, and told as a [`Conflict`].
//!
//! # Limits
//!
//! [`AccessBuilder::DEFAULT_MOST`] entries, at most [`AccessBuilder::MOST`]; 65,536 combinations of source, list and
//! prefix length; [`ListLimits`] for texts. [`CapsOptions`] for caps, whose table has a fixed size. Neither a look nor a
//! pass allocates or takes a lock.
//!
//! # Measured
//!
//! On a virtual AMD EPYC 9004 at 2.6 GHz with other work beside, a million random entries, half of the looks inside one
//! (`examples/speed.rs`). Looks that do not wait for each other, and looks that do; medians:
//!
//! | entries | overlapping | in turn | bytes an entry | built in |
//! | --- | --- | --- | --- | --- |
//! | IPv4, /32 and /24 | 35 ns | 49 ns | 6.4 | 60 ms |
//! | the same in 10.0.0.0/8, where most are inside another | 36 ns | 69 ns | 11.6 | 50 ms |
//! | two thirds IPv4, one third IPv6 | 60 ns | 80 ns | 10.4 | 50 ms |
//! | IPv6, /48 to /128 | 205 to 270 ns | 205 to 270 ns | 18.3 | 110 ms |
//!
//! The last table is larger than what the caches and page tables of that machine keep, where one wait for memory takes
//! 160 ns. (At the best moments 115 ns; prefix-trie 0.10 took about 500 and ip_network_table 0.2 about 580 with the same
//! entries, and 240 and 300 with the IPv4 ones, in 120 to 240 and 37 to 46 bytes an entry.) A pass, taken and given back:
//! 45 ns on one thread, 85 ns with two on one table.
//!
//! Features: none. `no_std` with `alloc`; the target needs 64-bit atomics.
#![no_std]
#![warn(clippy::indexing_slicing)]

extern crate alloc;

mod access;
mod builder;
mod caps;
mod key;
mod line;
mod list;
mod range;
mod slots;
mod sweep;
mod table;
mod word;

pub use access::{Access, List, Rule, Source, Verdict};
pub use builder::{AccessBuilder, AccessError, Built, Conflict, Facts, Otherwise};
pub use caps::{Caps, CapsError, CapsOptions, Pass, Refusal, WhenFull};
pub use lb_types::Cidr;
pub use line::Reason;
pub use list::{BadLine, BadLines, ListError, ListLimits, parse};

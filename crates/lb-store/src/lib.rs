//! Persistence tables shared by threads.
//!
//! What it is for: which client belongs to which backend, when the request itself does not say
//! (source address, session id, header value), known to all workers at once. Of a hundred first
//! requests of one client that arrive together, one decides and the others follow.
//!
//! What it is not for: recognising clients, which is `lb-persist`; and keeping application
//! sessions. An entry that is lost costs stickiness, never a request.
//!
//! ```
//! use std::time::Duration;
//! use lb_persist::{ClientIp, ClientIpOptions, Facts, Recall, Strategy};
//! use lb_store::{Tables, TablesOptions};
//! use lb_types::{BackendId, Now};
//!
//! let tables = Tables::new(TablesOptions::new(100_000, Duration::from_secs(300)));
//! let strategy = ClientIp::new(ClientIpOptions::default())?;
//!
//! let now = Now::default(); // the caller reads the clock
//! let Recall::Lookup(key) = strategy.recall(&Facts::new("192.0.2.7".parse()?), now) else { unreachable!() };
//! assert_eq!(tables.lookup_memory(&key, now.mono), None);
//!
//! // The scheduler chose; but whoever claims first decides.
//! let (a, b) = (BackendId::of("web", "a"), BackendId::of("web", "b"));
//! assert_eq!(tables.claim(key, None, a, now.mono), a);
//! assert_eq!(tables.claim(key, None, b, now.mono), a);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Limits: [`TablesOptions::capacity`] entries in all, at most
//! [`Table::BYTES_PER_ENTRY`](lb_persist::Table::BYTES_PER_ENTRY) = 153 bytes each, so 100,000
//! entries stay below 16 MiB. Up to 64 shards; each call but the summing ones locks one of them
//! for one map operation. "One key, one backend" holds within one process. No features.

mod memory;

#[doc(no_inline)]
pub use lb_persist::{Entry, Key, TableCounts, TableOptions, WhenFull};
#[doc(no_inline)]
pub use lb_types::{BackendId, Time};
pub use memory::{Tables, TablesOptions};

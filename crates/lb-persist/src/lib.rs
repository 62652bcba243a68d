//! Session persistence: recognise a returning client by address or cookie and lead it to the same
//! backend.
//!
//! What it is for: the decisions of "sticky sessions", without sockets, clocks or threads, for
//! any proxy that can show its header fields through [`lb_types::Fields`]. A [`Strategy`] says
//! what a request knows ([`Recall`]), edits it, and edits the reply. [`ClientIp`] needs a
//! [`Table`]; [`CookieInsert`] needs no memory: the client carries an unforgeable
//! [token], and replicas with the same key agree. [`HashBy`] names no backend: it gives algorithms that place by
//! hash their value (source, URL, parameter, header or cookie).
//!
//! The cookie's name: [`CookieInsertOptions::for_pool`] gives each pool its own (`LBD-1a2b3c4d`), the same one that `lbd`
//! gives a pool of that name, so both can take turns on a site. The plain default, [`CookieInsertOptions::NAME`], is for
//! sites with one pool.
//!
//! What it is not for: choosing among backends or knowing whether one is up (`lb-balance`), and
//! sharing tables among threads (`lb-store`).
//!
//! ```
//! use lb_persist::{ClientIp, ClientIpOptions, Facts, Recall, Strategy, Table, TableOptions};
//! use lb_types::{BackendId, Now};
//! use std::time::Duration;
//!
//! // All of 192.0.2.0/24 is one client.
//! let strategy = ClientIp::new(ClientIpOptions::default().netmask("255.255.255.0".parse()?)?)?;
//! let mut table = Table::new(TableOptions::new(10_000, Duration::from_secs(300)));
//! let now = Now::default();
//!
//! let Recall::Lookup(key) = strategy.recall(&Facts::new("192.0.2.7".parse()?), now) else { unreachable!() };
//! let chosen = BackendId::of("web", "a");
//! assert_eq!(table.claim(key, None, chosen, now.mono), chosen);
//!
//! let Recall::Lookup(key) = strategy.recall(&Facts::new("192.0.2.8".parse()?), now) else { unreachable!() };
//! assert_eq!(table.lookup(&key, now.mono), Some(chosen));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Limits: a table holds [`TableOptions::capacity`] entries of at most
//! [`Table::BYTES_PER_ENTRY`] bytes; of the cookies with our name 16 are looked at per request;
//! a `Set-Cookie` line takes at most 1 KiB and a cookie lives at most 400 days. Nothing allocates
//! per request, but for a new table entry and for taking our cookie out of a line beyond 4 KiB.
//! No features.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod cookie;
mod key;
mod key_shape;
mod strategy;
mod table;
pub mod token;

pub use cookie::SameSite;
pub use key::Key;
pub use key_shape::KeyShape;
#[doc(no_inline)]
pub use lb_types::{BackendId, Fields, FieldsMut, InvalidField, Now, Time, Wall};
pub use strategy::{
    ClientIp, ClientIpOptions, CookieInsert, CookieInsertError, CookieInsertOptions, Facts, HashBy, Learn,
    NetmaskError, Recall, Refresh, Reply, Strategy,
};
pub use table::{Entry, Table, TableCounts, TableOptions, WhenFull};

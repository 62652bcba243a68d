//! Session persistence: recognise a returning client by address or cookie and lead it to the same backend.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod cookie;
mod key;
mod strategy;
mod table;
pub mod token;

pub use cookie::SameSite;
pub use key::Key;
pub use strategy::{
    ClientIp, ClientIpOptions, CookieInsert, CookieInsertError, CookieInsertOptions, Facts, Learn, NetmaskError,
    Recall, Refresh, Reply, Strategy,
};
pub use table::{Entry, Table, TableCounts, TableOptions, WhenFull};

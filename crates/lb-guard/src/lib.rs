//! Who may enter: lists of addresses, longest prefix first, a million entries in one look.
#![no_std]
#![warn(clippy::indexing_slicing)]

extern crate alloc;
#[cfg(test)]
extern crate std;

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

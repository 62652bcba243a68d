//! A state as text: a table for people, lines for a log.

mod column;
mod duration;
mod lines;
mod table;

pub use lines::lines;
pub use table::{TableOptions, backends, table};

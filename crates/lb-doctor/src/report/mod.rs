//! How results are shown: tables, JSON, one HTML page.

mod table;
mod text;

pub(crate) use table::{Table, wrap};
pub use text::Setting;

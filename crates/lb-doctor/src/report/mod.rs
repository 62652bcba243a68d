//! How results are shown: tables, JSON, one HTML page.

mod json;
mod page;
mod table;
mod text;

pub(crate) use json::pretty;
pub use page::is_page;
pub(crate) use page::{escape, section, shell};
pub(crate) use table::{Table, wrap};
pub use text::Setting;

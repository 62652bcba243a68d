//! A state as text: a table for people, lines for a log.

mod certificates;
mod column;
mod duration;
mod lines;
mod table;

use serde::Serialize;

pub use certificates::certificates;
pub use lines::lines;
pub use table::{TableOptions, backends, table};

/// A [`State`](crate::state::State) or a part of it as JSON with line breaks, as `--json` prints it.
#[must_use]
pub fn json(value: &impl Serialize) -> String {
    // Our values have text keys and finite numbers only: that cannot fail.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

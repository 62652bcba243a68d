//! Persistence tables shared by threads.

mod memory;

pub use memory::{Tables, TablesOptions};

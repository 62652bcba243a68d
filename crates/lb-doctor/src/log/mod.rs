//! Access logs of this and other balancers, read line by line in bounded memory.

mod alb;
mod clf;
mod format;
mod haproxy;
mod json;
mod layout;
mod layouts;
mod name;
mod paste;
mod reader;
mod reading;
mod replay;
mod suggest;
mod survey;
mod tail;
mod time;
mod word;

pub use format::{Entry, Format};
pub use json::Rule;
pub use layout::Layout;
pub(crate) use reader::LONGEST_NAME;
pub use reader::{BadLine, Log, LogError, Record, Unclear};
pub use replay::{Replay, ReplayOptions};
pub use survey::Survey;

#[cfg(test)]
mod duration_tests;
#[cfg(test)]
mod foreign_tests;
#[cfg(test)]
mod tests;

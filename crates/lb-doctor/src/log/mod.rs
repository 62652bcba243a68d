//! Access logs of this and other balancers, read line by line in bounded memory.

mod alb;
mod clf;
mod format;
mod haproxy;
mod json;
mod reader;
mod replay;
mod survey;
mod time;

pub use format::{Entry, Format};
pub(crate) use reader::LONGEST_NAME;
pub use reader::{BadLine, Log, LogError, Record};
pub use replay::{Replay, ReplayOptions};
pub use survey::Survey;

#[cfg(test)]
mod tests;

//! How single values are written: durations, sizes, addresses, status ranges, names.
//!
//! Each function takes the text between the quotes and gives the value, or says what is wrong and, where it can
//! guess, what was meant.

mod address;
mod duration;
mod name;
pub(crate) mod odd;
mod punycode;
mod size;
mod status;

pub(crate) use address::{HostPort, host_port, listen_address};
pub(crate) use duration::{duration, show_duration};
pub(crate) use name::{absolute_path, check_host_pattern, check_name, check_path, check_token, is_host_name};
pub(crate) use size::{show_size, size};
pub use status::StatusRange;
pub(crate) use status::status_range;

/// Why a text is not the value it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Under the underlined text.
    pub(crate) label: String,
    /// What to write instead.
    pub(crate) help: Option<String>,
}

impl Wrong {
    pub(crate) fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            help: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

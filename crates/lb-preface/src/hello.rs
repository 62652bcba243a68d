//! What both hellos of TLS have in common: records, versions, and what is wrong with them.

mod alert;
mod error;
mod record;
mod version;

pub use alert::{Alert, fatal_record};
pub use error::{Error, Part};
pub use version::{Offered, Version};

pub(crate) use record::message;

/// What reading one hello may cost. Plain values: every combination is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The hello with its header of four bytes, without those of records. Default 16,384: the largest that one record
    /// can hold, and eight times what browsers send.
    pub hello_bytes: usize,
    /// Records that one hello may be split over. Default 1,024: programs that hide the name from filters split a hello
    /// into records of one byte.
    pub records: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hello_bytes: 16_384,
            records: 1024,
        }
    }
}

/// A value that clients send so that servers stay used to unknown values. RFC 8701.
pub(crate) const fn is_grease(value: u16) -> bool {
    let [a, b] = value.to_be_bytes();
    a == b && a & 0x0f == 0x0a
}

//! What is in a certificate, in words; and who issued whom, as a tree.

mod facts;
mod tree;

pub(crate) use facts::hex;
pub use facts::{Facts, Role, Validity, colons, fingerprint, has_readable_names};
pub use tree::{Branch, Tree};

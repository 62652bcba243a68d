//! Listeners: sites by name, each with its rustls configuration.

mod lookup;
mod options;
mod site;
mod sites;

pub use lookup::UnknownName;
pub use options::{BuildError, ServerOptions, SiteOptions};
pub use site::Site;
pub use sites::{SiteNote, Sites};

pub(crate) use options::check_protocols;

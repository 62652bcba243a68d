//! rustls configurations for a load balancer: identities by name, client certificates, shared tickets, verifiers that explain themselves.

mod engine;
pub mod identity;
mod names;
pub mod suites;

pub use engine::{Engine, EngineError, SetClock, Version, Versions};
pub use identity::{File, Identities, Identity, KeyKind, LoadError, LoadOptions, Loaded, Note, load};
pub use lb_cert::{self, Password, Place, Roots, Severity};
pub use names::NameError;
pub use rustls::time_provider::TimeProvider;

//! rustls configurations for a load balancer: identities by name, client certificates, shared tickets, verifiers that explain themselves.

pub mod client_auth;
mod engine;
mod fault;
pub mod identity;
mod names;
pub mod server;
pub mod suites;
pub mod tickets;
pub mod upstream;

pub use client_auth::{ClientAuth, ClientVerdict};
pub use engine::{Engine, EngineError, SetClock, Version, Versions};
pub use fault::{HandshakeFault, alert_name};
pub use identity::{File, Identities, Identity, KeyKind, LoadError, LoadOptions, Loaded, Note, load};
pub use lb_cert::{self, Password, Place, Roots, Severity};
pub use names::NameError;
pub use rustls::time_provider::TimeProvider;
pub use server::{BuildError, ServerOptions, Site, SiteNote, SiteOptions, Sites, UnknownName};
pub use upstream::{UpstreamOptions, UpstreamTls};

//! Serves TCP and HTTP/1.1.
mod options;
mod snapshot;
pub use options::{HttpOptions, ListenerOptions, PoolOptions, Service, TcpOptions};
pub use snapshot::{ListenerEntry, PoolEntry, Snapshot};

//! Serves TCP and HTTP/1.1 in front of pools of backends.
//!
//! What it is for: the data plane of a load balancer. A [`Worker`] is one thread with its own
//! sockets, buffers and upstream connections; it takes [`Order`]s and serves what a [`Snapshot`]
//! says. One task drives both sides of a client connection in sequence, and a connection that
//! waits owns no buffer.
//!
//! What it is not for: reading configuration, probing backends, deciding who is up. Whoever
//! builds the snapshot does that (`lb-config`, `lb-probe`).
//!
//! ```
//! use lb_proxy::{Order, Snapshot, Worker};
//! use lb_telemetry::Counters;
//! use std::sync::Arc;
//!
//! # fn main() -> std::io::Result<()> {
//! let snapshot = Arc::new(Snapshot { serial: 1, listeners: Vec::new(), pools: Vec::new() });
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default())?;
//! let (orders, inbox) = tokio::sync::mpsc::unbounded_channel();
//! orders.send(Order::Drain).expect("the worker listens");
//! runtime.block_on(Worker::new(1, snapshot, Arc::new(Counters::new())).run(inbox));
//! # Ok(())
//! # }
//! ```
//!
//! Limits: heads, fields, bodies, timeouts and connections as [`HttpOptions`] and [`PoolOptions`]
//! say; buffers of 16 KiB that grow to 64 KiB while a body flows; 256 kernel pipes of 256 KiB per
//! worker, for bodies from 512 KiB on; 100 interim responses per request.
//!
//! Features:
//! - `sim`: a worker runs over `lb_net::sim`, a network in memory, and `census` says what it holds, for tests only; no program turns it on.

mod buffer;
mod contact;
mod core;
mod course;
mod http;
mod log;
mod options;
mod peer;
mod preface;
mod record;
mod room;
mod snapshot;
mod tasks;
mod tcp;
mod timer;
mod tunnel;
mod turn;
mod view;
mod worker;

#[cfg(feature = "sim")]
pub use core::census::{Census, census};
#[doc(no_inline)]
pub use lb_balance::{Pool, Routes};
#[doc(no_inline)]
pub use lb_guard::{Access, Caps};
#[doc(no_inline)]
pub use lb_http::forward::Statements;
#[doc(no_inline)]
pub use lb_http::h1::Limits;
#[doc(no_inline)]
pub use lb_net::Shortage;
#[doc(no_inline)]
pub use lb_store::Tables;
#[doc(no_inline)]
pub use lb_telemetry::{Counters, Format};
#[doc(no_inline)]
pub use lb_tls::{Sites, UpstreamTls};
#[doc(no_inline)]
pub use lb_types::{Address, Cidr};
pub use log::AccessLog;
pub use options::{
    Guard, HttpOptions, HttpsOptions, ListenerOptions, PROBE_AGENT, PassthroughOptions, PassthroughRoute, PerClient,
    PoolOptions, PrefaceOptions, ProxyIn, ProxyOut, ProxyVersion, Service, TcpOptions, TlsOptions,
};
pub use snapshot::{ListenerEntry, Occupancy, PoolEntry, Snapshot};
pub use worker::{Order, Worker};

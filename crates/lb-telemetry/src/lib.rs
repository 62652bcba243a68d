//! What a load balancer says of itself: counters, end reasons and access-log lines.
//!
//! What it is for: the data path counts into the parts of its worker's [`Counters`], by listener, pool and backend, names the [`End`] of every request and
//! connection, and describes each request as an [`Access`] that a [`Format`] turns into a log
//! line. Operators see the same words in the log, in `Proxy-Status` (RFC 9209) and in metrics.
//!
//! What it is not for: files, sockets and threads. Nothing here opens, sends, waits or reads a
//! clock; the caller owns the buffer and the time.
//!
//! ```
//! use lb_telemetry::{Access, Counters, End, Format, Snapshot, Wall};
//!
//! let counters = Counters::new();
//! let listener = counters.listener("192.0.2.1:80".parse()?);
//! listener.connection_opened();
//! listener.request();
//! listener.response(200);
//! listener.ended(End::Done);
//! let sum: Snapshot = [&counters].into_iter().map(Counters::snapshot).sum();
//! assert_eq!((sum.requests, sum.active(), sum.ended(End::Done)), (1, 1, 1));
//!
//! let mut access = Access::new("127.0.0.1".parse()?, Wall::from_millis(971_186_136_000));
//! access.method = b"GET";
//! access.target = b"/apache_pb.gif";
//! access.version = "HTTP/1.0";
//! access.status = 200;
//! access.bytes = 2326;
//! let mut line = Vec::new();
//! Format::Common.write(&access, &mut line);
//! assert_eq!(line, b"127.0.0.1 - - [10/Oct/2000:13:55:36 +0000] \"GET /apache_pb.gif HTTP/1.0\" 200 2326\n");
//!
//! assert_eq!(End::ConnectRefused.status(), Some(502));
//! assert_eq!(End::ConnectRefused.proxy_status(), Some("connection_refused"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Limits: a log line is at most four times (JSON: six times) as long as the bytes the client
//! sent into it, plus about 1,000 bytes. A part of [`Counters`] has one writing thread. Dates reach to the
//! year 9999. No features.

mod access;
mod backend;
mod count;
mod counters;
mod end;
mod faults;
mod format;
mod listener;
mod pool;
mod snapshot;

pub use access::{Access, HeaderAccess, Phases, TlsAccess};
pub use backend::{BackendCounters, BackendCounts};
pub use count::EndCounts;
pub use counters::Counters;
pub use end::{End, Side};
pub use faults::{Fault, Faults};
pub use format::{Format, UnknownFormat, timestamp};
#[doc(no_inline)]
pub use lb_types::{Address, BackendId, Wall};
pub use listener::{ListenerCounters, ListenerCounts};
pub use pool::{PoolCounters, PoolCounts};
pub use snapshot::Snapshot;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! Runs health probes on a timetable: TCP connect, half-open SYN, HTTP/1.1, bytes sent and expected (redis, memcached,
//! SMTP, MySQL, PostgreSQL), UDP; and asks agents as HAProxy does.
//!
//! What it is for: a [`Prober`] holds one `lb_health::Machine` per backend, makes the probes when they
//! are due, and gives an [`Event`] whenever a backend's status or its share of slow start changes. A
//! single [`Probe`] can also be made by hand ([`Probe::run`]), for a doctor or a start-up check. Probes over TLS warn, in
//! the log and in a [`View`], before a backend's certificate ends; that alone takes nobody down.
//!
//! What it is not for: judging (lb-health does), choosing backends (lb-balance), or gRPC and scripts,
//! which are not spoken yet.
//!
//! ```
//! use lb_health::{Cause, Status};
//! use lb_probe::{Kind, Probe, ProbeOptions, Prober, Watched};
//! use lb_types::{BackendId, Time};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
//! let backend = listener.local_addr()?;
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! runtime.block_on(async {
//!     let probe = Probe::new(backend, ProbeOptions { kind: Kind::Tcp, ..ProbeOptions::default() })?;
//!     assert_eq!(probe.run().await, Ok(()));
//!
//!     let mut prober = Prober::new(1, Time::ZERO);
//!     prober.replace(vec![Watched::new(BackendId::of("web", "a"), "web/a", probe)]);
//!     let event = prober.next().await;
//!     assert_eq!(event.change.to, Status::Up);
//!     assert_eq!(prober.views().first().map(|view| view.status), Some(Status::Up));
//!     Ok(())
//! })
//! # }
//! ```
//!
//! # What a probe costs and keeps
//!
//! One connection per probe, at most [`Prober::MOST_AT_ONCE`] at a time unless told otherwise; beyond that
//! probes wait for their turn, longest overdue first. First probes are spread: one each half millisecond, all within
//! their interval; later ones by the jitter. A probe reads at most 16 KiB of head and 64 KiB of body and its
//! socket is closed when it ends, at the latest with its timeout. Waking up costs
//! `O(log backends)` for each backend that is due.
//! Probes name themselves [`USER_AGENT`], so that logs can leave them out. No features.

mod agenda;
mod agent;
mod answer;
mod connect;
mod dialogue;
mod entry;
mod expiring;
mod half_open;
mod http;
mod io_cause;
mod options;
mod pace;
mod probe;
mod prober;
mod proxy_header;
mod service;
mod talk;
mod udp;
mod view;
mod watched;

pub use agent::{
    Agent, AgentError, AgentEvent, AgentLine, AgentNews, AgentOptions, AgentState, AgentWord, Agents, Asked, LineError,
};
pub use answer::Answer;
pub use half_open::half_open_is_permitted;
pub use http::{HttpError, HttpOptions, Method, USER_AGENT};
#[doc(no_inline)]
pub use lb_balance::Contact;
#[doc(no_inline)]
pub use lb_health::{Admin, Advice, Cause, Change, Report, Rules, Seen, Status, Traffic};
#[doc(no_inline)]
pub use lb_http::h1::Parsing;
#[doc(no_inline)]
pub use lb_tls::{Expiry, UpstreamTls};
#[doc(no_inline)]
pub use lb_types::{Address, BackendId, Time, Weight};
pub use options::{ExchangeOptions, Fallback, Kind, ProbeOptions, ProxyHeader, Step, UdpOptions};
pub use probe::{Probe, ProbeError};
pub use prober::{Event, Health, Prober};
pub use service::Order;
pub use view::View;
pub use watched::Watched;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

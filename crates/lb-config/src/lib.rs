//! lbd's configuration: from TOML text to a checked plan to a running snapshot.
//!
//! What it is for: [`parse`] reads text, [`resolve`] finds its meaning, [`build`] makes what the data plane serves.
//! Whatever is wrong is reported **at once**: every [`Problem`] has a stable [`Kind`], a place in the file, the
//! underlined source and mostly the mend. It also goes back ([`Plan::to_toml`]), makes a plan from a command line
//! ([`Plan::from_one_liner`]) and says what a reload would do ([`Changes`]).
//!
//! What it is not for: opening sockets, starting probes, watching files. It reads, and it makes values.
//!
//! ```
//! use lb_config::{Kind, Nowhere, build, parse, resolve};
//!
//! let text = r#"
//!     version = 1
//!     [[listeners]]
//!     name = "web"
//!     address = "127.0.0.1:8080"
//!     pool = "app"
//!     [[pools]]
//!     name = "app"
//!     backends = ["10.0.0.1:80", { address = "10.0.0.2:80", weight = 3 }]
//! "#;
//! let resolved = resolve(&parse("lbd.toml", text), &Nowhere)?;
//! assert!(resolved.warnings.is_empty());
//! let snapshot = build(&resolved.plan, None)?.commit();
//! assert_eq!(snapshot.listeners.len(), 1);
//!
//! let text = text.replace("weight = 3", "weigth = 3").replace("127.0.0.1:8080", ":8080");
//! let problems = resolve(&parse("lbd.toml", &text), &Nowhere).unwrap_err();
//! let kinds: Vec<Kind> = problems.iter().map(|problem| problem.kind).collect();
//! assert_eq!(kinds, [Kind::BadAddress, Kind::UnknownKey]);
//! assert!(problems.to_string().contains("did you mean `weight`?"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The keys themselves, with defaults and ranges, stand in `docs/configuration.md`, and as data in [`schema`].
//!
//! # What is read when
//!
//! [`parse`] never fails: syntax errors are kept, and [`resolve`] reports them with everything that is wrong in the
//! rest. Host names are looked up, and secrets, certificates and lists of addresses are read in [`resolve`], through an
//! [`Environment`]; this may block. What was loaded stands in the [`Plan`], never printed; [`Plan::files`] says from where.
//! [`build`] keeps what an older snapshot knows of unchanged backends, tables and TLS.
//!
//! Limits: 16 MiB of text, 10,000 elements in a list or files in a folder, 512 MiB in a file that it names, 100 problems
//! shown. No features.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod build;
mod changes;
mod environment;
mod field;
mod grammar;
mod near;
mod one_liner;
mod plan;
mod probe;
mod problem;
mod reader;
mod resolve;
pub mod schema;
mod scope;
mod secret;
mod syntax;
mod text;
mod usual;
mod write;

pub use build::{BuildError, BuildErrors, Built, build};
pub use changes::Changes;
pub use environment::{Environment, Nowhere, System};
pub use grammar::StatusRange;
#[doc(no_inline)]
pub use lb_balance;
#[doc(no_inline)]
pub use lb_balance::FailOpen;
#[doc(no_inline)]
pub use lb_guard;
#[doc(no_inline)]
pub use lb_health::Rules;
#[doc(no_inline)]
pub use lb_http::h1::{Parsing, QueryCharacters};
#[doc(no_inline)]
pub use lb_persist::{CookieInsertError, HashBy, NetmaskError, Refresh, SameSite};
#[doc(no_inline)]
pub use lb_probe::{Agent, ExchangeOptions, Fallback, Probe, ProbeError, ProxyHeader, UdpOptions};
#[doc(no_inline)]
pub use lb_proxy::Snapshot;
#[doc(no_inline)]
pub use lb_sched::{Algorithm, BoundedLoadError};
#[doc(no_inline)]
pub use lb_telemetry::Format;
#[doc(no_inline)]
pub use lb_tls;
#[doc(no_inline)]
pub use lb_tls::client_auth::ClientAuthMode;
#[doc(no_inline)]
pub use lb_tls::upstream::Pin;
#[doc(no_inline)]
pub use lb_tls::{Identity, Note, Roots, Version, Versions};
#[doc(no_inline)]
pub use lb_types::{Address, BackendId, Cidr, Wall, Weight};
pub use plan::{
    AccessLists, AccessLog, Action, AdminSocket, AgentCheck, Backend, Certificates, Check, ClientAuth, ClientIp,
    ClientTimeouts, CookieInsert, Forward, Forwarded, Health, Http, HttpCheck, Limits, Listener, Log, Opening, Origin,
    Passthrough, PassthroughRoute, PerClient, Persistence, Plan, Pool, PoolTls, ProbeMethod, ProxyOut, ProxyProtocol,
    ProxyVersion, Retries, Route, Scheduling, ServerTls, Service, Site, SocketFile, Tcp, TrustedRoots,
    UpstreamTimeouts,
};
pub use probe::{agent, probe};
pub use problem::{Kind, Problem, Problems, Severity, Span};
pub use resolve::{Resolved, load, load_admin, resolve};
pub use secret::Secret;
pub use syntax::{Raw, parse};
pub use text::NotUtf8;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

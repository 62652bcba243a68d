//! Simulates load-balancing algorithms side by side, and advises which one an access log asks for.
//!
//! What it is for: seeing what an algorithm does before it serves traffic. Requests that are made up, or those of an
//! access log, meet simulated backends on a virtual clock; the picks are made by `lb-sched`, the code that serves
//! traffic. Every algorithm gets the same requests, and the same seed gives the same result.
//!
//! What it is not for: measuring the program. No socket is opened, a pick costs no time.
//!
//! ```
//! use lb_doctor::simulate::{Backend, Contender, Options, Traffic, backends, compare};
//! use lb_sched::Algorithm;
//! use std::time::Duration;
//!
//! // Twenty backends, one of which is ten times slower; 70 % of what they can do.
//! let mut backends = backends("1*20")?;
//! backends[19].speed = 0.1;
//! let capacity: f64 = backends.iter().map(Backend::capacity).sum();
//! let mut traffic = Traffic::new(0.7 * capacity / 0.020);
//! traffic.service = "exp:20ms".parse()?;
//! traffic.span = Duration::from_secs(20);
//!
//! let contenders = [Algorithm::RoundRobin, Algorithm::WeightedLeastConn].map(Contender::from);
//! let mut result = compare(&contenders, &backends, &Options::default(), traffic.requests(1), Some(traffic.span))?;
//! let p99 = |place: usize, result: &mut lb_doctor::simulate::Comparison| result.outcomes[place].latency.quantile(99.0);
//! assert!(p99(1, &mut result) * 2 < p99(0, &mut result), "counting connections finds the slow one");
//! assert!(result.verdict().starts_with("least_conn is best here"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The five scenarios of the textbook are built in: [`Scenario::run`]. [`log`] reads access logs of this and other
//! balancers, [`log::Replay`] makes requests of them, and [`advise`] says which algorithm and weights they ask for.
//! [`explain`] tells what each algorithm keeps and costs.
//!
//! Limits: 10,000 backends; 100,000 requests wait at one backend, more are refused; quantiles are exact up to 262,144
//! values and from a sample beyond. Memory does not grow with the number of requests. No features.

pub mod advise;
pub mod explain;
pub mod log;
pub mod report;
mod scenario;
pub mod simulate;
pub mod spec;

#[doc(no_inline)]
pub use lb_sched::{Algorithm, BuildError, Limit, Recipe};
#[doc(no_inline)]
pub use lb_types::{Time, Weight};
pub use scenario::{Part, Row, Scenario};
pub use spec::SpecError;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! From the facts of a request to a backend: routes, pools, standings, tickets and retry budgets.
//!
//! What it is for: every decision between a parsed request and a connection to a backend.
//! [`Routes`] says which pool, the pool's strategies say which backend the client had before, a
//! [`Picker`] chooses and counts, a [`Ticket`] gives the count back, a [`RetryBudget`] says whether
//! a failed request may be sent again. Nothing here opens a socket, reads a clock or waits.
//!
//! What it is not for: the algorithms (`lb-sched`), recognising clients (`lb-persist`), judging
//! health (`lb-health`; [`standings`] turns its judgement into what a pool needs), moving bytes.
//!
//! ```
//! use std::sync::Arc;
//! use lb_balance::route::{Action, Prefix, Query, Route};
//! use lb_balance::{Backend, Hint, Outcome, Picker, Pool, Routes, Standing, Tried};
//! use lb_sched::Algorithm;
//! use lb_types::{Slot, Time, Weight};
//! use std::net::SocketAddr;
//!
//! let routes = Routes::new(vec![Route {
//!     hosts: vec!["*.example.com".parse()?],
//!     path: Prefix::new("/shop")?,
//!     action: Action::Forward(0),
//! }])?;
//! let query = Query { host: Some(b"www.Example.com:80"), path: b"/shop/cart" };
//! assert_eq!(routes.find(&query), Some(&Action::Forward(0)));
//!
//! // Shared by all workers; the control thread calls `pool.update` when health changes.
//! let backends: Vec<_> = [("a", 9001), ("b", 9002)].into_iter().map(|(name, port)| {
//!     Arc::new(Backend::new("web", name, SocketAddr::from(([127, 0, 0, 1], port)), Weight::ONE, Some(100)))
//! }).collect();
//! let up = |slot| Standing { slot: Slot(slot), weight: Weight::ONE, up: true };
//! let pool = Pool::new("web", backends, Vec::new(), Algorithm::RoundRobin, &[up(0), up(1)], None)?;
//!
//! // One per worker.
//! let mut picker = Picker::new(Arc::new(pool), 1);
//! let mut tried = Tried::new();
//! let first = picker.pick(Hint::Any, &tried, Time::ZERO)?;
//! tried.add(first.slot());
//! first.finish(Outcome::Failure, Time::ZERO);
//! let second = picker.pick(Hint::Any, &tried, Time::ZERO)?;
//! assert_eq!((second.backend().name.as_str(), second.why().to_string().as_str()), ("b", "retried"));
//! second.finish(Outcome::Success, Time::ZERO);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A backend that refuses connections is [passed over](Contact) at once, with or without probes: [`Pool::refused`] and
//! [`Pool::connected`] say so. When all are, they are tried all the same.
//!
//! On the way of a request (`find`, `recall`, `pick`, `finish`, the retry budget) nothing is allocated
//! and no lock is taken; shared memory is written once for the round, once each for begin and end,
//! and once to count the reference of the backend.
//!
//! Limits: three strategies per pool; path prefixes of 512 bytes; host names of 253; 64 lost races per
//! pick; ten seconds of memory in a retry budget. No features.

mod backend;
mod contact;
mod picker;
mod pool;
mod recalled;
mod retry;
pub mod route;
mod spread;
mod standing;
mod ticket;
mod tried;

pub use backend::Backend;
pub use contact::{Contact, PassedOver, Refusal};
#[doc(no_inline)]
pub use lb_health::{Admin, Cause, Status};
#[doc(no_inline)]
pub use lb_persist::{Facts, Key, Learn, Strategy};
#[doc(no_inline)]
pub use lb_sched;
#[doc(no_inline)]
pub use lb_sched::{Algorithm, Limit, Load, Member, Recipe};
#[doc(no_inline)]
pub use lb_types::{Address, BackendId, FieldsMut, InvalidField, Now, Slot, Time, Weight};
pub use picker::{Hint, PickError, Picker};
pub use pool::{BuildError, Pool};
pub use recalled::Recalled;
pub use retry::{RetryBudget, RetryOptions};
pub use route::Routes;
pub use spread::Spread;
pub use standing::{Condition, FailOpen, Standing, Standings, standings};
pub use ticket::{Observe, Outcome, Ticket, Why};
pub use tried::Tried;

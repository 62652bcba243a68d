//! Decides whether a backend is up: rise and fall, slow start, passive reports, operator's orders.
//!
//! What it is for: one [`Machine`] per backend. Feed it what probes and traffic saw
//! ([`Machine::report`]), what the operator wants ([`Machine::set_admin`]) and the time; it says
//! when to probe next, what the [`Status`] is, and how much of its weight the backend gets.
//!
//! What it is not for: sockets, clocks and threads. Running the probes is lb-probe's part, making
//! a table of standings lb-balance's.
//!
//! ```
//! use core::time::Duration;
//! use lb_health::{Cause, Machine, Report, Rules, RulesOptions, Status};
//! use lb_types::Time;
//!
//! let rules = Rules::new(RulesOptions { interval: Duration::from_secs(2), ..RulesOptions::default() })?;
//! let mut now = Time::ZERO;
//! let mut machine = Machine::new(rules, 7, now);
//! assert_eq!(machine.status(), Status::Starting); // takes clients already
//! assert!(machine.probe_due(now));
//! machine.report(Report::Probe(Ok(())), now);
//! assert_eq!(machine.status(), Status::Up);
//! for _ in 0..3 {
//!     now = machine.poll_timeout().ok_or("a probe is planned")?;
//!     assert!(machine.probe_due(now));
//!     machine.report(Report::Probe(Err(Cause::Refused)), now);
//! }
//! assert_eq!(machine.status(), Status::Down(Cause::Refused));
//! println!("{}: {}", machine.status(), Cause::Refused.mend());
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # The rules in one table
//!
//! | from | event | to |
//! | --- | --- | --- |
//! | Starting | one good probe | Up |
//! | Starting | one bad probe | Down, at once: it was never seen up |
//! | Up | `fall` bad probes in a row | Down |
//! | Down | `rise` good probes in a row | Up, through slow start |
//! | Starting, Up | `max_failures` failed requests in a row | Down |
//! | Down, without probes | `interval_down` is over | Starting, on trial: one failed request ends it |
//! | any | Maintenance ordered | Maintenance; nothing is probed |
//! | Maintenance | Ready or Drain ordered | Starting, through slow start, probed at once |
//! | Starting, Up | Drain ordered | Draining: known clients only; it is still probed and may go Down |
//!
//! HAProxy's users find what they know: a server starts usable and falls at its first failed
//! check, and slow start is not used when the process starts.
//!
//! Limits: the last sixteen probe results are kept. `no_std`, no `alloc`, about 500 bytes per
//! machine, every call `O(1)`. No features.
#![no_std]

#[cfg(test)]
extern crate std;

mod cause;
mod history;
mod machine;
mod passive;
mod pool;
mod ramp;
mod rules;
mod status;
mod timetable;
mod window;

pub use cause::Cause;
pub use history::{History, Seen};
pub use machine::{Change, Machine, Report};
pub use passive::{PassiveOptions, Traffic};
pub use pool::{Member, judge};
pub use rules::{Rules, RulesError, RulesOptions};
pub use status::{Admin, Advice, Status};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

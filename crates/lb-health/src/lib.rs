//! Decides whether a backend is up: rise and fall, slow start, passive reports, operator's orders.
//!
//! What it is for: one [`Machine`] per backend. Feed it what probes and traffic saw
//! ([`Machine::report`], [`Machine::saw`]), what the operator wants ([`Machine::set_admin`]) and the time; it says
//! when to probe next, what the [`Status`] is, and how much of its weight the backend gets. Whether traffic
//! takes a backend out is decided for a pool as a whole: [`judge`] compares its backends.
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
//! # The rules in tables
//!
//! What a backend is, in words of these tables: `Starting` was not judged yet and takes clients; `Doubted` is the same,
//! with one bad probe fewer than `fall`; `Absent` is down and never was up, so that one good probe is enough; `Falling` is up,
//! with one bad probe fewer than `fall`; `Rising` is down, with one good probe fewer than `rise`; `Ejected` was taken
//! out by traffic for a time, and `Waiting` is the same with `rise` good probes already; `Trial` came back without
//! probes: one failed request is enough. Ordered: `Draining` takes clients it had before, `Drained` is down
//! besides, `Maintenance` takes nobody and is not probed, `Forced` takes everybody, and `Forced-ill` would be down.
//!
//! With probes. Columns: a probe is good, is bad, could not be made by us; a request succeeds, `max_failures` fail
//! in a row, the pool's judgement ([`judge`]) goes against it; the time out is over; the order Ready, Drain,
//! Maintenance, Up:
//!
//! | from | good | bad | local | ok | row | eject | over | ready | drain | maint | up |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | Starting | Up | Doubted | Starting | Starting | Ejected | Ejected | Starting | Starting | Draining | Maintenance | Forced |
//! | Doubted | Up | Absent | Doubted | Doubted | Ejected | Ejected | Doubted | Doubted | Draining | Maintenance | Forced |
//! | Absent | Up | Absent | Absent | Absent | Absent | Absent | Absent | Absent | Drained | Maintenance | Forced-ill |
//! | Up | Up | Falling | Up | Up | Ejected | Ejected | Up | Up | Draining | Maintenance | Forced |
//! | Falling | Up | Down | Falling | Falling | Ejected | Ejected | Falling | Falling | Draining | Maintenance | Forced |
//! | Down | Rising | Down | Down | Down | Down | Down | Down | Down | Drained | Maintenance | Forced-ill |
//! | Rising | Up | Down | Rising | Rising | Rising | Rising | Rising | Rising | Drained | Maintenance | Forced-ill |
//! | Ejected | Ejected | Ejected | Ejected | Ejected | Ejected | Ejected | Down | Ejected | Drained | Maintenance | Forced-ill |
//! | Waiting | Waiting | Ejected | Waiting | Waiting | Waiting | Waiting | Up | Waiting | Drained | Maintenance | Forced-ill |
//! | Draining | Draining | Draining | Draining | Draining | Drained | Drained | Draining | Up | Draining | Maintenance | Forced |
//! | Drained | Drained | Drained | Drained | Drained | Drained | Drained | Drained | Down | Drained | Maintenance | Forced-ill |
//! | Maintenance | Maintenance | Maintenance | Maintenance | Maintenance | Maintenance | Maintenance | Maintenance | Starting | Draining | Maintenance | Forced |
//! | Forced | Forced | Forced | Forced | Forced | Forced | Forced | Forced | Up | Draining | Maintenance | Forced |
//! | Forced-ill | Forced-ill | Forced-ill | Forced-ill | Forced-ill | Forced-ill | Forced-ill | Forced-ill | Down | Drained | Maintenance | Forced-ill |
//!
//! Without probes only traffic judges; `fail` is one failed request, fewer than `max_failures`:
//!
//! | from | ok | fail | row | eject | over | ready | drain | maint | up |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | Starting | Up | Starting | Ejected | Ejected | Starting | Starting | Draining | Maintenance | Forced |
//! | Trial | Up | Ejected | Ejected | Ejected | Trial | Trial | Draining | Maintenance | Forced |
//! | Up | Up | Up | Ejected | Ejected | Up | Up | Draining | Maintenance | Forced |
//! | Ejected | Ejected | Ejected | Ejected | Ejected | Trial | Ejected | Drained | Maintenance | Forced-ill |
//! | Draining | Draining | Draining | Drained | Drained | Draining | Up | Draining | Maintenance | Forced |
//! | Drained | Drained | Drained | Drained | Drained | Draining | Ejected | Drained | Maintenance | Forced-ill |
//! | Maintenance | Maintenance | Maintenance | Maintenance | Maintenance | Maintenance | Starting | Draining | Maintenance | Forced |
//! | Forced | Forced | Forced | Forced | Forced | Forced | Up | Draining | Maintenance | Forced |
//! | Forced-ill | Forced-ill | Forced-ill | Forced-ill | Forced-ill | Forced | Ejected | Drained | Maintenance | Forced-ill |
//!
//! A test reads these tables and drives a machine through every cell. Besides: whoever comes up again, or back from
//! maintenance, does so through slow start, unless it is forced up. The agent of a backend
//! ([`Machine::advise`]) orders like an operator, and the stronger order holds; it can also hold a backend down.
//!
//! HAProxy's users find what they know: a server starts usable, and slow start is not used when the process starts. Its
//! first failed check alone does not take it down: backends that are started together with their load balancer would
//! lose that race. Envoy's find the outlier detection that they
//! know: [`PassiveOptions`].
//!
//! Limits: the last sixteen probe results are kept. `no_std`, no `alloc`, about one KiB per
//! machine, every call `O(1)`; [`judge`] is `O(n log n)` for the backends of a pool. No features.
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
#[doc(no_inline)]
pub use lb_types::{BackendId, Time};
pub use machine::{Change, Machine, Report};
pub use passive::{PassiveOptions, Traffic};
pub use pool::{Member, judge};
pub use rules::{Rules, RulesError, RulesOptions};
pub use status::{Admin, Advice, Status};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

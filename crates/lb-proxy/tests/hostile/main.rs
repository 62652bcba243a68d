//! Hostile and unusual HTTP/1.1 exchanges through a real worker: a raw client on one side, a backend
//! that records every byte and answers from a script on the other.
//!
//! Each exchange has its own worker and backend, so that nothing leaks from one into the next. The
//! tables say what a client must see and what a backend may have seen; [`client`] and
//! [`script`] read both sides by their own rules, not with the codec under test.

#![allow(clippy::disallowed_methods)] // deadlines of the tests themselves are real time
#![allow(clippy::unwrap_used)]

mod accepted;
mod backends;
mod bulk;
mod client;
mod counts;
mod ends;
mod flows;
mod limits;
mod parts;
mod patience;
mod refused;
mod replies;
mod requests;
mod run;
mod script;
mod sequences;
mod tallies;
mod waits;
mod world;

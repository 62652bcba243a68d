//! Session tickets that several processes open without talking, and a bounded cache of TLS 1.2 sessions.
//!
//! A ticket is encrypted with a key that follows from three things: the secret that the processes share, the *binding*
//! of the site (who may come in, and what is spoken), and the period of time. So a change of authorities, revocation
//! lists or rules makes every ticket from before worthless, here and in every process that was told of the change.
//!
//! rustls asks the cache and the ticketer both in TLS 1.2: a client that offers a ticket gets no session ID looked up,
//! one that does not gets one. In TLS 1.3 it asks the cache only when there is no ticketer.

mod cache;
#[cfg(feature = "aws-lc-rs")]
mod keys;
#[cfg(feature = "aws-lc-rs")]
mod secret;

pub use cache::{SessionCache, SiteSessions};
#[cfg(feature = "aws-lc-rs")]
pub use keys::Tickets;
#[cfg(feature = "aws-lc-rs")]
pub use secret::{TicketError, TicketSecret};

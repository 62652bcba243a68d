//! What an HTTP message means: a strict HTTP/1.1 codec for proxies, forwarding rules, upgrades.
//!
//! What it is for: a proxy that stands between clients and backends it cannot trust. It reads a
//! message only if every reader would find the same start, fields and end in it, and writes it
//! anew, so that what it passes on has one meaning. What it is not for: a client or a server of its
//! own (no sockets, no timers, no redirects, no content codings) and HTTP/2.
//!
//! ```
//! use lb_http::h1::{Conn, Framing, Limits, Message, Next, Part, Role, Step};
//! use lb_http::{Head, forward};
//! use std::sync::Arc;
//!
//! let limits = Arc::new(Limits::default());
//! let mut client = Conn::new(Role::Server, limits.clone());
//! let mut upstream = Conn::new(Role::Client, limits);
//! let mut head = Head::with_capacity(4096, 32);
//!
//! // A request arrives, is prepared and written to the backend.
//! let input = b"POST /cart?item=7 HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 2\r\n\r\nok";
//! let Step::Ready(Message { len, framing }) = client.read_head(input, &mut head)? else { panic!("a whole head") };
//! assert_eq!((head.path(), framing), (&b"/cart"[..], Framing::Length(2)));
//! let sender = forward::Sender::new("192.0.2.7".parse()?, "https", 443);
//! forward::request(&mut head, &forward::Forward { sender: &sender, trusted: false, statements: forward::Statements::default(), keep_upgrade: false, keep_expect: false })?;
//! let mut out = Vec::new();
//! upstream.write_head(&head, framing, &mut out)?;
//! let Part::Data { skip: 0, len: 2 } = client.read_body(&input[len..])? else { panic!("two bytes") };
//! let behind = upstream.write_body(2, &mut out)?;
//! out.extend_from_slice(b"ok");
//! out.extend_from_slice(behind);
//! assert_eq!(out, b"POST /cart?item=7 HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 192.0.2.7\r\n\
//!     X-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\nContent-Length: 2\r\n\r\nok");
//!
//! // The answer goes the other way; then both connections can be used again.
//! let Step::Ready(reply) = upstream.read_head(b"HTTP/1.1 204 No Content\r\n\r\n", &mut head)? else { panic!() };
//! forward::response(&mut head, false);
//! client.write_head(&head, reply.framing, &mut out)?;
//! assert_eq!((client.next(), upstream.next()), (Next::Reuse, Next::Reuse));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Limits: everything a remote side can make large is bounded by [`h1::Limits`]; offsets are 32
//! bits, so no head exceeds 4 GiB whatever is configured, and 256 field lines are the most.
//! Per message nothing is allocated once the [`Head`] and the output buffer have grown to the
//! traffic. No features.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod auth;
pub mod forward;
pub mod h1;
mod head;
pub mod keep_alive;
mod list;
pub mod upgrade;

pub use head::{Head, Kind, Version, reason};
#[doc(no_inline)]
pub use lb_types::{Fields, FieldsMut, InvalidField};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

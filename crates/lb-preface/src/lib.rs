//! What comes before the first request on a connection: PROXY headers, the hellos of TLS, and a guess at the protocol.
//!
//! What it is for: a balancer that wants to know who its client is, which name and protocols it asks for, and what it
//! speaks at all, before it decides where the connection goes. Every parser takes the bytes so far and answers a [`Step`]:
//! done, with how many bytes it took, or that more are needed. Any split of the same bytes ends in the same answer.
//!
//! What it is not for: reading sockets, waiting, TLS itself (nothing is decrypted or verified), and trust: who may send a
//! PROXY header is for the caller to know.
//!
//! ```
//! use lb_preface::client_hello;
//! use lb_preface::{Step, fatal_record, proxy};
//!
//! // A proxy in front says who the client is, and the client's bytes follow.
//! let input = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET / HTTP/1.1\r\n\r\n";
//! let Step::Done { value: header, len } = proxy::parse(input, proxy::Limits::default())? else {
//!     panic!("not all there");
//! };
//! assert_eq!(header.addresses().source(), Some("192.0.2.1:56324".parse()?));
//!
//! // TLS is wanted and something else comes: say what it is.
//! let behind = &input[len..];
//! let error = client_hello::peek(behind, client_hello::Limits::default()).unwrap_err();
//! assert!(error.to_string().contains("HTTP/1 without TLS"));
//! // No alert for those who could not read it; others are answered with `fatal_record`.
//! assert_eq!(error.alert().map(fatal_record), None);
//!
//! // A hello may come in pieces.
//! let begun = client_hello::peek(b"\x16\x03\x01\x02\x00\x01", client_hello::Limits::default())?;
//! assert_eq!(begun, Step::NeedMore);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | reads | writes |
//! | --- | --- | --- |
//! | [`proxy`] | PROXY headers, versions 1 and 2, with typed TLVs | both, with chosen TLVs and a checksum |
//! | [`client_hello`] | what a TLS client offers and asks for | [`fatal_record`]: the alert that refuses it |
//! | [`server_hello`] | what a TLS server chose, on its way to the client | |
//! | [`sniff`] | which protocol the first bytes belong to | |
//!
//! Limits, each an option of its parser but the first and the last: a PROXY line has 107 bytes (the document's number), a
//! header of version 2 4,096 by default; a hello 16,384 bytes and 1,024 records by default; the guess looks at 24 bytes; a
//! PROXY header that is written has 2,048 bytes at most.
//!
//! Parsing borrows from the input and allocates nothing; a hello that is split over records is put together in one
//! allocation. Features: none.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

pub mod client_hello;
mod hello;
pub mod proxy;
mod reader;
pub mod server_hello;
mod shown;
pub mod sniff;
mod step;

pub use hello::{Alert, Offered, Version, fatal_record};
#[doc(no_inline)]
pub use lb_types::{Address, UnixPath};
pub use shown::Shown;
pub use step::Step;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

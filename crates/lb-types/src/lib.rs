//! Words that every lbd crate shares.
//!
//! What it is for: one vocabulary (which backend, which weight, what time is it, does this
//! address belong to that range, what does this header say) so that a scheduler, a persistence
//! strategy and a health machine written apart fit together.
//!
//! What it is not for: logic. The only functions with a loop are a hash and an address mask; the only one with a rule is
//! the calendar ([`Civil`]), which five crates would write again.
//!
//! ```
//! use lb_types::{BackendId, Cidr, Weight};
//!
//! // The same pool and name give the same id on every machine and after every restart.
//! assert_eq!(BackendId::of("web", "10.0.0.1:80"), BackendId::of("web", "10.0.0.1:80"));
//! assert!(Weight::new(256).is_ok());
//! assert!(Weight::new(257).is_err());
//!
//! let office: Cidr = "192.168.1.0/24".parse()?;
//! assert!(office.contains("192.168.1.77".parse()?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Limits: weights go to 256; [`Time`] covers 584 years. `no_std`, no `alloc`.
//!
//! Features: `http` implements [`Fields`] and [`FieldsMut`] for `http::HeaderMap` (hyper, axum, tower); `near` adds
//! `nearest`, which finds the word that was meant. Both need std.
#![no_std]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

#[cfg(any(test, feature = "http", feature = "near"))]
extern crate std;

mod address;
mod cidr;
mod civil;
mod fields;
mod hash;
#[cfg(feature = "http")]
mod header_map;
mod id;
#[cfg(feature = "near")]
mod near;
mod rng;
mod time;

pub use address::{Address, AddressError, UnixPath, UnixPathError};
pub use cidr::{Cidr, CidrError};
pub use civil::Civil;
pub use fields::{Fields, FieldsMut, InvalidField};
pub use hash::{hash64, tag128};
pub use id::{BackendId, Slot, Weight, WeightError};
#[cfg(feature = "near")]
pub use near::nearest;
pub use rng::Rng;
pub use time::{Now, Time, Wall};

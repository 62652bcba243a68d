//! The runtime API of a load balancer: HTTP and JSON over a local socket, and its client.
//!
//! What it is for: [`serve`] answers on a [`UnixSocket`] and asks whoever implements [`Control`]; [`Client`] asks over the
//! same socket. What there is to see is a [`state::State`], what can be ordered an [`Order`]; [`text`] prints them.
//! `docs/admin.md` has the paths and the JSON.
//!
//! ```
//! use lb_admin::state::{Backend, Pool, State};
//! use lb_admin::{Client, Control, ControlError, Order, Pending, UnixSocketOptions, Which, Wish, serve};
//! use lb_health::Admin;
//! use std::sync::{Arc, Mutex};
//!
//! /// A program with one pool and one backend.
//! #[derive(Default)]
//! struct Small(Mutex<Backend>);
//!
//! impl Control for Small {
//!     fn state(&self, _which: Which) -> Pending<'_, State> {
//!         let backend = self.0.lock().unwrap().clone();
//!         let pool = Pool { name: "app".into(), total: 1, backends: vec![backend], ..Pool::default() };
//!         Box::pin(async { Ok(State { pools: vec![pool], ..State::default() }) })
//!     }
//!     fn order(&self, orders: Vec<Order>) -> Pending<'_, Vec<Backend>> {
//!         Box::pin(async move {
//!             for order in &orders {
//!                 if order.pool != "app" {
//!                     return Err(ControlError::unknown_pool(&order.pool, ["app"].into_iter()));
//!                 }
//!                 if let Wish::Set(admin) = order.admin {
//!                     self.0.lock().unwrap().admin = admin.as_str().to_owned();
//!                 }
//!             }
//!             Ok(vec![self.0.lock().unwrap().clone()])
//!         })
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let path = std::env::temp_dir().join(format!("lb-admin-{}.sock", std::process::id()));
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! runtime.block_on(async {
//!     let socket = lb_admin::open(&UnixSocketOptions::new(&path))?;
//!     let server = tokio::spawn(serve(socket.listener()?, Arc::new(Small::default()), Default::default()));
//!
//!     let client = Client::new(&path);
//!     let drain = |pool| Order::new(pool, "a").with_admin(Wish::Set(Admin::Drain));
//!     client.order(&[drain("app")]).await?;
//!     assert_eq!(client.state(None).await?.pools[0].backends[0].admin, "drain");
//!     let error = client.order(&[drain("apq")]).await.unwrap_err();
//!     assert_eq!(error.to_string(), "there is no pool \"apq\"");
//!     server.abort();
//!     Ok(())
//! })
//! # }
//! ```
//!
//! What it is not for: deciding. It knows no pool and no backend; it speaks HTTP, and it keeps its clients within
//! their bounds.
//!
//! # Limits
//!
//! [`ServerOptions`]: 64 connections, 5 s for a head and as long for a body, 60 s for a connection, 16 KiB of head,
//! 256 KiB of body, 1,000 orders in a request. When all connections are taken, the one that has been silent for
//! longest makes room, so silent clients keep nobody out. No features.

mod client;
mod control;
mod server;
mod socket;
pub mod state;
pub mod text;
mod wire;

pub use client::{Client, ClientError};
pub use control::{Control, ControlError, Order, Pending, Which, Wish};
#[doc(no_inline)]
pub use lb_health::Admin;
#[doc(no_inline)]
pub use lb_net::{UnixSocket, UnixSocketError, UnixSocketOptions};
#[doc(no_inline)]
pub use lb_types::Weight;
pub use server::{ServerOptions, serve};
pub use socket::open;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

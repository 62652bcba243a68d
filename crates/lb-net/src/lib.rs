//! Sockets for a proxy that runs one thread per core.
//!
//! What it is for: listening sockets that several workers share without a lock between them
//! ([`Listener`]), connections to backends that are still being made ([`Connecting`]), the two
//! ways to end a connection ([`reset`], [`shutdown_write`]), large bodies from socket to socket
//! inside the kernel ([`Splice`]), probes that never become a
//! connection ([`half_open`]), the numbers of network interfaces ([`interface_index`]), the process's descriptor limit ([`raise_descriptor_limit`]) and
//! the one place of the workspace that reads a clock ([`clock`]).
//!
//! What it is not for: deciding anything. Which backend, how long, how often: all of that is
//! told by the caller.
//!
//! ```
//! use lb_net::{Listener, ListenerOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! runtime.block_on(async {
//!     let listener = Listener::bind(&ListenerOptions::new("127.0.0.1:0".parse()?))?;
//!     let client = std::net::TcpStream::connect(listener.address())?;
//!     let accepted = listener.accept().await?;
//!     assert_eq!(accepted.peer, client.local_addr()?);
//!     Ok(())
//! })
//! # }
//! ```
//!
//! Limits: TCP over IPv4 and IPv6. Linux first; other Unix systems lack SO_REUSEPORT balancing
//! and splice(2).
//! No features.

pub mod clock;
mod connect;
mod direct;
mod half_open;
mod interface;
mod limit;
mod listener;
mod splice;
mod stream;

pub use connect::Connecting;
pub use direct::{try_recv, try_send};
pub use half_open::{Origin, connect_and_reset, half_open, half_open_is_permitted};
pub use interface::{in_scope_of, interface_index};
#[doc(no_inline)]
pub use lb_types::{Now, Time};
pub use limit::{DescriptorLimit, raise_descriptor_limit};
pub use listener::{Accepted, Listener, ListenerOptions, NetError};
pub use splice::{Filled, Splice};
pub use stream::{has_broken, has_unread, reset, shutdown_write};

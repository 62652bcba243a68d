//! Sockets for a proxy that runs one thread per core.
//!
//! What it is for: listening sockets that several workers share without a lock between them
//! ([`Listener`]) and Unix domain sockets with a file of their own ([`UnixSocket`]), connections over TCP or a Unix domain socket ([`Stream`]) and those to backends
//! that are still being made ([`Opening`]), large bodies from socket to socket
//! inside the kernel ([`Splice`]), probes that never become a
//! connection ([`half_open`]), the numbers of network interfaces ([`interface_index`]), the process's descriptor limit ([`raise_descriptor_limit`]),
//! what a machine can be out of ([`Shortage`]) and
//! the one place of the workspace that reads a clock ([`clock`]).
//!
//! What it is not for: deciding anything. Which backend, how long, how often: all of that is
//! told by the caller.
//!
//! ```
//! use lb_net::{Listener, ListenerOptions};
//! use std::net::SocketAddr;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! runtime.block_on(async {
//!     let listener = Listener::bind(&ListenerOptions::new("127.0.0.1:0".parse::<SocketAddr>()?))?;
//!     let client = std::net::TcpStream::connect(listener.address().to_string())?;
//!     let accepted = listener.accept().await?;
//!     assert_eq!(accepted.peer, client.local_addr()?);
//!     Ok(())
//! })
//! # }
//! ```
//!
//! Limits: TCP over IPv4 and IPv6, and Unix domain sockets. Linux first; other Unix systems lack SO_REUSEPORT balancing
//! and splice(2).
//!
//! Features:
//! - `sim`: a network in memory under a seed and a virtual clock (`sim`), for tests only; no program turns it on.

pub mod clock;
mod direct;
mod half_open;
mod interface;
mod limit;
mod listener;
mod opening;
mod shortage;
#[cfg(feature = "sim")]
pub mod sim;
mod splice;
mod stream;
mod tls;
mod unix_socket;

pub use half_open::{Origin, connect_and_reset, half_open, half_open_is_permitted};
pub use interface::{in_scope_of, interface_index};
#[doc(no_inline)]
pub use lb_types::{Address, Now, Time, UnixPath};
pub use limit::{DescriptorLimit, descriptor_limit, lowest_free, raise_descriptor_limit};
pub use listener::{Accepted, Listener, ListenerOptions, NetError};
pub use opening::{BorrowError, Opening, lacks_access, may_borrow};
pub use shortage::{AcceptFault, Shortage, is_shortage};
pub use splice::{Filled, Splice};
pub use stream::{Ended, Plain, Stream};
pub use tls::{Handshake, Refused, TlsFacts, TlsFault, TlsStream};
pub use unix_socket::{UnixSocket, UnixSocketError, UnixSocketOptions};

//! Who is at the other end of a client connection: known once, for all that comes over it.

use crate::core::Core;
use crate::view::ListenerHandle;
use lb_http::forward::Sender;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

/// What is known of a client connection.
#[derive(Debug)]
pub(crate) struct Peer {
    /// The listener that it came to.
    pub(crate) listener: Rc<ListenerHandle>,
    /// Its address, with the lines that tell it to backends.
    pub(crate) sender: Sender,
    /// Tells the clients of this worker apart (for longer than any of them waits).
    pub(crate) id: u32,
}

impl Peer {
    pub(crate) fn new(listener: &Rc<ListenerHandle>, address: SocketAddr, core: &Core) -> Self {
        let port = listener.view().options().address.port().unwrap_or(HTTP);
        Self {
            listener: Rc::clone(listener),
            sender: Sender::new(address.ip(), "http", port),
            id: core.next_client(),
        }
    }

    pub(crate) const fn address(&self) -> IpAddr {
        self.sender.peer()
    }
}

/// The port of `http` (RFC 9110, section 4.2.1): what a Unix domain socket stands for.
const HTTP: u16 = 80;

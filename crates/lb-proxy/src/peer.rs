//! Who is at the other end of a client connection: known once, for all that comes over it.

use crate::core::Core;
use crate::preface::TlsPeer;
use crate::view::ListenerHandle;
use lb_guard::Pass;
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
    /// What its TLS says of it.
    pub(crate) tls: Option<Rc<TlsPeer>>,
    /// What few clients have.
    rare: Option<Box<Rare>>,
}

#[derive(Debug)]
struct Rare {
    proxied: Option<(SocketAddr, SocketAddr)>,
    pass: Option<Pass>,
}

impl Peer {
    pub(crate) fn new(
        listener: &Rc<ListenerHandle>,
        address: SocketAddr,
        (proxied_to, pass): (Option<SocketAddr>, Option<Pass>),
        tls: Option<Rc<TlsPeer>>,
        core: &Core,
    ) -> Self {
        let (scheme, usual) = if tls.is_some() {
            ("https", HTTPS)
        } else {
            ("http", HTTP)
        };
        let port = proxied_to
            .map(|to| to.port())
            .or_else(|| listener.view().options().address.port())
            .unwrap_or(usual);
        let is_usual = proxied_to.is_none() && pass.is_none();
        let rare = || {
            Box::new(Rare {
                proxied: proxied_to.map(|to| (address, to)),
                pass,
            })
        };
        Self {
            listener: Rc::clone(listener),
            sender: Sender::new(address.ip(), scheme, port),
            id: core.next_client(),
            tls,
            rare: (!is_usual).then(rare),
        }
    }

    /// From where and to where, when a PROXY header said so.
    pub(crate) fn proxied(&self) -> Option<(SocketAddr, SocketAddr)> {
        self.rare.as_ref()?.proxied
    }

    /// Its part of what its client may have, for a connection that goes on as something else.
    pub(crate) fn take_pass(&mut self) -> Option<Pass> {
        self.rare.as_mut()?.pass.take()
    }

    pub(crate) const fn address(&self) -> IpAddr {
        self.sender.peer()
    }
}

/// The port of `http` (RFC 9110, section 4.2.1): what a Unix domain socket stands for.
const HTTP: u16 = 80;
/// As that of `https` (section 4.2.2).
const HTTPS: u16 = 443;

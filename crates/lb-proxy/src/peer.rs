//! Who is at the other end of a client connection: known once, for all that comes over it.

use crate::core::Core;
use crate::preface::{HeaderFacts, TlsPeer};
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
    header: Option<Rc<HeaderFacts>>,
    pass: Option<Pass>,
}

/// What came with a client, if anything.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    /// Where it connected to, when a PROXY header said so.
    pub(crate) proxied_to: Option<SocketAddr>,
    /// What else the header said.
    pub(crate) header: Option<Rc<HeaderFacts>>,
    /// Its part of what its client may have.
    pub(crate) pass: Option<Pass>,
}

impl Peer {
    pub(crate) fn new(
        listener: &Rc<ListenerHandle>,
        address: SocketAddr,
        extras: Extras,
        tls: Option<Rc<TlsPeer>>,
        core: &Core,
    ) -> Self {
        let Extras {
            proxied_to,
            header,
            pass,
        } = extras;
        let (scheme, usual) = if tls.is_some() {
            ("https", HTTPS)
        } else {
            ("http", HTTP)
        };
        let port = proxied_to
            .map(|to| to.port())
            .or_else(|| listener.view().options().address.port())
            .unwrap_or(usual);
        let is_usual = proxied_to.is_none() && header.is_none() && pass.is_none();
        let rare = || {
            Box::new(Rare {
                proxied: proxied_to.map(|to| (address, to)),
                header,
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

    /// What a PROXY header said beside the addresses.
    pub(crate) fn header(&self) -> Option<&Rc<HeaderFacts>> {
        self.rare.as_ref()?.header.as_ref()
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

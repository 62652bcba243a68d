use super::{Answer, End, Network};
use lb_types::Address;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

/// A simulated listening socket. Dropped: who waits in it is reset, and connections are refused from then on.
#[derive(Debug)]
pub struct Listener {
    network: Network,
    id: u64,
    address: Address,
}

impl Listener {
    pub(super) fn far(network: &Network, address: Address) -> Self {
        Self::open(network, address, BACKLOG, false).expect("the far side has no descriptor limit")
    }

    pub(crate) fn of_proxy(network: &Network, address: Address, backlog: usize) -> io::Result<Self> {
        Self::open(network, address, backlog, true)
    }

    fn open(network: &Network, address: Address, backlog: usize, is_of_proxy: bool) -> io::Result<Self> {
        let (id, address) = network.with(|kernel, _| kernel.listen(address, backlog, is_of_proxy))?;
        Ok(Self {
            network: network.clone(),
            id,
            address,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// What it says to a SYN from now on. Finished handshakes wait whatever it says.
    pub fn answer(&self, answer: Answer) {
        self.network.with(|kernel, _| {
            if let Some(door) = kernel.doors.get_mut(&self.id) {
                door.answer = answer;
            }
        });
    }

    /// So many finished handshakes wait; further SYNs get no answer.
    pub fn set_backlog(&self, backlog: usize) {
        self.network.with(|kernel, _| {
            if let Some(door) = kernel.doors.get_mut(&self.id) {
                door.backlog = backlog.max(1);
            }
        });
    }

    /// The next connection and where it comes from.
    ///
    /// # Errors
    /// Of the proxy's side: out of descriptors.
    pub async fn accept(&self) -> io::Result<(End, SocketAddr)> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// The next connection that is already there, or `Pending` with the task registered.
    ///
    /// # Errors
    /// As [`Listener::accept`].
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(End, SocketAddr)>> {
        let accepted = self.network.with(|kernel, now| kernel.accept(self.id, cx.waker(), now));
        match accepted {
            None => Poll::Pending,
            Some(accepted) => Poll::Ready(accepted.map(|(id, peer)| (End::new(&self.network, id), peer))),
        }
    }

    pub(crate) fn begin_no_handshake(&self) {
        self.network.with(|kernel, _| {
            if let Some(door) = kernel.doors.get_mut(&self.id) {
                door.begins_none = true;
            }
        });
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.network.with(|kernel, now| kernel.unlisten(self.id, now));
    }
}

/// As programs ask for.
const BACKLOG: usize = 4096;

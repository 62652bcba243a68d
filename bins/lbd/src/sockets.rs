//! Listening sockets: opened here, before anything else changes, and accepted from by the workers.

use lb_net::{Listener, ListenerOptions, NetError};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

/// Knows which ports are ours.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    ports: HashSet<u16>,
}

impl Sockets {
    /// Opens one socket per worker for each address and backlog, or none at all.
    ///
    /// The sockets of one address share it (`SO_REUSEPORT`), and the kernel would let a second process of the same
    /// user join them unnoticed: two programs would answer in turn. So a socket that does not share shows first
    /// whether the address is free. Where our own sockets may be in the way (the port is or was ours), only strangers
    /// that do not share are found out.
    pub(crate) fn open(
        &mut self,
        wanted: &[(SocketAddr, u32)],
        count: usize,
    ) -> Result<Vec<(SocketAddr, Vec<OwnedFd>)>, NetError> {
        for (address, _) in wanted {
            if address.port() != 0 && !self.ports.contains(&address.port()) {
                let mut alone = ListenerOptions::new(*address);
                alone.reuse_port = false;
                drop(Listener::bind_fd(&alone)?);
            }
        }
        let opened: Vec<_> = wanted
            .iter()
            .map(|(address, backlog)| Ok((*address, bind(*address, *backlog, count)?)))
            .collect::<Result<_, NetError>>()?;
        self.ports.extend(wanted.iter().map(|(address, _)| address.port()));
        Ok(opened)
    }
}

fn bind(address: SocketAddr, backlog: u32, count: usize) -> Result<Vec<OwnedFd>, NetError> {
    let mut options = ListenerOptions::new(address);
    options.backlog = backlog;
    (0..count).map(|_| Listener::bind_fd(&options)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free() -> SocketAddr {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap()
    }

    #[test]
    fn another_process_that_shares_its_port_is_a_stranger_all_the_same() {
        let address = free();
        let (mut ours, mut theirs) = (Sockets::default(), Sockets::default());
        let _held = theirs.open(&[(address, 16)], 2).unwrap();
        let error = ours.open(&[(address, 16)], 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot listen on {address}: the address is in use by another program")
        );
    }

    #[test]
    fn our_own_sockets_are_not_in_the_way() {
        let address = free();
        let mut ours = Sockets::default();
        let _held = ours.open(&[(address, 16)], 2).unwrap();
        assert_eq!(ours.open(&[(address, 16)], 2).unwrap()[0].1.len(), 2);
        let everywhere = SocketAddr::from(([0, 0, 0, 0], address.port()));
        ours.open(&[(everywhere, 16)], 2).unwrap();
    }

    #[test]
    fn an_ipv6_listener_may_stand_beside_an_ipv4_one() {
        let port = free().port();
        let (v4, v6) = (format!("0.0.0.0:{port}"), format!("[::]:{port}"));
        let wanted = [(v4.parse().unwrap(), 16), (v6.parse().unwrap(), 16)];
        assert_eq!(Sockets::default().open(&wanted, 2).unwrap().len(), 2);
    }
}

//! Listening sockets: opened here, before anything else changes, and accepted from by the workers.

use lb_net::{Address, Listener, ListenerOptions, UnixSocket, UnixSocketError, UnixSocketOptions};
use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::io;
use std::os::fd::OwnedFd;

/// Knows which ports are ours, and holds the Unix domain sockets, which exist once whatever the number of workers.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    ports: HashSet<u16>,
    held: HashMap<Address, Held>,
}

/// A Unix domain socket that workers accept from.
#[derive(Debug)]
enum Held {
    /// Its file goes when this is dropped.
    File(UnixSocket),
    Abstract(OwnedFd),
}

/// Who could use the sockets before a change.
#[derive(Debug)]
#[must_use]
pub(crate) struct Former(Vec<(Address, UnixSocketOptions)>);

/// Where to listen, and how.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    address: Address,
    backlog: u32,
    /// Of a Unix domain socket with a file.
    file: Option<UnixSocketOptions>,
}

/// The sockets of one address, one for each worker.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) address: Address,
    pub(crate) sockets: Vec<OwnedFd>,
    held: Option<Held>,
}

impl From<&lb_config::Listener> for Wanted {
    fn from(listener: &lb_config::Listener) -> Self {
        let path = match listener.address {
            Address::Unix(path) if path.abstract_name().is_none() => Some(path),
            _ => None,
        };
        let file = path.map(|path| {
            UnixSocketOptions::new(path.as_str())
                .with_mode(listener.socket.mode)
                .with_group(listener.socket.group.as_deref())
                .with_backlog(listener.backlog)
        });
        Self {
            address: listener.address,
            backlog: listener.backlog,
            file,
        }
    }
}

impl Wanted {
    /// Makes the file of a Unix domain socket; `None`: it has none. May wait for another program.
    pub(crate) fn open_file(&self) -> Result<Option<UnixSocket>, UnixSocketError> {
        self.file.as_ref().map(UnixSocket::open).transpose()
    }
}

impl Sockets {
    /// Opens one socket per worker for each address, or none at all. They count as ours once they are [kept](Self::keep).
    ///
    /// The sockets of one IP address share it (`SO_REUSEPORT`), and the kernel would let a second process of the same
    /// user join them unnoticed: two programs would answer in turn. So a socket that does not share shows first
    /// whether the address is free. Where our own sockets may be in the way (the port is or was ours), only strangers
    /// that do not share are found out.
    ///
    /// `files` are Unix domain sockets that are open already; the others are opened here.
    pub(crate) fn open(
        &self,
        wanted: &[Wanted],
        count: usize,
        files: &mut HashMap<Address, UnixSocket>,
    ) -> Result<Vec<Opened>, Box<dyn Error>> {
        for wanted in wanted {
            if let Some(port) = wanted.address.port()
                && port != 0
                && !self.ports.contains(&port)
            {
                let mut alone = ListenerOptions::new(wanted.address);
                alone.reuse_port = false;
                drop(Listener::bind_fd(&alone)?);
            }
        }
        let opened = wanted.iter().map(|wanted| self.open_one(wanted, count, files));
        opened.collect()
    }

    fn open_one(
        &self,
        wanted: &Wanted,
        count: usize,
        files: &mut HashMap<Address, UnixSocket>,
    ) -> Result<Opened, Box<dyn Error>> {
        let address = wanted.address;
        let mut options = ListenerOptions::new(address);
        options.backlog = wanted.backlog;
        if address.port().is_some() {
            let sockets: Result<_, _> = (0..count).map(|_| Listener::bind_fd(&options)).collect();
            return Ok(Opened {
                address,
                sockets: sockets?,
                held: None,
            });
        }
        // Of a listener whose protocol changes the socket stays.
        let is_held = self.held.contains_key(&address) && !self.has_lost(address);
        let held = match &wanted.file {
            _ if is_held => None,
            Some(file) => Some(Held::File(match files.remove(&address) {
                Some(socket) => socket,
                None => UnixSocket::open(file)?,
            })),
            None => Some(Held::Abstract(Listener::bind_fd(&options)?)),
        };
        let source = held.as_ref().or(self.held.get(&address));
        let sockets: io::Result<_> = source
            .map(|held| (0..count).map(|_| held.descriptor()).collect())
            .unwrap_or_else(|| Ok(Vec::new()));
        Ok(Opened {
            address,
            sockets: sockets.map_err(|error| format!("cannot listen on {address}: {error}"))?,
            held,
        })
    }

    /// Gives the sockets for the workers away and keeps what belongs to the process.
    pub(crate) fn keep(&mut self, opened: Opened) -> (Address, Vec<OwnedFd>) {
        self.ports.extend(opened.address.port());
        if let Some(held) = opened.held {
            self.held.insert(opened.address, held);
        }
        (opened.address, opened.sockets)
    }

    /// The Unix domain sockets whose files are where they were made.
    pub(crate) fn in_place(&self) -> HashSet<Address> {
        let in_place = |held: &Held| matches!(held, Held::File(socket) if socket.is_in_place());
        let held = self.held.iter().filter(|(_, held)| in_place(held));
        held.map(|(address, _)| *address).collect()
    }

    /// Has somebody taken the file of a socket of ours away, so that nobody finds it?
    pub(crate) fn has_lost(&self, address: Address) -> bool {
        matches!(self.held.get(&address), Some(Held::File(socket)) if !socket.is_in_place())
    }

    /// Changes who may use the sockets that stay: of all of them, or of none. Gives what was before.
    pub(crate) fn adapt(&mut self, wanted: &[Wanted]) -> Result<Former, Box<dyn Error>> {
        let mut former = Former(Vec::new());
        for wanted in wanted {
            let (Some(Held::File(socket)), Some(file)) = (self.held.get_mut(&wanted.address), &wanted.file) else {
                continue;
            };
            let before = socket.options().clone();
            if let Err(error) = socket.adapt(file) {
                let left = self.change_back(former);
                return Err(format!("{error}{left}").into());
            }
            former.0.push((wanted.address, before));
        }
        Ok(former)
    }

    /// As it was before a change. What does not go back is said, for the end of a message.
    pub(crate) fn change_back(&mut self, former: Former) -> String {
        let mut left = String::new();
        for (address, file) in former.0 {
            if let Some(Held::File(socket)) = self.held.get_mut(&address)
                && let Err(error) = socket.adapt(&file)
            {
                left.push_str(&format!("; {} stays changed: {error}", socket.options()));
            }
        }
        left
    }

    /// Lets go of the Unix domain sockets that nobody listens on any more: who connects is told at once.
    pub(crate) fn release(&mut self, stays: impl Fn(Address) -> bool) {
        self.held.retain(|address, _| stays(*address));
    }
}

impl Held {
    fn descriptor(&self) -> io::Result<OwnedFd> {
        match self {
            Self::File(socket) => socket.descriptor(),
            Self::Abstract(socket) => socket.try_clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn wanted(address: SocketAddr) -> Wanted {
        Wanted {
            address: address.into(),
            backlog: 16,
            file: None,
        }
    }

    fn open(sockets: &Sockets, wanted: &[Wanted], count: usize) -> Result<Vec<Opened>, Box<dyn Error>> {
        sockets.open(wanted, count, &mut HashMap::new())
    }

    fn free() -> SocketAddr {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap()
    }

    #[test]
    fn another_process_that_shares_its_port_is_a_stranger_all_the_same() {
        let address = free();
        let (ours, theirs) = (Sockets::default(), Sockets::default());
        let _held = open(&theirs, &[wanted(address)], 2).unwrap();
        let error = open(&ours, &[wanted(address)], 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot listen on {address}: the address is in use by another program")
        );
    }

    #[test]
    fn our_own_sockets_are_not_in_the_way() {
        let address = free();
        let mut ours = Sockets::default();
        let mut opened = open(&ours, &[wanted(address)], 2).unwrap();
        let _held = ours.keep(opened.remove(0));
        assert_eq!(open(&ours, &[wanted(address)], 2).unwrap()[0].sockets.len(), 2);
        let everywhere = SocketAddr::from(([0, 0, 0, 0], address.port()));
        open(&ours, &[wanted(everywhere)], 2).unwrap();
    }

    #[test]
    fn an_ipv6_listener_may_stand_beside_an_ipv4_one() {
        let port = free().port();
        let (v4, v6) = (format!("0.0.0.0:{port}"), format!("[::]:{port}"));
        let both = [wanted(v4.parse().unwrap()), wanted(v6.parse().unwrap())];
        assert_eq!(open(&Sockets::default(), &both, 2).unwrap().len(), 2);
    }

    #[test]
    fn a_unix_domain_socket_exists_once_and_is_cloned_for_each_worker() {
        let path = std::env::temp_dir().join(format!("lbd-sockets-{}", std::process::id()));
        let address: Address = format!("unix:{}", path.display()).parse().unwrap();
        let with_mode = |mode| Wanted {
            address,
            backlog: 16,
            file: Some(UnixSocketOptions::new(&path).with_mode(mode)),
        };
        let mut ours = Sockets::default();
        let mut opened = open(&ours, &[with_mode(0o600)], 3).unwrap();
        assert!(
            open(&Sockets::default(), &[with_mode(0o600)], 1).is_err(),
            "it is in use"
        );
        let (_, workers) = ours.keep(opened.remove(0));
        assert_eq!(workers.len(), 3);
        // The protocol changes: the same socket once more.
        assert_eq!(open(&ours, &[with_mode(0o600)], 3).unwrap()[0].sockets.len(), 3);
        assert!(!ours.has_lost(address));
        std::fs::remove_file(&path).unwrap();
        assert!(ours.has_lost(address));
        let mut anew = open(&ours, &[with_mode(0o600)], 3).unwrap();
        ours.keep(anew.remove(0));
        assert!(!ours.has_lost(address));
        let former = ours.adapt(&[with_mode(0o660)]).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!((mode & 0o777, former.0.len()), (0o660, 1));
        ours.release(|_| true);
        assert!(path.exists());
        ours.release(|_| false);
        assert!(!path.exists());
    }

    #[test]
    fn of_several_sockets_all_are_changed_or_none() {
        let folder = std::env::temp_dir().join(format!("lbd-sockets-several-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let wanted = |name: &str, mode, group: Option<&str>| {
            let path = folder.join(name);
            Wanted {
                address: format!("unix:{}", path.display()).parse().unwrap(),
                backlog: 16,
                file: Some(UnixSocketOptions::new(&path).with_mode(mode).with_group(group)),
            }
        };
        let mode = |name: &str| {
            let about = std::fs::metadata(folder.join(name)).unwrap();
            std::os::unix::fs::PermissionsExt::mode(&about.permissions()) & 0o777
        };
        let mut ours = Sockets::default();
        let first = [
            wanted("a", 0o600, None),
            wanted("b", 0o600, None),
            wanted("c", 0o600, None),
        ];
        for opened in open(&ours, &first, 1).unwrap() {
            ours.keep(opened);
        }
        let refused = [
            wanted("a", 0o666, None),
            wanted("b", 0o666, Some("no-such-group")),
            wanted("c", 0o666, None),
        ];
        let error = ours.adapt(&refused).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no group \"no-such-group\": use a name from /etc/group or a number"
        );
        assert_eq!(["a", "b", "c"].map(mode), [0o600; 3]);
        let taken = ["a", "b", "c"].map(|name| wanted(name, 0o660, None));
        let former = ours.adapt(&taken).unwrap();
        assert_eq!(["a", "b", "c"].map(mode), [0o660; 3]);
        assert_eq!(ours.change_back(former), "");
        assert_eq!(["a", "b", "c"].map(mode), [0o600; 3]);
        drop(ours);
        std::fs::remove_dir(&folder).unwrap();
    }
}

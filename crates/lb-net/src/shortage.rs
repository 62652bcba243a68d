use rustix::io::Errno;
use std::io;

/// What this machine is out of when a socket cannot be had: nobody else's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shortage {
    /// `EMFILE`: this process has as many descriptors as it may have.
    Descriptors,
    /// `ENFILE`: the whole system has as many open files as it may have.
    SystemDescriptors,
    /// `ENOBUFS`, `ENOMEM`: the kernel has no memory for another socket.
    Memory,
    /// `EADDRNOTAVAIL`, `EADDRINUSE`: no local port is left toward this address. Other addresses may have some.
    Ports,
}

impl Shortage {
    /// The shortage that this error speaks of; `None`: it speaks of something else.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        match Errno::from_io_error(error)? {
            Errno::MFILE => Some(Self::Descriptors),
            Errno::NFILE => Some(Self::SystemDescriptors),
            Errno::NOBUFS | Errno::NOMEM => Some(Self::Memory),
            Errno::ADDRNOTAVAIL | Errno::ADDRINUSE => Some(Self::Ports),
            _ => None,
        }
    }

    /// Would a connection that ends make room for another one, wherever that one goes?
    #[must_use]
    pub const fn is_everywhere(self) -> bool {
        !matches!(self, Self::Ports)
    }

    /// What is missing, for logs.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::Descriptors => "no free file descriptor",
            Self::SystemDescriptors => "no free file descriptor in the whole system",
            Self::Memory => "no memory for another socket",
            Self::Ports => "no free local port or address",
        }
    }

    /// Where to get more, for the operator.
    #[must_use]
    pub const fn mend(self) -> &'static str {
        match self {
            Self::Descriptors => {
                "raise the limit (LimitNOFILE= of the systemd unit, `ulimit -n`) or lower `max_connections`"
            }
            Self::SystemDescriptors => "raise the sysctl fs.file-max, or look for a program that opens too many files",
            Self::Memory => "look at the machine's memory and at the sysctl net.ipv4.tcp_mem",
            Self::Ports => "widen the sysctl net.ipv4.ip_local_port_range, or give the backend more addresses",
        }
    }
}

/// Does this error of a socket say that this machine is out of descriptors, memory or local ports? See [`Shortage`].
#[must_use]
pub fn is_shortage(error: &io::Error) -> bool {
    Shortage::of(error).is_some()
}

/// What a failed accept(2) speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AcceptFault {
    /// One connection, which went away while it waited: the next one may be accepted.
    Connection,
    /// This machine is out of something: the connection waits on.
    Shortage(Shortage),
    /// The listening socket itself: nothing can be accepted from it.
    Listener,
}

impl AcceptFault {
    /// Reads accept(2): on Linux it also reports what is wrong with the network of the new connection.
    #[must_use]
    pub fn of(error: &io::Error) -> Self {
        if let Some(shortage) = Shortage::of(error) {
            return Self::Shortage(shortage);
        }
        match Errno::from_io_error(error) {
            Some(
                Errno::CONNABORTED
                | Errno::CONNRESET
                | Errno::INTR
                | Errno::AGAIN
                | Errno::PERM
                | Errno::PROTO
                | Errno::NOPROTOOPT
                | Errno::TIMEDOUT
                | Errno::NETDOWN
                | Errno::NETUNREACH
                | Errno::HOSTDOWN
                | Errno::HOSTUNREACH
                | Errno::NONET,
            ) => Self::Connection,
            _ => Self::Listener,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_machine_is_out_of_is_told_from_what_others_did() {
        // errno(3), Linux: ENOMEM 12, ENFILE 23, EMFILE 24, EADDRINUSE 98, EADDRNOTAVAIL 99, ENOBUFS 105
        let of = |number| Shortage::of(&io::Error::from_raw_os_error(number));
        let known = [12, 23, 24, 98, 99, 105].map(of);
        use Shortage::{Descriptors, Memory, Ports, SystemDescriptors};
        let expected = [Memory, SystemDescriptors, Descriptors, Ports, Ports, Memory];
        assert_eq!(known, expected.map(Some));
        // ECONNREFUSED 111, ETIMEDOUT 110, EHOSTUNREACH 113, ENETUNREACH 101, ECONNRESET 104, EPERM 1, EACCES 13, EAGAIN 11
        for number in [111, 110, 113, 101, 104, 1, 13, 11] {
            assert!(!is_shortage(&io::Error::from_raw_os_error(number)), "{number}");
        }
        assert!(
            !is_shortage(&io::ErrorKind::OutOfMemory.into()),
            "the kernel did not say it"
        );
        // accept(2): ECONNABORTED 103, EPROTO 71, ENETDOWN 100, EPERM 1; EBADF 9, EINVAL 22, ENOTSOCK 88, EOPNOTSUPP 95
        let accept = |number| AcceptFault::of(&io::Error::from_raw_os_error(number));
        assert_eq!([103, 71, 100, 1].map(accept), [AcceptFault::Connection; 4]);
        assert_eq!([9, 22, 88, 95].map(accept), [AcceptFault::Listener; 4]);
        assert_eq!(accept(24), AcceptFault::Shortage(Descriptors));
        assert!(!Ports.is_everywhere() && Descriptors.is_everywhere());
    }
}

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
        assert!(!Ports.is_everywhere() && Descriptors.is_everywhere());
    }
}

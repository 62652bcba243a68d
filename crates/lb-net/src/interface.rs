use rustix::net::{AddressFamily, SocketFlags, SocketType, netdevice, socket_with};
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

/// The number of the network interface of this name: the scope of link-local addresses (RFC 4007, section 6).
///
/// # Errors
/// No such interface here; the text names those there are. Or no socket to ask with.
pub fn interface_index(name: &str) -> io::Result<u32> {
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let found = if name.is_empty() || name.len() > LONGEST {
        Err(rustix::io::Errno::NODEV)
    } else {
        netdevice::name_to_index(&socket, name)
    };
    found.map_err(|error| {
        if error != rustix::io::Errno::NODEV {
            return error.into();
        }
        let names = names();
        let there = if names.is_empty() {
            String::new()
        } else {
            format!(" (there are: {})", names.join(", "))
        };
        io::Error::new(
            io::ErrorKind::NotFound,
            format!("there is no network interface {name:?}{there}"),
        )
    })
}

/// `ip` with `port`, in the scope of `beside` if it is link-local: a link-local address alone leads nowhere.
#[must_use]
pub fn in_scope_of(beside: SocketAddr, ip: IpAddr, port: u16) -> SocketAddr {
    match (ip, beside) {
        (IpAddr::V6(ip), SocketAddr::V6(beside)) if ip.is_unicast_link_local() => {
            SocketAddrV6::new(ip, port, 0, beside.scope_id()).into()
        }
        _ => SocketAddr::new(ip, port),
    }
}

/// At most so many are listed in an error.
const SHOWN: usize = 12;

/// IFNAMSIZ without the final zero.
const LONGEST: usize = 15;

/// The names of some interfaces, those of the namespace that this process is in.
fn names() -> Vec<String> {
    let table = std::fs::read_to_string("/proc/self/net/dev").unwrap_or_default();
    table
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name.trim().to_owned())
        .take(SHOWN)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_link_local_address_takes_the_scope_of_another() {
        let beside: SocketAddr = "[fe80::1%3]:80".parse().unwrap();
        for (ip, expected) in [
            ("fe80::2", "[fe80::2%3]:1"),
            ("2001:db8::1", "[2001:db8::1]:1"),
            ("10.0.0.1", "10.0.0.1:1"),
        ] {
            assert_eq!(in_scope_of(beside, ip.parse().unwrap(), 1).to_string(), expected);
        }
    }

    #[test]
    fn interfaces_are_known_by_name_and_those_that_are_not_there_are_named() {
        assert_eq!(interface_index("lo").unwrap(), 1);
        for name in ["", "nosuch0", "an-interface-name-that-is-far-too-long"] {
            let error = interface_index(name).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("there is no network interface {name:?} (there are: "))
            );
            assert!(error.to_string().contains("lo"), "{error}");
        }
    }
}

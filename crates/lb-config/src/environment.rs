use crate::NotUtf8;
use lb_tls::Roots;
use lb_types::Wall;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

/// What the meaning of a file depends on beside its text. Tests and dry runs bring their own.
pub trait Environment: fmt::Debug {
    /// The addresses of `host`, each with `port`, in the order of preference.
    ///
    /// # Errors
    /// When the name has no address or nobody answers.
    fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;

    /// The text of a small file: the configuration, a secret.
    ///
    /// # Errors
    /// When it cannot be read or is no UTF-8: then of the kind `InvalidData`, best made from a [`NotUtf8`].
    fn read(&self, path: &Path) -> io::Result<String>;

    /// The bytes of a file: a certificate, a key, a list of addresses. Without an answer of its own an environment reads
    /// none.
    ///
    /// # Errors
    /// When it cannot be read; of the kind `IsADirectory` when it is a folder.
    fn read_bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        Err(io::Error::other(format!("{} is not read here", path.display())))
    }

    /// The whole paths of what stands in a folder, in any order. Without an answer of its own an environment knows no folder.
    ///
    /// # Errors
    /// When it is no folder, or cannot be read.
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        Err(io::Error::other(format!("{} is not read here", folder.display())))
    }

    /// The authorities that this machine believes. Without an answer of its own an environment has none.
    ///
    /// # Errors
    /// There are none, or they cannot be read.
    fn roots(&self) -> io::Result<Roots> {
        Err(io::Error::other("the system's roots are not read here"))
    }

    /// The time at which certificates are judged. Without an answer of its own an environment has the machine's.
    fn now(&self) -> Wall {
        lb_net::clock::now().wall
    }

    /// The number of the network interface of this name. Without an answer of its own an environment knows none.
    ///
    /// # Errors
    /// There is no such interface.
    fn interface(&self, name: &str) -> io::Result<u32> {
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("there is no network interface {name:?}"),
        ))
    }

    /// May half-open probes be made? Without an answer of its own an environment says yes.
    ///
    /// # Errors
    /// Why not.
    fn may_probe_half_open(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The machine we run on: its resolver and its files. Both may block for seconds: not for a worker's thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Environment for System {
    fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let mut addresses: Vec<_> = match ((host, port).to_socket_addrs(), host.strip_suffix('.')) {
            (Ok(found), _) => found.collect(),
            // glibc compares the names of /etc/hosts with the final dot, which stands in none of them
            (Err(error), Some(bare)) => {
                let known = in_hosts_file(&std::fs::read_to_string("/etc/hosts").unwrap_or_default(), bare, port);
                if known.is_empty() {
                    return Err(error);
                }
                known
            }
            (Err(error), None) => return Err(error),
        };
        let mut seen = Vec::new();
        addresses.retain(|address| {
            let new = !seen.contains(address);
            seen.push(*address);
            new
        });
        Ok(addresses)
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        Ok(NotUtf8::check(std::fs::read(path)?)?)
    }

    fn read_bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // One that never ends (a device) is not read to its end.
        File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        std::fs::read_dir(folder)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect()
    }

    fn roots(&self) -> io::Result<Roots> {
        let (roots, _unreadable) = Roots::native().map_err(io::Error::other)?;
        Ok(roots)
    }

    fn interface(&self, name: &str) -> io::Result<u32> {
        lb_net::interface_index(name)
    }

    fn may_probe_half_open(&self) -> io::Result<()> {
        lb_probe::half_open_is_permitted()
    }
}

/// The addresses of a name in the text of /etc/hosts: hosts(5).
fn in_hosts_file(text: &str, host: &str, port: u16) -> Vec<SocketAddr> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let address: IpAddr = words.next()?.parse().ok()?;
            words
                .any(|name| name.eq_ignore_ascii_case(host))
                .then(|| SocketAddr::new(address, port))
        })
        .collect()
}

/// No resolver and no files: whatever asks for one is an error. For texts that must stand alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

impl Environment for Nowhere {
    fn look_up(&self, _host: &str, _port: u16) -> io::Result<Vec<SocketAddr>> {
        Err(io::Error::other("host names are not looked up here"))
    }

    fn read(&self, _path: &Path) -> io::Result<String> {
        Err(io::Error::other("files are not read here"))
    }
}

/// Twice the largest thing that lb-cert reads, a list of what was revoked: as text it is a third longer.
const MOST_BYTES: u64 = 512 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_dot_finds_the_names_of_the_hosts_file_too() {
        let text = "127.0.0.1 localhost here # there\n::1 ip6-localhost LocalHost\nnonsense\n10.0.0.1 app.internal\n";
        let found = |host| {
            let addresses = in_hosts_file(text, host, 80);
            addresses.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found("localhost"), ["127.0.0.1:80", "[::1]:80"]);
        assert_eq!(found("app.internal"), ["10.0.0.1:80"]);
        assert!(found("there").is_empty() && found("app").is_empty());
        let addresses = System.look_up("localhost.", 80).unwrap();
        assert!(
            addresses.iter().all(|address| address.ip().is_loopback()),
            "{addresses:?}"
        );
    }
}

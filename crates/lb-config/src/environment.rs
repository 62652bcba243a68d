use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;

/// What the meaning of a file depends on beside its text. Tests and dry runs bring their own.
pub trait Environment: fmt::Debug {
    /// The addresses of `host`, each with `port`, in the order of preference.
    ///
    /// # Errors
    /// When the name has no address or nobody answers.
    fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;

    /// The text of a small file: a secret.
    ///
    /// # Errors
    /// When it cannot be read or is no UTF-8.
    fn read(&self, path: &Path) -> io::Result<String>;

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
        let mut addresses: Vec<_> = (host, port).to_socket_addrs()?.collect();
        let mut seen = Vec::new();
        addresses.retain(|address| {
            let new = !seen.contains(address);
            seen.push(*address);
            new
        });
        Ok(addresses)
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path)
    }

    fn may_probe_half_open(&self) -> io::Result<()> {
        lb_probe::half_open_is_permitted()
    }
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

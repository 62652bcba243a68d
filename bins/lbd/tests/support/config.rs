//! Configuration files of one listener and one pool, in few words.

use std::fmt::{Display, Write};
use std::net::SocketAddr;

/// A configuration in the making; each part may be given further lines.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    protocol: &'static str,
    address: SocketAddr,
    backends: Vec<String>,
    top: String,
    listener: String,
    pool: String,
    rest: String,
}

impl Config {
    /// An HTTP listener before these backends.
    pub(crate) fn http(address: SocketAddr, backends: &[impl Display]) -> Self {
        Self::new("http", address, backends)
    }

    /// A TCP listener before these backends.
    pub(crate) fn tcp(address: SocketAddr, backends: &[impl Display]) -> Self {
        Self::new("tcp", address, backends)
    }

    fn new(protocol: &'static str, address: SocketAddr, backends: &[impl Display]) -> Self {
        let backends = backends
            .iter()
            .map(|backend| format!("{{ address = \"{backend}\" }}"))
            .collect();
        let empty = String::new;
        Self {
            protocol,
            address,
            backends,
            top: empty(),
            listener: empty(),
            pool: empty(),
            rest: empty(),
        }
    }

    /// Gives the backends these weights.
    pub(crate) fn weights(mut self, weights: &[u16]) -> Self {
        assert_eq!(self.backends.len(), weights.len());
        for (backend, weight) in self.backends.iter_mut().zip(weights) {
            *backend = backend.replace(" }", &format!(", weight = {weight} }}"));
        }
        self
    }

    /// Gives the backends these names.
    pub(crate) fn names(mut self, names: &[&str]) -> Self {
        assert_eq!(self.backends.len(), names.len());
        for (backend, name) in self.backends.iter_mut().zip(names) {
            *backend = backend.replace(" }", &format!(", name = \"{name}\" }}"));
        }
        self
    }

    /// Adds a key to one backend.
    pub(crate) fn backend(mut self, number: usize, pair: &str) -> Self {
        self.backends[number] = self.backends[number].replace(" }", &format!(", {pair} }}"));
        self
    }

    /// Adds a line at the top of the file.
    pub(crate) fn top(mut self, line: &str) -> Self {
        writeln!(self.top, "{line}").unwrap();
        self
    }

    /// Adds a line to the listener.
    pub(crate) fn listener(mut self, line: &str) -> Self {
        writeln!(self.listener, "{line}").unwrap();
        self
    }

    /// Adds a line to the pool.
    pub(crate) fn pool(mut self, line: &str) -> Self {
        writeln!(self.pool, "{line}").unwrap();
        self
    }

    /// Adds tables at the end of the file.
    pub(crate) fn rest(mut self, text: &str) -> Self {
        writeln!(self.rest, "{text}").unwrap();
        self
    }

    /// The file.
    pub(crate) fn text(&self) -> String {
        let Self {
            protocol,
            address,
            top,
            listener,
            pool,
            rest,
            ..
        } = self;
        let backends = self.backends.join(", ");
        format!(
            "version = 1\n{top}\n[[listeners]]\nname = \"main\"\nprotocol = \"{protocol}\"\naddress = \"{address}\"\n\
             pool = \"main\"\n{listener}\n[[pools]]\nname = \"main\"\nbackends = [{backends}]\n{pool}\n{rest}"
        )
    }
}

/// Every word of `algorithm`.
pub(crate) const ALGORITHMS: [&str; 10] = [
    "round_robin",
    "weighted_round_robin",
    "least_conn",
    "two_choices",
    "peak_ewma",
    "random",
    "ring",
    "maglev",
    "rendezvous",
    "first",
];

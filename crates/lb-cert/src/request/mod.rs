//! What is asked of a path: when, for what, by which name.

mod peer;

pub use peer::PeerName;

use std::cell::Cell;

/// What a certificate is to be used for (RFC 5280, section 4.2.1.12).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// A TLS server.
    Server,
    /// A TLS client.
    Client,
    /// Another extended key usage: the content of its object identifier.
    Other(&'static [u8]),
}

impl Purpose {
    /// The content of the object identifier.
    #[must_use]
    pub const fn oid(&self) -> &'static [u8] {
        match self {
            Self::Server => &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01],
            Self::Client => &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02],
            Self::Other(oid) => oid,
        }
    }
}

/// What is asked of a path: when, for what, by which name.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub(crate) now: i64,
    pub(crate) purposes: Vec<Purpose>,
    pub(crate) names: &'a [PeerName],
    pub(crate) key_usages: &'a [&'a str],
    pub(crate) signature_algorithms: &'a [&'a str],
    pub(crate) max_depth: Option<usize>,
    /// How many comparisons of names with name spaces are left.
    pub(crate) comparisons: Cell<u32>,
}

impl<'a> Request<'a> {
    /// A server's certificate at this time (seconds since 1970), by whatever name.
    #[must_use]
    pub fn server(now: i64) -> Self {
        Self::new(now, Purpose::Server)
    }

    /// A client's certificate at this time (seconds since 1970), by whatever name.
    #[must_use]
    pub fn client(now: i64) -> Self {
        Self::new(now, Purpose::Client)
    }

    /// A certificate for this purpose.
    #[must_use]
    pub fn new(now: i64, purpose: Purpose) -> Self {
        Self {
            now,
            purposes: vec![purpose],
            names: &[],
            key_usages: &[],
            signature_algorithms: &[],
            max_depth: None,
            comparisons: Cell::new(0),
        }
    }

    /// Is it no server's certificate that is asked for?
    pub(crate) fn is_for_clients(&self) -> bool {
        !self.purposes.contains(&Purpose::Server)
    }

    /// All of these names have to be the certificate's.
    #[must_use]
    pub const fn by(mut self, names: &'a [PeerName]) -> Self {
        self.names = names;
        self
    }

    /// For this purpose, too.
    #[must_use]
    pub fn and_for(mut self, purpose: Purpose) -> Self {
        if !self.purposes.contains(&purpose) {
            self.purposes.push(purpose);
        }
        self
    }

    /// If the peer's certificate states its key usage, these have to be in it (RFC 5280's names).
    #[must_use]
    pub const fn with_key_usages(mut self, usages: &'a [&'a str]) -> Self {
        self.key_usages = usages;
        self
    }

    /// Every certificate below the root has to be signed with one of these
    /// ([`Certificate::signature_algorithm`](crate::Certificate::signature_algorithm)); none given allows all.
    #[must_use]
    pub const fn with_signature_algorithms(mut self, algorithms: &'a [&'a str]) -> Self {
        self.signature_algorithms = algorithms;
        self
    }

    /// At most so many intermediate certificates; self-issued ones do not count.
    #[must_use]
    pub const fn with_max_depth(mut self, intermediates: usize) -> Self {
        self.max_depth = Some(intermediates);
        self
    }
}

use crate::http::{HttpError, HttpOptions, Request};
use crate::{http, tcp};
use lb_health::Cause;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// What to ask a backend.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Kind {
    /// A TCP connection: SYN, SYN-ACK, ACK, then an orderly close without a byte.
    #[default]
    Tcp,
    /// An HTTP/1.1 request.
    Http(HttpOptions),
}

/// How to probe, not checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeOptions {
    /// What to ask. Default: a TCP connection.
    pub kind: Kind,
    /// For connecting and answering together. Default: 2 s.
    pub timeout: Duration,
    /// Another address than the backend's. Default: the backend's.
    pub address: Option<IpAddr>,
    /// Another port than the backend's. Default: the backend's.
    pub port: Option<u16>,
    /// The local address to probe from. Default: the system chooses.
    pub source: Option<IpAddr>,
}

impl Default for ProbeOptions {
    fn default() -> Self {
        Self {
            kind: Kind::Tcp,
            timeout: Duration::from_secs(2),
            address: None,
            port: None,
            source: None,
        }
    }
}

/// One backend's probe, checked and ready to run any number of times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    backend: SocketAddr,
    address: SocketAddr,
    source: Option<IpAddr>,
    timeout: Duration,
    request: Option<Request>,
}

impl Probe {
    /// The shortest timeout.
    pub const SHORTEST_TIMEOUT: Duration = Duration::from_millis(1);
    /// The longest timeout: five minutes.
    pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(300);

    /// Checks `options` for the backend at `backend`.
    ///
    /// # Errors
    /// [`ProbeError`] for the first value that cannot work.
    pub fn new(backend: SocketAddr, options: ProbeOptions) -> Result<Self, ProbeError> {
        let ProbeOptions {
            kind,
            timeout,
            address,
            port,
            source,
        } = options;
        if !(Self::SHORTEST_TIMEOUT..=Self::LONGEST_TIMEOUT).contains(&timeout) {
            let (least, most) = (Self::SHORTEST_TIMEOUT, Self::LONGEST_TIMEOUT);
            return Err(ProbeError::Timeout {
                value: timeout,
                least,
                most,
            });
        }
        let address = SocketAddr::new(address.unwrap_or(backend.ip()), port.unwrap_or(backend.port()));
        if address.port() == 0 {
            return Err(ProbeError::Port);
        }
        if let Some(source) = source
            && source.is_ipv4() != address.is_ipv4()
        {
            return Err(ProbeError::Source {
                local: source,
                address: address.ip(),
            });
        }
        let request = match kind {
            Kind::Tcp => None,
            Kind::Http(options) => Some(Request::new(options, backend)?),
        };
        Ok(Self {
            backend,
            address,
            source,
            timeout,
            request,
        })
    }

    /// Makes the probe once.
    ///
    /// # Errors
    /// The [`Cause`] of the failure. [`Cause::Timeout`] means that no connection came about in time,
    /// [`Cause::Silent`] that one did and the answer was late.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn run(&self) -> Result<(), Cause> {
        let deadline = Instant::now() + self.timeout;
        let connecting = timeout_at(deadline, tcp::connect(self.address, self.source));
        let stream = connecting.await.map_err(|_| Cause::Timeout)??;
        match &self.request {
            None => Ok(()),
            Some(request) => timeout_at(deadline, http::exchange(stream, request))
                .await
                .map_err(|_| Cause::Silent)?,
        }
    }

    /// The backend's own address.
    #[must_use]
    pub const fn backend(&self) -> SocketAddr {
        self.backend
    }

    /// The address that is probed.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Is another address or port probed than the one that gets the traffic?
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.address != self.backend
    }

    /// The local address to probe from, when one was given.
    #[must_use]
    pub const fn source(&self) -> Option<IpAddr> {
        self.source
    }

    /// For connecting and answering together.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The bytes of the request, for display; `None` for a TCP probe.
    #[must_use]
    pub fn request_bytes(&self) -> Option<Vec<u8>> {
        let (_, bytes) = self.request.as_ref()?.write()?;
        Some(bytes)
    }
}

/// Options that make no probe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// Too short or too long a timeout.
    #[error("timeout is {value:?}, outside {least:?} to {most:?}")]
    Timeout {
        /// What was asked for.
        value: Duration,
        /// The smallest allowed.
        least: Duration,
        /// The largest allowed.
        most: Duration,
    },
    /// Port 0.
    #[error("port 0 cannot be probed")]
    Port,
    /// IPv4 and IPv6 mixed.
    #[error("source {local} and probed address {address} are not of one family")]
    Source {
        /// The local address to probe from.
        local: IpAddr,
        /// The probed address.
        address: IpAddr,
    },
    /// The HTTP part of the options.
    #[error(transparent)]
    Http(#[from] HttpError),
}

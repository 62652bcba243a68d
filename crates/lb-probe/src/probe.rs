use crate::connect::Security;
use crate::dialogue::{Dialogue, Mysql, Postgres, Steps, Wanted};
use crate::http::{HttpError, Request};
use crate::options::READ_BYTES;
use crate::{Answer, ExchangeOptions, Fallback, Kind, ProbeOptions, ProxyHeader, Step, UdpOptions};
use crate::{connect, half_open, http, proxy_header, talk, udp};
use lb_health::Cause;
use lb_net::{Origin, Stream, in_scope_of};
use lb_tls::UpstreamTls;
use lb_types::Address;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout_at};

/// One backend's probe, checked and ready to run any number of times. Cloning it costs a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe(Arc<Inner>, Option<Tls>);

/// How it speaks TLS. Two are the same when their connections could stand in for each other.
#[derive(Debug, Clone)]
struct Tls(Arc<UpstreamTls>);

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        self.0.identity() == other.0.identity()
    }
}

impl Eq for Tls {}

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    backend: Address,
    address: Address,
    source: Option<IpAddr>,
    interface: Option<String>,
    proxy_header: Option<ProxyHeader>,
    timeout: Duration,
    slow: Option<Duration>,
    /// TLS begins in the middle of the conversation, when the dialogue says so.
    starttls: bool,
    task: Task,
}

#[derive(Debug, PartialEq, Eq)]
enum Task {
    Connect,
    HalfOpen(SocketAddr, Fallback),
    Http(Request),
    Steps(Arc<[Wanted]>, usize),
    Mysql(Option<Arc<str>>),
    Postgres(Option<Arc<str>>),
    Udp(SocketAddr, UdpOptions),
}

impl Probe {
    /// The shortest timeout.
    pub const SHORTEST_TIMEOUT: Duration = Duration::from_millis(1);
    /// The longest timeout: five minutes.
    pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(300);
    /// The most steps of an exchange.
    pub const STEPS_MOST: usize = 32;
    /// The most bytes of one step that are sent.
    pub const SEND_MOST: usize = 4_096;
    /// The most bytes of one datagram: what fits into one packet on any usual path.
    pub const DATAGRAM_MOST: usize = 1_400;
    /// The most bytes that can be looked for.
    pub const EXPECT_MOST: usize = 1_024;
    /// The most bytes that can be read of an answer.
    pub const READ_MOST: usize = 1 << 20;
    /// The most bytes of a user's name.
    pub const USER_MOST: usize = 63;

    /// Checks `options` for the backend at `backend`.
    ///
    /// # Errors
    /// [`ProbeError`] for the first value that cannot work.
    pub fn new(backend: impl Into<Address>, options: ProbeOptions) -> Result<Self, ProbeError> {
        let backend = backend.into();
        let ProbeOptions {
            kind,
            timeout,
            slow,
            address,
            port,
            source,
            interface,
            proxy_header,
            starttls,
        } = options;
        if !(Self::SHORTEST_TIMEOUT..=Self::LONGEST_TIMEOUT).contains(&timeout) {
            let (least, most) = (Self::SHORTEST_TIMEOUT, Self::LONGEST_TIMEOUT);
            return Err(ProbeError::Timeout {
                value: timeout,
                least,
                most,
            });
        }
        if let Some(slow) = slow
            && (slow >= timeout || slow.is_zero())
        {
            return Err(ProbeError::Slow { value: slow, timeout });
        }
        let address = probed(backend, address, port)?;
        check_origin(address, source, interface.as_deref())?;
        if proxy_header.is_some() && matches!(kind, Kind::HalfOpen(_) | Kind::Udp(_)) {
            return Err(ProbeError::ProxyHeader);
        }
        if starttls && !matches!(kind, Kind::Smtp | Kind::Mysql { .. } | Kind::Postgres { .. }) {
            return Err(ProbeError::Starttls);
        }
        let inner = Inner {
            backend,
            address,
            source,
            interface,
            proxy_header,
            timeout,
            slow,
            starttls,
            task: Task::new(kind, starttls, backend, address)?,
        };
        Ok(Self(Arc::new(inner), None))
    }

    /// Everything after the PROXY header goes over TLS; of a probe that only connects, the handshake. A half-open probe
    /// and a datagram know no TLS and stay as they are. With [`ProbeOptions::starttls`] it begins where the service agrees;
    /// without TLS such a probe ends with [`Cause::Local`] there.
    #[must_use]
    pub fn with_tls(mut self, tls: Option<Arc<UpstreamTls>>) -> Self {
        self.1 = tls.map(Tls);
        self
    }

    /// Makes the probe once.
    ///
    /// # Errors
    /// The [`Cause`] of the failure. [`Cause::Timeout`] means that no connection came about in time (of UDP: no
    /// reply), [`Cause::Silent`] that one did and the answer was late, [`Cause::Slow`] that the answer was right but
    /// took longer than `slow`.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn run(&self) -> Result<(), Cause> {
        self.ask().await.result
    }

    /// The same, and tells what else was seen.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn ask(&self) -> Answer {
        let mut security = self.1.as_ref().map(|Tls(tls)| Security::new(tls));
        let result = self.attempt(security.as_mut()).await;
        Answer {
            certificate: security.and_then(|security| security.certificate),
            ..Answer::from(result)
        }
    }

    async fn attempt(&self, tls: Option<&mut Security<'_>>) -> Result<(), Cause> {
        let begun = Instant::now();
        let deadline = begun + self.0.timeout;
        match &self.0.task {
            Task::HalfOpen(address, fallback) => {
                let probing = half_open::half_open(*address, self.origin(), *fallback);
                timeout_at(deadline, probing).await.map_err(|_| Cause::Timeout)??;
            }
            Task::Udp(address, options) => udp::ask(*address, self.origin(), options, deadline).await?,
            task => {
                let connecting = connect::connect(self.0.address, self.origin());
                let stream = timeout_at(deadline, connecting).await.map_err(|_| Cause::Timeout)??;
                self.converse(task, stream, tls, deadline).await?;
            }
        }
        match self.0.slow {
            Some(slow) if begun.elapsed() > slow => Err(Cause::Slow),
            _ => Ok(()),
        }
    }

    async fn converse(
        &self,
        task: &Task,
        mut stream: Stream,
        mut tls: Option<&mut Security<'_>>,
        deadline: Instant,
    ) -> Result<(), Cause> {
        if let Some(version) = self.0.proxy_header {
            let header = proxy_header::proxy_header(version, stream.local_socket().zip(stream.peer_socket()));
            // it is the first thing on the connection: the socket has room for it
            stream
                .write_all(&header)
                .await
                .map_err(|error| crate::io_cause::cause(&error))?;
        }
        if let Some(tls) = tls.as_mut().filter(|_| !self.0.starttls) {
            stream = tls.begin(stream, deadline).await?;
        }
        let (dialogue, read_bytes): (Box<dyn Dialogue>, usize) = match task {
            Task::Http(request) => {
                return timeout_at(deadline, http::exchange(stream, request))
                    .await
                    .map_err(|_| Cause::Silent)?;
            }
            Task::Steps(steps, read_bytes) => (Box::new(Steps::new(Arc::clone(steps))), *read_bytes),
            Task::Mysql(user) => (Box::new(Mysql::new(user.clone(), self.0.starttls)), READ_BYTES),
            Task::Postgres(user) => (Box::new(Postgres::new(user.clone(), self.0.starttls)), READ_BYTES),
            Task::Connect | Task::HalfOpen(..) | Task::Udp(..) => return Ok(()),
        };
        talk::talk(stream, dialogue, read_bytes, tls, deadline).await
    }

    /// The backend's own address.
    #[must_use]
    pub fn backend(&self) -> Address {
        self.0.backend
    }

    /// The address that is probed.
    #[must_use]
    pub fn address(&self) -> Address {
        self.0.address
    }

    /// Is another address or port probed than the one that gets the traffic?
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        self.0.address != self.0.backend
    }

    /// The local address to probe from, when one was given.
    #[must_use]
    pub fn source(&self) -> Option<IpAddr> {
        self.0.source
    }

    /// The network interface to probe through, when one was given.
    #[must_use]
    pub fn interface(&self) -> Option<&str> {
        self.0.interface.as_deref()
    }

    /// For connecting and answering together.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// The bytes of the request, for display; `None` for all but HTTP probes.
    #[must_use]
    pub fn request_bytes(&self) -> Option<Vec<u8>> {
        match &self.0.task {
            Task::Http(request) => Some(request.write()?.1),
            _ => None,
        }
    }

    fn origin(&self) -> Origin<'_> {
        Origin {
            source: self.0.source,
            interface: self.0.interface.as_deref(),
        }
    }
}

impl Task {
    fn new(kind: Kind, starttls: bool, backend: Address, address: Address) -> Result<Self, ProbeError> {
        Ok(match kind {
            Kind::Tcp => Self::Connect,
            Kind::HalfOpen(fallback) => Self::HalfOpen(of_a_network(address, "a half-open probe")?, fallback),
            Kind::Http(options) => Self::Http(Request::new(options, backend)?),
            Kind::Exchange(ExchangeOptions { steps, read_bytes }) => {
                check_len("steps", steps.len(), 1, Probe::STEPS_MOST)?;
                check_len("read_bytes", read_bytes, 1, Probe::READ_MOST)?;
                for step in &steps {
                    match step {
                        Step::Send(bytes) => check_len("bytes to send", bytes.len(), 1, Probe::SEND_MOST)?,
                        Step::Expect(bytes) => check_len("bytes to expect", bytes.len(), 1, Probe::EXPECT_MOST)?,
                    }
                }
                Self::Steps(steps.into_iter().map(Wanted::from).collect(), read_bytes)
            }
            Kind::Redis => Self::Steps(Steps::redis(), READ_BYTES),
            Kind::Memcached => Self::Steps(Steps::memcached(), READ_BYTES),
            Kind::Smtp if starttls => Self::Steps(Steps::smtp_starttls(), READ_BYTES),
            Kind::Smtp => Self::Steps(Steps::smtp(), READ_BYTES),
            Kind::Mysql { user } => Self::Mysql(check_user(user)?),
            Kind::Postgres { user } => Self::Postgres(check_user(user)?),
            Kind::Udp(options) => {
                check_len("bytes to send", options.send.len(), 0, Probe::DATAGRAM_MOST)?;
                if let Some(bytes) = &options.expect {
                    check_len("bytes to expect", bytes.len(), 1, Probe::EXPECT_MOST)?;
                }
                Self::Udp(of_a_network(address, "a UDP probe")?, options)
            }
        })
    }
}

/// Where a backend is probed.
pub(crate) fn probed(backend: Address, ip: Option<IpAddr>, port: Option<u16>) -> Result<Address, ProbeError> {
    let address = match (backend, ip, port) {
        (Address::Unix(_), None, None) => return Ok(backend),
        (Address::Ip(backend), ip, port) => {
            in_scope_of(backend, ip.unwrap_or(backend.ip()), port.unwrap_or(backend.port()))
        }
        (Address::Unix(_), Some(ip), Some(port)) => SocketAddr::new(ip, port),
        (Address::Unix(_), ..) => return Err(ProbeError::HalfAnAddress),
    };
    if address.port() == 0 {
        return Err(ProbeError::Port);
    }
    Ok(address.into())
}

/// Can probes of `address` begin there?
pub(crate) fn check_origin(
    address: Address,
    source: Option<IpAddr>,
    interface: Option<&str>,
) -> Result<(), ProbeError> {
    if let Some(source) = source {
        let probed = of_a_network(address, "`source`")?;
        if source.is_ipv4() != probed.is_ipv4() {
            return Err(ProbeError::Source {
                local: source,
                address: probed.ip(),
            });
        }
    }
    if let Some(name) = interface {
        of_a_network(address, "`interface`")?;
        check_interface(name)?;
    }
    Ok(())
}

fn of_a_network(address: Address, what: &'static str) -> Result<SocketAddr, ProbeError> {
    address.socket().ok_or(ProbeError::NoNetwork { what })
}

fn check_len(what: &'static str, count: usize, least: usize, most: usize) -> Result<(), ProbeError> {
    if (least..=most).contains(&count) {
        Ok(())
    } else {
        Err(ProbeError::Count {
            what,
            count,
            least,
            most,
        })
    }
}

fn check_user(user: Option<String>) -> Result<Option<Arc<str>>, ProbeError> {
    match user {
        Some(user) if user.is_empty() || user.len() > Probe::USER_MOST || user.contains('\0') => {
            Err(ProbeError::User { user })
        }
        user => Ok(user.map(Arc::from)),
    }
}

/// Linux: IFNAMSIZ is 16 with the zero at the end; `dev_valid_name` forbids slash, colon and blanks.
fn check_interface(name: &str) -> Result<(), ProbeError> {
    let bad = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'/' | b':');
    if name.is_empty() || name.len() > 15 || name.bytes().any(bad) {
        return Err(ProbeError::Interface { name: name.to_owned() });
    }
    Ok(())
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
    /// Nothing could be slow: the timeout comes first.
    #[error("slow is {value:?}, but must be above zero and below the timeout of {timeout:?}")]
    Slow {
        /// What was asked for.
        value: Duration,
        /// The timeout.
        timeout: Duration,
    },
    /// Port 0.
    #[error("port 0 cannot be probed")]
    Port,
    /// Something that only IP addresses have, for a backend behind a Unix domain socket.
    #[error("{what} needs an IP address to probe, and this is a Unix domain socket")]
    NoNetwork {
        /// What needs one.
        what: &'static str,
    },
    /// An IP address without a port or the other way round, for a backend that has neither.
    #[error("a Unix domain socket has no address and no port: probes elsewhere need both `address` and `port`")]
    HalfAnAddress,
    /// IPv4 and IPv6 mixed.
    #[error("source {local} and probed address {address} are not of one family")]
    Source {
        /// The local address to probe from.
        local: IpAddr,
        /// The probed address.
        address: IpAddr,
    },
    /// What no network interface is named.
    #[error("`{name}` cannot be the name of a network interface: 1 to 15 printable bytes without `/` and `:`")]
    Interface {
        /// What was given.
        name: String,
    },
    /// Half-open and UDP probes send no bytes on a TCP connection.
    #[error("a PROXY protocol header needs a TCP connection, which half-open and UDP probes do not make")]
    ProxyHeader,
    /// Only some services can be asked to go over to TLS.
    #[error("this probe cannot begin in clear and go over to TLS: only those of SMTP, MySQL and PostgreSQL can")]
    Starttls,
    /// What no user is named.
    #[error("user `{user}` has not 1 to 63 bytes, or a zero byte among them")]
    User {
        /// What was given.
        user: String,
    },
    /// Too few or too many of something.
    #[error("{what}: {count}, outside {least} to {most}")]
    Count {
        /// Of what.
        what: &'static str,
        /// So many there are.
        count: usize,
        /// The smallest number.
        least: usize,
        /// The largest number.
        most: usize,
    },
    /// The HTTP part of the options.
    #[error(transparent)]
    Http(#[from] HttpError),
}

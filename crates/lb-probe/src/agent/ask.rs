use super::{AgentLine, LineError};
use crate::ProbeError;
use crate::connect::connect;
use crate::io_cause::cause;
use crate::probe::{Probe, check_origin, probed};
use lb_health::Cause;
use lb_net::Origin;
use lb_types::Address;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// Where an agent listens, not checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentOptions {
    /// The agent's port. Default: 0, which is refused.
    pub port: u16,
    /// The agent's address. Default: the backend's.
    pub address: Option<IpAddr>,
    /// From the beginning of one question to the next. Default: 2 s, as with HAProxy.
    pub interval: Duration,
    /// For connecting and answering together. Default: the interval.
    pub timeout: Option<Duration>,
    /// What is sent first, 0 to 4096 bytes. Default: nothing.
    pub send: Vec<u8>,
    /// The local address to ask from. Default: the system chooses.
    pub source: Option<IpAddr>,
    /// The network interface to ask through. Default: the system chooses.
    pub interface: Option<String>,
}

impl Default for AgentOptions {
    fn default() -> Self {
        Self {
            port: 0,
            address: None,
            interval: Duration::from_secs(2),
            timeout: None,
            send: Vec::new(),
            source: None,
            interface: None,
        }
    }
}

/// One backend's agent, checked and ready to be asked any number of times. Cloning it costs a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    address: Address,
    interval: Duration,
    timeout: Duration,
    send: Vec<u8>,
    source: Option<IpAddr>,
    interface: Option<String>,
}

impl Agent {
    /// The shortest interval.
    pub const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);
    /// The longest interval: an hour.
    pub const LONGEST_INTERVAL: Duration = Duration::from_secs(3_600);

    /// Checks `options` for the agent of the backend at `backend`.
    ///
    /// # Errors
    /// [`ProbeError`] for the first value that cannot work.
    pub fn new(backend: impl Into<Address>, options: AgentOptions) -> Result<Self, ProbeError> {
        let bounded = |value: Duration, least, most| {
            if (least..=most).contains(&value) {
                Ok(value)
            } else {
                Err(ProbeError::Timeout { value, least, most })
            }
        };
        let interval = bounded(options.interval, Self::SHORTEST_INTERVAL, Self::LONGEST_INTERVAL)?;
        let usual = interval.min(Probe::LONGEST_TIMEOUT);
        let timeout = bounded(
            options.timeout.unwrap_or(usual),
            Probe::SHORTEST_TIMEOUT,
            Probe::LONGEST_TIMEOUT,
        )?;
        let address = probed(backend.into(), options.address, Some(options.port))?;
        check_origin(address, options.source, options.interface.as_deref())?;
        if options.send.len() > Probe::SEND_MOST {
            return Err(ProbeError::Count {
                what: "bytes to send",
                count: options.send.len(),
                least: 0,
                most: Probe::SEND_MOST,
            });
        }
        Ok(Self(Arc::new(Inner {
            address,
            interval,
            timeout,
            send: options.send,
            source: options.source,
            interface: options.interface,
        })))
    }

    /// Asks once: connects, sends what there is to send, reads one line.
    ///
    /// # Errors
    /// [`AgentError`]. Says nothing about the backend: that is what probes are for.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn ask(&self) -> Result<AgentLine, AgentError> {
        timeout(self.0.timeout, self.converse())
            .await
            .unwrap_or(Err(AgentError::Unreached(Cause::Timeout)))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> Address {
        self.0.address
    }

    /// From the beginning of one question to the next.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.0.interval
    }

    async fn converse(&self) -> Result<AgentLine, AgentError> {
        let origin = Origin {
            source: self.0.source,
            interface: self.0.interface.as_deref(),
        };
        let mut stream = connect(self.0.address, origin).await.map_err(AgentError::Unreached)?;
        let unreached = |error| AgentError::Unreached(cause(&error));
        stream.write_all(&self.0.send).await.map_err(unreached)?;
        let mut line = Vec::new();
        let mut bytes = [0; 256];
        while line.len() <= AgentLine::LINE_MOST {
            let len = stream.read(&mut bytes).await.map_err(unreached)?;
            let read = bytes.get(..len).unwrap_or_default();
            match read.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
                Some(end) => {
                    line.extend(read.iter().take(end));
                    return Ok(AgentLine::parse(&line)?);
                }
                None if len == 0 && line.is_empty() => return Err(LineError::Empty.into()),
                // half a number would be another number
                None if len == 0 => return Err(LineError::NoEnd.into()),
                None => line.extend(read),
            }
        }
        Err(LineError::TooLong.into())
    }
}

/// Why there is no advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// The agent cannot be reached, or did not answer in time.
    #[error("the agent does not answer: {0}")]
    Unreached(Cause),
    /// It answered with a line that says nothing.
    #[error(transparent)]
    Line(#[from] LineError),
}

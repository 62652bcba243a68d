use crate::plan::{Check, Health, HttpCheck, Plan, ProbeMethod};
use lb_probe::{Agent, AgentOptions, HttpOptions, Kind, Method, Probe, ProbeError, ProbeOptions};
use lb_types::Address;
use std::time::Duration;

/// The probe that `health` asks for, of the backend at `address`; `None` where only traffic judges.
///
/// # Errors
/// [`ProbeError`] for what the prober does not take. The health of a resolved plan has none.
pub fn probe(health: &Health, address: Address) -> Result<Option<Probe>, ProbeError> {
    let kind = match &health.check {
        Check::Passive => return Ok(None),
        Check::Tcp => Kind::Tcp,
        Check::HalfOpen(fallback) => Kind::HalfOpen(*fallback),
        Check::Http(check) => Kind::Http(http(check)),
        Check::Exchange(options) => Kind::Exchange(options.clone()),
        Check::Redis => Kind::Redis,
        Check::Memcached => Kind::Memcached,
        Check::Smtp => Kind::Smtp,
        Check::Mysql { user } => Kind::Mysql { user: user.clone() },
        Check::Postgres { user } => Kind::Postgres { user: user.clone() },
        Check::Udp(options) => Kind::Udp(options.clone()),
    };
    Probe::new(
        address,
        ProbeOptions {
            kind,
            timeout: health.timeout,
            slow: health.slow,
            address: health.address,
            port: health.port,
            source: health.origin.source,
            interface: health.origin.interface.clone(),
            proxy_header: health.proxy_protocol,
            starttls: health.starttls,
        },
    )
    .map(Some)
}

/// The agent that `health` asks, of the backend at `address`; `None` when it asks none.
///
/// # Errors
/// [`ProbeError`] for what the prober does not take. The health of a resolved plan has none.
pub fn agent(health: &Health, address: Address) -> Result<Option<Agent>, ProbeError> {
    let Some(agent) = &health.agent else { return Ok(None) };
    let options = AgentOptions {
        port: agent.port,
        address: agent.address,
        interval: agent.interval,
        timeout: agent.timeout,
        send: agent.send.clone(),
        source: health.origin.source,
        interface: health.origin.interface.clone(),
    };
    Agent::new(address, options).map(Some)
}

fn http(check: &HttpCheck) -> HttpOptions {
    HttpOptions {
        method: match check.method {
            ProbeMethod::Get => Method::Get,
            ProbeMethod::Head => Method::Head,
            ProbeMethod::Options => Method::Options,
        },
        path: check.path.clone(),
        host: check.host.clone(),
        expect: check.status.iter().map(|range| range.first()..=range.last()).collect(),
        body: check.body.clone(),
        body_bytes: check.body_bytes,
        location: check.location.clone(),
        fields: check.headers.clone(),
        user_agent: check.user_agent.clone(),
        parsing: check.parsing,
    }
}

impl Health {
    /// The longest time from the death of a backend to the moment no new request is sent there.
    #[must_use]
    pub fn worst_detection(&self) -> Duration {
        self.rules.detection(self.timeout)
    }

    /// The longest time from the recovery of a backend to the moment it gets requests again.
    #[must_use]
    pub fn worst_recovery(&self) -> Duration {
        self.rules.recovery(self.timeout)
    }
}

impl Plan {
    /// Pools whose backends are probed, each with its worst times: what an operator should know before an outage.
    pub fn probed_pools(&self) -> impl Iterator<Item = (&str, &Health)> {
        self.pools
            .iter()
            .filter_map(|pool| Some((pool.name.as_str(), pool.health.as_ref()?)))
            .filter(|(_, health)| health.check != Check::Passive)
    }
}

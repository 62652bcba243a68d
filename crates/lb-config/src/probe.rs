use crate::plan::{Check, Health, Plan, ProbeMethod};
use lb_probe::{HttpOptions, Kind, Method, Probe, ProbeError, ProbeOptions};
use std::net::SocketAddr;
use std::time::Duration;

/// The probe that `health` asks for, of the backend at `address`; `None` where only traffic judges.
///
/// # Errors
/// [`ProbeError`] for what the prober does not take. The health of a resolved plan has none.
pub fn probe(health: &Health, address: SocketAddr) -> Result<Option<Probe>, ProbeError> {
    let kind = match &health.check {
        Check::Passive => return Ok(None),
        Check::Tcp => Kind::Tcp,
        Check::Http(check) => Kind::Http(HttpOptions {
            method: match check.method {
                ProbeMethod::Get => Method::Get,
                ProbeMethod::Head => Method::Head,
            },
            path: check.path.clone(),
            host: check.host.clone(),
            expect: check.status.iter().map(|range| range.first()..=range.last()).collect(),
            body: check.body.clone(),
            ..HttpOptions::default()
        }),
    };
    Probe::new(
        address,
        ProbeOptions {
            kind,
            timeout: health.timeout,
            port: health.port,
            ..ProbeOptions::default()
        },
    )
    .map(Some)
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

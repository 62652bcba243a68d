use lb_health::{Admin, Seen, Status};
use lb_tls::Expiry;
use lb_types::{Address, BackendId, Time};
use std::net::IpAddr;
use std::time::Duration;

/// What there is to show of one backend's health.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct View {
    /// Which backend.
    pub backend: BackendId,
    /// Its name for logs.
    pub name: String,
    /// Health and orders taken together.
    pub status: Status,
    /// The operator's order.
    pub admin: Admin,
    /// The order in force: the operator's or, when that is stronger, what the backend's agent asks for.
    pub order: Admin,
    /// When the status began.
    pub since: Time,
    /// Its share of the weight: 10 to 100 percent during slow start, else 100.
    pub ramp_percent: u8,
    /// Of that, the share that its agent asks for; 100 when it has none.
    pub advised_percent: u8,
    /// Probes in a row that speak against the status.
    pub against: u16,
    /// Traffic took it out: not back before this moment.
    pub out_until: Option<Time>,
    /// The last results, newest first: at least the last ten, as far as there are so many.
    pub results: Vec<Seen>,
    /// When the next probe is due; `None` while one is under way and when there is none.
    pub next_probe: Option<Time>,
    /// How long the last probe took.
    pub took: Option<Duration>,
    /// The certificate that a probe was shown last, where its date is asked for; the days are those of that probe.
    pub certificate: Option<Expiry>,
    /// The address that is probed; `None` when there are no probes.
    pub address: Option<Address>,
    /// The probed address, when it is not the one that gets the traffic: worth a warning beside the status.
    pub elsewhere: Option<Address>,
    /// The local address to probe from, when one was given.
    pub source: Option<IpAddr>,
    /// The longest time until a death is noticed.
    pub detection: Option<Duration>,
}

impl View {
    /// The newest result.
    #[must_use]
    pub fn last(&self) -> Option<Seen> {
        self.results.first().copied()
    }
}

use core::time::Duration;

/// How real requests judge a backend, not checked yet: part of [`RulesOptions`](crate::RulesOptions). Everything is
/// off by default; the other defaults are stated at their fields.
///
/// Users of Envoy's outlier detection find what they know: a window, a least number of requests, a time out that
/// grows with each repeat, and a share of the pool that is never exceeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassiveOptions {
    /// A backend is taken out when fewer than this many of a hundred requests in the window succeed, 1 to 100.
    /// Default: off.
    pub success_rate_percent: Option<u8>,
    /// A backend is taken out when its answers take at least this many times as long as at the pool's middle,
    /// 2 to 100. Default: off.
    pub latency_factor: Option<u16>,
    /// Answers faster than this are never too slow. Default: 10 ms.
    pub latency_least: Duration,
    /// Fewer requests in the window judge nothing. Default: 20.
    pub min_requests: u32,
    /// How long a request counts. Default: 10 s.
    pub window: Duration,
    /// How long a backend that traffic took out stays out, at least: so long for the first time, twice as long for the
    /// second and so on. Each time as long that it spends in service takes one repeat back. Default:
    /// the interval of probes while it is down.
    pub eject_for: Option<Duration>,
    /// However often it was taken out, it stays out for no longer than this (or once `eject_for`, when that is
    /// longer). Default: 5 min.
    pub eject_at_most: Duration,
    /// Traffic takes no more than this many of a hundred backends of a pool out at one time, rounded down,
    /// 0 to 100; below 100 also never the last one that takes clients. Default: 50.
    pub max_ejected_percent: u8,
}

impl Default for PassiveOptions {
    fn default() -> Self {
        Self {
            success_rate_percent: None,
            latency_factor: None,
            latency_least: Duration::from_millis(10),
            min_requests: 20,
            window: Duration::from_secs(10),
            eject_for: None,
            eject_at_most: Duration::from_secs(300),
            max_ejected_percent: 50,
        }
    }
}

/// What real requests saw of a backend since the last look, as workers counted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Failures since the last success, up to now: the whole row.
    pub row: u32,
    /// How many the backend answered well.
    pub ok: u32,
    /// How many failed by its fault.
    pub failed: u32,
    /// How long those that it answered well took together.
    pub time: Duration,
    /// Its weight in force is 0: it gets no new clients, whatever its status, so it does not count when traffic spares
    /// the last one that takes them.
    pub is_weightless: bool,
}

//! What an exchange waits for, how long, and what it means when that was too long.

use super::connection::Client;
use super::exchange::{Exchange, Expect, Phase, Response, Sequel, Stop};
use super::flow::Sink;
use crate::core::Core;
use lb_telemetry::End;
use lb_types::Time;
use std::hint::cold_path;
use std::num::NonZeroU64;
use std::time::Duration;

/// What an exchange waits for; each has its own patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Head,
    Connect,
    ClientBody,
    Continue,
    ClientWrite,
    UpstreamWrite,
    Upstream,
}

impl Wait {
    /// The direction whose bytes alone renew this patience.
    const fn pace(self) -> Option<usize> {
        match self {
            Self::ClientBody => Some(0),
            Self::ClientWrite => Some(1),
            Self::UpstreamWrite => Some(2),
            Self::Head | Self::Connect | Self::Continue | Self::Upstream => None,
        }
    }
}

/// How far a direction is behind. What comes in between, such as waiting for the other side, changes nothing of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    /// Its bytes so far.
    seen: u64,
    /// How long it was waited for that no byte has paid for: at its patience it ends.
    debt: Duration,
}

impl Pace {
    /// Each byte pays for the time that it may take at the lowest rate; without a rate the first one pays for all.
    fn pay(&mut self, bytes: u64, rate: Option<NonZeroU64>) {
        let new = bytes.saturating_sub(self.seen);
        self.seen = bytes;
        match rate {
            Some(rate) => {
                let paid = u128::from(new) * 1_000_000_000 / u128::from(rate.get());
                let paid = Duration::from_nanos(u64::try_from(paid).unwrap_or(u64::MAX));
                self.debt = self.debt.saturating_sub(paid);
            }
            None if new > 0 => self.debt = Duration::ZERO,
            None => {}
        }
    }
}

/// How long it is waited, and for what.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Patience {
    wait: Option<Wait>,
    /// Since when that is waited for, or since when something of it came.
    since: Time,
    /// When that has been too long.
    deadline: Time,
    /// Whether the client is there still is asked from time to time, because nothing is read from it.
    asks: bool,
    /// By [`Wait::pace`].
    paces: [Pace; 3],
}

impl Patience {
    /// What is waited for next gets its whole time.
    pub(super) const fn start_over(&mut self) {
        self.wait = None;
    }
}

impl Exchange {
    /// Sets the deadline of what is waited for; again only when something moved or the reason
    /// to wait changed.
    pub(super) fn wait_for(&mut self, wait: Wait, moved: bool, client: &mut Client, core: &Core) {
        let is_same = self.patience.wait == Some(wait);
        let is_blind = wait == Wait::UpstreamWrite || client.side.is_blind();
        if is_same && !moved && is_blind == self.patience.asks {
            return;
        }
        let newest;
        let view = match &self.view {
            Some(view) => view,
            None => {
                cold_path();
                newest = client.peer.listener.view();
                &newest
            }
        };
        let Some(http) = view.http() else { return };
        let patience = match (wait, self.course.pool()) {
            (Wait::Head, _) => http.head_timeout,
            (Wait::ClientBody, _) => http.body_timeout,
            (Wait::Continue, _) => http.continue_timeout,
            (Wait::Connect, Some(pool)) => pool.options().connect_timeout,
            (Wait::Upstream | Wait::UpstreamWrite, Some(pool)) => pool.options().response_timeout,
            _ => http.write_timeout,
        };
        let (rate, total) = (http.min_body_rate, http.request_timeout);
        let now = core.now().mono;
        let last = self.patience.wait.and_then(Wait::pace);
        if last.is_some() || wait.pace().is_some() {
            cold_path();
            let Some(left) = self.left_of(wait, is_same, patience, rate, client, now) else {
                return;
            };
            self.patience.deadline = now.after(left);
        } else if !is_same || moved {
            self.patience.deadline = now.after(patience);
        }
        self.patience.wait = Some(wait);
        self.patience.since = now;
        self.patience.asks = is_blind;
        let mut next = self.patience.deadline;
        if let Some(total) = total {
            cold_path();
            next = next.min(self.trace.started.mono.after(total));
        }
        if is_blind {
            cold_path();
            next = next.min(now.after(ASK_EVERY));
        }
        client.timer.set(next);
    }

    /// What is left of the patience for what comes from or goes to one side; `None`: as much as before.
    #[inline(never)]
    fn left_of(
        &mut self,
        wait: Wait,
        is_same: bool,
        patience: Duration,
        rate: Option<NonZeroU64>,
        client: &Client,
        now: Time,
    ) -> Option<Duration> {
        let bytes = match (wait, rate) {
            // A client that takes what comes is not silent, unless it is asked for more than that.
            (Wait::ClientBody, None) => self.up.payload() + client.side.sent(),
            (Wait::ClientBody, Some(_)) => self.up.payload(),
            (Wait::ClientWrite, _) => client.side.sent(),
            _ => self.upstream.sent(),
        };
        let kept = &mut self.patience;
        if is_same && wait.pace().is_some_and(|this| kept.paces[this].seen == bytes) {
            return None;
        }
        if let Some(last) = kept.wait.and_then(Wait::pace) {
            kept.paces[last].debt += now.since(kept.since);
        }
        let Some(this) = wait.pace() else { return Some(patience) };
        let rate = rate.filter(|_| wait != Wait::UpstreamWrite);
        kept.paces[this].pay(bytes, rate);
        Some(patience.saturating_sub(kept.paces[this].debt))
    }

    #[inline(never)]
    pub(super) fn on_deadline(&mut self, client: &mut Client, core: &Core) -> Option<Sequel> {
        let now = core.now().mono;
        let Some(wait) = self.patience.wait else {
            // Nothing of a request has come in the time that there was for its first byte.
            let is_idle = self.phase == Phase::Head;
            return is_idle.then(|| client.idle_too_long(core));
        };
        let view = self.view.clone().unwrap_or_else(|| client.peer.listener.view());
        let http = view.http()?;
        let until = http.request_timeout.map(|total| self.trace.started.mono.after(total));
        let is_client = matches!(wait, Wait::Head | Wait::ClientBody | Wait::Continue);
        let stop = if until.is_some_and(|until| until <= now) {
            self.course.detail = TOOK_TOO_LONG;
            Stop::Client(if is_client {
                End::ClientTimeout
            } else {
                End::RequestTimeout
            })
        } else if now < self.patience.deadline {
            // Nothing is read from it, so that its reset shows nowhere else.
            if client.side.has_broken() {
                Stop::Client(End::ClientReset)
            } else {
                let next = until.map_or(self.patience.deadline, |until| until.min(self.patience.deadline));
                client.timer.set(next.min(now.after(ASK_EVERY)));
                return None;
            }
        } else {
            let slow = wait
                .pace()
                .is_some_and(|this| self.patience.paces[this].debt > Duration::ZERO);
            match wait {
                Wait::Head => Stop::Client(End::ClientTimeout),
                Wait::ClientBody | Wait::ClientWrite => {
                    if slow && http.min_body_rate.is_some() {
                        self.course.detail = TOO_SLOW;
                    }
                    let is_body = wait == Wait::ClientBody;
                    Stop::Client(if is_body { End::ClientTimeout } else { End::WriteTimeout })
                }
                Wait::Continue => {
                    // The backend keeps silent: the client may begin all the same.
                    self.expect = Expect::Said;
                    self.patience.start_over();
                    client.side.write_continue();
                    return None;
                }
                Wait::Connect => self.connect_timed_out(core),
                // Its answer goes on without the rest of the request.
                Wait::UpstreamWrite if self.response != Response::Awaited => {
                    self.up.stop();
                    return None;
                }
                Wait::UpstreamWrite => {
                    self.course.detail = TAKES_NOTHING;
                    Stop::Upstream(End::UpstreamTimeout)
                }
                Wait::Upstream => Stop::Upstream(End::UpstreamTimeout),
            }
        };
        self.on_stop(stop, client, core)
    }
}

/// So often a client from which nothing is read is asked whether it is there.
const ASK_EVERY: Duration = Duration::from_secs(1);
const TOOK_TOO_LONG: &str = "longer than timeouts.request in all";
const TOO_SLOW: &str = "slower than limits.min_body_rate";
const TAKES_NOTHING: &str = "the backend took nothing more of the request's body";

//! What an exchange waits for, how long, and what it means when that was too long.

use super::client::Client;
use super::exchange::{Exchange, Next, Phase, Stop};
use crate::contact::NoContact;
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

impl Exchange {
    /// Sets the deadline of what is waited for; again only when something moved or the reason
    /// to wait changed.
    pub(super) fn wait_for(&mut self, wait: Wait, moved: bool, client: &mut Client, core: &Core) {
        let is_same = self.facts.wait == Some(wait);
        let is_blind = wait == Wait::UpstreamWrite || (self.input.capacity() > 0 && self.input.is_full());
        if is_same && !moved && is_blind == self.facts.asks {
            return;
        }
        let newest;
        let view = match &self.view {
            Some(view) => view,
            None => {
                cold_path();
                newest = client.place.view();
                &newest
            }
        };
        let Some(http) = view.http() else { return };
        let patience = match (wait, &self.pool) {
            (Wait::Head, _) => http.head_timeout,
            (Wait::ClientBody, _) => http.body_timeout,
            (Wait::Continue, _) => http.continue_timeout,
            (Wait::Connect, Some(pool)) => pool.options().connect_timeout,
            (Wait::Upstream | Wait::UpstreamWrite, Some(pool)) => pool.options().response_timeout,
            _ => http.write_timeout,
        };
        let (rate, total) = (http.min_body_rate, http.request_timeout);
        let now = core.now().mono;
        let last = self.facts.wait.and_then(Wait::pace);
        if last.is_some() || wait.pace().is_some() {
            cold_path();
            let Some(left) = self.left_of(wait, is_same, patience, rate, now) else {
                return;
            };
            self.facts.deadline = now.after(left);
        } else if !is_same || moved {
            self.facts.deadline = now.after(patience);
        }
        self.facts.wait = Some(wait);
        self.facts.since = now;
        self.facts.asks = is_blind;
        let mut next = self.facts.deadline;
        if let Some(total) = total {
            cold_path();
            next = next.min(self.facts.started.mono.after(total));
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
        now: Time,
    ) -> Option<Duration> {
        let bytes = match (wait, rate) {
            // A client that takes what comes is not silent, unless it is asked for more than that.
            (Wait::ClientBody, None) => self.up.payload() + self.down.sent(),
            (Wait::ClientBody, Some(_)) => self.up.payload(),
            (Wait::ClientWrite, _) => self.down.sent(),
            _ => self.up.sent(),
        };
        let facts = &mut self.facts;
        if is_same && wait.pace().is_some_and(|this| facts.paces[this].seen == bytes) {
            return None;
        }
        if let Some(last) = facts.wait.and_then(Wait::pace) {
            facts.paces[last].debt += now.since(facts.since);
        }
        let Some(this) = wait.pace() else { return Some(patience) };
        let rate = rate.filter(|_| wait != Wait::UpstreamWrite);
        facts.paces[this].pay(bytes, rate);
        Some(patience.saturating_sub(facts.paces[this].debt))
    }

    #[inline(never)]
    pub(super) fn on_deadline(&mut self, client: &mut Client, core: &Core) -> Option<Next> {
        let now = core.now().mono;
        let Some(wait) = self.facts.wait else {
            // Nothing of a request has come in the time that there was for its first byte.
            let is_idle = self.phase == Phase::Head;
            return is_idle.then(|| client.idle_too_long(core));
        };
        let view = self.view.clone().unwrap_or_else(|| client.place.view());
        let http = view.http()?;
        let until = http.request_timeout.map(|total| self.facts.started.mono.after(total));
        let is_client = matches!(wait, Wait::Head | Wait::ClientBody | Wait::Continue);
        let stop = if until.is_some_and(|until| until <= now) {
            self.detail = TOOK_TOO_LONG;
            Stop::Client(if is_client {
                End::ClientTimeout
            } else {
                End::RequestTimeout
            })
        } else if now < self.facts.deadline {
            // Nothing is read from it, so that its reset shows nowhere else.
            if client.io.has_broken() {
                Stop::Client(End::ClientReset)
            } else {
                let next = until.map_or(self.facts.deadline, |until| until.min(self.facts.deadline));
                client.timer.set(next.min(now.after(ASK_EVERY)));
                return None;
            }
        } else {
            let slow = wait
                .pace()
                .is_some_and(|this| self.facts.paces[this].debt > Duration::ZERO);
            match wait {
                Wait::Head => Stop::Client(End::ClientTimeout),
                Wait::ClientBody | Wait::ClientWrite => {
                    if slow && http.min_body_rate.is_some() {
                        self.detail = TOO_SLOW;
                    }
                    let is_body = wait == Wait::ClientBody;
                    Stop::Client(if is_body { End::ClientTimeout } else { End::WriteTimeout })
                }
                Wait::Continue => {
                    // The backend keeps silent: the client may begin all the same.
                    self.facts.expecting = false;
                    self.facts.continued = true;
                    self.facts.forwarded = true;
                    self.facts.wait = None;
                    self.down.out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                    return None;
                }
                Wait::Connect if self.opening.is_none() => Stop::Upstream(End::LocalShortage),
                Wait::Connect => self.no_contact(NoContact::TIMEOUT, now),
                // Its answer goes on without the rest of the request.
                Wait::UpstreamWrite if self.facts.answered => {
                    self.up_stopped = true;
                    return None;
                }
                Wait::UpstreamWrite => {
                    self.detail = TAKES_NOTHING;
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

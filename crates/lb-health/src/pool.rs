use crate::window::Sum;
use crate::{Cause, Rules};
use core::cmp::Ordering;
use core::time::Duration;
use lb_types::BackendId;

/// One backend among those of its pool: what traffic says of it, and after [`judge`] the verdict.
/// [`Machine::member`](crate::Machine::member) makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    backend: BackendId,
    /// Failures in a row that are too many.
    row: Option<u16>,
    sum: Sum,
    is_ejected: bool,
    /// Can a verdict take it out? Not against an order, and not who is down.
    can_go: bool,
    takes_new: bool,
    verdict: Option<Cause>,
}

impl Member {
    pub(crate) const fn new(
        backend: BackendId,
        row: Option<u16>,
        sum: Sum,
        is_ejected: bool,
        can_go: bool,
        takes_new: bool,
    ) -> Self {
        Self {
            backend,
            row,
            sum,
            is_ejected,
            can_go,
            takes_new,
            verdict: None,
        }
    }

    /// Which backend.
    #[must_use]
    pub const fn backend(&self) -> BackendId {
        self.backend
    }

    /// Why it is to be taken out now: for [`Report::Eject`](crate::Report::Eject).
    #[must_use]
    pub const fn verdict(&self) -> Option<Cause> {
        self.verdict
    }
}

/// Compares the backends of one pool by what traffic saw of them, and says who is to be taken out ([`Member::verdict`]).
///
/// A backend is a candidate when
/// - `max_failures` requests in a row failed (one, when it is on trial), or
/// - fewer than `success_rate_percent` of its requests succeeded, unless the same can be said of every backend with
///   enough requests and there are two or more of them: then the fault lies behind all of them, or in what is asked; or
/// - its answers usually take `latency_factor` times as long as at the middle one of the backends with enough requests,
///   and at least `latency_least`. Of an even number the faster of the two in the middle counts, so that of two
///   backends the slower can be found, and of a pool whose larger half is slow nobody.
///
/// Of the candidates the worst are taken, as far as `max_ejected_percent` of all `members` has room beside those that
/// traffic took out before: first rows, longest first, then success rates, lowest first, then latencies. Below 100
/// percent the last backend that takes clients stays.
///
/// Reorders `members`. Does not allocate; `O(n log n)`.
pub fn judge(rules: &Rules, members: &mut [Member]) {
    accuse(rules, members);
    members.sort_unstable_by(by_severity);
    let percent = usize::from(rules.options().passive.max_ejected_percent);
    let ejected = members.iter().filter(|member| member.is_ejected).count();
    let mut room = (members.len().saturating_mul(percent) / 100).saturating_sub(ejected);
    let mut taking = members.iter().filter(|member| member.takes_new).count();
    for member in members.iter_mut().filter(|member| member.verdict.is_some()) {
        let is_last = member.takes_new && taking == 1 && percent < 100;
        if room == 0 || is_last {
            member.verdict = None;
        } else {
            room -= 1;
            taking -= usize::from(member.takes_new);
        }
    }
}

/// Names the candidates.
fn accuse(rules: &Rules, members: &mut [Member]) {
    let passive = &rules.options().passive;
    let enough = |member: &Member| member.sum.requests() >= u64::from(passive.min_requests);
    let has_failed = |member: &Member| {
        let least = passive.success_rate_percent?;
        let percent = member.sum.success_percent().filter(|_| enough(member))?;
        (percent < least).then_some(percent)
    };
    let judged = members.iter().filter(|member| enough(member)).count();
    let failing = members.iter().filter(|member| has_failed(member).is_some()).count();
    let all_fail = judged > 1 && failing == judged;
    let middle = passive.latency_factor.and_then(|_| middle(members, enough));
    let is_outlier = |member: &Member| {
        let factor = passive.latency_factor?;
        let usual = member.sum.usual.filter(|_| enough(member))?;
        let times = times(usual, middle?);
        (times >= factor && usual >= passive.latency_least).then_some(times)
    };
    for member in members.iter_mut().filter(|member| member.can_go) {
        member.verdict = match (member.row, has_failed(member), is_outlier(member)) {
            (Some(row), _, _) => Some(Cause::Traffic(row)),
            (None, Some(percent), _) if !all_fail => Some(Cause::SuccessRate(percent)),
            (None, _, Some(times)) => Some(Cause::Outlier(times)),
            (None, _, None) => None,
        };
    }
}

/// The usual time of the middle one of those that `enough` lets through. Sorts `members` by it.
fn middle(members: &mut [Member], enough: impl Fn(&Member) -> bool) -> Option<Duration> {
    let time = |member: &Member| member.sum.usual.filter(|_| enough(member));
    members.sort_unstable_by_key(|member| time(member).unwrap_or(Duration::MAX));
    let count = members.iter().filter(|member| time(member).is_some()).count();
    members.get(count.checked_sub(1)? / 2).and_then(time)
}

/// How many times as long as `middle` is `usual`, rounded down?
fn times(usual: Duration, middle: Duration) -> u16 {
    let times = usual.as_nanos() / middle.as_nanos().max(1);
    u16::try_from(times).unwrap_or(u16::MAX)
}

/// The worst first; the id decides between equals, so that the same is always decided.
fn by_severity(a: &Member, b: &Member) -> Ordering {
    let key = |member: &Member| match member.verdict {
        Some(Cause::Traffic(row)) => (0, u16::MAX - row),
        Some(Cause::SuccessRate(percent)) => (1, u16::from(percent)),
        Some(Cause::Outlier(times)) => (2, u16::MAX - times),
        _ => (3, 0),
    };
    key(a).cmp(&key(b)).then_with(|| a.backend.cmp(&b.backend))
}

#[cfg(test)]
mod tests;

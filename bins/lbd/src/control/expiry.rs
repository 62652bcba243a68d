//! Persistence entries whose time is over are freed a few at a time: with one worker this thread carries traffic.

use lb_proxy::{PoolEntry, Tables};
use lb_types::Time;
use std::collections::VecDeque;
use std::sync::Arc;

/// Tables that are looked through, and how many entries each may still lose in this second.
#[derive(Debug, Default)]
pub(super) struct Expiry {
    left: VecDeque<(Arc<Tables>, usize)>,
}

impl Expiry {
    /// A new second: every table of these pools, once. What an earlier second has left over is part of it.
    pub(super) fn begin(&mut self, pools: &[Arc<PoolEntry>]) {
        self.left.clear();
        for table in pools.iter().flat_map(|pool| pool.tables.iter().flatten()) {
            // Pools that are reached with different timeouts share theirs.
            if !self.left.iter().any(|(known, _)| Arc::ptr_eq(known, table)) {
                self.left.push_back((Arc::clone(table), PER_SECOND));
            }
        }
    }

    /// Ready when there is something to free, and everybody else on this thread had a turn. Cancel safe.
    pub(super) async fn due(&self) {
        if self.left.is_empty() {
            std::future::pending::<()>().await;
        }
        tokio::task::yield_now().await;
    }

    /// Frees a few entries of one table, and goes on to the next.
    pub(super) fn step(&mut self, now: Time) {
        let Some((table, left)) = self.left.pop_front() else {
            return;
        };
        let dropped = table.expire(now, AT_ONCE.min(left));
        if dropped == AT_ONCE && left > AT_ONCE {
            self.left.push_back((table, left - AT_ONCE));
        }
    }
}

/// Entries freed per table and second: 10 ms of work at most,
const PER_SECOND: usize = 20_000;
/// in steps of a tenth of a millisecond.
const AT_ONCE: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use lb_persist::Key;
    use lb_store::TablesOptions;
    use lb_types::BackendId;
    use std::net::Ipv4Addr;
    use std::time::Duration;

    /// A table that holds as many entries as it can, all of them over at the 10th second.
    fn full(entries: u32) -> Arc<Tables> {
        let mut options = TablesOptions::default();
        options.capacity = entries as usize;
        options.timeout = Duration::from_secs(9);
        let table = Tables::new(options);
        for n in 0..entries {
            let key = Key::Client(Ipv4Addr::from(n).into());
            let _ = table.claim(key, None, BackendId::of("p", "b"), Time::ZERO);
        }
        Arc::new(table)
    }

    fn len(tables: &[Arc<Tables>]) -> usize {
        tables.iter().map(|table| table.len()).sum()
    }

    #[test]
    fn a_full_table_is_emptied_in_small_steps_and_never_more_of_it_than_a_second_allows() {
        let tables = [full(30_000), full(1_000)];
        let (before, small) = (len(&tables), tables[1].len());
        let mut expiry = Expiry {
            left: tables.iter().map(|table| (Arc::clone(table), PER_SECOND)).collect(),
        };
        let now = Time::ZERO.after(Duration::from_secs(10));
        let (mut steps, mut left) = (0, before);
        while !expiry.left.is_empty() {
            expiry.step(now);
            let now_left = len(&tables);
            assert!(left - now_left <= AT_ONCE, "{} at once", left - now_left);
            (left, steps) = (now_left, steps + 1);
        }
        assert_eq!(
            tables[1].len(),
            0,
            "the small one had its turns between those of the large one"
        );
        assert_eq!(before - left, PER_SECOND + small);
        assert!(steps >= 100, "{steps}");
    }
}

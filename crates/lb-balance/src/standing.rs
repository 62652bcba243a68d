use lb_health::{Admin, Status};
use lb_types::{Slot, Weight};

/// Is a backend usable right now, and with what weight?
///
/// Up with weight 0 is a drain: known clients still arrive, new ones do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Which backend of the pool.
    pub slot: Slot,
    /// Its share of new clients; of a backend that is down, what it would be. 0 for one that is
    /// drained or in maintenance: it does not count when the pool asks how many are up.
    pub weight: Weight,
    /// Does it get requests at all?
    pub up: bool,
}

/// All that decides a [`Standing`]: configuration, orders, health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// Which backend of the pool.
    pub slot: Slot,
    /// Its configured weight, or the one set at run time.
    pub weight: Weight,
    /// What its health machine says.
    pub status: Status,
    /// What the operator ordered. Kept beside the status, because a backend that is down *and*
    /// drained must not get new clients when the pool fails open.
    pub admin: Admin,
    /// Its share of the weight during slow start, 0 to 100.
    pub ramp_percent: u8,
    /// The share of its weight that it asks for itself (an agent's word), 0 to 100; 0 drains it.
    pub advised_percent: u8,
}

/// When health is ignored, because so many backends failed that the probes are to be doubted, or
/// because a failing backend is better than none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FailOpen {
    /// Never: no backend that is down gets a request. All down is 503.
    #[default]
    Never,
    /// When no backend takes new clients any more.
    WhenAllDown,
    /// When fewer than this many of a hundred backends are up.
    Below {
        /// The share, 1 to 100.
        percent: u8,
    },
}

/// Standings, and whether they were made with health ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standings {
    /// One per condition, in the same order.
    pub list: Vec<Standing>,
    /// The pool fails open: an alarm for operators, and a metric.
    pub failed_open: bool,
    /// The number by which all weights were multiplied, so that slow start can take fractions.
    pub weight_unit: u16,
}

/// The standings that follow from these conditions. Pure; for the control thread. Allocates.
///
/// Backends in maintenance are never up, drained ones never get new clients, also when the pool
/// fails open. The share that [`FailOpen::Below`] looks at is counted among backends that
/// would take new clients if they were well.
///
/// Slow start, and a share that a backend asks for, multiply all weights of the pool by the same number (up to ten, as far as
/// [`Weight::MAX`] allows), so that a tenth of weight 1 is still a share of its own; nobody who
/// takes new clients falls below 1. A pool that fails open has no slow start.
/// [`Standings::weight_unit`] is that number.
#[must_use]
pub fn standings(conditions: &[Condition], fail_open: FailOpen) -> Standings {
    let failed_open = fails_open(conditions, fail_open);
    let share = |c: &Condition| {
        let ramp = if failed_open { 100 } else { c.ramp_percent.min(100) };
        u32::from(ramp) * u32::from(c.advised_percent.min(100))
    };
    let in_part = conditions.iter().any(|c| takes_new(c) && share(c) < WHOLE);
    let heaviest = conditions.iter().map(|c| c.weight.get()).max().unwrap_or(0).max(1);
    let factor = if in_part {
        (Weight::MAX.get() / heaviest).clamp(1, 10)
    } else {
        1
    };
    let standing = |c: &Condition| {
        let up = match c.admin {
            Admin::Maintenance => false,
            Admin::Up => true,
            Admin::Ready | Admin::Drain => c.status.is_usable() || failed_open,
        };
        let weight = if wants_new(c) {
            scale(c.weight, factor, share(c))
        } else {
            Weight::ZERO
        };
        Standing {
            slot: c.slot,
            weight,
            up,
        }
    };
    Standings {
        list: conditions.iter().map(standing).collect(),
        failed_open,
        weight_unit: factor,
    }
}

fn fails_open(conditions: &[Condition], fail_open: FailOpen) -> bool {
    let wanted = conditions.iter().filter(|c| wants_new(c)).count();
    let up = conditions.iter().filter(|c| takes_new(c)).count();
    match fail_open {
        FailOpen::Never => false,
        FailOpen::WhenAllDown => wanted > 0 && up == 0,
        FailOpen::Below { percent } => up * 100 < wanted * usize::from(percent),
    }
}

/// Would it take new clients if it were well?
fn wants_new(condition: &Condition) -> bool {
    let may = match condition.admin {
        Admin::Ready => condition.status != Status::Maintenance,
        Admin::Up => true,
        Admin::Drain | Admin::Maintenance => false,
    };
    may && condition.weight > Weight::ZERO && condition.advised_percent > 0
}

fn takes_new(condition: &Condition) -> bool {
    wants_new(condition) && (condition.admin == Admin::Up || condition.status.takes_new())
}

/// `share` is in parts of [`WHOLE`].
fn scale(weight: Weight, factor: u16, share: u32) -> Weight {
    let parts = u32::from(weight.get()) * u32::from(factor) * share;
    let rounded = u64::from((parts + WHOLE / 2) / WHOLE).max(1);
    // the factor was chosen so that the heaviest fits
    Weight::try_from(rounded).unwrap_or(Weight::MAX)
}

/// A percentage of a percentage.
const WHOLE: u32 = 100 * 100;

#[cfg(test)]
mod tests {
    use super::*;
    use lb_health::Cause;

    const DOWN: Status = Status::Down(Cause::Refused);

    /// One condition per entry, in slots 0, 1, ..
    fn of(entries: &[(u16, Status)]) -> Vec<Condition> {
        let condition = |((weight, status), slot): (&(u16, Status), u32)| Condition {
            slot: Slot(slot),
            weight: Weight::new(*weight).unwrap(),
            status: *status,
            admin: if *status == Status::Maintenance {
                Admin::Maintenance
            } else {
                Admin::Ready
            },
            ramp_percent: 100,
            advised_percent: 100,
        };
        entries.iter().zip(0..).map(condition).collect()
    }

    /// Weights of those that are up, `None` for those that are not.
    fn shares(conditions: &[Condition], fail_open: FailOpen) -> (Vec<Option<u16>>, bool) {
        let made = standings(conditions, fail_open);
        (
            made.list.iter().map(|s| s.up.then_some(s.weight.get())).collect(),
            made.failed_open,
        )
    }

    #[test]
    fn each_status_has_its_standing() {
        let mut conditions = of(&[
            (3, Status::Up),
            (3, Status::Starting),
            (3, DOWN),
            (3, Status::Maintenance),
        ]);
        conditions.extend(of(&[(3, Status::Draining)]));
        conditions[4].admin = Admin::Drain;
        let want = vec![Some(3), Some(3), None, None, Some(0)];
        assert_eq!(shares(&conditions, FailOpen::Never), (want.clone(), false));
        assert_eq!(shares(&conditions, FailOpen::WhenAllDown), (want, false));
    }

    #[test]
    fn s_health_10_all_down_follows_the_policy_and_says_so() {
        let all_down = of(&[(2, DOWN), (1, DOWN), (0, DOWN), (1, Status::Maintenance)]);
        assert_eq!(shares(&all_down, FailOpen::Never), (vec![None; 4], false));
        let all_receive = (vec![Some(2), Some(1), Some(0), None], true);
        assert_eq!(shares(&all_down, FailOpen::WhenAllDown), all_receive);
        let single = of(&[(1, DOWN)]);
        assert_eq!(shares(&single, FailOpen::WhenAllDown), (vec![Some(1)], true));
        let one_left = of(&[(1, DOWN), (1, Status::Up)]);
        assert_eq!(shares(&one_left, FailOpen::WhenAllDown), (vec![None, Some(1)], false));
    }

    #[test]
    fn below_a_share_health_is_doubted() {
        let half = FailOpen::Below { percent: 50 };
        let two_of_four = of(&[(1, Status::Up), (1, Status::Up), (1, DOWN), (1, DOWN)]);
        assert!(!standings(&two_of_four, half).failed_open);
        let one_of_four = of(&[(1, Status::Up), (1, DOWN), (1, DOWN), (1, DOWN)]);
        assert_eq!(shares(&one_of_four, half), (vec![Some(1); 4], true));
        let resting = of(&[(1, Status::Up), (0, DOWN), (1, Status::Maintenance)]);
        assert!(
            !standings(&resting, half).failed_open,
            "who takes no new clients is not counted"
        );
        assert!(!standings(&[], half).failed_open);
    }

    #[test]
    fn a_drained_backend_gets_no_new_clients_even_when_the_pool_fails_open() {
        let mut conditions = of(&[(5, DOWN), (5, DOWN)]);
        conditions[0].admin = Admin::Drain;
        assert_eq!(
            shares(&conditions, FailOpen::WhenAllDown),
            (vec![Some(0), Some(5)], true)
        );
    }

    #[test]
    fn a_backend_that_is_forced_up_takes_clients_whatever_its_health() {
        let mut conditions = of(&[(5, DOWN), (5, DOWN)]);
        conditions[0].admin = Admin::Up;
        assert_eq!(
            shares(&conditions, FailOpen::WhenAllDown),
            (vec![Some(5), None], false),
            "one is up, so health is not ignored"
        );
    }

    #[test]
    fn slow_start_keeps_the_proportions_of_the_others() {
        let mut conditions = of(&[(1, Status::Up), (2, Status::Up), (1, Status::Up)]);
        conditions[2].ramp_percent = 10;
        assert_eq!(shares(&conditions, FailOpen::Never).0, [Some(10), Some(20), Some(1)]);
        conditions[2].ramp_percent = 70;
        assert_eq!(shares(&conditions, FailOpen::Never).0, [Some(10), Some(20), Some(7)]);
        conditions[2].ramp_percent = 100;
        assert_eq!(shares(&conditions, FailOpen::Never).0, [Some(1), Some(2), Some(1)]);
        let mut heavy = of(&[(256, Status::Up), (100, Status::Up), (1, Status::Up)]);
        heavy[0].ramp_percent = 10;
        heavy[2].ramp_percent = 0;
        assert_eq!(shares(&heavy, FailOpen::Never).0, [Some(26), Some(100), Some(1)]);
        let mut hundreds = of(&[(100, Status::Up), (50, Status::Up)]);
        hundreds[1].ramp_percent = 10;
        assert_eq!(shares(&hundreds, FailOpen::Never).0, [Some(200), Some(10)]);
    }

    #[test]
    fn a_backend_in_slow_start_is_full_size_when_the_pool_fails_open() {
        let mut conditions = of(&[(4, Status::Up), (4, DOWN), (4, DOWN)]);
        conditions[0].ramp_percent = 10;
        assert_eq!(
            shares(&conditions, FailOpen::Below { percent: 50 }),
            (vec![Some(4); 3], true)
        );
    }

    #[test]
    fn a_share_that_a_backend_asks_for_is_taken_of_its_weight_and_zero_drains_it() {
        let mut conditions = of(&[(4, Status::Up), (4, Status::Up), (4, Status::Up)]);
        conditions[0].advised_percent = 25;
        assert_eq!(shares(&conditions, FailOpen::Never).0, [Some(10), Some(40), Some(40)]);
        assert_eq!(standings(&conditions, FailOpen::Never).weight_unit, 10);
        conditions[0].ramp_percent = 50;
        assert_eq!(shares(&conditions, FailOpen::Never).0, [Some(5), Some(40), Some(40)]);
        conditions[0].advised_percent = 0;
        assert_eq!(shares(&conditions, FailOpen::Never).0, [Some(0), Some(4), Some(4)]);
        assert_eq!(standings(&conditions, FailOpen::Never).weight_unit, 1);
    }

    #[test]
    fn who_is_down_keeps_its_share_on_paper_and_who_was_taken_out_has_none() {
        let mut conditions = of(&[(3, DOWN), (3, Status::Maintenance), (3, DOWN), (3, Status::Up)]);
        conditions[2].admin = Admin::Drain;
        let made = standings(&conditions, FailOpen::Never);
        let list: Vec<_> = made.list.iter().map(|s| (s.weight.get(), s.up)).collect();
        assert_eq!(list, [(3, false), (0, false), (0, false), (3, true)]);
    }
}

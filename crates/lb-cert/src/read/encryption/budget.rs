//! What all derivations of one source may cost.

use super::super::{Limits, Problem};

/// Work that was ordered so far. Checked before any of it is done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Budget {
    derivations: u32,
    spent: u64,
}

/// What one derivation costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cost {
    Iterations(u64),
    /// N * r * p.
    Scrypt(u64),
}

impl Budget {
    /// Takes all derivations that are known of now: their number decides what they may cost together, so that the order
    /// in which they stand decides nothing.
    ///
    /// # Errors
    ///
    /// [`Problem::Cost`] and [`Problem::TotalCost`] when one of them, their number, or all together are more than is
    /// allowed.
    pub(crate) fn spend(&mut self, costs: impl IntoIterator<Item = Cost>, limits: &Limits) -> Result<(), Problem> {
        for cost in costs {
            let (needed, limit, what) = match cost {
                Cost::Iterations(count) => (count, u64::from(limits.iterations), ITERATIONS),
                Cost::Scrypt(work) => (work, limits.scrypt_work, "units of scrypt (N * r * p)"),
            };
            if needed > limit {
                return Err(Problem::Cost { what, needed, limit });
            }
            self.derivations = self.derivations.saturating_add(1);
            self.spent = self.spent.saturating_add(match cost {
                Cost::Iterations(count) => count,
                Cost::Scrypt(work) => work.saturating_mul(Limits::ITERATIONS_OF_SCRYPT),
            });
        }
        if self.derivations > limits.derivations {
            return Err(Problem::Cost {
                what: DERIVATIONS,
                needed: u64::from(self.derivations),
                limit: u64::from(limits.derivations),
            });
        }
        let limit = limits.total_iterations(self.derivations);
        if self.spent > limit {
            return Err(Problem::TotalCost {
                derivations: self.derivations,
                needed: self.spent,
                limit,
            });
        }
        Ok(())
    }
}

pub(super) const ITERATIONS: &str = "iterations of a key derivation";
pub(crate) const DERIVATIONS: &str = "key derivations";

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(costs: &[Cost], limits: &Limits) -> Result<(), Problem> {
        Budget::default().spend(costs.iter().copied(), limits)
    }

    #[test]
    fn ten_derivations_may_cost_the_most_and_each_further_one_a_tenth() {
        let limits = Limits::default();
        let most = Cost::Iterations(10_000_000);
        assert_eq!(spent(&[most; 10], &limits), Ok(()));
        assert_eq!(
            spent(&[most; 11], &limits),
            Err(Problem::TotalCost {
                derivations: 11,
                needed: 110_000_000,
                limit: 101_000_000
            })
        );
        // In whatever order they stand.
        let mut mixed = vec![Cost::Iterations(1_000_000); 490];
        assert_eq!(spent(&mixed, &limits), Ok(()));
        mixed.splice(200..200, [most; 10]);
        assert_eq!(spent(&mixed, &limits), Ok(()));
        mixed.push(Cost::Iterations(1_000_001));
        assert!(spent(&mixed, &limits).is_err());
    }

    #[test]
    fn what_is_found_later_counts_with_what_came_before() {
        let limits = Limits::default();
        let mut budget = Budget::default();
        assert_eq!(budget.spend([Cost::Iterations(10_000_000); 10], &limits), Ok(()));
        assert_eq!(budget.spend([Cost::Iterations(1_000_000)], &limits), Ok(()));
        assert!(budget.spend([Cost::Iterations(1_000_001)], &limits).is_err());
    }

    #[test]
    fn an_allowed_scrypt_is_allowed_in_all() {
        let limits = Limits {
            scrypt_work: 1 << 30,
            ..Limits::default()
        };
        assert_eq!(spent(&[Cost::Scrypt(1 << 30); 10], &limits), Ok(()));
        assert!(spent(&[Cost::Scrypt(1 << 30); 11], &limits).is_err());
        assert!(spent(&[Cost::Scrypt((1 << 30) + 1)], &limits).is_err());
    }

    #[test]
    fn the_greatest_numbers_do_not_overflow() {
        let limits = Limits {
            iterations: u32::MAX,
            scrypt_work: u64::MAX,
            derivations: u32::MAX,
            ..Limits::default()
        };
        assert_eq!(spent(&[Cost::Scrypt(u64::MAX); 3], &limits), Ok(()));
    }
}

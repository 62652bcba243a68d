//! What all derivations of one source may cost.

use super::super::{Limits, Problem};

/// Work that was ordered so far. Checked before any of it is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget<'a> {
    limits: &'a Limits,
    spent: u64,
}

/// What one derivation costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cost {
    Iterations(u64),
    /// N * r * p.
    Scrypt(u64),
}

impl<'a> Budget<'a> {
    pub(crate) fn new(limits: &'a Limits) -> Self {
        Self { limits, spent: 0 }
    }

    /// # Errors
    ///
    /// [`Problem::Cost`] when this one, or all together, cost more than is allowed.
    pub(crate) fn spend(&mut self, cost: Cost) -> Result<(), Problem> {
        let (needed, limit, unit) = match cost {
            Cost::Iterations(count) => (count, u64::from(self.limits.iterations), ITERATIONS),
            Cost::Scrypt(work) => (work, self.limits.scrypt_work, "units of scrypt (N * r * p)"),
        };
        if needed > limit {
            return Err(Problem::Cost {
                what: unit,
                needed,
                limit,
            });
        }
        self.spent = self.spent.saturating_add(match cost {
            Cost::Iterations(count) => count,
            Cost::Scrypt(work) => work.saturating_mul(ITERATIONS_OF_SCRYPT),
        });
        let limit = self.limits.total_iterations;
        if self.spent > limit {
            return Err(Problem::Cost {
                what: TOTAL,
                needed: self.spent,
                limit,
            });
        }
        Ok(())
    }
}

pub(super) const ITERATIONS: &str = "iterations of a key derivation";
const TOTAL: &str = "iterations of all key derivations together";
/// A unit of scrypt takes about as long as so many iterations of PBKDF2 with SHA-256.
const ITERATIONS_OF_SCRYPT: u64 = 4;

//! Numbers with one writing thread.

use crate::End;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number with one writing thread.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, n: u64) {
        self.0
            .store(self.0.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Final responses by first digit of the status, 1 to 5; 0 is everything else.
#[derive(Debug, Default)]
pub(crate) struct Responses([Count; 6]);

impl Responses {
    /// The first two, which few responses touch.
    pub(crate) const RARE: usize = 2 * size_of::<Count>();

    pub(crate) fn add(&self, status: u16) {
        let class = match status {
            100..=599 => usize::from(status / 100),
            _ => 0,
        };
        if let Some(count) = self.0.get(class) {
            count.add(1);
        }
    }

    pub(crate) fn read(&self) -> [u64; 6] {
        std::array::from_fn(|i| self.0.get(i).map_or(0, Count::read))
    }
}

/// By the index of the end: [`End::Done`], which most requests touch, is the first.
#[derive(Debug)]
pub(crate) struct Ends([Count; End::ALL.len()]);

const _: () = assert!(
    End::Done.index() == 0,
    "the common one shares the line of what stands before it"
);

impl Ends {
    pub(crate) fn add(&self, end: End) {
        if let Some(count) = self.0.get(end.index()) {
            count.add(1);
        }
    }

    pub(crate) fn read(&self) -> EndCounts {
        EndCounts(std::array::from_fn(|i| self.0.get(i).map_or(0, Count::read)))
    }
}

impl Default for Ends {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Count::default()))
    }
}

/// How often each end came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndCounts([u64; End::ALL.len()]);

impl EndCounts {
    /// How often this one came.
    #[must_use]
    pub fn of(&self, end: End) -> u64 {
        self.0.get(end.index()).copied().unwrap_or(0)
    }

    /// Every end with its number, zeros included, in the order of [`End::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (End, u64)> + '_ {
        End::ALL.into_iter().zip(self.0)
    }

    /// All of them together.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(crate) fn add(&mut self, end: End, n: u64) {
        if let Some(count) = self.0.get_mut(end.index()) {
            *count = count.wrapping_add(n);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        add_all(&mut self.0, &other.0);
    }
}

impl Default for EndCounts {
    fn default() -> Self {
        Self([0; End::ALL.len()])
    }
}

/// Adds each number of `other` to its own.
pub(crate) fn add_all(sums: &mut [u64], other: &[u64]) {
    for (sum, n) in sums.iter_mut().zip(other) {
        *sum = sum.wrapping_add(*n);
    }
}

/// Adds each number to its own.
pub(crate) fn add_each<const N: usize>(pairs: [(&mut u64, u64); N]) {
    for (sum, n) in pairs {
        *sum = sum.wrapping_add(n);
    }
}

use crate::hash64;
use core::fmt;

/// A backend's name for ever: stable over restarts, reloads and machines.
///
/// Two backends of one pool with the same name are the same backend; everything that is
/// remembered about a backend (counts, health, persistence entries) is kept under this id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BackendId(u64);

impl BackendId {
    /// The id of backend `name` of pool `pool`. `O(len)`, no allocation.
    #[must_use]
    pub fn of(pool: &str, name: &str) -> Self {
        let seed = hash64(SEED, pool.as_bytes());
        Self(hash64(seed, name.as_bytes()))
    }

    /// The id as a number, for tables and logs.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// An id that was stored as a number before.
    #[must_use]
    pub const fn from_u64(value: u64) -> Self {
        Self(value)
    }
}

impl fmt::Debug for BackendId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackendId({:016x})", self.0)
    }
}

impl fmt::Display for BackendId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Position of a backend inside one pool, counted from 0. Means nothing outside that pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(pub u32);

impl Slot {
    /// The slot as an index into a slice.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How much of the traffic a backend gets beside its neighbours: 0 to 256.
///
/// 0 means: no new clients (drain); clients that are known still arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Weight(u16);

impl Weight {
    /// No new clients.
    pub const ZERO: Self = Self(0);
    /// The default weight.
    pub const ONE: Self = Self(1);
    /// The largest weight: 256, as in HAProxy.
    pub const MAX: Self = Self(256);

    /// A checked weight.
    ///
    /// # Errors
    /// [`WeightError`] above 256.
    pub const fn new(value: u16) -> Result<Self, WeightError> {
        if value > Self::MAX.0 {
            Err(WeightError { value: value as u64 })
        } else {
            Ok(Self(value))
        }
    }

    /// The weight as a number, 0 to 256.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self::ONE
    }
}

impl TryFrom<u64> for Weight {
    type Error = WeightError;

    fn try_from(value: u64) -> Result<Self, WeightError> {
        u16::try_from(value)
            .ok()
            .and_then(|v| Self::new(v).ok())
            .ok_or(WeightError { value })
    }
}

/// A weight above 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("weight {value} is above 256")]
pub struct WeightError {
    /// What was asked for.
    pub value: u64,
}

/// Fixed for ever: ids are stored in cookies and files.
const SEED: u64 = 0x6c62_642d_6964_2d31; // "lbd-id-1"

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_other_pools_and_names_differ() {
        let ids = [
            BackendId::of("a", "x"),
            BackendId::of("b", "x"),
            BackendId::of("a", "y"),
            BackendId::of("ax", ""),
            BackendId::of("", "ax"),
        ];
        for (i, a) in ids.iter().enumerate() {
            for b in ids.iter().skip(i + 1) {
                assert_ne!(a, b);
            }
        }
    }

    #[test]
    fn weights_end_at_256() {
        assert_eq!(Weight::try_from(256).map(Weight::get), Ok(256));
        assert_eq!(Weight::try_from(70_000), Err(WeightError { value: 70_000 }));
        assert_eq!(Weight::new(257), Err(WeightError { value: 257 }));
    }
}

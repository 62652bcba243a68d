use crate::Cause;
use lb_types::Time;

/// One probe result and when it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// When the probe was over.
    pub at: Time,
    /// What it saw.
    pub result: Result<(), Cause>,
}

/// The last probe results, for people to look at. Decides nothing.
#[derive(Debug, Clone, Default)]
pub struct History {
    ring: [Option<Seen>; Self::LENGTH],
    newest: usize,
}

impl History {
    /// How many results are kept.
    pub const LENGTH: usize = 16;

    /// The results, newest first.
    pub fn iter(&self) -> impl Iterator<Item = Seen> + '_ {
        let (newer, older) = self.ring.split_at(self.newest);
        newer.iter().rev().chain(older.iter().rev()).flatten().copied()
    }

    /// The newest result.
    #[must_use]
    pub fn last(&self) -> Option<Seen> {
        self.iter().next()
    }

    pub(crate) fn push(&mut self, seen: Seen) {
        if self.newest >= Self::LENGTH {
            self.newest = 0;
        }
        if let Some(place) = self.ring.get_mut(self.newest) {
            *place = Some(seen);
        }
        self.newest += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn s_health_04_the_last_results_come_newest_first() {
        let mut history = History::default();
        assert_eq!(history.last(), None);
        for n in 0..40 {
            history.push(Seen {
                at: Time::from_nanos(n),
                result: Err(Cause::Status(n as u16)),
            });
            let want: Vec<u64> = (0..=n).rev().take(16).collect();
            let have: Vec<u64> = history.iter().map(|seen| seen.at.as_nanos()).collect();
            assert_eq!(have, want);
        }
        assert_eq!(history.last().map(|seen| seen.result), Some(Err(Cause::Status(39))));
    }
}

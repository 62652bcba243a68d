//! Lines for the operator, on standard error.
//!
//! Nobody may be there to read them, and the disk may be full: neither is a reason to end, so nothing here fails.

use lb_types::Time;
use std::fmt::Display;
use std::io::Write;
use std::time::Duration;

/// Prints `lbd: ` and a line.
pub(crate) fn note(line: impl Display) {
    print(&format!("lbd: {line}\n"));
}

/// Prints text as it stands.
pub(crate) fn print(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// A count that only rises, of which the operator hears now and then.
#[derive(Debug, Default)]
pub(crate) struct Rising {
    told: u64,
    quiet_until: Time,
}

impl Rising {
    /// By how much it rose since it was last told; `None` when it did not, or was told a moment ago.
    pub(crate) fn since_told(&mut self, count: u64, now: Time) -> Option<u64> {
        let by = count.checked_sub(self.told).filter(|by| *by > 0)?;
        if now < self.quiet_until {
            return None;
        }
        *self = Self {
            told: count,
            quiet_until: now.after(QUIET),
        };
        Some(by)
    }
}

/// What goes on for hours is told sixty times an hour.
const QUIET: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rises_is_told_at_once_and_then_once_a_minute() {
        let at = |secs| Time::ZERO.after(Duration::from_secs(secs));
        let mut rising = Rising::default();
        assert_eq!(rising.since_told(0, at(1)), None);
        assert_eq!(rising.since_told(3, at(2)), Some(3));
        assert_eq!(rising.since_told(3, at(100)), None);
        assert_eq!(rising.since_told(4, at(101)), Some(1));
        assert_eq!(rising.since_told(9, at(160)), None);
        assert_eq!(rising.since_told(10, at(161)), Some(6));
    }
}

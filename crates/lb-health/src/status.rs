use crate::Cause;
use core::fmt;

/// What a backend is, health and orders taken together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// Not judged yet; takes clients.
    Starting,
    /// Takes clients.
    Up,
    /// Takes nobody.
    Down(Cause),
    /// Healthy, but takes only clients it had before: weight 0.
    Draining,
    /// Takes nobody and is not probed, by order.
    Maintenance,
}

impl Status {
    /// May clients that had this backend before be sent to it?
    #[must_use]
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::Starting | Self::Up | Self::Draining)
    }

    /// May new clients be sent to it?
    #[must_use]
    pub const fn takes_new(self) -> bool {
        matches!(self, Self::Starting | Self::Up)
    }

    /// The word for logs and metric labels, without the cause. Stable between versions.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Up => "up",
            Self::Down(_) => "down",
            Self::Draining => "draining",
            Self::Maintenance => "maintenance",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down(cause) => write!(f, "down ({cause})"),
            other => f.write_str(other.as_str()),
        }
    }
}

/// What the operator ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Admin {
    /// Nothing: health decides.
    #[default]
    Ready,
    /// No new clients.
    Drain,
    /// No clients and no probes.
    Maintenance,
}

impl Admin {
    /// The word for logs and commands.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Drain => "drain",
            Self::Maintenance => "maintenance",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn draining_keeps_known_clients_and_refuses_new_ones() {
        assert!(Status::Draining.is_usable() && !Status::Draining.takes_new());
        assert!(Status::Starting.takes_new() && Status::Up.takes_new());
        for status in [Status::Down(Cause::Refused), Status::Maintenance] {
            assert!(!status.is_usable() && !status.takes_new());
        }
    }

    #[test]
    fn a_down_status_tells_its_cause() {
        assert_eq!(
            Status::Down(Cause::Status(503)).to_string(),
            "down (unexpected status 503)"
        );
        assert_eq!(Status::Up.to_string(), "up");
    }
}

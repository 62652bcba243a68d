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
    /// Forced up: it takes clients whatever probes and traffic say. Probes go on, to be looked at.
    Up,
}

impl Admin {
    /// All orders.
    pub const ALL: [Self; 4] = [Self::Ready, Self::Drain, Self::Maintenance, Self::Up];

    /// What holds when there is `other` besides (an order at run time beside one of the configuration, or the word of
    /// the backend's agent): forced up outdoes everything, then maintenance, then drain.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Up, _) | (_, Self::Up) => Self::Up,
            (Self::Maintenance, _) | (_, Self::Maintenance) => Self::Maintenance,
            (Self::Drain, _) | (_, Self::Drain) => Self::Drain,
            (Self::Ready, Self::Ready) => Self::Ready,
        }
    }

    /// The word for logs and commands.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Drain => "drain",
            Self::Maintenance => "maintenance",
            Self::Up => "up",
        }
    }
}

/// What a backend's own agent asks for. It stays until the agent says something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Advice {
    /// [`Admin::Ready`], [`Admin::Drain`] or [`Admin::Maintenance`]; `None`: as before. In maintenance by its own word
    /// a backend is probed all the same: else the agent could never take the word back. [`Admin::Up`] is
    /// taken as ready: only an operator ignores health.
    pub admin: Option<Admin>,
    /// Its share of its weight, 0 to 100 (more is taken as 100); 0 drains it; `None`: as before.
    pub percent: Option<u8>,
    /// Down by its own word, whatever probes say; `Some(false)` leaves it to the probes again; `None`: as before.
    pub down: Option<bool>,
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
    fn of_two_orders_the_stronger_holds_whichever_comes_first() {
        use Admin::{Drain, Maintenance, Ready, Up};
        let table = [
            (Ready, Ready, Ready),
            (Ready, Drain, Drain),
            (Ready, Maintenance, Maintenance),
            (Ready, Up, Up),
            (Drain, Drain, Drain),
            (Drain, Maintenance, Maintenance),
            (Drain, Up, Up),
            (Maintenance, Maintenance, Maintenance),
            (Maintenance, Up, Up),
            (Up, Up, Up),
        ];
        for (a, b, want) in table {
            assert_eq!((a.or(b), b.or(a)), (want, want), "{a:?} {b:?}");
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

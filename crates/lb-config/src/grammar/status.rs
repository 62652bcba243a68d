use super::Wrong;
use std::fmt;

/// Status codes from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusRange {
    first: u16,
    last: u16,
}

impl StatusRange {
    /// From `first` to `last`. `None` when they are no final status codes (200 to 599) or the wrong way round.
    #[must_use]
    pub fn new(first: u16, last: u16) -> Option<Self> {
        (200 <= first && first <= last && last <= 599).then_some(Self { first, last })
    }

    /// The lowest code.
    #[must_use]
    pub const fn first(self) -> u16 {
        self.first
    }

    /// The highest code.
    #[must_use]
    pub const fn last(self) -> u16 {
        self.last
    }

    /// Is `status` one of them?
    #[must_use]
    pub const fn contains(self, status: u16) -> bool {
        self.first <= status && status <= self.last
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// `200` or `200-399`.
pub(crate) fn status_range(text: &str) -> Result<StatusRange, Wrong> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| -> Option<u16> {
        (text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse().ok())
            .flatten()
    };
    let (Some(first), Some(last)) = (number(first), number(last)) else {
        return Err(match classes(text) {
            Some(meant) => Wrong::new("this is not a status code or range").help(format!("did you mean \"{meant}\"?")),
            None => Wrong::new("this is not a status code or range").help(EXAMPLES),
        });
    };
    if first > last {
        return Err(Wrong::new("this range ends before it begins").help(format!("did you mean \"{last}-{first}\"?")));
    }
    StatusRange::new(first, last).ok_or_else(|| Wrong::new("final status codes go from 200 to 599").help(EXAMPLES))
}

/// `2xx` and `2XX` as a range.
fn classes(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let class = lower
        .strip_suffix("xx")
        .filter(|class| matches!(*class, "2" | "3" | "4" | "5"))?;
    Some(format!("{class}00-{class}99"))
}

const EXAMPLES: &str = "write a code or a range: 200, \"200-399\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_ranges_are_read() {
        assert_eq!(status_range("200"), Ok(StatusRange { first: 200, last: 200 }));
        assert_eq!(status_range("200-399"), Ok(StatusRange { first: 200, last: 399 }));
        assert_eq!(status_range("599").unwrap().to_string(), "599");
        assert!(status_range("200-399").unwrap().contains(399));
        assert!(!status_range("200-399").unwrap().contains(400));
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(
            status_range("2xx").unwrap_err().help.unwrap(),
            "did you mean \"200-299\"?"
        );
        assert_eq!(
            status_range("399-200").unwrap_err().help.unwrap(),
            "did you mean \"200-399\"?"
        );
        for text in [
            "",
            "20",
            "2000",
            "+20",
            "100-199",
            "600",
            "200-",
            "-200",
            "200-300-400",
            "200 - 299",
        ] {
            assert!(status_range(text).is_err(), "{text}");
        }
    }
}

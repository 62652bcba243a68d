#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use lb_health::Admin;

/// One line of an agent. What it does not mention stays as it was.
///
/// Compatible with HAProxy's agent check: words in any order, separated by blanks, tabs or commas, letter case does not
/// matter; of several words of one sort the last counts.
///
/// ```
/// use lb_health::Admin;
/// use lb_probe::{AgentLine, AgentWord};
///
/// let advice = AgentLine::parse(b"ready, up 75% maxconn:30")?;
/// assert_eq!((advice.admin, advice.word), (Some(Admin::Ready), Some(AgentWord::Up)));
/// assert_eq!((advice.weight_percent, advice.max_connections), (Some(75), Some(30)));
/// assert_eq!(AgentLine::parse(b"down #disk full")?.note, "disk full");
/// # Ok::<(), lb_probe::LineError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AgentLine {
    /// `75%`: of the weight that the backend has without the agent. 0 to 25,600; 0 is a drain.
    pub weight_percent: Option<u16>,
    /// `maxconn:30`.
    pub max_connections: Option<u32>,
    /// `ready`, `drain` or `maint`.
    pub admin: Option<Admin>,
    /// `up`, `down`, `fail` or `stopped`.
    pub word: Option<AgentWord>,
    /// What stands behind `#`, at most 200 bytes; control characters are replaced by `?`.
    pub note: String,
    /// The first word that means nothing. It is ignored.
    pub unknown: Option<String>,
}

/// What an agent says of its backend's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum AgentWord {
    /// In order; probes still have their say.
    #[default]
    Up,
    /// Not to be used.
    Down,
    /// Not to be used: it is there, but something in it failed.
    Fail,
    /// Not to be used: somebody stopped it on purpose.
    Stopped,
}

impl AgentWord {
    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Fail => "fail",
            Self::Stopped => "stopped",
        }
    }
}

impl AgentLine {
    /// The longest line, in bytes.
    pub const LINE_MOST: usize = 1_024;

    /// Reads one line without its end. Words that mean nothing are skipped, and the first of them is told.
    ///
    /// # Errors
    /// [`LineError::TooLong`] above [`AgentLine::LINE_MOST`] bytes, [`LineError::Empty`] without any word.
    pub fn parse(line: &[u8]) -> Result<Self, LineError> {
        if line.len() > Self::LINE_MOST {
            return Err(LineError::TooLong);
        }
        let (words, note) = match line.iter().position(|byte| *byte == b'#') {
            Some(place) => {
                let (words, note) = line.split_at(place);
                (words, note.get(1..).unwrap_or_default())
            }
            None => (line, &[][..]),
        };
        let mut advice = Self {
            note: shown(note.trim_ascii()),
            ..Self::default()
        };
        let mut some = false;
        for word in words.split(|byte| matches!(byte, b' ' | b'\t' | b',')) {
            if !word.is_empty() {
                some = true;
                advice.take(word);
            }
        }
        if some { Ok(advice) } else { Err(LineError::Empty) }
    }

    fn take(&mut self, word: &[u8]) {
        let is = |text: &str| word.eq_ignore_ascii_case(text.as_bytes());
        let limit = || {
            word.split_at_checked(8)
                .filter(|(name, _)| name.eq_ignore_ascii_case(b"maxconn:"))
        };
        if let Some(known) = [AgentWord::Up, AgentWord::Down, AgentWord::Fail, AgentWord::Stopped]
            .into_iter()
            .find(|known| is(known.as_str()))
        {
            self.word = Some(known);
        } else if is("ready") {
            self.admin = Some(Admin::Ready);
        } else if is("drain") {
            self.admin = Some(Admin::Drain);
        } else if is("maint") {
            self.admin = Some(Admin::Maintenance);
        } else if let Some(percent) = word.strip_suffix(b"%").and_then(number) {
            self.weight_percent = Some(u16::try_from(percent).unwrap_or(u16::MAX).min(PERCENT_MOST));
        } else if let Some(most) = limit().and_then(|(_, digits)| number(digits)) {
            self.max_connections = Some(most);
        } else if self.unknown.is_none() {
            self.unknown = Some(shown(word));
        }
    }
}

/// A line that says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// No word stands in it.
    #[error("the agent's line is empty")]
    Empty,
    /// The connection ended before the line did.
    #[error("the agent's line has no end: it must end with a line feed or a carriage return")]
    NoEnd,
    /// More bytes than allowed.
    #[error("the agent's line has more than {most} bytes", most = AgentLine::LINE_MOST)]
    TooLong,
}

/// Digits alone; what is too large becomes the largest number.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |sum: u32, digit: &u8| {
        sum.saturating_mul(10)
            .saturating_add(u32::from(digit.wrapping_sub(b'0')))
    };
    Some(digits.iter().fold(0, add))
}

/// For logs and status: bounded, and without control characters.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..NOTE_MOST).unwrap_or(bytes))
        .chars()
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .collect()
}

/// As HAProxy: no weight is multiplied by more than the largest weight.
const PERCENT_MOST: u16 = 25_600;
/// Fits on a line of a log.
const NOTE_MOST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> AgentLine {
        AgentLine::parse(line.as_bytes()).unwrap()
    }

    #[test]
    fn lines_that_haproxy_users_write_mean_the_same_here() {
        let none = AgentLine::default;
        let percent = |weight_percent| AgentLine {
            weight_percent,
            ..none()
        };
        let word = |word| AgentLine {
            word: Some(word),
            ..none()
        };
        let admin = |admin| AgentLine {
            admin: Some(admin),
            ..none()
        };
        let noted = |advice: AgentLine, note: &str| AgentLine {
            note: note.to_owned(),
            ..advice
        };
        for (line, expected) in [
            ("75%", percent(Some(75))),
            ("0%", percent(Some(0))),
            ("150%", percent(Some(150))),
            ("up", word(AgentWord::Up)),
            ("UP", word(AgentWord::Up)),
            ("down", word(AgentWord::Down)),
            ("fail", word(AgentWord::Fail)),
            ("stopped", word(AgentWord::Stopped)),
            ("ready", admin(Admin::Ready)),
            ("drain", admin(Admin::Drain)),
            ("maint", admin(Admin::Maintenance)),
            ("down #too hot", noted(word(AgentWord::Down), "too hot")),
            ("down#too hot", noted(word(AgentWord::Down), "too hot")),
            (
                "stopped\t# by hand: up at 9",
                noted(word(AgentWord::Stopped), "by hand: up at 9"),
            ),
            (
                "up 99%",
                AgentLine {
                    weight_percent: Some(99),
                    ..word(AgentWord::Up)
                },
            ),
            (
                "ready,up,50%,maxconn:30",
                AgentLine {
                    weight_percent: Some(50),
                    max_connections: Some(30),
                    word: Some(AgentWord::Up),
                    ..admin(Admin::Ready)
                },
            ),
            (
                " \t up ,, drain ",
                AgentLine {
                    word: Some(AgentWord::Up),
                    ..admin(Admin::Drain)
                },
            ),
            ("drain ready", admin(Admin::Ready)),
            ("up down", word(AgentWord::Down)),
        ] {
            assert_eq!(parse(line), expected, "{line:?}");
        }
    }

    #[test]
    fn words_that_mean_nothing_are_told_and_change_nothing() {
        for word in ["75", "%", "7x%", "-1%", "upp", "maxconn:", "maxconn:x", "maxconn", "é%"] {
            let advice = parse(&format!("{word} up"));
            assert_eq!(advice.word, Some(AgentWord::Up));
            assert_eq!(advice.unknown.as_deref(), Some(word));
            assert_eq!((advice.weight_percent, advice.max_connections), (None, None), "{word}");
        }
    }

    #[test]
    fn numbers_stop_at_their_largest() {
        assert_eq!(parse("25601%").weight_percent, Some(25_600));
        assert_eq!(parse("99999999999999999999%").weight_percent, Some(25_600));
        assert_eq!(parse("maxconn:4294967295").max_connections, Some(u32::MAX));
        assert_eq!(parse("maxconn:4294967296").max_connections, Some(u32::MAX));
    }

    #[test]
    fn empty_and_long_lines_are_errors() {
        for line in ["", " ", ",,\t", "# only a note"] {
            assert_eq!(AgentLine::parse(line.as_bytes()), Err(LineError::Empty), "{line:?}");
        }
        let long = |len: usize| [&b"up"[..], &vec![b' '; len - 2]].concat();
        assert!(AgentLine::parse(&long(1_024)).is_ok());
        assert_eq!(AgentLine::parse(&long(1_025)), Err(LineError::TooLong));
    }

    #[test]
    fn a_note_is_short_and_plain() {
        let advice = AgentLine::parse(&[&b"down #\x1b[31m"[..], &[b'x'; 500]].concat()).unwrap();
        assert_eq!(advice.note.len(), 200);
        assert!(advice.note.starts_with("?[31mx"));
    }
}

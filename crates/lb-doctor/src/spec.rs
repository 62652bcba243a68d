//! How values are written on a command line: durations, rates, and what was meant by a wrong one.

use std::time::Duration;

/// A text that is not the value it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} {what}; {mend}")]
pub struct SpecError {
    /// What was read.
    pub text: String,
    /// What is wrong with it, as in "is not a duration".
    pub what: String,
    /// What to write instead.
    pub mend: String,
}

impl SpecError {
    pub(crate) fn new(text: &str, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            text: text.to_owned(),
            what: what.into(),
            mend: mend.into(),
        }
    }
}

/// `20ms`, `1.5s`, `2m`, `500us`: a number and its unit; at most a year.
///
/// # Errors
/// [`SpecError`] with what may have been meant.
pub fn duration(text: &str) -> Result<Duration, SpecError> {
    let digits = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let (number, unit) = text.split_at(digits);
    let wrong = |what: &str| SpecError::new(text, what, "write a number and a unit: 500us, 20ms, 1.5s, 2m or 1h");
    let Ok(number) = number.parse::<f64>() else {
        return Err(wrong("is not a duration"));
    };
    let scale = match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "" => {
            let mend = format!("write {text}s for seconds or {text}ms for milliseconds");
            return Err(SpecError::new(text, "has no unit", mend));
        }
        _ => return Err(wrong("has a unit that is not known")),
    };
    let seconds = number * scale;
    if seconds > YEAR {
        return Err(SpecError::new(text, "is longer than a year", "give a shorter duration"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// A [`duration`] above 0, for as long as traffic comes.
///
/// # Errors
/// [`SpecError`] with what may have been meant.
pub fn span(text: &str) -> Result<Duration, SpecError> {
    match duration(text)? {
        Duration::ZERO => Err(SpecError::new(
            text,
            "is no time for a request to come in",
            "give more than 0, as in 60s",
        )),
        span => Ok(span),
    }
}

/// `500/s`, `30/m`, `2.5k/s`: how many per second.
///
/// # Errors
/// [`SpecError`] with what may have been meant.
pub fn per_second(text: &str) -> Result<f64, SpecError> {
    let wrong = |what: &str| SpecError::new(text, what, "write a number per second or minute: 500/s, 2.5k/s, 30/m");
    let (number, unit) = text.split_once('/').ok_or_else(|| wrong("is not a rate"))?;
    let divisor = match unit {
        "s" | "sec" | "second" => 1.0,
        "m" | "min" | "minute" => 60.0,
        "h" | "hour" => 3600.0,
        _ => return Err(wrong("is per something that is not known")),
    };
    let (number, scale) = match number.strip_suffix(['k', 'K']) {
        Some(thousands) => (thousands, 1000.0),
        None => (number, 1.0),
    };
    let rate = decimal(number).ok_or_else(|| wrong("is not a rate"))? * scale / divisor;
    if !(RATES.0..=RATES.1).contains(&rate) {
        return Err(SpecError::new(text, "is out of range", "give between 1/h and 10000k/s"));
    }
    Ok(rate)
}

/// A plain decimal number without sign or exponent.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    is_plain.then(|| text.parse().ok()).flatten()
}

/// A duration for people: three digits and a unit.
#[must_use]
pub fn show(duration: Duration) -> String {
    let nanos = duration.as_nanos() as f64;
    let (value, unit) = match nanos {
        0.0 => return "0 ms".to_owned(),
        n if n < 999.5e3 => (n / 1e3, "us"),
        n if n < 999.5e6 => (n / 1e6, "ms"),
        n if n < 599.5e9 => (n / 1e9, "s"),
        n if n < 599.5 * 60e9 => (n / 60e9, "min"),
        n => (n / 3600e9, "h"),
    };
    format!("{} {unit}", three_digits(value))
}

/// A number with three digits that count, without zeros behind a point.
pub(crate) fn three_digits(value: f64) -> String {
    let places = match value {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{value:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// `12,345`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 request`, `2,000 requests`: a number of things whose plural ends in s.
#[must_use]
pub fn counted(number: u64, thing: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{} {thing}{end}", grouped(number))
}

/// `verb` for one thing: `1 request fails`; for others as it is for many.
pub(crate) fn verb<'a>(number: u64, one: &'a str, many: &'a str) -> &'a str {
    if number == 1 { one } else { many }
}

/// In seconds.
const YEAR: f64 = 366.0 * 86_400.0;

/// One an hour to ten million a second.
const RATES: (f64, f64) = (1.0 / 3600.0 - 1e-12, 1e7);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_rates_read_as_people_write_them() {
        for (text, nanos) in [
            ("500us", 500_000),
            ("20ms", 20_000_000),
            ("1.5s", 1_500_000_000),
            ("2m", 120_000_000_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text).map(|d| d.as_nanos()), Ok(nanos), "{text}");
        }
        for (text, rate) in [
            ("500/s", 500.0),
            ("30/m", 0.5),
            ("2.5k/s", 2500.0),
            ("1/h", 1.0 / 3600.0),
        ] {
            assert_eq!(per_second(text), Ok(rate), "{text}");
        }
    }

    #[test]
    fn wrong_values_say_what_to_write() {
        assert_eq!(
            duration("20").unwrap_err().to_string(),
            "\"20\" has no unit; write 20s for seconds or 20ms for milliseconds"
        );
        for text in [
            "",
            "s",
            "-1s",
            "1e3s",
            "1 s",
            "five",
            "9999999999d",
            "1..2s",
            "infs",
            "NaNs",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
        for text in ["", "500", "500/x", "/s", "-1/s", "0/s", "1e9/s", "99999999/s", "infk/s"] {
            assert!(per_second(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_shown_for_people() {
        for (nanos, text) in [
            (0, "0 ms"),
            (1_500, "1.5 us"),
            (999_400, "999 us"),
            (999_600, "1 ms"),
            (20_000_000, "20 ms"),
            (1_234_000_000, "1.23 s"),
            (90_000_000_000, "90 s"),
            (900_000_000_000, "15 min"),
        ] {
            assert_eq!(show(Duration::from_nanos(nanos)), text);
        }
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(123_456), "123,456");
    }

    #[test]
    fn traffic_takes_some_time() {
        for none in ["0s", "0ms", "0.0h"] {
            let error = span(none).unwrap_err().to_string();
            assert!(error.contains("give more than 0"), "{error}");
        }
        assert_eq!(span("1ms"), Ok(Duration::from_millis(1)));
    }
}

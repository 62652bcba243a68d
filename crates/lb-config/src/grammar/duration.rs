use super::Wrong;
use std::time::Duration;

/// `100ms`, `5s`, `1m30s`, `2h`, `7d`: whole numbers, each with its unit, larger units first.
pub(crate) fn duration(text: &str) -> Result<Duration, Wrong> {
    let mut rest = text;
    let mut total: u64 = 0;
    let mut smallest = u64::MAX;
    if rest.is_empty() {
        return Err(Wrong::new("a number and a unit are missing").help(EXAMPLES));
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let Some(&(_, millis)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(guess(text));
        };
        let Ok(number) = number.parse::<u64>() else {
            return Err(if number.is_empty() {
                guess(text)
            } else {
                Wrong::new("this number is too large")
            });
        };
        if millis >= smallest {
            return Err(Wrong::new("units must go from large to small, each once").help("for example \"1h30m\""));
        }
        smallest = millis;
        total = number
            .checked_mul(millis)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(|| Wrong::new("this number is too large"))?;
        rest = tail;
    }
    Ok(Duration::from_millis(total))
}

/// The shortest way to write a duration with one unit. Reads back exactly, down to the millisecond.
pub(crate) fn show_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return "0s".into();
    }
    let (unit, size) = UNITS
        .iter()
        .find(|(_, size)| millis.checked_rem(*size) == Some(0))
        .unwrap_or(&("ms", 1));
    format!("{}{unit}", millis.checked_div(*size).unwrap_or(millis))
}

/// What may have been meant by something like `5 sec`, `1.5s`, `30` or `5S`.
fn guess(text: &str) -> Wrong {
    let plain: String = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase();
    let digits = plain.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = plain.split_at(digits);
    if number.is_empty() {
        return Wrong::new("this is not a duration").help(EXAMPLES);
    }
    if unit.is_empty() {
        return Wrong::new("the unit is missing").help(format!(
            "write \"{number}s\" for seconds, \"{number}ms\" for milliseconds"
        ));
    }
    if let Some((_, short)) = LONG_UNITS.iter().find(|(long, _)| *long == unit) {
        return Wrong::new("this is not a duration").help(format!("did you mean \"{number}{short}\"?"));
    }
    if unit.starts_with(['.', ',']) {
        let wrong = Wrong::new("a duration is made of whole numbers");
        return match fraction(number, unit) {
            Some(meant) => wrong.help(format!("write \"{}\"", show_duration(meant))),
            None => wrong.help(EXAMPLES),
        };
    }
    Wrong::new("this is not a duration").help(EXAMPLES)
}

/// `0` and `.5s`: what is written with a point or a comma, if it is whole in milliseconds.
fn fraction(whole: &str, rest: &str) -> Option<Duration> {
    let rest = rest.get(1..)?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (part, unit) = rest.split_at(digits);
    let short = LONG_UNITS
        .iter()
        .find(|(long, _)| *long == unit)
        .map_or(unit, |(_, short)| short);
    let (_, millis) = UNITS.iter().find(|(name, _)| *name == short)?;
    let scale = 10_u64.checked_pow(u32::try_from(digits).ok()?)?;
    let part = part.parse::<u64>().ok()?.checked_mul(*millis)?;
    if part.checked_rem(scale)? != 0 {
        return None;
    }
    let whole = whole.parse::<u64>().ok()?.checked_mul(*millis)?;
    Some(Duration::from_millis(whole.checked_add(part.checked_div(scale)?)?))
}

const EXAMPLES: &str = "write a whole number and a unit: \"100ms\", \"5s\", \"1m\", \"2h\", \"7d\"";

/// Unit and its length in milliseconds, longest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

const LONG_UNITS: [(&str, &str); 18] = [
    ("ms", "ms"),
    ("msec", "ms"),
    ("millis", "ms"),
    ("milliseconds", "ms"),
    ("s", "s"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("m", "m"),
    ("min", "m"),
    ("mins", "m"),
    ("minutes", "m"),
    ("h", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_what_they_say() {
        for (text, millis) in [
            ("0s", 0),
            ("100ms", 100),
            ("5s", 5_000),
            ("1m", 60_000),
            ("2h", 7_200_000),
            ("7d", 604_800_000),
            ("1m30s", 90_000),
            ("1h0m5s", 3_605_000),
        ] {
            assert_eq!(duration(text).map(|d| d.as_millis()), Ok(millis), "{text}");
        }
    }

    #[test]
    fn what_was_meant_is_offered() {
        let help = |text: &str| duration(text).unwrap_err().help.unwrap_or_default();
        assert_eq!(help("5 sec"), "did you mean \"5s\"?");
        assert_eq!(help("5S"), "did you mean \"5s\"?");
        assert_eq!(help("30"), "write \"30s\" for seconds, \"30ms\" for milliseconds");
        assert_eq!(help("1.5s"), "write \"1500ms\"");
        assert_eq!(help("0.5s"), "write \"500ms\"");
        assert_eq!(help("0,25 sec"), "write \"250ms\"");
        assert_eq!(help("1.5h"), "write \"90m\"");
        assert_eq!(help("2.0s"), "write \"2s\"");
        for text in ["1.s", "1.5", "1.5x", "0.0001s", "1.99999999999999999999s"] {
            assert_eq!(help(text), EXAMPLES, "{text}");
        }
        for text in [
            "",
            "s",
            "-5s",
            "5s5s",
            "1s1m",
            "five",
            "5s ",
            "99999999999999999999s",
            "999999999999999999d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        for text in ["0s", "1ms", "100ms", "75s", "90s", "2m", "1h", "36h", "7d"] {
            assert_eq!(show_duration(duration(text).unwrap()), text);
        }
        assert_eq!(show_duration(Duration::from_secs(60)), "1m");
    }
}

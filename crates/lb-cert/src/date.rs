//! Moments as people write them: `2026-11-21` and `2026-11-21T06:55:00Z`.

use lb_types::Civil;

/// A moment in RFC 3339, always in UTC: `2026-11-21T06:55:00Z`. Any `i64` has one; years outside 0 to 9999 are
/// written as they are, which RFC 3339 does not allow, so that nothing is hidden.
#[must_use]
pub fn moment(unix: i64) -> String {
    let Civil {
        hour, minute, second, ..
    } = Civil::from_unix(unix);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", day(unix))
}

/// The day of a moment, in UTC: `2026-11-21`.
#[must_use]
pub fn day(unix: i64) -> String {
    let Civil { year, month, day, .. } = Civil::from_unix(unix);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Reads `YYYY-MM-DD` (midnight, UTC) or RFC 3339 with any offset; unix seconds.
///
/// # Errors
/// [`DateError`] names what was given and the two forms. Fractions of a second are read and dropped.
pub fn parse(text: &str) -> Result<i64, DateError> {
    read(text).ok_or_else(|| DateError { given: text.into() })
}

/// This is no date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{given}\" is no date; write 2026-11-21, or with the time 2026-11-21T06:55:00Z")]
pub struct DateError {
    /// What was given.
    pub given: Box<str>,
}

fn read(text: &str) -> Option<i64> {
    let (date, time) = match text.split_at_checked(10)? {
        (date, "") => (date, None),
        (date, rest) => (date, Some(rest.strip_prefix(['T', 't', ' '])?)),
    };
    let (year, month, day) = (number(date, 0, 4)?, number(date, 5, 2)?, number(date, 8, 2)?);
    let separated = date
        .bytes()
        .enumerate()
        .all(|(place, byte)| (byte == b'-') == matches!(place, 4 | 7));
    if !separated {
        return None;
    }
    let midnight = Civil::midnight(year, month, day)?;
    midnight.checked_add(time.map_or(Some(0), seconds)?)
}

/// `06:55:00Z`, `06:55:00.5+01:00`: seconds since midnight in UTC.
fn seconds(time: &str) -> Option<i64> {
    let (clock, rest) = time.split_at_checked(8)?;
    let (hour, minute, second): (i64, i64, i64) = (number(clock, 0, 2)?, number(clock, 3, 2)?, number(clock, 6, 2)?);
    let separated = clock
        .bytes()
        .enumerate()
        .all(|(place, byte)| (byte == b':') == matches!(place, 2 | 5));
    // A leap second is the next minute's first.
    if !separated || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|letter: char| letter.is_ascii_digit());
            if zone.len() == fraction.len() {
                return None;
            }
            zone
        }
        None => rest,
    };
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let sign = match zone.get(..1)? {
                "+" => 1,
                "-" => -1,
                _ => return None,
            };
            let (hours, minutes): (i64, i64) = (number(zone, 1, 2)?, number(zone, 4, 2)?);
            if zone.len() != 6 || zone.get(3..4)? != ":" || hours > 23 || minutes > 59 {
                return None;
            }
            sign * (hours * 3600 + minutes * 60)
        }
    };
    Some(hour * 3600 + minute * 60 + second - offset)
}

fn number<T: std::str::FromStr>(text: &str, start: usize, length: usize) -> Option<T> {
    let digits = text.get(start..start + length)?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    // `date -u -d 2026-11-21T06:55:00Z +%s` and so on.
    const KNOWN: [(&str, i64); 8] = [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59Z", -1),
        ("2000-02-29T12:00:00Z", 951_825_600),
        ("2026-11-21T06:55:00Z", 1_795_244_100),
        ("2038-01-19T03:14:08Z", 2_147_483_648),
        ("1950-01-01T00:00:00Z", -631_152_000),
        ("2100-03-01T00:00:00Z", 4_107_542_400),
        ("9999-12-31T23:59:59Z", 253_402_300_799),
    ];

    #[test]
    fn known_moments_are_written_and_read() {
        for (text, unix) in KNOWN {
            assert_eq!(moment(unix), text);
            assert_eq!(parse(text), Ok(unix), "{text}");
            assert_eq!(day(unix), text[..10]);
        }
    }

    #[test]
    fn a_day_is_its_midnight_and_an_offset_is_counted() {
        assert_eq!(parse("2026-11-21"), Ok(1_795_219_200));
        for same in [
            "2026-11-21T06:55:00.25Z",
            "2026-11-21t06:55:00z",
            "2026-11-21 07:55:00+01:00",
            "2026-11-20T23:25:00-07:30",
        ] {
            assert_eq!(parse(same), Ok(1_795_244_100), "{same}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for bad in [
            "",
            "2026",
            "2026-13-01",
            "2026-02-29",
            "2026-00-10",
            "2026-1-1",
            "2026/11/21",
            "2026-11-21T",
            "+026-11-21",
            "2026-11-21T06:55",
            "2026-11-21T24:00:00Z",
            "2026-11-21T06:55:00",
            "2026-11-21T06:55:00.Z",
            "20261121",
            "2026-11-21T06:55:00+0100",
            "2026-11-21X06:55:00Z",
            "2026-11-21T06:55:00+01:00x",
            "ééééé-11-21",
            "yesterday",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn any_number_of_seconds_can_be_written() {
        assert_eq!(moment(i64::MAX), "292277026596-12-04T15:30:07Z");
        assert_eq!(moment(i64::MIN), "-292277022657-01-27T08:29:52Z");
    }
}

//! Dates as logs write them, to nanoseconds since 1970.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use lb_types::Civil;

/// `10/Oct/2000:13:55:36 -0700`, `06/Feb/2009:12:14:14.655`: nanoseconds, and whether there was no fraction.
pub(super) fn clf(text: &str) -> Option<(u64, bool)> {
    let (date, rest) = text.trim().split_once(':')?;
    let (time, zone) = rest.split_once(' ').unwrap_or((rest, "Z"));
    let mut parts = date.split('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let month = Civil::MONTHS.iter().position(|name| *name == month)?.checked_add(1)?;
    let date = midnight(number(year, 4)?, u64::try_from(month).ok()?, number(day, 2)?)?;
    moment(date, time, zone)
}

/// `2018-07-02T22:23:00.186641Z`, `2026-11-21 10:00:00+01:00`.
pub(super) fn rfc3339(text: &str) -> Option<(u64, bool)> {
    let (date, rest) = text.trim().split_once(['T', 't', ' '])?;
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let date = midnight(number(year, 4)?, number(month, 2)?, number(day, 2)?)?;
    let end = rest.find(['Z', 'z', '+', '-', ' ']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at_checked(end)?;
    moment(date, time, zone)
}

/// `13:55:36.123` in a zone of `Z`, `+0200`, `+02:00` or none (UTC), on a day that begins so many seconds after 1970.
fn moment(midnight: u64, time: &str, zone: &str) -> Option<(u64, bool)> {
    let (time, fraction) = time.split_once(['.', ',']).unwrap_or((time, ""));
    let mut parts = time.split(':');
    let (hour, minute, second) = (
        number(parts.next()?, 2)?,
        number(parts.next()?, 2)?,
        number(parts.next()?, 2)?,
    );
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = midnight.checked_add(hour.checked_mul(3600)?)?;
    let seconds = seconds.checked_add(minute.checked_mul(60)?)?.checked_add(second)?;
    let offset = offset(zone.trim())?;
    let seconds = i64::try_from(seconds).ok()?.checked_sub(offset)?;
    let nanos = u64::try_from(seconds)
        .ok()?
        .checked_mul(1_000_000_000)?
        .checked_add(nanos(fraction)?)?;
    Some((nanos, fraction.is_empty()))
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    let (sign, rest) = match zone.as_bytes().first() {
        None | Some(b'Z' | b'z') => return Some(0),
        Some(b'+') => (1, zone.get(1..)?),
        Some(b'-') => (-1_i64, zone.get(1..)?),
        Some(_) => return None,
    };
    let digits: String = rest.chars().filter(|c| *c != ':').collect();
    let hours = number(digits.get(..2)?, 2)?;
    let minutes = number(digits.get(2..)?, 2)?;
    let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
    (hours < 24 && minutes < 60)
        .then(|| sign.checked_mul(i64::try_from(seconds).ok()?))
        .flatten()
}

fn nanos(fraction: &str) -> Option<u64> {
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let padded: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    padded.parse().ok()
}

fn number(text: &str, digits: usize) -> Option<u64> {
    let is_number = (1..=digits).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// Seconds from 1970 to the beginning of this day.
fn midnight(year: u64, month: u64, day: u64) -> Option<u64> {
    u64::try_from(Civil::midnight(year, month, day)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds by `date -ud '..' +%s`.
    #[test]
    fn dates_are_the_seconds_that_date_prints() {
        let second = 1_000_000_000;
        for (text, nanos, whole) in [
            ("10/Oct/2000:13:55:36 -0700", 971_211_336 * second, true),
            ("01/Jan/1970:00:00:00 +0000", 0, true),
            ("29/Feb/2024:23:59:59 +0530", 1_709_231_399 * second, true),
            ("06/Feb/2009:12:14:14.655", 1_233_922_454 * second + 655_000_000, false),
        ] {
            assert_eq!(clf(text), Some((nanos, whole)), "{text}");
        }
        for (text, nanos) in [
            ("2018-07-02T22:23:00.186641Z", 1_530_570_180 * second + 186_641_000),
            ("2026-11-21T10:00:00.5+01:00", 1_795_251_600 * second + 500_000_000),
            ("1970-01-01 00:00:01.000", second),
        ] {
            assert_eq!(rfc3339(text), Some((nanos, false)), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "10/Okt/2000:13:55:36 -0700",
            "32/Jan/2000:00:00:00 Z",
            "01/Jan/2000:24:00:00 Z",
            "01/Jan/2000:00:00 Z",
            "01/Jan/99999:00:00:00 Z",
            "01/Jan/1969:00:00:00 Z",
            "31/Feb/2000:00:00:00 Z",
            "29/Feb/2026:00:00:00 Z",
            "01/Jan/1970:00:00:00 +0100",
            "01/Jan/2000:00:00:00 é",
            "é/é/é:é",
        ] {
            assert_eq!(clf(text), None, "{text}");
        }
        for text in [
            "",
            "2018-07-02",
            "2018-13-02T00:00:00Z",
            "2018-07-02T00:00:00.xZ",
            "2018-07-02T00:00:00+1",
            "2018-07-02T1:2:3:4Z",
        ] {
            assert_eq!(rfc3339(text), None, "{text}");
        }
    }
}

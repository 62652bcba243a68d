//! Dates of cookies: one way to write them, the many ways they are read.

use lb_types::{Civil, Wall};

/// `Thu, 19 Nov 2015 14:14:50 GMT`. RFC 6265, section 4.1.1; RFC 9110, section 5.6.7.
///
/// No allocation. Years after 9999 are written as the last second of 9999.
#[must_use]
pub fn format(wall: Wall) -> [u8; 29] {
    let wall = wall.min(Civil::LAST_OF_9999);
    let date = Civil::from(wall);
    let mut out = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = out.get_mut(at..at.saturating_add(bytes.len())) {
            place.copy_from_slice(bytes);
        }
    };
    // 1970-01-01 was a Thursday.
    put(
        0,
        WEEKDAYS
            .get((wall.as_secs() / DAY % 7) as usize)
            .map_or(&b"Thu"[..], |name| &name[..]),
    );
    put(5, &two(date.day));
    put(8, date.month_name().as_bytes());
    // below 10,000
    put(12, &two((date.year / 100) as u8));
    put(14, &two((date.year % 100) as u8));
    put(17, &two(date.hour));
    put(20, &two(date.minute));
    put(23, &two(date.second));
    out
}

/// Reads a date as RFC 6265, section 5.1.1 tells browsers to: the parts may come in any order, a
/// year may have two digits, the weekday and the zone are passed over.
///
/// `None` when a part is missing or out of range, or the day does not exist. A date before 1970
/// is read as 1970: it is over in any case.
#[must_use]
pub fn parse(text: &[u8]) -> Option<Wall> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(|byte| is_delimiter(*byte)).filter(|token| !token.is_empty()) {
        if time.is_none()
            && let Some(found) = read_time(token)
        {
            time = Some(found);
        } else if day.is_none()
            && let Some(found) = read_number(token, 1, 2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = read_month(token)
        {
            month = Some(found);
        } else if year.is_none()
            && let Some(found) = read_number(token, 2, 4)
        {
            year = Some(found);
        }
    }
    let ((hour, minute, second), day, month) = (time?, day?, month?);
    let year = match year? {
        short @ 70..=99 => short.saturating_add(1900),
        short @ 0..=69 => short.saturating_add(2000),
        long => long,
    };
    if year < 1601 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let Ok(midnight) = u64::try_from(Civil::midnight(year, month, day)?) else {
        return Some(Wall::from_secs(0));
    };
    let clock = hour
        .saturating_mul(3600)
        .saturating_add(minute.saturating_mul(60))
        .saturating_add(second);
    Some(Wall::from_secs(midnight.saturating_add(clock)))
}

/// Section 5.1.1, `delimiter`.
const fn is_delimiter(byte: u8) -> bool {
    matches!(byte, 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

/// `hms-time`: three numbers of one or two digits with colons; then anything but a digit.
fn read_time(token: &[u8]) -> Option<(u64, u64, u64)> {
    let (hour, rest) = digits(token, 1, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(b":")?, 1, 2)?;
    let (second, rest) = digits(rest.strip_prefix(b":")?, 1, 2)?;
    (!starts_with_digit(rest)).then_some((hour, minute, second))
}

/// `day-of-month` and `year`: digits, then anything but a digit.
fn read_number(token: &[u8], least: usize, most: usize) -> Option<u64> {
    let (number, rest) = digits(token, least, most)?;
    (!starts_with_digit(rest)).then_some(number)
}

/// `month`: the first three letters count.
fn read_month(token: &[u8]) -> Option<u64> {
    let name = token.first_chunk::<3>()?;
    let at = Civil::MONTHS
        .iter()
        .position(|month| month.as_bytes().eq_ignore_ascii_case(name))?;
    Some((at as u64).saturating_add(1))
}

fn digits(bytes: &[u8], least: usize, most: usize) -> Option<(u64, &[u8])> {
    let len = bytes.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    if len < least {
        return None;
    }
    let (number, rest) = bytes.split_at_checked(len)?;
    let number = number.iter().fold(0_u64, |sum, byte| {
        sum.saturating_mul(10)
            .saturating_add(u64::from(byte.saturating_sub(b'0')))
    });
    Some((number, rest))
}

fn starts_with_digit(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_digit)
}

#[allow(clippy::arithmetic_side_effects)] // two digits
const fn two(number: u8) -> [u8; 2] {
    [b'0' + number / 10 % 10, b'0' + number % 10]
}

const DAY: u64 = 86_400;
/// From Thursday on.
const WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];

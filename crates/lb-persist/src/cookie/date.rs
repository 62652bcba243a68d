//! Dates of cookies: one way to write them, the many ways they are read.

use lb_types::Wall;

/// `Thu, 19 Nov 2015 14:14:50 GMT`. RFC 6265, section 4.1.1; RFC 9110, section 5.6.7.
///
/// No allocation. Years after 9999 are written as the last second of 9999.
#[must_use]
pub fn format(wall: Wall) -> [u8; 29] {
    let seconds = wall.as_secs().min(LAST_SECOND);
    let (days, second) = (seconds / DAY, seconds % DAY);
    let (year, month, day) = civil(days);
    let mut out = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = out.get_mut(at..at.saturating_add(bytes.len())) {
            place.copy_from_slice(bytes);
        }
    };
    // 1970-01-01 was a Thursday.
    put(
        0,
        WEEKDAYS.get((days % 7) as usize).map_or(&b"Thu"[..], |name| &name[..]),
    );
    put(5, &two(day));
    put(
        8,
        MONTHS
            .get((month as usize).wrapping_sub(1))
            .map_or(&b"Jan"[..], |name| &name[..]),
    );
    put(12, &two(year / 100));
    put(14, &two(year % 100));
    put(17, &two(second / 3600));
    put(20, &two(second / 60 % 60));
    put(23, &two(second % 60));
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
    if year < 1601 || hour > 23 || minute > 59 || second > 59 || day < 1 || day > days_of(month, year) {
        return None;
    }
    if year < 1970 {
        return Some(Wall::from_secs(0));
    }
    let clock = hour
        .saturating_mul(3600)
        .saturating_add(minute.saturating_mul(60))
        .saturating_add(second);
    Some(Wall::from_secs(
        day_number(year, month, day).saturating_mul(DAY).saturating_add(clock),
    ))
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
    let at = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
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

#[allow(clippy::arithmetic_side_effects)] // at most 99
const fn two(number: u64) -> [u8; 2] {
    [b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]
}

const fn days_of(month: u64, year: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

const fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days since 1970-01-01 of a date from 1970 to 9999. The year is counted from March, so that the
/// leap day is its last.
#[allow(clippy::arithmetic_side_effects)] // years from 1970 to 9999, months from 1 to 12
const fn day_number(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - EPOCH
}

/// The date of a day since 1970-01-01, up to 9999.
#[allow(clippy::arithmetic_side_effects)] // days up to the year 9999
const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH;
    let (era, day) = (days / ERA, days % ERA);
    let year = (day - day / 1460 + day / 36_524 - day / (ERA - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let first = (153 * month + 2) / 5;
    let year = year + era * 400;
    if month < 10 {
        (year, month + 3, day - first + 1)
    } else {
        (year + 1, month - 9, day - first + 1)
    }
}

const DAY: u64 = 86_400;
/// Days of 400 years.
const ERA: u64 = 146_097;
/// Days from the first of March of the year 0 to 1970-01-01.
const EPOCH: u64 = 719_468;
/// 9999-12-31 23:59:59.
const LAST_SECOND: u64 = 253_402_300_799;

/// From Thursday on.
const WEEKDAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

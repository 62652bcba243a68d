use crate::Wall;

/// A date and a time of day in UTC, in the Gregorian calendar and without leap seconds, as POSIX counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Civil {
    /// The year; before the year 1 comes the year 0.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

impl Civil {
    /// English names of the months, as logs and HTTP shorten them.
    pub const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    /// 9999-12-31 23:59:59, the last moment whose year has four digits: `date -ud '9999-12-31 23:59:59' +%s`.
    pub const LAST_OF_9999: Wall = Wall::from_secs(253_402_300_799);

    /// The date `seconds` after 1970-01-01 00:00:00 UTC, or before it. `O(1)`.
    #[must_use]
    #[allow(
        clippy::arithmetic_side_effects,
        reason = "days and years are far smaller than the seconds they come from, and each part than its whole"
    )]
    pub const fn from_unix(seconds: i64) -> Self {
        let (days, of_day) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let since_march = days + YEAR_0_MARCH;
        let (era, of_era) = (since_march.div_euclid(ERA), since_march.rem_euclid(ERA));
        // the four kinds of year length, taken out one after the other
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / (ERA - 1)) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // months from March have 31 30 31 30 31 / 31 30 31 30 31 / 31 .. days: 153 days in five
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 {
            from_march + 3
        } else {
            from_march - 9
        };
        Self {
            year: era * 400 + year_of_era + (month <= 2) as i64,
            month: month as u8,
            day: (of_year - (153 * from_march + 2) / 5 + 1) as u8,
            hour: (of_day / 3_600) as u8,
            minute: (of_day / 60 % 60) as u8,
            second: (of_day % 60) as u8,
        }
    }

    /// Seconds from 1970-01-01 00:00:00 UTC to the beginning of a day; negative before 1970. `None` when the calendar has
    /// no such day, or its year is beyond 9999 or before year 0.
    #[must_use]
    #[allow(
        clippy::arithmetic_side_effects,
        reason = "the ranges of all parts are looked at first"
    )]
    pub const fn midnight(year: u64, month: u64, day: u64) -> Option<i64> {
        if year > 9999 || month < 1 || month > 12 || day < 1 || day > days_in(year, month) {
            return None;
        }
        let (year, month, day) = (year as i64, month as i64, day as i64);
        let year = if month <= 2 { year - 1 } else { year };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let since_march = era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
        Some((since_march - YEAR_0_MARCH) * DAY)
    }

    /// `Jan` to `Dec`.
    #[must_use]
    pub fn month_name(self) -> &'static str {
        let index = usize::from(self.month).saturating_sub(1);
        Self::MONTHS.get(index).copied().unwrap_or("Dec")
    }
}

impl From<Wall> for Civil {
    fn from(wall: Wall) -> Self {
        // milliseconds in 64 bits are less than i64 seconds
        Self::from_unix(wall.as_secs() as i64)
    }
}

const fn days_in(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

const DAY: i64 = 86_400;
/// Days of 400 years. Years are counted from March, so that the leap day is a year's last.
const ERA: i64 = 146_097;
/// Days from the first of March of the year 0 to 1970-01-01.
const YEAR_0_MARCH: i64 = 719_468;

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    // `date -u -d 2026-11-21T06:55:00Z +%s` and so on.
    const KNOWN: [(i64, &str); 17] = [
        (0, "1970-01-01 00:00:00"),
        (-1, "1969-12-31 23:59:59"),
        (-631_152_000, "1950-01-01 00:00:00"),
        (-11_676_096_000, "1600-01-01 00:00:00"),
        (-62_167_219_200, "0000-01-01 00:00:00"),
        (68_169_599, "1972-02-28 23:59:59"),
        (68_169_600, "1972-02-29 00:00:00"),
        (951_782_399, "2000-02-28 23:59:59"),
        (951_782_400, "2000-02-29 00:00:00"),
        (951_868_800, "2000-03-01 00:00:00"),
        (971_186_136, "2000-10-10 13:55:36"),
        (1_234_567_890, "2009-02-13 23:31:30"),
        (1_795_244_100, "2026-11-21 06:55:00"),
        (2_147_483_648, "2038-01-19 03:14:08"),
        (4_107_542_399, "2100-02-28 23:59:59"),
        (4_107_542_400, "2100-03-01 00:00:00"),
        (253_402_300_799, "9999-12-31 23:59:59"),
    ];

    #[test]
    fn known_moments_have_their_dates() {
        for (seconds, text) in KNOWN {
            let Civil {
                year,
                month,
                day,
                hour,
                minute,
                second,
            } = Civil::from_unix(seconds);
            assert_eq!(
                format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"),
                text
            );
            let midnight = Civil::midnight(year as u64, u64::from(month), u64::from(day));
            assert_eq!(midnight, Some(seconds - seconds.rem_euclid(86_400)), "{text}");
        }
        assert_eq!(Civil::from(Civil::LAST_OF_9999), Civil::from_unix(253_402_300_799));
        assert_eq!(Civil::from_unix(971_186_136).month_name(), "Oct");
    }

    #[test]
    fn every_day_follows_the_day_before_and_is_found_again() {
        // 1600-01-01, `date -u -d 1600-01-01 +%s`
        let first = -11_676_096_000_i64;
        let leap = |y: i64| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
        let (mut year, mut month, mut day) = (1600_i64, 1_u8, 1_u8);
        for n in 0..(800 * 366) {
            let midnight = first + n * 86_400;
            let civil = Civil::from_unix(midnight + 86_399);
            assert_eq!((civil.year, civil.month, civil.day), (year, month, day));
            assert_eq!((civil.hour, civil.minute, civil.second), (23, 59, 59));
            let found = Civil::midnight(year as u64, u64::from(month), u64::from(day));
            assert_eq!(found, Some(midnight));
            let length = match month {
                2 if leap(year) => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (day, month) = (1, month + 1);
            }
            if month > 12 {
                (month, year) = (1, year + 1);
            }
        }
    }

    #[test]
    fn days_that_the_calendar_lacks_have_no_beginning() {
        for (year, month, day) in [
            (2026, 2, 29),
            (2100, 2, 29),
            (2026, 4, 31),
            (2026, 13, 1),
            (2026, 0, 1),
            (2026, 1, 0),
            (2026, 1, 32),
            (10_000, 1, 1),
            (u64::MAX, u64::MAX, u64::MAX),
        ] {
            assert_eq!(Civil::midnight(year, month, day), None, "{year}-{month}-{day}");
        }
        assert!(Civil::midnight(2024, 2, 29).is_some() && Civil::midnight(2000, 2, 29).is_some());
    }

    #[test]
    fn any_number_of_seconds_has_a_date() {
        let last = Civil::from_unix(i64::MAX);
        assert_eq!(
            (last.year, last.month, last.day, last.hour),
            (292_277_026_596, 12, 4, 15)
        );
        let first = Civil::from_unix(i64::MIN);
        assert_eq!(
            (first.year, first.month, first.day, first.second),
            (-292_277_022_657, 1, 27, 52)
        );
        assert!(Civil::from(Wall::from_millis(u64::MAX)).year > 584_000_000);
    }
}

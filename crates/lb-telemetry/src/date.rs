/// A date and time of day in UTC, from a number of seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: u16,
    pub(crate) month: u8,
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
}

impl Civil {
    /// The date `secs` after 1970-01-01 00:00:00 UTC, without leap seconds (as POSIX counts).
    /// Moments after the year 9999 are its last second. `O(1)`, no allocation.
    ///
    /// The year is counted from March, so that the leap day is the last day of a year; 400 years
    /// always have 146,097 days.
    pub(crate) const fn from_unix(secs: u64) -> Self {
        let secs = if secs > LAST_SECOND { LAST_SECOND } else { secs };
        let (days, of_day) = (secs / 86_400, secs % 86_400);
        let since_march = days + DAYS_FROM_YEAR_0_MARCH_TO_1970;
        let (era, of_era) = (since_march / 146_097, since_march % 146_097);
        // the four kinds of year length, taken out one after the other
        let of_era_year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
        // months from March have 31 30 31 30 31 / 31 30 31 30 31 / 31 .. days: 153 days in five
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 {
            from_march + 3
        } else {
            from_march - 9
        };
        let year = era * 400 + of_era_year + if month <= 2 { 1 } else { 0 };
        Self {
            year: year as u16,
            month: month as u8,
            day: day as u8,
            hour: (of_day / 3_600) as u8,
            minute: (of_day / 60 % 60) as u8,
            second: (of_day % 60) as u8,
        }
    }

    /// The English abbreviation of the month, as the common log format wants it.
    pub(crate) fn month_name(self) -> &'static str {
        const NAMES: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        NAMES
            .get(usize::from(self.month).wrapping_sub(1))
            .copied()
            .unwrap_or("Jan")
    }
}

const DAYS_FROM_YEAR_0_MARCH_TO_1970: u64 = 719_468;
/// 9999-12-31 23:59:59, `date -ud '9999-12-31 23:59:59' +%s`.
const LAST_SECOND: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(secs: u64) -> String {
        let c = Civil::from_unix(secs);
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            c.year, c.month, c.day, c.hour, c.minute, c.second
        )
    }

    #[test]
    fn known_moments_have_their_dates() {
        // each by `date -ud @N`
        for (secs, want) in [
            (0, "1970-01-01 00:00:00"),
            (68_169_599, "1972-02-28 23:59:59"),
            (68_169_600, "1972-02-29 00:00:00"),
            (951_782_400, "2000-02-29 00:00:00"),
            (951_868_800, "2000-03-01 00:00:00"),
            (971_186_136, "2000-10-10 13:55:36"),
            (1_234_567_890, "2009-02-13 23:31:30"),
            (2_147_483_647, "2038-01-19 03:14:07"),
            (4_107_542_399, "2100-02-28 23:59:59"),
            (4_107_542_400, "2100-03-01 00:00:00"),
            (253_402_300_799, "9999-12-31 23:59:59"),
            (u64::MAX, "9999-12-31 23:59:59"),
        ] {
            assert_eq!(text(secs), want);
        }
    }

    #[test]
    fn every_day_follows_the_day_before() {
        let leap = |y: u16| y.is_multiple_of(4) && (!y.is_multiple_of(100) || y.is_multiple_of(400));
        let (mut year, mut month, mut day) = (1970_u16, 1_u8, 1_u8);
        for n in 0..(400 * 366) {
            let c = Civil::from_unix(n * 86_400 + 86_399);
            assert_eq!((c.year, c.month, c.day), (year, month, day));
            assert_eq!((c.hour, c.minute, c.second), (23, 59, 59));
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
}

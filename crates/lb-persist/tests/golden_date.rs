//! Cookie dates: examples of the RFC and of the field, and another implementation.
#![allow(clippy::unwrap_used)] // helpers of tests

use lb_persist::cookie::date::{format, parse};
use lb_types::Wall;
use proptest::prelude::*;

fn seconds(text: &str) -> Option<u64> {
    parse(text.as_bytes()).map(Wall::as_secs)
}

#[test]
fn v_11_the_two_digit_year_with_dashes_is_read() {
    assert_eq!(seconds("Thu, 19-Nov-15 14:14:50 GMT"), Some(1_447_942_490));
}

#[test]
fn s_cookie_03_two_digit_years_dashes_and_wrong_weekdays_are_read() {
    assert_eq!(seconds("Thu, 19-Nov-15 14:14:50 GMT"), Some(1_447_942_490)); // 2015
    assert_eq!(seconds("Thu, 19-Nov-16 16:20:45"), Some(1_479_572_445)); // 2016, a Saturday
    assert_eq!(seconds("Sat, 19-Nov-16 16:20:45"), Some(1_479_572_445));
    // the border of the centuries: 69 is 2069, 70 is 1970
    assert_eq!(seconds("01-Jan-70 00:00:00"), Some(0));
    assert_eq!(seconds("01-Jan-69 00:00:00"), Some(3_124_224_000));
}

#[test]
fn the_three_formats_of_http_and_the_examples_of_the_rfc_are_read() {
    // RFC 9110, section 5.6.7
    assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
    assert_eq!(seconds("Sunday, 06-Nov-94 08:49:37 GMT"), Some(784_111_777));
    assert_eq!(seconds("Sun Nov  6 08:49:37 1994"), Some(784_111_777));
    // RFC 6265, section 3.1
    assert_eq!(seconds("Wed, 09 Jun 2021 10:18:14 GMT"), Some(1_623_233_894));
    assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT; junk"), Some(784_111_777));
}

#[test]
fn parts_come_in_any_order_and_junk_is_passed_over() {
    for text in [
        "2015 Nov 19 14:14:50",
        "14:14:50 19 november 2015",
        "noise 14:14:50z 19th Nov, 2015!",
        "19/nov/2015/14:14:50",
    ] {
        assert_eq!(seconds(text), Some(1_447_942_490), "{text}");
    }
    // single digits are enough in the clock and the day
    assert_eq!(seconds("1 Jan 1970 1:2:3"), Some(3723));
}

#[test]
fn what_is_missing_or_out_of_range_is_no_date() {
    for text in [
        "",
        "Thu, 19-Nov-15",
        "Thu, 14:14:50 Nov 15",
        "19 Nov 14:14:50",
        "19 Nov 2015 24:00:00",
        "19 Nov 2015 00:60:00",
        "19 Nov 2015 00:00:60",
        "00 Nov 2015 00:00:00",
        "32 Nov 2015 00:00:00",
        "31 Nov 2015 00:00:00",
        "29 Feb 2015 00:00:00",
        "29 Feb 2100 00:00:00",
        "19 Nov 1600 00:00:00",
        "19 Nov 20155 00:00:00",
        "19 Nov 2015 001:00:00",
        "19 Foo 2015 00:00:00",
    ] {
        assert_eq!(seconds(text), None, "{text}");
    }
    assert!(seconds("29 Feb 2016 00:00:00").is_some());
    assert!(seconds("29 Feb 2000 00:00:00").is_some());
    assert_eq!(seconds("31 Dec 1969 23:59:59"), Some(0)); // long over; 1969 has four digits
    assert_eq!(seconds("19 Nov 1601 00:00:00"), Some(0));
}

#[test]
fn dates_are_written_as_http_writes_them() {
    let text = |secs| String::from_utf8(format(Wall::from_secs(secs)).to_vec()).unwrap();
    assert_eq!(text(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(text(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(text(1_447_942_490), "Thu, 19 Nov 2015 14:14:50 GMT");
    assert_eq!(text(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
    assert_eq!(text(4_107_542_400), "Mon, 01 Mar 2100 00:00:00 GMT");
    assert_eq!(text(253_402_300_799), "Fri, 31 Dec 9999 23:59:59 GMT");
    assert_eq!(text(u64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
}

proptest! {
    #[test]
    fn what_is_written_is_read_back_by_us_and_by_another_crate(secs in 0..253_402_300_800_u64) {
        let text = String::from_utf8(format(Wall::from_secs(secs)).to_vec()).unwrap();
        prop_assert_eq!(seconds(&text), Some(secs));
        let line = format!("a=b; Expires={text}");
        let cookie = cookie::Cookie::parse(line).unwrap();
        prop_assert_eq!(cookie.expires_datetime().map(|d| d.unix_timestamp()), Some(secs as i64));
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = parse(&bytes);
    }
}

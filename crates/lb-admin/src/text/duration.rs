/// A duration in its two largest units: `0.4s`, `12s`, `3m 10s`, `3h 12m`, `5d 3h`.
pub(super) fn short(seconds: f64) -> String {
    if seconds.is_nan() || seconds < 0.95 {
        return format!("{:.1}s", seconds.max(0.0));
    }
    // Far more than any process lives; a float that is too large becomes the largest number.
    let whole = seconds.round() as u64;
    let (large, small, units) = match whole {
        0..60 => return format!("{whole}s"),
        60..3_600 => (whole / 60, whole % 60, ("m", "s")),
        3_600..86_400 => (whole / 3_600, whole / 60 % 60, ("h", "m")),
        _ => (whole / 86_400, whole / 3_600 % 24, ("d", "h")),
    };
    if small == 0 {
        return format!("{large}{}", units.0);
    }
    format!("{large}{} {small}{}", units.0, units.1)
}

/// The time of something quick: `0.42ms`, `13ms`, `1.5s`.
pub(super) fn fine(seconds: f64) -> String {
    match seconds * 1_000.0 {
        ms if ms < 10.0 => format!("{ms:.2}ms"),
        ms if ms < 1_000.0 => format!("{ms:.0}ms"),
        _ => format!("{seconds:.1}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_units_are_enough() {
        for (seconds, text) in [
            (0.0, "0.0s"),
            (0.94, "0.9s"),
            (0.96, "1s"),
            (59.4, "59s"),
            (59.6, "1m"),
            (190.0, "3m 10s"),
            (3_600.0, "1h"),
            (11_520.0, "3h 12m"),
            (86_399.0, "23h 59m"),
            (442_800.0, "5d 3h"),
            (-3.0, "0.0s"),
        ] {
            assert_eq!(short(seconds), text);
        }
        assert_eq!([fine(0.000_42), fine(0.013), fine(1.5)], ["0.42ms", "13ms", "1.5s"]);
    }
}

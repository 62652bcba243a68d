use crate::PassiveOptions;
use core::fmt;
use core::time::Duration;

/// How to judge a backend, not checked yet. Every default is stated at its field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesOptions {
    /// Are there probes at all? Without them only traffic judges (see `max_failures` and `passive`). Default: yes.
    pub probing: bool,
    /// From the start of one probe to the start of the next. Default: 5 s.
    pub interval: Duration,
    /// The same while the backend is down. Default: `interval`.
    pub interval_down: Option<Duration>,
    /// The same while probes speak against the status and are not yet enough to change it (the first bad one
    /// of a backend that is up or starting, the first good one of a backend that is down), and for a backend that is
    /// [new](Rules::NEW). Default: 1 s, or as without them where that is shorter.
    pub interval_changing: Option<Duration>,
    /// Each interval is longer or shorter by up to this share, so that many probes do not come at
    /// one moment. Default: 10.
    pub jitter_percent: u8,
    /// Good probes in a row that bring a backend up; one is enough for a backend that was never up. Default: 3.
    pub rise: u16,
    /// Bad probes in a row that take a backend down. Default: 3.
    pub fall: u16,
    /// From coming up to full weight; zero is off. Default: off.
    pub slow_start: Duration,
    /// Failed requests in a row that take a backend down. Default: off.
    pub max_failures: Option<u16>,
    /// What else of its traffic takes a backend down, for how long, and how many of a pool.
    pub passive: PassiveOptions,
}

impl Default for RulesOptions {
    /// 5 s, 3 and 3 are the defaults of this project; a comparable cloud recommends 2 s, 3 and 3.
    fn default() -> Self {
        Self {
            probing: true,
            interval: Duration::from_secs(5),
            interval_down: None,
            interval_changing: None,
            jitter_percent: 10,
            rise: 3,
            fall: 3,
            slow_start: Duration::ZERO,
            max_failures: None,
            passive: PassiveOptions::default(),
        }
    }
}

/// How to judge a backend, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    options: RulesOptions,
}

impl Rules {
    /// The shortest interval: a probe costs a connection.
    pub const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);
    /// The longest interval, and the longest slow start: one hour.
    pub const LONGEST_INTERVAL: Duration = Duration::from_secs(3_600);
    /// The most probes or requests in a row that can be asked for.
    pub const MOST_IN_A_ROW: u16 = 1_000;
    /// The most requests in the window that can be asked for: a million.
    pub const MOST_REQUESTS: u32 = 1_000_000;
    /// The longest that traffic may take a backend out: a day.
    pub const LONGEST_EJECTION: Duration = Duration::from_secs(86_400);
    /// For so long after it came, or out of maintenance, a backend that was never up is probed as one that is changing: it
    /// may have been started together with us. One minute.
    pub const NEW: Duration = Duration::from_secs(60);
    /// The largest jitter: above half an interval the order of probes would be chance.
    pub const MOST_JITTER_PERCENT: u8 = 50;

    /// Checks `options`.
    ///
    /// # Errors
    /// [`RulesError`] for the first value outside its range.
    pub fn new(options: RulesOptions) -> Result<Self, RulesError> {
        let passive = &options.passive;
        let (shortest, longest) = (Self::SHORTEST_INTERVAL, Self::LONGEST_INTERVAL);
        let second = Duration::from_secs(1);
        for (field, value, least, most) in [
            ("interval", Some(options.interval), shortest, longest),
            ("interval_down", options.interval_down, shortest, longest),
            ("interval_changing", options.interval_changing, shortest, longest),
            ("slow_start", Some(options.slow_start), Duration::ZERO, longest),
            ("latency_least", Some(passive.latency_least), Duration::ZERO, longest),
            ("window", Some(passive.window), second, longest),
            ("eject_for", passive.eject_for, shortest, longest),
            (
                "eject_at_most",
                Some(passive.eject_at_most),
                shortest,
                Self::LONGEST_EJECTION,
            ),
        ] {
            if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
                return Err(RulesError::Duration {
                    field,
                    value,
                    least,
                    most,
                });
            }
        }
        let (row, hundred) = (Self::MOST_IN_A_ROW.into(), 100);
        for (field, value, least, most) in [
            ("rise", Some(options.rise.into()), 1, row),
            ("fall", Some(options.fall.into()), 1, row),
            ("max_failures", options.max_failures.map(u32::from), 1, row),
            (
                "jitter_percent",
                Some(options.jitter_percent.into()),
                0,
                Self::MOST_JITTER_PERCENT.into(),
            ),
            (
                "success_rate_percent",
                passive.success_rate_percent.map(u32::from),
                1,
                hundred,
            ),
            ("latency_factor", passive.latency_factor.map(u32::from), 2, hundred),
            ("min_requests", Some(passive.min_requests), 1, Self::MOST_REQUESTS),
            (
                "max_ejected_percent",
                Some(passive.max_ejected_percent.into()),
                0,
                hundred,
            ),
        ] {
            if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
                return Err(RulesError::Count {
                    field,
                    value,
                    least,
                    most,
                });
            }
        }
        Ok(Self { options })
    }

    /// The values.
    #[must_use]
    pub const fn options(&self) -> &RulesOptions {
        &self.options
    }

    /// The same rules without probes: only traffic judges.
    #[must_use]
    pub fn without_probes(&self) -> Self {
        Self {
            options: RulesOptions {
                probing: false,
                ..self.options.clone()
            },
        }
    }

    /// The interval while the backend is down.
    #[must_use]
    pub fn interval_down(&self) -> Duration {
        self.options.interval_down.unwrap_or(self.options.interval)
    }

    /// The interval while probes speak against a status that they have not changed yet, when it is `usual` otherwise.
    pub(crate) fn interval_changing(&self, usual: Duration) -> Duration {
        self.options.interval_changing.unwrap_or(usual.min(CHANGING))
    }

    /// How long traffic takes a backend out the first time.
    #[must_use]
    pub fn eject_for(&self) -> Duration {
        self.options.passive.eject_for.unwrap_or(self.interval_down())
    }

    /// How long traffic takes a backend out for the `repeat`th time.
    pub(crate) fn ejection(&self, repeat: u16) -> Duration {
        let first = self.eject_for();
        let most = self.options.passive.eject_at_most.max(first);
        first.saturating_mul(u32::from(repeat)).min(most)
    }

    /// Does traffic judge at all?
    #[must_use]
    pub fn is_passive(&self) -> bool {
        let passive = &self.options.passive;
        self.options.max_failures.is_some()
            || passive.success_rate_percent.is_some()
            || passive.latency_factor.is_some()
    }

    /// The longest time from the death of a backend that was up to the moment it is known to be
    /// down, when a probe may take `timeout`.
    ///
    /// The worst case: it dies just after it answered a probe, every interval is stretched by the
    /// jitter, and each of the `fall` probes waits for its timeout:
    /// `max(interval * (1 + jitter), timeout) + (fall - 1) * max(interval_changing * (1 + jitter), timeout) + timeout`,
    /// where `interval_changing` is 1 s, or `interval` when that is shorter, when it is not given. With the defaults and
    /// a timeout of 2 s: 5.5 s + 2 * 2 s + 2 s = 11.5 s. A port that refuses is known earlier by the last timeout.
    #[must_use]
    pub fn detection(&self, timeout: Duration) -> Duration {
        self.worst(self.options.fall, self.options.interval, timeout)
    }

    /// The longest time from the recovery of a backend that was down to the moment it is up:
    /// as [`Rules::detection`], with `rise` and `interval_down`. Who was taken out by traffic also waits for the
    /// end of [`Rules::eject_for`] and its repeats.
    #[must_use]
    pub fn recovery(&self, timeout: Duration) -> Duration {
        self.worst(self.options.rise, self.interval_down(), timeout)
    }

    fn worst(&self, probes: u16, interval: Duration, timeout: Duration) -> Duration {
        let stretched = |interval: Duration| interval.saturating_add(self.jitter(interval)).max(timeout);
        stretched(self.interval_changing(interval))
            .saturating_mul(u32::from(probes.saturating_sub(1)))
            .saturating_add(stretched(interval))
            .saturating_add(timeout)
    }

    /// The largest deviation from `interval`.
    pub(crate) fn jitter(&self, interval: Duration) -> Duration {
        interval.saturating_mul(u32::from(self.options.jitter_percent)) / 100
    }
}

/// Who is changing is probed each second, unless told otherwise: traffic waits for the result.
const CHANGING: Duration = Duration::from_secs(1);

/// A rule outside its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RulesError {
    /// A time too short or too long.
    Duration {
        /// Which field of [`RulesOptions`].
        field: &'static str,
        /// What was asked for.
        value: Duration,
        /// The smallest allowed.
        least: Duration,
        /// The largest allowed.
        most: Duration,
    },
    /// A number too small or too large.
    Count {
        /// Which field of [`RulesOptions`].
        field: &'static str,
        /// What was asked for.
        value: u32,
        /// The smallest allowed.
        least: u32,
        /// The largest allowed.
        most: u32,
    },
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration {
                field,
                value,
                least,
                most,
            } => {
                write!(f, "{field} is {value:?}, outside {least:?} to {most:?}")
            }
            Self::Count {
                field,
                value,
                least,
                most,
            } => write!(f, "{field} is {value}, outside {least} to {most}"),
        }
    }
}

impl core::error::Error for RulesError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn refused(options: RulesOptions) -> std::string::String {
        Rules::new(options).unwrap_err().to_string()
    }

    #[test]
    fn s_health_08_the_defaults_are_5_s_and_3_and_3_and_pass_their_own_check() {
        let rules = Rules::new(RulesOptions::default()).unwrap();
        assert_eq!(rules, Rules::default());
        let o = rules.options();
        assert_eq!(
            (o.interval, o.rise, o.fall, o.jitter_percent),
            (Duration::from_secs(5), 3, 3, 10)
        );
        assert_eq!((o.slow_start, o.max_failures, o.probing), (Duration::ZERO, None, true));
    }

    #[test]
    fn s_health_08_each_range_is_checked_from_both_sides() {
        let base = RulesOptions::default;
        let ms = Duration::from_millis;
        for good in [
            RulesOptions {
                interval: ms(10),
                ..base()
            },
            RulesOptions {
                interval: ms(3_600_000),
                ..base()
            },
            RulesOptions {
                interval_down: Some(ms(10)),
                ..base()
            },
            RulesOptions {
                interval_changing: Some(ms(10)),
                slow_start: ms(3_600_000),
                ..base()
            },
            RulesOptions {
                rise: 1,
                fall: 1,
                max_failures: Some(1),
                jitter_percent: 0,
                ..base()
            },
            RulesOptions {
                rise: 1_000,
                fall: 1_000,
                max_failures: Some(1_000),
                jitter_percent: 50,
                ..base()
            },
        ] {
            assert!(Rules::new(good.clone()).is_ok(), "{good:?}");
        }
        assert_eq!(
            refused(RulesOptions {
                interval: ms(9),
                ..base()
            }),
            "interval is 9ms, outside 10ms to 3600s"
        );
        assert_eq!(
            refused(RulesOptions {
                interval: ms(3_600_001),
                ..base()
            }),
            "interval is 3600.001s, outside 10ms to 3600s"
        );
        assert_eq!(
            refused(RulesOptions {
                interval_down: Some(Duration::ZERO),
                ..base()
            }),
            "interval_down is 0ns, outside 10ms to 3600s"
        );
        assert_eq!(
            refused(RulesOptions {
                slow_start: ms(3_600_001),
                ..base()
            }),
            "slow_start is 3600.001s, outside 0ns to 3600s"
        );
        assert_eq!(
            refused(RulesOptions { rise: 0, ..base() }),
            "rise is 0, outside 1 to 1000"
        );
        assert_eq!(
            refused(RulesOptions { fall: 1_001, ..base() }),
            "fall is 1001, outside 1 to 1000"
        );
        assert_eq!(
            refused(RulesOptions {
                max_failures: Some(0),
                ..base()
            }),
            "max_failures is 0, outside 1 to 1000"
        );
        assert_eq!(
            refused(RulesOptions {
                jitter_percent: 51,
                ..base()
            }),
            "jitter_percent is 51, outside 0 to 50"
        );
    }

    type Set = fn(&mut PassiveOptions);

    #[test]
    fn s_health_08_the_rules_for_traffic_are_checked_from_both_sides() {
        let of = |change: fn(&mut PassiveOptions)| {
            let mut options = RulesOptions::default();
            change(&mut options.passive);
            Rules::new(options).map(|_| ()).map_err(|error| error.to_string())
        };
        let limits: [(Set, Set, &str); 12] = [
            (
                |p| p.success_rate_percent = Some(1),
                |p| p.success_rate_percent = Some(0),
                "success_rate_percent is 0, outside 1 to 100",
            ),
            (
                |p| p.success_rate_percent = Some(100),
                |p| p.success_rate_percent = Some(101),
                "success_rate_percent is 101, outside 1 to 100",
            ),
            (
                |p| p.latency_factor = Some(2),
                |p| p.latency_factor = Some(1),
                "latency_factor is 1, outside 2 to 100",
            ),
            (
                |p| p.latency_factor = Some(100),
                |p| p.latency_factor = Some(101),
                "latency_factor is 101, outside 2 to 100",
            ),
            (
                |p| p.latency_least = Duration::from_secs(3_600),
                |p| p.latency_least = Duration::from_secs(3_601),
                "latency_least is 3601s, outside 0ns to 3600s",
            ),
            (
                |p| p.min_requests = 1,
                |p| p.min_requests = 0,
                "min_requests is 0, outside 1 to 1000000",
            ),
            (
                |p| p.min_requests = 1_000_000,
                |p| p.min_requests = 1_000_001,
                "min_requests is 1000001, outside 1 to 1000000",
            ),
            (
                |p| p.window = Duration::from_secs(1),
                |p| p.window = Duration::from_millis(999),
                "window is 999ms, outside 1s to 3600s",
            ),
            (
                |p| p.eject_for = Some(Duration::from_millis(10)),
                |p| p.eject_for = Some(Duration::from_millis(9)),
                "eject_for is 9ms, outside 10ms to 3600s",
            ),
            (
                |p| p.eject_for = Some(Duration::from_secs(3_600)),
                |p| p.eject_for = Some(Duration::from_secs(3_601)),
                "eject_for is 3601s, outside 10ms to 3600s",
            ),
            (
                |p| p.eject_at_most = Duration::from_secs(86_400),
                |p| p.eject_at_most = Duration::from_secs(86_401),
                "eject_at_most is 86401s, outside 10ms to 86400s",
            ),
            (
                |p| p.max_ejected_percent = 100,
                |p| p.max_ejected_percent = 101,
                "max_ejected_percent is 101, outside 0 to 100",
            ),
        ];
        for (good, bad, text) in limits {
            assert_eq!(of(good), Ok(()), "{text}");
            assert_eq!(of(bad), Err(text.to_string()));
        }
        assert!(!Rules::default().is_passive());
    }

    #[test]
    fn a_time_out_grows_with_each_repeat_up_to_its_end() {
        let of = |for_secs: Option<u64>, most: u64| {
            let passive = PassiveOptions {
                eject_for: for_secs.map(Duration::from_secs),
                eject_at_most: Duration::from_secs(most),
                ..PassiveOptions::default()
            };
            let rules = Rules::new(RulesOptions {
                passive,
                ..RulesOptions::default()
            })
            .unwrap();
            [1, 2, 10, u16::MAX].map(|repeat| rules.ejection(repeat).as_secs())
        };
        assert_eq!(of(Some(30), 300), [30, 60, 300, 300]);
        assert_eq!(of(None, 300), [5, 10, 50, 300], "as long as between probes");
        assert_eq!(of(Some(600), 300), [600, 600, 600, 600], "once is always possible");
    }

    #[test]
    fn s_health_08_a_quicker_interval_while_changing_shortens_detection() {
        let rules = Rules::new(RulesOptions {
            interval_changing: Some(Duration::from_secs(1)),
            interval_down: Some(Duration::from_secs(10)),
            jitter_percent: 0,
            ..RulesOptions::default()
        })
        .unwrap();
        let timeout = Duration::from_millis(500);
        // 5 s, then twice 1 s, and the last timeout
        assert_eq!(rules.detection(timeout), Duration::from_millis(7_500));
        assert_eq!(rules.recovery(timeout), Duration::from_millis(12_500));
        // a probe that takes longer than the interval holds the next one back
        assert_eq!(rules.detection(Duration::from_secs(3)), Duration::from_secs(14));
    }

    #[test]
    fn s_health_08_the_worst_case_of_detection_is_computed() {
        let rules = Rules::default();
        assert_eq!(rules.detection(Duration::from_secs(2)), Duration::from_millis(11_500));
        assert_eq!(rules.recovery(Duration::from_secs(2)), Duration::from_millis(11_500));
        // probes longer than the interval: the next one waits for the one before
        assert_eq!(rules.detection(Duration::from_secs(10)), Duration::from_secs(40));
        let quick = Rules::new(RulesOptions {
            interval_down: Some(Duration::from_secs(1)),
            jitter_percent: 0,
            rise: 2,
            ..RulesOptions::default()
        })
        .unwrap();
        assert_eq!(quick.recovery(Duration::from_millis(500)), Duration::from_millis(2_500));
    }
}

use super::reader::Record;
use crate::spec::{grouped, three_digits};
use std::ops::RangeInclusive;
use std::time::Duration;

/// What a log amounts to: enough to choose the size of the backends that replay it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct Survey {
    /// Requests.
    pub requests: u64,
    /// Requests whose duration is known.
    pub timed: u64,
    /// The sum of the known durations, in seconds.
    pub seconds: f64,
    first: Option<u64>,
    last: u64,
}

impl Survey {
    /// Goes through all records.
    pub fn of(records: impl Iterator<Item = Record>) -> Self {
        let mut survey = Self::default();
        records.for_each(|record| survey.add(&record));
        survey
    }

    /// One more record.
    pub fn add(&mut self, record: &Record) {
        self.requests += 1;
        if let Some(took) = record.duration {
            self.timed += 1;
            self.seconds += took.as_secs_f64();
        }
        self.first = Some(
            self.first
                .map_or(record.unix_nanos, |first| first.min(record.unix_nanos)),
        );
        self.last = self.last.max(record.unix_nanos);
    }

    /// From the first request to the last; at least a second.
    #[must_use]
    pub fn span(&self) -> Duration {
        Duration::from_nanos(self.last.saturating_sub(self.first.unwrap_or(self.last))).max(Duration::from_secs(1))
    }

    /// Work of all requests in seconds; those of unknown duration count as `mean`, if none is known, or as the others.
    #[must_use]
    pub fn work(&self, mean: Duration) -> f64 {
        let each = if self.timed == 0 {
            mean.as_secs_f64()
        } else {
            self.seconds / self.timed as f64
        };
        each * self.requests as f64
    }

    /// Places that each of `backends` needs so that `work` seconds over the span keep them 70 % busy; 4 at least, so
    /// that not every second request waits.
    #[must_use]
    pub fn places(&self, work: f64, speeds: f64) -> u32 {
        let places = (work / self.span().as_secs_f64() / BUSY / speeds.max(1e-9)).ceil();
        (places.min(1e6) as u32).max(4)
    }

    /// How many times as fast the log must come for backends of this capacity to be 70 % busy, within
    /// [`Survey::SPEEDUPS`]; 1 when there is no work.
    #[must_use]
    pub fn speedup(&self, work: f64, capacity: f64) -> f64 {
        if work <= 0.0 {
            return 1.0;
        }
        let (least, most) = (*Self::SPEEDUPS.start(), *Self::SPEEDUPS.end());
        (BUSY * capacity * self.span().as_secs_f64() / work).clamp(least, most)
    }

    /// How many times as fast a log may come.
    pub const SPEEDUPS: RangeInclusive<f64> = 1e-6..=1e6;

    /// A sentence on how fast requests with `work` seconds of work in all come.
    #[must_use]
    pub fn pace(work: f64, speedup: f64) -> String {
        if work <= 0.0 {
            return "All durations are 0, so there is no work by which algorithms could differ.".to_owned();
        }
        let times = match speedup {
            s if s >= 1000.0 => grouped(s.round() as u64),
            s if s >= 0.1 => three_digits(s),
            s => format!("{s:.6}").trim_end_matches('0').to_owned(),
        };
        let limit = if speedup >= *Self::SPEEDUPS.end() {
            ", and faster is not simulated"
        } else {
            ""
        };
        format!("They come {times} times as fast as they did{limit}.")
    }
}

/// Backends that have less to do show no difference, with more chance decides.
const BUSY: f64 = 0.7;

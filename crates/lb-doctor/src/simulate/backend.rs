use crate::spec::{SpecError, counted, decimal, duration, show};
use lb_sched::Limit;
use lb_types::Weight;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

/// A simulated backend. Begin with [`Backend::new`] and set what differs, or read it from text.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Backend {
    /// Its name; part of its place on the ring of the algorithms that place by hash.
    pub name: String,
    /// Its share beside the others.
    pub weight: Weight,
    /// How fast it works: at 0.5 everything takes twice as long. 0.001 to 1000.
    pub speed: f64,
    /// How many requests it works on at once; the others wait in the order they came. 1 to 1,000,000.
    pub places: u32,
    /// Most requests the balancer sends it at once.
    pub limit: Limit,
    /// Connections that are there from the start and stay: they count as load and cost no work.
    pub held: u32,
    /// When it is dead: whoever is there is cut off, new connections are refused.
    pub fails: Vec<Range<Duration>>,
    /// When it is slow, and its speed then as a part of the usual one.
    pub slow: Vec<(Range<Duration>, f64)>,
    /// When it joins the pool; from the start when `None`.
    pub joins: Option<Duration>,
    /// Over how long its weight grows, in ten steps, after it joined or recovered.
    pub slow_start: Duration,
}

impl Backend {
    /// A backend of weight 1 and speed 1 that works on one request at a time and never fails.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            weight: Weight::ONE,
            speed: 1.0,
            places: 1,
            limit: Limit::NONE,
            held: 0,
            fails: Vec::new(),
            slow: Vec::new(),
            joins: None,
            slow_start: Duration::ZERO,
        }
    }

    /// How much work it does in a second, in seconds.
    #[must_use]
    pub fn capacity(&self) -> f64 {
        self.speed * f64::from(self.places)
    }

    /// Its speed at `time`, in parts of work per time.
    pub(crate) fn speed_at(&self, time: Duration) -> f64 {
        let slow = self.slow.iter().find(|(range, _)| range.contains(&time));
        self.speed * slow.map_or(1.0, |(_, part)| *part)
    }

    /// Reads `text` on top of what this backend is: `weight=10,speed=0.5,fail=30s..60s`.
    ///
    /// # Errors
    /// [`SpecError`] for the first part that cannot be read.
    pub fn set(&mut self, text: &str) -> Result<(), SpecError> {
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| {
                SpecError::new(part, "is not key=value", format!("known keys are {}", KEYS.join(", ")))
            })?;
            self.set_key(key, value)?;
        }
        Ok(())
    }

    fn set_key(&mut self, key: &str, value: &str) -> Result<(), SpecError> {
        match key {
            "name" => self.name = name(value)?,
            "weight" => self.weight = weight(value)?,
            "speed" => self.speed = number(value, 0.001, 1000.0, "as a speed")?,
            "concurrency" => self.places = whole(value, 1, 1_000_000, "as a concurrency")?,
            "limit" | "max_connections" => self.limit = Limit::new(whole(value, 1, 1_000_000_000, "as a limit")?),
            "held" => self.held = whole(value, 0, 1_000_000, "held connections")?,
            "fail" => self.fails.push(range(value)?),
            "slow" => {
                let (when, part) = value.rsplit_once(['*', ':']).ok_or_else(|| {
                    SpecError::new(
                        value,
                        "does not say how slow",
                        "write slow=10s..20s*0.1 for a tenth of its speed",
                    )
                })?;
                self.slow
                    .push((range(when)?, number(part, 0.001, 1000.0, "as a part of the speed")?));
            }
            "join" => self.joins = Some(duration(value)?),
            "slow_start" => self.slow_start = duration(value)?,
            _ => {
                let mend = match lb_types::nearest(key, KEYS.iter().copied()) {
                    Some(meant) => format!("did you mean {meant}? Known are {}", KEYS.join(", ")),
                    None => format!("known are {}", KEYS.join(", ")),
                };
                return Err(SpecError::new(key, "is no property of a backend", mend));
            }
        }
        Ok(())
    }

    /// What is unusual about it, as in `speed 0.5, dead from 30 s to 60 s`; empty when nothing is.
    pub(crate) fn remarks(&self) -> String {
        let mut remarks = Vec::new();
        if self.speed != 1.0 {
            remarks.push(format!("speed {}", self.speed));
        }
        if !self.limit.is_none() {
            remarks.push("limited".to_owned());
        }
        if self.held > 0 {
            remarks.push(counted(self.held.into(), "held connection"));
        }
        if let Some(joins) = self.joins {
            remarks.push(format!("joins after {}", show(joins)));
        }
        for fail in &self.fails {
            remarks.push(format!("dead from {} to {}", show(fail.start), show(fail.end)));
        }
        for (slow, part) in &self.slow {
            remarks.push(format!(
                "at {part} of its speed from {} to {}",
                show(slow.start),
                show(slow.end)
            ));
        }
        if !self.slow_start.is_zero() {
            remarks.push(format!("slow start over {}", show(self.slow_start)));
        }
        remarks.join(", ")
    }
}

impl FromStr for Backend {
    type Err = SpecError;

    /// `name=web1,weight=10,speed=0.5,concurrency=8,limit=100,held=50,fail=30s..60s,slow=10s..20s*0.1,join=30s,slow_start=10s`:
    /// any of these, each at most once but `fail` and `slow`. Without a name it is called `backend`.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut backend = Self::new("backend");
        backend.set(text)?;
        Ok(backend)
    }
}

/// Backends by their weights, as in `10,10,5` or `1*20` (twenty of weight 1), called b1, b2 and so on.
///
/// # Errors
/// [`SpecError`] for a weight above 256, a count above 10,000, or what is no number.
pub fn backends(text: &str) -> Result<Vec<Backend>, SpecError> {
    let mut list = Vec::new();
    for part in text.split(',') {
        let (value, count) = part.trim().split_once('*').unwrap_or((part.trim(), "1"));
        let weight = weight(value)?;
        let count = whole(count, 1, 10_000, "as a number of backends")?;
        for _ in 0..count {
            list.push(Backend {
                weight,
                ..Backend::new(format!("b{}", list.len() + 1))
            });
        }
    }
    Ok(list)
}

fn name(text: &str) -> Result<String, SpecError> {
    if text.is_empty() || text.len() > 121 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(SpecError::new(
            text,
            "is no name",
            "give 1 to 121 letters, digits, and . _ - : [ ]",
        ));
    }
    Ok(text.to_owned())
}

fn weight(text: &str) -> Result<Weight, SpecError> {
    let weight = text.parse().ok().and_then(|weight: u64| Weight::try_from(weight).ok());
    weight.ok_or_else(|| SpecError::new(text, "is no weight", "give a whole number from 0 to 256"))
}

fn whole(text: &str, least: u32, most: u32, what: &str) -> Result<u32, SpecError> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| {
        SpecError::new(
            text,
            format!("{what} is out of range"),
            format!("give a whole number from {least} to {most}"),
        )
    })
}

fn number(text: &str, least: f64, most: f64, what: &str) -> Result<f64, SpecError> {
    let number = decimal(text).filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| {
        SpecError::new(
            text,
            format!("{what} is out of range"),
            format!("give a number from {least} to {most}"),
        )
    })
}

fn range(text: &str) -> Result<Range<Duration>, SpecError> {
    let (from, to) = match text.split_once("..") {
        Some((from, "")) => (duration(from)?, Duration::MAX),
        Some((from, to)) => (duration(from)?, duration(to)?),
        None => {
            return Err(SpecError::new(
                text,
                "is no time span",
                "write 30s..60s, or 30s.. for the rest",
            ));
        }
    };
    if from >= to {
        return Err(SpecError::new(
            text,
            "ends before it begins",
            "write the earlier time first, as in 30s..60s",
        ));
    }
    Ok(from..to)
}

const KEYS: &[&str] = &[
    "name",
    "weight",
    "speed",
    "concurrency",
    "limit",
    "held",
    "fail",
    "slow",
    "join",
    "slow_start",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_reads_as_people_write_it() {
        let backend: Backend = "name=web1,weight=10,speed=0.5,concurrency=8,limit=100,held=50,fail=30s..60s,slow=1s..2s*0.1,join=5s,slow_start=10s"
            .parse()
            .unwrap();
        let seconds = Duration::from_secs;
        assert_eq!(backend.name, "web1");
        assert_eq!(backend.weight.get(), 10);
        assert_eq!((backend.speed, backend.places, backend.held), (0.5, 8, 50));
        assert_eq!(backend.limit, Limit::new(100));
        assert_eq!(backend.fails, [seconds(30)..seconds(60)]);
        assert_eq!(backend.slow, [(seconds(1)..seconds(2), 0.1)]);
        assert_eq!((backend.joins, backend.slow_start), (Some(seconds(5)), seconds(10)));
        assert_eq!(backend.capacity(), 4.0);
        assert_eq!(backend.speed_at(Duration::from_millis(1500)), 0.05);
        assert_eq!(backend.speed_at(seconds(2)), 0.5);
    }

    #[test]
    fn weights_make_backends() {
        let names = |text| {
            let list = backends(text).unwrap();
            list.iter()
                .map(|b| format!("{}:{}", b.name, b.weight.get()))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(names("10,10,5"), "b1:10 b2:10 b3:5");
        assert_eq!(names("1*3, 2"), "b1:1 b2:1 b3:1 b4:2");
    }

    #[test]
    fn wrong_backends_say_what_to_write() {
        for (text, want) in [
            (
                "weigth=3",
                "\"weigth\" is no property of a backend; did you mean weight?",
            ),
            ("weight=257", "\"257\" is no weight; give a whole number from 0 to 256"),
            (
                "speed=0",
                "\"0\" as a speed is out of range; give a number from 0.001 to 1000",
            ),
            ("fail=30s", "\"30s\" is no time span; write 30s..60s"),
            ("fail=60s..30s", "\"60s..30s\" ends before it begins"),
            ("slow=1s..2s", "\"1s..2s\" does not say how slow"),
            ("web1", "\"web1\" is not key=value"),
        ] {
            let error = text.parse::<Backend>().unwrap_err().to_string();
            assert!(error.starts_with(want), "{error}");
        }
        for text in ["", "10,", "a", "-1", "300", "1*0", "1*10001"] {
            assert!(backends(text).is_err(), "{text}");
        }
    }
}

use super::draw::{exponential, normal, pareto, unit};
use crate::spec::{SpecError, decimal, duration, show, three_digits};
use lb_types::{Rng, Time, hash64};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// One request of a simulation: when it comes, how much work it is, whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// When it arrives.
    pub at: Time,
    /// How long a free backend of speed 1 works on it.
    pub work: Duration,
    /// What the algorithms that place by hash are asked with.
    pub hash: Option<u64>,
    /// 64 random bits for the pick.
    pub entropy: u64,
}

/// Traffic that is made up: the same seed gives the same requests.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Traffic {
    /// When requests come.
    pub arrivals: Arrivals,
    /// How many, on average, per second.
    pub per_second: f64,
    /// How much work they are.
    pub service: Service,
    /// Whose they are.
    pub clients: Clients,
    /// For how long they come.
    pub span: Duration,
}

impl Traffic {
    /// Poisson arrivals of 1,000 clients with exponential service of 20 ms, for a minute.
    #[must_use]
    pub fn new(per_second: f64) -> Self {
        Self {
            arrivals: Arrivals::Poisson,
            per_second,
            service: Service::Exponential {
                mean: Duration::from_millis(20),
            },
            clients: Clients::default(),
            span: Duration::from_secs(60),
        }
    }

    /// The requests of this seed, in the order of their arrival. Arrivals, work, clients and entropy have a sequence
    /// each: another service time does not change who comes when. Allocates once.
    #[must_use]
    pub fn requests(&self, seed: u64) -> Requests {
        let sequence = |number: u64| Rng::new(hash64(seed, &number.to_le_bytes()));
        Requests {
            traffic: self.clone(),
            now: 0.0,
            arrivals: sequence(1),
            work: sequence(2),
            clients: sequence(3),
            entropy: sequence(4),
            shares: self.clients.shares(),
        }
    }
}

/// The requests of a [`Traffic`], one after the other.
#[derive(Debug, Clone)]
pub struct Requests {
    traffic: Traffic,
    /// Seconds of sending; pauses between bursts are put in afterwards.
    now: f64,
    arrivals: Rng,
    work: Rng,
    clients: Rng,
    entropy: Rng,
    shares: Vec<f64>,
}

impl Iterator for Requests {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        let Traffic {
            arrivals, per_second, ..
        } = self.traffic;
        let step = match arrivals {
            Arrivals::Uniform => 1.0,
            Arrivals::Poisson | Arrivals::Bursts { .. } => exponential(&mut self.arrivals),
        };
        let seconds = match arrivals {
            Arrivals::Uniform | Arrivals::Poisson => {
                self.now += step / per_second;
                self.now
            }
            Arrivals::Bursts { on, off } => {
                let (on, off) = (on.as_secs_f64(), off.as_secs_f64());
                self.now += step / per_second * on / (on + off);
                self.now + (self.now / on).floor() * off
            }
        };
        if seconds >= self.traffic.span.as_secs_f64() {
            return None;
        }
        Some(Request {
            at: Time::ZERO.after(Duration::from_secs_f64(seconds)),
            work: self.traffic.service.draw(&mut self.work),
            hash: Some(self.client()),
            entropy: self.entropy.next_u64(),
        })
    }
}

impl Requests {
    fn client(&mut self) -> u64 {
        let client = match self.shares.last() {
            Some(all) => {
                let point = unit(&mut self.clients) * all;
                self.shares.partition_point(|share| *share < point) as u64
            }
            None => self.clients.below(self.traffic.clients.count.into()),
        };
        key(client)
    }
}

/// The hash of client number `client`.
pub(crate) fn key(client: u64) -> u64 {
    hash64(0, &client.to_le_bytes())
}

/// When requests come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arrivals {
    /// One after the other at equal distances.
    Uniform,
    /// Independent of each other, as many clients who do not know of each other send.
    Poisson,
    /// As Poisson while it is on, nothing while it is off; the rate is the average over both.
    Bursts {
        /// How long a burst lasts; more than nothing.
        on: Duration,
        /// How long the pause lasts.
        off: Duration,
    },
}

impl FromStr for Arrivals {
    type Err = SpecError;

    /// `poisson`, `uniform`, `bursts:1s/9s`.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (word, rest) = text.split_once(':').unwrap_or((text, ""));
        match (word, rest) {
            ("poisson", "") => Ok(Self::Poisson),
            ("uniform", "") => Ok(Self::Uniform),
            ("bursts" | "burst", _) => {
                let wrong = || {
                    SpecError::new(
                        text,
                        "does not say how long",
                        "write bursts:1s/9s for one second in ten",
                    )
                };
                let (on, off) = rest.split_once('/').ok_or_else(wrong)?;
                let (on, off) = (duration(on)?, duration(off)?);
                if on < Duration::from_millis(1) {
                    return Err(SpecError::new(
                        text,
                        "has bursts of no length",
                        "let a burst last 1ms or more",
                    ));
                }
                Ok(Self::Bursts { on, off })
            }
            _ => Err(unknown(
                text,
                word,
                "arrivals",
                "poisson, uniform or bursts:1s/9s",
                &["poisson", "uniform", "bursts"],
            )),
        }
    }
}

impl fmt::Display for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform => f.write_str("evenly spaced arrivals"),
            Self::Poisson => f.write_str("Poisson arrivals"),
            Self::Bursts { on, off } => write!(f, "bursts of {} with pauses of {}", show(*on), show(*off)),
        }
    }
}

/// How much work requests are: time on a free backend of speed 1.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Service {
    /// All alike.
    Constant(
        /// The work of each.
        Duration,
    ),
    /// Many short, some long: p95 is 4.3 times p50.
    Exponential {
        /// The average.
        mean: Duration,
    },
    /// A bell on a logarithmic scale.
    LogNormal {
        /// The average.
        mean: Duration,
        /// Deviation of the logarithm: 1 makes p95 5.2 times p50; up to 4.
        sigma: f64,
    },
    /// Few very long ones carry much of the work.
    Pareto {
        /// The average.
        mean: Duration,
        /// Above 1, at most 100; the smaller, the heavier the tail.
        shape: f64,
    },
    /// Kinds of requests, each with its share: "2 ms, and now and then 2 s".
    Mix(
        /// Work and parts of the whole.
        Vec<(Duration, f64)>,
    ),
}

impl Service {
    /// The work of one request.
    pub(crate) fn draw(&self, rng: &mut Rng) -> Duration {
        let seconds = match self {
            Self::Constant(work) => return *work,
            Self::Exponential { mean } => mean.as_secs_f64() * exponential(rng),
            Self::LogNormal { mean, sigma } => mean.as_secs_f64() * (sigma * normal(rng) - sigma * sigma / 2.0).exp(),
            Self::Pareto { mean, shape } => mean.as_secs_f64() * (shape - 1.0) / shape * pareto(*shape, rng),
            Self::Mix(kinds) => {
                let all: f64 = kinds.iter().map(|(_, part)| part).sum();
                let mut point = unit(rng) * all;
                let found = kinds.iter().find(|(_, part)| {
                    point -= part;
                    point <= 0.0
                });
                return found.or(kinds.last()).map(|(work, _)| *work).unwrap_or_default();
            }
        };
        Duration::from_secs_f64(seconds.min(LONGEST))
    }

    /// The average work of a request.
    #[must_use]
    pub fn mean(&self) -> Duration {
        match self {
            Self::Constant(mean)
            | Self::Exponential { mean }
            | Self::LogNormal { mean, .. }
            | Self::Pareto { mean, .. } => *mean,
            Self::Mix(kinds) => {
                let all: f64 = kinds.iter().map(|(_, part)| part).sum();
                let sum: f64 = kinds.iter().map(|(work, part)| work.as_secs_f64() * part).sum();
                Duration::from_secs_f64(sum / all.max(f64::MIN_POSITIVE))
            }
        }
    }
}

impl FromStr for Service {
    type Err = SpecError;

    /// `const:20ms`, `exp:20ms`, `lognormal:20ms:1.0`, `pareto:20ms:1.5`, `mix:2ms*95+2s*5`.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        const FORMS: &str = "const:20ms, exp:20ms, lognormal:20ms:1.0, pareto:20ms:1.5 or mix:2ms*95+2s*5";
        let Some((word, rest)) = text.split_once(':') else {
            // a plain duration is a mean
            return match duration(text) {
                Ok(mean) => positive(text, mean).map(|mean| Self::Exponential { mean }),
                Err(_) => Err(SpecError::new(text, "is not a service time", format!("write {FORMS}"))),
            };
        };
        let (mean, shape) = rest
            .split_once([':', ','])
            .map_or((rest, None), |(mean, shape)| (mean, Some(shape)));
        let number = |least: f64, most: f64, usual: f64| match shape.map(decimal) {
            None => Ok(usual),
            Some(Some(number)) if number >= least && number <= most => Ok(number),
            Some(_) => Err(SpecError::new(
                text,
                "has a shape out of range",
                format!("give a number between {least} and {most}"),
            )),
        };
        let mean = |takes_shape: bool| match shape {
            Some(_) if !takes_shape => Err(SpecError::new(
                text,
                "has one value too many",
                format!("write {word}:{mean}"),
            )),
            _ => positive(text, duration(mean)?),
        };
        match word {
            "const" | "constant" | "fixed" => Ok(Self::Constant(mean(false)?)),
            "exp" | "exponential" => Ok(Self::Exponential { mean: mean(false)? }),
            "lognormal" => Ok(Self::LogNormal {
                mean: mean(true)?,
                sigma: number(0.01, 4.0, 1.0)?,
            }),
            "pareto" => Ok(Self::Pareto {
                mean: mean(true)?,
                shape: number(1.01, 100.0, 1.5)?,
            }),
            "mix" => {
                let kind = |kind: &str| {
                    let wrong = || SpecError::new(text, "has a kind without a share", "write mix:2ms*95+2s*5");
                    let (work, part) = kind.split_once('*').ok_or_else(wrong)?;
                    let part = decimal(part)
                        .filter(|part| *part > 0.0 && *part <= 1e9)
                        .ok_or_else(wrong)?;
                    Ok((positive(text, duration(work)?)?, part))
                };
                rest.split('+').map(kind).collect::<Result<_, _>>().map(Self::Mix)
            }
            _ => Err(unknown(
                text,
                word,
                "service time",
                FORMS,
                &["const", "exp", "lognormal", "pareto", "mix"],
            )),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(work) => write!(f, "constant service of {}", show(*work)),
            Self::Exponential { mean } => write!(f, "exponential service, mean {}", show(*mean)),
            Self::LogNormal { mean, sigma } => write!(f, "lognormal service, mean {}, sigma {sigma}", show(*mean)),
            Self::Pareto { mean, shape } => write!(f, "Pareto service, mean {}, shape {shape}", show(*mean)),
            Self::Mix(kinds) => {
                let all: f64 = kinds.iter().map(|(_, part)| part).sum();
                let kinds = kinds
                    .iter()
                    .map(|(work, part)| format!("{} % of {}", three_digits(part / all * 100.0), show(*work)));
                write!(f, "mixed service: {}", kinds.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Whose requests they are: what the algorithms that place by hash see.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Clients {
    /// How many there are, 1 to 1,000,000.
    pub count: u32,
    /// Exponent of Zipf's law: 0 for clients that send alike, 1 for a few that send much. At most 5.
    pub zipf: f64,
}

impl Clients {
    /// Checked.
    ///
    /// # Errors
    /// [`SpecError`] for no client, more than 1,000,000, or an exponent above 5.
    pub fn new(count: u32, zipf: f64) -> Result<Self, SpecError> {
        if !(1..=1_000_000).contains(&count) {
            return Err(SpecError::new(
                &count.to_string(),
                "clients are out of range",
                "give 1 to 1000000",
            ));
        }
        if !(0.0..=5.0).contains(&zipf) {
            return Err(SpecError::new(
                &zipf.to_string(),
                "as Zipf's exponent is out of range",
                "give 0 to 5; 1 is usual",
            ));
        }
        Ok(Self { count, zipf })
    }

    /// Sums of the clients' shares; empty when all send alike.
    fn shares(self) -> Vec<f64> {
        if self.zipf == 0.0 {
            return Vec::new();
        }
        let mut sum = 0.0;
        let share = |rank: u32| {
            sum += f64::from(rank).powf(-self.zipf);
            sum
        };
        (1..=self.count).map(share).collect()
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self { count: 1000, zipf: 0.0 }
    }
}

impl fmt::Display for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::spec::counted(self.count.into(), "client"))?;
        if self.zipf == 0.0 {
            return Ok(());
        }
        write!(f, " (Zipf {})", self.zipf)
    }
}

fn positive(text: &str, duration: Duration) -> Result<Duration, SpecError> {
    if duration.is_zero() {
        return Err(SpecError::new(text, "takes no time at all", "give more than 0"));
    }
    Ok(duration)
}

fn unknown(text: &str, word: &str, kind: &str, forms: &str, known: &[&str]) -> SpecError {
    let mend = match lb_types::nearest(word, known.iter().copied()) {
        Some(meant) if meant != word => format!("did you mean {meant}? Known are {forms}"),
        _ => format!("known are {forms}"),
    };
    SpecError::new(text, format!("names no {kind}"), mend)
}

/// Seconds: what a heavy tail may draw at most.
const LONGEST: f64 = 86_400.0;

use super::backend::Backend;
use super::engine::Engine;
use super::moved::moved;
use super::outcome::Outcome;
use super::sample::Sample;
use super::traffic::Request;
use crate::spec::SpecError;
use lb_sched::{Algorithm, BoundedLoad, BuildError, Member, Recipe, Scheduler};
use lb_types::Time;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// An algorithm that takes part in a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contender {
    recipe: Recipe,
}

impl Contender {
    /// Every algorithm that makes sense for these backends: `first` only if one of them has a limit, because
    /// otherwise it sends everything to one.
    #[must_use]
    pub fn all(backends: &[Backend]) -> Vec<Self> {
        let has_limits = backends.iter().any(|b| !b.limit.is_none());
        let fits = |algorithm: &Algorithm| *algorithm != Algorithm::First || has_limits;
        Algorithm::ALL.into_iter().filter(fits).map(Self::from).collect()
    }

    /// The algorithm and its options.
    #[must_use]
    pub fn recipe(&self) -> Recipe {
        self.recipe
    }

    /// As it is written: `ring`, or `ring:125` with a bounded load.
    #[must_use]
    pub fn name(&self) -> String {
        self.to_string()
    }

    /// `unit`: what every weight was multiplied by.
    pub(crate) fn build(&self, members: &[Member], unit: u16) -> Result<Box<dyn Scheduler>, SimulationError> {
        let built = self.recipe.with_weight_unit(unit).build(members);
        built.map_err(|source| SimulationError::Build {
            name: self.name(),
            source,
        })
    }
}

impl From<Algorithm> for Contender {
    fn from(algorithm: Algorithm) -> Self {
        Recipe::from(algorithm).into()
    }
}

impl From<Recipe> for Contender {
    fn from(recipe: Recipe) -> Self {
        Self { recipe }
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.recipe.algorithm.word())?;
        match self.recipe.bounded_load {
            Some(bound) => write!(f, ":{}", bound.as_percent()),
            None => Ok(()),
        }
    }
}

impl FromStr for Contender {
    type Err = SpecError;

    /// The word of the configuration; behind a colon the bound of the load in percent, as in `ring:125`.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (word, bound) = text
            .split_once(':')
            .map_or((text, None), |(word, bound)| (word, Some(bound)));
        let known: Vec<&str> = Algorithm::ALL.iter().map(|a| a.word()).collect();
        let found = Algorithm::ALL.into_iter().find(|a| a.word() == word);
        let algorithm = found.ok_or_else(|| {
            let list = known.join(", ");
            let mend = match lb_types::nearest(word, known.iter().copied()) {
                Some(meant) => format!("did you mean {meant}? Known are {list}"),
                None => format!("known are {list}"),
            };
            SpecError::new(text, "names no algorithm", mend)
        })?;
        let Some(bound) = bound else {
            return Ok(algorithm.into());
        };
        let percent = bound
            .parse()
            .ok()
            .and_then(|percent| BoundedLoad::percent(percent).ok());
        let percent = percent.ok_or_else(|| {
            SpecError::new(
                text,
                "has a bound of the load out of range",
                format!("give 101 to 1000, as in {word}:125"),
            )
        })?;
        if !algorithm.uses_hash() {
            return Err(SpecError::new(
                text,
                "bounds the load of an algorithm without hash",
                format!("write {word}"),
            ));
        }
        Ok(Recipe::from(algorithm).with_bounded_load(percent).into())
    }
}

/// How the balancer behaves around its picks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// How long it takes to notice that a backend died or recovered.
    pub detect: Duration,
    /// How often a refused request is tried at another backend.
    pub retries: u8,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            detect: Duration::from_secs(2),
            retries: 2,
        }
    }
}

/// What came of a comparison.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Comparison {
    /// The backends, as they were given.
    pub backends: Vec<Backend>,
    /// In the order of the contenders.
    pub outcomes: Vec<Outcome>,
    /// Requests that came, the same for all.
    pub requests: u64,
    /// From the start to the last request, or as long as traffic was announced.
    pub span: Duration,
    /// How much work requests were.
    pub work: Sample,
    /// Work that came beside the work that all backends could do: above 1 they are overloaded.
    pub offered: f64,
}

/// Lets every contender serve the same requests, side by side, in one pass: memory does not grow with their number.
///
/// A refused connection costs no time. Requests beyond a backend's places wait in the order they came. A request goes
/// on at the speed its backend had when it began. Requests must come in order; one that is earlier than the one
/// before it comes at once.
///
/// # Errors
/// [`SimulationError`] when there is nothing to compare, when two backends have one name, or when an algorithm cannot
/// be built for them.
pub fn compare(
    contenders: &[Contender],
    backends: &[Backend],
    options: &Options,
    requests: impl IntoIterator<Item = Request>,
    span: Option<Duration>,
) -> Result<Comparison, SimulationError> {
    check(contenders, backends)?;
    let engines = contenders
        .iter()
        .map(|contender| Engine::new(contender, backends, options));
    let mut engines = engines.collect::<Result<Vec<_>, _>>()?;
    let mut last = Time::ZERO;
    let mut count = 0;
    let mut work = Sample::new();
    for mut request in requests {
        request.at = request.at.max(last);
        last = request.at;
        count += 1;
        work.add(request.work);
        for engine in &mut engines {
            engine.arrive(&request)?;
        }
    }
    let span = span.unwrap_or_default().max(last.since(Time::ZERO));
    let outcomes = engines.into_iter().map(|engine| engine.end(span));
    let mut outcomes = outcomes.collect::<Result<Vec<_>, _>>()?;
    for (outcome, contender) in outcomes.iter_mut().zip(contenders) {
        outcome.moved = moved(contender, backends)?;
    }
    let capacity: f64 = backends
        .iter()
        .filter(|b| b.weight.get() > 0)
        .map(Backend::capacity)
        .sum();
    Ok(Comparison {
        backends: backends.to_vec(),
        outcomes,
        requests: count,
        span,
        offered: work.seconds() / (capacity * span.as_secs_f64()).max(1e-9),
        work,
    })
}

fn check(contenders: &[Contender], backends: &[Backend]) -> Result<(), SimulationError> {
    if contenders.is_empty() {
        return Err(SimulationError::NoAlgorithm);
    }
    if !backends.iter().any(|b| b.weight.get() > 0) {
        return Err(SimulationError::NoBackend);
    }
    if backends.len() > MOST_BACKENDS {
        return Err(SimulationError::TooManyBackends { count: backends.len() });
    }
    let mut names = BTreeSet::new();
    match backends.iter().find(|b| !names.insert(&b.name)) {
        Some(twice) => Err(SimulationError::NameTwice {
            name: twice.name.clone(),
        }),
        None => Ok(()),
    }
}

/// Why there is nothing to compare.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// No contender.
    #[error("there is no algorithm to simulate")]
    NoAlgorithm,
    /// No backend, or only such of weight 0.
    #[error("there is no backend with a weight above 0: give at least one")]
    NoBackend,
    /// More than 10,000.
    #[error("{count} backends are more than 10000")]
    TooManyBackends {
        /// How many.
        count: usize,
    },
    /// Two backends could not be told apart.
    #[error("two backends are called {name:?}: give each its own name")]
    NameTwice {
        /// The name of both.
        name: String,
    },
    /// The algorithm has no table for these backends.
    #[error("{name} cannot be built")]
    Build {
        /// The contender.
        name: String,
        /// Why.
        #[source]
        source: BuildError,
    },
}

/// As many as the program is measured with.
const MOST_BACKENDS: usize = 10_000;

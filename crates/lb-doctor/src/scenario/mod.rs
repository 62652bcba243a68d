//! The five situations of the textbook, through the schedulers that serve traffic.

mod five;
mod text;

use lb_sched::{Algorithm, Ask, BuildError, Cursor, Limit, Load, Member, Usable};
use lb_types::{BackendId, Slot, Time, Weight};
use std::sync::Arc;

/// One of the five: a situation, what to do, and the counts that follow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scenario {
    /// 1 to 5.
    pub number: u8,
    /// In a few words.
    pub title: &'static str,
    /// What there is.
    pub situation: &'static str,
    /// What to choose, and why.
    pub advice: &'static str,
    /// What is looked at, in order.
    pub parts: Vec<Part>,
}

/// One algorithm with one set of weights, and counts at a few moments.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Part {
    /// What is shown.
    pub title: String,
    /// Who decides.
    pub algorithm: Algorithm,
    /// The weights of the backends.
    pub weights: Vec<u16>,
    /// What the counts are: "requests" or "connections".
    pub unit: &'static str,
    /// Counts after so many picks; the first row is before any.
    pub rows: Vec<Row>,
    /// What is to be seen.
    pub remark: String,
}

/// Counts of all backends at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// Picks made until now.
    pub picks: usize,
    /// Requests or connections at each backend.
    pub counts: Vec<u32>,
}

impl Scenario {
    /// Computes scenario `number`; `None` when there is none of that number.
    ///
    /// # Errors
    /// [`BuildError`] if a scheduler cannot be built; it can for the scenarios that are built in.
    pub fn run(number: u8) -> Result<Option<Self>, BuildError> {
        five::run(number)
    }

    /// All five, each with its number and title.
    #[must_use]
    pub fn list() -> [(u8, &'static str); 5] {
        five::TITLES
    }
}

/// Backends with connections that stay, and a scheduler that places more.
#[derive(Debug)]
struct Board {
    scheduler: Box<dyn lb_sched::Scheduler>,
    cursor: Cursor,
    usable: Usable,
    loads: Vec<Arc<Load>>,
    counts: Vec<u32>,
}

impl Board {
    fn new(algorithm: Algorithm, weights: &[u16], held: &[u32]) -> Result<Self, BuildError> {
        let member = |(place, weight): (usize, &u16)| Member {
            slot: Slot(place as u32),
            id: BackendId::of("scenario", &place.to_string()),
            weight: Weight::new(*weight).unwrap_or(Weight::MAX),
        };
        let members: Vec<Member> = weights.iter().enumerate().map(member).collect();
        let loads: Vec<Arc<Load>> = weights.iter().map(|_| Arc::new(Load::new())).collect();
        for (load, held) in loads.iter().zip(held) {
            (0..*held).for_each(|_| {
                load.try_begin(Limit::NONE);
            });
        }
        Ok(Self {
            scheduler: algorithm.build(&members)?,
            cursor: Cursor::new(),
            usable: Usable::all(weights.len()),
            loads,
            counts: held.to_vec(),
        })
    }

    /// Places `picks` more that stay; who got them, in order.
    fn place(&mut self, picks: usize) -> Vec<usize> {
        (0..picks).filter_map(|_| self.place_one()).collect()
    }

    fn place_one(&mut self) -> Option<usize> {
        let slot = self.scheduler.pick(&Ask {
            hash: None,
            entropy: 0,
            cursor: &self.cursor,
            usable: &self.usable,
            loads: &self.loads,
            limits: &[],
            now: Time::ZERO,
        })?;
        self.loads.get(slot.index())?.try_begin(Limit::NONE);
        *self.counts.get_mut(slot.index())? += 1;
        Some(slot.index())
    }
}

use crate::{Backend, Observe, Standing};
use lb_sched::groups::{Candidate, Rules, tiers};
use lb_sched::{Algorithm, BuildError, Maglev, Member, Recipe, Scheduler};
use std::sync::Arc;
use std::time::Duration;

/// How a pool spreads its requests: the algorithm and its options, who stands aside for whom, and
/// what is written down about each request.
///
/// An [`Algorithm`] or a [`Recipe`] is a whole one: backups wait until nobody before them can serve,
/// and nothing is observed that the algorithm does not need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spread {
    /// The algorithm and its options. A Maglev table without a length gets the one for all backends of
    /// the pool, so that nothing moves but what must when one goes down.
    pub recipe: Recipe,
    /// When [backups](Backend::priority) and [other zones](Backend::local) help.
    pub groups: Rules,
    /// What requests write down. Latency is always observed where the algorithm needs it.
    pub observe: Observe,
    /// How fast an observed latency is forgotten (to `1/e`).
    pub latency_decay: Duration,
}

impl Spread {
    /// Half-life of a latency where nothing else is said, as in Finagle.
    pub const LATENCY_DECAY: Duration = Duration::from_secs(10);

    /// What requests write down, the algorithm's needs included.
    pub(crate) fn observed(&self) -> Observe {
        Observe {
            latency: self.observe.latency || self.recipe.algorithm.uses_latency(),
            ..self.observe
        }
    }

    /// With what follows from the number of backends.
    pub(crate) fn for_backends(self, backends: usize) -> Self {
        if self.recipe.algorithm != Algorithm::Maglev || self.recipe.table_len.is_some() {
            return self;
        }
        Self {
            recipe: self.recipe.with_table_len(Maglev::len_for(backends)),
            ..self
        }
    }

    /// The scheduler for these standings, in the order of the slots: the order of members decides
    /// between equals, so it is the same whoever made the standings.
    pub(crate) fn build(
        &self,
        backends: &[Arc<Backend>],
        standings: &[Standing],
        weight_unit: u16,
    ) -> Result<Box<dyn Scheduler>, BuildError> {
        let recipe = self.recipe.with_weight_unit(weight_unit);
        recipe.build_tiers(&self.tiers(backends, standings))
    }

    /// Who is asked first, and who is asked when nobody of those has room.
    pub(crate) fn tiers(&self, backends: &[Arc<Backend>], standings: &[Standing]) -> Vec<Vec<Member>> {
        let mut candidates: Vec<Candidate> = standings
            .iter()
            .filter_map(|standing| {
                let backend = backends.get(standing.slot.index())?;
                let member = Member {
                    slot: standing.slot,
                    id: backend.id,
                    weight: standing.weight,
                };
                Some(Candidate {
                    priority: backend.priority,
                    local: backend.local,
                    available: standing.up,
                    ..Candidate::new(member)
                })
            })
            .collect();
        candidates.sort_unstable_by_key(|candidate| candidate.member.slot);
        tiers(&candidates, &self.groups)
    }
}

impl From<Recipe> for Spread {
    fn from(recipe: Recipe) -> Self {
        Self {
            recipe,
            groups: Rules::new(),
            observe: Observe::default(),
            latency_decay: Self::LATENCY_DECAY,
        }
    }
}

impl From<Algorithm> for Spread {
    fn from(algorithm: Algorithm) -> Self {
        Recipe::new(algorithm).into()
    }
}

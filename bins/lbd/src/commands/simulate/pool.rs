//! The backends of a simulation: from flags or from a configuration file.

use super::Failure;
use super::args::{Simulate, usual};
use lb_config::{Plan, Pool};
use lb_doctor::simulate::{Backend, Contender, Options, backends};
use lb_doctor::spec::duration;
use lb_sched::{BoundedLoad, Limit, Recipe};
use std::io::IsTerminal;
use std::path::Path;

/// Who serves, and how the balancer behaves around its picks.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) backends: Vec<Backend>,
    pub(crate) options: Options,
    /// The pool's own way of choosing, if it comes from a file.
    pub(crate) own: Option<Contender>,
    pub(crate) notes: Vec<String>,
}

/// The site that the flags describe.
pub(crate) fn site(simulate: &Simulate, places: u32) -> Result<Site, Failure> {
    let mut site = match &simulate.config {
        Some(path) => from_file(path, simulate.pool.as_deref(), places)?,
        None => Site {
            backends: from_flags(simulate, places)?,
            options: usual(),
            own: None,
            notes: Vec::new(),
        },
    };
    if let Some(text) = &simulate.detect {
        site.options.detect = duration(text).map_err(|error| Failure::flag("--detect", error))?;
    }
    if let Some(retries) = simulate.retries {
        site.options.retries = retries;
    }
    Ok(site)
}

fn from_flags(simulate: &Simulate, places: u32) -> Result<Vec<Backend>, Failure> {
    let mut list = match &simulate.backends {
        Some(text) => backends(text).map_err(|error| Failure::flag("--backends", error))?,
        None if simulate.backend.is_empty() => backends("1*4").map_err(|error| Failure::flag("--backends", error))?,
        None => Vec::new(),
    };
    for backend in &mut list {
        backend.places = places;
    }
    for text in &simulate.backend {
        let mut backend = Backend::new(format!("b{}", list.len() + 1));
        backend.places = places;
        backend.set(text).map_err(|error| Failure::flag("--backend", error))?;
        list.push(backend);
    }
    Ok(list)
}

/// The plan of a file; its problems are said.
pub(crate) fn plan(path: &Path) -> Result<Plan, Failure> {
    let color = std::io::stderr().is_terminal();
    let resolved = lb_config::load(path, &lb_config::System);
    resolved
        .map(|resolved| resolved.plan)
        .map_err(|problems| Failure::Input(problems.render(color)))
}

fn from_file(path: &Path, name: Option<&str>, places: u32) -> Result<Site, Failure> {
    let plan = plan(path)?;
    let names = || {
        plan.pools
            .iter()
            .map(|pool| pool.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let pool = match (name, plan.pools.as_slice()) {
        (Some(name), _) => plan.pool(name).ok_or_else(|| {
            Failure::Usage(format!(
                "--pool: {} has no pool {name:?}; it has {}",
                path.display(),
                names()
            ))
        })?,
        (None, [only]) => only,
        (None, _) => {
            return Err(Failure::Usage(format!(
                "{} has more than one pool: say which with --pool, one of {}",
                path.display(),
                names()
            )));
        }
    };
    Ok(of_pool(pool, places))
}

fn of_pool(pool: &Pool, places: u32) -> Site {
    let first = pool.backends.iter().map(|b| b.priority).min().unwrap_or(0);
    let slow_start = pool
        .health
        .as_ref()
        .map(|health| health.rules.options().slow_start)
        .unwrap_or_default();
    let backend = |backend: &lb_config::Backend| {
        let mut simulated = Backend::new(&backend.name);
        simulated.weight = backend.weight_now();
        simulated.places = places;
        simulated.limit = Limit::from(backend.max_connections);
        simulated.slow_start = slow_start;
        simulated
    };
    let mut notes = vec![format!("From pool {:?}, which uses {}.", pool.name, pool.algorithm)];
    let backups = pool.backends.iter().filter(|b| b.priority != first).count();
    if backups > 0 {
        notes.push(match backups {
            1 => "1 backend of lower priority is left out.".to_owned(),
            _ => format!("{backups} backends of lower priority are left out."),
        });
    }
    let mut options = usual();
    options.retries = pool.retries.attempts;
    if let Some(health) = &pool.health {
        options.detect = health.worst_detection();
    }
    let bound = pool
        .scheduling
        .bounded_load_percent
        .and_then(|percent| BoundedLoad::percent(percent).ok());
    Site {
        backends: pool
            .backends
            .iter()
            .filter(|b| b.priority == first)
            .map(backend)
            .collect(),
        options,
        own: Some(Recipe::new(pool.algorithm).with_bounded_load(bound).into()),
        notes,
    }
}

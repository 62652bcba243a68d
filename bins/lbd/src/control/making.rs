//! Large tables are made on a thread that lives as long as that: with one worker this one carries traffic.

use crate::note::note;
use lb_balance::{Pool, Standings};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Pools, former ones among them, and the standings they are to have.
#[derive(Debug, Default)]
pub(super) struct Job(Vec<(Arc<Pool>, Standings)>);

/// For the operator: whose standings stay as they were, and why.
pub(super) type Faults = Vec<String>;

impl Job {
    pub(super) fn add(&mut self, pool: Arc<Pool>, standings: Standings) {
        self.0.push((pool, standings));
    }

    /// Does it take long enough for others to notice?
    pub(super) fn is_long(&self) -> bool {
        let entries = self.0.iter().map(|(pool, _)| pool.most_entries());
        entries.fold(0_usize, usize::saturating_add) > QUICK
    }

    /// Makes the tables here.
    pub(super) fn run(&self) -> Faults {
        let mut faults = Faults::new();
        for (pool, standings) in &self.0 {
            if let Err(error) = pool.apply(standings) {
                let line = format!("pool {}: {error}", pool.name());
                if !faults.contains(&line) {
                    faults.push(line);
                }
            }
        }
        faults
    }

    /// Makes them on a thread, or here when there is none to be had.
    pub(super) fn start(self) -> oneshot::Receiver<Faults> {
        let job = Arc::new(self);
        let (tell, done) = oneshot::channel();
        let there = Arc::clone(&job);
        let run = move || {
            // Nobody waits for it when the program ends meanwhile.
            let _ = tell.send(there.run());
        };
        match std::thread::Builder::new().name("tables".to_owned()).spawn(run) {
            Ok(_) => done,
            Err(error) => {
                note(format_args!(
                    "no thread for large tables, traffic waits for them: {error}"
                ));
                let (tell, done) = oneshot::channel();
                let _ = tell.send(job.run());
                done
            }
        }
    }
}

/// So many entries are made in less than half a millisecond.
const QUICK: usize = 2_000;

mod lives;

use super::backend::Backend;
use super::compare::{Contender, Options, SimulationError};
use super::outcome::{Outcome, PerBackend};
use super::sample::{Sample, Series};
use super::server::{Job, Server};
use super::traffic::Request;
use lb_sched::{Ask, Cursor, Limit, Load, Member, Scheduler, Usable};
use lb_types::{Slot, Time};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

/// One algorithm at work on a virtual clock: the scheduler, loads, cursor and masks of `lb-sched`, and backends that
/// are made up.
#[derive(Debug)]
pub(crate) struct Engine<'a> {
    contender: &'a Contender,
    backends: &'a [Backend],
    options: &'a Options,
    scheduler: Box<dyn Scheduler>,
    cursor: Cursor,
    /// The slots that health believes in.
    usable: Usable,
    /// Who is in the scheduler.
    members: Vec<Member>,
    /// `usable` without those that were tried.
    untried: Usable,
    loads: Vec<Arc<Load>>,
    limits: Vec<Limit>,
    servers: Vec<Server>,
    /// What health believes, and since when a backend takes its weight.
    standing: Vec<Option<Time>>,
    events: BinaryHeap<Reverse<Event>>,
    sequence: u64,
    now: Time,
    tally: Tally,
    latency: Sample,
    series: Series,
}

/// Ordered by time, then by the order of planning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    at: Time,
    sequence: u64,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A place of the backend is done with a request that came at `came`.
    Done {
        slot: usize,
        life: u32,
        came: Time,
    },
    Dies {
        slot: usize,
    },
    Lives {
        slot: usize,
    },
    /// Probes have had the time to see what became of this life.
    Noticed {
        slot: usize,
        life: u32,
        is_up: bool,
    },
    Joins {
        slot: usize,
    },
    /// A step of a slow start.
    Ramps,
}

#[derive(Debug, Clone, Default)]
struct Tally {
    requests: u64,
    done: u64,
    refused: u64,
    nobody: u64,
    overflow: u64,
    retries: u64,
    /// Requests since shares were last counted, and what each backend should have had of all before.
    uncounted: u64,
    wanted: Vec<f64>,
    inexact: bool,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(
        contender: &'a Contender,
        backends: &'a [Backend],
        options: &'a Options,
    ) -> Result<Self, SimulationError> {
        let scheduler = contender.build(&[], 1)?;
        let mut engine = Self {
            contender,
            backends,
            options,
            scheduler,
            cursor: Cursor::new(),
            usable: Usable::none(backends.len()),
            members: Vec::new(),
            untried: Usable::none(backends.len()),
            loads: backends.iter().map(|_| Arc::new(Load::new())).collect(),
            limits: backends.iter().map(|b| b.limit).collect(),
            servers: backends.iter().map(|b| Server::new(b.places)).collect(),
            standing: vec![None; backends.len()],
            events: BinaryHeap::new(),
            sequence: 0,
            now: Time::ZERO,
            tally: Tally {
                wanted: vec![0.0; backends.len()],
                ..Tally::default()
            },
            latency: Sample::new(),
            series: Series::new(),
        };
        engine.plan_lives();
        engine.rebuild()?;
        Ok(engine)
    }

    fn plan(&mut self, at: Time, what: What) {
        self.sequence += 1;
        let sequence = self.sequence;
        self.events.push(Reverse(Event { at, sequence, what }));
    }

    /// A request arrives; everything before it has happened then.
    pub(crate) fn arrive(&mut self, request: &Request) -> Result<(), SimulationError> {
        self.run_until(request.at)?;
        self.now = request.at;
        self.tally.requests += 1;
        self.tally.uncounted += 1;
        self.untried.copy_from(&self.usable);
        for attempt in 0..=self.options.retries {
            let Some(slot) = self.pick(request) else {
                // nobody left: the reason is the refusal, if there was one
                let count = if attempt > 0 {
                    &mut self.tally.refused
                } else {
                    &mut self.tally.nobody
                };
                *count += 1;
                return Ok(());
            };
            self.tally.retries += u64::from(attempt > 0);
            let place = slot.index();
            let (Some(server), Some(load), Some(limit)) = (
                self.servers.get_mut(place),
                self.loads.get(place),
                self.limits.get(place),
            ) else {
                break;
            };
            if server.is_dead {
                load.failed(self.now);
                self.untried.remove(slot);
                continue;
            }
            load.try_begin(*limit);
            server.picks += 1;
            if server.line.len() >= LONGEST_LINE {
                load.finish();
                self.tally.overflow += 1;
                return Ok(());
            }
            server.pass(request.at);
            server.line.push_back(Job {
                came: request.at,
                work: u64::try_from(request.work.as_nanos()).unwrap_or(u64::MAX),
            });
            self.serve(place);
            return Ok(());
        }
        self.tally.refused += 1;
        Ok(())
    }

    fn pick(&self, request: &Request) -> Option<Slot> {
        self.scheduler.pick(&Ask {
            hash: request.hash,
            entropy: request.entropy,
            cursor: &self.cursor,
            usable: &self.untried,
            loads: &self.loads,
            limits: &self.limits,
            now: self.now,
        })
    }

    /// Free places take who waits. The caller has called `pass`.
    fn serve(&mut self, slot: usize) {
        let (Some(server), Some(backend)) = (self.servers.get_mut(slot), self.backends.get(slot)) else {
            return;
        };
        let now = self.now;
        let speed = backend.speed_at(now.since(Time::ZERO));
        let mut begun = Vec::new();
        while server.busy < server.places
            && let Some(job) = server.line.pop_front()
        {
            server.busy += 1;
            let takes = Duration::from_nanos((job.work as f64 / speed) as u64);
            begun.push((now.after(takes), server.life, job.came));
        }
        server.note_worst();
        for (at, life, came) in begun {
            self.plan(at, What::Done { slot, life, came });
        }
    }

    fn run_until(&mut self, until: Time) -> Result<(), SimulationError> {
        while let Some(Reverse(event)) = self.events.peek().copied().filter(|Reverse(event)| event.at <= until) {
            self.events.pop();
            self.sample(event.at);
            self.now = event.at;
            self.happen(event.what)?;
        }
        self.sample(until);
        Ok(())
    }

    fn sample(&mut self, now: Time) {
        let (servers, backends) = (&self.servers, self.backends);
        self.series.pass(now, || {
            let count = |(server, backend): (&Server, &Backend)| {
                u32::try_from(server.in_flight())
                    .unwrap_or(u32::MAX)
                    .saturating_add(backend.held)
            };
            servers.iter().zip(backends).map(count).collect()
        });
    }

    fn happen(&mut self, what: What) -> Result<(), SimulationError> {
        match what {
            What::Done { slot, life, came } => self.finish(slot, life, came),
            What::Dies { slot } => self.die(slot),
            What::Lives { slot } => self.live(slot),
            What::Noticed { slot, life, is_up } => return self.notice(slot, life, is_up),
            What::Joins { slot } => return self.join(slot),
            What::Ramps => return self.rebuild(),
        }
        Ok(())
    }

    fn finish(&mut self, slot: usize, life: u32, came: Time) {
        let now = self.now;
        let (Some(server), Some(load)) = (self.servers.get_mut(slot), self.loads.get(slot)) else {
            return;
        };
        if server.life != life {
            return; // it was cut off when the backend died
        }
        server.pass(now);
        server.busy -= 1;
        let latency = now.since(came);
        load.succeeded();
        load.observe(latency, now);
        load.finish();
        self.latency.add(latency);
        self.tally.done += 1;
        self.serve(slot);
    }

    /// What each backend should have had of the requests under the table that ends now.
    fn count_wanted(&mut self) {
        let requests = std::mem::take(&mut self.tally.uncounted) as f64;
        let members = &self.members;
        let total: f64 = members.iter().map(|m| f64::from(m.weight.get())).sum();
        for member in members {
            if let Some(wanted) = self.tally.wanted.get_mut(member.slot.index()) {
                *wanted += requests * f64::from(member.weight.get()) / total.max(1.0);
            }
        }
    }

    /// No request comes any more: lets those that are there finish.
    pub(crate) fn end(mut self, span: Duration) -> Result<Outcome, SimulationError> {
        self.run_until(Time::ZERO.after(span))?;
        self.now = Time::ZERO.after(span);
        self.count_wanted();
        let seconds = span.as_secs_f64().max(1e-9);
        self.servers.iter_mut().for_each(|server| server.pass(self.now));
        let backends = self.per_backend(seconds);
        let series = self.series.clone();
        // latencies of those still there; nobody joins, dies or recovers any more
        while let Some(Reverse(event)) = self.events.pop() {
            if let What::Done { slot, life, came } = event.what {
                self.now = event.at;
                self.finish(slot, life, came);
            }
        }
        let cut = self.servers.iter().map(|server| server.cut).sum();
        Ok(Outcome {
            name: self.contender.name(),
            requests: self.tally.requests,
            done: self.tally.done,
            refused: self.tally.refused,
            nobody: self.tally.nobody,
            cut,
            overflow: self.tally.overflow,
            retries: self.tally.retries,
            latency: self.latency,
            queue_mean: backends.iter().map(|b| b.queue_mean).sum(),
            queue_worst: backends.iter().map(|b| b.queue_worst).max().unwrap_or(0),
            backends,
            moved: None,
            is_exact: !self.tally.inexact,
            series_step: series.step,
            series: series.rows,
        })
    }

    fn per_backend(&self, seconds: f64) -> Vec<PerBackend> {
        let one = |((server, wanted), backend): ((&Server, &f64), &Backend)| PerBackend {
            picks: server.picks,
            wanted: *wanted,
            cut: server.cut,
            in_flight_mean: server.mean_in_flight(seconds) + f64::from(backend.held),
            in_flight_worst: server.worst_in_flight() as u64 + u64::from(backend.held),
            queue_mean: server.mean_line(seconds),
            queue_worst: server.worst_line() as u64,
            utilisation: server.utilisation(seconds),
        };
        self.servers
            .iter()
            .zip(&self.tally.wanted)
            .zip(self.backends)
            .map(one)
            .collect()
    }
}

/// Requests that wait at one backend at most; more are refused. Bounds the memory of a simulation whose backends are
/// overloaded.
pub(crate) const LONGEST_LINE: usize = 100_000;

/// The ids of simulated backends are those of a pool of this name.
pub(crate) const POOL: &str = "simulation";

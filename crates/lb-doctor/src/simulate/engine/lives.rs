//! Who is there, and with which weight: backends join, die, recover, and start slowly.

use super::{Engine, POOL, What};
use crate::simulate::backend::Backend;
use crate::simulate::compare::SimulationError;
use lb_sched::{Limit, Member, Usable};
use lb_types::{BackendId, Slot, Time, Weight};
use std::time::Duration;

impl Engine<'_> {
    /// Everything that is known beforehand: who is there, joins, dies and recovers when.
    pub(super) fn plan_lives(&mut self) {
        for (slot, backend) in self.backends.iter().enumerate() {
            if let Some(load) = self.loads.get(slot) {
                (0..backend.held).for_each(|_| {
                    load.try_begin(Limit::NONE);
                });
            }
            match backend.joins {
                Some(joins) => self.plan(Time::ZERO.after(joins), What::Joins { slot }),
                None => {
                    if let Some(standing) = self.standing.get_mut(slot) {
                        // long enough ago for its slow start to be over
                        *standing = Some(Time::ZERO);
                    }
                }
            }
            for fail in &backend.fails {
                self.plan(Time::ZERO.after(fail.start), What::Dies { slot });
                if fail.end < Duration::MAX {
                    self.plan(Time::ZERO.after(fail.end), What::Lives { slot });
                }
            }
        }
    }

    pub(super) fn die(&mut self, slot: usize) {
        let (now, detect) = (self.now, self.options.detect);
        let (Some(server), Some(load)) = (self.servers.get_mut(slot), self.loads.get(slot)) else {
            return;
        };
        server.pass(now);
        for _ in 0..server.in_flight() {
            load.failed(now);
            load.finish();
            server.cut += 1;
        }
        server.line.clear();
        server.busy = 0;
        server.is_dead = true;
        server.life += 1;
        let life = server.life;
        self.plan(
            now.after(detect),
            What::Noticed {
                slot,
                life,
                is_up: false,
            },
        );
    }

    pub(super) fn live(&mut self, slot: usize) {
        let (now, detect) = (self.now, self.options.detect);
        let Some(server) = self.servers.get_mut(slot) else {
            return;
        };
        server.is_dead = false;
        server.life += 1;
        let life = server.life;
        self.plan(
            now.after(detect),
            What::Noticed {
                slot,
                life,
                is_up: true,
            },
        );
    }

    pub(super) fn notice(&mut self, slot: usize, life: u32, is_up: bool) -> Result<(), SimulationError> {
        let (Some(server), Some(standing)) = (self.servers.get(slot), self.standing.get_mut(slot)) else {
            return Ok(());
        };
        // something else happened since, or a short death that nobody saw, or it has not joined yet
        let joined = self.backends.get(slot).and_then(|b| b.joins).unwrap_or_default();
        if server.life != life || standing.is_some() == is_up || self.now.since(Time::ZERO) < joined {
            return Ok(());
        }
        *standing = is_up.then_some(self.now);
        if is_up {
            self.ramp(slot);
        }
        self.rebuild()
    }

    pub(super) fn join(&mut self, slot: usize) -> Result<(), SimulationError> {
        if let Some(standing) = self.standing.get_mut(slot) {
            *standing = Some(self.now);
            self.ramp(slot);
        }
        self.rebuild()
    }

    /// Plans the steps of a slow start.
    fn ramp(&mut self, slot: usize) {
        let slow_start = self.backends.get(slot).map(|b| b.slow_start).unwrap_or_default();
        if slow_start.is_zero() {
            return;
        }
        for step in 1..STEPS {
            self.plan(self.now.after(slow_start * step / STEPS), What::Ramps);
        }
    }

    /// A new table of whoever is believed to be up, as after a change of standing in the real program.
    pub(super) fn rebuild(&mut self) -> Result<(), SimulationError> {
        self.count_wanted();
        let (members, unit) = self.members();
        self.usable = Usable::none(self.backends.len());
        members.iter().for_each(|member| self.usable.insert(member.slot));
        self.scheduler = self.contender.build(&members, unit)?;
        self.tally.inexact |= !self.scheduler.is_exact();
        self.members = members;
        Ok(())
    }

    /// Who is there with which weight, and what all weights were multiplied by.
    fn members(&self) -> (Vec<Member>, u16) {
        let percents: Vec<u32> = self
            .backends
            .iter()
            .zip(&self.standing)
            .map(|(b, s)| self.percent(b, *s))
            .collect();
        // as in the program: all weights are multiplied while somebody has a part of his, so that a tenth of 1 is a share
        let heaviest = self.backends.iter().map(|b| b.weight.get()).max().unwrap_or(1).max(1);
        let is_ramping = percents.iter().any(|percent| (1..100).contains(percent));
        let unit = if is_ramping {
            (Weight::MAX.get() / heaviest).clamp(1, 10)
        } else {
            1
        };
        let member = |(place, (backend, percent)): (usize, (&Backend, &u32))| {
            let hundredths = u32::from(backend.weight.get()) * u32::from(unit) * percent;
            let weight = if hundredths == 0 {
                0
            } else {
                ((hundredths + 50) / 100).max(1)
            };
            Member {
                slot: Slot(place as u32),
                id: BackendId::of(POOL, &backend.name),
                weight: Weight::try_from(u64::from(weight)).unwrap_or(Weight::MAX),
            }
        };
        let all = self.backends.iter().zip(&percents).enumerate().map(member);
        let there = |m: &Member| self.standing.get(m.slot.index()).is_some_and(Option::is_some);
        (all.filter(there).collect(), unit)
    }

    /// How much of its weight a backend takes now.
    fn percent(&self, backend: &Backend, standing: Option<Time>) -> u32 {
        let Some(since) = standing else { return 0 };
        if backend.slow_start.is_zero() || since == Time::ZERO {
            return 100;
        }
        let tenths = self.now.since(since).as_nanos() * u128::from(STEPS) / backend.slow_start.as_nanos();
        (u32::try_from(tenths).unwrap_or(STEPS) + 1).min(STEPS) * (100 / STEPS)
    }
}

/// Steps of a slow start.
const STEPS: u32 = 10;

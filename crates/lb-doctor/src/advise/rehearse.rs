use super::profile::Profile;
use super::recommend::Advice;
use crate::log::{Replay, ReplayOptions};
use crate::report::Setting;
use crate::simulate::{Backend, Comparison, Contender, Options, SimulationError, compare};
use lb_sched::Algorithm;
use lb_types::Weight;
use std::collections::HashMap;

impl Advice {
    /// Lets algorithms serve the requests of the log, on backends as fast as those of the log and with the weights of
    /// this advice, or on three equal ones; so fast that they are 70 % busy.
    ///
    /// # Errors
    /// [`SimulationError`], which should not happen for what a log can hold.
    pub fn rehearse(&self, profile: &Profile, seed: u64) -> Result<(Comparison, Setting), SimulationError> {
        let mut backends: Vec<Backend> = self.weights.iter().zip(&self.speeds).map(backend).collect();
        if backends.len() < 2 {
            backends = (1..=3).map(|number| Backend::new(format!("b{number}"))).collect();
        }
        let by_number: HashMap<u16, f64> = profile
            .backends
            .iter()
            .zip(&self.speeds)
            .map(|(backend, speed)| (backend.number, *speed))
            .collect();
        // what took twice as long at a backend of half the speed is the same work
        let records = profile.records.iter().map(|record| {
            let speed = record
                .backend
                .and_then(|number| by_number.get(&number))
                .copied()
                .unwrap_or(1.0);
            let mut record = *record;
            record.duration = record.duration.map(|took| took.mul_f64(speed));
            record
        });
        let mut options = ReplayOptions {
            seed,
            ..ReplayOptions::default()
        };
        let scaled = crate::log::Survey::of(records.clone());
        let work = scaled.work(options.unknown.mean());
        let speeds: f64 = backends.iter().map(|b| b.speed).sum();
        let places = scaled.places(work, speeds);
        backends.iter_mut().for_each(|b| b.places = places);
        options.speedup = scaled.speedup(work, speeds * f64::from(places));
        let mut setting = Setting::new("the requests of the log, in their order and with their durations.");
        setting.notes.push(crate::log::Survey::pace(work, options.speedup));
        let span = scaled.span().div_f64(options.speedup.max(1e-9));
        let mut contenders: Vec<Contender> = CONTENDERS.into_iter().map(Contender::from).collect();
        if !CONTENDERS.contains(&self.algorithm) {
            contenders.push(self.algorithm.into());
        }
        let requests = Replay::new(records, options);
        Ok((
            compare(&contenders, &backends, &Options::default(), requests, Some(span))?,
            setting,
        ))
    }
}

fn backend(((name, weight), speed): (&(String, u16), &f64)) -> Backend {
    let mut backend = Backend::new(name);
    backend.weight = Weight::new(*weight).unwrap_or(Weight::MAX);
    backend.speed = (speed * 100.0).round().max(1.0) / 100.0;
    backend
}

/// What advice chooses among.
const CONTENDERS: [Algorithm; 4] = [
    Algorithm::WeightedRoundRobin,
    Algorithm::WeightedLeastConn,
    Algorithm::TwoChoices,
    Algorithm::PeakEwma,
];

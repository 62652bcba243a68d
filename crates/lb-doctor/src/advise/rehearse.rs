use super::profile::Profile;
use super::recommend::Advice;
use crate::log::{Replay, ReplayOptions, Survey};
use crate::report::Setting;
use crate::simulate::{Backend, Comparison, Contender, Options, Service, SimulationError, compare};
use crate::spec::{grouped, show, three_digits, verb};
use lb_sched::Algorithm;
use lb_types::Weight;
use std::collections::HashMap;
use std::time::Duration;

/// How algorithms did with the requests of a log.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rehearsal {
    /// Each algorithm's outcome.
    pub comparison: Comparison,
    /// What was simulated, in words.
    pub setting: Setting,
}

impl Advice {
    /// Lets algorithms serve the requests of the log, on backends as fast as those of the log and with the weights of
    /// this advice, or on three equal ones; so fast that they are 70 % busy, or less where a log comes in bursts and most
    /// requests would wait. `None` for a log without durations: there is nothing to serve.
    ///
    /// # Errors
    /// [`SimulationError`], which should not happen for what a log can hold.
    pub fn rehearse(&self, profile: &Profile, seed: u64) -> Result<Option<Rehearsal>, SimulationError> {
        if profile.survey.timed == 0 {
            return Ok(None);
        }
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
        let scaled = Survey::of(records.clone());
        let mean = Duration::from_secs_f64(scaled.seconds / scaled.timed.max(1) as f64);
        let work = scaled.work(mean);
        let speeds: f64 = backends.iter().map(|b| b.speed).sum();
        let places = scaled.places(work, speeds);
        backends.iter_mut().for_each(|b| b.places = places);
        let mut options = ReplayOptions {
            seed,
            speedup: scaled.speedup(work, speeds * f64::from(places)),
            unknown: Service::Exponential { mean },
            ..ReplayOptions::default()
        };
        let serve = |contenders: &[Contender], options: &ReplayOptions| {
            let span = scaled.span().div_f64(options.speedup.max(1e-9));
            let requests = Replay::new(records.clone(), options.clone());
            compare(contenders, &backends, &Options::default(), requests, Some(span))
        };
        let bursts = calm(&mut options, serve)?;
        let mut contenders: Vec<Contender> = CONTENDERS.into_iter().map(Contender::from).collect();
        if !CONTENDERS.contains(&self.algorithm) {
            contenders.push(self.algorithm.into());
        }
        let mut setting = Setting::new("the requests of the log, in their order and with their durations.");
        setting.notes.push(Survey::pace(work, options.speedup));
        let untimed = scaled.requests - scaled.timed;
        if untimed > 0 {
            setting.notes.push(format!(
                "{} of them {} no duration in the log; {} given one by chance, {} on average like the others.",
                grouped(untimed),
                verb(untimed, "has", "have"),
                verb(untimed, "it is", "they are"),
                show(mean)
            ));
        }
        setting.notes.extend(bursts);
        let comparison = serve(&contenders, &options)?;
        Ok(Some(Rehearsal { comparison, setting }))
    }
}

/// Slows the requests down until no more than a few wait. A log that comes in bursts keeps backends busy for a time and
/// idle for long: 70 % on average would be lines that nobody saw when it was written. Says what it did.
fn calm(
    options: &mut ReplayOptions,
    serve: impl Fn(&[Contender], &ReplayOptions) -> Result<Comparison, SimulationError>,
) -> Result<Option<String>, SimulationError> {
    let probe = [Contender::from(Algorithm::WeightedLeastConn)];
    let mut first = None;
    for tries in 0..=SLOWER {
        let mut result = serve(&probe, options)?;
        if !result.is_line() {
            return Ok(first.map(|(waited, worked)| burst(waited, worked, result.offered)));
        }
        let waited = result
            .outcomes
            .first_mut()
            .map(|outcome| outcome.latency.quantile(50.0));
        let (waited, worked) = *first.get_or_insert((waited.unwrap_or_default(), result.work.quantile(50.0)));
        if tries == SLOWER || options.speedup / STEP < *Survey::SPEEDUPS.start() {
            return Ok(Some(burst(waited, worked, result.offered)));
        }
        options.speedup /= STEP;
    }
    Ok(None)
}

fn burst(waited: Duration, worked: Duration, offered: f64) -> String {
    format!(
        "The log comes in bursts: backends that are 70 % busy on average would have lines in which half of the requests wait {} where they \
         took {}. So that the figures are not those of lines that nobody saw, the backends are {} % busy here.",
        show(waited),
        show(worked),
        three_digits(offered * 100.0)
    )
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

/// How many times as slow each time, and how often: to a 65,536th.
const STEP: f64 = 4.0;
const SLOWER: u32 = 8;

//! The traffic of a simulation that is made up, from flags.

use super::Failure;
use super::args::Simulate;
use lb_doctor::report::Setting;
use lb_doctor::simulate::{Backend, Clients, Traffic};
use lb_doctor::spec::{grouped, per_second, span};
use std::time::Duration;

/// The traffic that the flags describe.
pub(crate) fn made_up(simulate: &Simulate, backends: &[Backend]) -> Result<Traffic, Failure> {
    let mut traffic = Traffic::new(1.0);
    traffic.arrivals = simulate
        .arrivals
        .parse()
        .map_err(|error| Failure::flag("--arrivals", error))?;
    if let Some(service) = &simulate.service {
        traffic.service = service.parse().map_err(|error| Failure::flag("--service", error))?;
    }
    traffic.clients =
        Clients::new(simulate.clients, simulate.zipf).map_err(|error| Failure::flag("--clients, --zipf", error))?;
    let capacity: f64 = backends
        .iter()
        .filter(|b| b.weight.get() > 0)
        .map(Backend::capacity)
        .sum();
    let most = capacity / traffic.service.mean().as_secs_f64().max(1e-9);
    traffic.per_second = match simulate.rate.as_deref().unwrap_or("70%").strip_suffix('%') {
        Some(percent) => most * share(percent)?,
        None => {
            per_second(simulate.rate.as_deref().unwrap_or_default()).map_err(|error| Failure::flag("--rate", error))?
        }
    };
    traffic.span = match (simulate.requests, &simulate.duration) {
        (Some(requests), _) => {
            Duration::try_from_secs_f64(requests as f64 / traffic.per_second.max(1e-9)).unwrap_or(Duration::MAX)
        }
        (None, Some(text)) => span(text).map_err(|error| Failure::flag("--duration", error))?,
        (None, None) => Duration::from_secs(60),
    };
    let requests = traffic.span.as_secs_f64() * traffic.per_second;
    if requests > MOST * 1.01 {
        return Err(Failure::Usage(format!(
            "about {} requests would come, and {} is the most: give a shorter --duration or a lower --rate",
            grouped(requests as u64),
            grouped(MOST as u64)
        )));
    }
    Ok(traffic)
}

/// What is simulated, for the head of the report.
pub(crate) fn setting(traffic: &Traffic, seed: u64) -> Setting {
    Setting::new(format!(
        "{} at {}/s, {}, {}; seed {seed}.",
        traffic.arrivals,
        rate(traffic.per_second),
        traffic.service,
        traffic.clients
    ))
}

fn rate(per_second: f64) -> String {
    if per_second >= 10.0 {
        grouped(per_second.round() as u64)
    } else {
        format!("{:.3}", per_second)
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    }
}

fn share(percent: &str) -> Result<f64, Failure> {
    let number = percent
        .parse()
        .ok()
        .filter(|percent: &f64| (0.1..=1000.0).contains(percent));
    number.map(|percent| percent / 100.0).ok_or_else(|| {
        Failure::Usage(format!(
            "--rate: \"{percent}%\" is out of range; give 0.1% to 1000%, or a rate as in 500/s"
        ))
    })
}

/// Requests of one simulation: minutes of work.
const MOST: f64 = 20e6;

use crate::log::{Log, Record, Survey};
use crate::simulate::Sample;
use std::collections::{HashMap, HashSet};
use std::io::BufRead;

/// What a log says about its traffic. Of the first 500,000 requests; the rest is not read.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Profile {
    /// How the log was read: the format, whether it was detected, and bad lines.
    pub reading: Vec<String>,
    /// The pool that is looked at; `None` when the log names none.
    pub pool: Option<String>,
    /// Other pools in the log, with their requests.
    pub other_pools: Vec<(String, u64)>,
    /// Counts, durations and span of the requests.
    pub survey: Survey,
    /// How long backends took.
    pub durations: Sample,
    /// Each backend that the log names, in the order of its names.
    pub backends: Vec<BackendProfile>,
    /// Different clients; behind a proxy those of whom it says that it forwarded for.
    pub clients: u64,
    /// Different addresses that connected, where the clients are taken from X-Forwarded-For.
    pub proxies: Option<u64>,
    /// The part of all requests that came from the client that sent most: 0 to 1.
    pub busiest_client: f64,
    /// Requests of clients whom the balancer knew.
    pub persisted: u64,
    /// Requests that ended with status 500 or above.
    pub failed: u64,
    pub(super) records: Vec<Record>,
}

/// What a log says about one backend.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BackendProfile {
    /// Its name or address in the log.
    pub name: String,
    /// Requests that it served.
    pub requests: u64,
    /// Those that ended with status 500 or above.
    pub failed: u64,
    /// How long it took.
    pub durations: Sample,
    pub(super) number: u16,
}

impl Profile {
    /// Reads up to 500,000 requests of `log`: those of `pool`, or of the pool that has most.
    pub fn read<R: BufRead>(log: &mut Log<R>, pool: Option<&str>) -> Self {
        let mut records: Vec<Record> = log.by_ref().take(MOST).collect();
        let is_whole = records.len() < MOST;
        let mut counts = vec![0_u64; log.pools().len()];
        for number in records.iter().filter_map(|record| record.pool) {
            if let Some(count) = counts.get_mut(usize::from(number)) {
                *count += 1;
            }
        }
        let most = counts
            .iter()
            .enumerate()
            .max_by_key(|(_, count)| **count)
            .map(|(number, _)| number);
        let chosen = match pool {
            Some(name) => log.pools().iter().position(|known| known == name),
            None => most,
        };
        if pool.is_some() || chosen.is_some() {
            records.retain(|record| record.pool.map(usize::from) == chosen && (chosen.is_some() || pool.is_none()));
        }
        let name_and_count = |(number, count): (usize, &u64)| Some((log.pools().get(number)?.clone(), *count));
        let others = counts.iter().enumerate().filter(|(number, _)| Some(*number) != chosen);
        let mut profile = Self {
            reading: reading(log, is_whole),
            pool: chosen.and_then(|number| log.pools().get(number).cloned()),
            other_pools: others.filter_map(name_and_count).collect(),
            survey: Survey::default(),
            durations: Sample::keeping(MOST),
            backends: Vec::new(),
            clients: 0,
            proxies: None,
            busiest_client: 0.0,
            persisted: 0,
            failed: 0,
            records,
        };
        profile.see_through();
        profile.count(log.backends());
        profile
    }

    /// Takes the last element of X-Forwarded-For for the client where nearly all requests have one and few addresses stand for
    /// many more of them: that is what a proxy in front looks like. The elements before the last are what clients wrote.
    fn see_through(&mut self) {
        let different =
            |of: fn(&Record) -> Option<u64>| self.records.iter().filter_map(of).collect::<HashSet<u64>>().len() as u64;
        let (peers, clients) = (different(|record| record.client), different(|record| record.forwarded));
        let forwarded = self.records.iter().filter(|record| record.forwarded.is_some()).count();
        if forwarded < self.records.len() - self.records.len() / 10
            || clients < 2
            || clients < peers.saturating_mul(CLIENTS_OF_A_PROXY)
        {
            return;
        }
        self.proxies = Some(peers);
        for record in &mut self.records {
            record.client = record.forwarded.or(record.client);
        }
    }

    fn count(&mut self, names: &[String]) {
        let mut clients: HashMap<u64, u64> = HashMap::new();
        let mut backends: HashMap<u16, BackendProfile> = HashMap::new();
        for record in &self.records {
            self.survey.add(record);
            self.persisted += u64::from(record.persisted);
            self.failed += u64::from(record.failed);
            if let Some(client) = record.client {
                *clients.entry(client).or_default() += 1;
            }
            if let Some(took) = record.duration {
                self.durations.add(took);
            }
            let Some(number) = record.backend else { continue };
            let backend = backends.entry(number).or_insert_with(|| BackendProfile {
                name: names.get(usize::from(number)).cloned().unwrap_or_default(),
                requests: 0,
                failed: 0,
                durations: Sample::keeping(MOST),
                number,
            });
            backend.requests += 1;
            backend.failed += u64::from(record.failed);
            if let Some(took) = record.duration {
                backend.durations.add(took);
            }
        }
        self.clients = clients.len() as u64;
        let busiest = clients.values().max().copied().unwrap_or(0);
        self.busiest_client = busiest as f64 / self.survey.requests.max(1) as f64;
        self.backends = backends.into_values().collect();
        self.backends.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// p95 divided by p50 of the durations; `None` when none is known, or when half of them are zero.
    #[must_use]
    pub fn spread(&mut self) -> Option<f64> {
        let (p50, p95) = (self.durations.quantile(50.0), self.durations.quantile(95.0));
        (self.durations.count() > 0 && !p50.is_zero()).then(|| p95.as_secs_f64() / p50.as_secs_f64())
    }
}

fn reading<R: BufRead>(log: &Log<R>, is_whole: bool) -> Vec<String> {
    let mut lines = log.reading();
    if !is_whole {
        lines.push("Only the first 500,000 requests were read.".to_owned());
    }
    lines
}

/// Clients behind each address from which on it is one of a proxy.
const CLIENTS_OF_A_PROXY: u64 = 2;
/// Requests that are read: 34 MiB of records.
const MOST: usize = 500_000;

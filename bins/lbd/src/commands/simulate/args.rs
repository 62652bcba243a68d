//! The command line of `lbd simulate`.

use clap::Args;
use lb_doctor::simulate::Options;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Simulate {
    /// One of the five built-in scenarios, 1 to 5
    #[arg(long, value_name = "N", conflicts_with_all = ["backends", "backend", "config", "rate", "service", "html", "algorithm", "list"])]
    pub(crate) scenario: Option<u8>,
    /// List the built-in scenarios
    #[arg(long, conflicts_with_all = ["backends", "backend", "config", "html", "json"])]
    pub(crate) list: bool,

    /// Backends by their weights: 10,10,5; or 1*20 for twenty of weight 1 [default: 1*4]
    #[arg(long, value_name = "WEIGHTS", help_heading = "Backends", conflicts_with = "config")]
    pub(crate) backends: Option<String>,
    /// One backend: name=web1,weight=10,speed=0.5,concurrency=8,limit=100,held=50,fail=30s..60s,
    /// slow=10s..20s*0.1,join=30s,slow_start=10s (any of these); may be repeated
    #[arg(
        long,
        value_name = "KEY=VALUE,..",
        help_heading = "Backends",
        conflicts_with = "config"
    )]
    pub(crate) backend: Vec<String>,
    /// The backends, limits, retries and health of a configuration file
    #[arg(long, short, value_name = "FILE", help_heading = "Backends")]
    pub(crate) config: Option<PathBuf>,
    /// Which pool of the file [default: the only one]
    #[arg(long, value_name = "NAME", help_heading = "Backends", requires = "config")]
    pub(crate) pool: Option<String>,
    /// How many requests a backend works on at once, where it does not say [default: 4; with a log: what fits its load]
    #[arg(long, value_name = "N", help_heading = "Backends", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) concurrency: Option<u32>,
    /// How long it takes to notice that a backend died or recovered [default: 2s, or as the file says]
    #[arg(long, value_name = "TIME", help_heading = "Backends")]
    pub(crate) detect: Option<String>,
    /// How often a refused request is tried at another backend [default: 2, or as the file says]
    #[arg(long, value_name = "N", help_heading = "Backends")]
    pub(crate) retries: Option<u8>,

    /// How many requests come: 500/s, 2.5k/s, 30/m; or 70% of what the backends can do [default: 70%]
    #[arg(long, value_name = "RATE", help_heading = "Traffic")]
    pub(crate) rate: Option<String>,
    /// For how long they come [default: 60s]
    #[arg(long, value_name = "TIME", help_heading = "Traffic", conflicts_with = "requests")]
    pub(crate) duration: Option<String>,
    /// About how many come in all, instead of --duration
    #[arg(long, value_name = "N", help_heading = "Traffic", value_parser = clap::value_parser!(u64).range(1..=20_000_000))]
    pub(crate) requests: Option<u64>,
    /// When they come: poisson, uniform, bursts:1s/9s (on/off; the rate is the average)
    #[arg(long, value_name = "KIND", help_heading = "Traffic", default_value = "poisson")]
    pub(crate) arrivals: String,
    /// How much work they are: const:20ms, exp:20ms, lognormal:20ms:1.0 (mean, sigma), pareto:20ms:1.5 (mean, shape),
    /// mix:2ms*95+2s*5 (parts) [default: exp:20ms; with a log: its own]
    #[arg(long, value_name = "KIND:TIME", help_heading = "Traffic")]
    pub(crate) service: Option<String>,
    /// How many clients they come from: what the hash algorithms place by
    #[arg(long, value_name = "N", help_heading = "Traffic", default_value_t = 1000)]
    pub(crate) clients: u32,
    /// Zipf's exponent: 0 when clients send alike, 1 when a few send much
    #[arg(long, value_name = "S", help_heading = "Traffic", default_value_t = 0.0)]
    pub(crate) zipf: f64,
    /// The same seed gives the same requests
    #[arg(long, value_name = "N", help_heading = "Traffic", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Send the requests of an access log again; it is read twice
    #[arg(long, value_name = "FILE", help_heading = "Traffic", conflicts_with_all = ["rate", "duration", "requests"])]
    pub(crate) log: Option<PathBuf>,
    /// What its lines look like: auto, combined, nginx, apache, json, haproxy, alb
    #[arg(
        long,
        value_name = "FORMAT",
        help_heading = "Traffic",
        default_value = "auto",
        requires = "log"
    )]
    pub(crate) format: String,
    /// So many times as fast as it came [default: so fast that the backends are 70 % busy]
    #[arg(long, value_name = "TIMES", help_heading = "Traffic", requires = "log")]
    pub(crate) speedup: Option<f64>,

    /// Compare these only: least_conn,ring:125 (with a load bound of 125 %) [default: all that fit]
    #[arg(long, value_name = "WORDS", help_heading = "Result", value_delimiter = ',')]
    pub(crate) algorithm: Vec<String>,
    /// Print JSON
    #[arg(long, help_heading = "Result")]
    pub(crate) json: bool,
    /// Write one self-contained page with plots
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    pub(crate) html: Option<PathBuf>,
    /// Write over a file that is no such page
    #[arg(long, help_heading = "Result", requires = "html")]
    pub(crate) force: bool,
}

const HELP: &str = "\
Examples:
  lbd simulate                                             # four backends at 70 % of what they can do
  lbd simulate --scenario 2                                # a new server among held connections
  lbd simulate --backends 10,10,5 --rate 300/s --service lognormal:20ms:1.5
  lbd simulate --backends '1*19' --backend name=slow,speed=0.1 --html slow.html
  lbd simulate --backend name=a,fail=20s..40s --backend name=b --backend name=c --detect 5s
  lbd simulate --config lbd.toml --pool app --rate 2k/s
  lbd simulate --log access.log --backends 3,2,1 --html replay.html

Every algorithm gets the same requests, and its picks are made by the code that serves traffic. Requests beyond
what a backend works on at once wait there in a line. Columns: queue is the mean number of waiting requests at
all backends, worst the longest line at one; imbalance is the largest share beside the one its weight asks for;
moved are keys that change their backend when the last one is lost, or one more is added.
Exit codes: 0 done, 1 failure while running, 2 wrong usage, 3 wrong configuration or a log that cannot be read";

impl Simulate {
    /// Is anything said about backends?
    pub(crate) fn names_backends(&self) -> bool {
        self.backends.is_some() || !self.backend.is_empty() || self.config.is_some()
    }
}

/// How the balancer behaves, where neither flags nor a file say.
pub(crate) fn usual() -> Options {
    Options::default()
}

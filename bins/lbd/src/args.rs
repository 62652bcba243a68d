//! The command line.

use clap::{Args, Parser, Subcommand};
use std::path::{Path, PathBuf};

/// A load balancer that costs less, explains itself and does not crash.
#[derive(Debug, Parser)]
#[command(name = "lbd", version, about, after_help = EXAMPLES, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start three small backends and a balancer in front of them, to look at and play with
    Demo(Demo),
    /// Balance traffic
    #[command(after_help = RUN_EXAMPLES)]
    Run(Run),
    /// Check a configuration file and say everything that is wrong with it
    Check(Check),
    Status(crate::commands::admin::args::Status),
    Backend(crate::commands::admin::args::Backend),
    Cert(crate::commands::cert::args::Cert),
    Tls(crate::commands::tls::Tls),
    /// Let all algorithms serve the same traffic on a virtual clock, side by side, before one serves yours
    Simulate(Box<crate::commands::simulate::args::Simulate>),
    Advise(crate::commands::advise::Advise),
    Explain(crate::commands::explain::Explain),
    /// Print the version
    Version,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The port of 127.0.0.1 to listen on; without it 8080 or the next one that is free
    #[arg(long, short, value_name = "PORT")]
    pub(crate) port: Option<u16>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The configuration file (TOML)
    #[arg(value_name = "FILE", conflicts_with_all = ["config", "listen", "to", "algorithm", "socket"], required_unless_present_any = ["config", "listen"])]
    file: Option<PathBuf>,
    /// The same
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["listen", "to", "algorithm", "socket"])]
    config: Option<PathBuf>,
    /// An address to listen on for HTTP; may be repeated
    #[arg(long, value_name = "ADDRESS", requires = "to")]
    pub(crate) listen: Vec<String>,
    /// A backend, with a weight after `*`; may be repeated
    #[arg(long, value_name = "ADDRESS[*WEIGHT]", requires = "listen")]
    pub(crate) to: Vec<String>,
    /// Who gets the next request: weighted_round_robin (default), round_robin, least_conn, two_choices, peak_ewma,
    /// random, ring, maglev, rendezvous or first
    #[arg(long, value_name = "WORD", requires = "listen")]
    pub(crate) algorithm: Option<String>,
    /// Answer `lbd status` and `lbd backend` at this Unix socket
    #[arg(long, value_name = "PATH", requires = "listen")]
    pub(crate) socket: Option<PathBuf>,
}

impl Run {
    /// The configuration file, if one was named.
    pub(crate) fn path(&self) -> Option<&PathBuf> {
        self.file.as_ref().or(self.config.as_ref())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration file (TOML)
    #[arg(value_name = "FILE", conflicts_with = "config", required_unless_present = "config")]
    file: Option<PathBuf>,
    /// The same
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Check {
    /// The configuration file.
    pub(crate) fn path(&self) -> &Path {
        // one of the two is there: clap sees to it
        self.file
            .as_ref()
            .or(self.config.as_ref())
            .map_or(Path::new(""), PathBuf::as_path)
    }
}

const EXAMPLES: &str = "\
Examples:
  lbd demo
  lbd run --listen 127.0.0.1:8080 --to 127.0.0.1:9001 --to 127.0.0.1:9002*3
  lbd run lbd.toml
  lbd check lbd.toml
  lbd status --config lbd.toml
  lbd backend drain app/10.0.0.1:80 --config lbd.toml
  lbd cert doctor fullchain.pem privkey.pem
  lbd cert scan www.example.com:443
  lbd tls suites
  lbd simulate --backends 10,10,5 --html algorithms.html
  lbd advise /var/log/nginx/access.log
  lbd explain scheduler

Signals of `run`:
  HUP   read the configuration file again; a bad one changes nothing
  TERM  stop accepting, finish what is under way, exit 0 (INT the same; twice: at once)
  USR1  print the state of pools and backends to standard error

Exit codes: 0 done, 1 failure while running, 2 wrong usage, 3 wrong configuration or damaged input,
4 the answer of `lbd cert` is no";

const RUN_EXAMPLES: &str = "\
Examples:
  lbd run lbd.toml
  lbd run --listen 127.0.0.1:8080 --to 127.0.0.1:9001 --to 127.0.0.1:9002*3
  lbd run --listen 127.0.0.1:8080 --to 127.0.0.1:9001 --to 127.0.0.1:9002 --algorithm least_conn
  lbd run --listen [::]:80 --to app1.internal:8080 --to app2.internal:8080

Host names are resolved once, when the configuration is loaded.
Exit codes: 0 done, 1 failure while running, 2 wrong usage, 3 wrong configuration";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_file_and_a_one_liner_exclude_each_other() {
        let parse = |line: &str| Arguments::try_parse_from(line.split(' '));
        assert!(parse("lbd run --config a.toml").is_ok());
        assert!(parse("lbd run a.toml").is_ok());
        assert!(parse("lbd check a.toml").is_ok());
        assert!(parse("lbd check --config a.toml").is_ok());
        assert!(parse("lbd check -c a.toml").is_ok());
        for wrong in [
            "lbd check",
            "lbd check a.toml --config b.toml",
            "lbd check a.toml b.toml",
            "lbd run a.toml --config b.toml",
            "lbd run a.toml --listen 127.0.0.1:1 --to 127.0.0.1:2",
            "lbd run a.toml --socket /tmp/s",
            "lbd demo --port 65536",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse("lbd demo --port 9000").is_ok());
        assert!(parse("lbd run --listen 127.0.0.1:1 --to 127.0.0.1:2 --to 127.0.0.1:3*3").is_ok());
        assert!(parse("lbd run --listen 127.0.0.1:1 --to 127.0.0.1:2 --algorithm ring").is_ok());
        assert!(parse("lbd run --config a.toml --algorithm ring").is_err());
        assert!(parse("lbd run").is_err());
        assert!(parse("lbd run --config a.toml --listen 127.0.0.1:1 --to 127.0.0.1:2").is_err());
        assert!(parse("lbd run --listen 127.0.0.1:1").is_err());
        assert!(parse("lbd").is_err());
    }
}

//! The command line of `lbd status` and `lbd backend`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Show the pools, backends and listeners of a running lbd
#[derive(Debug, Args)]
#[command(after_help = STATUS_EXAMPLES)]
pub(crate) struct Status {
    /// Only this pool
    #[arg(long, short, value_name = "NAME")]
    pub(crate) pool: Option<String>,
    /// The certificates that clients are shown: whom for, how long still, from which file
    #[arg(long, conflicts_with = "pool")]
    pub(crate) certificates: bool,
    /// As JSON, with everything there is (docs/admin.md describes it)
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// Take backends of a running lbd out and back in, and change their weights
#[derive(Debug, Args)]
#[command(after_help = BACKEND_EXAMPLES, disable_help_subcommand = true)]
pub(crate) struct Backend {
    #[command(subcommand)]
    pub(crate) order: BackendOrder,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BackendOrder {
    /// No new clients; those that are known still come, and what is under way goes on
    Drain(Backends),
    /// Back to work: health decides again, whatever the configuration says of `drain`
    Ready(Backends),
    /// No clients and no probes; what is under way goes on
    #[command(visible_alias = "maint", alias = "maintenance")]
    Maintain(Backends),
    /// Forced up: takes clients whatever its probes say
    Up(Backends),
    /// Change the weight: 0 (known clients only) to 256
    Weight(Weight),
    /// Forget what was ordered: the configuration counts again
    Reset(Backends),
}

#[derive(Debug, Args)]
pub(crate) struct Backends {
    /// A backend as `lbd status` shows it; several at once are all changed or none
    #[arg(value_name = "POOL/BACKEND", required = true)]
    pub(crate) backends: Vec<String>,
    /// Show the backends afterwards as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

#[derive(Debug, Args)]
pub(crate) struct Weight {
    /// The weight, 0 to 256; it may also stand behind the backends
    #[arg(value_name = "N")]
    pub(crate) weight: String,
    #[command(flatten)]
    pub(crate) backends: Backends,
}

/// How to reach the program.
#[derive(Debug, Clone, Args)]
pub(crate) struct Reach {
    /// The socket of the program, as its `[admin]` section names it [default: /run/lbd/admin.sock]
    #[arg(long, short, value_name = "PATH", conflicts_with = "config")]
    pub(crate) socket: Option<PathBuf>,
    /// The configuration file of the program, to find the socket in
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

const STATUS_EXAMPLES: &str = "\
Examples:
  lbd status
  lbd status --config lbd.toml --pool app
  lbd status --socket /tmp/lbd.sock --json | jq '.pools[].backends[] | select(.state == \"down\")'

LAST TEN are the results of the last ten probes, newest first: `.` good, `x` bad. NEXT is when the next one is due.
The program needs an [admin] section in its configuration, or `lbd run --listen .. --to .. --socket PATH`.
Exit codes: 0 done, 1 no answer or unknown pool, 2 wrong usage, 3 wrong configuration";

const BACKEND_EXAMPLES: &str = "\
Examples:
  lbd backend drain app/10.0.0.1:80
  lbd backend drain app/web1 app/web2 --config lbd.toml
  lbd backend weight 50 app/web1
  lbd backend maintain app/web1      # and later: lbd backend ready app/web1
  lbd backend reset app/web1         # what the configuration says counts again

An order is in force when the command returns: the next request follows it, and no connection is closed for it.
Orders stay over reloads, until the file changes what it says of the same thing; a restart forgets them.
Exit codes: 0 done; 1 unknown backend or refused (nothing was changed), or no answer (look with `lbd status`);
2 wrong usage; 3 wrong configuration";

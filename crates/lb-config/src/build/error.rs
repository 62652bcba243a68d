use lb_balance::route::{HostError, PrefixError, RouteError};
use lb_persist::{CookieInsertError, NetmaskError};
use lb_sched::BoundedLoadError;
use std::error::Error;
use std::fmt;

/// A part of a plan that the data plane does not take.
///
/// Each names the value, and the pool or the listener it stands in; the reason is the [source](Error::source).
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A bound on loads that would leave the last requests without a place, or bound nothing.
    #[error("pool {pool:?} cannot bound loads at {percent} percent of the mean")]
    BoundedLoad {
        /// The pool.
        pool: String,
        /// What was asked for.
        percent: u16,
        /// The reason.
        source: BoundedLoadError,
    },
    /// A netmask longer than the address.
    #[error("pool {pool:?} cannot know clients by {netmask_v4} bits of IPv4 and {netmask_v6} bits of IPv6")]
    ClientIp {
        /// The pool.
        pool: String,
        /// IPv4 bits that make one client.
        netmask_v4: u8,
        /// IPv6 bits that make one client.
        netmask_v6: u8,
        /// The reason.
        source: NetmaskError,
    },
    /// A cookie that browsers would not keep.
    #[error("pool {pool:?} cannot know clients by the cookie {cookie:?}")]
    CookieInsert {
        /// The pool.
        pool: String,
        /// The cookie's name.
        cookie: String,
        /// The reason.
        source: CookieInsertError,
    },
    /// Backends, ways of persistence and algorithm that make no pool together.
    #[error("pool {pool:?} cannot be made of its {backends} backends")]
    Pool {
        /// The pool.
        pool: String,
        /// How many backends it has.
        backends: usize,
        /// The reason.
        source: lb_balance::BuildError,
    },
    /// A listener or a route that points to no pool.
    #[error("listener {listener:?} sends to pool number {pool}, but there are {pools}")]
    NoSuchPool {
        /// The listener.
        listener: String,
        /// The position it names, from 0.
        pool: usize,
        /// How many pools there are.
        pools: usize,
    },
    /// A route for what is no host.
    #[error("listener {listener:?} has a route for {host:?}, which is no host")]
    Host {
        /// The listener.
        listener: String,
        /// What was given.
        host: String,
        /// The reason.
        source: HostError,
    },
    /// A route for what is no prefix of paths.
    #[error("listener {listener:?} has a route for {path:?}, which is no prefix of paths")]
    Path {
        /// The listener.
        listener: String,
        /// What was given.
        path: String,
        /// The reason.
        source: PrefixError,
    },
    /// No counts can be kept of the clients of a listener.
    #[error("listener {listener:?} cannot count the connections of each client")]
    PerClient {
        /// The listener.
        listener: String,
        /// The reason.
        source: lb_guard::CapsError,
    },
    /// TLS that clients of a listener cannot be served.
    #[error("listener {listener:?} cannot speak TLS")]
    ServerTls {
        /// The listener.
        listener: String,
        /// The reason.
        source: Box<lb_tls::BuildError>,
    },
    /// TLS that a backend cannot be spoken to over.
    #[error("pool {pool:?} cannot speak TLS with backend {backend:?}")]
    UpstreamTls {
        /// The pool.
        pool: String,
        /// The backend.
        backend: String,
        /// The reason.
        source: Box<lb_tls::BuildError>,
    },
    /// A plan that names files which were not loaded: it was changed after it was resolved.
    #[error("{owner:?} has certificates or lists of addresses that were not loaded")]
    NotLoaded {
        /// The listener or pool.
        owner: String,
    },
    /// Routes that make no table.
    #[error("listener {listener:?} has routes that cannot stand together")]
    Routes {
        /// The listener.
        listener: String,
        /// The reason.
        source: RouteError,
    },
}

impl BuildError {
    /// What to change, by the names that the keys have in a file.
    #[must_use]
    pub const fn mend(&self) -> &'static str {
        match self {
            Self::BoundedLoad { .. } => "give `bounded_load_percent` a number from 101 to 1000, or leave it out",
            Self::ClientIp { .. } => "give `netmask_v4` at most 32 bits and `netmask_v6` at most 128",
            Self::CookieInsert { .. } => "change the cookie's `name`, `path`, `domain` or `max_age` as the reason says",
            Self::Pool { .. } => {
                "change the pool's `backends`, `persistence`, `algorithm` or `table_size` as the reason says"
            }
            Self::NoSuchPool { .. } => "define the pool, or let the route name one that is defined",
            Self::Host { .. } => {
                "write the `host` as browsers send it: a name, `*.` and a name, or an address, without a port"
            }
            Self::Path { .. } => "write the `path` in normal form: it begins with a slash, and has no query",
            Self::PerClient { .. } => "change `max_connections_per_client`, `client_prefix_v4` or `client_prefix_v6`",
            Self::ServerTls { .. } => {
                "change the `certificates`, `sites` or times of [listeners.tls] as the reason says"
            }
            Self::UpstreamTls { .. } => {
                "give the backend a `server_name` that a certificate can have, or change [pools.tls]"
            }
            Self::NotLoaded { .. } => "write the change into the file, and resolve it again",
            Self::Routes { .. } => "leave out one of the two routes, or give it another `host` or `path`",
        }
    }
}

/// Everything in a plan that the data plane does not take: at least one part.
///
/// `Display` prints each with its reasons and its mend.
#[derive(Debug, Clone, PartialEq)]
pub struct BuildErrors(Vec<BuildError>);

impl BuildErrors {
    /// `Err` if there is one.
    pub(super) fn none_in(errors: Vec<BuildError>) -> Result<(), Self> {
        if errors.is_empty() { Ok(()) } else { Err(Self(errors)) }
    }

    /// Pools first, then listeners, in the order of the plan.
    pub fn iter(&self) -> impl Iterator<Item = &BuildError> {
        self.0.iter()
    }
}

impl fmt::Display for BuildErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
            let mut reason = error.source();
            while let Some(error) = reason {
                write!(f, ": {error}")?;
                reason = error.source();
            }
            write!(f, "\n  = help: {}", error.mend())?;
        }
        Ok(())
    }
}

impl Error for BuildErrors {}

use crate::state::{Backend, State};
use lb_health::Admin;
use lb_types::Weight;
use lb_types::nearest;
use std::future::Future;
use std::pin::Pin;

/// The program as the admin API sees it. The program implements it; this crate only speaks HTTP.
///
/// Each call may wait, because whoever knows the answer may be busy; nothing here may block the thread.
pub trait Control: Send + Sync {
    /// What there is to see.
    ///
    /// # Errors
    /// [`ControlError::UnknownPool`] and [`ControlError::UnknownBackend`] when the name is nobody's;
    /// [`ControlError::Gone`] at the end of the program.
    fn state(&self, which: Which) -> Pending<'_, State>;

    /// Carries out all of these orders or none. It is over when they are in force: the next pick follows them. The
    /// answer shows the backends afterwards, one for each order.
    ///
    /// # Errors
    /// Every [`ControlError`].
    fn order(&self, orders: Vec<Order>) -> Pending<'_, Vec<Backend>>;
}

/// An answer to come.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, ControlError>> + Send + 'a>>;

/// What somebody wants to see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Which {
    /// Everything.
    #[default]
    All,
    /// The process and the listeners, no pool.
    Process,
    /// The process, the listeners and this pool.
    Pool(String),
    /// The process, the listeners and this pool with this backend alone.
    Backend {
        /// The pool.
        pool: String,
        /// The backend in it.
        backend: String,
    },
}

/// What an operator wants of one backend. Whatever is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The name of the pool.
    pub pool: String,
    /// The name of the backend in it.
    pub backend: String,
    /// Its state.
    pub admin: Wish<Admin>,
    /// Its weight.
    pub weight: Wish<Weight>,
}

/// What becomes of one setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wish<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// What the configuration says counts again.
    Forget,
    /// This counts from now on, until another order, or until the configuration says something new.
    Set(T),
}

impl Order {
    /// Nothing yet for this backend.
    #[must_use]
    pub fn new(pool: &str, backend: &str) -> Self {
        Self {
            pool: pool.to_owned(),
            backend: backend.to_owned(),
            admin: Wish::Keep,
            weight: Wish::Keep,
        }
    }

    /// The same with this state.
    #[must_use]
    pub fn with_admin(mut self, admin: Wish<Admin>) -> Self {
        self.admin = admin;
        self
    }

    /// The same with this weight.
    #[must_use]
    pub fn with_weight(mut self, weight: Wish<Weight>) -> Self {
        self.weight = weight;
        self
    }
}

/// Why the program does not answer, or does not obey.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// There is no pool of this name.
    #[error("there is no pool {name:?}")]
    UnknownPool {
        /// The name that was asked for.
        name: String,
        /// What to do about it.
        mend: String,
        /// The pool that may have been meant.
        near: Option<String>,
    },
    /// The pool has no backend of this name.
    #[error("pool {pool:?} has no backend {name:?}")]
    UnknownBackend {
        /// The pool.
        pool: String,
        /// The name that was asked for.
        name: String,
        /// What to do about it.
        mend: String,
        /// The backend that may have been meant, as `POOL/BACKEND`.
        near: Option<String>,
    },
    /// The program was told to stop and takes no more orders.
    #[error("the program is stopping and takes no more orders")]
    Stopping,
    /// The program understood and cannot do it.
    #[error("{reason}")]
    Refused {
        /// Why.
        reason: String,
        /// What to do about it.
        mend: String,
    },
    /// The program ends.
    #[error("the program has just ended")]
    Gone,
}

impl ControlError {
    /// A pool that is not there, with the one that may have been meant.
    #[must_use]
    pub fn unknown_pool<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> Self {
        let near = nearest(name, known.clone()).map(str::to_owned);
        Self::UnknownPool {
            name: shortened(name),
            mend: mend(near.as_deref(), "pools", known),
            near,
        }
    }

    /// A backend that is not there, with the one that may have been meant. `known` are the names in the pool, `others` those
    /// of all pools with their pools: an address in another pool was perhaps meant there.
    #[must_use]
    pub fn unknown_backend<'a>(
        pool: &str,
        name: &str,
        known: impl Iterator<Item = &'a str> + Clone,
        mut others: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let near = nearest(name, known.clone())
            .map(|name| format!("{pool}/{name}"))
            .or_else(|| {
                others
                    .find(|(_, other)| *other == name)
                    .map(|(pool, name)| format!("{pool}/{name}"))
            });
        Self::UnknownBackend {
            pool: pool.to_owned(),
            name: shortened(name),
            mend: mend(near.as_deref(), "backends", known),
            near,
        }
    }

    /// One word for programs, stable between versions.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::UnknownPool { .. } => "unknown_pool",
            Self::UnknownBackend { .. } => "unknown_backend",
            Self::Stopping => "stopping",
            Self::Refused { .. } => "refused",
            Self::Gone => "gone",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn mend(&self) -> &str {
        match self {
            Self::UnknownPool { mend, .. } | Self::UnknownBackend { mend, .. } | Self::Refused { mend, .. } => mend,
            Self::Stopping => "send the order to the program that takes its place",
            Self::Gone => "start it again, or ask the program that took its place",
        }
    }

    /// The name that may have been meant.
    #[must_use]
    pub fn near(&self) -> Option<&str> {
        match self {
            Self::UnknownPool { near, .. } | Self::UnknownBackend { near, .. } => near.as_deref(),
            _ => None,
        }
    }
}

fn mend<'a>(near: Option<&str>, what: &str, known: impl Iterator<Item = &'a str>) -> String {
    if let Some(near) = near {
        return format!("did you mean {near:?}?");
    }
    let mut names: Vec<&str> = known.take(SHOWN + 1).collect();
    let more = names.len() > SHOWN;
    names.truncate(SHOWN);
    let dots = if more { ", .." } else { "" };
    format!("{what}: {}{dots}", names.join(", "))
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST {
        return name.to_owned();
    }
    name.chars().take(LONGEST).chain("..".chars()).collect()
}

/// Names listed when none is near.
const SHOWN: usize = 10;
/// Of a name that nobody has, so much is repeated.
const LONGEST: usize = 100;

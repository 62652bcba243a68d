//! A worker's own side of a snapshot: what it needs per request without touching shared counts.

use crate::core::Core;
use crate::http::idle::{Idle, UpstreamKey};
use crate::options::{HttpOptions, ListenerOptions, PoolOptions, Service};
use crate::preface::Crowd;
use crate::snapshot::{ListenerEntry, PoolEntry, Snapshot};
use lb_balance::{Backend, Picker, RetryBudget, RetryOptions};
use lb_telemetry::{BackendCounters, ListenerCounters, PoolCounters};
use lb_types::{Slot, Time};
use std::cell::{Cell, RefCell};
use std::num::NonZeroU64;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// A listener under one snapshot.
#[derive(Debug)]
pub(crate) struct ListenerView {
    pub(crate) entry: Arc<ListenerEntry>,
    pub(crate) counters: Arc<ListenerCounters>,
    pools: Rc<[Rc<PoolView>]>,
}

/// A pool under one snapshot.
#[derive(Debug)]
pub(crate) struct PoolView {
    pub(crate) entry: Arc<PoolEntry>,
    pub(crate) picker: RefCell<Picker>,
    pub(crate) budget: RefCell<RetryBudget>,
    pub(crate) counters: Arc<PoolCounters>,
    /// By slot.
    backends: Vec<BackendView>,
}

/// A backend under one snapshot.
#[derive(Debug)]
struct BackendView {
    idle: Rc<Idle>,
    counters: Arc<BackendCounters>,
}

/// A listener's place over all snapshots: connections ask here for the newest view.
#[derive(Debug)]
pub(crate) struct ListenerHandle {
    /// The same in every view of it.
    pub(crate) counters: Arc<ListenerCounters>,
    view: RefCell<Rc<ListenerView>>,
    closed: Cell<bool>,
    /// Clients that are in front of its service.
    pub(crate) crowd: Crowd,
}

/// How a listener passes bytes on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BytesView {
    /// Where to; `None`: each connection knows its own.
    pub(crate) pool: Option<usize>,
    pub(crate) idle_timeout: Duration,
    pub(crate) access_log: bool,
}

impl ListenerView {
    pub(crate) fn options(&self) -> &ListenerOptions {
        &self.entry.options
    }

    pub(crate) fn http(&self) -> Option<&HttpOptions> {
        match &self.entry.options.service {
            Service::Http(http) => Some(http),
            Service::Tcp(_) | Service::Passthrough(_) => None,
        }
    }

    /// How bytes are passed on, if that is all that it does.
    pub(crate) fn bytes(&self) -> Option<BytesView> {
        match &self.entry.options.service {
            Service::Tcp(tcp) => Some(BytesView {
                pool: Some(tcp.pool),
                idle_timeout: tcp.idle_timeout,
                access_log: tcp.access_log,
            }),
            Service::Passthrough(passthrough) => Some(BytesView {
                pool: None,
                idle_timeout: passthrough.idle_timeout,
                access_log: passthrough.access_log,
            }),
            Service::Http(_) => None,
        }
    }

    pub(crate) fn pool(&self, index: usize) -> Option<&Rc<PoolView>> {
        self.pools.get(index)
    }
}

impl PoolView {
    pub(crate) fn options(&self) -> &PoolOptions {
        &self.entry.options
    }

    /// The name of a backend, for the log.
    pub(crate) fn name_of(&self, slot: Slot) -> &str {
        let backend = self.entry.pool.backends().get(slot.index());
        backend.map_or("", |backend| &backend.name)
    }

    /// What is said ahead of the first request to a backend is part of it.
    pub(crate) fn key(&self, slot: Slot) -> Option<UpstreamKey> {
        let backend = self.entry.pool.backends().get(slot.index())?;
        Some(key(&self.entry, backend, slot))
    }

    /// The connections to a backend that wait for work.
    pub(crate) fn idle(&self, slot: Slot) -> Option<&Idle> {
        self.backends.get(slot.index()).map(|backend| &*backend.idle)
    }

    /// What is counted of a backend.
    pub(crate) fn counters_of(&self, slot: Slot) -> Option<&Arc<BackendCounters>> {
        self.backends.get(slot.index()).map(|backend| &backend.counters)
    }

    /// May another backend be tried for a request after so many that were paid for? `free`: the last one refused the
    /// connection at once; such an attempt is bounded by the backends alone, unless there are to be no others at all.
    pub(crate) fn may_retry(&self, paid: u8, free: bool, now: Time) -> bool {
        let most = self.options().retries;
        if free {
            most > 0
        } else {
            paid < most && self.budget.borrow_mut().try_withdraw(now)
        }
    }
}

impl ListenerHandle {
    pub(crate) fn new(view: Rc<ListenerView>) -> Rc<Self> {
        Rc::new(Self {
            counters: Arc::clone(&view.counters),
            view: RefCell::new(view),
            closed: Cell::new(false),
            crowd: Crowd::default(),
        })
    }

    pub(crate) fn view(&self) -> Rc<ListenerView> {
        Rc::clone(&self.view.borrow())
    }

    pub(crate) fn set(&self, view: Rc<ListenerView>) {
        *self.view.borrow_mut() = view;
        self.closed.set(false);
    }

    /// The listener is gone from the configuration; its connections end after their exchange.
    pub(crate) fn close(&self) {
        self.closed.set(true);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }
}

/// Which connections of a backend are good for this view of it.
fn key(entry: &PoolEntry, backend: &Backend, slot: Slot) -> UpstreamKey {
    let identity = entry
        .options
        .tls_of(slot)
        .and_then(|tls| NonZeroU64::new(tls.identity()));
    UpstreamKey::new(backend, entry.options.is_for_one_client(), identity)
}

/// The views of all listeners of a snapshot.
pub(crate) fn views(snapshot: &Snapshot, core: &Core, seed: u64) -> Vec<Rc<ListenerView>> {
    let mut kept = core.idle.borrow_mut();
    let pools: Rc<[Rc<PoolView>]> = snapshot
        .pools
        .iter()
        .enumerate()
        .map(|(i, entry)| {
            let backends = entry
                .pool
                .backends()
                .iter()
                .zip((0..).map(Slot))
                .map(|(b, slot)| BackendView {
                    idle: Rc::clone(kept.entry(key(entry, b, slot)).or_default()),
                    counters: core.counters.backend(b.id),
                });
            let backends = backends.collect();
            let mut retry = RetryOptions::default();
            retry.percent = entry.options.retry_percent;
            Rc::new(PoolView {
                entry: Arc::clone(entry),
                picker: RefCell::new(Picker::new(Arc::clone(&entry.pool), seed.wrapping_add(i as u64))),
                budget: RefCell::new(RetryBudget::new(retry)),
                counters: core.counters.pool(entry.pool.name()),
                backends,
            })
        })
        .collect();
    snapshot
        .listeners
        .iter()
        .map(|entry| {
            Rc::new(ListenerView {
                entry: Arc::clone(entry),
                counters: core.counters.listener(entry.options.address),
                pools: Rc::clone(&pools),
            })
        })
        .collect()
}

use crate::Contact;
use lb_sched::{Limit, Load};
use lb_types::{Address, BackendId, Weight};
use std::sync::Arc;

/// A server we send to, as the configuration describes it, and what it is doing right now.
///
/// The description never changes; a reload makes a new `Backend` that shares the [`Load`] of the
/// old one, so that requests begun before the reload still count.
#[derive(Debug)]
#[non_exhaustive]
pub struct Backend {
    /// Its lasting name: of pool and name.
    pub id: BackendId,
    /// Its name in the configuration, unique in its pool.
    pub name: String,
    /// Where it listens.
    pub address: Address,
    /// Its configured weight. What it gets right now is its [`Standing`](crate::Standing).
    pub weight: Weight,
    /// Requests (for TCP: connections) it may have at once; `None`: as many as come.
    pub max_connections: Option<u32>,
    /// Its place in line: 0 serves first, 1 is the first backup.
    pub priority: u8,
    /// Is it in the zone of this process? True where zones do not count.
    pub local: bool,
    load: Arc<Load>,
    contact: Arc<Contact>,
}

impl Backend {
    /// A backend that does nothing yet.
    #[must_use]
    pub fn new(
        pool: &str,
        name: &str,
        address: impl Into<Address>,
        weight: Weight,
        max_connections: Option<u32>,
    ) -> Self {
        let id = BackendId::of(pool, name);
        Self {
            id,
            name: name.to_owned(),
            address: address.into(),
            weight,
            max_connections,
            priority: 0,
            local: true,
            load: Arc::default(),
            contact: Arc::default(),
        }
    }

    /// The same backend at this place in line: 0 serves first, 1 is the first backup.
    #[must_use]
    pub fn with_priority(self, priority: u8) -> Self {
        Self { priority, ..self }
    }

    /// The same backend, in or out of the zone of this process.
    #[must_use]
    pub fn with_local(self, local: bool) -> Self {
        Self { local, ..self }
    }

    /// The same backend with the load of an older snapshot's: its requests in flight and its
    /// failures go on counting.
    #[must_use]
    pub fn with_load(self, load: Arc<Load>) -> Self {
        Self { load, ..self }
    }

    /// The same backend with what was found of an older snapshot's: whether it takes connections.
    #[must_use]
    pub fn with_contact(self, contact: Arc<Contact>) -> Self {
        Self { contact, ..self }
    }

    /// Whether it takes connections, shared with every snapshot that knows this backend.
    #[must_use]
    pub fn contact(&self) -> &Arc<Contact> {
        &self.contact
    }

    /// What it is doing right now, shared with every snapshot that knows this backend.
    #[must_use]
    pub fn load(&self) -> &Arc<Load> {
        &self.load
    }

    /// [`max_connections`](Self::max_connections) as the scheduler reads it.
    #[must_use]
    pub fn limit(&self) -> Limit {
        self.max_connections.into()
    }
}

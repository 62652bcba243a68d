//! The admin API's way to the control thread: questions and orders wait in a queue, and are answered between other
//! events, a little at a time.

use super::ControlLoop;
use crate::note::note;
use lb_admin::state::{Backend, State};
use lb_admin::{
    ControlError, Order, Pending, ServerOptions, UnixSocket, UnixSocketError, UnixSocketOptions, Which, Wish,
};
use lb_config::AdminSocket;
use lb_sched::Algorithm;
use lb_types::Slot;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

/// What the API asks the control thread.
pub(super) enum Ask {
    /// Everything but the backends, and which of those belong to it.
    Frame(Which, Tell<Frame>),
    /// Some backends of a pool.
    Backends {
        /// Of this snapshot.
        serial: u64,
        /// The place of the pool in it.
        pool: usize,
        /// Their slots.
        slots: Range<usize>,
        tell: Tell<Vec<Backend>>,
    },
    /// Orders, all of them or none.
    Orders(Vec<Order>, Tell<Vec<Backend>>),
}

type Tell<T> = oneshot::Sender<Result<T, ControlError>>;

/// A state without backends.
pub(super) struct Frame {
    state: State,
    /// For each pool of the state: its place in the snapshot, and the slots that are wanted.
    pools: Vec<(usize, Range<usize>)>,
}

/// What the server holds of the program.
pub(super) struct Desk(mpsc::Sender<Ask>);

impl Desk {
    async fn ask<T>(&self, question: impl FnOnce(Tell<T>) -> Ask) -> Result<T, ControlError> {
        let (tell, told) = oneshot::channel();
        self.0.send(question(tell)).await.map_err(|_| ControlError::Gone)?;
        told.await.unwrap_or(Err(ControlError::Gone))
    }

    /// Backends come in slices: between two of them the control thread does what else there is to do, which with one
    /// worker is traffic.
    async fn gather(&self, which: Which) -> Result<State, ControlError> {
        let Frame { mut state, pools } = self.ask(|tell| Ask::Frame(which, tell)).await?;
        let serial = state.process.serial;
        for (seen, (pool, slots)) in state.pools.iter_mut().zip(pools) {
            let mut start = slots.start;
            while start < slots.end {
                let slots = start..slots.end.min(start + SLICE);
                start = slots.end;
                let slice = self.ask(|tell| Ask::Backends {
                    serial,
                    pool,
                    slots,
                    tell,
                });
                seen.backends.append(&mut slice.await?);
                tokio::task::yield_now().await;
            }
        }
        Ok(state)
    }
}

impl lb_admin::Control for Desk {
    fn state(&self, which: Which) -> Pending<'_, State> {
        Box::pin(async move {
            for _ in 0..TRIES {
                match self.gather(which.clone()).await {
                    Err(error) if error == reloaded() => {}
                    answer => return answer,
                }
            }
            Err(reloaded())
        })
    }

    fn order(&self, orders: Vec<Order>) -> Pending<'_, Vec<Backend>> {
        Box::pin(self.ask(|tell| Ask::Orders(orders, tell)))
    }
}

/// The socket, and the task that answers there.
pub(super) struct Admin {
    socket: UnixSocket,
    task: AbortHandle,
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The queue: both ends, so that it never closes.
pub(super) struct Asks {
    pub(super) desk: mpsc::Sender<Ask>,
    pub(super) inbox: mpsc::Receiver<Ask>,
}

impl Asks {
    pub(super) fn new() -> Self {
        let (desk, inbox) = mpsc::channel(WAITING);
        Self { desk, inbox }
    }

    pub(super) async fn next(&mut self) -> Ask {
        match self.inbox.recv().await {
            Some(ask) => ask,
            // We hold a sender ourselves.
            None => std::future::pending().await,
        }
    }

    /// Somebody who answers there.
    pub(super) fn serve(&self, socket: UnixSocket) -> Result<Admin, OpenError> {
        let listener = socket.listener()?;
        let server = lb_admin::serve(listener, Arc::new(Desk(self.desk.clone())), ServerOptions::default());
        let task = tokio::spawn(server).abort_handle();
        note(format_args!("admin socket {}", socket.options()));
        Ok(Admin { socket, task })
    }
}

/// Makes the socket. May wait for another program, for a second at most.
pub(super) fn open(wanted: &AdminSocket) -> Result<UnixSocket, OpenError> {
    Ok(lb_admin::open(&options(wanted))?)
}

/// Why the admin socket cannot be used.
#[derive(Debug)]
pub(super) enum OpenError {
    Socket(UnixSocketError),
    Io(io::Error),
}

impl ControlLoop {
    /// Changes the socket as a reload wants it. Whatever can fail comes before anything changes; gives the new socket,
    /// when it is another one. `opened` is that one, if it is open already.
    pub(super) fn prepare_admin(
        &mut self,
        wanted: Option<&AdminSocket>,
        opened: Option<UnixSocket>,
    ) -> Result<Option<Admin>, OpenError> {
        let Some(wanted) = wanted else { return Ok(None) };
        if let Some(admin) = &mut self.admin
            && admin.socket.adapt(&options(wanted))?
        {
            return Ok(None);
        }
        self.asks.serve(opened.map_or_else(|| open(wanted), Ok)?).map(Some)
    }

    /// Where the admin socket is.
    pub(super) fn admin_path(&self) -> Option<PathBuf> {
        self.admin.as_ref().map(|admin| admin.socket.options().path.clone())
    }

    pub(super) fn answer(&mut self, ask: Ask) {
        // Whoever asked may have gone: then nobody hears the answer.
        match ask {
            Ask::Frame(which, tell) => {
                let _ = tell.send(self.status(which));
            }
            Ask::Backends {
                serial,
                pool,
                slots,
                tell,
            } => {
                let entry = self.snapshot.pools.get(pool).filter(|_| self.snapshot.serial == serial);
                let seen = entry.map(|entry| self.see_backends(entry, slots));
                let _ = tell.send(seen.ok_or_else(reloaded));
            }
            // an order that nobody waits for any more is not carried out behind their back
            Ask::Orders(_, tell) if tell.is_closed() => {}
            Ask::Orders(orders, tell) => self.apply_orders(orders, tell),
        }
    }

    fn status(&self, which: Which) -> Result<Frame, ControlError> {
        let mut state = self.see_frame();
        let mut pools = Vec::new();
        let names: Vec<&str> = match &which {
            Which::Process => Vec::new(),
            Which::All => self.plan.pools.iter().map(|pool| pool.name.as_str()).collect(),
            Which::Pool(pool) | Which::Backend { pool, .. } => vec![pool],
        };
        for name in names {
            let index = self.snapshot.pools.iter().position(|entry| entry.pool.name() == name);
            let (Some(index), Some((_, seen))) = (index, self.see_pool(name)) else {
                let known = self.plan.pools.iter().map(|pool| pool.name.as_str());
                return Err(ControlError::unknown_pool(name, known));
            };
            let slots = match &which {
                Which::Backend { pool, backend } => {
                    let at = self.find(pool, backend)?.1.index();
                    at..at + 1
                }
                _ => 0..seen.total,
            };
            pools.push((index, slots));
            state.pools.push(seen);
        }
        Ok(Frame { state, pools })
    }

    /// Carries out all of the orders or, if one cannot be, none. Answers when every worker follows at its next pick.
    fn apply_orders(&mut self, orders: Vec<Order>, tell: Tell<Vec<Backend>>) {
        if let Err(error) = self.take_orders(&orders) {
            let _ = tell.send(Err(error));
            return;
        }
        let mut changed: Vec<String> = orders.iter().map(|order| order.pool.clone()).collect();
        changed.sort_unstable();
        changed.dedup();
        self.rebuild_named(changed, move |control, made| {
            // They may have gone in a reload meanwhile.
            let places = made.and_then(|()| control.places(&orders));
            let _ = tell.send(places.map(|places| control.backends_at(&places)));
        });
    }

    /// Where the backends of these orders are.
    fn places(&self, orders: &[Order]) -> Result<Vec<(usize, Slot)>, ControlError> {
        let find = |order: &Order| self.find(&order.pool, &order.backend);
        orders.iter().map(find).collect()
    }

    fn take_orders(&mut self, orders: &[Order]) -> Result<(), ControlError> {
        if self.stopping {
            return Err(ControlError::Stopping);
        }
        let places = self.places(orders)?;
        for order in orders {
            self.refuse_idle_weight(order)?;
        }
        let now = lb_net::clock::monotonic();
        for (order, (pool, slot)) in orders.iter().zip(&places) {
            let Some(backend) = self
                .snapshot
                .pools
                .get(*pool)
                .and_then(|entry| entry.pool.backends().get(slot.index()))
            else {
                continue;
            };
            let (id, name) = (backend.id, backend.name.clone());
            let Some(configured) = self
                .plan
                .pool(&order.pool)
                .and_then(|pool| pool.backends.get(slot.index()))
            else {
                continue;
            };
            if self.orders.apply(id, configured, order, now) {
                note(format_args!(
                    "backend {name} of pool {}: {}",
                    order.pool,
                    describe(order)
                ));
            }
            self.tell_prober(&order.pool, *slot);
        }
        Ok(())
    }

    /// Backends in any order, each pool looked at once.
    fn backends_at(&self, places: &[(usize, Slot)]) -> Vec<Backend> {
        let mut by_pool: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
        for (at, (pool, slot)) in places.iter().enumerate() {
            by_pool.entry(*pool).or_default().push((slot.index(), at));
        }
        let mut seen: BTreeMap<usize, Backend> = BTreeMap::new();
        for (pool, wanted) in by_pool {
            let Some(entry) = self.snapshot.pools.get(pool) else {
                continue;
            };
            let backends = self.see_backends(entry, wanted.iter().map(|(slot, _)| *slot));
            seen.extend(wanted.iter().map(|(_, at)| *at).zip(backends));
        }
        seen.into_values().collect()
    }

    /// A weight that nobody reads is no order anybody can carry out.
    fn refuse_idle_weight(&self, order: &Order) -> Result<(), ControlError> {
        let algorithm = self.plan.pool(&order.pool).map(|pool| pool.algorithm);
        match (order.weight, algorithm) {
            (Wish::Set(weight), Some(algorithm @ (Algorithm::RoundRobin | Algorithm::First))) if weight.get() > 1 => {
                Err(ControlError::Refused {
                    reason: format!("pool {:?} uses {algorithm}, which ignores weights", order.pool),
                    mend: "set its `algorithm` to \"weighted_round_robin\" and reload".to_owned(),
                })
            }
            _ => Ok(()),
        }
    }

    /// Tells the health machine of a backend what was ordered.
    fn tell_prober(&mut self, pool: &str, slot: Slot) {
        if let Some(plan) = self.plan.pool(pool)
            && let Some(planned) = plan.backends.get(slot.index())
        {
            let id = planned.id(plan);
            self.prober.set_admin(id, self.orders.admin(id, planned));
        }
    }

    /// The same for all of them, after a start or a reload.
    pub(super) fn tell_prober_of_all(&mut self) {
        for pool in &self.plan.pools {
            for planned in &pool.backends {
                let id = planned.id(pool);
                self.prober.set_admin(id, self.orders.admin(id, planned));
            }
        }
        for backend in self.snapshot.pools.iter().flat_map(|entry| entry.pool.backends()) {
            self.prober.attach(backend.id, backend.contact());
        }
    }
}

fn options(wanted: &AdminSocket) -> UnixSocketOptions {
    UnixSocketOptions::new(&wanted.socket)
        .with_mode(wanted.mode)
        .with_group(wanted.group.as_deref())
}

/// What was ordered, for the operator's log.
fn describe(order: &Order) -> String {
    let admin = match order.admin {
        Wish::Keep => None,
        Wish::Forget => Some("as the configuration says".to_owned()),
        Wish::Set(admin) => Some(format!("{} by order", admin.as_str())),
    };
    let weight = match order.weight {
        Wish::Keep => None,
        Wish::Forget => Some("weight as configured".to_owned()),
        Wish::Set(weight) => Some(format!("weight {} by order", weight.get())),
    };
    let both: Vec<String> = admin.into_iter().chain(weight).collect();
    both.join(", ")
}

fn reloaded() -> ControlError {
    ControlError::Refused {
        reason: "the configuration is being replaced".to_owned(),
        mend: "ask again".to_owned(),
    }
}

impl From<UnixSocketError> for OpenError {
    fn from(error: UnixSocketError) -> Self {
        Self::Socket(error)
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(error) => write!(f, "admin socket: {error}"),
            Self::Io(error) => write!(f, "admin socket: {error}"),
        }
    }
}

impl std::error::Error for OpenError {}

/// Questions that wait. More of them wait where they are asked.
const WAITING: usize = 64;
/// Backends shown at once: about 200 microseconds.
const SLICE: usize = 100;
/// How often a state is gathered anew because a reload came in between.
const TRIES: usize = 3;

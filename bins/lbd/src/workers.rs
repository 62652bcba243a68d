//! The worker threads and the orders to them.

use crate::note::note;
use lb_proxy::{Order, Snapshot, Worker};
use lb_telemetry::Counters;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// All workers.
pub(crate) struct Workers {
    orders: Vec<UnboundedSender<Order>>,
    counters: Vec<Arc<Counters>>,
    ended: UnboundedReceiver<usize>,
    running: usize,
}

impl Workers {
    /// Starts `count` workers that listen nowhere yet, each on a thread of its own.
    ///
    /// A single one shares the thread of the control loop: a process with one thread pays neither
    /// for shared descriptor tables in the kernel nor for cancellation points in libc, measured
    /// 5 % of a request. Must be called inside a local runtime.
    pub(crate) fn start(count: usize, snapshot: &Arc<Snapshot>) -> io::Result<Self> {
        let (tell, ended) = unbounded_channel();
        let mut workers = Self {
            orders: Vec::new(),
            counters: Vec::new(),
            ended,
            running: count,
        };
        for id in 0..count {
            let (orders, inbox) = unbounded_channel();
            let counters = Arc::new(Counters::new());
            let worker = Worker::new(lb_net::clock::seed(), Arc::clone(snapshot), Arc::clone(&counters));
            let tell = tell.clone();
            if count == 1 {
                tokio::task::spawn_local(async move {
                    worker.run(inbox).await;
                    let _ = tell.send(id);
                });
                workers.orders.push(orders);
                workers.counters.push(counters);
                continue;
            }
            std::thread::Builder::new()
                .name(format!("worker-{id}"))
                .spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build_local(Default::default());
                    match runtime {
                        Ok(runtime) => runtime.block_on(worker.run(inbox)),
                        Err(error) => note(format_args!("worker {id} cannot start: {error}")),
                    }
                    // Nobody listens when the control thread has gone.
                    let _ = tell.send(id);
                })?;
            workers.orders.push(orders);
            workers.counters.push(counters);
        }
        Ok(workers)
    }

    pub(crate) fn count(&self) -> usize {
        self.orders.len()
    }

    /// Gives every worker its copy of an order.
    pub(crate) fn tell(&self, order: impl Fn() -> Order) {
        for worker in &self.orders {
            // A worker that ended says so itself.
            let _ = worker.send(order());
        }
    }

    /// One socket for each.
    pub(crate) fn listen(&self, address: SocketAddr, sockets: Vec<OwnedFd>) {
        for (worker, socket) in self.orders.iter().zip(sockets) {
            let _ = worker.send(Order::Listen(address, socket));
        }
    }

    /// Waits until one more worker has ended; says whether others run.
    pub(crate) async fn one_ended(&mut self) -> bool {
        if self.running > 0 {
            // None: the rest panicked.
            self.running = self.ended.recv().await.map_or(0, |_| self.running - 1);
        }
        self.running > 0
    }

    /// The last failed request or connection of a backend, of all workers.
    pub(crate) fn last_fault(&self, backend: &lb_balance::Backend) -> Option<lb_telemetry::Fault> {
        let faults = self.counters.iter().map(|counters| counters.faults());
        faults
            .filter_map(|faults| faults.last(backend.id.as_u64(), backend.address))
            .max_by_key(|fault| fault.at)
    }

    pub(crate) fn counters(&self) -> lb_telemetry::Snapshot {
        self.counters.iter().map(|counters| counters.snapshot()).sum()
    }
}

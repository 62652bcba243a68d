//! The worker threads and the orders to them.

use lb_net::Address;
use lb_proxy::{Order, Snapshot, Worker};
use lb_telemetry::{BackendId, Counters};
use std::any::Any;
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// All workers.
pub(crate) struct Workers {
    orders: Vec<UnboundedSender<Order>>,
    counters: Vec<Arc<Counters>>,
    ended: UnboundedReceiver<Ending>,
    running: usize,
}

/// A worker that has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Which one, from 0.
    pub(crate) worker: usize,
    /// Why, if it was not told to: the words of its panic.
    pub(crate) fault: Option<String>,
}

impl Workers {
    /// Starts `count` workers that listen nowhere yet, each on a thread of its own.
    ///
    /// A single one shares the thread of the control loop: a process with one thread pays neither
    /// for shared descriptor tables in the kernel nor for cancellation points in libc, measured
    /// 5 % of a request. Must be called inside a local runtime.
    pub(crate) fn start(count: usize, snapshot: &Arc<Snapshot>) -> io::Result<Self> {
        let snapshot = Arc::clone(snapshot);
        Self::start_as(count, move |counters, orders| {
            Worker::new(lb_net::clock::seed(), Arc::clone(&snapshot), counters).run(orders)
        })
    }

    /// The same with workers that do this.
    pub(crate) fn start_as<F>(
        count: usize,
        work: impl Fn(Arc<Counters>, UnboundedReceiver<Order>) -> F + Clone + Send + 'static,
    ) -> io::Result<Self>
    where
        F: Future<Output = ()> + 'static,
    {
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
            let (tell, work, own) = (tell.clone(), work.clone(), Arc::clone(&counters));
            if count == 1 {
                run_here(id, tell, work(own, inbox));
            } else {
                run_on_thread(id, tell, move || work(own, inbox))?;
            }
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
    pub(crate) fn listen(&self, address: Address, sockets: Vec<OwnedFd>) {
        for (worker, socket) in self.orders.iter().zip(sockets) {
            let _ = worker.send(Order::Listen(address, socket));
        }
    }

    /// Waits until one more worker has ended; `None`: none is left. Cancel safe.
    pub(crate) async fn one_ended(&mut self) -> Option<Ending> {
        if self.running == 0 {
            return None;
        }
        let ending = self.ended.recv().await;
        self.running = ending.as_ref().map_or(0, |_| self.running.saturating_sub(1));
        ending
    }

    /// Has every worker ended?
    pub(crate) fn are_over(&self) -> bool {
        self.running == 0
    }

    /// The last failed request or connection of a backend, of all workers.
    pub(crate) fn last_fault(&self, backend: &lb_balance::Backend) -> Option<lb_telemetry::Fault> {
        let faults = self.counters.iter().map(|counters| counters.faults());
        faults
            .filter_map(|faults| faults.last(backend.id.as_u64(), backend.address))
            .max_by_key(|fault| fault.at)
    }

    /// The sums of all workers.
    pub(crate) fn counters(&self) -> lb_telemetry::Snapshot {
        self.counters.iter().map(|counters| counters.snapshot()).sum()
    }

    /// What all workers counted of the listener at this address.
    pub(crate) fn of_listener(&self, address: Address) -> lb_telemetry::ListenerCounts {
        let each = self.counters.iter();
        each.map(|counters| counters.read_listener(address)).sum()
    }

    /// What all workers counted of the pool of this name.
    pub(crate) fn of_pool(&self, name: &str) -> lb_telemetry::PoolCounts {
        self.counters.iter().map(|counters| counters.read_pool(name)).sum()
    }

    /// What all workers counted of this backend.
    pub(crate) fn of_backend(&self, id: BackendId) -> lb_telemetry::BackendCounts {
        self.counters.iter().map(|counters| counters.read_backend(id)).sum()
    }
}

impl Ending {
    /// One line for the operator.
    pub(crate) fn explain(&self) -> String {
        let Self { worker, fault } = self;
        match fault {
            Some(fault) => format!("worker {worker} ended by a fault of lbd, please report it: {fault}"),
            None => format!("worker {worker} ended by itself"),
        }
    }
}

/// Runs a worker beside the control loop; its panic is its own.
fn run_here(id: usize, tell: UnboundedSender<Ending>, worker: impl Future<Output = ()> + 'static) {
    let task = tokio::task::spawn_local(worker);
    tokio::task::spawn_local(async move {
        let fault = match task.await {
            Ok(()) => None,
            Err(error) if error.is_panic() => Some(words(&*error.into_panic())),
            Err(error) => Some(error.to_string()),
        };
        // Nobody listens when the control loop has gone.
        let _ = tell.send(Ending { worker: id, fault });
    });
}

/// Runs a worker in a runtime and on a thread of its own.
fn run_on_thread<F>(
    id: usize,
    tell: UnboundedSender<Ending>,
    worker: impl FnOnce() -> F + Send + 'static,
) -> io::Result<()>
where
    F: Future<Output = ()> + 'static,
{
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(Default::default())
            .map_err(|error| format!("it cannot start: {error}"))?;
        runtime.block_on(worker());
        Ok(())
    };
    std::thread::Builder::new()
        .name(format!("worker-{id}"))
        .spawn(move || {
            // What a panic leaves behind is this worker's alone, and dropped.
            let ended = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(words(&*panic)));
            // Nobody listens when the control thread has gone.
            let _ = tell.send(Ending {
                worker: id,
                fault: ended.err(),
            });
        })
        .map(drop)
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked without a word".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// What the control loop hears of workers that do this: the first on a thread, the second beside the loop.
    fn endings<F: Future<Output = ()> + 'static>(worker: impl Fn() -> F + Copy + Send + 'static) -> Vec<Ending> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(Default::default())
            .unwrap();
        runtime.block_on(async {
            let (tell, ended) = unbounded_channel();
            run_on_thread(0, tell.clone(), worker).unwrap();
            run_here(1, tell.clone(), worker());
            // As with workers that go on: somebody could still tell something.
            let mut workers = Workers {
                orders: Vec::new(),
                counters: Vec::new(),
                ended,
                running: 3,
            };
            let mut endings = Vec::new();
            for _ in 0..2 {
                let ended = tokio::time::timeout(Duration::from_secs(10), workers.one_ended()).await;
                endings.push(ended.expect("it is noticed").expect("one ended"));
            }
            assert!(!workers.are_over(), "a third one runs");
            drop(tell);
            assert_eq!((workers.one_ended().await, workers.are_over()), (None, true));
            endings.sort_by_key(|ending| ending.worker);
            endings
        })
    }

    fn both(fault: Option<&str>) -> Vec<Ending> {
        let ending = |worker| Ending {
            worker,
            fault: fault.map(str::to_owned),
        };
        vec![ending(0), ending(1)]
    }

    #[test]
    fn a_panic_of_one_worker_is_noticed_with_its_words_while_others_run() {
        async fn breaks() {
            tokio::task::yield_now().await;
            panic!("the wheel is {}", "square");
        }
        let endings = endings(breaks);
        assert_eq!(endings, both(Some("the wheel is square")));
        assert_eq!(
            endings[0].explain(),
            "worker 0 ended by a fault of lbd, please report it: the wheel is square"
        );
    }

    #[test]
    fn a_worker_that_returns_has_no_fault_and_one_that_panics_without_words_has() {
        assert_eq!(endings(|| async {}), both(None));
        assert_eq!(
            endings(|| async { std::panic::panic_any(7) }),
            both(Some("it panicked without a word"))
        );
    }
}

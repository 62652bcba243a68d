//! tower's balancer over services that answer at once.

use crate::Operation;
use lb_types::Rng;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tower::Service;
use tower::balance::p2c::Balance;
use tower::discover::ServiceList;
use tower::load::{CompleteOnResponse, Load, PeakEwma, PendingRequests};

/// Two choices by requests in flight.
pub fn pending_requests(size: u32) -> Operation {
    let services = (0..size).map(|_| PendingRequests::new(AtOnce, CompleteOnResponse::default()));
    balance(services.collect())
}

/// Two choices by a moving latency.
pub fn peak_ewma(size: u32) -> Operation {
    let (rtt, decay) = (Duration::from_millis(1), Duration::from_secs(10).as_nanos() as f64);
    let services = (0..size).map(|_| PeakEwma::new(AtOnce, rtt, decay, CompleteOnResponse::default()));
    balance(services.collect())
}

fn balance<S>(services: Vec<S>) -> Operation
where
    S: Service<(), Response = (), Error = Infallible> + Load + 'static,
    S::Metric: std::fmt::Debug,
    S::Future: 'static,
{
    let mut balance = Balance::new(ServiceList::new::<()>(services));
    Box::new(move |_: &mut Rng| {
        let mut context = Context::from_waker(Waker::noop());
        assert!(balance.poll_ready(&mut context).is_ready(), "everybody is ready");
        now(balance.call(())).expect("everybody answers");
    })
}

/// What a future that never waits comes to.
pub fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

struct AtOnce;

impl Service<()> for AtOnce {
    type Response = ();
    type Error = Infallible;
    type Future = Ready<Result<(), Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        ready(Ok(()))
    }
}

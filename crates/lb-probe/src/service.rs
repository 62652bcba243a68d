use crate::{Event, Prober, View, Watched};
use lb_health::{Admin, Report};
use lb_types::BackendId;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use tokio::sync::{mpsc, oneshot};

/// What a [`Prober`] that runs as a task can be told.
#[derive(Debug)]
#[non_exhaustive]
pub enum Order {
    /// As [`Prober::replace`].
    Replace(Vec<Watched>),
    /// As [`Prober::set_admin`].
    Admin(BackendId, Admin),
    /// As [`Prober::report`].
    Report(BackendId, Report),
    /// As [`Prober::views`].
    Views(oneshot::Sender<Vec<View>>),
}

impl Prober {
    /// Obeys `orders` and sends `events` until one of the two channels is closed.
    ///
    /// While `events` is full no probes are made, but orders are obeyed: a caller that waits for
    /// views cannot block itself.
    pub async fn serve(mut self, mut orders: mpsc::Receiver<Order>, events: mpsc::Sender<Event>) {
        loop {
            let told = {
                let order = pin!(orders.recv());
                let event = pin!(async {
                    let room = events.reserve().await.ok()?;
                    room.send(self.next().await);
                    Some(())
                });
                first(order, event).await
            };
            match told {
                First::Order(Some(order)) => self.obey(order),
                First::Event(Some(())) => {}
                First::Order(None) | First::Event(None) => return,
            }
        }
    }

    fn obey(&mut self, order: Order) {
        let known = match order {
            Order::Replace(watched) => {
                self.replace(watched);
                true
            }
            Order::Admin(backend, admin) => self.set_admin(backend, admin),
            Order::Report(backend, report) => self.report(backend, report),
            Order::Views(answer) => {
                // nobody waits for it any more: nothing to do
                let _ = answer.send(self.views());
                true
            }
        };
        if !known {
            tracing::debug!("order for a backend that is not watched");
        }
    }
}

enum First<A, B> {
    Order(A),
    Event(B),
}

/// The first of the two to end; orders first when both have.
async fn first<A, B>(
    mut order: impl Future<Output = A> + Unpin,
    mut event: impl Future<Output = B> + Unpin,
) -> First<A, B> {
    poll_fn(|cx| {
        if let Poll::Ready(order) = pin!(&mut order).poll(cx) {
            return Poll::Ready(First::Order(order));
        }
        pin!(&mut event).poll(cx).map(First::Event)
    })
    .await
}

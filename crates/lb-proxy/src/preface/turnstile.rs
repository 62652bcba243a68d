//! Handshakes go one after the other, with a look at the sockets in between: each costs as much as dozens of requests,
//! and a burst of them must not hold up whoever is in already.

use crate::core::Core;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// One per worker.
#[derive(Debug)]
pub(crate) struct Turnstile {
    shared: Rc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Numbers of those who wait, in their order, with whom to wake.
    queue: RefCell<VecDeque<(u64, Option<Waker>)>>,
    next: Cell<u64>,
    /// How many may pass now.
    open: Cell<u32>,
    driver: RefCell<Option<Waker>>,
}

/// A place in the queue, given back when dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    shared: Rc<Shared>,
    number: u64,
    passed: bool,
}

impl Turnstile {
    pub(crate) fn new() -> Self {
        Self {
            shared: Rc::new(Shared {
                queue: RefCell::default(),
                next: Cell::new(0),
                open: Cell::new(AT_ONCE),
                driver: RefCell::new(None),
            }),
        }
    }

    /// A place at the end.
    pub(crate) fn queue(&self) -> Ticket {
        let shared = Rc::clone(&self.shared);
        let number = shared.next.get();
        shared.next.set(number + 1);
        shared.queue.borrow_mut().push_back((number, None));
        Ticket {
            shared,
            number,
            passed: false,
        }
    }

    /// Lets the next one pass whenever the runtime has looked at the sockets; one task per worker.
    pub(crate) async fn drive(core: Rc<Core>) {
        let shared = &core.turnstile.shared;
        loop {
            std::future::poll_fn(|cx| {
                if shared.open.get() == AT_ONCE && shared.queue.borrow().is_empty() {
                    *shared.driver.borrow_mut() = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                *shared.driver.borrow_mut() = None;
                Poll::Ready(())
            })
            .await;
            tokio::task::yield_now().await;
            shared.open.set(AT_ONCE);
            let first = shared
                .queue
                .borrow_mut()
                .front_mut()
                .and_then(|(_, waker)| waker.take());
            if let Some(first) = first {
                first.wake();
                // It passes before the gate is looked at again.
                tokio::task::yield_now().await;
            }
        }
    }
}

impl Ticket {
    /// `Ready` when it is its turn.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        let shared = &self.shared;
        let mut queue = shared.queue.borrow_mut();
        let is_first = queue.front().is_some_and(|(number, _)| *number == self.number);
        if is_first && shared.open.get() > 0 {
            shared.open.set(shared.open.get() - 1);
            queue.pop_front();
            self.passed = true;
            drop(queue);
            shared.wake_driver();
            return Poll::Ready(());
        }
        if let Some((_, waker)) = queue.iter_mut().find(|(number, _)| *number == self.number) {
            *waker = Some(cx.waker().clone());
        }
        drop(queue);
        shared.wake_driver();
        Poll::Pending
    }
}

impl Shared {
    fn wake_driver(&self) {
        if let Some(driver) = self.driver.borrow_mut().take() {
            driver.wake();
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.passed {
            self.shared
                .queue
                .borrow_mut()
                .retain(|(number, _)| *number != self.number);
        }
    }
}

/// In one turn so many may pass.
const AT_ONCE: u32 = 1;

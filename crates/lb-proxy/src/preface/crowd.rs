//! How many clients of a listener are in front of their service: no more than its limit. Beyond it the one that has kept us
//! waiting for longest goes, because who means it answers at once, with its hello as with the end of its handshake.

use crate::view::ListenerHandle;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Waker;

/// Of one listener and worker.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    inside: Cell<usize>,
    next: Cell<u64>,
    /// Those who have not said all yet, in the order in which they came.
    waiting: RefCell<BTreeMap<u64, Waker>>,
}

impl Crowd {
    fn number(&self) -> u64 {
        let number = self.next.get();
        self.next.set(number + 1);
        number
    }
}

/// A client's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    listener: Rc<ListenerHandle>,
    /// Its place among those who are waited for.
    number: Cell<u64>,
    stand: Cell<Stand>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    New,
    /// It is waited for.
    Waiting,
    /// It has said what it had to say; what comes next is ours.
    Heard,
    Gone,
}

impl Place {
    pub(super) fn new(listener: &Rc<ListenerHandle>) -> Self {
        let crowd = &listener.crowd;
        crowd.inside.set(crowd.inside.get() + 1);
        Self {
            listener: Rc::clone(listener),
            number: Cell::new(crowd.number()),
            stand: Cell::new(Stand::New),
        }
    }

    /// May it stay, with `most` at once? Asked whenever it is waited for. `O(log n)`.
    pub(super) fn may_wait(&self, most: usize, waker: &Waker) -> bool {
        let crowd = &self.listener.crowd;
        let mut waiting = crowd.waiting.borrow_mut();
        match self.stand.get() {
            Stand::New => {
                waiting.insert(self.number.get(), waker.clone());
                self.stand.set(Stand::Waiting);
                if crowd.inside.get() <= most {
                    return true;
                }
                let Some((oldest, waker)) = waiting.pop_first() else {
                    return true;
                };
                waker.wake();
                oldest != self.number.get()
            }
            Stand::Waiting => waiting.contains_key(&self.number.get()),
            Stand::Heard | Stand::Gone => true,
        }
    }

    /// It goes on: until it is waited for again nobody takes its place.
    pub(super) fn heard(&self) {
        self.listener.crowd.waiting.borrow_mut().remove(&self.number.get());
        self.stand.set(Stand::Heard);
    }

    /// It is waited for again, behind all who are: a hello with nothing behind it keeps no place from others either.
    pub(super) fn wait_again(&self, waker: &Waker) {
        if self.stand.get() == Stand::Heard {
            let crowd = &self.listener.crowd;
            self.number.set(crowd.number());
            crowd.waiting.borrow_mut().insert(self.number.get(), waker.clone());
            self.stand.set(Stand::Waiting);
        }
    }

    /// It has been refused, and costs no arithmetic any more.
    pub(super) fn leave(&self) {
        if self.stand.replace(Stand::Gone) == Stand::Gone {
            return;
        }
        let crowd = &self.listener.crowd;
        crowd.waiting.borrow_mut().remove(&self.number.get());
        crowd.inside.set(crowd.inside.get().saturating_sub(1));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

//! How many clients of a listener are in front of their service: no more than its limit. Beyond it the one that has kept us
//! waiting for longest goes, because who sends its hello does so at once.

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

/// A client's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    listener: Rc<ListenerHandle>,
    number: u64,
    stand: Cell<Stand>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    New,
    /// It is waited for.
    Waiting,
    /// It has said what it had to say.
    Heard,
    Gone,
}

impl Place {
    pub(super) fn new(listener: &Rc<ListenerHandle>) -> Self {
        let crowd = &listener.crowd;
        let number = crowd.next.get();
        crowd.next.set(number + 1);
        crowd.inside.set(crowd.inside.get() + 1);
        Self {
            listener: Rc::clone(listener),
            number,
            stand: Cell::new(Stand::New),
        }
    }

    /// May it stay, with `most` at once? Asked whenever it is waited for. `O(log n)`.
    pub(super) fn may_wait(&self, most: usize, waker: &Waker) -> bool {
        let crowd = &self.listener.crowd;
        let mut waiting = crowd.waiting.borrow_mut();
        match self.stand.get() {
            Stand::New => {
                waiting.insert(self.number, waker.clone());
                self.stand.set(Stand::Waiting);
                if crowd.inside.get() <= most {
                    return true;
                }
                let Some((oldest, waker)) = waiting.pop_first() else {
                    return true;
                };
                waker.wake();
                oldest != self.number
            }
            Stand::Waiting => waiting.contains_key(&self.number),
            Stand::Heard | Stand::Gone => true,
        }
    }

    /// It goes on: nobody takes its place any more.
    pub(super) fn heard(&self) {
        self.listener.crowd.waiting.borrow_mut().remove(&self.number);
        self.stand.set(Stand::Heard);
    }

    /// It has been refused, and costs no arithmetic any more.
    pub(super) fn leave(&self) {
        if self.stand.replace(Stand::Gone) == Stand::Gone {
            return;
        }
        let crowd = &self.listener.crowd;
        crowd.waiting.borrow_mut().remove(&self.number);
        crowd.inside.set(crowd.inside.get().saturating_sub(1));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

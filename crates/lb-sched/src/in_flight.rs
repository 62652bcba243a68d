use crate::{Limit, Load};
use alloc::sync::Arc;

/// A request in flight: dropping it ends it, also when the future that holds it is dropped before its end.
#[derive(Debug)]
#[must_use = "dropped at once, the request has ended at once"]
pub struct InFlight(Arc<Load>);

impl InFlight {
    /// Begins a request at the backend of `load` if `limit` has room for it: [`Load::try_begin`], with its
    /// [`Load::finish`] in `Drop`.
    pub fn take(load: &Arc<Load>, limit: Limit) -> Option<Self> {
        load.try_begin(limit).then(|| Self(Arc::clone(load)))
    }

    /// Whose request it is: to say how it went.
    #[must_use]
    pub fn load(&self) -> &Load {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::future::{Future, pending};
    use core::pin::pin;
    use core::task::{Context, Waker};

    #[test]
    fn a_request_ends_with_the_future_that_holds_it() {
        let load = Arc::new(Load::new());
        let limit = Limit::new(1);
        {
            let mut future = pin!(async {
                let request = InFlight::take(&load, limit);
                assert!(request.is_some());
                pending::<()>().await;
                drop(request);
            });
            let mut context = Context::from_waker(Waker::noop());
            assert!(future.as_mut().poll(&mut context).is_pending());
            assert_eq!(load.in_flight(), 1);
            assert!(InFlight::take(&load, limit).is_none(), "there is room for one");
        }
        assert_eq!(load.in_flight(), 0);
        let request = InFlight::take(&load, limit).unwrap();
        assert_eq!(request.load().in_flight(), 1);
    }
}

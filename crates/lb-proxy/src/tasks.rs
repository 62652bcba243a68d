//! The tasks without which a worker is none: its wheel, its accepting, its tidying.

use std::task::{Context, Poll};
use tokio::task::JoinSet;

/// Tasks of one worker. The runtime keeps a panic to the task it was in; here it is the worker's end, because nothing
/// would fire a deadline, or accept a client, ever after.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    running: JoinSet<()>,
}

impl Tasks {
    /// Starts one. Must be called inside a local runtime.
    pub(crate) fn spawn(&mut self, task: impl Future<Output = ()> + 'static) {
        self.running.spawn_local(task);
    }

    /// Goes on with the panic of a task that had one, and has this task woken by the next.
    ///
    /// # Panics
    /// When a task did.
    pub(crate) fn watch(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(ended)) = self.running.poll_join_next(cx) {
            if let Err(error) = ended
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, poll_fn};
    use std::panic::AssertUnwindSafe;

    fn run(then: impl Future<Output = ()> + 'static) -> std::thread::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build_local(Default::default())
            .unwrap();
        std::panic::catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async {
                let mut tasks = Tasks::default();
                tasks.spawn(pending());
                tasks.spawn(async {});
                tasks.spawn(then);
                for _ in 0..10 {
                    poll_fn(|cx| {
                        tasks.watch(cx);
                        Poll::Ready(())
                    })
                    .await;
                    tokio::task::yield_now().await;
                }
            });
        }))
    }

    #[test]
    fn a_task_that_panics_takes_its_worker_along_and_one_that_ends_does_not() {
        assert!(run(async {}).is_ok());
        let payload = run(async { panic!("the wheel broke") }).unwrap_err();
        assert_eq!(*payload.downcast_ref::<&str>().unwrap(), "the wheel broke");
        let later = async {
            tokio::task::yield_now().await;
            panic!("later");
        };
        assert!(run(later).is_err());
    }
}

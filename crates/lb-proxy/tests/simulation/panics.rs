//! A panic in a task ends that task alone, and a run would go on as if nothing had happened: it is remembered here.

use std::cell::RefCell;
use std::panic::{set_hook, take_hook};
use std::sync::Once;

/// Remembers panics of every thread from now on.
pub(crate) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            LAST.set(Some(info.to_string()));
            before(info);
        }));
    });
}

/// The last panic of this thread since this was asked.
pub(crate) fn taken() -> Option<String> {
    LAST.take()
}

thread_local! {
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
}

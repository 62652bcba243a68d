//! A program without std that links the crates which promise to need none.
//!
//! It has its own panic handler. std has one too, and the compiler refuses two (`duplicate lang item`), so the build
//! fails as soon as one of these crates, or anything below them, links std. That holds on every target, also on the
//! ones whose std is installed.
#![no_std]

extern crate lb_guard as _;
extern crate lb_health as _;
extern crate lb_sched as _;
extern crate lb_types as _;

#[cfg(feature = "with-std")]
extern crate std;

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;

#[panic_handler]
fn stop(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// lb-sched needs `alloc`, and so somebody has to name an allocator. Nothing here ever runs.
struct Nothing;

// SAFETY: a null pointer is the answer of an allocator that has no memory left, and it hands out no other.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static NOTHING: Nothing = Nothing;

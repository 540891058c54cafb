//! The allocator of this bench: the system allocator with counters that can be enabled.
#![expect(unsafe_code, reason = "a global allocator requires unsafe code")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Disabled while times are measured, so that an allocation costs only one additional load.
static IS_COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

struct Counting;

impl Counting {
    fn record(size: usize) {
        if IS_COUNTING.load(Relaxed) {
            ALLOCATIONS.fetch_add(1, Relaxed);
            BYTES.fetch_add(size as u64, Relaxed);
        }
    }
}

// SAFETY: every call is forwarded to the system allocator unchanged, and its result is returned. Otherwise
// only counters change, which neither allocate nor panic.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::record(layout.size());
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::record(layout.size());
        // SAFETY: the caller upholds the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::record(size);
        // SAFETY: the caller upholds the contract of `realloc`; `at` was allocated by `System`.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the contract of `dealloc`; `at` was allocated by `System`.
        unsafe { System.dealloc(at, layout) }
    }
}

/// The number of allocations of `work`, and their bytes.
pub(crate) fn count_allocations(work: impl FnOnce()) -> [u64; 2] {
    let counters = || [ALLOCATIONS.load(Relaxed), BYTES.load(Relaxed)];
    let before = counters();
    IS_COUNTING.store(true, Relaxed);
    work();
    IS_COUNTING.store(false, Relaxed);
    let after = counters();
    [after[0] - before[0], after[1] - before[1]]
}

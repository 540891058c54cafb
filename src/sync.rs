//! The one source of locks, condition variables, atomics and clocks for code that `parallel` shares.
//!
//! Output: the primitives of the standard library, or those of a model checker when `tests/parallel-model`
//! builds the same sources with `cfg(model)`. Locks ignore poisoning: a panic under a lock ends the block,
//! and the owner of the lock decides who may still read the data that it protects.

#[cfg(model = "loom")]
use loom::sync as source;
#[cfg(model = "shuttle")]
use shuttle::sync as source;
#[cfg(not(any(model = "loom", model = "shuttle")))]
use std::sync as source;

pub(crate) use source::MutexGuard;
pub(crate) use source::atomic::{AtomicBool, AtomicUsize, Ordering};
pub(crate) use std::sync::Arc;

/// A mutual-exclusion lock that is never poisoned.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(source::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(source::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A value with cache lines of its own: a write to it does not slow down readers of neighbouring data.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct CachePadded<T>(pub(crate) T);

impl<T> std::ops::Deref for CachePadded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A condition variable: threads wait on it for a change of the data under a [`Mutex`].
#[derive(Debug, Default)]
pub(crate) struct Condvar(source::Condvar);

impl Condvar {
    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0.wait(guard).unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// A point in time from which durations are measured. Under a model checker every duration is zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant(#[cfg(not(any(model = "loom", model = "shuttle")))] std::time::Instant);

impl Instant {
    pub(crate) fn now() -> Self {
        Self(
            #[cfg(not(any(model = "loom", model = "shuttle")))]
            std::time::Instant::now(),
        )
    }

    /// Returns the nanoseconds that have passed since this instant, saturating.
    pub(crate) fn elapsed_nanoseconds(self) -> u64 {
        #[cfg(not(any(model = "loom", model = "shuttle")))]
        return u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX);
        #[cfg(any(model = "loom", model = "shuttle"))]
        return 0;
    }
}

//! The one place that locks, condition variables and atomics come from.
//!
//! Out: what `parallel` synchronises with: the standard library's, or those of a model checker when `tests/parallel-model` builds
//! the same sources with `cfg(model)`. A lock that somebody panicked under is still a lock: who may see what is behind it then is
//! the business of its owner, who ends the block.

#[cfg(model = "loom")]
use loom::sync as source;
#[cfg(model = "shuttle")]
use shuttle::sync as source;
#[cfg(not(any(model = "loom", model = "shuttle")))]
use std::sync as source;

pub(crate) use source::MutexGuard;
pub(crate) use source::atomic::{AtomicBool, AtomicUsize, Ordering};
pub(crate) use std::sync::Arc;

/// A lock.
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

/// Something that one thread writes while others read what would lie beside it: it has its cache lines to itself.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Apart<T>(pub(crate) T);

impl<T> std::ops::Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Where threads wait for something behind a lock to change.
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

/// A moment, to measure how long something took; always the same one in a model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(#[cfg(not(any(model = "loom", model = "shuttle")))] std::time::Instant);

impl Moment {
    pub(crate) fn now() -> Self {
        Self(
            #[cfg(not(any(model = "loom", model = "shuttle")))]
            std::time::Instant::now(),
        )
    }

    /// Nanoseconds since then.
    pub(crate) fn nanoseconds(self) -> u64 {
        #[cfg(not(any(model = "loom", model = "shuttle")))]
        return u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX);
        #[cfg(any(model = "loom", model = "shuttle"))]
        return 0;
    }
}

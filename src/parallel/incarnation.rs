//! Incarnations: one attempt at a task each, with a flag that aborts it.
//!
//! An incarnation is shared by its worker, by the cells that it read and wrote, and by the schedule.

use crate::sync::{Arc, AtomicBool, Ordering};

/// One incarnation of a task: the task's index and an abort flag.
///
/// The flag is the only state that threads share about an incarnation: the executing task polls it, the
/// versions that an aborted incarnation published are estimates, and the schedule and the commit check it.
/// Once set, it stays set.
#[derive(Clone, Debug)]
pub(crate) struct Incarnation {
    pub(crate) index: usize,
    aborted: Arc<AtomicBool>,
}

impl Incarnation {
    pub(crate) fn new(index: usize) -> Self {
        Self { index, aborted: Arc::new(AtomicBool::new(false)) }
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.aborted.load(Ordering::Acquire)
    }

    pub(crate) fn abort(&self) {
        self.aborted.store(true, Ordering::Release);
    }

    pub(crate) fn abort_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.aborted)
    }

    /// Returns `true` if both are the same incarnation of the same task.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.aborted, &other.aborted)
    }
}

//! One attempt at a task, and whether it still counts.
//!
//! Known to all who may have to do with it: its own thread, the cells that it read and wrote, the schedule.

use crate::sync::{Arc, AtomicBool, Ordering};

/// One run of a task: which task, and a flag that says that the run counts no more.
///
/// The flag is all that the rest of the world needs: a running task polls it, what the run published is an estimate once it is up,
/// and who comes to commit the run sees it.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) index: usize,
    void: Arc<AtomicBool>,
}

impl Run {
    pub(crate) fn new(index: usize) -> Self {
        Self { index, void: Arc::new(AtomicBool::new(false)) }
    }

    pub(crate) fn is_void(&self) -> bool {
        self.void.load(Ordering::Acquire)
    }

    pub(crate) fn make_void(&self) {
        self.void.store(true, Ordering::Release);
    }

    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.void)
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.void, &other.void)
    }
}

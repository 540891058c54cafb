//! Tasks that have to run again, or wait.
//!
//! In: runs that are void. Out: when their tasks run again: the more often one was a victim, the later.

use super::super::stats::count;
use super::super::task::Task;
use super::super::versioned_memory::Run;
use super::{Earlier, MOST_EARLY_RUNS, Schedule, Status};

/// After so many aborts a task waits for the commit of the one that voided it.
const PATIENCE: u32 = 2;

impl<T: Task> Schedule<T> {
    pub(super) fn void_all(&mut self, voided: &[Run], by: usize) {
        for run in voided {
            let Some(slot) = self.slot(run.index) else { continue };
            if !slot.run.as_ref().is_some_and(|current| current.is(run)) {
                continue;
            }
            run.make_void();
            if matches!(slot.status, Status::Executed(_)) {
                count(&mut self.counters.aborts);
                self.requeue(run.index, Some(by));
            }
            // Who runs, or is busy, will see it.
        }
    }

    /// What a task published counts no more.
    pub(super) fn void(&mut self, index: usize) {
        let Some(slot) = self.slot(index) else { return };
        if let Some(run) = &slot.run {
            run.make_void();
        }
        slot.delta = None;
        slot.settled = false;
        slot.aborts = slot.aborts.saturating_add(1);
        if let Status::Executed(mut done) = std::mem::replace(&mut slot.status, Status::Waiting) {
            slot.published = std::mem::take(&mut done.published.locations);
            let spent = done.spent;
            slot.earlier = Some(Earlier::Ended(done));
            self.counters.add_waste(spent);
        }
        self.unsettled.remove(index);
        self.executed = self.executed.min(index);
        self.width.in_vain();
    }

    /// Runs a task again, sooner or later: the more often it was a victim, the later.
    pub(super) fn requeue(&mut self, index: usize, by: Option<usize>) {
        self.void(index);
        let (aborts, runs) = self.slot(index).map_or((0, 0), |slot| (slot.aborts, slot.runs));
        match by {
            _ if runs >= MOST_EARLY_RUNS => self.defer(index, index.saturating_sub(1)),
            Some(by) if aborts >= PATIENCE => self.defer(index, by),
            _ => self.make_ready(index),
        }
    }

    /// Leaves a task alone until another is committed.
    pub(super) fn defer(&mut self, index: usize, until: usize) {
        count(&mut self.counters.deferrals);
        if index == self.committed || until < self.committed {
            return self.make_ready(index);
        }
        if let Some(slot) = self.slot(index) {
            slot.status = Status::Waiting;
        }
        self.until_committed.entry(until).or_default().push(index);
    }

    pub(super) fn make_ready(&mut self, index: usize) {
        if let Some(slot) = self.slot(index)
            && matches!(slot.status, Status::Waiting)
        {
            slot.status = Status::Ready;
            self.ready.insert(index);
        }
    }

    /// Wakes those who waited for what a task has just published.
    pub(super) fn wake(&mut self, index: usize) -> Option<usize> {
        let slot = self.slot(index)?;
        let mut waiting = std::mem::take(&mut slot.until_executed);
        if slot.settled {
            waiting.append(&mut slot.until_settled);
        }
        let first = waiting.iter().min().copied();
        for other in waiting {
            self.make_ready(other);
        }
        first
    }

    pub(super) fn advance_executed(&mut self) {
        while self
            .executed
            .checked_sub(self.committed)
            .and_then(|at| self.slots.get(at))
            .is_some_and(|slot| matches!(slot.status, Status::Executed(_) | Status::Busy))
        {
            self.executed = self.executed.saturating_add(1);
        }
    }
}

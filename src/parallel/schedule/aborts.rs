//! Aborted tasks, and tasks that wait.
//!
//! Input: incarnations that have read a stale value. Output: the time of their tasks' next incarnations,
//! which comes the later the more often a task was aborted.

use super::super::stats::increment;
use super::super::task::Task;
use super::super::versioned_memory::Incarnation;
use super::job::{Done, Previous};
use super::{MAX_SPECULATIVE_INCARNATIONS, Schedule, Status};

/// After this many aborts a task waits for the commit of the task that aborted it.
const MAX_EAGER_ABORTS: u32 = 2;

impl<T: Task> Schedule<T> {
    /// Aborts the incarnations that have read a value which task `writer` has changed.
    pub(super) fn abort_stale(&mut self, stale: &[Incarnation], writer: usize) {
        for incarnation in stale {
            let Some(slot) = self.slot(incarnation.index) else { continue };
            if !slot.incarnation.as_ref().is_some_and(|latest| latest.is_same(incarnation)) {
                continue;
            }
            incarnation.abort();
            if matches!(slot.status, Status::Executed(..)) {
                increment(&mut self.stats.aborts);
                self.requeue(incarnation.index, Some(writer));
            }
            // A running or busy task finds the flag itself.
        }
    }

    /// Discards the latest incarnation of a task. Its published versions become estimates.
    pub(super) fn abort(&mut self, index: usize) {
        let Some(slot) = self.slot(index) else { return };
        if let Some(incarnation) = &slot.incarnation {
            incarnation.abort();
        }
        slot.delta = None;
        slot.is_final = false;
        slot.aborts = slot.aborts.saturating_add(1);
        if let Status::Executed(done, stage) = std::mem::replace(&mut slot.status, Status::Waiting) {
            let Done { reads, cost, published, .. } = *done;
            slot.published = published.locations;
            slot.previous = Some(Previous::Executed(reads, stage));
            self.stats.add_waste(cost);
        }
        self.unpaid.remove(index);
        self.executed = self.executed.min(index);
        self.limit.wasted();
    }

    /// Discards the latest incarnation of a task and schedules the next one.
    pub(super) fn requeue(&mut self, index: usize, writer: Option<usize>) {
        self.abort(index);
        let (aborts, incarnations) = self.slot(index).map_or((0, 0), |slot| (slot.aborts, slot.incarnations));
        match writer {
            _ if incarnations >= MAX_SPECULATIVE_INCARNATIONS => self.defer(index, index.saturating_sub(1)),
            Some(writer) if aborts >= MAX_EAGER_ABORTS => self.defer(index, writer),
            _ => self.make_ready(index),
        }
    }

    /// Has a task wait for the commit of task `until`.
    pub(super) fn defer(&mut self, index: usize, until: usize) {
        increment(&mut self.stats.deferrals);
        if index == self.committed || until < self.committed {
            return self.make_ready(index);
        }
        if let Some(slot) = self.slot(index) {
            slot.status = Status::Waiting;
        }
        self.awaiting_commit.entry(until).or_default().push(index);
    }

    pub(super) fn make_ready(&mut self, index: usize) {
        if let Some(slot) = self.slot(index)
            && matches!(slot.status, Status::Waiting)
        {
            slot.status = Status::Ready;
            self.ready.insert(index);
        }
    }

    /// Makes the tasks ready that waited for the writes which a task has just published. Returns the lowest.
    pub(super) fn wake(&mut self, index: usize) -> Option<usize> {
        let slot = self.slot(index)?;
        let mut waiting = std::mem::take(&mut slot.awaiting_execution);
        if slot.is_final {
            waiting.append(&mut slot.awaiting_fee_phase);
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
            .is_some_and(|slot| matches!(slot.status, Status::Executed(..) | Status::Busy))
        {
            self.executed = self.executed.saturating_add(1);
        }
    }
}

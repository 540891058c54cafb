//! State transitions after an incarnation, a fee phase or a commit.
//!
//! Input: executed tasks and fee phases, interruptions, commits. Output: the new states, and the job that the
//! reporting worker should do next.

use super::super::stats::{Cost, increment};
use super::super::task::Task;
use super::super::versioned_memory::{Incarnation, Location};
use super::super::view::Interruption;
use super::job::{Done, Job, Previous, Stage};
use super::{MAX_SPECULATIVE_INCARNATIONS, Schedule, Status};

impl<T: Task> Schedule<T> {
    /// Records that a task has executed and its writes are published. `stale` are the incarnations that have
    /// read another value. Returns the lowest task that waited for it.
    pub(in crate::parallel) fn executed(
        &mut self,
        done: Box<Done<T>>,
        stage: Stage<T>,
        delta: Option<T::Delta>,
        stale: &[Incarnation],
    ) -> Option<usize> {
        self.running = self.running.saturating_sub(1);
        let index = done.incarnation.index;
        self.abort_stale(stale, index);
        let is_aborted = done.incarnation.is_aborted();
        let is_unpaid = stage.is_unpaid();
        let slot = self.slot(index)?;
        slot.delta = delta;
        slot.is_final = !is_unpaid;
        slot.status = Status::Executed(done, stage);
        if is_aborted {
            increment(&mut self.stats.aborts);
            self.requeue(index, None);
            return None;
        }
        if is_unpaid {
            self.unpaid.insert(index);
        }
        self.advance_executed();
        self.wake(index)
    }

    /// Records that an incarnation was interrupted.
    pub(in crate::parallel) fn interrupted(
        &mut self,
        incarnation: &Incarnation,
        interruption: Interruption,
        published: Vec<Location>,
        prefix: Option<T::Prefix>,
    ) {
        self.running = self.running.saturating_sub(1);
        // Its registered reads must not be taken for those of a running incarnation.
        incarnation.abort();
        let index = incarnation.index;
        let Some(slot) = self.slot(index) else { return };
        slot.published = published;
        slot.previous = prefix.map(Previous::Interrupted);
        slot.status = Status::Waiting;
        let may_speculate = slot.incarnations < MAX_SPECULATIVE_INCARNATIONS;
        match interruption {
            Interruption::Aborted => {
                increment(&mut self.stats.early_aborts);
                self.requeue(index, None);
            }
            Interruption::AwaitExecution(other) | Interruption::AwaitFeePhase(other) if may_speculate => {
                increment(&mut self.stats.dependency_waits);
                self.limit.wasted();
                let awaits_fee_phase = matches!(interruption, Interruption::AwaitFeePhase(_));
                let is_available = self.slot(other).is_none_or(|other| {
                    let is_executed = matches!(other.status, Status::Executed(..) | Status::Busy)
                        && other.incarnation.as_ref().is_some_and(|latest| !latest.is_aborted());
                    is_executed && (other.is_final || !awaits_fee_phase)
                });
                if is_available {
                    return self.make_ready(index);
                }
                if let Some(other) = self.slot(other) {
                    let waiting = if awaits_fee_phase {
                        &mut other.awaiting_fee_phase
                    } else {
                        &mut other.awaiting_execution
                    };
                    waiting.push(index);
                }
            }
            Interruption::AwaitExecution(_)
            | Interruption::AwaitFeePhase(_)
            | Interruption::AwaitCommitOrder => {
                increment(&mut self.stats.dependency_waits);
                self.limit.wasted();
                self.defer(index, index.saturating_sub(1));
            }
        }
    }

    /// Records that a fee phase has run before its commit and its writes are published, or that it is
    /// deferred to the commit.
    pub(in crate::parallel) fn charged(
        &mut self,
        done: Box<Done<T>>,
        stage: Stage<T>,
        stale: &[Incarnation],
    ) -> Option<usize> {
        let index = done.incarnation.index;
        self.abort_stale(stale, index);
        let is_aborted = done.incarnation.is_aborted();
        let slot = self.slot(index)?;
        slot.is_final = !stage.is_unpaid();
        slot.status = Status::Executed(done, stage);
        if is_aborted {
            increment(&mut self.stats.aborts);
            self.requeue(index, None);
            return None;
        }
        self.wake(index)
    }

    /// Records that a fee phase has destroyed the state of its task, which is executed again in commit order.
    pub(in crate::parallel) fn fee_phase_lost(
        &mut self,
        incarnation: &Incarnation,
        cost: Cost,
        published: Vec<Location>,
    ) -> Option<usize> {
        let index = incarnation.index;
        self.stats.add_waste(cost);
        increment(&mut self.stats.aborts);
        self.abort(index);
        let slot = self.slot(index)?;
        slot.published = published;
        slot.status = Status::Waiting;
        self.defer(index, index.saturating_sub(1));
        None
    }

    /// Claims the commit for a worker whose task has executed and is next in commit order. On success the
    /// task counts as executed from now on, although its writes are not published.
    pub(in crate::parallel) fn claim_commit(
        &mut self,
        incarnation: &Incarnation,
        delta: Option<T::Delta>,
    ) -> bool {
        let is_next = incarnation.index == self.committed && self.may_commit();
        if !is_next || self.is_halted || incarnation.is_aborted() {
            return false;
        }
        let Some(slot) = self.slot(incarnation.index) else { return false };
        slot.delta = delta;
        slot.status = Status::Busy;
        self.is_committing = true;
        self.advance_executed();
        true
    }

    /// Records that a task failed validation after [`claim_commit`](Self::claim_commit). It is executed again
    /// at once.
    pub(in crate::parallel) fn conflict_before_publication(
        &mut self,
        incarnation: &Incarnation,
        published: Vec<Location>,
        prefix: Option<T::Prefix>,
    ) -> Option<Job<T>> {
        self.running = self.running.saturating_sub(1);
        self.restart(incarnation.index, published, prefix.map(Previous::Interrupted))
    }

    /// Records that the next task in commit order failed validation. It is executed again at once.
    #[expect(clippy::boxed_local, reason = "results are owned by box; unboxing at the call would move them")]
    pub(in crate::parallel) fn conflict_at_commit(
        &mut self,
        done: Box<Done<T>>,
        stage: Stage<T>,
    ) -> Option<Job<T>> {
        let Done { incarnation, reads, cost, published, .. } = *done;
        self.stats.add_waste(cost);
        self.restart(incarnation.index, published.locations, Some(Previous::Executed(reads, stage)))
    }

    /// Records that a fee phase at the commit has destroyed the state of its task. It is executed again at
    /// once.
    pub(in crate::parallel) fn lost_at_commit(
        &mut self,
        incarnation: &Incarnation,
        cost: Cost,
        published: Vec<Location>,
    ) -> Option<Job<T>> {
        if self.is_halted {
            return None;
        }
        self.stats.add_waste(cost);
        self.restart(incarnation.index, published, None)
    }

    fn restart(
        &mut self,
        index: usize,
        published: Vec<Location>,
        previous: Option<Previous<T>>,
    ) -> Option<Job<T>> {
        self.is_committing = false;
        increment(&mut self.stats.commit_aborts);
        self.abort(index);
        let slot = self.slot(index)?;
        slot.published = published;
        slot.previous = previous;
        slot.status = Status::Waiting;
        self.make_ready(index);
        increment(&mut self.stats.hand_offs);
        self.start(index).map(Job::Execute)
    }

    /// Records the commit of the next task. Returns the commit of the task after it, if that is possible.
    pub(in crate::parallel) fn committed(&mut self, stale: &[Incarnation]) -> Option<Job<T>> {
        self.abort_stale(stale, self.committed);
        self.is_committing = false;
        self.limit.committed();
        let slot = self.slots.pop_front();
        self.committed = self.committed.saturating_add(1);
        self.executed = self.executed.max(self.committed);
        if let Some(slot) = slot {
            for waiting in slot.awaiting_execution.into_iter().chain(slot.awaiting_fee_phase) {
                self.make_ready(waiting);
            }
        }
        while let Some(entry) = self.awaiting_commit.first_entry() {
            if *entry.key() >= self.committed {
                break;
            }
            for waiting in entry.remove() {
                self.make_ready(waiting);
            }
        }
        self.advance_executed();
        if self.charges_before_commit() { None } else { self.next_commit() }
    }

    /// Records the commit of the next task by the worker that executed it, with nothing published in between.
    pub(in crate::parallel) fn committed_inline(&mut self, stale: &[Incarnation]) -> Option<Job<T>> {
        self.running = self.running.saturating_sub(1);
        self.committed(stale)
    }

    /// Returns the deltas of the tasks after `after`, or from the first uncommitted one on, and before
    /// `before`.
    pub(in crate::parallel) fn deltas(&self, after: Option<usize>, before: usize) -> Vec<T::Delta> {
        let first = after.map_or(0, |after| after.saturating_add(1)).max(self.committed);
        (first..before)
            .filter_map(|index| index.checked_sub(self.committed).and_then(|at| self.slots.get(at)))
            .filter_map(|slot| slot.delta.clone())
            .collect()
    }
}

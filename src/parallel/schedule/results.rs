//! What became of a run: what it made possible, and what it made void.
//!
//! In: ended bodies and tails, commits, interruptions. Out: the new states, and what its thread had best do next.

use super::super::stats::count;
use super::super::task::Task;
use super::super::versioned_memory::{Location, Run};
use super::super::view::Interruption;
use super::job::{Done, Earlier, Job};
use super::{MOST_EARLY_RUNS, Schedule, Status};

impl<T: Task> Schedule<T> {
    /// A body ended and its writes are published; `voided` are the runs that they made void. Says who waited for it, lowest first.
    pub(in crate::parallel) fn executed(
        &mut self,
        done: Box<Done<T>>,
        delta: Option<T::Delta>,
        voided: &[Run],
    ) -> Option<usize> {
        self.running = self.running.saturating_sub(1);
        let index = done.run.index;
        self.void_all(voided, index);
        let is_void = done.run.is_void();
        let has_tail = done.has_tail;
        let slot = self.slot(index)?;
        slot.delta = delta;
        slot.settled = !has_tail;
        slot.status = Status::Executed(done);
        if is_void {
            count(&mut self.counters.aborts);
            self.requeue(index, None);
            return None;
        }
        if has_tail {
            self.unsettled.insert(index);
        }
        self.advance_executed();
        self.wake(index)
    }

    /// A body gave up.
    pub(in crate::parallel) fn interrupted(
        &mut self,
        run: &Run,
        interruption: Interruption,
        published: Vec<Location>,
        kept: Option<T::Kept>,
    ) {
        self.running = self.running.saturating_sub(1);
        // Nobody is to take its notes for those of a living run.
        run.make_void();
        let index = run.index;
        let Some(slot) = self.slot(index) else { return };
        slot.published = published;
        slot.earlier = kept.map(Earlier::Interrupted);
        slot.status = Status::Waiting;
        let is_patient = slot.runs < MOST_EARLY_RUNS;
        match interruption {
            Interruption::Void => {
                count(&mut self.counters.early_aborts);
                self.requeue(index, None);
            }
            Interruption::UntilExecuted(other) | Interruption::UntilSettled(other) if is_patient => {
                count(&mut self.counters.waits);
                self.width.in_vain();
                let waits_for_tail = matches!(interruption, Interruption::UntilSettled(_));
                let is_there = self.slot(other).is_none_or(|other| {
                    let is_executed = matches!(other.status, Status::Executed(_) | Status::Busy)
                        && other.run.as_ref().is_some_and(|run| !run.is_void());
                    is_executed && (other.settled || !waits_for_tail)
                });
                if is_there {
                    return self.make_ready(index);
                }
                if let Some(other) = self.slot(other) {
                    let list =
                        if waits_for_tail { &mut other.until_settled } else { &mut other.until_executed };
                    list.push(index);
                }
            }
            Interruption::UntilExecuted(_) | Interruption::UntilSettled(_) | Interruption::UntilItsTurn => {
                count(&mut self.counters.waits);
                self.width.in_vain();
                self.defer(index, index.saturating_sub(1));
            }
        }
    }

    /// A tail ended and its writes are published.
    pub(in crate::parallel) fn settled(&mut self, done: Box<Done<T>>, voided: &[Run]) -> Option<usize> {
        let index = done.run.index;
        self.void_all(voided, index);
        let is_void = done.run.is_void();
        let slot = self.slot(index)?;
        // A tail that was interrupted runs again when the task is committed.
        slot.settled = done.tail.is_some();
        slot.status = Status::Executed(done);
        if is_void {
            count(&mut self.counters.aborts);
            self.requeue(index, None);
            return None;
        }
        self.wake(index)
    }

    /// A body ended, and everything before it is committed: its thread may commit it, without more ado, if nobody else is about to.
    /// Until then the task is taken for executed, though what it wrote is not published.
    pub(in crate::parallel) fn takes_its_turn(&mut self, run: &Run, delta: Option<T::Delta>) -> bool {
        if run.index != self.committed || !self.may_commit() || self.is_halted || run.is_void() {
            return false;
        }
        let Some(slot) = self.slot(run.index) else { return false };
        slot.delta = delta;
        slot.status = Status::Busy;
        self.is_committing = true;
        self.advance_executed();
        true
    }

    /// Such a task is stale after all: it is run again at once.
    pub(in crate::parallel) fn stale_at_its_turn(
        &mut self,
        run: &Run,
        published: Vec<Location>,
        kept: Option<T::Kept>,
    ) -> Option<Job<T>> {
        let index = run.index;
        self.is_committing = false;
        self.running = self.running.saturating_sub(1);
        count(&mut self.counters.commit_aborts);
        self.void(index);
        let slot = self.slot(index)?;
        slot.published = published;
        slot.earlier = kept.map(Earlier::Interrupted);
        slot.status = Status::Waiting;
        self.make_ready(index);
        count(&mut self.counters.handoffs);
        self.start(index).map(Job::Execute)
    }

    /// The task that is next to be committed is stale: it is run again at once.
    pub(in crate::parallel) fn stale_at_commit(&mut self, done: Box<Done<T>>) -> Option<Job<T>> {
        self.is_committing = false;
        let index = done.run.index;
        count(&mut self.counters.commit_aborts);
        let slot = self.slot(index)?;
        slot.status = Status::Executed(done);
        self.void(index);
        self.make_ready(index);
        count(&mut self.counters.handoffs);
        self.start(index).map(Job::Execute)
    }

    /// The task that was next to be committed is. The next one, if it is done, is handed out.
    pub(in crate::parallel) fn committed(&mut self, voided: &[Run]) -> Option<Job<T>> {
        self.void_all(voided, self.committed);
        self.is_committing = false;
        self.width.useful();
        let slot = self.slots.pop_front();
        self.committed = self.committed.saturating_add(1);
        self.executed = self.executed.max(self.committed);
        if let Some(slot) = slot {
            for waiting in slot.until_executed.into_iter().chain(slot.until_settled) {
                self.make_ready(waiting);
            }
        }
        while let Some(entry) = self.until_committed.first_entry() {
            if *entry.key() >= self.committed {
                break;
            }
            for waiting in entry.remove() {
                self.make_ready(waiting);
            }
        }
        self.advance_executed();
        if self.settles_first() { None } else { self.next_commit() }
    }

    /// The task that was next to be committed ran alone, and is committed.
    pub(in crate::parallel) fn committed_alone(&mut self, voided: &[Run]) -> Option<Job<T>> {
        self.running = self.running.saturating_sub(1);
        self.committed(voided)
    }

    /// The deltas of the tasks after `after`, or from the first that is not committed, up to `before`.
    pub(in crate::parallel) fn deltas(&self, after: Option<usize>, before: usize) -> Vec<T::Delta> {
        let from = after.map_or(0, |after| after.saturating_add(1)).max(self.committed);
        (from..before)
            .filter_map(|index| index.checked_sub(self.committed).and_then(|at| self.slots.get(at)))
            .filter_map(|slot| slot.delta.clone())
            .collect()
    }
}

//! The next job: commits first, then the task with the lowest index.
//!
//! Input: the states of all tasks. Output: jobs, each given to one worker.

use super::super::stats::increment;
use super::super::task::Task;
use super::super::versioned_memory::Incarnation;
use super::job::{Job, NextJob, Stage, Start};
use super::{Schedule, Status};

/// After this many later executions, the fee phase of a task is run by any worker.
const LATE: usize = 8;

impl<T: Task> Schedule<T> {
    /// Returns the next job of a worker: the next commit first, then the task with the lowest index.
    pub(in crate::parallel) fn next(&mut self, worker: usize) -> NextJob<T> {
        if self.is_finished() {
            return NextJob::Finished;
        }
        if !self.charges_before_commit()
            && let Some(job) = self.next_commit()
        {
            return NextJob::Job(job);
        }
        if let Some(job) = self.next_fee_phase(|schedule, index| schedule.is_urgent(worker, index)) {
            return NextJob::Job(job);
        }
        if let Some(start) = self.next_execution() {
            return NextJob::Job(Job::Execute(start));
        }
        self.next_fee_phase(|_, _| true).map_or(NextJob::Nothing, NextJob::Job)
    }

    fn next_fee_phase(&mut self, is_wanted: impl Fn(&Self, usize) -> bool) -> Option<Job<T>> {
        let unpaid = || self.unpaid.iter().take_while(|index| *index <= self.executed);
        let index = unpaid().find(|index| is_wanted(self, *index))?;
        self.unpaid.remove(index);
        let slot = self.slot(index)?;
        match std::mem::replace(&mut slot.status, Status::Busy) {
            Status::Executed(done, Stage::Unpaid(unpaid)) => Some(Job::FeePhase(done, unpaid)),
            status => {
                slot.status = status;
                None
            }
        }
    }

    /// Returns `true` if a worker should run this fee phase before it executes another task: tasks wait for
    /// it; or the worker executed the task and has its data in cache; or the worker that did is late.
    fn is_urgent(&self, worker: usize, index: usize) -> bool {
        let slot = index.checked_sub(self.committed).and_then(|at| self.slots.get(at));
        (self.speculates_fees && index.saturating_add(LATE) <= self.executed)
            || slot.is_some_and(|slot| {
                let is_own = matches!(&slot.status, Status::Executed(done, _) if done.worker == worker);
                (is_own && self.speculates_fees) || !slot.awaiting_fee_phase.is_empty()
            })
    }

    /// Returns `true` if the fee phase of the next task in commit order runs as a job of its own, before the
    /// commit.
    pub(super) fn charges_before_commit(&self) -> bool {
        self.speculates_fees && self.unpaid.contains(self.committed)
    }

    pub(super) fn next_commit(&mut self) -> Option<Job<T>> {
        if !self.may_commit() {
            return None;
        }
        let index = self.committed;
        let slot = self.slot(index)?;
        match std::mem::replace(&mut slot.status, Status::Busy) {
            Status::Executed(done, stage) => {
                self.unpaid.remove(index);
                self.is_committing = true;
                Some(Job::Commit(done, stage))
            }
            status => {
                slot.status = status;
                None
            }
        }
    }

    pub(super) fn may_commit(&self) -> bool {
        !self.is_committing && self.committed < self.commit_limit
    }

    fn next_execution(&mut self) -> Option<Start<T>> {
        let index = self.ready.first()?;
        let may_run = index == self.committed || self.running < self.limit.current();
        if !may_run || index >= self.committed.saturating_add(self.window) {
            return None;
        }
        self.start(index)
    }

    /// Starts an incarnation of a task that is ready.
    pub(super) fn start(&mut self, index: usize) -> Option<Start<T>> {
        let is_next_to_commit = index == self.committed;
        let is_serial = is_next_to_commit
            && self.running == 0
            && self.may_commit()
            && (self.limit.current() == 1 || (self.ready.len() == 1 && self.ready.contains(index)));
        let incarnation = Incarnation::new(index);
        let slot = self.slot(index)?;
        slot.status = Status::Running;
        slot.incarnation = Some(incarnation.clone());
        slot.incarnations = slot.incarnations.saturating_add(1);
        slot.is_final = false;
        let (published, previous, incarnations) =
            (std::mem::take(&mut slot.published), slot.previous.take(), slot.incarnations);
        self.ready.remove(index);
        self.running = self.running.saturating_add(1);
        increment(&mut self.stats.executions);
        if incarnations > 1 {
            increment(&mut self.stats.re_executions);
        }
        self.stats.max_incarnations = self.stats.max_incarnations.max(incarnations);
        Some(Start { incarnation, published, previous, is_next_to_commit, is_serial })
    }
}

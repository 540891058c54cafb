//! Jobs: executing a task or its fee phase, and publishing its writes.
//!
//! Input: a job. Output: published writes, the new state of the task, and the job that the same thread should
//! do next.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::schedule::{Busy, Caller, Done, Job, NextJob, Previous, Published, Schedule, Stage, Start};
use super::super::stats::{Cost, ParallelStats, increment};
use super::super::task::{Charge, Executed, Sink, Task, TaskExecution};
use super::super::versioned_memory::{Incarnation, Location};
use super::super::view::{Interruption, Mode, ReadSet, View};
use super::{Panicked, ParallelExecutor, Worker};
use crate::sync::Instant;

/// An incarnation that was executed to its end.
pub(super) struct Complete<T: Task> {
    pub(super) incarnation: Incarnation,
    /// The locations that earlier incarnations have published to.
    pub(super) published: Vec<Location>,
    pub(super) executed: Executed<T>,
    pub(super) stats: ParallelStats,
}

impl<T: Task, S: Sink<T>> ParallelExecutor<T, S> {
    /// Does a job and those that follow from it. A panic halts the executor and does not leave this function.
    pub(super) fn perform(&self, job: Job<T>, worker: &Worker<T>, request_helper: &impl Fn()) {
        let performed = catch_unwind(AssertUnwindSafe(|| {
            let mut next = Some(job);
            while let Some(job) = next {
                next = match job {
                    Job::Execute(start) => self.execute(start, worker, request_helper),
                    Job::FeePhase(done, unpaid) => self.charge(done, unpaid, worker, request_helper),
                    Job::Commit(done, stage) => self.commit(done, stage, worker, request_helper),
                };
            }
        }));
        if let Err(panic) = performed {
            self.panicked.lock().get_or_insert(Panicked(crate::panic::message(panic.as_ref())));
            self.halt(request_helper);
        }
    }

    fn execute(&self, start: Start<T>, worker: &Worker<T>, request_helper: &impl Fn()) -> Option<Job<T>> {
        let start = match self.execute_on_sink(start, worker, request_helper) {
            ControlFlow::Continue(start) => start,
            ControlFlow::Break(next) => return next,
        };
        let Start { incarnation, published, previous, is_next_to_commit, is_serial } = start;
        let prefix = previous.and_then(|previous| self.prefix(previous));
        let began = Instant::now();
        let mode = if is_serial { Mode::Serial } else { Mode::Execution };
        let view = View::new(self, &incarnation, mode, &worker.cache);
        let execution = self.task.execute(incarnation.index, &view, prefix);
        let (reads, interruption, mut stats) = view.into_parts();
        stats.execution_nanoseconds = began.elapsed_nanoseconds();

        let (interruption, prefix) = match (execution, interruption) {
            (TaskExecution::Done(executed), None) if is_next_to_commit || !executed.has_failed() => {
                stats.serial_executions = u64::from(is_serial);
                let complete = Complete { incarnation, published, executed, stats };
                return if is_serial {
                    self.commit_inline(complete, worker, request_helper)
                } else {
                    self.executed(complete, reads, worker, request_helper)
                };
            }
            (TaskExecution::Done(executed), interruption) => {
                let prefix = executed.into_unpaid().and_then(|unpaid| self.task.prefix(unpaid, reads));
                (interruption.unwrap_or(Interruption::AwaitCommitOrder), prefix)
            }
            (TaskExecution::Aborted(prefix), interruption) => {
                (interruption.unwrap_or(Interruption::Aborted), prefix)
            }
        };
        self.finish_job(worker, request_helper, |schedule| {
            schedule.stats.add_run(&stats);
            schedule.stats.add_waste(Cost::of(&stats, 0));
            schedule.interrupted(&incarnation, interruption, published, prefix);
            None
        })
    }

    /// Returns the part of an aborted incarnation that the next one can resume from.
    fn prefix(&self, previous: Previous<T>) -> Option<T::Prefix> {
        match previous {
            Previous::Interrupted(prefix) => Some(prefix),
            Previous::Executed(reads, Stage::Unpaid(unpaid)) => self.task.prefix(unpaid, reads),
            Previous::Executed(reads, Stage::Charged(charged, _)) => {
                self.task.prefix(self.task.uncharge(charged), reads)
            }
            Previous::Executed(_, Stage::Final(_)) => None,
        }
    }

    /// Commits an executed task inline if it is next in commit order; otherwise publishes its writes.
    fn executed(
        &self,
        complete: Complete<T>,
        reads: ReadSet<T>,
        worker: &Worker<T>,
        request_helper: &impl Fn(),
    ) -> Option<Job<T>> {
        let Complete { incarnation, executed, .. } = &complete;
        if self.memory.committed() == incarnation.index
            && self.schedule.lock().claim_commit(incarnation, executed.delta().cloned())
        {
            return self.validate_inline(complete, reads, worker, request_helper);
        }
        let Complete { incarnation, published, executed, stats } = complete;
        let cost = Cost::of(&stats, executed.steps());
        let (stage, delta, writes, pending) = match executed {
            Executed::Unpaid { unpaid, delta, pending, .. } => {
                let writes = self.task.unpaid_writes(&unpaid);
                (Stage::Unpaid(unpaid), Some(delta), writes, pending)
            }
            Executed::Final { output, .. } => {
                let writes = self.task.writes(&output);
                (Stage::Final(output), None, writes, Vec::new())
            }
        };
        let mut stale = Vec::new();
        let published = self.publish(&incarnation, &published, None, writes, &pending, &mut stale);
        let done = Box::new(Done { incarnation, worker: worker.id, reads, cost, published });
        self.finish_job(worker, request_helper, |schedule| {
            schedule.stats.add_run(&stats);
            schedule.stats.add_steps(cost.steps);
            schedule.executed(done, stage, delta, &stale)
        })
    }

    /// Records the result of a job by `change`, which returns a task that it made runnable, and takes the
    /// next job.
    fn finish_job(
        &self,
        worker: &Worker<T>,
        request_helper: &impl Fn(),
        change: impl FnOnce(&mut Schedule<T>) -> Option<usize>,
    ) -> Option<Job<T>> {
        let mut schedule = self.schedule.lock();
        let woken = change(&mut schedule);
        let next = if woken.is_some() || worker.takes_next_job(&schedule) {
            self.next_job(&mut schedule, worker)
        } else {
            NextJob::Nothing
        };
        let next = next.job();
        if let (Some(woken), Some(Job::Execute(start))) = (woken, &next)
            && start.incarnation.index == woken
        {
            increment(&mut schedule.stats.hand_offs);
        }
        self.release(schedule, Caller::Worker(Busy::with(next.as_ref())), request_helper);
        next
    }

    /// Runs a fee phase before its commit: finally if the task is next in commit order, otherwise
    /// speculatively.
    fn charge(
        &self,
        mut done: Box<Done<T>>,
        unpaid: T::Unpaid,
        worker: &Worker<T>,
        request_helper: &impl Fn(),
    ) -> Option<Job<T>> {
        let incarnation = done.incarnation.clone();
        let view = View::new(self, &incarnation, Mode::FeePhase, &worker.cache);
        let stage = if view.is_next_to_commit() {
            self.task.finalize(incarnation.index, unpaid, &view).map(Stage::Final)
        } else {
            match self.task.charge(incarnation.index, unpaid, &view) {
                Charge::Charged(charged) if view.is_interrupted() => {
                    Some(Stage::Unpaid(self.task.uncharge(charged)))
                }
                Charge::Charged(charged) => Some(Stage::Charged(charged, view.take_reads())),
                Charge::Deferred(unpaid) => Some(Stage::Unpaid(unpaid)),
                Charge::Lost => None,
            }
        };
        let (_, _, stats) = view.into_parts();
        let mut stale = Vec::new();
        let writes = match &stage {
            Some(Stage::Charged(charged, _)) => Some(self.task.charged_writes(charged)),
            Some(Stage::Final(output)) => Some(self.task.writes(output)),
            Some(Stage::Unpaid(_)) | None => None,
        };
        if let Some(writes) = writes {
            let before = &done.published;
            done.published =
                self.publish(&incarnation, &before.locations, Some(before), writes, &[], &mut stale);
        }
        self.finish_job(worker, request_helper, |schedule| {
            schedule.stats.add_run(&stats);
            increment(&mut schedule.stats.fee_phases);
            match stage {
                Some(stage) => schedule.charged(done, stage, &stale),
                None => schedule.fee_phase_lost(&incarnation, done.cost, done.published.locations),
            }
        })
    }

    /// Publishes a write set, and removes the versions that the task has published elsewhere before. Writes
    /// that the same incarnation has published already, in `earlier`, are not touched again.
    fn publish(
        &self,
        incarnation: &Incarnation,
        before: &[Location],
        earlier: Option<&Published<T>>,
        writes: Vec<(T::Key, T::Value)>,
        pending: &[T::Key],
        stale: &mut Vec<Incarnation>,
    ) -> Published<T> {
        let mut published = Published::with_capacity(writes.len().saturating_add(pending.len()));
        for key in pending {
            let location = self.memory.write(key, incarnation, None, false, stale);
            published.push(key.clone(), None, location);
        }
        for (key, value) in writes {
            if let Some(location) = earlier.and_then(|earlier| earlier.find(&key, &value)) {
                published.push(key, Some(value), location);
                continue;
            }
            let is_final = !pending.contains(&key);
            let location = self.memory.write(&key, incarnation, Some(value.clone()), is_final, stale);
            if is_final {
                published.push(key, Some(value), location);
            }
        }
        for location in before {
            if !published.locations.contains(location) {
                self.memory.remove(*location, incarnation.index, stale);
            }
        }
        published
    }
}

//! Commits: validation of the next task in commit order, and publication of its result.
//!
//! Input: an executed task, with all earlier tasks committed. Output: its result in the sink and its writes
//! in the memory, or its next incarnation. One thread at a time commits.

use std::ops::ControlFlow;

use super::super::schedule::{Busy, Caller, Done, Job, Schedule, Stage};
use super::super::stats::{ParallelStats, increment};
use super::super::task::{Sink, Task};
use super::super::versioned_memory::{Incarnation, Location};
use super::super::view::{Mode, View};
use super::{ParallelExecutor, Worker};
use crate::sync::{Instant, Ordering};

impl<T: Task, S: Sink<T>> ParallelExecutor<T, S> {
    /// Commits the next task if its read set holds the committed values.
    pub(super) fn commit(
        &self,
        done: Box<Done<T>>,
        stage: Stage<T>,
        worker: &Worker<T>,
        request_helper: &impl Fn(),
    ) -> Option<Job<T>> {
        let began = Instant::now();
        let epoch = self.memory.epoch();
        if !done.reads.is_current(&self.memory, epoch) {
            return self.finish_commit(worker, request_helper, |schedule| {
                increment(&mut schedule.stats.validations);
                schedule.conflict_at_commit(done, stage)
            });
        }
        let mut stats = ParallelStats { validations: 1, ..ParallelStats::default() };
        let unpaid = match stage {
            Stage::Final(output) => {
                return self.commit_published(*done, output, stats, began, worker, request_helper);
            }
            Stage::Charged(charged, reads) if reads.is_current(&self.memory, epoch) => {
                let output = self.task.confirm(charged);
                return self.commit_published(*done, output, stats, began, worker, request_helper);
            }
            Stage::Charged(charged, _) => {
                stats.fee_re_executions = 1;
                self.task.uncharge(charged)
            }
            Stage::Unpaid(unpaid) => unpaid,
        };
        let Done { incarnation, cost, published, .. } = *done;
        let Some(output) = self.finalize(&incarnation, unpaid, &mut stats, worker) else {
            return self.finish_commit(worker, request_helper, |schedule| {
                schedule.lost_at_commit(&incarnation, cost, published.locations)
            });
        };
        let (flow, stale) = self.commit_output(&incarnation, output, &published.locations);
        stats.commit_nanoseconds = began.elapsed_nanoseconds();
        self.committed(flow, &stale, &stats, worker, request_helper, Schedule::committed)
    }

    /// Commits a result whose complete write set is published.
    fn commit_published(
        &self,
        done: Done<T>,
        output: T::Output,
        mut stats: ParallelStats,
        began: Instant,
        worker: &Worker<T>,
        request_helper: &impl Fn(),
    ) -> Option<Job<T>> {
        let index = done.incarnation.index;
        let flow = self.sink.lock().commit(index, output);
        if flow.is_continue() {
            self.memory.commit(index, &done.published.locations);
        }
        stats.commit_nanoseconds = began.elapsed_nanoseconds();
        self.committed(flow, &[], &stats, worker, request_helper, Schedule::committed)
    }

    /// Runs the fee phase of the task that is next in commit order, on values that can no longer change.
    /// Returns `None` if it was interrupted.
    pub(super) fn finalize(
        &self,
        incarnation: &Incarnation,
        unpaid: T::Unpaid,
        stats: &mut ParallelStats,
        worker: &Worker<T>,
    ) -> Option<T::Output> {
        let view = View::new(self, incarnation, Mode::Serial, &worker.cache);
        let output = self.task.finalize(incarnation.index, unpaid, &view);
        let (_, interruption, run) = view.into_parts();
        stats.add_run(&run);
        stats.fee_phases = 1;
        output.filter(|_| interruption.is_none())
    }

    /// Commits a result to the sink and publishes its writes. `before` are the locations that the task has
    /// published to. Returns the incarnations that have read another value.
    pub(super) fn commit_output(
        &self,
        incarnation: &Incarnation,
        output: T::Output,
        before: &[Location],
    ) -> (ControlFlow<()>, Vec<Incarnation>) {
        let writes = self.task.writes(&output);
        let flow = self.sink.lock().commit(incarnation.index, output);
        (flow, self.commit_writes(incarnation, flow, writes, before))
    }

    pub(super) fn commit_writes(
        &self,
        incarnation: &Incarnation,
        flow: ControlFlow<()>,
        writes: Vec<(T::Key, T::Value)>,
        before: &[Location],
    ) -> Vec<Incarnation> {
        let mut stale = Vec::new();
        if flow.is_continue() {
            // A sink that executes tasks inline knows every committed value; loads ask it first.
            let loads_see_commits = self.has_executed_inline.load(Ordering::Acquire);
            self.memory.commit_writes(incarnation.index, writes, loads_see_commits, before, &mut stale);
        }
        stale
    }

    /// Records a commit by `record`, or halts the executor if the sink has broken off.
    pub(super) fn committed(
        &self,
        flow: ControlFlow<()>,
        stale: &[Incarnation],
        stats: &ParallelStats,
        worker: &Worker<T>,
        request_helper: &impl Fn(),
        record: fn(&mut Schedule<T>, &[Incarnation]) -> Option<Job<T>>,
    ) -> Option<Job<T>> {
        self.finish_commit(worker, request_helper, |schedule| {
            schedule.stats.add_commit(stats);
            schedule.notify_main();
            match flow {
                ControlFlow::Continue(()) => record(schedule, stale),
                ControlFlow::Break(()) => {
                    schedule.halt();
                    None
                }
            }
        })
    }

    /// Records the result of a commit by `change`, which may return the job that follows from it, and takes
    /// the next job.
    pub(super) fn finish_commit(
        &self,
        worker: &Worker<T>,
        request_helper: &impl Fn(),
        change: impl FnOnce(&mut Schedule<T>) -> Option<Job<T>>,
    ) -> Option<Job<T>> {
        let mut schedule = self.schedule.lock();
        let mut next = change(&mut schedule);
        if next.is_none() && worker.takes_next_job(&schedule) {
            next = self.next_job(&mut schedule, worker).job();
        }
        self.release(schedule, Caller::Worker(Busy::with(next.as_ref())), request_helper);
        next
    }
}

//! Inline commits: a worker that executes the next task in commit order commits it at once.
//!
//! Input: a task that is next in commit order. Output: its result in the sink and its writes in the memory.
//! Nothing is published in between, and the fee phase needs no validation, since no other task can commit
//! meanwhile.
//!
//! * A task that is next in commit order when its execution ends validates its read set and commits.
//! * A *serial* task, which started with no other task running or runnable, executes directly on the
//!   committed state of the sink, if the sink has one: no read set, no versioned memory, no validation.
//!   Reading through a view instead costs 4 % on a block of one account's nonces (27,000 against 26,000
//!   transactions a second).
//! * Otherwise (the sink of a session has no state, or an aborted incarnation has left a prefix to resume
//!   from) a serial task reads through a view, again without a read set. A recorded and validated execution
//!   instead costs 3 to 5 % in a session whose transactions all depend on each other (80 against 83 µs per
//!   transaction for one hot pool).

use std::ops::ControlFlow;

use super::super::schedule::{Job, Schedule, Start};
use super::super::stats::{Cost, ParallelStats, increment};
use super::super::task::{Executed, Inline, Sink, Task};
use super::super::view::{Interruption, ReadSet};
use super::job::Complete;
use super::{ParallelExecutor, Worker};
use crate::sync::{Instant, Ordering};

impl<T: Task, S: Sink<T>> ParallelExecutor<T, S> {
    /// Executes and commits a serial task on the state of the sink, if the sink has one. A prefix of an
    /// earlier incarnation is of use to a view only, so a task with one is not executed here.
    pub(super) fn execute_on_sink(
        &self,
        start: Start<T>,
        worker: &Worker<T>,
        request_helper: &impl Fn(),
    ) -> ControlFlow<Option<Job<T>>, Start<T>> {
        if !start.is_serial || start.previous.is_some() {
            return ControlFlow::Continue(start);
        }
        let began = Instant::now();
        let Start { incarnation, published, .. } = &start;
        let inline = self.sink.lock().execute_inline(&self.task, incarnation.index, incarnation.abort_flag());
        let Some(inline) = inline else { return ControlFlow::Continue(start) };
        self.has_executed_inline.store(true, Ordering::Release);
        let mut stats = ParallelStats {
            execution_nanoseconds: began.elapsed_nanoseconds(),
            serial_executions: 1,
            ..ParallelStats::default()
        };
        ControlFlow::Break(match inline {
            Inline::Committed { flow, writes, steps } => {
                stats.add_steps(steps);
                let stale = self.commit_writes(incarnation, flow, writes, published);
                self.committed(flow, &stale, &stats, worker, request_helper, Schedule::committed_inline)
            }
            Inline::Interrupted => self.finish_commit(worker, request_helper, |schedule| {
                schedule.stats.add_run(&stats);
                schedule.interrupted(incarnation, Interruption::Aborted, published.clone(), None);
                None
            }),
        })
    }

    /// Validates an executed task that has claimed the commit, and commits it.
    pub(super) fn validate_inline(
        &self,
        mut complete: Complete<T>,
        reads: ReadSet<T>,
        worker: &Worker<T>,
        request_helper: &impl Fn(),
    ) -> Option<Job<T>> {
        complete.stats.validations = 1;
        if reads.is_current(&self.memory, self.memory.epoch()) {
            return self.commit_inline(complete, worker, request_helper);
        }
        let Complete { incarnation, published, executed, stats } = complete;
        let cost = Cost::of(&stats, executed.steps());
        let prefix = executed.into_unpaid().and_then(|unpaid| self.task.prefix(unpaid, reads));
        self.finish_commit(worker, request_helper, |schedule| {
            schedule.stats.add_run(&stats);
            schedule.stats.add_waste(cost);
            increment(&mut schedule.stats.validations);
            schedule.conflict_before_publication(&incarnation, published, prefix)
        })
    }

    /// Runs the fee phase of a valid task that is next in commit order, and commits it.
    pub(super) fn commit_inline(
        &self,
        complete: Complete<T>,
        worker: &Worker<T>,
        request_helper: &impl Fn(),
    ) -> Option<Job<T>> {
        let Complete { incarnation, published, executed, mut stats } = complete;
        let steps = executed.steps();
        let output = match executed {
            Executed::Final { output, .. } => Some(output),
            Executed::Unpaid { unpaid, .. } => self.finalize(&incarnation, unpaid, &mut stats, worker),
        };
        let Some(output) = output else {
            // Only a halt or a cancellation interrupts a task that is next in commit order.
            return self.finish_commit(worker, request_helper, |schedule| {
                schedule.stats.add_run(&stats);
                schedule.interrupted(&incarnation, Interruption::Aborted, published, None);
                None
            });
        };
        let began = Instant::now();
        let (flow, stale) = self.commit_output(&incarnation, output, &published);
        stats.commit_nanoseconds = began.elapsed_nanoseconds();
        stats.add_steps(steps);
        self.committed(flow, &stale, &stats, worker, request_helper, Schedule::committed_inline)
    }
}

//! Jobs: what there is to do, and in which order it is done.
//!
//! Input: the states of all tasks. Output: jobs, each given to one worker.

use super::super::stats::{Cost, increment};
use super::super::task::Task;
use super::super::versioned_memory::{Incarnation, Location};
use super::super::view::ReadSet;
use super::{Schedule, Status};

/// After this many later executions, the fee phase of a task is run by any worker.
const LATE: usize = 8;

/// A unit of work.
pub(in crate::parallel) enum Job<T: Task> {
    /// Execute a task.
    Execute(Start<T>),
    /// Run a fee phase before its commit.
    FeePhase(Box<Done<T>>, T::Unpaid),
    /// Validate and commit the next task.
    Commit(Box<Done<T>>, Stage<T>),
}

/// The input of an execution.
pub(in crate::parallel) struct Start<T: Task> {
    pub(in crate::parallel) incarnation: Incarnation,
    /// The locations that earlier incarnations have published to.
    pub(in crate::parallel) published: Vec<Location>,
    /// The latest aborted incarnation.
    pub(in crate::parallel) previous: Option<Previous<T>>,
    /// `true` if the task was next in commit order at the start.
    pub(in crate::parallel) is_next_to_commit: bool,
    /// `true` if, besides, no other task was running or runnable: the task runs non-speculatively up to its
    /// commit.
    pub(in crate::parallel) is_serial: bool,
}

/// An aborted incarnation that the next incarnation may resume from.
pub(in crate::parallel) enum Previous<T: Task> {
    Interrupted(T::Prefix),
    Executed(ReadSet<T>, Stage<T>),
}

/// A task that is executed and not yet committed, besides its [`Stage`].
pub(in crate::parallel) struct Done<T: Task> {
    pub(in crate::parallel) incarnation: Incarnation,
    /// The worker that executed it.
    pub(in crate::parallel) worker: usize,
    /// The read set of the execution.
    pub(in crate::parallel) reads: ReadSet<T>,
    /// The cost of the execution.
    pub(in crate::parallel) cost: Cost,
    pub(in crate::parallel) published: Published<T>,
}

/// The stage of an executed task on its way to the commit.
pub(in crate::parallel) enum Stage<T: Task> {
    /// The fee phase has still to run.
    Unpaid(T::Unpaid),
    /// The fee phase ran speculatively; its read set is validated at the commit.
    Charged(T::Charged, ReadSet<T>),
    /// The result is complete.
    Final(T::Output),
}

impl<T: Task> Stage<T> {
    pub(super) fn is_unpaid(&self) -> bool {
        matches!(self, Self::Unpaid(_))
    }
}

/// The published writes of an incarnation.
pub(in crate::parallel) struct Published<T: Task> {
    /// Keys and values; without a value where the fee phase will write.
    pub(in crate::parallel) writes: Vec<(T::Key, Option<T::Value>)>,
    /// The location of each write.
    pub(in crate::parallel) locations: Vec<Location>,
}

impl<T: Task> Published<T> {
    pub(in crate::parallel) fn with_capacity(writes: usize) -> Self {
        Self { writes: Vec::with_capacity(writes), locations: Vec::with_capacity(writes) }
    }

    pub(in crate::parallel) fn push(&mut self, key: T::Key, value: Option<T::Value>, location: Location) {
        self.writes.push((key, value));
        self.locations.push(location);
    }

    /// Returns the location of a write of this value to this key.
    pub(in crate::parallel) fn find(&self, key: &T::Key, value: &T::Value) -> Option<Location> {
        let is_it = |(written, published): &(T::Key, Option<T::Value>)| {
            written == key && published.as_ref() == Some(value)
        };
        self.writes.iter().position(is_it).and_then(|at| self.locations.get(at)).copied()
    }
}

/// The result of a search for a job.
pub(in crate::parallel) enum NextJob<T: Task> {
    Job(Job<T>),
    /// There is no job now.
    Nothing,
    /// There will be no job any more.
    Finished,
}

impl<T: Task> NextJob<T> {
    pub(in crate::parallel) fn job(self) -> Option<Job<T>> {
        match self {
            Self::Job(job) => Some(job),
            Self::Nothing | Self::Finished => None,
        }
    }
}

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

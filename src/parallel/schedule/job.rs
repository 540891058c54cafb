//! Jobs, and the data of executed tasks that they pass on. Data only.

use super::super::stats::Cost;
use super::super::task::Task;
use super::super::versioned_memory::{Incarnation, Location};
use super::super::view::ReadSet;

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

//! The interface of the executor: the tasks, and the sink that their results are committed to.
//!
//! A task in flight passes through states, each of which is a type of its own:
//!
//! ```text
//! execute ──▶ Unpaid ──charge──▶ Charged ──confirm──▶ Output ──▶ Sink::commit
//!    │          │  ◀──uncharge──────┘                   ▲
//!    │          └──────────────finalize─────────────────┤
//!    └──────────── (no fee phase) ──────────────────────┘
//! ```
//!
//! `Unpaid` is executed, with its fee phase still to run. `Charged` has run its fee phase speculatively: the
//! fee phase's read set is validated at the commit, and after a conflict it runs again without the execution.
//! `Output` is final.

use std::ops::ControlFlow;

use super::state_model::StateModel;
use super::view::{ReadSet, View};
use crate::sync::{Arc, AtomicBool};

/// A numbered family of tasks. The result of a task is a function of its index and of the values that it
/// reads.
pub(crate) trait Task: StateModel + Sync {
    /// An executed task whose fee phase has still to run.
    type Unpaid: Send;
    /// A task whose fee phase ran speculatively.
    type Charged: Send;
    /// A finished task.
    type Output: Send;
    /// The validated prefix of an aborted incarnation, from which the next incarnation can resume.
    type Prefix: Send;

    /// Loads the value of a key before the first task. May be slow; called without a lock.
    fn load(&self, key: &Self::Key) -> Result<Self::Value, Self::Error>;

    /// Returns `true` if a key with this value is read by many tasks and hardly ever written. Its readers are
    /// not registered, which would have all threads write the same memory: they are validated at their
    /// commits alone.
    fn is_cacheable(&self, key: &Self::Key, value: &Self::Value) -> bool;

    /// Returns the earlier task that this one is known to depend on. It is not started before that one's fee
    /// phase has run. Called once, when the task is added.
    fn predecessor(&self, index: usize) -> Option<usize>;

    /// Returns `true` if the executor is to stop. Polled; once `true` it must stay `true`.
    fn is_cancelled(&self) -> bool {
        false
    }

    /// Executes a task, from `prefix` on if the values that it has read are still the same. After an
    /// interruption of the view it must return soon.
    fn execute(
        &self,
        index: usize,
        view: &View<'_, Self>,
        prefix: Option<Self::Prefix>,
    ) -> TaskExecution<Self>;

    /// Runs the fee phase speculatively.
    fn charge(&self, index: usize, unpaid: Self::Unpaid, view: &View<'_, Self>) -> Charge<Self>;

    /// Runs the fee phase of a task that is next in commit order. Returns `None` if the view interrupted it.
    fn finalize(&self, index: usize, unpaid: Self::Unpaid, view: &View<'_, Self>) -> Option<Self::Output>;

    /// Takes a speculative fee phase back.
    fn uncharge(&self, charged: Self::Charged) -> Self::Unpaid;

    /// Turns a task whose fee phase passed validation into its result.
    fn confirm(&self, charged: Self::Charged) -> Self::Output;

    /// Returns the write set of an executed task without its fee phase.
    fn unpaid_writes(&self, unpaid: &Self::Unpaid) -> Vec<(Self::Key, Self::Value)>;

    /// Returns the write set of a task with its speculative fee phase.
    fn charged_writes(&self, charged: &Self::Charged) -> Vec<(Self::Key, Self::Value)>;

    /// Returns the write set of a finished task.
    fn writes(&self, output: &Self::Output) -> Vec<(Self::Key, Self::Value)>;

    /// Returns the prefix of an executed but aborted incarnation that the next incarnation can resume from.
    /// `reads` is the read set of the execution.
    fn prefix(&self, unpaid: Self::Unpaid, reads: ReadSet<Self>) -> Option<Self::Prefix>;
}

/// The result of [`Task::execute`].
pub(crate) enum TaskExecution<T: Task> {
    /// The execution ran to its end.
    Done(Executed<T>),
    /// The view interrupted the execution; the next incarnation may resume from the prefix.
    Aborted(Option<T::Prefix>),
}

/// An execution that ran to its end.
pub(crate) enum Executed<T: Task> {
    /// The fee phase has still to run.
    Unpaid {
        /// The executed task.
        unpaid: T::Unpaid,
        /// The cost of the execution, in the task's own unit.
        steps: u64,
        /// The amount that the fee phase will add to the shared cell.
        delta: T::Delta,
        /// The keys that the fee phase will probably write. Later tasks that read them wait for it.
        pending: Vec<T::Key>,
    },
    /// The task has no fee phase, or has run it already.
    Final {
        /// The result.
        output: T::Output,
        /// The cost of the execution, in the task's own unit.
        steps: u64,
        /// `true` if the task failed for an external reason, such as a failed load. The failure of a
        /// speculative incarnation is discarded, since it may have seen a state that never exists; the task
        /// runs again in commit order.
        has_failed: bool,
    },
}

impl<T: Task> Executed<T> {
    pub(super) fn steps(&self) -> u64 {
        match self {
            Self::Unpaid { steps, .. } | Self::Final { steps, .. } => *steps,
        }
    }

    pub(super) fn delta(&self) -> Option<&T::Delta> {
        match self {
            Self::Unpaid { delta, .. } => Some(delta),
            Self::Final { .. } => None,
        }
    }

    /// Returns the executed task if its fee phase has still to run.
    pub(super) fn into_unpaid(self) -> Option<T::Unpaid> {
        match self {
            Self::Unpaid { unpaid, .. } => Some(unpaid),
            Self::Final { .. } => None,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self, Self::Final { has_failed: true, .. })
    }
}

/// The result of [`Task::charge`].
pub(crate) enum Charge<T: Task> {
    /// The fee is charged, subject to validation of the values that the fee phase read.
    Charged(T::Charged),
    /// The fee phase was interrupted, failed, or was rejected: it runs again at the commit.
    Deferred(T::Unpaid),
    /// A panic destroyed the task's state: the task is executed again in commit order.
    Lost,
}

/// Takes results strictly in commit order, one at a time, on any thread.
pub(crate) trait Sink<T: Task>: Send {
    /// Commits the next result. A break ends the executor: no further result is committed.
    fn commit(&mut self, index: usize, output: T::Output) -> ControlFlow<()>;

    /// Executes the next task directly on the committed state, and commits it. Returns `None` if the sink has
    /// no such state. `abort` interrupts the execution.
    fn execute_inline(&mut self, task: &T, index: usize, abort: Arc<AtomicBool>) -> Option<Inline<T>> {
        let _ = (task, index, abort);
        None
    }

    /// Returns the committed value of a key, if the sink knows it.
    fn committed_value(&self, key: &T::Key) -> Option<T::Value> {
        let _ = key;
        None
    }
}

/// The result of [`Sink::execute_inline`].
pub(crate) enum Inline<T: Task> {
    /// The task is committed.
    Committed {
        /// The sink's decision to continue or to end the executor.
        flow: ControlFlow<()>,
        /// The write set.
        writes: Vec<(T::Key, T::Value)>,
        /// The cost of the execution, in the task's own unit.
        steps: u64,
    },
    /// The execution was interrupted; nothing is committed.
    Interrupted,
}

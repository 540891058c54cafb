//! What is executed in parallel, and who takes the results.

use std::hash::Hash;
use std::ops::ControlFlow;

use super::view::{Reads, View};
use crate::sync::{Arc, AtomicBool};

/// A numbered family of tasks, each a function of its number and of what it reads.
pub(crate) trait Task: Sync + Sized {
    /// Names a cell.
    type Key: Clone + Eq + Hash + Send + Sync;
    /// What is in a cell.
    type Value: Clone + PartialEq + Send + Sync;
    /// What a tail will add to a cell that many tails add to.
    type Delta: Clone + Send;
    /// What a body leaves, its tail goes on with, and the sink takes.
    type Body: Send;
    /// What a run may leave to the next run of the same task.
    type Kept: Send;
    /// Why a cell could not be loaded.
    type Error;

    /// What is in a cell before the first task. May be slow; called without a lock.
    fn load(&self, key: &Self::Key) -> Result<Self::Value, Self::Error>;

    /// Whether a cell with this value is read by many and hardly ever written: its readers are then not noted, which would have
    /// all threads write the same memory. That it was written after all, the comparison at the commit finds out.
    fn changes_seldom(&self, key: &Self::Key, value: &Self::Value) -> bool;

    /// The task before this one without which running it is hopeless, if that is known beforehand: it is not begun before that
    /// one is settled. Asked once, when the task is added.
    fn follows(&self, index: usize) -> Option<usize>;

    /// Whether everything is to end now. Asked again and again; once it is so it stays so.
    fn is_over(&self) -> bool {
        false
    }

    /// Runs the body of a task. When the view interrupts it, it is to give up soon, with what the next run may use.
    ///
    /// `kept` is what an earlier run left there.
    fn execute(
        &self,
        index: usize,
        view: &View<'_, Self>,
        kept: Option<Self::Kept>,
    ) -> Result<Executed<Self>, Option<Self::Kept>>;

    /// What a task wrote whose body ran to its end, its tail included if that did.
    fn writes(&self, body: &Self::Body) -> Vec<(Self::Key, Self::Value)>;

    /// What the next run may use of a body that ran to its end and counts no more, with what it read.
    fn keep(&self, body: Self::Body, reads: Reads<Self>) -> Option<Self::Kept>;

    /// Runs the tail of a task whose body said `delta`, and leaves its result in the body; `None` when the view interrupted it. It
    /// may run again, unless `View::is_last`: then what it left before counts no more.
    fn settle(&self, index: usize, body: &mut Self::Body, view: &View<'_, Self>) -> Option<Settled>;
}

/// A body that ran to its end.
pub(crate) struct Executed<T: Task> {
    /// Its result.
    pub(crate) body: T::Body,
    /// How much it took, by the task's own measure.
    pub(crate) steps: u64,
    /// What its tail will add, if it has a tail.
    pub(crate) delta: Option<T::Delta>,
    /// Cells that the tail will probably write: who reads them had better wait for it.
    pub(crate) unsettled: Vec<T::Key>,
    /// Whether it broke off for a reason outside of the task, as a load that failed. Not believed of a run that may have seen
    /// what no task will see: the body runs again when all tasks before it are committed.
    pub(crate) broken: bool,
}

/// A tail that ran to its end.
pub(crate) struct Settled {
    /// As of a body.
    pub(crate) broken: bool,
}

/// Takes results, strictly in order, one at a time, on any thread.
pub(crate) trait Sink<T: Task>: Send {
    /// Takes the next result, settled if it had a tail. A break ends everything: no other result will come.
    fn take(&mut self, index: usize, body: T::Body) -> ControlFlow<()>;

    /// Runs the next task on what the results so far left, and takes its result; for a task beside which nothing runs. `None` if
    /// there is nothing here to run it on: then it runs like any other.
    fn run_and_take(&mut self, task: &T, index: usize, void: Arc<AtomicBool>) -> Option<Straight<T>> {
        let _ = (task, index, void);
        None
    }

    /// What a cell has after the results so far, if that is known here.
    fn known(&self, key: &T::Key) -> Option<T::Value> {
        let _ = key;
        None
    }
}

/// A task that ran straight through.
pub(crate) enum Straight<T: Task> {
    /// Its result is taken.
    Taken {
        /// Whether there will be another.
        flow: ControlFlow<()>,
        /// What it wrote.
        writes: Vec<(T::Key, T::Value)>,
        /// How much it took, by the task's own measure.
        steps: u64,
    },
    /// It was stopped; nothing is taken.
    Stopped,
}

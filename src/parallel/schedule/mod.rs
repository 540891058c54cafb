//! The schedule: the states of all tasks in flight, behind one lock.
//!
//! Input: what workers did. Output: what they do next. Data only: the executor has the lock and the threads.
//! The lock is held for some hundred nanoseconds, a few times per task.
//!
//! ```text
//!           ┌──────────────── aborted, or interrupted ◀─┐
//!           ▼                                           │
//!        Ready ──▶ Running ──▶ Executed ──▶ Busy (fee phase or commit) ──▶ committed
//!           ▲         │  └── next in commit order ──▲
//!           │         ▼
//!           └── Waiting (for the execution, fee phase or commit of another task) ◀── repeatedly aborted
//! ```

mod aborts;
mod bit_set;
mod job;
mod next;
mod threads;
mod transitions;

use std::collections::{BTreeMap, VecDeque};

use self::bit_set::BitSet;
pub(super) use self::job::{Done, Job, NextJob, Previous, Published, Stage, Start};
pub(super) use self::threads::{Busy, Caller, Wakeups};
use super::concurrency_limit::ConcurrencyLimit;
use super::config::ParallelConfig;
use super::stats::ParallelStats;
use super::task::Task;
use super::versioned_memory::{Incarnation, Location};

/// After this many incarnations a task waits until it is next in commit order, when nothing can abort it: it
/// runs at most once more.
const MAX_SPECULATIVE_INCARNATIONS: u64 = 5;

enum Status<T: Task> {
    Ready,
    Running,
    Executed(Box<Done<T>>, Stage<T>),
    /// A worker runs the fee phase or the commit.
    Busy,
    Waiting,
}

struct TaskSlot<T: Task> {
    status: Status<T>,
    /// The latest incarnation.
    incarnation: Option<Incarnation>,
    /// The locations that earlier incarnations have published to.
    published: Vec<Location>,
    previous: Option<Previous<T>>,
    delta: Option<T::Delta>,
    /// The tasks that wait for its execution.
    awaiting_execution: Vec<usize>,
    /// The tasks that wait for its fee phase.
    awaiting_fee_phase: Vec<usize>,
    /// `true` if all its writes are published, those of the fee phase included.
    is_final: bool,
    aborts: u32,
    incarnations: u64,
}

impl<T: Task> TaskSlot<T> {
    fn new() -> Self {
        Self {
            status: Status::Ready,
            incarnation: None,
            published: Vec::new(),
            previous: None,
            delta: None,
            awaiting_execution: Vec::new(),
            awaiting_fee_phase: Vec::new(),
            is_final: false,
            aborts: 0,
            incarnations: 0,
        }
    }
}

/// The states of all tasks.
pub(super) struct Schedule<T: Task> {
    /// The tasks that are not committed.
    slots: VecDeque<TaskSlot<T>>,
    /// The number of committed tasks, which is the index of the first slot.
    committed: usize,
    /// The number of tasks that may be committed for now.
    commit_limit: usize,
    /// `true` if no more tasks will be added.
    is_closed: bool,
    is_halted: bool,
    ready: BitSet,
    /// Executed tasks whose fee phase has not run.
    unpaid: BitSet,
    /// The tasks that wait for a commit, by the index of the task to be committed.
    awaiting_commit: BTreeMap<usize, Vec<usize>>,
    /// All tasks before this one have executed.
    executed: usize,
    /// The number of tasks after the last commit that may be executed.
    window: usize,
    /// `true` if fee phases run speculatively, in parallel, rather than at their commits.
    speculates_fees: bool,
    limit: ConcurrencyLimit,
    running: usize,
    is_committing: bool,
    /// Helpers that were requested and have not left, and the most there may be.
    helpers: usize,
    max_helpers: usize,
    has_main: bool,
    /// The helpers, and the main thread if it was woken, that are about to search for a job.
    searching: usize,
    is_main_parked: bool,
    /// `true` if the main thread has something to do besides a job.
    is_main_notified: bool,
    pub(super) stats: ParallelStats,
}

impl<T: Task> Schedule<T> {
    pub(super) fn new(config: ParallelConfig) -> Self {
        let ParallelConfig { helpers, window, has_main, speculates_fees, .. } = config;
        Self {
            slots: VecDeque::new(),
            committed: 0,
            commit_limit: usize::MAX,
            is_closed: false,
            is_halted: false,
            ready: BitSet::default(),
            unpaid: BitSet::default(),
            awaiting_commit: BTreeMap::new(),
            executed: 0,
            window: window.max(1),
            speculates_fees,
            limit: ConcurrencyLimit::new(helpers.saturating_add(usize::from(has_main))),
            running: 0,
            is_committing: false,
            helpers: 0,
            max_helpers: helpers,
            has_main,
            searching: 0,
            is_main_parked: false,
            is_main_notified: false,
            stats: ParallelStats::default(),
        }
    }

    /// Returns the index of the next task that is added.
    pub(super) fn end(&self) -> usize {
        self.committed.saturating_add(self.slots.len())
    }

    /// Adds a task, which waits for the fee phase of its predecessor.
    pub(super) fn add(&mut self, predecessor: Option<usize>) {
        let index = self.end();
        self.slots.push_back(TaskSlot::new());
        let predecessor = predecessor.and_then(|index| self.slot(index)).filter(|slot| !slot.is_final);
        match predecessor {
            Some(predecessor) => {
                predecessor.awaiting_fee_phase.push(index);
                if let Some(slot) = self.slot(index) {
                    slot.status = Status::Waiting;
                }
            }
            None => self.ready.insert(index),
        }
    }

    pub(super) fn close(&mut self) {
        self.is_closed = true;
    }

    /// Allows the first `n` tasks to be committed.
    pub(super) fn limit_commits(&mut self, n: usize) {
        self.commit_limit = n;
    }

    /// Stops all work, running tasks included.
    pub(super) fn halt(&mut self) {
        self.is_halted = true;
        for slot in &self.slots {
            if let (Status::Running | Status::Busy, Some(incarnation)) = (&slot.status, &slot.incarnation) {
                incarnation.abort();
            }
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.is_halted || (self.is_closed && self.slots.is_empty())
    }

    fn slot(&mut self, index: usize) -> Option<&mut TaskSlot<T>> {
        index.checked_sub(self.committed).and_then(|at| self.slots.get_mut(at))
    }
}

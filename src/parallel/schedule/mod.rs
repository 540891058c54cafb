//! Who does what next: the states of all tasks behind one lock.
//!
//! In: what workers did. Out: what they are to do. Data only: the lock, the threads and the doing are in `engine`. The lock is held for
//! some hundred nanoseconds a few times per task.
//!
//! ```text
//!           ┌──────────────── void, or interrupted ◀─┐
//!           ▼                                        │
//!        Ready ──▶ Running ──▶ Executed ──▶ Busy (its tail runs, or it is being committed) ──▶ gone
//!           ▲         │  └──── its turn ───────▲
//!           │         ▼
//!           └── Waiting (for another's execution, settlement or commit) ◀── repeated victims
//! ```

mod aborts;
mod index_set;
mod job;
mod results;
mod threads;

use std::collections::{BTreeMap, VecDeque};

use self::index_set::Places;
pub(super) use self::job::{Done, Earlier, Job, Next, Published, Start};
pub(super) use self::threads::{Busy, By, Calls};
use super::concurrency_limit::Width;
use super::executor::Limits;
use super::stats::Counters;
use super::task::Task;
use super::versioned_memory::{Location, Run};

/// After so many runs a task waits for its own turn, when nothing can void it: it runs once more at most.
const MOST_EARLY_RUNS: u64 = 5;

enum Status<T: Task> {
    Ready,
    Running,
    Executed(Box<Done<T>>),
    Busy,
    Waiting,
}

struct Slot<T: Task> {
    status: Status<T>,
    /// The latest run.
    run: Option<Run>,
    published: Vec<Location>,
    earlier: Option<Earlier<T>>,
    delta: Option<T::Delta>,
    /// Who waits for it to execute.
    until_executed: Vec<usize>,
    /// Who waits for it to settle.
    until_settled: Vec<usize>,
    settled: bool,
    aborts: u32,
    runs: u64,
}

impl<T: Task> Slot<T> {
    fn new() -> Self {
        Self {
            status: Status::Ready,
            run: None,
            published: Vec::new(),
            earlier: None,
            delta: None,
            until_executed: Vec::new(),
            until_settled: Vec::new(),
            settled: false,
            aborts: 0,
            runs: 0,
        }
    }
}

/// The states of all tasks.
pub(super) struct Schedule<T: Task> {
    /// Those that are not committed.
    slots: VecDeque<Slot<T>>,
    /// How many are committed: the index of the first slot.
    committed: usize,
    /// How many may be committed for now.
    most_commits: usize,
    /// Whether no more tasks will be added.
    is_closed: bool,
    is_halted: bool,
    ready: Places,
    /// Executed, with a tail that has not run.
    unsettled: Places,
    /// Who waits for a commit, by the index of the task to be committed.
    until_committed: BTreeMap<usize, Vec<usize>>,
    /// All tasks below have executed.
    executed: usize,
    /// How far ahead of the commits a task may be executed.
    window: usize,
    /// Whether tails run as soon as they can, rather than at their commits.
    settles_early: bool,
    width: Width,
    running: usize,
    is_committing: bool,
    /// Helpers that were called and have not returned, and the most there may be.
    helpers: usize,
    most_helpers: usize,
    has_main: bool,
    /// Those of them, and of the main thread, that are about to look for a job.
    searching: usize,
    is_main_parked: bool,
    /// The main thread has something to look at other than a job.
    is_main_called: bool,
    pub(super) counters: Counters,
}

impl<T: Task> Schedule<T> {
    pub(super) fn new(limits: Limits) -> Self {
        let Limits { helpers, window, has_main, settles_early, .. } = limits;
        Self {
            slots: VecDeque::new(),
            committed: 0,
            most_commits: usize::MAX,
            is_closed: false,
            is_halted: false,
            ready: Places::default(),
            unsettled: Places::default(),
            until_committed: BTreeMap::new(),
            executed: 0,
            window: window.max(1),
            settles_early,
            width: Width::new(helpers.saturating_add(usize::from(has_main))),
            running: 0,
            is_committing: false,
            helpers: 0,
            most_helpers: helpers,
            has_main,
            searching: 0,
            is_main_parked: false,
            is_main_called: false,
            counters: Counters::default(),
        }
    }

    /// Where the next task that is added will be.
    pub(super) fn end(&self) -> usize {
        self.committed.saturating_add(self.slots.len())
    }

    /// Adds a task, which is not to begin before the one that it follows is settled.
    pub(super) fn add(&mut self, follows: Option<usize>) {
        let index = self.end();
        self.slots.push_back(Slot::new());
        let unsettled = follows.and_then(|follows| self.slot(follows)).filter(|before| !before.settled);
        match unsettled {
            Some(before) => {
                before.until_settled.push(index);
                if let Some(slot) = self.slot(index) {
                    slot.status = Status::Waiting;
                }
            }
            None => {
                self.ready.insert(index);
            }
        }
    }

    pub(super) fn close(&mut self) {
        self.is_closed = true;
    }

    /// Commits no more than so many tasks for now.
    pub(super) fn allow_commits(&mut self, tasks: usize) {
        self.most_commits = tasks;
    }

    /// Stops everything, running tasks included.
    pub(super) fn halt(&mut self) {
        self.is_halted = true;
        for slot in &self.slots {
            if let (Status::Running | Status::Busy, Some(run)) = (&slot.status, &slot.run) {
                run.make_void();
            }
        }
    }

    pub(super) fn is_halted(&self) -> bool {
        self.is_halted
    }

    pub(super) fn is_finished(&self) -> bool {
        self.is_halted || (self.is_closed && self.slots.is_empty())
    }

    fn slot(&mut self, index: usize) -> Option<&mut Slot<T>> {
        index.checked_sub(self.committed).and_then(|at| self.slots.get_mut(at))
    }
}

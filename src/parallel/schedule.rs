//! Who does what next: the states of all tasks behind one lock.
//!
//! In: what workers did. Out: what they are to do. Data only: the lock, the threads and the doing are in `engine`. The lock is held for
//! some hundred nanoseconds a few times per task.
//!
//! ```text
//!           ┌──────────────── void, or interrupted ◀─┐
//!           ▼                                        │
//!        Ready ──▶ Running ──▶ Executed ──▶ Busy (its tail runs, or it is being committed) ──▶ gone
//!           ▲         │                              │
//!           │         ▼                              │
//!           └── Waiting (for another's execution, settlement or commit) ◀── repeated victims
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::counters::{Counters, count};
use super::memory::{Cell, Run};
use super::task::Task;
use super::view::{Interruption, Read};
use super::width::Width;
use crate::sync::Arc;

/// After so many aborts a task waits for the commit of the one that voided it.
const PATIENCE: u32 = 2;

/// After so many runs a task waits for its own turn, when nothing can void it: it runs once more at most.
pub(super) const MOST_EARLY_RUNS: u64 = 5;

/// A piece of work.
pub(super) enum Job<T: Task> {
    /// Run a body.
    Execute(Start<T>),
    /// Run a tail.
    Settle(Box<Done<T>>),
    /// Commit, and then those after it.
    Commit(usize, Box<Done<T>>),
}

/// What a run begins with.
pub(super) struct Start<T: Task> {
    pub(super) run: Run,
    /// Where an earlier run's writes are.
    pub(super) published: Vec<Arc<Cell<T::Value>>>,
    pub(super) kept: Option<T::Kept>,
    /// Whether all tasks before it were committed when it began.
    pub(super) at_its_turn: bool,
}

/// A body that has run, perhaps its tail as well.
pub(super) struct Done<T: Task> {
    pub(super) run: Run,
    pub(super) body: T::Body,
    pub(super) reads: Vec<Read<T>>,
    pub(super) has_tail: bool,
    pub(super) tail: Option<(T::Tail, Vec<Read<T>>)>,
    pub(super) published: Vec<Arc<Cell<T::Value>>>,
}

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
    published: Vec<Arc<Cell<T::Value>>>,
    kept: Option<T::Kept>,
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
            kept: None,
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
    /// Whether no more tasks will be added.
    is_closed: bool,
    is_halted: bool,
    ready: BTreeSet<usize>,
    /// Executed, with a tail that has not run.
    unsettled: BTreeSet<usize>,
    /// Who waits for a commit, by the index of the task to be committed.
    until_committed: BTreeMap<usize, Vec<usize>>,
    /// All tasks below have executed.
    executed: usize,
    /// How far ahead of the commits a task may be executed.
    window: usize,
    width: Width,
    running: usize,
    is_committing: bool,
    /// Helpers that were called and have not returned, and the most there may be.
    helpers: usize,
    most_helpers: usize,
    /// Those of them, and of the main thread, that are about to look for a job.
    searching: usize,
    is_main_parked: bool,
    /// The main thread has something to look at other than a job.
    is_main_called: bool,
    pub(super) counters: Counters,
    /// What is to be dropped outside of the lock.
    garbage: Vec<Box<Done<T>>>,
}

/// What a worker finds when it looks for a job.
pub(super) enum Next<T: Task> {
    Job(Job<T>),
    /// Nothing now.
    Nothing,
    /// Nothing any more.
    Finished,
}

/// Who asks for others to be called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// One that has a job, and will look for another after it.
    Worker(Busy),
    /// One that will not.
    Other,
}

/// How long a worker will be busy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Busy {
    /// With a body.
    Long,
    /// With a tail, a commit, or nothing.
    Briefly,
}

impl Busy {
    pub(super) fn with<T: Task>(job: Option<&Job<T>>) -> Self {
        match job {
            Some(Job::Execute(_)) => Self::Long,
            Some(Job::Settle(_) | Job::Commit(..)) | None => Self::Briefly,
        }
    }
}

/// How many jobs could be begun.
struct Jobs {
    bodies: usize,
    others: usize,
}

/// What to do after the lock is released.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub(super) struct Calls {
    pub(super) main: bool,
    pub(super) helpers: usize,
}

impl<T: Task> Schedule<T> {
    pub(super) fn new(helpers: usize, window: usize) -> Self {
        Self {
            slots: VecDeque::new(),
            committed: 0,
            is_closed: false,
            is_halted: false,
            ready: BTreeSet::new(),
            unsettled: BTreeSet::new(),
            until_committed: BTreeMap::new(),
            executed: 0,
            window: window.max(1),
            width: Width::new(helpers.saturating_add(1)),
            running: 0,
            is_committing: false,
            helpers: 0,
            most_helpers: helpers,
            searching: 0,
            is_main_parked: false,
            is_main_called: false,
            counters: Counters::default(),
            garbage: Vec::new(),
        }
    }

    // ---- tasks and the end of them

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

    pub(super) fn take_garbage(&mut self) -> Vec<Box<Done<T>>> {
        std::mem::take(&mut self.garbage)
    }

    fn slot(&mut self, index: usize) -> Option<&mut Slot<T>> {
        index.checked_sub(self.committed).and_then(|at| self.slots.get_mut(at))
    }

    // ---- looking for a job

    /// The next job: what brings the commits on first, then what is lowest. A tail that can run beside others runs before its commit.
    pub(super) fn next(&mut self) -> Next<T> {
        if self.is_finished() {
            return Next::Finished;
        }
        if !self.unsettled.contains(&self.committed)
            && let Some(job) = self.next_commit()
        {
            return Next::Job(job);
        }
        if let Some(index) = self.unsettled.first().copied().filter(|index| *index <= self.executed)
            && let Some(done) = self.take_done(index)
        {
            self.unsettled.remove(&index);
            return Next::Job(Job::Settle(done));
        }
        self.next_execution().map_or(Next::Nothing, |start| Next::Job(Job::Execute(start)))
    }

    fn next_commit(&mut self) -> Option<Job<T>> {
        if self.is_committing {
            return None;
        }
        let index = self.committed;
        let done = self.take_done(index)?;
        self.unsettled.remove(&index);
        self.is_committing = true;
        Some(Job::Commit(index, done))
    }

    /// The result of an executed task, whose slot is busy from now on.
    fn take_done(&mut self, index: usize) -> Option<Box<Done<T>>> {
        let slot = self.slot(index)?;
        match std::mem::replace(&mut slot.status, Status::Busy) {
            Status::Executed(done) => Some(done),
            status => {
                slot.status = status;
                None
            }
        }
    }

    fn next_execution(&mut self) -> Option<Start<T>> {
        let index = self.ready.first().copied()?;
        let may = index == self.committed || self.running < self.width.now();
        if !may || index >= self.committed.saturating_add(self.window) {
            return None;
        }
        self.start(index)
    }

    /// Starts a task that is ready.
    fn start(&mut self, index: usize) -> Option<Start<T>> {
        let at_its_turn = index == self.committed;
        let run = Run::new(index);
        let slot = self.slot(index)?;
        slot.status = Status::Running;
        slot.run = Some(run.clone());
        slot.runs = slot.runs.saturating_add(1);
        slot.settled = false;
        let (published, kept, runs) = (std::mem::take(&mut slot.published), slot.kept.take(), slot.runs);
        self.ready.remove(&index);
        self.running = self.running.saturating_add(1);
        count(&mut self.counters.executions);
        self.counters.most_runs = self.counters.most_runs.max(runs);
        Some(Start { run, published, kept, at_its_turn })
    }

    // ---- threads

    /// Who is to be called. Waking a thread costs more than a tail or a commit: a worker that will look for a job again itself
    /// leaves those to itself, and the next body too if it will be back soon. Others leave nothing behind. Where nothing may run
    /// ahead, everything is left to the main thread.
    pub(super) fn calls(&mut self, by: By) -> Calls {
        if self.is_finished() {
            return Calls { main: std::mem::take(&mut self.is_main_parked), helpers: 0 };
        }
        let Jobs { bodies, others } = self.jobs();
        let jobs = match by {
            By::Worker(Busy::Briefly) => bodies.saturating_add(others).saturating_sub(1),
            By::Worker(Busy::Long) => bodies.saturating_add(others.saturating_sub(1)),
            By::Other => bodies.saturating_add(others),
        };
        let mut jobs = jobs.saturating_sub(self.searching);
        let mut calls = Calls::default();
        if self.is_main_parked && (jobs > 0 || self.is_main_called) {
            self.is_main_parked = false;
            calls.main = true;
            self.searching = self.searching.saturating_add(1);
            jobs = jobs.saturating_sub(1);
        }
        if self.is_narrow() {
            return calls;
        }
        calls.helpers = jobs.min(self.most_helpers.saturating_sub(self.helpers));
        self.helpers = self.helpers.saturating_add(calls.helpers);
        self.searching = self.searching.saturating_add(calls.helpers);
        calls
    }

    /// How many could find a job now, if that many looked.
    fn jobs(&self) -> Jobs {
        let executable = |index: usize| {
            index
                .checked_sub(self.committed)
                .and_then(|at| self.slots.get(at))
                .is_some_and(|slot| matches!(slot.status, Status::Executed(_)))
        };
        let commits = usize::from(
            !self.is_committing && !self.unsettled.contains(&self.committed) && executable(self.committed),
        );
        let settlements = self.unsettled.range(..=self.executed).count();
        let end = self.committed.saturating_add(self.window);
        let free = self.width.now().saturating_sub(self.running);
        let first = self.ready.first().is_some_and(|index| *index == self.committed);
        let bodies = self.ready.range(..end).take(free.max(usize::from(first))).count();
        Jobs { bodies, others: commits.saturating_add(settlements) }
    }

    /// Whether nothing may run ahead. Then the main thread does everything, so that the threads do not wake each other for each task.
    pub(super) fn is_narrow(&self) -> bool {
        self.width.now() == 1
    }

    /// A worker that was called begins to look.
    pub(super) fn looks(&mut self) {
        self.searching = self.searching.saturating_sub(1);
    }

    pub(super) fn helper_leaves(&mut self) {
        self.helpers = self.helpers.saturating_sub(1);
    }

    pub(super) fn park_main(&mut self) {
        self.is_main_parked = true;
    }

    pub(super) fn is_main_parked(&self) -> bool {
        self.is_main_parked
    }

    pub(super) fn call_main(&mut self) {
        self.is_main_called = true;
    }

    pub(super) fn take_main_call(&mut self) -> bool {
        std::mem::take(&mut self.is_main_called)
    }

    // ---- what became of a run

    /// A body ended and its writes are published; `voided` are the runs that they made void. Says who waited for it, lowest first.
    pub(super) fn executed(
        &mut self,
        done: Box<Done<T>>,
        delta: Option<T::Delta>,
        kept: Option<T::Kept>,
        voided: &[Run],
    ) -> Option<usize> {
        self.running = self.running.saturating_sub(1);
        let index = done.run.index;
        self.void_all(voided, index);
        let is_void = done.run.is_void();
        let has_tail = done.has_tail;
        let slot = self.slot(index)?;
        slot.kept = kept;
        slot.delta = delta;
        slot.settled = !has_tail;
        slot.status = Status::Executed(done);
        if is_void {
            count(&mut self.counters.aborts);
            self.requeue(index, None);
            return None;
        }
        if has_tail {
            self.unsettled.insert(index);
        }
        self.advance_executed();
        self.wake(index)
    }

    /// A body gave up.
    pub(super) fn interrupted(
        &mut self,
        run: &Run,
        interruption: Interruption,
        published: Vec<Arc<Cell<T::Value>>>,
        kept: Option<T::Kept>,
    ) {
        self.running = self.running.saturating_sub(1);
        // Nobody is to take its notes for those of a living run.
        run.make_void();
        let index = run.index;
        let Some(slot) = self.slot(index) else { return };
        slot.published = published;
        slot.kept = kept;
        slot.status = Status::Waiting;
        let is_patient = slot.runs < MOST_EARLY_RUNS;
        match interruption {
            Interruption::Void => {
                count(&mut self.counters.early_aborts);
                self.requeue(index, None);
            }
            Interruption::UntilExecuted(other) | Interruption::UntilSettled(other) if is_patient => {
                count(&mut self.counters.waits);
                self.width.in_vain();
                let waits_for_tail = matches!(interruption, Interruption::UntilSettled(_));
                let is_there = self.slot(other).is_none_or(|other| {
                    let is_executed = matches!(other.status, Status::Executed(_) | Status::Busy)
                        && other.run.as_ref().is_some_and(|run| !run.is_void());
                    is_executed && (other.settled || !waits_for_tail)
                });
                if is_there {
                    return self.make_ready(index);
                }
                if let Some(other) = self.slot(other) {
                    let list =
                        if waits_for_tail { &mut other.until_settled } else { &mut other.until_executed };
                    list.push(index);
                }
            }
            Interruption::UntilExecuted(_) | Interruption::UntilSettled(_) | Interruption::UntilItsTurn => {
                count(&mut self.counters.waits);
                self.width.in_vain();
                self.defer(index, index.saturating_sub(1));
            }
        }
    }

    /// A tail ended and its writes are published.
    pub(super) fn settled(&mut self, done: Box<Done<T>>, voided: &[Run]) -> Option<usize> {
        let index = done.run.index;
        self.void_all(voided, index);
        let is_void = done.run.is_void();
        let slot = self.slot(index)?;
        // A tail that was interrupted runs again when the task is committed.
        slot.settled = done.tail.is_some();
        slot.status = Status::Executed(done);
        if is_void {
            count(&mut self.counters.aborts);
            self.requeue(index, None);
            return None;
        }
        self.wake(index)
    }

    /// The task that is next to be committed is stale: it is run again at once.
    pub(super) fn stale_at_commit(&mut self, done: Box<Done<T>>) -> Option<Job<T>> {
        self.is_committing = false;
        let index = done.run.index;
        count(&mut self.counters.commit_aborts);
        let slot = self.slot(index)?;
        slot.status = Status::Executed(done);
        self.void(index);
        self.make_ready(index);
        count(&mut self.counters.handoffs);
        self.start(index).map(Job::Execute)
    }

    /// The task that was next to be committed is. The next one, if it is done, is handed out.
    pub(super) fn committed(&mut self, voided: &[Run]) -> Option<Job<T>> {
        self.void_all(voided, self.committed);
        self.is_committing = false;
        self.width.useful();
        let slot = self.slots.pop_front();
        self.committed = self.committed.saturating_add(1);
        self.executed = self.executed.max(self.committed);
        if let Some(slot) = slot {
            for waiting in slot.until_executed.into_iter().chain(slot.until_settled) {
                self.make_ready(waiting);
            }
        }
        while let Some(entry) = self.until_committed.first_entry() {
            if *entry.key() >= self.committed {
                break;
            }
            for waiting in entry.remove() {
                self.make_ready(waiting);
            }
        }
        self.advance_executed();
        if self.unsettled.contains(&self.committed) { None } else { self.next_commit() }
    }

    /// The deltas of the tasks after `after`, or from the first that is not committed, up to `before`.
    pub(super) fn deltas(&self, after: Option<usize>, before: usize) -> Vec<T::Delta> {
        let from = after.map_or(0, |after| after.saturating_add(1)).max(self.committed);
        (from..before)
            .filter_map(|index| index.checked_sub(self.committed).and_then(|at| self.slots.get(at)))
            .filter_map(|slot| slot.delta.clone())
            .collect()
    }

    // ---- inside

    fn void_all(&mut self, voided: &[Run], by: usize) {
        for run in voided {
            let Some(slot) = self.slot(run.index) else { continue };
            if !slot.run.as_ref().is_some_and(|current| current.is(run)) {
                continue;
            }
            run.make_void();
            if matches!(slot.status, Status::Executed(_)) {
                count(&mut self.counters.aborts);
                self.requeue(run.index, Some(by));
            }
            // Who runs, or is busy, will see it.
        }
    }

    /// What a task published counts no more.
    fn void(&mut self, index: usize) {
        let Some(slot) = self.slot(index) else { return };
        if let Some(run) = &slot.run {
            run.make_void();
        }
        slot.delta = None;
        slot.settled = false;
        slot.aborts = slot.aborts.saturating_add(1);
        if let Status::Executed(mut done) = std::mem::replace(&mut slot.status, Status::Waiting) {
            slot.published = std::mem::take(&mut done.published);
            self.counters.add_waste(u64::try_from(done.reads.len()).unwrap_or(u64::MAX));
            self.garbage.push(done);
        }
        self.unsettled.remove(&index);
        self.executed = self.executed.min(index);
        self.width.in_vain();
    }

    /// Runs a task again, sooner or later: the more often it was a victim, the later.
    fn requeue(&mut self, index: usize, by: Option<usize>) {
        self.void(index);
        let (aborts, runs) = self.slot(index).map_or((0, 0), |slot| (slot.aborts, slot.runs));
        match by {
            _ if runs >= MOST_EARLY_RUNS => self.defer(index, index.saturating_sub(1)),
            Some(by) if aborts >= PATIENCE => self.defer(index, by),
            _ => self.make_ready(index),
        }
    }

    /// Leaves a task alone until another is committed.
    fn defer(&mut self, index: usize, until: usize) {
        count(&mut self.counters.deferrals);
        if index == self.committed || until < self.committed {
            return self.make_ready(index);
        }
        if let Some(slot) = self.slot(index) {
            slot.status = Status::Waiting;
        }
        self.until_committed.entry(until).or_default().push(index);
    }

    fn make_ready(&mut self, index: usize) {
        if let Some(slot) = self.slot(index)
            && matches!(slot.status, Status::Waiting)
        {
            slot.status = Status::Ready;
            self.ready.insert(index);
        }
    }

    /// Wakes those who waited for what a task has just published.
    fn wake(&mut self, index: usize) -> Option<usize> {
        let slot = self.slot(index)?;
        let mut waiting = std::mem::take(&mut slot.until_executed);
        if slot.settled {
            waiting.append(&mut slot.until_settled);
        }
        let first = waiting.iter().min().copied();
        for other in waiting {
            self.make_ready(other);
        }
        first
    }

    fn advance_executed(&mut self) {
        while self
            .executed
            .checked_sub(self.committed)
            .and_then(|at| self.slots.get(at))
            .is_some_and(|slot| matches!(slot.status, Status::Executed(_) | Status::Busy))
        {
            self.executed = self.executed.saturating_add(1);
        }
    }
}

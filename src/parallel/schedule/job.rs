//! What there is to do, and what is to be done next.
//!
//! In: the states of all tasks. Out: jobs, of which each is given out once.

use super::super::stats::{Spent, count};
use super::super::task::Task;
use super::super::versioned_memory::{Location, Run};
use super::super::view::Read;
use super::{Schedule, Status};

/// A tail that so many tasks have been executed after is anybody's.
const LATE: usize = 8;

/// A piece of work.
pub(in crate::parallel) enum Job<T: Task> {
    /// Run a body.
    Execute(Start<T>),
    /// Run a tail.
    Settle(Box<Done<T>>),
    /// Commit, and then those after it.
    Commit(usize, Box<Done<T>>),
}

/// What a run begins with.
pub(in crate::parallel) struct Start<T: Task> {
    pub(in crate::parallel) run: Run,
    /// Where an earlier run's writes are.
    pub(in crate::parallel) published: Vec<Location>,
    /// What became of that run.
    pub(in crate::parallel) earlier: Option<Earlier<T>>,
    /// Whether all tasks before it were committed when it began.
    pub(in crate::parallel) at_its_turn: bool,
    /// Whether, besides, nothing else was running or could be begun.
    pub(in crate::parallel) is_alone: bool,
}

/// A run that counts no more, of which the next may use something.
pub(in crate::parallel) enum Earlier<T: Task> {
    Interrupted(T::Kept),
    Ended(Box<Done<T>>),
}

/// A body that has run, perhaps its tail as well.
pub(in crate::parallel) struct Done<T: Task> {
    pub(in crate::parallel) run: Run,
    /// Who ran the body.
    pub(in crate::parallel) worker: usize,
    pub(in crate::parallel) body: T::Body,
    pub(in crate::parallel) reads: Vec<Read<T>>,
    /// What the body took.
    pub(in crate::parallel) spent: Spent,
    pub(in crate::parallel) has_tail: bool,
    /// What the tail read, if it has run.
    pub(in crate::parallel) tail: Option<Vec<Read<T>>>,
    pub(in crate::parallel) published: Published<T>,
}

/// What a run wrote, and where.
pub(in crate::parallel) struct Published<T: Task> {
    /// Without a value where the tail will write.
    pub(in crate::parallel) writes: Vec<(T::Key, Option<T::Value>)>,
    /// Of each.
    pub(in crate::parallel) locations: Vec<Location>,
}

impl<T: Task> Published<T> {
    pub(in crate::parallel) fn with_room(writes: usize) -> Self {
        Self { writes: Vec::with_capacity(writes), locations: Vec::with_capacity(writes) }
    }

    pub(in crate::parallel) fn push(&mut self, key: T::Key, value: Option<T::Value>, location: Location) {
        self.writes.push((key, value));
        self.locations.push(location);
    }

    /// Where this value is, if that was written.
    pub(in crate::parallel) fn find(&self, key: &T::Key, value: &T::Value) -> Option<Location> {
        let is_it =
            |(written, now): &(T::Key, Option<T::Value>)| written == key && now.as_ref() == Some(value);
        self.writes.iter().position(is_it).and_then(|at| self.locations.get(at)).copied()
    }
}

/// What a worker finds when it looks for a job.
pub(in crate::parallel) enum Next<T: Task> {
    Job(Job<T>),
    /// Nothing now.
    Nothing,
    /// Nothing any more.
    Finished,
}

impl<T: Task> Next<T> {
    pub(in crate::parallel) fn job(self) -> Option<Job<T>> {
        match self {
            Self::Job(job) => Some(job),
            Self::Nothing | Self::Finished => None,
        }
    }
}

impl<T: Task> Schedule<T> {
    /// The next job of a worker: what brings the commits on first, then what is lowest. Among many threads a tail that can run beside
    /// others runs before its commit.
    pub(in crate::parallel) fn next(&mut self, worker: usize) -> Next<T> {
        if self.is_finished() {
            return Next::Finished;
        }
        if !self.settles_first()
            && let Some(job) = self.next_commit()
        {
            return Next::Job(job);
        }
        if let Some(done) = self.next_tail(|schedule, index| schedule.is_for(worker, index)) {
            return Next::Job(Job::Settle(done));
        }
        if let Some(start) = self.next_execution() {
            return Next::Job(Job::Execute(start));
        }
        self.next_tail(|_, _| true).map_or(Next::Nothing, |done| Next::Job(Job::Settle(done)))
    }

    fn next_tail(&mut self, is_wanted: impl Fn(&Self, usize) -> bool) -> Option<Box<Done<T>>> {
        let tails = || self.unsettled.iter().take_while(|index| *index <= self.executed);
        let index = tails().find(|index| is_wanted(self, *index))?;
        let done = self.take_done(index)?;
        self.unsettled.remove(index);
        Some(done)
    }

    /// Whether a worker had better do this tail now than begin a body: somebody waits; or it ran the body, and has all that at hand;
    /// or the one who ran it does not come to it.
    fn is_for(&self, worker: usize, index: usize) -> bool {
        let slot = index.checked_sub(self.committed).and_then(|at| self.slots.get(at));
        (self.settles_early && index.saturating_add(LATE) <= self.executed)
            || slot.is_some_and(|slot| {
                let is_own = matches!(&slot.status, Status::Executed(done) if done.worker == worker);
                (is_own && self.settles_early) || !slot.until_settled.is_empty()
            })
    }

    /// Whether the tail of the task that is next to be committed is to run before its commit, beside others.
    pub(super) fn settles_first(&self) -> bool {
        self.settles_early && self.unsettled.contains(self.committed)
    }

    pub(super) fn next_commit(&mut self) -> Option<Job<T>> {
        if !self.may_commit() {
            return None;
        }
        let index = self.committed;
        let done = self.take_done(index)?;
        self.unsettled.remove(index);
        self.is_committing = true;
        Some(Job::Commit(index, done))
    }

    pub(super) fn may_commit(&self) -> bool {
        !self.is_committing && self.committed < self.most_commits
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
        let index = self.ready.first()?;
        let may = index == self.committed || self.running < self.width.now();
        if !may || index >= self.committed.saturating_add(self.window) {
            return None;
        }
        self.start(index)
    }

    /// Starts a task that is ready.
    pub(super) fn start(&mut self, index: usize) -> Option<Start<T>> {
        let at_its_turn = index == self.committed;
        let is_alone = at_its_turn
            && self.running == 0
            && self.may_commit()
            && (self.width.now() == 1 || (self.ready.len() == 1 && self.ready.contains(index)));
        let run = Run::new(index);
        let slot = self.slot(index)?;
        slot.status = Status::Running;
        slot.run = Some(run.clone());
        slot.runs = slot.runs.saturating_add(1);
        slot.settled = false;
        let (published, earlier, runs) =
            (std::mem::take(&mut slot.published), slot.earlier.take(), slot.runs);
        self.ready.remove(index);
        self.running = self.running.saturating_add(1);
        count(&mut self.counters.executions);
        self.counters.most_runs = self.counters.most_runs.max(runs);
        Some(Start { run, published, earlier, at_its_turn, is_alone })
    }
}

//! Which threads are called to do it.
//!
//! In: who asks, and how much there is to do. Out: how many are to be woken. Waking a thread costs more than many a job.

use super::super::task::Task;
use super::job::Job;
use super::{Schedule, Status};

/// Who asks for others to be called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::parallel) enum By {
    /// One that has a job, and will look for another after it.
    Worker(Busy),
    /// One that will not.
    Other,
}

/// How long a worker will be busy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::parallel) enum Busy {
    /// With a body.
    Long,
    /// With a tail, a commit, or nothing.
    Briefly,
}

impl Busy {
    pub(in crate::parallel) fn with<T: Task>(job: Option<&Job<T>>) -> Self {
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
pub(in crate::parallel) struct Calls {
    pub(in crate::parallel) main: bool,
    pub(in crate::parallel) helpers: usize,
}

impl<T: Task> Schedule<T> {
    /// Who is to be called. Waking a thread costs more than a tail or a commit: a worker that will look for a job again itself
    /// leaves those to itself, and the next body too if it will be back soon. Others leave nothing behind.
    pub(in crate::parallel) fn calls(&mut self, by: By) -> Calls {
        if self.is_finished() {
            return Calls { main: std::mem::take(&mut self.is_main_parked), helpers: 0 };
        }
        // Almost always everybody is at work.
        let room = self.helpers_of_use().saturating_sub(self.helpers);
        if room == 0 && !self.is_main_parked {
            return Calls::default();
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
        calls.helpers = jobs.min(room);
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
        let commits = usize::from(self.may_commit() && !self.settles_first() && executable(self.committed));
        let settlements = self.unsettled.iter().take_while(|index| *index <= self.executed).count();
        let end = self.committed.saturating_add(self.window);
        let free = self.width.now().saturating_sub(self.running);
        let first = self.ready.first() == Some(self.committed);
        let bodies =
            self.ready.iter().take_while(|index| *index < end).take(free.max(usize::from(first))).count();
        Jobs { bodies, others: commits.saturating_add(settlements) }
    }

    /// How many helpers there had better be now. Where nothing may run ahead one thread does everything, the main one if there is
    /// one, so that the threads do not wake each other for each task.
    fn helpers_of_use(&self) -> usize {
        if self.width.now() > 1 {
            self.most_helpers
        } else {
            usize::from(!self.has_main).min(self.most_helpers)
        }
    }

    pub(in crate::parallel) fn has_too_many_helpers(&self) -> bool {
        self.helpers > self.helpers_of_use()
    }

    /// A worker that was called begins to look.
    pub(in crate::parallel) fn looks(&mut self) {
        self.searching = self.searching.saturating_sub(1);
    }

    pub(in crate::parallel) fn helper_leaves(&mut self) {
        self.helpers = self.helpers.saturating_sub(1);
    }

    pub(in crate::parallel) fn park_main(&mut self) {
        self.is_main_parked = true;
    }

    pub(in crate::parallel) fn is_main_parked(&self) -> bool {
        self.is_main_parked
    }

    pub(in crate::parallel) fn call_main(&mut self) {
        self.is_main_called = true;
    }

    pub(in crate::parallel) fn is_main_called(&self) -> bool {
        self.is_main_called
    }

    pub(in crate::parallel) fn take_main_call(&mut self) -> bool {
        std::mem::take(&mut self.is_main_called)
    }
}

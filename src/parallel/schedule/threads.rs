//! Wake-ups: the number of threads that are needed for the jobs at hand.
//!
//! Input: the caller, and the number of jobs. Output: the threads to wake. Waking a thread costs more than
//! many a job.

use super::super::task::Task;
use super::job::Job;
use super::{Schedule, Status};

/// The thread that asks for others to be woken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::parallel) enum Caller {
    /// A worker that has a job and will search for another one afterwards.
    Worker(Busy),
    /// A thread that will not search for a job.
    Other,
}

/// The time for which a worker will be busy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::parallel) enum Busy {
    /// The worker executes a task.
    Long,
    /// The worker runs a fee phase or a commit, or has no job.
    Briefly,
}

impl Busy {
    pub(in crate::parallel) fn with<T: Task>(job: Option<&Job<T>>) -> Self {
        match job {
            Some(Job::Execute(_)) => Self::Long,
            Some(Job::FeePhase(..) | Job::Commit(..)) | None => Self::Briefly,
        }
    }
}

/// The number of jobs that could be started.
struct RunnableJobs {
    executions: usize,
    others: usize,
}

/// The threads to wake after the lock is released.
#[derive(Clone, Copy, Debug, Default)]
#[must_use]
pub(in crate::parallel) struct Wakeups {
    pub(in crate::parallel) main: bool,
    pub(in crate::parallel) helpers: usize,
}

impl<T: Task> Schedule<T> {
    /// Returns the threads to wake. A worker that will search for a job again keeps fee phases and commits to
    /// itself, and the next execution too if it will be back soon: waking a thread for them would cost more
    /// than they do.
    pub(in crate::parallel) fn wakeups(&mut self, caller: Caller) -> Wakeups {
        if self.is_finished() {
            return Wakeups { main: std::mem::take(&mut self.is_main_parked), helpers: 0 };
        }
        // The common case: all threads are at work.
        let missing = self.useful_helpers().saturating_sub(self.helpers);
        if missing == 0 && !self.is_main_parked {
            return Wakeups::default();
        }
        let RunnableJobs { executions, others } = self.runnable_jobs();
        let jobs = match caller {
            Caller::Worker(Busy::Briefly) => executions.saturating_add(others).saturating_sub(1),
            Caller::Worker(Busy::Long) => executions.saturating_add(others.saturating_sub(1)),
            Caller::Other => executions.saturating_add(others),
        };
        let mut jobs = jobs.saturating_sub(self.searching);
        let mut wakeups = Wakeups::default();
        if self.is_main_parked && (jobs > 0 || self.is_main_notified) {
            self.is_main_parked = false;
            wakeups.main = true;
            self.searching = self.searching.saturating_add(1);
            jobs = jobs.saturating_sub(1);
        }
        wakeups.helpers = jobs.min(missing);
        self.helpers = self.helpers.saturating_add(wakeups.helpers);
        self.searching = self.searching.saturating_add(wakeups.helpers);
        wakeups
    }

    fn runnable_jobs(&self) -> RunnableJobs {
        let is_executed = |index: usize| {
            index
                .checked_sub(self.committed)
                .and_then(|at| self.slots.get(at))
                .is_some_and(|slot| matches!(slot.status, Status::Executed(..)))
        };
        let commits =
            usize::from(self.may_commit() && !self.charges_before_commit() && is_executed(self.committed));
        let fee_phases = self.unpaid.iter().take_while(|index| *index <= self.executed).count();
        let end = self.committed.saturating_add(self.window);
        let free = self.limit.current().saturating_sub(self.running);
        let is_next_ready = self.ready.first() == Some(self.committed);
        let executions = self
            .ready
            .iter()
            .take_while(|index| *index < end)
            .take(free.max(usize::from(is_next_ready)))
            .count();
        RunnableJobs { executions, others: commits.saturating_add(fee_phases) }
    }

    /// Returns the number of helpers that are of use now. Without speculation one thread does everything, the
    /// main one if there is one, so that threads do not wake each other for each task.
    fn useful_helpers(&self) -> usize {
        if self.limit.current() > 1 {
            self.max_helpers
        } else {
            usize::from(!self.has_main).min(self.max_helpers)
        }
    }

    pub(in crate::parallel) fn has_too_many_helpers(&self) -> bool {
        self.helpers > self.useful_helpers()
    }

    /// Records that a woken worker searches for a job now.
    pub(in crate::parallel) fn begin_search(&mut self) {
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

    pub(in crate::parallel) fn notify_main(&mut self) {
        self.is_main_notified = true;
    }

    pub(in crate::parallel) fn is_main_notified(&self) -> bool {
        self.is_main_notified
    }

    pub(in crate::parallel) fn take_main_notification(&mut self) -> bool {
        std::mem::take(&mut self.is_main_notified)
    }
}

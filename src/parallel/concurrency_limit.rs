//! The number of tasks that may execute at a time, adapted to the share of aborted executions.
//!
//! Input: committed and wasted executions. Output: a limit between one and the number of threads. Where every
//! task depends on the one before, speculation only uses processor time that others could use. So the limit
//! is halved when more than a third of the executions are wasted, and doubled again after a number of commits
//! that itself doubles each time the larger limit fails.

/// Wasted executions, less half of the committed ones, that halve the limit.
const TOLERANCE: u32 = 4;
/// The same while a larger limit is on trial.
const TRIAL_TOLERANCE: u32 = 2;
/// Commits after which a larger limit is tried: the fewest, and the most.
const MIN_TRIAL: u32 = 32;
const MAX_TRIAL: u32 = 512;

/// The number of executions that may run at a time.
#[derive(Clone, Debug)]
pub(super) struct ConcurrencyLimit {
    current: usize,
    max: usize,
    /// Twice the wasted executions less the committed ones, since the limit last changed.
    debt: u32,
    committed: u32,
    trial: u32,
    tolerance: u32,
}

impl ConcurrencyLimit {
    pub(super) fn new(max: usize) -> Self {
        let max = max.max(1);
        Self { current: max, max, debt: 0, committed: 0, trial: MIN_TRIAL, tolerance: TOLERANCE }
    }

    pub(super) fn current(&self) -> usize {
        self.current
    }

    /// Counts a committed execution.
    pub(super) fn committed(&mut self) {
        self.debt = self.debt.saturating_sub(1);
        self.committed = self.committed.saturating_add(1);
        if self.committed < self.trial {
            return;
        }
        self.committed = 0;
        if self.current < self.max {
            self.current = self.current.saturating_mul(2).min(self.max);
            self.debt = 0;
        } else {
            self.trial = (self.trial / 2).max(MIN_TRIAL);
            self.tolerance = TOLERANCE;
        }
    }

    /// Counts a wasted execution.
    pub(super) fn wasted(&mut self) {
        self.debt = self.debt.saturating_add(2);
        if self.debt < self.tolerance.saturating_mul(2) || self.current == 1 {
            return;
        }
        self.current = (self.current / 2).max(1);
        self.debt = 0;
        self.committed = 0;
        self.trial = self.trial.saturating_mul(2).min(MAX_TRIAL);
        self.tolerance = TRIAL_TOLERANCE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinks_while_executions_are_wasted_and_grows_again() {
        let mut limit = ConcurrencyLimit::new(8);
        for _ in 0..100 {
            limit.wasted();
        }
        assert_eq!(limit.current(), 1);
        for _ in 0..4 * MAX_TRIAL {
            limit.committed();
        }
        assert_eq!(limit.current(), 8);
    }

    #[test]
    fn an_occasional_wasted_execution_changes_nothing() {
        let mut limit = ConcurrencyLimit::new(4);
        for _ in 0..100 {
            limit.wasted();
            limit.committed();
            limit.committed();
            limit.committed();
            assert_eq!(limit.current(), 4);
        }
    }

    #[test]
    fn on_a_chain_few_executions_are_wasted() {
        // At limit 2 every second execution is wasted.
        let mut limit = ConcurrencyLimit::new(2);
        let mut wasted = 0;
        for _ in 0..1_000 {
            limit.committed();
            if limit.current() > 1 {
                limit.wasted();
                wasted += 1;
            }
        }
        assert!(wasted < 60, "{wasted}");
    }
}

//! How many tasks may run ahead of each other.
//!
//! In: which runs were of use and which were in vain. Out: a number between one and the number of threads. Where everything
//! depends on what is before it, running ahead only burns time that others could use; so the width halves when more than a third
//! of the runs come to nothing, and is tried again later: after twice as many commits each time that fails, and with less patience.

/// Runs in vain, less half of those of use, that halve the width: at first, and when it is tried again.
const PATIENCE: u32 = 4;
const TRIAL_PATIENCE: u32 = 2;
/// Useful runs after which a greater width is tried, at first and at most.
const FIRST_TRIAL: u32 = 32;
const LAST_TRIAL: u32 = 512;

/// The number of bodies that may run at a time.
#[derive(Clone, Debug)]
pub(super) struct Width {
    now: usize,
    most: usize,
    /// Twice the runs in vain, less those of use, since the width last changed.
    debt: u32,
    useful: u32,
    trial: u32,
    patience: u32,
}

impl Width {
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { now: most, most, debt: 0, useful: 0, trial: FIRST_TRIAL, patience: PATIENCE }
    }

    pub(super) fn now(&self) -> usize {
        self.now
    }

    /// A run was committed.
    pub(super) fn useful(&mut self) {
        self.debt = self.debt.saturating_sub(1);
        self.useful = self.useful.saturating_add(1);
        if self.useful < self.trial {
            return;
        }
        self.useful = 0;
        if self.now < self.most {
            self.now = self.now.saturating_mul(2).min(self.most);
            self.debt = 0;
        } else {
            self.trial = (self.trial / 2).max(FIRST_TRIAL);
            self.patience = PATIENCE;
        }
    }

    /// A run came to nothing.
    pub(super) fn in_vain(&mut self) {
        self.debt = self.debt.saturating_add(2);
        if self.debt < self.patience.saturating_mul(2) || self.now == 1 {
            return;
        }
        self.now = (self.now / 2).max(1);
        self.debt = 0;
        self.useful = 0;
        self.trial = self.trial.saturating_mul(2).min(LAST_TRIAL);
        self.patience = TRIAL_PATIENCE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closes_where_all_is_in_vain_and_opens_again() {
        let mut width = Width::new(8);
        for _ in 0..100 {
            width.in_vain();
        }
        assert_eq!(width.now(), 1);
        for _ in 0..4 * LAST_TRIAL {
            width.useful();
        }
        assert_eq!(width.now(), 8);
    }

    #[test]
    fn a_run_in_vain_now_and_then_changes_nothing() {
        let mut width = Width::new(4);
        for _ in 0..100 {
            width.in_vain();
            width.useful();
            width.useful();
            width.useful();
            assert_eq!(width.now(), 4);
        }
    }

    #[test]
    fn on_a_chain_few_runs_are_in_vain() {
        // At width 2 every second run is in vain.
        let mut width = Width::new(2);
        let mut in_vain = 0;
        for _ in 0..1_000 {
            width.useful();
            if width.now() > 1 {
                width.in_vain();
                in_vain += 1;
            }
        }
        assert!(in_vain < 60, "{in_vain}");
    }
}

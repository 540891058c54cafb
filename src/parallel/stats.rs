//! What parallel execution did, in numbers.

/// How much was done, and how much of it in vain. Depends on timing; never part of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Runs of bodies, interrupted ones included.
    pub executions: u64,
    /// Of them those that ran straight through to their commit, because nothing else could run beside them.
    pub alone: u64,
    /// Runs of tails.
    pub settlements: u64,
    /// Runs of tails that had assumed something else than was found at their commit.
    pub resettlements: u64,
    /// Bodies that had ended when a write below made them void.
    pub aborts: u64,
    /// Bodies that a write below stopped in mid-execution.
    pub early_aborts: u64,
    /// Bodies that only the comparison at the commit found to be stale.
    pub commit_aborts: u64,
    /// Bodies that were put down because they read what was about to change.
    pub waits: u64,
    /// Transactions that were deferred until a commit, as repeated victims.
    pub deferrals: u64,
    /// Comparisons of what was read with what was committed.
    pub validations: u64,
    /// Runs that the thread that made them possible took up itself.
    pub handoffs: u64,
    /// Reads of cells.
    pub reads: u64,
    /// Reads that asked the host.
    pub loads: u64,
    /// Nanoseconds that the host took for them, by the time that every eighth took.
    pub load_nanoseconds: u64,
    /// Reads that waited for another task's read of the same cell.
    pub shared_loads: u64,
    /// Reads of runs that came to nothing.
    pub wasted_reads: u64,
    /// Cairo steps of bodies that ran to their end, a step's worth of gas counting as a step: of committed ones and of others.
    pub steps: u64,
    /// Those of them that came to nothing. What interrupted runs took is not among them: see `wasted_nanoseconds`.
    pub wasted_steps: u64,
    /// Nanoseconds that bodies ran, interrupted ones and waits for the host included.
    pub run_nanoseconds: u64,
    /// Those of them of runs that came to nothing, interrupted ones included.
    pub wasted_nanoseconds: u64,
    /// Commits.
    pub commits: u64,
    /// Nanoseconds spent in commits, one at a time: comparison, sink, publication, tails that run then. Where a body went on to its
    /// commit at once, those of the sink alone.
    pub commit_nanoseconds: u64,
    /// The most runs that one task took.
    pub most_runs: u64,
}

impl Counters {
    /// Adds what a run counted.
    pub(super) fn add_run(&mut self, run: &Self) {
        self.reads = self.reads.saturating_add(run.reads);
        self.loads = self.loads.saturating_add(run.loads);
        self.load_nanoseconds = self.load_nanoseconds.saturating_add(run.load_nanoseconds);
        self.shared_loads = self.shared_loads.saturating_add(run.shared_loads);
        self.run_nanoseconds = self.run_nanoseconds.saturating_add(run.run_nanoseconds);
    }

    /// Adds what a commit counted.
    pub(super) fn add_commit(&mut self, commit: &Self) {
        self.add_run(commit);
        count(&mut self.commits);
        self.steps = self.steps.saturating_add(commit.steps);
        self.alone = self.alone.saturating_add(commit.alone);
        self.validations = self.validations.saturating_add(commit.validations);
        self.settlements = self.settlements.saturating_add(commit.settlements);
        self.resettlements = self.resettlements.saturating_add(commit.resettlements);
        self.commit_nanoseconds = self.commit_nanoseconds.saturating_add(commit.commit_nanoseconds);
    }

    /// Adds what a body took that ran to its end.
    pub(super) fn add_steps(&mut self, steps: u64) {
        self.steps = self.steps.saturating_add(steps);
    }

    /// Adds what a run took that came to nothing.
    pub(super) fn add_waste(&mut self, spent: Spent) {
        self.wasted_reads = self.wasted_reads.saturating_add(spent.reads);
        self.wasted_steps = self.wasted_steps.saturating_add(spent.steps);
        self.wasted_nanoseconds = self.wasted_nanoseconds.saturating_add(spent.nanoseconds);
    }
}

/// What a run took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    pub(super) reads: u64,
    pub(super) steps: u64,
    pub(super) nanoseconds: u64,
}

impl Spent {
    /// By what a run counted, which is all but steps.
    pub(super) fn on(run: &Counters) -> Self {
        Self { reads: run.reads, steps: 0, nanoseconds: run.run_nanoseconds }
    }
}

/// One more.
pub(super) fn count(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

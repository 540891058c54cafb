//! Statistics of parallel execution.

/// The work that parallel execution did for a block, and the part of it that was wasted. Depends on timing;
/// never part of a result. Counts saturate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParallelStats {
    /// Incarnations that were started, aborted ones included.
    pub executions: u64,
    /// The executions that were not the first of their transaction.
    pub re_executions: u64,
    /// The executions that ran non-speculatively up to their commit, because no other transaction was
    /// runnable.
    pub serial_executions: u64,
    /// Fee phases that ran.
    pub fee_phases: u64,
    /// The fee phases that ran again at the commit, because the speculative one had read other values.
    pub fee_re_executions: u64,
    /// Executed incarnations that were aborted by a write of an earlier transaction.
    pub aborts: u64,
    /// Incarnations that such a write interrupted in mid-execution.
    pub early_aborts: u64,
    /// Executed incarnations that failed validation at their commit.
    pub commit_aborts: u64,
    /// Incarnations that stopped at a read whose value an earlier transaction was about to write.
    pub dependency_waits: u64,
    /// Times that a transaction was deferred until a commit.
    pub deferrals: u64,
    /// Validations of a read set at a commit.
    pub validations: u64,
    /// Reads of state keys by incarnations.
    pub reads: u64,
    /// Reads that called the host's reader.
    pub loads: u64,
    /// Nanoseconds that the host's reader took, estimated from the duration of every eighth load.
    pub load_nanoseconds: u64,
    /// Reads that waited for another thread's load of the same key.
    pub shared_loads: u64,
    /// Reads of aborted incarnations.
    pub wasted_reads: u64,
    /// Cairo steps of executed incarnations, committed or not. Sierra gas counts by the price of a step.
    pub steps: u64,
    /// The steps of executed incarnations that were aborted afterwards. Those of interrupted incarnations are
    /// not counted.
    pub wasted_steps: u64,
    /// Nanoseconds that incarnations ran, aborted ones and waits for the host included.
    pub execution_nanoseconds: u64,
    /// The nanoseconds of aborted incarnations.
    pub wasted_nanoseconds: u64,
    /// Committed transactions, rejected ones included.
    pub commits: u64,
    /// Nanoseconds spent in commits, which run one at a time: validation, publication, the sink, fee phases
    /// that run there. For an inline commit the publication and the sink alone.
    pub commit_nanoseconds: u64,
    /// Executions whose thread was the one that had made them runnable.
    pub(crate) hand_offs: u64,
    /// The most incarnations of one transaction.
    pub(crate) max_incarnations: u64,
}

impl ParallelStats {
    /// Adds the counts of one incarnation or fee phase.
    pub(super) fn add_run(&mut self, run: &Self) {
        self.reads = self.reads.saturating_add(run.reads);
        self.shared_loads = self.shared_loads.saturating_add(run.shared_loads);
        self.execution_nanoseconds = self.execution_nanoseconds.saturating_add(run.execution_nanoseconds);
        self.add_loads(run.loads, run.load_nanoseconds);
    }

    /// Adds loads from the host and the nanoseconds that they took.
    pub(crate) fn add_loads(&mut self, loads: u64, nanoseconds: u64) {
        self.loads = self.loads.saturating_add(loads);
        self.load_nanoseconds = self.load_nanoseconds.saturating_add(nanoseconds);
    }

    /// Adds the counts of one commit.
    pub(super) fn add_commit(&mut self, commit: &Self) {
        self.add_run(commit);
        increment(&mut self.commits);
        self.steps = self.steps.saturating_add(commit.steps);
        self.serial_executions = self.serial_executions.saturating_add(commit.serial_executions);
        self.validations = self.validations.saturating_add(commit.validations);
        self.fee_phases = self.fee_phases.saturating_add(commit.fee_phases);
        self.fee_re_executions = self.fee_re_executions.saturating_add(commit.fee_re_executions);
        self.commit_nanoseconds = self.commit_nanoseconds.saturating_add(commit.commit_nanoseconds);
    }

    /// Adds the steps of an executed incarnation.
    pub(super) fn add_steps(&mut self, steps: u64) {
        self.steps = self.steps.saturating_add(steps);
    }

    /// Adds the cost of an aborted incarnation.
    pub(super) fn add_waste(&mut self, cost: Cost) {
        self.wasted_reads = self.wasted_reads.saturating_add(cost.reads);
        self.wasted_steps = self.wasted_steps.saturating_add(cost.steps);
        self.wasted_nanoseconds = self.wasted_nanoseconds.saturating_add(cost.nanoseconds);
    }
}

/// The cost of one incarnation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    pub(super) reads: u64,
    pub(super) steps: u64,
    pub(super) nanoseconds: u64,
}

impl Cost {
    /// The cost according to an incarnation's own counts.
    pub(super) fn of(run: &ParallelStats, steps: u64) -> Self {
        Self { reads: run.reads, steps, nanoseconds: run.execution_nanoseconds }
    }
}

/// Adds one.
pub(super) fn increment(count: &mut u64) {
    *count = count.saturating_add(1);
}

//! The configuration of an executor.

/// The configuration of an executor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParallelConfig {
    /// The most helper threads at a time, besides the main thread.
    pub(crate) helpers: usize,
    /// The number of tasks after the last commit that may be executed.
    pub(crate) window: usize,
    /// The number of shards of the versioned memory.
    pub(crate) shards: usize,
    /// `true` if a main thread works until the end ([`ParallelExecutor::run`](super::ParallelExecutor::run)).
    /// Otherwise helpers do everything.
    pub(crate) has_main: bool,
    /// `true` if fee phases run speculatively, in parallel with each other, rather than at their commits. Of
    /// use with more threads than one committing thread can keep busy.
    pub(crate) speculates_fees: bool,
}

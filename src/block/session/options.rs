//! How a session goes.

use std::time::Instant;

use super::super::capacity::Capacity;
use super::super::executor::OnInvalid;
use super::super::open_block::BlockHashSource;

/// How a [session](super::BlockSession) goes. The default has no deadline and no limits.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionOptions {
    /// Where the hash of the block ten before comes from. From block 10 on it must be said.
    pub block_hash_source: BlockHashSource,
    /// When to end the block, in the middle of a transaction if need be: that one is not in it.
    pub deadline: Option<Instant>,
    /// How much the block holds: [`Capacity::mainnet`] for a builder. Without limits by default, since who executes another's block
    /// must not cut it.
    pub capacity: Capacity,
    /// Whether an invalid transaction ends the block, as it does for one who checks another's proposal.
    pub on_invalid: OnInvalid,
    /// The most results that may wait to be taken from [`BlockSession::results`](super::BlockSession::results); at least one. While
    /// so many wait, nothing is committed, and no thread is kept busy with that. Of no meaning in a session with a callback, which
    /// holds commits up for as long as it runs.
    pub undelivered: usize,
    /// Whether threads that wait for the session (for a result, or for its end) work on transactions meanwhile. A result may then
    /// be seen later, by as long as a transaction takes. Where the pool has no threads of its own, or the waiting thread is one of
    /// the pool's, they work in any case.
    pub waiting_threads_work: bool,
    /// Keep the call trees of reverted executions, for traces.
    pub keep_reverted_calls: bool,
    /// Collect what a prover needs: see [`BlockOutcome::prover_reads`](super::super::BlockOutcome::prover_reads).
    pub collect_prover_reads: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            block_hash_source: BlockHashSource::default(),
            deadline: None,
            capacity: Capacity::default(),
            on_invalid: OnInvalid::default(),
            undelivered: 256,
            waiting_threads_work: false,
            keep_reverted_calls: false,
            collect_prover_reads: false,
        }
    }
}

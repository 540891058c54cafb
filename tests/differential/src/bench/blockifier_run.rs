//! Blockifier at its best: serial on one thread; on more, on workers that persist from block to block, all of
//! a block's transactions at once.
//!
//! Input: a [`TimedBlock`]. Output: its results, and how long it took.

use std::sync::Arc;

use blockifier::blockifier::config::{ConcurrencyConfig, TransactionExecutorConfig, WorkerPoolConfig};
use blockifier::blockifier::transaction_executor::{
    BlockExecutionSummary, TransactionExecutionOutput, TransactionExecutor, TransactionExecutorResult,
};
use blockifier::concurrency::worker_pool::WorkerPool;
use blockifier::state::cached_state::CachedState;
use blockifier::state::state_api::StateReader;

use super::block::TimedBlock;
use super::clock::Time;

/// Workers for blocks over such a reader.
pub type Workers<R> = Arc<WorkerPool<CachedState<R>>>;

/// Starts `n` workers; they sleep between blocks.
pub fn workers<R: StateReader + Send + 'static>(threads: usize) -> Workers<R> {
    let stack_size = TransactionExecutorConfig::default().stack_size;
    Arc::new(WorkerPool::start(&WorkerPoolConfig { n_workers: threads, stack_size }))
}

/// Blockifier's results of a block.
pub struct BlockifierRun {
    /// Of each transaction.
    pub outcomes: Vec<TransactionExecutorResult<TransactionExecutionOutput>>,
    /// Of the block.
    pub summary: BlockExecutionSummary,
}

/// Executes a block and closes it. The reader comes from the caller, who says how slow it is.
pub fn run<R>(
    block: &TimedBlock,
    reader: R,
    threads: usize,
    workers: Option<&Workers<R>>,
) -> Result<(BlockifierRun, Time), String>
where
    R: StateReader + Send + Sync + 'static,
{
    let concurrency_config = ConcurrencyConfig {
        enabled: workers.is_some(),
        n_workers: threads,
        chunk_size: block.blockifier_transactions.len(),
    };
    let config = TransactionExecutorConfig { concurrency_config, ..Default::default() };
    let context = block.blockifier_context.clone();
    let (run, time) = Time::of(|| {
        let mut executor = TransactionExecutor::pre_process_and_create_with_pool(
            reader,
            context,
            block.blockifier_old_block,
            config,
            workers.cloned(),
        )
        .map_err(|error| error.to_string())?;
        let outcomes = executor.execute_txs(&block.blockifier_transactions, None);
        let summary = executor.finalize().map_err(|error| error.to_string())?;
        Ok::<_, String>((BlockifierRun { outcomes, summary }, executor))
    });
    Ok((run?.0, time))
}

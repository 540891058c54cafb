//! The executor: a complete list of transactions becomes a block, on one thread or on many.
//!
//! Input: a block environment, the host's reader, options, transactions. Output: a [`BlockOutcome`], or a
//! result of one call. Does not know how parallel execution schedules transactions: [`parallel`] does.

use super::ParallelStats;
use super::attempt::{Attempt, caught};
use super::capacity::Capacity;
use super::commit::{Decision, decide};
use super::error::BlockError;
use super::open_block::{BlockHashSource, OpenBlock};
use super::options::{ExecutionOptions, OnInvalid};
use super::outcome::{BlockEnd, BlockOutcome, TransactionOutcome};
use super::parallel::{self, Order};
use super::worker_pool::{WorkerPool, WorkerPoolError};
use crate::protocol::BlockEnv;
use crate::state::{Journal, StateReader, StopFlag};
use crate::transaction::{CallResult, ContractCall, Transaction, call_contract_entry_point};
use crate::vm::Engine;

/// The executor of a block over a host's state.
///
/// ```
/// use starkiln::block::{BlockExecutor, Capacity, ExecutionOptions, WorkerPool};
/// use starkiln::replay::LoadedBlock;
///
/// let block = LoadedBlock::read(concat!(env!("CARGO_MANIFEST_DIR"), "/resources/blocks/transfer.json"))?;
/// let options = ExecutionOptions::default()
///     .block_hash_source(block.block_hash_source)
///     .capacity(Capacity::mainnet());
/// // `&MemoryState` is a reader; a host gives its own.
/// let executor = BlockExecutor::new(block.env.clone(), &block.state).options(options);
/// let outcome = executor.execute(&block.transactions)?;
/// assert_eq!(outcome.usage.weights.transactions, 1);
///
/// // The threads of a pool change how long execution takes, never the outcome.
/// let parallel = executor.pool(&WorkerPool::new(4)?);
/// assert_eq!(parallel.execute(&block.transactions)?, outcome);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct BlockExecutor<R> {
    pub(super) env: BlockEnv,
    pub(super) reader: R,
    pub(super) options: ExecutionOptions,
    parallel: Option<Parallel<R>>,
}

/// Parallel execution. A function pointer, so that only [`BlockExecutor::pool`] requires a [`Sync`] reader.
#[derive(Clone, Debug)]
struct Parallel<R> {
    pool: WorkerPool,
    execute: Execute<R>,
}

/// The function that executes a block with the threads of a pool.
type Execute<R> = for<'b> fn(
    Order<'b, R>,
    &'b [Transaction],
    &mut dyn FnMut(usize, &TransactionOutcome),
) -> Result<(BlockOutcome, ParallelStats), BlockError>;

impl<R: StateReader + Sync> BlockExecutor<R> {
    /// Executes blocks on the calling thread and the threads of a pool. The outcome is the same as without.
    pub fn pool(self, pool: &WorkerPool) -> Self {
        Self { parallel: Some(Parallel { pool: pool.clone(), execute: parallel::execute }), ..self }
    }

    /// Executes blocks on `n` threads, the calling thread included. The other threads live as long as the
    /// executor and its clones; with [`pool`](Self::pool), executors share them. Fails if they cannot be
    /// started.
    pub fn threads(self, n: usize) -> Result<Self, WorkerPoolError> {
        Ok(self.pool(&WorkerPool::new(n)?))
    }
}

impl<R: StateReader> BlockExecutor<R> {
    /// Creates an executor over the state before the block. A reference to a reader is a reader too.
    pub fn new(env: BlockEnv, reader: R) -> Self {
        Self { env, reader, options: ExecutionOptions::default(), parallel: None }
    }

    /// Replaces the options.
    pub fn options(self, options: ExecutionOptions) -> Self {
        Self { options, ..self }
    }

    fn map_options(self, change: impl FnOnce(ExecutionOptions) -> ExecutionOptions) -> Self {
        Self { options: change(self.options), ..self }
    }

    /// Sets [`ExecutionOptions::block_hash_source`].
    pub fn block_hash_source(self, block_hash_source: BlockHashSource) -> Self {
        self.map_options(|options| options.block_hash_source(block_hash_source))
    }

    /// Sets [`ExecutionOptions::capacity`].
    pub fn capacity(self, capacity: Capacity) -> Self {
        self.map_options(|options| options.capacity(capacity))
    }

    /// Sets [`ExecutionOptions::on_invalid`].
    pub fn on_invalid(self, on_invalid: OnInvalid) -> Self {
        self.map_options(|options| options.on_invalid(on_invalid))
    }

    /// Sets [`ExecutionOptions::keep_reverted_calls`].
    pub fn keep_reverted_calls(self) -> Self {
        self.map_options(ExecutionOptions::keep_reverted_calls)
    }

    /// Sets [`ExecutionOptions::collect_prover_reads`].
    pub fn collect_prover_reads(self) -> Self {
        self.map_options(ExecutionOptions::collect_prover_reads)
    }

    /// Unsets [`ExecutionOptions::finalize`].
    pub fn skip_finalization(self) -> Self {
        self.map_options(ExecutionOptions::skip_finalization)
    }

    /// Sets [`ExecutionOptions::engine`].
    pub fn engine(self, engine: Engine) -> Self {
        self.map_options(|options| options.engine(engine))
    }

    /// Sets [`ExecutionOptions::memory_limit`].
    pub fn memory_limit(self, bytes: usize) -> Self {
        self.map_options(|options| options.memory_limit(bytes))
    }

    /// Executes the block.
    pub fn execute(&self, transactions: &[Transaction]) -> Result<BlockOutcome, BlockError> {
        self.execute_with(transactions, |_, _| {})
    }

    /// Executes the block and calls `observe` with the index and outcome of each transaction, in order, as
    /// soon as it is committed.
    pub fn execute_with(
        &self,
        transactions: &[Transaction],
        observe: impl FnMut(usize, &TransactionOutcome),
    ) -> Result<BlockOutcome, BlockError> {
        self.execute_with_stats(transactions, observe).map(|(outcome, _)| outcome)
    }

    /// Executes the block as [`execute_with`](Self::execute_with) and also returns statistics of parallel
    /// execution. They depend on timing and are all zero if one thread executed the block.
    pub fn execute_with_stats(
        &self,
        transactions: &[Transaction],
        mut observe: impl FnMut(usize, &TransactionOutcome),
    ) -> Result<(BlockOutcome, ParallelStats), BlockError> {
        if let Some(Parallel { pool, execute }) = &self.parallel
            && let Some(pool) = pool.helpers()
        {
            let order = Order { env: &self.env, reader: &self.reader, options: self.options.clone(), pool };
            return execute(order, transactions, &mut observe);
        }
        let outcome = self.execute_serially(transactions, observe)?;
        Ok((outcome, ParallelStats::default()))
    }

    fn execute_serially(
        &self,
        transactions: &[Transaction],
        mut observe: impl FnMut(usize, &TransactionOutcome),
    ) -> Result<BlockOutcome, BlockError> {
        let mut block = OpenBlock::open(&self.env, &self.reader, self.options.clone())?;
        let mut outcomes = Vec::with_capacity(transactions.len());
        for (index, transaction) in transactions.iter().enumerate() {
            let stop = StopFlag::default();
            let attempt = Attempt::run(transaction, block.state(), stop, &self.env, &self.options);
            match decide(&mut block, index, transaction.hash, attempt, self.options.on_invalid) {
                Decision::Processed { outcome, data, end } => {
                    block.apply(*data)?;
                    observe(index, &outcome);
                    outcomes.push(*outcome);
                    if let Some(end) = end {
                        return block.close(outcomes, end, None);
                    }
                }
                Decision::Ended(end) => return block.close(outcomes, end?, None),
            }
        }
        block.close(outcomes, BlockEnd::Finished, None)
    }

    /// Calls a contract on the state before the block's transactions, as `starknet_call` does. Its state
    /// changes are dropped.
    pub fn call(&self, call: &ContractCall) -> Result<CallResult, BlockError> {
        let block = OpenBlock::open(&self.env, &self.reader, self.options.clone())?;
        let mut journal = Journal::new(block.state());
        let result =
            caught(|| call_contract_entry_point(call, &mut journal, self.options.context(&self.env)));
        result.map_err(|failure| BlockError::Call(Box::new(failure)))
    }
}

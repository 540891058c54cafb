//! Executing a block, one transaction after another.

use super::ParallelCounters;
use super::attempt::{Attempt, AttemptOptions, caught};
use super::capacity::Capacity;
use super::error::BlockError;
use super::open_block::BlockHashSource;
use super::open_block::{BlockOptions, Commit, OpenBlock};
use super::outcome::{BlockEnd, BlockOutcome, TransactionOutcome};
use super::parallel::{self, Order, Run};
use super::worker_pool::{WorkerPool, WorkerPoolError};
use crate::protocol::BlockEnv;
use crate::state::{Journal, StateReader, StopFlag};
use crate::transaction::{
    CallResult, ContractCall, ExecutionContext, Transaction, call_contract_entry_point,
};
use crate::vm::{Engine, VmOptions};

/// Whether a block goes on after an invalid transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnInvalid {
    /// Report it and go on, as a block builder does.
    #[default]
    Continue,
    /// Report it and stop, as one who re-executes a block does.
    Stop,
}

/// Executes blocks over a host's state. See the crate's front page for an example.
#[derive(Clone, Debug)]
pub struct BlockExecutor<R> {
    pub(super) env: BlockEnv,
    pub(super) reader: R,
    pub(super) options: BlockOptions,
    vm: VmOptions,
    on_invalid: OnInvalid,
    keep_reverted_calls: bool,
    parallel: Option<Parallel<R>>,
}

/// Parallel execution, chosen where the reader is known to be [`Sync`]: others need not be.
#[derive(Clone, Debug)]
struct Parallel<R> {
    pool: WorkerPool,
    execute: Execute<R>,
}

/// Executes on an open block what was ordered.
type Execute<R> = for<'b> fn(
    Order<'b, R>,
    OpenBlock<&'b R>,
    &'b [Transaction],
    &mut dyn FnMut(usize, &TransactionOutcome),
) -> Result<Run<'b, R>, BlockError>;

impl<R: StateReader + Sync> BlockExecutor<R> {
    /// Executes blocks on `n` threads, the calling thread included; the results are the same bytes as with one. Fails if the threads
    /// cannot be started. They live as long as the executor and its clones; a [`pool`](Self::pool) shares them between executors.
    pub fn threads(self, n: usize) -> Result<Self, WorkerPoolError> {
        Ok(self.pool(&WorkerPool::new(n)?))
    }

    /// Executes blocks on the calling thread and the threads of a pool.
    #[must_use]
    pub fn pool(self, pool: &WorkerPool) -> Self {
        Self { parallel: Some(Parallel { pool: pool.clone(), execute: parallel::execute }), ..self }
    }
}

impl<R: StateReader> BlockExecutor<R> {
    /// An executor for one block over the state before it. A reader may be lent: `&reader` is a reader too.
    pub fn new(env: BlockEnv, reader: R) -> Self {
        Self {
            env,
            reader,
            options: BlockOptions::default(),
            vm: VmOptions::default(),
            on_invalid: OnInvalid::default(),
            keep_reverted_calls: false,
            parallel: None,
        }
    }

    /// Where the hash of the block ten before comes from. From block 10 on it must be said.
    pub fn block_hash_source(mut self, block_hash_source: BlockHashSource) -> Self {
        self.options.block_hash_source = block_hash_source;
        self
    }

    /// How much the block holds; without this there is no limit, since who executes a block again must not cut it.
    pub fn capacity(mut self, capacity: Capacity) -> Self {
        self.options.capacity = capacity;
        self
    }

    /// Do not close the block: no aliases are given, and no class moves to another compiled class hash or is weighed as if it did.
    /// For transactions that are simulated or traced and will not be a block; saves the reads that closing takes.
    pub fn skip_finalization(mut self) -> Self {
        self.options.skips_finalization = true;
        self
    }

    /// Collect what a prover needs: see [`BlockOutcome::prover_reads`]. Costs reads that execution does not need.
    pub fn collect_prover_reads(mut self) -> Self {
        self.options.collect_prover_reads = true;
        self
    }

    /// What to do after an invalid transaction, or one that is too large for any block.
    pub fn on_invalid(self, on_invalid: OnInvalid) -> Self {
        Self { on_invalid, ..self }
    }

    /// Keep the call trees of reverted executions, for traces.
    pub fn keep_reverted_calls(self) -> Self {
        Self { keep_reverted_calls: true, ..self }
    }

    /// Which engine runs the code. It changes how long that takes, and nothing else.
    pub fn engine(mut self, engine: Engine) -> Self {
        self.vm.engine = engine;
        self
    }

    /// How many bytes of memory the calls of a transaction may hold at a time. A transaction that needs more is an
    /// [`OutOfMemory`](crate::transaction::FatalError::OutOfMemory) error of the host's, never a revert: the network sets no such
    /// limit. What runs on `cairo-vm` cannot be held to it.
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.vm.memory_limit = bytes;
        self
    }

    /// Executes the block.
    pub fn execute(&self, transactions: &[Transaction]) -> Result<BlockOutcome, BlockError> {
        self.execute_with(transactions, |_, _| {})
    }

    /// Executes the block and shows each transaction's outcome, with its index, as soon as it is there.
    pub fn execute_with(
        &self,
        transactions: &[Transaction],
        observe: impl FnMut(usize, &TransactionOutcome),
    ) -> Result<BlockOutcome, BlockError> {
        self.execute_counted(transactions, observe).map(|(outcome, _)| outcome)
    }

    /// As [`execute_with`](Self::execute_with); says as well what parallel execution did for it. What it did depends on
    /// timing, and is all zeros when one thread did everything.
    pub fn execute_counted(
        &self,
        transactions: &[Transaction],
        mut observe: impl FnMut(usize, &TransactionOutcome),
    ) -> Result<(BlockOutcome, ParallelCounters), BlockError> {
        let block = OpenBlock::open(&self.env, &self.reader, self.options.clone())?;
        if let Some(Parallel { pool, execute }) = &self.parallel
            && let Some(pool) = pool.helpers()
        {
            let order = Order {
                env: &self.env,
                reader: &self.reader,
                on_invalid: self.on_invalid,
                options: self.attempt_options(),
                pool,
            };
            let Run { block, outcomes, end, counters, leftover } =
                execute(order, block, transactions, &mut observe)?;
            let outcome = block.close(outcomes, end, Some(pool))?;
            // Nobody need wait for that.
            pool.spawn(move || drop(leftover));
            return Ok((outcome, counters));
        }
        let outcomes = self.one_after_another(block, transactions, observe)?;
        Ok((outcomes, ParallelCounters::default()))
    }

    pub(super) fn context(&self) -> ExecutionContext<'_> {
        ExecutionContext { env: &self.env, vm: self.vm }
    }

    pub(super) fn attempt_options(&self) -> AttemptOptions {
        AttemptOptions {
            keep_reverted_calls: self.keep_reverted_calls,
            finds_migrations: !self.options.skips_finalization,
            capacity: self.options.capacity.clone(),
            vm: self.vm,
        }
    }

    fn one_after_another(
        &self,
        mut block: OpenBlock<&R>,
        transactions: &[Transaction],
        mut observe: impl FnMut(usize, &TransactionOutcome),
    ) -> Result<BlockOutcome, BlockError> {
        let mut outcomes = Vec::with_capacity(transactions.len());
        let options = self.attempt_options();
        for (index, transaction) in transactions.iter().enumerate() {
            let attempt = Attempt::run(transaction, block.state(), StopFlag::default(), &self.env, &options)
                .map_err(|failure| BlockError::transaction(index, transaction.hash, failure))?;
            let outcome = match block.commit(attempt)? {
                Commit::Done(outcome) => *outcome,
                Commit::Full(reason) => {
                    let hash = transaction.hash;
                    return block.close(outcomes, BlockEnd::Full { index, hash, reason }, None);
                }
            };
            observe(index, &outcome);
            let is_rejected = outcome.execution().is_none();
            outcomes.push(outcome);
            if is_rejected && self.on_invalid == OnInvalid::Stop {
                return block.close(outcomes, BlockEnd::Invalid { index }, None);
            }
        }
        block.close(outcomes, BlockEnd::Finished, None)
    }

    /// Calls a contract on the state before the block's transactions, as `starknet_call` does. Nothing is kept.
    pub fn call(&self, call: &ContractCall) -> Result<CallResult, BlockError> {
        let block = OpenBlock::open(&self.env, &self.reader, self.options.clone())?;
        let mut journal = Journal::new(block.state());
        let result = caught(|| call_contract_entry_point(call, &mut journal, self.context()));
        result.map_err(|failure| BlockError::Call(Box::new(failure)))
    }
}

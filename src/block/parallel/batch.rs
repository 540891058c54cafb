//! Parallel execution of a block whose transactions are all known.
//!
//! Input: the block's environment and options, the host's reader, transactions, a pool. Output: the closed
//! block; the outcomes for the calling thread, in order, as soon as they are final.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::attempt::Attempt;
use super::super::commit::{Decision, decide};
use super::super::error::BlockError;
use super::super::open_block::OpenBlock;
use super::super::options::{ExecutionOptions, OnInvalid};
use super::super::outcome::{BlockEnd, BlockOutcome, TransactionOutcome};
use super::timed_reader::TimedReader;
use super::{BlockTask, TransactionList, config};
use crate::parallel::{Inline, Panicked, ParallelExecutor, ParallelStats, Sink, Task};
use crate::protocol::BlockEnv;
use crate::state::{CancellationToken, StateKey, StateReader, StateValue, StopFlag};
use crate::transaction::{FatalError, Transaction};

/// The mean nanoseconds of a read from which on the keys that closing reads are prefetched on all threads.
const SLOW_READ: u64 = 5_000;

/// Outcomes on their way to the calling thread.
type Outbox = Mutex<Vec<Box<TransactionOutcome>>>;

/// Commits attempts to the block.
struct BlockCommitter<'b, 'o, R> {
    block: OpenBlock<TimedReader<'b, R>>,
    transactions: &'b [Transaction],
    on_invalid: OnInvalid,
    cancellation: Arc<CancellationToken>,
    outbox: &'o Outbox,
    end: Result<BlockEnd, BlockError>,
}

impl<'b, R: StateReader + Sync> Sink<BlockTask<'b, &'b R>> for BlockCommitter<'b, '_, R> {
    fn commit(&mut self, index: usize, attempt: Result<Attempt, FatalError>) -> ControlFlow<()> {
        let Some(transaction) = self.transactions.get(index) else { return ControlFlow::Break(()) };
        match decide(&mut self.block, index, transaction.hash, attempt, self.on_invalid) {
            Decision::Processed { outcome, data, end } => {
                if let Err(error) = self.block.apply(*data) {
                    self.end = Err(error);
                    return ControlFlow::Break(());
                }
                self.outbox.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
                let Some(end) = end else { return ControlFlow::Continue(()) };
                self.end = Ok(end);
            }
            Decision::Ended(end) => self.end = end,
        }
        ControlFlow::Break(())
    }

    fn execute_inline(
        &mut self,
        task: &BlockTask<'b, &'b R>,
        index: usize,
        abort: Arc<AtomicBool>,
    ) -> Option<Inline<BlockTask<'b, &'b R>>> {
        let stop = StopFlag::new(Arc::clone(&abort), Arc::clone(&self.cancellation));
        let attempt = task.attempt(index, self.block.state(), stop)?;
        if abort.load(Ordering::Acquire) || task.is_cancelled() {
            return Some(Inline::Interrupted);
        }
        let writes = task.writes(&attempt);
        let steps = attempt.as_ref().map_or(0, |attempt| task.steps_of(attempt));
        Some(Inline::Committed { flow: self.commit(index, attempt), writes, steps })
    }

    fn committed_value(&self, key: &StateKey) -> Option<StateValue> {
        self.block.state().known(*key)
    }
}

/// The input of a block's parallel execution.
pub(in crate::block) struct Order<'b, R> {
    pub(in crate::block) env: &'b BlockEnv,
    pub(in crate::block) reader: &'b R,
    pub(in crate::block) options: ExecutionOptions,
    pub(in crate::block) pool: &'b rayon::ThreadPool,
}

/// Executes a block. The calling thread takes part, and passes the outcomes to `observe` in order.
pub(in crate::block) fn execute<'b, R: StateReader + Sync>(
    order: Order<'b, R>,
    transactions: &'b [Transaction],
    observe: &mut dyn FnMut(usize, &TransactionOutcome),
) -> Result<(BlockOutcome, ParallelStats), BlockError> {
    let Order { env, reader, options, pool } = order;
    let on_invalid = options.on_invalid;
    let timed_reader = TimedReader::new(reader);
    let inline_loads = timed_reader.load_times();
    let block = OpenBlock::open(env, timed_reader, options.clone())?;
    let initial_writes = block.writes();
    let cancellation = Arc::<CancellationToken>::default();
    let list = Arc::new(TransactionList::borrowed(transactions));
    let task = BlockTask::new(list, reader, env.clone(), options, Arc::clone(&cancellation));
    let outbox = Outbox::default();
    let end = Ok(BlockEnd::Finished);
    let committer = BlockCommitter { block, transactions, on_invalid, cancellation, outbox: &outbox, end };
    let executor = ParallelExecutor::new(task, committer, config(pool.current_num_threads(), true));
    for (key, value) in initial_writes {
        executor.seed(&key, value);
    }
    let mut outcomes: Vec<TransactionOutcome> = Vec::with_capacity(transactions.len());
    let mut arrived = Vec::new();
    let mut deliver = || {
        std::mem::swap(&mut arrived, &mut *outbox.lock().unwrap_or_else(PoisonError::into_inner));
        for outcome in arrived.drain(..) {
            observe(outcomes.len(), &outcome);
            outcomes.push(*outcome);
        }
    };
    pool.in_place_scope_fifo(|scope| {
        let request_helper = || spawn_helper(scope, &executor);
        executor.add(transactions.len(), &request_helper);
        executor.close(&request_helper);
        executor.run(&request_helper, &mut deliver);
    });
    let (finished, memory) = executor.finish();
    let (committer, mut stats) = finished.map_err(|Panicked(message)| {
        let index = outcomes.len();
        let hash = transactions.get(index).map(|transaction| transaction.hash).unwrap_or_default();
        BlockError::transaction(index, hash, FatalError::Internal(message))
    })?;
    let (mut block, end) = (committer.block, committer.end?);
    stats.add_loads(inline_loads.loads(), inline_loads.nanoseconds());
    if stats.load_nanoseconds.checked_div(stats.loads).is_some_and(|mean| mean >= SLOW_READ) {
        block.prefetch(pool);
    }
    let outcome = block.close(outcomes, end, Some(pool))?;
    // The memory takes long to drop, and the caller does not need to wait for it.
    pool.spawn(move || drop(memory));
    Ok((outcome, stats))
}

/// Has a thread of the pool help, as soon as one is free.
fn spawn_helper<'s, 'b: 's, R: StateReader + Sync>(
    scope: &rayon::ScopeFifo<'s>,
    executor: &'s ParallelExecutor<BlockTask<'b, &'b R>, BlockCommitter<'b, '_, R>>,
) {
    scope.spawn_fifo(move |scope| executor.help(&|| spawn_helper(scope, executor)));
}

//! A block of which all transactions are there, on many threads.
//!
//! In: an open block, its transactions, a pool. Out: the block with them in it, and outcomes for the calling thread, in order, as they
//! come.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::attempt::Attempt;
use super::super::error::BlockError;
use super::super::open_block::{Commit, OpenBlock};
use super::super::options::{ExecutionOptions, OnInvalid};
use super::super::outcome::{BlockEnd, TransactionOutcome};
use super::{BlockTask, Body, TransactionList, limits};
use crate::parallel::{Counters, Engine, Panicked, Sink, Straight, Task};
use crate::protocol::BlockEnv;
use crate::state::{StateKey, StateReader, StateValue};
use crate::transaction::{FatalError, Transaction};

/// Nanoseconds a read from which on a host is far away: then what closing reads is asked for on all threads.
const FAR: u64 = 5_000;

/// Outcomes on their way to the calling thread.
type Outbox = Mutex<Vec<Box<TransactionOutcome>>>;

/// Commits attempts to the block.
struct Committer<'b, 'o, R> {
    block: OpenBlock<&'b R>,
    transactions: &'b [Transaction],
    on_invalid: OnInvalid,
    outbox: &'o Outbox,
    end: Result<BlockEnd, BlockError>,
}

impl<'b, R: StateReader + Sync> Sink<BlockTask<'b, &'b R>> for Committer<'b, '_, R> {
    fn take(&mut self, index: usize, body: Body) -> ControlFlow<()> {
        self.commit(index, body.into_attempt())
    }

    fn run_and_take(
        &mut self,
        task: &BlockTask<'b, &'b R>,
        index: usize,
        void: Arc<AtomicBool>,
    ) -> Option<Straight<BlockTask<'b, &'b R>>> {
        let transaction = self.transactions.get(index)?;
        let attempt = task.attempt(transaction, self.block.state(), Arc::clone(&void));
        if void.load(Ordering::Acquire) || task.is_over() {
            return Some(Straight::Stopped);
        }
        let (writes, steps) = attempt
            .as_ref()
            .map_or_else(|_| Default::default(), |attempt| (attempt.writes(), task.steps_of(attempt)));
        Some(Straight::Taken { flow: self.commit(index, attempt), writes, steps })
    }

    fn known(&self, cell: &StateKey) -> Option<StateValue> {
        self.block.state().known(*cell)
    }
}

impl<R: StateReader> Committer<'_, '_, R> {
    fn commit(&mut self, index: usize, attempt: Result<Attempt, FatalError>) -> ControlFlow<()> {
        let Some(transaction) = self.transactions.get(index) else { return ControlFlow::Break(()) };
        let committed = attempt
            .map_err(|failure| BlockError::transaction(index, transaction.hash, failure))
            .and_then(|attempt| self.block.commit(attempt));
        match committed {
            Ok(Commit::Done(outcome)) => {
                let is_last = outcome.execution().is_none() && self.on_invalid == OnInvalid::Stop;
                self.outbox.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
                if !is_last {
                    return ControlFlow::Continue(());
                }
                self.end = Ok(BlockEnd::Invalid { index });
            }
            Ok(Commit::Full(reason)) => {
                self.end = Ok(BlockEnd::Full { index, hash: transaction.hash, reason });
            }
            Err(error) => self.end = Err(error),
        }
        ControlFlow::Break(())
    }
}

/// How a block is to be executed.
pub(in crate::block) struct Order<'b, R> {
    pub(in crate::block) env: &'b BlockEnv,
    pub(in crate::block) reader: &'b R,
    pub(in crate::block) options: ExecutionOptions,
    pub(in crate::block) pool: &'b rayon::ThreadPool,
}

/// A block whose transactions had their turn.
pub(in crate::block) struct Run<'b, R> {
    pub(in crate::block) block: OpenBlock<&'b R>,
    pub(in crate::block) outcomes: Vec<TransactionOutcome>,
    pub(in crate::block) end: BlockEnd,
    pub(in crate::block) counters: Counters,
    /// What nobody needs any more, which takes a while to drop.
    pub(in crate::block) leftover: Box<dyn Send>,
}

/// Executes transactions on an open block. The calling thread takes part, and sees the outcomes in order.
pub(in crate::block) fn execute<'b, R: StateReader + Sync>(
    order: Order<'b, R>,
    block: OpenBlock<&'b R>,
    transactions: &'b [Transaction],
    observe: &mut dyn FnMut(usize, &TransactionOutcome),
) -> Result<Run<'b, R>, BlockError> {
    let Order { env, reader, options, pool } = order;
    let on_invalid = options.on_invalid;
    let list = Arc::new(TransactionList::lent(transactions));
    let task = BlockTask::new(list, reader, env.clone(), options, Arc::default());
    let outbox = Outbox::default();
    let end = Ok(BlockEnd::Finished);
    let opening = block.writes();
    let committer = Committer { block, transactions, on_invalid, outbox: &outbox, end };
    let engine = Engine::new(task, committer, limits(pool.current_num_threads(), true));
    for (cell, value) in opening {
        engine.seed(&cell, value);
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
        let call = || bring_helper(scope, &engine);
        engine.add(transactions.len(), &call);
        engine.close(&call);
        engine.run(&call, &mut deliver);
    });
    let (finished, memory) = engine.finish();
    let (committer, counters) = finished.map_err(|Panicked(message)| {
        let index = outcomes.len();
        BlockError::transaction(
            index,
            transactions.get(index).map(|transaction| transaction.hash).unwrap_or_default(),
            FatalError::Internal(message),
        )
    })?;
    let (mut block, end) = (committer.block, committer.end?);
    if counters.load_nanoseconds.checked_div(counters.loads).is_some_and(|each| each >= FAR) {
        block.prefetch(pool);
    }
    Ok(Run { block, outcomes, end, counters, leftover: Box::new(memory) })
}

/// Has a thread of the pool help, when one is free.
fn bring_helper<'s, 'b: 's, R: StateReader + Sync>(
    scope: &rayon::ScopeFifo<'s>,
    engine: &'s Engine<BlockTask<'b, &'b R>, Committer<'b, '_, R>>,
) {
    scope.spawn_fifo(move |scope| engine.help(&|| bring_helper(scope, engine)));
}

//! The shared part of a session: the executor with its transactions, the delivery, the worker pool.
//!
//! Input: batches; requests for helpers from the executor. Output: helper threads, from the pool or from
//! among the waiting threads. A thread of the pool holds only a weak reference until it starts to help, so a
//! dropped session is freed as soon as no thread executes a transaction of it.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use super::super::capacity::Weights;
use super::super::error::BlockError;
use super::super::open_block::OpenBlock;
use super::super::parallel::{BlockTask, TransactionList, TransactionRef, config};
use super::super::worker_pool::WorkerPool;
use super::SessionOptions;
use super::commit::{Ledger, OnResult, SessionCommitter};
use super::delivery::{Delivery, State};
use super::error::SubmitError;
use crate::parallel::{Panicked, ParallelExecutor};
use crate::protocol::BlockEnv;
use crate::state::StateReader;
use crate::transaction::{FatalError, Transaction};

/// The executor of a session.
type SessionExecutor<R> = ParallelExecutor<BlockTask<'static, Arc<R>>, SessionCommitter<Arc<R>>>;

/// The part of a session that its threads and handles share.
pub(super) struct Shared<R: StateReader + Send + Sync + 'static> {
    executor: SessionExecutor<R>,
    transactions: Arc<TransactionList<'static>>,
    pub(super) delivery: Arc<Delivery>,
    pool: WorkerPool,
    waiting_threads_work: bool,
    /// The most results that may wait for the host; `None` with a callback.
    undelivered: Option<usize>,
    pub(super) limits: Weights,
    itself: Weak<Self>,
}

impl<R: StateReader + Send + Sync + 'static> Shared<R> {
    pub(super) fn open(
        env: BlockEnv,
        reader: R,
        pool: &WorkerPool,
        options: SessionOptions,
        on_result: Option<OnResult>,
    ) -> Result<Arc<Self>, BlockError> {
        let SessionOptions { execution, deadline, undelivered, waiting_threads_work } = options;
        let reader = Arc::new(reader);
        let block = OpenBlock::open(&env, Arc::clone(&reader), execution.clone())?;
        let initial_writes = block.writes();

        let undelivered = on_result.is_none().then(|| undelivered.max(1));
        let delivery = Arc::new(Delivery::new(deadline));
        let transactions = Arc::new(TransactionList::default());
        let (limits, on_invalid) = (execution.capacity.limits, execution.on_invalid);
        let cancellation = Arc::clone(&delivery.cancellation);
        let task = BlockTask::new(Arc::clone(&transactions), reader, env, execution, cancellation);
        let committer = SessionCommitter {
            ledger: Some(Ledger::new(block)),
            transactions: Arc::clone(&transactions),
            delivery: Arc::clone(&delivery),
            on_invalid,
            on_result,
        };
        let helpers = pool.helpers().map_or(0, rayon::ThreadPool::current_num_threads);
        let waiting_threads_work = waiting_threads_work || helpers == 0;
        let workers = helpers.saturating_add(usize::from(waiting_threads_work));
        let executor = ParallelExecutor::new(task, committer, config(workers, false));
        for (key, value) in initial_writes {
            executor.seed(&key, value);
        }
        let shared = Arc::new_cyclic(|itself| Self {
            executor,
            transactions,
            delivery,
            pool: pool.clone(),
            waiting_threads_work,
            undelivered,
            limits,
            itself: Weak::clone(itself),
        });
        shared.limit_undelivered(0);
        Ok(shared)
    }

    /// Appends a batch, or none of it. Returns the indices of its transactions.
    pub(super) fn submit(
        &self,
        batch: impl IntoIterator<Item = Transaction>,
    ) -> Result<Range<usize>, SubmitError> {
        let batch: Vec<Arc<Transaction>> = batch.into_iter().map(Arc::new).collect();
        let n = batch.len();
        let state = self.delivery.admit(batch.iter().map(|transaction| transaction.hash))?;
        let end = state.submitted();
        // Still under the lock of the delivery: the list must have the order of the indices.
        self.transactions.append(batch.into_iter().map(TransactionRef::Owned));
        drop(state);
        self.executor.add(n, &|| self.request_helper());
        Ok(end.saturating_sub(n)..end)
    }

    /// Allows commits up to the limit of undelivered results, after `delivered` results were taken.
    pub(super) fn limit_undelivered(&self, delivered: usize) {
        let undelivered = self.undelivered.unwrap_or(usize::MAX);
        self.limit_commits(delivered.saturating_add(undelivered));
    }

    pub(super) fn limit_commits(&self, n: usize) {
        self.executor.limit_commits(n, &|| self.request_helper());
    }

    /// Waits until `ready` returns a value; the waiting thread executes transactions meanwhile if the options
    /// say so.
    pub(super) fn wait_until<V>(&self, ready: impl FnMut(&mut State) -> Option<V>) -> V {
        // A thread of the pool that waited without helping could wait for a job that only it could do.
        let is_of_pool = || self.pool.helpers().is_some_and(|pool| pool.current_thread_index().is_some());
        let help: &dyn Fn() = &|| self.help_once();
        let help = (self.waiting_threads_work || is_of_pool()).then_some(help);
        self.delivery.wait_until(help, &|| self.spawn(), ready)
    }

    /// Returns the threads that help, for closing the block.
    pub(super) fn pool(&self) -> Option<&rayon::ThreadPool> {
        self.pool.helpers()
    }

    /// Takes the ledger, for closing the block.
    pub(super) fn take_ledger(&self) -> Option<Ledger<Arc<R>>> {
        self.executor.sink().ledger.take()
    }

    fn request_helper(&self) {
        self.delivery.request_helper(|| self.spawn());
    }

    /// Has a thread of the pool answer a request for a helper, as soon as one is free.
    fn spawn(&self) {
        let Some(pool) = self.pool.helpers() else { return };
        let itself = Weak::clone(&self.itself);
        pool.spawn_fifo(move || {
            // The host's reader may panic when it is dropped here; that must not end the pool.
            let answered = catch_unwind(AssertUnwindSafe(move || {
                if let Some(shared) = itself.upgrade() {
                    shared.delivery.answer_request(|| shared.help());
                }
            }));
            drop(answered);
        });
    }

    fn help(&self) {
        self.executor.help(&|| self.request_helper());
        self.report_panic();
    }

    /// Helps for one job, on a thread that waits for the session.
    fn help_once(&self) {
        self.executor.help_for(1, &|| self.request_helper());
        self.report_panic();
    }

    /// Ends the session if the executor has panicked.
    fn report_panic(&self) {
        if let Some(Panicked(message)) = self.executor.panicked() {
            let index = self.delivery.lock().committed;
            let hash = self.transactions.at(index).map(|transaction| transaction.hash).unwrap_or_default();
            let failure = FatalError::Internal(message);
            self.delivery.end(Err(BlockError::transaction(index, hash, failure)));
        }
    }
}

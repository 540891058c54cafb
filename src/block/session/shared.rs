//! What the threads of a session share: the engine with its transactions, the delivery, the pool.
//!
//! In: batches; calls for help from the engine. Out: helpers, from the pool or from among those who wait. A thread of the pool that
//! has not begun to help holds nothing of it, so a session that is dropped is gone as soon as nobody runs a transaction of it.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use super::super::capacity::Weights;
use super::super::error::BlockError;
use super::super::open_block::OpenBlock;
use super::super::parallel::{BlockTask, Held, TransactionList, limits};
use super::super::worker_pool::WorkerPool;
use super::SessionOptions;
use super::commit::{Committer, Ledger, OnResult};
use super::delivery::{Delivery, State};
use super::error::SubmitError;
use crate::parallel::{Engine, Panicked};
use crate::protocol::BlockEnv;
use crate::state::StateReader;
use crate::transaction::{FatalError, Transaction};

/// The engine of a session.
type SessionEngine<R> = Engine<BlockTask<'static, Arc<R>>, Committer<Arc<R>>>;

pub(super) struct Shared<R: StateReader + Send + Sync + 'static> {
    engine: SessionEngine<R>,
    transactions: Arc<TransactionList<'static>>,
    pub(super) delivery: Arc<Delivery>,
    pool: WorkerPool,
    waiting_threads_work: bool,
    /// The most results that may wait; `None` where a callback takes them.
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
        let opening = block.writes();

        let undelivered = on_result.is_none().then(|| undelivered.max(1));
        let delivery = Arc::new(Delivery::new(deadline));
        let transactions = Arc::new(TransactionList::default());
        let (limits_of_block, on_invalid) = (execution.capacity.limits, execution.on_invalid);
        let term = Arc::clone(&delivery.term);
        let task = BlockTask::new(Arc::clone(&transactions), reader, env, execution, term);
        let committer = Committer {
            ledger: Some(Ledger::new(block)),
            transactions: Arc::clone(&transactions),
            delivery: Arc::clone(&delivery),
            on_invalid,
            on_result,
        };
        let helpers = pool.helpers().map_or(0, rayon::ThreadPool::current_num_threads);
        let waiting_threads_work = waiting_threads_work || helpers == 0;
        let workers = helpers.saturating_add(usize::from(waiting_threads_work));
        let engine = Engine::new(task, committer, limits(workers, false));
        for (cell, value) in opening {
            engine.seed(&cell, value);
        }
        let shared = Arc::new_cyclic(|itself| Self {
            engine,
            transactions,
            delivery,
            pool: pool.clone(),
            waiting_threads_work,
            undelivered,
            limits: limits_of_block,
            itself: Weak::clone(itself),
        });
        shared.allow(0);
        Ok(shared)
    }

    /// Takes a batch as a whole, or nothing of it. Says which places it has.
    pub(super) fn submit(
        &self,
        batch: impl IntoIterator<Item = Transaction>,
    ) -> Result<Range<usize>, SubmitError> {
        let batch: Vec<Arc<Transaction>> = batch.into_iter().map(Arc::new).collect();
        let count = batch.len();
        let state = self.delivery.admit(batch.iter().map(|transaction| transaction.hash))?;
        let end = state.submitted();
        // Under the lock, so that places are given in the order in which hashes were noted.
        self.transactions.add(batch.into_iter().map(Held::Owned));
        drop(state);
        self.engine.add(count, &|| self.call());
        Ok(end.saturating_sub(count)..end)
    }

    /// Lets commits go on, so many results having been taken.
    pub(super) fn allow(&self, delivered: usize) {
        let most = self.undelivered.map_or(usize::MAX, |undelivered| delivered.saturating_add(undelivered));
        self.allow_commits(most);
    }

    pub(super) fn allow_commits(&self, most: usize) {
        self.engine.allow_commits(most, &|| self.call());
    }

    /// Waits until there is what `ready` looks for, and works meanwhile if that is wanted.
    pub(super) fn until<V>(&self, ready: impl FnMut(&mut State) -> Option<V>) -> V {
        // A thread of the pool that waits idly might be the one that is waited for.
        let is_of_pool = || self.pool.helpers().is_some_and(|pool| pool.current_thread_index().is_some());
        let help: &dyn Fn() = &|| self.help_once();
        let help = (self.waiting_threads_work || is_of_pool()).then_some(help);
        self.delivery.until(help, &|| self.spawn(), ready)
    }

    /// The threads that help, for whoever closes the block.
    pub(super) fn pool(&self) -> Option<&rayon::ThreadPool> {
        self.pool.helpers()
    }

    /// The ledger, for whoever closes the block.
    pub(super) fn take_ledger(&self) -> Option<Ledger<Arc<R>>> {
        self.engine.sink().ledger.take()
    }

    fn call(&self) {
        self.delivery.call(|| self.spawn());
    }

    /// Has a thread of the pool answer a call, when one is free.
    fn spawn(&self) {
        let Some(pool) = self.pool.helpers() else { return };
        let itself = Weak::clone(&self.itself);
        pool.spawn_fifo(move || {
            // Whatever the host's reader does when it is dropped, it must not take the pool down.
            let answered = catch_unwind(AssertUnwindSafe(move || {
                if let Some(shared) = itself.upgrade() {
                    shared.delivery.answer(|| shared.help());
                }
            }));
            drop(answered);
        });
    }

    fn help(&self) {
        self.engine.help(&|| self.call());
        self.look_for_a_panic();
    }

    /// The help of a thread that waits for something else.
    fn help_once(&self) {
        self.engine.help_with(1, &|| self.call());
        self.look_for_a_panic();
    }

    fn look_for_a_panic(&self) {
        if let Some(Panicked(message)) = self.engine.panicked() {
            let index = self.delivery.lock().committed;
            let hash = self.transactions.at(index).map(|transaction| transaction.hash).unwrap_or_default();
            let failure = FatalError::Internal(message);
            self.delivery.end(Err(BlockError::transaction(index, hash, failure)));
        }
    }
}

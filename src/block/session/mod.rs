//! Building a block from a stream of transactions: what a sequencer needs.
//!
//! In: batches, from any thread, while earlier ones run; a deadline; a word that it is enough. Out: results, in order, as soon as
//! they are final; in the end the block of the first so many of them, exactly as if there had never been more. Knows nothing of how
//! a transaction runs or what threads do with it: `block::parallel` does.
//!
//! ```text
//! submit ─▶ TransactionList ─▶ Engine ─▶ Committer ─▶ Delivery ─▶ results, or the host's callback
//!                                            └─▶ Ledger ─▶ close(n) ─▶ SessionOutcome
//! ```

mod commit;
mod delivery;
mod error;
mod options;
mod shared;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Weak};

pub use self::error::{CloseError, SubmitError};
pub use self::options::SessionOptions;

use self::delivery::{Delivery, State};
use self::shared::Shared;
use super::capacity::Weights;
use super::error::BlockError;
use super::outcome::{BlockEnd, SessionOutcome, TransactionOutcome};
use super::worker_pool::WorkerPool;
use crate::protocol::BlockEnv;
use crate::state::StateReader;
use crate::transaction::Transaction;

/// A block in the making.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use starkiln::block::{
///     BlockEnd, BlockSession, Capacity, ExecutionOptions, SessionOptions, WorkerPool,
/// };
/// use starkiln::replay::LoadedBlock;
///
/// let block = LoadedBlock::read(concat!(env!("CARGO_MANIFEST_DIR"), "/resources/blocks/transfer.json"))?;
/// let pool = WorkerPool::new(2)?;
/// let execution = ExecutionOptions::default()
///     .block_hash_source(block.block_hash_source)
///     .capacity(Capacity::mainnet());
/// let options = SessionOptions::from(execution).deadline(Instant::now() + Duration::from_secs(60));
/// let session = BlockSession::open(block.env.clone(), block.state.clone(), &pool, options)?;
///
/// session.submit(block.transactions.clone())?;
/// for outcome in session.results() {
///     println!("{:#x}: {:?}", outcome.hash.0, outcome.status());
/// }
/// println!("{} Sierra gas so far", session.progress().weights.sierra_gas);
///
/// let outcome = session.finish()?;
/// assert_eq!(outcome.end, BlockEnd::Finished);
/// assert_eq!(outcome.state_diff.nonces.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Transactions are executed by the pool's threads as soon as they are submitted, by waiting threads as well if
/// [`SessionOptions::waiting_threads_work`] says so. Several sessions can be on one pool.
///
/// # The end
///
/// A block ends because it was [closed](Self::close) or [finished](Self::finish), because it is full, at its deadline, or because
/// it was [cancelled](CancelHandle): see [`BlockEnd`]. From then on nothing is committed, and a transaction that is running stops
/// within a millisecond, unless it waits for the host's reader. What was committed before can always be made a block of. Dropping
/// the session drops all of it, at once; the pool and the host's state are as before.
///
/// If the reader fails, the session ends with that error; what was committed before is still good.
///
/// # Hosts with an async runtime
///
/// [`submit`](Self::submit) and [`progress`](Self::progress) never wait. With [`open_with`](Self::open_with) results come by a
/// callback, which may put them into a channel of that runtime; [`finish`](Self::finish) and [`close`](Self::close) have work to
/// do and belong on a thread that may block.
pub struct BlockSession<R: StateReader + Send + Sync + 'static> {
    shared: Arc<Shared<R>>,
}

impl<R: StateReader + Send + Sync + 'static> BlockSession<R> {
    /// Opens a block over the state before it (C202).
    pub fn open(
        env: BlockEnv,
        reader: R,
        pool: &WorkerPool,
        options: SessionOptions,
    ) -> Result<Self, BlockError> {
        Ok(Self { shared: Shared::open(env, reader, pool, options, None)? })
    }

    /// The same, with results handed to `on_result` with their places, in order, one at a time, on whatever thread executes
    /// transactions. While it runs, no other transaction is committed. It may call anything of the session's handles.
    pub fn open_with(
        env: BlockEnv,
        reader: R,
        pool: &WorkerPool,
        options: SessionOptions,
        on_result: impl FnMut(usize, TransactionOutcome) + Send + 'static,
    ) -> Result<Self, BlockError> {
        Ok(Self { shared: Shared::open(env, reader, pool, options, Some(Box::new(on_result)))? })
    }

    /// Adds transactions behind those that there are. All of them or, if one was submitted before, none. Says which places they
    /// have. Does not wait.
    pub fn submit(
        &self,
        transactions: impl IntoIterator<Item = Transaction>,
    ) -> Result<Range<usize>, SubmitError> {
        self.shared.submit(transactions)
    }

    /// There will be no more transactions: the block has ended when those that there are had their turn.
    pub fn end_input(&self) {
        self.shared.delivery.end_input();
    }

    /// Something to submit transactions with, from anywhere.
    pub fn submitter(&self) -> Submitter<R> {
        Submitter { shared: Arc::downgrade(&self.shared), delivery: Arc::clone(&self.shared.delivery) }
    }

    /// Something to end the block with, from anywhere.
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle { delivery: Arc::clone(&self.shared.delivery) }
    }

    /// The results of all transactions that were submitted, in order, each once; waits for those that are still to come. Ends when
    /// there is none to wait for, or when the block has ended; goes on where another such iterator stopped.
    pub fn results(&self) -> Results<'_, R> {
        Results { session: self, waits_for_input: false }
    }

    /// The same, waiting for transactions that are still to be submitted as well: ends when the block has ended.
    pub fn all_results(&self) -> Results<'_, R> {
        Results { session: self, waits_for_input: true }
    }

    /// How far it is and how full. Does not wait.
    pub fn progress(&self) -> Progress {
        let state = self.shared.delivery.lock();
        Progress {
            submitted: state.submitted(),
            committed: state.committed,
            delivered: state.delivered(),
            weights: state.weights,
            limits: self.shared.limits,
            end: state.end.clone(),
        }
    }

    /// Ends the block when all submitted transactions had their turn, or where it ended before: `end` says which. Results that
    /// were not taken are in the outcome.
    pub fn finish(self) -> Result<SessionOutcome, BlockError> {
        let shared = &self.shared;
        shared.delivery.end_input();
        shared.allow_commits(usize::MAX);
        let end = shared.until(|state| state.end.clone())?;
        let count = shared.delivery.lock().committed;
        self.into_block(count, end)
    }

    /// Ends the block after its first `count` transactions, rejected ones among them counted: as if there had never been more. Waits
    /// for them if they had not had their turn. Results that were not taken are in the outcome.
    pub fn close(self, count: usize) -> Result<SessionOutcome, CloseError> {
        let shared = &self.shared;
        let too_few = |there, end| CloseError::TooFew { wanted: count, there, end };
        let submitted = shared.delivery.lock().submitted();
        if submitted < count {
            return Err(too_few(submitted, None));
        }
        shared.allow_commits(count);
        let (committed, end) = shared.until(|state| {
            (state.committed >= count || state.end.is_some()).then(|| (state.committed, state.end.clone()))
        });
        if committed < count {
            return Err(match end.transpose()? {
                Some(end) => too_few(committed, Some(Box::new(end))),
                None => too_few(committed, None),
            });
        }
        shared.delivery.end(Ok(BlockEnd::Finished));
        Ok(self.into_block(count, BlockEnd::Finished)?)
    }

    /// Drops the block, and waits until no thread works for it any more, so that nobody calls the reader.
    pub fn abort(self) {
        self.shared.delivery.end(Ok(BlockEnd::Cancelled));
        self.shared.delivery.until_nobody_helps();
    }

    fn into_block(self, count: usize, end: BlockEnd) -> Result<SessionOutcome, BlockError> {
        let ledger = self.shared.take_ledger();
        let undelivered = self.shared.delivery.take_undelivered(count);
        match ledger {
            Some(ledger) => ledger.close(count, undelivered, end, self.shared.pool()),
            // Only closing takes it, and that takes the session.
            None => Err(BlockError::Closed),
        }
    }

    /// The next result; `None` if there is none to wait for.
    fn next_result(&self, waits_for_input: bool) -> Option<TransactionOutcome> {
        let nothing = |state: &mut State| {
            (state.end.is_some() || (!waits_for_input && state.is_idle())).then_some(None)
        };
        let (outcome, delivered) = self.shared.until(|state| match state.outbox.pop_front() {
            Some(outcome) => Some(Some((outcome, state.delivered()))),
            None => nothing(state),
        })?;
        self.shared.allow(delivered);
        Some(outcome)
    }
}

/// Aborts, if it was neither closed nor finished.
impl<R: StateReader + Send + Sync + 'static> Drop for BlockSession<R> {
    fn drop(&mut self) {
        self.shared.delivery.end(Ok(BlockEnd::Cancelled));
    }
}

impl<R: StateReader + Send + Sync + 'static> fmt::Debug for BlockSession<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockSession").field("progress", &self.progress()).finish_non_exhaustive()
    }
}

/// Results in order: see [`BlockSession::results`].
#[derive(Debug)]
pub struct Results<'s, R: StateReader + Send + Sync + 'static> {
    session: &'s BlockSession<R>,
    waits_for_input: bool,
}

impl<R: StateReader + Send + Sync + 'static> Iterator for Results<'_, R> {
    type Item = TransactionOutcome;

    fn next(&mut self) -> Option<TransactionOutcome> {
        self.session.next_result(self.waits_for_input)
    }
}

/// How far a session is and how full its block is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Transactions that were submitted.
    pub submitted: usize,
    /// Those that had their turn, rejected ones included.
    pub committed: usize,
    /// Those whose results were taken.
    pub delivered: usize,
    /// What the block weighs.
    pub weights: Weights,
    /// What it may weigh.
    pub limits: Weights,
    /// How it ended, if it has; an error is that it could not go on.
    pub end: Option<Result<BlockEnd, BlockError>>,
}

/// Submits transactions to a [`BlockSession`], from anywhere. Does not keep it alive.
pub struct Submitter<R: StateReader + Send + Sync + 'static> {
    shared: Weak<Shared<R>>,
    delivery: Arc<Delivery>,
}

impl<R: StateReader + Send + Sync + 'static> Submitter<R> {
    /// As [`BlockSession::submit`]. A session that is no more answers that its block has ended.
    pub fn submit(
        &self,
        transactions: impl IntoIterator<Item = Transaction>,
    ) -> Result<Range<usize>, SubmitError> {
        match self.shared.upgrade() {
            Some(shared) => shared.submit(transactions),
            None => Err(self.delivery.refusal().unwrap_or(SubmitError::InputEnded)),
        }
    }

    /// As [`BlockSession::end_input`].
    pub fn end_input(&self) {
        self.delivery.end_input();
    }
}

impl<R: StateReader + Send + Sync + 'static> Clone for Submitter<R> {
    fn clone(&self) -> Self {
        Self { shared: Weak::clone(&self.shared), delivery: Arc::clone(&self.delivery) }
    }
}

impl<R: StateReader + Send + Sync + 'static> fmt::Debug for Submitter<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submitter").finish_non_exhaustive()
    }
}

/// Ends the block of a [`BlockSession`] where it is, from anywhere. Cloning it gives another handle of the same session.
#[derive(Clone, Debug)]
pub struct CancelHandle {
    delivery: Arc<Delivery>,
}

impl CancelHandle {
    /// Ends the block; false if it had ended before. When this returns, no other transaction will be in it.
    pub fn cancel(&self) -> bool {
        self.delivery.end(Ok(BlockEnd::Cancelled))
    }
}

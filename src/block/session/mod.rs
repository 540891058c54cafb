//! Building a block from a stream of transactions, as a sequencer does.
//!
//! Input: batches, from any thread, while earlier ones execute; a deadline; a cancellation. Output: results,
//! in order, as soon as they are final; at the end the block of the first `n` transactions. Must not know:
//! how transactions are executed or scheduled, which is the business of `block::parallel`.
//!
//! ```text
//! submit ─▶ TransactionList ─▶ ParallelExecutor ─▶ SessionCommitter ─▶ Delivery ─▶ results, or a callback
//!                                                        └─▶ Ledger ─▶ close(n) ─▶ SessionOutcome
//! ```
//!
//! # Definitions
//!
//! * A transaction is *processed* when the commit decision (`block::commit`) was made for it: it is
//!   committed, or rejected.
//! * A result is *delivered* when the host has taken it from the iterator, or the callback was called with
//!   it.
//! * The *end* is the first of: closed, finished, full, deadline, cancelled, failed. Later ones have no
//!   effect.
//!
//! # Invariants
//!
//! * Results are delivered in block order, each once. The number of undelivered results is bounded: commits
//!   wait.
//! * A commit reserves capacity and records the changes. They are applied when the block is closed, so
//!   closing after `n` transactions gives the block that never had more.
//! * After the end nothing is committed.
//! * The host's reader is called by threads that execute transactions or close the block, and by no other.
//!
//! # Operations
//!
//! The worker threads of the pool execute and commit. A waiting thread may help: see
//! [`SessionOptions::waiting_threads_work`]. Handles hold the delivery only, so that they do not keep the
//! reader alive.

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

/// A block that is built from a stream of transactions.
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
/// The threads of the pool execute transactions as soon as they are submitted; with
/// [`SessionOptions::waiting_threads_work`], waiting threads help. Several sessions can share a pool.
///
/// # The end
///
/// A block ends because it was [closed](Self::close) or [finished](Self::finish), because it is full, at its
/// deadline, or because it was [cancelled](CancelHandle): see [`BlockEnd`]. After the end nothing is
/// committed, and a running transaction stops within a millisecond, unless it waits for the host's reader.
/// The transactions that were committed before can still be closed into a block. Dropping the session
/// discards them; the pool and the host's state are not affected.
///
/// If the reader fails, the session ends with that error; the results that were delivered before stay valid.
///
/// # Hosts with an async runtime
///
/// [`submit`](Self::submit) and [`progress`](Self::progress) never wait. With [`open_with`](Self::open_with)
/// results are passed to a callback, which may put them into a channel of that runtime.
/// [`finish`](Self::finish) and [`close`](Self::close) block and compute, and belong on a thread that may do
/// so.
pub struct BlockSession<R: StateReader + Send + Sync + 'static> {
    shared: Arc<Shared<R>>,
}

impl<R: StateReader + Send + Sync + 'static> BlockSession<R> {
    /// Opens a block on the state before it ([C202](crate::rules#c202)).
    pub fn open(
        env: BlockEnv,
        reader: R,
        pool: &WorkerPool,
        options: SessionOptions,
    ) -> Result<Self, BlockError> {
        Ok(Self { shared: Shared::open(env, reader, pool, options, None)? })
    }

    /// Opens a block whose results are passed to `on_result`, with their indices, in order, one at a time, on
    /// the thread that commits. No other transaction is committed while it runs. It may use every handle of
    /// the session.
    pub fn open_with(
        env: BlockEnv,
        reader: R,
        pool: &WorkerPool,
        options: SessionOptions,
        on_result: impl FnMut(usize, TransactionOutcome) + Send + 'static,
    ) -> Result<Self, BlockError> {
        Ok(Self { shared: Shared::open(env, reader, pool, options, Some(Box::new(on_result)))? })
    }

    /// Appends transactions: all of them or, if one was submitted before, none. Returns their indices. Does
    /// not wait.
    pub fn submit(
        &self,
        transactions: impl IntoIterator<Item = Transaction>,
    ) -> Result<Range<usize>, SubmitError> {
        self.shared.submit(transactions)
    }

    /// Declares that no more transactions will be submitted: the block ends when the submitted ones are
    /// processed.
    pub fn end_input(&self) {
        self.shared.delivery.end_input();
    }

    /// Returns a handle that submits transactions from any thread.
    pub fn submitter(&self) -> Submitter<R> {
        Submitter { shared: Arc::downgrade(&self.shared), delivery: Arc::clone(&self.shared.delivery) }
    }

    /// Returns a handle that cancels the block from any thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle { delivery: Arc::clone(&self.shared.delivery) }
    }

    /// Returns the results of all submitted transactions, in order, each once; waits for those that are not
    /// processed yet. Ends when none is missing, or when the block has ended. A new iterator continues where
    /// the last one stopped.
    pub fn results(&self) -> Results<'_, R> {
        Results { session: self, waits_for_input: false }
    }

    /// Returns the results like [`results`](Self::results), and waits for transactions that are not submitted
    /// yet as well. Ends when the block has ended.
    pub fn all_results(&self) -> Results<'_, R> {
        Results { session: self, waits_for_input: true }
    }

    /// Returns the progress of the session and the weights of its block. Does not wait.
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

    /// Closes the block when all submitted transactions are processed, or where it ended before: see
    /// [`SessionOutcome::end`]. Undelivered results are in the outcome.
    pub fn finish(self) -> Result<SessionOutcome, BlockError> {
        let shared = &self.shared;
        shared.delivery.end_input();
        shared.limit_commits(usize::MAX);
        let end = shared.wait_until(|state| state.end.clone())?;
        let n = shared.delivery.lock().committed;
        self.into_block(n, end)
    }

    /// Closes the block after its first `n` transactions, rejected ones included, as if no more had been
    /// submitted. Waits until they are processed. Undelivered results are in the outcome.
    pub fn close(self, n: usize) -> Result<SessionOutcome, CloseError> {
        let shared = &self.shared;
        let too_few = |there, end| CloseError::TooFew { wanted: n, there, end };
        let submitted = shared.delivery.lock().submitted();
        if submitted < n {
            return Err(too_few(submitted, None));
        }
        shared.limit_commits(n);
        let (committed, end) = shared.wait_until(|state| {
            (state.committed >= n || state.end.is_some()).then(|| (state.committed, state.end.clone()))
        });
        if committed < n {
            return Err(match end.transpose()? {
                Some(end) => too_few(committed, Some(Box::new(end))),
                None => too_few(committed, None),
            });
        }
        shared.delivery.end(Ok(BlockEnd::Finished));
        Ok(self.into_block(n, BlockEnd::Finished)?)
    }

    /// Discards the block, and waits until no thread executes a transaction of it or calls the reader.
    pub fn abort(self) {
        self.shared.delivery.end(Ok(BlockEnd::Cancelled));
        self.shared.delivery.wait_for_helpers();
    }

    fn into_block(self, n: usize, end: BlockEnd) -> Result<SessionOutcome, BlockError> {
        let ledger = self.shared.take_ledger();
        let undelivered = self.shared.delivery.take_undelivered(n);
        match ledger {
            Some(ledger) => ledger.close(n, undelivered, end, self.shared.pool()),
            // Closing takes the ledger and consumes the session.
            None => Err(BlockError::Closed),
        }
    }

    /// Returns the next result, or `None` if there is none to wait for.
    fn next_result(&self, waits_for_input: bool) -> Option<TransactionOutcome> {
        let nothing = |state: &mut State| {
            (state.end.is_some() || (!waits_for_input && state.is_idle())).then_some(None)
        };
        let (outcome, delivered) = self.shared.wait_until(|state| match state.outbox.pop_front() {
            Some(outcome) => Some(Some((outcome, state.delivered()))),
            None => nothing(state),
        })?;
        self.shared.limit_undelivered(delivered);
        Some(outcome)
    }
}

/// Cancels the block if it was neither closed nor finished.
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

/// An iterator over the results in order: see [`BlockSession::results`].
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

/// The progress of a session and the weights of its block.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// The number of submitted transactions.
    pub submitted: usize,
    /// The number of processed transactions, rejected ones included.
    pub committed: usize,
    /// The number of delivered results.
    pub delivered: usize,
    /// The bouncer weights of the block so far.
    pub weights: Weights,
    /// The limits of the weights.
    pub limits: Weights,
    /// The end of the block, or the error that it failed with; `None` while it is open.
    pub end: Option<Result<BlockEnd, BlockError>>,
}

/// A handle that submits transactions to a [`BlockSession`] from any thread. Does not keep the session alive.
pub struct Submitter<R: StateReader + Send + Sync + 'static> {
    shared: Weak<Shared<R>>,
    delivery: Arc<Delivery>,
}

impl<R: StateReader + Send + Sync + 'static> Submitter<R> {
    /// Submits transactions like [`BlockSession::submit`]. After the session was dropped, the error says that
    /// its block has ended.
    pub fn submit(
        &self,
        transactions: impl IntoIterator<Item = Transaction>,
    ) -> Result<Range<usize>, SubmitError> {
        match self.shared.upgrade() {
            Some(shared) => shared.submit(transactions),
            None => Err(self.delivery.refusal().unwrap_or(SubmitError::InputEnded)),
        }
    }

    /// Ends the input like [`BlockSession::end_input`].
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

/// A handle that cancels the block of a [`BlockSession`] from any thread. Clones are handles of the same
/// session.
#[derive(Clone, Debug)]
pub struct CancelHandle {
    delivery: Arc<Delivery>,
}

impl CancelHandle {
    /// Cancels the block. Returns `false` if it had ended before. After the return no further transaction is
    /// committed.
    pub fn cancel(&self) -> bool {
        self.delivery.end(Ok(BlockEnd::Cancelled))
    }
}

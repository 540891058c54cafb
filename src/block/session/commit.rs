//! Commits of a session, recorded so that the block can be closed after any number of transactions.
//!
//! Input: attempts, in commit order, one at a time. Output: outcomes, for the delivery or for the host's
//! callback; a [`Ledger`]. A commit only reserves capacity. The changes are applied when the block is closed,
//! for the transactions that it has then: so a commit is short, and transactions beyond the end leave no
//! trace.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::super::attempt::{Attempt, CommitData, caught};
use super::super::commit::{Decision, decide};
use super::super::error::BlockError;
use super::super::open_block::OpenBlock;
use super::super::options::OnInvalid;
use super::super::outcome::{BlockEnd, SessionOutcome, TransactionOutcome};
use super::super::parallel::{BlockTask, TransactionList};
use super::delivery::{Delivery, SessionEnd};
use crate::parallel::Sink;
use crate::state::StateReader;
use crate::transaction::FatalError;

/// The host's callback for results.
pub(super) type OnResult = Box<dyn FnMut(usize, TransactionOutcome) + Send>;

/// A block that can still be closed after any number of its transactions.
pub(super) struct Ledger<R> {
    block: OpenBlock<R>,
    commits: Vec<CommitData>,
}

impl<R: StateReader> Ledger<R> {
    pub(super) fn new(block: OpenBlock<R>) -> Self {
        Self { block, commits: Vec::new() }
    }

    /// Closes the block after its first `n` transactions.
    pub(super) fn close(
        self,
        n: usize,
        undelivered: Vec<TransactionOutcome>,
        end: BlockEnd,
        pool: Option<&rayon::ThreadPool>,
    ) -> Result<SessionOutcome, BlockError> {
        let Self { mut block, mut commits } = self;
        if n < commits.len() {
            commits.truncate(n);
            block.recount(&commits);
        }
        for data in commits {
            block.apply(data)?;
        }
        Ok(SessionOutcome::of_undelivered(block.close(undelivered, end, pool)?))
    }
}

/// Commits attempts to a ledger.
pub(super) struct SessionCommitter<R> {
    /// `None` once the block is closed.
    pub(super) ledger: Option<Ledger<R>>,
    pub(super) transactions: Arc<TransactionList<'static>>,
    pub(super) delivery: Arc<Delivery>,
    pub(super) on_invalid: OnInvalid,
    pub(super) on_result: Option<OnResult>,
}

impl<R: StateReader> SessionCommitter<R> {
    /// Commits the next transaction. A break ends the session, for the reason that it carries unless the
    /// delivery knows it.
    fn commit_next(
        &mut self,
        index: usize,
        attempt: Result<Attempt, FatalError>,
    ) -> ControlFlow<Option<SessionEnd>> {
        let (Some(ledger), Some(transaction)) = (&mut self.ledger, self.transactions.at(index)) else {
            return ControlFlow::Break(None);
        };
        if self.delivery.lock().end.is_some() {
            return ControlFlow::Break(None);
        }
        let hash = transaction.hash;
        let (outcome, data, end) = match decide(&mut ledger.block, index, hash, attempt, self.on_invalid) {
            Decision::Processed { outcome, data, end } => (*outcome, *data, end),
            Decision::Ended(end) => return ControlFlow::Break(Some(end)),
        };
        ledger.commits.push(data);
        let weights = ledger.block.weights();
        let is_last = end.is_some();
        let is_recorded = match &mut self.on_result {
            None => self.delivery.commit(weights, outcome, end),
            Some(on_result) => {
                if !self.delivery.begin_callback(weights) {
                    return ControlFlow::Break(None);
                }
                let called = caught(|| {
                    on_result(index, outcome);
                    Ok::<(), FatalError>(())
                });
                if let Err(failure) = called {
                    return ControlFlow::Break(Some(Err(BlockError::transaction(index, hash, failure))));
                }
                self.delivery.end_callback(end);
                true
            }
        };
        if is_recorded && !is_last { ControlFlow::Continue(()) } else { ControlFlow::Break(None) }
    }
}

impl<R: StateReader + Send + Sync> Sink<BlockTask<'static, R>> for SessionCommitter<R> {
    fn commit(&mut self, index: usize, attempt: Result<Attempt, FatalError>) -> ControlFlow<()> {
        self.commit_next(index, attempt).map_break(|end| {
            if let Some(end) = end {
                self.delivery.end(end);
            }
        })
    }
}

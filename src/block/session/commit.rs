//! Commits of a session: what is kept so that the block can be ended after any number of transactions.
//!
//! In: results of the engine, in order, one at a time. Out: outcomes, for the delivery or the host's callback; a [`Ledger`]. The
//! block's state is put together when the block is closed, from the commit_data of those transactions that it has: a commit itself only
//! weighs, so it is short, and what was committed beyond the end leaves no trace.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::super::attempt::{Attempt, CommitData, caught};
use super::super::error::BlockError;
use super::super::open_block::OpenBlock;
use super::super::options::OnInvalid;
use super::super::outcome::{BlockEnd, SessionOutcome, TransactionOutcome};
use super::super::parallel::{BlockTask, Body, TransactionList};
use super::delivery::{Delivery, Ended};
use crate::parallel::Sink;
use crate::state::StateReader;
use crate::transaction::FatalError;

/// What the host wants to be told results by.
pub(super) type OnResult = Box<dyn FnMut(usize, TransactionOutcome) + Send>;

/// A block that can still end after any number of its transactions.
pub(super) struct Ledger<R> {
    block: OpenBlock<R>,
    commit_data: Vec<CommitData>,
}

impl<R: StateReader> Ledger<R> {
    pub(super) fn new(block: OpenBlock<R>) -> Self {
        Self { block, commit_data: Vec::new() }
    }

    /// Ends the block after its first `count` transactions.
    pub(super) fn close(
        self,
        count: usize,
        undelivered: Vec<TransactionOutcome>,
        end: BlockEnd,
        pool: Option<&rayon::ThreadPool>,
    ) -> Result<SessionOutcome, BlockError> {
        let Self { mut block, mut commit_data } = self;
        if count < commit_data.len() {
            commit_data.truncate(count);
            block.recount(&commit_data);
        }
        for data in commit_data {
            block.apply(data)?;
        }
        Ok(SessionOutcome::of_undelivered(block.close(undelivered, end, pool)?))
    }
}

/// Commits results to a ledger.
pub(super) struct Committer<R> {
    /// `None` once the block is closed.
    pub(super) ledger: Option<Ledger<R>>,
    pub(super) transactions: Arc<TransactionList<'static>>,
    pub(super) delivery: Arc<Delivery>,
    pub(super) on_invalid: OnInvalid,
    pub(super) on_result: Option<OnResult>,
}

impl<R: StateReader> Committer<R> {
    /// Gives a transaction its turn. A break is the end, with the reason if it is new.
    fn turn(&mut self, index: usize, attempt: Result<Attempt, FatalError>) -> ControlFlow<Option<Ended>> {
        let (Some(ledger), Some(transaction)) = (&mut self.ledger, self.transactions.at(index)) else {
            return ControlFlow::Break(None);
        };
        if self.delivery.lock().end.is_some() {
            return ControlFlow::Break(None);
        }
        let hash = transaction.hash;
        let failed = |failure| ControlFlow::Break(Some(Err(BlockError::transaction(index, hash, failure))));
        let attempt = match attempt {
            Ok(attempt) => attempt,
            Err(failure) => return failed(failure),
        };
        let (outcome, data) = match ledger.block.reserve(attempt) {
            Ok(weighed) => weighed,
            Err(reason) => {
                return ControlFlow::Break(Some(Ok(BlockEnd::Full { index, hash, reason })));
            }
        };
        let is_last = outcome.execution().is_none() && self.on_invalid == OnInvalid::Stop;
        let end = is_last.then_some(BlockEnd::Invalid { index });
        ledger.commit_data.push(*data);
        let weights = ledger.block.weights();
        let Some(on_result) = &mut self.on_result else {
            return if self.delivery.commit(weights, Some(*outcome), end) && !is_last {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(None)
            };
        };
        if !self.delivery.commit(weights, None, None) {
            return ControlFlow::Break(None);
        }
        let told = caught(|| {
            on_result(index, *outcome);
            Ok::<(), FatalError>(())
        });
        if let Err(failure) = told {
            return failed(failure);
        }
        self.delivery.told(end);
        if is_last { ControlFlow::Break(None) } else { ControlFlow::Continue(()) }
    }
}

impl<R: StateReader + Send + Sync> Sink<BlockTask<'static, R>> for Committer<R> {
    fn take(&mut self, index: usize, body: Body) -> ControlFlow<()> {
        self.turn(index, body.into_attempt()).map_break(|end| {
            if let Some(end) = end {
                self.delivery.end(end);
            }
        })
    }
}

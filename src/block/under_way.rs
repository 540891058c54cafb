//! A block under way: the state that it stands on, and the one place where transactions become part of it.
//!
//! In: attempts, strictly in block order, each made over the state that this block has then. Out: outcomes, and in the end the
//! block's. Whether attempts were made one after another or many at once is not known here.

use super::ahead;
use super::attempt::{Attempt, Refusal};
use super::capacity::{BlockFull, BlockUsage, Capacity, Usage, Weights};
use super::close::{self, close, leave_open};
use super::open::{OldBlock, open};
use super::outcome::{BlockEnd, BlockError, BlockOutcome, TransactionOutcome, TransactionResult};
use crate::protocol::BlockEnv;
use crate::state::{BlockState, InitialReads, JournalClasses, StateDiff, StateReader};
use crate::transaction::Transaction;

/// How a block is opened and closed.
#[derive(Clone, Debug, Default)]
pub(super) struct BlockOptions {
    /// Where the hash of the block ten before comes from.
    pub(super) old_block: OldBlock,
    /// How much the block holds.
    pub(super) capacity: Capacity,
    /// Whether the block stays open when its transactions are done.
    pub(super) stays_open: bool,
    /// Whether closing collects what a prover needs.
    pub(super) collects_prover_reads: bool,
}

/// A block whose opening is done and whose end is not.
pub(super) struct OpenBlock<R> {
    env: BlockEnv,
    options: BlockOptions,
    state: BlockState<R>,
    usage: Usage,
}

/// What became of an attempt.
pub(super) enum Commit {
    /// The transaction had its turn: it is in the block, or rejected.
    Done(Box<TransactionOutcome>),
    /// The block has no room for it, and does not show that it was tried.
    Full(Box<BlockFull>),
}

impl<R: StateReader> OpenBlock<R> {
    /// Opens a block (C202).
    pub(super) fn open(env: &BlockEnv, reader: R, options: BlockOptions) -> Result<Self, BlockError> {
        let mut state = BlockState::new(reader);
        open(env, options.old_block, &mut state)?;
        let usage = Usage::new(options.capacity.clone());
        Ok(Self { env: env.clone(), options, state, usage })
    }

    /// What the next transaction sees.
    pub(super) fn state(&self) -> &BlockState<R> {
        &self.state
    }

    /// Makes the next transaction part of the block, if it is valid and there is room for it.
    pub(super) fn commit(
        &mut self,
        transaction: &Transaction,
        attempt: Attempt,
    ) -> Result<Commit, BlockError> {
        let Attempt { result, load, state_diff, parts } = attempt;
        let outcome = |result, weights, state_diff| {
            Commit::Done(Box::new(TransactionOutcome {
                hash: transaction.hash,
                kind: transaction.kind(),
                result,
                weights,
                state_diff,
            }))
        };
        let refused = match result {
            Ok(execution) => match self.usage.try_add(&load, &self.env.constants.gas) {
                Ok(weights) => {
                    self.state.commit(parts)?;
                    let result = TransactionResult::Executed(execution);
                    return Ok(outcome(result, weights, state_diff));
                }
                Err(full) => return Ok(Commit::Full(full)),
            },
            Err(Refusal::Invalid(error)) => TransactionResult::Invalid(error),
            Err(Refusal::TooLarge(error)) => TransactionResult::TooLarge(error),
        };
        let (_, reads, classes) = parts;
        self.absorb(reads, classes);
        Ok(outcome(refused, Weights::ZERO, StateDiff::default()))
    }

    /// The writes of a rejected transaction are dropped; what it read was still read (C238).
    fn absorb(&mut self, reads: InitialReads, classes: JournalClasses) {
        self.state.absorb_reads(reads);
        self.state.absorb_classes(classes.loaded);
    }

    /// Loads what closing will read, on many threads. Changes no result.
    pub(super) fn load_ahead(&mut self, pool: &rayon::ThreadPool)
    where
        R: Sync,
    {
        if !self.options.stays_open {
            let cells = close::cells(&self.state, &self.env, self.options.collects_prover_reads);
            let values = ahead::load(&cells, self.state.reader(), pool);
            self.state.keep_ahead(values);
        }
    }

    /// Ends the block. Takes it: no block is closed twice.
    pub(super) fn close(
        self,
        transactions: Vec<TransactionOutcome>,
        end: BlockEnd,
    ) -> Result<BlockOutcome, BlockError> {
        let usage: BlockUsage = self.usage.summary();
        let closing = if self.options.stays_open {
            leave_open(self.state)
        } else {
            let collects = self.options.collects_prover_reads;
            close(self.state, &self.env, self.usage.migrations(), collects)?
        };
        Ok(BlockOutcome {
            transactions,
            end,
            usage,
            state_diff: closing.state_diff,
            compressed_state_diff: closing.compressed_state_diff,
            initial_reads: closing.initial_reads,
            prover_reads: closing.prover_reads,
        })
    }
}

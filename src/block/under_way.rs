//! A block under way: the state that it stands on, and the one place where transactions become part of it.
//!
//! In: attempts, strictly in block order, each made over the state that this block has then. Out: outcomes, and in the end the
//! block's diff. Whether attempts were made one after another or many at once is not known here.

use super::attempt::Attempt;
use super::open::{OldBlock, open};
use super::outcome::{BlockError, BlockOutcome, TransactionOutcome, TransactionResult};
use crate::protocol::BlockEnv;
use crate::state::{BlockState, StateReader};
use crate::transaction::Transaction;

/// A block whose opening is done and whose end is not.
pub(super) struct OpenBlock<R> {
    state: BlockState<R>,
}

impl<R: StateReader> OpenBlock<R> {
    /// Opens a block (C202).
    pub(super) fn open(env: &BlockEnv, reader: R, old_block: OldBlock) -> Result<Self, BlockError> {
        let mut state = BlockState::new(reader);
        open(env, old_block, &mut state)?;
        Ok(Self { state })
    }

    /// What the next transaction sees.
    pub(super) fn state(&self) -> &BlockState<R> {
        &self.state
    }

    /// Makes the next transaction part of the block.
    pub(super) fn commit(
        &mut self,
        transaction: &Transaction,
        attempt: Attempt,
    ) -> Result<TransactionOutcome, BlockError> {
        let result = match attempt.result {
            Ok(execution) => {
                self.state.commit(attempt.parts)?;
                TransactionResult::Executed(execution)
            }
            Err(error) => {
                // Its writes are dropped; what it read was still read (C238).
                let (_, reads, classes) = attempt.parts;
                self.state.absorb_reads(reads);
                self.state.absorb_classes(classes.loaded);
                TransactionResult::Invalid(error)
            }
        };
        Ok(TransactionOutcome {
            hash: transaction.hash,
            kind: transaction.kind(),
            result,
            state_diff: attempt.state_diff,
        })
    }

    /// Ends the block.
    pub(super) fn close(self, transactions: Vec<TransactionOutcome>) -> BlockOutcome {
        BlockOutcome {
            transactions,
            state_diff: self.state.diff(),
            initial_reads: self.state.initial_reads(),
        }
    }
}

//! What executing a block gives.

use serde::{Deserialize, Serialize};
use starknet_api::block::BlockNumber;
use starknet_api::transaction::TransactionHash;

use super::pool::PoolError;
use crate::protocol::TransactionKind;
use crate::state::{InitialReads, StateDiff, StateError};
use crate::transaction::{Execution, ExecutionFailure, InvalidTransaction};

/// An executed block.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockOutcome {
    /// One for each transaction, in order; shorter than the input when the block stopped at an invalid one.
    pub transactions: Vec<TransactionOutcome>,
    /// What the block changed, the opening included, against the state before it.
    pub state_diff: StateDiff,
    /// Every cell that the block read, with its value before the block; reads of invalid transactions included.
    pub initial_reads: InitialReads,
}

/// What became of one transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactionOutcome {
    /// Its hash.
    pub hash: TransactionHash,
    /// Its kind.
    pub kind: TransactionKind,
    /// Whether it is in the block.
    pub result: TransactionResult,
    /// What it changed against the state before it; nothing when it is invalid.
    pub state_diff: StateDiff,
}

/// Whether a transaction is in the block.
#[derive(Clone, Debug, PartialEq)]
pub enum TransactionResult {
    /// It is, succeeded or reverted.
    Executed(Box<Execution>),
    /// It is not.
    Invalid(Box<InvalidTransaction>),
}

impl TransactionOutcome {
    /// Its execution, unless it is invalid.
    pub fn execution(&self) -> Option<&Execution> {
        match &self.result {
            TransactionResult::Executed(execution) => Some(execution),
            TransactionResult::Invalid(_) => None,
        }
    }

    /// How it ended.
    pub fn status(&self) -> TransactionStatus {
        match &self.result {
            TransactionResult::Executed(execution) if execution.is_reverted() => TransactionStatus::Reverted,
            TransactionResult::Executed(_) => TransactionStatus::Succeeded,
            TransactionResult::Invalid(_) => TransactionStatus::Invalid,
        }
    }
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionStatus {
    /// In the block, succeeded.
    Succeeded,
    /// In the block, reverted.
    Reverted,
    /// Not in the block.
    Invalid,
}

/// Why a block could not be executed. Nothing of it is to be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// From block 10 on the hash of the block ten before is part of the state.
    #[error(
        "Block {number} needs the hash of block {old_number}: give it, or say that the state has it already."
    )]
    OldBlockHashMissing {
        /// The block.
        number: BlockNumber,
        /// The block ten before it.
        old_number: BlockNumber,
    },
    /// Blocks 0 to 9 have no block ten before them.
    #[error("Block {number} has no block ten before it, but the hash of one was given.")]
    OldBlockHashUnexpected {
        /// The block.
        number: BlockNumber,
    },
    /// There are no threads for parallel execution.
    #[error("{0}")]
    Pool(PoolError),
    /// The host's reader failed while the block was opened or a transaction committed.
    #[error("{0}")]
    State(Box<StateError>),
    /// A call from outside could not be carried out to any of its proper ends.
    #[error("The call: {0}")]
    Call(Box<ExecutionFailure>),
    /// A transaction could not be executed to any of its proper ends.
    #[error("Transaction {index} ({:#066x}): {failure}", .hash.0)]
    Transaction {
        /// Its place in the block, from 0.
        index: usize,
        /// Its hash.
        hash: TransactionHash,
        /// Why.
        failure: Box<ExecutionFailure>,
    },
}

impl From<StateError> for BlockError {
    fn from(error: StateError) -> Self {
        Self::State(Box::new(error))
    }
}

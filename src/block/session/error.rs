//! What a session refuses.

use starknet_api::transaction::TransactionHash;

use super::super::outcome::{BlockEnd, BlockError};

/// Why transactions were not taken. None of the batch was.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// One with the same hash was submitted before, or is in the batch twice. A block cannot contain it twice.
    #[error("Transaction {:#066x} was submitted already, as number {index}.", .hash.0)]
    Duplicate {
        /// Its hash.
        hash: TransactionHash,
        /// The place of the first one, from 0.
        index: usize,
    },
    /// The session was told that there would be no more.
    #[error("The session was told that there would be no more transactions.")]
    InputEnded,
    /// The block has come to its end.
    #[error("The block has ended: {0}.")]
    Ended(Box<BlockEnd>),
    /// The block cannot go on.
    #[error("The block cannot go on: {0}")]
    Failed(Box<BlockError>),
}

/// Why a session did not become a block.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError {
    /// The block was to have more transactions than there are.
    #[error("The block was to have {wanted} transactions, and has {there}.")]
    TooFew {
        /// How many it was to have.
        wanted: usize,
        /// How many had their turn, or were submitted if that is not enough either.
        there: usize,
        /// Why there are no more; `None` when no more were submitted.
        end: Option<Box<BlockEnd>>,
    },
    /// The block cannot go on, or could not be closed.
    #[error(transparent)]
    Block(BlockError),
}

impl From<BlockError> for CloseError {
    fn from(error: BlockError) -> Self {
        Self::Block(error)
    }
}

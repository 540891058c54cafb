//! What a session refuses.

use starknet_api::transaction::TransactionHash;

use super::super::error::BlockError;
use super::super::outcome::BlockEnd;

/// Why transactions were not taken. None of the batch was.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// One with the same hash was submitted before, or is in the batch twice. A block cannot contain it twice.
    #[error("transaction {:#066x} was submitted before, with index {index}", .hash.0)]
    Duplicate {
        /// Its hash.
        hash: TransactionHash,
        /// The place of the first one, from 0.
        index: usize,
    },
    /// The session was told that there would be no more.
    #[error("the session's input has ended")]
    InputEnded,
    /// The block has come to its end.
    #[error("the block has ended: {0}")]
    Ended(Box<BlockEnd>),
    /// The block cannot go on.
    #[error("the block has failed")]
    Failed(#[source] Box<BlockError>),
}

/// Why a session did not become a block.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError {
    /// The block was to have more transactions than there are.
    #[error("cannot close after {wanted} transactions: only {there} {}", if .end.is_some() { "are committed" } else { "were submitted" })]
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

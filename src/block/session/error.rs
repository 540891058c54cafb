//! The errors of a session: refused submissions, and blocks that cannot be closed.

use starknet_api::transaction::TransactionHash;

use super::super::error::BlockError;
use super::super::outcome::BlockEnd;

/// The reason for which a batch of transactions was refused. None of the batch was added.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// A transaction with the same hash was submitted before, or is in the batch twice. A block contains each
    /// once.
    #[error("transaction {:#066x} was submitted before, with index {index}", .hash.0)]
    Duplicate {
        /// The hash of the transaction.
        hash: TransactionHash,
        /// The index of the first transaction with this hash, from 0.
        index: usize,
    },
    /// The input was ended: see [`BlockSession::end_input`](super::BlockSession::end_input).
    #[error("the session's input has ended")]
    InputEnded,
    /// The block has ended.
    #[error("the block has ended: {0}")]
    Ended(Box<BlockEnd>),
    /// The block has failed.
    #[error("the block has failed")]
    Failed(#[source] Box<BlockError>),
}

/// The reason for which a session could not be closed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError {
    /// The block has fewer transactions than it should be closed after.
    #[error("cannot close after {wanted} transactions: only {there} {}", if .end.is_some() { "are committed" } else { "were submitted" })]
    TooFew {
        /// The number of transactions after which the block should be closed.
        wanted: usize,
        /// The number of processed transactions; of submitted ones if `end` is `None`.
        there: usize,
        /// The end of the block that came before; `None` if too few transactions were submitted.
        end: Option<Box<BlockEnd>>,
    },
    /// The block has failed, before or while it was closed.
    #[error(transparent)]
    Block(BlockError),
}

impl From<BlockError> for CloseError {
    fn from(error: BlockError) -> Self {
        Self::Block(error)
    }
}

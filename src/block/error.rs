//! The error of a block: execution stopped without an outcome.
//!
//! Input: failures of the host's reader, of the protocol's preconditions, of this crate. Output:
//! [`BlockError`], which says where the failure happened and whose [`source`](std::error::Error::source)
//! chain ends at the host's own error.

use starknet_api::block::BlockNumber;
use starknet_api::state::StorageKey;
use starknet_api::transaction::TransactionHash;

use crate::state::StateError;
use crate::transaction::FatalError;

/// The reason why a block could not be executed. The block has no outcome; results that were delivered before
/// are not part of a block.
///
/// Each level of the chain of [`source`](std::error::Error::source)s prints only its own part. The error of
/// the host's reader is part of the chain and can be downcast to its own type.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// The hash of block N-10 is missing. From block 10 on it is part of the state.
    #[error(
        "block {number} needs the hash of block {source_number}: set a block hash source, or `InState` if the state holds it"
    )]
    BlockHashMissing {
        /// The number of the block.
        number: BlockNumber,
        /// The number of the block whose hash is needed.
        source_number: BlockNumber,
    },
    /// A block hash was given to one of the blocks 0 to 9, which have no block N-10.
    #[error("block {number} has no block N-10, but a hash of it was given")]
    BlockHashUnexpected {
        /// The number of the block.
        number: BlockNumber,
    },
    /// The alias contract has no alias for a key that the block changed, though closing the block allocates
    /// one. A bug of this crate, or a damaged state.
    #[error("internal error: the alias contract has no alias for {:#x}", ***.key)]
    NoAlias {
        /// The address or storage key.
        key: StorageKey,
    },
    /// The session's block was closed before. A bug of this crate: closing consumes the session.
    #[error("internal error: the block was closed twice")]
    Closed,
    /// The host's reader failed while the block was opened or closed, or while a transaction was committed.
    #[error(transparent)]
    State(Box<StateError>),
    /// A call on the state of the block could not be executed.
    #[error("cannot execute the call")]
    Call(#[source] Box<FatalError>),
    /// A transaction could not be executed: the host's reader failed, or this crate. It is neither invalid
    /// nor reverted.
    #[error("cannot execute transaction {index} ({:#066x})", .hash.0)]
    Transaction {
        /// The transaction's index in the block, from 0.
        index: usize,
        /// The transaction's hash.
        hash: TransactionHash,
        /// The failure.
        #[source]
        failure: Box<FatalError>,
    },
}

impl BlockError {
    /// Creates the error of a transaction.
    pub(super) fn transaction(index: usize, hash: TransactionHash, failure: FatalError) -> Self {
        Self::Transaction { index, hash, failure: Box::new(failure) }
    }
}

impl From<StateError> for BlockError {
    fn from(error: StateError) -> Self {
        Self::State(Box::new(error))
    }
}

//! The commit decision: the fate of the next transaction in block order, given its attempt.
//!
//! Input: the block in progress, an attempt. Output: a [`Decision`]. Sequential execution, parallel execution
//! and sessions all decide here; they differ in when they apply the changes and in how they deliver the
//! outcome.

use starknet_api::transaction::TransactionHash;

use super::attempt::{Attempt, CommitData};
use super::error::BlockError;
use super::open_block::OpenBlock;
use super::options::OnInvalid;
use super::outcome::{BlockEnd, TransactionOutcome};
use crate::state::StateReader;
use crate::transaction::FatalError;

/// The fate of the next transaction.
pub(super) enum Decision {
    /// The transaction is committed, or rejected and reported.
    Processed {
        /// The outcome for the host.
        outcome: Box<TransactionOutcome>,
        /// The changes and reads that [`OpenBlock::apply`] takes.
        data: Box<CommitData>,
        /// The end of the block, if it ends after this transaction.
        end: Option<BlockEnd>,
    },
    /// The block ends before the transaction, or its execution failed.
    Ended(Result<BlockEnd, BlockError>),
}

/// Decides about the next transaction and reserves its share of the block's capacity.
pub(super) fn decide<R: StateReader>(
    block: &mut OpenBlock<R>,
    index: usize,
    hash: TransactionHash,
    attempt: Result<Attempt, FatalError>,
    on_invalid: OnInvalid,
) -> Decision {
    let attempt = match attempt {
        Ok(attempt) => attempt,
        Err(failure) => return Decision::Ended(Err(BlockError::transaction(index, hash, failure))),
    };
    match block.reserve(attempt) {
        Ok((outcome, data)) => {
            let is_last = outcome.execution().is_none() && on_invalid == OnInvalid::Stop;
            Decision::Processed { outcome, data, end: is_last.then_some(BlockEnd::Invalid { index }) }
        }
        Err(reason) => Decision::Ended(Ok(BlockEnd::Full { index, hash, reason })),
    }
}

//! Opening a block: the hash of block N-10 becomes readable.
//!
//! Input: the block environment, the source of the hash, the state. Output: a write to the block-hash
//! contract.

use serde::{Deserialize, Serialize};
use starknet_api::block::{BlockHash, BlockNumber};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::super::BlockError;
use crate::protocol::{BlockEnv, well_known};
use crate::state::{BlockState, Journal, StateReader};

/// The source of the hash of block N-10, which becomes readable when block N is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockHashSource {
    /// No hash. Valid for blocks 0 to 9 only.
    #[default]
    None,
    /// The hash. It is written to the block-hash contract before the first transaction
    /// ([C202](crate::rules#c202)).
    Hash(BlockHash),
    /// The host's state, which contains the hash already: for example when transactions are simulated on an
    /// open block.
    InState,
}

/// Writes the hash of block N-10. Idempotent.
pub(super) fn pre_process<R: StateReader>(
    env: &BlockEnv,
    block_hash_source: BlockHashSource,
    state: &mut BlockState<R>,
) -> Result<(), BlockError> {
    let number = env.block.number;
    let source_number = number.0.checked_sub(well_known::STORED_BLOCK_HASH_BUFFER).map(BlockNumber);
    let (source_number, hash) = match (source_number, block_hash_source) {
        (_, BlockHashSource::InState) | (None, BlockHashSource::None) => return Ok(()),
        (Some(source_number), BlockHashSource::Hash(hash)) => (source_number, hash),
        (Some(source_number), BlockHashSource::None) => {
            return Err(BlockError::BlockHashMissing { number, source_number });
        }
        (None, BlockHashSource::Hash(_)) => return Err(BlockError::BlockHashUnexpected { number }),
    };
    let key = StorageKey::try_from(Felt::from(source_number.0))
        .map_err(|_| BlockError::BlockHashUnexpected { number })?;
    let parts = {
        let mut journal = Journal::new(&*state);
        journal.set_storage(well_known::BLOCK_HASH_CONTRACT, key, hash.0)?;
        journal.into_parts()
    };
    Ok(state.commit(parts)?)
}

//! Opening a block: the hash of the block ten before it becomes readable.

use serde::{Deserialize, Serialize};
use starknet_api::block::{BlockHash, BlockNumber};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::BlockError;
use crate::protocol::{BlockEnv, names};
use crate::state::{BlockState, Journal, StateReader};

/// Where the hash of the block ten before this one comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OldBlock {
    /// There is none: only blocks 0 to 9 may say so.
    #[default]
    None,
    /// This is its hash. It is written to the block-hash contract before the first transaction (C202).
    Hash(BlockHash),
    /// The host's state has it already, as when transactions are simulated on top of an opened block.
    InState,
}

/// Makes the old block's hash readable. Doing it twice changes nothing.
pub(super) fn open<R: StateReader>(
    env: &BlockEnv,
    old_block: OldBlock,
    state: &mut BlockState<R>,
) -> Result<(), BlockError> {
    let number = env.block.number;
    let old_number = number.0.checked_sub(names::STORED_BLOCK_HASH_BUFFER).map(BlockNumber);
    let (old_number, hash) = match (old_number, old_block) {
        (_, OldBlock::InState) | (None, OldBlock::None) => return Ok(()),
        (Some(old_number), OldBlock::Hash(hash)) => (old_number, hash),
        (Some(old_number), OldBlock::None) => {
            return Err(BlockError::OldBlockHashMissing { number, old_number });
        }
        (None, OldBlock::Hash(_)) => return Err(BlockError::OldBlockHashUnexpected { number }),
    };
    let key = StorageKey::try_from(Felt::from(old_number.0))
        .map_err(|_| BlockError::OldBlockHashUnexpected { number })?;
    let parts = {
        let mut journal = Journal::new(&*state);
        journal.set_storage(names::BLOCK_HASH_CONTRACT, key, hash.0)?;
        journal.into_parts()
    };
    Ok(state.commit(parts)?)
}

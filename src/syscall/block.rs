//! Blocks: the hash of an old one.

use starknet_api::block::BlockHash;
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::fault::ExecutionMode;
use super::memory::Memory;
use super::request::GetBlockHash;
use super::{Effect, Outcome, Scope};
use crate::protocol::names;

/// `get_block_hash`: of a block that is at least ten blocks old, by the real number of the current block even while
/// validating (C115). Validation that asks for a younger one is rejected: it could otherwise tell the gateway from the sequencer.
pub(super) fn block_hash(
    request: GetBlockHash,
    scope: &mut Scope<'_, '_>,
    _: &mut dyn Memory,
) -> Outcome<Felt> {
    let GetBlockHash(number) = request;
    let youngest = scope.env.block.number.0.checked_sub(names::STORED_BLOCK_HASH_BUFFER);
    if youngest.is_none_or(|youngest| number.0 > youngest) {
        if scope.mode == ExecutionMode::Validate {
            scope.reject_in_validate("get_block_hash on recent blocks")?;
        }
        return Ok(Effect::Fail(vec![names::BLOCK_NUMBER_OUT_OF_RANGE]));
    }

    scope.record.accesses.blocks.insert(number);
    let key = StorageKey::try_from(Felt::from(number.0))?;
    let hash = scope.state.storage_at(names::BLOCK_HASH_CONTRACT, key)?;
    scope.record.accesses.block_hash_values.push(BlockHash(hash));
    Ok(Effect::Respond(hash))
}

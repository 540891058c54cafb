//! Blocks: the hash of an old one, and what Cairo 0 asks of the current one.

use starknet_api::block::BlockHash;
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::fault::ExecutionMode;
use super::memory::SyscallMemory;
use super::request::{GetBlockHash, Nothing};
use super::{Effect, Outcome, SyscallContext};
use crate::protocol::well_known;

/// `get_block_hash`: of a block that is at least ten blocks old, by the real number of the current block even while
/// validating (C115). Validation that asks for a younger one is rejected: it could otherwise tell the gateway from the sequencer.
pub(super) fn block_hash(
    request: GetBlockHash,
    scope: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    let GetBlockHash(number) = request;
    let youngest = scope.env.block.number.0.checked_sub(well_known::STORED_BLOCK_HASH_BUFFER);
    if youngest.is_none_or(|youngest| number.0 > youngest) {
        if scope.mode == ExecutionMode::Validate {
            scope.reject_in_validate("get_block_hash on recent blocks")?;
        }
        return Ok(Effect::Fail(vec![well_known::BLOCK_NUMBER_OUT_OF_RANGE]));
    }

    scope.record.accesses.blocks.insert(number);
    let key = StorageKey::try_from(Felt::from(number.0))?;
    let hash = scope.state.storage_at(well_known::BLOCK_HASH_CONTRACT, key)?;
    scope.record.accesses.block_hash_values.push(BlockHash(hash));
    Ok(Effect::Respond(hash))
}

/// `get_block_number`: rounded down while validating (C136).
pub(super) fn block_number(
    _: Nothing,
    scope: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    let number = match scope.mode {
        ExecutionMode::Execute => scope.env.block.number,
        ExecutionMode::Validate => scope.env.block_for_validate().number,
    };
    Ok(Effect::Respond(Felt::from(number.0)))
}

/// `get_block_timestamp`: rounded down while validating (C136).
pub(super) fn block_timestamp(
    _: Nothing,
    scope: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    let timestamp = match scope.mode {
        ExecutionMode::Execute => scope.env.block.timestamp,
        ExecutionMode::Validate => scope.env.block_for_validate().timestamp,
    };
    Ok(Effect::Respond(Felt::from(timestamp.0)))
}

/// `get_sequencer_address`: not while validating (C136).
pub(super) fn sequencer_address(
    _: Nothing,
    scope: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    scope.reject_in_validate("get_sequencer_address")?;
    Ok(Effect::Respond(*scope.env.block.sequencer.0.key()))
}

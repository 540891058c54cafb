//! The syscalls for block information: hashes of old blocks, and number, timestamp and sequencer of the
//! current block.
//!
//! Input: the block environment, and the block hashes in state. Output: responses.

use starknet_api::block::BlockHash;
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::context::SyscallContext;
use super::effect::{Effect, Outcome};
use super::fault::ExecutionMode;
use super::memory::SyscallMemory;
use super::request::{GetBlockHash, Nothing};
use crate::protocol::well_known;

/// `get_block_hash`, for blocks that are at least ten blocks old, counted from the exact number of the
/// current block even during validation (C115). A request for a more recent block is rejected during
/// validation: its result would differ between the gateway and the sequencer.
pub(super) fn block_hash(
    request: GetBlockHash,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    let GetBlockHash(number) = request;
    let newest = context.env.block.number.0.checked_sub(well_known::STORED_BLOCK_HASH_BUFFER);
    if newest.is_none_or(|newest| number.0 > newest) {
        context.reject_in_validate("get_block_hash on recent blocks")?;
        return Ok(Effect::Fail(vec![well_known::BLOCK_NUMBER_OUT_OF_RANGE]));
    }

    context.record.accesses.blocks.insert(number);
    let key = StorageKey::try_from(Felt::from(number.0))?;
    let hash = context.state.storage_at(well_known::BLOCK_HASH_CONTRACT, key)?;
    context.record.accesses.block_hash_values.push(BlockHash(hash));
    Ok(Effect::Respond(hash))
}

/// `get_block_number`, rounded down during validation (C136).
pub(super) fn block_number(
    _: Nothing,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    let number = match context.mode {
        ExecutionMode::Execute => context.env.block.number,
        ExecutionMode::Validate => context.env.block_for_validate().number,
    };
    Ok(Effect::Respond(Felt::from(number.0)))
}

/// `get_block_timestamp`, rounded down during validation (C136).
pub(super) fn block_timestamp(
    _: Nothing,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    let timestamp = match context.mode {
        ExecutionMode::Execute => context.env.block.timestamp,
        ExecutionMode::Validate => context.env.block_for_validate().timestamp,
    };
    Ok(Effect::Respond(Felt::from(timestamp.0)))
}

/// `get_sequencer_address`, not allowed during validation (C136).
pub(super) fn sequencer_address(
    _: Nothing,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    context.reject_in_validate("get_sequencer_address")?;
    Ok(Effect::Respond(*context.env.block.sequencer.0.key()))
}

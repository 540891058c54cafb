//! The storage syscalls.
//!
//! Input: a key, or a key and a value. Output: the value, or a write to the journal.

use starknet_types_core::felt::Felt;

use super::context::SyscallContext;
use super::effect::{Effect, Outcome};
use super::memory::SyscallMemory;
use super::request::{Nothing, StorageRead, StorageWrite};

/// `storage_read`.
pub(super) fn storage_read(
    request: StorageRead,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    let StorageRead(key) = request;
    context.record.accesses.storage_keys.insert(key);
    let value = context.state.storage_at(context.call.storage_address, key)?;
    context.record.accesses.read_values.push(value);
    Ok(Effect::Respond(value))
}

/// `storage_write`. The journal reads the old value for its undo log; that read is part of the initial reads,
/// not of the frame's accesses (C100).
pub(super) fn storage_write(
    request: StorageWrite,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Nothing> {
    let StorageWrite { key, value } = request;
    context.record.accesses.storage_keys.insert(key);
    context.state.set_storage(context.call.storage_address, key, value)?;
    Ok(Effect::Respond(Nothing))
}

//! Storage: reading and writing a cell of the contract.

use starknet_types_core::felt::Felt;

use super::memory::SyscallMemory;
use super::request::{Nothing, StorageRead, StorageWrite};
use super::{Effect, Outcome, SyscallContext};

/// `storage_read`.
pub(super) fn storage_read(
    request: StorageRead,
    scope: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    let StorageRead(key) = request;
    scope.record.accesses.storage_keys.insert(key);
    let value = scope.state.storage_at(scope.call.storage_address, key)?;
    scope.record.accesses.read_values.push(value);
    Ok(Effect::Respond(value))
}

/// `storage_write`. The journal reads the old value for its undo log; that read counts for the witness, not for the frame (C100).
pub(super) fn storage_write(
    request: StorageWrite,
    scope: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Nothing> {
    let StorageWrite { key, value } = request;
    scope.record.accesses.storage_keys.insert(key);
    scope.state.set_storage(scope.call.storage_address, key, value)?;
    Ok(Effect::Respond(Nothing))
}

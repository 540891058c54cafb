//! Classes of contracts: asking for one, replacing one's own.

use starknet_types_core::felt::Felt;

use super::fault::SyscallFault;
use super::memory::SyscallMemory;
use super::record::Language;
use super::request::{GetClassHashAt, Nothing, ReplaceClass};
use super::{Effect, Outcome, SyscallContext};

/// `get_class_hash_at`: 0 for an address without a contract (C117).
pub(super) fn class_hash_at(
    request: GetClassHashAt,
    scope: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    let GetClassHashAt(address) = request;
    scope.reject_in_validate("get_class_hash_at")?;
    scope.record.accesses.contract_addresses.insert(address);
    let class_hash = scope.state.class_hash_at(address)?;
    scope.record.accesses.class_hash_values.push(class_hash);
    Ok(Effect::Respond(class_hash.0))
}

/// `replace_class`: the new class must be declared, and a Cairo 1 contract stays one (C127). The running frame keeps its code
/// (C240).
pub(super) fn replace_class(
    request: ReplaceClass,
    scope: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Nothing> {
    let ReplaceClass(class_hash) = request;
    let is_cairo1 = scope.state.class(class_hash)?.is_cairo1();
    if scope.language == Language::Cairo1 && !is_cairo1 {
        return Err(SyscallFault::ForbiddenClassReplacement(class_hash));
    }
    scope.state.set_class_hash(scope.call.storage_address, class_hash)?;
    Ok(Effect::Respond(Nothing))
}

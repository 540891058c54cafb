//! The syscalls for the classes of contracts.
//!
//! Input: an address, or a class hash. Output: the class hash of the address, or the replaced class of the
//! running contract.

use starknet_types_core::felt::Felt;

use super::codec::Language;
use super::context::SyscallContext;
use super::effect::{Effect, Outcome};
use super::fault::SyscallFault;
use super::memory::SyscallMemory;
use super::request::{GetClassHashAt, Nothing, ReplaceClass};

/// `get_class_hash_at`, 0 for an address without a contract (C117).
pub(super) fn class_hash_at(
    request: GetClassHashAt,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    let GetClassHashAt(address) = request;
    context.reject_in_validate("get_class_hash_at")?;
    context.record.accesses.contract_addresses.insert(address);
    let class_hash = context.state.class_hash_at(address)?;
    context.record.accesses.class_hash_values.push(class_hash);
    Ok(Effect::Respond(class_hash.0))
}

/// `replace_class`. The new class must be declared, and a Cairo 1 contract cannot get a Cairo 0 class (C127).
/// The running frame keeps its code (C240).
pub(super) fn replace_class(
    request: ReplaceClass,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Nothing> {
    let ReplaceClass(class_hash) = request;
    let is_cairo1 = context.state.class(class_hash)?.is_cairo1();
    if context.language == Language::Cairo1 && !is_cairo1 {
        return Err(SyscallFault::ForbiddenClassReplacement(class_hash));
    }
    context.state.set_class_hash(context.call.storage_address, class_hash)?;
    Ok(Effect::Respond(Nothing))
}

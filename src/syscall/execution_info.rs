//! What code may know of where it runs: `get_execution_info`, one layout for all its versions, of which older ones read a prefix
//! (C118); and the syscalls that Cairo 0 has instead.

use std::collections::BTreeSet;

use starknet_api::core::ClassHash;
use starknet_api::transaction::TransactionVersion;
use starknet_api::transaction::fields::{ResourceBounds, ValidResourceBounds};
use starknet_types_core::felt::Felt;

use super::fault::{ExecutionMode, SyscallFault};
use super::memory::{Pointer, SyscallMemory, Value};
use super::request::{Nothing, Stored};
use super::transaction_info::{BoundTerms, FeeTerms};
use super::{Effect, Outcome, SyscallContext};

/// Cells that came with version 3 transactions; zero for older ones (C120).
const BOUND_CELLS: usize = 11;

/// The names of the resources, as contracts see them.
const L1_GAS: Felt = Felt::from_hex_unchecked("0x4c315f474153");
const L2_GAS: Felt = Felt::from_hex_unchecked("0x4c325f474153");
const L1_DATA_GAS: Felt = Felt::from_hex_unchecked("0x4c315f44415441");

/// The longest text that is a felt, whatever it says.
const SHORT_STRING: usize = 31;

/// `get_execution_info`. Nothing in it changes while a frame runs, so each frame allocates it once (C119).
pub(super) fn execution_info(
    _: Nothing,
    scope: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Outcome<Pointer> {
    if let Some(pointer) = scope.record.handles.execution_info {
        return Ok(Effect::Respond(pointer));
    }
    // Segments are numbered in this order: block, signature, bounds and data, transaction, the whole.
    let block = allocate_block(scope, memory)?;
    let transaction = allocate_transaction(scope, memory)?;
    let info = memory.new_read_only_segment(&[
        block.into(),
        transaction.into(),
        Value::Felt(*scope.call.caller_address.0.key()),
        Value::Felt(*scope.call.storage_address.0.key()),
        Value::Felt(scope.call.selector.0),
    ])?;
    scope.record.handles.execution_info = Some(info);
    Ok(Effect::Respond(info))
}

fn allocate_block(
    scope: &SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Result<Pointer, SyscallFault> {
    let rounded;
    let block = match scope.mode {
        ExecutionMode::Execute => &*scope.env.block,
        ExecutionMode::Validate => {
            rounded = scope.env.block_for_validate();
            &rounded
        }
    };
    Ok(memory.new_read_only_segment(&[
        Value::Felt(Felt::from(block.number.0)),
        Value::Felt(Felt::from(block.timestamp.0)),
        Value::Felt(*block.sequencer.0.key()),
    ])?)
}

fn allocate_transaction(
    scope: &SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Result<Pointer, SyscallFault> {
    let info = scope.transaction;
    let (signature_start, signature_end) = allocate(memory, &info.signature.0)?;
    let listed = &scope.env.constants.lists.v1_bound_accounts_cairo1;
    let mut cells = vec![
        Value::Felt(reported_version(scope, listed).0),
        Value::Felt(*info.sender.0.key()),
        Value::Felt(max_fee(scope)),
        signature_start,
        signature_end,
        Value::Felt(info.hash.0),
        Value::Felt(chain_id(scope)?),
        Value::Felt(info.nonce.0),
    ];
    match &info.terms {
        FeeTerms::Bounds(terms) => push_bounds(scope, terms, memory, &mut cells)?,
        FeeTerms::MaxFee(_) => cells.extend([Value::Felt(Felt::ZERO); BOUND_CELLS]),
    }
    Ok(memory.new_read_only_segment(&cells)?)
}

fn push_bounds(
    scope: &SyscallContext<'_, '_>,
    terms: &BoundTerms,
    memory: &mut dyn SyscallMemory,
    cells: &mut Vec<Value>,
) -> Result<(), SyscallFault> {
    // Some accounts were written when there were two resources and would choke on a third (C122).
    let hide_data_gas = scope.transaction.version == TransactionVersion::THREE
        && is_listed(scope, &scope.env.constants.lists.data_gas_accounts);
    let (bounds_start, bounds_end) = allocate(memory, &bounds_as_felts(&terms.bounds, hide_data_gas))?;
    let (paymaster_start, paymaster_end) = allocate(memory, &terms.paymaster_data.0)?;
    let (deployment_start, deployment_end) = allocate(memory, &terms.account_deployment_data.0)?;
    let (proof_start, proof_end) = allocate(memory, &terms.proof_facts.0)?;
    cells.extend([
        bounds_start,
        bounds_end,
        Value::Felt(Felt::from(terms.tip.0)),
        paymaster_start,
        paymaster_end,
        Value::Felt(Felt::from(terms.nonce_data_availability)),
        Value::Felt(Felt::from(terms.fee_data_availability)),
        deployment_start,
        deployment_end,
        proof_start,
        proof_end,
    ]);
    Ok(())
}

/// Name, amount and price of each resource.
fn bounds_as_felts(bounds: &ValidResourceBounds, hide_data_gas: bool) -> Vec<Felt> {
    let felts = |name, bounds: &ResourceBounds| {
        [name, Felt::from(bounds.max_amount.0), Felt::from(bounds.max_price_per_unit.0)]
    };
    let mut all = Vec::with_capacity(9);
    all.extend(felts(L1_GAS, &bounds.get_l1_bounds()));
    all.extend(felts(L2_GAS, &bounds.get_l2_bounds()));
    if let ValidResourceBounds::AllResources(bounds) = bounds
        && !hide_data_gas
    {
        all.extend(felts(L1_DATA_GAS, &bounds.l1_data_gas));
    }
    all
}

/// The largest fee, which transactions with bounds do not have (C124).
fn max_fee(scope: &SyscallContext<'_, '_>) -> Felt {
    match &scope.transaction.terms {
        FeeTerms::MaxFee(fee) => Felt::from(fee.0),
        FeeTerms::Bounds(_) => Felt::ZERO,
    }
}

fn chain_id(scope: &SyscallContext<'_, '_>) -> Result<Felt, SyscallFault> {
    let id = &scope.env.chain.chain_id;
    let name = id.to_string();
    if name.len() <= SHORT_STRING {
        return Ok(Felt::from_bytes_be_slice(name.as_bytes()));
    }
    Felt::from_hex(&id.as_hex()).map_err(|error| SyscallFault::Value(error.to_string()))
}

/// The version that this class is shown: some accounts only know version 1 and are told so, if the tip is small (C121).
fn reported_version(scope: &SyscallContext<'_, '_>, listed: &BTreeSet<ClassHash>) -> TransactionVersion {
    let info = scope.transaction;
    if let FeeTerms::Bounds(terms) = &info.terms
        && info.version == TransactionVersion::THREE
        && terms.tip <= scope.env.constants.limits.v1_bound_max_tip
        && is_listed(scope, listed)
    {
        return info.sign_version(TransactionVersion::ONE);
    }
    info.signed_version()
}

/// Whether the class that asks is in one of the lists, which are short: it takes longer to tell the order of two hashes than
/// that they are different.
fn is_listed(scope: &SyscallContext<'_, '_>, listed: &BTreeSet<ClassHash>) -> bool {
    listed.iter().any(|class_hash| *class_hash == scope.call.class_hash)
}

/// `get_caller_address`.
pub(super) fn caller_address(
    _: Nothing,
    scope: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    Ok(Effect::Respond(*scope.call.caller_address.0.key()))
}

/// `get_contract_address`.
pub(super) fn contract_address(
    _: Nothing,
    scope: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    Ok(Effect::Respond(*scope.call.storage_address.0.key()))
}

/// `get_tx_signature`: allocated once per frame.
pub(super) fn signature(
    _: Nothing,
    scope: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Outcome<Stored> {
    let start = allocate_signature(scope, memory)?;
    Ok(Effect::Respond(Stored { count: scope.transaction.signature.0.len(), start }))
}

fn allocate_signature(
    scope: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Result<Pointer, SyscallFault> {
    if let Some(start) = scope.record.handles.signature {
        return Ok(start);
    }
    let values: Vec<Value> = scope.transaction.signature.0.iter().copied().map(Value::Felt).collect();
    let start = memory.new_read_only_segment(&values)?;
    scope.record.handles.signature = Some(start);
    Ok(start)
}

/// `get_tx_info`: eight cells, allocated once per frame, but anew each time for a class that is shown another version (C138).
pub(super) fn transaction_info(
    _: Nothing,
    scope: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Outcome<Pointer> {
    let version = reported_version(scope, &scope.env.constants.lists.v1_bound_accounts_cairo0);
    let is_real = version == scope.transaction.signed_version();
    if is_real && let Some(pointer) = scope.record.handles.transaction_info {
        return Ok(Effect::Respond(pointer));
    }
    let signature = allocate_signature(scope, memory)?;
    let info = scope.transaction;
    let pointer = memory.new_read_only_segment(&[
        Value::Felt(version.0),
        Value::Felt(*info.sender.0.key()),
        Value::Felt(max_fee(scope)),
        Value::Felt(Felt::from(info.signature.0.len())),
        signature.into(),
        Value::Felt(info.hash.0),
        Value::Felt(chain_id(scope)?),
        Value::Felt(info.nonce.0),
    ])?;
    if is_real {
        scope.record.handles.transaction_info = Some(pointer);
    }
    Ok(Effect::Respond(pointer))
}

fn allocate(memory: &mut dyn SyscallMemory, felts: &[Felt]) -> Result<(Value, Value), SyscallFault> {
    let values: Vec<Value> = felts.iter().copied().map(Value::Felt).collect();
    let start = memory.new_read_only_segment(&values)?;
    let end = memory.add(start, values.len())?;
    Ok((start.into(), end.into()))
}

#[cfg(test)]
mod tests {
    use starknet_api::block::GasPrice;
    use starknet_api::execution_resources::GasAmount;
    use starknet_api::transaction::fields::{
        AllResourceBounds, ResourceAsFelts, valid_resource_bounds_as_felts,
    };

    use super::*;

    #[test]
    fn bounds_are_written_as_published() {
        let bounds = |n| ResourceBounds {
            max_amount: GasAmount(u64::MAX - n),
            max_price_per_unit: GasPrice(u128::MAX - u128::from(n)),
        };
        let all = AllResourceBounds { l1_gas: bounds(1), l2_gas: bounds(2), l1_data_gas: bounds(3) };
        for bounds in [ValidResourceBounds::L1Gas(bounds(4)), ValidResourceBounds::AllResources(all)] {
            for hide in [false, true] {
                let published = valid_resource_bounds_as_felts(&bounds, hide).unwrap();
                let published: Vec<Felt> = published.into_iter().flat_map(ResourceAsFelts::flatten).collect();
                assert_eq!(bounds_as_felts(&bounds, hide), published);
            }
        }
    }
}

//! The execution info syscalls: `get_execution_info`, with one layout for all its versions, of which older
//! ones read a prefix (C118); and the corresponding syscalls of Cairo 0.
//!
//! Input: the context of the call. Output: read-only segments with the values.

use std::collections::BTreeSet;

use starknet_api::core::ClassHash;
use starknet_api::transaction::TransactionVersion;
use starknet_api::transaction::fields::{ResourceBounds, ValidResourceBounds};
use starknet_types_core::felt::Felt;

use super::context::SyscallContext;
use super::effect::{Effect, Outcome};
use super::fault::{ExecutionMode, SyscallFault};
use super::memory::{Pointer, SyscallMemory, Value};
use super::request::{Nothing, Stored};
use super::transaction_info::{BoundTerms, FeeTerms};
use crate::protocol::well_known;

/// The number of cells for the fields of version 3 transactions; 0 for older ones (C120).
const BOUND_CELLS: usize = 11;

/// The maximum length of a short string.
const SHORT_STRING: usize = 31;

/// `get_execution_info`. It is constant while a frame runs, so each frame allocates it once (C119).
pub(super) fn execution_info(
    _: Nothing,
    context: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Outcome<Pointer> {
    if let Some(pointer) = context.record.handles.execution_info {
        return Ok(Effect::Respond(pointer));
    }
    // Segments are allocated in this order: block, signature, bounds and data, transaction, execution info.
    let block = allocate_block(context, memory)?;
    let transaction = allocate_transaction(context, memory)?;
    let info = memory.new_read_only_segment(&[
        block.into(),
        transaction.into(),
        Value::Felt(*context.call.caller_address.0.key()),
        Value::Felt(*context.call.storage_address.0.key()),
        Value::Felt(context.call.selector.0),
    ])?;
    context.record.handles.execution_info = Some(info);
    Ok(Effect::Respond(info))
}

fn allocate_block(
    context: &SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Result<Pointer, SyscallFault> {
    let rounded;
    let block = match context.mode {
        ExecutionMode::Execute => &*context.env.block,
        ExecutionMode::Validate => {
            rounded = context.env.block_for_validate();
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
    context: &SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Result<Pointer, SyscallFault> {
    let info = context.transaction;
    let (signature_start, signature_end) = allocate(memory, &info.signature.0)?;
    let listed = &context.env.constants.lists.v1_bound_accounts_cairo1;
    let mut cells = vec![
        Value::Felt(reported_version(context, listed).0),
        Value::Felt(*info.sender.0.key()),
        Value::Felt(max_fee(context)),
        signature_start,
        signature_end,
        Value::Felt(info.hash.0),
        Value::Felt(chain_id(context)?),
        Value::Felt(info.nonce.0),
    ];
    match &info.terms {
        FeeTerms::Bounds(terms) => push_bounds(context, terms, memory, &mut cells)?,
        FeeTerms::MaxFee(_) => cells.extend([Value::Felt(Felt::ZERO); BOUND_CELLS]),
    }
    Ok(memory.new_read_only_segment(&cells)?)
}

fn push_bounds(
    context: &SyscallContext<'_, '_>,
    terms: &BoundTerms,
    memory: &mut dyn SyscallMemory,
    cells: &mut Vec<Value>,
) -> Result<(), SyscallFault> {
    // Some accounts were written for two resources and cannot decode a third (C122).
    let hide_data_gas = context.transaction.version == TransactionVersion::THREE
        && is_listed(context, &context.env.constants.lists.data_gas_accounts);
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

/// The name, amount and price of each resource.
fn bounds_as_felts(bounds: &ValidResourceBounds, hide_data_gas: bool) -> Vec<Felt> {
    let felts = |name, bounds: &ResourceBounds| {
        [name, Felt::from(bounds.max_amount.0), Felt::from(bounds.max_price_per_unit.0)]
    };
    let mut all = Vec::with_capacity(9);
    all.extend(felts(well_known::L1_GAS, &bounds.get_l1_bounds()));
    all.extend(felts(well_known::L2_GAS, &bounds.get_l2_bounds()));
    if let ValidResourceBounds::AllResources(bounds) = bounds
        && !hide_data_gas
    {
        all.extend(felts(well_known::L1_DATA_GAS, &bounds.l1_data_gas));
    }
    all
}

/// The maximum fee; 0 for transactions with resource bounds (C124).
fn max_fee(context: &SyscallContext<'_, '_>) -> Felt {
    match &context.transaction.terms {
        FeeTerms::MaxFee(fee) => Felt::from(fee.0),
        FeeTerms::Bounds(_) => Felt::ZERO,
    }
}

fn chain_id(context: &SyscallContext<'_, '_>) -> Result<Felt, SyscallFault> {
    let id = &context.env.chain.chain_id;
    let name = id.to_string();
    if name.len() <= SHORT_STRING {
        return Ok(Felt::from_bytes_be_slice(name.as_bytes()));
    }
    Felt::from_hex(&id.as_hex()).map_err(|error| SyscallFault::Value(error.to_string()))
}

/// The version that the running class sees: some accounts only support version 1 and see it if the tip is
/// small (C121).
fn reported_version(context: &SyscallContext<'_, '_>, listed: &BTreeSet<ClassHash>) -> TransactionVersion {
    let info = context.transaction;
    if let FeeTerms::Bounds(terms) = &info.terms
        && info.version == TransactionVersion::THREE
        && terms.tip <= context.env.constants.limits.v1_bound_max_tip
        && is_listed(context, listed)
    {
        return info.sign_version(TransactionVersion::ONE);
    }
    info.signed_version()
}

/// Returns `true` if the running class is in the list. The lists are short, and comparing felts for equality
/// is faster than ordering them, so the search is linear.
fn is_listed(context: &SyscallContext<'_, '_>, listed: &BTreeSet<ClassHash>) -> bool {
    listed.iter().any(|class_hash| *class_hash == context.call.class_hash)
}

/// `get_caller_address`.
pub(super) fn caller_address(
    _: Nothing,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    Ok(Effect::Respond(*context.call.caller_address.0.key()))
}

/// `get_contract_address`.
pub(super) fn contract_address(
    _: Nothing,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Felt> {
    Ok(Effect::Respond(*context.call.storage_address.0.key()))
}

/// `get_tx_signature`, allocated once per frame.
pub(super) fn signature(
    _: Nothing,
    context: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Outcome<Stored> {
    let start = allocate_signature(context, memory)?;
    Ok(Effect::Respond(Stored { count: context.transaction.signature.0.len(), start }))
}

fn allocate_signature(
    context: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Result<Pointer, SyscallFault> {
    if let Some(start) = context.record.handles.signature {
        return Ok(start);
    }
    let values: Vec<Value> = context.transaction.signature.0.iter().copied().map(Value::Felt).collect();
    let start = memory.new_read_only_segment(&values)?;
    context.record.handles.signature = Some(start);
    Ok(start)
}

/// `get_tx_info`: eight cells, allocated once per frame, or on every call for a class that sees another
/// version (C138).
pub(super) fn transaction_info(
    _: Nothing,
    context: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Outcome<Pointer> {
    let version = reported_version(context, &context.env.constants.lists.v1_bound_accounts_cairo0);
    let is_real = version == context.transaction.signed_version();
    if is_real && let Some(pointer) = context.record.handles.transaction_info {
        return Ok(Effect::Respond(pointer));
    }
    let signature = allocate_signature(context, memory)?;
    let info = context.transaction;
    let pointer = memory.new_read_only_segment(&[
        Value::Felt(version.0),
        Value::Felt(*info.sender.0.key()),
        Value::Felt(max_fee(context)),
        Value::Felt(Felt::from(info.signature.0.len())),
        signature.into(),
        Value::Felt(info.hash.0),
        Value::Felt(chain_id(context)?),
        Value::Felt(info.nonce.0),
    ])?;
    if is_real {
        context.record.handles.transaction_info = Some(pointer);
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
    fn bounds_equal_those_of_starknet_api() {
        let bounds = |n| ResourceBounds {
            max_amount: GasAmount(u64::MAX - n),
            max_price_per_unit: GasPrice(u128::MAX - u128::from(n)),
        };
        let all = AllResourceBounds { l1_gas: bounds(1), l2_gas: bounds(2), l1_data_gas: bounds(3) };
        for bounds in [ValidResourceBounds::L1Gas(bounds(4)), ValidResourceBounds::AllResources(all)] {
            for hide in [false, true] {
                let expected = valid_resource_bounds_as_felts(&bounds, hide).unwrap();
                let expected: Vec<Felt> = expected.into_iter().flat_map(ResourceAsFelts::flatten).collect();
                assert_eq!(bounds_as_felts(&bounds, hide), expected);
            }
        }
    }
}

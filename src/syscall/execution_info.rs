//! `get_execution_info`: one layout for all its versions; older ones read a prefix (C118).

use starknet_api::transaction::TransactionVersion;
use starknet_api::transaction::fields::{ResourceAsFelts, valid_resource_bounds_as_felts};
use starknet_types_core::felt::Felt;

use super::fault::{ExecutionMode, SyscallFault};
use super::memory::{Memory, Pointer, Value};
use super::request::Nothing;
use super::transaction_info::{BoundTerms, FeeTerms};
use super::{Effect, Outcome, Scope};

/// Cells that came with version 3 transactions; zero for older ones (C120).
const BOUND_CELLS: usize = 11;

/// `get_execution_info`. Nothing in it changes while a frame runs, so each frame allocates it once (C119).
pub(super) fn execution_info(
    _: Nothing,
    scope: &mut Scope<'_, '_>,
    memory: &mut dyn Memory,
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

fn allocate_block(scope: &Scope<'_, '_>, memory: &mut dyn Memory) -> Result<Pointer, SyscallFault> {
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

fn allocate_transaction(scope: &Scope<'_, '_>, memory: &mut dyn Memory) -> Result<Pointer, SyscallFault> {
    let info = scope.transaction;
    let (signature_start, signature_end) = allocate(memory, &info.signature.0)?;
    let max_fee = match &info.terms {
        FeeTerms::MaxFee(fee) => Felt::from(fee.0),
        FeeTerms::Bounds(_) => Felt::ZERO,
    };
    let chain_id = Felt::from_hex(&scope.env.chain.chain_id.as_hex())
        .map_err(|error| SyscallFault::Value(error.to_string()))?;
    let mut cells = vec![
        Value::Felt(reported_version(scope).0),
        Value::Felt(*info.sender.0.key()),
        Value::Felt(max_fee),
        signature_start,
        signature_end,
        Value::Felt(info.hash.0),
        Value::Felt(chain_id),
        Value::Felt(info.nonce.0),
    ];
    match &info.terms {
        FeeTerms::Bounds(terms) => push_bounds(scope, terms, memory, &mut cells)?,
        FeeTerms::MaxFee(_) => cells.extend([Value::Felt(Felt::ZERO); BOUND_CELLS]),
    }
    Ok(memory.new_read_only_segment(&cells)?)
}

fn push_bounds(
    scope: &Scope<'_, '_>,
    terms: &BoundTerms,
    memory: &mut dyn Memory,
    cells: &mut Vec<Value>,
) -> Result<(), SyscallFault> {
    // Some accounts were written when there were two resources and would choke on a third (C122).
    let hide_data_gas = scope.transaction.version == TransactionVersion::THREE
        && scope.env.constants.lists.data_gas_accounts.contains(&scope.call.class_hash);
    let bounds: Vec<Felt> = valid_resource_bounds_as_felts(&terms.bounds, hide_data_gas)?
        .into_iter()
        .flat_map(ResourceAsFelts::flatten)
        .collect();
    let (bounds_start, bounds_end) = allocate(memory, &bounds)?;
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

/// The version that this class is shown: some accounts only know version 1 and are told so, if the tip is small (C121).
fn reported_version(scope: &Scope<'_, '_>) -> TransactionVersion {
    let info = scope.transaction;
    let constants = &scope.env.constants;
    if let FeeTerms::Bounds(terms) = &info.terms
        && info.version == TransactionVersion::THREE
        && terms.tip <= constants.limits.v1_bound_max_tip
        && constants.lists.v1_bound_accounts_cairo1.contains(&scope.call.class_hash)
    {
        return info.sign_version(TransactionVersion::ONE);
    }
    info.signed_version()
}

fn allocate(memory: &mut dyn Memory, felts: &[Felt]) -> Result<(Value, Value), SyscallFault> {
    let values: Vec<Value> = felts.iter().copied().map(Value::Felt).collect();
    let start = memory.new_read_only_segment(&values)?;
    let end = memory.add(start, values.len())?;
    Ok((start.into(), end.into()))
}

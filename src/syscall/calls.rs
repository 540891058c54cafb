//! The syscalls that run other code: calls, library calls, deployments, meta transactions.
//!
//! Input: requests. Output: the call as data ([`InnerCall`]), which the call stack makes.

use starknet_api::contract_class::EntryPointType;
use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector, Nonce};
use starknet_api::transaction::fields::{Calldata, Fee};
use starknet_api::transaction::{InvokeTransactionV0, TransactionHasher, TransactionVersion};
use starknet_types_core::felt::Felt;

use super::context::SyscallContext;
use super::effect::{Effect, InnerCall, Outcome, UnresolvedCall};
use super::fault::SyscallFault;
use super::memory::SyscallMemory;
use super::record::CallType;
use super::request::{self, Deployed, Span};
use super::transaction_info::{FeeTerms, TransactionInfo};
use crate::protocol::{SyscallName, well_known};
use crate::state::contract_address;

/// `call_contract`. The class hash at the address is read first, even if the call is then rejected (C112).
pub(super) fn call_contract(
    request: request::CallContract,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Span<'static>> {
    let request::CallContract { address, selector, calldata } = request;
    let class_hash = context.state.class_hash_at(address)?;
    if context.call.storage_address != address {
        context.reject_in_validate("call_contract")?;
    }
    if context.env.constants.switches.direct_execute_blocked && selector == well_known::EXECUTE {
        return Ok(Effect::Fail(vec![well_known::INVALID_ARGUMENT]));
    }
    let call = UnresolvedCall {
        class_hash: None,
        code_address: Some(address),
        entry_point_type: EntryPointType::External,
        selector,
        calldata,
        storage_address: address,
        caller_address: context.call.storage_address,
        call_type: CallType::Call,
        initial_gas: context.gas,
    };
    Ok(Effect::Call(Box::new(InnerCall::Contract { call, class_hash })))
}

/// `library_call`: the code of another class on the storage of this contract, with the same caller (C114).
pub(super) fn library_call(
    request: request::LibraryCall,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Span<'static>> {
    let request::LibraryCall { class_hash, selector, calldata } = request;
    delegate(context, class_hash, None, EntryPointType::External, selector, calldata)
}

/// `library_call_l1_handler`: a library call of an L1 handler of the class (C244).
pub(super) fn library_call_l1_handler(
    request: request::LibraryCall,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Span<'static>> {
    let request::LibraryCall { class_hash, selector, calldata } = request;
    delegate(context, class_hash, None, EntryPointType::L1Handler, selector, calldata)
}

/// `delegate_call`: a library call of the class of another contract (C114).
pub(super) fn delegate_call(
    request: request::CallContract,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Span<'static>> {
    let request::CallContract { address, selector, calldata } = request;
    let class_hash = context.state.class_hash_at(address)?;
    delegate(context, class_hash, Some(address), EntryPointType::External, selector, calldata)
}

/// `delegate_l1_handler`: a library call of an L1 handler of the class of another contract (C244).
pub(super) fn delegate_l1_handler(
    request: request::CallContract,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Span<'static>> {
    let request::CallContract { address, selector, calldata } = request;
    let class_hash = context.state.class_hash_at(address)?;
    delegate(context, class_hash, Some(address), EntryPointType::L1Handler, selector, calldata)
}

fn delegate(
    context: &SyscallContext<'_, '_>,
    class_hash: ClassHash,
    code_address: Option<ContractAddress>,
    entry_point_type: EntryPointType,
    selector: EntryPointSelector,
    calldata: Calldata,
) -> Outcome<Span<'static>> {
    let call = UnresolvedCall {
        class_hash: Some(class_hash),
        code_address,
        entry_point_type,
        selector,
        calldata,
        storage_address: context.call.storage_address,
        caller_address: context.call.caller_address,
        call_type: CallType::Delegate,
        initial_gas: context.gas,
    };
    Ok(Effect::Call(Box::new(InnerCall::Library { call, class_hash })))
}

/// `deploy`. The address depends on the deployer unless `from_zero` is set; the constructor sees the deployer
/// in both cases (C73).
pub(super) fn deploy(
    request: request::Deploy,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Deployed<'static>> {
    let request::Deploy { class_hash, salt, calldata, from_zero } = request;
    count_calldata(context, SyscallName::Deploy, calldata.0.len())?;
    if context.env.constants.switches.deploy_in_validate_disabled {
        context.reject_in_validate("deploy")?;
    }
    let deployer = context.call.storage_address;
    let origin = if from_zero { ContractAddress::default() } else { deployer };
    let address = contract_address(salt, class_hash, &calldata, origin);
    Ok(Effect::Call(Box::new(InnerCall::Deploy { class_hash, address, deployer, calldata })))
}

/// `meta_tx_v0`: calls `__execute__` of an account like a transaction of version 0, with its own hash and
/// signature (C133).
pub(super) fn meta_tx_v0(
    request: request::MetaTxV0,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Span<'static>> {
    let request::MetaTxV0 { address, selector, calldata, signature } = request;
    count_calldata(context, SyscallName::MetaTxV0, calldata.0.len())?;
    context.reject_in_validate("meta_tx_v0")?;
    if selector != well_known::EXECUTE {
        return Ok(Effect::Fail(vec![well_known::INVALID_ARGUMENT]));
    }
    let query = context.transaction.query;
    let hash = InvokeTransactionV0 {
        max_fee: Fee(0),
        signature: signature.clone(),
        contract_address: address,
        entry_point_selector: selector,
        calldata: calldata.clone(),
    }
    .calculate_transaction_hash(
        &context.env.chain.chain_id,
        &context.transaction.sign_version(TransactionVersion::ZERO),
    )?;
    let class_hash = context.state.class_hash_at(address)?;
    let transaction = TransactionInfo {
        hash,
        version: TransactionVersion::ZERO,
        query,
        sender: address,
        signature,
        nonce: Nonce(Felt::ZERO),
        terms: FeeTerms::MaxFee(Fee(0)),
    };
    let call = UnresolvedCall {
        class_hash: None,
        code_address: Some(address),
        entry_point_type: EntryPointType::External,
        selector,
        calldata,
        storage_address: address,
        caller_address: ContractAddress::default(),
        call_type: CallType::Call,
        initial_gas: context.gas,
    };
    Ok(Effect::Call(Box::new(InnerCall::Meta { call, class_hash, transaction: Box::new(transaction) })))
}

fn count_calldata(
    context: &mut SyscallContext<'_, '_>,
    name: SyscallName,
    felts: usize,
) -> Result<(), SyscallFault> {
    let items = u64::try_from(felts).map_err(|_| SyscallFault::Overflow(name))?;
    context.record.count_items(name, items);
    Ok(())
}

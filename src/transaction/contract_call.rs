//! Calls without a transaction, as `starknet_call` makes them: no fee is charged, no change is kept.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use starknet_api::contract_class::EntryPointType;
use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector, Nonce};
use starknet_api::data_availability::DataAvailabilityMode;
use starknet_api::transaction::fields::{Calldata, Tip, TransactionSignature, ValidResourceBounds};
use starknet_api::transaction::{TransactionHash, TransactionVersion};

use super::error::FatalError;
use crate::call::{
    CallFailure, CallInfo, ErrorStack, ErrorStackHeader, ExecutionContext, FailureCause, Phase, RootCall,
    execute,
};
use crate::state::Journal;
use crate::syscall::{BoundTerms, ExecutionMode, FeeTerms, TransactionInfo};

/// A call of one entry point without a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractCall {
    /// The address of the contract.
    pub address: ContractAddress,
    /// The entry point.
    pub selector: EntryPointSelector,
    /// The arguments.
    pub calldata: Calldata,
    /// The type of the entry point: external by default.
    pub entry_point_type: EntryPointType,
    /// The address of the caller: 0 by default.
    pub caller: ContractAddress,
    /// The class to run on the contract's storage; `None` for the contract's own class.
    pub class_hash: Option<ClassHash>,
    /// The limit on Sierra gas.
    pub max_sierra_gas: u64,
    /// The limit on Cairo steps.
    pub max_steps: u64,
}

/// The default limit on Sierra gas: that of validation at every version.
const CALL_SIERRA_GAS: u64 = 100_000_000;
/// The default limit on steps: that of validation at every version.
const CALL_STEPS: u64 = 1_000_000;

impl ContractCall {
    /// Makes a call with the caller 0, within the limits of validation.
    pub fn new(address: ContractAddress, selector: EntryPointSelector, calldata: Calldata) -> Self {
        Self {
            address,
            selector,
            calldata,
            entry_point_type: EntryPointType::External,
            caller: ContractAddress::default(),
            class_hash: None,
            max_sierra_gas: CALL_SIERRA_GAS,
            max_steps: CALL_STEPS,
        }
    }
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CallResult {
    /// The call returned, or it panicked: see [`CallInfo::failed`].
    Finished(Box<CallInfo>),
    /// The call failed in a way that no caller can catch.
    Failed {
        /// The error stack.
        stack: ErrorStack,
        /// The broad reason.
        cause: FailureCause,
    },
}

/// Executes `call`; its writes stay in the journal.
pub(crate) fn call_contract_entry_point(
    call: &ContractCall,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
) -> Result<CallResult, FatalError> {
    let mut phase = Phase::new(
        context,
        &Arc::new(anonymous_transaction_info()),
        ExecutionMode::Execute,
        call.max_steps,
        call.max_sierra_gas,
    );
    let root = RootCall {
        class_hash: call.class_hash,
        entry_point_type: call.entry_point_type,
        selector: call.selector,
        calldata: call.calldata.clone(),
        address: call.address,
        caller: call.caller,
        initial_gas: call.max_sierra_gas,
        failure_is_error: false,
    };
    match execute(journal, &mut phase, root) {
        Ok(info) => Ok(CallResult::Finished(Box::new(info))),
        Err(CallFailure::Reverted { segments, cause, .. }) => {
            Ok(CallResult::Failed { stack: ErrorStack { header: ErrorStackHeader::None, segments }, cause })
        }
        Err(CallFailure::Reader(error)) => Err(FatalError::Reader(error)),
        Err(CallFailure::OutOfMemory) => Err(FatalError::OutOfMemory),
        Err(CallFailure::Internal(message)) => Err(FatalError::Internal(message)),
    }
}

/// The transaction that contracts see in a call: version 0 with unlimited bounds, as full nodes have it.
fn anonymous_transaction_info() -> TransactionInfo {
    TransactionInfo {
        hash: TransactionHash::default(),
        version: TransactionVersion::ZERO,
        query: false,
        sender: ContractAddress::default(),
        signature: TransactionSignature::default(),
        nonce: Nonce::default(),
        terms: FeeTerms::Bounds(Arc::new(BoundTerms {
            bounds: ValidResourceBounds::new_unlimited_gas_no_fee_enforcement(),
            tip: Tip::ZERO,
            nonce_data_availability: DataAvailabilityMode::L2,
            fee_data_availability: DataAvailabilityMode::L2,
            paymaster_data: Default::default(),
            account_deployment_data: Default::default(),
            proof_facts: Default::default(),
        })),
    }
}

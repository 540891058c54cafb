//! The receipt: what a transaction used, the gas of it, and the fee.
//!
//! In: the counts of a finished run. Out: one value that the transaction phases compare with the sender's bounds and then charge. Knows
//! nothing of how the run went.

use serde::{Deserialize, Serialize};
use starknet_api::core::ContractAddress;
use starknet_api::execution_resources::GasVector;
use starknet_api::transaction::TransactionVersion;
use starknet_api::transaction::fields::{Fee, GasVectorComputationMode};

use super::error::FeeError;
use super::gas::{data_availability_gas, state_diff_length};
use super::price::fee_of;
use super::resources::{ArchivalResources, ComputationResources, MessageResources, TransactionResources};
use crate::call::ExecutionSummary;
use crate::protocol::{BlockEnv, DataAvailability, TransactionKind, VmResources};
use crate::state::StateChanges;
use crate::syscall::TransactionInfo;

/// What a receipt is computed from.
#[derive(Debug)]
pub struct ReceiptInput<'a> {
    /// The block.
    pub env: &'a BlockEnv,
    /// The transaction as contracts see it.
    pub info: &'a TransactionInfo,
    /// Whether L2 gas is counted by itself; always so for L1 handlers (C47).
    pub gas_mode: GasVectorComputationMode,
    /// The kind of transaction.
    pub kind: TransactionKind,
    /// Calldata and proof facts in felts (C150); of an L1 handler the payload length (C47).
    pub extended_calldata_length: u64,
    /// Signature length in felts; 0 for an L1 handler.
    pub signature_length: u64,
    /// Declared code in bytes (C40).
    pub code_size: u64,
    /// Payload length of the consumed message, in felts; only of an L1 handler.
    pub l1_handler_payload: Option<u64>,
    /// The account that pays; `None` for an L1 handler, which pays nothing.
    pub sender: Option<ContractAddress>,
    /// The changes of validation and execution, before the fee transfer (C155).
    pub state_changes: &'a StateChanges,
    /// The calls of validation and execution; of a reverted execution the validation's alone (C23).
    pub summary: &'a ExecutionSummary,
    /// Steps of a reverted execution (C21).
    pub reverted_steps: u64,
    /// Sierra gas of a reverted execution (C21).
    pub reverted_sierra_gas: u64,
    /// Whether the transaction carries a client-side proof.
    pub proof: bool,
}

/// What a transaction used and what it pays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The fee, in wei or fri; 0 for L1 handlers. Computed even when it will not be charged (C6).
    pub fee: Fee,
    /// All gas.
    pub gas: GasVector,
    /// The part of it that publishes state changes, without allocation (C159).
    pub da_gas: GasVector,
    /// What was used.
    pub resources: TransactionResources,
}

impl Receipt {
    /// Computes the receipt.
    pub fn new(input: &ReceiptInput<'_>) -> Result<Receipt, FeeError> {
        let resources = resources(input)?;
        let data_availability = input.env.block.data_availability;
        let gas = resources.gas(&input.env.constants, data_availability, &input.gas_mode)?;
        let da_gas = data_availability_gas(&resources.state, data_availability)?;
        let fee = if is_free(input) { Fee(0) } else { gas_fee(input.env, input.info, &gas)? };
        Ok(Receipt { fee, gas, da_gas, resources })
    }
}

/// What `gas` costs this transaction in this block: in its fee token, with its tip.
pub fn gas_fee(env: &BlockEnv, info: &TransactionInfo, gas: &GasVector) -> Result<Fee, FeeError> {
    fee_of(gas, env.block.prices.of(info.fee_type()), info.effective_tip(&env.constants))
}

/// L1 handlers are paid for on L1 (C47). Declaring with version 0 is free: so was the first account of a chain declared.
fn is_free(input: &ReceiptInput<'_>) -> bool {
    match input.kind {
        TransactionKind::L1Handler => true,
        TransactionKind::Declare => input.info.version == TransactionVersion::ZERO,
        _ => false,
    }
}

fn resources(input: &ReceiptInput<'_>) -> Result<TransactionResources, FeeError> {
    let fee_token = input.env.chain.fee_token(input.info.fee_type());
    let state = input.state_changes.count_for_fee(input.sender, fee_token);
    let summary = input.summary;
    Ok(TransactionResources {
        archival: ArchivalResources {
            events: summary.events,
            extended_calldata_length: input.extended_calldata_length,
            signature_length: input.signature_length,
            code_size: input.code_size,
            proof: input.proof,
        },
        messages: MessageResources::new(summary.message_payloads.clone(), input.l1_handler_payload)?,
        computation: ComputationResources {
            transaction_vm: summary.vm_resources,
            os_vm: os_resources(input, state_diff_length(&state)?)?,
            reverted_steps: input.reverted_steps,
            sierra_gas: summary.sierra_gas,
            reverted_sierra_gas: input.reverted_sierra_gas,
        },
        state,
    })
}

/// What the operating system adds: by kind and calldata, and for blobs the commitment to the state diff (C150).
fn os_resources(input: &ReceiptInput<'_>, state_diff_length: u64) -> Result<VmResources, FeeError> {
    let constants = &input.env.constants;
    let base = constants.transaction_os_resources(input.kind, input.extended_calldata_length)?;
    match input.env.block.data_availability {
        DataAvailability::Blob => base
            .checked_add(&constants.kzg_os_resources(state_diff_length)?)
            .ok_or(FeeError::OutOfRange(super::error::Sum::VmResources)),
        DataAvailability::Calldata => Ok(base),
    }
}

//! The receipt: the resources of a transaction, their gas, and the fee.
//!
//! Input: the counts of a finished execution. Output: one value that the transaction phases compare with the
//! sender's bounds and then charge. Knows nothing of how the execution went.

use serde::{Deserialize, Serialize};
use starknet_api::execution_resources::GasVector;
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::{Fee, GasVectorComputationMode};

use super::error::{FeeError, Sum};
use super::price::fee_of;
use super::resources::{ArchivalResources, ComputationResources, MessageResources, TransactionResources};
use super::state_changes::StateChangesCount;
use super::state_gas::{data_availability_gas, state_diff_length};
use crate::call::ExecutionSummary;
use crate::protocol::{BlockEnv, DataAvailability, TransactionKind, VmResources};
use crate::state::StateChanges;
use crate::syscall::TransactionInfo;

/// The input of a receipt.
#[derive(Debug)]
pub(crate) struct ReceiptInput<'a> {
    /// The block.
    pub env: &'a BlockEnv,
    /// The transaction as contracts see it.
    pub info: &'a TransactionInfo,
    /// Counts L2 gas as a resource of its own, or in units of L1 gas; the former for L1 handlers (C47).
    pub gas_mode: GasVectorComputationMode,
    /// The kind of transaction.
    pub kind: TransactionKind,
    /// Fixes the fee at 0 (C28, C47).
    pub is_free: bool,
    /// The length of calldata and proof facts in felts (C150); of an L1 handler, the payload length (C47).
    pub extended_calldata_length: u64,
    /// The signature length in felts; 0 for an L1 handler.
    pub signature_length: u64,
    /// The size of the declared code in bytes (C40).
    pub code_size: u64,
    /// The payload length of the consumed message in felts; `None` unless it is an L1 handler.
    pub l1_handler_payload: Option<u64>,
    /// The cell of the paying account's balance ([`fee_token_balance_key`](super::fee_token_balance_key));
    /// `None` for an L1 handler, which pays nothing.
    pub payer: Option<StorageKey>,
    /// The changes of validation and execution, before the fee transfer (C155).
    pub state_changes: &'a StateChanges,
    /// The calls of validation and execution; of a reverted execution, only those of validation (C23).
    pub summary: &'a ExecutionSummary,
    /// The steps of a reverted execution (C21).
    pub reverted_steps: u64,
    /// The Sierra gas of a reverted execution (C21).
    pub reverted_sierra_gas: u64,
    /// The transaction has a client-side proof.
    pub proof: bool,
}

/// The resources, the gas and the fee of a transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The fee, in wei or fri; 0 for L1 handlers. Computed even if it is not charged ([C6](crate::rules#c6)).
    pub fee: Fee,
    /// The gas of the complete transaction.
    pub gas: GasVector,
    /// The part of the gas that publishes state changes, without allocation ([C159](crate::rules#c159)).
    pub da_gas: GasVector,
    /// The resources.
    pub resources: TransactionResources,
}

impl Receipt {
    /// Computes the receipt.
    pub(crate) fn new(input: &ReceiptInput<'_>) -> Result<Receipt, FeeError> {
        let resources = resources(input)?;
        let data_availability = input.env.block.data_availability;
        let gas = resources.gas(&input.env.constants, data_availability, &input.gas_mode)?;
        let da_gas = data_availability_gas(&resources.state, data_availability)?;
        let fee = if input.is_free { Fee(0) } else { gas_fee(input.env, input.info, &gas)? };
        Ok(Receipt { fee, gas, da_gas, resources })
    }
}

/// Returns the fee of `gas` for this transaction in this block: in its fee token, with its tip.
pub(super) fn gas_fee(env: &BlockEnv, info: &TransactionInfo, gas: &GasVector) -> Result<Fee, FeeError> {
    fee_of(gas, env.block.prices.of(info.fee_type()), info.effective_tip(&env.constants))
}

fn resources(input: &ReceiptInput<'_>) -> Result<TransactionResources, FeeError> {
    let fee_token = input.env.chain.fee_token(input.info.fee_type());
    let state = StateChangesCount::of(input.state_changes, input.payer, fee_token);
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

/// Returns the resources that the operating system adds: by kind and calldata, and for blobs the commitment
/// to the state diff (C150).
fn os_resources(input: &ReceiptInput<'_>, state_diff_length: u64) -> Result<VmResources, FeeError> {
    let constants = &input.env.constants;
    let base = constants.transaction_os_resources(input.kind, input.extended_calldata_length)?;
    match input.env.block.data_availability {
        DataAvailability::Blob => base
            .checked_add(&constants.kzg_os_resources(state_diff_length)?)
            .ok_or(FeeError::OutOfRange(Sum::VmResources)),
        DataAvailability::Calldata => Ok(base),
    }
}

#[cfg(test)]
mod tests {
    use starknet_api::core::Nonce;
    use starknet_types_core::felt::Felt;

    use starknet_api::core::ContractAddress;

    use super::*;
    use crate::call::EventSummary;
    use crate::fee::fixture::{SENDER, env, of_version_zero, vector, with_all, with_max_fee};
    use crate::protocol::{Builtin, BuiltinCounts};

    /// The nonce of the sender, as every account transaction changes it.
    fn nonce_change() -> StateChanges {
        let mut changes = StateChanges::default();
        changes.nonces.insert(ContractAddress::from(SENDER), Nonce(Felt::ONE));
        changes
    }

    fn summary() -> ExecutionSummary {
        ExecutionSummary { sierra_gas: 123_456, ..Default::default() }
    }

    fn invoke<'a>(
        env: &'a BlockEnv,
        info: &'a TransactionInfo,
        state_changes: &'a StateChanges,
        summary: &'a ExecutionSummary,
    ) -> ReceiptInput<'a> {
        ReceiptInput {
            env,
            info,
            gas_mode: info.gas_mode(),
            kind: TransactionKind::Invoke,
            is_free: false,
            extended_calldata_length: 5,
            signature_length: 2,
            code_size: 0,
            l1_handler_payload: None,
            payer: Some(crate::fee::fee_token_balance_key(info.sender)),
            state_changes,
            summary,
            reverted_steps: 0,
            reverted_sierra_gas: 0,
            proof: false,
        }
    }

    #[test]
    fn invoke_with_blobs_in_l2_gas() {
        let (changes, summary) = (nonce_change(), summary());
        let block = env("0.14.4", DataAvailability::Blob);
        let info = with_all((0, 0), (0, 0), (0, 0), 3);
        let receipt = Receipt::new(&invoke(&block, &info, &changes, &summary)).unwrap();
        // One contract and the balance: 4 felts. Steps as in `minimal`: 5316. Range checks 110 + 17 * 4;
        // poseidons 11 + 3 + 3.
        let mut builtins = BuiltinCounts::ZERO;
        builtins.set(Builtin::Pedersen, 4);
        builtins.set(Builtin::RangeCheck, 178);
        builtins.set(Builtin::Poseidon, 17);
        let os_vm = VmResources { steps: 5_316, memory_holes: 0, builtins };
        assert_eq!(receipt.resources.computation.os_vm, os_vm);
        // 14 L1 gas of steps, 7 felts of calldata and signature, Sierra gas as it is.
        let l2_gas = 560_000 + 35_840 + 123_456;
        assert_eq!((receipt.gas, receipt.da_gas), (vector(0, 128, l2_gas), vector(0, 128, 0)));
        // 300 fri and 20 + 3 fri.
        assert_eq!(receipt.fee, Fee(u128::from(128 * 300 + l2_gas * 23)));
    }

    #[test]
    fn invoke_with_calldata_in_l1_gas() {
        let (changes, summary) = (nonce_change(), summary());
        let block = env("0.14.4", DataAvailability::Calldata);
        let info = with_max_fee(1);
        let mut input = invoke(&block, &info, &changes, &summary);
        input.reverted_steps = 1_000;
        input.reverted_sierra_gas = 40_000;
        let receipt = Receipt::new(&input).unwrap();
        // No commitment: 4779 + 28 steps and 1000 reverted, 14.5175. Sierra gas 163,456: 4.0864. Calldata
        // 0.896. State 1652.
        assert_eq!(receipt.resources.computation.os_vm.steps, 4_807);
        assert_eq!((receipt.gas, receipt.da_gas), (vector(1_652 + 15 + 5, 0, 0), vector(1_652, 0, 0)));
        assert_eq!(receipt.fee, Fee(1_672 * 100));
    }

    #[test]
    fn allocation_is_not_data_availability() {
        let (mut changes, summary) = (nonce_change(), ExecutionSummary::default());
        let cell = (ContractAddress::from(SENDER), 7_u128.into());
        changes.storage.insert(cell, Felt::ONE);
        changes.allocated.insert(cell);
        let block = env("0.14.4", DataAvailability::Blob);
        let info = with_max_fee(1);
        let receipt = Receipt::new(&invoke(&block, &info, &changes, &summary)).unwrap();
        assert_eq!(receipt.da_gas, vector(0, 6 * 32, 0));
        assert_eq!(receipt.gas.l1_data_gas, vector(0, 7 * 32, 0).l1_data_gas);
        // L2 gas even where there is none otherwise, and it is paid for.
        assert_eq!(receipt.gas.l2_gas, vector(0, 0, 402_000).l2_gas);
        assert_eq!(receipt.fee.0, u128::from(receipt.gas.l1_gas.0) * 100 + 7 * 32 * 30 + 402_000 * 2);
    }

    #[test]
    fn free_transactions_have_gas_and_no_fee() {
        let (changes, mut summary) = (StateChanges::default(), ExecutionSummary::default());
        summary.events = EventSummary { count: 1, keys: 1, data: 1 };
        let block = env("0.14.4", DataAvailability::Blob);
        let info = of_version_zero();
        let mut input = invoke(&block, &info, &changes, &summary);
        input.kind = TransactionKind::Declare;
        input.is_free = true;
        let declare = Receipt::new(&input).unwrap();
        assert_eq!(declare.fee, Fee(0));
        assert_ne!(declare.gas, GasVector::ZERO);

        let handler = ReceiptInput {
            gas_mode: GasVectorComputationMode::All,
            kind: TransactionKind::L1Handler,
            extended_calldata_length: 3,
            signature_length: 0,
            l1_handler_payload: Some(3),
            payer: None,
            ..input
        };
        let receipt = Receipt::new(&handler).unwrap();
        assert_eq!((receipt.fee, receipt.da_gas), (Fee(0), GasVector::ZERO));
        // Message 17,403 as in `gas`. 1329 + 13 * 3 steps: 3.42; the commitment to nothing has 21 steps and
        // one poseidon: 3.4725.
        let l2_gas = 4 * 40_000 + 3 * 5_120 + 3 * 5_120;
        assert_eq!(receipt.gas, vector(17_403, 0, l2_gas));
    }

    #[test]
    fn version_zero_invocations_pay() {
        let (changes, summary) = (nonce_change(), summary());
        let block = env("0.13.1", DataAvailability::Calldata);
        let info = of_version_zero();
        assert_ne!(Receipt::new(&invoke(&block, &info, &changes, &summary)).unwrap().fee, Fee(0));
    }

    #[test]
    fn survives_writing_down() {
        let (changes, summary) = (nonce_change(), summary());
        let block = env("0.14.4", DataAvailability::Blob);
        let info = with_max_fee(1);
        let receipt = Receipt::new(&invoke(&block, &info, &changes, &summary)).unwrap();
        let text = serde_json::to_string(&receipt).unwrap();
        assert_eq!(serde_json::from_str::<Receipt>(&text).unwrap(), receipt);
    }
}

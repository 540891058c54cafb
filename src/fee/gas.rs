//! Resources priced in gas, part by part: archival data, state, messages, computation (C141).
//!
//! In: `resources` and the protocol's prices. Out: gas vectors. In mode `All` computation and archival data cost L2 gas; in mode `NoL2Gas`
//! they cost L1 gas. Knows no token prices.

use starknet_api::execution_resources::{GasAmount, GasVector};
use starknet_api::transaction::fields::GasVectorComputationMode;

use super::error::{FeeError, Sum};
use super::ethereum;
use super::price::{l1_to_l2_gas, l2_to_l1_gas};
use super::resources::{ArchivalResources, ComputationResources, MessageResources, TransactionResources};
use crate::call::EventSummary;
use crate::protocol::{ArchivalPrice, Builtin, Constants, DataAvailability, VmResources};
use crate::state::StateChangesCount;

/// Cairo steps that one segment arena instance is worth (C145).
const STEPS_PER_SEGMENT_ARENA: u64 = 10;

impl TransactionResources {
    /// The gas of the whole transaction.
    pub fn gas(
        &self,
        constants: &Constants,
        data_availability: DataAvailability,
        mode: &GasVectorComputationMode,
    ) -> Result<GasVector, FeeError> {
        let parts = [
            self.archival.gas(constants, mode)?,
            state_gas(&self.state, constants, data_availability)?,
            self.messages.gas()?,
            self.computation.gas(constants, mode)?,
        ];
        total(parts, Sum::Transaction)
    }
}

impl ArchivalResources {
    /// The gas of calldata and signature, code, proof and events; each rounded down on its own (C142).
    pub fn gas(&self, constants: &Constants, mode: &GasVectorComputationMode) -> Result<GasVector, FeeError> {
        let price = constants.archival.of(mode);
        let parts = [self.calldata_gas(price)?, self.code_gas(price)?, self.proof_gas(price, mode)?, event_amount(&self.events, price)?];
        let amount = parts
            .into_iter()
            .try_fold(0_u64, u64::checked_add)
            .ok_or(FeeError::OutOfRange(Sum::Archival))?;
        Ok(in_mode(amount, mode))
    }

    fn calldata_gas(&self, price: &ArchivalPrice) -> Result<u64, FeeError> {
        self.extended_calldata_length
            .checked_add(self.signature_length)
            .and_then(|felts| price.data_felt.floor_mul(felts))
            .ok_or(FeeError::OutOfRange(Sum::Calldata))
    }

    fn code_gas(&self, price: &ArchivalPrice) -> Result<u64, FeeError> {
        price.code_byte.floor_mul(self.code_size).ok_or(FeeError::OutOfRange(Sum::Code))
    }

    fn proof_gas(&self, price: &ArchivalPrice, mode: &GasVectorComputationMode) -> Result<u64, FeeError> {
        match (self.proof, mode) {
            (false, _) => Ok(0),
            (true, GasVectorComputationMode::All) => {
                price.proof.floor_mul(1).ok_or(FeeError::OutOfRange(Sum::Archival))
            }
            (true, GasVectorComputationMode::NoL2Gas) => Err(FeeError::ProofWithoutL2Gas),
        }
    }
}

/// The gas of events alone: for estimates of single calls.
pub fn event_gas(
    events: &EventSummary,
    constants: &Constants,
    mode: &GasVectorComputationMode,
) -> Result<GasVector, FeeError> {
    Ok(in_mode(event_amount(events, constants.archival.of(mode))?, mode))
}

/// `felt price * (key factor * keys + data)`, rounded down once (C142).
fn event_amount(events: &EventSummary, price: &ArchivalPrice) -> Result<u64, FeeError> {
    let wide = |value: u64| u128::from(value);
    let (felt, factor) = (price.data_felt, price.event_key_factor);
    let amount = || {
        let keys = wide(factor.numerator).checked_mul(wide(events.keys))?;
        let data = wide(factor.denominator).checked_mul(wide(events.data))?;
        let numerator = keys.checked_add(data)?.checked_mul(wide(felt.numerator))?;
        let denominator = wide(factor.denominator).checked_mul(wide(felt.denominator))?;
        u64::try_from(numerator.checked_div(denominator)?).ok()
    };
    amount().ok_or(FeeError::OutOfRange(Sum::Events))
}

/// Felts that the changes add to the published state diff (C153): two per contract (address; class flag, update count and nonce), one per
/// class, two per storage cell, two per declared class.
pub fn state_diff_length(changes: &StateChangesCount) -> Result<u64, FeeError> {
    let pairs = [changes.modified_contracts, changes.storage_updates, changes.compiled_class_hash_updates];
    pairs
        .into_iter()
        .try_fold(0_u64, u64::checked_add)
        .and_then(|pairs| pairs.checked_mul(2)?.checked_add(changes.class_hash_updates))
        .ok_or(FeeError::OutOfRange(Sum::StateDiffLength))
}

/// The gas of publishing the changes on L1 (C154).
pub fn data_availability_gas(
    changes: &StateChangesCount,
    data_availability: DataAvailability,
) -> Result<GasVector, FeeError> {
    let out_of_range = FeeError::OutOfRange(Sum::DataAvailability);
    let length = state_diff_length(changes)?;
    match data_availability {
        DataAvailability::Blob => length
            .checked_mul(ethereum::BLOB_FELT)
            .map(|gas| GasVector::from_l1_data_gas(GasAmount(gas)))
            .ok_or(out_of_range),
        DataAvailability::Calldata => {
            let full = length.checked_mul(ethereum::STATE_DIFF_WORD);
            let discount = changes
                .modified_contracts
                .checked_mul(ethereum::CONTRACT_DISCOUNT)
                .and_then(|discount| discount.checked_add(ethereum::FEE_BALANCE_DISCOUNT));
            match (full, discount) {
                // Never below zero, by the rule.
                (Some(full), Some(discount)) => Ok(GasVector::from_l1_gas(GasAmount(full.saturating_sub(discount)))),
                _ => Err(out_of_range),
            }
        }
    }
}

/// The gas of the changes: publishing them, and the newly allocated cells (C157). The allocation's L2 gas is L2 gas in both modes.
pub fn state_gas(
    changes: &StateChangesCount,
    constants: &Constants,
    data_availability: DataAvailability,
) -> Result<GasVector, FeeError> {
    let allocation = constants
        .allocation
        .of(data_availability)
        .checked_scalar_mul(changes.allocated_cells)
        .ok_or(FeeError::OutOfRange(Sum::Allocation))?;
    total([allocation, data_availability_gas(changes, data_availability)?], Sum::Allocation)
}

impl MessageResources {
    /// The L1 gas of messages: in the Starknet contract and in the proof verifier (C160).
    pub fn gas(&self) -> Result<GasVector, FeeError> {
        let verifier = self
            .segment_length
            .checked_mul(ethereum::VERIFIER_WORD)
            .map(|gas| GasVector::from_l1_gas(GasAmount(gas)))
            .ok_or(FeeError::OutOfRange(Sum::Messages))?;
        total([self.starknet_contract_gas()?, verifier], Sum::Messages)
    }

    /// The L1 gas of messages in the Starknet contract alone: the part that limits a block (C203).
    pub fn starknet_contract_gas(&self) -> Result<GasVector, FeeError> {
        self.starknet_contract_amount()
            .map(|gas| GasVector::from_l1_gas(GasAmount(gas)))
            .ok_or(FeeError::OutOfRange(Sum::Messages))
    }

    fn starknet_contract_amount(&self) -> Option<u64> {
        let event = |base: u64, payload: u64| payload.checked_mul(ethereum::LOG_WORD)?.checked_add(base);
        let mut gas = self.segment_length.checked_mul(ethereum::CALLDATA_WORD)?;
        for payload in &self.payload_lengths {
            gas = gas
                .checked_add(ethereum::STORAGE_SET)?
                .checked_add(event(ethereum::MESSAGE_TO_L1_EVENT, *payload)?)?;
        }
        if let Some(payload) = self.l1_handler_payload {
            gas = gas
                .checked_add(ethereum::COUNTER_DECREASE)?
                .checked_add(event(ethereum::MESSAGE_TO_L2_EVENT, payload)?)?;
        }
        Some(gas)
    }
}

impl ComputationResources {
    /// The gas of computation: virtual machine resources and Sierra gas, each rounded up on its own (C148).
    pub fn gas(&self, constants: &Constants, mode: &GasVectorComputationMode) -> Result<GasVector, FeeError> {
        let vm = vm_gas(&self.total_vm()?, self.reverted_steps, constants, mode)?;
        let sierra = GasAmount(self.total_sierra_gas()?);
        let sierra = match mode {
            GasVectorComputationMode::All => GasVector::from_l2_gas(sierra),
            GasVectorComputationMode::NoL2Gas => GasVector::from_l1_gas(l2_to_l1_gas(constants, sierra)?),
        };
        total([vm, sierra], Sum::Computation)
    }
}

/// The gas of virtual machine resources: that of the dearest one, since proofs are as long as their longest part (C144, C145).
pub fn vm_gas(
    resources: &VmResources,
    reverted_steps: u64,
    constants: &Constants,
    mode: &GasVectorComputationMode,
) -> Result<GasVector, FeeError> {
    let out_of_range = FeeError::OutOfRange(Sum::VmGas);
    let steps = resources
        .builtins
        .get(Builtin::SegmentArena)
        .checked_mul(STEPS_PER_SEGMENT_ARENA)
        .and_then(|arena| {
            // A memory hole costs as much as a step.
            resources.steps.checked_add(arena)?.checked_add(resources.memory_holes)?.checked_add(reverted_steps)
        })
        .ok_or(FeeError::OutOfRange(Sum::VmResources))?;
    let mut dearest = constants.vm_fee.step.ceil_mul(steps).ok_or_else(|| out_of_range.clone())?;
    for (builtin, count) in resources.builtins.iter() {
        let gas = match builtin {
            // Counted as steps above.
            Builtin::SegmentArena => continue,
            Builtin::Blake => blake_l1_gas(constants)?.checked_mul(count),
            _ => constants.vm_fee.builtin(builtin).ceil_mul(count),
        };
        dearest = dearest.max(gas.ok_or_else(|| out_of_range.clone())?);
    }
    let dearest = GasAmount(dearest);
    Ok(match mode {
        GasVectorComputationMode::All => GasVector::from_l2_gas(l1_to_l2_gas(constants, dearest)?),
        GasVectorComputationMode::NoL2Gas => GasVector::from_l1_gas(dearest),
    })
}

/// The L1 gas of one Blake compression: its Sierra gas in L1 gas, rounded up for each one (C146).
fn blake_l1_gas(constants: &Constants) -> Result<u64, FeeError> {
    l2_to_l1_gas(constants, GasAmount(constants.gas.builtin(Builtin::Blake))).map(|gas| gas.0)
}

fn in_mode(amount: u64, mode: &GasVectorComputationMode) -> GasVector {
    match mode {
        GasVectorComputationMode::All => GasVector::from_l2_gas(GasAmount(amount)),
        GasVectorComputationMode::NoL2Gas => GasVector::from_l1_gas(GasAmount(amount)),
    }
}

fn total(parts: impl IntoIterator<Item = GasVector>, sum: Sum) -> Result<GasVector, FeeError> {
    parts.into_iter().try_fold(GasVector::ZERO, GasVector::checked_add).ok_or(FeeError::OutOfRange(sum))
}

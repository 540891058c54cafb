//! Resources priced in gas, part by part: archival data, state, messages, computation (C141).
//!
//! Input: `resources` and the protocol's prices. Output: gas vectors. In mode `All` computation and archival
//! data cost L2 gas; in mode `NoL2Gas` they cost L1 gas. Knows no token prices.

use starknet_api::execution_resources::{GasAmount, GasVector};
use starknet_api::transaction::fields::GasVectorComputationMode;

use super::error::{FeeError, Sum};
use super::ethereum;
use super::price::{l1_to_l2_gas, l2_to_l1_gas};
use super::resources::{ArchivalResources, ComputationResources, MessageResources, TransactionResources};
use super::state_gas::state_gas;
use crate::call::{CallInfo, EventSummary, ExecutionSummary};
use crate::protocol::{ArchivalPrice, Builtin, Constants, DataAvailability, VmResources};

/// The number of Cairo steps that one segment arena instance counts as (C145).
pub(crate) const STEPS_PER_SEGMENT_ARENA: u64 = 10;

impl TransactionResources {
    /// Returns the gas of the complete transaction.
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
    /// Returns the gas of calldata and signature, code, proof and events; each is rounded down separately
    /// ([C142](crate::rules#c142)).
    pub fn gas(&self, constants: &Constants, mode: &GasVectorComputationMode) -> Result<GasVector, FeeError> {
        let price = constants.archival.of(mode);
        let parts = [
            self.calldata_gas(price)?,
            self.code_gas(price)?,
            self.proof_gas(price, mode)?,
            event_amount(&self.events, price)?,
        ];
        let amount =
            parts.into_iter().try_fold(0_u64, u64::checked_add).ok_or(FeeError::OutOfRange(Sum::Archival))?;
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

/// Returns the gas of a call and the calls below it, as traces print it: computation, events and messages.
/// State changes, calldata and the work of the operating system belong to the transaction, not to a call.
pub fn call_gas(
    call: &CallInfo,
    constants: &Constants,
    mode: &GasVectorComputationMode,
) -> Result<GasVector, FeeError> {
    let summary = ExecutionSummary::of([call], constants).ok_or(FeeError::OutOfRange(Sum::Computation))?;
    let computation = ComputationResources {
        transaction_vm: summary.vm_resources,
        sierra_gas: summary.sierra_gas,
        ..ComputationResources::default()
    };
    let messages = MessageResources::new(summary.message_payloads, None)?;
    let parts =
        [computation.gas(constants, mode)?, event_gas(&summary.events, constants, mode)?, messages.gas()?];
    total(parts, Sum::Computation)
}

/// Returns the gas of events.
fn event_gas(
    events: &EventSummary,
    constants: &Constants,
    mode: &GasVectorComputationMode,
) -> Result<GasVector, FeeError> {
    Ok(in_mode(event_amount(events, constants.archival.of(mode))?, mode))
}

/// Returns `felt price * (key factor * keys + data)`, rounded down once (C142).
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

impl MessageResources {
    /// Returns the L1 gas of messages: in the Starknet contract and in the proof verifier
    /// ([C160](crate::rules#c160)).
    pub fn gas(&self) -> Result<GasVector, FeeError> {
        let verifier = self
            .segment_length
            .checked_mul(ethereum::VERIFIER_WORD)
            .map(|gas| GasVector::from_l1_gas(GasAmount(gas)))
            .ok_or(FeeError::OutOfRange(Sum::Messages))?;
        total([self.starknet_contract_gas()?, verifier], Sum::Messages)
    }

    /// Returns the L1 gas of messages in the Starknet contract only: the part that block capacity limits
    /// ([C203](crate::rules#c203)).
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
    /// Returns the gas of computation: virtual machine resources and Sierra gas, each rounded up separately
    /// ([C148](crate::rules#c148)).
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

/// Returns the gas of virtual machine resources: that of the most expensive one, since a proof is as long as
/// its longest part (C144, C145).
pub(super) fn vm_gas(
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
            resources
                .steps
                .checked_add(arena)?
                .checked_add(resources.memory_holes)?
                .checked_add(reverted_steps)
        })
        .ok_or(FeeError::OutOfRange(Sum::VmResources))?;
    let mut max_gas = constants.vm_fee.step.ceil_mul(steps).ok_or_else(|| out_of_range.clone())?;
    for (builtin, count) in resources.builtins.iter() {
        let gas = match builtin {
            // Counted as steps above.
            Builtin::SegmentArena => continue,
            Builtin::Blake => blake_l1_gas(constants)?.checked_mul(count),
            _ => constants.vm_fee.builtin(builtin).ceil_mul(count),
        };
        max_gas = max_gas.max(gas.ok_or_else(|| out_of_range.clone())?);
    }
    let max_gas = GasAmount(max_gas);
    Ok(match mode {
        GasVectorComputationMode::All => GasVector::from_l2_gas(l1_to_l2_gas(constants, max_gas)?),
        GasVectorComputationMode::NoL2Gas => GasVector::from_l1_gas(max_gas),
    })
}

/// Returns the L1 gas of one Blake compression: its Sierra gas in L1 gas, rounded up for each one (C146).
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

#[cfg(test)]
mod tests {
    use starknet_api::transaction::fields::GasVectorComputationMode::{All, NoL2Gas};

    use super::*;
    use crate::fee::fixture::{changes, constants, vector};
    use crate::protocol::BuiltinCounts;

    const NOW: &str = "0.14.4";

    fn archival() -> ArchivalResources {
        ArchivalResources {
            events: EventSummary { count: 2, keys: 3, data: 4 },
            extended_calldata_length: 10,
            signature_length: 2,
            code_size: 100,
            proof: false,
        }
    }

    #[test]
    fn archival_data_in_both_modes() {
        let now = constants(NOW);
        let mut data = archival();
        // 12 * 5120 + 100 * 1280 + 5120 * (2 * 3 + 4)
        assert_eq!(data.gas(&now, &All), Ok(vector(0, 0, 61_440 + 128_000 + 51_200)));
        // 1.536, 3.2 and 1.28, each rounded down.
        assert_eq!(data.gas(&now, &NoL2Gas), Ok(vector(1 + 3 + 1, 0, 0)));
        data.proof = true;
        assert_eq!(data.gas(&now, &All), Ok(vector(0, 0, 240_640 + 75_000_000)));
        assert_eq!(data.gas(&now, &NoL2Gas), Err(FeeError::ProofWithoutL2Gas));
    }

    #[test]
    fn archival_prices_by_version() {
        assert_eq!(archival().gas(&constants("0.13.0"), &All), Ok(GasVector::ZERO));
        assert_eq!(archival().gas(&constants("0.13.0"), &NoL2Gas), Ok(GasVector::ZERO));
        // Code at 0.875 per byte: 87.5.
        assert_eq!(archival().gas(&constants("0.13.1"), &NoL2Gas), Ok(vector(1 + 87 + 1, 0, 0)));
    }

    #[test]
    fn calldata_and_signature_are_rounded_together() {
        let half =
            ArchivalResources { extended_calldata_length: 4, signature_length: 4, ..Default::default() };
        // 8 * 0.128 = 1.024, while twice 0.512 would round down to nothing.
        assert_eq!(half.gas(&constants(NOW), &NoL2Gas), Ok(vector(1, 0, 0)));
    }

    #[test]
    fn one_event_key_costs_two_data_felts() {
        let now = constants(NOW);
        let events = |keys, data| EventSummary { count: 1, keys, data };
        assert_eq!(event_gas(&events(1, 0), &now, &All), Ok(vector(0, 0, 10_240)));
        assert_eq!(event_gas(&events(0, 1), &now, &All), Ok(vector(0, 0, 5_120)));
        // The number of events costs nothing by itself.
        assert_eq!(event_gas(&events(0, 0), &now, &All), Ok(GasVector::ZERO));
        assert_eq!(event_gas(&events(u64::MAX, 1), &now, &All), Err(FeeError::OutOfRange(Sum::Events)));
    }

    #[test]
    fn messages_to_l1() {
        let messages = MessageResources::new(vec![2, 5], None).unwrap();
        // 13 words; two counters; events of 2012 + 256 * payload.
        let contract = 13 * 512 + 2 * 20_000 + (2_012 + 512) + (2_012 + 1_280);
        assert_eq!(messages.starknet_contract_gas(), Ok(vector(contract, 0, 0)));
        assert_eq!(messages.gas(), Ok(vector(contract + 13 * 612, 0, 0)));
        assert_eq!(messages.gas(), Ok(vector(60_428, 0, 0)));
        assert_eq!(MessageResources::default().gas(), Ok(GasVector::ZERO));
    }

    #[test]
    fn message_from_l1() {
        let messages = MessageResources::new(vec![], Some(3)).unwrap();
        let contract = 8 * 512 + 5_000 + 2_643 + 768;
        assert_eq!(messages.starknet_contract_gas(), Ok(vector(contract, 0, 0)));
        assert_eq!(messages.gas(), Ok(vector(contract + 8 * 612, 0, 0)));
        assert_eq!(messages.gas(), Ok(vector(17_403, 0, 0)));
    }

    fn vm(steps: u64, memory_holes: u64, builtins: &[(Builtin, u64)]) -> VmResources {
        let mut counts = BuiltinCounts::ZERO;
        builtins.iter().for_each(|(builtin, count)| counts.set(*builtin, *count));
        VmResources { steps, memory_holes, builtins: counts }
    }

    #[test]
    fn the_most_expensive_resource_is_the_price() {
        let now = constants(NOW);
        let l1 = |resources: &VmResources, reverted| vm_gas(resources, reverted, &now, &NoL2Gas);
        // 1000 + 20 + 10 * 3 steps: 2.625.
        let mut used = vm(1_000, 20, &[(Builtin::SegmentArena, 3)]);
        assert_eq!(l1(&used, 0), Ok(vector(3, 0, 0)));
        // Reverted steps count as steps: 5.125.
        assert_eq!(l1(&used, 1_000), Ok(vector(6, 0, 0)));
        // 50 * 0.08 is 4, 101 * 0.04 is 4.04.
        used.builtins.set(Builtin::Pedersen, 50);
        assert_eq!(l1(&used, 0), Ok(vector(4, 0, 0)));
        used.builtins.set(Builtin::RangeCheck, 101);
        assert_eq!(l1(&used, 0), Ok(vector(5, 0, 0)));
        // In L2 gas: whole units of L1 gas.
        assert_eq!(vm_gas(&used, 0, &now, &All), Ok(vector(0, 0, 200_000)));
        assert_eq!(l1(&vm(0, 0, &[]), 0), Ok(GasVector::ZERO));
    }

    #[test]
    fn blake_is_rounded_up_each() {
        let used = vm(0, 0, &[(Builtin::Blake, 7)]);
        assert_eq!(vm_gas(&used, 0, &constants(NOW), &NoL2Gas), Ok(vector(7, 0, 0)));
        assert_eq!(vm_gas(&used, 0, &constants("0.14.1"), &NoL2Gas), Ok(GasVector::ZERO));
    }

    #[test]
    fn computation_rounds_each_part_up() {
        let now = constants(NOW);
        let computation = ComputationResources {
            transaction_vm: vm(100, 0, &[]),
            os_vm: vm(101, 0, &[]),
            reverted_steps: 200,
            sierra_gas: 40_000,
            reverted_sierra_gas: 1,
        };
        // 401 steps: 1.0025. Sierra gas: 1.000025.
        assert_eq!(computation.gas(&now, &NoL2Gas), Ok(vector(2 + 2, 0, 0)));
        assert_eq!(computation.gas(&now, &All), Ok(vector(0, 0, 80_000 + 40_001)));
    }

    #[test]
    fn a_transaction_is_the_sum_of_its_parts() {
        let resources = TransactionResources {
            archival: archival(),
            messages: MessageResources::new(vec![2, 5], None).unwrap(),
            state: changes(),
            computation: ComputationResources { sierra_gas: 7, ..Default::default() },
        };
        let gas = |mode| resources.gas(&constants(NOW), DataAvailability::Blob, &mode);
        assert_eq!(gas(All), Ok(vector(60_428, 480, 240_640 + 804_000 + 7)));
        assert_eq!(gas(NoL2Gas), Ok(vector(60_428 + 5 + 1, 480, 804_000)));
    }
}

//! Properties for all inputs: no panic at the extremes, more use never costs less, and no fee is above the
//! bounds.

use proptest::prelude::*;
use starknet_api::execution_resources::{GasAmount, GasVector};
use starknet_api::transaction::fields::GasVectorComputationMode::{self, All, NoL2Gas};
use starknet_api::transaction::fields::{Fee, Tip};

use super::StateChangesCount;
use super::fixture::{env_with, prices, with_all, with_l1_gas, with_max_fee};
use super::price::{fee_of, in_l1_gas};
use super::receipt::gas_fee;
use super::{
    ArchivalResources, ComputationResources, MessageResources, Receipt, TransactionResources, check_after,
    check_bounds_cover, check_chargeable, check_within_bounds, max_steps, minimal_gas,
};
use crate::call::EventSummary;
use crate::protocol::{
    BlockEnv, BlockPrices, Builtin, BuiltinCounts, DataAvailability, TransactionKind, VmResources,
};
use crate::state::{Journal, MemoryState};
use crate::syscall::TransactionInfo;

const VERSIONS: [&str; 6] = ["0.13.0", "0.13.1", "0.13.2", "0.13.4", "0.14.1", "0.14.4"];

/// Counts of every size, with the edges more often.
fn count() -> BoxedStrategy<u64> {
    prop_oneof![0_u64..5, 0_u64..1_000_000, any::<u64>(), Just(u64::MAX), Just(u64::MAX / 2)].boxed()
}

/// Counts that no sum of a few takes out of range.
fn small() -> BoxedStrategy<u64> {
    (0_u64..1_000_000).boxed()
}

fn price() -> impl Strategy<Value = u128> {
    prop_oneof![Just(0_u128), 1_u128..1_000_000_000_000, any::<u128>(), Just(u128::MAX)]
}

fn vm(of: BoxedStrategy<u64>) -> impl Strategy<Value = VmResources> {
    prop::collection::vec(of, 2 + Builtin::COUNT).prop_map(|counts| {
        let mut counts = counts.into_iter();
        let steps = counts.next().unwrap();
        let memory_holes = counts.next().unwrap();
        let mut builtins = BuiltinCounts::ZERO;
        Builtin::ALL.into_iter().zip(counts).for_each(|(builtin, count)| builtins.set(builtin, count));
        VmResources { steps, memory_holes, builtins }
    })
}

/// Resources from counts; a message segment out of range is what `segment` says.
fn resources(of: BoxedStrategy<u64>) -> impl Strategy<Value = TransactionResources> {
    let numbers = prop::collection::vec(of.clone(), 14);
    let payloads = prop::collection::vec(of.clone(), 0..4);
    (numbers, payloads, prop::option::of(of.clone()), vm(of.clone()), vm(of)).prop_map(
        |(numbers, payload_lengths, l1_handler_payload, transaction_vm, os_vm)| {
            let mut numbers = numbers.into_iter();
            let mut next = || numbers.next().unwrap();
            let segment = next();
            let messages = MessageResources::new(payload_lengths.clone(), l1_handler_payload)
                .unwrap_or(MessageResources { payload_lengths, segment_length: segment, l1_handler_payload });
            TransactionResources {
                archival: ArchivalResources {
                    events: EventSummary { count: next(), keys: next(), data: next() },
                    extended_calldata_length: next(),
                    signature_length: next(),
                    code_size: next(),
                    proof: false,
                },
                messages,
                state: StateChangesCount {
                    storage_updates: next(),
                    class_hash_updates: next(),
                    compiled_class_hash_updates: next(),
                    modified_contracts: next(),
                    allocated_cells: next(),
                },
                computation: ComputationResources {
                    transaction_vm,
                    os_vm,
                    reverted_steps: next(),
                    sierra_gas: next(),
                    reverted_sierra_gas: 0,
                },
            }
        },
    )
}

fn data_availability() -> impl Strategy<Value = DataAvailability> {
    prop_oneof![Just(DataAvailability::Blob), Just(DataAvailability::Calldata)]
}

fn mode(all: bool) -> GasVectorComputationMode {
    if all { All } else { NoL2Gas }
}

fn version() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&VERSIONS[..])
}

fn vector() -> impl Strategy<Value = GasVector> {
    (count(), count(), count()).prop_map(|(l1, data, l2)| super::fixture::vector(l1, data, l2))
}

fn block() -> impl Strategy<Value = BlockEnv> {
    (version(), data_availability(), prop::collection::vec(price(), 6)).prop_map(
        |(version, availability, six)| {
            let of = |from: usize| {
                let mut three = six.iter().copied().skip(from);
                let mut next = || three.next().unwrap();
                prices(next(), next(), next())
            };
            env_with(version, availability, BlockPrices { wei: of(0), fri: of(3) })
        },
    )
}

fn info() -> impl Strategy<Value = TransactionInfo> {
    let bound = || (count(), price());
    prop_oneof![
        price().prop_map(with_max_fee),
        bound().prop_map(|(amount, price)| with_l1_gas(amount, price)),
        (bound(), bound(), bound(), any::<u64>())
            .prop_map(|(l1_gas, data_gas, l2_gas, tip)| with_all(l1_gas, data_gas, l2_gas, tip)),
    ]
}

/// Every part of `more` at least that of `less`.
fn at_least(more: &GasVector, less: &GasVector) -> bool {
    more.l1_gas >= less.l1_gas && more.l1_data_gas >= less.l1_data_gas && more.l2_gas >= less.l2_gas
}

/// Both together. Every field of the sum is at least that of either.
fn sum(left: &TransactionResources, right: &TransactionResources) -> TransactionResources {
    let (a, b) = (&left.archival, &right.archival);
    let (s, t) = (&left.state, &right.state);
    let (c, d) = (&left.computation, &right.computation);
    let payloads = [left.messages.payload_lengths.clone(), right.messages.payload_lengths.clone()].concat();
    let consumed = left.messages.l1_handler_payload.or(right.messages.l1_handler_payload);
    TransactionResources {
        archival: ArchivalResources {
            events: EventSummary {
                count: a.events.count + b.events.count,
                keys: a.events.keys + b.events.keys,
                data: a.events.data + b.events.data,
            },
            extended_calldata_length: a.extended_calldata_length + b.extended_calldata_length,
            signature_length: a.signature_length + b.signature_length,
            code_size: a.code_size + b.code_size,
            proof: false,
        },
        messages: MessageResources::new(payloads, consumed).unwrap(),
        state: StateChangesCount {
            storage_updates: s.storage_updates + t.storage_updates,
            class_hash_updates: s.class_hash_updates + t.class_hash_updates,
            compiled_class_hash_updates: s.compiled_class_hash_updates + t.compiled_class_hash_updates,
            modified_contracts: s.modified_contracts + t.modified_contracts,
            allocated_cells: s.allocated_cells + t.allocated_cells,
        },
        computation: ComputationResources {
            transaction_vm: c.transaction_vm.checked_add(&d.transaction_vm).unwrap(),
            os_vm: c.os_vm.checked_add(&d.os_vm).unwrap(),
            reverted_steps: c.reverted_steps + d.reverted_steps,
            sierra_gas: c.sierra_gas + d.sierra_gas,
            reverted_sierra_gas: c.reverted_sierra_gas + d.reverted_sierra_gas,
        },
    }
}

proptest! {
    #[test]
    fn pricing_never_panics(
        resources in resources(count()), version in version(), availability in data_availability(), all: bool
    ) {
        let constants = super::fixture::constants(version);
        let _ = resources.gas(&constants, availability, &mode(all));
    }

    #[test]
    fn more_use_never_costs_less(
        less in resources(small()), more in resources(small()), version in version(),
        availability in data_availability(), all: bool
    ) {
        let constants = super::fixture::constants(version);
        let gas = |resources: &TransactionResources| resources.gas(&constants, availability, &mode(all)).unwrap();
        prop_assert!(at_least(&gas(&sum(&less, &more)), &gas(&less)));
    }

    #[test]
    fn more_gas_never_costs_less(less in vector(), more in vector(), env in block(), tip: u64) {
        let (Some(both), prices) = (less.checked_add(more), &env.block.prices.fri) else { return Ok(()) };
        if let Ok(fee) = fee_of(&both, prices, Tip(tip)) {
            prop_assert!(fee_of(&less, prices, Tip(tip)).unwrap() <= fee);
        }
        if let Ok(gas) = in_l1_gas(&both, prices, &env.constants) {
            prop_assert!(in_l1_gas(&less, prices, &env.constants).unwrap() <= gas);
        }
    }

    #[test]
    fn checks_never_panic_and_never_charge_above_the_bounds(
        env in block(), info in info(), gas in vector(), balance: u128, charge: bool, calldata in count()
    ) {
        for kind in TransactionKind::ALL {
            let _ = minimal_gas(&env, &info, kind, calldata);
        }
        prop_assert!(max_steps(&env, &info, 1_000, true) <= 1_000);
        let admitted = check_bounds_cover(&env, &info, gas).is_ok();
        let Ok(fee) = gas_fee(&env, &info, &gas) else { return Ok(()) };
        let receipt = Receipt { fee, gas, ..Default::default() };
        let token = env.chain.fee_token(info.fee_type());
        let state = MemoryState::default().with_balance(token, info.sender, balance);
        let Ok(found) = check_after(&mut Journal::new(&state), &env, &info, &receipt, charge) else {
            return Ok(());
        };
        prop_assert!(charge || found.error.is_none());
        if !charge {
            return Ok(());
        }
        let within = check_within_bounds(&env, &info, &receipt).unwrap();
        prop_assert!(within.is_none() || found.error == within);
        if found.error.is_none() {
            prop_assert!(found.recommended_fee == fee && fee <= Fee(balance));
        }
        // Bounds that cover this very gas at the block's prices are neither exceeded nor do they limit the
        // fee.
        if admitted && info.gas_mode() == All {
            prop_assert_eq!(within, None);
            prop_assert!(check_chargeable(&env, &info, found.recommended_fee).is_ok());
        }
    }

    #[test]
    fn a_cut_fee_is_within_what_was_promised(
        l1_gas in count(), data_gas in count(), l2_gas in count(), gas in vector(), tip in 0_u64..1_000
    ) {
        // Admission makes sure of the prices: the bounds are at least the block's.
        let env = env_with("0.14.4", DataAvailability::Blob, BlockPrices { fri: prices(50, 7, 3), ..Default::default() });
        let info = with_all((l1_gas, 50), (data_gas, 8), (l2_gas, 3), tip);
        let state = MemoryState::default();
        let receipt = Receipt { fee: gas_fee(&env, &info, &gas).unwrap(), gas, ..Default::default() };
        let found = check_after(&mut Journal::new(&state), &env, &info, &receipt, true).unwrap();
        if matches!(found.error, Some(super::FeeCheckError::MaxGasAmountExceeded { .. })) {
            prop_assert!(found.recommended_fee <= receipt.fee);
            prop_assert!(check_chargeable(&env, &info, found.recommended_fee).is_ok());
        }
    }

    #[test]
    fn in_l1_gas_is_exact(data in count(), l1 in 1_u128..1_000_000, price in 0_u128..1_000_000) {
        let constants = super::fixture::constants("0.14.4");
        let gas = GasVector::from_l1_data_gas(GasAmount(data));
        if let Ok(amount) = in_l1_gas(&gas, &prices(l1, price, 0), &constants) {
            let (paid, due) = (u128::from(amount.0) * l1, u128::from(data) * price);
            prop_assert!(paid >= due && paid - due < l1);
        }
    }
}

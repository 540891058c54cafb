//! L1 handlers: C41 to C49.

use serde_json::Value;
use starkiln::block::TransactionStatus::{Invalid, Reverted, Succeeded};
use starkiln::call::FailureCause;
use starkiln::fee::{FeeCheckError, PaidFeeError};
use starkiln::protocol::{TransactionKind, well_known};
use starkiln::state::StateDiff;
use starkiln::transaction::{InvalidTransaction, RevertReason};
use starknet_api::contract_class::EntryPointType;
use starknet_types_core::felt::Felt;

use super::world::classes::compiled;
use super::world::*;

/// `syscalls`, with some of its external functions as L1 handlers too: the L1 sender is their first argument.
pub(crate) fn with_handlers(functions: &[&str]) -> Value {
    let mut class = compiled("syscalls");
    let external = class["entry_points_by_type"]["EXTERNAL"].as_array().unwrap().clone();
    let handlers = class["entry_points_by_type"]["L1_HANDLER"].as_array_mut().unwrap();
    for name in functions {
        let wanted = selector(name);
        let found = external
            .iter()
            .find(|entry| Felt::from_hex(entry["selector"].as_str().unwrap()).unwrap() == wanted);
        handlers.push(found.unwrap().clone());
    }
    handlers.sort_by_key(|entry| Felt::from_hex(entry["selector"].as_str().unwrap()).unwrap());
    class
}

#[test]
fn c41_a_handler_sees_a_transaction_of_version_0_without_fee_and_signature() {
    let mut world = World::furnished(Version::NEWEST);
    let class_hash = world.make(0x41, &with_handlers(&["store_info"]), "1.7.0");
    world.place(class_hash, MADE);
    world.set_nonce(MADE, 9);
    let ran = world.one(&message(MADE, "store_info", felts(&[100])));
    // Version, account, max fee, signature length, hash, chain, nonce, number of bounds, caller, contract,
    // selector, block.
    let cell = |index: u128| ran.stored(MADE, key(100 + index)).unwrap_or_default();
    let seen: Vec<Felt> = (0..14).map(cell).collect();
    let expected = [
        Felt::ZERO,
        felt(MADE),
        Felt::ZERO,
        Felt::ZERO,
        Felt::ONE,
        short("SN_TEST"),
        Felt::ZERO,
        Felt::ZERO,
        Felt::ZERO,
        felt(MADE),
        selector("store_info"),
        felt(1_234),
        felt(1_700_000_123),
        felt(SEQUENCER),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn c42_a_handler_has_caller_zero_and_the_sender_before_the_payload() {
    let world = World::furnished(Version::NEWEST);
    let ran = world.one(&message(SYSCALLS, "handle", felts(&[0xe, 1, 2])));
    let call = &ran.root(0).call;
    assert_eq!(
        (call.entry_point_type, call.caller_address, call.code_address),
        (EntryPointType::L1Handler, address(0), None)
    );
    assert_eq!(call.calldata.0[..], felts(&[0xe, 1, 2]));
    let resources = &ran.execution(0).receipt.resources;
    assert_eq!(resources.messages.l1_handler_payload, Some(2));
    assert_eq!(resources.archival.extended_calldata_length, 2);
}

#[test]
fn c43_a_handler_has_gas_by_version_and_no_step_bound() {
    for (version, gas) in
        [(Version::V0_13_6, 10_000_000_000), (Version::V0_14_0, 100_000_000), (Version::NEWEST, 100_000_000)]
    {
        let mut world = World::furnished(version);
        let class_hash = world.make(0x43, &with_handlers(&["loop_n"]), "1.6.0");
        world.place(class_hash, MADE);
        let ran = world.run(&[
            message(SYSCALLS, "handle", felts(&[0xe, 1, 2])),
            message(MADE, "loop_n", felts(&[3_000])),
        ]);
        assert_eq!(ran.root(0).call.initial_gas, gas, "{version}");
        // A step bound from a fee of 0 would allow no step.
        assert!(ran.root(1).resources.steps > 20_000);
    }
}

#[test]
fn c44_a_failed_or_too_expensive_handler_is_reverted_and_costs_nothing() {
    let mut world = World::furnished(Version::V0_14_1);
    let class_hash = world.make(0x44, &with_handlers(&["storage_write_many"]), "1.7.0");
    world.place(class_hash, MADE);
    let ran = world.run(&[
        message(SYSCALLS, "handle_and_panic", felts(&[0xe, 1, 2])),
        // 400 new cells: 38,400 data gas, above the limit of 20,000.
        message(MADE, "storage_write_many", felts(&[1, 400, 7])),
        message(MADE, "storage_write_many", felts(&[1, 100, 7])),
    ]);
    assert_eq!(ran.statuses(), [Reverted, Reverted, Succeeded]);
    assert_eq!(ran.cause(0), FailureCause::Panic);
    let reason = ran.execution(1).revert_reason.as_ref().unwrap();
    assert!(matches!(reason, RevertReason::Cost(FeeCheckError::MaxGasAmountExceeded { .. })), "{reason}");
    assert!(
        reason.to_string().starts_with("Insufficient max L1DataGas: max amount: 20000, actual used: "),
        "{reason}"
    );
    for index in 0..2 {
        let execution = ran.execution(index);
        assert_eq!(ran.at(index).state_diff, StateDiff::default());
        assert!(execution.execute_call.is_none() && execution.reverted_call.is_some());
        let resources = &execution.receipt.resources;
        assert_eq!(resources.state, Default::default());
        assert_eq!(resources.messages.payload_lengths, [0_u64; 0]);
        let computation = &resources.computation;
        assert_eq!(
            (computation.reverted_steps, computation.sierra_gas, computation.reverted_sierra_gas),
            (0, 0, 0)
        );
        assert_eq!(computation.transaction_vm, Default::default());
        assert_eq!(execution.receipt.gas.l1_data_gas.0, 0);
    }
}

#[test]
fn c45_handlers_are_reverted_at_every_version() {
    for version in Version::SUPPORTED {
        let world = World::furnished(version);
        let ran = world.one(&message(SYSCALLS, "handle_and_panic", felts(&[0xe, 1, 2])));
        assert_eq!(ran.statuses(), [Reverted], "{version}");
    }
}

#[test]
fn c46_a_successful_handler_must_have_been_paid_for() {
    let world = World::furnished(Version::NEWEST);
    let ran = world.run(&[
        message(SYSCALLS, "handle", felts(&[0xe, 1, 2])).paid(0),
        message(SYSCALLS, "handle_and_panic", felts(&[0xe, 1, 2])).paid(0),
        message(SYSCALLS, "handle", felts(&[0xe, 1, 2])).paid(1),
    ]);
    assert_eq!(ran.statuses(), [Invalid, Reverted, Succeeded]);
    let InvalidTransaction::PaidOnL1(PaidFeeError::InsufficientFee { paid_fee, actual_fee }) = ran.invalid(0)
    else {
        panic!("{}", ran.invalid(0))
    };
    assert_eq!(paid_fee.0, 0);
    // In wei. The amount paid is not compared with the fee: the third paid less.
    assert!(actual_fee.0 > 1_000);
    assert!(ran.at(0).state_diff.is_empty());
}

#[test]
fn c47_a_handlers_receipt_has_all_gas_kinds_no_fee_and_no_sender() {
    let world = World::furnished(Version::NEWEST);
    let ran = world.run(&[
        message(SYSCALLS, "handle_and_answer", join(&[&felts(&[0xe]), &span(&felts(&[1]))])),
        message(SYSCALLS, "handle", felts(&[0xe, 1, 2])),
    ]);
    let receipt = &ran.execution(0).receipt;
    assert_eq!(receipt.fee.0, 0);
    assert!(receipt.gas.l2_gas.0 > 0, "L2 gas is counted by itself");
    assert!(ran.execution(0).fee_transfer_call.is_none());
    // Nothing was written, and no balance update is counted.
    assert_eq!(receipt.resources.state, Default::default());
    assert_eq!(receipt.resources.archival.signature_length, 0);
    let state = &ran.execution(1).receipt.resources.state;
    assert_eq!((state.storage_updates, state.modified_contracts), (4, 1));
}

#[test]
fn c48_the_os_overhead_of_a_handler_grows_with_its_payload() {
    let world = World::furnished(Version::NEWEST);
    let answer = |count: u128| {
        let payload: Vec<Felt> = (0..count).map(felt).collect();
        message(SYSCALLS, "handle_and_answer", join(&[&felts(&[0xe]), &span(&payload)]))
    };
    let ran = world.run(&[answer(1), answer(9)]);
    let constants = world.constants();
    for (index, payload) in [(0, 2), (1, 10)] {
        let system = constants.transaction_os_resources(TransactionKind::L1Handler, payload).unwrap();
        let published = constants.kzg_os_resources(0).unwrap();
        let expected = system.checked_add(&published).unwrap();
        assert_eq!(ran.execution(index).receipt.resources.computation.os_vm, expected);
    }
}

#[test]
fn c49_one_class_cannot_execute_in_version_0() {
    let mut world = World::furnished(Version::NEWEST);
    world.alias("account_open", well_known::FAULTY_CLASS_HASH);
    world.place(well_known::FAULTY_CLASS_HASH, MADE);
    world.fund(address(MADE), u128::MAX);
    let meta = join(&[&[felt(MADE), selector("__execute__")], &span(&felts(&[0])), &span(&[])]);
    let ran = world.run(&[
        invoke(SYSCALLS, "nothing", vec![]).from(MADE),
        invoke(MADE, "public_key", vec![]),
        invoke_v1(MAX_FEE, MADE, "public_key", vec![]),
        invoke_v0(MAX_FEE, MADE, "public_key", vec![]),
        message(MADE, "handle", felts(&[1])),
        invoke(SYSCALLS_NEW, "meta_tx", meta.clone()),
        invoke(SYSCALLS_NEW, "meta_tx_and_catch", meta),
    ]);
    assert_eq!(ran.statuses(), [Succeeded, Succeeded, Succeeded, Invalid, Reverted, Reverted, Reverted]);
    for text in [ran.invalid(3).to_string(), ran.reason(4), ran.reason(5), ran.reason(6)] {
        assert!(text.ends_with("Fraud attempt blocked.\n"), "{text}");
    }
}

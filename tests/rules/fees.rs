//! Resources and fees of complete transactions, C141 to C173: the cases that the unit tests of `src/fee`
//! cannot cover.

use starkiln::block::TransactionStatus::{Reverted, Succeeded};
use starkiln::protocol::DataAvailability;

use super::world::*;

fn emit(keys: u128, data: u128) -> Tx {
    invoke(SYSCALLS, "emit_sized", felts(&[keys, data]))
}

#[test]
fn c150_c153_the_os_overhead_of_a_transaction() {
    for availability in [DataAvailability::Blob, DataAvailability::Calldata] {
        let mut world = World::furnished(Version::NEWEST);
        world.file.block.data_availability = availability;
        let calldata = calls(&[(SYSCALLS, "storage_write_many", felts(&[1, 3, 7]))]);
        let ran = world.one(&invoke(SYSCALLS, "storage_write_many", felts(&[1, 3, 7])));
        let receipt = &ran.execution(0).receipt;
        let constants = world.constants();
        let kind = starkiln::protocol::TransactionKind::Invoke;
        let system = constants.transaction_os_resources(kind, calldata.len() as u64).unwrap();
        // Two modified contracts (account, contract), three cells and the balance: 2 * 2 + 2 * 4 felts.
        let expected = match availability {
            DataAvailability::Blob => system.checked_add(&constants.kzg_os_resources(12).unwrap()).unwrap(),
            DataAvailability::Calldata => system,
        };
        assert_eq!(receipt.resources.computation.os_vm, expected);
        let state = &receipt.resources.state;
        assert_eq!((state.storage_updates, state.modified_contracts, state.allocated_cells), (4, 2, 3));
        match availability {
            DataAvailability::Blob => {
                assert_eq!((receipt.da_gas.l1_gas.0, receipt.da_gas.l1_data_gas.0), (0, 12 * 32))
            }
            DataAvailability::Calldata => assert_eq!(receipt.da_gas.l1_gas.0, 12 * 551 - 2 * 312 - 240),
        }
    }
}

#[test]
fn c155_the_fee_token_is_not_a_modified_contract_and_the_balance_counts_once() {
    let world = World::furnished(Version::NEWEST);
    let ran = world.run(&[
        invoke(STRK, "transfer", felts(&[9, 5, 0])),
        invoke(ETH, "transfer", felts(&[9, 5, 0])),
        invoke(SYSCALLS, "nothing", vec![]),
    ]);
    let state = |index: usize| {
        let state = &ran.execution(index).receipt.resources.state;
        (state.storage_updates, state.modified_contracts)
    };
    // Two balances, one of them the sender's; with another token that is a third cell and a second contract.
    assert_eq!((state(0), state(1), state(2)), ((2, 1), (3, 2), (1, 1)));
}

#[test]
fn c156_deployed_replaced_and_declared_class_hashes_are_counted() {
    let mut world = World::furnished(Version::NEWEST);
    let (nft, pool, old) = (world.declare("nft"), world.offer("pool"), world.offer("cairo0/no_constructor"));
    let ran = world.run(&[
        invoke(SYSCALLS, "deploy", join(&[&[nft.0, felt(1)], &span(&[]), &felts(&[0])])),
        invoke(SYSCALLS, "replace_class", vec![nft.0]),
        declare(pool, world.compiled_class_hashes(pool)[1]),
        declare_old(1, old),
    ]);
    let state = |index: usize| {
        let state = &ran.execution(index).receipt.resources.state;
        (state.class_hash_updates, state.compiled_class_hash_updates, state.modified_contracts)
    };
    assert_eq!([state(0), state(1), state(2), state(3)], [(1, 0, 2), (1, 0, 2), (0, 1, 1), (0, 0, 1)]);
}

#[test]
fn c157_a_cell_is_allocated_if_it_was_zero_and_is_not() {
    let mut world = World::furnished(Version::NEWEST);
    world.store(SYSCALLS, key(7), felt(70));
    let write = |list: &[(u128, u128)]| {
        let list: Vec<_> =
            list.iter().map(|(at, value)| (SYSCALLS, "storage_write", felts(&[*at, *value]))).collect();
        invoke_raw(ACCOUNT, calls(&list))
    };
    let ran = world.run(&[
        write(&[(1, 5), (1, 0)]),
        write(&[(1, 5), (1, 6)]),
        write(&[(7, 0)]),
        write(&[(7, 1)]),
        // The value before the block counts, not the one before the transaction: cell 1 is allocated already.
        write(&[(1, 9)]),
    ]);
    let allocated = |index: usize| ran.execution(index).receipt.resources.state.allocated_cells;
    assert_eq!((0..5).map(allocated).collect::<Vec<_>>(), [0, 1, 0, 1, 0]);
}

#[test]
fn c161_messages_of_a_reverted_call_cost_nothing() {
    let world = World::furnished(Version::NEWEST);
    let send = target(SYSCALLS, "send_message", &join(&[&felts(&[0xe]), &span(&felts(&[1, 2]))]));
    let ran = world.run(&[
        invoke(CALLER, "call_and_catch", target(CALLER, "call_then_panic", &join(&[&send, &felts(&[9])]))),
        invoke(CALLER, "call_and_catch", send),
    ]);
    let (caught, sent) = (&ran.execution(0).receipt, &ran.execution(1).receipt);
    assert_eq!((caught.resources.messages.payload_lengths.len(), caught.gas.l1_gas.0), (0, 0));
    assert_eq!(sent.resources.messages.payload_lengths, [2]);
    assert_eq!(sent.gas.l1_gas.0, 5 * (512 + 612) + 20_000 + 2_012 + 2 * 256);
}

#[test]
fn c170_in_0_13_1_only_outermost_events_are_paid_for() {
    for (version, counted) in
        [(Version::V0_13_0, 1), (Version::V0_13_1, 0), (Version::V0_13_1_1, 1), (Version::NEWEST, 1)]
    {
        let world = World::furnished(version);
        let ran = world.run(&[emit(2, 3).signed(&felts(&[7, 1]))]);
        let events = &ran.execution(0).receipt.resources.archival.events;
        // The event of validation is of an outermost call: one key, one data felt.
        assert_eq!((events.keys, events.data), (1 + 2 * counted, 1 + 3 * counted), "{version}");
    }
}

#[test]
fn c171_the_fee_transfer_is_not_in_the_receipt_and_its_event_is_in_the_block() {
    let world = World::furnished(Version::NEWEST);
    let ran = world.one(&invoke(SYSCALLS, "nothing", vec![]));
    let execution = ran.execution(0);
    assert_eq!(execution.receipt.resources.archival.events, Default::default());
    let events = execution.events();
    assert_eq!((events.len(), events[0].from_address), (1, address(STRK)));
    let computation = &execution.receipt.resources.computation;
    let validate = execution.validate_call.as_ref().unwrap().gas_consumed;
    assert_eq!(computation.sierra_gas, validate + ran.root(0).gas_consumed);
    assert!(execution.fee_transfer_call.as_ref().unwrap().gas_consumed > 0);
}

#[test]
fn c172_a_reverted_transaction_pays_for_its_calldata_and_signature() {
    let world = World::furnished(Version::NEWEST);
    let tx = invoke(SYSCALLS, "panic_with", span(&felts(&[1, 2, 3]))).signed(&felts(&[0, 0, 0, 0]));
    let ran = world.one(&tx);
    assert_eq!(ran.statuses(), [Reverted]);
    let archival = &ran.execution(0).receipt.resources.archival;
    let calldata = calls(&[(SYSCALLS, "panic_with", span(&felts(&[1, 2, 3])))]).len() as u64;
    assert_eq!((archival.extended_calldata_length, archival.signature_length), (calldata, 4));
}

#[test]
fn c249_sierra_gas_and_vm_cost_are_rounded_separately() {
    let world = World::furnished(Version::NEWEST);
    let both = target(STEPS, "recurse", &felts(&[4, 0]));
    let ran = world.run(&[
        invoke(CALLER, "call", both.clone()),
        invoke(CALLER, "call", both).bounds(l1_bounds(1_000_000)),
    ]);
    assert_eq!(ran.statuses(), [Succeeded, Succeeded]);
    let values = |index: usize| {
        let receipt = &ran.execution(index).receipt;
        let computation = &receipt.resources.computation;
        let vm = computation.transaction_vm.checked_add(&computation.os_vm).unwrap();
        (receipt, computation.sierra_gas, vm.steps + vm.memory_holes)
    };
    let (receipt, sierra, steps) = values(0);
    // Steps are the most expensive VM resource here; calldata and signature cost 5,120 a felt.
    let felts = receipt.resources.archival.extended_calldata_length;
    assert!(sierra % 40_000 != 0 && steps % 400 != 0);
    assert_eq!(receipt.gas.l2_gas.0, steps.div_ceil(400) * 40_000 + sierra + felts * 5_120);
    let (receipt, sierra, steps) = values(1);
    assert_eq!(receipt.gas.l1_gas.0, steps.div_ceil(400) + sierra.div_ceil(40_000) + felts * 128 / 1_000);
}

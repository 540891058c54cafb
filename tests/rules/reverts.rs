//! Reverts of inner calls: C93 to C102.

use starkiln::block::TransactionStatus::{Reverted, Succeeded};
use starkiln::call::{CallInfo, FailureCause};
use starkiln::protocol::well_known;
use starknet_types_core::felt::Felt;

use super::world::*;

fn catch(to: u128, name: &str, calldata: &[Felt]) -> (u128, &'static str, Vec<Felt>) {
    (CALLER, "call_and_catch", target(to, name, calldata))
}

fn panicking(to: u128, name: &str, calldata: &[Felt]) -> (u128, &'static str, Vec<Felt>) {
    catch(CALLER, "call_then_panic", &join(&[&target(to, name, calldata), &felts(&[9])]))
}

fn one(call: (u128, &str, Vec<Felt>)) -> Tx {
    invoke_raw(ACCOUNT, calls(&[call]))
}

#[test]
fn c93_a_failed_call_reverts_the_effects_of_its_call_tree() {
    let mut world = World::furnished(Version::NEWEST);
    let (nft, caller) = (world.declare("nft"), world.declare("caller"));
    let deploy = join(&[&[nft.0, felt(1)], &span(&[]), &felts(&[0])]);
    let message = join(&[&felts(&[0xe]), &span(&felts(&[1]))]);
    let ran = world.run(&[
        one(panicking(SYSCALLS, "emit_sized", &felts(&[1, 1]))),
        one(panicking(SYSCALLS, "send_message", &message)),
        one(panicking(SYSCALLS, "storage_write", &felts(&[1, 2]))),
        one(panicking(SYSCALLS, "deploy", &deploy)),
        one(panicking(CALLER, "noisy_call", &target(CALLER, "noisy_panic", &felts(&[3])))),
        one((CALLER, "library_call_and_catch", library(caller, "write_and_panic", &felts(&[5, 6])))),
    ]);
    assert_eq!(ran.statuses(), [Succeeded; 6]);
    for index in 0..6 {
        let caught = ran.inner(index);
        assert_eq!(caught.retdata[0], Felt::ZERO);
        assert!(caught.inner_calls[0].failed);
        assert!(caught.iter().all(|call| call.events.is_empty() && call.messages.is_empty()));
        // Only the fee transfer remains.
        assert_eq!(ran.execution(index).events().len(), 1);
        assert_eq!(ran.at(index).state_diff.storage.keys().collect::<Vec<_>>(), [&address(STRK)]);
        assert!(ran.at(index).state_diff.deployed.is_empty());
        // The callee of the panicking call succeeded, and is not marked as failed.
        if index < 4 {
            assert!(!caught.inner_calls[0].inner_calls[0].failed);
        }
    }
}

#[test]
fn c94_each_level_appends_one_flag_for_its_caller() {
    let world = World::furnished(Version::NEWEST);
    let panics = target(SYSCALLS, "panic_with", &span(&felts(&[7])));
    let ran = world.one(&one(catch(CALLER, "call", &panics)));
    let (outer, middle) = (ran.inner(0), &ran.inner(0).inner_calls[0]);
    let innermost = &middle.inner_calls[0];
    let failed = well_known::ENTRYPOINT_FAILED;
    assert_eq!(innermost.retdata, felts(&[7]));
    assert_eq!(middle.retdata, [felt(7), failed]);
    assert_eq!(outer.retdata, [Felt::ZERO, felt(3), felt(7), failed, failed]);
}

#[test]
fn c95_order_numbers_and_the_count_of_events_are_restored() {
    let world = World::furnished(Version::NEWEST);
    let most = world.constants().limits.event_max_count;
    let emit = |count: u64| join(&[&[Felt::from(count)], &span(&[]), &span(&[])]);
    let both = |count| {
        invoke_raw(
            ACCOUNT,
            calls(&[panicking(SYSCALLS, "emit_events", &emit(most)), (SYSCALLS, "emit_events", emit(count))]),
        )
    };
    let ran = world.run(&[both(most), both(most + 1)]);
    assert_eq!(ran.statuses(), [Succeeded, Reverted]);
    let kept = &ran.root(0).inner_calls[1];
    assert_eq!((kept.events[0].order, kept.events.len() as u64), (0, most));
}

fn cell(value: u128) -> Felt {
    felt(value)
}

#[test]
fn c96_a_failed_call_restores_the_cell() {
    let mut world = World::furnished(Version::NEWEST);
    world.store(CALLER, key(77), felt(10));
    // 11 before the call, 12 by the callee that panics, 13 after.
    let around = |name: &str, calldata: &[Felt]| {
        invoke(CALLER, "write_call_write", join(&[&felts(&[77, 11, 13]), &target(CALLER, name, calldata)]))
    };
    let ran = world.run(&[around("write_and_panic", &felts(&[77, 12])), around("write", &felts(&[77, 12]))]);
    assert_eq!(ran.inner(0).retdata.last(), Some(&cell(11)));
    assert_eq!(ran.inner(1).retdata.last(), Some(&cell(12)));
    assert_eq!(ran.stored(CALLER, key(77)), Some(felt(13)));
}

#[test]
fn c97_a_first_write_of_an_inner_call_is_reverted() {
    let mut world = World::furnished(Version::NEWEST);
    world.store(CALLER, variable("after"), felt(40));
    // The inner noisy call sets `after` from 40 to 41, the outer one, which had not written it, from 41 to
    // 42; then all of it fails.
    let inner = target(CALLER, "noisy_call", &target(SYSCALLS, "nothing", &[]));
    let ran = world.run(&[
        one(panicking(CALLER, "noisy_call", &inner)),
        invoke(CALLER, "counters", vec![]),
        invoke(CALLER, "noisy_call", inner),
    ]);
    assert_eq!(ran.inner(0).retdata[0], Felt::ZERO);
    assert!(!ran.at(0).state_diff.storage.contains_key(&address(CALLER)));
    assert_eq!(ran.inner(1).retdata, felts(&[0, 40, 0]));
    assert_eq!(ran.stored(CALLER, variable("after")), Some(felt(42)));
}

#[test]
fn c99_a_restored_class_hash_is_no_change() {
    let mut world = World::furnished(Version::NEWEST);
    let first = world.deploy("upgradable", MADE);
    let second = world.declare("upgradable_v2");
    let ran = world.run(&[invoke_raw(
        ACCOUNT,
        calls(&[
            catch(MADE, "upgrade_and_panic", &[second.0]),
            (SYSCALLS_NEW, "class_hash_at", felts(&[MADE])),
            (MADE, "version", vec![]),
        ]),
    )]);
    let answers = &ran.root(0).inner_calls;
    assert_eq!((&answers[1].retdata, &answers[2].retdata), (&vec![first.0], &felts(&[1])));
    assert!(ran.0.state_diff.replaced.is_empty() && ran.0.state_diff.deployed.is_empty());
    assert_eq!(ran.execution(0).receipt.resources.state.class_hash_updates, 0);
}

#[test]
fn c100_a_write_reads_the_previous_value_without_counting_as_a_read() {
    let mut world = World::furnished(Version::NEWEST);
    world.store(SYSCALLS, key(5), felt(50));
    let ran = world.run(&[
        invoke(SYSCALLS, "storage_write", felts(&[5, 51])),
        invoke(SYSCALLS, "storage_read", felts(&[5])),
    ]);
    assert_eq!(ran.0.initial_reads.storage[&(address(SYSCALLS), key(5))], felt(50));
    let (write, read) = (&ran.inner(0).accesses, &ran.inner(1).accesses);
    assert!(write.read_values.is_empty() && write.storage_keys.contains(&key(5)));
    assert_eq!(read.read_values, felts(&[51]));
}

#[test]
fn c101_reads_of_a_failed_call_stay() {
    let mut world = World::furnished(Version::NEWEST);
    world.store(SYSCALLS, key(5), felt(50));
    let ran = world.run(&[invoke_raw(
        ACCOUNT,
        calls(&[
            panicking(SYSCALLS, "storage_read", &felts(&[5])),
            panicking(SYSCALLS, "block_hash", &felts(&[1_224])),
            panicking(SYSCALLS_NEW, "class_hash_at", &felts(&[SYSCALLS])),
        ]),
    )]);
    let innermost =
        |index: usize| -> &CallInfo { &ran.root(0).inner_calls[index].inner_calls[0].inner_calls[0] };
    assert_eq!(innermost(0).accesses.read_values, felts(&[50]));
    assert_eq!(innermost(1).accesses.block_hash_values[0].0, felt(0xb10c));
    assert!(innermost(2).accesses.contract_addresses.contains(&address(SYSCALLS)));
    assert!(ran.0.initial_reads.storage.contains_key(&(address(SYSCALLS), key(5))));
}

#[test]
fn c102_cairo_0_neither_catches_nor_can_be_caught() {
    let world = World::furnished(Version::NEWEST);
    let through_old = |name: &str, calldata: &[Felt]| {
        catch(OLD_SYSCALLS, "call_contract", &target(SYSCALLS, name, calldata))
    };
    let ran = world.run(&[
        one(through_old("panic_with", &span(&felts(&[7])))),
        one(catch(OLD_CALLER, "fail", &[])),
        one(through_old("storage_read", &felts(&[1]))),
        one(catch(OLD_SYSCALLS, "call_contract", &target(SYSCALLS, "no_such", &[]))),
    ]);
    assert_eq!(ran.statuses(), [Reverted, Reverted, Succeeded, Reverted]);
    assert_eq!((ran.cause(0), ran.cause(1)), (FailureCause::Panic, FailureCause::Program));
    let callee = &ran.inner(2).inner_calls[0].inner_calls[0];
    assert_eq!(callee.call.initial_gas, 10_000_000_000);
}

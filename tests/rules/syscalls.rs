//! Syscalls: C103 to C140.

use starkiln::block::TransactionStatus::{Invalid, Reverted, Succeeded};
use starkiln::call::{CallType, FailureCause};
use starkiln::protocol::{Builtin, SyscallName, well_known};
use starknet_api::core::ClassHash;
use starknet_api::transaction::fields::{Calldata, Fee, TransactionSignature};
use starknet_api::transaction::{
    InvokeTransactionV0, TransactionHasher, TransactionOptions, TransactionVersion, signed_tx_version,
};
use starknet_types_core::felt::Felt;

use super::world::*;
use crate::fixture::casm::{self, CALLDATA, GAS, Program};

/// The gas that one syscall charges beyond its base refund.
fn price(world: &World, name: SyscallName) -> u64 {
    world.constants().syscall_price(name).base - 10_000
}

/// Deploys a program at an address.
fn put(world: &mut World, at: u128, program: &Program) {
    let class_hash = world.make(at, &casm::class(program, &[]), "1.7.0");
    world.place(class_hash, at);
}

/// `storage_read` as a request: domain, key, with that gas. The response is in cells 4 (gas), 5 (flag), 6.
fn reading(gas: impl Into<Felt>, domain: u64, key: Felt) -> Program {
    Program::new()
        .request(0, short("StorageRead"))
        .request(1, gas)
        .request(2, domain)
        .request(3, key)
        .syscall(0)
}

fn two_to(bits: u32) -> Felt {
    Felt::TWO.pow(bits)
}

#[test]
fn c103_a_syscall_counts_even_out_of_gas_and_keccak_by_its_rounds() {
    let mut world = World::furnished(Version::NEWEST);
    put(&mut world, MADE, &reading(5_u64, 0, Felt::ONE).answer(8, 4, 6));
    let words = |count: usize| span(&vec![Felt::ONE; count]);
    let ran = world.run(&[
        invoke(MADE, "run", vec![]),
        invoke(SYSCALLS, "try_keccak", words(34)),
        invoke(SYSCALLS, "try_keccak", words(3)),
        invoke(SYSCALLS, "try_keccak", words(0)),
    ]);
    let usage = |index: usize, name| {
        ran.inner(index).syscall_usages.get(&name).map(|usage| (usage.calls, usage.linear))
    };
    assert_eq!(ran.inner(0).retdata, felts(&[5, 1]));
    assert_eq!(usage(0, SyscallName::StorageRead), Some((1, 0)));
    assert_eq!(usage(1, SyscallName::Keccak), Some((2, 0)));
    assert_eq!(usage(2, SyscallName::Keccak), None);
    // Zero rounds succeed, and count as zero.
    assert_eq!(usage(3, SyscallName::Keccak), Some((0, 0)));
}

#[test]
fn c104_lengths_count_once_the_syscall_is_paid() {
    let mut world = World::furnished(Version::NEWEST);
    let nft = world.declare("nft");
    let constructors = world.declare("cairo0/constructors");
    let request = |gas: u64| {
        Program::new()
            .request(0, short("Deploy"))
            .request(1, gas)
            .request(2, nft.0)
            .request(3, 1_u64)
            .request_fp(4, CALLDATA)
            .request_fp(5, casm::CALLDATA_END)
            .request(6, 0_u64)
            .syscall(0)
            .answer(12, 7, 9)
    };
    put(&mut world, MADE, &request(5));
    let deploy = join(&[&[constructors.0, felt(1)], &span(&felts(&[0, 0, 0, 0])), &felts(&[0])]);
    let meta =
        join(&[&[felt(SYSCALLS_NEW), selector("__execute__")], &span(&span(&felts(&[1, 2]))), &span(&[])]);
    let message = join(&[&felts(&[0xe]), &span(&felts(&[1, 2, 3]))]);
    let ran = world.run(&[
        invoke(MADE, "run", felts(&[1, 2])),
        invoke(SYSCALLS, "deploy", deploy.clone()),
        invoke(SYSCALLS_NEW, "meta_tx", meta),
        invoke(SYSCALLS, "send_message", message),
        invoke(OLD_SYSCALLS, "deploy", deploy),
    ]);
    let usage = |index: usize, name| {
        ran.inner(index).syscall_usages.get(&name).map(|usage| (usage.calls, usage.linear))
    };
    assert_eq!(usage(0, SyscallName::Deploy), Some((1, 0)));
    assert_eq!(usage(1, SyscallName::Deploy), Some((1, 4)));
    assert_eq!(usage(2, SyscallName::MetaTxV0), Some((1, 3)));
    assert_eq!(usage(3, SyscallName::SendMessageToL1), Some((1, 3)));
    assert_eq!(usage(4, SyscallName::Deploy), Some((1, 4)));
}

#[test]
fn c105_c110_a_malformed_request_is_uncatchable_even_out_of_gas() {
    let mut world = World::furnished(Version::NEWEST);
    let bound = two_to(251);
    put(&mut world, 0xa1, &reading(5_u64, 0, bound).answer(7, 4, 6));
    put(&mut world, 0xa2, &reading(100_000_u64, 0, bound).answer(7, 4, 6));
    put(&mut world, 0xa3, &reading(100_000_u64, 0, bound - 1).answer(7, 5, 7));
    put(&mut world, 0xa4, &reading(100_000_u64, 1, Felt::ONE).answer(7, 4, 6));
    let calling = Program::new()
        .request(0, short("CallContract"))
        .request(1, 5_u64)
        .request(2, bound)
        .request(3, 1_u64)
        .request_fp(4, CALLDATA)
        .request_fp(5, CALLDATA)
        .syscall(0)
        .answer(10, 6, 8);
    put(&mut world, 0xa5, &calling);
    let txs: Vec<Tx> =
        (0xa1..=0xa5).map(|at| invoke(CALLER, "call_and_catch", target(at, "run", &[]))).collect();
    let ran = world.run(&txs);
    assert_eq!(ran.statuses(), [Reverted, Reverted, Succeeded, Reverted, Reverted]);
    for index in [0, 1, 3, 4] {
        assert_eq!(ran.cause(index), FailureCause::Syscall, "{}", ran.reason(index));
    }
    assert!(ran.reason(3).ends_with("):\nInvalid address domain: 1."), "{}", ran.reason(3));
    let out_of_range =
        "Out of range [0x0, 0x800000000000000000000000000000000000000000000000000000000000000).";
    assert!(
        ran.reason(0).ends_with(out_of_range) && ran.reason(1).ends_with(out_of_range),
        "{}",
        ran.reason(0)
    );
}

#[test]
fn c106_c107_a_syscall_charges_its_price_minus_ten_thousand_or_nothing() {
    let mut world = World::furnished(Version::NEWEST);
    world.store(0xa1, key(1), felt(42));
    let price = price(&world, SyscallName::StorageRead);
    put(&mut world, 0xa1, &reading(price, 0, Felt::ONE).answer(7, 4, 7));
    let short_of_it = reading(price - 1, 0, Felt::ONE).copy(4, 20).copy(5, 21).copy_behind(6, 0, 22);
    // The error data is one felt: end - start = 1.
    let short_of_it =
        short_of_it.load_fp(casm::SYSCALLS, 6).store_fp(casm::SYSCALLS, 23).load_fp(casm::SYSCALLS, 7);
    put(&mut world, 0xa2, &short_of_it.answer(8, 20, 23));
    let ran = world.run(&[invoke(0xa1, "run", vec![]), invoke(0xa2, "run", vec![])]);
    assert_eq!(ran.inner(0).retdata, felts(&[0, 0, 42]));
    assert_eq!(ran.inner(1).retdata, [Felt::from(price - 1), Felt::ONE, well_known::OUT_OF_GAS]);
}

#[test]
fn c108_c109_a_fault_is_charged_to_its_latest_syscall_and_a_panic_to_its_end() {
    let mut world = World::furnished(Version::NEWEST);
    let price = price(&world, SyscallName::StorageRead);
    // It claims a remaining gas of 60,000, makes a syscall, and then asserts that 1 is 2.
    let fault = reading(60_000_u64, 0, Felt::ONE)
        .push(1_u64)
        .store_fp(casm::SYSCALLS, 20)
        .push(2_u64)
        .store_fp(casm::SYSCALLS, 20);
    put(&mut world, 0xa1, &fault.answer(7, 4, 4));
    put(
        &mut world,
        0xa2,
        &reading(60_000_u64, 0, Felt::ONE).finish(|program| program.push(70_000_u64), 7, 1, 4, 4),
    );
    let ran = world.run(&[invoke(0xa1, "run", vec![]), invoke(0xa2, "run", vec![])]);
    assert_eq!((ran.cause(0), ran.cause(1)), (FailureCause::Program, FailureCause::Panic));
    let charged = |index: usize| ran.execution(index).receipt.resources.computation.reverted_sierra_gas;
    let given = world.constants().limits.execute_max_sierra_gas;
    assert_eq!(charged(0), given - (60_000 - price));
    assert_eq!(charged(1), ran.reverted(1).gas_consumed);
    assert!(charged(1) > given - 80_000 && charged(1) != given - (60_000 - price));
}

#[test]
fn c111_the_gas_of_a_request_has_64_bits() {
    let mut world = World::furnished(Version::NEWEST);
    put(&mut world, 0xa1, &reading(two_to(64), 0, Felt::ONE).answer(7, 4, 6));
    put(&mut world, 0xa2, &reading(two_to(64) - 1, 0, Felt::ONE).answer(7, 5, 7));
    let ran = world.run(&[invoke(0xa1, "run", vec![]), invoke(0xa2, "run", vec![])]);
    assert_eq!(ran.statuses(), [Reverted, Succeeded]);
    assert!(
        ran.reason(0).ends_with("):\nInvalid syscall input: 0x10000000000000000; Unexpected gas."),
        "{}",
        ran.reason(0)
    );
}

#[test]
fn c112_execute_cannot_be_called_from_0_14_0_on_except_by_library_call() {
    for (version, called) in [(Version::V0_13_6, true), (Version::V0_14_0, false), (Version::NEWEST, false)] {
        let mut world = World::furnished(version);
        let other = 0xb0b;
        let account = world.deploy("account_open", other);
        let ran = world.run(&[
            invoke(CALLER, "call_and_catch", target(other, "__execute__", &felts(&[0]))),
            invoke(CALLER, "library_call_and_catch", library(account, "__execute__", &felts(&[0]))),
        ]);
        assert_eq!(ran.inner(0).retdata[0], felt(u128::from(called)), "{version}");
        if !called {
            // The syscall failed, not the call.
            assert_eq!(ran.inner(0).retdata, [Felt::ZERO, Felt::ONE, well_known::INVALID_ARGUMENT]);
            assert!(ran.inner(0).inner_calls.is_empty());
        }
        assert_eq!(ran.inner(1).retdata[0], Felt::ONE);
    }
    // The class hash of the callee is read first, even if the call is then refused.
    let world = World::furnished(Version::NEWEST);
    let ran = world.one(&invoke(SYSCALLS, "nothing", vec![]).signed(&[felt(4), felt(0xdead), selector("x")]));
    assert_eq!(ran.statuses(), [Invalid]);
    assert!(ran.0.initial_reads.class_hashes.contains_key(&address(0xdead)));
}

#[test]
fn c113_calling_execute_from_cairo_0_is_uncatchable() {
    for (version, status) in [(Version::V0_13_6, Succeeded), (Version::V0_14_0, Reverted)] {
        let mut world = World::furnished(version);
        world.deploy("account_open", 0xb0b);
        let call = target(0xb0b, "__execute__", &felts(&[0]));
        let ran = world.one(&invoke(CALLER, "call_and_catch", target(OLD_SYSCALLS, "call_contract", &call)));
        assert_eq!(ran.statuses(), [status], "{version}");
        if status == Reverted {
            assert!(
                ran.reason(0).ends_with("\nCalling `__execute__` directly is not allowed."),
                "{}",
                ran.reason(0)
            );
        }
    }
}

#[test]
fn c114_a_library_call_keeps_storage_address_and_caller() {
    let mut world = World::furnished(Version::NEWEST);
    let nft = world.deploy("nft", 0xaf7);
    let counter = world.deploy("cairo0/no_constructor", 0xc0);
    let ran = world.run(&[
        invoke(SYSCALLS, "library_call", library(nft, "mint", &[])),
        invoke(OLD_SYSCALLS, "library_call", library(nft, "mint", &[])),
        invoke(OLD_SYSCALLS, "delegate_call", target(0xc0, "increase", &[])),
    ]);
    for (index, place, class_hash, code) in [
        (0, SYSCALLS, nft, None),
        (1, OLD_SYSCALLS, nft, None),
        (2, OLD_SYSCALLS, counter, Some(address(0xc0))),
    ] {
        let (caller, call) = (&ran.inner(index).call, &ran.inner(index).inner_calls[0].call);
        assert_eq!((call.storage_address, call.caller_address), (address(place), caller.caller_address));
        assert_eq!(
            (call.class_hash, call.code_address, call.call_type),
            (class_hash, code, CallType::Delegate)
        );
        assert!(ran.at(index).state_diff.storage.contains_key(&address(place)));
    }
    assert!(!ran.0.state_diff.storage.contains_key(&address(0xc0)));
}

#[test]
fn c115_c116_block_hashes_are_available_ten_blocks_later() {
    let mut world = World::furnished(Version::NEWEST);
    world.store(1, key(1_100), felt(0x1100));
    put(
        &mut world,
        MADE,
        &Program::new()
            .request(0, short("GetBlockHash"))
            .request(1, 100_000_u64)
            .request(2, two_to(64))
            .syscall(0)
            .answer(6, 3, 5),
    );
    let validating = |number: u128| invoke(SYSCALLS, "nothing", vec![]).signed(&felts(&[5, number]));
    let asking = |number: u128| invoke(SYSCALLS, "try_block_hash", felts(&[number]));
    let ran = world.run(&[
        asking(1_224),
        asking(1_225),
        asking(1_100),
        // Validation sees block 1200; the check uses the real number.
        validating(1_224),
        validating(1_225).nonce(4),
        invoke(MADE, "run", vec![]).nonce(4),
    ]);
    assert_eq!(ran.inner(0).retdata, felts(&[1, 0xb10c]));
    assert_eq!(ran.inner(1).retdata, [Felt::ZERO, well_known::BLOCK_NUMBER_OUT_OF_RANGE]);
    assert_eq!(ran.inner(2).retdata, felts(&[1, 0x1100]));
    assert_eq!(ran.statuses()[3..], [Succeeded, Invalid, Reverted]);
    let text = ran.invalid(4).to_string();
    assert!(
        text.contains("Unauthorized syscall get_block_hash on recent blocks in execution mode Validate."),
        "{text}"
    );
    // The read is of contract 1, and no storage access of the call.
    let accesses = &ran.inner(0).accesses;
    assert!(accesses.storage_keys.is_empty() && accesses.read_values.is_empty());
    assert_eq!(accesses.blocks.iter().map(|number| number.0).collect::<Vec<_>>(), [1_224]);
    assert!(ran.0.initial_reads.storage.contains_key(&(address(1), key(1_100))));

    let mut young = World::furnished(Version::NEWEST);
    young.file.block.number.0 = 9;
    young.file.block_hash_source = starkiln::block::BlockHashSource::None;
    let ran = young.one(&asking(0));
    assert_eq!(ran.inner(0).retdata, [Felt::ZERO, well_known::BLOCK_NUMBER_OUT_OF_RANGE]);
}

#[test]
fn c117_the_class_of_an_address_may_be_zero_and_is_forbidden_in_validation() {
    let mut world = World::furnished(Version::NEWEST);
    let (syscalls, new) = (world.declare("syscalls"), world.declare("syscalls_new"));
    let ran = world.run(&[
        invoke(SYSCALLS_NEW, "class_hash_at", felts(&[0xbad])),
        invoke(SYSCALLS_NEW, "class_hash_at", felts(&[SYSCALLS])),
        invoke(SYSCALLS, "nothing", vec![]).signed(&[felt(11), new.0, selector("class_hash_at"), felt(1)]),
    ]);
    assert_eq!((&ran.inner(0).retdata, &ran.inner(1).retdata), (&felts(&[0]), &vec![syscalls.0]));
    let accesses = &ran.inner(0).accesses;
    assert_eq!(accesses.class_hash_values, [ClassHash::default()]);
    assert!(accesses.contract_addresses.contains(&address(0xbad)));
    assert!(
        ran.invalid(2)
            .to_string()
            .contains("Unauthorized syscall get_class_hash_at in execution mode Validate."),
        "{}",
        ran.invalid(2)
    );
}

/// The fields of `execution_info_v3`, in the order of the rule.
fn info(
    version: Felt,
    max_fee: u128,
    signature: &[Felt],
    nonce: u64,
    tail: &[Felt],
    contract: u128,
    name: &str,
) -> Vec<Felt> {
    join(&[
        &felts(&[1_234, 1_700_000_123, SEQUENCER]),
        &[version, felt(ACCOUNT), felt(max_fee)],
        &span(signature),
        // The hash: the world numbers its transactions from 1.
        &[Felt::from(nonce + 1), short("SN_TEST"), Felt::from(nonce)],
        tail,
        &[felt(ACCOUNT), felt(contract), selector(name)],
    ])
}

fn bound(name: &str, amount: u128, price: u128) -> Vec<Felt> {
    vec![short(name), felt(amount), felt(price)]
}

#[test]
fn c118_c123_c124_the_execution_info_has_one_layout() {
    let world = World::furnished(Version::NEWEST);
    let ask = |nonce| invoke(SYSCALLS_NEW, "execution_info_v3", vec![]).nonce(nonce);
    let ran = world.run(&[
        ask(0).tip(9).signed(&felts(&[0, 8])),
        ask(1).bounds(l1_bounds(1_000_000)),
        invoke_v1(MAX_FEE, SYSCALLS_NEW, "execution_info_v3", vec![]),
        ask(3).query(),
        invoke(SYSCALLS, "execution_info_v2", vec![]).nonce(4),
    ]);
    let all = join(&[
        &felts(&[3]),
        &bound("L1_GAS", 1_000_000, 2 * L1_PRICE),
        &bound("L2_GAS", 2_000_000_000, 2 * L2_PRICE),
        &bound("L1_DATA", 1_000_000, 2 * DATA_PRICE),
    ]);
    // Tip, paymaster, modes, deployment data, proof facts.
    let tail = |tip: u128, bounds: &[Felt]| join(&[bounds, &felts(&[tip, 0, 0, 0, 0, 0])]);
    let name = "execution_info_v3";
    let shown = |index: usize| ran.inner(index).retdata[1..].to_vec();
    assert_eq!(shown(0), info(Felt::THREE, 0, &felts(&[0, 8]), 0, &tail(9, &all), SYSCALLS_NEW, name));
    // A bound on L1 gas only appears with a zero bound on L2 gas.
    let two = join(&[&felts(&[2]), &bound("L1_GAS", 1_000_000, 2 * L1_PRICE), &bound("L2_GAS", 0, 0)]);
    assert_eq!(shown(1), info(Felt::THREE, 0, &[], 1, &tail(0, &two), SYSCALLS_NEW, name));
    assert_eq!(
        shown(2),
        info(Felt::ONE, MAX_FEE, &[], 2, &felts(&[0, 0, 0, 0, 0, 0, 0]), SYSCALLS_NEW, name)
    );
    let query = Felt::THREE + two_to(128);
    assert_eq!(shown(3), info(query, 0, &[], 3, &tail(0, &all), SYSCALLS_NEW, name));
    // The older form is a prefix: without proof facts.
    let older = join(&[&all, &felts(&[0, 0, 0, 0, 0])]);
    assert_eq!(shown(4), info(Felt::THREE, 0, &[], 4, &older, SYSCALLS, "execution_info_v2"));
}

#[test]
fn c119_the_execution_info_is_allocated_once_per_call() {
    let mut world = World::furnished(Version::NEWEST);
    let ask = |program: Program, cell: i64| {
        program.request(cell, short("GetExecutionInfo")).request(cell + 1, 100_000_u64).syscall(cell)
    };
    // Storing the second pointer over the first asserts that they are equal.
    let program = ask(ask(Program::new(), 0), 5).load_fp(casm::SYSCALLS, 9).store_fp(casm::SYSCALLS, 4);
    put(&mut world, 0xa1, &program.clone().answer(10, 5, 7));
    // A write after its end fails.
    put(&mut world, 0xa2, &program.load_fp(casm::SYSCALLS, 4).push(1_u64).store_ap(-2, 5).answer(10, 5, 7));
    let ran = world.run(&[invoke(0xa1, "run", vec![]), invoke(0xa2, "run", vec![])]);
    assert_eq!(
        ran.at(0).status(),
        Succeeded,
        "{:?}",
        ran.execution(0).revert_reason.as_ref().map(ToString::to_string)
    );
    // Read-only segments are not checked in Cairo 1 (C80).
    assert_eq!(ran.at(1).status(), Succeeded);
    let same = world.one(&invoke(OLD_SYSCALLS, "same_tx_info", vec![]));
    assert_eq!(same.inner(0).retdata, felts(&[1]));
}

#[test]
fn c120_an_older_transaction_has_zeros_for_bounds_and_arrays() {
    let mut world = World::furnished(Version::NEWEST);
    // The eleven cells from 8 on of the transaction info, the second pointer of the info. A pointer among
    // them would be no felt.
    let mut program = Program::new().request(0, short("GetExecutionInfo")).request(1, 100_000_u64).syscall(0);
    for cell in 0..11 {
        program = program
            .load_fp(casm::SYSCALLS, 4)
            .load_ap(-1, 1)
            .load_ap(-1, 8 + cell)
            .store_fp(casm::SYSCALLS, 20 + cell);
    }
    put(&mut world, MADE, &program.answer(5, 20, 31));
    let ran = world.run(&[invoke_v1(MAX_FEE, MADE, "run", vec![]), invoke(MADE, "run", vec![])]);
    assert_eq!(ran.inner(0).retdata, [Felt::ZERO; 11]);
    assert_eq!(ran.at(1).status(), Reverted);
}

#[test]
fn c121_v1_bound_accounts_observe_version_1() {
    let mut world = World::furnished(Version::NEWEST);
    let constants = world.constants();
    let (new, old) = (
        *constants.lists.v1_bound_accounts_cairo1.first().unwrap(),
        *constants.lists.v1_bound_accounts_cairo0.first().unwrap(),
    );
    world.alias("syscalls", new);
    world.place(new, 0xa1);
    world.alias("cairo0/syscalls", old);
    world.place(old, 0xa2);
    let most = constants.limits.v1_bound_max_tip.0;
    let rich = |tx: Tx| tx.free();
    let ask = |tip: u64| rich(invoke(0xa1, "execution_info", vec![]).tip(tip));
    let ask_old = |tip: u64| rich(invoke(0xa2, "get_tx_info", vec![]).tip(tip));
    let ran = world.run(&[
        ask(most),
        ask(most + 1),
        ask(0).query(),
        ask_old(most),
        ask_old(most + 1),
        // The executing class decides, in a library call too; the list of the other language does not count.
        invoke(SYSCALLS, "library_call", library(new, "execution_info", &[])),
        invoke(SYSCALLS, "execution_info", vec![]),
        invoke_v1(MAX_FEE, 0xa1, "execution_info", vec![]),
    ]);
    let version = |index: usize| ran.inner(index).retdata[4];
    assert_eq!((version(0), version(1), version(2)), (Felt::ONE, Felt::THREE, Felt::ONE + two_to(128)));
    assert_eq!((ran.inner(3).retdata[0], ran.inner(4).retdata[0]), (Felt::ONE, Felt::THREE));
    assert_eq!(ran.inner(5).inner_calls[0].retdata[4], Felt::ONE);
    assert_eq!((version(6), version(7)), (Felt::THREE, Felt::ONE));
}

#[test]
fn c122_data_gas_accounts_do_not_observe_data_gas() {
    let world = World::furnished(Version::V0_13_6);
    assert!(world.constants().lists.data_gas_accounts.is_empty());
    let mut world = World::furnished(Version::NEWEST);
    let listed = *world.constants().lists.data_gas_accounts.first().unwrap();
    world.alias("syscalls_new", listed);
    world.place(listed, MADE);
    let ran = world
        .run(&[invoke(MADE, "execution_info_v3", vec![]), invoke(SYSCALLS_NEW, "execution_info_v3", vec![])]);
    // After block (3), version, account, fee, signature (1), hash, chain, nonce: the number of bounds.
    let count = |index: usize| ran.inner(index).retdata[1 + 3 + 3 + 1 + 3];
    assert_eq!((count(0), count(1)), (felt(2), felt(3)));
    assert_eq!(
        ran.inner(0).retdata[12..18],
        join(&[&bound("L1_GAS", 1_000_000, 2 * L1_PRICE), &bound("L2_GAS", 2_000_000_000, 2 * L2_PRICE)])
    );
}

#[test]
fn c125_event_limits_are_uncatchable_count_before_keys_before_data() {
    let world = World::furnished(Version::NEWEST);
    let sized = |keys: u128, data: u128| {
        invoke(CALLER, "call_and_catch", target(SYSCALLS, "emit_sized", &felts(&[keys, data])))
    };
    let many = |count: u128, keys: usize| {
        invoke(SYSCALLS, "emit_events", join(&[&felts(&[count]), &span(&vec![Felt::ONE; keys]), &span(&[])]))
    };
    let after_many = invoke_raw(
        ACCOUNT,
        calls(&[
            (SYSCALLS, "emit_events", join(&[&felts(&[1_000]), &span(&[]), &span(&[])])),
            (SYSCALLS, "emit_sized", felts(&[51, 301])),
        ]),
    );
    let ran = world.run(&[
        sized(50, 300),
        sized(51, 301),
        sized(50, 301),
        many(1_000, 0),
        many(1_001, 0),
        after_many,
    ]);
    assert_eq!(ran.statuses(), [Succeeded, Reverted, Reverted, Succeeded, Reverted, Reverted]);
    for (index, end) in [
        (1, "Exceeded the maximum keys length, keys length: 51, max keys length: 50."),
        (2, "Exceeded the maximum data length, data length: 301, max data length: 300."),
        (4, "Exceeded the maximum number of events, number events: 1001, max number events: 1000."),
        (5, "Exceeded the maximum number of events, number events: 1001, max number events: 1000."),
    ] {
        assert!(ran.reason(index).ends_with(end), "{}", ran.reason(index));
        assert_eq!(ran.cause(index), FailureCause::Syscall);
    }
}

#[test]
fn c126_messages_go_to_ethereum_addresses_unless_the_chain_is_a_layer_3() {
    let send = |contract, to: Felt| {
        invoke(
            CALLER,
            "call_and_catch",
            target(
                contract,
                if contract == SYSCALLS { "send_message" } else { "send_message_to_l1" },
                &join(&[&[to], &span(&[])]),
            ),
        )
    };
    let mut world = World::furnished(Version::NEWEST);
    let (most, more) = (two_to(160) - 1, two_to(160));
    let ran = world.run(&[
        send(SYSCALLS, most),
        send(SYSCALLS, more),
        send(OLD_SYSCALLS, most),
        send(OLD_SYSCALLS, more),
    ]);
    assert_eq!(ran.statuses(), [Succeeded, Reverted, Succeeded, Reverted]);
    assert_eq!((ran.cause(1), ran.cause(3)), (FailureCause::Syscall, FailureCause::Syscall));
    world.file.chain.is_l3 = true;
    let ran = world.run(&[send(SYSCALLS, more), send(OLD_SYSCALLS, more)]);
    assert_eq!(ran.statuses(), [Succeeded, Succeeded]);
    let messages = ran.execution(0).messages();
    assert_eq!((messages[0].0, Felt::from(messages[0].1.to_address)), (address(SYSCALLS), more));
}

#[test]
fn c127_a_cairo_1_contract_cannot_become_cairo_0() {
    let mut world = World::furnished(Version::NEWEST);
    let (new, old) = (world.declare("nft"), world.declare("cairo0/no_constructor"));
    let replace = |at, class_hash: ClassHash| {
        invoke(CALLER, "call_and_catch", target(at, "replace_class", &[class_hash.0]))
    };
    let ran = world.run(&[
        replace(SYSCALLS, old),
        replace(SYSCALLS, ClassHash(felt(0xdead))),
        replace(OLD_SYSCALLS, ClassHash(felt(0xdead))),
        replace(SYSCALLS, new),
        replace(OLD_SYSCALLS, old),
    ]);
    assert_eq!(ran.statuses(), [Reverted, Reverted, Reverted, Succeeded, Succeeded]);
    let forbidden = "Cannot replace V1 class hash with V0 class hash: ";
    assert!(ran.reason(0).contains(forbidden), "{}", ran.reason(0));
    assert!(ran.reason(1).contains("is not declared"), "{}", ran.reason(1));
    assert_eq!(ran.0.state_diff.replaced[&address(OLD_SYSCALLS)], old);
}

#[test]
fn c128_keccak_takes_complete_blocks_and_pays_base_then_rounds() {
    let mut world = World::furnished(Version::NEWEST);
    let words = |count: usize| span(&vec![Felt::ZERO; count]);
    let base = price(&world, SyscallName::Keccak);
    let round = world.constants().syscall_price(SyscallName::KeccakRound).base;
    let ask = |gas: u64, words: i64| {
        let mut program = Program::new();
        for word in 0..words {
            program = program.request(40 + word, 0_u64);
        }
        program
            .request(0, short("Keccak"))
            .request(1, gas)
            .push_fp_plus(casm::SYSCALLS, 40_u64)
            .store_fp(casm::SYSCALLS, 2)
            .push_fp_plus(casm::SYSCALLS, 40 + words as u64)
            .store_fp(casm::SYSCALLS, 3)
            .syscall(0)
            .answer(8, 4, 6)
    };
    // Gas for the base only: the length is checked first. Then one block with its exact gas, and with 1 less.
    put(&mut world, 0xa1, &ask(base, 3));
    put(&mut world, 0xa2, &ask(base + round, 17));
    put(&mut world, 0xa3, &ask(base + round - 1, 17));
    put(&mut world, 0xa4, &ask(base - 1, 3));
    let run = |at| invoke(at, "run", vec![]);
    let ran = world.run(&[
        invoke(SYSCALLS, "try_keccak", words(3)),
        invoke(SYSCALLS, "try_keccak", words(0)),
        invoke(SYSCALLS, "try_keccak", words(17)),
        run(0xa1),
        run(0xa2),
        run(0xa3),
        run(0xa4),
    ]);
    assert_eq!(ran.inner(0).retdata, [Felt::ZERO, well_known::INVALID_INPUT_LENGTH, Felt::ZERO]);
    assert_eq!(ran.inner(1).retdata, felts(&[1, 0, 0]));
    // Keccak-f of nothing: the first 32 bytes of the permuted zero state, as four words of 64 bits.
    let mut state = [0_u64; 25];
    keccak::f1600(&mut state);
    let half = |low: u64, high: u64| felt(u128::from(high) << 64 | u128::from(low));
    assert_eq!(ran.inner(2).retdata, [Felt::ONE, half(state[0], state[1]), half(state[2], state[3])]);
    let answers = |index: usize| ran.inner(index).retdata.clone();
    // (remaining gas, failed)
    assert_eq!(answers(3), felts(&[0, 1]));
    assert_eq!(answers(4), felts(&[0, 0]));
    assert_eq!(answers(5), [Felt::from(round - 1), Felt::ONE]);
    assert_eq!(answers(6), [Felt::from(base - 1), Felt::ONE]);
}

#[test]
fn c129_keccak_has_os_resources_once_per_frame_and_by_rounds() {
    let mut world = World::furnished(Version::NEWEST);
    world.deploy("syscalls@steps", MADE);
    let words = |count: usize| span(&vec![Felt::ZERO; count]);
    let ran = world.run(&[
        invoke(MADE, "try_keccak", words(0)),
        invoke(MADE, "keccak", words(34)),
        invoke(MADE, "keccak", words(17)),
    ]);
    let keccak = |index: usize| ran.inner(index).resources.builtins.get(Builtin::Keccak);
    assert_eq!((keccak(0), keccak(1), keccak(2)), (0, 2, 1));
    let constants = world.constants();
    let (fixed, round) = (
        &constants.os.syscall(SyscallName::Keccak).constant,
        &constants.os.syscall(SyscallName::KeccakRound).constant,
    );
    let system = |index: usize| {
        constants
            .syscall_os_resources(ran.inner(index).syscall_usages.iter().map(|(name, usage)| (*name, *usage)))
            .unwrap()
            .steps
    };
    assert_eq!(system(0), fixed.steps);
    assert_eq!(system(1), fixed.steps + 2 * round.steps);
}

#[test]
fn c130_sha_2_compresses_as_the_standard_says() {
    let mut world = World::furnished(Version::NEWEST);
    world.deploy("syscalls_new@steps", MADE);
    let state: [u32; 8] = std::array::from_fn(|index| 0x9000_0001 + index as u32);
    let message: [u32; 16] = std::array::from_fn(|index| 0xf000_0007 - index as u32);
    let state_512: [u64; 8] = std::array::from_fn(|index| 0x9000_0001_0000_0001 + index as u64);
    let message_512: [u64; 16] = std::array::from_fn(|index| 0xf000_0007_0000_0009 - index as u64);
    let list = |words: &[u64]| span(&words.iter().map(|word| Felt::from(*word)).collect::<Vec<_>>());
    let wide = |words: &[u32]| words.iter().map(|word| u64::from(*word)).collect::<Vec<_>>();
    let ran = world.run(&[
        invoke(SYSCALLS, "sha256_block", join(&[&list(&wide(&state)), &list(&wide(&message))])),
        invoke(SYSCALLS_NEW, "sha512_block", join(&[&list(&state_512), &list(&message_512)])),
        invoke(MADE, "sha512_block", join(&[&list(&state_512), &list(&message_512)])),
    ]);
    let (mut expected, mut expected_512) = (state, state_512);
    let block: Vec<u8> = message.iter().flat_map(|word| word.to_be_bytes()).collect();
    sha2::compress256(&mut expected, &[*sha2::digest::generic_array::GenericArray::from_slice(&block)]);
    let block: Vec<u8> = message_512.iter().flat_map(|word| word.to_be_bytes()).collect();
    sha2::compress512(&mut expected_512, &[*sha2::digest::generic_array::GenericArray::from_slice(&block)]);
    assert_eq!(ran.inner(0).retdata, list(&wide(&expected)));
    assert_eq!(ran.inner(1).retdata, list(&expected_512));
    assert_eq!(ran.inner(2).retdata, list(&expected_512));
}

/// A 256-bit number from its hexadecimal text: low half, high half.
fn wide(hex: &str) -> Vec<Felt> {
    let number = u128::from_str_radix;
    vec![felt(number(&hex[32..], 16).unwrap()), felt(number(&hex[..32], 16).unwrap())]
}

const K1_X: &str = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const K1_Y: &str = "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
const K1_2X: &str = "c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5";
const K1_2Y: &str = "1ae168fea63dc339a3c58419466ceaeef7f632653266d0e1236431a950cfe52a";
const K1_FIELD: &str = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f";
const K1_ORDER_AND_2: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364143";
const R1_X: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
const R1_Y: &str = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
const R1_2X: &str = "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978";
const R1_2Y: &str = "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1";
const R1_FIELD: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";

#[test]
fn c131_points_are_checked_for_range_and_for_the_curve() {
    let world = World::furnished(Version::NEWEST);
    let none = felts(&[0, 0, 0, 0, 0]);
    for (curve, x, y, field) in [("secp256k1", K1_X, K1_Y, K1_FIELD), ("secp256r1", R1_X, R1_Y, R1_FIELD)] {
        let name = format!("{curve}_new");
        let new = |x: Vec<Felt>, y: Vec<Felt>| invoke(SYSCALLS, &name, join(&[&x, &y]));
        let zero = || felts(&[0, 0]);
        let ran = world.run(&[
            new(wide(x), wide(y)),
            new(zero(), zero()),
            new(wide(x), zero()),
            new(wide(field), zero()),
            new(wide(x), wide(field)),
        ]);
        assert_eq!(ran.inner(0).retdata, join(&[&felts(&[1]), &wide(x), &wide(y)]));
        // Infinity is a point; one that is not on the curve is `None`.
        assert_eq!(ran.inner(1).retdata, felts(&[1, 0, 0, 0, 0]));
        assert_eq!(ran.inner(2).retdata, none);
        for index in 3..5 {
            let failed = &ran.reverted(index).inner_calls[0];
            assert_eq!(failed.retdata, [well_known::INVALID_ARGUMENT]);
        }
    }
}

#[test]
fn c132_a_point_by_x_has_the_y_of_the_parity_and_scalars_are_reduced() {
    let world = World::furnished(Version::NEWEST);
    let order_r1 = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632553";
    for (curve, x, y, twice, order_and_2, field) in [
        ("secp256k1", K1_X, K1_Y, (K1_2X, K1_2Y), K1_ORDER_AND_2, K1_FIELD),
        ("secp256r1", R1_X, R1_Y, (R1_2X, R1_2Y), order_r1, R1_FIELD),
    ] {
        let by_x = format!("{curve}_point_from_x");
        let (mul, add) = (format!("{curve}_mul"), format!("{curve}_add"));
        let parity = u128::from_str_radix(&y[63..], 16).unwrap() % 2;
        let point = |x: Vec<Felt>, parity: u128| invoke(SYSCALLS, &by_x, join(&[&x, &felts(&[parity])]));
        let base = join(&[&wide(x), &wide(y)]);
        let ran = world.run(&[
            point(wide(x), parity),
            point(wide(x), 1 - parity),
            point(wide(field), 0),
            point(felts(&[5, 0]), 0),
            invoke(SYSCALLS, &mul, join(&[&base, &wide(order_and_2)])),
            invoke(SYSCALLS, &add, join(&[&base, &base])),
        ]);
        assert_eq!(ran.inner(0).retdata, join(&[&felts(&[1]), &base]));
        let other = &ran.inner(1).retdata;
        assert_eq!((other[0], &other[1..3]), (Felt::ONE, &wide(x)[..]));
        assert_ne!(other[3..], wide(y)[..]);
        assert_eq!(ran.reverted(2).inner_calls[0].retdata, [well_known::INVALID_ARGUMENT]);
        // x = 5 is on one of the two curves only.
        assert_eq!(ran.inner(3).retdata[0] == Felt::ONE, curve == "secp256r1");
        let twice = join(&[&wide(twice.0), &wide(twice.1)]);
        assert_eq!((&ran.inner(4).retdata, &ran.inner(5).retdata), (&twice, &twice));
    }
}

#[test]
fn c133_a_meta_transaction_is_of_version_0() {
    let mut world = World::furnished(Version::NEWEST);
    let new = world.declare("syscalls_new");
    let (inner, signature) = (span(&felts(&[1, 2])), felts(&[0xa, 0xb]));
    let meta = join(&[&[felt(SYSCALLS_NEW), selector("__execute__")], &span(&inner), &span(&signature)]);
    let wrong = join(&[&[felt(SYSCALLS_NEW), selector("emit_info")], &span(&[]), &span(&[])]);
    let ran = world.run(&[
        invoke_raw(
            ACCOUNT,
            calls(&[(SYSCALLS_NEW, "meta_tx", meta.clone()), (SYSCALLS_NEW, "execution_info_v3", vec![])]),
        ),
        invoke(SYSCALLS_NEW, "meta_tx", meta.clone()).query(),
        invoke(SYSCALLS_NEW, "meta_tx_and_catch", wrong),
        invoke(SYSCALLS, "nothing", vec![]).signed(&join(&[&[felt(11), new.0, selector("meta_tx")], &meta])),
    ]);
    for (index, query) in [(0, false), (1, true)] {
        let call = &ran.inner(index).inner_calls[0];
        assert_eq!(
            (call.call.caller_address, call.call.code_address),
            (address(0), Some(address(SYSCALLS_NEW)))
        );
        let options = TransactionOptions { only_query: query };
        let version = signed_tx_version(&TransactionVersion::ZERO, &options);
        let hash = InvokeTransactionV0 {
            max_fee: Fee(0),
            signature: TransactionSignature(std::sync::Arc::new(signature.clone())),
            contract_address: address(SYSCALLS_NEW),
            entry_point_selector: well_known::EXECUTE,
            calldata: Calldata(std::sync::Arc::new(inner.clone())),
        }
        .calculate_transaction_hash(&world.file.chain.chain_id, &version)
        .unwrap();
        let expected = join(&[
            &felts(&[1_234, 1_700_000_123, SEQUENCER]),
            &[version.0, felt(SYSCALLS_NEW), Felt::ZERO],
            &span(&signature),
            &[hash.0, short("SN_TEST"), Felt::ZERO],
            &felts(&[0, 0, 0, 0, 0, 0, 0]),
            &[Felt::ZERO, felt(SYSCALLS_NEW), selector("__execute__")],
        ]);
        assert_eq!(call.retdata[1..], expected);
    }
    // Afterwards the outer transaction info applies again.
    assert_eq!(ran.root(0).inner_calls[1].retdata[4], Felt::THREE);
    assert_eq!(ran.inner(2).retdata, [Felt::ZERO, Felt::ONE, well_known::INVALID_ARGUMENT]);
    assert!(
        ran.invalid(3).to_string().contains("Unauthorized syscall meta_tx_v0 in execution mode Validate."),
        "{}",
        ran.invalid(3)
    );
}

#[test]
fn c134_validation_may_not_call_others() {
    let world = World::furnished(Version::NEWEST);
    let tx = |orders: &[Felt]| invoke(SYSCALLS, "nothing", vec![]).nonce(0).signed(orders);
    let old = |orders: &[Felt]| old_invoke(SYSCALLS, "nothing", vec![]).nonce(0).signed(orders);
    let ran = world.run(&[
        tx(&[felt(4), felt(SYSCALLS), selector("nothing")]),
        old(&[felt(4), felt(SYSCALLS), selector("nothing")]),
        old(&[felt(17), felt(SYSCALLS), selector("nothing")]),
        old(&[felt(15)]).nonce(1),
        tx(&[felt(4), felt(ACCOUNT), selector("scratch")]),
    ]);
    assert_eq!(ran.statuses(), [Invalid, Invalid, Succeeded, Invalid, Succeeded]);
    for (index, name) in [(0, "call_contract"), (1, "call_contract"), (3, "get_sequencer_address")] {
        let text = ran.invalid(index).to_string();
        assert!(
            text.ends_with(&format!("Unauthorized syscall {name} in execution mode Validate.")),
            "{text}"
        );
    }
}

#[test]
fn c135_validation_may_deploy_before_0_14_0() {
    for (version, status) in [(Version::V0_13_6, Succeeded), (Version::V0_14_0, Invalid)] {
        let mut world = World::furnished(version);
        let nft = world.declare("nft");
        let teller = world.declare("cairo0/constructors");
        // In a validation, in the constructor of an account, and in Cairo 0.
        let account = deploy_account(teller, &join(&[&felts(&[5]), &[nft.0], &felts(&[1, 0])])).unvalidated();
        world.fund(account.sender(), u128::MAX);
        let ran = world.run(&[
            invoke(SYSCALLS, "nothing", vec![]).signed(&[felt(8), nft.0, felt(1)]),
            account,
            old_invoke(SYSCALLS, "nothing", vec![]).signed(&[felt(8), nft.0, felt(1)]),
        ]);
        assert_eq!(ran.statuses(), [status; 3], "{version}");
        if status == Invalid {
            for index in 0..3 {
                let text = ran.invalid(index).to_string();
                assert!(text.contains("Unauthorized syscall deploy in execution mode Validate."), "{text}");
            }
        }
    }
}

#[test]
fn c136_validation_sees_a_rounded_block_without_sequencer() {
    for (version, number, timestamp) in
        [(Version::V0_13_0, 1_234, 1_700_000_123), (Version::V0_13_1, 1_200, 1_699_999_200)]
    {
        let world = World::furnished(version);
        let ran = world.run(&[
            invoke(SYSCALLS, "nothing", vec![]).signed(&felts(&[14])),
            old_invoke(SYSCALLS, "nothing", vec![]).signed(&felts(&[14])),
        ]);
        let event = |index: usize| {
            ran.execution(index).validate_call.as_ref().unwrap().events[0].event.data.0.clone()
        };
        assert_eq!(event(0), felts(&[number, timestamp, 0]), "{version}");
        assert_eq!(event(1), felts(&[number, timestamp]), "{version}");
        // Execution sees the exact block.
        let ran = world.one(&invoke(SYSCALLS, "execution_info", vec![]));
        assert_eq!(ran.inner(0).retdata[1..4], felts(&[1_234, 1_700_000_123, SEQUENCER]));
    }
}

#[test]
fn c137_deploy_of_cairo_0_returns_no_constructor_data() {
    let mut world = World::furnished(Version::NEWEST);
    let constructors = world.declare("cairo0/constructors");
    let deploy = join(&[&[constructors.0, felt(1)], &span(&felts(&[0, 0, 0, 0])), &felts(&[0])]);
    let ran = world.one(&invoke(OLD_SYSCALLS, "deploy", deploy));
    let call = ran.inner(0);
    // Two unused cells of the response that must exist: without them the syscall segment would be too short.
    assert_eq!(call.resources.memory_holes - call.inner_calls[0].resources.memory_holes, 2);
    assert_eq!(call.retdata, [*call.inner_calls[0].call.storage_address.0.key()]);
}

#[test]
fn c138_cairo_0_sees_eight_cells_allocated_anew_for_a_v1_bound_account() {
    let mut world = World::furnished(Version::NEWEST);
    let listed = *world.constants().lists.v1_bound_accounts_cairo0.first().unwrap();
    world.alias("cairo0/syscalls", listed);
    world.place(listed, MADE);
    let ran = world.run(&[
        invoke(OLD_SYSCALLS, "get_tx_info", vec![]).signed(&felts(&[0, 8])),
        invoke(OLD_SYSCALLS, "same_tx_info", vec![]),
        invoke(MADE, "same_tx_info", vec![]),
    ]);
    // Version, account, fee, hash, chain, nonce, signature.
    assert_eq!(
        ran.inner(0).retdata,
        [
            Felt::THREE,
            felt(ACCOUNT),
            Felt::ZERO,
            Felt::ONE,
            short("SN_TEST"),
            Felt::ZERO,
            felt(2),
            Felt::ZERO,
            felt(8)
        ]
    );
    assert_eq!(ran.inner(1).retdata, felts(&[1]));
    // Pointers into two segments cannot be subtracted.
    assert!(
        ran.reason(2).contains("can't subtract two relocatable values with different segment indexes"),
        "{}",
        ran.reason(2)
    );
}

#[test]
fn c140_from_zero_is_a_bool() {
    let mut world = World::furnished(Version::NEWEST);
    let nft = world.declare("nft");
    let request = |from_zero: u64| {
        Program::new()
            .request(0, short("Deploy"))
            .request(1, 1_000_000_u64)
            .request(2, nft.0)
            .request(3, 1_u64)
            .request_fp(4, CALLDATA)
            .request_fp(5, CALLDATA)
            .request(6, from_zero)
            .syscall(0)
            .finish(|program| program.push_fp(GAS), 12, 0, 8, 10)
    };
    put(&mut world, 0xa1, &request(1));
    put(&mut world, 0xa2, &request(2));
    let old = |from_zero: u128| {
        invoke(OLD_SYSCALLS, "deploy", join(&[&[nft.0, felt(1)], &span(&[]), &felts(&[from_zero])]))
    };
    let ran = world.run(&[invoke(0xa1, "run", vec![]), invoke(0xa2, "run", vec![]), old(0), old(2)]);
    assert_eq!(ran.statuses(), [Succeeded, Reverted, Succeeded, Reverted]);
    for index in [1, 3] {
        assert_eq!(ran.cause(index), FailureCause::Syscall);
        let end = "\nInvalid syscall input: 0x2; The deploy_from_zero field in the deploy system call must be 0 or 1.";
        assert!(ran.reason(index).ends_with(end), "{}", ran.reason(index));
    }
}

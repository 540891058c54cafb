//! State, blocks and further rules: C188 to C202 and C235 to C250, as far as an unfinalized block shows them.

use std::collections::BTreeSet;
use std::path::Path;

use starkiln::block::TransactionStatus::{Invalid, Reverted, Succeeded};
use starkiln::call::FailureCause;
use starkiln::fee::fee_token_balance_key;
use starkiln::protocol::well_known;
use starknet_api::contract_class::EntryPointType;
use starknet_types_core::felt::Felt;

use super::world::*;
use crate::fixture::casm::{self, Program};

#[test]
fn c191_a_redeclared_cairo_0_class_is_listed_again() {
    let mut world = World::furnished(Version::V0_13_1_1);
    let class_hash = world.declare("cairo0/no_constructor");
    let ran = world.one(&declare_old(1, class_hash));
    assert_eq!(ran.statuses(), [Succeeded]);
    let diff = &ran.at(0).state_diff;
    assert!(diff.declared.is_empty() && diff.migrated.is_empty());
    assert!(diff.deprecated_declared.contains(&class_hash));
}

#[test]
fn c194_the_blocks_diff_is_against_the_state_before_the_block() {
    let mut world = World::furnished(Version::NEWEST);
    world.store(SYSCALLS, key(5), felt(50));
    let write = |value| invoke(SYSCALLS, "storage_write", felts(&[5, value]));
    let ran = world.run(&[write(51), write(50)]);
    let change = |index: usize| ran.at(index).state_diff.storage[&address(SYSCALLS)][&key(5)];
    assert_eq!((change(0), change(1)), (felt(51), felt(50)));
    assert!(!ran.0.state_diff.storage.contains_key(&address(SYSCALLS)));
}

#[test]
fn c202_the_block_hash_cell_is_part_of_the_diff() {
    let world = World::furnished(Version::NEWEST);
    let ran = world.run(&[]);
    assert_eq!(ran.stored(1, key(1_224)), Some(felt(0xb10c)));
    // Finalization also wrote the counter of aliases (C196).
    let contracts: BTreeSet<_> = ran.0.state_diff.storage.keys().copied().collect();
    assert_eq!(contracts, BTreeSet::from([well_known::BLOCK_HASH_CONTRACT, well_known::ALIAS_CONTRACT]));
}

#[test]
fn c235_corrections_apply_to_old_blocks() {
    // Null spans: start and end of keys and data are the felt 0, as in the info of an older transaction.
    for version in [Version::OLDEST, Version::V0_13_4, Version::NEWEST] {
        let mut world = World::furnished(version);
        let mut program = Program::new().request(0, short("EmitEvent")).request(1, 1_000_000_u64);
        for cell in 2..6 {
            program = program.request(cell, 0_u64);
        }
        let class_hash = world.make(MADE, &casm::class(&program.syscall(0).answer(8, 7, 8), &[]), "1.7.0");
        world.place(class_hash, MADE);
        let ran = world.one(&invoke(MADE, "run", vec![]));
        assert_eq!(ran.statuses(), [Succeeded], "{version}");
        assert_eq!(ran.inner(0).retdata, [Felt::ZERO]);
        assert_eq!(ran.inner(0).events[0].event, Default::default());
    }
}

#[test]
fn c238_the_read_set_of_a_transaction() {
    let mut world = World::furnished(Version::NEWEST);
    world.store(SYSCALLS, key(5), felt(50));
    let ran = world.run(&[
        invoke(SYSCALLS, "storage_write", felts(&[5, 51])),
        invoke(SYSCALLS, "nothing", vec![]).signed(&[felt(4), felt(0xdead), selector("x")]),
    ]);
    assert_eq!(ran.statuses(), [Succeeded, Invalid]);
    let reads = &ran.0.initial_reads;
    assert_eq!(reads.nonces[&address(ACCOUNT)].0, Felt::ZERO);
    for balance in [fee_token_balance_key(address(ACCOUNT)), fee_token_balance_key(address(SEQUENCER))] {
        assert!(reads.storage.contains_key(&(address(STRK), balance)));
        assert!(reads.storage.contains_key(&(address(STRK), balance.next_storage_key().unwrap())));
    }
    assert_eq!(reads.storage[&(address(SYSCALLS), key(5))], felt(50));
    for called in [ACCOUNT, SYSCALLS, STRK, 0xdead] {
        assert!(reads.class_hashes.contains_key(&address(called)), "{called:#x}");
    }
    assert!(!reads.class_hashes.contains_key(&address(ETH)));
}

#[test]
fn c240_a_replaced_class_takes_effect_from_the_next_call_on() {
    let mut world = World::furnished(Version::NEWEST);
    world.deploy("upgradable", MADE);
    let second = world.declare("upgradable_v2");
    let ran = world.run(&[invoke_raw(
        ACCOUNT,
        calls(&[
            (MADE, "version", vec![]),
            (MADE, "upgrade_and_ask", vec![second.0]),
            (MADE, "version", vec![]),
        ]),
    )]);
    let answer = |index: usize| ran.root(0).inner_calls[index].retdata.clone();
    // (by a call to itself, by its own code)
    assert_eq!((answer(0), answer(1), answer(2)), (felts(&[1]), felts(&[2, 1]), felts(&[2])));
    assert_eq!(ran.0.state_diff.replaced[&address(MADE)], second);
}

#[test]
fn c241_a_library_call_executes_another_class_than_its_contracts() {
    let mut world = World::furnished(Version::NEWEST);
    let (caller, upgradable) = (world.declare("caller"), world.deploy("upgradable", MADE));
    let second = world.declare("upgradable_v2");
    // A library call that replaces the class of the calling contract and then fails: the class is restored.
    let ran = world.run(&[invoke_raw(
        ACCOUNT,
        calls(&[
            (CALLER, "library_call_and_catch", library(upgradable, "upgrade_and_panic", &[second.0])),
            (SYSCALLS_NEW, "class_hash_at", felts(&[CALLER])),
        ]),
    )]);
    let call = &ran.root(0).inner_calls[0].inner_calls[0];
    assert_eq!((call.call.class_hash, call.failed), (upgradable, true));
    assert_eq!(ran.root(0).inner_calls[1].retdata, [caller.0]);
    assert!(ran.0.state_diff.replaced.is_empty());
}

#[test]
fn c242_the_calls_that_have_a_code_address() {
    let mut world = World::furnished(Version::NEWEST);
    let nft = world.declare("nft");
    let ran = world.run(&[
        invoke_raw(
            ACCOUNT,
            calls(&[(SYSCALLS, "library_call", library(nft, "mint", &[])), (SYSCALLS, "nothing", vec![])]),
        ),
        message(SYSCALLS, "handle", felts(&[1, 2, 3])),
    ]);
    let execution = ran.execution(0);
    let outermost = [&execution.validate_call, &execution.execute_call, &execution.fee_transfer_call];
    assert!(outermost.iter().all(|call| call.as_ref().unwrap().call.code_address.is_none()));
    assert_eq!(ran.root(1).call.code_address, None);
    let calls = &ran.root(0).inner_calls;
    assert_eq!(
        (calls[0].call.code_address, calls[1].call.code_address),
        (Some(address(SYSCALLS)), Some(address(SYSCALLS)))
    );
    assert_eq!(calls[0].inner_calls[0].call.code_address, None);
}

#[test]
fn c244_handlers_and_external_entry_points_are_separate() {
    let mut world = World::furnished(Version::NEWEST);
    let old = world.declare("cairo0/syscalls");
    let handle = felts(&[1, 2, 3]);
    let ran = world.run(&[
        invoke(CALLER, "call_and_catch", target(SYSCALLS, "handle", &handle)),
        message(SYSCALLS, "nothing", vec![felt(1)]),
        invoke(OLD_SYSCALLS, "delegate_l1_handler", target(OLD_SYSCALLS, "handle", &handle)),
        invoke(OLD_SYSCALLS, "library_call_l1_handler", library(old, "handle", &handle)),
        invoke(OLD_SYSCALLS, "library_call", library(old, "handle", &handle)),
    ]);
    assert_eq!(ran.inner(0).retdata[2], well_known::ENTRYPOINT_NOT_FOUND);
    assert_eq!(ran.cause(1), FailureCause::EntryPointNotFound);
    for index in 2..4 {
        assert_eq!(ran.inner(index).inner_calls[0].call.entry_point_type, EntryPointType::L1Handler);
    }
    assert_eq!(ran.at(4).status(), Reverted);
}

#[test]
fn c245_events_and_messages_are_in_order() {
    let world = World::furnished(Version::NEWEST);
    // Before and after a call that emits too: the tree has them by frame, the list by order number.
    let inner = target(CALLER, "noisy_call", &target(SYSCALLS, "emit_sized", &felts(&[1, 1])));
    let ran = world.one(&invoke(CALLER, "noisy_call", inner));
    let orders: Vec<Vec<u64>> =
        ran.root(0).iter().map(|call| call.events.iter().map(|event| event.order).collect()).collect();
    assert_eq!(orders, [vec![], vec![0, 4], vec![1, 3], vec![2]]);
    let events = ran.execution(0).events();
    let first_keys: Vec<Felt> = events.iter().take(5).map(|event| event.content.keys[0].0).collect();
    let (before, after) = (short("BEFORE"), short("AFTER"));
    assert_eq!((first_keys[0], first_keys[1], first_keys[3], first_keys[4]), (before, before, after, after));
    assert_eq!(events[2].from_address, address(SYSCALLS));
    let messages: Vec<u64> = ran.execution(0).messages().iter().map(|(_, message)| message.order).collect();
    assert_eq!(messages, [0, 1, 2, 3]);
}

#[test]
fn c247_step_tracked_validation_has_a_million_steps() {
    let world = World::furnished(Version::NEWEST);
    let limits = world.constants().limits.clone();
    assert_eq!(limits.validate_max_steps, 1_000_000);
    let validate =
        |rounds: u128| old_invoke(SYSCALLS, "nothing", vec![]).signed(&felts(&[13, rounds])).nonce(0);
    let ran = world.run(&[validate(260_000), validate(200_000)]);
    assert_eq!(ran.statuses(), [Invalid, Succeeded]);
    assert!(
        ran.invalid(0).to_string().contains("RunResources has no remaining steps."),
        "{}",
        ran.invalid(0)
    );
    let call = ran.execution(1).validate_call.as_ref().unwrap();
    assert!(call.resources.steps > 790_000 && call.resources.steps <= 1_001_000);
    assert_eq!(call.call.initial_gas, 10_000_000_000);
}

#[test]
fn c248_a_sufficient_step_limit_may_still_cost_too_much() {
    let mut world = World::furnished(Version::NEWEST);
    world.deploy("syscalls@steps", MADE);
    // Poseidon costs 0.08 L1 gas, the price of 32 steps, and takes fewer.
    let values = span(&vec![Felt::ONE; 600]);
    let tx = |l2| invoke(MADE, "poseidon_many", values.clone()).bounds(bounds(1_000_000, 1_000_000, l2));
    let whole = world.one(&tx(2_000_000_000)).execution(0).receipt.gas.l2_gas.0;
    let ran = world.run(&[tx(whole), tx(whole - 1)]);
    assert_eq!(ran.statuses(), [Succeeded, Reverted]);
    let reason = ran.execution(1).revert_reason.as_ref().unwrap();
    assert!(matches!(reason, starkiln::transaction::RevertReason::Cost(_)), "{reason}");
}

#[test]
fn c250_behaviour_compares_no_versions() {
    fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { sources(&path, found) } else { found.push(path) }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut asked = Vec::new();
    for file in files {
        let module = file.strip_prefix(&src).unwrap().to_owned();
        if module.starts_with("protocol") || module.starts_with("replay") || module.starts_with("cli") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let names_one = code.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| {
            line.contains("ProtocolVersion::V0_")
                || line.contains("constants.version")
                || line.contains("StarknetVersion::V0_")
        });
        if names_one {
            asked.push(module.display().to_string());
        }
    }
    asked.sort();
    // The one exception of the rule is the hash of the OS configuration: its formula belongs to another
    // crate.
    assert_eq!(asked, ["transaction/proof_facts.rs"]);
}

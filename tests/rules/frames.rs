//! Execution of entry points: C63 to C92.

use serde_json::{Value, json};
use starkiln::block::TransactionStatus::{Reverted, Succeeded};
use starkiln::call::{CallInfo, FailureCause, TrackedResource};
use starkiln::protocol::{Builtin, well_known};
use starknet_api::core::ClassHash;
use starknet_types_core::felt::Felt;
use starknet_types_core::hash::{Pedersen, StarkHash};

use super::world::classes::compiled;
use super::world::*;
use crate::fixture::casm::{self, CALLDATA, CALLDATA_END, GAS, Program, SYSCALLS as SYSCALL_POINTER};

const CAIRO_0_CALLEE: u128 = 0x1dc0;

/// `depth` nested `call`s of `caller` around a call of any entry point.
fn nested(depth: usize, innermost: (u128, &str, Vec<Felt>)) -> (u128, &'static str, Vec<Felt>) {
    let (to, name, calldata) = innermost;
    let mut arguments = target(to, name, &calldata);
    for _ in 1..depth {
        arguments = target(CALLER, "call", &arguments);
    }
    (CALLER, "call", arguments)
}

fn catch(to: u128, name: &str, calldata: &[Felt]) -> Tx {
    invoke(CALLER, "call_and_catch", target(to, name, calldata))
}

#[test]
fn c63_depth_then_address_then_class_then_entry_point() {
    let mut world = World::furnished(Version::NEWEST);
    world.place(ClassHash(felt(0xdead)), MADE);
    // 48 levels below the two of the account; the leaf calls an address without contract.
    let deep = |depth: u128| invoke(CALLER, "recurse", felts(&[depth, 4]));
    let ran = world.run(&[
        deep(49 - 1),
        deep(47),
        catch(0xbad, "nothing", &[]),
        catch(MADE, "no_such", &[]),
        catch(SYSCALLS, "no_such", &[]),
    ]);
    assert_eq!(ran.statuses(), [Reverted, Reverted, Reverted, Reverted, Succeeded]);
    assert_eq!(ran.cause(0), FailureCause::CallDepth);
    assert_eq!(ran.cause(1), FailureCause::ContractNotFound);
    assert_eq!(ran.cause(2), FailureCause::ContractNotFound);
    assert_eq!(ran.cause(3), FailureCause::ClassNotFound);
    assert_eq!(ran.inner(4).inner_calls[0].retdata, [well_known::ENTRYPOINT_NOT_FOUND]);
}

#[test]
fn c64_a_missing_contract_or_class_is_uncatchable() {
    let world = World::furnished(Version::NEWEST);
    let ran = world.run(&[
        catch(0xbad, "nothing", &[]),
        invoke(CALLER, "library_call_and_catch", library(ClassHash(felt(0xdead)), "nothing", &[])),
        // Not two levels up either.
        catch(CALLER, "call_and_catch", &target(0xbad, "nothing", &[])),
    ]);
    assert_eq!(ran.statuses(), [Reverted; 3]);
    assert_eq!(
        [ran.cause(0), ran.cause(1), ran.cause(2)],
        [FailureCause::ContractNotFound, FailureCause::ClassNotFound, FailureCause::ContractNotFound]
    );
    let text = ran.reason(1);
    assert!(text.ends_with("Class with hash 0x000000000000000000000000000000000000000000000000000000000000dead is not declared.\n"), "{text}");
}

#[test]
fn c65_a_missing_entry_point_is_catchable_from_0_13_4_on() {
    for (version, caught) in
        [(Version::V0_13_3, Reverted), (Version::V0_13_4, Succeeded), (Version::NEWEST, Succeeded)]
    {
        let mut world = World::furnished(version);
        // A Cairo 0 class with external functions, and one without L1 handlers.
        world.deploy("cairo0/no_constructor", CAIRO_0_CALLEE);
        let ran = world.run(&[
            catch(SYSCALLS, "no_such", &[]),
            catch(CAIRO_0_CALLEE, "no_such", &[]),
            message(CAIRO_0_CALLEE, "no_such", felts(&[1])),
            catch(SYSCALLS, "echo", &felts(&[1])),
        ]);
        assert_eq!(ran.at(0).status(), caught, "{version}");
        assert_eq!(ran.at(1).status(), caught, "{version}");
        assert_eq!(ran.cause(2), FailureCause::EntryPointNotFound);
        if caught == Succeeded {
            for index in 0..2 {
                assert_eq!(
                    ran.inner(index).retdata,
                    [Felt::ZERO, felt(2), well_known::ENTRYPOINT_NOT_FOUND, well_known::ENTRYPOINT_FAILED]
                );
            }
        } else {
            assert_eq!(ran.cause(0), FailureCause::EntryPointNotFound);
        }
    }
}

#[test]
fn c66_the_info_of_a_call_that_never_began_has_only_its_class() {
    let mut world = World::furnished(Version::NEWEST);
    let old = world.deploy("cairo0/no_constructor", CAIRO_0_CALLEE);
    let new = world.declare("syscalls");
    let ran = world.run(&[catch(SYSCALLS, "no_such", &felts(&[5])), catch(CAIRO_0_CALLEE, "no_such", &[])]);
    for (index, class_hash, tracked) in
        [(0, new, TrackedResource::SierraGas), (1, old, TrackedResource::CairoSteps)]
    {
        let call = &ran.inner(index).inner_calls[0];
        assert_eq!(
            (call.call.class_hash, call.tracked, call.failed, call.gas_consumed),
            (class_hash, tracked, true, 0)
        );
        assert!(call.inner_calls.is_empty() && call.events.is_empty() && call.syscall_usages.is_empty());
        assert_eq!(
            (&call.accesses, &call.builtin_counts, &call.resources),
            (&Default::default(), &Default::default(), &Default::default())
        );
    }
}

#[test]
fn c67_before_0_13_4_a_panic_is_uncatchable() {
    for (version, caught) in [(Version::V0_13_3, Reverted), (Version::V0_13_4, Succeeded)] {
        let world = World::furnished(version);
        let ran = world.one(&catch(SYSCALLS, "panic_with", &span(&[short("NO")])));
        assert_eq!(ran.statuses(), [caught], "{version}");
        if caught == Reverted {
            let text = ran.reason(0);
            assert!(text.ends_with("0x4e4f ('NO').\n"), "{text}");
            // The failure of the callee is the error of its caller's frame: three frames, no caught call.
            assert!(text.contains("\n2: Error in the called contract"), "{text}");
        }
    }
}

#[test]
fn c68_a_failed_outermost_call_reverts_the_transaction() {
    let mut world = World::furnished(Version::NEWEST);
    let upgradable = world.declare("upgradable");
    // The account panics with the data of its callee; a handler and a constructor panic directly.
    let ran = world.run(&[
        invoke(CALLER, "noisy_panic", felts(&[1])),
        message(SYSCALLS, "handle_and_panic", felts(&[1, 2, 3])),
        invoke(
            CALLER,
            "deploy_and_catch",
            join(&[&[upgradable.0, felt(1)], &span(&felts(&[1])), &felts(&[0])]),
        ),
    ]);
    assert_eq!(ran.statuses(), [Reverted; 3]);
    assert!(ran.reverted(0).failed && ran.reverted(1).failed);
    assert!((0..2).all(|index| ran.cause(index) == FailureCause::Panic));
    // A failed constructor is uncatchable.
    assert!(ran.reason(2).contains("CONSTRUCTOR_PANIC"), "{}", ran.reason(2));
    assert!(!ran.0.state_diff.storage.contains_key(&address(CALLER)));
    assert!(!ran.0.state_diff.storage.contains_key(&address(SYSCALLS)));
}

fn deploying(class_hash: ClassHash, calldata: &[Felt]) -> Vec<Felt> {
    join(&[&[class_hash.0, felt(1)], &span(calldata), &felts(&[0])])
}

#[test]
fn c69_a_class_without_constructor_takes_no_calldata_and_no_depth() {
    let mut world = World::furnished(Version::NEWEST);
    world.deploy("syscalls@steps", MADE);
    let (without, with) = (world.declare("nft"), world.declare("upgradable"));
    let at_depth = |depth, class_hash, calldata: &[Felt]| {
        invoke_raw(
            ACCOUNT,
            calls(&[nested(depth, (CALLER, "deploy_and_catch", deploying(class_hash, calldata)))]),
        )
    };
    let ran = world.run(&[
        invoke(CALLER, "deploy_and_catch", deploying(without, &felts(&[7]))),
        invoke(CALLER, "deploy_and_catch", deploying(without, &[])),
        // `__execute__`, 48 calls and the deploying frame are 50: a constructor call would be the 51st.
        at_depth(48, with, &felts(&[5])),
        at_depth(47, with, &felts(&[5])),
        invoke(SYSCALLS, "deploy", deploying(without, &[])),
        invoke(MADE, "deploy", deploying(without, &[])),
    ]);
    let text = ran.reason(0);
    let refused =
        "Invalid input: constructor_calldata; Cannot pass calldata to a contract with no constructor.\n";
    assert!(text.ends_with(refused), "{text}");
    assert_eq!(ran.statuses()[1..], [Succeeded, Reverted, Succeeded, Succeeded, Succeeded]);
    assert_eq!(ran.cause(2), FailureCause::CallDepth);
    for (index, in_steps) in [(1, false), (4, false), (5, true)] {
        let call = &ran.inner(index).inner_calls[0];
        assert_eq!((call.failed, call.gas_consumed, call.retdata.len()), (false, 0, 0));
        assert_eq!(call.call.selector.0, selector("constructor"));
        assert_eq!(call.call.initial_gas == 10_000_000_000, in_steps);
        assert_eq!(call.resources, Default::default());
    }
    // A constructor call at this depth would exceed the limit.
    let ran = world.run(&[at_depth(48, without, &[])]);
    assert_eq!(ran.statuses(), [Succeeded]);
}

/// `upgradable` with another selector for its constructor.
fn misnamed() -> Value {
    let mut class = compiled("upgradable");
    class["entry_points_by_type"]["CONSTRUCTOR"][0]["selector"] =
        json!(format!("{:#x}", selector("builder")));
    class
}

#[test]
fn c70_c243_the_constructor_is_the_first_entry_and_has_its_selector() {
    let mut world = World::furnished(Version::NEWEST);
    let class_hash = world.make(0x70, &misnamed(), "1.7.0");
    let mut old = compiled("cairo0/constructors");
    old["entry_points_by_type"]["CONSTRUCTOR"][0]["selector"] = json!(format!("{:#x}", selector("builder")));
    let old = world.make_old(&old);
    let ran = world.run(&[
        invoke(CALLER, "deploy_and_catch", deploying(class_hash, &felts(&[5]))),
        invoke(CALLER, "deploy_and_catch", deploying(old, &felts(&[0, 0, 0, 0]))),
    ]);
    for index in 0..2 {
        let text = ran.reason(index);
        assert!(text.ends_with("The constructor entry point must be named 'constructor'.\n"), "{text}");
        // The frame has the selector that the class gives.
        assert!(text.contains(&format!("{:#066x}", selector("builder"))), "{text}");
    }
}

/// The address of a deployment by `deployer`, by the formula of the rule.
fn deployed_at(deployer: u128, salt: u128, class_hash: ClassHash, calldata: &[Felt]) -> Felt {
    let parts = [
        short("STARKNET_CONTRACT_ADDRESS"),
        felt(deployer),
        felt(salt),
        class_hash.0,
        Pedersen::hash_array(calldata),
    ];
    let bound = (num_bigint::BigUint::from(1_u8) << 251_u32) - 256_u32;
    Felt::from(Pedersen::hash_array(&parts).to_biguint() % bound)
}

#[test]
fn c71_an_unavailable_address_is_reported_before_a_missing_class() {
    let mut world = World::furnished(Version::NEWEST);
    let missing = ClassHash(felt(0xdead));
    let taken = deployed_at(SYSCALLS, 1, missing, &[]);
    let state = &mut world.file.state.contracts;
    state.entry(taken.try_into().unwrap()).or_default().class_hash = ClassHash(felt(1));
    let deploy =
        |salt: u128| invoke(SYSCALLS, "deploy", join(&[&[missing.0, felt(salt)], &span(&[]), &felts(&[0])]));
    let ran = world.run(&[deploy(1), deploy(2)]);
    let text = ran.reason(0);
    let taken = format!("Deployment failed: contract already deployed at address {taken:#066x}\n");
    assert!(text.ends_with(&taken), "{text}");
    assert_eq!(ran.cause(1), FailureCause::ClassNotFound);
}

#[test]
fn c72_a_caught_failure_reverts_its_deployments() {
    let mut world = World::furnished(Version::NEWEST);
    let upgradable = world.declare("upgradable");
    let deploy = target(SYSCALLS, "deploy", &deploying(upgradable, &felts(&[5])));
    let at = deployed_at(SYSCALLS, 1, upgradable, &felts(&[5]));
    let ran = world.one(&invoke_raw(
        ACCOUNT,
        calls(&[
            (CALLER, "call_and_catch", target(CALLER, "call_then_panic", &join(&[&deploy, &felts(&[9])]))),
            (SYSCALLS_NEW, "class_hash_at", vec![at]),
            // The address is available again.
            (SYSCALLS, "deploy", deploying(upgradable, &felts(&[5]))),
            (SYSCALLS_NEW, "class_hash_at", vec![at]),
        ]),
    ));
    let answers: Vec<_> = ran.root(0).inner_calls.iter().map(|call| call.retdata.clone()).collect();
    assert_eq!(answers[0][0], Felt::ZERO);
    assert_eq!((answers[1][0], answers[2][0], answers[3][0]), (Felt::ZERO, at, upgradable.0));
    assert_eq!(
        ran.0.state_diff.deployed.iter().collect::<Vec<_>>(),
        [(&at.try_into().unwrap(), &upgradable)]
    );
}

#[test]
fn c73_c74_the_address_of_a_deployed_contract_and_the_caller_of_its_constructor() {
    let mut world = World::furnished(Version::NEWEST);
    let class_hash = world.declare("cairo0/constructors");
    let calldata = felts(&[0, 1, 2, 0]);
    let deploy = |from_zero: u128| {
        invoke(SYSCALLS, "deploy", join(&[&[class_hash.0, felt(5)], &span(&calldata), &felts(&[from_zero])]))
    };
    let account = deploy_account(class_hash, &calldata).unvalidated();
    world.fund(account.sender(), u128::MAX);
    let ran = world.run(&[deploy(0), deploy(1), account.clone()]);
    for (index, deployer) in [(0, SYSCALLS), (1, 0)] {
        let constructor = &ran.inner(index).inner_calls[0];
        let at = deployed_at(deployer, 5, class_hash, &calldata);
        assert_eq!(*constructor.call.storage_address.0.key(), at);
        // From zero or not: the caller is the deployer, and the code address is the deployed address.
        assert_eq!(constructor.call.caller_address, address(SYSCALLS));
        assert_eq!(constructor.call.code_address, Some(constructor.call.storage_address));
    }
    let constructor = ran.root(2);
    assert_eq!(*account.sender().0.key(), deployed_at(0, 1, class_hash, &calldata));
    assert_eq!((constructor.call.caller_address, constructor.call.code_address), (address(0), None));
}

/// A deployed class whose `run` is this program, and the outcome of one call of it.
fn run(world: &mut World, program: &Program, builtins: &[&str], version: &str) -> Ran {
    let class_hash = world.make(MADE, &casm::class(program, builtins), version);
    world.place(class_hash, MADE);
    world.one(&invoke(MADE, "run", vec![]))
}

#[test]
fn c75_c76_a_return_and_the_builtin_prices_follow_the_bytecode() {
    for (version, blake) in [(Version::V0_14_1, 0_u64), (Version::V0_14_2, 3_334), (Version::NEWEST, 3_334)] {
        let mut world = World::furnished(version);
        // A function at the end returns its call site: the program's address and 2, at [fp + 2].
        let with_function_at = |end: i64| {
            let mut program = Program::new().call(end);
            for price in 0..7 {
                // After the code, which ends two cells after the start of the function: a return, then the
                // pointer to the prices.
                program =
                    program.load_fp(2, end + 2 + 1 - 2).load_ap(-1, price).store_fp(SYSCALL_POINTER, price);
            }
            program.answer(0, 0, 7)
        };
        let end = with_function_at(0).len() as i64;
        let program = with_function_at(end).push_fp(-1).ret();
        let ran = run(&mut world, &program, &[], "1.7.0");
        assert_eq!(ran.statuses(), [Succeeded]);
        let gas = &world.constants().gas;
        let price = |builtin: Builtin| Felt::from(gas.builtin(builtin));
        assert_eq!(
            ran.inner(0).retdata,
            [
                price(Builtin::Pedersen),
                price(Builtin::Bitwise),
                price(Builtin::EcOp),
                price(Builtin::Poseidon),
                price(Builtin::AddMod),
                price(Builtin::MulMod),
                Felt::from(blake),
            ]
        );
    }
}

#[test]
fn c77_a_program_may_not_write_after_its_end() {
    let mut world = World::furnished(Version::NEWEST);
    // [the program's address + offset] = 1; the two cells after the code belong to the program, the next does
    // not.
    let writing = |end: i64, beyond: i64| {
        Program::new().call(end).push(1_u64).store_fp(2, end + beyond - 2).answer(0, 0, 0)
    };
    let end = writing(0, 0).len() as i64;
    let program = writing(end, 4).push_fp(-1).ret();
    assert_eq!(program.len() as i64, end + 2);
    let ran = run(&mut world, &program, &[], "1.7.0");
    let text = ran.reason(0);
    assert!(text.ends_with("):\nOut of bounds access to program segment"), "{text}");
}

#[test]
fn c78_arguments_are_builtins_gas_syscalls_and_calldata() {
    let mut world = World::furnished(Version::NEWEST);
    // Two range checks and their sum from the builtin at fp - 8, an arena at fp - 7 whose header is before
    // it.
    let program = Program::new()
        .push(7_u64)
        .store_fp(-8, 0)
        .load_fp(-7, -2)
        .store_fp(SYSCALL_POINTER, 0)
        .load_fp(-7, -1)
        .store_fp(SYSCALL_POINTER, 1)
        .load_fp(CALLDATA, 0)
        .store_fp(SYSCALL_POINTER, 2)
        .load_fp(CALLDATA_END, -1)
        .store_fp(SYSCALL_POINTER, 3)
        .push_fp_plus(-8, 1_u64)
        .push_fp(-7)
        .answer(0, 0, 4);
    let class_hash = world.make(MADE, &casm::class(&program, &["range_check", "segment_arena"]), "1.7.0");
    world.place(class_hash, MADE);
    let ran = world.one(&invoke(MADE, "run", felts(&[11, 12])));
    assert_eq!(ran.inner(0).retdata, felts(&[0, 0, 11, 12]));
    assert_eq!(ran.inner(0).builtin_counts.get(Builtin::RangeCheck), 1);
    // Dictionaries need the arena at its place.
    let dictionary = join(&[&span(&felts(&[1, 2, 1])), &span(&felts(&[10, 20, 30]))]);
    let ran = world.one(&invoke(SYSCALLS, "dictionary", dictionary));
    assert_eq!(ran.inner(0).retdata, felts(&[40]));
}

#[test]
fn c79_holes_of_range_check96_are_filled() {
    let mut world = World::furnished(Version::NEWEST);
    world.deploy("circuit", MADE);
    world.deploy("circuit@steps", STEPS);
    let number = |value: u128| felts(&[value, 0, 0, 0]);
    let calldata = join(&[&number(9), &number(5), &number(101)]);
    let ran =
        world.run(&[invoke(MADE, "arithmetic", calldata.clone()), invoke(STEPS, "arithmetic", calldata)]);
    for index in 0..2 {
        // Sum, difference and product modulo 101, after their common length.
        let expected = join(&[&felts(&[12]), &number(14), &number(4), &number(45)]);
        assert_eq!(ran.inner(index).retdata, expected);
        let used = &ran.inner(index).builtin_counts;
        assert_eq!((used.get(Builtin::AddMod), used.get(Builtin::MulMod)), (2, 3));
        assert!(used.get(Builtin::RangeCheck96) > 0);
    }
    // Holes of other segments remain, as in blockifier.
    assert_eq!(ran.inner(1).resources.memory_holes, 21);
}

#[test]
fn c80_the_end_of_the_syscall_segment_is_not_checked_in_cairo_1() {
    let mut world = World::furnished(Version::NEWEST);
    // It claims 1,000 cells of syscalls, used none and wrote one after them; and it writes after its
    // calldata.
    let program = Program::new()
        .push(5_u64)
        .store_fp(SYSCALL_POINTER, 3)
        .push(6_u64)
        .store_fp(CALLDATA_END, 0)
        .answer(1_000, 3, 4);
    let ran = run(&mut world, &program, &[], "1.7.0");
    assert_eq!(ran.inner(0).retdata, felts(&[5]));
}

#[test]
fn c81_cairo_0_is_checked_completely_each_check_with_its_message() {
    let world = World::furnished(Version::NEWEST);
    let write = |name: &str, calldata: Vec<Felt>| invoke(OLD_SYSCALLS, name, calldata);
    let cases = [
        (
            write("move_range_check", felts(&[1])),
            "Invalid stop pointer for range_check_builtin. Expected: 3:0, found: 3:1.",
        ),
        (
            write("swap_pointers", vec![]),
            "Invalid stop pointer for pedersen_builtin: Stop pointer has value 4:0 but builtin segment is 2.",
        ),
        (write("write_past_calldata", span(&felts(&[1]))), "Read-only segments."),
        (write("write_past_signature", vec![]), "Read-only segments."),
        (write("write_past_tx_info", vec![]), "Read-only segments."),
        (write("write_past_result", target(SYSCALLS, "echo", &span(&felts(&[1])))), "Read-only segments."),
        (
            write("raw_syscall", join(&[&felts(&[5, 1]), &span(&[short("GetBlockNumber")])])),
            "Syscall segment size.",
        ),
        (write("forged_storage_read", felts(&[1, 2])), "Syscall segment end."),
    ];
    let txs: Vec<Tx> = cases.iter().map(|(tx, _)| tx.clone()).collect();
    let ran = world.run(&txs);
    for (index, (_, end)) in cases.iter().enumerate() {
        let text = ran.reason(index);
        assert!(text.ends_with(&format!("\nValidation failed: {end}\n")), "{text}");
    }
}

#[test]
fn c82_c83_holes_are_counted_in_accessed_segments() {
    let mut world = World::furnished(Version::NEWEST);
    world.deploy("syscalls@steps", MADE);
    let ran = world.run(&[
        invoke(MADE, "execution_info", vec![]),
        invoke(MADE, "sha256_block", join(&[&span(&felts(&[1; 8])), &span(&felts(&[2; 16]))])),
        invoke(MADE, "dictionaries", felts(&[2, 5])),
        invoke(MADE, "call_contract", target(MADE, "echo", &span(&felts(&[1, 2, 3])))),
        invoke(OLD_SYSCALLS, "get_tx_info", vec![]),
        invoke(OLD_SYSCALLS, "raw_syscall", join(&[&felts(&[2, 1]), &span(&[short("GetBlockNumber")])])),
    ]);
    let holes: Vec<u64> = (0..6).map(|index| ran.inner(index).resources.memory_holes).collect();
    assert_eq!(holes, [0, 0, 35, 6, 0, 0]);
}

#[test]
fn c86_up_to_0_13_1_1_segment_arenas_count_their_cells() {
    let dictionaries = |version| {
        let world = World::furnished(version);
        let ran = world.one(&invoke(SYSCALLS, "dictionaries", felts(&[3, 4])));
        ran.inner(0).resources.builtins.get(Builtin::SegmentArena)
    };
    let (cells, arenas) = (dictionaries(Version::V0_13_1_1), dictionaries(Version::V0_13_2));
    assert_eq!(cells, 3 * arenas);
    // Two for each of the three dictionaries.
    assert_eq!(arenas, 6);
}

#[test]
fn c87_a_gas_tracked_frame_has_builtin_counters_and_no_resources() {
    let world = World::furnished(Version::NEWEST);
    let hash = felts(&[1, 2, 3]);
    let ran = world.run(&[
        invoke(SYSCALLS, "poseidon", hash.clone()),
        invoke(CALLER, "call", target(STEPS, "recurse", &felts(&[0, 0]))),
    ]);
    let call = ran.inner(0);
    assert_eq!(call.tracked, TrackedResource::SierraGas);
    assert_eq!(call.resources, Default::default());
    assert_eq!(call.builtin_counts.get(Builtin::Poseidon), 1);
    // Of a gas-tracked frame only its step-tracked callees count.
    let (gas, steps) = (ran.inner(1), &ran.inner(1).inner_calls[0]);
    assert_eq!((gas.tracked, steps.tracked), (TrackedResource::SierraGas, TrackedResource::CairoSteps));
    assert!(steps.resources.steps > 20);
    assert_eq!(gas.resources, steps.resources);
    assert_eq!(ran.root(1).resources, steps.resources);
}

#[test]
fn c88_resources_include_syscalls_and_all_inner_calls_failed_ones_too() {
    let world = World::furnished(Version::NEWEST);
    let ran = world.run(&[
        invoke(STEPS, "call_twice", target(STEPS, "recurse", &felts(&[1, 0]))),
        invoke(STEPS, "call_and_catch", target(STEPS, "recurse", &felts(&[1, 1]))),
        invoke(STEPS, "recurse", felts(&[0, 0])),
        invoke(STEPS, "recurse", felts(&[1, 0])),
    ]);
    let sum = |calls: &[CallInfo]| calls.iter().map(|call| call.resources.steps).sum::<u64>();
    for index in 0..2 {
        let call = ran.inner(index);
        assert!(call.resources.steps > sum(&call.inner_calls));
    }
    assert!(ran.inner(1).inner_calls[0].failed && ran.inner(1).inner_calls[0].resources.steps > 20);
    // One level more: the code of a level, and the OS resources of get_execution_info and call_contract.
    let (leaf, level) = (ran.inner(2), ran.inner(3));
    let constants = world.constants();
    let system = constants
        .syscall_os_resources(level.syscall_usages.iter().map(|(name, usage)| (*name, *usage)))
        .unwrap();
    assert!(system.steps > 500);
    let own = level.resources.steps - leaf.resources.steps - system.steps;
    // The code of one level; blockifier has the same value.
    assert_eq!(own, 84);
}

#[test]
fn c90_builtins_out_of_order_are_refused_at_every_call() {
    for version in [Version::OLDEST, Version::NEWEST] {
        let mut world = World::furnished(version);
        let program = Program::new().push_fp(-8).push_fp(-7).answer(0, 0, 0);
        for (at, builtins) in [
            (0xa1, ["range_check", "pedersen"]),
            (0xa2, ["pedersen", "range_check"]),
            (0xa3, ["pedersen", "ecdsa"]),
        ] {
            let class_hash = world.make(at, &casm::class(&program, &builtins), "1.7.0");
            world.place(class_hash, at);
        }
        let ran = world.run(&[catch(0xa1, "run", &[]), catch(0xa2, "run", &[]), catch(0xa3, "run", &[])]);
        assert_eq!(ran.statuses(), [Reverted, Succeeded, Reverted], "{version}");
        let text = "Entry point uses unsupported builtins or an invalid builtin order: ";
        assert!(ran.reason(0).contains(text) && ran.reason(2).contains(text), "{}", ran.reason(0));
    }
}

#[test]
fn c91_a_cairo_0_class_may_use_six_builtins() {
    let mut world = World::furnished(Version::NEWEST);
    world.deploy("cairo0/forbidden_builtin", MADE);
    world.deploy("cairo0/library", CAIRO_0_CALLEE);
    // The entry point does not use the forbidden builtin.
    let ran = world.run(&[catch(MADE, "answer", &[]), catch(CAIRO_0_CALLEE, "builtins", &felts(&[2]))]);
    assert_eq!(ran.statuses(), [Reverted, Succeeded]);
    let text = ran.reason(0);
    assert!(text.ends_with("Called builtins: {keccak} are unsupported in a Cairo0 contract\n"), "{text}");
}

#[test]
fn c92_a_result_must_be_felts_in_one_segment_and_its_flag_0_or_1() {
    let mut world = World::furnished(Version::NEWEST);
    let ending = |program: Program, failure: u64, from: i64, to: i64| {
        program.finish(|p| p.push_fp(GAS), 0, failure, from, to)
    };
    let programs = [
        ending(Program::new(), 2, 0, 0),
        // The end before the start.
        ending(Program::new().request(0, 1_u64).request(1, 1_u64), 0, 1, 0),
        // A pointer in place of a felt.
        ending(Program::new().request_fp(0, SYSCALL_POINTER), 0, 0, 1),
        // A cell that was never written.
        ending(Program::new().request(0, 1_u64).request(2, 1_u64), 0, 0, 3),
        // Start and end in two segments.
        Program::new()
            .push_fp(GAS)
            .push_fp(SYSCALL_POINTER)
            .push(0_u64)
            .push_fp(SYSCALL_POINTER)
            .push_fp(CALLDATA)
            .ret(),
        ending(Program::new().request(0, 8_u64), 1, 0, 1),
        ending(Program::new().request(0, 8_u64), 0, 0, 1),
    ];
    for (index, program) in programs.iter().enumerate() {
        let at = 0xa0 + index as u128;
        let class_hash = world.make(at, &casm::class(program, &[]), "1.7.0");
        world.place(class_hash, at);
    }
    let txs: Vec<Tx> = (0..7).map(|index| catch(0xa0 + index, "run", &[])).collect();
    let ran = world.run(&txs);
    for (index, end) in [
        "Malformed return data : Failure flag expected to be either 0 or 1..\n",
        "out of range conversion regarding big integer attempted\n",
        "Expected integer at address 3:0\n",
        "Unknown memory cell at address 3:1\n",
        "Operation failed: 4:0 - 3:0, can't subtract two relocatable values with different segment indexes\n",
    ]
    .into_iter()
    .enumerate()
    {
        let text = ran.reason(index);
        assert!(text.ends_with(&format!("):\n{end}")), "{text}");
    }
    assert_eq!(ran.inner(5).inner_calls[0].retdata, felts(&[8]));
    assert!(ran.inner(5).inner_calls[0].failed && !ran.inner(6).inner_calls[0].failed);
}

/// The segment of the execution info after `rounds` of SHA-256, from the text of a malformed result.
fn info_after_sha(rounds: i64) -> String {
    let mut world = World::furnished(Version::NEWEST);
    let mut program = Program::new();
    for word in 0..24 {
        program = program.request(900 + word, 1_u64);
    }
    for round in 0..rounds {
        let cell = 7 * round;
        program = program
            .request(cell, short("Sha256ProcessBlock"))
            .request(cell + 1, 1_000_000_u64)
            .push_fp_plus(SYSCALL_POINTER, 900_u64)
            .store_fp(SYSCALL_POINTER, cell + 2)
            .push_fp_plus(SYSCALL_POINTER, 908_u64)
            .store_fp(SYSCALL_POINTER, cell + 3)
            .syscall(cell);
    }
    let cell = 7 * rounds;
    program = program.request(cell, short("GetExecutionInfo")).request(cell + 1, 1_000_000_u64).syscall(cell);
    let program = program
        .push_fp(GAS)
        .push_fp_plus(SYSCALL_POINTER, 0_u64)
        .push(0_u64)
        .push_fp(SYSCALL_POINTER)
        .load_fp(SYSCALL_POINTER, cell + 4)
        .ret();
    let text = run(&mut world, &program, &[], "1.7.0").reason(0);
    let (_, place) = text.split_once("Operation failed: ").unwrap_or_else(|| panic!("{text}"));
    place.split(' ').next().unwrap().to_owned()
}

#[test]
fn c84_every_round_of_sha_allocates_a_segment() {
    let places: Vec<String> = (0..4).map(info_after_sha).collect();
    assert_eq!(places, ["13:0", "14:0", "15:0", "16:0"]);
}

#[test]
fn c85_points_of_both_curves_share_one_counter() {
    let mut world = World::furnished(Version::NEWEST);
    let infinity = |program: Program, name: &str, cell: i64| {
        let mut program = program.request(cell, short(name)).request(cell + 1, 1_000_000_u64);
        for coordinate in 2..6 {
            program = program.request(cell + coordinate, 0_u64);
        }
        program.syscall(cell)
    };
    // The point is in the tenth cell: six of the request, gas, flag, the variant of the option.
    let mut program = Program::new();
    for (index, name) in ["Secp256k1New", "Secp256r1New", "Secp256k1New"].into_iter().enumerate() {
        program = infinity(program, name, 10 * index as i64);
    }
    // Storing asserts that both are equal.
    let program = program
        .load_fp(SYSCALL_POINTER, 9)
        .push_top_plus(6_u64)
        .store_fp(SYSCALL_POINTER, 19)
        .push_top_plus(6_u64)
        .store_fp(SYSCALL_POINTER, 29)
        .answer(30, 7, 9);
    let ran = run(&mut world, &program, &[], "1.7.0");
    assert_eq!(
        ran.statuses(),
        [Succeeded],
        "{:?}",
        ran.execution(0).revert_reason.as_ref().map(ToString::to_string)
    );
    assert_eq!(ran.inner(0).retdata, felts(&[0, 0]));
}

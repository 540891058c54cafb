//! Revert reasons and the texts of invalid transactions: C174 to C187.
//!
//! The exact texts are in `reasons.txt`, every line of a text after a bar. They are those of blockifier: the
//! blocks of these tests are compared with it like all others here (see `tests/rules/mod.rs`), revert reasons
//! included. `STARKILN_RULE_REASONS=write` writes the file again; then the comparison must be repeated.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use starkiln::block::TransactionStatus;
use starkiln::call::{Cairo1RevertHeader, ErrorSegment, ErrorStackHeader, FailureCause, FrameKind};
use starkiln::fee::FeeCheckError;
use starkiln::transaction::{InvalidTransaction, RevertReason};
use starknet_api::core::ClassHash;
use starknet_api::transaction::fields::Resource;
use starknet_types_core::felt::Felt;

use super::world::*;
use crate::fixture::casm::{self, CALLDATA, GAS, Program};

const OLD_LIBRARY: u128 = 0x01d_11b;

/// The world of these tests, with a contract for every failure.
fn world(version: Version) -> World {
    let mut world = World::furnished(version);
    world.deploy("cairo0/library", OLD_LIBRARY);
    world.deploy("upgradable", 0x06);
    world.declare("upgradable");
    world.declare("cairo0/constructors");
    world
}

fn of(world: &mut World, name: &str) -> ClassHash {
    world.declare(name)
}

/// A contract that makes the same failing call twice and fails with the data of the second, or with other
/// data.
fn failing_twice(world: &mut World, own_data: bool) {
    let request = |program: Program, cell: i64| {
        program
            .request(cell, short("CallContract"))
            .request(cell + 1, 10_000_000_u64)
            .request(cell + 2, felt(SYSCALLS))
            .request(cell + 3, selector("panic_with"))
            .request_fp(cell + 4, CALLDATA)
            .request_fp(cell + 5, casm::CALLDATA_END)
            .syscall(cell)
    };
    let program = request(request(Program::new(), 0), 10);
    let program = if own_data {
        program.request(20, 77_u64).request(21, short("ENTRYPOINT_FAILED")).finish(
            |p| p.push_fp(GAS),
            20,
            1,
            20,
            22,
        )
    } else {
        program
            .push_fp(GAS)
            .push_fp_plus(casm::SYSCALLS, 20_u64)
            .push(1_u64)
            .load_fp(casm::SYSCALLS, 18)
            .load_fp(casm::SYSCALLS, 19)
            .ret()
    };
    let class_hash = world.make(MADE, &casm::class(&program, &[]), "1.7.0");
    world.place(class_hash, MADE);
}

fn with_constructor(class_hash: ClassHash, calldata: &[Felt]) -> Vec<Felt> {
    join(&[&[class_hash.0, felt(1)], &span(calldata), &felts(&[0])])
}

/// Bounds one L2 gas below the cost of a transaction.
fn one_less_l2_gas(world: &World, tx: &Tx) -> starknet_api::transaction::fields::ValidResourceBounds {
    bounds(1_000_000, 1_000_000, costs(world, tx).l2_gas.0 - 1)
}

fn costs(world: &World, tx: &Tx) -> starknet_api::execution_resources::GasVector {
    world.run_without_blockifier(std::slice::from_ref(tx)).execution(0).receipt.gas
}

/// Every case: a name, a world and a transaction.
fn cases(version: Version) -> Vec<(String, World, Tx)> {
    let mut all: Vec<(String, World, Tx)> = Vec::new();
    let mut base = world(version);
    let (upgradable, constructors, caller_class) =
        (of(&mut base, "upgradable"), of(&mut base, "cairo0/constructors"), of(&mut base, "caller"));
    let old_caller_class = of(&mut base, "cairo0/caller");
    let account = of(&mut base, "account_open");
    let old_account = of(&mut base, "cairo0/account_open");
    let base_of_costs = base.clone();
    let mut add = |name: &str, tx: Tx| all.push((name.to_owned(), base.clone(), tx));
    let panics = |data: &[Felt]| target(SYSCALLS, "panic_with", &span(data));

    // Panics of Cairo 1 (C181).
    add("panic: one felt", invoke(SYSCALLS, "panic_with", span(&felts(&[7]))));
    add("panic: a word", invoke(SYSCALLS, "panic_with", span(&[short("NO")])));
    add(
        "panic: several",
        invoke(SYSCALLS, "panic_with", span(&[short("NO"), felt(0), felt(7), short("it's \"so\"")])),
    );
    add("panic: nothing", invoke(SYSCALLS, "panic_with", span(&[])));
    add("panic: a string", invoke(SYSCALLS, "panic_text", felts(&[65])));
    add("panic: in a called contract", invoke(CALLER, "call", panics(&[short("NO")])));
    add(
        "panic: in a library",
        invoke(CALLER, "library_call", library(caller_class, "fail", &span(&felts(&[1])))),
    );
    add("panic: four calls deep", invoke(CALLER, "recurse", felts(&[3, 1])));
    add(
        "panic: calls and libraries in turn",
        invoke(CALLER, "recurse_mixed", join(&[&felts(&[3, 1]), &[caller_class.0]])),
    );
    add("panic: steps, three calls deep", invoke(STEPS, "recurse", felts(&[2, 1])));
    add("panic: gas calls steps", invoke(CALLER, "call", target(STEPS, "fail", &span(&felts(&[1])))));
    add(
        "panic: after a call that was caught",
        invoke(
            CALLER,
            "call_then_panic",
            join(&[&target(CALLER, "call_and_catch", &panics(&[Felt::ONE])), &felts(&[5])]),
        ),
    );
    add("missing entry point", invoke(CALLER, "call", target(SYSCALLS, "no_such", &[])));
    add(
        "out of gas",
        invoke(SYSCALLS, "loop_forever", vec![]).bounds(bounds(1_000_000, 1_000_000, 20_000_000)),
    );
    add(
        "out of steps",
        invoke(STEPS, "recurse", felts(&[1, 2])).bounds(bounds(1_000_000, 1_000_000, 20_000_000)),
    );
    add(
        "out of steps, Cairo 0",
        old_invoke(OLD_CALLER, "loop_forever", vec![]).bounds(bounds(1_000_000, 1_000_000, 20_000_000)),
    );

    // Faults: lines of frames (C176), with or without those of the VM (C177, C178).
    for (kind, contract) in [("gas", CALLER), ("steps", STEPS)] {
        add(&format!("undeployed address, {kind}"), invoke(contract, "call_undeployed", vec![]));
        add(
            &format!("undeployed address three calls deep, {kind}"),
            invoke(contract, "recurse", felts(&[2, 4])),
        );
        add(&format!("undeclared class, {kind}"), invoke(contract, "library_call_undeclared", vec![]));
        add(
            &format!("undeclared class to be deployed, {kind}"),
            invoke(contract, "deploy_undeclared", vec![]),
        );
        add(
            &format!("constructor panics, {kind}"),
            invoke(contract, "deploy_and_catch", with_constructor(upgradable, &felts(&[1]))),
        );
        add(
            &format!("constructor of Cairo 0 fails, {kind}"),
            invoke(contract, "deploy_and_catch", with_constructor(constructors, &felts(&[1, 8, 0, 0]))),
        );
        add(
            &format!("constructor calls what fails, {kind}"),
            invoke(
                contract,
                "deploy_and_catch",
                with_constructor(
                    constructors,
                    &join(&[&felts(&[4, OLD_CALLER]), &[selector("fail")], &felts(&[0])]),
                ),
            ),
        );
        add(
            &format!("constructor deploys what fails, {kind}"),
            invoke(
                contract,
                "deploy_and_catch",
                with_constructor(
                    constructors,
                    &join(&[&felts(&[5]), &[constructors.0, felt(3)], &span(&felts(&[1, 8, 0, 0]))]),
                ),
            ),
        );
        add(
            &format!("constructor calldata without constructor, {kind}"),
            invoke(contract, "deploy_and_catch", with_constructor(caller_class, &felts(&[1]))),
        );
    }
    add("a syscall is refused, gas", invoke(SYSCALLS, "storage_read_domain", felts(&[1, 2])));
    add("too deep", invoke(CALLER, "recurse", felts(&[60, 0])));

    // Cairo 0.
    for (name, data) in [
        ("fail", vec![]),
        ("fail_with_value", felts(&[1, 2])),
        ("fail_with_ap_value", felts(&[3])),
        ("fail_nested", felts(&[4])),
        ("fail_oddly", vec![]),
        ("fail_unexplained", felts(&[1, 2])),
        ("fail_division", felts(&[1, 0])),
        ("fail_range_check", vec![Felt::from(u128::MAX) + 1]),
        ("fail_not_zero", felts(&[0])),
        ("fail_negative", vec![Felt::ZERO - 1]),
        ("fail_less", felts(&[2, 1])),
        ("fail_unknown_memory", vec![]),
        ("fail_rewritten_memory", vec![]),
        ("fail_jump", felts(&[100_000])),
        ("fail_felt_as_pointer", felts(&[1])),
        ("recurse", felts(&[2, 1])),
        ("recurse", felts(&[1, 3])),
        ("recurse", felts(&[1, 4])),
        ("recurse", felts(&[1, 5])),
        ("recurse", felts(&[1, 6])),
        ("recurse", felts(&[1, 7])),
        ("recurse_delegate", felts(&[2, 1, OLD_CALLER])),
    ] {
        let label = data.iter().map(|felt| format!(" {felt:#x}")).collect::<String>();
        add(&format!("Cairo 0: {name}{label}"), old_invoke(OLD_CALLER, name, data));
    }
    add(
        "Cairo 0: recurse_library",
        old_invoke(OLD_CALLER, "recurse_library", join(&[&felts(&[2, 1]), &[old_caller_class.0]])),
    );
    add(
        "Cairo 0: a syscall is refused",
        old_invoke(OLD_SYSCALLS, "send_message_to_l1", join(&[&[Felt::MAX], &span(&[])])),
    );
    add("Cairo 0: a check at the end", old_invoke(OLD_SYSCALLS, "move_range_check", felts(&[1])));
    add(
        "Cairo 0: undeclared class to be deployed",
        old_invoke(OLD_SYSCALLS, "deploy", join(&[&felts(&[0xdead, 1]), &span(&[]), &felts(&[0])])),
    );
    add("Cairo 0: a library's hint fails", old_invoke(OLD_LIBRARY, "dictionary_update_wrongly", vec![]));

    // Both languages.
    add("Cairo 1 calls Cairo 0", invoke(CALLER, "call", target(OLD_CALLER, "fail", &[])));
    add("Cairo 0 calls Cairo 1", old_invoke(OLD_SYSCALLS, "call_contract", panics(&[short("NO")])));
    add(
        "Cairo 0 calls Cairo 1 that is missing",
        old_invoke(OLD_SYSCALLS, "call_contract", target(SYSCALLS, "no_such", &[])),
    );
    add(
        "Cairo 1 calls Cairo 0 calls Cairo 1 calls Cairo 0",
        invoke(
            CALLER,
            "call",
            target(
                OLD_SYSCALLS,
                "call_contract",
                &target(CALLER, "call", &target(OLD_CALLER, "fail_with_value", &felts(&[1, 2]))),
            ),
        ),
    );
    add(
        "Cairo 1 calls Cairo 0 calls Cairo 1 that panics",
        invoke(
            CALLER,
            "call",
            target(OLD_SYSCALLS, "call_contract", &target(CALLER, "call", &panics(&[short("NO")]))),
        ),
    );
    add(
        "a Cairo 0 library in a Cairo 1 contract",
        invoke(CALLER, "library_call", library(old_caller_class, "fail_with_value", &felts(&[1, 2]))),
    );

    // Messages from L1.
    add("handler panics", message(SYSCALLS, "handle_and_panic", felts(&[1, 2, 3])));
    add("handler of Cairo 0 fails", message(OLD_SYSCALLS, "handle_and_fail", felts(&[1, 2, 3])));
    add("handler is missing", message(SYSCALLS, "no_such", felts(&[1])));
    add("handler of Cairo 0 is missing", message(OLD_CALLER, "no_such", felts(&[1])));
    add("handler of a missing contract", message(0xbad, "handle", felts(&[1])));

    // Validation, account deployment, version 0: invalid, with texts of the same form.
    let nothing = || invoke(SYSCALLS, "nothing", vec![]);
    let old_nothing = || old_invoke(SYSCALLS, "nothing", vec![]);
    add("validation panics", nothing().signed(&felts(&[1, 5])));
    add("validation answers wrongly", nothing().signed(&felts(&[2])));
    add("validation calls others", nothing().signed(&[felt(4), felt(SYSCALLS), selector("nothing")]));
    add(
        "validation calls an undeclared library",
        nothing().signed(&[felt(11), felt(0xdead), selector("nothing")]),
    );
    add(
        "validation calls a library that panics",
        nothing().signed(&join(&[&[felt(11), caller_class.0, selector("fail")], &span(&felts(&[1]))])),
    );
    add(
        "validation runs out of gas",
        nothing().signed(&felts(&[3])).bounds(bounds(1_000_000, 1_000_000, 20_000_000)),
    );
    add("validation fails, Cairo 0", old_nothing().signed(&felts(&[1, 5])));
    add("validation divides by zero, Cairo 0", old_nothing().signed(&felts(&[2])));
    add(
        "validation calls others, Cairo 0",
        old_nothing().signed(&[felt(4), felt(SYSCALLS), selector("nothing")]),
    );
    add(
        "validation calls a library that fails, Cairo 0",
        old_nothing().signed(&[felt(11), old_caller_class.0, selector("fail")]),
    );
    add("validation of a missing account", nothing().from(0xbad).free());
    add("account's constructor panics", deploy_account(account, &[short("FAIL")]).free());
    add(
        "account's constructor fails, Cairo 0",
        deploy_account(old_account, &[short("FAIL"), felt(0), felt(0)]).free(),
    );
    add("account of an undeclared class", deploy_account(ClassHash(felt(0xdead)), &[]).free());
    add("account with calldata for no constructor", deploy_account(caller_class, &felts(&[1])).free());
    add("version 0 panics", invoke_v0(0, SYSCALLS, "panic_with", span(&felts(&[7]))).free());
    add("version 0 calls a missing contract", invoke_v0(0, 0xbad, "nothing", vec![]).free());

    // Checks of fee and bounds (C185).
    let write = || invoke(SYSCALLS, "storage_write_many", felts(&[1, 20, 7]));
    let work = invoke(SYSCALLS, "loop_n", felts(&[10_000]));
    let too_little = one_less_l2_gas(&base_of_costs, &work);
    add("cost: L2 gas", work.bounds(too_little));
    add("cost: L1 data gas", write().bounds(bounds(1_000_000, 300, 2_000_000_000)));
    let in_l1 = costs(&base_of_costs, &write().bounds(l1_bounds(1_000_000)));
    let in_l1 = in_l1.l1_gas.0 + in_l1.l1_data_gas.0.div_ceil(1_000) + in_l1.l2_gas.0.div_ceil(40_000);
    add("cost: L1 gas", write().bounds(l1_bounds(in_l1 - 1)));
    let by_fee = |fee| invoke_v1(fee, SYSCALLS, "storage_write_many", felts(&[1, 20, 7]));
    let fee = base_of_costs.run_without_blockifier(&[by_fee(MAX_FEE)]).execution(0).receipt.fee.0;
    add("cost: the fee", by_fee(fee - 1));
    add(
        "cost: the balance",
        invoke(STRK, "transfer", join(&[&felts(&[9]), &[felt(u128::MAX - 1)], &felts(&[0])])),
    );

    for (name, own_data) in [("two calls that fit", false), ("no call that fits", true)] {
        let mut world = base.clone();
        failing_twice(&mut world, own_data);
        all.push((name.to_owned(), world, invoke(MADE, "run", span(&felts(&[7])))));
    }
    all
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules/reasons.txt")
}

/// The texts of the file, by their headings.
fn written() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(file()).unwrap();
    let mut texts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut heading = String::new();
    for line in text.lines() {
        match line.strip_prefix('|') {
            Some(line) => texts.get_mut(&heading).unwrap().push(line),
            None if line.is_empty() => {}
            None => {
                heading = line.to_owned();
                assert!(texts.insert(heading.clone(), Vec::new()).is_none(), "`{line}` is there twice");
            }
        }
    }
    texts.into_iter().map(|(heading, lines)| (heading, lines.join("\n"))).collect()
}

fn text(heading: &str, ran: &Ran) -> String {
    match ran.at(0).status() {
        TransactionStatus::Reverted => ran.reason(0),
        TransactionStatus::Invalid => ran.invalid(0).to_string(),
        TransactionStatus::Succeeded => panic!("{heading}: it succeeded"),
    }
}

/// The newest version, the last with VM lines in gas-tracked frames, and the last without inner reverts.
const VERSIONS: [Version; 3] = [Version::V0_13_3, Version::V0_14_2, Version::NEWEST];

#[test]
fn c174_to_c187_every_text_is_blockifiers() {
    let mut found = String::new();
    let mut seen = Vec::new();
    for version in VERSIONS {
        for (name, world, tx) in cases(version) {
            let heading = format!("{version}: {name}");
            let text = text(&heading, &world.one(&tx));
            writeln!(found, "{heading}").unwrap();
            for line in text.split('\n') {
                writeln!(found, "|{line}").unwrap();
            }
            writeln!(found).unwrap();
            seen.push((heading, text));
        }
    }
    if std::env::var_os("STARKILN_RULE_REASONS").is_some() {
        std::fs::write(file(), found).unwrap();
    }
    let mut expected = written();
    for (heading, text) in seen {
        let golden = expected.remove(&heading).unwrap_or_else(|| panic!("no text for `{heading}`"));
        assert_eq!(text, golden, "{heading}");
    }
    assert!(expected.is_empty(), "texts of no case: {:?}", expected.keys());
}

fn stack(ran: &Ran) -> (&starkiln::call::ErrorStack, FailureCause) {
    match ran.execution(0).revert_reason.as_ref().unwrap() {
        RevertReason::Execution { stack, cause } => (stack, *cause),
        RevertReason::Cost(error) => panic!("{error}"),
    }
}

#[test]
fn c174_typed_reasons_agree_with_their_texts() {
    let mut world = world(Version::NEWEST);
    let (caller, syscalls, constructors) =
        (world.declare("caller"), world.declare("syscalls"), world.declare("cairo0/constructors"));

    // A panic: the frames that passed it on, and its data.
    let ran = world.one(&invoke(CALLER, "call", target(SYSCALLS, "panic_with", &span(&felts(&[7])))));
    let (error, cause) = stack(&ran);
    assert_eq!((error.header, cause), (ErrorStackHeader::Execution, FailureCause::Panic));
    let [ErrorSegment::EntryPoint(outermost), ErrorSegment::Cairo1Revert(summary)] =
        error.segments.as_slice()
    else {
        panic!("{error:?}")
    };
    assert_eq!(
        (outermost.depth, outermost.kind, outermost.storage_address),
        (0, FrameKind::CallContract, address(ACCOUNT))
    );
    assert_eq!((summary.header, &summary.panic_data), (Cairo1RevertHeader::Execution, &felts(&[7])));
    let frames: Vec<_> =
        summary.frames.iter().map(|frame| (frame.contract_address, frame.class_hash)).collect();
    assert_eq!(frames[1..], [(address(CALLER), caller), (address(SYSCALLS), syscalls)]);
    assert_eq!(summary.frames[2].selector.0, selector("panic_with"));

    // A fault below a constructor and a library call: kinds, locations and depths.
    let deploy = with_constructor(
        constructors,
        &join(&[&felts(&[8]), &[caller.0, selector("call_undeployed")], &felts(&[0])]),
    );
    let ran = world.one(&invoke(CALLER, "deploy_and_catch", deploy));
    let (error, cause) = stack(&ran);
    assert_eq!(cause, FailureCause::ContractNotFound);
    let frames: Vec<_> = error
        .segments
        .iter()
        .filter_map(|segment| match segment {
            ErrorSegment::EntryPoint(frame) => Some((frame.depth, frame.kind)),
            _ => None,
        })
        .collect();
    use FrameKind::{CallContract, Constructor, LibraryCall};
    assert_eq!(
        frames,
        [(0, CallContract), (1, CallContract), (2, Constructor), (2, LibraryCall), (3, CallContract)]
    );
    // Frames of Cairo 0 have VM lines; gas-tracked ones do not.
    let places = error.segments.iter().filter(|segment| matches!(segment, ErrorSegment::Vm(_))).count();
    assert_eq!(places, 2);

    // An error attribute of the program is a field of its own.
    let ran = world.one(&old_invoke(OLD_CALLER, "fail", vec![]));
    let (error, cause) = stack(&ran);
    assert_eq!(cause, FailureCause::Program);
    let place = error.segments.iter().rev().find_map(|segment| match segment {
        ErrorSegment::Vm(location) => location.error_attribute.clone(),
        _ => None,
    });
    assert_eq!(place.as_deref(), Some("Error message: FAILED\n"));

    for (tx, expected) in [
        (invoke(CALLER, "library_call_undeclared", vec![]), FailureCause::ClassNotFound),
        (invoke(CALLER, "recurse", felts(&[60, 0])), FailureCause::CallDepth),
        (message(SYSCALLS, "no_such", felts(&[1])), FailureCause::EntryPointNotFound),
        (invoke(SYSCALLS, "storage_read_domain", felts(&[1, 2])), FailureCause::Syscall),
        (
            invoke(SYSCALLS, "loop_forever", vec![]).bounds(bounds(1_000_000, 1_000_000, 20_000_000)),
            FailureCause::OutOfGas,
        ),
        (
            invoke(STEPS, "recurse", felts(&[0, 2])).bounds(bounds(1_000_000, 1_000_000, 20_000_000)),
            FailureCause::OutOfSteps,
        ),
    ] {
        assert_eq!(world.one(&tx).cause(0), expected);
    }
    // A failed check of bounds is a reason of another kind.
    let work = invoke(SYSCALLS, "loop_n", felts(&[10_000]));
    let too_little = one_less_l2_gas(&world, &work);
    let ran = world.one(&work.bounds(too_little));
    let Some(RevertReason::Cost(FeeCheckError::MaxGasAmountExceeded { resource, max_amount, actual_amount })) =
        &ran.execution(0).revert_reason
    else {
        panic!("{}", ran.reason(0))
    };
    assert_eq!((*resource, max_amount.0 + 1), (Resource::L2Gas, actual_amount.0));
    // A validation's too.
    let ran = world.one(&invoke(SYSCALLS, "nothing", vec![]).signed(&felts(&[1, 5])));
    let InvalidTransaction::ValidationPanic(summary) = ran.invalid(0) else { panic!("{}", ran.invalid(0)) };
    assert_eq!(
        (summary.header, &summary.panic_data),
        (Cairo1RevertHeader::Validation, &vec![short("VALIDATE_PANIC"), felt(5)])
    );
}

/// The form of a text that is longer than 15,100 bytes (C180), without regard to character boundaries.
fn capped(text: &str) -> String {
    assert!(text.is_ascii());
    if text.len() <= 15_100 {
        text.to_owned()
    } else {
        format!("{}\n\n...\n\n{}", &text[..7_500], &text[text.len() - 7_500..])
    }
}

#[test]
fn c180_long_traces_keep_their_first_and_last_part() {
    let mut world = world(Version::NEWEST);
    let class_hash = world.declare("cairo0/caller");
    let account = world.declare("cairo0/account_open");
    for depth in [20_u128, 40, 48] {
        let ran = world.one(&old_invoke(OLD_CALLER, "recurse", felts(&[depth, 1])));
        // The complete text: the frame of the account, one for each level, and their VM lines.
        let (error, _) = stack(&ran);
        let whole: Vec<String> = error.segments.iter().map(ToString::to_string).collect();
        let frames =
            error.segments.iter().filter(|segment| matches!(segment, ErrorSegment::EntryPoint(_))).count();
        assert_eq!(frames as u128, depth + 2);
        assert!(
            whole[0].contains(&format!("{:#066x}", account.0))
                && whole[2].contains(&format!("{:#066x}", class_hash.0))
        );
        let whole = whole.join("\n");
        assert_eq!(whole.len() > 15_100, depth > 20);
        // The header does not count.
        assert_eq!(ran.reason(0), format!("Transaction execution has failed:\n{}", capped(&whole)));
    }
}

#[test]
fn c180_a_cut_never_splits_a_character() {
    use starkiln::call::{ErrorSegment::Text, ErrorStack};
    // Three bytes each: neither 7,500 bytes from the start nor from the end is a character boundary.
    let text = format!("a{}a", "\u{2603}".repeat(6_000));
    let stack = ErrorStack { header: ErrorStackHeader::Execution, segments: vec![Text(text)] };
    let printed = stack.to_string();
    let half = "\u{2603}".repeat(2_499);
    assert_eq!(printed, format!("Transaction execution has failed:\na{half}\n\n...\n\n{half}a"));
}

#[test]
fn c181_long_panics_lose_frames_first_and_then_data() {
    let world = world(Version::NEWEST);
    // Every level adds a frame of some 260 bytes, every felt of data 67.
    let data = |count: usize| span(&vec![Felt::MAX; count]);
    let mut lengths = Vec::new();
    for (depth, count) in [(3, 120), (40, 90), (40, 170), (3, 230), (3, 400), (40, 400)] {
        let mut call = target(SYSCALLS, "panic_with", &data(count));
        for _ in 1..depth {
            call = target(CALLER, "call", &call);
        }
        let ran = world.one(&invoke(CALLER, "call", call));
        let text = ran.reason(0);
        let frames = text.matches("Error in contract (").count();
        lengths.push((
            text.len(),
            frames,
            text.contains("\n\n...\n") || text.contains("\n...\n"),
            text.ends_with("\n..."),
        ));
    }
    // (bytes, frames, whether the middle was cut, whether the end was cut), as in blockifier.
    assert_eq!(
        lengths,
        [
            (9_708, 5, false, false),
            (15_095, 33, true, false),
            (15_041, 13, true, false),
            (15_041, 0, true, true),
            (15_041, 0, true, true),
            (15_041, 0, true, true),
        ]
    );
}

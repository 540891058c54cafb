//! Limits on steps, gas and depth: C50 to C62.

use starkiln::block::TransactionStatus::{Reverted, Succeeded};
use starkiln::call::{CallInfo, FailureCause, TrackedResource};
use starkiln::protocol::{SyscallName, TransactionKind, well_known};
use starkiln::transaction::RevertReason;
use starknet_types_core::felt::Felt;

use super::world::*;
use crate::fixture::casm::{self, CALLDATA, GAS, Program};

/// The OS steps of an invoke.
fn system_steps(world: &World, calldata: &[Felt]) -> u64 {
    world.constants().transaction_os_resources(TransactionKind::Invoke, calldata.len() as u64).unwrap().steps
}

fn is_out_of_steps(ran: &Ran, index: usize) -> bool {
    matches!(
        ran.execution(index).revert_reason,
        Some(RevertReason::Execution { cause: FailureCause::OutOfSteps, .. })
    )
}

#[test]
fn c52_only_step_tracked_frames_consume_steps() {
    let mut world = World::furnished(Version::NEWEST);
    world.deploy("syscalls@steps", MADE);
    // L1 gas for 14,400 steps, some 9,000 of which remain for execution; the loop takes 40,000.
    let tx = |to| invoke(to, "loop_n", felts(&[4_000])).bounds(l1_bounds(36));
    let ran = world.run(&[tx(SYSCALLS), tx(MADE)]);
    assert!(!is_out_of_steps(&ran, 0), "{}", ran.reason(0));
    let computation = |index: usize| &ran.execution(index).receipt.resources.computation;
    // Tracked in gas it finished, and then exceeded its bounds.
    assert!(matches!(ran.execution(0).revert_reason, Some(RevertReason::Cost(_))));
    assert_eq!(computation(0).reverted_steps, 0);
    assert!(is_out_of_steps(&ran, 1));
}

#[test]
fn c53_without_remaining_steps_a_gas_tracked_frame_fails_too() {
    let mut world = World::furnished(Version::NEWEST);
    world.deploy("syscalls@steps", MADE);
    let inner = target(MADE, "loop_n", &felts(&[3_000]));
    // The steps of the step-tracked frame, from the reverted steps of a panic of its caller.
    let probe = world.one(&invoke(CALLER, "call_then_panic", join(&[&inner, &felts(&[1])])));
    let used = probe.execution(0).receipt.resources.computation.reverted_steps;
    assert!(used > 20_000);
    let system = system_steps(&world, &calls(&[(CALLER, "call", inner.clone())]));
    let tx = |steps: u64| {
        invoke(CALLER, "call", inner.clone()).bounds(bounds(1_000_000, 1_000_000, 100 * (system + steps)))
    };
    let ran = world.run(&[tx(used), tx(used + 1)]);
    // The callee uses the last step; its caller, which consumes none, cannot continue.
    assert!(is_out_of_steps(&ran, 0), "{}", ran.reason(0));
    assert!(
        ran.reason(0)
            .ends_with("Could not reach the end of the program. RunResources has no remaining steps.\n")
    );
    assert!(!is_out_of_steps(&ran, 1));
}

#[test]
fn c54_the_last_step_may_be_used() {
    let world = World::furnished(Version::NEWEST);
    let system = system_steps(&world, &old_calls(&[(OLD_CALLER, "loop", felts(&[500]))]));
    let run = |steps: u64| {
        world.one(&old_invoke(OLD_CALLER, "loop", felts(&[500])).unvalidated().bounds(bounds(
            1_000_000,
            1_000_000,
            100 * (system + steps),
        )))
    };
    // The smallest sufficient number of steps.
    let (mut short, mut enough) = (1_200, 20_000);
    assert!(is_out_of_steps(&run(short), 0) && !is_out_of_steps(&run(enough), 0));
    while enough - short > 1 {
        let middle = (short + enough) / 2;
        *(if is_out_of_steps(&run(middle), 0) { &mut short } else { &mut enough }) = middle;
    }
    // Its syscalls then exceed the bound, so that the receipt has the steps: all of them.
    let ran = run(enough);
    assert!(matches!(ran.execution(0).revert_reason, Some(RevertReason::Cost(_))), "{}", ran.reason(0));
    assert_eq!(ran.execution(0).receipt.resources.computation.reverted_steps, enough);
}

#[test]
fn c55_gas_tracked_execution_has_no_step_limit() {
    let world = World::furnished(Version::NEWEST);
    // 400 steps less than the OS overhead, and gas for a long loop.
    let ran = world.run(&[
        invoke(SYSCALLS, "loop_n", felts(&[30_000])).bounds(l1_bounds(20)).free(),
        invoke(SYSCALLS, "loop_forever", vec![]).bounds(bounds(1_000_000, 1_000_000, 20_000_000)),
    ]);
    assert_eq!(ran.at(0).status(), Succeeded);
    assert_eq!(ran.cause(1), FailureCause::OutOfGas);
    // All allotted steps.
    assert!(ran.execution(1).receipt.resources.computation.reverted_sierra_gas > 19_000_000);
}

fn twice(world: &World, to: u128, name: &str, calldata: &[Felt]) -> (u64, u64, u64) {
    let ran = world.one(&invoke(CALLER, "call_twice", target(to, name, calldata)));
    let calls = &ran.inner(0).inner_calls;
    (calls[0].call.initial_gas, calls[0].gas_consumed, calls[1].call.initial_gas)
}

#[test]
fn c57_a_callee_begins_with_its_callers_remaining_gas_and_returns_the_remainder() {
    let mut world = World::furnished(Version::NEWEST);
    world.deploy("syscalls@steps", MADE);
    let lost = |(first, used, second): (u64, u64, u64)| first - used - second;
    let cheap = twice(&world, SYSCALLS, "storage_read", &felts(&[1]));
    let dear = twice(&world, SYSCALLS, "loop_n", &felts(&[5_000]));
    assert!(dear.1 > 1_000_000 + cheap.1);
    // Between the calls the caller uses the same gas, whatever its callees use.
    assert_eq!(lost(cheap), lost(dear));
    // A step-tracked callee consumes no gas.
    let in_steps = twice(&world, MADE, "loop_n", &felts(&[5_000]));
    assert_eq!(in_steps.1, 0);
    let ran = world.one(&invoke(CALLER, "call", target(MADE, "loop_n", &felts(&[5_000]))));
    assert!(ran.inner(0).gas_consumed < 1_000_000, "{}", ran.inner(0).gas_consumed);
    assert!(ran.inner(0).inner_calls[0].resources.steps > 50_000);
}

#[test]
fn c58_step_tracked_calls_record_an_initial_gas_of_ten_billion() {
    let world = World::furnished(Version::NEWEST);
    let ran = world.one(&invoke(STEPS, "recurse", felts(&[2, 0])));
    let call = ran.inner(0);
    assert!(call.iter().count() == 3);
    for call in call {
        assert_eq!(
            (call.tracked, call.call.initial_gas, call.gas_consumed),
            (TrackedResource::CairoSteps, 10_000_000_000, 0)
        );
    }
}

/// A class whose `run` returns the gas that `gas` pushes.
fn giving_back(world: &mut World, at: u128, gas: impl FnOnce(Program) -> Program) {
    let program = Program::new().finish(gas, 0, 0, 0, 0);
    let class_hash = world.make(at, &casm::class(&program, &[]), "1.7.0");
    world.place(class_hash, at);
}

#[test]
fn c59_an_entry_point_is_charged_ten_thousand_at_first() {
    let mut world = World::furnished(Version::NEWEST);
    giving_back(&mut world, 0xa1, |program| program.push_fp(GAS));
    giving_back(&mut world, 0xa2, |program| program.push_fp_plus(GAS, 4_000_u64));
    giving_back(&mut world, 0xa3, |program| program.push(0_u64));
    let ran =
        world.run(&[invoke(0xa1, "run", vec![]), invoke(0xa2, "run", vec![]), invoke(0xa3, "run", vec![])]);
    let consumed = |index: usize| ran.inner(index).gas_consumed;
    assert_eq!(consumed(0), 10_000);
    // The returned gas is compared with the complete initial gas, so a program may regain a part of the
    // charge.
    assert_eq!(consumed(1), 6_000);
    let greedy = &ran.reverted(2).inner_calls[0];
    assert_eq!(greedy.gas_consumed, greedy.call.initial_gas);
}

#[test]
fn c60_a_call_that_cannot_pay_its_initial_charge_fails_and_costs_nothing() {
    let mut world = World::furnished(Version::NEWEST);
    let price = world.constants().syscall_price(SyscallName::CallContract).base - 10_000;
    // call_contract(SYSCALLS, nothing) with a remainder of 9,999 after its price; then gas, flag and error
    // data.
    let program = Program::new()
        .request(0, short("CallContract"))
        .request(1, price + 9_999)
        .request(2, felt(SYSCALLS))
        .request(3, selector("nothing"))
        .request_fp(4, CALLDATA)
        .request_fp(5, CALLDATA)
        .syscall(0)
        .copy(6, 20)
        .copy(7, 21)
        .copy_behind(8, 0, 22)
        .copy_behind(8, 1, 23)
        .answer(10, 20, 24);
    let class_hash = world.make(0xa1, &casm::class(&program, &[]), "1.7.0");
    world.place(class_hash, 0xa1);
    let ran = world.one(&invoke(0xa1, "run", vec![]));
    assert_eq!(
        ran.inner(0).retdata,
        [felt(9_999), Felt::ONE, well_known::OUT_OF_GAS, well_known::ENTRYPOINT_FAILED]
    );
    let callee = &ran.inner(0).inner_calls[0];
    assert_eq!((callee.failed, callee.gas_consumed, callee.call.initial_gas), (true, 0, 9_999));
    assert_eq!(callee.retdata, [well_known::OUT_OF_GAS]);
}

#[test]
fn c61_more_gas_than_the_initial_gas_cannot_be_returned() {
    let mut world = World::furnished(Version::NEWEST);
    giving_back(&mut world, 0xa1, |program| program.push_fp_plus(GAS, 10_000_u64));
    giving_back(&mut world, 0xa2, |program| program.push_fp_plus(GAS, 10_001_u64));
    giving_back(&mut world, 0xa3, |program| program.push(1_u128 << 64));
    let ran = world.run(&[
        invoke(0xa1, "run", vec![]),
        invoke(CALLER, "call_and_catch", target(0xa2, "run", &[])),
        invoke(CALLER, "call_and_catch", target(0xa3, "run", &[])),
    ]);
    assert_eq!(ran.statuses(), [Succeeded, Reverted, Reverted]);
    assert_eq!(ran.inner(0).gas_consumed, 0);
    assert!(
        ran.reason(1).contains("\nMalformed return data : Unexpected remaining gas: "),
        "{}",
        ran.reason(1)
    );
    let text = "\nMalformed return data : Unexpected remaining gas: 18446744073709551616..\n";
    assert!(ran.reason(2).ends_with(text), "{}", ran.reason(2));
}

#[test]
fn c62_a_failed_call_is_charged() {
    let world = World::furnished(Version::NEWEST);
    let catch =
        |name: &str, calldata: &[Felt]| invoke(CALLER, "call_and_catch", target(SYSCALLS, name, calldata));
    let ran = world.run(&[catch("panic_with", &span(&felts(&[1]))), catch("panic_text", &felts(&[1]))]);
    let inner = |index: usize| -> &CallInfo { &ran.inner(index).inner_calls[0] };
    for index in 0..2 {
        assert!(inner(index).failed && inner(index).gas_consumed > 10_000);
        assert!(ran.inner(index).gas_consumed > inner(index).gas_consumed);
        let validate = ran.execution(index).validate_call.as_ref().unwrap().gas_consumed;
        assert_eq!(
            ran.execution(index).receipt.resources.computation.sierra_gas,
            validate + ran.root(index).gas_consumed
        );
    }
}

//! Transaction flow: C1 to C40.

use starkiln::block::TransactionStatus::{Invalid, Reverted, Succeeded};
use starkiln::call::{FailureCause, TrackedResource};
use starkiln::class::ContractClass;
use starkiln::fee::FeeCheckError;
use starkiln::fee::fee_token_balance_key;
use starkiln::protocol::{TransactionKind, well_known};
use starkiln::transaction::{InvalidTransaction, RevertReason};
use starknet_api::contract_class::EntryPointType;
use starknet_api::core::CompiledClassHash;
use starknet_types_core::felt::Felt;

use super::world::classes::compiled;
use super::world::*;

fn nothing() -> Tx {
    invoke(SYSCALLS, "nothing", vec![])
}

fn panics() -> Tx {
    invoke(SYSCALLS, "panic_with", span(&[short("NO")]))
}

#[test]
fn c1_checks_come_in_order_nonce_bounds_balance_proof_validation_execution() {
    let mut world = World::furnished(Version::NEWEST);
    let poor = 0xbad;
    world.deploy("account_open", poor);
    let low = bounds(1, 1, 1);
    // Every transaction also has all the errors that are checked after the reported one.
    let wrong = |tx: Tx| tx.proof(felts(&[1, 2])).signed(&felts(&[1])).from(poor);
    let ran = world.run(&[
        wrong(panics()).nonce(9).bounds(low),
        wrong(panics()).nonce(0).bounds(low),
        wrong(panics()).nonce(0),
        wrong(panics()).nonce(0).from(ACCOUNT),
        panics().nonce(0).signed(&felts(&[1])),
        panics().nonce(0),
    ]);
    assert!(matches!(ran.invalid(0), InvalidTransaction::Nonce { .. }), "{}", ran.invalid(0));
    assert!(matches!(ran.invalid(1), InvalidTransaction::Bounds(_)), "{}", ran.invalid(1));
    assert!(matches!(ran.invalid(2), InvalidTransaction::Balance(_)), "{}", ran.invalid(2));
    assert!(matches!(ran.invalid(3), InvalidTransaction::ProofFacts(_)), "{}", ran.invalid(3));
    assert!(matches!(ran.invalid(4), InvalidTransaction::ValidationPanic(_)), "{}", ran.invalid(4));
    assert_eq!(ran.at(5).status(), Reverted);
    // The fee transfer comes last, after the revert.
    assert!(ran.execution(5).fee_transfer_call.is_some());
}

#[test]
fn c3_version_0_ignores_the_nonce() {
    let mut world = World::furnished(Version::V0_13_1);
    world.set_nonce(SYSCALLS, 7);
    world.set_nonce(1, 3);
    let class_hash = world.offer("cairo0/no_constructor");
    world.fund(address(SYSCALLS), MAX_FEE);
    world.fund(address(1), MAX_FEE);
    let ran = world.run(&[invoke_v0(MAX_FEE, SYSCALLS, "nothing", vec![]), declare_old(0, class_hash)]);
    assert_eq!(ran.statuses(), [Succeeded, Succeeded]);
    assert!(ran.0.state_diff.nonces.is_empty());
    assert!(!ran.0.initial_reads.nonces.contains_key(&address(SYSCALLS)), "not even read");
}

#[test]
fn c4_a_lenient_nonce_may_be_greater_and_increments_by_one() {
    let mut world = World::furnished(Version::NEWEST);
    world.set_nonce(ACCOUNT, 5);
    let ran = world.run(&[
        nothing().nonce(6),
        nothing().nonce(4),
        nothing().nonce(4).any_later_nonce(),
        nothing().nonce(9).any_later_nonce(),
        nothing().nonce(6),
    ]);
    assert_eq!(ran.statuses(), [Invalid, Invalid, Invalid, Succeeded, Succeeded]);
    assert_eq!(ran.at(3).state_diff.nonces[&address(ACCOUNT)].0, felt(6));
}

#[test]
fn c6_without_a_fee_nothing_is_checked_limited_or_paid_but_the_receipt_has_the_fee() {
    let mut world = World::furnished(Version::NEWEST);
    let poor = 0xbad;
    world.deploy("account_open", poor);
    world.deploy("syscalls@steps", MADE);
    // L1 gas for 400 steps; the loop takes many more.
    let ran = world.run(&[
        invoke(MADE, "loop_n", felts(&[2_000])).from(poor).bounds(l1_bounds(1)).free(),
        invoke(MADE, "loop_n", felts(&[2_000])).from(poor).bounds(l1_bounds(1)),
    ]);
    assert_eq!(ran.statuses(), [Succeeded, Invalid]);
    let free = ran.execution(0);
    assert!(free.receipt.fee.0 > L1_PRICE, "more than the bound");
    assert!(free.receipt.gas.l1_gas.0 > 1);
    assert!(free.fee_transfer_call.is_none());
    assert!(!ran.at(0).state_diff.storage.contains_key(&address(STRK)));
}

#[test]
fn c7_without_a_fee_the_l2_gas_bound_still_applies() {
    let world = World::furnished(Version::NEWEST);
    let ran = world.run(&[nothing().bounds(bounds(0, 0, 0)).free(), nothing().nonce(0).free()]);
    let InvalidTransaction::ValidationPanic(summary) = ran.invalid(0) else { panic!("{}", ran.invalid(0)) };
    assert_eq!(summary.panic_data, [well_known::OUT_OF_GAS]);
    assert_eq!(ran.at(1).status(), Succeeded);
}

#[test]
fn c8_without_a_bound_on_l2_gas_the_limits_of_validation_and_execution_apply() {
    for version in [Version::V0_13_4, Version::V0_14_2, Version::NEWEST] {
        let world = World::furnished(version);
        let limits = world.constants().limits.clone();
        let ran = world
            .run(&[nothing().bounds(l1_bounds(1_000_000)), invoke_v1(MAX_FEE, SYSCALLS, "nothing", vec![])]);
        for index in 0..2 {
            let validate = ran.execution(index).validate_call.as_ref().unwrap();
            assert_eq!(validate.call.initial_gas, limits.validate_max_sierra_gas);
            // Both limits are below their sum, so the limit of execution applies.
            assert_eq!(ran.root(index).call.initial_gas, limits.execute_max_sierra_gas);
        }
    }
}

#[test]
fn c9_validation_and_execution_share_one_gas_budget_each_within_its_limit() {
    let world = World::furnished(Version::NEWEST);
    let limits = world.constants().limits.clone();
    let work = |l2| nothing().bounds(bounds(1_000_000, 1_000_000, l2)).signed(&felts(&[13, 1_000]));
    let ran = world.run(&[work(50_000_000), work(1_150_000_000), work(2_000_000_000)]);
    let gas = |index: usize| {
        let validate = ran.execution(index).validate_call.as_ref().unwrap();
        (validate.call.initial_gas, validate.gas_consumed, ran.root(index).call.initial_gas)
    };
    let (given, used, left) = gas(0);
    assert_eq!((given, left), (50_000_000, 50_000_000 - used));
    assert!(used > 500_000, "{used}");
    // The budget exceeds the limit of validation; its remainder is below the limit of execution.
    let (given, used, left) = gas(1);
    assert_eq!(given, limits.validate_max_sierra_gas);
    assert_eq!(left, (1_150_000_000 - used).min(limits.execute_max_sierra_gas));
    assert_eq!(gas(2), (limits.validate_max_sierra_gas, used, limits.execute_max_sierra_gas));
}

#[test]
fn c10_step_tracked_validation_consumes_no_gas() {
    let mut world = World::furnished(Version::NEWEST);
    let gas_account = world.declare("account_open");
    // The Cairo 0 account replaces its class during validation, so that execution is tracked in gas.
    let tx = invoke_raw(OLD_ACCOUNT, felts(&[0, 0]))
        .signed(&[felt(10), gas_account.0])
        .bounds(bounds(1_000_000, 1_000_000, 30_000_000));
    let ran = world.one(&tx);
    let execution = ran.execution(0);
    let validate = execution.validate_call.as_ref().unwrap();
    assert_eq!((validate.tracked, validate.gas_consumed), (TrackedResource::CairoSteps, 0));
    // [0, 0] is one felt too many for the new class; its initial gas is the complete bound.
    let execute = ran.reverted(0);
    assert_eq!((execute.tracked, execute.call.initial_gas), (TrackedResource::SierraGas, 30_000_000));
}

#[test]
fn c11_only_invokes_from_version_1_on_are_reverted() {
    let mut world = World::furnished(Version::V0_13_1);
    let account = world.declare("account_open");
    let upgradable = world.offer("upgradable");
    let [v1, _] = world.compiled_class_hashes(upgradable);
    let failing_deploy = deploy_account(account, &[short("FAIL")]);
    world.fund(failing_deploy.sender(), MAX_FEE);
    world.fund(address(SYSCALLS), MAX_FEE);
    let ran = world.run(&[
        invoke_v0(MAX_FEE, SYSCALLS, "panic_with", span(&[short("NO")])),
        failing_deploy,
        declare(upgradable, v1).signed(&felts(&[1])),
        invoke_v1(MAX_FEE, SYSCALLS, "panic_with", span(&[short("NO")])).nonce(0),
        panics().nonce(1),
    ]);
    assert_eq!(ran.statuses(), [Invalid, Invalid, Invalid, Reverted, Reverted]);
    assert!(matches!(ran.invalid(0), InvalidTransaction::Execution(_)));
    assert!(matches!(ran.invalid(1), InvalidTransaction::Execution(_)));
    assert!(matches!(ran.invalid(2), InvalidTransaction::Validation(_)));
}

#[test]
fn c12_an_account_constructor_runs_first_and_in_validation_mode() {
    let mut world = World::furnished(Version::NEWEST);
    let limits = world.constants().limits.clone();
    let account = world.declare("account_open");
    let teller = world.declare("cairo0/constructors");
    let good = deploy_account(account, &felts(&[5]));
    world.fund(good.sender(), u128::MAX);
    // Mode 4 calls another contract, which is forbidden in validation.
    let calling =
        deploy_account(teller, &join(&[&[felt(4), felt(SYSCALLS), selector("nothing")], &felts(&[0])]))
            .unvalidated();
    world.fund(calling.sender(), u128::MAX);
    let ran = world.run(&[good, calling]);
    let execution = ran.execution(0);
    let (constructor, validate) =
        (execution.execute_call.as_ref().unwrap(), execution.validate_call.as_ref().unwrap());
    for call in [constructor, validate] {
        assert_eq!(call.call.initial_gas, limits.validate_max_sierra_gas);
    }
    let text = ran.invalid(1).to_string();
    assert!(text.contains("Unauthorized syscall call_contract in execution mode Validate."), "{text}");
}

#[test]
fn c13_events_of_an_account_deployment_begin_with_the_constructor() {
    let mut world = World::furnished(Version::NEWEST);
    let account = world.declare("account_open");
    let one = deploy_account(account, &felts(&[5])).signed(&felts(&[7, 1]));
    let other = deploy_account(account, &felts(&[6])).unvalidated();
    world.fund(one.sender(), u128::MAX);
    world.fund(other.sender(), u128::MAX);
    let ran = world.run(&[one, other, nothing().signed(&felts(&[7, 1]))]);
    let kinds = |index: usize| -> Vec<_> {
        ran.execution(index).calls().map(|call| (call.call.entry_point_type, call.call.selector)).collect()
    };
    let constructor = (EntryPointType::Constructor, well_known::CONSTRUCTOR);
    let external = |selector| (EntryPointType::External, selector);
    let transfer = external(well_known::TRANSFER);
    assert_eq!(kinds(0), [constructor, external(well_known::VALIDATE_DEPLOY), transfer]);
    assert_eq!(kinds(1), [constructor, transfer]);
    assert_eq!(kinds(2), [external(well_known::VALIDATE), external(well_known::EXECUTE), transfer]);
    assert!(
        ran.execution(0).executes_first
            && !ran.execution(1).executes_first
            && !ran.execution(2).executes_first
    );
}

#[test]
fn c14_a_class_is_declared_after_validation_and_without_a_call() {
    let mut world = World::furnished(Version::NEWEST);
    let class_hash = world.offer("nft");
    let [_, v2] = world.compiled_class_hashes(class_hash);
    let ask = |nonce| invoke(SYSCALLS, "library_call", library(class_hash, "mint", &[])).nonce(nonce);
    let ran = world.run(&[
        // The class is undeclared while the account validates its declaration.
        declare(class_hash, v2).signed(&join(&[&[felt(11), class_hash.0, selector("mint")], &felts(&[])])),
        ask(0),
        declare(class_hash, v2).nonce(1),
        ask(2),
    ]);
    assert_eq!(ran.statuses(), [Invalid, Reverted, Succeeded, Succeeded]);
    assert!(ran.invalid(0).to_string().contains("is not declared"), "{}", ran.invalid(0));
    assert_eq!(ran.cause(1), FailureCause::ClassNotFound);
    assert!(ran.execution(2).execute_call.is_none() && ran.execution(2).validate_call.is_some());
    assert_eq!(ran.0.state_diff.declared[&class_hash], v2);
}

#[test]
fn c15_validation_is_skipped_without_the_flag_and_in_version_0() {
    let mut world = World::furnished(Version::NEWEST);
    world.fund(address(SYSCALLS), MAX_FEE);
    world.fund(address(1), MAX_FEE);
    let class_hash = world.offer("cairo0/no_constructor");
    // The signature makes the account panic.
    let ran = world.run(&[
        nothing().signed(&felts(&[1])).unvalidated(),
        invoke_v0(MAX_FEE, SYSCALLS, "nothing", vec![]),
        declare_old(0, class_hash),
    ]);
    assert_eq!(ran.statuses(), [Succeeded; 3]);
    assert!((0..3).all(|index| ran.execution(index).validate_call.is_none()));
}

#[test]
fn c16_the_validation_call_has_caller_zero() {
    let world = World::furnished(Version::NEWEST);
    let ran = world.run(&[nothing(), nothing().from(0xbad).free()]);
    let call = &ran.execution(0).validate_call.as_ref().unwrap().call;
    assert_eq!((call.entry_point_type, call.selector), (EntryPointType::External, well_known::VALIDATE));
    assert_eq!((call.caller_address, call.code_address), (address(0), None));
    assert_eq!(call.storage_address, address(ACCOUNT));
    // The class hash of a missing account is 0, also in the error.
    assert_eq!(
        ran.invalid(1).to_string(),
        "Transaction validation has failed:\n0: Error in the called contract (contract address: \
         0x0000000000000000000000000000000000000000000000000000000000000bad, class hash: \
         0x0000000000000000000000000000000000000000000000000000000000000000, selector: \
         0x0162da33a4585851fe8d3af3c2a9c60b557814e221e0d4f30ff0b2189d9c7775):\nRequested contract address \
         0x0000000000000000000000000000000000000000000000000000000000000bad is not deployed.\n"
    );
}

#[test]
fn c17_validation_must_return_valid() {
    let mut world = World::furnished(Version::NEWEST);
    let new_account = world.declare("account_open");
    world.deploy("cairo0/no_constructor", 0xbad);
    let old = |orders: &[Felt]| old_invoke(SYSCALLS, "nothing", vec![]).signed(orders);
    let ran = world.run(&[
        nothing().nonce(0).signed(&felts(&[1, 77])),
        nothing().nonce(0).signed(&felts(&[2])),
        // Cairo 0: any return data is valid, even if the account ends as a Cairo 1 class; a missing
        // entry point is not.
        old(&[]).nonce(0),
        old(&[felt(10), new_account.0]).nonce(1),
        invoke_raw(0xbad, vec![]).free(),
    ]);
    let InvalidTransaction::ValidationPanic(summary) = ran.invalid(0) else { panic!("{}", ran.invalid(0)) };
    assert_eq!(summary.panic_data, [short("VALIDATE_PANIC"), felt(77)]);
    let InvalidTransaction::ValidationAnswer(answer) = ran.invalid(1) else { panic!("{}", ran.invalid(1)) };
    assert_eq!(*answer, [short("INVALID")]);
    assert_eq!(ran.execution(2).validate_call.as_ref().unwrap().retdata, []);
    // The class before the call decides.
    assert_eq!(ran.execution(3).validate_call.as_ref().unwrap().retdata, []);
    let InvalidTransaction::ValidationCairo0(data) = ran.invalid(4) else { panic!("{}", ran.invalid(4)) };
    assert_eq!(*data, [well_known::ENTRYPOINT_NOT_FOUND]);
}

#[test]
fn c18_order_numbers_and_limits_restart_with_each_phase() {
    let world = World::furnished(Version::NEWEST);
    let most = world.constants().limits.event_max_count;
    let emit = |count: u64| {
        invoke(SYSCALLS, "emit_events", join(&[&[Felt::from(count)], &span(&[]), &span(&[])]))
            .signed(&felts(&[7, 1]))
    };
    // One event in validation, and the limit of one phase in execution.
    let ran = world.run(&[emit(most), emit(most + 1)]);
    assert_eq!(ran.statuses(), [Succeeded, Reverted]);
    let first = |call: &starkiln::call::CallInfo| call.events[0].order;
    assert_eq!(first(ran.execution(0).validate_call.as_ref().unwrap()), 0);
    assert_eq!(first(ran.inner(0)), 0);
    assert_eq!(ran.execution(0).receipt.resources.archival.events.count, most + 1);
}

/// The step budget of execution for a transaction with bounds on all resources.
fn steps_after(world: &World, l2: u64, validate_steps: u64, calldata: usize) -> u64 {
    let os = world.constants().transaction_os_resources(TransactionKind::Invoke, calldata as u64).unwrap();
    l2 / 100 - validate_steps - os.steps
}

#[test]
fn c19_the_step_budget_of_execution_excludes_validation_and_os_overhead() {
    let world = World::furnished(Version::NEWEST);
    let l2 = 20_000_000;
    let tx = old_invoke(OLD_CALLER, "loop_forever", vec![])
        .bounds(bounds(1_000_000, 1_000_000, l2))
        .signed(&felts(&[13, 100]));
    let ran = world.one(&tx);
    assert_eq!(ran.cause(0), FailureCause::OutOfSteps);
    let execution = ran.execution(0);
    let validate = execution.validate_call.as_ref().unwrap().resources.steps;
    assert!(validate > 200);
    let calldata = old_calls(&[(OLD_CALLER, "loop_forever", vec![])]).len();
    assert_eq!(
        execution.receipt.resources.computation.reverted_steps,
        steps_after(&world, l2, validate, calldata)
    );
}

#[test]
fn c20_gas_tracked_validation_takes_no_steps() {
    let world = World::furnished(Version::NEWEST);
    let l2 = 20_000_000;
    let tx = invoke(STEPS, "recurse", felts(&[0, 2]))
        .bounds(bounds(1_000_000, 1_000_000, l2))
        .signed(&felts(&[13, 100]));
    let ran = world.one(&tx);
    assert_eq!(ran.cause(0), FailureCause::OutOfSteps);
    let execution = ran.execution(0);
    assert_eq!(execution.validate_call.as_ref().unwrap().resources.steps, 0);
    let calldata = calls(&[(STEPS, "recurse", felts(&[0, 2]))]).len();
    assert_eq!(execution.receipt.resources.computation.reverted_steps, steps_after(&world, l2, 0, calldata));
}

#[test]
fn c21_a_reverted_execution_is_charged_its_vm_steps_and_its_gas() {
    let world = World::furnished(Version::NEWEST);
    let ran =
        world.run(&[invoke(STEPS, "noisy_panic", felts(&[1])), invoke(CALLER, "noisy_panic", felts(&[1]))]);
    let computation = |index: usize| &ran.execution(index).receipt.resources.computation;
    let steps = &ran.reverted(0).inner_calls[0].resources;
    // The resources of the frame include the OS resources of its syscalls; the reverted steps do not.
    let syscalls = world
        .constants()
        .syscall_os_resources(
            ran.reverted(0).inner_calls[0].syscall_usages.iter().map(|(name, usage)| (*name, *usage)),
        )
        .unwrap();
    assert_eq!(computation(0).reverted_steps, steps.steps - syscalls.steps);
    assert!(syscalls.steps > 0);
    assert_eq!(
        (computation(1).reverted_steps, computation(1).reverted_sierra_gas),
        (0, ran.reverted(1).gas_consumed)
    );
    assert!(ran.reverted(1).gas_consumed > 100_000);
}

#[test]
fn c22_a_revert_keeps_validation_and_rolls_back_execution() {
    let mut world = World::furnished(Version::NEWEST);
    let nft = world.declare("nft");
    let deploy = join(&[&[nft.0, felt(1)], &span(&[]), &felts(&[0])]);
    let ran = world.run(&[invoke_raw(
        ACCOUNT,
        calls(&[
            (SYSCALLS, "storage_write", felts(&[1, 2])),
            (SYSCALLS, "deploy", deploy),
            (CALLER, "noisy_panic", felts(&[1])),
        ]),
    )
    .signed(&felts(&[6, 42]))]);
    assert_eq!(ran.statuses(), [Reverted]);
    let execution = ran.execution(0);
    assert!(execution.validate_call.is_some() && execution.execute_call.is_none());
    assert_eq!(ran.stored(ACCOUNT, variable("scratch")), Some(felt(42)));
    assert_eq!(ran.0.state_diff.nonces[&address(ACCOUNT)].0, Felt::ONE);
    assert_eq!(ran.stored(SYSCALLS, key(1)), None);
    assert!(ran.0.state_diff.deployed.is_empty());
    // Only the event of the fee transfer remains.
    assert_eq!((execution.events().len(), execution.messages().len()), (1, 0));
}

#[test]
fn c23_a_revert_receipt_counts_the_state_after_validation() {
    let world = World::furnished(Version::NEWEST);
    let ran = world.run(&[
        invoke(CALLER, "noisy_panic", felts(&[1])).signed(&felts(&[6, 42])),
        invoke(CALLER, "noisy_panic", felts(&[1])),
    ]);
    let state = |index: usize| &ran.execution(index).receipt.resources.state;
    // Scratch and the balance; the nonce makes the account a modified contract in both.
    assert_eq!((state(0).storage_updates, state(0).modified_contracts, state(0).allocated_cells), (2, 1, 1));
    assert_eq!((state(1).storage_updates, state(1).modified_contracts, state(1).allocated_cells), (1, 1, 0));
    let computation = |index: usize| &ran.execution(index).receipt.resources.computation;
    assert_eq!(computation(0).sierra_gas, ran.execution(0).validate_call.as_ref().unwrap().gas_consumed);
    assert!(computation(0).reverted_sierra_gas > 0);
}

#[test]
fn c24_a_success_over_its_bounds_pays_the_recommended_fee_and_has_a_revert_receipt() {
    let world = World::furnished(Version::NEWEST);
    let write = |first, data| {
        invoke(SYSCALLS, "storage_write_many", felts(&[first, 40, 7])).bounds(bounds(
            1_000_000,
            data,
            2_000_000_000,
        ))
    };
    let ran = world.run(&[write(1, 1_000_000), write(101, 300)]);
    let (whole, cut) = (&ran.execution(0).receipt, &ran.execution(1).receipt);
    let RevertReason::Cost(error) = ran.execution(1).revert_reason.as_ref().unwrap() else { panic!() };
    assert!(matches!(error, FeeCheckError::MaxGasAmountExceeded { .. }), "{error}");
    // The gas is that of the revert: without the writes, so less data gas than the bound.
    assert!(cut.gas.l1_data_gas.0 < 300 && whole.gas.l1_data_gas.0 > 300);
    // The fee is that of the complete execution, each gas capped by its bound.
    let priced = |l1: u64, data: u64, l2: u64| {
        u128::from(l1) * L1_PRICE + u128::from(data) * DATA_PRICE + u128::from(l2) * L2_PRICE
    };
    assert_eq!(cut.fee.0, priced(whole.gas.l1_gas.0, 300, whole.gas.l2_gas.0));
    assert_ne!(cut.fee.0, priced(cut.gas.l1_gas.0, cut.gas.l1_data_gas.0, cut.gas.l2_gas.0));
}

#[test]
fn c25_a_revert_over_its_bounds_pays_the_recommended_fee_and_keeps_its_reason() {
    let world = World::furnished(Version::NEWEST);
    // Validation writes a new cell: 64 felts of data gas above the minimum.
    let tx = panics().signed(&felts(&[6, 42])).bounds(bounds(1_000_000, 130, 2_000_000_000));
    let ran = world.one(&tx);
    assert_eq!(ran.cause(0), FailureCause::Panic);
    let receipt = &ran.execution(0).receipt;
    assert!(receipt.gas.l1_data_gas.0 > 130);
    let gas = &receipt.gas;
    assert_eq!(
        receipt.fee.0,
        u128::from(gas.l1_gas.0) * L1_PRICE + 130 * DATA_PRICE + u128::from(gas.l2_gas.0) * L2_PRICE
    );
}

#[test]
fn c27_before_0_13_4_opposite_writes_of_validation_and_execution_are_both_paid_for() {
    let counts = |version| {
        let world = World::furnished(version);
        let cell = variable("Account_mode");
        // Validation sets the cell from 0 to 1, execution sets it back to 0.
        let tx = old_invoke(OLD_ACCOUNT, "set_mode", felts(&[0, 0, 0])).signed(&[
            felt(12),
            *cell.0.key(),
            felt(0),
        ]);
        let ran = world.one(&tx);
        assert_eq!(ran.statuses(), [Succeeded]);
        assert_eq!(ran.stored(OLD_ACCOUNT, cell), None);
        let state = &ran.execution(0).receipt.resources.state;
        (state.storage_updates, state.allocated_cells)
    };
    assert_eq!(counts(Version::V0_13_3), (2, 1));
    assert_eq!(counts(Version::V0_13_4), (1, 0));
}

#[test]
fn c28_the_fee_is_transferred_after_a_revert_and_not_if_it_is_zero() {
    let mut world = World::furnished(Version::NEWEST);
    world.fund(address(1), MAX_FEE);
    let class_hash = world.offer("cairo0/no_constructor");
    let ran = world.run(&[panics(), nothing().free(), declare_old(0, class_hash)]);
    assert_eq!(ran.statuses(), [Reverted, Succeeded, Succeeded]);
    let paid = |index: usize| ran.execution(index).fee_transfer_call.is_some();
    assert_eq!([paid(0), paid(1), paid(2)], [true, false, false]);
    assert_eq!(ran.execution(2).receipt.fee.0, 0);
    let fee = ran.execution(0).receipt.fee.0;
    assert_eq!(ran.stored(STRK, fee_token_balance_key(address(SEQUENCER))), Some(felt(fee)));
    assert_eq!(ran.stored(STRK, fee_token_balance_key(address(ACCOUNT))), Some(felt(u128::MAX - fee)));
}

#[test]
fn c29_the_fee_transfer_is_a_call_of_the_sender() {
    let world = World::furnished(Version::NEWEST);
    // The fee transfer has 10^10 gas, whatever the bounds are.
    let ran = world.run(&[
        nothing().bounds(bounds(10_000, 10_000, 3_000_000)).signed(&felts(&[7, 1])),
        invoke_v1(MAX_FEE, SYSCALLS, "nothing", vec![]),
    ]);
    for (index, token) in [(0, STRK), (1, ETH)] {
        let execution = ran.execution(index);
        let call = execution.fee_transfer_call.as_ref().unwrap();
        assert_eq!(
            (call.call.selector, call.call.entry_point_type),
            (well_known::TRANSFER, EntryPointType::External)
        );
        assert_eq!(call.call.calldata.0[..], [felt(SEQUENCER), felt(execution.receipt.fee.0), Felt::ZERO]);
        assert_eq!((call.call.storage_address, call.call.caller_address), (address(token), address(ACCOUNT)));
        assert_eq!((call.call.initial_gas, call.call.code_address), (10_000_000_000, None));
        // A phase of its own: order numbers restart.
        assert_eq!(call.events[0].order, 0);
    }
}

#[test]
fn c30_a_panic_of_the_fee_token_moves_no_fee_and_a_fault_makes_the_transaction_invalid() {
    // `transfer` of the collection takes two arguments and receives three: it panics.
    let mut world = World::furnished(Version::NEWEST);
    world.deploy("nft", STRK);
    let ran = world.one(&nothing());
    assert_eq!(ran.statuses(), [Succeeded]);
    let call = ran.execution(0).fee_transfer_call.as_ref().unwrap();
    assert!(call.failed && ran.execution(0).receipt.fee.0 > 0);
    assert!(!ran.0.state_diff.storage.contains_key(&address(STRK)));

    // The Cairo 0 token fails if the balance of the recipient overflows.
    let mut world = World::furnished(Version::NEWEST);
    world.deploy("cairo0/erc20", STRK);
    let sequencer = fee_token_balance_key(address(SEQUENCER));
    world.store(STRK, sequencer, felt(u128::MAX));
    world.store(STRK, sequencer.next_storage_key().unwrap(), felt(u128::MAX));
    let ran = world.one(&nothing());
    let InvalidTransaction::FeeTransfer(stack) = ran.invalid(0) else { panic!("{}", ran.invalid(0)) };
    assert!(stack.to_string().contains("ERC20: too many tokens"), "{stack}");
    assert!(ran.at(0).state_diff.is_empty());
}

#[test]
fn c31_the_fee_transfer_may_use_the_steps_of_the_complete_bound() {
    // A token whose transfer(sequencer, fee, 0) writes one cell for each wei of the fee.
    let mut world = World::furnished(Version::V0_13_1);
    let mut class = compiled("cairo0/syscalls");
    let entry_points = class["entry_points_by_type"]["EXTERNAL"].as_array().unwrap().clone();
    let name = |name: &str| format!("{:#x}", selector(name));
    let mut writer =
        entry_points.iter().find(|entry| entry["selector"] == name("storage_write_many")).unwrap().clone();
    writer["selector"] = name("transfer").into();
    let mut all = entry_points;
    all.push(writer);
    all.sort_by_key(|entry| Felt::from_hex(entry["selector"].as_str().unwrap()).unwrap());
    class["entry_points_by_type"]["EXTERNAL"] = all.into();
    let token = world.make_old(&class);
    world.place(token, ETH);
    let price = &mut world.file.block.prices.wei;
    price.l1_gas.0 = 200;
    price.l1_data_gas.0 = 1;

    let tx = |max_fee| invoke_v1(max_fee, SYSCALLS, "nothing", vec![]);
    let fee = world.one(&tx(10_000_000).free()).execution(0).receipt.fee.0;
    let ran = world.run(&[tx(fee).nonce(0), tx(100 * fee).nonce(0)]);
    assert_eq!(ran.statuses(), [Invalid, Succeeded]);
    let InvalidTransaction::FeeTransfer(stack) = ran.invalid(0) else { panic!("{}", ran.invalid(0)) };
    assert!(stack.to_string().contains("RunResources has no remaining steps."), "{stack}");
}

#[test]
fn c34_the_tip_counts_from_0_14_0_on_in_version_3_only() {
    let tip = 37;
    for (version, counted) in [(Version::V0_13_6, false), (Version::V0_14_0, true)] {
        let world = World::furnished(version);
        let ran =
            world.run(&[nothing(), nothing().tip(tip), nothing().bounds(l1_bounds(1_000_000)).tip(tip)]);
        let receipt = |index: usize| &ran.execution(index).receipt;
        let l2 = u128::from(receipt(1).gas.l2_gas.0);
        assert!(l2 > 0);
        assert_eq!(receipt(1).fee.0 - receipt(0).fee.0, if counted { l2 * u128::from(tip) } else { 0 });
        // With a bound on L1 gas only there is no L2 gas price to add it to.
        assert_eq!(receipt(2).gas.l2_gas.0, 0);
    }
}

#[test]
fn c35_bounds_without_l1_data_gas_bound_l1_gas_only() {
    use starkiln::replay::FileTransaction;
    use starknet_api::transaction::fields::ValidResourceBounds;
    let bounds = |data: &str| -> Result<ValidResourceBounds, serde_json::Error> {
        let zero = r#"{"max_amount": "0x0", "max_price_per_unit": "0x0"}"#;
        let text = format!(
            r#"{{"type": "INVOKE", "version": "0x3", "transaction_hash": "0x1", "sender_address": "0x2", "calldata": [],
            "nonce": "0x0", "resource_bounds": {{"l1_gas": {{"max_amount": "0x5", "max_price_per_unit": "0x6"}}, {data}}}}}"#
        )
        .replace("ZERO", zero);
        serde_json::from_str::<FileTransaction>(&text).map(|transaction| match transaction.body {
            starkiln::replay::FileTransactionBody::Invoke(
                starknet_api::transaction::InvokeTransaction::V3(invoke),
            ) => invoke.resource_bounds,
            other => panic!("{other:?}"),
        })
    };
    assert!(matches!(bounds(r#""l2_gas": ZERO"#).unwrap(), ValidResourceBounds::L1Gas(_)));
    assert!(matches!(
        bounds(r#""l2_gas": ZERO, "l1_data_gas": ZERO"#).unwrap(),
        ValidResourceBounds::AllResources(_)
    ));
    // Without it, L2 gas cannot have a bound.
    let l2 = r#""l2_gas": {"max_amount": "0x1", "max_price_per_unit": "0x1"}"#;
    assert!(bounds(l2).is_err());
    assert!(bounds(&format!(r#"{l2}, "l1_data_gas": ZERO"#)).is_ok());
}

#[test]
fn c36_a_cairo_0_class_can_be_redeclared_before_0_13_2() {
    for (version, again) in [(Version::V0_13_1_1, Succeeded), (Version::V0_13_2, Invalid)] {
        let mut world = World::furnished(version);
        world.fund(address(1), MAX_FEE);
        let class_hash = world.offer("cairo0/no_constructor");
        let ran =
            world.run(&[declare_old(1, class_hash), declare_old(1, class_hash), declare_old(0, class_hash)]);
        assert_eq!(ran.statuses(), [Succeeded, again, again], "{version}");
        if again == Invalid {
            assert_eq!(*ran.invalid(1), InvalidTransaction::AlreadyDeclared(class_hash));
        }
    }
}

#[test]
fn c37_declaring_twice_is_invalid() {
    let mut world = World::furnished(Version::NEWEST);
    let (old, new) = (world.declare("erc20"), world.offer("nft"));
    let hash = |world: &World, class_hash| world.compiled_class_hashes(class_hash)[1];
    let ran = world.run(&[
        declare(old, hash(&world, old)).nonce(0),
        declare(new, hash(&world, new)).nonce(0),
        declare(new, hash(&world, new)).nonce(1),
        declare_v2(new, hash(&world, new)).nonce(1),
    ]);
    assert_eq!(ran.statuses(), [Invalid, Succeeded, Invalid, Invalid]);
    assert_eq!(*ran.invalid(0), InvalidTransaction::AlreadyDeclared(old));
    assert_eq!(*ran.invalid(2), InvalidTransaction::AlreadyDeclared(new));
}

#[test]
fn c38_a_declaration_writes_the_class_and_its_compiled_class_hash() {
    let mut world = World::furnished(Version::NEWEST);
    let (new, old) = (world.offer("nft"), world.offer("cairo0/no_constructor"));
    let compiled = world.compiled_class_hashes(new)[1];
    let ran = world.run(&[declare(new, compiled), declare_old(1, old)]);
    assert_eq!(ran.at(0).state_diff.declared.iter().collect::<Vec<_>>(), [(&new, &compiled)]);
    assert_eq!(ran.at(1).state_diff.deprecated_declared.iter().collect::<Vec<_>>(), [&old]);
    let reads = &ran.0.initial_reads;
    assert_eq!(reads.compiled_class_hashes[&new], CompiledClassHash::default());
    assert_eq!(reads.compiled_class_hashes[&old], CompiledClassHash::default());
    assert!(!reads.declared[&new]);
}

#[test]
fn c39_from_0_14_1_on_version_3_must_declare_the_blake_hash() {
    for (version, by_older_hash) in
        [(Version::V0_14_0, Succeeded), (Version::V0_14_1, Invalid), (Version::NEWEST, Invalid)]
    {
        let mut world = World::furnished(version);
        let (nft, circuit, pool) = (world.offer("nft"), world.offer("circuit"), world.offer("pool"));
        let [older, younger] = world.compiled_class_hashes(nft);
        let ran = world.run(&[
            declare_v2(pool, world.compiled_class_hashes(pool)[0]).nonce(0),
            declare(circuit, world.compiled_class_hashes(circuit)[1]).nonce(1),
            declare(nft, older).nonce(2),
        ]);
        // Version 2 may carry the Poseidon hash at every version.
        assert_eq!(ran.statuses(), [Succeeded, Succeeded, by_older_hash], "{version}");
        if by_older_hash == Invalid {
            let expected =
                InvalidTransaction::CompiledClassHash { class_hash: nft, actual: older, expected: younger };
            assert_eq!(*ran.invalid(2), expected);
        }
    }
}

#[test]
fn c40_a_declaration_pays_for_bytecode_program_and_abi() {
    let mut world = World::furnished(Version::NEWEST);
    let (new, old) = (world.offer("nft"), world.offer("cairo0/no_constructor"));
    let ran = world.run(&[declare(new, world.compiled_class_hashes(new)[1]), declare_old(1, old), nothing()]);
    let code = |index: usize| ran.execution(index).receipt.resources.archival.code_size;
    let ready = world.ready(new);
    let felts = ready.class.bytecode_len() as u64 + ready.sierra_program_length;
    assert!(ready.sierra_program_length > 100 && ready.abi_length > 100);
    assert_eq!(code(0), felts * 32 + ready.abi_length);
    let ready = world.ready(old);
    assert!(matches!(ready.class, ContractClass::Cairo0(_)));
    assert_eq!(code(1), ready.class.bytecode_len() as u64 * 32 + ready.abi_length);
    assert_eq!(code(2), 0);
}

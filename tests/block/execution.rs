//! Execution of our own contracts: depth, caught failures, reverts. `tests/differential` compares thousands
//! of transactions with blockifier; the tests here show the departures from it, and the rules that a reader
//! should see.

use crate::fixture::{
    ACCOUNT, FEE_TOKEN, SEQUENCER, SYSCALLS, World, address, felt, on_a_small_stack, selector,
};
use starkiln::block::{TransactionDisposition, TransactionOutcome, TransactionStatus};
use starkiln::call::{CallInfo, FailureCause, TrackedResource};
use starkiln::fee::fee_token_balance_key;
use starkiln::protocol::{ProtocolVersion, well_known};
use starkiln::transaction::{Execution, InvalidTransaction, RevertReason};
use starknet_types_core::felt::Felt;

const CALLER: u128 = 0xca11;
const NEWEST: ProtocolVersion = ProtocolVersion::NEWEST;

fn execution(outcome: &TransactionOutcome) -> &Execution {
    outcome.execution().unwrap_or_else(|| panic!("invalid: {:?}", outcome.disposition))
}

/// The only call that the account made.
fn inner(outcome: &TransactionOutcome) -> &CallInfo {
    let execution = execution(outcome);
    assert_eq!(
        execution.revert_reason,
        None,
        "{:?}",
        execution.revert_reason.as_ref().map(ToString::to_string)
    );
    &execution.execute_call.as_ref().unwrap().inner_calls[0]
}

fn cause(outcome: &TransactionOutcome) -> FailureCause {
    match execution(outcome).revert_reason.as_ref().expect("reverted") {
        RevertReason::Execution { cause, .. } => *cause,
        RevertReason::Cost(error) => panic!("{error}"),
    }
}

/// C56: call depth costs heap memory, not native stack.
#[test]
fn c56_calls_at_the_depth_limit_run_on_256_kib_of_stack() {
    for (contract, tracked) in
        [("caller", TrackedResource::SierraGas), ("caller_steps", TrackedResource::CairoSteps)]
    {
        // Loading compiles the contract, which needs more stack than execution.
        let mut world = World::new(NEWEST);
        let class_hash = world.deploy(contract, CALLER);
        on_a_small_stack(move || {
            // `__execute__` is the first of 50 frames; the recursion has the other 49.
            let limit = 48;
            let deepest = world.run(CALLER, "recurse", &[felt(limit), Felt::ZERO]);
            assert_eq!(inner(&deepest).retdata, [felt(limit)]);
            assert_eq!(inner(&deepest).tracked, tracked);
            assert_eq!(execution(&deepest).execute_call.as_ref().unwrap().iter().count(), 50);
            let library = [felt(limit), Felt::ZERO, class_hash.0];
            assert_eq!(inner(&world.run(CALLER, "recurse_library", &library)).retdata, [felt(limit)]);

            let beyond = world.run(CALLER, "recurse", &[felt(limit + 1), Felt::ZERO]);
            assert_eq!(cause(&beyond), FailureCause::CallDepth);
            let text = execution(&beyond).revert_reason.as_ref().unwrap().to_string();
            assert!(text.ends_with("Execution failed due to recursion depth exceeded.\n"), "{text}");
            drop((deepest, beyond, world));
        });
    }
}

/// C93, C95: the effects of a caught call are reverted, and its event and message indices are used again.
#[test]
fn c93_a_caught_failure_leaves_nothing_but_its_reads() {
    let mut world = World::new(NEWEST);
    world.deploy("caller", CALLER);
    let quiet = world.run(CALLER, "noisy_call", &[felt(CALLER), selector("noisy_panic"), Felt::ONE, felt(7)]);
    let call = inner(&quiet);
    let orders: Vec<u64> = call.events.iter().map(|event| event.order).collect();
    assert_eq!(orders, [0, 1]);
    let failed = &call.inner_calls[0];
    assert!(failed.failed && failed.events.is_empty() && failed.messages.is_empty());
    // The data of the callee itself: the caller sees one more felt (C94).
    assert_eq!(failed.retdata[1..], [felt(7)]);
    assert_eq!(call.retdata.last(), Some(&well_known::ENTRYPOINT_FAILED));
    // `before` was raised twice, and one of them was reverted.
    let storage = &quiet.state_diff.storage[&address(CALLER)];
    assert_eq!(storage.len(), 2);
    assert!(storage.values().all(|value| *value == Felt::ONE), "{storage:?}");
    assert!(!failed.accesses.storage_keys.is_empty(), "reads of reverted calls are kept (C101)");
}

/// C22, C28: a reverted transaction keeps its nonce and fee, and on request its call tree.
#[test]
fn c22_a_reverted_transaction_pays_and_keeps_its_tree_on_request() {
    let mut world = World::new(NEWEST);
    world.deploy("caller", CALLER);
    let transactions = [
        world.call(0, CALLER, "noisy_panic", &[felt(5)]),
        world.call(1, CALLER, "recurse", &[Felt::ONE, felt(2)]),
    ];
    let outcome = world.execute(&transactions);
    for (index, transaction) in outcome.transactions.iter().enumerate() {
        assert_eq!(transaction.status(), TransactionStatus::Reverted);
        let execution = execution(transaction);
        assert!(execution.execute_call.is_none());
        assert!(execution.reverted_call.as_ref().unwrap().failed);
        assert!(execution.receipt.fee.0 > 0 && execution.fee_transfer_call.is_some());
        let diff = &transaction.state_diff;
        assert_eq!(diff.nonces[&address(ACCOUNT)].0, felt(index as u128 + 1));
        assert_eq!(diff.storage.keys().collect::<Vec<_>>(), [&address(FEE_TOKEN)]);
    }
    let paid: u128 =
        outcome.transactions.iter().map(|transaction| execution(transaction).receipt.fee.0).sum();
    let balance = outcome.state_diff.storage[&address(FEE_TOKEN)][&fee_token_balance_key(address(SEQUENCER))];
    assert_eq!(balance, felt(paid));
    let plain = world.executor().execute(&transactions).unwrap();
    assert!(plain.transactions.iter().all(|transaction| execution(transaction).reverted_call.is_none()));
}

/// C2, C4: an invalid transaction changes nothing, and the block goes on.
#[test]
fn c2_an_invalid_transaction_changes_nothing() {
    let mut world = World::new(NEWEST);
    world.deploy("caller", CALLER);
    let call = |nonce| world.call(nonce, CALLER, "recurse", &[Felt::ONE, Felt::ZERO]);
    let outcome =
        world.execute(&[call(1), world.signed_call(0, CALLER, "recurse", &[], &[Felt::ONE]), call(0)]);
    let statuses: Vec<_> = outcome.transactions.iter().map(TransactionOutcome::status).collect();
    assert_eq!(
        statuses,
        [TransactionStatus::Invalid, TransactionStatus::Invalid, TransactionStatus::Succeeded]
    );
    let TransactionDisposition::Invalid(error) = &outcome.transactions[1].disposition else { panic!() };
    assert!(matches!(**error, InvalidTransaction::ValidationPanic(_)), "{error}");
    assert!(outcome.transactions[..2].iter().all(|transaction| transaction.state_diff.is_empty()));
    assert_eq!(outcome.state_diff.nonces[&address(ACCOUNT)].0, Felt::ONE);
}

/// Determinism: the same block gives the same outcome, whatever the hash seeds of a process.
#[test]
fn law_2_executing_twice_gives_the_same() {
    let mut world = World::new(NEWEST);
    world.deploy("caller", CALLER);
    let transactions: Vec<_> = (0..5)
        .map(|nonce| {
            world.call(nonce, CALLER, "recurse", &[felt(u128::from(nonce)), felt(u128::from(nonce % 4))])
        })
        .collect();
    let first = world.execute(&transactions);
    let second = world.execute(&transactions);
    assert_eq!(first, second);
    let print = |outcome: &starkiln::block::BlockOutcome| {
        let diff = serde_json::to_string(&outcome.state_diff).unwrap();
        (diff, serde_json::to_string(&outcome.initial_reads).unwrap())
    };
    assert_eq!(print(&first), print(&second));
}

/// A syscall that is newer than the version fails with a typed error, where blockifier aborts.
#[test]
fn departure_a_syscall_younger_than_the_version_is_a_fault() {
    let mut world = World::new(ProtocolVersion::V0_13_3);
    world.deploy("syscalls_new", SYSCALLS);
    let outcome = world.run(SYSCALLS, "class_hash_at", &[felt(ACCOUNT)]);
    assert_eq!(cause(&outcome), FailureCause::Syscall);
    let text = execution(&outcome).revert_reason.as_ref().unwrap().to_string();
    assert!(text.contains("Syscall GetClassHashAt does not exist before version 0.13.4."), "{text}");
}

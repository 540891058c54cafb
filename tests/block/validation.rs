//! Mempool validation: its decisions, that nothing is committed, and that block execution can reuse a
//! validation.

use std::sync::Arc;

use crate::fixture::{ACCOUNT, SYSCALLS, World, address, class, felt};
use starkiln::block::{BlockOutcome, TransactionStatus, Validation, ValidationOptions};
use starkiln::protocol::ProtocolVersion;
use starkiln::transaction::{CachedValidation, ExecutionFlags, InvalidTransaction, Transaction};
use starknet_api::block::{BlockNumber, BlockTimestamp};
use starknet_api::core::Nonce;
use starknet_types_core::felt::Felt;

const NEWEST: ProtocolVersion = ProtocolVersion::NEWEST;

fn world() -> World {
    let mut world = World::new(NEWEST);
    world.deploy("syscalls", SYSCALLS);
    world
}

/// A call whose signature selects what the account does in validation: see the table of `account_open`.
fn signed(world: &World, nonce: u64, signature: &[u128]) -> Transaction {
    let signature: Vec<Felt> = signature.iter().map(|part| felt(*part)).collect();
    world.signed_call(nonce, SYSCALLS, "nothing", &[], &signature)
}

fn validated(world: &World, transaction: &Transaction) -> Arc<CachedValidation> {
    match world.executor().validate(transaction).unwrap() {
        Validation::Valid(Some(validated)) => validated,
        other => panic!("{other:?}"),
    }
}

fn status(outcome: &BlockOutcome) -> TransactionStatus {
    outcome.transactions[0].status()
}

#[test]
fn answers_are_typed_and_nothing_is_kept() {
    let world = world();
    let executor = world.executor();
    let invalid = |transaction: &Transaction| match executor.validate(transaction).unwrap() {
        Validation::Invalid(error) => *error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(invalid(&signed(&world, 1, &[])), InvalidTransaction::Nonce { .. }));
    assert!(matches!(invalid(&signed(&world, 0, &[1, 5])), InvalidTransaction::ValidationPanic(_)));
    assert!(matches!(invalid(&signed(&world, 0, &[2])), InvalidTransaction::ValidationAnswer(_)));
    assert!(matches!(invalid(&signed(&world, 0, &[3])), InvalidTransaction::ValidationPanic(_)));
    let call_of_another = signed(&world, 0, &[4, SYSCALLS, 5]);
    assert!(matches!(invalid(&call_of_another), InvalidTransaction::Validation(_)));
    // The same decision again: the nonce did not change.
    for _ in 0..2 {
        assert!(matches!(executor.validate(&signed(&world, 0, &[])).unwrap(), Validation::Valid(Some(_))));
    }
    // Without `strict_nonce` a later nonce is valid (C4).
    let flags = ExecutionFlags { strict_nonce: false, ..ExecutionFlags::default() };
    let later = signed(&world, 7, &[]).with_flags(flags);
    assert!(matches!(executor.validate(&later).unwrap(), Validation::Valid(_)));
    // A transaction that fails only in execution is valid: it will be reverted and pays its fee.
    let failing = world.call(0, SYSCALLS, "panic_text", &[felt(1)]);
    assert!(matches!(executor.validate(&failing).unwrap(), Validation::Valid(_)));
}

#[test]
fn an_invocation_may_come_with_the_deployment_of_its_account() {
    let mut world = world();
    world.state.class_hashes.insert(address(ACCOUNT), Default::default());
    let first = signed(&world, 1, &[]);
    let validate = |deployment_is_pending| {
        world.executor().validate_with(&first, ValidationOptions { deployment_is_pending }).unwrap()
    };
    assert!(
        matches!(validate(false), Validation::Invalid(error) if matches!(*error, InvalidTransaction::Nonce { .. }))
    );
    assert!(matches!(validate(true), Validation::Valid(None)));
    // Only the first one after the deployment, and only until the account is deployed.
    let options = ValidationOptions { deployment_is_pending: true };
    let second = world.executor().validate_with(&signed(&world, 2, &[]), options).unwrap();
    assert!(matches!(second, Validation::Invalid(_)));
}

#[test]
fn a_block_comes_out_the_same_with_validations_made_before() {
    let world = world();
    // The validations do nothing; write a key; emit an event; count at a key that must be 0; send a message;
    // store the block number.
    for signature in [&[][..], &[6, 5], &[7, 9], &[12, 3, 0], &[9, 0xb, 1], &[14]] {
        let transaction = signed(&world, 0, signature);
        let plain = world.execute(std::slice::from_ref(&transaction));
        assert_eq!(status(&plain), TransactionStatus::Succeeded, "{signature:?}");
        let known = transaction.clone().with_validation(validated(&world, &transaction));
        assert_eq!(world.execute(&[known]), plain, "{signature:?}");
    }
}

/// The account's code is replaced under the same hash by one that accepts nothing: only reused validations
/// pass.
fn without_account_code(world: &World) -> World {
    let mut state = world.state.clone();
    state.classes.insert(class("account_open").0, class("erc20").1);
    World { env: world.env.clone(), state }
}

#[test]
fn a_signature_is_not_checked_twice() {
    let world = world();
    let transaction = signed(&world, 0, &[12, 3, 0]);
    let known = transaction.clone().with_validation(validated(&world, &transaction));
    let changed = without_account_code(&world);
    assert_eq!(status(&changed.execute(&[transaction])), TransactionStatus::Invalid);
    assert_eq!(status(&changed.execute(&[known])), TransactionStatus::Succeeded);
}

#[test]
fn a_validation_is_carried_out_again_when_what_it_depends_on_has_changed() {
    let world = world();
    let transaction = signed(&world, 0, &[12, 3, 0]);
    let known = transaction.clone().with_validation(validated(&world, &transaction));
    let is_used = |world: &World, transaction: &Transaction| {
        status(&without_account_code(world).execute(std::slice::from_ref(transaction)))
            == TransactionStatus::Succeeded
    };
    assert!(is_used(&world, &known));
    let altered = |alter: &dyn Fn(&mut World)| {
        let mut altered = World { env: world.env.clone(), state: world.state.clone() };
        alter(&mut altered);
        altered
    };
    let in_block = |number: u64, timestamp: u64| {
        altered(&|world| {
            let mut block = (*world.env.block).clone();
            (block.number, block.timestamp) = (BlockNumber(number), BlockTimestamp(timestamp));
            world.env.block = block.into();
        })
    };
    let now = world.env.block.timestamp.0;
    // Validation sees the block number rounded to 100 and the time rounded to the hour.
    assert!(is_used(&in_block(1_001, now + 1), &known));
    assert!(!is_used(&in_block(1_100, now), &known));
    assert!(!is_used(&in_block(1_001, now + 3_600), &known));
    // The key that the validation read.
    let cell = |value: u128| {
        altered(&|world| {
            world.state =
                std::mem::take(&mut world.state).with_storage(address(ACCOUNT), 3_u128.into(), felt(value));
        })
    };
    assert!(is_used(&cell(0), &known));
    assert!(!is_used(&cell(1), &known));
    assert_eq!(status(&cell(1).execute(std::slice::from_ref(&known))), TransactionStatus::Invalid);
    // The validation of another transaction.
    let other = signed(&world, 0, &[12, 3, 0, 0]).with_validation(validated(&world, &transaction));
    assert!(!is_used(&world, &other));
    // Admission is always repeated.
    let late = altered(&|world| {
        world.state = std::mem::take(&mut world.state).with_nonce(address(ACCOUNT), Nonce(Felt::ONE));
    });
    assert_eq!(status(&late.execute(std::slice::from_ref(&known))), TransactionStatus::Invalid);
}

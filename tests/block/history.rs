//! Old classes and transactions that blockifier cannot execute (DEPLOY), and departures from it. The others
//! are compared in `tests/differential` (`fuzz --era past`) and with recorded blocks (`tests/recorded`).

use std::sync::Arc;

use crate::fixture::{World, address, felt, on_a_small_stack, selector};
use starkiln::block::TransactionStatus;
use starkiln::call::{CallInfo, TrackedResource};
use starkiln::protocol::ProtocolVersion;
use starkiln::transaction::Transaction;
use starknet_api::core::ClassHash;
use starknet_api::transaction::fields::{Calldata, ContractAddressSalt};
use starknet_api::transaction::{DeployTransaction, TransactionHash, TransactionVersion};
use starknet_types_core::felt::Felt;

const CALLER: u128 = 0xca11;
const OLD_CALLER: u128 = 0x01d_ca11;
const OLD_SYSCALLS: u128 = 0x01d_5ca1;
const OLDEST: ProtocolVersion = ProtocolVersion::OLDEST;
const NEWEST: ProtocolVersion = ProtocolVersion::NEWEST;

fn deploy(class_hash: ClassHash, salt: u128, calldata: &[Felt]) -> Transaction {
    let deploy = DeployTransaction {
        version: TransactionVersion::ZERO,
        class_hash,
        contract_address_salt: ContractAddressSalt(felt(salt)),
        constructor_calldata: Calldata(Arc::new(calldata.to_vec())),
    };
    Transaction::deploy(deploy, TransactionHash(felt(0xd0 + salt))).unwrap()
}

/// DEPLOY, used in 2021-22: a contract and its constructor, without nonce, validation and fee.
#[test]
fn a_deploy_transaction_deploys_and_runs_the_constructor() {
    let mut world = World::new(OLDEST);
    let class_hash = world.declare("cairo0/constructors");
    let constructor = [felt(2), Felt::ZERO, Felt::ZERO, Felt::ZERO];
    let transaction = deploy(class_hash, 1, &constructor);
    let contract = transaction.sender();
    let outcome = world.execute(&[transaction]);

    let deployed = &outcome.transactions[0];
    assert_eq!(deployed.status(), TransactionStatus::Succeeded, "{:?}", deployed.disposition);
    let execution = deployed.execution().unwrap();
    assert_eq!(execution.receipt.fee.0, 0);
    assert!(execution.validate_call.is_none() && execution.fee_transfer_call.is_none());
    let call = execution.execute_call.as_ref().unwrap();
    assert_eq!(
        (call.call.storage_address, call.call.calldata.0.as_slice()),
        (contract, constructor.as_slice())
    );
    assert_eq!(call.call.caller_address, address(0));
    assert_eq!(execution.events().len(), 1);
    assert_eq!(outcome.state_diff.deployed.get(&contract), Some(&class_hash));
    assert!(outcome.state_diff.nonces.is_empty());
}

/// Reverts did not exist yet: a failing DEPLOY was never part of a block, so it is invalid and leaves the
/// state unchanged.
#[test]
fn a_deploy_transaction_that_fails_is_invalid() {
    let mut world = World::new(OLDEST);
    let class_hash = world.declare("cairo0/constructors");
    let without = world.declare("cairo0/no_constructor");
    let nothing = [Felt::ZERO; 4];
    let outcome = world.execute(&[
        deploy(class_hash, 1, &[Felt::ONE, felt(7), Felt::ZERO, Felt::ZERO]),
        deploy(class_hash, 1, &[Felt::ONE]),
        deploy(ClassHash(felt(0xdead)), 1, &[]),
        deploy(without, 1, &[Felt::ONE]),
        deploy(class_hash, 2, &nothing),
        deploy(class_hash, 2, &nothing),
        deploy(without, 3, &[]),
    ]);
    let statuses: Vec<_> = outcome.transactions.iter().map(|transaction| transaction.status()).collect();
    use TransactionStatus::{Invalid, Succeeded};
    assert_eq!(statuses, [Invalid, Invalid, Invalid, Invalid, Succeeded, Invalid, Succeeded]);
    assert_eq!(outcome.state_diff.deployed.len(), 2);
}

/// C56: Cairo 0 frames are on the heap as well, also when they alternate with Cairo 1 frames.
#[test]
fn c56_cairo_0_calls_at_the_depth_limit_run_on_256_kib_of_stack() {
    let mut world = World::new(NEWEST);
    world.deploy("caller", CALLER);
    let old = world.deploy("cairo0/caller", OLD_CALLER);
    on_a_small_stack(move || {
        // `__execute__` is the first of 50 frames; the recursion has the other 49.
        let limit = 48;
        let deepest = world.run(OLD_CALLER, "recurse", &[felt(limit), Felt::ZERO]);
        assert_eq!(deepest.status(), TransactionStatus::Succeeded, "{:?}", deepest.disposition);
        assert_eq!(frames(&deepest.execution().unwrap().execute_call).len(), 50);
        let library = world.run(OLD_CALLER, "recurse_library", &[felt(limit), Felt::ZERO, old.0]);
        assert_eq!(library.status(), TransactionStatus::Succeeded);
        let beyond = world.run(OLD_CALLER, "recurse", &[felt(limit + 1), Felt::ZERO]);
        assert_eq!(beyond.status(), TransactionStatus::Reverted);
    });
}

fn frames(call: &Option<CallInfo>) -> Vec<&CallInfo> {
    call.as_ref().map(|call| call.iter().collect()).unwrap_or_default()
}

/// Cairo 0 is measured in steps, and so are all its callees, even those that would be measured in gas.
#[test]
fn steps_stick_below_a_cairo_0_frame() {
    let mut world = World::new(NEWEST);
    world.deploy("caller", CALLER);
    world.deploy("cairo0/syscalls", OLD_SYSCALLS);
    let store = [felt(CALLER), selector("recurse"), felt(2), Felt::ONE, Felt::ZERO];
    let outcome = world.run(OLD_SYSCALLS, "call_contract", &store);
    assert_eq!(outcome.status(), TransactionStatus::Succeeded, "{:?}", outcome.disposition);
    let tracked: Vec<_> =
        frames(&outcome.execution().unwrap().execute_call).iter().map(|call| call.tracked).collect();
    use TrackedResource::{CairoSteps, SierraGas};
    assert_eq!(tracked, [SierraGas, CairoSteps, CairoSteps, CairoSteps]);
}

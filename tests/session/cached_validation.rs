//! Validations that were carried out before the session.

use super::{NEWEST, SYSCALLS, open, options};
use crate::fixture::{World, class, felt};
use starkiln::block::{TransactionOutcome, TransactionStatus, Validation, WorkerPool};
use starkiln::transaction::{ExecutionFlags, Transaction};
use starknet_types_core::felt::Felt;

/// A session uses an earlier validation if the values that it has read are unchanged; otherwise it validates
/// again.
#[test]
fn a_signature_is_not_checked_twice() {
    let mut world = World::new(NEWEST);
    world.deploy("syscalls", SYSCALLS);
    // Validation requires cell 3 of the account to hold 0, and adds one.
    let signature = [felt(12), felt(3), Felt::ZERO];
    let transactions = [0, 1].map(|nonce| world.signed_call(nonce, SYSCALLS, "nothing", &[], &signature));
    let later_nonces = ExecutionFlags { strict_nonce: false, ..ExecutionFlags::default() };
    let known = transactions.clone().map(|transaction| {
        let at_any_nonce = transaction.clone().with_flags(later_nonces);
        match world.executor().validate(&at_any_nonce).unwrap() {
            Validation::Valid(Some(validated)) => transaction.with_validation(validated),
            other => panic!("{other:?}"),
        }
    });
    // The account's code accepts nothing any more: only a cached validation can succeed.
    world.state.classes.insert(class("account_open").0, class("erc20").1);
    for threads in [1, 3] {
        let pool = WorkerPool::new(threads).unwrap();
        let run = |transactions: &[Transaction]| {
            let session = open(&world, &pool, options());
            session.submit(transactions.to_vec()).unwrap();
            session
                .finish()
                .unwrap()
                .into_block_outcome([])
                .transactions
                .iter()
                .map(TransactionOutcome::status)
                .collect::<Vec<_>>()
        };
        assert_eq!(run(&transactions[..1]), [TransactionStatus::Invalid]);
        // The first one changes the cell that the second one's validation read.
        assert_eq!(run(&known), [TransactionStatus::Succeeded, TransactionStatus::Invalid]);
    }
}

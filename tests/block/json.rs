//! The JSON of a block's outcome: written and read back, every ending included.

use crate::fixture::{SYSCALLS, World, block_hash_source, felt};
use starkiln::BlockSession;
use starkiln::block::{
    BlockEnd, BlockOutcome, Capacity, ExecutionOptions, SessionOutcome, TransactionDisposition,
    TransactionStatus, Weights, WorkerPool,
};
use starkiln::protocol::ProtocolVersion;
use starkiln::state::{ReadError, StateError, StateKey};
use starkiln::transaction::InvalidTransaction;

#[test]
fn a_block_with_every_ending_survives_json() {
    let mut world = World::new(ProtocolVersion::NEWEST);
    world.deploy("syscalls", SYSCALLS);
    let call = |nonce, name: &str, calldata: &[u128]| {
        let calldata: Vec<_> = calldata.iter().map(|value| felt(*value)).collect();
        world.call(nonce, SYSCALLS, name, &calldata)
    };
    let mut transactions = [
        call(0, "storage_write", &[7, 5]),
        call(9, "nothing", &[]),
        world.signed_call(1, SYSCALLS, "nothing", &[], &[felt(1), felt(5)]),
        call(1, "panic_text", &[5]),
        call(2, "storage_write_many", &[100, 20, 1]),
        call(2, "storage_write", &[8, 5]),
        call(3, "nothing", &[]),
    ];
    // A session takes each hash once.
    transactions.iter_mut().zip(1..).for_each(|(transaction, hash)| transaction.hash.0 = felt(hash));
    let limits = Weights { state_diff_size: 40, transactions: 3, ..Weights::UNLIMITED };
    let options = ExecutionOptions::default()
        .block_hash_source(block_hash_source())
        .capacity(Capacity { limits, ..Capacity::unlimited() })
        .collect_prover_reads()
        .keep_reverted_calls();
    let outcome = world.executor().options(options.clone()).execute(&transactions).unwrap();

    let statuses: Vec<_> = outcome.transactions.iter().map(|outcome| outcome.status()).collect();
    let [succeeded, reverted, invalid] =
        [TransactionStatus::Succeeded, TransactionStatus::Reverted, TransactionStatus::Invalid];
    assert_eq!(statuses, [succeeded, invalid, invalid, reverted, invalid, succeeded]);
    assert!(matches!(outcome.transactions[4].disposition, TransactionDisposition::TooLarge(_)));
    assert!(matches!(outcome.end, BlockEnd::Full { index: 6, .. }), "{}", outcome.end);

    let json = serde_json::to_string(&outcome).unwrap();
    assert_eq!(serde_json::from_str::<BlockOutcome>(&json).unwrap(), outcome);

    let pool = WorkerPool::new(2).unwrap();
    let session =
        BlockSession::open(world.env.clone(), world.state.clone(), &pool, options.clone().into()).unwrap();
    session.submit(transactions).unwrap();
    let undelivered = session.finish().unwrap();
    let json = serde_json::to_string(&undelivered).unwrap();
    assert_eq!(serde_json::from_str::<SessionOutcome>(&json).unwrap(), undelivered);
    assert_eq!(undelivered.into_block_outcome([]), outcome);

    let json = serde_json::to_string(&options).unwrap();
    assert_eq!(serde_json::from_str::<ExecutionOptions>(&json).unwrap(), options);
}

/// The host's error becomes its text.
#[test]
fn a_read_error_survives_json_as_text() {
    let source = ReadError::message("no such page");
    let error =
        InvalidTransaction::State(StateError::Read { cell: StateKey::Class(Default::default()), source });
    let json = serde_json::to_string(&error).unwrap();
    assert_eq!(serde_json::from_str::<InvalidTransaction>(&json).unwrap(), error);
}

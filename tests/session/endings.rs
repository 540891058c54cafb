//! Endings: closed after n transactions, full, invalid, deadline, cancelled, aborted, dropped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{
    SOON, SYSCALLS, bytes, complete, ended, everything, free, handler, open, options, pool_is_free,
    sequential, until, without_transactions,
};
use crate::fixture::{World, felt};
use starkiln::block::{
    BlockEnd, BlockSession, Capacity, CloseError, OnInvalid, SessionOptions, SubmitError,
    TransactionDisposition, Weight, Weights, WorkerPool,
};
use starkiln::transaction::{Transaction, TransactionBody};
use starknet_api::transaction::fields::ValidResourceBounds;
use starknet_api::transaction::{InvokeTransaction, TransactionHash};

/// C228: the outcome is that of the block of the first `n` transactions, whatever was committed beyond.
#[test]
fn c228_closing_after_n_transactions_is_the_block_of_those_n() {
    let (world, transactions) = everything();
    let pools = [1, 3].map(|threads| WorkerPool::new(threads).unwrap());
    for count in 0..=60 {
        let expected = bytes(&sequential(&world, &transactions[..count]));
        // All are committed, and no result is taken.
        let session = open(&world, &pools[1], complete());
        session.submit(transactions.clone()).unwrap();
        until(|| session.progress().committed == 60);
        assert!(
            bytes(&session.close(count).unwrap().into_block_outcome([])) == expected,
            "{count} of 60 committed"
        );
        // While transactions execute.
        for pool in &pools {
            let session = open(&world, pool, complete());
            session.submit(transactions.clone()).unwrap();
            assert!(
                bytes(&session.close(count).unwrap().into_block_outcome([])) == expected,
                "{count} of 60"
            );
        }
        // After results were taken.
        let session = open(&world, &pools[1], complete().undelivered(3));
        session.submit(transactions.clone()).unwrap();
        let outcomes: Vec<_> = session.results().take(count).collect();
        let outcome = session.close(count).unwrap();
        assert!(outcome.undelivered.is_empty());
        assert!(bytes(&outcome.into_block_outcome(outcomes)) == expected, "{count} taken");
    }
}

#[test]
fn a_block_cannot_be_closed_after_more_transactions_than_it_has() {
    let (world, transactions) = everything();
    let pool = WorkerPool::new(2).unwrap();
    let session = open(&world, &pool, options());
    session.submit(transactions[..10].to_vec()).unwrap();
    assert_eq!(session.close(11), Err(CloseError::TooFew { wanted: 11, there: 10, end: None }));
    let session = open(&world, &pool, options().undelivered(1));
    session.submit(transactions[..10].to_vec()).unwrap();
    until(|| session.progress().committed == 1);
    assert!(session.cancel_handle().cancel());
    let end = Some(Box::new(BlockEnd::Cancelled));
    assert_eq!(session.close(2), Err(CloseError::TooFew { wanted: 2, there: 1, end }));
}

#[test]
fn zero_transactions_are_a_block() {
    let (world, _) = everything();
    let expected = bytes(&sequential(&world, &[]));
    for threads in [1, 3] {
        let pool = WorkerPool::new(threads).unwrap();
        let session = open(&world, &pool, complete());
        assert_eq!(session.submit([]), Ok(0..0));
        assert!(bytes(&session.finish().unwrap().into_block_outcome([])) == expected);
        assert!(bytes(&open(&world, &pool, complete()).close(0).unwrap().into_block_outcome([])) == expected);
    }
}

/// A full block reports the exceeded limit. A transaction that is too large for any block is rejected.
#[test]
fn departure_a_full_block_says_what_did_not_fit() {
    let (world, transactions) = everything();
    let whole = sequential(&world, &transactions);
    let until_30 = whole.transactions[..30].iter().fold(Weights::ZERO, |sum, it| sum.plus(&it.weights));
    let limits = Weights { sierra_gas: until_30.sierra_gas, ..Weights::UNLIMITED };
    let capacity = Capacity { limits, ..Capacity::unlimited() };
    let expected = world.executor().collect_prover_reads().keep_reverted_calls().capacity(capacity.clone());
    let expected = expected.execute(&transactions).unwrap();
    for threads in [1, 3] {
        let pool = WorkerPool::new(threads).unwrap();
        let session =
            open(&world, &pool, SessionOptions::from(complete().execution.capacity(capacity.clone())));
        session.submit(transactions.clone()).unwrap();
        let results = session.results().count();
        let progress = session.progress();
        assert_eq!((progress.weights, progress.limits), (expected.usage.weights, limits));
        let Some(Ok(BlockEnd::Full { index, hash, reason })) = &progress.end else { panic!("{progress:?}") };
        assert_eq!((*index, *hash), (results, transactions[results].hash));
        assert_eq!(reason.exceeded[0].weight, Weight::SierraGas);
        let late = session.submit([handler(felt(0x1a7e), "handle", 1)]);
        assert_eq!(late, Err(SubmitError::Ended(Box::new(progress.end.clone().unwrap().unwrap()))));
        let outcome = session.finish().unwrap().into_block_outcome([]);
        let expected = without_transactions(&expected);
        assert!(bytes(&outcome) == bytes(&expected));
    }

    // A transaction that exceeds the limit of a block is rejected, and the block continues.
    let limits = Weights { events: 1, ..Weights::UNLIMITED };
    let capacity = Capacity { limits, ..Capacity::unlimited() };
    let session = open(
        &world,
        &WorkerPool::new(2).unwrap(),
        SessionOptions::from(options().execution.capacity(capacity)),
    );
    session.submit(transactions[..7].to_vec()).unwrap();
    let outcome = session.finish().unwrap().into_block_outcome([]);
    assert!(matches!(outcome.transactions[6].disposition, TransactionDisposition::TooLarge(_)));
    assert_eq!(outcome.end, BlockEnd::Finished);
}

#[test]
fn an_invalid_transaction_may_end_the_block() {
    let (world, transactions) = everything();
    let pool = WorkerPool::new(3).unwrap();
    let expected = world.executor().on_invalid(OnInvalid::Stop).execute(&transactions).unwrap();
    let session = open(&world, &pool, SessionOptions::from(options().execution.on_invalid(OnInvalid::Stop)));
    session.submit(transactions.clone()).unwrap();
    assert_eq!(session.finish().unwrap().into_block_outcome([]), expected);
    assert_eq!(expected.end, BlockEnd::Invalid { index: 5 });
    // The same for the last transaction.
    let session = open(&world, &pool, SessionOptions::from(options().execution.on_invalid(OnInvalid::Stop)));
    session.submit(transactions[..6].to_vec()).unwrap();
    assert_eq!(session.finish().unwrap().into_block_outcome([]), expected);
}

/// A world without step limits, and transactions of which the fifth does not end.
fn endless() -> (World, Vec<Transaction>) {
    let (mut world, mut transactions) = everything();
    let mut constants = (*world.env.constants).clone();
    constants.limits.execute_max_sierra_gas = u64::MAX / 4;
    constants.limits.execute_max_steps = u64::MAX / 4;
    world.env.constants = Arc::new(constants);
    transactions.truncate(10);
    transactions.insert(4, handler(felt(0xe), "handle", 1));
    let mut endless = world.call(2, SYSCALLS, "loop_forever", &[]).with_flags(free());
    if let TransactionBody::Invoke(InvokeTransaction::V3(invoke)) = &mut endless.body
        && let ValidResourceBounds::AllResources(bounds) = &mut invoke.resource_bounds
    {
        bounds.l2_gas.max_amount.0 = u64::MAX / 4;
    }
    endless.hash = TransactionHash(felt(0xe4d));
    transactions[4] = endless;
    (world, transactions)
}

#[test]
fn c229_the_deadline_ends_a_block_in_the_middle_of_a_transaction() {
    let (world, transactions) = endless();
    let expected = sequential(&world, &transactions[..4]);
    for threads in [1, 2, 4] {
        let pool = WorkerPool::new(threads).unwrap();
        let deadline = Instant::now() + Duration::from_millis(700);
        let session = open(&world, &pool, complete().deadline(deadline));
        session.submit(transactions.clone()).unwrap();
        let outcomes: Vec<_> = session.results().collect();
        assert!(Instant::now() >= deadline && deadline.elapsed() < SOON, "{:?}", deadline.elapsed());
        assert!(outcomes == expected.transactions);
        assert_eq!(session.progress().end, Some(Ok(BlockEnd::Deadline)));
        let late = session.submit([handler(felt(0x1a7e), "handle", 1)]);
        assert_eq!(late, Err(SubmitError::Ended(Box::new(BlockEnd::Deadline))));
        let outcome = session.finish().unwrap().into_block_outcome([]);
        let expected = ended(without_transactions(&expected), BlockEnd::Deadline);
        assert!(bytes(&outcome) == bytes(&expected));
        assert!(pool_is_free(&pool));
    }
}

#[test]
fn a_deadline_in_the_past_refuses_all_transactions() {
    let (world, transactions) = everything();
    let pool = WorkerPool::new(2).unwrap();
    let session = open(&world, &pool, options().deadline(Instant::now()));
    assert_eq!(session.submit(transactions), Err(SubmitError::Ended(Box::new(BlockEnd::Deadline))));
    let outcome = session.finish().unwrap().into_block_outcome([]);
    assert_eq!((outcome.end, outcome.transactions.len()), (BlockEnd::Deadline, 0));
}

#[test]
fn cancelling_stops_a_running_transaction() {
    let (world, transactions) = endless();
    let expected = sequential(&world, &transactions[..4]);
    for threads in [1, 2, 4] {
        let pool = WorkerPool::new(threads).unwrap();
        let session = open(&world, &pool, complete());
        session.submit(transactions.clone()).unwrap();
        let handle = session.cancel_handle();
        let (outcomes, cancelled) = std::thread::scope(|scope| {
            let cancelling = scope.spawn(|| {
                // The endless transaction runs once the four before it are committed.
                until(|| session.progress().committed == 4);
                std::thread::sleep(Duration::from_millis(50));
                let cancelled = Instant::now();
                assert!(handle.cancel());
                assert!(!handle.clone().cancel(), "the block was cancelled twice");
                cancelled
            });
            (session.results().collect::<Vec<_>>(), cancelling.join().unwrap())
        });
        assert!(cancelled.elapsed() < SOON, "{:?}", cancelled.elapsed());
        assert!(outcomes == expected.transactions);
        let outcome = session.finish().unwrap().into_block_outcome([]);
        let expected = ended(without_transactions(&expected), BlockEnd::Cancelled);
        assert!(bytes(&outcome) == bytes(&expected));
        assert!(pool_is_free(&pool) && cancelled.elapsed() < 4 * SOON);
    }
}

/// `abort` waits until no thread executes a transaction.
#[test]
fn aborting_an_endless_transaction_takes_milliseconds() {
    let (world, transactions) = endless();
    let pool = WorkerPool::new(3).unwrap();
    let mut times: Vec<Duration> = (0..9)
        .map(|_| {
            let session = open(&world, &pool, options());
            session.submit(transactions.clone()).unwrap();
            until(|| session.progress().committed == 4);
            std::thread::sleep(Duration::from_millis(5));
            let began = Instant::now();
            session.abort();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("aborting takes {times:?}");
    assert!(times[0] < Duration::from_millis(20) && times[4] < SOON, "{times:?}");
}

#[test]
fn dropping_a_session_does_not_affect_pool_and_reader() {
    let (world, transactions) = endless();
    let pool = WorkerPool::new(2).unwrap();
    let reader = Arc::new(world.state.clone());
    for committed in [0, 4] {
        let session = BlockSession::open(world.env.clone(), Arc::clone(&reader), &pool, options()).unwrap();
        let submitter = session.submitter();
        submitter.submit(transactions.clone()).unwrap();
        until(|| session.progress().committed >= committed);
        drop(session);
        let began = Instant::now();
        assert!(pool_is_free(&pool) && began.elapsed() < 4 * SOON);
        // The reader is not referenced any more, and unchanged.
        until(|| Arc::strong_count(&reader) == 1);
        assert_eq!(*reader, world.state);
        let late = submitter.submit([handler(felt(0x1a7e), "handle", 1)]);
        assert_eq!(late, Err(SubmitError::Ended(Box::new(BlockEnd::Cancelled))));
    }
}

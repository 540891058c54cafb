//! Results: order, streaming, callbacks, back-pressure.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use super::{
    bytes, complete, everything, open, open_watched, options, sequential, until, without_transactions,
};
use crate::fixture::workload;
use crate::fixture::workload::{Maker, Workload};
use starkiln::block::{
    BlockEnd, BlockError, BlockSession, TransactionOutcome, TransactionStatus, WorkerPool,
};

#[test]
fn the_test_block_contains_every_kind_of_transaction() {
    let (world, transactions) = everything();
    let outcome = sequential(&world, &transactions);
    let count = |status| outcome.transactions.iter().filter(|outcome| outcome.status() == status).count();
    let counts =
        [TransactionStatus::Succeeded, TransactionStatus::Reverted, TransactionStatus::Invalid].map(count);
    let reverted = |outcome: &TransactionOutcome| {
        let text = outcome.execution()?.revert_reason.as_ref()?.to_string();
        Some(text.lines().last().unwrap_or_default().to_owned())
    };
    let reasons: Vec<_> = outcome.transactions.iter().filter_map(reverted).collect();
    assert_eq!((counts, outcome.state_diff.declared.len()), ([47, 8, 5], 5), "{reasons:#?}");
    // One class is deployed before it is declared, and after it.
    assert_eq!(outcome.state_diff.deployed.len(), 4);
    assert!(outcome.usage.migrations.len() >= 5, "{:?}", outcome.usage.migrations);
}

#[test]
fn a_session_equals_sequential_execution_on_any_number_of_threads() {
    for make in workload::TABLE.into_iter().chain([workload::sequencer as Maker]) {
        let Workload { name, world, transactions } = make(60, 1);
        let expected = bytes(&sequential(&world, &transactions));
        for threads in [1, 2, 3, 8] {
            for waiting_threads_work in [false, true] {
                let pool = WorkerPool::new(threads).unwrap();
                let session = open(&world, &pool, complete().waiting_threads_work(waiting_threads_work));
                session.submit(transactions.clone()).unwrap();
                assert!(
                    bytes(&session.finish().unwrap().into_block_outcome([])) == expected,
                    "{name} on {threads}"
                );
            }
        }
    }
}

/// Batches are submitted by two threads while earlier transactions execute; the results stay in order.
#[test]
fn results_stream_in_order_while_more_is_submitted() {
    let (world, transactions) = everything();
    let expected = sequential(&world, &transactions);
    for threads in [1, 2, 4] {
        let pool = WorkerPool::new(threads).unwrap();
        let session = open(&world, &pool, complete());
        let submitter = session.submitter();
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            let transactions = &transactions;
            scope.spawn(move || {
                for batch in transactions[..40].chunks(7) {
                    submitter.submit(batch.to_vec()).unwrap();
                }
                sender.send(submitter).unwrap();
            });
            scope.spawn(move || {
                let submitter = receiver.recv().unwrap();
                let mut indices = Vec::new();
                for transaction in &transactions[40..] {
                    indices.extend(submitter.submit([transaction.clone()]).unwrap());
                }
                assert_eq!(indices, (40..60).collect::<Vec<_>>());
                submitter.end_input();
            });
            let outcomes: Vec<TransactionOutcome> = session.all_results().collect();
            assert!(outcomes == expected.transactions);
        });
        let progress = session.progress();
        assert_eq!((progress.submitted, progress.committed, progress.delivered), (60, 60, 60));
        assert_eq!((progress.weights, progress.end), (expected.usage.weights, Some(Ok(BlockEnd::Finished))));
        let outcome = session.finish().unwrap().into_block_outcome([]);
        let expected = without_transactions(&expected);
        assert!(bytes(&outcome) == bytes(&expected));
    }
}

#[test]
fn results_end_when_all_submitted_transactions_are_processed() {
    let (world, transactions) = everything();
    for threads in [1, 3] {
        let pool = WorkerPool::new(threads).unwrap();
        let session = open(&world, &pool, options());
        assert_eq!(session.results().count(), 0);
        for batch in transactions.chunks(25) {
            session.submit(batch.to_vec()).unwrap();
            assert_eq!(session.results().count(), batch.len());
            assert_eq!(session.results().count(), 0);
        }
    }
}

#[test]
fn results_by_callback_in_order() {
    let (world, transactions) = everything();
    let expected = sequential(&world, &transactions);
    for threads in [1, 4] {
        let pool = WorkerPool::new(threads).unwrap();
        let (sender, results) = mpsc::channel();
        let session = BlockSession::open_with(
            world.env.clone(),
            world.state.clone(),
            &pool,
            complete(),
            move |index, outcome| sender.send((index, outcome)).unwrap(),
        )
        .unwrap();
        for batch in transactions.chunks(9) {
            session.submit(batch.to_vec()).unwrap();
        }
        let outcome = session.finish().unwrap().into_block_outcome([]);
        let results: Vec<_> = results.into_iter().collect();
        assert!(results.iter().map(|(index, _)| *index).eq(0..60));
        assert!(results.into_iter().map(|(_, outcome)| outcome).eq(expected.transactions.clone()));
        let expected = without_transactions(&expected);
        assert!(bytes(&outcome) == bytes(&expected));
    }
}

/// No transaction is committed while the callback runs, however many later ones are executed.
#[test]
fn c218_one_commit_at_a_time() {
    const HELD: usize = 3;
    let workload = workload::independent(60, 1);
    let world = &workload.world;
    let expected = sequential(world, &workload.transactions);
    for threads in [2, 8] {
        let pool = WorkerPool::new(threads).unwrap();
        let (sender, results) = mpsc::channel();
        let (open, gate) = mpsc::channel::<()>();
        let is_inside = AtomicUsize::new(0);
        let (env, state) = (world.env.clone(), world.state.clone());
        let session = BlockSession::open_with(env, state, &pool, complete(), move |index, outcome| {
            assert_eq!(is_inside.fetch_add(1, Ordering::SeqCst), 0, "two commits at a time");
            sender.send((index, outcome)).unwrap();
            if index == HELD {
                gate.recv().unwrap();
            }
            std::thread::yield_now();
            is_inside.fetch_sub(1, Ordering::SeqCst);
        })
        .unwrap();
        session.submit(workload.transactions.clone()).unwrap();
        let first: Vec<_> = results.iter().take(HELD + 1).collect();
        for _ in 0..50 {
            // A transaction counts as committed before the callback is called.
            assert_eq!(session.progress().committed, HELD + 1, "a later transaction was committed");
            std::thread::sleep(Duration::from_micros(200));
        }
        open.send(()).unwrap();
        session.finish().unwrap().into_block_outcome([]);
        let all: Vec<_> = first.into_iter().chain(results).collect();
        assert!(all.iter().map(|(index, _)| *index).eq(0..60));
        assert!(all.into_iter().map(|(_, outcome)| outcome).eq(expected.transactions.clone()));
    }
}

#[test]
fn a_panic_in_a_callback_ends_its_session_only() {
    let workload = workload::independent(20, 1);
    let pool = WorkerPool::new(3).unwrap();
    let world = &workload.world;
    let session =
        BlockSession::open_with(world.env.clone(), world.state.clone(), &pool, options(), |index, _| {
            assert!(index < 7, "the callback panics, as asked")
        })
        .unwrap();
    session.submit(workload.transactions.clone()).unwrap();
    let error = session.finish().unwrap_err();
    assert!(
        matches!(&error, BlockError::Transaction { index: 7, failure, .. }
        if failure.to_string().contains("as asked")),
        "{error:?}"
    );
    assert_eq!(
        world.executor().pool(&pool).execute(&workload.transactions).unwrap(),
        world.executor().execute(&workload.transactions).unwrap()
    );
}

/// Undelivered results delay commits, and no thread spins meanwhile.
#[test]
fn back_pressure_delays_commits_and_uses_no_processor_time() {
    let workload = workload::independent(60, 1);
    let world = &workload.world;
    let pool = WorkerPool::new(3).unwrap();
    let threads = Threads::default();
    let session = open_watched(world, &pool, options().undelivered(5), {
        let threads = threads.clone();
        move |_| {
            threads.record_current();
            Ok(())
        }
    });
    session.submit(workload.transactions.clone()).unwrap();
    let mut taken = 0;
    let mut results = session.results();
    loop {
        until(|| session.progress().committed == (taken + 5).min(60));
        // No more are committed.
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(session.progress().committed, (taken + 5).min(60));
        if taken == 20 {
            // Everything within the window is executed by now. A spinning thread would use the time that
            // passes.
            std::thread::sleep(Duration::from_millis(50));
            let before = threads.processor_time();
            std::thread::sleep(Duration::from_millis(300));
            let used = threads.processor_time() - before;
            assert!(used < Duration::from_millis(50), "{used:?}");
        }
        if results.next().is_none() {
            break;
        }
        taken += 1;
    }
    assert_eq!(taken, 60);
}

/// The threads that call the reader, by their path in `/proc`; empty on other systems.
#[derive(Clone, Default)]
struct Threads(Arc<Mutex<BTreeSet<PathBuf>>>);

impl Threads {
    fn record_current(&self) {
        if let Ok(thread) = std::fs::read_link("/proc/thread-self") {
            self.0.lock().unwrap().insert(Path::new("/proc").join(thread));
        }
    }

    fn processor_time(&self) -> Duration {
        let threads = self.0.lock().unwrap();
        let ticks = threads.iter().map(|thread| {
            let stat = std::fs::read_to_string(thread.join("stat")).unwrap_or_default();
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
            let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
            ticks(11) + ticks(12)
        });
        Duration::from_millis(10 * ticks.sum::<u64>())
    }
}
